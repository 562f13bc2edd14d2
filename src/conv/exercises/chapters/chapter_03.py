"""The exercises of chapter 3: find edges."""

import torch
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
            "horizontal kernel",
            "This kernel is a row: it compares left and right. In `X.T` the edges are "
            "horizontal, so compare the pixel above with the one below.",
            lambda k: k.shape in ((1, 2), (2,)),
        ),
        Mistake(
            "signs as before",
            "This gives +1 where white turns black on the way down. The question asks "
            "for the other sign.",
            lambda k: k.shape == (2, 1) and k[0, 0] > 0 > k[1, 0],
        ),
        Mistake(
            "sum instead of difference",
            "Both numbers have one sign, so this adds two pixels. An edge is a "
            "difference.",
            lambda k: k.shape == (2, 1) and k[0, 0] * k[1, 0] > 0,
        ),
        Mistake(
            "wrong size",
            "The edges are where they should be, but not of size 1.",
            lambda k: k.shape == (2, 1) and k[0, 0] == -k[1, 0] and abs(k[1, 0]) != 1,
        ),
    ],
    hints=(
        "Take one place where white (1) lies above black (0). The sum of two products "
        "should be -1.",
        "Two rows, one column: `torch.tensor([[...], [...]])`.",
        "Below minus above: which of the two numbers gets the minus?",
    ),
)

# --- 3.2 ----------------------------------------------------------------------------

middle = ValueExercise(
    number="3.2",
    kind="predict",
    expected=lambda: 8,
    mistakes=[
        Mistake(
            "middle counted among its neighbors",
            "Nine cells, but one of them is the middle itself. How many neighbors "
            "does a pixel have?",
            9,
        ),
        Mistake(
            "four neighbors",
            "You counted the neighbors that share a side. This kernel also looks at "
            "the corners.",
            4,
        ),
        Mistake(
            "wrong sign",
            "With this number the sum gets even farther from zero.",
            -8,
        ),
        Mistake(
            "middle ignored",
            "Then only the neighbors are left, and a flat region gives -8 times its "
            "brightness.",
            0,
        ),
    ],
    hints=(
        "On a flat region every pixel has the same value p. What comes out, as a "
        "multiple of p?",
        "p times the sum of all nine numbers. When is that zero, whatever p is?",
        "Eight times -1, and the middle: together zero.",
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
            "You added the kernel to itself, shifted by one pixel. But the second one "
            "slides over *differences*: each of its numbers multiplies a whole first "
            "kernel.",
            torch.tensor([[1.0, 0.0, -1.0]]),
        ),
        Mistake(
            "signs lost",
            "The sizes are right. Now the signs: minus times plus is minus, minus "
            "times minus is plus.",
            lambda k: (
                k.shape == (1, 3)
                and abs(k).tolist() == [[1, 2, 1]]
                and k.tolist() != [[-1, 2, -1]]
            ),
        ),
        Mistake(
            "middle counted once",
            "The middle pixel takes part in both differences.",
            lambda k: k.shape == (1, 3) and k[0, 1] in (-1, 1) and k[0, 0] == k[0, 2],
        ),
        Mistake(
            "numbers squared or doubled",
            "Two numbers see two pixels. If you slide twice, three pixels count.",
            lambda k: k.size == 2,
        ),
    ],
    hints=(
        "Let three pixels be p, q, r. What does `K` make of them?",
        "The first time: p - q and q - r. The second time: their difference.",
        "(p - q) - (q - r). Collect what stands before p, q and r.",
    ),
)

# --- 3.4 ----------------------------------------------------------------------------

