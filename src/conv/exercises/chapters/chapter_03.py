"""The exercises of chapter 3: find edges."""

from collections.abc import Callable

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from conv.exercises.exercise import (
    FunctionExercise,
    Mistake,
    ValueExercise,
    random_integers,
)

# --- 3.1 ----------------------------------------------------------------------------

horizontal_edges = ValueExercise(
    number="3.1",
    kind="predict",
    expected=lambda: torch.tensor([[-1.0], [1.0]]),
    mistakes=[
        Mistake(
            "row instead of column",
            "Your kernel is a row, so it compares a pixel with its neighbor on the "
            "right. In `X.T` the edges are horizontal, so compare each pixel with the "
            "one below it.",
            lambda k: k.shape == (1, 2),
        ),
        Mistake(
            "signs as before",
            "The output of your kernel is positive where white changes to black from "
            "top to bottom. The question asks for the opposite sign.",
            lambda k: k.shape == (2, 1) and k[0, 0] == -k[1, 0] > 0,
        ),
        Mistake(
            "sum instead of difference",
            "Both weights have the same sign, so the kernel adds the two pixels. To "
            "detect an edge, subtract one pixel from the other.",
            lambda k: k.shape == (2, 1) and k[0, 0] * k[1, 0] > 0,
        ),
        Mistake(
            "one pixel only",
            "With a weight of zero, the output depends on a single pixel. To detect "
            "an edge, compare a pixel with its neighbor.",
            lambda k: k.shape == (2, 1) and k[0, 0] * k[1, 0] == 0,
        ),
        Mistake(
            "wrong size",
            "The signs of your weights are correct, but the outputs at the edges "
            "aren't -1 and +1.",
            lambda k: k.shape == (2, 1) and k[0, 0] == -k[1, 0] < 0,
        ),
    ],
    hints=(
        "Consider a window in which a white pixel (1) is above a black one (0). What "
        "should the sum of the two products be?",
        "The kernel has two rows and one column: `torch.tensor([[...], [...]])`. The "
        "first weight multiplies the upper pixel.",
        "The output is the lower pixel minus the upper one. Which of the two weights "
        "is negative?",
    ),
)

# --- 3.2 ----------------------------------------------------------------------------

middle = ValueExercise(
    number="3.2",
    kind="predict",
    expected=lambda: 8,
    mistakes=[
        Mistake(
            "weights sum to one",
            "With 9, the weights sum to 1, so a flat region keeps its brightness "
            "instead of becoming zero. How many of the nine weights are -1?",
            9,
        ),
        Mistake(
            "four neighbors",
            "Your value would be correct for a kernel with four neighbors, such as the "
            "Laplacian or the sharpening kernel. Here the corners are -1 as well.",
            4,
            5,
        ),
        Mistake(
            "one neighbor",
            "With 1, the center cancels only one of its neighbors. All eight neighbors "
            "contribute to the sum.",
            1,
        ),
        Mistake(
            "wrong sign",
            "With your value, the sum of all weights is even farther from zero.",
            -8,
        ),
        Mistake(
            "center ignored",
            "With 0, only the neighbors contribute, and the output in a flat region "
            "is -8 times its brightness.",
            0,
        ),
    ],
    hints=(
        "In a flat region every pixel has the same value p. What is the output, as a "
        "multiple of p?",
        "The output is p times the sum of all nine weights. When is it zero, "
        "whatever p is?",
        "The center has to cancel the sum of the other weights. How many of them are "
        "there, and what is their sum?",
    ),
)

# --- 3.3 ----------------------------------------------------------------------------

twice = ValueExercise(
    number="3.3",
    kind="predict",
    expected=lambda: torch.tensor([[1.0, -2.0, 1.0]]),
    mistakes=[
        Mistake(
            "kernels added",
            "Your kernel computes the difference between the first and the last of "
            "three pixels. However, the second `K` subtracts one *difference* from "
            "another, and the center pixel appears in both.",
            torch.tensor([[1.0, 0.0, -1.0]]),
            torch.tensor([[-1.0, 0.0, 1.0]]),
        ),
        Mistake(
            "signs lost",
            "The absolute values are correct. Now check the signs: a product of a "
            "negative and a positive number is negative, and a product of two "
            "negative numbers is positive.",
            lambda k: (
                k.shape == (1, 3)
                and abs(k).tolist() == [[1, 2, 1]]
                and k.tolist() != [[-1, 2, -1]]
            ),
        ),
        Mistake(
            "center counted once",
            "The center pixel appears in both differences.",
            lambda k: (
                k.shape == (1, 3)
                and abs(k).tolist() == [[1, 1, 1]]
                and k[0, 0] == k[0, 2]
            ),
        ),
        Mistake(
            "two weights only",
            "A kernel with two weights covers two pixels. After two steps, each "
            "output depends on three.",
            lambda k: k.size == 2,
        ),
    ],
    hints=(
        "Call three neighboring pixels p, q, and r. What does `K` compute from them?",
        "The first step gives p - q and q - r. The second step computes the difference "
        "between these two.",
        "Expand (p - q) - (q - r). What are the coefficients of p, q, and r?",
    ),
)

