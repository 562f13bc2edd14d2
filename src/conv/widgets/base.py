"""The base of all widgets: the JavaScript bundle, the style sheet, the static image."""

import math
import re
from pathlib import Path

import anywidget
from matplotlib.axes import Axes
from matplotlib.colors import to_rgb
from matplotlib.patches import Rectangle
from torch import Tensor

from conv.plotting import PALETTE, Figure, short

FOLDER = Path(__file__).parent
SHARED_MODULES = ("arithmetic.js", "kit.js")
CSS = (FOLDER / "kit.css").read_text(encoding="utf-8")
STATIC_NOTE = "This is a still image. Run the notebook to use the widget."
NARROW = 4.0  # inches; in a narrower figure, the note is split into two lines
TIMES = "\N{MULTIPLICATION SIGN}"


def bundle(module: str) -> str:
    """Join a widget's JavaScript with the modules it imports, for Jupyter.

    Parameters
    ----------
    module : str
        Name of a file in this folder, without ``.js``.

    Returns
    -------
    str
        An ES module without imports.
    """
    files = [FOLDER / name for name in (*SHARED_MODULES, f"{module}.js")]
    code = "\n".join(file.read_text(encoding="utf-8") for file in files)
    return re.sub(r'^import \{[^}]*\} from "\./\w+\.js";\n', "", code, flags=re.M)


class Widget(anywidget.AnyWidget):
    """Base class of the course's widgets.

    A subclass describes its state in `__repr__`, which nbval compares, and draws it in
    `to_figure`, for viewers that don't run widgets.
    """

    def to_figure(self) -> Figure:
        """Draw the current state as a static figure."""
        raise NotImplementedError

    def _repr_mimebundle_(self, **options: object) -> tuple[dict, dict]:
        """Return the widget, and a static image for viewers that don't run widgets."""
        data, metadata = super()._repr_mimebundle_(**options)
        figure = self.to_figure()
        narrow = figure.get_figwidth() < NARROW
        note = STATIC_NOTE.replace(". ", ".\n") if narrow else STATIC_NOTE
        figure.supxlabel(note, fontsize=9)
        figure.alt += f" {STATIC_NOTE}"
        data["image/png"], image_metadata = figure.png()
        return data, metadata | {"image/png": image_metadata}


def to_rows(matrix: Tensor) -> list[list[float]]:
    """Convert a matrix to nested lists of floats."""
    return matrix.detach().double().cpu().tolist()


def tint(color: str, amount: float) -> tuple[float, float, float]:
    """Mix a color with white."""
    return tuple(1 - amount * (1 - part) for part in to_rgb(color))


def draw_grid(
    ax: Axes, title: str, matrix: Tensor, role: str, outlined: set[tuple[int, int]]
) -> None:
    """Draw a matrix as numbered cells in the color of its role; outline some of them.

    A nan is drawn as an empty, white cell.
    """
    height, width = matrix.shape
    ax.set(title=title, xlim=(-0.05, width + 0.05), ylim=(height + 0.05, -0.05))
    ax.set(aspect="equal")
    ax.set_axis_off()
    for i, row in enumerate(matrix.tolist()):
        for j, value in enumerate(row):
            known, chosen = not math.isnan(value), (i, j) in outlined
            cell = Rectangle(
                (j, i),
                1,
                1,
                facecolor=tint(PALETTE[role], 0.2 if known else 0),
                edgecolor=PALETTE["highlight"] if chosen else "0.6",
                linewidth=2.5 if chosen else 0.8,
                zorder=2 if chosen else 1,
            )
            ax.add_patch(cell)
            text = short(value) if known else ""
            ax.text(j + 0.5, i + 0.5, text, ha="center", va="center", zorder=3)
