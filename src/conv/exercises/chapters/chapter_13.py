"""The exercises of chapter 13, on deep networks."""

import copy
import itertools
import math
import operator
from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from conv.exercises.exercise import (
    FunctionExercise,
    Mistake,
    ValueExercise,
    random_integers,
)

# --- 13.1 ---------------------------------------------------------------------------

fading = ValueExercise(
    number="13.1",
    kind="predict",
    expected=lambda: math.sqrt(1 / 3 / 2) ** 6,
    tolerance=0.04,  # accepts the rounded 0.41 ** 6
    mistakes=[
        Mistake(
            "mean square instead of root mean square",
            "That is the factor for the *mean square*. The question asks for the "
            "factor for its square root.",
            6.0**-6,
        ),
        Mistake(
            "mean square and root mean square mixed",
            "You combined a factor for the mean square with a factor for the root mean "
            "square. Use mean squares for both the weights and ReLU, and take the "
            "square root at the end.",
            (1 / 3 / math.sqrt(2)) ** 6,
            (math.sqrt(1 / 3) / 2) ** 6,
        ),
        Mistake(
            "ReLU forgotten",
            "That is the effect of the weights alone. ReLU also reduces the mean "
            "square.",
            3.0**-3,
            3.0**-6,
        ),
        Mistake(
            "weights forgotten",
            "That is the effect of ReLU alone. PyTorch's initial weights also reduce "
            "the mean square.",
            2.0**-3,
            2.0**-6,
        ),
        Mistake(
            "sum over the window forgotten",
            "You used the mean square of a single weight. Each output is a sum of "
            "9 * 64 products, whose mean squares add up.",
            (1 / (3 * 9 * 64) / 2) ** 3,
            (1 / (3 * 9 * 64)) ** 3,
        ),
        Mistake(
            "one layer only",
            "That is the factor for one layer. There are six.",
            6**-0.5,
            1 / 6,
        ),
        Mistake(
            "wrong number of layers",
            "You raised the correct factor to the wrong power. There are six layers "
            "here (the chapter's example has twenty).",
            *(6**-2.5, 6**-3.5, 6**-10.0),
            *(0.41**5, 0.41**7, 0.41**20),
        ),
        Mistake(
            "reciprocal of the factor",
            "That is the reciprocal of the factor. The activations get smaller, so the "
            "factor is below 1.",
            6.0**3,
        ),
        Mistake(
            "factors added",
            "You multiplied one layer's factor by six. Each layer scales the output of "
            "the layer before it, so the six factors are multiplied together.",
            6 * 6**-0.5,
        ),
        Mistake(
            "He initialization assumed",
            "With He initialization, the root mean square would stay the same. "
            "PyTorch's default weights are smaller.",
            1,
        ),
    ],
    hints=(
        "The chapter tracks the mean square through one layer. What do the weights "
        "do to it, and what does ReLU do? The number of channels doesn't matter.",
        "The weights leave a third of the mean square, and ReLU leaves half of that. "
        "How do you get from the mean square to the root mean square?",
        "Each layer multiplies the root mean square by the square root of 1/6. What do "
        "six layers do, one after the other?",
    ),
)

# --- 13.2 ---------------------------------------------------------------------------


def layer_and_norm(
    c_in: int, c_out: int, kernel: int | tuple, seed: int, **options: int
) -> tuple[nn.Module, nn.Module]:
    """Create a convolution and a batch norm with nontrivial statistics."""
    with torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(seed)
        layer = nn.Conv2d(c_in, c_out, kernel, **options)
        norm = nn.BatchNorm2d(c_out, eps=0.25)
        nn.init.uniform_(norm.weight, 0.5, 2)
        nn.init.normal_(norm.bias)
        norm.running_mean.normal_()
        norm.running_var.uniform_(0.2, 3)
    return layer.double(), norm.double().eval()


def use_folded(
    answer: Callable, layer: nn.Module, norm: nn.Module, x: Tensor
) -> Tensor:
    """Fold the layers and apply the new one."""
    new = answer(layer, norm)
    if new is not None and not isinstance(new, nn.Conv2d):
        raise TypeError(f"expected an nn.Conv2d, got {type(new).__name__}")
    return new if new is None else new.double()(x)


