"""Pictures of pictures: kernels, feature maps, losses, descent paths.

A plotting function takes the axes to draw on and returns them; without axes, it
returns a new `Figure`. None changes matplotlib's global style.
"""

import base64
import io
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from html import escape
from numbers import Real
from types import NoneType

import matplotlib as mpl
import numpy as np
import torch
from matplotlib.axes import Axes
from matplotlib.colors import Normalize, TwoSlopeNorm
from matplotlib.figure import Figure as MatplotlibFigure
from torch import Tensor

from conv.checks import (
    check_count,
    check_drawable,
    check_is,
    check_number,
    check_real,
    check_same_length,
    check_tensor,
)

SIGNED = "PuOr"  # diverging, and told apart by every kind of colour vision
UNSIGNED = "gray"
COLOURS = ["#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9"]
STYLE = {
    "font.size": 10,
    "axes.titlesize": 10,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.prop_cycle": mpl.cycler(color=COLOURS),
}
SCREEN_DPI = 100  # a figure's inch on the page, in CSS pixels
SHARPNESS = 1.5  # image pixels per CSS pixel, for dense screens
MOST_AXES = 1_000  # in a figure


class Figure(MatplotlibFigure):
    """A matplotlib figure that carries a text saying what it shows.

    Jupyter shows the picture, and `alt` below it, folded away under "In words":
    JupyterLab gives images no alternative text. The text is also in the image's
    metadata, where nbconvert looks for it, and is the figure's plain text.
    """

    alt: str = ""

    def __repr__(self) -> str:
        """Say what the figure shows."""
        return f"<Figure: {self.alt}>"

    def png(self) -> tuple[str, dict]:
        """Draw the figure as Jupyter stores it.

        Returns
        -------
        (str, dict)
            A PNG in base64; its text, and its width and height on the page.
        """
        png = io.BytesIO()
        self.savefig(png, format="png", dpi=SCREEN_DPI * SHARPNESS)
        width, height = (round(side * SCREEN_DPI) for side in self.get_size_inches())
        about = {"alt": self.alt, "width": width, "height": height}
        return base64.b64encode(png.getvalue()).decode(), about

    def _ipython_display_(self) -> None:
        """Give Jupyter a PNG, its size on the page, and the text that replaces it."""
        from IPython.display import display  # only a notebook needs it

        data, about = self.png()
        display(
            {"image/png": data, "text/plain": repr(self)},
            metadata={"image/png": about},
            raw=True,
        )
        words = f"<details><summary>In words</summary>{escape(self.alt)}</details>"
        display({"text/html": words, "text/plain": self.alt}, raw=True)


def subplots(
    rows: int = 1,
    columns: int = 1,
    *,
    size: tuple[float, float],
    alt: str,
    **options: object,
) -> tuple[Figure, Axes | np.ndarray]:
    """Make a figure of the course: its style, a fixed size and an alternative text.

    Parameters
    ----------
    rows, columns : int
        The grid of axes.
    size : (float, float)
        Width and height in inches, of 100 CSS pixels each.
    alt : str
        What the figure shows, for those who can't see it.
    **options
        Passed on to `matplotlib.figure.Figure.subplots`.

    Returns
    -------
    (Figure, Axes or ndarray of Axes)

    Raises
    ------
    TypeError, ValueError
        If the grid or the size is no such thing, or `alt` says nothing.
    """
    check_count("rows", rows)
    check_count("columns", columns)
    if rows * columns > MOST_AXES:
        raise ValueError(
            f"rows is {rows} and columns {columns}; expected at most {MOST_AXES:,} axes"
        )
    check_size(size)
    check_is("alt", alt, str)
    if not alt.strip():
        raise ValueError(f"alt is {alt!r}; expected what the figure shows")
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=size, layout="constrained")
        figure.alt = alt
        return figure, figure.subplots(rows, columns, **options)


