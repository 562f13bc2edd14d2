"""Operators that the chapters derive, in nothing but tensor arithmetic."""

import torch
from torch import Tensor


def corr2d(X: Tensor, K: Tensor) -> Tensor:
    """Slide a kernel over a picture: two-dimensional cross-correlation.

    ``Y[i, j]`` is the sum of the products of ``K`` with the window of ``X`` whose
    top left corner is at ``(i, j)``. The loop runs over the kernel's taps, not over
    the output's pixels: each tap adds a shifted, scaled copy of the whole picture.

    Parameters
    ----------
    X : Tensor
        The picture, of shape (H, W).
    K : Tensor
        The kernel, of shape (h, w), no taller and no wider than ``X``, on its device.

    Returns
    -------
    Tensor
        Shape (H-h+1, W-w+1), on the inputs' device, differentiable in both. Its
        dtype is what PyTorch promotes the inputs' to; integers and bools become the
        default float dtype.

    Raises
    ------
    TypeError
        If an input is not a tensor, or is complex.
    ValueError
        If an input is not 2-D or is empty, if ``K`` does not fit into ``X``, or if
        the two live on different devices.

    Notes
    -----
    Derived in chapter 1; equal to ``torch.nn.functional.conv2d`` with one channel.
    """
    X, K = checked_pair(X, K)
    h, w = K.shape
    rows, columns = X.shape[0] - h + 1, X.shape[1] - w + 1
    Y = X.new_zeros((rows, columns))  # (H-h+1, W-w+1)
    for i in range(h):
        for j in range(w):
            Y.addcmul_(X[i : i + rows, j : j + columns], K[i, j])
    return Y


def checked_pair(X: Tensor, K: Tensor) -> tuple[Tensor, Tensor]:
    """Return a picture and a kernel in one float dtype, or say why they don't fit.

    Parameters
    ----------
    X, K : Tensor
        As in `corr2d`, which lists the errors.

    Returns
    -------
    tuple of Tensor
        ``X`` and ``K``, converted to their common floating-point dtype.
    """
    check_matrix("X", X)
    check_matrix("K", K)
    if X.device != K.device:
        raise ValueError(
            f"X is on {X.device} and K on {K.device}; expected both on one device: "
            f"move one with K.to(X.device)"
        )
    if K.shape[0] > X.shape[0] or K.shape[1] > X.shape[1]:
        raise ValueError(
            f"K has shape {tuple(K.shape)}; expected no taller and no wider than X, "
            f"whose shape is {tuple(X.shape)}"
        )
    dtype = torch.promote_types(X.dtype, K.dtype)
    if not dtype.is_floating_point:
        dtype = torch.get_default_dtype()
    return X.to(dtype), K.to(dtype)


def check_matrix(name: str, value: Tensor) -> None:
    """Refuse whatever is not a real, non-empty, two-dimensional tensor.

    Parameters
    ----------
    name : str
        What the caller's argument is called, for the message.
    value : Tensor
        What came.

    Raises
    ------
    TypeError
        If `value` is not a tensor, or is complex.
    ValueError
        If it is not 2-D or has no elements.
    """
    if not isinstance(value, Tensor):
        raise TypeError(
            f"{name} is of type {type(value).__name__}; expected a torch.Tensor"
        )
    if value.is_complex():
        raise TypeError(f"{name} has dtype {value.dtype}; expected real numbers")
    if value.dim() != 2:
        raise ValueError(
            f"{name} has shape {tuple(value.shape)}; expected two dimensions, "
            f"(height, width)"
        )
    if value.numel() == 0:
        raise ValueError(
            f"{name} is empty, with shape {tuple(value.shape)}; expected at least "
            f"one row and one column"
        )
