"""The exercises of chapter 6: mix channels."""

from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from conv.exercises.exercise import (
    FunctionExercise,
    Mistake,
    Rule,
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
            "You counted only the weights. The layer has biases as well. How many?",
            12800,
        ),
        Mistake(
            "one bias for the layer",
            "You counted a single bias. Each output channel has its own bias.",
            12801,
        ),
        Mistake(
            "one slice per kernel",
            "You counted only one slice per kernel. Each kernel has one slice for "
            "every *input* channel.",
            32 * 25,
            32 * 25 + 32,
        ),
        Mistake(
            "one kernel for the layer",
            "You counted the weights of a single kernel. Every *output* channel has "
            "its own kernel.",
            16 * 25,
            16 * 25 + 1,
            16 * 25 + 16,
            16 * 25 + 32,
        ),
        Mistake(
            "biases of the input channels",
            "You counted 16 biases. Each *output* channel has one; which argument of "
            "`nn.Conv2d` gives the number of output channels?",
            12816,
        ),
        Mistake(
            "one bias per slice",
            "You counted one bias per slice of each kernel. The bias is added to the "
            "sum over all slices, so a kernel has only one.",
            13312,
        ),
        Mistake(
            "channels added",
            "You added the numbers of input and output channels. There is one slice "
            "for every *pair* of input and output channels.",
            (16 + 32) * 25,
            (16 + 32) * 25 + 32,
        ),
        Mistake(
            "area of the kernel forgotten",
            "You counted the pairs of input and output channels, but each pair has a "
            "slice with several weights.",
            16 * 32,
            16 * 32 + 32,
        ),
        Mistake(
            "side instead of area",
            "You counted 5 weights per slice, but a 5 x 5 slice has more than 5.",
            16 * 32 * 5,
            16 * 32 * 5 + 32,
        ),
    ],
    hints=(
        "Look at a single kernel first. How many slices does it have, and how many "
        "weights does each slice have?",
        "There are 32 kernels, one per output channel. Each has 16 slices of 5 x 5 "
        "weights.",
        "Each of the 32 kernels has 16 * 25 weights and one bias. How many parameters "
        "is that in all?",
    ),
)

# --- 6.2 ----------------------------------------------------------------------------


def as_kernel(*weights: float) -> Tensor:
    """Return the kernel of a 1 x 1 convolution with a single output channel."""
    return torch.tensor(weights).reshape(1, -1, 1, 1)


