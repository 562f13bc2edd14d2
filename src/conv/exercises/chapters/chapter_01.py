"""The exercises of chapter 1: slide a window."""

import torch
import torch.nn.functional as F
from torch import Tensor

from conv.exercises.exercise import (
    FunctionExercise,
    Mistake,
    Rule,
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
            "one position forgotten",
            "You subtracted the full kernel size, but even a window as large as the "
            "image fits in one position.",
            (473, 637),
        ),
        Mistake(
            "one added",
            "You counted one position too many in each direction. Try your formula for "
            "a window as large as the image.",
            (475, 639),
        ),
        Mistake(
            "padding assumed",
            "Your answer is the shape of the image. Could the center of the window be "
            "on a corner pixel without the window extending past the edge?",
            (480, 640),
        ),
        Mistake(
            "height and width swapped",
            "You used the kernel's width for the rows and its height for the columns. "
            "As in any shape, the first number of the kernel's shape counts rows.",
            (478, 634),
            (477, 633),
        ),
        Mistake(
            "kernel's shape",
            "Your answer is the shape of the kernel. The question is how many "
            "positions the window can occupy, vertically and horizontally.",
            (7, 3),
        ),
        Mistake(
            "border counted once",
            "You subtracted half the kernel size, as if outputs were lost on one side "
            "only. What happens on the opposite side?",
            (477, 639),
        ),
        Mistake(
            "border added",
            "Your output is larger than the image. Without padding, the window stays "
            "inside the image, so the output can't have more pixels than the image.",
            (486, 642),
            (487, 643),
        ),
    ],
    hints=(
        "Try a smaller example: draw all positions of a window of 3 pixels in a row "
        "of 5 pixels.",
        "The top row of the window can be row 0, 1, ... of the image. Which row is it "
        "when the window reaches the bottom edge?",
        "Along an axis of H pixels, a window of h pixels can start at 0, 1, ..., "
        "H - h. How many positions is that? Count the rows first, then the columns.",
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
            "With your kernel, each output pixel equals the *left-hand* neighbor of "
            "the center, so the image moves to the right. Cross-correlation doesn't "
            "flip the kernel: its right column multiplies the right column of the "
            "window.",
            single_one(1, 0),
        ),
        Mistake(
            "image not shifted",
            "Your kernel picks out the center of the window, so it copies the image.",
            single_one(1, 1),
        ),
        Mistake(
            "shifted vertically",
            "Your kernel shifts the image up or down. Which index counts columns?",
            single_one(0, 1),
            single_one(2, 1),
        ),
        Mistake(
            "shifted diagonally",
            "Your kernel shifts the image both horizontally and vertically. The "
            "right-hand neighbor is in the same row as the center.",
            *(single_one(row, column) for row in (0, 2) for column in (0, 2)),
        ),
        Mistake(
            "difference of pixels",
            "The weights of your kernel sum to zero, so it computes a difference "
            "between pixels. Each output pixel should copy exactly one input pixel.",
            lambda k: k.shape == (3, 3) and k.any() and abs(k.sum()) < 1e-6,
        ),
        Mistake(
            "several pixels",
            "Your kernel adds up several pixels. Each output pixel should copy exactly "
            "one input pixel.",
            lambda k: k.shape == (3, 3) and (k > 0).sum() > 1 and (k >= 0).all(),
        ),
    ],
    hints=(
        "Each output pixel is a sum of nine products. How can you make eight of them "
        "vanish?",
        "One weight is 1 and the others are 0. Which pixel of the window should the 1 "
        "multiply?",
        "Put the 1 over the pixel you want to copy. The center of the window is "
        "row 1, column 1. Where is its right-hand neighbor?",
    ),
)

# --- 1.3 ----------------------------------------------------------------------------


def signals(*lengths: tuple[int, int]) -> list[tuple[Tensor, Tensor]]:
    """Create signals and kernels of these lengths."""
    return [(random_integers(n), random_integers(k, seed=n)) for n, k in lengths]


def correlate(x: Tensor, k: Tensor) -> Tensor:
    """Compute the expected result with PyTorch."""
    return F.conv1d(x[None, None], k[None, None])[0, 0]


def correlate_padded(x: Tensor, k: Tensor, left: int, right: int) -> Tensor:
    """Cross-correlate a signal with zeros added at both ends."""
    return correlate(F.pad(x, (left, right)), k)


def last_tap(x: Tensor, k: Tensor) -> Tensor:
    """Use only the last tap."""
    return x[len(k) - 1 :] * k[-1]


def first_tap(x: Tensor, k: Tensor) -> Tensor:
    """Use only the first tap."""
    return x[: len(x) - len(k) + 1] * k[0]


def last_output_zero(x: Tensor, k: Tensor) -> Tensor:
    """Leave the last output at zero."""
    return F.pad(correlate(x, k)[:-1], (0, 1))


