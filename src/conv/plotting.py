"""Figures of images, kernels, losses and descent paths.

A plotting function draws on the axes that it is given and returns them; without axes,
it returns a new `Figure`. No function changes matplotlib's global style.
"""

import base64
import io
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from html import escape

import matplotlib as mpl
import numpy as np
import torch
from matplotlib.axes import Axes
from matplotlib.colors import Normalize, TwoSlopeNorm
from matplotlib.figure import Figure as MatplotlibFigure
from matplotlib.patheffects import withStroke
from matplotlib.ticker import LogLocator, MaxNLocator
from torch import Tensor

DIVERGING_CMAP = "PuOr"  # safe for every kind of color vision
SEQUENTIAL_CMAP = "gray"
# What each color means, in plots, diagrams (figures/) and widgets (kit.css) alike. The
# colors are Okabe and Ito's, which people with any type of color vision can tell apart.
# Everything without a meaning of its own is neutral.
PALETTE = {
    "input": "#0072B2",
    "kernel": "#E69F00",
    "output": "#009E73",
    "gradient": "#CC79A7",
    "highlight": "#D55E00",  # what the text points at, such as the current window
    "neutral": "#666666",
    "training": "#0072B2",
    "validation": "#D55E00",
    "ours": "#0072B2",
    "pytorch": "#666666",
}
COLORS = ["#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9"]
FONT = "DejaVu Sans"  # comes with matplotlib
STYLE = {
    "font.family": FONT,
    "font.size": 10,
    "axes.titlesize": 10,
    "axes.edgecolor": PALETTE["neutral"],
    "axes.labelcolor": "#333333",
    "xtick.color": PALETTE["neutral"],
    "ytick.color": PALETTE["neutral"],
    "figure.facecolor": "white",  # on dark pages, too
    "figure.constrained_layout.h_pad": 0.08,  # inches
    "figure.constrained_layout.w_pad": 0.08,
    "axes.facecolor": "white",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.prop_cycle": mpl.cycler(color=COLORS),
}
MAX_COUNTABLE = 40  # pixels on a side of an image whose pixels can be counted
SCREEN_DPI = 100  # a figure's inch on the page, in CSS pixels
SHARPNESS = 1.5  # image pixels per CSS pixel, for dense screens


class Figure(MatplotlibFigure):
    """A matplotlib figure with an alternative text.

    Jupyter shows the figure, and `alt` below it, collapsed under "In words", because
    JupyterLab doesn't attach alternative texts to images. The text is also in the
    image's metadata, where nbconvert looks for it, and is the figure's plain text.
    """

    alt: str = ""

    def __repr__(self) -> str:
        """Return the alternative text."""
        return f"<Figure: {self.alt}>"

    def png(self) -> tuple[str, dict]:
        """Render the figure as Jupyter stores it.

        Returns
        -------
        (str, dict)
            A PNG in base64; its alternative text, width and height on the page.
        """
        png = io.BytesIO()
        self.savefig(png, format="png", dpi=SCREEN_DPI * SHARPNESS)
        width, height = (round(side * SCREEN_DPI) for side in self.get_size_inches())
        about = {"alt": self.alt, "width": width, "height": height}
        return base64.b64encode(png.getvalue()).decode(), about

    def _ipython_display_(self) -> None:
        """Display a PNG, with its size on the page and its alternative text."""
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
    """Make a figure in the course's style, with a fixed size and an alternative text.

    Parameters
    ----------
    rows, columns : int
        Numbers of rows and columns in the grid of axes.
    size : (float, float)
        Width and height in inches; one inch is 100 CSS pixels.
    alt : str
        Alternative text: what the figure shows, for readers who can't see it.
    **options
        Passed on to `matplotlib.figure.Figure.subplots`.

    Returns
    -------
    (Figure, Axes or ndarray of Axes)

    Raises
    ------
    TypeError, ValueError
        If an argument has the wrong type, or if there is no row or no column.
    """
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=size, layout="constrained")
        figure.alt = alt
        return figure, figure.subplots(rows, columns, **options)


