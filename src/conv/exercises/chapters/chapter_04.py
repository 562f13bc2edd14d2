"""The exercises of chapter 4: learn a kernel."""

import torch
import torch.nn.functional as F
from torch import Tensor

from conv.exercises.exercise import (
    NO_AUTOGRAD,
    FunctionExercise,
    Mistake,
    ValueExercise,
    random_integers,
)

# --- 4.1 ----------------------------------------------------------------------------


def fastest_rate() -> float:
    """Search 72,000 rates for the one at which the slower error shrinks fastest."""
    rates = torch.arange(1, 72001, dtype=torch.float64) / 72000 / 10
    slower = torch.maximum((1 - 12 * rates).abs(), (1 - 60 * rates).abs())
    return rates[slower.argmin()].item()


rate = ValueExercise(
    number="4.1",
    kind="predict",
    expected=fastest_rate,
    tolerance=5e-3,
    mistakes=[
        Mistake(
            "steep direction only",
            "This rate removes the error across the valley in one step. By what factor "
            "does it shrink the error along the valley?",
            1 / 60,
        ),
        Mistake(
            "flat direction only",
            "This rate removes the error along the valley in one step. Across the "
            "valley, the factor is 1 - 60/12 = -4, so the error grows.",
            1 / 12,
        ),
        Mistake(
            "mean of the two best rates",
            "That is an average of 1/60 and 1/12, the best rates for the two "
            "directions separately. At this rate, the error across the valley grows.",
            1 / 20,
            720**-0.5,
        ),
        Mistake(
            "stability limit",
            "At this rate, the error across the valley only changes sign in each step. "
            "That is the limit beyond which gradient descent diverges.",
            1 / 30,
        ),
        Mistake(
            "the chapter's rate",
            "This is the rate used in the chapter. Its factors are -0.8 and 0.64, "
            "which differ in magnitude.",
            0.03,
        ),
        Mistake(
            "sum instead of mean",
            "At this rate, the error across the valley shrinks to 1/6 of its size in "
            "each step, but the error along it only to 5/6. Both should shrink by the "
            "same factor.",
            1 / 72,
        ),
        Mistake(
            "factor instead of rate",
            "That is the factor by which the errors are multiplied at the best rate. "
            "The question asks for the rate.",
            2 / 3,
        ),
    ],
    hints=(
        "Plot |1 - 12r| and |1 - 60r| against the rate r. For which r is the "
        "larger of the two as small as possible?",
        "It is smallest at the positive r at which the two graphs cross. There, one "
        "factor is positive and the other is negative.",
        "Solve 1 - 12r = 60r - 1.",
    ),
)

# --- 4.2 ----------------------------------------------------------------------------

