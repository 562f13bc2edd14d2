"""Chapter 17: answers to its exercises, right and wrong."""

from fractions import Fraction

import numpy as np
import torch
import torch.nn.functional as F

import conv
from answers.kit import right, wrong

# 17.1: three measures
right("17.1", (0.667, 0.8, 0.984))
right("17.1", [Fraction(2, 3), Fraction(4, 5), Fraction(123, 125)])
right("17.1", torch.tensor([320 / 480, 640 / 800, 9840 / 10_000]))
wrong("17.1", "IoU and Dice swapped", (0.8, 0.667, 0.984))
wrong("17.1", "factor of 2 forgotten", (0.667, 0.4, 0.984))
wrong("17.1", "intersection counted twice", (0.4, 0.8, 0.984))
wrong("17.1", "only one kind of mistake", (0.667, 0.8, 0.992))
wrong("17.1", "accuracy without the background", (0.667, 0.8, 0.032))
wrong("17.1", "accuracy without the background", (0.667, 0.8, 0.667))
wrong("17.1", "accuracy without the background", (0.667, 0.8, 0.8))
wrong("17.1", "masks 4 pixels apart", (0.4706, 0.64, 0.9712))


# 17.2: mean IoU
@right("17.2")
def by_loops(predicted, target, classes):
    total = 0
    for c in range(classes):
        both = either = 0
        for p, t in zip(predicted.flatten(), target.flatten(), strict=True):
            both += bool(p == c and t == c)
            either += bool(p == c or t == c)
        total += both / either
    return total / classes


@right("17.2")
def by_one_hot(predicted, target, classes):
    p = F.one_hot(predicted, classes).flatten(0, 1).bool()
    t = F.one_hot(target, classes).flatten(0, 1).bool()
    return ((p & t).sum(0) / (p | t).sum(0)).mean()


@right("17.2")
def by_numpy(predicted, target, classes):
    p, t = predicted.numpy(), target.numpy()
    masks = [(p == c, t == c) for c in range(classes)]
    return np.mean([(a & b).sum() / (a | b).sum() for a, b in masks])


@wrong("17.2", "not averaged")
def iou_of_each(predicted, target, classes):
    return torch.stack([conv.iou(predicted == c, target == c) for c in range(classes)])


@wrong("17.2", "pixel accuracy")
def fraction_right(predicted, target, classes):
    return (predicted == target).sum() / predicted.numel()


@wrong("17.2", "all classes pooled")
def pooled(predicted, target, classes):
    p, t = F.one_hot(predicted, classes).bool(), F.one_hot(target, classes).bool()
    return conv.iou(p, t)


@wrong("17.2", "Dice instead of IoU")
def mean_dice(predicted, target, classes):
    values = [conv.dice(predicted == c, target == c) for c in range(classes)]
    return sum(values) / classes


@wrong("17.2", "recall instead of IoU")
def mean_recall(predicted, target, classes):
    values = [(predicted[target == c] == c).float().mean() for c in range(classes)]
    return sum(values) / classes


@wrong("17.2", "precision instead of IoU")
def mean_precision(predicted, target, classes):
    values = [(target[predicted == c] == c).float().mean() for c in range(classes)]
    return sum(values) / classes


@wrong("17.2", "accuracy of each class")
def mean_accuracy(predicted, target, classes):
    values = [
        ((predicted == c) == (target == c)).float().mean() for c in range(classes)
    ]
    return sum(values) / classes


@wrong("17.2", "intersection counted twice")
def union_as_sum(predicted, target, classes):
    values = []
    for c in range(classes):
        a, b = predicted == c, target == c
        values.append((a & b).sum() / (a.sum() + b.sum()))
    return sum(values) / classes


@wrong("17.2", "background left out")
def without_background(predicted, target, classes):
    ious = [conv.iou(predicted == c, target == c) for c in range(1, classes)]
    return sum(ious) / len(ious)


@wrong("17.2", "summed, not averaged")
def summed_ious(predicted, target, classes):
    return sum(conv.iou(predicted == c, target == c) for c in range(classes))


