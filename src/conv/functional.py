"""The operators that the chapters derive, as tensor arithmetic.

These functions don't check their arguments. `conv.corr2d` and the other public
operators are the same functions behind the checks that `conv/__init__.py` declares.
"""

import functools
import math
from collections.abc import Iterable

import torch
import torch.nn.functional as F
from torch import Tensor

Size = int | tuple[int, int]


def corr2d(X: Tensor, K: Tensor) -> Tensor:
    """Cross-correlate an image with a kernel.

    Loops over the taps of the kernel rather than over output pixels: each tap adds
    a shifted crop of the image, scaled by that tap's weight.

    Parameters
    ----------
    X : Tensor, shape (H, W)
        Image.
    K : Tensor, shape (h, w)
        Kernel, at most as large as the image.

    Returns
    -------
    Tensor, shape (H - h + 1, W - w + 1)
        On the inputs' device, differentiable with respect to both. Integer inputs are
        converted to the default float dtype.

    Raises
    ------
    TypeError, ValueError
        If an input is not a tensor of two axes, if the kernel is larger than the
        image, or if the two are on different devices.

    Notes
    -----
    Derived in chapter 1. Equal to ``torch.nn.functional.conv2d`` with one channel.
    """
    h, w = K.shape
    H_out, W_out = X.shape[0] - h + 1, X.shape[1] - w + 1
    Y = X.new_zeros((H_out, W_out))
    for a, row in enumerate(K):
        for b, weight in enumerate(row):
            Y.addcmul_(X[a : a + H_out, b : b + W_out], weight)
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
    """Cross-correlate a batch of multichannel images with several kernels.

    Each tap of the kernels is a matrix of weights from input channels to output
    channels. This matrix multiplies a shifted crop of the batch, taken with the given
    stride, and the products are summed.

    Parameters
    ----------
    X : Tensor, shape (N, C_in, H, W)
        Batch of images.
    K : Tensor, shape (C_out, C_in / groups, h, w)
        Kernels.
    bias : Tensor, shape (C_out,), optional
        Added to each output channel.
    stride : int or (int, int)
        Step from one window to the next in pixels, vertically and horizontally.
    padding : int, (int, int), "same" or "valid"
        Rows of zeros added above and below, and columns of zeros added on the left and
        right. "same" preserves the image's size and requires stride 1; an odd row or
        column goes below or on the right. "valid" means no padding.
    dilation : int or (int, int)
        Distance between neighboring taps in pixels.
    groups : int
        Number of groups of channels, each of which is convolved separately.

    Returns
    -------
    Tensor, shape (N, C_out, H_out, W_out)
        See `output_shape` for the size. Device and dtype as in `corr2d`.

    Raises
    ------
    TypeError, ValueError
        If an argument has the wrong type, or the arguments don't fit together.

    Notes
    -----
    Derived in chapters 5, 6, and 8. Equal to ``torch.nn.functional.conv2d``.
    """
    (h, w), (sh, sw), (dh, dw) = K.shape[2:], as_pair(stride), as_pair(dilation)
    X = F.pad(X, explicit_padding(padding, (h, w), (dh, dw)))
    N, _, H, W = X.shape
    H_out, W_out = output_shape((H, W), (h, w), (sh, sw), 0, (dh, dw))
    X = split_groups(X, groups)  # (G, C_in/G, N, H, W)
    K = K.unflatten(0, (groups, -1))  # (G, C_out/G, C_in/G, h, w)
    Y = X.new_zeros(groups, K.shape[1], N * H_out * W_out)
    for i, K_row in enumerate(K.unbind(3)):
        rows = X[..., strided_slice(i * dh, H_out, sh), :]
        for j, tap in enumerate(K_row.unbind(3)):  # (G, C_out/G, C_in/G)
            crop = rows[..., strided_slice(j * dw, W_out, sw)]
            Y.baddbmm_(tap, crop.flatten(2))
    Y = merge_groups(Y.unflatten(2, (N, H_out, W_out)))  # (N, C_out, H_out, W_out)
    return Y if bias is None else Y + bias[:, None, None]


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
    """Compute the transposed convolution of a batch of images.

    Each input pixel adds a copy of the kernel, scaled by that pixel, to a larger
    output. As a matrix, this is the transpose of `conv2d`.

    Parameters
    ----------
    X : Tensor, shape (N, C_in, H, W)
        Batch of images.
    K : Tensor, shape (C_in, C_out / groups, h, w)
        Kernels.
    bias : Tensor, shape (C_out,), optional
        Added to each output channel.
    stride : int or (int, int)
        Step from one copy of the kernel to the next in output pixels.
    padding : int or (int, int)
        Rows cropped at the top and bottom, and columns cropped on the left and right.
    output_padding : int or (int, int)
        Extra rows at the bottom and extra columns on the right. Must be less than the
        stride or the dilation.
    groups, dilation
        As in `conv2d`.

    Returns
    -------
    Tensor, shape (N, C_out, H_out, W_out)
        H_out = (H - 1) * stride - 2 * padding + dilation * (h - 1) + output_padding
        + 1. The formula for W_out has the same form.

    Raises
    ------
    TypeError, ValueError
        If an argument has the wrong type, or the arguments don't fit together.

    Notes
    -----
    Derived in chapters 8 and 9. Equal to ``torch.nn.functional.conv_transpose2d``.
    """
    (N, _, H, W), (h, w) = X.shape, K.shape[2:]
    (sh, sw), (ph, pw), (dh, dw) = map(as_pair, (stride, padding, dilation))
    extra_h, extra_w = as_pair(output_padding)
    H_full = (H - 1) * sh + (h - 1) * dh + 1 + extra_h
    W_full = (W - 1) * sw + (w - 1) * dw + 1 + extra_w
    X = split_groups(X, groups).flatten(2)  # (G, C_in/G, N*H*W)
    K = K.unflatten(0, (groups, -1)).transpose(1, 2)  # (G, C_out/G, C_in/G, h, w)
    Y = X.new_zeros(groups, K.shape[1], N, H_full, W_full)
    for i, K_row in enumerate(K.unbind(3)):
        rows = Y[..., strided_slice(i * dh, H, sh), :]
        for j, tap in enumerate(K_row.unbind(3)):  # (G, C_out/G, C_in/G)
            target = rows[..., strided_slice(j * dw, W, sw)]
            target.add_((tap @ X).unflatten(2, (N, H, W)))
    Y = merge_groups(Y[..., ph : H_full - ph, pw : W_full - pw])
    return Y if bias is None else Y + bias[:, None, None]


