"""The exercises of chapter 13: go deeper."""

import copy
import math
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
    tolerance=1e-3,
    mistakes=[
        Mistake(
            "variance for size",
            "You multiplied the *mean squares*. The typical size is the root of the "
            "mean square.",
            6.0**-6,
        ),
        Mistake(
            "ReLU forgotten",
            "The weights alone. ReLU halves the mean square, too.",
            3.0**-3,
        ),
        Mistake(
            "weights forgotten",
            "ReLU's half alone. PyTorch's weights take a factor as well.",
            2.0**-3,
        ),
        Mistake(
            "one layer only",
            "That is one layer's factor. There are six.",
            6**-0.5,
        ),
        Mistake(
            "upside down",
            "It gets smaller: the factor is below 1.",
            6.0**3,
        ),
        Mistake(
            "factors added",
            "Factors multiply: raise one layer's factor to the sixth power.",
            6 * 6**-0.5,
        ),
        Mistake(
            "He initialization assumed",
            "With He initialization the size would stay. PyTorch's weights are "
            "smaller.",
            1,
        ),
    ],
    hints=(
        "What does one layer do to the mean square, by the weights and by ReLU?",
        "PyTorch's weights: a third. ReLU: a half.",
        "Per layer the size shrinks by the root of a sixth. Six layers.",
    ),
)

# --- 13.2 ---------------------------------------------------------------------------