def without_options(*lost: str) -> Callable[..., Tensor]:
    """Omit options of the layer, such as its stride."""

    def used(layer: nn.Module, norm: nn.Module, x: Tensor) -> Tensor:
        s = norm_scale(norm)
        options = {"stride": layer.stride, "padding": layer.padding}
        return F.conv2d(
            x,
            layer.weight * s[:, None, None, None],
            folded_bias(layer, norm, s),
            groups=layer.groups,
            **{name: value for name, value in options.items() if name not in lost},
        )

    return used


def scaled_copy(layer: nn.Module, scale: Tensor, bias: Tensor) -> nn.Module:
    """Copy a layer with a scaled weight and another bias."""
    new = copy.deepcopy(layer)
    with torch.no_grad():
        new.weight.copy_(layer.weight * scale[:, None, None, None])
        new.bias.copy_(bias)
    return new


def norm_scale(norm: nn.Module) -> Tensor:
    """Compute the factor of batch norm."""
    return norm.weight / (norm.running_var + norm.eps).sqrt()


def wrong_fold(scale: Callable, bias: Callable) -> Callable[..., Tensor]:
    """Fold with other formulas for the scale and for the bias."""

    def used(layer: nn.Module, norm: nn.Module, x: Tensor) -> Tensor:
        s = scale(norm)
        return scaled_copy(layer, s, bias(layer, norm, s))(x)

    return used


def folded_bias(layer: nn.Module, norm: nn.Module, scale: Tensor) -> Tensor:
    """Compute the folded bias for a scale."""
    return (layer.bias - norm.running_mean) * scale + norm.bias


def scaled_inputs(layer: nn.Module, norm: nn.Module, x: Tensor) -> Tensor:
    """Scale the weights along the axis of the input channels."""
    s = norm_scale(norm)
    weight = layer.weight * s[:, None, None]
    return F.conv2d(x, weight, folded_bias(layer, norm, s), layer.stride, layer.padding)