# --- 3.4 ----------------------------------------------------------------------------


def near(*values: float, tolerance: float = 0.02) -> Callable[[np.ndarray], bool]:
    """Create a predicate that accepts numbers close to one of these values."""
    return lambda s: (
        s.shape == () and any(abs(s - value) < tolerance * value for value in values)
    )


noise = ValueExercise(
    number="3.4",
    kind="explain",
    expected=lambda: 0.1 * 2**0.5,
    tolerance=0.02,
    reason="b",
    mistakes=[
        Mistake(
            "noise unchanged",
            "Your answer is the standard deviation of the noise you added. Measure the "
            "result of `corr2d`.",
            near(0.1, tolerance=0.03),
        ),
        Mistake(
            "mean absolute value for standard deviation",
            "Your answer is a mean absolute value. The standard deviation is the "
            "square root of the mean squared deviation from the mean.",
            near(0.1128, 0.0798),
        ),
        Mistake(
            "variance for standard deviation",
            "Your answer is a variance. The standard deviation, `.std()`, is the "
            "square root of the variance.",
            near(0.02, 0.01, tolerance=0.05),
        ),
        Mistake(
            "deviations added",
            "Your answer is twice the noise of one pixel. It would be correct if the "
            "errors of the two pixels were always equal and opposite. Are they?",
            near(0.2, tolerance=0.025),
        ),
        Mistake(
            "mean of two pixels",
            "Your answer is the noise of the mean of two pixels. `K` computes their "
            "difference, without dividing by 2.",
            near(0.0707),
        ),
        Mistake(
            "uniform noise",
            "Your noise seems to be uniform, like that from `torch.rand`. Gaussian "
            "noise with a standard deviation of 0.1 is `0.1 * torch.randn(...)`.",
            near(0.0408, 0.0289),
        ),
        Mistake(
            "variance of 0.1",
            "Your noise seems to have a variance of 0.1. Its standard deviation should "
            "be 0.1 instead.",
            near(0.4472, 0.3162),
        ),
        Mistake(
            "mean for standard deviation",
            "Your answer is close to zero, like the mean of the result. How far do the "
            "values scatter around this mean?",
            lambda s: s.shape == () and abs(s) < 0.003,
        ),
    ],
    reasons={
        "a": Mistake(
            "differences thought to cancel noise",
            "A difference cancels what two pixels have in common. Their errors are "
            "independent, and your measurement shows that the noise grew.",
        ),
        "c": Mistake(
            "noise thought to double",
            "You measured less than twice the noise. For independent errors, "
            "standard deviations don't simply add.",
        ),
    },
    hints=(
        "You are looking for the standard deviation of the *output* of `corr2d`, not "
        "of the noisy image.",
        "Create the image with `torch.full((1000, 1000), 0.5)`, and add noise from "
        "`torch.randn`. Compare the square of your result with the square of 0.1.",
        "With the noisy image `noisy`, you want the `.std()` of `corr2d(noisy, K)`. Is "
        "its square about one, two, or four times the square of 0.1, and which reason "
        "predicts that?",
    ),
)

# --- 3.5 ----------------------------------------------------------------------------


def gradient_norm(X: Tensor) -> Tensor:
    """Compute the gradient magnitude, without the factor 1/8."""
    difference = X[:, 2:] - X[:, :-2]
    across = difference[:-2] + 2 * difference[1:-1] + difference[2:]
    difference = X[2:] - X[:-2]
    down = difference[:, :-2] + 2 * difference[:, 1:-1] + difference[:, 2:]
    return (across**2 + down**2).sqrt()


def sobel_responses(X: Tensor) -> tuple[Tensor, Tensor]:
    """Compute the responses of both Sobel kernels."""
    d, e = X[:, :-2] - X[:, 2:], X[:-2] - X[2:]
    return d[:-2] + 2 * d[1:-1] + d[2:], e[:, :-2] + 2 * e[:, 1:-1] + e[:, 2:]


def plain_differences(X: Tensor) -> tuple[Tensor, Tensor]:
    """Compute differences without Sobel's blur, over the same windows."""
    return (X[:, :-2] - X[:, 2:])[1:-1], (X[:-2] - X[2:])[:, 1:-1]


def adjacent_differences(X: Tensor) -> tuple[Tensor, Tensor]:
    """Compute differences of adjacent pixels."""
    return (X[:, :-1] - X[:, 1:])[:-1], (X[:-1] - X[1:])[:, :-1]


