"""Operations on boxes and on masks, which chapters 16 and 17 derive.

A box is (left, top, right, bottom), in pixels from the upper left corner of the image.
As in `conv.functional`, the functions don't check their arguments.
"""

import torch
from torch import Tensor, nn


def box_iou(A: Tensor, B: Tensor) -> Tensor:
    """Compute the intersection over union of each pair of boxes.

    Parameters
    ----------
    A : Tensor, shape (N, 4)
        Boxes: left, top, right, bottom. N may be 0.
    B : Tensor, shape (M, 4)
        Boxes to compare them with. M may be 0.

    Returns
    -------
    Tensor, shape (N, M)
        From 0 (no common pixel) to 1 (the same box); nan for two boxes without area.

    Raises
    ------
    TypeError, ValueError
        If an input is not a tensor of boxes, or if the two are on different devices.

    Notes
    -----
    Derived in chapter 16. Equal to ``torchvision.ops.box_iou``.
    """
    A = A[:, None]  # (N, 1, 4)
    start = torch.maximum(A[..., :2], B[..., :2])  # (N, M, 2): left, top
    end = torch.minimum(A[..., 2:], B[..., 2:])  # (N, M, 2): right, bottom
    overlap = (end - start).clamp(min=0).prod(dim=-1)  # (N, M)
    area_a = (A[..., 2:] - A[..., :2]).prod(dim=-1)  # (N, 1)
    area_b = (B[..., 2:] - B[..., :2]).prod(dim=-1)  # (M,)
    return overlap / (area_a + area_b - overlap)


def nms(boxes: Tensor, scores: Tensor, limit: float) -> Tensor:
    """Remove boxes that overlap a box with a higher score (non-maximum suppression).

    Parameters
    ----------
    boxes : Tensor, shape (N, 4)
        Boxes: left, top, right, bottom. N may be 0.
    scores : Tensor, shape (N,)
        Scores. If two boxes have the same score, the first has priority.
    limit : float
        From 0 to 1. A box is removed if its intersection over union with a box that is
        kept is greater than `limit`.

    Returns
    -------
    Tensor, shape (K,)
        Indices of the boxes that are kept, from highest to lowest score.

    Raises
    ------
    TypeError, ValueError
        If an argument has the wrong type, shape, or range.

    Notes
    -----
    Derived in chapter 16. Equal to ``torchvision.ops.nms``.
    """
    order = scores.argsort(descending=True, stable=True)
    kept = []
    while len(order) > 0:
        best, rest = order[0], order[1:]
        kept.append(best)
        overlap = box_iou(boxes[best][None], boxes[rest])[0]
        order = rest[overlap <= limit]
    return torch.stack(kept) if kept else order


def refine_boxes(boxes: Tensor, offsets: Tensor) -> Tensor:
    """Move the four sides of each box by predicted fractions of its width and height.

    Parameters
    ----------
    boxes : Tensor, shape (N, 4)
        Boxes: left, top, right, bottom.
    offsets : Tensor, shape (N, 4)
        How far the sides move, in the same order, relative to the box's width (left and
        right) and height (top and bottom).

    Returns
    -------
    Tensor, shape (N, 4)

    Raises
    ------
    TypeError, ValueError
        If an input is not a tensor of boxes, or if there isn't one row of offsets for
        each box.

    Notes
    -----
    Derived in chapter 16. The offsets are those of MTCNN: K. Zhang, Z. Zhang, Z. Li,
    Y. Qiao, *Joint face detection and alignment using multitask cascaded convolutional
    networks*, 2016, https://arxiv.org/abs/1604.02878.
    """
    sizes = boxes[:, 2:] - boxes[:, :2]  # (N, 2): widths, heights
    return boxes + offsets * sizes.repeat(1, 2)