def show_images(
    images: Sequence[Tensor],
    titles: Sequence[str] = (),
    *,
    signed: bool = False,
    columns: int = 4,
    axes: Sequence[Axes] | None = None,
    alt: str | None = None,
) -> Figure | Sequence[Axes]:
    """Show pictures side by side, on one scale of brightness.

    Parameters
    ----------
    images : sequence of Tensor
        Each (H, W), or (H, W, 3) for red, green and blue in [0, 1] or uint8.
    titles : sequence of str
        One a picture, or none.
    signed : bool
        Whether zero is special: then a diverging map is centred on it, with a scale.
    columns : int
        Pictures a row.
    axes : sequence of Axes, optional
        Where to draw, one for each picture.
    alt : str, optional
        What a new figure shows; if not given, the titles.

    Returns
    -------
    Figure or sequence of Axes
        The axes if they were given, otherwise a new figure.

    Raises
    ------
    TypeError, ValueError
        If there are no pictures, one is no such tensor, or has nan or inf in it, or
        there are more or fewer titles or axes than pictures.
    """
    pictures = as_pictures("images", images)
    check_titles(titles, len(pictures))
    check_is("signed", signed, bool)
    scale = common_scale(pictures, signed)
    figure = None
    if axes is None:
        height, width = pictures[0].shape[:2]
        alt = alt or f"{len(pictures)} pictures: {', '.join(titles)}"
        figure, axes = image_grid(len(pictures), columns, height / width, alt)
    for ax, picture, title in zip_titles(axes, pictures, titles):
        drawn = ax.imshow(picture, cmap=SIGNED if signed else UNSIGNED, norm=scale)
        frame(ax, title)
    if figure is None:
        return axes
    if signed:
        figure.colorbar(drawn, ax=list(axes), shrink=0.8, label="value")
    return figure