corr1d = FunctionExercise(
    number="1.3",
    kind="implement",
    expected=correlate,
    rules=(
        Rule(
            message="The numbers are correct, but they come from a library function. "
            "This exercise asks for your own sum of products, built from slices, "
            "loops, or matrix products.",
            forbids=(
                *("conv1d", "conv2d", "conv3d", "Conv1d", "Conv2d", "Conv3d"),
                *("conv_transpose1d", "conv_transpose2d", "correlate", "convolve"),
                *("correlate1d", "convolve1d", "correlate2d", "convolve2d"),
                *("fftconvolve", "oaconvolve", "lfilter"),
            ),
        ),
    ),
    cases=lambda: signals(
        (1, 1), (2, 1), (2, 2), (3, 2), (4, 3), (5, 2), (6, 4), (8, 3)
    ),
    mistakes=[
        Mistake(
            "kernel flipped",
            "Your result is what you get when the kernel is reversed first, which is "
            "convolution in the mathematical sense. Here, the kernel isn't reversed: "
            "its first weight multiplies the first element of the window.",
            lambda x, k: correlate(x, k.flip(0)),
        ),
        Mistake(
            "sum overwritten",
            "Only the last tap contributes to your result. Does each tap add its "
            "products to the sum, or does it replace the sum?",
            last_tap,
        ),
        Mistake(
            "one tap only",
            "Your function used only the kernel's first weight. Is the `return` inside "
            "the loop over the taps?",
            first_tap,
        ),
        Mistake(
            "taps not shifted",
            "Your function multiplied the same elements of `x` by every weight. Each "
            "tap should use its own slice of `x`.",
            lambda x, k: x[: len(x) - len(k) + 1] * k.sum(),
        ),
        Mistake(
            "mean instead of sum",
            "You divided by the number of taps, which gives a mean. "
            "Cross-correlation is a plain sum.",
            lambda x, k: correlate(x, k) / len(k),
        ),
        Mistake(
            "last window forgotten",
            "The output for the last window is missing; all others are correct. How "
            "many positions does a window of length 2 have in a signal of length 3?",
            lambda x, k: correlate(x, k)[:-1],
            last_output_zero,
        ),
        Mistake(
            "windows don't overlap",
            "Your window moved by its full length each time. It should move by one "
            "element, so that neighboring windows overlap.",
            lambda x, k: correlate(x, k)[:: len(k)],
        ),
        Mistake(
            "padding at the end",
            "Your output is as long as `x`, because the window extends beyond the end "
            "of the signal. Here every window must lie entirely inside the signal.",
            lambda x, k: correlate_padded(x, k, 0, len(k) - 1),
        ),
        Mistake(
            "padding on both sides",
            "Your window extends beyond both ends of the signal. Here every window "
            "must lie entirely inside the signal.",
            lambda x, k: correlate_padded(x, k, len(k) - 1, len(k) - 1),
            lambda x, k: correlate_padded(x, k, (len(k) - 1) // 2, len(k) // 2),
            lambda x, k: correlate_padded(x, k, len(k) // 2, (len(k) - 1) // 2),
        ),
        Mistake(
            "full convolution",
            "Your result is the full convolution: the kernel is reversed, and the "
            "window extends beyond both ends of the signal. Here, the kernel isn't "
            "reversed, and every window lies inside the signal.",
            lambda x, k: correlate_padded(x, k.flip(0), len(k) - 1, len(k) - 1),
        ),
    ],
    hints=(
        "How long is the output? Which slice of `x` does the first tap multiply, and "
        "which does the last?",
        "Start from an output of zeros. For every tap `a`, add `k[a]` times the slice "
        "of `x` that starts at index `a`.",
        "With `n = len(x) - len(k) + 1`, the slice for tap `a` is `x[a : a + n]`. In a "
        "loop, multiply each slice by its weight and add the result to the output.",
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


def too_small(X: Tensor, K: Tensor) -> Tensor:
    """Return a result without its last row and column."""
    return correlate2d(X, K)[:-1, :-1]


def with_loops_swapped(Y: Tensor) -> Tensor:
    """Copy a result as the broken loops do, which fails unless it is square."""
    copied = torch.zeros_like(Y)
    for i in range(Y.shape[1]):
        for j in range(Y.shape[0]):
            copied[i, j] = Y[i, j]
    return copied


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
    requires=("dtype",),
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
            "The output has one row and one column too few. This may not be the only "
            "bug left. How many positions are there for a window of 2 rows in an "
            "image of 3 rows?",
            too_small,
            lambda X, K: too_small(X, K) / K.numel(),
            lambda X, K: with_loops_swapped(too_small(X, K)),
            lambda X, K: with_loops_swapped(too_small(X, K)) / K.numel(),
        ),
        Mistake(
            "mean instead of sum",
            "Your function divided each sum by the number of weights in the kernel, "
            "which gives a mean. Cross-correlation is a sum.",
            lambda X, K: correlate2d(X, K) / K.numel(),
            lambda X, K: with_loops_swapped(correlate2d(X, K)) / K.numel(),
        ),
        Mistake(
            "rows and columns mixed up",
            "Rows and columns are swapped somewhere, in the output shape or in the "
            "slices. The first number of a shape, and the first index, count rows.",
            window_transposed,
            shape_swapped,
        ),
        Mistake(
            "kernel flipped",
            "Your function flipped the kernel. Cross-correlation uses the kernel as it "
            "is; only a true convolution flips it.",
            lambda X, K: correlate2d(X, K.flip(0, 1)),
        ),
    ],
    hints=(
        "Start with shapes. Call the function with a 3 by 3 image and a 2 by 2 kernel "
        "and count the outputs, then with an image that isn't square.",
        "Look at four places: the shape of `Y`, the dtype of `Y`, what the two loops "
        "run over, and how the products are combined.",
        "How many positions are there for a window of h rows in an image of H rows? "
        "Which loop variable is the row index? Does the formula ask for a mean? And "
        "how does `X.new_zeros(...)` differ from `torch.zeros(...)`?",
    ),
)