# 17.3: output size
right("17.3", 60)
right("17.3", [60.0])
right("17.3", torch.tensor(((100 - 4) // 2 - 4) // 2 - 4) * 4 - 8 - 4)
wrong("17.3", "convolutions with padding", 100)
wrong("17.3", "two pixels per block", 78)
wrong("17.3", "pooling ignored", 80)
wrong("17.3", "encoder only", 18)
wrong("17.3", "first half of the decoder only", 32)
wrong("17.3", "decoder with padding", 72)
wrong("17.3", "last block forgotten", 64)


# 17.4: crop and join
@right("17.4")
def joined_by_padding(coarse, fine):
    top = (fine.shape[2] - coarse.shape[2]) // 2
    left = (fine.shape[3] - coarse.shape[3]) // 2
    return torch.cat([coarse, F.pad(fine, (-left, -left, -top, -top))], 1)


@right("17.4")
def joined_by_narrow(coarse, fine):
    for axis in (2, 3):
        size = coarse.shape[axis]
        fine = fine.narrow(axis, (fine.shape[axis] - size) // 2, size)
    return torch.cat((coarse, fine), dim=1)


@right("17.4")
def joined_by_filling(coarse, fine):
    n, c, h, w = coarse.shape
    out = torch.empty(n, c + fine.shape[1], h, w, dtype=coarse.dtype)
    top, left = (fine.shape[2] - h) // 2, (fine.shape[3] - w) // 2
    out[:, :c] = coarse
    out[:, c:] = fine[:, :, top : top + h, left : left + w]
    return out


@wrong("17.4", "upper left corner")
def joined_upper_left(coarse, fine):
    _, _, h, w = coarse.shape
    return torch.cat([coarse, fine[:, :, :h, :w]], dim=1)


@wrong("17.4", "lower right corner")
def joined_lower_right(coarse, fine):
    _, _, h, w = coarse.shape
    return torch.cat([coarse, fine[:, :, -h:, -w:]], dim=1)


@wrong("17.4", "resized instead of cropped")
def joined_resized(coarse, fine):
    return torch.cat([coarse, F.interpolate(fine, coarse.shape[2:])], dim=1)


@wrong("17.4", "coarse maps resized")
def joined_enlarged(coarse, fine):
    return torch.cat([F.interpolate(coarse, fine.shape[2:]), fine], dim=1)


@wrong("17.4", "coarse maps padded")
def joined_padded(coarse, fine):
    top = (fine.shape[2] - coarse.shape[2]) // 2
    left = (fine.shape[3] - coarse.shape[3]) // 2
    return torch.cat([F.pad(coarse, (left, left, top, top)), fine], dim=1)


@wrong("17.4", "wrong order")
def joined_fine_first(coarse, fine):
    return torch.cat([joined_by_narrow(coarse, fine)[:, coarse.shape[1] :], coarse], 1)


@wrong("17.4", "added instead of concatenated")
def joined_by_adding(coarse, fine):
    return joined_by_narrow(coarse, fine)[:, coarse.shape[1] :] + coarse


@wrong("17.4", "concatenated along the batch axis")
def joined_along_the_batch(coarse, fine):
    center = joined_by_narrow(coarse, fine)[:, coarse.shape[1] :]
    return torch.cat([coarse, center], dim=0)


# 17.5: augmentation
@right("17.5")
def turned_together(image, mask, turns, mirror):
    both = torch.stack([image, mask])
    both = torch.rot90(both, turns, (-2, -1))
    return torch.fliplr(both.permute(1, 2, 0)).permute(2, 0, 1) if mirror else both


@right("17.5")
def turned_by_numpy(image, mask, turns, mirror):
    pair = [np.rot90(part.numpy(), turns) for part in (image, mask)]
    return np.stack([np.fliplr(part) if mirror else part for part in pair])


@right("17.5")
def turned_step_by_step(image, mask, turns, mirror):
    for _ in range(turns):
        image, mask = image.T.flip(0), mask.T.flip(0)
    if mirror:
        image, mask = image.flip(-1), mask.flip(-1)
    return torch.stack([image, mask])


@wrong("17.5", "mask rotated the other way")
def mask_turned_back(image, mask, turns, mirror):
    image, mask = image.rot90(turns), mask.rot90(4 - turns)
    if mirror:
        image, mask = image.flip(1), mask.flip(1)
    return torch.stack([image, mask])


@wrong("17.5", "mask flipped along the other axis")
def mask_upside_down(image, mask, turns, mirror):
    image, mask = image.rot90(turns), mask.rot90(turns)
    if mirror:
        image, mask = image.fliplr(), mask.flipud()
    return torch.stack([image, mask])


@wrong("17.5", "mask unchanged")
def mask_as_it_was(image, mask, turns, mirror):
    image = image.rot90(turns)
    return torch.stack([image.flip(1) if mirror else image, mask])


@wrong("17.5", "mask not flipped")
def mask_only_turned(image, mask, turns, mirror):
    image, mask = image.rot90(turns), mask.rot90(turns)
    return torch.stack([image.flip(1) if mirror else image, mask])


@wrong("17.5", "mask not rotated")
def mask_only_mirrored(image, mask, turns, mirror):
    image = image.rot90(turns)
    if mirror:
        image, mask = image.flip(1), mask.flip(1)
    return torch.stack([image, mask])


@wrong("17.5", "image changed to fit the mask")
def both_turned_back(image, mask, turns, mirror):
    image, mask = image.rot90(-turns), mask.rot90(-turns)
    if mirror:
        image, mask = image.flip(1), mask.flip(1)
    return torch.stack([image, mask])


@wrong("17.5", "image changed to fit the mask")
def both_upside_down(image, mask, turns, mirror):
    image, mask = image.rot90(turns), mask.rot90(turns)
    if mirror:
        image, mask = image.flip(0), mask.flip(0)
    return torch.stack([image, mask])


@wrong("17.5", "image changed to fit the mask")
def both_like_the_mask(image, mask, turns, mirror):
    image, mask = image.rot90(-turns), mask.rot90(-turns)
    if mirror:
        image, mask = image.flip(0), mask.flip(0)
    return torch.stack([image, mask])
