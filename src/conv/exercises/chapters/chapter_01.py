"""The exercises of chapter 1: slide a window."""

import torch
import torch.nn.functional as F
from torch import Tensor

from conv.exercises.exercise import (
    FunctionExercise,
    Mistake,
    ValueExercise,
    random_integers,
)

# --- 1.1 ----------------------------------------------------------------------------

shape = ValueExercise(
    number="1.1",
    kind="predict",
    expected=lambda: F.conv2d(
        torch.empty(1, 1, 480, 640, device="meta"),
        torch.empty(1, 1, 7, 3, device="meta"),
    ).shape[2:],
    mistakes=[
        Mistake(
            "one place forgotten",
            "You subtract the kernel's side. But a window as large as the image "
            "still has one place, not none.",
            (473, 637),
        ),
        Mistake(
            "one added",
            "One position too many in each direction. Try it with a window as large as "
            "the image.",
            (475, 639),
        ),
        Mistake(
            "padding assumed",
            "That is the image's own shape. Can the window stand with its middle "
            "on a corner pixel, if it must not reach beyond the border?",
            (480, 640),
        ),
        Mistake(
            "kernel's sides exchanged",
            "You took the kernel's 3 from the rows and its 7 from the columns. Rows "
            "come first, in kernels too.",
            (478, 634),
        ),
        Mistake(
            "kernel's shape",
            "That is the shape of the window. The question is in how many places it "
            "can stand, downwards and across.",
            (7, 3),
        ),
        Mistake(
            "border counted once",
            "You took away half a kernel, on one side only. What happens at the other?",
            (477, 639),
        ),
    ],
    hints=(
        "Take a row of 5 pixels and a window of 3. Draw all places of the window.",
        "A window of h rows in an image of H rows: its first row can be row 0, 1, "
        "... up to which one?",
        "H - h + 1 places. Count rows and columns separately.",
    ),
)

# --- 1.2 ----------------------------------------------------------------------------


def single_one(row: int, column: int) -> Tensor:
    """Create a 3 x 3 kernel with a single 1."""
    kernel = torch.zeros(3, 3)
    kernel[row, column] = 1
    return kernel


move_left = ValueExercise(
    number="1.2",
    kind="predict",
    expected=lambda: single_one(1, 2),
    mistakes=[
        Mistake(
            "kernel flipped",
            "With this kernel each output takes its *left* neighbor, so the image "
            "moves to the right. The kernel isn't flipped here: its right column meets "
            "the window's right column.",
            single_one(1, 0),
        ),
        Mistake(
            "image not moved",
            "This kernel takes the window's middle: it copies the image.",
            single_one(1, 1),
        ),
        Mistake(
            "up and down for left and right",
            "This kernel moves the image up or down. Which index counts columns?",
            lambda k: k.shape == (3, 3) and k[0, 1] + k[2, 1] == 1 == abs(k).sum(),
        ),
        Mistake(
            "edge finder",
            "This kernel subtracts the middle from its neighbor: it finds a "
            "difference. You want the neighbor alone.",
            single_one(1, 2) - single_one(1, 1),
        ),
        Mistake(
            "sum instead of pick",
            "This kernel adds several pixels up. One pixel alone should come through.",
            lambda k: k.shape == (3, 3) and (k > 0).sum() > 1 and (k >= 0).all(),
        ),
    ],
    hints=(
        "Each output is a sum of nine products. How do you make eight of them vanish?",
        "A single 1. Put it over the pixel that you want to bring to the middle.",
        "The wanted pixel is in the middle row, to the right of the middle.",
    ),
)

# --- 1.3 ----------------------------------------------------------------------------


def signals(*lengths: tuple[int, int]) -> list[tuple[Tensor, Tensor]]:
    """Create signals and kernels of these lengths."""
    return [(random_integers(n), random_integers(k, seed=n)) for n, k in lengths]


def correlate(x: Tensor, k: Tensor) -> Tensor:
    """Compute the expected result with PyTorch."""
    return F.conv1d(x[None, None], k[None, None])[0, 0]


def last_tap(x: Tensor, k: Tensor) -> Tensor:
    """Use only the last tap."""
    return x[len(k) - 1 :] * k[-1]


def first_tap(x: Tensor, k: Tensor) -> Tensor:
    """Use only the first tap."""
    return x[: len(x) - len(k) + 1] * k[0]


