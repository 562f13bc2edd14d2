"""What the widgets share: one JavaScript file each, a still picture, a sentence."""

import re
from pathlib import Path

import anywidget
from matplotlib.axes import Axes
from matplotlib.patches import Rectangle
from torch import Tensor

from conv.plotting import Figure, short

HERE = Path(__file__).parent
SHARED = ("arithmetic.js", "kit.js")
STYLE = (HERE / "kit.css").read_text(encoding="utf-8")
STILL = "A still picture. In JupyterLab it moves."
TIMES = "\N{MULTIPLICATION SIGN}"


def bundle(module: str) -> str:
    """Join a widget's module with those that it imports: Jupyter takes one file.

    Parameters
    ----------
    module : str
        The name of a file in this folder, without ``.js``.

    Returns
    -------
    str
        An ES module that imports nothing.
    """
    files = [HERE / name for name in (*SHARED, f"{module}.js")]
    code = "\n".join(file.read_text(encoding="utf-8") for file in files)
    return re.sub(r'^import \{[^}]*\} from "\./\w+\.js";\n', "", code, flags=re.M)


class Widget(anywidget.AnyWidget):
    """A widget of the course. Where nothing can move, it shows a still picture.

    Subclasses say what they are in `__repr__`, which nbval compares, and draw
    themselves in `still`. What a trait can't be, traitlets refuses by its name.
    """

    def still(self) -> Figure:
        """Draw the widget as it is now."""
        raise NotImplementedError

    def _repr_mimebundle_(self, **options: object) -> tuple[dict, dict]:
        """Give Jupyter the widget, and for those that show none, a picture of it."""
        data, metadata = super()._repr_mimebundle_(**options)
        figure = self.still()
        figure.supxlabel(STILL, fontsize=9)
        figure.alt += f" {STILL}"
        data["image/png"], about = figure.png()
        return data, metadata | {"image/png": about}


def as_rows(X: Tensor) -> list[list[float]]:
    """Turn a matrix into rows of Python's floats."""
    return X.detach().double().cpu().tolist()


def draw_grid(
    ax: Axes, name: str, rows: Tensor, marked: set[tuple[int, int]], colour: str
) -> None:
    """Draw a matrix as cells with numbers; marked ones get a colour."""
    height, width = rows.shape
    ax.set(title=name, xlim=(0, width), ylim=(height, 0), aspect="equal")
    ax.set_axis_off()
    for i, row in enumerate(rows.tolist()):
        for j, value in enumerate(row):
            fill = colour if (i, j) in marked else "white"
            cell = Rectangle((j, i), 1, 1, facecolor=fill, edgecolor="0.5", alpha=0.6)
            ax.add_patch(cell)
            if value == value:  # not a number: not known yet
                ax.text(j + 0.5, i + 0.5, short(value), ha="center", va="center")
