"""What learners might hand in for chapter 2, written without the checker at hand."""

from fractions import Fraction

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn

import conv
from answers.kit import right, wrong

# 2.1 ---------------------------------------------------------------------------------

wrong("2.1", "bias forgotten", 5 * 3)
wrong("2.1", "a bias per weight", 5 * 3 + 5 * 3)
wrong("2.1", "sides added", 5 + 3 + 1)
wrong("2.1", "sides added", 5 + 3)
wrong("2.1", "square kernel assumed", 5 * 5 + 1)
wrong("2.1", "square kernel assumed", 3 * 3 + 1)
right("2.1", 16.0)
right("2.1", torch.tensor(16))
right("2.1", np.int64(16))
right("2.1", sum(p.numel() for p in conv.Conv2D((5, 3)).parameters()))

# 2.2 ---------------------------------------------------------------------------------

wrong("2.2", "one layer only", 28 - 20 + 1)
wrong("2.2", "one place forgotten", (28 - 20) / 2)
wrong("2.2", "loss taken for the side", 28 - 20)
right("2.2", 5.0)
right("2.2", torch.tensor(5))
right("2.2", Fraction(28 - 20, 2) + 1)


# 2.3 ---------------------------------------------------------------------------------


def layer_with(weight):
    """Make a layer with this kernel and no bias."""
    weight = torch.as_tensor(weight)
    layer = conv.Conv2D(tuple(weight.shape))
    with torch.no_grad():
        layer.weight.copy_(weight)
        layer.bias.zero_()
    return layer


def layer_by_data():
    """Write into `.data`; the bias is zero at first."""
    layer = conv.Conv2D(3)
    layer.weight.data[:] = 1 / 9
    return layer


def layer_by_state():
    """Load the numbers by name."""
    layer = conv.Conv2D(3)
    third = torch.full((3, 1), 1 / 3)
    layer.load_state_dict({"weight": third @ third.T, "bias": torch.zeros(1)})
    return layer


def layer_by_new_parameters():
    """Replace both parameters."""
    layer = conv.Conv2D(3)
    layer.weight = nn.Parameter(torch.ones(3, 3) / 9)
    layer.bias = nn.Parameter(torch.tensor([0.0]))
    return layer


def layer_normalized():
    """Divide ones by their sum."""
    layer = conv.Conv2D(3)
    with torch.no_grad():
        nn.init.ones_(layer.weight)
        layer.weight /= layer.weight.sum()
        layer.bias *= 0
    return layer


wrong("2.3", "sum instead of mean", layer_with(torch.ones(3, 3)))
wrong("2.3", "divided by the side", layer_with(torch.full((3, 3), 1 / 3)))
wrong(
    "2.3",
    "blurred along one axis",
    layer_with([[0.0, 0, 0], [1 / 3, 1 / 3, 1 / 3], [0, 0, 0]]),
)
wrong(
    "2.3",
    "blurred along one axis",
    layer_with([[0.0, 1 / 3, 0], [0, 1 / 3, 0], [0, 1 / 3, 0]]),
)
wrong("2.3", "blurred along one axis", layer_with([[1 / 3, 1 / 3, 1 / 3]]))
right("2.3", layer_by_data())
right("2.3", layer_by_state())
right("2.3", layer_by_new_parameters())
right("2.3", layer_normalized())


# 2.4 ---------------------------------------------------------------------------------


@right("2.4")
def by_the_layers_own_order(X, weight, bias):
    Y = conv.corr2d(X, weight)
    return bias + Y


@right("2.4")
def added_in_place(X, weight, bias):
    Y = conv.corr2d(X, weight)
    Y += bias
    return Y


@right("2.4")
def by_pytorch(X, weight, bias):
    return F.conv2d(X[None, None], weight[None, None], bias)[0, 0]


@right("2.4")
def by_pixels(X, weight, bias):
    h, w = weight.shape
    rows = []
    for i in range(X.shape[0] - h + 1):
        row = []
        for j in range(X.shape[1] - w + 1):
            row.append((X[i : i + h, j : j + w] * weight).sum() + bias.sum())
        rows.append(torch.stack(row))
    return torch.stack(rows)


@right("2.4")
def by_taps(X, weight, bias):
    h, w = weight.shape
    rows, columns = X.shape[0] - h + 1, X.shape[1] - w + 1
    Y = bias.expand(rows, columns)
    for a in range(h):
        for b in range(w):
            Y = Y + weight[a, b] * X[a : a + rows, b : b + columns]
    return Y


@right("2.4")
def by_windows(X, weight, bias):
    windows = X.unfold(0, weight.shape[0], 1).unfold(1, weight.shape[1], 1)
    return windows.flatten(2) @ weight.flatten() + bias


@wrong("2.4", "bias per pixel")
def only_detach_taken_out(X, weight, bias):
    return conv.corr2d(X + bias, weight)


@wrong("2.4", "bias per pixel")
def bias_within_the_window(X, weight, bias):
    h, w = weight.shape
    Y = X.new_zeros(X.shape[0] - h + 1, X.shape[1] - w + 1)
    for i in range(Y.shape[0]):
        for j in range(Y.shape[1]):
            Y[i, j] = ((X[i : i + h, j : j + w] + bias) * weight).sum()
    return Y


@wrong("2.4", "bias per weight")
def bias_added_to_the_weight(X, weight, bias):
    return conv.corr2d(X, weight + bias)


@wrong("2.4", "bias forgotten")
def no_bias(X, weight, bias):
    return conv.corr2d(X, weight)


@wrong("2.4", "bias subtracted")
def minus_bias(X, weight, bias):
    return conv.corr2d(X, weight) - bias


@wrong("2.4", "bias multiplied")
def times_bias(X, weight, bias):
    return conv.corr2d(X, weight) * bias


@wrong("2.4", "cut off from autograd")
def still_detached(X, weight, bias):
    return conv.corr2d(X, weight.detach()) + bias


@wrong("2.4", "cut off from autograd")
def detached_bias(X, weight, bias):
    return conv.corr2d(X, weight) + bias.item()


@wrong("2.4", "bias per pixel")
def adds_bias_to_the_image_itself(X, weight, bias):
    X += bias
    return conv.corr2d(X, weight)


@wrong("2.4", "return forgotten")
def forward_without_return(X, weight, bias):
    conv.corr2d(X, weight) + bias
