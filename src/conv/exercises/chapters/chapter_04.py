"""The exercises of chapter 4: learn a kernel."""

import torch
import torch.nn.functional as F
from torch import Tensor

from conv.exercises.exercise import (
    FunctionExercise,
    Mistake,
    ValueExercise,
    random_integers,
)

# --- 4.1 ----------------------------------------------------------------------------


def fastest_rate() -> float:
    """Search 72,000 learning rates for the one whose slower direction is fastest."""
    rates = torch.arange(1, 72001, dtype=torch.float64) / 72000 / 10
    slower = torch.maximum((1 - 12 * rates).abs(), (1 - 60 * rates).abs())
    return rates[slower.argmin()].item()


rate = ValueExercise(
    number="4.1",
    kind="predict",
    expected=fastest_rate,
    mistakes=[
        Mistake(
            "steep direction only",
            "This rate ends the steep direction's error in one step. What does it do "
            "to the flat one?",
            1 / 60,
        ),
        Mistake(
            "flat direction only",
            "This rate suits the flat direction. The steep one explodes: 1 - 60/12 "
            "is -4.",
            1 / 12,
        ),
        Mistake(
            "edge of divergence",
            "At this rate the steep direction's error only changes its sign, again and "
            "again.",
            1 / 30,
        ),
        Mistake(
            "sum for mean",
            "Here the steep direction's error shrinks to a sixth, and the flat one's "
            "only to five sixths. Both should shrink alike.",
            1 / 72,
        ),
    ],
    hints=(
        "Draw |1 - 12r| and |1 - 60r| over r. Where is the larger of them smallest?",
        "Where the lines cross: one factor is positive, the other negative.",
        "1 - 12r = 60r - 1.",
    ),
)

# --- 4.2 ----------------------------------------------------------------------------

roundness = ValueExercise(
    number="4.2",
    kind="predict",
    expected=lambda: 3,
    mistakes=[
        Mistake(
            "mean forgotten",
            "Neighbors are independent, so you expect a round valley. But the pixels "
            "are 0 and 1, not -1 and 1: the product of two neighbors has a mean that "
            "isn't zero.",
            1,
        ),
        Mistake(
            "the bar's valley",
            "That is the bar's: 60 / 12. There, neighbors were mostly equal.",
            5,
        ),
        Mistake(
            "upside down",
            "The condition number is the largest eigenvalue divided by the smallest.",
            1 / 3,
        ),
        Mistake(
            "diagonal over the rest",
            "That is the mean square divided by the mean product. The eigenvalues of "
            "[[a, b], [b, a]] are a + b and a - b.",
            2,
        ),
    ],
    hints=(
        "The Hessian is proportional to [[a, b], [b, a]]: a is the mean of a pixel's "
        "square, b the mean of the product of two neighbors.",
        "A pixel's square is 1 half of the time. Two neighbors are both 1 a quarter "
        "of the time.",
        "(a + b) / (a - b).",
    ),
)

# --- 4.3 ----------------------------------------------------------------------------


def loss_of(w: Tensor, X: Tensor, Y: Tensor) -> Tensor:
    """Compute the sum of squared errors of a 1 x 2 kernel."""
    output = F.conv2d(X[None, None], w.reshape(1, 1, 1, 2))[0, 0]
    return ((output - Y) ** 2).sum()


def descend(w: Tensor, X: Tensor, Y: Tensor, lr: float) -> Tensor:
    """Take one step of gradient descent with autograd."""
    leaf = w.detach().clone().requires_grad_()
    [gradient] = torch.autograd.grad(loss_of(leaf, X, Y), leaf)
    return w.detach() - lr * gradient


def error_of(w: Tensor, X: Tensor, Y: Tensor) -> Tensor:
    """Compute the output minus the target."""
    return X[:, :-1] * w[0] + X[:, 1:] * w[1] - Y


def scaled_step(w: Tensor, X: Tensor, Y: Tensor, lr: float, factor: float) -> Tensor:
    """Take a multiple of the step."""
    return w + factor * (descend(w, X, Y, lr) - w)


