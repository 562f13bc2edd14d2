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
    Rule,
    ValueExercise,
    random_integers,
)

# --- 8.1 ----------------------------------------------------------------------------


def layers_for(pixels: int) -> int:
    """Count the 3 x 3 layers it takes to make the receptive field this wide."""
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
            "windows don't overlap",
            "You counted three new pixels for every layer, but the windows of "
            "neighboring pixels overlap, so the field grows more slowly.",
            33,
            34,
            lambda n: n.shape == () and 33.3 <= n < 33.4,
        ),
        Mistake(
            "one pixel per layer",
            "You counted one new pixel for every layer. A 3 x 3 layer adds one pixel "
            "on *each* side of the field.",
            98,
            99,
            100,
        ),
        Mistake(
            "one layer too few",
            "With 49 layers, the field is only 99 pixels wide.",
            49,
        ),
        Mistake(
            "half a layer",
            "The field would be exactly 100 pixels wide with 49.5 layers. The number "
            "of layers must be a whole number, and the field may be wider than 100 "
            "pixels.",
            49.5,
        ),
        Mistake(
            "exponential growth",
            "You multiplied the width by a factor in every layer. With stride 1 and "
            "no dilation, each layer adds only a constant.",
            5,
            6,
            7,
        ),
        Mistake(
            "one layer too many",
            "It takes fewer layers to make the field 100 pixels wide. The first layer "
            "already sees three pixels, not one.",
            51,
        ),
    ],
    hints=(
        "How wide is the receptive field after one 3 x 3 layer, after two, and after "
        "three?",
        "The first layer sees 3 pixels, and each additional layer adds one pixel on "
        "each side.",
        "After n layers, the field is 1 + 2n pixels wide. What is the smallest whole "
        "number n for which it reaches 100?",
    ),
)

# --- 8.2 ----------------------------------------------------------------------------


def offsets_reached(dilations: np.ndarray) -> set[int]:
    """List the horizontal offsets that a stack of 3 x 3 layers reaches."""
    steps = [(-int(d), 0, int(d)) for d in dilations.flat]
    return {sum(path) for path in itertools.product(*steps)}


def is_contiguous(offsets: set[int]) -> bool:
    """Return whether offsets are contiguous."""
    return len(offsets) == max(offsets) - min(offsets) + 1


def are_four_positive_integers(dilations: np.ndarray) -> bool:
    """Return whether these are four positive integers."""
    return dilations.size == 4 and all(d == int(d) and d >= 1 for d in dilations.flat)


def cover_widest_field(dilations: np.ndarray) -> bool:
    """Return whether four dilations reach 81 pixels, as many as there are paths."""
    offsets = offsets_reached(dilations)
    return len(offsets) == 81 and is_contiguous(offsets)


dilations = ValueExercise(
    number="8.2",
    kind="predict",
    expected=lambda: torch.tensor([1, 3, 9, 27]),
    accept=lambda d: are_four_positive_integers(d) and cover_widest_field(d),
    mistakes=[
        Mistake(
            "not four dilations",
            "Answer with four positive whole numbers, one dilation for each layer.",
            lambda d: not are_four_positive_integers(d),
        ),
        Mistake(
            "gaps",
            "With these dilations, the field has gaps. List the offsets, relative to "
            "the center, of the pixels that one output depends on, or draw them layer "
            "by layer.",
            lambda d: not is_contiguous(offsets_reached(d)),
        ),
        Mistake(
            "doubling",
            "With the usual doubling, the field has no gaps, but it could be wider: "
            "many of its pixels are the starting point of more than one path.",
            lambda d: sorted(d.flat) == [1, 2, 4, 8],
        ),
        Mistake(
            "narrower than possible",
            "The field has no gaps, but it could be wider. Some of its "
            "pixels are the starting point of more than one path.",
            lambda d: not cover_widest_field(d),
        ),
    ],
    hints=(
        "Consider a single row, in which each layer has three taps. How many paths "
        "lead through four layers to one output?",
        "The field is as wide as possible if every path starts at a different pixel. "
        "There are 3 · 3 · 3 · 3 paths.",
        "A layer with dilation 1 reaches the offsets -1, 0, and 1. Which dilation puts "
        "three copies of these side by side, without gaps or overlap? Continue from "
        "there.",
    ),
)

# --- 8.3 ----------------------------------------------------------------------------


def upsampled(x: Tensor) -> Tensor:
    """Compute the expected result with PyTorch."""
    return x.repeat_interleave(2, dim=2).repeat_interleave(2, dim=3)


def transposed_conv(x: Tensor, kernel: list, **options: int) -> Tensor:
    """Apply a transposed convolution with stride 2 to each channel."""
    kernels = torch.tensor(kernel).to(x).repeat(x.shape[1], 1, 1, 1)
    return F.conv_transpose2d(x, kernels, stride=2, groups=x.shape[1], **options)


