"""The exercises of chapter 7: pool and shrink."""

from collections.abc import Callable

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from conv.exercises.exercise import (
    FunctionExercise,
    Mistake,
    Rule,
    ValueExercise,
    distinct_integers,
    random_integers,
)

# --- 7.1 ----------------------------------------------------------------------------

IMAGE = torch.tensor([[1.0, 5, 2], [4, 0, 3], [7, 6, 8]])


def four_numbers(*numbers: float) -> Callable[[np.ndarray], bool]:
    """Return a predicate that checks an answer for these four numbers, in any shape."""
    return lambda answer: answer.size == 4 and np.allclose(answer.ravel(), numbers)


overlapping = ValueExercise(
    number="7.1",
    kind="predict",
    expected=lambda: F.max_pool2d(IMAGE[None, None], 2, stride=1).flatten(),
    mistakes=[
        Mistake(
            "stride 2",
            "Your windows don't overlap, so only one of them fits. The stride in this "
            "exercise is 1.",
            lambda y: y.size == 1 and y.item() == 5,
        ),
        Mistake(
            "maximum of the image",
            "8 is the largest number in the whole image. Each window has its own "
            "maximum.",
            lambda y: y.size == 1 and y.item() == 8,
        ),
        Mistake(
            "windows beyond the border",
            "You moved the windows by two pixels and let them extend beyond the "
            "border. Here the stride is 1, and each window lies inside the image.",
            four_numbers(5, 3, 7, 8),
        ),
        Mistake(
            "mean instead of maximum",
            "You computed the means of the windows; that is average pooling.",
            four_numbers(2.5, 2.5, 4.25, 4.25),
        ),
        Mistake(
            "minimum instead of maximum",
            "You took the smallest number in each window. Max pooling takes the "
            "largest.",
            four_numbers(0, 0, 0, 0),
        ),
        Mistake(
            "sum instead of maximum",
            "You computed the sums of the windows. Max pooling takes the largest "
            "number in each window.",
            four_numbers(10, 10, 17, 17),
        ),
        Mistake(
            "column by column",
            "Your numbers are correct, but you listed them column by column. Start "
            "with the two windows at the top.",
            four_numbers(5, 7, 5, 8),
        ),
    ],
    hints=(
        "How many 2 x 2 windows are there in a 3 x 3 image, if neighboring windows are "
        "one pixel apart?",
        "There are four windows: top left, top right, bottom left, and bottom right. "
        "They all share the middle pixel, which is 0.",
        "The first window contains 1, 5, 4, and 0, so the first number is 5. Do the "
        "same for the other three windows.",
    ),
)

# --- 7.2 ----------------------------------------------------------------------------


def window_minimum(x: Tensor, k: int) -> Tensor:
    """Compute the expected result: the minimum of each window, with PyTorch."""
    return x.unfold(2, k, k).unfold(3, k, k).amin(dim=(4, 5))


min_pool = FunctionExercise(
    number="7.2",
    kind="implement",
    expected=window_minimum,
    cases=lambda: [
        (distinct_integers(*size), k)
        for size, k in [
            ((1, 1, 2, 2), 2),
            ((1, 1, 2, 4), 2),
            ((1, 2, 5, 4), 2),
            ((1, 1, 3, 6), 3),
            ((2, 1, 3, 6), 3),
            ((2, 3, 8, 8), 4),
        ]
    ],
    rules=(
        Rule(
            message="The numbers are correct, but your function doesn't use "
            "`conv.pool2d` or PyTorch's max pooling. This exercise asks you to find "
            "the minimum with one of them.",
            needs=("pool2d", "max_pool2d", "MaxPool2d", "max_pool1d", "MaxPool1d"),
        ),
    ),
    mistakes=[
        Mistake(
            "maximum instead of minimum",
            "You used max pooling directly. How could you make it find the smallest "
            "number?",
            lambda x, k: F.max_pool2d(x, k),
        ),
        Mistake(
            "sign changed too late",
            "You changed the sign only after pooling. The result is the largest number "
            "with its sign flipped, not the smallest number.",
            lambda x, k: -F.max_pool2d(x, k),
        ),
        Mistake(
            "mean instead of minimum",
            "You computed the means of the windows; that is average pooling.",
            lambda x, k: F.avg_pool2d(x, k),
        ),
        Mistake(
            "absolute values",
            "You used absolute values, so the sign of each number is lost. The "
            "smallest number can be negative.",
            lambda x, k: -F.max_pool2d(-x.abs(), k),
            lambda x, k: F.max_pool2d(x.abs(), k),
            lambda x, k: -F.max_pool2d(x.abs(), k),
        ),
        Mistake(
            "reciprocals",
            "Taking reciprocals reverses the order of positive numbers, but the "
            "numbers in this exercise can also be negative or 0.",
            lambda x, k: 1 / F.max_pool2d(1 / x, k),
        ),
        Mistake(
            "window size fixed",
            "Your windows are always 2 x 2. Their size should be `k`.",
            lambda x, k: -F.max_pool2d(-x, 2),
        ),
        Mistake(
            "windows overlap",
            "Your windows are one pixel apart, so they overlap. They should be `k` "
            "pixels apart.",
            lambda x, k: -F.max_pool2d(-x, k, stride=1),
        ),
    ],
    hints=(
        "Which is larger, -3 or -5? And which is larger, 3 or 5?",
        "Changing the sign of all numbers reverses their order. What happens to the "
        "largest number in a window?",
        "There are three steps: negate `x`, pool with windows of size `k`, and negate "
        "the result.",
    ),
)

