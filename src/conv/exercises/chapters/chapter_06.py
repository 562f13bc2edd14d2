"""The exercises of chapter 6: mix channels."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from conv.exercises.exercise import (
    FunctionExercise,
    Mistake,
    ValueExercise,
    random_integers,
)

# --- 6.1 ----------------------------------------------------------------------------

layer_size = ValueExercise(
    number="6.1",
    kind="predict",
    expected=lambda: sum(p.numel() for p in nn.Conv2d(16, 32, 5).parameters()),
    mistakes=[
        Mistake(
            "biases forgotten",
            "You counted the weights. Each output channel also has a bias.",
            12800,
        ),
        Mistake(
            "one slice for all channels",
            "Your kernels have one slice. Each kernel has a slice for every *input* "
            "channel.",
            32 * 25,
            32 * 25 + 32,
        ),
        Mistake(
            "one kernel for all channels",
            "You counted one kernel. Every *output* channel has a kernel of its own.",
            16 * 25,
            16 * 25 + 1,
            16 * 25 + 16,
            16 * 25 + 32,
        ),
        Mistake(
            "biases of the input",
            "You gave each input channel a bias. It is added to the finished sum, so "
            "there is one for each output channel.",
            12816,
        ),
        Mistake(
            "a bias per slice",
            "You gave each slice of each kernel a bias.",
            13312,
        ),
        Mistake(
            "kernel's area forgotten",
            "You counted pairs of channels. Each pair has a slice of 5 by 5 weights.",
            16 * 32,
            16 * 32 + 32,
        ),
        Mistake(
            "kernel's side for its area",
            "A kernel of side 5 has more than 5 weights a slice.",
            16 * 32 * 5,
            16 * 32 * 5 + 32,
        ),
    ],
    hints=(
        "One kernel: how many slices, how many weights each?",
        "32 kernels, each of 16 slices of 5 by 5.",
        "Each of the 32 kernels has 16 * 25 weights and one bias.",
    ),
)

# --- 6.2 ----------------------------------------------------------------------------

yellow = ValueExercise(
    number="6.2",
    kind="predict",
    expected=lambda: torch.tensor([0.5, 0.5, -1.0]).reshape(1, 3, 1, 1),
    mistakes=[
        Mistake(
            "in and out exchanged",
            "Your kernel has three outputs and one input. PyTorch's order is (out, "
            "in, height, width).",
            lambda k: k.shape == (3, 1, 1, 1),
        ),
        Mistake(
            "axes missing",
            "A kernel has four axes: (out, in, height, width). `reshape` gives them.",
            lambda k: k.ndim < 4,
        ),
        Mistake(
            "channels in reverse",
            "The order of the channels is red, green, blue.",
            torch.tensor([-1, 0.5, 0.5]).reshape(1, 3, 1, 1),
        ),
        Mistake(
            "halves forgotten",
            "Red and green count half each.",
            torch.tensor([1.0, 1.0, -1.0]).reshape(1, 3, 1, 1),
        ),
        Mistake(
            "blue added",
            "Blue makes a pixel *less* yellow.",
            torch.tensor([0.5, 0.5, 1.0]).reshape(1, 3, 1, 1),
        ),
        Mistake(
            "blue left out",
            "White has red and green, too. What must be taken away?",
            torch.tensor([0.5, 0.5, 0.0]).reshape(1, 3, 1, 1),
        ),
    ],
    hints=(
        "One output channel, three input channels, a window of one pixel.",
        "The three numbers are what red, green and blue count.",
        "`torch.tensor([...]).reshape(1, 3, 1, 1)`, with a half, a half and a minus.",
    ),
)

# --- 6.3 ----------------------------------------------------------------------------

average_channels = FunctionExercise(
    number="6.3",
    kind="implement",
    expected=lambda x: x.mean(dim=1, keepdim=True),
    cases=lambda: [
        (random_integers(*size),)
        for size in [
            (1, 1, 1, 1),
            (1, 2, 1, 1),
            (1, 3, 1, 2),
            (2, 2, 2, 1),
            (3, 5, 2, 3),
        ]
    ],
    mistakes=[
        Mistake(
            "sum instead of mean",
            "You add the channels up. A mean divides by their number.",
            lambda x: x.sum(dim=1, keepdim=True),
        ),
        Mistake(
            "channels not summed",
            "Your output has as many channels as the input. One was asked for.",
            lambda x: x / x.shape[1],
            lambda x: x.mean(dim=1, keepdim=True).expand_as(x),
        ),
        Mistake(
            "axis dropped",
            "Right numbers, but the channel axis is gone. The next layer wants four "
            "axes.",
            lambda x: x.mean(dim=1),
        ),
        Mistake(
            "mean over the batch",
            "You average over the images. Axis 0 is the batch, axis 1 the channels.",
            lambda x: x.mean(dim=0, keepdim=True),
            lambda x: x.mean(dim=0, keepdim=True).transpose(0, 1),
        ),
        Mistake(
            "number of channels fixed",
            "Your kernel has three slices. Not every image has three channels.",
            lambda x: F.conv2d(x, x.new_full((1, 3, 1, 1), 1 / 3)),
        ),
        Mistake(
            "number of channels fixed",
            "You take three channels. Not every image has three.",
            lambda x: (x[:, 0:1] + x[:, 1:2] + x[:, 2:3]) / 3,
        ),
        Mistake(
            "in and out exchanged",
            "Your kernel has C outputs and one input. PyTorch's order is (out, in, "
            "height, width).",
            lambda x: F.conv2d(x, x.new_full((x.shape[1], 1, 1, 1), 1 / x.shape[1])),
        ),
        Mistake(
            "number of channels fixed",
            "You always divide by 3. Not every image has three channels.",
            lambda x: x.sum(dim=1, keepdim=True) / 3,
        ),
        Mistake(
            "first channel only",
            "Only the first channel comes through.",
            lambda x: x[:, :1],
        ),
    ],
    hints=(
        "A kernel of one pixel. What is its shape, for C input channels and one "
        "output?",
        "All its C weights are equal, and their sum is 1.",
        "A tensor of shape (1, C, 1, 1) full of 1 / C, made with `x.new_full(...)`; "
        "then `conv.conv2d(x, kernel)`.",
    ),
)

# --- 6.4 ----------------------------------------------------------------------------


def axes_swapped(X: Tensor, K: Tensor, b: Tensor) -> Tensor:
    """Swap the kernel's axes, and drop what then has no counterpart."""
    outputs, inputs = min(len(b), K.shape[1]), min(len(X), len(K))
    swapped = K.transpose(0, 1)[:outputs, :inputs]
    return layer(X[:inputs], swapped, b[:outputs])


