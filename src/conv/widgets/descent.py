"""Gradient descent on the two numbers of a kernel."""

import torch
from torch import Tensor
from traitlets import Float, Int, List, Unicode

from conv.checks import (
    check_count,
    check_drawable,
    check_is,
    check_number,
    check_tensor,
)
from conv.functional import conv2d
from conv.plotting import Figure, plot_descent, short, subplots
from conv.widgets.base import STYLE, Widget, as_rows, bundle

MOST_STEPS = 100
HIGHEST = 1e30  # a descent that diverges is drawn until its loss has grown so much


class Descent(Widget):
    """Pull the first kernel, change the learning rate, watch path and losses.

    The kernel has one row of two numbers, the loss is the sum of squared errors.

    Parameters
    ----------
    X : Tensor
        The picture, (H, W).
    Y : Tensor
        The wanted output, (H, W-1).
    start : (float, float)
        The kernel at first.
    lr : float
        The learning rate.
    steps : int
        From 1 to 100.

    Raises
    ------
    TypeError, ValueError
        If an argument has the wrong type or size, or if many kernels would be equally
        good, as for a flat picture.
    """

    _esm = bundle("descent")
    _css = STYLE
    module = Unicode("descent", read_only=True).tag(sync=True)
    picture = List(List(Float())).tag(sync=True)
    target = List(List(Float())).tag(sync=True)
    start = List(Float(), minlen=2, maxlen=2).tag(sync=True)
    lr = Float(0.03, min=0).tag(sync=True)
    steps = Int(10, min=1, max=MOST_STEPS).tag(sync=True)

    def __init__(
        self,
        X: Tensor,
        Y: Tensor,
        start: tuple[float, float] = (0.0, 0.0),
        lr: float = 0.03,
        steps: int = 10,
    ) -> None:
        check_task(X, Y)
        check_settings(start, lr, steps)
        super().__init__(
            picture=as_rows(X),
            target=as_rows(Y),
            start=[float(weight) for weight in start],
            lr=float(lr),
            steps=steps,
        )

    def losses(self, kernels: Tensor) -> Tensor:
        """Sum up the squared errors of each of M kernels: (M, 1, 1, 2) to (M,)."""
        X, Y = (
            torch.tensor(rows, dtype=torch.float64)
            for rows in (self.picture, self.target)
        )
        return (conv2d(X[None, None], kernels) - Y).square().sum((0, 2, 3))

    def path(self) -> tuple[Tensor, list[float]]:
        """Descend by autograd: the kernels, (steps+1, 2), and their losses."""
        kernel = torch.tensor([[[self.start]]], dtype=torch.float64)
        kernel.requires_grad_()
        kernels, losses = [], []
        for _ in range(self.steps + 1):
            loss = self.losses(kernel).sum()
            kernels.append(kernel.detach().flatten().clone())
            losses.append(loss.item())
            (slope,) = torch.autograd.grad(loss, kernel)
            with torch.no_grad():
                kernel -= self.lr * slope
        return torch.stack(kernels), losses

    def __repr__(self) -> str:
        """Say where the descent began, and what became of the loss."""
        _, losses = self.path()
        start = ", ".join(map(short, self.start))
        return (
            f"Descent from ({start}) with learning rate {self.lr:g}: in {self.steps} "
            f"steps the loss goes from {losses[0]:.3g} to {losses[-1]:.3g}"
        )

    def still(self) -> Figure:
        """Draw the path on the loss's contours, and the losses."""
        kernels, losses = self.path()
        figure, (left, right) = subplots(1, 2, size=(9, 3.8), alt=f"{self!r}")

        def loss(w1: Tensor, w2: Tensor) -> Tensor:
            kernels = torch.stack([w1, w2], dim=-1).view(-1, 1, 1, 2)
            return self.losses(kernels).view_as(w1)

        name, far = f"learning rate {self.lr:g}", HIGHEST * max(losses[0], 1.0)
        drawn = next((n for n, e in enumerate(losses) if not e < far), len(losses))
        plot_descent(loss, {name: kernels[:drawn]}, axes=left)
        right.plot(losses[:drawn], marker=".")
        right.set(xlabel="steps taken", ylabel="loss", yscale="log")
        return figure


def check_task(X: Tensor, Y: Tensor) -> None:
    """Refuse pictures that don't go together, or that tell of no one kernel."""
    for name, value in (("X", X), ("Y", Y)):
        check_tensor(name, value, ("height", "width"))
        check_drawable(name, value)
    if Y.shape != (X.shape[0], X.shape[1] - 1):
        raise ValueError(
            f"Y has shape {tuple(Y.shape)}; expected "
            f"{(X.shape[0], X.shape[1] - 1)}, X's with a column less"
        )
    windows = torch.stack([X[:, :-1].flatten(), X[:, 1:].flatten()]).double()
    if torch.linalg.matrix_rank(windows) < 2:
        raise ValueError(
            "X leaves many kernels equally good; expected a picture in which "
            "neighbours differ"
        )


def check_settings(start: tuple[float, float], lr: float, steps: int) -> None:
    """Refuse a start, a learning rate or a number of steps that can't be walked."""
    check_count("steps", steps)
    check_is("start", start, tuple, list)
    for weight in start:
        check_number("start", weight)
    check_number("lr", lr)
    if len(start) != 2 or lr < 0 or steps > MOST_STEPS:
        raise ValueError(
            f"start is {start}, lr {lr}, steps {steps}; expected two numbers, a "
            f"number of 0 or more, and at most {MOST_STEPS}"
        )