def prewitt_responses(X: Tensor) -> tuple[Tensor, Tensor]:
    """Compute the responses of the Prewitt kernels, which blur with 1, 1, 1."""
    d, e = X[:, :-2] - X[:, 2:], X[:-2] - X[2:]
    return d[:-2] + d[1:-1] + d[2:], e[:, :-2] + e[:, 1:-1] + e[:, 2:]


def norm(responses: tuple[Tensor, Tensor]) -> Tensor:
    """Compute the Euclidean norm of two responses."""
    return (responses[0] ** 2 + responses[1] ** 2).sqrt()


def padded(X: Tensor, mode: str) -> Tensor:
    """Compute the edge strength of an image with a border of one pixel."""
    return gradient_norm(F.pad(X[None, None], (1, 1, 1, 1), mode)[0, 0])


def stripes() -> Tensor:
    """Create an image without horizontal edges."""
    return torch.tensor([0.0, 3, 1, 4]).double().expand(4, 4).clone()


edge_strength = FunctionExercise(
    number="3.5",
    kind="implement",
    expected=gradient_norm,
    cases=lambda: [
        *(
            (random_integers(*size, seed=1),)
            for size in [(3, 3), (3, 4), (4, 3), (4, 5), (5, 5), (6, 4)]
        ),
        (stripes(),),
        (random_integers(5, 4, seed=3),),
    ],
    mistakes=[
        Mistake(
            "absolute values added",
            "You added the absolute values of the two outputs. The outputs are the "
            "legs of a right triangle, and the question asks for the hypotenuse.",
            lambda X: sum(r.abs() for r in sobel_responses(X)),
        ),
        Mistake(
            "signs cancel",
            "You added the two outputs with their signs, so a positive and a negative "
            "output can cancel.",
            lambda X: sum(sobel_responses(X)),
            lambda X: -sum(sobel_responses(X)),
            lambda X: sum(sobel_responses(X)).abs(),
        ),
        Mistake(
            "root forgotten",
            "Your function returned the sum of the squares. The gradient magnitude is "
            "the square root of this sum.",
            lambda X: sum(r**2 for r in sobel_responses(X)),
        ),
        Mistake(
            "one kernel only",
            "You used only one of the two kernels. The other one, its transpose, "
            "detects the edges in the other direction.",
            *(lambda X, i=i: sobel_responses(X)[i] for i in (0, 1)),
            *(lambda X, i=i: -sobel_responses(X)[i] for i in (0, 1)),
            *(lambda X, i=i: sobel_responses(X)[i].abs() for i in (0, 1)),
            *(lambda X, i=i: sobel_responses(X)[i].abs() * 2**0.5 for i in (0, 1)),
        ),
        Mistake(
            "blur forgotten",
            "You used plain differences. The Sobel kernel also blurs along the edge, "
            "with weights 1, 2, 1.",
            lambda X: norm(plain_differences(X)),
            lambda X: norm(adjacent_differences(X)),
        ),
        Mistake(
            "blur with equal weights",
            "You blurred along the edge with weights 1, 1, 1, as in the Prewitt "
            "kernel. In the Sobel kernel, the middle weight is 2.",
            lambda X: norm(prewitt_responses(X)),
        ),
        Mistake(
            "larger of the two",
            "You returned the larger of the two outputs. At a slanted edge, both "
            "contribute.",
            lambda X: torch.maximum(*(r.abs() for r in sobel_responses(X))),
            lambda X: torch.maximum(*sobel_responses(X)),
        ),
        Mistake(
            "mean of the two",
            "You averaged the two outputs or their squares. In the Pythagorean "
            "theorem, the squares are added, not averaged.",
            lambda X: norm(sobel_responses(X)) / 2**0.5,
            lambda X: sum(r.abs() for r in sobel_responses(X)) / 2,
        ),
        Mistake(
            "padded",
            "Your result has as many rows and columns as `X`. Without padding, every "
            "window lies inside the image, so the result has two fewer rows and two "
            "fewer columns.",
            lambda X: padded(X, "constant"),
            lambda X: padded(X, "replicate"),
            lambda X: padded(X, "reflect"),
            lambda X: padded(X, "replicate") / 32**0.5,  # as scikit-image does
            lambda X: F.pad(gradient_norm(X), (1, 1, 1, 1)),
        ),
    ],
    hints=(
        "This chapter's `sobel` detects vertical edges. How do you get the kernel for "
        "horizontal ones?",
        "At each pixel, `corr2d(X, sobel)` and `corr2d(X, sobel.T)` are the legs of a "
        "right triangle.",
        "Apply the Pythagorean theorem to each pixel: square both outputs, add the "
        "squares, and take the square root (`.sqrt()`).",
    ),
)
