"""Operators that the chapters derive, in nothing but tensor arithmetic."""

import math

import torch.nn.functional as F
from torch import Tensor

from conv.checks import (
    as_one_float_dtype,
    as_pair,
    check_channels,
    check_choice,
    check_device,
    check_room,
    check_steps,
    check_tensor,
    checked_pair,
)

Size = int | tuple[int, int]
BATCH = ("batch", "channels", "height", "width")


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


def conv2d(
    X: Tensor,
    K: Tensor,
    bias: Tensor | None = None,
    stride: Size = 1,
    padding: Size | str = 0,
    dilation: Size = 1,
    groups: int = 1,
) -> Tensor:
    """Slide many kernels over a batch of pictures with many channels.

    Each tap of the kernels is one matrix product over the channels: it mixes the
    channels of a shifted (and strided) batch, and adds the result to the output.

    Parameters
    ----------
    X : Tensor
        The batch, of shape (N, C_in, H, W).
    K : Tensor
        The kernels, of shape (C_out, C_in/groups, h, w).
    bias : Tensor, optional
        One number for each output channel, of shape (C_out,).
    stride : int or (int, int)
        Pixels from one window to the next, down and across.
    padding : int, (int, int), "same" or "valid"
        Zeros added above and below, left and right. "same" keeps the size (stride 1
        only; an odd number of zeros puts the extra one below and to the right).
    dilation : int or (int, int)
        Pixels from one tap to the next.
    groups : int
        How many groups of channels are convolved apart from each other.

    Returns
    -------
    Tensor
        Shape (N, C_out, H', W'), see `output_shape`; device and dtype as in `corr2d`.

    Raises
    ------
    TypeError, ValueError
        If an argument has the wrong type, or doesn't fit the others.

    Notes
    -----
    Means what ``torch.nn.functional.conv2d`` means.
    """
    check_operands(X, K, bias, groups)
    check_steps(stride, padding, dilation)
    X, K = as_one_float_dtype(X, K)
    h, w = K.shape[2:]
    (s, t), (d, e) = as_pair("stride", stride), as_pair("dilation", dilation)
    left, right, top, bottom = zeros_around((h, w), padding, (d, e))
    size = X.shape[2] + top + bottom, X.shape[3] + left + right
    check_room("padding", padding, (*X.shape[:2], *size))
    X = F.pad(X, (left, right, top, bottom))
    rows, columns = output_shape(tuple(X.shape[2:]), (h, w), (s, t), 0, (d, e))
    X = by_group(X, groups)  # (g, C_in/g, N, H, W)
    K = K.unflatten(0, (groups, -1))  # (g, C_out/g, C_in/g, h, w)
    Y = X.new_zeros(groups, K.shape[1], X.shape[2] * rows * columns)
    for i in range(h):
        for j in range(w):
            window = X[..., taken(i * d, rows, s), taken(j * e, columns, t)]
            Y.baddbmm_(K[..., i, j], window.flatten(2))
    Y = Y.unflatten(2, (X.shape[2], rows, columns))  # (g, C_out/g, N, H', W')
    return joined(Y, bias)  # (N, C_out, H', W')