step = FunctionExercise(
    number="4.3",
    kind="implement",
    expected=descend,
    preserves=("dtype", "device"),
    cases=lambda: [
        (
            random_integers(2, seed=rows),
            random_integers(rows, columns),
            random_integers(rows, columns - 1, seed=5),
            0.125,
        )
        for rows, columns in [(1, 2), (1, 3), (2, 2), (2, 3), (3, 4), (4, 3)]
    ],
    mistakes=[
        Mistake(
            "uphill",
            "Your step goes *with* the gradient, so the loss grows. Descent goes "
            "against it.",
            lambda w, X, Y, lr: scaled_step(w, X, Y, lr, -1),
        ),
        Mistake(
            "2 forgotten",
            "Your step is half as long as it should be: the derivative of e squared "
            "is 2e.",
            lambda w, X, Y, lr: scaled_step(w, X, Y, lr, 0.5),
        ),
        Mistake(
            "mean instead of sum",
            "Your step is divided by the number of outputs. This loss is a sum, not a "
            "mean.",
            lambda w, X, Y, lr: scaled_step(w, X, Y, lr, 1 / Y.numel()),
        ),
        Mistake(
            "gradient alone",
            (
                "That is the gradient, or the step. The question asks for the weights "
                "after it."
            ),
            lambda w, X, Y, lr: (w - descend(w, X, Y, lr)) / lr,
            lambda w, X, Y, lr: w - descend(w, X, Y, lr),
            lambda w, X, Y, lr: descend(w, X, Y, lr) - w,
        ),
        Mistake(
            "learning rate forgotten",
            "Your step is the whole gradient. Multiply it by the learning rate.",
            lambda w, X, Y, lr: descend(w, X, Y, 1.0),
        ),
        Mistake(
            "error not multiplied by its pixel",
            "You sum the errors. Each error counts as much as the pixel that the "
            "weight multiplied.",
            lambda w, X, Y, lr: w - lr * 2 * error_of(w, X, Y).sum(),
        ),
        Mistake(
            "one weight's pixels for both",
            "Both weights get the gradient of the first. The second weight meets the "
            "pixels one farther right.",
            lambda w, X, Y, lr: w - lr * 2 * (error_of(w, X, Y) * X[:, :-1]).sum(),
        ),
        Mistake(
            "target forgotten",
            "Your error is the output itself. An error is output minus target.",
            lambda w, X, Y, lr: descend(w, X, torch.zeros_like(Y), lr),
        ),
    ],
    hints=(
        "The output is `X[:, :-1] * w[0] + X[:, 1:] * w[1]`. Write the error `E`, "
        "which is output minus `Y`.",
        "The loss is the sum of `E ** 2`. How does it change with `w[0]`? With `w[1]`?",
        "The gradient is 2 times the sum of `E * X[:, :-1]`, and of `E * X[:, 1:]`. "
        "Go `lr` times that, against it. `torch.stack` makes a tensor of two numbers.",
    ),
)

# --- 4.4 ----------------------------------------------------------------------------


def broken(X: Tensor, Y: Tensor, w: Tensor, lr: float, steps: int) -> Tensor:
    """Run gradient descent, with one bug (shown in the notebook without docstring)."""
    w = w.clone().requires_grad_()
    for _ in range(steps):
        E = X[:, :-1] * w[0] + X[:, 1:] * w[1] - Y
        (E**2).sum().backward()
        with torch.no_grad():
            w -= lr * w.grad
    return w.detach()


def descend_repeatedly(
    X: Tensor, Y: Tensor, w: Tensor, lr: float, steps: int
) -> Tensor:
    """Take all steps with autograd."""
    for _ in range(steps):
        w = descend(w, X, Y, lr)
    return w


def accumulated_gradient(
    X: Tensor, Y: Tensor, w: Tensor, lr: float, steps: int
) -> Tensor:
    """Step along the sum of all gradients so far."""
    total = torch.zeros_like(w)
    for _ in range(steps):
        total += w - descend(w, X, Y, lr)
        w = w - total
    return w


debug_training = FunctionExercise(
    number="4.4",
    kind="debug",
    expected=descend_repeatedly,
    preserves=("dtype",),
    broken=broken,
    cases=lambda: [
        (
            random_integers(rows, columns),
            random_integers(rows, columns - 1, seed=5),
            random_integers(2, seed=rows),
            1 / 64,
            steps,
        )
        for rows, columns, steps in [
            (1, 2, 1),
            (1, 2, 2),
            (1, 3, 2),
            (2, 3, 3),
            (3, 4, 5),
        ]
    ],
    mistakes=[
        Mistake(
            "gradient not zeroed",
            "The first step is right, later ones are too long: `backward()` *adds* to "
            "`.grad`, so each step goes along all gradients so far.",
            accumulated_gradient,
        ),
        Mistake(
            "gradient zeroed too early",
            "The weights never move: the gradient is emptied between `backward()` and "
            "the step that needs it.",
            lambda X, Y, w, lr, steps: w,
        ),
        Mistake(
            "one step only",
            "Only the first step is taken. Is `return` inside the loop?",
            lambda X, Y, w, lr, steps: descend(w, X, Y, lr),
        ),
        Mistake(
            "uphill",
            "Your step goes *with* the gradient, so the loss grows.",
            lambda X, Y, w, lr, steps: descend_repeatedly(X, Y, w, -lr, steps),
        ),
        Mistake(
            "one step too many",
            "One step more than asked for.",
            lambda X, Y, w, lr, steps: descend_repeatedly(X, Y, w, lr, steps + 1),
        ),
    ],
    hints=(
        "Print `w.grad` in each step, and compare it with the gradient of that step "
        "alone.",
        "`backward()` adds to what is in `.grad`.",
        "Once the step is done, empty it: `w.grad.zero_()`, or `w.grad = None`.",
    ),
)
