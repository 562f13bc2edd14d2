"""The exercises of chapter 5: pad and stride."""

import itertools
import math
from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor

import conv
from conv.exercises.exercise import (
    FunctionExercise,
    Mistake,
    ValueExercise,
    random_integers,
)

# --- 5.1 ----------------------------------------------------------------------------

same_size = ValueExercise(
    number="5.1",
    kind="predict",
    expected=lambda: next(
        p for p in range(20) if conv.output_shape(40, 11, padding=p) == (40, 40)
    ),
    mistakes=[
        Mistake(
            "both sides together",
            "10 is the total padding needed. The question asks for the padding "
            "on each side.",
            10,
        ),
        Mistake(
            "width of the kernel",
            "11 is the width of the kernel. With that much padding on each side, the "
            "output would be larger than the input.",
            11,
        ),
        Mistake(
            "rounded up",
            "With 6 pixels of padding on each side, the output would be larger than "
            "the input. How many pixels smaller than the input is the output without "
            "padding?",
            6,
        ),
        Mistake(
            "half of the kernel",
            "You halved the width of the kernel. Instead, halve the number of pixels "
            "lost without padding.",
            5.5,
        ),
    ],
    hints=(
        "Take a 40 x 40 image. How large is the output without padding?",
        "A padding of p adds p pixels on each side, so the image's height and width "
        "both grow by 2p.",
        "With a 40 x 40 image, the output is 40 + 2p - 11 + 1 pixels high and wide. "
        "For which p is this 40?",
    ),
)

# --- 5.2 ----------------------------------------------------------------------------


def side_after_five_layers() -> int:
    """Compute the side of the output after five convolutions with PyTorch."""
    x, k = torch.empty(1, 1, 224, 224, device="meta"), torch.empty(1, 1, 3, 3)
    for _ in range(5):
        x = F.conv2d(x, k.to("meta"), stride=2, padding=1)
    return x.shape[2]


five_layers = ValueExercise(
    number="5.2",
    kind="predict",
    expected=side_after_five_layers,
    mistakes=[
        Mistake(
            "padding or first window forgotten",
            "This is the result if you leave out the padding, or the + 1 at the end "
            "of the formula. Recompute the output size of the first layer; it should "
            "be 112 x 112.",
            6,
            lambda n: n.shape == () and 6.02 < n < 6.04,  # not rounded down
        ),
        Mistake(
            "one layer only",
            "That is the size after the first layer. There are five layers.",
            112,
        ),
        Mistake(
            "four layers only",
            "That is the size after four layers. There are five.",
            14,
        ),
        Mistake(
            "stride forgotten",
            "With stride 1, the output would be about the same size as the input. "
            "Where does the stride come into your calculation?",
            224,  # with padding
            214,  # without
        ),
        Mistake(
            "divided by the number of layers",
            "You divided by the number of layers, or by 2 · 5. But each layer halves "
            "the output of the previous layer, so you have to divide by 2 five times.",
            224 / 5,
            44,
            45,
            224 / 10,
            22,
            23,
        ),
        Mistake(
            "not rounded down",
            "This is the result if you don't round down at each layer. A window that "
            "doesn't fit completely is left out.",
            lambda n: n.shape == () and 7.9 < n <= 8,
        ),
        Mistake(
            "area",
            "That is the number of pixels in the whole output. The question asks for "
            "the length of one side.",
            49,
        ),
    ],
    hints=(
        "Start with a single layer. What output size does this chapter's formula "
        "give for n = 224, k = 3, s = 2, and p = 1?",
        "The output of the first layer is 112 x 112. Apply the formula to 112, then to "
        "its result, and so on.",
        "If the size of the input is even, such a layer halves it exactly. How many "
        "times do you have to halve 224?",
    ),
)

# --- 5.3 ----------------------------------------------------------------------------


def padded(x: Tensor, p: int, mode: str) -> Tensor:
    """Pad a signal with PyTorch."""
    return F.pad(x[None, None], (p, p), mode=mode)[0, 0]


def last(x: Tensor, p: int) -> Tensor:
    """Return the last p numbers."""
    return x[len(x) - p :]


def before_last(x: Tensor, p: int) -> Tensor:
    """Return the p numbers before the last one."""
    return x[len(x) - 1 - p : -1]