folded = FunctionExercise(
    number="13.2",
    kind="implement",
    expected=lambda layer, norm, x: norm(layer(x)),
    use=use_folded,
    cases=lambda: [
        (
            *layer_and_norm(c_in, c_out, k, seed, **options),
            random_integers(n, c_in, side, side),
        )
        for seed, (n, c_in, c_out, k, side, options) in enumerate(
            [
                (1, 1, 1, 1, 1, {}),
                (1, 1, 2, 1, 2, {}),
                (1, 2, 2, (1, 2), 3, {}),
                (1, 1, 1, 2, 2, {"padding": 1}),
                (1, 1, 2, (2, 3), 4, {"stride": 2, "padding": 1}),
                (2, 2, 4, 3, 4, {"groups": 2, "stride": 2, "padding": 1}),
            ]
        )
    ],
    mistakes=[
        Mistake(
            "stride or padding lost",
            "The weights and the bias of your layer are correct, but your layer "
            "doesn't keep the original layer's stride or padding.",
            without_options("stride", "padding"),
            without_options("stride"),
            without_options("padding"),
        ),
        Mistake(
            "nothing folded",
            "Your function returns the original convolution unchanged. The new one "
            "should also do what batch norm does.",
            lambda layer, norm, x: layer(x),
        ),
        Mistake(
            "mean not scaled",
            "You subtracted the running mean *after* scaling. Batch norm subtracts it "
            "first, so the mean has to be scaled as well.",
            wrong_fold(
                norm_scale, lambda c, n, s: c.bias * s - n.running_mean + n.bias
            ),
        ),
        Mistake(
            "weights not scaled",
            "The bias is correct, but the weights are still the original ones.",
            lambda layer, norm, x: scaled_copy(
                layer,
                torch.ones_like(norm.weight),
                folded_bias(layer, norm, norm_scale(norm)),
            )(x),
        ),
        Mistake(
            "bias not folded",
            "The weights are correct, but the bias is still the original one.",
            wrong_fold(norm_scale, lambda c, n, s: c.bias),
        ),
        Mistake(
            "bias not scaled",
            "You scaled the weights but not the convolution's own bias. Batch norm "
            "scales the whole output of the convolution.",
            wrong_fold(
                norm_scale, lambda c, n, s: c.bias - n.running_mean * s + n.bias
            ),
            wrong_fold(norm_scale, lambda c, n, s: c.bias - n.running_mean + n.bias),
        ),
        Mistake(
            "mean forgotten",
            "Batch norm subtracts the running mean. Your layer doesn't.",
            wrong_fold(norm_scale, lambda c, n, s: c.bias * s + n.bias),
        ),
        Mistake(
            "mean added",
            "You added the running mean. Batch norm subtracts it.",
            wrong_fold(
                norm_scale, lambda c, n, s: (c.bias + n.running_mean) * s + n.bias
            ),
        ),
        Mistake(
            "scale and shift forgotten",
            "You folded in only the normalization. Batch norm also multiplies by "
            "`norm.weight` and adds `norm.bias`.",
            wrong_fold(
                lambda n: 1 / (n.running_var + n.eps).sqrt(),
                lambda c, n, s: (c.bias - n.running_mean) * s,
            ),
        ),
        Mistake(
            "shift forgotten",
            "The shift that batch norm adds at the end, `norm.bias`, is missing.",
            wrong_fold(norm_scale, lambda c, n, s: (c.bias - n.running_mean) * s),
        ),
        Mistake(
            "shift scaled",
            "You scaled `norm.bias`. Batch norm adds this shift after scaling.",
            wrong_fold(
                norm_scale, lambda c, n, s: (c.bias - n.running_mean + n.bias) * s
            ),
        ),
        Mistake(
            "layer's bias forgotten",
            "The convolution's own bias is missing from your layer.",
            wrong_fold(norm_scale, lambda c, n, s: n.bias - n.running_mean * s),
        ),
        Mistake(
            "root forgotten",
            "You divided by the variance. Batch norm divides by the standard "
            "deviation.",
            wrong_fold(lambda n: n.weight / (n.running_var + n.eps), folded_bias),
            wrong_fold(lambda n: n.weight / n.running_var, folded_bias),
        ),
        Mistake(
            "epsilon forgotten",
            "Your function doesn't use `norm.eps`. Batch norm adds this constant to "
            "the variance, and it isn't always as small as 1e-5.",
            wrong_fold(lambda n: n.weight / n.running_var.sqrt(), folded_bias),
            wrong_fold(lambda n: n.weight / (n.running_var + 1e-5).sqrt(), folded_bias),
        ),
        Mistake(
            "epsilon outside the root",
            "You added `norm.eps` to the standard deviation. Batch norm adds it to the "
            "variance, before taking the square root.",
            wrong_fold(
                lambda n: n.weight / (n.running_var.sqrt() + n.eps), folded_bias
            ),
        ),
        Mistake(
            "scale forgotten",
            "You divided by the standard deviation but left out batch norm's own "
            "scale, `norm.weight`.",
            wrong_fold(lambda n: 1 / (n.running_var + n.eps).sqrt(), folded_bias),
        ),
        Mistake(
            "scale along the input channels",
            "You scaled along the second axis of the weights, the input channels. "
            "Batch norm scales the channels of the convolution's output.",
            scaled_inputs,
        ),
    ],
    hints=(
        "Write down what batch norm does to one channel z in evaluation mode: subtract "
        "the running mean, divide by the standard deviation, scale, shift. Then "
        "replace z with weight * x + bias.",
        "Collect the terms: the coefficient of x is the new weight, and everything "
        "else is the new bias. Both need one factor per *output* channel, computed "
        "from `norm.weight`, `norm.running_var`, and `norm.eps`.",
        "With s = norm.weight / sqrt(norm.running_var + norm.eps), the weights are "
        "multiplied by `s[:, None, None, None]`. What happens to the bias? You can "
        "create the new layer with `copy.deepcopy(layer)` and then change its "
        "parameters inside `torch.no_grad()`.",
    ),
)

