"""Layers: operators that own the numbers they learn."""

import math
from collections.abc import Iterable

import torch
from torch import Tensor, nn

from conv.checks import as_pair, check_groups, check_is, check_steps
from conv.functional import Size, conv2d, corr2d


class Conv2D(nn.Module):
    """A convolutional layer for one picture: one kernel, one bias.

    Parameters
    ----------
    kernel_size : int or (int, int)
        Height and width of the kernel; one int makes it square.

    Attributes
    ----------
    weight : nn.Parameter
        The kernel, of shape (h, w), drawn uniformly from [0, 1).
    bias : nn.Parameter
        One number, zero at first, of shape (1,): broadcasting adds it to each pixel.

    Raises
    ------
    TypeError
        If `kernel_size` is neither an int nor a pair of ints.
    ValueError
        If a side is less than 1.

    Notes
    -----
    Derived in chapter 2. Takes a picture of shape (H, W) to (H-h+1, W-w+1).
    """

    def __init__(self, kernel_size: int | tuple[int, int]) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.rand(as_pair("kernel_size", kernel_size)))
        self.bias = nn.Parameter(torch.zeros(1))  # broadcasts over the picture

    def forward(self, x: Tensor) -> Tensor:
        """Correlate `x` with the kernel, add the bias: (H, W) to (H-h+1, W-w+1)."""
        return corr2d(x, self.weight) + self.bias

    def extra_repr(self) -> str:
        """Say the kernel's size when the layer is printed."""
        return f"kernel_size={tuple(self.weight.shape)}"


class ConvLayer(nn.Module):
    """A convolutional layer for batches with many channels in and out.

    Parameters
    ----------
    in_channels, out_channels : int
        How many channels come in and go out.
    kernel_size : int or (int, int)
        Height and width of the kernels.
    stride, padding, dilation, groups
        As in `conv.conv2d`.
    bias : bool
        Whether each output channel gets a number of its own added.

    Attributes
    ----------
    weight : nn.Parameter
        The kernels, (out_channels, in_channels/groups, h, w), drawn uniformly from
        ±1/sqrt(n), where n is how many numbers one output is summed up from.
    bias : nn.Parameter or None
        Shape (out_channels,), drawn likewise.

    Raises
    ------
    TypeError, ValueError
        If a number is no int or too small, or `groups` doesn't divide the channels.

    Notes
    -----
    Derived in chapter 6. The same layer as ``torch.nn.Conv2d``; after the same seed,
    with the same numbers in it.
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: Size,
        stride: Size = 1,
        padding: Size | str = 0,
        dilation: Size = 1,
        groups: int = 1,
        bias: bool = True,
    ) -> None:
        super().__init__()
        check_groups(in_channels, out_channels, groups)
        check_steps(stride, padding, dilation)
        check_is("bias", bias, bool)
        self.kernel_size = as_pair("kernel_size", kernel_size)
        self.stride, self.padding, self.dilation = stride, padding, dilation
        self.groups = groups
        shape = (out_channels, in_channels // groups, *self.kernel_size)
        reach = 1 / math.sqrt(math.prod(shape[1:]))
        self.weight = nn.Parameter(torch.empty(shape).uniform_(-reach, reach))
        numbers = torch.empty(out_channels).uniform_(-reach, reach) if bias else None
        self.bias = None if numbers is None else nn.Parameter(numbers)

    def forward(self, x: Tensor) -> Tensor:
        """Convolve: (N, in_channels, H, W) to (N, out_channels, H', W')."""
        options = self.stride, self.padding, self.dilation, self.groups
        return conv2d(x, self.weight, self.bias, *options)

    def extra_repr(self) -> str:
        """Say the kernels' shape when the layer is printed."""
        return f"weight={tuple(self.weight.shape)}, stride={self.stride}"


# Layers that compute each pixel of each channel from that pixel alone.
POINTWISE = (
    *(nn.ReLU, nn.LeakyReLU, nn.GELU, nn.SiLU, nn.Sigmoid, nn.Tanh, nn.Identity),
    *(nn.BatchNorm2d, nn.Dropout, nn.Dropout2d),
)
WINDOWED = (nn.Conv2d, ConvLayer, nn.MaxPool2d, nn.AvgPool2d)


def receptive_field(layers: Iterable[nn.Module]) -> tuple[int, int]:
    """Count the pixels, down and across, that one output pixel of a net depends on.

    Each layer widens the field by its kernel's reach, counted in steps of all strides
    before it.

    Parameters
    ----------
    layers : nn.Sequential, or another iterable of nn.Module
        Convolutions, pooling, nested sequences of them, and layers that work on each
        pixel alone (activations, batch norm in evaluation, dropout).

    Returns
    -------
    (int, int)

    Raises
    ------
    TypeError
        If a layer is of a kind whose reach is not known, such as nn.Linear.

    Notes
    -----
    A. Araujo, W. Norris, J. Sim, *Computing receptive fields of convolutional neural
    networks*, Distill 2019, https://doi.org/10.23915/distill.00021, equation 2.
    """
    field, jump = [1, 1], [1, 1]
    for layer in flattened(layers):
        for axis in (0, 1):
            k, s, d = (
                as_pair(name, getattr(layer, name, 1))[axis]
                for name in ("kernel_size", "stride", "dilation")
            )
            field[axis] += d * (k - 1) * jump[axis]
            jump[axis] *= s
    return tuple(field)


def flattened(layers: Iterable[nn.Module]) -> Iterable[nn.Module]:
    """Walk through the windowed layers of nested sequences, or name a stranger."""
    check_is("layers", layers, Iterable)
    for layer in layers:
        if isinstance(layer, nn.Sequential):
            yield from flattened(layer)
        elif isinstance(layer, WINDOWED):
            yield layer
        elif not isinstance(layer, POINTWISE):
            raise TypeError(
                f"layers has a {type(layer).__name__}; expected convolutions, pooling, "
                f"activations, batch norm or dropout"
            )
