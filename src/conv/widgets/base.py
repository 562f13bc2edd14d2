"""What all widgets share: the JavaScript bundle, the style sheet, the static image."""

import math
import re
from pathlib import Path

import anywidget
from matplotlib.axes import Axes
from matplotlib.patches import Rectangle
from torch import Tensor

from conv.plotting import Figure, short

FOLDER = Path(__file__).parent
SHARED_MODULES = ("arithmetic.js", "kit.js")
CSS = (FOLDER / "kit.css").read_text(encoding="utf-8")
STATIC_NOTE = "Static image; interactive in JupyterLab."
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
        figure.supxlabel(STATIC_NOTE, fontsize=9)
        figure.alt += f" {STATIC_NOTE}"
        data["image/png"], image_metadata = figure.png()
        return data, metadata | {"image/png": image_metadata}


def to_rows(matrix: Tensor) -> list[list[float]]:
    """Convert a matrix to nested lists of floats."""
    return matrix.detach().double().cpu().tolist()


def draw_grid(
    ax: Axes, title: str, matrix: Tensor, highlighted: set[tuple[int, int]], color: str
) -> None:
    """Draw a matrix as cells with numbers, and fill the highlighted cells."""
    height, width = matrix.shape
    ax.set(title=title, xlim=(0, width), ylim=(height, 0), aspect="equal")
    ax.set_axis_off()
    for i, row in enumerate(matrix.tolist()):
        for j, value in enumerate(row):
            fill = color if (i, j) in highlighted else "white"
            cell = Rectangle((j, i), 1, 1, facecolor=fill, edgecolor="0.5", alpha=0.6)
            ax.add_patch(cell)
            text = "" if math.isnan(value) else short(value)  # nan: not computed yet
            ax.text(j + 0.5, i + 0.5, text, ha="center", va="center")
