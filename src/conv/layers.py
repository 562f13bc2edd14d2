"""Layers: operators together with their parameters."""

import math
from collections.abc import Iterable, Iterator

import torch
from torch import Tensor, nn

import conv  # a layer calls the public operators, which check its input
from conv.functional import Size, as_pair


class Conv2D(nn.Module):
    """A convolutional layer for one image, with one kernel and one bias.

    Parameters
    ----------
    kernel_size : int or (int, int)
        Height and width of the kernel; a single int makes it square.

    Attributes
    ----------
    weight : nn.Parameter, shape (h, w)
        Kernel, initialized uniformly from [0, 1).
    bias : nn.Parameter, shape (1,)
        Added to every output pixel, initialized to zero.

    Raises
    ------
    TypeError, ValueError
        If `kernel_size` is not an int or a pair of ints, or is less than 1.

    Notes
    -----
    Derived in chapter 2. Maps an image of shape (H, W) to (H - h + 1, W - w + 1).
    """

    def __init__(self, kernel_size: tuple[int, int]) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.rand(kernel_size))
        self.bias = nn.Parameter(torch.zeros(1))  # broadcast over the image

    def forward(self, x: Tensor) -> Tensor:
        """Apply the kernel and add the bias: (H, W) to (H - h + 1, W - w + 1)."""
        return conv.corr2d(x, self.weight) + self.bias

    def extra_repr(self) -> str:
        """Return the kernel's size, for printing the layer."""
        return f"kernel_size={tuple(self.weight.shape)}"


class ConvLayer(nn.Module):
    """A convolutional layer for batches of images with many channels.

    Parameters
    ----------
    in_channels, out_channels : int
        Number of input channels and of output channels.
    kernel_size : int or (int, int)
        Height and width of the kernels.
    stride, padding, dilation, groups
        As in `conv.conv2d`.
    bias : bool
        Whether to add a bias to each output channel.

    Attributes
    ----------
    weight : nn.Parameter, shape (out_channels, in_channels / groups, h, w)
        Kernels, initialized uniformly between -1/√n and 1/√n, where n is the number of
        products that are summed for one output.
    bias : nn.Parameter or None, shape (out_channels,)
        Initialized in the same way.

    Raises
    ------
    TypeError, ValueError
        If an argument has the wrong type or is too small, or if `groups` doesn't
        divide the numbers of channels.

    Notes
    -----
    Derived in chapter 6. Equivalent to ``torch.nn.Conv2d``; with the same seed, the
    initial weights are equal, too.
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
        self.kernel_size = as_pair(kernel_size)
        self.stride, self.padding, self.dilation = stride, padding, dilation
        self.groups = groups
        shape = (out_channels, in_channels // groups, *self.kernel_size)
        bound = 1 / math.sqrt(math.prod(shape[1:]))
        self.weight = nn.Parameter(torch.empty(shape).uniform_(-bound, bound))
        self.bias = None
        if bias:
            self.bias = nn.Parameter(torch.empty(out_channels).uniform_(-bound, bound))

    def forward(self, x: Tensor) -> Tensor:
        """Convolve: (N, in_channels, H, W) to (N, out_channels, H_out, W_out)."""
        options = self.stride, self.padding, self.dilation, self.groups
        return conv.conv2d(x, self.weight, self.bias, *options)

    def extra_repr(self) -> str:
        """Return the shape of the kernels and the stride, for printing the layer."""
        return f"weight={tuple(self.weight.shape)}, stride={self.stride}"


# Layers that compute every pixel of their output from the same pixel of the input.
POINTWISE = (
    nn.BatchNorm2d,
    nn.Dropout,
    nn.Dropout2d,
    nn.GELU,
    nn.Identity,
    nn.LeakyReLU,
    nn.ReLU,
    nn.Sigmoid,
    nn.SiLU,
    nn.Tanh,
)
WINDOWED = (nn.Conv2d, ConvLayer, nn.MaxPool2d, nn.AvgPool2d)


def receptive_field(layers: Iterable[nn.Module]) -> tuple[int, int]:
    """Compute the size of the receptive field of an output pixel.

    Each layer extends the field by its kernel's extent minus one, times the product of
    all earlier strides.

    Parameters
    ----------
    layers : nn.Sequential, or another iterable of nn.Module
        Convolutions, pooling, nested sequences of them, and pointwise layers
        (activations, batch norm in evaluation mode, dropout).

    Returns
    -------
    height, width : int
        In pixels of the input.

    Raises
    ------
    TypeError
        If a layer is of another kind, such as nn.Linear.

    Notes
    -----
    A. Araujo, W. Norris, J. Sim, *Computing receptive fields of convolutional neural
    networks*, Distill 2019, https://doi.org/10.23915/distill.00021, equation 2.
    """
    field, jump = [1, 1], [1, 1]
    for layer in iter_layers(layers):
        sizes = (layer.kernel_size, layer.stride, getattr(layer, "dilation", 1))
        for axis, (k, s, d) in enumerate(zip(*map(as_pair, sizes), strict=True)):
            field[axis] += d * (k - 1) * jump[axis]
            jump[axis] *= s
    return tuple(field)


def iter_layers(layers: Iterable[nn.Module]) -> Iterator[nn.Module]:
    """Iterate over the convolutions and pooling layers of nested sequences."""
    for layer in layers:
        if isinstance(layer, nn.Sequential):
            yield from iter_layers(layer)
        elif isinstance(layer, WINDOWED):
            yield layer
        elif not isinstance(layer, POINTWISE):
            wanted = "convolutions, pooling, activations, batch norm or dropout"
            raise TypeError(f"layers contains {layer!r}; expected {wanted}")