# --- 13.3 ---------------------------------------------------------------------------

rising = ValueExercise(
    number="13.3",
    kind="predict",
    expected=lambda: 10 / math.sqrt(2 * math.pi),
    tolerance=2.5e-3,  # three digits; accepts an estimate from a million samples
    mistakes=[
        Mistake(
            "positive and negative thought to cancel",
            "Without the ReLU, positive and negative values would cancel. But the "
            "output of ReLU is never negative.",
            0,
        ),
        Mistake(
            "mean square instead of mean",
            "You added 1/2 per block. Half of the values are positive, and the mean "
            "*square* after ReLU is 1/2, but the mean is smaller.",
            5,
        ),
        Mistake(
            "one block only",
            "That is the contribution of one block. There are ten.",
            (2 * math.pi) ** -0.5,
            0.4,
        ),
        Mistake(
            "zeros left out",
            "You averaged over the positive values only, or took the mean absolute "
            "value. The zeros that ReLU returns count toward the mean as well.",
            10 * math.sqrt(2 / math.pi),
            8,
        ),
        Mistake(
            "standard deviation instead of mean",
            "You added standard deviations, or root mean squares. The question asks "
            "for the mean.",
            10 * math.sqrt(0.5),
            10 * math.sqrt(0.5 - 0.5 / math.pi),
            10,
        ),
        Mistake(
            "square root of the number of blocks",
            "You used the square root of the number of blocks. The standard "
            "deviation of a sum of independent random variables grows that way, but "
            "means simply add up.",
            math.sqrt(10 / 2 / math.pi),
            math.sqrt(10 / 2),
            math.sqrt(10),
        ),
    ],
    hints=(
        "How much does a single block add to the mean? Which values does ReLU return "
        "if its input is standard normal?",
        "You can estimate the contribution of one block: draw ten million numbers with "
        "`torch.randn`, apply ReLU, and take the mean.",
        "The exact contribution of one block is 1 / sqrt(2 pi), the integral of z "
        "times the standard normal density from 0 to infinity. How do the means of "
        "ten blocks combine?",
    ),
)

# --- 13.4 ---------------------------------------------------------------------------


def block_size(c: int, k: int) -> int:
    """Count the parameters of PyTorch's layers."""
    layers = [
        nn.Conv2d(c, c, k, groups=c),
        nn.LayerNorm(c),
        nn.Conv2d(c, 4 * c, 1),
        nn.Conv2d(4 * c, c, 1),
    ]
    return sum(p.numel() for layer in layers for p in layer.parameters())