# --- 7.3 ----------------------------------------------------------------------------


def blurred(x: Tensor, kernel: Tensor, stride: int = 2, padding: int = 2) -> Tensor:
    """Blur each channel separately with PyTorch."""
    each = [F.conv2d(c, kernel, None, stride, padding) for c in x.split(1, dim=1)]
    return torch.cat(each, dim=1)


def blurred_with_padding(mode: str) -> Callable[[Tensor, Tensor], Tensor]:
    """Return the blur with padding other than zeros."""
    return lambda x, kernel: blurred(F.pad(x, (2, 2, 2, 2), mode), kernel, padding=0)


blur_pool = FunctionExercise(
    number="7.3",
    kind="implement",
    expected=lambda x, kernel: blurred(x, kernel),
    cases=lambda: [
        (random_integers(*size), random_integers(1, 1, 5, 5, seed=1))
        for size in [
            (1, 1, 2, 2),
            (1, 1, 3, 4),
            (1, 2, 4, 4),
            (1, 1, 5, 6),
            (2, 1, 6, 6),
            (2, 3, 7, 6),
        ]
    ],
    mistakes=[
        Mistake(
            "channels summed",
            "You summed over the channels. Each channel should be blurred separately; "
            "use the `groups` argument (chapter 6).",
            lambda x, kernel: blurred(x, kernel).sum(dim=1, keepdim=True),
            lambda x, kernel: (
                blurred(x, kernel).sum(dim=1, keepdim=True).expand(*x.shape[:2], -1, -1)
            ),
        ),
        Mistake(
            "kernel not repeated",
            "Your function works only for a single channel. For C channels, the tensor "
            "must contain one kernel per channel.",
            lambda x, kernel: F.conv2d(
                x, kernel, stride=2, padding=2, groups=x.shape[1]
            ),
            lambda x, kernel: F.conv2d(x, kernel, stride=2, padding=2),
        ),
        Mistake(
            "stride forgotten",
            "Your output is as large as the input. The exercise asks for every other "
            "pixel.",
            lambda x, kernel: blurred(x, kernel, stride=1),
        ),
        Mistake(
            "odd pixels kept",
            "You kept pixels 1, 3, 5, ... of the blurred image. The exercise "
            "asks for pixels 0, 2, 4, ...",
            lambda x, kernel: blurred(x, kernel, stride=1)[..., 1::2, 1::2],
        ),
        Mistake(
            "skipped before the blur",
            "You skipped pixels first and then blurred the rest. By then, fine "
            "stripes had already become coarse ones.",
            lambda x, kernel: blurred(x[..., ::2, ::2], kernel, stride=1),
        ),
        Mistake(
            "pooled instead of skipped",
            "You pooled the blurred image. The exercise asks for every other "
            "pixel, without any pooling.",
            lambda x, kernel: F.max_pool2d(blurred(x, kernel, stride=1), 2),
            lambda x, kernel: F.max_pool2d(
                blurred(x, kernel, stride=1), 2, ceil_mode=True
            ),
            lambda x, kernel: F.avg_pool2d(blurred(x, kernel, stride=1), 2),
            lambda x, kernel: F.avg_pool2d(
                blurred(x, kernel, stride=1), 2, ceil_mode=True
            ),
        ),
        Mistake(
            "padding too narrow",
            "You padded by one pixel on each side. With a 5 x 5 kernel, you need "
            "two to preserve the size.",
            lambda x, kernel: blurred(x, kernel, padding=1),
        ),
        Mistake(
            "padding forgotten",
            "Your blur has no padding, so the pixels at the border are missing.",
            lambda x, kernel: blurred(x, kernel, padding=0),
            lambda x, kernel: blurred(x, kernel, padding=0, stride=1)[..., ::2, ::2],
        ),
        Mistake(
            "other padding",
            "You padded with pixels from the image itself. This exercise asks for "
            "zeros.",
            blurred_with_padding("circular"),
            blurred_with_padding("replicate"),
            blurred_with_padding("reflect"),
        ),
        Mistake(
            "kernel flipped",
            "You flipped the kernel. For `blur`, which is symmetric, flipping makes "
            "no difference, but your function should work for any kernel.",
            lambda x, kernel: blurred(x, kernel.flip(2, 3)),
        ),
        Mistake(
            "first channel only",
            "Your function blurs only the first channel. Every channel should be "
            "blurred.",
            lambda x, kernel: blurred(x[:, :1], kernel),
            lambda x, kernel: blurred(x[:, :1].expand_as(x), kernel),
            lambda x, kernel: torch.cat(
                [blurred(x[:, :1], kernel), x[:, 1:, ::2, ::2]], dim=1
            ),
        ),
    ],
    hints=(
        "Which arguments of `conv.conv2d` add the zeros, skip pixels, and keep the "
        "channels separate?",
        "With `groups=C`, every channel has its own kernel, so the kernels form a "
        "tensor of shape (C, 1, 5, 5). Here all C kernels are the same.",
        "`kernel.expand(C, -1, -1, -1)` repeats the kernel for C channels. Pass the "
        "result to `conv.conv2d` with the correct stride, padding, and groups.",
    ),
)

