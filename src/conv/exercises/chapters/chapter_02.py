"""The exercises of chapter 2: build the layer."""

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

# --- 2.1 ----------------------------------------------------------------------------

parameter_count = ValueExercise(
    number="2.1",
    kind="predict",
    expected=lambda: sum(p.numel() for p in conv.Conv2D((5, 3)).parameters()),
    mistakes=[
        Mistake(
            "bias forgotten",
            "You counted the kernel's weights. The layer has one more parameter.",
            15,
        ),
        Mistake(
            "a bias per weight",
            "You gave each weight a bias. The bias is added to the finished sum, so "
            "one is enough.",
            30,
        ),
        Mistake(
            "sides added",
            "You added the kernel's sides. A rectangle of 5 rows has how many cells?",
            8,
            9,
        ),
        Mistake(
            "square kernel assumed",
            "You took a square kernel. (5, 3) is 5 rows of 3.",
            25,
            26,
            9 + 1,
        ),
    ],
    hints=(
        "`list(conv.Conv2D((5, 3)).parameters())` shows what is learned.",
        "A weight for each cell of the kernel, and what the layer adds at the end.",
        "5 times 3 weights, and one bias.",
    ),
)

# --- 2.2 ----------------------------------------------------------------------------

two_layers = ValueExercise(
    number="2.2",
    kind="predict",
    expected=lambda: next(
        k
        for k in range(1, 20)
        if conv.output_shape(conv.output_shape(28, k), k)[0] == 20
    ),
    mistakes=[
        Mistake(
            "one layer only",
            "One layer with this kernel would do it alone. You have two.",
            9,
        ),
        Mistake(
            "one place forgotten",
            "Each layer makes the image's side smaller by the window's side minus "
            "one. With your side, two layers leave 22.",
            4,
        ),
        Mistake(
            "loss taken for the side",
            "Eight pixels get lost altogether. But eight is not the side of a window.",
            8,
        ),
    ],
    hints=(
        "How many pixels does one layer with a 3 by 3 kernel take away from a side?",
        "Two equal layers take 8 away together, so each takes 4.",
        "A window of side k takes k - 1.",
    ),
)

# --- 2.3 ----------------------------------------------------------------------------


def as_layer(layer: nn.Module, x: Tensor) -> Tensor:
    """Apply a layer to a float64 image."""
    if not isinstance(layer, nn.Module):
        raise TypeError(f"expected a layer, got {type(layer).__name__}")
    return layer.double()(x)


def mean_blur(x: Tensor) -> Tensor:
    """Compute the expected result with PyTorch."""
    return F.avg_pool2d(x[None, None], 3, stride=1)[0, 0]


def correlated(x: Tensor, kernel: Tensor) -> Tensor:
    """Cross-correlate with PyTorch."""
    return F.conv2d(x[None, None], kernel[None, None].to(x))[0, 0]


blur = FunctionExercise(
    number="2.3",
    kind="implement",
    expected=mean_blur,
    use=as_layer,
    answer_description="a layer",
    preserves=(),
    cases=lambda: [
        (random_integers(*size),) for size in [(3, 3), (3, 4), (4, 3), (5, 5), (6, 4)]
    ],
    mistakes=[
        Mistake(
            "sum instead of mean",
            "Your kernel adds nine pixels up, so the image gets nine times "
            "brighter. A mean divides by their number.",
            lambda x: correlated(x, torch.ones(3, 3)),
        ),
        Mistake(
            "divided by the side",
            "You divide by 3. How many pixels are in the window?",
            lambda x: correlated(x, torch.full((3, 3), 1 / 3)),
        ),
        Mistake(
            "blurred along one axis",
            "Your layer takes the mean of three pixels, not of nine.",
            lambda x: horizontal_blur(x),
            lambda x: horizontal_blur(x.T).T,
            lambda x: correlated(x, torch.full((1, 3), 1 / 3)),
        ),
    ],
    hints=(
        "The layer's parameters are `blur.weight` and `blur.bias`.",
        "`with torch.no_grad():` and in it `blur.weight.fill_(...)` or "
        "`blur.weight[:] = ...`.",
        "Each of the nine weights is 1 / 9. And `blur.bias.zero_()`.",
    ),
)


def horizontal_blur(x: Tensor) -> Tensor:
    """Blur horizontally."""
    kernel = torch.zeros(3, 3)
    kernel[1] = 1 / 3
    return correlated(x, kernel)


# --- 2.4 ----------------------------------------------------------------------------


def broken(X: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
    """Run the forward pass, with two bugs (shown in the notebook without docstring)."""
    return conv.corr2d(X + bias, weight.detach())


def layer_forward(X: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
    """Compute the expected result with PyTorch."""
    return F.conv2d(X[None, None], weight[None, None], bias.reshape(1))[0, 0]


debug_forward = FunctionExercise(
    number="2.4",
    kind="debug",
    expected=layer_forward,
    broken=broken,
    cases=lambda: [
        (
            random_integers(*size),
            random_integers(*window, seed=3),
            torch.tensor([2.0]).double(),
        )
        for size, window in [
            ((1, 1), (1, 1)),
            ((2, 2), (1, 2)),
            ((2, 3), (2, 2)),
            ((3, 3), (2, 3)),
            ((4, 5), (3, 2)),
        ]
    ],
    mistakes=[
        Mistake(
            "bias per pixel",
            "The bias is added to every pixel of the window, so it comes out "
            "multiplied by the sum of the weights. It belongs to the finished sum, "
            "once.",
            lambda X, weight, bias: correlated(X + bias, weight),
        ),
        Mistake(
            "bias per weight",
            "The bias is added to every weight, so it comes out multiplied by the sum "
            "of the window's pixels. It belongs to the finished sum, once.",
            lambda X, weight, bias: correlated(X, weight + bias),
        ),
        Mistake(
            "bias forgotten",
            "The weights are used, the bias isn't.",
            lambda X, weight, bias: correlated(X, weight),
        ),
        Mistake(
            "bias subtracted",
            "The bias is taken away. A layer adds it.",
            lambda X, weight, bias: correlated(X, weight) - bias,
        ),
        Mistake(
            "bias multiplied",
            "The sum is multiplied by the bias. A layer adds it.",
            lambda X, weight, bias: correlated(X, weight) * bias,
        ),
    ],
    hints=(
        "Call it with an image of zeros. What should come out, and what does?",
        "Where does the bias enter: before the sum, or after it? And what does "
        "`.detach()` do to a gradient?",
        "Add the bias after `corr2d`. And a detached weight gets no gradient.",
    ),
)
