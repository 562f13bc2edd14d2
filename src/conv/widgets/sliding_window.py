"""A window that slides over a small image."""

import math

import torch
import torch.nn.functional as F
from torch import Tensor
from traitlets import Float, Int, List, Unicode

from conv.functional import conv2d, output_shape
from conv.plotting import Figure, short, subplots
from conv.widgets.base import CSS, TIMES, Widget, bundle, draw_grid, to_rows

MAX_OPTION = 5  # of stride, padding and dilation


class SlidingWindow(Widget):
    """Move a window over an image, and see the products and their sum.

    The traits are synchronized: the widget follows changes made in Python, and
    Python sees what the user does in the browser.

    Parameters
    ----------
    X : Tensor, shape (H, W)
        Image, at most 12 rows and columns.
    K : Tensor, shape (h, w)
        Kernel, at most 5 rows and columns.
    stride, padding, dilation : int
        As in `conv.conv2d`, the same in both directions, at most 5.

    Raises
    ------
    TypeError, ValueError
        If an argument has the wrong type or size, or if the window doesn't fit inside
        the padded image.
    """

    _esm = bundle("sliding_window")
    _css = CSS
    module = Unicode("sliding_window", read_only=True).tag(sync=True)
    image = List(List(Float())).tag(sync=True)
    kernel = List(List(Float())).tag(sync=True)
    stride = Int(1, min=1, max=MAX_OPTION).tag(sync=True)
    padding = Int(0, min=0, max=MAX_OPTION).tag(sync=True)
    dilation = Int(1, min=1, max=MAX_OPTION).tag(sync=True)
    position = Int(0, min=0).tag(sync=True)

    def __init__(
        self, X: Tensor, K: Tensor, stride: int = 1, padding: int = 0, dilation: int = 1
    ) -> None:
        super().__init__(
            image=to_rows(X),
            kernel=to_rows(K),
            stride=stride,
            padding=padding,
            dilation=dilation,
        )

    @property
    def output(self) -> Tensor:
        """Output of shape (H', W'), in float64; empty if the window doesn't fit."""
        X, K = self.operands()
        options = self.stride, self.padding, self.dilation
        if min(output_shape(X.shape, K.shape, *options)) < 1:
            return X.new_empty(0, 0)
        return conv2d(X[None, None], K[None, None], None, *options)[0, 0]

    @property
    def output_index(self) -> tuple[int, int] | None:
        """Row and column of the current output; None if the window doesn't fit."""
        Y = self.output
        if Y.numel() == 0:
            return None
        return divmod(min(self.position, Y.numel() - 1), Y.shape[1])

    def operands(self) -> tuple[Tensor, Tensor]:
        """Return the image and the kernel in float64."""
        X, K = (
            torch.tensor(rows, dtype=torch.float64)
            for rows in (self.image, self.kernel)
        )
        return X, K

    def window_indices(self) -> list[tuple[int, int]]:
        """List rows and columns, in the padded image, of the pixels in the window."""
        if self.output_index is None:
            return []
        i, j = self.output_index
        return [
            (i * self.stride + a * self.dilation, j * self.stride + b * self.dilation)
            for a in range(len(self.kernel))
            for b in range(len(self.kernel[0]))
        ]

    def window_pixels(self) -> Tensor:
        """Return the pixels in the window, (h, w); none if it doesn't fit."""
        padded = F.pad(self.operands()[0], [self.padding] * 4)  # (H + 2p, W + 2p)
        pixels = [padded[index] for index in self.window_indices()]
        return padded.new_tensor(pixels).view(-1, len(self.kernel[0]))

    def __repr__(self) -> str:
        """Write out the sum of products at the current position."""
        if self.output_index is None:
            return "SlidingWindow: the window doesn't fit inside the padded image"
        Y, (_, K) = self.output, self.operands()
        i, j = self.output_index
        pixels, weights = self.window_pixels().flatten(), K.flatten()
        products = " + ".join(
            f"{short(pixel)}{TIMES}{short(weight)}"
            for pixel, weight in zip(pixels, weights, strict=True)
        )
        return (
            f"SlidingWindow, step {i * Y.shape[1] + j + 1} of {Y.numel()}: "
            f"Y[{i}, {j}] = {products} = {short(Y[i, j])}"
        )

    def to_figure(self) -> Figure:
        """Draw the image, the kernel, the products, and the output so far."""
        (X, K), Y, index = self.operands(), self.output, self.output_index
        padded = F.pad(X, [self.padding] * 4)
        grids = [
            ("image X", padded, "input", set(self.window_indices())),
            ("kernel K", K, "kernel", set()),
        ]
        if index is not None:
            so_far = Y.flatten().clone()
            so_far[index[0] * Y.shape[1] + index[1] + 1 :] = math.nan
            products = self.window_pixels() * K
            grids.append(("products", products, "neutral", set()))
            grids.append(("output Y", so_far.view_as(Y), "output", {index}))
        widths = [max(matrix.shape[1], 2) for _, matrix, _, _ in grids]
        height = max(len(matrix) for _, matrix, _, _ in grids)
        cell = min(0.6, 7.4 / sum(widths))  # in inches
        size = (cell * sum(widths) + 0.6, cell * height + 0.8)
        figure, axes = subplots(
            1, len(grids), size=size, alt=f"{self!r}", width_ratios=widths
        )
        for ax, grid in zip(axes, grids, strict=True):
            draw_grid(ax, *grid)
            ax.set_ylim(height + 0.05, -0.05)  # so that all cells have the same size
        return figure