noise = ValueExercise(
    number="3.4",
    kind="explain",
    expected=lambda: 0.1 * 2**0.5,
    tolerance=0.02,
    reason="b",
    mistakes=[
        Mistake(
            "noise unchanged",
            "That is the noise that you put in. Measure what comes *out* of `corr2d`.",
            lambda s: s.shape == () and abs(s - 0.1) < 0.003,
        ),
        Mistake(
            "mean size for standard deviation",
            "That is the mean of the absolute value. A standard deviation is the root "
            "of the mean square.",
            lambda s: s.shape == () and abs(s - 0.1128) < 0.002,
        ),
        Mistake(
            "variance for standard deviation",
            "That is the variance. `.std()` gives its root.",
            lambda s: s.shape == () and abs(s - 0.02) < 0.001,
        ),
        Mistake(
            "deviations added",
            "Twice as much: that would be so if the two pixels' errors were always "
            "equal and opposite. Measure it.",
            lambda s: s.shape == () and abs(s - 0.2) < 0.005,
        ),
        Mistake(
            "mean for spread",
            "The response's mean is about zero. How far does it scatter around it?",
            lambda s: s.shape == () and abs(s) < 0.01,
        ),
    ],
    reasons={
        "a": Mistake(
            "differences thought to cancel noise",
            "What two pixels have in common cancels. Their noise has nothing in "
            "common: you measured that it grew.",
        ),
        "c": Mistake(
            "noise thought to double",
            "You measured less than twice as much. What adds up for independent "
            "errors isn't the deviation.",
        ),
    },
    hints=(
        "You want the spread of the *response*, not of the image.",
        "Compare your number, squared, with 0.1 squared. How many times as large is "
        "it?",
        "`flat + 0.1 * torch.randn(...)`, then `corr2d`, then `.std()`. A million "
        "pixels give three digits.",
    ),
)

# --- 3.5 ----------------------------------------------------------------------------


def gradient_norm(X: Tensor) -> Tensor:
    """Compute the gradient norm with SciPy's Sobel kernels."""
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


def stripes() -> Tensor:
    """Create an image without horizontal edges."""
    return torch.tensor([0.0, 3, 1, 4]).double().expand(4, 4).clone()


ONE_KERNEL = (
    "You use one of the two kernels. Edges that run the other way need the other one, "
    "rotated by 90 degrees."
)

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
            "sizes added",
            "You add the two responses' absolute values. They are two sides at a "
            "right angle; the question asks for the length of the diagonal.",
            lambda X: sum(r.abs() for r in sobel_responses(X)),
        ),
        Mistake(
            "signs cancel",
            "You add the two responses as they are, so a bright-to-dark edge can "
            "cancel a dark-to-bright one.",
            lambda X: sum(sobel_responses(X)),
            lambda X: -sum(sobel_responses(X)),
            lambda X: sum(sobel_responses(X)).abs(),
        ),
        Mistake(
            "root forgotten",
            "Squared and added. A length is the root of that.",
            lambda X: sum(r**2 for r in sobel_responses(X)),
        ),
        Mistake(
            "vertical edges only",
            ONE_KERNEL,
            lambda X: sobel_responses(X)[0],
            lambda X: sobel_responses(X)[0].abs(),
        ),
        Mistake(
            "horizontal edges only",
            ONE_KERNEL,
            lambda X: sobel_responses(X)[1],
            lambda X: -sobel_responses(X)[1],
            lambda X: sobel_responses(X)[1].abs(),
        ),
        Mistake(
            "blur forgotten",
            "Plain differences. Sobel's kernel also blurs along the edge: 1, 2, 1.",
            lambda X: norm(plain_differences(X)),
            lambda X: norm(adjacent_differences(X)),
        ),
        Mistake(
            "blur without weight",
            "You blur along the edge by 1, 1, 1 (Prewitt's kernel). Sobel's middle "
            "counts twice.",
            lambda X: norm(prewitt_responses(X)),
        ),
        Mistake(
            "larger of the two",
            "You take the larger response. A slanted edge has both.",
            lambda X: torch.maximum(*(r.abs() for r in sobel_responses(X))),
            lambda X: torch.maximum(*sobel_responses(X)),
        ),
        Mistake(
            "mean of the two",
            "You average the squares or the sizes. Pythagoras only adds.",
            lambda X: norm(sobel_responses(X)) / 2**0.5,
            lambda X: sum(r.abs() for r in sobel_responses(X)) / 2,
        ),
    ],
    hints=(
        "`sobel` finds vertical edges. How do you get the kernel for horizontal ones?",
        "`corr2d(X, sobel)` and `corr2d(X, sobel.T)` are the two sides of a "
        "right-angled triangle.",
        "Pythagoras: square, add, take the root. `sobel.to(X)` brings the kernel to "
        "`X`'s device.",
    ),
)
