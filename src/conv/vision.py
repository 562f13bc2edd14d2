"""What the chapters on segmentation and detection derive, as tensor arithmetic.

Nothing is checked here: `conv.iou` and the others are these functions behind the checks
that `conv/__init__.py` declares.
"""

import torch
from torch import Tensor, nn


def iou(predicted: Tensor, target: Tensor) -> Tensor:
    """Compute the intersection over union of two masks.

    Parameters
    ----------
    predicted, target : Tensor, of one shape and of type bool
        Masks, or batches of masks.

    Returns
    -------
    Tensor, shape ()
        From 0 to 1, over all pixels together; nan if both masks are empty.

    Raises
    ------
    TypeError, ValueError
        If an argument is not a tensor of type bool, or the shapes or devices differ.

    Notes
    -----
    Derived in chapter 17. One minus ``scipy.spatial.distance.jaccard``.
    """
    both = (predicted & target).sum()
    either = (predicted | target).sum()
    return both / either


def dice(predicted: Tensor, target: Tensor) -> Tensor:
    """Compute the Dice coefficient of two masks: twice the overlap over both sizes.

    Parameters
    ----------
    predicted, target
        As in `iou`.

    Returns
    -------
    Tensor, shape ()
        From 0 to 1, over all pixels together; nan if both masks are empty.

    Raises
    ------
    TypeError, ValueError
        As in `iou`.

    Notes
    -----
    Derived in chapter 17. One minus ``scipy.spatial.distance.dice``.
    """
    both = (predicted & target).sum()
    return 2 * both / (predicted.sum() + target.sum())


def dice_loss(scores: Tensor, target: Tensor) -> Tensor:
    """Compute one minus the Dice coefficient of probabilities and a mask.

    Parameters
    ----------
    scores : Tensor, floating-point
        One score per pixel, which the sigmoid turns into a probability.
    target : Tensor, of the same shape
        1 for the pixels of the mask, 0 for the others.

    Returns
    -------
    Tensor, shape ()
        From 0 to 1, over all pixels of the batch together. Numerator and denominator
        have an additional 1, so that the loss of an empty mask is defined.

    Raises
    ------
    TypeError, ValueError
        If an argument is not a tensor, or the shapes or devices differ.

    Notes
    -----
    Derived in chapter 17. F. Milletari, N. Navab, S.-A. Ahmadi, *V-Net: fully
    convolutional neural networks for volumetric medical image segmentation*, 2016,
    https://arxiv.org/abs/1606.04797, with squares in the denominator.
    """
    p = scores.sigmoid()
    both = (p * target).sum()
    return 1 - (2 * both + 1) / (p.sum() + target.sum() + 1)


def apply_in_tiles(net: nn.Module, x: Tensor, size: int, margin: int) -> Tensor:
    """Apply a network to large images tile by tile.

    Each tile reaches beyond its part of the output by a margin, except at the border
    of the image. The margin of the tile's output is cut off.

    Parameters
    ----------
    net : nn.Module
        Keeps the height and width of its input, for every tile.
    x : Tensor, shape (N, C, H, W)
        Batch of images.
    size : int
        Height and width of a tile's part of the output. A multiple of the network's
        total stride.
    margin : int
        Additional pixels on each side. A multiple of the network's total stride, and
        at least as far as the network sees, if the result is to be the same as
        without tiles.

    Returns
    -------
    Tensor, shape (N, C_out, H, W)
        What `net` returns for the tiles, put together.

    Raises
    ------
    TypeError, ValueError
        If an argument has the wrong type or shape, if `size` is less than 1, or
        `margin` less than 0.

    Notes
    -----
    Derived in chapter 17.
    """
    H, W = x.shape[2:]
    rows = []
    for i in range(0, H, size):
        top, row = max(i - margin, 0), []
        for j in range(0, W, size):
            left = max(j - margin, 0)
            tile = x[..., top : i + size + margin, left : j + size + margin]
            y = net(tile)[..., i - top :, j - left :]  # without the margins
            row.append(y[..., :size, :size])
        rows.append(torch.cat(row, dim=3))
    return torch.cat(rows, dim=2)
