"""The exercises of chapter 8: see further."""

import itertools

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

import conv
from conv.exercises.exercise import (
    FunctionExercise,
    Mistake,
    ValueExercise,
    random_integers,
)

# --- 8.1 ----------------------------------------------------------------------------


def layers_for(pixels: int) -> int:
    """Count the 3 x 3 layers until the receptive field has this many columns."""
    layers: list[nn.Module] = []
    while conv.receptive_field(layers)[0] < pixels:
        layers.append(nn.Conv2d(1, 1, 3))
    return len(layers)


hundred_pixels = ValueExercise(
    number="8.1",
    kind="predict",
    expected=lambda: layers_for(100),
    mistakes=[
        Mistake(
            "fields don't overlap",
            "You gave each layer three pixels of its own. But one output of the "
            "second layer looks at three *neighbors*, whose windows overlap.",
            33,
            34,
            100 / 3,
        ),
        Mistake(
            "one pixel a layer",
            "A 3 x 3 layer looks one pixel farther at *both* ends.",
            99,
            100,
            98,
        ),
        Mistake(
            "one layer too few",
            "Then one output sees 99 pixels.",
            49,
        ),
        Mistake(
            "exponential growth",
            "The field would multiply if each layer had a stride of 2 or more. With "
            "stride 1 it only grows by a constant.",
            5,
            6,
            7,
        ),
        Mistake(
            "one layer too many",
            "One layer fewer sees more than 100 pixels already.",
            51,
        ),
    ],
    hints=(
        "One layer sees 3 pixels across. And two?",
        "Each further layer adds one pixel at each end.",
        "1 + 2n is to be at least 100.",
    ),
)

# --- 8.2 ----------------------------------------------------------------------------


def offsets_reached(dilations: np.ndarray) -> set[int]:
    """List the horizontal offsets that a stack of 3 x 3 layers reaches."""
    steps = [(-int(d), 0, int(d)) for d in dilations]
    return {sum(path) for path in itertools.product(*steps)}


def is_contiguous(offsets: set[int]) -> bool:
    """Return whether offsets are contiguous."""
    return len(offsets) == max(offsets) - min(offsets) + 1


def are_four_positive_integers(dilations: np.ndarray) -> bool:
    """Return whether these are four positive integers of reasonable size."""
    return dilations.shape == (4,) and all(
        d == int(d) and 1 <= d < 1000 for d in dilations
    )


dilations = ValueExercise(
    number="8.2",
    kind="predict",
    expected=lambda: torch.tensor([1, 3, 9, 27]),
    accept=lambda d: (
        are_four_positive_integers(d)
        and len(offsets_reached(d)) == 81
        and is_contiguous(offsets_reached(d))
    ),
    mistakes=[
        Mistake(
            "not four dilations",
            "Give four whole numbers from 1 to 999, one for each layer.",
            lambda d: not are_four_positive_integers(d),
        ),
        Mistake(
            "holes",
            "With these dilations some pixels between the seen ones are not seen. "
            "List the offsets that one output reaches.",
            lambda d: not is_contiguous(offsets_reached(d)),
        ),
        Mistake(
            "doubling",
            "No hole: this is the usual doubling. But many pixels are reached in more "
            "than one way, and each extra way is wasted.",
            lambda d: sorted(d) == [1, 2, 4, 8],
        ),
        Mistake(
            "narrower than possible",
            "No hole, but a wider field is possible.",
            lambda d: len(offsets_reached(d)) < 81,
        ),
    ],
    hints=(
        "Four layers of three taps: how many ways from the output back to the input "
        "are there?",
        "Widest is a field where every way leads to another pixel: 3 * 3 * 3 * 3 of "
        "them.",
        "One layer sees -1, 0, 1. Which dilation puts three copies of that side by "
        "side? And three copies of the nine?",
    ),
)

# --- 8.3 ----------------------------------------------------------------------------


def upsampled(x: Tensor) -> Tensor:
    """Compute the expected result with PyTorch."""
    return x.repeat_interleave(2, dim=2).repeat_interleave(2, dim=3)