def show_images(
    images: Iterable[Tensor],
    titles: Sequence[str] = (),
    *,
    signed: bool = False,
    coordinates: bool = False,
    columns: int = 4,
    axes: Iterable[Axes] | None = None,
    alt: str | None = None,
) -> Figure | Iterable[Axes]:
    """Show images side by side, on one brightness scale.

    Small images in a single row also share one pixel size.

    Parameters
    ----------
    images : iterable of Tensor
        Each of shape (H, W), or (H, W, 3) for red, green, and blue in [0, 1] or uint8.
    titles : sequence of str
        One title per image, or none at all.
    signed : bool
        Whether zero is special. If so, a diverging color map is centered on zero, and a
        new figure has a color bar.
    coordinates : bool
        Whether to number the rows and columns.
    columns : int
        Images per row.
    axes : iterable of Axes, optional
        Axes to draw on, one per image.
    alt : str, optional
        Alternative text of a new figure; by default, it lists the titles.

    Returns
    -------
    Figure or iterable of Axes
        The axes if they were given, otherwise a new figure.

    Raises
    ------
    TypeError, ValueError
        If there are no images, if an image has the wrong shape, or if the number of
        titles or axes differs from the number of images.
    """
    arrays = [as_array(image) for image in images]
    norm = shared_norm(arrays, signed)
    figure = None
    if axes is None:
        count = "1 image" if len(arrays) == 1 else f"{len(arrays)} images"
        alt = alt or (f"{count}: {', '.join(titles)}" if titles else count)
        bar_width = 0.9 if signed else 0.0
        figure, axes = image_grid(arrays, titles, columns, alt, bar_width)
    for ax, array, title in panels(axes, arrays, titles):
        drawn = ax.imshow(array, cmap=cmap_for(signed), norm=norm)
        frame(ax, title)
        if coordinates:
            number_pixels(ax)
    if figure is None:
        return axes
    if signed:
        bar = figure.colorbar(drawn, ax=list(axes), shrink=0.8, label="value")
        low, high = value_range(arrays)
        if low < high:
            bar.ax.set_ylim(min(low, 0), max(high, 0))  # no colors that no pixel has
    return figure