yellow = ValueExercise(
    number="6.2",
    kind="predict",
    expected=lambda: as_kernel(0.5, 0.5, -1.0),
    requires=("shape",),
    mistakes=[
        Mistake(
            "input and output swapped",
            "Your kernel has three output channels and one input channel. The order of "
            "the axes is (C_out, C_in, h, w).",
            lambda k: k.shape == (3, 1, 1, 1),
        ),
        Mistake(
            "axes missing",
            "`conv.conv2d` expects a kernel with four axes, (C_out, C_in, h, w), even "
            "if some of them have length 1. `reshape` can add them.",
            lambda k: k.ndim < 4 and k.size == 3,
        ),
        Mistake(
            "channels out of order",
            "Your three weights are in the wrong order. The channels of an RGB image "
            "are red, green, and blue.",
            as_kernel(-1.0, 0.5, 0.5),
            as_kernel(0.5, -1.0, 0.5),
        ),
        Mistake(
            "halves forgotten",
            "Your kernel uses the full red and green values. Use half of each, and "
            "subtract the full blue value.",
            as_kernel(1.0, 1.0, -1.0),
            as_kernel(1.0, 1.0, -2.0),
        ),
        Mistake(
            "blue halved",
            "Your kernel subtracts only half of the blue value. As a result, the "
            "output for a white pixel is greater than 0, even though white isn't "
            "yellow.",
            as_kernel(0.5, 0.5, -0.5),
        ),
        Mistake(
            "blue added",
            "Your kernel adds the blue value. The bluer a pixel is, the *less* yellow "
            "it is.",
            as_kernel(0.5, 0.5, 1.0),
            as_kernel(0.5, 0.5, 0.5),
        ),
        Mistake(
            "blue left out",
            "Your kernel ignores the blue value, so a white pixel counts as yellow. "
            "What has to be subtracted?",
            as_kernel(0.5, 0.5, 0.0),
        ),
    ],
    hints=(
        "The four axes of a kernel are (C_out, C_in, h, w). Which of them have length "
        "1 here?",
        "The kernel has three weights, one for each input channel: red, green, and "
        "blue. Which of them are positive?",
        "Write the three weights as `torch.tensor([...])`, and give the tensor four "
        "axes with `.reshape(1, 3, 1, 1)`.",
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
            (1, 4, 2, 2),
            (3, 5, 2, 3),
        ]
    ],
    rules=(
        Rule(
            message="The numbers are correct, but this exercise asks for a 1 x 1 "
            "convolution. Use `conv.conv2d` with a kernel that computes the mean.",
            needs=("conv2d", "Conv2d", "ConvLayer", "conv1d", "Conv1d"),
        ),
    ),
    mistakes=[
        Mistake(
            "sum instead of mean",
            "Your result is the sum of the channels. To get the mean, "
            "divide by the number of channels.",
            lambda x: x.sum(dim=1, keepdim=True),
        ),
        Mistake(
            "channels not summed",
            "Your output has as many channels as the input. The exercise asks for one "
            "output channel.",
            lambda x: x / x.shape[1],
            lambda x: x.mean(dim=1, keepdim=True).expand_as(x),
        ),
        Mistake(
            "mean over the batch",
            "You averaged over the images. Axis 0 is the batch axis, and axis 1 is "
            "the channel axis.",
            lambda x: x.mean(dim=0, keepdim=True),
            lambda x: x.mean(dim=0, keepdim=True).transpose(0, 1),
        ),
        Mistake(
            "mean over the pixels",
            "You averaged over all the pixels of each channel, which is global average "
            "pooling. Average over the channels at each pixel instead.",
            lambda x: x.mean(dim=(2, 3), keepdim=True),
        ),
        Mistake(
            "number of channels fixed",
            "Your function assumes an image with three channels. Take the number of "
            "channels from the shape of `x`.",
            lambda x: F.conv2d(x, x.new_full((1, 3, 1, 1), 1 / 3)),
            lambda x: (x[:, 0:1] + x[:, 1:2] + x[:, 2:3]) / 3,
            lambda x: x[:, :3].mean(dim=1, keepdim=True),
            lambda x: F.conv2d(x[:, :3], x.new_full((1, 3, 1, 1), 1 / 3)),
            lambda x: x.sum(dim=1, keepdim=True) / 3,
        ),
        Mistake(
            "input and output swapped",
            "Your kernel has C output channels and one input channel. The order of the "
            "axes is (C_out, C_in, h, w).",
            lambda x: F.conv2d(x, x.new_full((x.shape[1], 1, 1, 1), 1 / x.shape[1])),
        ),
        Mistake(
            "first channel only",
            "Your result depends only on the first channel. The mean has to include "
            "all channels.",
            lambda x: x[:, :1],
            lambda x: x[:, :1] / x.shape[1],
        ),
    ],
    hints=(
        "What shape does the kernel of a 1 x 1 convolution have, for C input channels "
        "and one output channel?",
        "The kernel has C equal weights. If all channels have the same value, the mean "
        "must also be that value. What, then, must the weights add up to?",
        "`x.new_full((1, C, 1, 1), w)` creates a kernel whose weights all equal w. "
        "Choose w, take C from the shape of `x`, and call `conv.conv2d`.",
    ),
)

# --- 6.4 ----------------------------------------------------------------------------


def layer(X: Tensor, K: Tensor, b: Tensor) -> Tensor:
    """Compute the expected result with PyTorch."""
    return F.conv2d(X[None], K, b)[0]


def without_bias(X: Tensor, K: Tensor) -> Tensor:
    """Apply the layer without its biases."""
    return F.conv2d(X[None], K)[0]