def match_boxes(boxes: Tensor, truth: Tensor, limit: float = 0.5) -> Tensor:
    """Decide which predicted boxes are hits.

    Each predicted box in turn is compared with the true box that it overlaps most,
    among those not yet found. It is a hit if the overlap reaches the limit.

    Parameters
    ----------
    boxes : Tensor, shape (N, 4)
        Predicted boxes, from highest to lowest score.
    truth : Tensor, shape (M, 4)
        True boxes, at least one.
    limit : float
        Minimum intersection over union of a hit, greater than 0 and at most 1.

    Returns
    -------
    Tensor, shape (N,)
        Booleans. A predicted box that isn't a hit is a false alarm.

    Raises
    ------
    TypeError, ValueError
        If an argument has the wrong type, shape, or range.

    Notes
    -----
    Derived in chapter 16.
    """
    iou = box_iou(boxes, truth)  # (N, M)
    hits = torch.zeros(len(boxes), dtype=torch.bool, device=boxes.device)
    for k in range(len(boxes)):
        best = iou[k].argmax()
        if iou[k, best] >= limit:
            hits[k] = True
            iou[:, best] = 0  # each ground-truth box counts once
    return hits


def average_precision(hits: Tensor, total: int) -> Tensor:
    """Compute the area under a precision-recall curve.

    Parameters
    ----------
    hits : Tensor, shape (N,)
        Booleans: whether each prediction is correct, from highest to lowest score. N
        may be 0.
    total : int
        Number of objects that should have been found, at least the number of hits.

    Returns
    -------
    Tensor, shape ()
        From 0 to 1: the sum of the precisions at all hits, divided by `total`.

    Raises
    ------
    TypeError, ValueError
        If an argument has the wrong type or shape, or if there are more hits than
        objects.

    Notes
    -----
    Derived in chapter 16. If all objects are found, equal to
    ``sklearn.metrics.average_precision_score``.
    """
    found = hits.cumsum(dim=0)  # (N,): hits so far
    seen = torch.arange(1, len(hits) + 1, device=hits.device)
    return (found / seen * hits).sum() / total


def iou(predicted: Tensor, target: Tensor) -> Tensor:
    """Compute the intersection over union of two masks.

    Parameters
    ----------
    predicted, target : Tensor of bool, of the same shape
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
    Derived in chapter 17. Equal to one minus ``scipy.spatial.distance.jaccard``.
    """
    both = (predicted & target).sum()
    either = (predicted | target).sum()
    return both / either


def dice(predicted: Tensor, target: Tensor) -> Tensor:
    """Compute the Dice coefficient of two masks: twice the overlap over the total size.

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
    Derived in chapter 17. Equal to one minus ``scipy.spatial.distance.dice``.
    """
    both = (predicted & target).sum()
    return 2 * both / (predicted.sum() + target.sum())


def dice_loss(scores: Tensor, target: Tensor) -> Tensor:
    """Compute one minus the Dice coefficient of predicted probabilities and a mask.

    Parameters
    ----------
    scores : Tensor, floating-point
        One score per pixel, which the sigmoid turns into a probability.
    target : Tensor, of the same shape
        1 for the pixels of the mask, 0 for the others.

    Returns
    -------
    Tensor, shape ()
        From 0 to 1, over all pixels of the batch together. Adding 1 to the numerator
        and the denominator makes the loss defined for an empty mask.

    Raises
    ------
    TypeError, ValueError
        If an argument is not a tensor, or the shapes or devices differ.

    Notes
    -----
    Derived in chapter 17. F. Milletari, N. Navab, S.-A. Ahmadi, *V-Net: fully
    convolutional neural networks for volumetric medical image segmentation*, 2016,
    https://arxiv.org/abs/1606.04797, use squares in the denominator.
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
        Must preserve the height and width of every tile.
    x : Tensor, shape (N, C, H, W)
        Batch of images.
    size : int
        Height and width of a tile's part of the output. A multiple of the network's
        total stride.
    margin : int
        Additional pixels on each side. A multiple of the network's total stride. For
        the same result as without tiles, it must be at least as far as the network
        sees.

    Returns
    -------
    Tensor, shape (N, C_out, H, W)
        The outputs of `net` for the tiles, put together.

    Raises
    ------
    TypeError, ValueError
        If an argument has the wrong type or shape, if `size` is less than 1, or
        if `margin` is less than 0.

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