def layer(X: Tensor, K: Tensor, b: Tensor) -> Tensor:
    """Compute the expected result with PyTorch."""
    return F.conv2d(X[None], K, b)[0]


def only_channel(channel: int):
    """Use only one input channel."""
    return lambda X, K, b: layer(X[[channel]], K[:, [channel]], b)


conv_by_hand = FunctionExercise(
    number="6.4",
    kind="implement",
    expected=layer,
    cases=lambda: [
        (
            random_integers(c_in, *size),
            random_integers(c_out, c_in, *window, seed=4),
            torch.arange(1.0, c_out + 1).double(),
        )
        for c_in, c_out, size, window in [
            (1, 1, (1, 1), (1, 1)),
            (2, 1, (1, 2), (1, 1)),
            (2, 2, (2, 2), (1, 2)),
            (3, 2, (2, 3), (2, 2)),
            (2, 3, (4, 3), (2, 3)),
            (3, 3, (3, 3), (2, 2)),
        ]
    ],
    mistakes=[
        Mistake(
            "channels not summed",
            "Only the last input channel counts: each one's result replaces the one "
            "before. `+=` adds, `=` replaces.",
            only_channel(-1),
        ),
        Mistake(
            "first channel only",
            "Only the first input channel counts. Each kernel has a slice for every "
            "one.",
            only_channel(0),
        ),
        Mistake(
            "bias per channel",
            "The bias is added once for each input channel. It belongs to the "
            "finished sum, once.",
            lambda X, K, b: layer(X, K, b * len(X)),
        ),
        Mistake(
            "bias forgotten",
            "The weights are used, the biases aren't.",
            lambda X, K, b: layer(X, K, torch.zeros_like(b)),
        ),
        Mistake(
            "one bias for all",
            "Every output channel gets the first one's bias.",
            lambda X, K, b: layer(X, K, b[:1].expand_as(b)),
        ),
        Mistake(
            "one kernel for all",
            "Every output channel uses the first one's kernel.",
            lambda X, K, b: layer(X, K[:1].expand_as(K), b),
        ),
        Mistake(
            "one slice for all channels",
            "Every input channel meets the kernel's first slice. Each has its own.",
            lambda X, K, b: layer(X, K[:, :1].expand_as(K), b),
        ),
        Mistake(
            "mean over the channels",
            "You average over the input channels. A layer adds them up.",
            lambda X, K, b: layer(X, K / len(X), b),
        ),
        Mistake(
            "in and out exchanged",
            "Your kernel's first two axes are exchanged: first the output channel, "
            "then the input channel.",
            lambda X, K, b: layer(X, K.transpose(0, 1), b),
            axes_swapped,
        ),
        Mistake(
            "kernel flipped",
            "You flip the kernels. `corr2d` doesn't.",
            lambda X, K, b: layer(X, K.flip(2, 3), b),
        ),
    ],
    hints=(
        "One output channel is a sum of `corr2d`s, one for each input channel.",
        "Output channel o: `conv.corr2d(X[c], K[o, c])`, summed over c, plus `b[o]`.",
        "Two loops, `sum(...)` over c inside, `torch.stack([...])` over o outside.",
    ),
)