convnext_size = FunctionExercise(
    number="13.4",
    kind="implement",
    expected=block_size,
    cases=lambda: [(1, 1), (1, 3), (2, 3), (3, 5), (8, 5), (24, 7)],
    mistakes=[
        Mistake(
            "full instead of depthwise convolution",
            "You counted a full k x k convolution. In a depthwise one, each channel "
            "has a single k x k kernel.",
            lambda c, k: block_size(c, k) + (c * c - c) * k * k,
        ),
        Mistake(
            "one kernel for all channels",
            "You counted one depthwise kernel for all channels together. Each channel "
            "has its own.",
            lambda c, k: block_size(c, k) - (c - 1) * k * k,
            lambda c, k: block_size(c, k) - (c - 1) * (k * k + 1),
        ),
        Mistake(
            "biases forgotten",
            "Your count leaves out biases. Each of the three convolutions has one per "
            "output channel.",
            lambda c, k: block_size(c, k) - 6 * c,
            lambda c, k: block_size(c, k) - 7 * c,
            lambda c, k: block_size(c, k) - 8 * c,
        ),
        Mistake(
            "same biases for both 1 x 1 layers",
            "Your count is too high by 3c. The second 1 x 1 layer has as many "
            "weights as the first, but it returns fewer channels, each with one bias.",
            lambda c, k: block_size(c, k) + 3 * c,
        ),
        Mistake(
            "biases of the expanding layer forgotten",
            "At least 4c parameters are missing, which is the number of biases in the "
            "expanding layer.",
            lambda c, k: block_size(c, k) - 4 * c,
            lambda c, k: block_size(c, k) - 5 * c,
        ),
        Mistake(
            "norm forgotten",
            "Your count is too low by 2c. Either LayerNorm's two parameters per "
            "channel are missing, or the biases of two convolutions with c outputs.",
            lambda c, k: block_size(c, k) - 2 * c,
        ),
        Mistake(
            "norm counted once",
            "Your count is too low by c. Either LayerNorm's second parameter per "
            "channel is missing, or the bias of a convolution with c outputs.",
            lambda c, k: block_size(c, k) - c,
        ),
        Mistake(
            "expansion forgotten",
            "You counted two 1 x 1 convolutions from c to c channels. There are 4c "
            "channels between them.",
            lambda c, k: block_size(c, k) - 6 * c * c - 3 * c,
        ),
        Mistake(
            "one 1 x 1 layer forgotten",
            "You counted only one of the two 1 x 1 convolutions. One goes from c to 4c "
            "channels, and the other goes back to c.",
            lambda c, k: block_size(c, k) - 4 * c * c - c,
            lambda c, k: block_size(c, k) - 4 * c * c - 4 * c,
        ),
        Mistake(
            "too few biases in the expanding layer",
            "Your count is too low by 3c. The expanding layer has one bias per "
            "*output* channel, so it has 4c biases.",
            lambda c, k: block_size(c, k) - 3 * c,
        ),
        Mistake(
            "kernel's side instead of its area",
            "You counted k weights per depthwise kernel. Such a kernel has k rows of k "
            "weights.",
            lambda c, k: block_size(c, k) - c * k * k + c * k,
        ),
    ],
    hints=(
        "Which four layers of the block have parameters? Look at `convnext` in this "
        "chapter.",
        "The depthwise convolution has k * k weights and one bias for each of the c "
        "channels. A 1 x 1 convolution has one weight for each pair of an input and "
        "an output channel, and one bias per output channel.",
        "From c to 4c channels, there are 4c * c weights and 4c biases. Count the "
        "convolution from 4c to c channels in the same way, and add LayerNorm's 2c "
        "parameters and the depthwise layer.",
    ),
)

# --- 13.5 ---------------------------------------------------------------------------


def broken(x: Tensor, scale: Tensor, shift: Tensor, eps: float) -> Tensor:
    """Normalize, with four bugs (shown in the notebook without a docstring)."""
    mean = x.mean(dim=0, keepdim=True)
    variance = x.var(dim=0, keepdim=True)
    return (x - mean) / (variance + eps) * scale + shift


def batch_norm(x: Tensor, scale: Tensor, shift: Tensor, eps: float) -> Tensor:
    """Compute the expected result with PyTorch."""
    return F.batch_norm(x, None, None, scale, shift, training=True, eps=eps)


def deviation(variance: Tensor, eps: float) -> Tensor:
    """Compute what batch norm divides by."""
    return (variance + eps).sqrt()


def other_norm(
    axes: tuple = (0, 2, 3),
    correction: int = 0,
    divisor: Callable[[Tensor, float], Tensor] = deviation,
    reshaped: bool = True,
) -> Callable[..., Tensor]:
    """Create a batch norm over other axes or with other formulas."""

    def wrong(x: Tensor, scale: Tensor, shift: Tensor, eps: float) -> Tensor:
        mean = x.mean(dim=axes, keepdim=True)
        variance = x.var(dim=axes, keepdim=True, correction=correction)
        if reshaped:
            scale, shift = scale[:, None, None], shift[:, None, None]
        return (x - mean) / divisor(variance, eps) * scale + shift

    return wrong


BUGS = {"axes": (0,), "correction": 1, "divisor": operator.add, "reshaped": False}


def with_bug(bug: str) -> list[Callable[..., Tensor]]:
    """List the functions that contain one bug, and any of the other three."""
    others = [name for name in BUGS if name != bug]
    return [
        other_norm(**{name: BUGS[name] for name in (bug, *more)})
        for count in range(len(BUGS))
        for more in itertools.combinations(others, count)
    ]