def pool2d(
    X: Tensor,
    pool_size: Size,
    mode: str = "max",
    stride: Size | None = None,
    padding: Size = 0,
    ceil_mode: bool = False,
) -> Tensor:
    """Compute the maximum or the average of each window in each channel.

    Parameters
    ----------
    X : Tensor, shape (N, C, H, W)
        Batch of images.
    pool_size : int or (int, int)
        Height and width of the window.
    mode : "max" or "avg"
        If several pixels share the maximum, the gradient goes to the first of them.
    stride : int or (int, int), optional
        Step from one window to the next in pixels; by default, the window's size.
    padding : int or (int, int)
        Pixels added on each side, at most half a window. The average counts them as
        zeros; the maximum ignores them.
    ceil_mode : bool
        Whether to keep a last window that reaches beyond the padded image, provided it
        starts inside the image or its padding at the top or left. The pixels beyond
        count neither for the maximum nor for the average.

    Returns
    -------
    Tensor, shape (N, C, H_out, W_out)
        See `output_shape` for the size. Device and dtype as in `corr2d`.

    Raises
    ------
    TypeError, ValueError
        If an argument has the wrong type, or the arguments don't fit together.

    Notes
    -----
    Derived in chapter 7. Equal to ``max_pool2d`` and ``avg_pool2d`` of
    ``torch.nn.functional``.
    """
    (h, w), (ph, pw) = as_pair(pool_size), as_pair(padding)
    sh, sw = (h, w) if stride is None else as_pair(stride)
    H, W = X.shape[2] + 2 * ph, X.shape[3] + 2 * pw  # with padding
    H_out, W_out = output_shape(X.shape[2:], (h, w), (sh, sw), (ph, pw), 1, ceil_mode)
    below = max((H_out - 1) * sh + h - H, 0)  # beyond the padding: only in ceil mode
    right = max((W_out - 1) * sw + w - W, 0)
    sides = (pw, pw + right, ph, ph + below)

    def windows(image: Tensor) -> list[Tensor]:
        """Crop the pixels under each position in the window, (..., H_out, W_out)."""
        rows = [image[..., strided_slice(i, H_out, sh), :] for i in range(h)]
        return [r[..., strided_slice(j, W_out, sw)] for r in rows for j in range(w)]

    if mode == "avg":
        counted = F.pad(X.new_ones(H, W), (0, right, 0, below))
        return sum(windows(F.pad(X, sides))) / sum(windows(counted))
    Y, *others = windows(F.pad(X, sides, value=-math.inf))
    for window in others:
        Y = window.where((window > Y) | window.isnan(), Y)  # a tie keeps the first
    return Y


