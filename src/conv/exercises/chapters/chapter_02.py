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
            "You counted only the kernel's weights. The layer also has a bias.",
            15,
        ),
        Mistake(
            "one bias per weight",
            "You counted one bias per weight. The layer adds the bias once, to the "
            "weighted sum, so there is only one bias.",
            30,
        ),
        Mistake(
            "one bias per row or column",
            "You counted one bias per row or per column. The layer adds the bias once, "
            "to the weighted sum, so there is only one bias.",
            20,
            18,
        ),
        Mistake(
            "height and width added",
            "You added the kernel's height and width. How many weights does a "
            "5 x 3 kernel have?",
            8,
        ),
        Mistake(
            "weights counted wrongly",
            "Did you compute 5 + 3 + 1 or 3 x 3? The kernel has 5 rows of 3 weights. "
            "Count those first.",
            9,
        ),
        Mistake(
            "square kernel assumed",
            "You counted the weights of a square kernel. The kernel size (5, 3) means "
            "5 rows of 3 weights.",
            25,
            26,
            10,
        ),
        Mistake(
            "tensors counted",
            "You counted the parameter tensors, the weight and the bias. The question "
            "is how many values the two tensors contain in total.",
            2,
        ),
    ],
    hints=(
        "Which parameters does the layer's `__init__` create, and what are their "
        "shapes?",
        "There is one weight for every entry of the kernel. What does the layer add "
        "to the weighted sum, and how many values is that?",
        "The weight has shape (5, 3), and the bias has shape (1,). How many values "
        "do they contain in total?",
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
            "With your kernel, a single layer would reduce the side length from 28 to "
            "20. The exercise has two such layers.",
            9,
        ),
        Mistake(
            "one position forgotten",
            "A k x k kernel reduces the height and the width by k - 1, not by k. With "
            "your kernel, two layers reduce the side length from 28 to 22.",
            4,
        ),
        Mistake(
            "total reduction taken for the side",
            "8 is how much the two layers together reduce the height and the width. "
            "Which kernel size causes this reduction?",
            8,
        ),
        Mistake(
            "reduction on one side only",
            "With your kernel, two layers reduce the side length from 28 to 24. Each "
            "layer has to reduce the width by 4 in total: 2 pixels on the left and 2 "
            "on the right.",
            3,
        ),
        Mistake(
            "kernel of one layer halved",
            "You halved the kernel size that a single layer would need. Instead, halve "
            "the number of rows that the two layers remove.",
            4.5,
        ),
        Mistake(
            "size between the layers",
            "Your answer is the side length of the first layer's output. The "
            "question asks for the side length of the kernels.",
            24,
        ),
    ],
    hints=(
        "How many rows does a layer with a 3 x 3 kernel remove?",
        "The two layers together remove 8 rows, so each of them removes 4.",
        "A k x k kernel removes k - 1 rows. Which k makes a layer remove exactly 4 "
        "rows?",
    ),
)

# --- 2.3 ----------------------------------------------------------------------------


def as_layer(layer: nn.Module, x: Tensor) -> Tensor:
    """Apply a layer to a float64 image; `nn.Conv2d` expects a batch of images."""
    if not isinstance(layer, nn.Module):
        raise TypeError(f"expected a layer, got {type(layer).__name__}")
    batched = isinstance(layer, nn.Conv2d)
    return layer.double()(x[None, None] if batched else x)


def mean_blur(x: Tensor) -> Tensor:
    """Compute the expected result with PyTorch."""
    return F.avg_pool2d(x[None, None], 3, stride=1)[0, 0]


def correlated(x: Tensor, kernel: Tensor) -> Tensor:
    """Cross-correlate with PyTorch."""
    return F.conv2d(x[None, None], kernel[None, None].to(x))[0, 0]


def horizontal_blur(x: Tensor) -> Tensor:
    """Average three pixels horizontally."""
    kernel = torch.zeros(3, 3)
    kernel[1] = 1 / 3
    return correlated(x, kernel)


def without_center(x: Tensor, divisor: int) -> Tensor:
    """Sum the eight neighbors of each pixel and divide the sum."""
    kernel = torch.ones(3, 3)
    kernel[1, 1] = 0
    return correlated(x, kernel) / divisor


def binomial_blur(x: Tensor) -> Tensor:
    """Blur with the weights 1, 2, 1 in both directions."""
    row = torch.tensor([1.0, 2.0, 1.0])
    return correlated(x, torch.outer(row, row) / 16)