def show_gallery(
    images: Iterable[Tensor],
    titles: Sequence[str] = (),
    *,
    alt: str,
    signed: bool = False,
    columns: int = 10,
) -> Figure:
    """Show many small images close together, on one brightness scale.

    Parameters
    ----------
    images, titles, signed
        As in `show_images`.
    alt : str
        Alternative text.
    columns : int
        Images per row.

    Returns
    -------
    Figure

    Raises
    ------
    TypeError, ValueError
        As in `show_images`.
    """
    arrays = [as_array(image) for image in images]
    norm = shared_norm(arrays, signed)
    columns = min(columns, len(arrays))
    rows, side = -(-len(arrays) // columns), min(1.6, 9.4 / columns)
    size = (side * columns, rows * (side + 0.25 * bool(titles)))
    figure, axes = subplots(rows, columns, size=size, alt=alt, squeeze=False)
    for ax in axes.flat[len(arrays) :]:
        ax.remove()
    for ax, array, title in panels(axes.flat[: len(arrays)], arrays, titles):
        ax.imshow(array, cmap=cmap_for(signed), norm=norm)
        frame(ax, title)
        ax.title.set_fontsize(9)
    return figure


def show_kernels(
    kernels: Iterable[Tensor],
    titles: Sequence[str] = (),
    *,
    columns: int = 5,
    axes: Iterable[Axes] | None = None,
    alt: str | None = None,
) -> Figure | Iterable[Axes]:
    """Show small matrices of signed numbers, with every number written in its cell.

    Kernels in a single row share one cell size.

    Parameters
    ----------
    kernels : iterable of Tensor
        Each of shape (h, w). All share one diverging color map, centered on zero.
    titles, columns, axes, alt
        As in `show_images`. By default, the alternative text lists all the numbers.

    Returns
    -------
    Figure or iterable of Axes
        The axes if they were given, otherwise a new figure.

    Raises
    ------
    TypeError, ValueError
        As in `show_images`.
    """
    arrays = [as_array(kernel) for kernel in kernels]
    norm = shared_norm(arrays, signed=True)
    figure = None
    if axes is None:
        alt = alt or describe_kernels(arrays, titles)
        figure, axes = image_grid(arrays, titles, columns, alt)
    for ax, array, title in panels(axes, arrays, titles):
        ax.imshow(array, cmap=DIVERGING_CMAP, norm=norm)
        write_numbers(ax, array, norm)
        frame(ax, title)
    return axes if figure is None else figure


def plot_losses(
    losses: Mapping[str, Sequence[float]],
    *,
    log: bool = True,
    axes: Axes | None = None,
    alt: str | None = None,
) -> Figure | Axes:
    """Plot the loss after every epoch, one curve per run.

    Parameters
    ----------
    losses : mapping of str to sequence of float
        The losses of each run from epoch 1 on, by the run's name. A run named after a
        color in `PALETTE`, such as "training", has that color.
    log : bool
        Whether the loss axis is logarithmic, so that exponential decay is a straight
        line.
    axes, alt
        As in `show_images`. By default, `alt` gives the first and last losses.

    Returns
    -------
    Figure or Axes
        The axes if they were given, otherwise a new figure.

    Raises
    ------
    TypeError, ValueError
        If an argument has the wrong type.
    """
    figure = None
    if axes is None:
        ends = (
            f"{name} from {run[0]:.3g} to {run[-1]:.3g}" for name, run in losses.items()
        )
        alt = alt or f"Loss by epoch: {'; '.join(ends)}"
        figure, axes = subplots(size=(6, 3.5), alt=alt)
    for name, run in losses.items():
        marker = "." if len(run) <= 50 else ""
        color = PALETTE.get(name.lower())
        axes.plot(range(1, len(run) + 1), run, marker=marker, label=name, color=color)
    axes.set(xlabel="epoch", ylabel="loss", yscale="log" if log else "linear")
    axes.xaxis.get_major_locator().set_params(integer=True)
    label_curves(axes)
    return axes if figure is None else figure


def plot_descent(
    loss: Callable[[Tensor, Tensor], Tensor],
    paths: Mapping[str, Tensor],
    *,
    axes: Axes | None = None,
    alt: str | None = None,
) -> Figure | Axes:
    """Draw gradient-descent paths on the contours of a loss with two weights.

    The numbers on the contours are losses, and a cross marks the minimum if it is in
    the figure. The name of each run is beside its first point. If paths coincide, the
    first is drawn widest, so it stays visible.

    Parameters
    ----------
    loss : callable
        ``loss(w1, w2)`` takes two tensors of the same shape and returns the losses in a
        tensor of that shape.
    paths : mapping of str to Tensor, shape (steps, 2)
        The weights after every step, by the run's name. A run named after a color in
        `PALETTE`, such as "ours", has that color.
    axes, alt
        As in `show_images`. By default, `alt` gives the ends of the paths.

    Returns
    -------
    Figure or Axes
        The axes if they were given, otherwise a new figure.

    Raises
    ------
    TypeError, ValueError
        If an argument has the wrong type.
    """
    points = {name: as_array(path) for name, path in paths.items()}
    figure = None
    if axes is None:
        ends = (
            f"{name} from ({a:.2f}, {b:.2f}) to ({c:.2f}, {d:.2f})"
            for name, p in points.items()
            for (a, b), (c, d) in [p[[0, -1]]]
        )
        alt = alt or f"Descent on the loss's contours: {'; '.join(ends)}"
        figure, axes = subplots(size=(6, 5), alt=alt)
    w1, w2 = surrounding_grid(np.concatenate(list(points.values())))
    surface = as_array(loss(torch.from_numpy(w1), torch.from_numpy(w2)))
    lines = axes.contour(
        w1, w2, surface, contour_levels(surface), colors="0.7", linewidths=0.8
    )
    axes.clabel(lines, fmt="%g", fontsize=8, colors="0.4")
    for k, (name, p) in enumerate(points.items()):
        size, color = 4 + 4 * (len(points) - 1 - k), PALETTE.get(name.lower())
        [line] = axes.plot(*p.T, "o-", ms=size, lw=size / 3, color=color)
        axes.annotate(
            name,
            p[0],
            (8, 4 - 13 * k),
            textcoords="offset points",
            color=line.get_color(),
            path_effects=[withStroke(linewidth=3, foreground="white")],
        )
    lowest = np.unravel_index(surface.argmin(), surface.shape)
    if has_minimum_inside(surface):
        axes.plot(w1[lowest], w2[lowest], "+", color="black", markersize=10)
    axes.set(xlabel="weight $w_1$", ylabel="weight $w_2$", aspect="equal")
    return axes if figure is None else figure


def label_curves(axes: Axes) -> Axes:
    """Write each curve's label beside its end, in the curve's color.

    Call this function last: it spaces the labels for the limits and the scale that the
    axes have at that time.

    Parameters
    ----------
    axes : Axes
        Axes with the curves. Curves without a label are left out; all others need a
        finite point.

    Returns
    -------
    Axes
        The same axes.
    """
    lines = [line for line in axes.lines if not line.get_label().startswith("_")]
    axes.autoscale_view()
    to_fraction = (axes.transData + axes.transAxes.inverted()).transform
    ends = [last_finite(line.get_xydata()) for line in lines]
    heights = [to_fraction(end)[1] for end in ends]
    panel = axes.get_position().height * axes.figure.get_figheight() * 72  # in points
    moved = spread(heights, 1.2 * STYLE["font.size"] / panel)
    for line, end, height, free in zip(lines, ends, heights, moved, strict=True):
        axes.annotate(
            line.get_label(),
            end,
            (6, (free - height) * panel),
            textcoords="offset points",
            va="center",
            color=line.get_color(),
        )
    return axes


def last_finite(points: np.ndarray) -> np.ndarray:
    """Return the last point that has no nan or infinity."""
    return points[np.isfinite(points).all(axis=1)][-1]


def spread(values: Sequence[float], gap: float) -> list[float]:
    """Move numbers apart, so that neighbors differ by `gap` and none exceeds 1."""
    order = np.argsort(values, kind="stable")
    moved = np.asarray(values, dtype=float)[order]
    for k in range(1, len(moved)):
        moved[k] = max(moved[k], moved[k - 1] + gap)
    moved[-1:] = np.minimum(moved[-1:], 1)
    for k in range(len(moved) - 1, 0, -1):
        moved[k - 1] = min(moved[k - 1], moved[k] - gap)
    return moved[np.argsort(order)].tolist()


def as_array(image: Tensor) -> np.ndarray:
    """Convert a tensor on any device to NumPy, which has no bfloat16."""
    image = image.detach().cpu()
    return (image.float() if image.dtype == torch.bfloat16 else image).numpy()


def cmap_for(signed: bool) -> str:
    """Choose the color map for signed or for non-negative data."""
    return DIVERGING_CMAP if signed else SEQUENTIAL_CMAP


def shared_norm(images: Sequence[np.ndarray], signed: bool) -> Normalize:
    """Return one scale for all images; a signed one is centered on zero."""
    low, high = value_range(images)
    if signed:
        bound = max(-low, high) or 1.0
        return TwoSlopeNorm(0, -bound, bound)
    return Normalize(low, high)


def value_range(images: Sequence[np.ndarray]) -> tuple[float, float]:
    """Return the smallest and the largest value of all images."""
    low = min(float(image.min()) for image in images)
    high = max(float(image.max()) for image in images)
    return low, high


def image_grid(
    images: Sequence[np.ndarray],
    titles: Sequence[str],
    columns: int,
    alt: str,
    bar_width: float = 0.0,
) -> tuple[Figure, Sequence[Axes]]:
    """Make a figure with a panel per image.

    All panels have one size, unless one can count the images' pixels: then a row or
    column of panels is as large as its largest image, so that all pixels have one size.
    """
    columns = min(columns, len(images))
    rows = -(-len(images) // columns)
    shapes = [image.shape[:2] for image in images]
    if max(map(max, shapes)) > MAX_COUNTABLE:
        shapes = [shapes[0]] * len(images)
    heights = [max(h for h, _ in shapes[r * columns :][:columns]) for r in range(rows)]
    widths = [max(w for _, w in shapes[c::columns]) for c in range(columns)]
    room = 9.4 - bar_width  # in inches, as all lengths below
    pixel = min(min(3.0, room / columns) / max(widths), (room - 0.6) / sum(widths))
    letters = [max(map(len, titles[c::columns]), default=0) for c in range(columns)]
    slots = [max(pixel * w, 0.08 * n) for w, n in zip(widths, letters, strict=True)]
    figure, axes = subplots(
        rows,
        columns,
        size=(sum(slots) + 0.6 + bar_width, pixel * sum(heights) + 0.5 * rows),
        alt=alt,
        squeeze=False,
        width_ratios=slots,
        height_ratios=heights,
    )
    for ax in axes.flat[len(images) :]:
        ax.remove()
    return figure, axes.flat[: len(images)]


def panels(
    axes: Iterable[Axes], images: Sequence[np.ndarray], titles: Sequence[str]
) -> Iterator[tuple[Axes, np.ndarray, str]]:
    """Pair axes, images and titles; without any titles, they are empty."""
    axes, titles = list(axes), titles or [""] * len(images)
    for name, parts in {"axes": axes, "titles": titles}.items():
        if len(parts) != len(images):
            raise ValueError(f"{name} has length {len(parts)}; expected {len(images)}")
    return zip(axes, images, titles, strict=True)


def frame(ax: Axes, title: str) -> None:
    """Give an image a title and a thin frame, and no axes."""
    ax.set(title=title, xticks=[], yticks=[])
    ax.spines[:].set(visible=True, color="0.6", linewidth=0.8)


def number_pixels(ax: Axes) -> None:
    """Write numbers beside an image's rows and columns."""
    ax.set(xlabel="column", ylabel="row")
    for axis in (ax.xaxis, ax.yaxis):
        axis.set_major_locator(MaxNLocator(integer=True, nbins=6))


def write_numbers(ax: Axes, matrix: np.ndarray, norm: Normalize) -> None:
    """Write every number in its cell, in black or white, whichever is readable."""
    for (i, j), value in np.ndenumerate(matrix):
        red, green, blue, _ = mpl.colormaps[DIVERGING_CMAP](norm(value))
        light = 0.299 * red + 0.587 * green + 0.114 * blue > 0.5
        color = "black" if light else "white"
        ax.text(j, i, short(value), ha="center", va="center", color=color)


def describe_kernels(kernels: Sequence[np.ndarray], titles: Sequence[str]) -> str:
    """List the numbers of all kernels, row by row."""
    texts = []
    for title, kernel in zip(titles or [""] * len(kernels), kernels, strict=False):
        rows = " / ".join(" ".join(map(short, row)) for row in kernel)
        texts.append(f"{title}: {rows}" if title else rows)
    return f"Values, row by row. {'; '.join(texts)}"


def short(value: float) -> str:
    """Format a number with at most two decimals, and zero without a minus sign."""
    return f"{round(float(value), 2) + 0.0:.2f}".rstrip("0").rstrip(".")


def surrounding_grid(points: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Make a grid over a square that contains all points, with a margin."""
    low, high = points.min(axis=0), points.max(axis=0)
    middle, half = (low + high) / 2, 0.7 * (high - low).max() or 1.0
    w1, w2 = (np.linspace(m - half, m + half, 201) for m in middle)
    return np.meshgrid(w1, w2)


def contour_levels(surface: np.ndarray) -> list[float]:
    """Choose round levels, 1, 2, 5, 10, …, up to the maximum."""
    low, high = float(surface.min()), float(surface.max())
    levels = []
    if high > 0:
        levels = LogLocator(subs=(1, 2, 5)).tick_values(max(low, high / 200), high)
    inside = [level for level in levels if low < level < high]
    return inside or np.linspace(low, high, 7)[1:-1].tolist()


def has_minimum_inside(surface: np.ndarray) -> bool:
    """Return whether the lowest values of a surface stay away from its border."""
    low, high = surface.min(), surface.max()
    lowest = surface <= low + 1e-6 * (high - low)
    border = np.concatenate([lowest[0], lowest[-1], lowest[:, 0], lowest[:, -1]])
    return not border.any()