corr1d = FunctionExercise(
    number="1.3",
    kind="implement",
    expected=correlate,
    cases=lambda: signals(
        (1, 1), (2, 1), (2, 2), (3, 2), (4, 3), (5, 2), (6, 4), (8, 3)
    ),
    mistakes=[
        Mistake(
            "kernel flipped",
            "You flip the kernel: its last weight multiplies the window's first "
            "number. That is convolution in the mathematical sense. Here the kernel "
            "isn't flipped.",
            lambda x, k: correlate(x, k.flip(0)),
        ),
        Mistake(
            "sum overwritten",
            "Each tap's products replace those of the tap before, so only the last "
            "tap is left. `+=` adds, `=` replaces.",
            last_tap,
        ),
        Mistake(
            "one tap only",
            "Only the kernel's first number is used. Every number of the kernel has "
            "its own shifted copy of `x`.",
            first_tap,
        ),
        Mistake(
            "mean instead of sum",
            "You divide by the number of taps: a mean. Correlation is a plain sum.",
            lambda x, k: correlate(x, k) / len(k),
        ),
        Mistake(
            "last window forgotten",
            "All your numbers are right, but the last place of the window is missing. "
            "How many places has a window of 2 in a row of 3?",
            lambda x, k: correlate(x, k)[:-1],
        ),
        Mistake(
            "padding assumed",
            "Your output is as long as `x`: at its end the window hangs over the "
            "border. Here it must lie inside entirely.",
            lambda x, k: correlate(F.pad(x, (0, len(k) - 1)), k),
        ),
        Mistake(
            "padding on both sides",
            "Your window begins before the signal does. Here it must lie inside "
            "entirely.",
            lambda x, k: correlate(F.pad(x, (len(k) - 1, len(k) - 1)), k),
        ),
        Mistake(
            "padding on both sides",
            "Your output is as long as `x`: the window hangs over at both ends. Here "
            "it must lie inside entirely.",
            lambda x, k: correlate(F.pad(x, ((len(k) - 1) // 2, len(k) // 2)), k),
            lambda x, k: correlate(F.pad(x, (len(k) // 2, (len(k) - 1) // 2)), k),
        ),
    ],
    hints=(
        "Look at `corr2d` by taps above, and leave one axis out.",
        "For each tap `a`, the part of `x` that it meets begins at `a` and is as long "
        "as the output.",
        "Begin with `y = x.new_zeros(len(x) - len(k) + 1)`. In the loop, add "
        "`k[a] * x[a : a + len(y)]` to it.",
    ),
)

# --- 1.4 ----------------------------------------------------------------------------


def broken(X: Tensor, K: Tensor) -> Tensor:
    """Cross-correlate, with four bugs (shown in the notebook without docstring)."""
    h, w = K.shape
    Y = torch.zeros(X.shape[0] - h, X.shape[1] - w)
    for i in range(Y.shape[1]):
        for j in range(Y.shape[0]):
            Y[i, j] = (X[i : i + h, j : j + w] * K).mean()
    return Y


def correlate2d(X: Tensor, K: Tensor) -> Tensor:
    """Compute the expected result with PyTorch."""
    return F.conv2d(X[None, None], K[None, None])[0, 0]


def window_transposed(X: Tensor, K: Tensor) -> Tensor:
    """Swap height and width of the window."""
    (h, w), Y = K.shape, torch.zeros_like(correlate2d(X, K))
    for i in range(Y.shape[0]):
        for j in range(Y.shape[1]):
            Y[i, j] = (X[i : i + w, j : j + h] * K).sum()
    return Y


def shape_swapped(X: Tensor, K: Tensor) -> Tensor:
    """Unpack the kernel's shape in the wrong order."""
    w, h = K.shape
    Y = X.new_zeros(X.shape[0] - h + 1, X.shape[1] - w + 1)
    for i in range(Y.shape[0]):
        for j in range(Y.shape[1]):
            Y[i, j] = (X[i : i + h, j : j + w] * K).sum()
    return Y


debug_corr2d = FunctionExercise(
    number="1.4",
    kind="debug",
    expected=correlate2d,
    broken=broken,
    cases=lambda: [
        (random_integers(*size), random_integers(*window, seed=9))
        for size, window in [
            ((1, 1), (1, 1)),
            ((2, 2), (1, 1)),
            ((2, 2), (2, 2)),
            ((2, 3), (1, 2)),
            ((3, 2), (2, 1)),
            ((3, 3), (2, 2)),
            ((3, 5), (2, 2)),
            ((5, 3), (3, 2)),
            ((4, 6), (3, 3)),
        ]
    ],
    mistakes=[
        Mistake(
            "last window forgotten",
            "The output has a row and a column too few: how many places has a window "
            "of 2 rows in an image of 3?",
            lambda X, K: correlate2d(X, K)[:-1, :-1],
        ),
        Mistake(
            "last window forgotten",
            "The output has a row and a column too few: how many places has a window "
            "of 2 rows in an image of 3? (There is more to fix.)",
            lambda X, K: correlate2d(X, K)[:-1, :-1] / K.numel(),
        ),
        Mistake(
            "mean instead of sum",
            "Each number is divided by the kernel's size: a mean, not a sum.",
            lambda X, K: correlate2d(X, K) / K.numel(),
        ),
        Mistake(
            "rows and columns mixed up",
            "The numbers of rows and of columns are exchanged in the window that you "
            "cut out.",
            window_transposed,
        ),
        Mistake(
            "rows and columns mixed up",
            "A shape is (rows, columns): the kernel's height comes first.",
            shape_swapped,
        ),
        Mistake(
            "kernel flipped",
            "You flip the kernel. That was not among the bugs.",
            lambda X, K: correlate2d(X, K.flip(0, 1)),
        ),
    ],
    hints=(
        "Begin with shapes: call it with an image of 3 by 3 and a kernel of 2 by 2, "
        "and count the outputs. Then try an image that isn't square.",
        "Four places: the shape of `Y`, what `Y` is made of, what the loops run "
        "over, and what is done to the products.",
        "Places of a window: H - h + 1. Rows: `Y.shape[0]`. Products are *summed*. "
        "And `torch.zeros(...)` is a float32 tensor on the CPU, whatever `X` is; "
        "`X.new_zeros(...)` is not.",
    ),
)