blur = FunctionExercise(
    number="2.3",
    kind="implement",
    expected=mean_blur,
    use=as_layer,
    answer_description="a layer",
    cases=lambda: [
        (random_integers(*size),) for size in [(3, 3), (3, 4), (4, 3), (5, 5), (6, 4)]
    ],
    mistakes=[
        Mistake(
            "sum instead of mean",
            "Your kernel adds up nine pixels, so the output is nine times as bright as "
            "it should be. A mean divides the sum by the number of pixels.",
            lambda x: correlated(x, torch.ones(3, 3)),
        ),
        Mistake(
            "divided by the side",
            "You divided by 3, the width of the window. How many pixels are in the "
            "window?",
            lambda x: correlated(x, torch.full((3, 3), 1 / 3)),
        ),
        Mistake(
            "blurred in one direction",
            "Your layer averages only three pixels, in a single row or column. It "
            "should average all nine pixels of the window.",
            horizontal_blur,
            lambda x: horizontal_blur(x.T).T,
            lambda x: correlated(x, torch.full((1, 3), 1 / 3)),
            lambda x: correlated(x, torch.full((3, 1), 1 / 3)),
        ),
        Mistake(
            "center left out",
            "Your kernel ignores the pixel at the center of the window. The mean of "
            "the window includes it.",
            lambda x: without_center(x, 8),
            lambda x: without_center(x, 9),
        ),
        Mistake(
            "weighted mean",
            "Your kernel blurs with the weights 1, 2, 1, so the center counts more "
            "than the corners. In a plain mean, all nine pixels count equally.",
            binomial_blur,
        ),
        Mistake(
            "bias not zero",
            "The kernel is correct, but your layer adds a bias of 1/9. Only the "
            "weights should have this value.",
            lambda x: mean_blur(x) + 1 / 9,
        ),
    ],
    hints=(
        "If all nine weights are equal and the layer computes a mean, what is each "
        "weight? The layer's parameters are `blur.weight` and `blur.bias`.",
        "Inside `with torch.no_grad():`, `blur.weight.fill_(...)` sets every "
        "weight to the same number, and `blur.weight.copy_(...)` copies the values of "
        "a tensor into it.",
        "The mean is the sum of the nine pixels, each multiplied by 1 / 9. After "
        "setting the weights, make sure that the bias is zero (`zero_()`).",
    ),
)

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
    requires=("gradient",),
    cases=lambda: [
        (
            random_integers(*size),
            random_integers(*window, seed=3),
            torch.tensor([bias]).double(),
        )
        for size, window, bias in [
            ((1, 1), (1, 1), 2.0),
            ((2, 2), (1, 2), -3.0),
            ((2, 3), (2, 2), 5.0),
            ((3, 3), (2, 3), -1.0),
            ((4, 5), (3, 2), 4.0),
        ]
    ],
    mistakes=[
        Mistake(
            "bias per pixel",
            "Your function added the bias to every input pixel, so the bias "
            "was multiplied by the sum of the weights. Add the bias once, to the "
            "weighted sum.",
            lambda X, weight, bias: correlated(X + bias, weight),
        ),
        Mistake(
            "bias per weight",
            "Your function added the bias to every weight, so the bias was multiplied "
            "by the sum of the window's pixels. Add the bias once, to the weighted "
            "sum.",
            lambda X, weight, bias: correlated(X, weight + bias),
        ),
        Mistake(
            "bias per product",
            "Your function added the bias once per weight of the kernel. Add the bias "
            "only once, to the weighted sum.",
            lambda X, weight, bias: correlated(X, weight) + weight.numel() * bias,
        ),
        Mistake(
            "bias forgotten",
            "Your function returned only the cross-correlation, without the bias.",
            lambda X, weight, bias: correlated(X, weight),
        ),
        Mistake(
            "bias subtracted",
            "Your function subtracted the bias. The layer should add the bias.",
            lambda X, weight, bias: correlated(X, weight) - bias,
        ),
        Mistake(
            "bias multiplied",
            "Your function multiplied the weighted sum by the bias. The layer should "
            "add the bias.",
            lambda X, weight, bias: correlated(X, weight) * bias,
        ),
    ],
    hints=(
        "Call the function with an image of zeros and a bias of 1. What should the "
        "output be, and what do you get?",
        "Is the bias added before or after the weighted sum? And what does `.detach()`"
        " do to gradients?",
        "`corr2d` should receive the image and the weight unchanged, so that gradients "
        "reach both. Where should the bias go instead?",
    ),
)