def show_gallery(
    images: Sequence[Tensor],
    titles: Sequence[str] = (),
    *,
    alt: str,
    signed: bool = False,
    columns: int = 10,
) -> Figure:
    """Hang many small pictures close together, without ticks, on one scale.

    Parameters
    ----------
    images, titles, signed
        As in `show_images`.
    alt : str
        What the figure shows.
    columns : int
        Pictures a row.

    Returns
    -------
    Figure

    Raises
    ------
    TypeError, ValueError
        As `show_images`.
    """
    pictures = as_pictures("images", images)
    check_titles(titles, len(pictures))
    check_is("signed", signed, bool)
    scale = common_scale(pictures, signed)
    check_count("columns", columns)
    columns = min(columns, len(pictures))
    rows, side = -(-len(pictures) // columns), min(1.6, 9.4 / columns)
    height = rows * (side + 0.25 * bool(titles))
    figure, axes = subplots(
        rows, columns, size=(side * columns, height), alt=alt, squeeze=False
    )
    for ax in axes.flat[len(pictures) :]:
        ax.remove()
    for ax, picture, title in zip_titles(axes.flat[: len(pictures)], pictures, titles):
        ax.imshow(picture, cmap=SIGNED if signed else UNSIGNED, norm=scale)
        ax.set_title(title, fontsize=9)
        ax.set(xticks=[], yticks=[])
        ax.spines[:].set(visible=True, color="0.6")
    return figure


def show_kernels(
    kernels: Sequence[Tensor],
    titles: Sequence[str] = (),
    *,
    columns: int = 5,
    axes: Sequence[Axes] | None = None,
    alt: str | None = None,
) -> Figure | Sequence[Axes]:
    """Show small signed matrices with their numbers written in.

    Parameters
    ----------
    kernels : sequence of Tensor
        Each (h, w). All share one diverging scale, centred on zero.
    titles, columns, axes, alt
        As in `show_images`. Without `alt`, the text lists the kernels' numbers.

    Returns
    -------
    Figure or sequence of Axes
        The axes if they were given, otherwise a new figure.

    Raises
    ------
    TypeError, ValueError
        As `show_images`.
    """
    matrices = as_pictures("kernels", kernels, colours=False)
    check_titles(titles, len(matrices))
    scale = common_scale(matrices, signed=True)
    figure = None
    if axes is None:
        height, width = matrices[0].shape
        alt = alt or describe_kernels(matrices, titles)
        figure, axes = image_grid(len(matrices), columns, height / width, alt)
    for ax, matrix, title in zip_titles(axes, matrices, titles):
        ax.imshow(matrix, cmap=SIGNED, norm=scale)
        write_numbers(ax, matrix, scale)
        frame(ax, title)
        ax.set_xticks(range(matrix.shape[1]))
        ax.set_yticks(range(matrix.shape[0]))
    return axes if figure is None else figure


def plot_losses(
    losses: Mapping[str, Sequence[float]],
    *,
    log: bool = True,
    axes: Axes | None = None,
    alt: str | None = None,
) -> Figure | Axes:
    """Plot the loss of each epoch, one curve a run.

    Parameters
    ----------
    losses : mapping of str to sequence of float
        The runs, by name; a value an epoch, the first epoch being 1.
    log : bool
        Whether the loss has a logarithmic axis, on which a steady shrinking is a
        straight line.
    axes, alt
        As in `show_images`. Without `alt`, the text gives first and last losses.

    Returns
    -------
    Figure or Axes
        The axes if they were given, otherwise a new figure.

    Raises
    ------
    TypeError, ValueError
        If there are no runs, or one has no numbers in it, or negative ones on a
        logarithmic axis.
    """
    check_is("log", log, bool)
    check_is("axes", axes, Axes, NoneType)
    check_runs(losses, log)
    figure = None
    if axes is None:
        ends = (
            f"{name} from {run[0]:.3g} to {run[-1]:.3g}" for name, run in losses.items()
        )
        figure, axes = subplots(
            size=(6, 3.5), alt=alt or f"Loss by epoch: {'; '.join(ends)}"
        )
    for name, run in losses.items():
        dots = "." if len(run) <= 50 else ""
        axes.plot(range(1, len(run) + 1), run, marker=dots, label=name)
    axes.set(xlabel="epoch", ylabel="loss", yscale="log" if log else "linear")
    axes.xaxis.get_major_locator().set_params(integer=True)
    axes.legend()
    return axes if figure is None else figure


def plot_descent(
    loss: Callable[[Tensor, Tensor], Tensor],
    paths: Mapping[str, Tensor],
    *,
    axes: Axes | None = None,
    alt: str | None = None,
) -> Figure | Axes:
    """Draw paths of gradient descent on the contours of a loss of two weights.

    Parameters
    ----------
    loss : callable
        ``loss(w1, w2)`` takes two tensors of one shape, gives the losses in it.
    paths : mapping of str to Tensor
        By name, the weights after each step, of shape (steps, 2).
    axes, alt
        As in `show_images`. Without `alt`, the text gives the paths' ends.

    Returns
    -------
    Figure or Axes
        The axes if they were given, otherwise a new figure.

    Raises
    ------
    TypeError, ValueError
        If there are no paths, or one is no finite tensor of such a shape, or if the
        losses around them are not, or flat, or nowhere above 0.
    """
    check_is("loss", loss, Callable)
    check_is("axes", axes, Axes, NoneType)
    points = as_paths(paths)
    figure = None
    if axes is None:
        ends = (
            f"{name} from ({a:.2f}, {b:.2f}) to ({c:.2f}, {d:.2f})"
            for name, p in points.items()
            for (a, b), (c, d) in [p[[0, -1]]]
        )
        figure, axes = subplots(
            size=(6, 5), alt=alt or f"Descent on the loss's contours: {'; '.join(ends)}"
        )
    w1, w2 = surrounding_grid(np.concatenate(list(points.values())))
    surface = as_surface(loss(torch.from_numpy(w1), torch.from_numpy(w2)), w1.shape)
    levels = np.geomspace(max(surface.min(), surface.max() * 1e-4), surface.max(), 16)
    axes.contour(w1, w2, surface, levels=levels, colors="0.7", linewidths=0.8)
    for name, p in points.items():
        axes.plot(p[:, 0], p[:, 1], marker="o", markersize=4, label=name)
    axes.set(xlabel="weight $w_1$", ylabel="weight $w_2$", aspect="equal")
    axes.legend()
    return axes if figure is None else figure


def as_array(image: Tensor) -> np.ndarray:
    """Bring a tensor, wherever it lives, to NumPy, which has no bfloat16."""
    image = image.detach().cpu()
    return (image.float() if image.dtype == torch.bfloat16 else image).numpy()


def as_pictures(
    name: str, images: Iterable[Tensor], colours: bool = True
) -> list[np.ndarray]:
    """Bring pictures to NumPy: each (H, W), or (H, W, 3) if they may have colours."""
    check_is(name, images, Iterable)
    pictures = []
    for image in images:
        check_is(f"one of {name}", image, Tensor)
        axes = ("height", "width", "colour")
        coloured = colours and image.dim() == 3 and image.shape[2] == 3
        check_tensor(f"one of {name}", image, axes if coloured else axes[:2])
        check_drawable(f"one of {name}", image)
        pictures.append(as_array(image))
    if not pictures:
        raise ValueError(f"{name} is empty; expected at least one")
    return pictures


def as_paths(paths: Mapping[str, Tensor]) -> dict[str, np.ndarray]:
    """Bring paths of two weights to NumPy."""
    check_is("paths", paths, Mapping)
    for name, path in paths.items():
        check_tensor(f"paths[{name!r}]", path, ("steps", "weights"))
        check_drawable(f"paths[{name!r}]", path)
        if path.shape[1] != 2:
            raise ValueError(
                f"paths[{name!r}] has shape {tuple(path.shape)}; expected (steps, 2)"
            )
    if not paths:
        raise ValueError("paths is empty; expected at least one")
    return {name: as_array(path) for name, path in paths.items()}


def as_surface(losses: Tensor, shape: tuple[int, int]) -> np.ndarray:
    """Bring what a loss gives on a grid to NumPy, if contours can be drawn of it."""
    check_tensor("loss's value", losses, ("rows", "columns"))
    if tuple(losses.shape) != shape:
        raise ValueError(
            f"loss's value has shape {tuple(losses.shape)}; expected {shape}, that of "
            f"the weights"
        )
    check_drawable("loss's value", losses)
    low, high = losses.min().item(), losses.max().item()
    if high <= max(low, 0):
        raise ValueError(
            f"loss's values go from {low:g} to {high:g}; expected a slope, above 0"
        )
    return as_array(losses)


def check_titles(titles: Sequence[str], count: int) -> None:
    """Refuse titles that are no texts, or not as many as pictures, or none."""
    if isinstance(titles, str):
        raise TypeError(f"titles is {titles!r}; expected a list of texts")
    check_is("titles", titles, Collection)
    for title in titles:
        check_is("one of titles", title, str)
    if titles:
        check_same_length("titles", titles, "pictures", count)


def check_runs(losses: Mapping[str, Sequence[float]], log: bool) -> None:
    """Refuse what is no mapping of names to numbers that can be drawn."""
    check_is("losses", losses, Mapping)
    for name, run in losses.items():
        check_is(f"losses[{name!r}]", run, Sequence, Tensor, np.ndarray)
        for loss in run:
            check_loss(f"one of losses[{name!r}]", loss, log)
        if len(run) == 0:
            raise ValueError(f"losses[{name!r}] is empty; expected a value an epoch")
    if not losses:
        raise ValueError("losses is empty; expected at least one run")


def check_loss(name: str, loss: float | Tensor, log: bool) -> None:
    """Refuse what is no number, and one that a logarithmic axis has no place for."""
    check_is(name, loss, Real, Tensor)
    if isinstance(loss, Tensor):
        check_real(name, loss)
        if loss.dim() != 0:
            raise ValueError(
                f"{name} has shape {tuple(loss.shape)}; expected one number"
            )
    if log and loss < 0:
        raise ValueError(f"{name} is {loss:g}; expected 0 or more, or log=False")


def check_size(size: tuple[float, float]) -> None:
    """Refuse what is no width and height in inches."""
    check_is("size", size, tuple, list)
    for side in size:
        check_number("size", side)
    if len(size) != 2 or not all(0 < side < 100 for side in size):
        raise ValueError(f"size is {size}; expected two numbers of inches, up to 100")


def common_scale(images: Sequence[np.ndarray], signed: bool) -> Normalize:
    """Find one scale for all pictures; a signed one is centred on zero."""
    low = min(float(image.min()) for image in images)
    high = max(float(image.max()) for image in images)
    if signed:
        reach = max(-low, high) or 1.0
        return TwoSlopeNorm(0, -reach, reach)
    return Normalize(low, high)


def image_grid(
    count: int, columns: int, aspect: float, alt: str
) -> tuple[Figure, Sequence[Axes]]:
    """Make a figure for `count` pictures of one aspect (height / width)."""
    check_count("columns", columns)
    columns = min(columns, count)
    rows = -(-count // columns)
    side = min(3.0, 9.4 / columns)
    size = (side * columns + 0.6, rows * (side * aspect + 0.7))
    figure, axes = subplots(rows, columns, size=size, alt=alt, squeeze=False)
    for ax in axes.flat[count:]:
        ax.remove()
    return figure, axes.flat[:count]


def zip_titles(
    axes: Sequence[Axes], images: Sequence[np.ndarray], titles: Sequence[str]
):
    """Walk through axes, pictures and titles; no titles at all means empty ones."""
    check_is("axes", axes, Iterable)
    places = list(axes)
    for place in places:
        check_is("one of axes", place, Axes)
    check_same_length("axes", places, "pictures", len(images))
    return zip(places, images, titles or [""] * len(images), strict=True)


def frame(ax: Axes, title: str) -> None:
    """Give a picture its title, its axes' names and a border on all sides."""
    ax.set(title=title, xlabel="column", ylabel="row")
    ax.spines[:].set(visible=True, color="0.6")
    ax.tick_params(color="0.6")
    for axis in (ax.xaxis, ax.yaxis):
        axis.get_major_locator().set_params(integer=True)


def write_numbers(ax: Axes, matrix: np.ndarray, scale: Normalize) -> None:
    """Write each number in its cell, in black or in white, whichever reads better."""
    for (i, j), value in np.ndenumerate(matrix):
        red, green, blue, _ = mpl.colormaps[SIGNED](scale(value))
        light = 0.299 * red + 0.587 * green + 0.114 * blue > 0.5
        colour = "black" if light else "white"
        ax.text(j, i, short(value), ha="center", va="center", color=colour)


def describe_kernels(kernels: Sequence[np.ndarray], titles: Sequence[str]) -> str:
    """List the kernels' numbers, row by row."""
    texts = []
    for title, kernel in zip(titles or [""] * len(kernels), kernels, strict=True):
        rows = " / ".join(" ".join(map(short, row)) for row in kernel)
        texts.append(f"{title}: {rows}")
    return f"In numbers. {'; '.join(texts)}"


def short(value: float) -> str:
    """Write a number with at most two decimals, and no minus before a zero."""
    return f"{round(float(value), 2) + 0.0:.2f}".rstrip("0").rstrip(".")


def surrounding_grid(points: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Lay a grid over a square that holds all points, with a margin around them."""
    low, high = points.min(axis=0), points.max(axis=0)
    middle, half = (low + high) / 2, 0.7 * (high - low).max() or 1.0
    w1, w2 = (np.linspace(m - half, m + half, 201) for m in middle)
    return np.meshgrid(w1, w2)