condition_number = ValueExercise(
    number="4.2",
    kind="predict",
    expected=lambda: 3,
    tolerance=0.02,  # accepts an answer measured on a random image
    mistakes=[
        Mistake(
            "mean forgotten",
            "For a condition number of 1, the product of two neighbors would have to "
            "be zero on average. But each pixel is 0 or 1, not -1 or 1. What is the "
            "average of the product?",
            1,
        ),
        Mistake(
            "the bar's valley",
            "That is the condition number for the bar, 60 / 12. There, most neighbors "
            "have the same value, whereas here they are independent.",
            5,
        ),
        Mistake(
            "upside down",
            "The condition number is the largest eigenvalue divided by the smallest.",
            1 / 3,
        ),
        Mistake(
            "mean square over mean product",
            "That is the mean square divided by the mean product, so it isn't yet a "
            "ratio of eigenvalues. The eigenvalues of [[a, b], [b, a]] are a + b and "
            "a - b.",
            2,
        ),
        Mistake(
            "not a ratio of eigenvalues",
            "The condition number is the largest eigenvalue divided by the smallest. "
            "Your number isn't the ratio of these two.",
            0.25,
            0.75,
            1.5,
        ),
        Mistake(
            "squared",
            "That is the square of the condition number. The Hessian of the loss "
            "already contains squares and products of pixel values.",
            9,
        ),
    ],
    hints=(
        "The Hessian is proportional to [[a, b], [b, a]], where a is the mean of a "
        "squared pixel value and b is the mean of the product of two neighbors.",
        "A squared pixel value is 1 with probability 1/2. The product of two "
        "neighbors is 1 if both are white, which happens with probability 1/4.",
        "The eigenvalues of [[a, b], [b, a]] are a + b and a - b. Divide the larger "
        "one by the smaller one.",
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


def sequential_step(w: Tensor, X: Tensor, Y: Tensor, lr: float) -> Tensor:
    """Update the second weight using the error computed after the first update."""
    w = torch.stack([descend(w, X, Y, lr)[0], w[1]])
    return torch.stack([w[0], descend(w, X, Y, lr)[1]])


def scaled_step(w: Tensor, X: Tensor, Y: Tensor, lr: float, factor: float) -> Tensor:
    """Take a multiple of the step."""
    return w + factor * (descend(w, X, Y, lr) - w)


step = FunctionExercise(
    number="4.3",
    kind="implement",
    expected=descend,
    rules=(NO_AUTOGRAD,),
    cases=lambda: [
        (
            random_integers(2, seed=rows),
            random_integers(rows, columns),
            random_integers(rows, columns - 1, seed=5),
            lr,
        )
        for rows, columns, lr in [
            (1, 2, 0.125),
            (1, 3, 0.25),
            (2, 2, 0.125),
            (2, 3, 0.0625),
            (3, 4, 0.125),
            (4, 3, 0.25),
        ]
    ],
    mistakes=[
        Mistake(
            "uphill",
            "Your step goes in the direction of the gradient, so the loss grows. "
            "Gradient descent goes in the opposite direction.",
            lambda w, X, Y, lr: scaled_step(w, X, Y, lr, -1),
        ),
        Mistake(
            "factor of 2 forgotten",
            "Your step is half as long as it should be: the derivative of e squared "
            "is 2e.",
            lambda w, X, Y, lr: scaled_step(w, X, Y, lr, 0.5),
        ),
        Mistake(
            "mean instead of sum",
            "You divided the step by the number of outputs. This loss is a sum, not a "
            "mean.",
            lambda w, X, Y, lr: scaled_step(w, X, Y, lr, 1 / Y.numel()),
            lambda w, X, Y, lr: scaled_step(w, X, Y, lr, 0.5 / Y.numel()),
        ),
        Mistake(
            "gradient alone",
            "Your function returns the gradient or the step. The exercise asks for "
            "the weights after the step.",
            lambda w, X, Y, lr: (w - descend(w, X, Y, lr)) / lr,
            lambda w, X, Y, lr: (descend(w, X, Y, lr) - w) / lr,
            lambda w, X, Y, lr: w - descend(w, X, Y, lr),
            lambda w, X, Y, lr: descend(w, X, Y, lr) - w,
        ),
        Mistake(
            "learning rate forgotten",
            "You subtracted the whole gradient. Multiply it by the learning rate "
            "first.",
            lambda w, X, Y, lr: descend(w, X, Y, 1.0),
        ),
        Mistake(
            "error not multiplied by its pixel",
            "You summed the errors. By the chain rule, each error must be "
            "multiplied by the pixel that the weight was applied to.",
            lambda w, X, Y, lr: w - lr * 2 * error_of(w, X, Y).sum(),
        ),
        Mistake(
            "one weight's pixels for both",
            "You used the same derivative for both weights. But the first weight "
            "multiplies the left pixel of each window, and the second weight the right "
            "pixel.",
            lambda w, X, Y, lr: w - lr * 2 * (error_of(w, X, Y) * X[:, :-1]).sum(),
            lambda w, X, Y, lr: w - lr * 2 * (error_of(w, X, Y) * X[:, 1:]).sum(),
        ),
        Mistake(
            "gradients swapped",
            "You swapped the two derivatives. The first weight multiplies the left "
            "pixel of each window, and the second one the right pixel.",
            lambda w, X, Y, lr: w + (descend(w, X, Y, lr) - w).flip(0),
        ),
        Mistake(
            "weights updated one after the other",
            "You updated the second weight using the new value of the first. Compute "
            "both derivatives at the same point: the weights before the step.",
            sequential_step,
        ),
        Mistake(
            "target forgotten",
            "You used the output itself as the error. The error is output minus "
            "target.",
            lambda w, X, Y, lr: descend(w, X, torch.zeros_like(Y), lr),
        ),
    ],
    hints=(
        "Write down the error at each output pixel, `E`: the output, computed from "
        "two slices of `X` and the two weights, minus `Y`.",
        "The loss is the sum of `E ** 2`, and `E` contains the terms "
        "`w[0] * X[:, :-1]` and `w[1] * X[:, 1:]`. What is the derivative of the loss "
        "with respect to each weight?",
        "The derivatives are twice the sum of `E * X[:, :-1]` and twice the sum of "
        "`E * X[:, 1:]`. Multiply each by `lr`, subtract it from the corresponding "
        "weight, and combine the results with `torch.stack`.",
    ),
)

# --- 4.4 ----------------------------------------------------------------------------


def broken(X: Tensor, Y: Tensor, w: Tensor, lr: float, steps: int) -> Tensor:
    """Run gradient descent, with one bug (the notebook omits the docstring)."""
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


def averaged_gradient(X: Tensor, Y: Tensor, w: Tensor, lr: float, steps: int) -> Tensor:
    """Step along the mean of all gradients so far."""
    total = torch.zeros_like(w)
    for count in range(1, steps + 1):
        total += w - descend(w, X, Y, lr)
        w = w - total / count
    return w


def single_step(X: Tensor, Y: Tensor, w: Tensor, lr: float, steps: int) -> Tensor:
    """Take one step, and raise an error if more are requested."""
    if steps > 1:
        raise RuntimeError("element 0 of tensors does not require grad")
    return descend(w, X, Y, lr)


debug_training = FunctionExercise(
    number="4.4",
    kind="debug",
    expected=descend_repeatedly,
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
            (2, 2, 1),
            (2, 3, 3),
            (3, 4, 5),
        ]
    ],
    mistakes=[
        Mistake(
            "gradient not zeroed",
            "The first step is correct, but all later steps are wrong: `backward()` "
            "*adds* to `.grad`, so each step uses the sum of all gradients so far.",
            accumulated_gradient,
        ),
        Mistake(
            "gradients averaged",
            "Each of your steps uses the mean of all gradients so far. Gradient "
            "descent uses only the gradient at the current weights.",
            averaged_gradient,
        ),
        Mistake(
            "weights not moved",
            "Your function returns the initial weights. Did you clear the gradient "
            "before using it in the step? Does the function return the weights you "
            "updated?",
            lambda X, Y, w, lr, steps: w,
        ),
        Mistake(
            "one step only",
            "Your function takes only one step. Is the `return` inside the loop, or "
            "does each iteration start from the initial weights again?",
            lambda X, Y, w, lr, steps: descend(w, X, Y, lr),
        ),
        Mistake(
            "second step fails",
            "The first step works, but the second raises an error. After a step, "
            "is `w` still a leaf tensor with `requires_grad=True`? (`w = w - ...` "
            "creates a new tensor.) And is the loss recomputed from `w` in every "
            "iteration?",
            single_step,
        ),
        Mistake(
            "uphill",
            "Your step goes in the direction of the gradient, so the loss grows.",
            lambda X, Y, w, lr, steps: descend_repeatedly(X, Y, w, -lr, steps),
        ),
        Mistake(
            "one step too many",
            "Your function takes one step too many.",
            lambda X, Y, w, lr, steps: descend_repeatedly(X, Y, w, lr, steps + 1),
        ),
        Mistake(
            "one step too few",
            "Your function takes one step too few.",
            lambda X, Y, w, lr, steps: descend_repeatedly(X, Y, w, lr, steps - 1),
        ),
    ],
    hints=(
        "Print `w.grad` in every step and compare it with the gradient of just that "
        "step. When do the two start to differ?",
        "`backward()` adds the new gradient to what `.grad` already contains.",
        "Clear `w.grad` once per iteration, after using it in the step: set it to "
        "zero in place, or set it to None.",
    ),
)