def axes_swapped(X: Tensor, K: Tensor, b: Tensor) -> Tensor:
    """Swap the first two axes of the kernels; drop channels that no longer match."""
    outputs, inputs = min(len(b), K.shape[1]), min(len(X), len(K))
    swapped = K.transpose(0, 1)[:outputs, :inputs]
    return layer(X[:inputs], swapped, b[:outputs])


def only_channel(channel: int) -> Callable[..., Tensor]:
    """Return the layer restricted to one input channel."""
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
    rules=(
        Rule(
            message="The numbers are correct, but this exercise asks you to build the "
            "layer from `conv.corr2d`, without using any other sliding-window "
            "function.",
            needs=("corr2d",),
            forbids=("conv2d", "Conv2d", "ConvLayer", "conv3d", "unfold", "Unfold"),
        ),
    ),
    mistakes=[
        Mistake(
            "channels not summed",
            "Only the last input channel has any effect, because each result "
            "overwrites the previous one. Use `+=` instead of `=`.",
            only_channel(-1),
        ),
        Mistake(
            "first input channel only",
            "Your result uses only the first input channel. Each kernel has a slice "
            "for every input channel.",
            only_channel(0),
        ),
        Mistake(
            "first output channel only",
            "Your result has only one output channel. It should have one for each "
            "kernel.",
            lambda X, K, b: layer(X, K[:1], b[:1]),
        ),
        Mistake(
            "outputs concatenated",
            "Your output channels are joined along an existing axis. `torch.stack` "
            "creates a new axis for them, whereas `torch.cat` doesn't.",
            lambda X, K, b: layer(X, K, b).flatten(0, 1),
        ),
        Mistake(
            "bias added per input channel",
            "The bias is added once for each input channel. It should be added only "
            "once, to the sum over all input channels.",
            lambda X, K, b: layer(X, K, b * len(X)),
        ),
        Mistake(
            "bias forgotten",
            "Your result doesn't include the biases. Add one to each output channel.",
            lambda X, K, b: without_bias(X, K),
        ),
        Mistake(
            "bias along rows or columns",
            "Broadcasting aligns `b` with the rows or the columns of the output. It "
            "should be aligned with the output channels, the first axis.",
            lambda X, K, b: without_bias(X, K) + b,
            lambda X, K, b: without_bias(X, K) + b[:, None],
        ),
        Mistake(
            "one bias for all",
            "In your result, every output channel gets the first bias. Each should get "
            "its own.",
            lambda X, K, b: layer(X, K, b[:1].expand_as(b)),
        ),
        Mistake(
            "one kernel for all",
            "In your result, every output channel uses the first kernel. Each should "
            "use its own.",
            lambda X, K, b: layer(X, K[:1].expand_as(K), b),
        ),
        Mistake(
            "one slice for all channels",
            "You cross-correlated every input channel with the first slice of the "
            "kernel. Each channel should use its own slice.",
            lambda X, K, b: layer(X, K[:, :1].expand_as(K), b),
        ),
        Mistake(
            "mean over the channels",
            "You averaged over the input channels. A convolutional layer sums the "
            "results.",
            lambda X, K, b: layer(X, K / len(X), b),
        ),
        Mistake(
            "input and output swapped",
            "You used the first axis of `K` for the input channels and the second for "
            "the output channels. It is the other way around.",
            lambda X, K, b: layer(X, K.transpose(0, 1), b),
            axes_swapped,
        ),
        Mistake(
            "kernel flipped",
            "You flipped the kernels. Pass them to `conv.corr2d` as they are.",
            lambda X, K, b: layer(X, K.flip(2, 3), b),
        ),
    ],
    hints=(
        "Start with one output channel. Which slice of its kernel belongs to which "
        "input channel, and how do you combine the results?",
        "Output channel o is the sum of `conv.corr2d(X[c], K[o, c])` over all input "
        "channels c, plus its own bias, `b[o]`.",
        "Write two loops: the outer loop, over o, appends each finished output channel "
        "to a list, and the inner loop, over c, adds up the results of `conv.corr2d`. "
        "`torch.stack` turns the list into a tensor.",
    ),
)
