"""Gradient descent on a kernel of two weights."""

from collections.abc import Sequence

import torch
from torch import Tensor
from traitlets import Float, Int, List, Unicode

from conv.functional import conv2d
from conv.plotting import Figure, plot_descent, short, subplots
from conv.widgets.base import CSS, Widget, bundle, to_rows

MAX_STEPS = 100
MAX_LOSS_GROWTH = 1e30  # the figure omits all steps after such a growth of the loss


class Descent(Widget):
    """Choose an initial kernel and a learning rate, and see the path and the losses.

    The kernel has one row of two weights; the loss is the sum of squared errors.

    Parameters
    ----------
    X : Tensor, shape (H, W)
        Image.
    Y : Tensor, shape (H, W - 1)
        Target output.
    start : (float, float)
        Initial kernel.
    lr : float
        Learning rate.
    steps : int
        Number of steps, from 1 to 100.

    Raises
    ------
    TypeError, ValueError
        If an argument has the wrong type or size, or if the minimum of the loss isn't
        unique, for example because the image is constant.
    """

    _esm = bundle("descent")
    _css = CSS
    module = Unicode("descent", read_only=True).tag(sync=True)
    image = List(List(Float())).tag(sync=True)
    target = List(List(Float())).tag(sync=True)
    start = List(Float(), minlen=2, maxlen=2).tag(sync=True)
    lr = Float(0.03, min=0).tag(sync=True)
    steps = Int(10, min=1, max=MAX_STEPS).tag(sync=True)

    def __init__(
        self,
        X: Tensor,
        Y: Tensor,
        start: Sequence[float] = (0.0, 0.0),
        lr: float = 0.03,
        steps: int = 10,
    ) -> None:
        super().__init__(
            image=to_rows(X),
            target=to_rows(Y),
            start=list(start),
            lr=lr,
            steps=steps,
        )

    def losses(self, kernels: Tensor) -> Tensor:
        """Compute the losses of M kernels: (M, 1, 1, 2) to (M,)."""
        X, Y = (
            torch.tensor(rows, dtype=torch.float64)
            for rows in (self.image, self.target)
        )
        return (conv2d(X[None, None], kernels) - Y).square().sum((0, 2, 3))

    def path(self) -> tuple[Tensor, list[float]]:
        """Run gradient descent: the kernels, (steps + 1, 2), and their losses."""
        kernel = torch.tensor([[[self.start]]], dtype=torch.float64)
        kernel.requires_grad_()
        kernels, losses = [], []
        for _ in range(self.steps + 1):
            loss = self.losses(kernel).sum()
            kernels.append(kernel.detach().flatten().clone())
            losses.append(loss.item())
            (gradient,) = torch.autograd.grad(loss, kernel)
            with torch.no_grad():
                kernel -= self.lr * gradient
        return torch.stack(kernels), losses

    def __repr__(self) -> str:
        """Describe the initial kernel, the learning rate and the losses."""
        _, losses = self.path()
        start = ", ".join(map(short, self.start))
        return (
            f"Descent from ({start}) with learning rate {self.lr:g}: in {self.steps} "
            f"steps the loss goes from {losses[0]:.3g} to {losses[-1]:.3g}"
        )

    def to_figure(self) -> Figure:
        """Draw the path on the contours of the loss, and the losses by step."""
        kernels, losses = self.path()
        figure, (left, right) = subplots(1, 2, size=(9, 3.8), alt=f"{self!r}")

        def loss(w1: Tensor, w2: Tensor) -> Tensor:
            kernels = torch.stack([w1, w2], dim=-1).view(-1, 1, 1, 2)
            return self.losses(kernels).view_as(w1)

        max_loss = MAX_LOSS_GROWTH * max(losses[0], 1.0)
        diverged = [n for n, value in enumerate(losses) if not value < max_loss]
        end = diverged[0] if diverged else len(losses)
        plot_descent(loss, {f"learning rate {self.lr:g}": kernels[:end]}, axes=left)
        right.plot(losses[:end], marker=".")
        right.set(xlabel="step", ylabel="loss", yscale="log")
        return figure
