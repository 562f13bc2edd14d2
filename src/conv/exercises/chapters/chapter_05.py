"""The exercises of chapter 5: pad and stride."""

import math

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
            "both sides on one",
            "Ten pixels get lost, but padding is added on both sides.",
            10,
        ),
        Mistake(
            "kernel's side",
            "With a frame as wide as the kernel the output is larger than the image.",
            11,
        ),
        Mistake(
            "rounded up",
            "Half of 11, rounded up: then the output is two pixels larger than the "
            "image.",
            6,
        ),
        Mistake(
            "half a pixel",
            "A frame is a whole number of pixels wide. What gets lost is k - 1.",
            5.5,
        ),
    ],
    hints=(
        "How many pixels of 40 are left without padding?",
        "A frame of p adds 2p.",
        "2p = k - 1.",
    ),
)

# --- 5.2 ----------------------------------------------------------------------------


def side_after_five_layers() -> int:
    """Compute the side after five convolutions by PyTorch."""
    x, k = torch.empty(1, 1, 224, 224, device="meta"), torch.empty(1, 1, 3, 3)
    for _ in range(5):
        x = F.conv2d(x, k.to("meta"), stride=2, padding=1)
    return x.shape[2]


five_halves = ValueExercise(
    number="5.2",
    kind="predict",
    expected=side_after_five_layers,
    mistakes=[
        Mistake(
            "window's last place forgotten",
            "You lose a pixel on the way: without padding, or without the + 1 for the "
            "first place. Work out the first layer once more: 224 gives 112.",
            6,
        ),
        Mistake(
            "one layer only",
            "That is the side after the first layer. There are five.",
            112,
        ),
        Mistake(
            "one layer fewer",
            "That is the side after four layers.",
            14,
        ),
        Mistake(
            "stride forgotten",
            "With padding 1 and stride 1 the size would stay. Stride 2 halves it.",
            224,
        ),
        Mistake(
            "halved by addition",
            "Five layers don't divide by 2 + 2 + 2 + 2 + 2. Each halves what it gets.",
            22,
            22.4,
            23,
        ),
        Mistake(
            "floor forgotten",
            "A side is a whole number: where the stride doesn't come out even, the "
            "last window has no place.",
            lambda n: n.shape == () and n != int(n),
        ),
    ],
    hints=(
        "One layer: (224 + 2 - 3) / 2, rounded down, plus 1.",
        "An even side is halved exactly by such a layer.",
        "Halve 224 five times.",
    ),
)

# --- 5.3 ----------------------------------------------------------------------------


def padded(x: Tensor, p: int, mode: str) -> Tensor:
    """Pad a signal with PyTorch."""
    return F.pad(x[None, None], (p, p), mode=mode)[0, 0]


def mirrored_with_edge(x: Tensor, p: int) -> Tensor:
    """Reflect including the edge, which repeats the first and last numbers."""
    return torch.cat([x[:p].flip(0), x, x[len(x) - p :].flip(0)])


def mirrored_in_wrong_order(x: Tensor, p: int) -> Tensor:
    """Pad with the right numbers in the wrong order."""
    return torch.cat([x[1 : p + 1], x, x[len(x) - 1 - p : -1]])


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
            "The first and the last number stand twice. The mirror stands *on* them, "
            "not beside them.",
            mirrored_with_edge,
        ),
        Mistake(
            "not mirrored",
            "The right numbers, in the wrong order: a mirror turns them round.",
            mirrored_in_wrong_order,
        ),
        Mistake(
            "ends exchanged",
            "What is mirrored at the left end must come from the left end.",
            lambda x, p: torch.cat([x[-p - 1 : -1].flip(0), x, x[1 : p + 1].flip(0)]),
        ),
        Mistake(
            "round the border",
            "Your signal goes on with its other end. Here it should be mirrored.",
            lambda x, p: padded(x, p, "circular"),
        ),
        Mistake(
            "border stretched",
            "You repeat the border's number. Here the numbers behind it should come.",
            lambda x, p: padded(x, p, "replicate"),
        ),
        Mistake(
            "zeros",
            "You put zeros there. Here a mirror is asked for.",
            lambda x, p: padded(x, p, "constant"),
        ),
        Mistake(
            "padding on one side",
            "Only one end got its frame.",
            lambda x, p: padded(x, p, "reflect")[: len(x) + p],
            lambda x, p: padded(x, p, "reflect")[p:],
        ),
    ],
    hints=(
        "Three pieces, joined by `torch.cat`: the left frame, `x`, the right frame.",
        "The left padding is `x[1]` to `x[p]`, reversed.",
        "`x[1 : p + 1].flip(0)` on the left. On the right, the p numbers before the "
        "last one, `x[-p - 1 : -1]`, also reversed.",
    ),
)

