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
wrong("2.1", "one bias per weight", 5 * 3 + 5 * 3)
wrong("2.1", "one bias per row or column", 5 * 3 + 5)
wrong("2.1", "one bias per row or column", 5 * 3 + 3)
wrong("2.1", "height and width added", 5 + 3)
wrong("2.1", "weights counted wrongly", 5 + 3 + 1)
wrong("2.1", "weights counted wrongly", 3 * 3)
wrong("2.1", "square kernel assumed", 5 * 5)
wrong("2.1", "tensors counted", len(list(conv.Conv2D((5, 3)).parameters())))
wrong("2.1", "square kernel assumed", 5 * 5 + 1)
wrong("2.1", "square kernel assumed", 3 * 3 + 1)
right("2.1", 16.0)
right("2.1", torch.tensor(16))
right("2.1", np.int64(16))
right("2.1", Fraction(32, 2))
right("2.1", [5 * 3 + 1])
right("2.1", conv.Conv2D((5, 3)).weight.numel() + conv.Conv2D((5, 3)).bias.numel())
right("2.1", sum(p.numel() for p in conv.Conv2D((5, 3)).parameters()))

# 2.2 ---------------------------------------------------------------------------------

wrong("2.2", "one layer only", 28 - 20 + 1)
wrong("2.2", "one position forgotten", (28 - 20) / 2)
wrong("2.2", "total reduction taken for the side", 28 - 20)
wrong("2.2", "kernel of one layer halved", (28 - 20 + 1) / 2)
wrong("2.2", "size between the layers", 24)
right("2.2", 5.0)
right("2.2", np.float32(5))
right("2.2", np.array([(28 - 20) // 2 + 1]))
right("2.2", next(k for k in range(1, 28) if 28 - 2 * (k - 1) == 20))
right("2.2", torch.tensor(5))
right("2.2", Fraction(28 - 20, 2) + 1)


# 2.3 ---------------------------------------------------------------------------------


def layer_with(weight):
    """Create a layer with this kernel and a bias of zero."""
    weight = torch.as_tensor(weight)
    layer = conv.Conv2D(tuple(weight.shape))
    with torch.no_grad():
        layer.weight.copy_(weight)
        layer.bias.zero_()
    return layer


def layer_by_data():
    """Write into `.data`; the initial bias is zero."""
    layer = conv.Conv2D(3)
    layer.weight.data[:] = 1 / 9
    return layer


def layer_by_state():
    """Load the parameters by name."""
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


def layer_from_numpy():
    """Copy a NumPy array into the weight."""
    layer = conv.Conv2D((3, 3))
    with torch.no_grad():
        layer.weight.copy_(torch.from_numpy(np.full((3, 3), 1 / 9)))
        layer.bias.copy_(torch.zeros(1))
    return layer


def layer_weight_by_weight():
    """Set every weight in a loop."""
    layer = conv.Conv2D(3)
    with torch.no_grad():
        for i in range(3):
            for j in range(3):
                layer.weight[i, j] = 1.0 / 9.0
        nn.init.constant_(layer.bias, 0.0)
    return layer


def layer_of_pytorch(*, bias):
    """Fill PyTorch's own layer."""
    layer = nn.Conv2d(1, 1, 3, bias=bias)
    with torch.no_grad():
        layer.weight.fill_(1 / 9)
        if bias:
            layer.bias.zero_()
    return layer


class Mean(nn.Module):
    """A layer of the learner's own."""

    def forward(self, x):
        """Average the windows."""
        return x.unfold(0, 3, 1).unfold(1, 3, 1).mean(dim=(2, 3))


def layer_with_all_filled():
    """Fill the bias as well."""
    layer = conv.Conv2D(3)
    with torch.no_grad():
        for parameter in layer.parameters():
            parameter.fill_(1 / 9)
    return layer


ring = torch.ones(3, 3)
ring[1, 1] = 0
binomial = torch.tensor([[1.0, 2, 1], [2, 4, 2], [1, 2, 1]])

wrong("2.3", "center left out", layer_with(ring / ring.sum()))
wrong("2.3", "center left out", layer_with(ring / 9))
wrong("2.3", "weighted mean", layer_with(binomial / binomial.sum()))
wrong("2.3", "bias not zero", layer_with_all_filled())
wrong("2.3", "blurred in one direction", layer_with([[1 / 3], [1 / 3], [1 / 3]]))
wrong("2.3", "sum instead of mean", layer_with(torch.ones(3, 3)))
wrong("2.3", "divided by the side", layer_with(torch.full((3, 3), 1 / 3)))
wrong(
    "2.3",
    "blurred in one direction",
    layer_with([[0.0, 0, 0], [1 / 3, 1 / 3, 1 / 3], [0, 0, 0]]),
)
wrong(
    "2.3",
    "blurred in one direction",
    layer_with([[0.0, 1 / 3, 0], [0, 1 / 3, 0], [0, 1 / 3, 0]]),
)
wrong("2.3", "blurred in one direction", layer_with([[1 / 3, 1 / 3, 1 / 3]]))
right("2.3", layer_by_data())
right("2.3", layer_by_state())
right("2.3", layer_by_new_parameters())
right("2.3", layer_normalized())
right("2.3", layer_from_numpy())
right("2.3", layer_weight_by_weight())
right("2.3", layer_of_pytorch(bias=True))
right("2.3", layer_of_pytorch(bias=False))
right("2.3", Mean())


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


@right("2.4")
def by_einsum(X, weight, bias):
    windows = X.unfold(0, weight.shape[0], 1).unfold(1, weight.shape[1], 1)
    return torch.einsum("ijab,ab->ij", windows, weight) + bias


@right("2.4")
def by_unfolded_columns(X, weight, bias):
    h, w = weight.shape
    columns = F.unfold(X[None, None], (h, w))[0]
    return (weight.flatten() @ columns + bias).view(X.shape[0] - h + 1, -1)


@right("2.4")
def written_into_an_output(X, weight, bias):
    h, w = weight.shape
    Y = torch.zeros(X.shape[0] - h + 1, X.shape[1] - w + 1)
    for i in range(Y.shape[0]):
        for j in range(Y.shape[1]):
            Y[i, j] = (X[i : i + h, j : j + w] * weight).sum() + bias[0]
    return Y


@right("2.4")
def with_two_more_axes(X, weight, bias):
    return F.conv2d(X[None, None], weight[None, None]) + bias


@wrong("2.4", "bias per product")
def bias_within_the_sum(X, weight, bias):
    h, w = weight.shape
    rows = []
    for i in range(X.shape[0] - h + 1):
        row = []
        for j in range(X.shape[1] - w + 1):
            row.append((X[i : i + h, j : j + w] * weight + bias).sum())
        rows.append(torch.stack(row))
    return torch.stack(rows)


@wrong("2.4", "cut off from autograd")
def in_numpy(X, weight, bias):
    X, weight, bias = (t.detach().numpy() for t in (X, weight, bias))
    windows = np.lib.stride_tricks.sliding_window_view(X, weight.shape)
    return np.einsum("ijab,ab->ij", windows, weight) + bias


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


@wrong("2.4", "missing return")
def forward_without_return(X, weight, bias):
    conv.corr2d(X, weight) + bias


wrong("2.2", "reduction on one side only", (28 - 20) // 2 // 2 + 1)
