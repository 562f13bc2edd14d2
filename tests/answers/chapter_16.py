"""Answers to chapter 16, "Find faces", as learners would hand them in."""

import numpy as np
import torch
import torchvision.ops

import conv
from answers.kit import right, wrong

# 16.1: the size of the map

right("16.1", [535, 955])
right("16.1", torch.tensor([535, 955]))
right("16.1", np.array([(1080 - 12) // 2 + 1, (1920 - 12) // 2 + 1]))
wrong("16.1", "wrong order", (955, 535))
wrong("16.1", "stride forgotten", (1080 - 12 + 1, 1920 - 12 + 1))
wrong("16.1", "last window forgotten", ((1080 - 12) / 2, (1920 - 12) / 2))
wrong("16.1", "pooling forgotten", (1080 - 6, 1920 - 6))
wrong("16.1", "convolutions forgotten", (1080 / 2, 1920 / 2))
wrong("16.1", "last convolutions before the pooling", ((1080 - 6) / 2, (1920 - 6) / 2))
wrong("16.1", "windows side by side", (1080 / 12, 1920 / 12))

# 16.2: a fully connected layer as a convolution


@right("16.2")
def kernels_by_view(weight, C, h, w):
    return weight.view(len(weight), C, h, w)


@right("16.2")
def kernels_in_a_loop(weight, C, h, w):
    return torch.stack([row.unflatten(0, (C, h, w)) for row in weight])


@wrong("16.2", "channels taken as the last axis")
def kernels_with_channels_last(weight, C, h, w):
    return weight.reshape(len(weight), h, w, C).movedim(3, 1)


@wrong("16.2", "columns before rows")
def kernels_as_in_rnet(weight, C, h, w):
    return weight.reshape(len(weight), w, h, C).permute(0, 3, 2, 1)


@wrong("16.2", "columns before rows")
def kernels_with_columns_first(weight, C, h, w):
    return weight.reshape(len(weight), C, w, h).mT


@wrong("16.2", "kernels flipped")
def kernels_flipped(weight, C, h, w):
    return weight.reshape(-1, C, h, w).flip((2, 3))


@wrong("16.2", "weight transposed")
def kernels_of_the_transpose(weight, C, h, w):
    return weight.T.reshape(-1, C, h, w)


@wrong("16.2", "shape not changed")
def kernels_not_reshaped(weight, C, h, w):
    return weight


@wrong("16.2", "outputs and channels swapped")
def kernels_with_axes_swapped(weight, C, h, w):
    return weight.reshape(-1, C, h, w).permute(1, 0, 2, 3)


# 16.3: a broken suppression


@right("16.3")
def nms_of_torchvision(boxes, scores, limit):
    return torchvision.ops.nms(boxes, scores, limit)


@right("16.3")
def nms_in_lists(boxes, scores, limit):
    left = sorted(range(len(boxes)), key=lambda k: -scores[k])
    kept = []
    for k in left:
        overlaps = [conv.box_iou(boxes[[k]], boxes[[j]]).item() for j in kept]
        if all(overlap <= limit for overlap in overlaps):
            kept.append(k)
    return kept


@wrong("16.3", "lowest score first")
def nms_from_the_lowest(boxes, scores, limit):
    order = scores.argsort()
    kept = []
    while len(order) > 0:
        best, rest = order[0], order[1:]
        kept.append(best)
        overlap = conv.box_iou(boxes[best][None], boxes[rest])[0]
        order = rest[overlap <= limit]
    return torch.stack(kept)


@wrong("16.3", "overlapping boxes kept")
def nms_that_keeps_the_overlapping(boxes, scores, limit):
    order = scores.argsort(descending=True)
    kept = []
    while len(order) > 0:
        best, rest = order[0], order[1:]
        kept.append(best)
        overlap = conv.box_iou(boxes[best][None], boxes[rest])[0]
        order = rest[overlap > limit]
    return torch.stack(kept)


@wrong("16.3", "removed boxes remove others")
def nms_by_all_pairs(boxes, scores, limit):
    order = scores.argsort(descending=True).tolist()
    return [
        k
        for n, k in enumerate(order)
        if all(conv.box_iou(boxes[[k]], boxes[[j]]).item() <= limit for j in order[:n])
    ]


@wrong("16.3", "boxes instead of indices")
def nms_that_returns_boxes(boxes, scores, limit):
    return boxes[torchvision.ops.nms(boxes, scores, limit)]


@wrong("16.3", "scores instead of indices")
def nms_that_returns_scores(boxes, scores, limit):
    return scores[torchvision.ops.nms(boxes, scores, limit)]


@wrong("16.3", "sorted by position")
def nms_sorted(boxes, scores, limit):
    return sorted(torchvision.ops.nms(boxes, scores, limit).tolist())


@wrong("16.3", "sorted from the lowest score")
def nms_backward(boxes, scores, limit):
    return torchvision.ops.nms(boxes, scores, limit).tolist()[::-1]


@wrong("16.3", "nothing fixed yet")
def nms_rewritten_with_both_bugs(boxes, scores, limit):
    order, kept = scores.argsort(descending=False), []
    while order.numel():
        kept.append(order[0])
        overlap = conv.box_iou(boxes[order[:1]], boxes[order[1:]])[0]
        order = order[1:][~(overlap <= limit)]
    return torch.stack(kept)


# 16.4: offsets


@right("16.4")
def offsets_by_columns(boxes, truth):
    width, height = boxes[:, 2] - boxes[:, 0], boxes[:, 3] - boxes[:, 1]
    return (truth - boxes) / torch.stack([width, height, width, height], dim=1)


@right("16.4")
def offsets_in_numpy(boxes, truth):
    left, top, right_side, bottom = boxes.numpy().T
    width, height = right_side - left, bottom - top
    sizes = np.stack([width, height, width, height], axis=1)
    return (truth.numpy() - boxes.numpy()) / sizes


@wrong("16.4", "pixels instead of fractions")
def offsets_in_pixels(boxes, truth):
    return truth - boxes


@wrong("16.4", "divided by the ground-truth box")
def offsets_relative_to_the_truth(boxes, truth):
    sizes = truth[:, 2:] - truth[:, :2]
    return (truth - boxes) / torch.cat([sizes, sizes], dim=1)


@wrong("16.4", "widths and heights in the wrong order")
def offsets_with_two_widths_first(boxes, truth):
    width, height = boxes[:, 2] - boxes[:, 0], boxes[:, 3] - boxes[:, 1]
    return (truth - boxes) / torch.stack([width, width, height, height], dim=1)


@wrong("16.4", "width and height swapped")
def offsets_with_heights_first(boxes, truth):
    width, height = boxes[:, 2] - boxes[:, 0], boxes[:, 3] - boxes[:, 1]
    return (truth - boxes) / torch.stack([height, width, height, width], dim=1)


@wrong("16.4", "one size for both directions")
def offsets_by_width(boxes, truth):
    return (truth - boxes) / (boxes[:, 2] - boxes[:, 0])[:, None]


@wrong("16.4", "divided by the sides themselves")
def offsets_by_positions(boxes, truth):
    return truth / boxes - 1


@wrong("16.4", "offsets of the center")
def offsets_as_in_other_detectors(boxes, truth):
    sizes = boxes[:, 2:] - boxes[:, :2]
    moved = (truth[:, :2] + truth[:, 2:] - boxes[:, :2] - boxes[:, 2:]) / 2 / sizes
    return torch.cat([moved, torch.log((truth[:, 2:] - truth[:, :2]) / sizes)], dim=1)


@wrong("16.4", "wrong sign")
def offsets_from_the_truth(boxes, truth):
    sizes = boxes[:, 2:] - boxes[:, :2]
    return (boxes - truth) / sizes.repeat(1, 2)


# 16.5: six boxes

right("16.5", 0.55)
right("16.5", 11 / 20)
right("16.5", torch.tensor(0.55))
wrong("16.5", "divided by the hits", 2.75 / 3)
wrong("16.5", "averaged over all boxes", 0.7528)
wrong("16.5", "false alarms counted", 4.5167 / 5)
wrong("16.5", "precision of all boxes", 3 / 6)
wrong("16.5", "recall", 3 / 5)
wrong("16.5", "sum, not divided", 2.75)
wrong("16.5", "divided by the boxes", 2.75 / 6)
wrong("16.5", "fraction or percentage", 55)