def output_shape(
    size: Size,
    kernel_size: Size,
    stride: Size = 1,
    padding: Size = 0,
    dilation: Size = 1,
    ceil_mode: bool = False,
) -> tuple[int, int]:
    """Count the positions of a window in an image, vertically and horizontally.

    The number in each direction is
    floor((size + 2 * padding - dilation * (kernel_size - 1) - 1) / stride) + 1.

    Parameters
    ----------
    size : int or (int, int)
        Height and width of the image.
    kernel_size, stride, padding, dilation
        As in `conv2d` and `pool2d`.
    ceil_mode : bool
        Whether to round up instead of down. As in `pool2d`, a window that would start
        beyond the image isn't counted.

    Returns
    -------
    H_out, W_out : int

    Raises
    ------
    TypeError, ValueError
        If a number is not an int or is too small, or if no window fits.
    """
    shape = []
    for n, k, s, p, d in zip(
        *map(as_pair, (size, kernel_size, stride, padding, dilation)), strict=True
    ):
        room = n + 2 * p - d * (k - 1) - 1  # how far the window can move, in pixels
        count = (-(-room // s) if ceil_mode else room // s) + 1
        shape.append(count - 1 if ceil_mode and (count - 1) * s >= n + p else count)
    return tuple(shape)


def as_pair(value: Size) -> tuple[int, int]:
    """Repeat a single number: (vertical, horizontal)."""
    return tuple(value) if isinstance(value, Iterable) else (value, value)


def promote_to_float(*tensors: Tensor) -> list[Tensor]:
    """Convert tensors to one floating-point dtype; integers become the default one."""
    if len({t.dtype for t in tensors}) == 1 and tensors[0].is_floating_point():
        return list(tensors)
    dtype = functools.reduce(
        torch.promote_types, (t.dtype for t in tensors), torch.bool
    )
    if not (dtype.is_floating_point or dtype.is_complex):
        dtype = torch.get_default_dtype()
    return [tensor.to(dtype) for tensor in tensors]


def strided_slice(start: int, count: int, step: int) -> slice:
    """Slice `count` pixels that are `step` apart."""
    return slice(start, start + step * (count - 1) + 1, step)


def split_groups(X: Tensor, groups: int) -> Tensor:
    """Move the groups to the front: (N, C, H, W) to (groups, C / groups, N, H, W)."""
    return X.unflatten(1, (groups, -1)).permute(1, 2, 0, 3, 4)


def merge_groups(Y: Tensor) -> Tensor:
    """Undo `split_groups`: (groups, C / groups, N, H, W) to (N, C, H, W)."""
    return Y.flatten(0, 1).transpose(0, 1)


def explicit_padding(
    padding: Size | str, kernel_size: tuple[int, int], dilation: tuple[int, int]
) -> tuple[int, int, int, int]:
    """Return the padding on the left, right, top and bottom, in `F.pad`'s order."""
    if padding == "valid":
        return 0, 0, 0, 0
    if padding == "same":
        vertical, horizontal = (
            d * (k - 1) for k, d in zip(kernel_size, dilation, strict=True)
        )
        left, top = horizontal // 2, vertical // 2
        return left, horizontal - left, top, vertical - top
    ph, pw = as_pair(padding)
    return pw, pw, ph, ph
