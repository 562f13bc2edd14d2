"""The exercises of chapter 1: slide a window."""

import torch
import torch.nn.functional as F
from torch import Tensor

from conv.exercises.exercise import (
    FunctionExercise,
    Mistake,
    ValueExercise,
    whole_numbers,
)

# --- 1.1 ----------------------------------------------------------------------------

shape = ValueExercise(
    number="1.1",
    name="shape",
    kind="predict",
    expected=lambda: F.conv2d(
        torch.empty(1, 1, 480, 640, device="meta"),
        torch.empty(1, 1, 7, 3, device="meta"),
    ).shape[2:],
    mistakes=[
        Mistake(
            "one place forgotten",
            "You subtract the kernel's side. But a window as large as the picture "
            "still has one place, not none.",
            (473, 637),
        ),
        Mistake(
            "one added",
            "One place too many in each direction. Try it with a window as large as "
            "the picture.",
            (475, 639),
        ),
        Mistake(
            "padding assumed",
            "That is the picture's own shape. Can the window stand with its middle "
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
        "A window of h rows in a picture of H rows: its first row can be row 0, 1, "
        "... up to which one?",
        "H - h + 1 places. Count rows and columns separately.",
    ),
)

# --- 1.2 ----------------------------------------------------------------------------


def one_at(row: int, column: int) -> Tensor:
    """Make a 3 x 3 kernel with a single one."""
    kernel = torch.zeros(3, 3)
    kernel[row, column] = 1
    return kernel


move_left = ValueExercise(
    number="1.2",
    name="move_left",
    kind="predict",
    expected=lambda: one_at(1, 2),
    mistakes=[
        Mistake(
            "kernel flipped",
            "With this kernel each output takes its *left* neighbour, so the picture "
            "moves to the right. Nothing is turned round here: the kernel's right "
            "column meets the window's right column.",
            one_at(1, 0),
        ),
        Mistake(
            "picture not moved",
            "This kernel takes the window's middle: it copies the picture.",
            one_at(1, 1),
        ),
        Mistake(
            "up and down for left and right",
            "This kernel moves the picture up or down. Which index counts columns?",
            lambda k: k.shape == (3, 3) and k[0, 1] + k[2, 1] == 1 == abs(k).sum(),
        ),
        Mistake(
            "edge finder",
            "This kernel subtracts the middle from its neighbour: it finds a "
            "difference. You want the neighbour alone.",
            one_at(1, 2) - one_at(1, 1),
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
    """Make signals and kernels of these lengths."""
    return [(whole_numbers(n), whole_numbers(k, seed=n)) for n, k in lengths]


def correlate(x: Tensor, k: Tensor) -> Tensor:
    """Give the oracle's answer, PyTorch's."""
    return F.conv1d(x[None, None], k[None, None])[0, 0]


def overwritten(x: Tensor, k: Tensor) -> Tensor:
    """Keep the last tap only."""
    return x[len(k) - 1 :] * k[-1]


def first_tap(x: Tensor, k: Tensor) -> Tensor:
    """Use the first tap only."""
    return x[: len(x) - len(k) + 1] * k[0]


corr1d = FunctionExercise(
    number="1.3",
    name="corr1d",
    kind="implement",
    expected=correlate,
    cases=lambda: signals(
        (1, 1), (2, 1), (2, 2), (3, 2), (4, 3), (5, 2), (6, 4), (8, 3)
    ),
    mistakes=[
        Mistake(
            "kernel flipped",
            "You turn the kernel round: its last number meets the window's first. "
            "That is convolution as mathematics has it. Here nothing is turned.",
            lambda x, k: correlate(x, k.flip(0)),
        ),
        Mistake(
            "sum overwritten",
            "Each tap's products replace those of the tap before, so only the last "
            "tap is left. `+=` adds, `=` replaces.",
            overwritten,
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
        ),
        Mistake(
            "padding on both sides",
            "Your output is as long as `x`: the window hangs over at both ends. Here "
            "it must lie inside entirely.",
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
    """Correlate, with four mistakes; a notebook shows it without this line."""
    h, w = K.shape
    Y = torch.zeros(X.shape[0] - h, X.shape[1] - w)
    for i in range(Y.shape[1]):
        for j in range(Y.shape[0]):
            Y[i, j] = (X[i : i + h, j : j + w] * K).mean()
    return Y


def correlate2d(X: Tensor, K: Tensor) -> Tensor:
    """Give the oracle's answer, PyTorch's."""
    return F.conv2d(X[None, None], K[None, None])[0, 0]


def window_turned(X: Tensor, K: Tensor) -> Tensor:
    """Cut out windows as wide as the kernel is high."""
    (h, w), Y = K.shape, torch.zeros_like(correlate2d(X, K))
    for i in range(Y.shape[0]):
        for j in range(Y.shape[1]):
            Y[i, j] = (X[i : i + w, j : j + h] * K).sum()
    return Y


def shape_turned(X: Tensor, K: Tensor) -> Tensor:
    """Read the kernel's shape the wrong way."""
    w, h = K.shape
    Y = X.new_zeros(X.shape[0] - h + 1, X.shape[1] - w + 1)
    for i in range(Y.shape[0]):
        for j in range(Y.shape[1]):
            Y[i, j] = (X[i : i + h, j : j + w] * K).sum()
    return Y


mend_corr2d = FunctionExercise(
    number="1.4",
    name="mend_corr2d",
    kind="mend",
    expected=correlate2d,
    broken=broken,
    cases=lambda: [
        (whole_numbers(*size), whole_numbers(*window, seed=9))
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
            "of 2 rows in a picture of 3?",
            lambda X, K: correlate2d(X, K)[:-1, :-1],
        ),
        Mistake(
            "last window forgotten",
            "The output has a row and a column too few: how many places has a window "
            "of 2 rows in a picture of 3? (There is more to mend.)",
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
            lambda X, K: window_turned(X, K),
        ),
        Mistake(
            "rows and columns mixed up",
            "A shape is (rows, columns): the kernel's height comes first.",
            lambda X, K: shape_turned(X, K),
        ),
        Mistake(
            "kernel flipped",
            "You turn the kernel round. That was not among the mistakes.",
            lambda X, K: correlate2d(X, K.flip(0, 1)),
        ),
    ],
    hints=(
        "Begin with shapes: call it with a picture of 3 by 3 and a kernel of 2 by 2, "
        "and count the outputs. Then try a picture that isn't square.",
        "Four places: the shape of `Y`, what `Y` is made of, what the loops run "
        "over, and what is done to the products.",
        "Places of a window: H - h + 1. Rows: `Y.shape[0]`. Products are *summed*. "
        "And `torch.zeros(...)` is a float32 tensor on the CPU, whatever `X` is; "
        "`X.new_zeros(...)` is not.",
    ),
)
