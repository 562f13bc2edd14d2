"""A window that slides over a small picture."""

import math

import torch
import torch.nn.functional as F
from torch import Tensor
from traitlets import Float, Int, List, Unicode

from conv.checks import check_drawable, check_int, check_tensor
from conv.functional import conv2d, output_shape
from conv.plotting import COLOURS, Figure, short, subplots
from conv.widgets.base import STYLE, TIMES, Widget, as_rows, bundle, draw_grid

LARGEST = 12  # rows and columns of a picture whose numbers one can read
LARGEST_KERNEL = 5
MOST = 5  # of stride, padding, dilation


class SlidingWindow(Widget):
    """Step, play or scrub a window over a picture; see its products and their sum.

    The traits follow what the reader does, and the other way round.

    Parameters
    ----------
    X : Tensor
        The picture, (H, W), at most 12 a side.
    K : Tensor
        The kernel, (h, w), at most 5 a side.
    stride, padding, dilation : int
        As in `conv.conv2d`, for both directions, at most 5.

    Raises
    ------
    TypeError, ValueError
        If an argument has the wrong type or size, or the window doesn't fit.
    """

    _esm = bundle("sliding_window")
    _css = STYLE
    module = Unicode("sliding_window", read_only=True).tag(sync=True)
    picture = List(List(Float())).tag(sync=True)
    kernel = List(List(Float())).tag(sync=True)
    stride = Int(1, min=1, max=MOST).tag(sync=True)
    padding = Int(0, min=0, max=MOST).tag(sync=True)
    dilation = Int(1, min=1, max=MOST).tag(sync=True)
    position = Int(0, min=0).tag(sync=True)

    def __init__(
        self, X: Tensor, K: Tensor, stride: int = 1, padding: int = 0, dilation: int = 1
    ) -> None:
        for name, value, most in (("X", X, LARGEST), ("K", K, LARGEST_KERNEL)):
            check_tensor(name, value, ("height", "width"))
            check_drawable(name, value)
            if max(value.shape) > most:
                raise ValueError(
                    f"{name} has shape {tuple(value.shape)}; expected at most {most} a "
                    f"side, or nobody can read its numbers"
                )
        options = {"stride": stride, "padding": padding, "dilation": dilation}
        for name, value in options.items():
            check_int(name, value)
            if value > MOST:
                raise ValueError(f"{name} is {value}; expected at most {MOST}")
        output_shape(tuple(X.shape), tuple(K.shape), **options)
        super().__init__(picture=as_rows(X), kernel=as_rows(K), **options)

    @property
    def output(self) -> Tensor:
        """What the window computes, (H', W'), in float64; empty if it doesn't fit."""
        X, K = self.operands()
        options = self.stride, self.padding, self.dilation
        try:
            return conv2d(X[None, None], K[None, None], None, *options)[0, 0]
        except ValueError:  # the reader chose a window larger than the picture
            return X.new_empty(0, 0)

    def operands(self) -> tuple[Tensor, Tensor]:
        """Give picture and kernel in float64."""
        return tuple(
            torch.tensor(rows, dtype=torch.float64)
            for rows in (self.picture, self.kernel)
        )

    def place(self) -> tuple[int, int]:
        """Give the row and the column of the output at which the window is."""
        Y = self.output
        return divmod(min(self.position, Y.numel() - 1), Y.shape[1])

    def seen(self) -> list[tuple[int, int]]:
        """List the pixels under the window, by row and column of the padded picture."""
        i, j = self.place()
        return [
            (i * self.stride + a * self.dilation, j * self.stride + b * self.dilation)
            for a in range(len(self.kernel))
            for b in range(len(self.kernel[0]))
        ]

    def pixels(self) -> Tensor:
        """Give what lies under the window: (h, w)."""
        padded = F.pad(self.operands()[0], [self.padding] * 4)  # (H+2p, W+2p)
        return torch.stack([padded[place] for place in self.seen()]).view(
            len(self.kernel), -1
        )

    def __repr__(self) -> str:
        """Spell out the sum of products at the window's place."""
        Y, (_, K) = self.output, self.operands()
        if Y.numel() == 0:
            return "SlidingWindow: the window doesn't fit into the padded picture"
        i, j = self.place()
        products = " + ".join(
            f"{short(pixel)}{TIMES}{short(weight)}"
            for pixel, weight in zip(self.pixels().flatten(), K.flatten(), strict=True)
        )
        return (
            f"SlidingWindow, step {i * Y.shape[1] + j + 1} of {Y.numel()}: "
            f"Y[{i}, {j}] = {products} = {short(Y[i, j])}"
        )

    def still(self) -> Figure:
        """Draw picture, kernel, products and the output so far."""
        (X, K), Y = self.operands(), self.output
        padded, blue, orange = F.pad(X, [self.padding] * 4), *COLOURS[:2]
        grids = [("picture X", padded, set(), blue), ("kernel K", K, set(), blue)]
        if Y.numel():
            (i, j), seen = self.place(), set(self.seen())
            so_far = Y.flatten().clone()
            so_far[i * Y.shape[1] + j + 1 :] = math.nan
            grids[0] = ("picture X", padded, seen, blue)
            grids.append(("products", self.pixels() * K, set(), blue))
            grids.append(("output Y", so_far.view_as(Y), {(i, j)}, orange))
        widths = [max(rows.shape[1], 2) for _, rows, _, _ in grids]
        figure, axes = subplots(
            1, len(grids), size=(8, 3), alt=f"{self!r}", width_ratios=widths
        )
        for ax, grid in zip(axes, grids, strict=True):
            draw_grid(ax, *grid)
        return figure