def layer_and_norm(
    c_in: int, c_out: int, kernel: int | tuple, seed: int, **options: int
) -> tuple[nn.Module, nn.Module]:
    """Create a convolution and a batch norm with nontrivial statistics."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
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
    """Fold the layers, and apply the new one."""
    new = answer(layer, norm)
    if new is not None and not isinstance(new, nn.Conv2d):
        raise TypeError(f"expected an nn.Conv2d, got {type(new).__name__}")
    return new if new is None else new.double()(x)


def without_options(layer: nn.Module, norm: nn.Module, x: Tensor) -> Tensor:
    """Omit stride and padding in the new layer."""
    s = norm_scale(norm)
    weight = layer.weight * s[:, None, None, None]
    return F.conv2d(x, weight, folded_bias(layer, norm, s), groups=layer.groups)


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


folded = FunctionExercise(
    number="13.2",
    kind="implement",
    expected=lambda layer, norm, x: norm(layer(x)),
    use=use_folded,
    preserves=(),
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
                (2, 2, 4, 3, 4, {"groups": 2, "padding": 1}),
            ]
        )
    ],
    mistakes=[
        Mistake(
            "padding and stride lost",
            "Your new layer has the right numbers, but not the old one's stride and "
            "padding.",
            without_options,
        ),
        Mistake(
            "nothing folded",
            "That is the layer as it was. Batch norm's scale and shift go into the "
            "new one's numbers.",
            lambda layer, norm, x: layer(x),
        ),
        Mistake(
            "mean not scaled",
            "The running mean is taken away *after* the scaling. Batch norm takes it "
            "away first.",
            wrong_fold(
                norm_scale, lambda c, n, s: c.bias * s - n.running_mean + n.bias
            ),
        ),
        Mistake(
            "weights not scaled",
            "The bias is right, the weights are the old ones.",
            lambda layer, norm, x: scaled_copy(
                layer,
                torch.ones_like(norm.weight),
                folded_bias(layer, norm, norm_scale(norm)),
            )(x),
        ),
        Mistake(
            "bias not scaled",
            "The weights are scaled, the layer's own bias isn't. Batch norm scales "
            "all that comes in.",
            wrong_fold(
                norm_scale, lambda c, n, s: c.bias - n.running_mean * s + n.bias
            ),
        ),
        Mistake(
            "mean forgotten",
            "Batch norm takes the running mean away. Your layer doesn't.",
            wrong_fold(norm_scale, lambda c, n, s: c.bias * s + n.bias),
        ),
        Mistake(
            "mean added",
            "Batch norm takes the running mean away; you add it.",
            wrong_fold(
                norm_scale, lambda c, n, s: (c.bias + n.running_mean) * s + n.bias
            ),
        ),
        Mistake(
            "shift forgotten",
            "Batch norm's own shift, `norm.bias`, is missing.",
            wrong_fold(norm_scale, lambda c, n, s: (c.bias - n.running_mean) * s),
        ),
        Mistake(
            "layer's bias forgotten",
            "The layer's own bias is lost.",
            wrong_fold(norm_scale, lambda c, n, s: n.bias - n.running_mean * s),
        ),
        Mistake(
            "root forgotten",
            "You divide by the variance. Batch norm divides by its root.",
            wrong_fold(lambda n: n.weight / (n.running_var + n.eps), folded_bias),
        ),
        Mistake(
            "epsilon forgotten",
            "Nearly: batch norm adds `norm.eps` to the variance, so that it never "
            "divides by zero.",
            wrong_fold(lambda n: n.weight / n.running_var.sqrt(), folded_bias),
        ),
        Mistake(
            "epsilon outside the root",
            "Nearly: `norm.eps` is added to the variance, not to its root.",
            wrong_fold(
                lambda n: n.weight / (n.running_var.sqrt() + n.eps), folded_bias
            ),
        ),
        Mistake(
            "scale forgotten",
            "You divide by the deviation, but leave out batch norm's own scale, "
            "`norm.weight`.",
            wrong_fold(lambda n: 1 / (n.running_var + n.eps).sqrt(), folded_bias),
        ),
    ],
    hints=(
        "Write what batch norm does in evaluation: y = (z - mean) / deviation * scale "
        "+ shift. Then put z = weight * x + bias into it.",
        "What stands before x is the new weight, all else the new bias. One number "
        "for each *output* channel.",
        "With s = norm.weight / sqrt(norm.running_var + norm.eps): the weight times "
        "`s[:, None, None, None]`; the bias (bias - norm.running_mean) * s + "
        "norm.bias. `import copy`; `new = copy.deepcopy(layer)`; change its numbers "
        "inside `torch.no_grad()`.",
    ),
)

# --- 13.3 ---------------------------------------------------------------------------

rising = ValueExercise(
    number="13.3",
    kind="predict",
    expected=lambda: 10 / math.sqrt(2 * math.pi),
    tolerance=5e-3,
    mistakes=[
        Mistake(
            "positive and negative thought to cancel",
            "They would without the ReLU. What it lets through is never negative.",
            0,
        ),
        Mistake(
            "half of them taken for the mean",
            "Half of the numbers come through, but their mean isn't 1.",
            5,
        ),
        Mistake(
            "one block only",
            "That is what one block adds. There are ten.",
            (2 * math.pi) ** -0.5,
        ),
        Mistake(
            "zeros left out",
            "That is the mean of the absolute value: the negative half counts as "
            "zero here.",
            10 * math.sqrt(2 / math.pi),
        ),
        Mistake(
            "mean square for mean",
            "That comes from the root of the mean square. The question asks for the "
            "mean.",
            10 * math.sqrt(0.5),
        ),
        Mistake(
            "growth taken for a root",
            "Deviations of independent numbers grow with the root. Means just add up.",
            math.sqrt(10 / 2 / math.pi),
        ),
    ],
    hints=(
        "What is the mean of what ReLU lets through? Estimate it: "
        "`torch.randn(10_000_000).relu().mean()`.",
        "0.399 is a known number: the peak of the normal curve.",
        "Each block adds 1 / sqrt(2 pi).",
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
    preserves=(),
    cases=lambda: [(1, 1), (1, 3), (2, 3), (3, 5), (8, 5), (24, 7)],
    mistakes=[
        Mistake(
            "depthwise forgotten",
            "You count a full convolution. Depthwise means one slice for each channel.",
            lambda c, k: block_size(c, k) + (c * c - c) * k * k,
        ),
        Mistake(
            "biases forgotten",
            "The weights are there, the biases of the three convolutions aren't.",
            lambda c, k: block_size(c, k) - 6 * c,
        ),
        Mistake(
            "norm forgotten",
            "You are 2c short: LayerNorm's two parameters per channel, or two biases.",
            lambda c, k: block_size(c, k) - 2 * c,
        ),
        Mistake(
            "norm counted once",
            "You are c short: LayerNorm's second parameter per channel, or a layer's "
            "bias.",
            lambda c, k: block_size(c, k) - c,
        ),
        Mistake(
            "widening forgotten",
            "The two 1 x 1 layers widen to 4c channels and come back.",
            lambda c, k: block_size(c, k) - 6 * c * c - 3 * c,
        ),
        Mistake(
            "second layer's bias taken for the first's",
            "The widening layer has a bias for each of its 4c outputs.",
            lambda c, k: block_size(c, k) - 3 * c,
        ),
        Mistake(
            "kernel's side for its area",
            "The depthwise kernel has k * k weights per channel.",
            lambda c, k: block_size(c, k) - c * k * k + c * k,
        ),
    ],
    hints=(
        "Four layers hold numbers: depthwise, LayerNorm, 1 x 1 up, 1 x 1 down.",
        "Depthwise: k * k weights and a bias for each of c channels. Up: c times 4c "
        "weights and 4c biases.",
        "Add up: k * k + 1 for each of c channels; 2c; 4c * c + 4c; and likewise the "
        "way down.",
    ),
)

# --- 13.5 ---------------------------------------------------------------------------


def broken(x: Tensor, scale: Tensor, shift: Tensor, eps: float) -> Tensor:
    """Normalize, with four bugs (shown in the notebook without docstring)."""
    mean = x.mean(dim=0, keepdim=True)
    variance = x.var(dim=0, keepdim=True)
    return (x - mean) / (variance + eps) * scale + shift


def batch_norm(x: Tensor, scale: Tensor, shift: Tensor, eps: float) -> Tensor:
    """Compute the expected result with PyTorch."""
    return F.batch_norm(x, None, None, scale, shift, training=True, eps=eps)


def norm_over(
    axes: tuple, correction: int = 0, power: float = 0.5
) -> Callable[..., Tensor]:
    """Create a batch norm over other axes or with other formulas."""

    def wrong(x: Tensor, scale: Tensor, shift: Tensor, eps: float) -> Tensor:
        mean = x.mean(dim=axes, keepdim=True)
        variance = x.var(dim=axes, keepdim=True, correction=correction)
        s, t = (v[:, None, None] for v in (scale, shift))
        return (x - mean) / (variance + eps) ** power * s + t

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
        for n, c, h, w in [(2, 1, 1, 1), (2, 1, 1, 2), (2, 2, 2, 1), (3, 2, 2, 3)]
    ],
    mistakes=[
        Mistake(
            "root forgotten",
            "You divide by the variance. Batch norm divides by its root.",
            norm_over((0, 2, 3), power=1.0),
        ),
        Mistake(
            "other variance",
            "`var` divides by n - 1. Batch norm normalizes with the mean squared "
            "distance, which divides by n: `correction=0`.",
            norm_over((0, 2, 3), correction=1),
        ),
        Mistake(
            "mean over the batch only",
            "You take a mean for each pixel. A channel's numbers are those of all "
            "images and all places.",
            norm_over((0,)),
        ),
        Mistake(
            "each image on its own",
            "You normalize each image by itself. *Batch* norm takes the whole "
            "batch's numbers together.",
            norm_over((2, 3)),
        ),
        Mistake(
            "channels mixed",
            "You take one mean for all channels. Each channel has its own.",
            norm_over((0, 1, 2, 3)),
        ),
        Mistake(
            "scale and shift forgotten",
            "Normalized, but the scale and the shift are missing.",
            lambda x, scale, shift, eps: batch_norm(
                x, torch.ones_like(scale), torch.zeros_like(shift), eps
            ),
        ),
    ],
    hints=(
        "x is (N, C, H, W). How many means should there be, and how many does it take?",
        "Four things: the axes, n or n - 1, the root, and how `scale`, of shape (C,), "
        "meets x.",
        "`dim=(0, 2, 3)` and `correction=0`; divide by the root; "
        "`scale[:, None, None]` stands along the channels.",
    ),
)
