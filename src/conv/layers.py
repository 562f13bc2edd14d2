"""Layers: operators that own the numbers they learn."""

import torch
from torch import Tensor, nn

from conv.functional import corr2d


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


def as_pair(name: str, value: int | tuple[int, int]) -> tuple[int, int]:
    """Turn one size or two into (height, width).

    Parameters
    ----------
    name : str
        What the caller's argument is called, for the message.
    value : int or (int, int)
        One number for both sides, or height and width.

    Returns
    -------
    (int, int)

    Raises
    ------
    TypeError
        If `value` is neither an int nor a pair of ints.
    ValueError
        If a side is less than 1.
    """
    pair = (value, value) if isinstance(value, int) else value
    if (
        not isinstance(pair, tuple | list)
        or len(pair) != 2
        or any(not isinstance(side, int) or isinstance(side, bool) for side in pair)
    ):
        raise TypeError(f"{name} is {value!r}; expected an int or a pair of ints")
    if min(pair) < 1:
        raise ValueError(f"{name} is {value!r}; expected sides of at least 1")
    return tuple(pair)