mirror = FunctionExercise(
    number="5.3",
    kind="implement",
    expected=lambda x, p: padded(x, p, "reflect"),
    cases=lambda: [
        (random_integers(n, seed=2), p)
        for n, p in [(2, 0), (2, 1), (3, 1), (3, 2), (5, 3), (6, 5)]
    ],
    mistakes=[
        Mistake(
            "border repeated",
            "The first value, the last value, or both appear twice in a row. "
            "The mirror is placed at the first (or last) value itself, so that value "
            "isn't repeated, and the padding starts with its neighbor.",
            lambda x, p: torch.cat([x[:p].flip(0), x, last(x, p).flip(0)]),
            lambda x, p: torch.cat([x[:p].flip(0), x, x[-p:].flip(0)]),
            lambda x, p: torch.cat([x[1 : p + 1].flip(0), x, last(x, p).flip(0)]),
            lambda x, p: torch.cat([x[1 : p + 1].flip(0), x, x[-p:].flip(0)]),
            lambda x, p: torch.cat([x[:p].flip(0), x, before_last(x, p).flip(0)]),
        ),
        Mistake(
            "not mirrored",
            "The padding consists of the correct values, but at one or both ends, they "
            "are in the wrong order. A mirror image is reversed.",
            lambda x, p: torch.cat([x[1 : p + 1], x, before_last(x, p)]),
            lambda x, p: torch.cat([x[1 : p + 1].flip(0), x, before_last(x, p)]),
            lambda x, p: torch.cat([x[1 : p + 1], x, before_last(x, p).flip(0)]),
        ),
        Mistake(
            "ends swapped",
            "The padding at the left end comes from the right end of the signal, and "
            "vice versa. Each end should be padded with the mirrored values from that "
            "same end.",
            lambda x, p: torch.cat(
                [before_last(x, p).flip(0), x, x[1 : p + 1].flip(0)]
            ),
        ),
        Mistake(
            "circular padding",
            "You extended each end with values from the other end, as if the signal "
            "were periodic. Here the signal should be mirrored.",
            lambda x, p: torch.cat([last(x, p), x, x[:p]]),
            lambda x, p: torch.cat([x[-p:], x, x[:p]]),
        ),
        Mistake(
            "replicate padding",
            "You repeated the value at the border. The padding should consist of its "
            "neighbors instead, in mirrored order.",
            lambda x, p: padded(x, p, "replicate"),
        ),
        Mistake(
            "zero padding",
            "You padded with zeros. This exercise asks for mirrored values.",
            lambda x, p: padded(x, p, "constant"),
        ),
        Mistake(
            "padding on one side",
            "You padded only one end. The result should have p more values at each "
            "end.",
            lambda x, p: padded(x, p, "reflect")[: len(x) + p],
            lambda x, p: padded(x, p, "reflect")[p:],
        ),
    ],
    hints=(
        "The result consists of three pieces, which `torch.cat` can join. What are "
        "they for x = [1, 2, 3, 4] and p = 2?",
        "The padding at the left end consists of `x[1]` to `x[p]`, in reverse order. "
        "Which values does the other end need?",
        "`x[1 : p + 1].flip(0)` is the padding at the left end. At the right end, take "
        "the p values before the last one and reverse them as well.",
    ),
)

# --- 5.4 ----------------------------------------------------------------------------


def strided_correlation(x: Tensor, k: Tensor, stride: int, padding: int) -> Tensor:
    """Compute the expected result with PyTorch."""
    return F.conv1d(x[None, None], k[None, None], None, stride, padding)[0, 0]


def dilated(x: Tensor, k: Tensor, stride: int, padding: int) -> Tensor:
    """Dilate the kernel instead of moving it by the stride."""
    return F.conv1d(x[None, None], k[None, None], None, 1, padding, stride)[0, 0]


def padded_at_start(x: Tensor, k: Tensor, stride: int, padding: int) -> Tensor:
    """Pad only the beginning."""
    return strided_correlation(F.pad(x, (padding, 0)), k, stride, 0)


def rounded_up(x: Tensor, k: Tensor, stride: int, padding: int) -> Tensor:
    """Let the last window extend beyond the border."""
    missing = -(len(x) + 2 * padding - len(k)) % stride
    return strided_correlation(F.pad(x, (padding, padding + missing)), k, stride, 0)


def padded_result(x: Tensor, k: Tensor, stride: int, padding: int) -> Tensor:
    """Pad the result instead of the input."""
    return F.pad(strided_correlation(x, k, stride, 0), (padding, padding))


def padded_with(mode: str) -> Callable[..., Tensor]:
    """Return a correlation that pads with values other than zeros."""
    return lambda x, k, stride, padding: strided_correlation(
        padded(x, padding, mode), k, stride, 0
    )


def without_last_window(x: Tensor, k: Tensor, stride: int, padding: int) -> Tensor:
    """Omit the last window."""
    return strided_correlation(x, k, stride, padding)[:-1]


