"""The exercises of chapter 7: pool and shrink."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from conv.exercises.exercise import (
    FunctionExercise,
    Mistake,
    ValueExercise,
    distinct_integers,
    random_integers,
)

# --- 7.1 ----------------------------------------------------------------------------

PICTURE = torch.tensor([[1.0, 5, 2], [4, 0, 3], [7, 6, 8]])

overlapping = ValueExercise(
    number="7.1",
    kind="predict",
    expected=lambda: F.max_pool2d(PICTURE[None, None], 2, stride=1).flatten(),
    mistakes=[
        Mistake(
            "stride as large as the window",
            "Windows that don't overlap would have one place only. Here the stride "
            "is 1.",
            lambda y: y.size == 1,
        ),
        Mistake(
            "mean instead of maximum",
            "These are the means of the windows.",
            F.avg_pool2d(PICTURE[None, None], 2, stride=1).flatten(),
        ),
        Mistake(
            "smallest instead of largest",
            "These are the smallest numbers of the windows.",
            -F.max_pool2d(-PICTURE[None, None], 2, stride=1).flatten(),
        ),
        Mistake(
            "sum instead of maximum",
            "These are the windows' sums.",
            4 * F.avg_pool2d(PICTURE[None, None], 2, stride=1).flatten(),
        ),
        Mistake(
            "column by column",
            "The right numbers, column by column. Go row by row.",
            torch.tensor([5.0, 7, 5, 8]),
        ),
        Mistake(
            "matrix for a row",
            "The numbers are right, but as a matrix. Give the four in one row.",
            F.max_pool2d(PICTURE[None, None], 2, stride=1)[0, 0],
        ),
    ],
    hints=(
        "Four windows of 2 by 2 overlap: upper left, upper right, lower left, lower "
        "right.",
        "The upper left one holds 1, 5, 4 and 0.",
        "From each of the four take the largest number.",
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
    mistakes=[
        Mistake(
            "largest instead of smallest",
            "This is max pooling. How can a maximum find what is smallest?",
            lambda x, k: F.max_pool2d(x, k),
        ),
        Mistake(
            "sign not changed back",
            "You found the right numbers, but with the other sign: change it back.",
            lambda x, k: -window_minimum(x, k),
        ),
        Mistake(
            "sign changed too late",
            "You change the sign after the maximum. Then it still is the largest "
            "number.",
            lambda x, k: -F.max_pool2d(x, k),
        ),
        Mistake(
            "mean instead of minimum",
            "These are the windows' means.",
            lambda x, k: F.avg_pool2d(x, k),
        ),
        Mistake(
            "window's size fixed",
            "Your windows are always 2 by 2. Use `k`.",
            lambda x, k: -F.max_pool2d(-x, 2),
        ),
        Mistake(
            "windows overlap",
            "Your windows move by one pixel. They should stand side by side.",
            lambda x, k: -F.max_pool2d(-x, k, stride=1),
        ),
    ],
    hints=(
        "Which of -3 and -5 is larger?",
        "The smallest number is the one whose negative is largest.",
        "Change the sign, pool, change the sign back.",
    ),
)

# --- 7.3 ----------------------------------------------------------------------------


def blurred(x: Tensor, kernel: Tensor, **options: int) -> Tensor:
    """Blur each channel separately with PyTorch."""
    options = {"padding": 2, "stride": 2} | options
    each = [F.conv2d(c, kernel, **options) for c in x.split(1, dim=1)]
    return torch.cat(each, dim=1)


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
            "The channels run together. Each should be blurred on its own: in "
            "chapter 6 that was a matter of groups.",
            lambda x, kernel: blurred(x, kernel).sum(dim=1, keepdim=True),
            lambda x, kernel: (
                blurred(x, kernel)
                .sum(dim=1, keepdim=True)
                .expand(-1, x.shape[1], -1, -1)
            ),
        ),
        Mistake(
            "kernel not repeated",
            (
                "Right for one channel. With groups, each channel needs a kernel of "
                "its own: repeat the one that you have."
            ),
            lambda x, kernel: F.conv2d(
                x, kernel, stride=2, padding=2, groups=x.shape[1]
            ),
            lambda x, kernel: F.conv2d(x, kernel, stride=2, padding=2),
        ),
        Mistake(
            "stride forgotten",
            "The image keeps its size. Every second pixel was asked for.",
            lambda x, kernel: blurred(x, kernel, stride=1),
        ),
        Mistake(
            "odd pixels kept",
            "You keep pixels 1, 3, 5, ... The first is pixel 0.",
            lambda x, kernel: blurred(x, kernel, stride=1)[..., 1::2, 1::2],
        ),
        Mistake(
            "skipped before the blur",
            "You keep every second pixel first and blur then. Then the fine stripes "
            "have already turned into coarse ones.",
            lambda x, kernel: blurred(x[..., ::2, ::2], kernel, stride=1),
        ),
        Mistake(
            "frame too narrow",
            "A kernel of 5 keeps the size with a frame of 2, not of 1.",
            lambda x, kernel: blurred(F.pad(x, (1, 1, 1, 1)), kernel, padding=0),
        ),
        Mistake(
            "padding forgotten",
            "The frame of zeros is missing.",
            lambda x, kernel: blurred(x, kernel, padding=0),
            lambda x, kernel: blurred(x, kernel, padding=0, stride=1)[..., ::2, ::2],
        ),
        Mistake(
            "first channel only",
            "Only the first channel is blurred.",
            lambda x, kernel: blurred(x[:, :1], kernel),
        ),
        Mistake(
            "first channel only",
            "Every output channel is the blurred first one.",
            lambda x, kernel: blurred(x[:, :1].expand_as(x), kernel),
        ),
        Mistake(
            "first channel only",
            "Only the first channel is blurred; of the others you only keep every "
            "second pixel.",
            lambda x, kernel: torch.cat(
                [blurred(x[:, :1], kernel), x[:, 1:, ::2, ::2]], dim=1
            ),
        ),
    ],
    hints=(
        "`conv.conv2d` has `stride`, `padding` and `groups`.",
        "With `groups=C` each channel meets a kernel of its own, of shape (1, 5, 5). "
        "All C of them are alike.",
        "`kernel.expand(C, -1, -1, -1)` repeats it without copying.",
    ),
)

# --- 7.4 ----------------------------------------------------------------------------


def smallest_shift() -> int:
    """Shift an image until the output of three poolings shifts by one."""
    x = torch.rand(1, 1, 64, 64, generator=torch.Generator().manual_seed(0))
    net = nn.Sequential(*[nn.MaxPool2d(2) for _ in range(3)])
    target = net(x).roll(1, dims=-1)
    shifts = range(1, 64)
    return next(t for t in shifts if torch.equal(net(x.roll(t, dims=-1)), target))


three_poolings = ValueExercise(
    number="7.4",
    kind="explain",
    expected=smallest_shift,
    tolerance=0,
    reason="c",
    mistakes=[
        Mistake(
            "one layer only",
            "Two pixels move one layer's output by one. There are three layers.",
            2,
        ),
        Mistake(
            "strides added",
            "2 + 2 + 2. But a pixel of the second layer stands for two of the first.",
            6,
        ),
        Mistake(
            "layers counted",
            "Three layers, but each halves.",
            3,
            4,
        ),
        Mistake(
            "smallest shift that changes anything",
            "One pixel may change the output. The question asks when it *moves*, by "
            "exactly one.",
            1,
        ),
    ],
    reasons={
        "a": Mistake(
            "windows' area taken",
            "Four pixels in each window, but in one direction only two of them.",
        ),
        "b": Mistake(
            "maxima thought to ignore moves",
            "Maxima don't ignore moves: you just moved the output by one pixel.",
        ),
    },
    hints=(
        "Take `x = torch.rand(1, 1, 64, 64)` and three `torch.nn.MaxPool2d(2)` in a "
        "`torch.nn.Sequential`. Move `x` with `x.roll(t, dims=-1)`, and compare the "
        "outputs.",
        "`torch.equal(net(x.roll(t, dims=-1)), net(x).roll(1, dims=-1))`, for t = 1, "
        "2, ...",
        "One step of the last output is two steps of the layer before it, and each of "
        "those is two again. Go back to the input.",
    ),
)