# --- 5.4 ----------------------------------------------------------------------------


def strided_correlation(x: Tensor, k: Tensor, stride: int, padding: int) -> Tensor:
    """Compute the expected result with PyTorch."""
    return F.conv1d(x[None, None], k[None, None], None, stride, padding)[0, 0]


def dilated(x: Tensor, k: Tensor, stride: int, padding: int) -> Tensor:
    """Dilate the kernel instead of using a stride."""
    return F.conv1d(x[None, None], k[None, None], None, 1, padding, stride)[0, 0]


def padded_at_start(x: Tensor, k: Tensor, stride: int, padding: int) -> Tensor:
    """Pad only the beginning."""
    return strided_correlation(F.pad(x, (padding, 0)), k, stride, 0)


def rounded_up(x: Tensor, k: Tensor, stride: int, padding: int) -> Tensor:
    """Let the last window extend beyond the border."""
    framed = F.pad(x, (padding, padding))
    missing = -(len(framed) - len(k)) % stride
    return strided_correlation(F.pad(framed, (0, missing)), k, stride, 0)


def padded_result(x: Tensor, k: Tensor, stride: int, padding: int) -> Tensor:
    """Pad the result instead of the input."""
    return F.pad(strided_correlation(x, k, stride, 0), (padding, padding))


def replicated_border(x: Tensor, k: Tensor, stride: int, padding: int) -> Tensor:
    """Pad by replicating the border."""
    return strided_correlation(padded(x, padding, "replicate"), k, stride, 0)


def without_last_window(x: Tensor, k: Tensor, stride: int, padding: int) -> Tensor:
    """Omit the last window."""
    return strided_correlation(x, k, stride, padding)[:-1]


def without_exact_last_window(
    x: Tensor, k: Tensor, stride: int, padding: int
) -> Tensor:
    """Omit the last window if it ends exactly with the signal."""
    room = len(x) + 2 * padding - len(k)
    return strided_correlation(x, k, stride, padding)[: -(-room // stride)]


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
            "Your window has gaps: its taps lie a stride apart (that is dilation). "
            "A stride is how far the *whole* window moves.",
            dilated,
        ),
        Mistake(
            "padding on one side",
            "The frame stands before the signal only. It belongs on both ends.",
            padded_at_start,
        ),
        Mistake(
            "floor forgotten",
            "Your last window hangs over the border. A place that the window doesn't "
            "reach in full steps is left out.",
            rounded_up,
        ),
        Mistake(
            "last window forgotten",
            "Right as far as it goes, but the last window is missing.",
            without_last_window,
        ),
        Mistake(
            "windows over the border",
            "Your windows go on until they begin at the very end, and hang over it. "
            "The last one must lie inside.",
            lambda x, k, stride, padding: strided_correlation(
                F.pad(x, (padding, padding + len(k) - 1)), k, stride, 0
            ),
        ),
        Mistake(
            "last window forgotten",
            "Where the last window ends with the signal, it is missing.",
            without_exact_last_window,
        ),
        Mistake(
            "padding on one side",
            "The frame stands behind the signal only. It belongs on both ends.",
            lambda x, k, stride, padding: strided_correlation(
                F.pad(x, (0, padding)), k, stride, 0
            ),
        ),
        Mistake(
            "sum overwritten",
            "Each tap's products replace those of the tap before, so only the last "
            "tap is left. `+=` adds, `=` replaces.",
            lambda x, k, stride, padding: strided_correlation(
                x, torch.cat([torch.zeros_like(k[1:]), k[-1:]]), stride, padding
            ),
        ),
        Mistake(
            "mean instead of sum",
            "You divide by the number of taps: a mean. Correlation is a plain sum.",
            lambda x, k, stride, padding: strided_correlation(
                x, k / len(k), stride, padding
            ),
        ),
        Mistake(
            "padded afterwards",
            "The zeros stand around the *result*. They belong around `x`, before the "
            "window slides.",
            padded_result,
        ),
        Mistake(
            "border stretched",
            "You pad with the border's own numbers. Here zeros are asked for.",
            replicated_border,
        ),
        Mistake(
            "stride forgotten",
            "Your window visits every position. It should skip some.",
            lambda x, k, stride, padding: strided_correlation(x, k, 1, padding),
        ),
        Mistake(
            "stride forgotten",
            "You take the right number of windows, but one beside the other. They "
            "should be a stride apart.",
            lambda x, k, stride, padding: strided_correlation(x, k, 1, padding)[
                : len(strided_correlation(x, k, stride, padding))
            ],
        ),
        Mistake(
            "padding forgotten",
            "You don't use `padding`.",
            lambda x, k, stride, padding: strided_correlation(x, k, stride, 0),
        ),
        Mistake(
            "kernel flipped",
            "You flip the kernel: its last weight multiplies the window's first "
            "number.",
            lambda x, k, stride, padding: strided_correlation(
                x, k.flip(0), stride, padding
            ),
        ),
    ],
    hints=(
        "Two steps: put zeros on both ends of `x`, then take the windows.",
        "How many windows? `(len(framed) - len(k)) // stride + 1`, where `framed` is "
        "`x` with its zeros. Window i begins at `i * stride`.",
        "`framed = F.pad(x, (padding, padding))`, and for each i the sum of "
        "`framed[i * stride : i * stride + len(k)] * k`. `torch.stack` joins them.",
    ),
)