def without_exact_last_window(
    x: Tensor, k: Tensor, stride: int, padding: int
) -> Tensor:
    """Omit the last window if it ends exactly at the end of the padded signal."""
    room = len(x) + 2 * padding - len(k)
    return strided_correlation(x, k, stride, padding)[: -(-room // stride)]


def adjacent_windows(x: Tensor, k: Tensor, stride: int, padding: int) -> Tensor:
    """Move the window by one, but stop after the correct number of windows."""
    count = len(strided_correlation(x, k, stride, padding))
    return strided_correlation(x, k, 1, padding)[:count]


strided = FunctionExercise(
    number="5.4",
    kind="implement",
    expected=strided_correlation,
    cases=lambda: [
        (random_integers(n), random_integers(k, seed=n), stride, padding)
        for n, k, stride, padding in [
            (1, 1, 1, 0),
            (3, 2, 1, 0),
            (3, 2, 1, 1),
            (4, 2, 2, 0),
            (4, 3, 2, 1),
            (5, 2, 2, 0),
            (5, 3, 3, 1),
            (6, 3, 2, 2),
            (7, 2, 3, 0),
            (8, 3, 2, 1),
        ]
    ],
    mistakes=[
        Mistake(
            "stride applied to the kernel",
            "The taps of your kernel are `stride` positions apart, which is called "
            "dilation (chapter 8). The stride is the distance between the starting "
            "positions of neighboring windows.",
            dilated,
        ),
        Mistake(
            "stride applied to the input",
            "You kept every `stride`-th value of the signal and then slid the kernel "
            "over what was left. Each window should contain adjacent values of the "
            "signal.",
            lambda x, k, stride, padding: strided_correlation(
                F.pad(x, (padding, padding))[::stride], k, 1, 0
            ),
            lambda x, k, stride, padding: strided_correlation(
                x[::stride], k, 1, padding
            ),
        ),
        Mistake(
            "padding on one side",
            "You padded only one end of the signal. Add zeros at both ends.",
            padded_at_start,
            lambda x, k, stride, padding: strided_correlation(
                F.pad(x, (0, padding)), k, stride, 0
            ),
        ),
        Mistake(
            "not rounded down",
            "Your last window extends beyond the end of the padded signal. A window "
            "that doesn't fit completely is left out.",
            rounded_up,
        ),
        Mistake(
            "last window forgotten",
            "The last window is missing, at least when it ends exactly at the end of "
            "the padded signal. Where does your loop stop?",
            without_last_window,
            without_exact_last_window,
        ),
        Mistake(
            "windows beyond the end",
            "Your loop keeps going until the window starts at the very end of the "
            "padded signal. The last window must fit completely.",
            lambda x, k, stride, padding: strided_correlation(
                F.pad(x, (padding, padding + len(k) - 1)), k, stride, 0
            ),
        ),
        Mistake(
            "sum overwritten",
            "Only the last tap of the kernel has any effect: each tap overwrites the "
            "result of the previous one. Use `+=` instead of `=`.",
            lambda x, k, stride, padding: strided_correlation(
                x, torch.cat([torch.zeros_like(k[1:]), k[-1:]]), stride, padding
            ),
        ),
        Mistake(
            "mean instead of sum",
            "You divided by the number of taps. Cross-correlation is a sum, not a "
            "mean.",
            lambda x, k, stride, padding: strided_correlation(
                x, k / len(k), stride, padding
            ),
        ),
        Mistake(
            "result padded",
            "You padded the result. Pad `x` instead, before sliding the window.",
            padded_result,
        ),
        Mistake(
            "other padding",
            "You padded with values from the signal itself. This exercise asks for "
            "zeros.",
            padded_with("replicate"),
            padded_with("reflect"),
            padded_with("circular"),
        ),
        Mistake(
            "stride forgotten",
            "Your windows start one position apart. They should start `stride` "
            "positions apart.",
            lambda x, k, stride, padding: strided_correlation(x, k, 1, padding),
            adjacent_windows,
        ),
        Mistake(
            "padding forgotten",
            "Your result doesn't depend on `padding`. Add that many zeros at each end "
            "of `x`.",
            lambda x, k, stride, padding: strided_correlation(x, k, stride, 0),
        ),
        Mistake(
            "kernel flipped",
            "You flipped the kernel, so its last weight multiplies the first value "
            "in the window. Cross-correlation uses the kernel as it is.",
            lambda x, k, stride, padding: strided_correlation(
                x, k.flip(0), stride, padding
            ),
        ),
    ],
    hints=(
        "There are two steps: add zeros at both ends of `x`, then slide the window. "
        "Where does each window start?",
        "Window `i` starts at `i * stride`. To count the windows, use this "
        "chapter's shape formula with the length of the padded signal.",
        "Let `padded = F.pad(x, (padding, padding))`. Window `i` is "
        "`padded[i * stride : i * stride + len(k)]`, and there are "
        "`(len(padded) - len(k)) // stride + 1` windows. What do you compute from "
        "each?",
    ),
)

# --- 5.5 ----------------------------------------------------------------------------


def broken(n: int, k: int, stride: int, padding: int) -> int:
    """Count the outputs, but with three bugs.

    The notebook shows this function without the docstring.
    """
    return (n + padding - k + 1) / stride


def output_length(n: int, k: int, stride: int, padding: int) -> int:
    """Compute the length of PyTorch's output."""
    x, kernel = (torch.empty(1, 1, side, device="meta") for side in (n, k))
    return F.conv1d(x, kernel, None, stride, padding).shape[2]


def exact_quotient(n: int, k: int, stride: int, padding: int) -> float:
    """Return the number of outputs without rounding down."""
    return (n + 2 * padding - k) / stride + 1


def with_bugs(padding_once: bool, exact: bool, one: str) -> Callable[..., float]:
    """Return the function with some of its bugs.

    `one` says where the 1 is added: in the right place, too early, or not at all.
    """

    def length(n: int, k: int, stride: int, padding: int) -> float:
        room = n + (padding if padding_once else 2 * padding) - k
        room += one == "early"
        return (room / stride if exact else room // stride) + (one == "right")

    return length


def without_padding(length: Callable[..., float]) -> Callable[..., float]:
    """Return a function that ignores its last argument, the padding."""
    return lambda n, k, stride, padding: length(n, k, stride, 0)


def partly_fixed() -> list[Callable[..., float]]:
    """Return all versions of the function that still have two or three bugs."""
    choices = itertools.product((True, False), (True, False), ("right", "early", "no"))
    return [
        with_bugs(padding_once, exact, one)
        for padding_once, exact, one in choices
        if padding_once + exact + (one != "right") >= 2
    ]


debug_length = FunctionExercise(
    number="5.5",
    kind="debug",
    expected=output_length,
    broken=broken,
    cases=lambda: [
        (1, 1, 1, 0),
        (5, 3, 1, 0),
        (5, 3, 1, 1),
        (6, 2, 2, 1),
        (7, 3, 2, 0),
        (9, 3, 3, 1),
        (9, 2, 2, 2),
        (28, 6, 3, 2),
    ],
    mistakes=[
        Mistake(
            "not rounded down",
            "Your function is correct only if the last window ends exactly at the end "
            "of the padded signal. Otherwise it counts a fraction of a window.",
            exact_quotient,
        ),
        Mistake(
            "rounded up",
            "You rounded up or to the nearest whole number. A window that extends "
            "beyond the end of the padded signal doesn't count.",
            lambda *sizes: math.ceil(exact_quotient(*sizes)),
            lambda *sizes: round(exact_quotient(*sizes)),
            lambda *sizes: round(exact_quotient(*sizes) - 1) + 1,
        ),
        Mistake(
            "padding counted once",
            "Your function counts the padding at only one end. There is padding at "
            "both ends.",
            with_bugs(True, False, "right"),
        ),
        Mistake(
            "first window forgotten",
            "Your result is one too small. The quotient counts the steps after the "
            "first window, but not the first window itself.",
            with_bugs(False, False, "no"),
        ),
        Mistake(
            "first window counted twice",
            "For stride 1, your result is one too large. The 1 for the first window "
            "must be added once, after the division.",
            lambda n, k, stride, padding: (n + 2 * padding - k + 1) // stride + 1,
        ),
        Mistake(
            "one added too early",
            "Your function is correct for stride 1. For larger strides, the 1 for the "
            "first window must be added after the division, not before.",
            with_bugs(False, False, "early"),
        ),
        Mistake(
            "padding forgotten",
            "Your result doesn't depend on `padding`, but it should: padding makes the "
            "signal longer.",
            *(
                without_padding(with_bugs(False, exact, one))
                for exact in (True, False)
                for one in ("right", "early", "no")
            ),
        ),
        Mistake(
            "bugs left",
            "At least two of the three bugs are still there. Look at one case at a "
            "time: first one with padding and stride 1, then one with stride 2.",
            *partly_fixed(),
        ),
    ],
    hints=(
        "Take n = 5 and k = 3 with a padding of 1, and draw the padded signal. How "
        "many windows fit with stride 1, and how many with stride 2? What does the "
        "function return?",
        "Check three things: how much longer the padding makes the signal, where the "
        "1 for the first window is added, and what happens if the last window doesn't "
        "end exactly at the end of the padded signal.",
        "There is padding at both ends, and `//` rounds down. Which bug remains? The "
        "quotient should count only the steps after the first window.",
    ),
)