INTERPOLATION = [[0.25, 0.5, 0.25], [0.5, 1.0, 0.5], [0.25, 0.5, 0.25]]

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
    rules=(
        Rule(
            message="The numbers are correct, but this exercise asks for a transposed "
            "convolution. Use `conv.conv_transpose2d`.",
            needs=("conv_transpose2d", "ConvTranspose2d"),
        ),
    ),
    mistakes=[
        Mistake(
            "channels summed",
            "You summed over the channels. Each channel should be enlarged "
            "separately, and `groups` is the option for that (chapter 6).",
            lambda x: upsampled(x.sum(dim=1, keepdim=True).expand_as(x)),
            lambda x: upsampled(x.sum(dim=1, keepdim=True)),
        ),
        Mistake(
            "kernel not repeated",
            "Your function works only for a single channel. With groups, the kernel "
            "tensor must contain one kernel for each channel.",
            lambda x: F.conv_transpose2d(
                x, x.new_ones(1, 1, 2, 2), stride=2, groups=x.shape[1]
            ),
            lambda x: F.conv_transpose2d(x, x.new_ones(1, 1, 2, 2), stride=2),
        ),
        Mistake(
            "zeros between",
            "Each pixel appears once, with zeros next to it. Its value should fill "
            "all four pixels of its block.",
            lambda x: transposed_conv(x, [[1.0, 0], [0, 0]]),
        ),
        Mistake(
            "image tiled",
            "Your result consists of copies of the whole image, side by side. Each "
            "pixel should be repeated individually.",
            lambda x: x.repeat(1, 1, 2, 2),
        ),
        Mistake(
            "brightness divided",
            "The value of each pixel is split among the four pixels of its block. Each "
            "of the four should have the full value.",
            lambda x: upsampled(x) / 4,
        ),
        Mistake(
            "one axis only",
            "Your function enlarges the image along only one axis.",
            lambda x: x.repeat_interleave(2, dim=3),
            lambda x: x.repeat_interleave(2, dim=2),
        ),
        Mistake(
            "stride forgotten",
            "The copies of your kernel are one pixel apart, so they overlap and add "
            "up. How far apart must they be to lie side by side?",
            lambda x: F.conv_transpose2d(
                x, x.new_ones(x.shape[1], 1, 2, 2), groups=x.shape[1]
            ),
        ),
        Mistake(
            "kernel too large",
            "The copies of your kernel are wider than the distance between them, so "
            "they overlap and add up. How large must a block be?",
            lambda x: transposed_conv(x, [[1.0] * 3] * 3),
            lambda x: transposed_conv(x, [[1.0] * 3] * 3, padding=1, output_padding=1),
            lambda x: transposed_conv(x, [[1.0] * 4] * 4, padding=1),
        ),
        Mistake(
            "interpolated",
            "Your function interpolates: some pixels of your result are weighted "
            "averages of several pixels of `x`. Here each pixel should only be "
            "repeated.",
            lambda x: F.interpolate(x, scale_factor=2, mode="bilinear"),
            lambda x: transposed_conv(x, INTERPOLATION, padding=1, output_padding=1),
        ),
    ],
    hints=(
        "A transposed convolution adds one copy of the kernel to the output for each "
        "pixel, multiplied by that pixel. Which kernel turns one pixel into a 2 x 2 "
        "block of copies of it?",
        "The blocks lie side by side, which determines the stride. The channels are "
        "kept separate, which determines the number of groups.",
        "Create one kernel of ones for each channel, as a tensor of shape "
        "(C, 1, 2, 2), and call `conv.conv_transpose2d` with the correct stride and "
        "number of groups.",
    ),
)

# --- 8.4 ----------------------------------------------------------------------------


def output_side(answer: np.ndarray) -> float:
    """Compute the side of a transposed convolution's output, for an input of 10."""
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
            "order swapped",
            "You swapped the two numbers: the padding comes first. With "
            "padding 0 and output padding 1, the output has 33 x 33 pixels.",
            (0, 1),
        ),
        Mistake(
            "size times stride",
            "10 times 3 is 30, but the output is larger: the last copy of the 5 x 5 "
            "kernel is wider than the stride.",
            (0, 0),
        ),
        Mistake(
            "output too large",
            "Your pair gives an output larger than 30 x 30. In a transposed "
            "convolution, padding makes the output smaller, and output padding makes "
            "it larger.",
            lambda a: a.shape == (2,) and is_allowed(a) and output_side(a) > 30,
        ),
        Mistake(
            "output too small",
            "Your pair gives an output smaller than 30 x 30. Padding p removes p "
            "pixels on *each* side, 2p in all; output padding adds pixels on only one "
            "side.",
            lambda a: a.shape == (2,) and is_allowed(a) and output_side(a) < 30,
        ),
        Mistake(
            "not allowed",
            "PyTorch rejects this pair. Both numbers must be nonnegative integers, "
            "and the output padding must be smaller than the stride.",
            lambda a: a.shape == (2,) and not is_allowed(a),
        ),
    ],
    hints=(
        "How large is the output with padding 0 and output padding 0? Use the size "
        "formula from this chapter.",
        "Without padding, each side of the output is (10 - 1) * 3 + 5 pixels long. "
        "Padding removes pixels, and output padding adds some.",
        "You need 2 * padding - output_padding = 2. Which pairs of whole numbers "
        "satisfy this, with an output padding smaller than the stride?",
    ),
)