def transposed_conv(x: Tensor, stamp: list, **options: int) -> Tensor:
    """Apply a transposed convolution with a 2 x 2 kernel to each channel."""
    stamps = torch.tensor(stamp).to(x).expand(x.shape[1], 1, 2, 2)
    return F.conv_transpose2d(x, stamps, stride=2, groups=x.shape[1])


enlarge = FunctionExercise(
    number="8.3",
    kind="implement",
    expected=upsampled,
    cases=lambda: [
        (random_integers(*size),)
        for size in [
            (1, 1, 1, 1),
            (1, 1, 1, 2),
            (1, 2, 2, 1),
            (2, 2, 2, 2),
            (2, 3, 2, 3),
        ]
    ],
    mistakes=[
        Mistake(
            "channels summed",
            "Every output channel is the sum of all input channels. Each should be "
            "stamped on its own: a matter of groups.",
            lambda x: upsampled(x.sum(dim=1, keepdim=True).expand_as(x)),
        ),
        Mistake(
            "channels summed",
            "Your output has one channel, the sum of all. Each should be stamped on "
            "its own: a matter of groups.",
            lambda x: upsampled(x.sum(dim=1, keepdim=True)),
        ),
        Mistake(
            "zeros between",
            "Each pixel stands once, with zeros beside it. The stamp must fill all "
            "four places.",
            lambda x: transposed_conv(x, [[1.0, 0], [0, 0]]),
        ),
        Mistake(
            "image tiled",
            "You laid copies of the whole image side by side.",
            lambda x: x.repeat(1, 1, 2, 2),
        ),
        Mistake(
            "brightness shared out",
            "Each pixel is spread over four, a quarter each. It should stand four "
            "times, whole.",
            lambda x: upsampled(x) / 4,
        ),
        Mistake(
            "one axis only",
            "Only one axis was enlarged.",
            lambda x: x.repeat_interleave(2, dim=3),
            lambda x: x.repeat_interleave(2, dim=2),
        ),
        Mistake(
            "stamps overlap",
            "Your stamps overlap and add up. How far must one stamp be from the next?",
            lambda x: F.conv_transpose2d(
                x, x.new_ones(x.shape[1], 1, 2, 2), groups=x.shape[1]
            ),
        ),
    ],
    hints=(
        "The stamp should print a pixel on 2 by 2 places. Which numbers are in it?",
        "The stamps stand side by side: stride 2. Each channel has its own: groups.",
        "A stamp for each channel: ones of shape (C, 1, 2, 2), `stride=2, groups=C`.",
    ),
)

# --- 8.4 ----------------------------------------------------------------------------


def output_side(answer: np.ndarray) -> float:
    """Compute the output side of a transposed convolution for an input side of 10."""
    padding, output_padding = answer
    return 9 * 3 + 5 - 2 * padding + output_padding


def is_allowed(answer: np.ndarray) -> bool:
    """Return whether PyTorch accepts this padding and output padding."""
    whole = all(part == int(part) and part >= 0 for part in answer)
    return whole and answer[1] < 3


exactly_thirty = ValueExercise(
    number="8.4",
    kind="predict",
    expected=lambda: torch.tensor([1, 0]),
    accept=lambda a: is_allowed(a) and output_side(a) == 30,
    mistakes=[
        Mistake(
            "padding thought to enlarge",
            "(0, 0) gives 32. In a transposed convolution padding *cuts off*, "
            "p at each end; output padding adds, at one end.",
            lambda a: a.shape == (2,) and is_allowed(a) and output_side(a) > 30,
        ),
        Mistake(
            "too much cut off",
            "Padding cuts off p pixels at *each* end. Your output is smaller than 30.",
            lambda a: a.shape == (2,) and is_allowed(a) and output_side(a) < 30,
        ),
        Mistake(
            "not allowed",
            "The sum comes out, but output padding must be a whole number from 0 to "
            "stride - 1, and padding a whole number of at least 0.",
            lambda a: a.shape == (2,) and output_side(a) == 30,
        ),
    ],
    hints=(
        "How large is the output with padding 0 and output padding 0?",
        "(10 - 1) * 3 + 5 is 32. Padding takes away 2p, output padding adds.",
        "2 * padding - output_padding = 2.",
    ),
)
