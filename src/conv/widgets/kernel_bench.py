"""A bench for trying kernels on a photo or on a drawing."""

import numpy as np
import torch
from torch import Tensor
from traitlets import Bytes, Enum, Float, Int, List, Unicode

from conv.functional import corr2d
from conv.plotting import Figure, short, show_images, show_kernels, subplots
from conv.widgets.base import CSS, TIMES, Widget, bundle, to_rows


class KernelBench(Widget):
    """Edit a kernel by typing or dragging, and see its effect on an image.

    Parameters
    ----------
    image : Tensor, shape (H, W)
        Pixels in [0, 1]. Each side has 5 to 512 pixels.
    kernel : Tensor, shape (3, 3) or (5, 5)
    bias : float, optional
        From -1 to 1. If given, the output is that of a layer with a bias, which a
        slider changes, and ReLU.

    Raises
    ------
    TypeError, ValueError
        If an argument has the wrong type, shape or range.
    """

    _esm = bundle("kernel_bench")
    _css = CSS
    module = Unicode("kernel_bench", read_only=True).tag(sync=True)
    image = Bytes().tag(sync=True)
    shape = List(Int()).tag(sync=True)
    kernel = List(List(Float())).tag(sync=True)
    bias = Float(None, allow_none=True).tag(sync=True)
    source = Enum(["photo", "drawing"], "photo").tag(sync=True)

    def __init__(
        self, image: Tensor, kernel: Tensor, bias: float | None = None
    ) -> None:
        pixels = (image.detach() * 255).round().to("cpu", torch.uint8)
        super().__init__(
            image=pixels.numpy().tobytes(),
            shape=list(image.shape),
            kernel=to_rows(kernel),
            bias=bias,
        )

    def operands(self) -> tuple[Tensor, Tensor]:
        """Return the image, rounded to 1/255, and the kernel, both in float64."""
        pixels = np.frombuffer(self.image, dtype=np.uint8).reshape(self.shape)
        kernel = torch.tensor(self.kernel, dtype=torch.float64)
        return torch.from_numpy(pixels / 255), kernel

    @property
    def output(self) -> Tensor:
        """The output for the image, (H - h + 1, W - w + 1), in float64."""
        Y = corr2d(*self.operands())
        return Y if self.bias is None else (Y + self.bias).relu()

    def __repr__(self) -> str:
        """Describe the kernel, the size of the image, and the range of the output."""
        rows = " / ".join(" ".join(map(short, row)) for row in self.kernel)
        height, width = self.shape
        Y = self.output
        bias = "" if self.bias is None else f", bias {short(self.bias)}, ReLU"
        return (
            f"KernelBench, kernel {rows}{bias} on {height} {TIMES} {width} pixels: "
            f"output from {short(Y.min())} to {short(Y.max())}"
        )

    @property
    def signed(self) -> bool:
        """Whether the output can be negative."""
        return self.bias is None and min(map(min, self.kernel)) < 0

    def color_bound(self) -> float:
        """Bound 99% of the output's absolute values, as `colorRange` in kit.js."""
        sizes = self.output.abs().flatten().sort().values
        return float(sizes[int(0.99 * (len(sizes) - 1))] or sizes[-1] or 1)

    def to_figure(self) -> Figure:
        """Draw the image, the kernel and the output."""
        (X, K), Y = self.operands(), self.output
        figure, axes = subplots(
            1, 3, size=(9.4, 4), alt=f"{self!r}", width_ratios=[3, 1.5, 3]
        )
        show_images([X], ["image"], axes=axes[:1])
        show_kernels([K], ["kernel"], axes=axes[1:2])
        bound = self.color_bound()
        if self.signed or self.bias is not None:
            Y = Y.clamp(-bound, bound)
        show_images([Y], ["output"], signed=self.signed, axes=axes[2:])
        return figure