def with_scale(change: Callable[..., tuple[Tensor, Tensor]]) -> Callable[..., Tensor]:
    """Create a batch norm with another scale and shift."""

    def wrong(x: Tensor, scale: Tensor, shift: Tensor, eps: float) -> Tensor:
        return batch_norm(x, *change(scale, shift), eps)

    return wrong


debug_batch_norm = FunctionExercise(
    number="13.5",
    kind="debug",
    expected=batch_norm,
    broken=broken,
    cases=lambda: [
        (
            random_integers(n, c, h, w),
            torch.arange(1.0, c + 1).double(),
            torch.arange(float(c)).double() - 1,
            0.25,
        )
        for n, c, h, w in [
            *[(2, 1, 1, 2), (3, 1, 2, 1), (2, 2, 2, 1)],
            *[(3, 2, 2, 3), (3, 2, 3, 2), (2, 3, 2, 3)],
        ]
    ],
    mistakes=[
        Mistake(
            "mean over the batch only",
            "Your function computes a mean for each pixel. A channel's statistics are "
            "computed over all images *and* all positions.",
            *with_bug("axes"),
        ),
        Mistake(
            "scale not reshaped",
            "`scale` and `shift` have shape (C,), so broadcasting aligns them with the "
            "last axis of `x`, the columns. But they should line up with the channels.",
            *with_bug("reshaped"),
        ),
        Mistake(
            "root forgotten",
            "You divided by the variance. Batch norm divides by the standard "
            "deviation.",
            *with_bug("divisor"),
        ),
        Mistake(
            "other variance",
            "By default, `var` divides by n - 1. Batch norm normalizes with the biased "
            "variance, which is computed by dividing by n.",
            *with_bug("correction"),
        ),
        Mistake(
            "epsilon outside the root",
            "You added `eps` to the standard deviation. Batch norm adds it to the "
            "variance, before taking the square root.",
            other_norm(divisor=lambda variance, eps: variance.sqrt() + eps),
        ),
        Mistake(
            "epsilon forgotten",
            "Your function doesn't use `eps`. Batch norm adds it to the variance to "
            "avoid dividing by zero.",
            other_norm(divisor=lambda variance, eps: variance.sqrt()),
            other_norm(divisor=lambda variance, eps: (variance + 1e-5).sqrt()),
        ),
        Mistake(
            "axes incomplete",
            "Your statistics leave out one of the axes. They should be computed over "
            "all images, all rows, and all columns.",
            other_norm((0, 2)),
            other_norm((0, 3)),
        ),
        Mistake(
            "each image on its own",
            "Your function normalizes each image separately. *Batch* norm uses one "
            "mean per channel for the whole batch.",
            other_norm((2, 3)),
            other_norm((2, 3), correction=1),
        ),
        Mistake(
            "channels mixed",
            "Your function computes statistics over several channels together. In "
            "batch norm, each channel has its own mean and variance.",
            other_norm((0, 1, 2, 3)),
            other_norm((0, 1, 2, 3), correction=1),
            other_norm((1, 2, 3)),
            other_norm((1,)),
        ),
        Mistake(
            "scale or shift forgotten",
            "The normalization is correct, but the scale or the shift is missing.",
            with_scale(lambda s, t: (torch.ones_like(s), torch.zeros_like(t))),
            with_scale(lambda s, t: (torch.ones_like(s), t)),
            with_scale(lambda s, t: (s, torch.zeros_like(t))),
        ),
    ],
    hints=(
        "Print the shapes of `mean` and `x`. How many means should there be, and over "
        "how many values is each one computed?",
        "Check four things: the axes of the statistics, whether the variance is "
        "computed by dividing by n or by n - 1, what you divide by, and along which "
        "axis `scale` and `shift` are applied.",
        "The axes are `dim=(0, 2, 3)`, and `correction=0` makes `var` divide by n. "
        "`scale[:, None, None]` lines up with the channel axis. One bug remains.",
    ),
)
