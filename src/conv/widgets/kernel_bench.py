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
    source = Enum(["photo", "drawing"], "photo").tag(sync=True)

    def __init__(self, image: Tensor, kernel: Tensor) -> None:
        pixels = (image.detach() * 255).round().to("cpu", torch.uint8)
        super().__init__(
            image=pixels.numpy().tobytes(),
            shape=list(image.shape),
            kernel=to_rows(kernel),
        )

    def operands(self) -> tuple[Tensor, Tensor]:
        """Return the image, rounded to 1/255, and the kernel, both in float64."""
        pixels = np.frombuffer(self.image, dtype=np.uint8).reshape(self.shape)
        kernel = torch.tensor(self.kernel, dtype=torch.float64)
        return torch.from_numpy(pixels / 255), kernel

    @property
    def output(self) -> Tensor:
        """The image correlated with the kernel, (H - h + 1, W - w + 1), in float64."""
        return corr2d(*self.operands())

    def __repr__(self) -> str:
        """Describe the kernel, the size of the image, and the range of the output."""
        rows = " / ".join(" ".join(map(short, row)) for row in self.kernel)
        height, width = self.shape
        Y = self.output
        return (
            f"KernelBench, kernel {rows} on {height} {TIMES} {width} pixels: "
            f"output from {short(Y.min())} to {short(Y.max())}"
        )

    def to_figure(self) -> Figure:
        """Draw the image, the kernel and the output."""
        (X, K), Y = self.operands(), self.output
        figure, axes = subplots(1, 3, size=(9.4, 3.4), alt=f"{self!r}")
        show_images([X], ["image"], axes=axes[:1])
        show_kernels([K], ["kernel"], axes=axes[1:2])
        show_images([Y], ["output"], signed=bool((K < 0).any()), axes=axes[2:])
        return figure