# --- 7.4 ----------------------------------------------------------------------------


def smallest_shift() -> int:
    """Shift an image until the output of three pooling layers shifts by one."""
    x = torch.rand(1, 1, 64, 64, generator=torch.Generator().manual_seed(0))
    net = nn.Sequential(*[nn.MaxPool2d(2) for _ in range(3)])
    target = net(x).roll(1, dims=-1)
    shifts = range(1, 64)
    return next(t for t in shifts if torch.equal(net(x.roll(t, dims=-1)), target))


three_pooling_layers = ValueExercise(
    number="7.4",
    kind="explain",
    expected=smallest_shift,
    tolerance=0,
    reason="c",
    mistakes=[
        Mistake(
            "one layer only",
            "A shift of 2 pixels is enough for one layer, but the network has three.",
            2,
        ),
        Mistake(
            "two layers only",
            "A shift of 4 pixels moves the output of two layers by one pixel. The "
            "network has three; measure the shift for all of them.",
            4,
        ),
        Mistake(
            "strides added",
            "You added the strides. Measure again: a pixel of the second layer's input "
            "already corresponds to two pixels of the image.",
            6,
        ),
        Mistake(
            "layers counted",
            "3 is the number of layers. Each of them halves the size, so a shift of 3 "
            "pixels doesn't correspond to a whole number of output pixels.",
            3,
        ),
        Mistake(
            "areas multiplied",
            "You multiplied the windows' areas. For a horizontal shift, only their "
            "width matters.",
            64,
        ),
        Mistake(
            "smallest shift that changes anything",
            "A shift of one pixel can change the output. The question asks for a shift "
            "that moves the output by exactly one pixel.",
            1,
        ),
    ],
    reasons={
        "a": Mistake(
            "area of the window",
            "A window contains four pixels, but it is only two pixels wide. For "
            "a horizontal shift, only its width matters.",
        ),
        "b": Mistake(
            "maximum assumed invariant",
            "If max pooling ignored shifts, the output wouldn't move at all. You just "
            "measured that it moves by one pixel.",
        ),
    },
    hints=(
        "Let `x = torch.rand(1, 1, 64, 64)`, and let `net` be a `torch.nn.Sequential` "
        "of three `torch.nn.MaxPool2d(2)`. If the output shifts by one pixel, how is "
        "it related to `net(x)`?",
        "For t = 1, 2, ..., compare `net(x.roll(t, dims=-1))` with `net(x).roll(1, "
        "dims=-1)`. What is the first t for which `torch.equal` returns True?",
        "One pixel of the last layer's output corresponds to two pixels of its input. "
        "How many pixels is that one layer earlier, and how many in the network's "
        "input?",
    ),
)
