"""A bench to try kernels on a photograph, or on a drawing."""

import numpy as np
import torch
from torch import Tensor
from traitlets import Bytes, Enum, Float, Int, List, Unicode

from conv.checks import check_drawable, check_not_meta, check_tensor
from conv.functional import corr2d
from conv.plotting import Figure, short, show_images, show_kernels, subplots
from conv.widgets.base import STYLE, TIMES, Widget, as_rows, bundle

LARGEST = 512  # pixels a side that a browser can follow


class KernelBench(Widget):
    """Edit a kernel by typing or pulling, and watch what it does to a picture.

    Parameters
    ----------
    picture : Tensor
        (H, W), pixels in [0, 1], at most 512 a side.
    kernel : Tensor
        (3, 3) or (5, 5).

    Raises
    ------
    TypeError, ValueError
        If an argument has the wrong type, size or range.
    """

    _esm = bundle("kernel_bench")
    _css = STYLE
    module = Unicode("kernel_bench", read_only=True).tag(sync=True)
    picture = Bytes().tag(sync=True)
    shape = List(Int()).tag(sync=True)
    kernel = List(List(Float())).tag(sync=True)
    source = Enum(["photograph", "drawing"], "photograph").tag(sync=True)

    def __init__(self, picture: Tensor, kernel: Tensor) -> None:
        check_tensor("picture", picture, ("height", "width"))
        check_tensor("kernel", kernel, ("height", "width"))
        check_not_meta("picture", picture)
        check_drawable("kernel", kernel)
        if tuple(kernel.shape) not in {(3, 3), (5, 5)}:
            raise ValueError(
                f"kernel has shape {tuple(kernel.shape)}; expected (3, 3) or (5, 5)"
            )
        if min(picture.shape) < 5 or max(picture.shape) > LARGEST:
            raise ValueError(
                f"picture has shape {tuple(picture.shape)}; expected 5 to {LARGEST} "
                f"pixels a side"
            )
        if not (picture.min() >= 0 and picture.max() <= 1):
            raise ValueError(
                f"picture has pixels from {picture.min():g} to {picture.max():g}; "
                f"expected 0 to 1"
            )
        pixels = (picture.detach() * 255).round().to("cpu", torch.uint8)
        super().__init__(
            picture=pixels.numpy().tobytes(),
            shape=list(picture.shape),
            kernel=as_rows(kernel),
        )

    def operands(self) -> tuple[Tensor, Tensor]:
        """Give the photograph, rounded to 255ths, and the kernel, in float64."""
        pixels = np.frombuffer(self.picture, dtype=np.uint8).reshape(self.shape)
        kernel = torch.tensor(self.kernel, dtype=torch.float64)
        return torch.from_numpy(pixels / 255), kernel

    @property
    def output(self) -> Tensor:
        """What the kernel makes of the photograph, (H-h+1, W-w+1), in float64."""
        return corr2d(*self.operands())

    def __repr__(self) -> str:
        """Say the kernel, and from where to where the output goes."""
        rows = " / ".join(" ".join(map(short, row)) for row in self.kernel)
        height, width = self.shape
        Y = self.output
        return (
            f"KernelBench, kernel {rows} on {height} {TIMES} {width} pixels: "
            f"output from {short(Y.min())} to {short(Y.max())}"
        )

    def still(self) -> Figure:
        """Draw photograph, kernel and output."""
        (X, K), Y = self.operands(), self.output
        figure, axes = subplots(1, 3, size=(9.4, 3.4), alt=f"{self!r}")
        show_images([X], ["picture"], axes=axes[:1])
        show_kernels([K], ["kernel"], axes=axes[1:2])
        show_images([Y], ["output"], signed=bool((K < 0).any()), axes=axes[2:])
        return figure