def conv_transpose2d(
    X: Tensor,
    K: Tensor,
    bias: Tensor | None = None,
    stride: Size = 1,
    padding: Size = 0,
    output_padding: Size = 0,
    groups: int = 1,
    dilation: Size = 1,
) -> Tensor:
    """Stamp kernels, scaled by the pixels of a batch, onto a larger batch.

    The transpose of `conv2d` as a matrix: it takes gradients back the way that
    `conv2d` took pictures forth. Each tap writes where `conv2d` would have read.

    Parameters
    ----------
    X : Tensor
        The batch, of shape (N, C_in, H, W).
    K : Tensor
        The kernels, of shape (C_in, C_out/groups, h, w).
    bias : Tensor, optional
        One number for each output channel, of shape (C_out,).
    stride : int or (int, int)
        Pixels from one stamp to the next.
    padding : int or (int, int)
        Rows and columns cut off on either side.
    output_padding : int or (int, int)
        Rows and columns kept, or added, at the bottom and on the right; less than
        the stride or the dilation.
    groups, dilation
        As in `conv2d`.

    Returns
    -------
    Tensor
        Shape (N, C_out, H', W'), where
        H' = (H-1)*stride - 2*padding + dilation*(h-1) + output_padding + 1.

    Raises
    ------
    TypeError, ValueError
        If an argument has the wrong type, or doesn't fit the others.

    Notes
    -----
    Means what ``torch.nn.functional.conv_transpose2d`` means.
    """
    check_operands(X, K, bias, groups, transposed=True)
    X, K = as_one_float_dtype(X, K)
    (H, W), (h, w) = X.shape[2:], K.shape[2:]
    (s, t), (d, e) = as_pair("stride", stride), as_pair("dilation", dilation)
    (p, q), (a, b) = extra_rows((s, t), padding, output_padding, (d, e))
    rows, columns = (H - 1) * s + (h - 1) * d + 1 + a, (W - 1) * t + (w - 1) * e + 1 + b
    check_crop((rows, columns), (p, q))
    N, C_out = X.shape[0], K.shape[1] * groups
    check_room("stride, dilation", ((s, t), (d, e)), (N, C_out, rows, columns))
    X = by_group(X, groups)  # (g, C_in/g, N, H, W)
    K = K.unflatten(0, (groups, -1)).transpose(1, 2)  # (g, C_out/g, C_in/g, h, w)
    Y = X.new_zeros(groups, C_out // groups, N, rows, columns)
    for i in range(h):
        for j in range(w):
            stamp = (K[..., i, j] @ X.flatten(2)).unflatten(2, (N, H, W))
            Y[..., taken(i * d, H, s), taken(j * e, W, t)] += stamp
    return joined(Y[..., p : rows - p, q : columns - q], bias)  # (N, C_out, H', W')


def pool2d(
    X: Tensor,
    pool_size: Size,
    mode: str = "max",
    stride: Size | None = None,
    padding: Size = 0,
) -> Tensor:
    """Keep the largest number, or the average, of each window of each channel.

    Parameters
    ----------
    X : Tensor
        The batch, of shape (N, C, H, W).
    pool_size : int or (int, int)
        Height and width of the window.
    mode : "max" or "avg"
        Of several largest numbers, the gradient goes to the first.
    stride : int or (int, int), optional
        Pixels from one window to the next; if not given, the windows don't overlap.
    padding : int or (int, int)
        Pixels added on either side, at most half a window: zeros that the average
        counts, and that the maximum leaves out.

    Returns
    -------
    Tensor
        Shape (N, C, H', W'), see `output_shape`; device and dtype as in `corr2d`.

    Raises
    ------
    TypeError, ValueError
        If an argument has the wrong type, or doesn't fit the others.

    Notes
    -----
    Means what ``max_pool2d`` and ``avg_pool2d`` of ``torch.nn.functional`` mean.
    """
    check_tensor("X", X, BATCH)
    h, w = as_pair("pool_size", pool_size)
    (s, t) = as_pair("stride", (h, w) if stride is None else stride)
    p, q = as_pair("padding", padding, least=0)
    check_choice("mode", mode, ("max", "avg"))
    if 2 * p > h or 2 * q > w:
        raise ValueError(
            f"padding is {padding!r}; expected at most half of pool_size, {(h, w)}"
        )
    size = X.shape[2] + 2 * p, X.shape[3] + 2 * q
    check_room("padding", padding, (*X.shape[:2], *size))
    (X,) = as_one_float_dtype(X)
    X = F.pad(X, (q, q, p, p), value=-math.inf if mode == "max" else 0.0)
    rows, columns = output_shape(tuple(X.shape[2:]), (h, w), (s, t))
    windows = [
        X[..., taken(i, rows, s), taken(j, columns, t)]
        for i in range(h)
        for j in range(w)
    ]
    if mode == "avg":
        return sum(windows) / (h * w)
    Y = windows[0]
    for window in windows[1:]:
        Y = window.where((window > Y) | window.isnan(), Y)  # at a tie, the first stays
    return Y


def output_shape(
    size: Size,
    kernel_size: Size,
    stride: Size = 1,
    padding: Size = 0,
    dilation: Size = 1,
) -> tuple[int, int]:
    """Count the windows that fit into a picture: down and across.

    In each direction floor((size + 2*padding - dilation*(kernel_size-1) - 1) / stride)
    + 1.

    Parameters
    ----------
    size : int or (int, int)
        Height and width of the picture.
    kernel_size, stride, padding, dilation
        As in `conv2d` and `pool2d`.

    Returns
    -------
    (int, int)

    Raises
    ------
    TypeError, ValueError
        If a number is not an int or is too small, or if no window fits.
    """
    size, kernel_size = as_pair("size", size), as_pair("kernel_size", kernel_size)
    stride, dilation = as_pair("stride", stride), as_pair("dilation", dilation)
    padding = as_pair("padding", padding, least=0)
    shape = []
    for n, k, s, p, d in zip(size, kernel_size, stride, padding, dilation, strict=True):
        room = n + 2 * p - d * (k - 1) - 1
        if room < 0:
            raise ValueError(
                f"kernel_size is {kernel_size} with dilation {dilation}: it covers "
                f"{d * (k - 1) + 1} pixels; expected at most {n + 2 * p}, the padded "
                f"picture's"
            )
        shape.append(room // s + 1)
    return tuple(shape)


def by_group(X: Tensor, groups: int) -> Tensor:
    """Bring the groups to the front: (N, C, H, W) to (groups, C/groups, N, H, W)."""
    return X.unflatten(1, (groups, -1)).permute(1, 2, 0, 3, 4)


def joined(Y: Tensor, bias: Tensor | None) -> Tensor:
    """Undo `by_group`, and add one number to each channel, if there are any."""
    Y = Y.flatten(0, 1).transpose(0, 1)  # (N, C, H, W)
    return Y if bias is None else Y + bias[:, None, None]


def taken(start: int, count: int, step: int) -> slice:
    """Slice `count` pixels, `step` apart, from `start` on."""
    return slice(start, start + step * (count - 1) + 1, step)


def zeros_around(
    kernel_size: tuple[int, int], padding: Size | str, dilation: tuple[int, int]
) -> tuple[int, int, int, int]:
    """Turn `conv2d`'s padding into zeros on the left, right, top and bottom."""
    if padding == "valid":
        return 0, 0, 0, 0
    if padding == "same":
        rows, columns = (
            d * (k - 1) for d, k in zip(dilation, kernel_size, strict=True)
        )
        return columns // 2, -(-columns // 2), rows // 2, -(-rows // 2)
    p, q = as_pair("padding", padding, least=0)
    return q, q, p, p


def extra_rows(
    stride: tuple[int, int],
    padding: Size,
    output_padding: Size,
    dilation: tuple[int, int],
) -> tuple[tuple[int, int], tuple[int, int]]:
    """Check what `conv_transpose2d` cuts off and adds; return both as pairs."""
    extra = as_pair("output_padding", output_padding, least=0)
    for a, s, d in zip(extra, stride, dilation, strict=True):
        if a >= max(s, d):
            raise ValueError(
                f"output_padding is {output_padding!r}; expected less than stride "
                f"{stride} or dilation {dilation}"
            )
    return as_pair("padding", padding, least=0), extra


def check_crop(size: tuple[int, int], padding: tuple[int, int]) -> None:
    """Refuse a padding that cuts everything off."""
    if any(n - 2 * p < 1 for n, p in zip(size, padding, strict=True)):
        raise ValueError(
            f"padding is {padding}; expected to leave something of the output, whose "
            f"size before cutting is {size}"
        )


def check_operands(
    X: Tensor, K: Tensor, bias: Tensor | None, groups: int, transposed: bool = False
) -> None:
    """Refuse a batch, kernels and a bias that don't go together."""
    first, second = ("in", "out") if transposed else ("out", "in")
    check_tensor("X", X, BATCH)
    check_tensor(
        "K", K, (f"{first}_channels", f"{second}_channels/groups", "height", "width")
    )
    check_device("K", K, X)
    check_channels(X, K, bias, groups, transposed)