# --- 5.5 ----------------------------------------------------------------------------


def broken(n: int, k: int, stride: int, padding: int, dilation: int) -> int:
    """Count outputs, with four bugs (shown in the notebook without docstring)."""
    return (n + padding - k * dilation) / stride


def output_length(n: int, k: int, stride: int, padding: int, dilation: int) -> int:
    """Compute the expected result: the length of PyTorch's output."""
    x, kernel = (torch.empty(1, 1, side, device="meta") for side in (n, k))
    return F.conv1d(x, kernel, None, stride, padding, dilation).shape[2]


def exact_quotient(n: int, k: int, stride: int, padding: int, dilation: int) -> float:
    """Don't round down."""
    return (n + 2 * padding - dilation * (k - 1) - 1) / stride + 1


debug_length = FunctionExercise(
    number="5.5",
    kind="debug",
    expected=output_length,
    broken=broken,
    preserves=(),
    cases=lambda: [
        (1, 1, 1, 0, 1),
        (5, 3, 1, 0, 1),
        (5, 3, 1, 1, 1),
        (6, 2, 2, 1, 1),
        (7, 3, 2, 0, 2),
        (8, 3, 3, 1, 1),
        (9, 2, 2, 2, 3),
        (28, 5, 3, 2, 2),
    ],
    mistakes=[
        Mistake(
            "floor forgotten",
            "Right where the stride comes out even. Else there is a fraction of a "
            "window left, which has no place: round down.",
            exact_quotient,
        ),
        Mistake(
            "rounded up",
            "You round up. A window that would hang over the border has no place.",
            lambda *sizes: math.ceil(exact_quotient(*sizes)),
        ),
        Mistake(
            "padding counted once",
            "Padding is added at both ends.",
            lambda n, k, stride, padding, dilation: (
                (n + padding - dilation * (k - 1) - 1) // stride + 1
            ),
        ),
        Mistake(
            "reach of the kernel",
            "Three taps with dilation 2 reach over five pixels, not six: there are "
            "only two gaps.",
            lambda n, k, stride, padding, dilation: (
                (n + 2 * padding - dilation * k) // stride + 1
            ),
        ),
        Mistake(
            "dilation forgotten",
            "The dilation doesn't count.",
            lambda n, k, stride, padding, dilation: (n + 2 * padding - k) // stride + 1,
        ),
        Mistake(
            "first window forgotten",
            "The first window has a place, too: one more.",
            lambda n, k, stride, padding, dilation: (
                (n + 2 * padding - dilation * (k - 1) - 1) // stride
            ),
        ),
        Mistake(
            "one added too early",
            "You add the 1 before you divide by the stride.",
            lambda n, k, stride, padding, dilation: (
                (n + 2 * padding - dilation * (k - 1)) // stride
            ),
        ),
    ],
    hints=(
        "Begin with n = k = 1 and everything else plain. What should come out, and "
        "what does?",
        "Four things: both ends, the reach of a spread kernel, whole windows only, "
        "and the first window.",
        "The kernel reaches over dilation * (k - 1) + 1 pixels. `//` rounds down.",
    ),
)
