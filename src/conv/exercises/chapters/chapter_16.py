"""The exercises of chapter 16: find faces."""

from collections.abc import Callable

import torch
from torch import Tensor

import conv
from conv.exercises.exercise import (
    FunctionExercise,
    Mistake,
    ValueExercise,
    distinct_integers,
)

# --- 16.1 ---------------------------------------------------------------------------


def size_of_map(size: tuple[int, int]) -> Tensor:
    """Compute the size of P-Net's output for an image."""
    for kernel, stride in [(3, 1), (2, 2), (3, 1), (3, 1)]:
        size = conv.output_shape(size, kernel, stride)
    return torch.tensor(size)


map_shape = ValueExercise(
    number="16.1",
    kind="predict",
    expected=lambda: size_of_map((1080, 1920)),
    mistakes=[
        Mistake(
            "stride forgotten",
            "That would be the number of 12 x 12 windows if they were one pixel apart. "
            "P-Net's windows are two pixels apart.",
            (1069, 1909),
        ),
        Mistake(
            "last window forgotten",
            "Both of your numbers are too small by 1. How many windows are there in a "
            "12 x 12 image, and how many in a 14 x 14 image?",
            (534, 954),
        ),
        Mistake(
            "pooling forgotten",
            "You accounted for the three convolutions but not for the pooling.",
            (1074, 1914),
        ),
        Mistake(
            "convolutions forgotten",
            "You accounted for the pooling but not for the three convolutions, which "
            "have no padding.",
            (540, 960),
        ),
        Mistake(
            "last convolutions before the pooling",
            "You seem to have applied all three convolutions before the pooling. Two "
            "of them come after it.",
            (537, 957),
        ),
        Mistake(
            "windows side by side",
            "That would be the result if the windows didn't overlap.",
            (90, 160),
        ),
    ],
    hints=(
        "Follow one axis through the layers: a 3 x 3 convolution without padding, "
        "2 x 2 pooling with stride 2, and two more 3 x 3 convolutions.",
        "Each 3 x 3 convolution removes two rows and two columns, and the pooling "
        "halves the number of rows and columns. The 1 x 1 convolutions don't change "
        "the size.",
        "The first convolution turns 1080 rows into 1078, and the pooling turns these "
        "into 539. What do the last two convolutions leave? Do the same for 1920.",
    ),
)

# --- 16.2 ---------------------------------------------------------------------------


def reshaped(weight: Tensor, C: int, h: int, w: int) -> Tensor:
    """Turn rows of weights into kernels."""
    return weight.reshape(-1, C, h, w)


as_kernels = FunctionExercise(
    number="16.2",
    kind="implement",
    expected=reshaped,
    cases=lambda: [
        (distinct_integers(outputs, C * h * w), C, h, w)
        for outputs, C, h, w in [
            (1, 1, 1, 2),
            (2, 1, 2, 2),
            (1, 2, 2, 3),
            (3, 2, 3, 2),
            (4, 3, 2, 3),
        ]
    ],
    requires=("shape", "dtype"),
    mistakes=[
        Mistake(
            "channels taken as the last axis",
            "Your kernels have the correct shape, but the numbers are in the wrong "
            "places. For an `x` of shape (N, C, h, w), `x.flatten(1)` starts with all "
            "the values in the first channel.",
            lambda weight, C, h, w: weight.reshape(-1, h, w, C).permute(0, 3, 1, 2),
        ),
        Mistake(
            "columns before rows",
            "Your kernels have the correct shape, but the rows and columns are "
            "swapped. That would be correct for R-Net, whose feature maps are "
            "flattened with the columns first. Here, the feature maps are flattened by "
            "`x.flatten(1)`.",
            lambda weight, C, h, w: weight.reshape(-1, C, w, h).transpose(2, 3),
            lambda weight, C, h, w: weight.reshape(-1, w, h, C).permute(0, 3, 2, 1),
        ),
        Mistake(
            "kernels flipped",
            "Your kernels are rotated by 180 degrees. `F.conv2d` computes a "
            "cross-correlation, which doesn't flip the kernels (chapter 1).",
            lambda weight, C, h, w: weight.reshape(-1, C, h, w).flip(2, 3),
        ),
        Mistake(
            "weight transposed",
            "You transposed `weight` before reshaping it. Each *row* of the "
            "original `weight` contains the weights for one output.",
            lambda weight, C, h, w: weight.T.reshape(-1, C, h, w),
        ),
        Mistake(
            "shape not changed",
            "Your result still has two axes. Kernels have four: outputs, channels, "
            "rows, and columns.",
            lambda weight, C, h, w: weight,
        ),
        Mistake(
            "outputs and channels swapped",
            "You swapped the first two axes. `F.conv2d` expects the outputs first "
            "and the input channels second.",
            lambda weight, C, h, w: weight.reshape(-1, C, h, w).transpose(0, 1),
        ),
    ],
    hints=(
        "Each row of `weight` contains C * h * w numbers: one for each value in an "
        "h x w window with C channels. Each row therefore holds the weights of one "
        "kernel.",
        "Only the shape changes. In what order does `x.flatten(1)` list the values "
        "of an `x` of shape (N, C, h, w)?",
        "`reshape` fills the new tensor in the same order in which `flatten` reads the "
        "old one. What are the four numbers of the new shape?",
    ),
)

# --- 16.3 ---------------------------------------------------------------------------


def broken(boxes, scores, limit):
    """Suppress boxes as the notebook's function does."""
    order = scores.argsort()
    kept = []
    while len(order) > 0:
        best, rest = order[0], order[1:]
        kept.append(best)
        overlap = conv.box_iou(boxes[best][None], boxes[rest])[0]
        order = rest[overlap > limit]
    return torch.stack(kept)


def suppress(
    boxes: Tensor, scores: Tensor, limit: float, descending: bool, keep: Callable
) -> Tensor:
    """Run the NMS loop with a given sort order and comparison."""
    order, kept = scores.argsort(descending=descending), []
    while len(order) > 0:
        best, rest = order[0], order[1:]
        kept.append(best)
        overlap = conv.box_iou(boxes[best][None], boxes[rest])[0]
        order = rest[keep(overlap, limit)]
    return torch.stack(kept)


def removed_remove(boxes: Tensor, scores: Tensor, limit: float) -> Tensor:
    """Remove each box that overlaps any box with a higher score."""
    order = scores.argsort(descending=True)
    overlap = conv.box_iou(boxes[order], boxes[order]).triu(diagonal=1)
    return order[(overlap <= limit).all(dim=0)]


def random_boxes(count: int, seed: int) -> tuple[Tensor, Tensor, float]:
    """Draw random boxes with distinct scores; return them with a limit of 0.3."""
    generator = torch.Generator().manual_seed(seed)
    corners = torch.randint(0, 12, (count, 2), generator=generator)
    sides = torch.randint(4, 9, (count, 2), generator=generator)
    boxes = torch.cat([corners, corners + sides], dim=1).double()
    scores = (torch.randperm(count, generator=generator) + 1.0).double() / (count + 1)
    return boxes, scores, 0.3


CHAIN = torch.tensor([[0.0, 3 * n, 4, 3 * n + 6] for n in range(5)]).double()
ROW = torch.tensor([[0.0, 0, 4, 2], [2, 0, 6, 2], [4, 0, 8, 2]]).double()
SMALL_NMS = [
    (torch.tensor([[0.0, 0, 2, 2], [5, 5, 7, 7]]).double(), [0.8, 0.9]),
    (torch.tensor([[0.0, 0, 4, 4], [0, 1, 4, 5], [9, 9, 12, 12]]).double(), [7, 8, 6]),
    (ROW, [0.9, 0.8, 0.7]),
    (ROW, [0.7, 0.9, 0.8]),
    (CHAIN, [0.9, 0.8, 0.7, 0.6, 0.5]),
]

debug_nms = FunctionExercise(
    number="16.3",
    kind="debug",
    expected=conv.nms,
    broken=broken,
    cases=lambda: [
        *((boxes, torch.tensor(s).double(), 0.3) for boxes, s in SMALL_NMS),
        random_boxes(8, 0),
        random_boxes(12, 1),
    ],
    requires=("shape",),
    mistakes=[
        Mistake(
            "nothing fixed yet",
            "Your function returns the same result as the one in the notebook. Test it "
            "with two boxes that don't overlap: both should be kept.",
            broken,
        ),
        Mistake(
            "lowest score first",
            "Your function starts with the box that has the lowest score. In "
            "which order does `argsort` sort by default?",
            lambda b, s, limit: suppress(b, s, limit, False, torch.le),
        ),
        Mistake(
            "overlapping boxes kept",
            "Your function starts with the correct box, but then it keeps the boxes "
            "that overlap this box and drops the others.",
            lambda b, s, limit: suppress(b, s, limit, True, torch.gt),
        ),
        Mistake(
            "removed boxes remove others",
            "In your function, a box that was removed can still remove another one. "
            "Only boxes that are kept can remove others.",
            removed_remove,
        ),
        Mistake(
            "boxes instead of indices",
            "Your function returns the boxes themselves. It should return their "
            "indices.",
            lambda b, s, limit: b[conv.nms(b, s, limit)],
        ),
        Mistake(
            "scores instead of indices",
            "Your function returns the scores. It should return the indices of the "
            "boxes.",
            lambda b, s, limit: s[conv.nms(b, s, limit)],
        ),
        Mistake(
            "sorted by position",
            "The correct boxes are kept, but their indices should be sorted by score, "
            "highest first.",
            lambda b, s, limit: conv.nms(b, s, limit).sort().values,
        ),
        Mistake(
            "sorted from the lowest score",
            "The correct boxes are kept, but their indices are in reverse order. The "
            "box with the highest score should come first.",
            lambda b, s, limit: conv.nms(b, s, limit).flip(0),
        ),
    ],
    hints=(
        "Try two boxes that don't overlap, with scores of 0.8 and 0.9. What should "
        "be returned, and what is returned?",
        "One bug affects which box is chosen first, and the other affects which boxes "
        "remain after that.",
        "`argsort` sorts in ascending order unless `descending=True` is given. And "
        "which boxes should stay in `order`: those with a large overlap or "
        "those with a small one?",
    ),
)

# --- 16.4 ---------------------------------------------------------------------------


def wanted_offsets(boxes: Tensor, truth: Tensor) -> Tensor:
    """Compute the fractions by which the sides of the boxes have to move."""
    sizes = boxes[:, 2:] - boxes[:, :2]
    return (truth - boxes) / sizes.repeat(1, 2)


def pairs_of_boxes(count: int) -> tuple[Tensor, Tensor]:
    """Draw boxes and ground-truth boxes with different widths and heights."""
    generator = torch.Generator().manual_seed(count)

    def draw() -> Tensor:
        corners = torch.randint(0, 20, (count, 2), generator=generator)
        sides = torch.randint(2, 20, (count, 2), generator=generator)
        return torch.cat([corners, corners + sides], dim=1).double()

    return draw(), draw()


def divided(sizes: Callable) -> Callable[[Tensor, Tensor], Tensor]:
    """Return a function that divides the differences by the given sizes."""
    return lambda boxes, truth: (truth - boxes) / sizes(boxes, truth)


def extent(boxes: Tensor) -> Tensor:
    """Return widths and heights, (N, 2)."""
    return boxes[:, 2:] - boxes[:, :2]


def center_offsets(boxes: Tensor, truth: Tensor) -> Tensor:
    """Compute offsets of the center and logarithms of the size ratios."""
    centers = [(b[:, :2] + b[:, 2:]) / 2 for b in (boxes, truth)]
    moved = (centers[1] - centers[0]) / extent(boxes)
    return torch.cat([moved, (extent(truth) / extent(boxes)).log()], dim=1)


offsets_between = FunctionExercise(
    number="16.4",
    kind="implement",
    expected=wanted_offsets,
    cases=lambda: [pairs_of_boxes(count) for count in (1, 2, 3, 5)],
    mistakes=[
        Mistake(
            "pixels instead of fractions",
            "Your offsets are in pixels. They should be fractions of the box's width "
            "or height.",
            lambda boxes, truth: truth - boxes,
        ),
        Mistake(
            "divided by the ground-truth box",
            "You divided by the width and height of the ground-truth box. The "
            "network doesn't know that box; divide by the width and height of its "
            "own window instead.",
            divided(lambda boxes, truth: extent(truth).repeat(1, 2)),
        ),
        Mistake(
            "widths and heights in the wrong order",
            "You divided by (width, width, height, height). The order of the sides "
            "is left, top, right, bottom.",
            divided(lambda boxes, truth: extent(boxes).repeat_interleave(2, dim=1)),
        ),
        Mistake(
            "width and height swapped",
            "You divided the horizontal offsets by the height and the vertical "
            "offsets by the width.",
            divided(lambda boxes, truth: extent(boxes).flip(1).repeat(1, 2)),
        ),
        Mistake(
            "one size for both directions",
            "You divided all four offsets by the same number. The offsets of the "
            "left and right sides are fractions of the width; those of the top and "
            "bottom are fractions of the height.",
            divided(lambda boxes, truth: extent(boxes)[:, :1]),
            divided(lambda boxes, truth: extent(boxes)[:, 1:]),
        ),
        Mistake(
            "divided by the sides themselves",
            "You divided by the coordinates of the sides. Divide by the width and "
            "height instead.",
            lambda boxes, truth: (truth - boxes) / boxes,
        ),
        Mistake(
            "offsets of the center",
            "You computed how far the center moves and how much the size changes, as "
            "some other detectors do. P-Net instead predicts an offset for each "
            "of the four sides.",
            center_offsets,
        ),
    ],
    hints=(
        "Start from the equation that `refine_boxes` implements: ground-truth box = "
        "box + offsets * sizes.",
        "Solve this equation for the offsets. The size is the width for the left and "
        "right sides and the height for the top and bottom.",
        "With `sizes = boxes[:, 2:] - boxes[:, :2]`, the tensor `sizes.repeat(1, 2)` "
        "contains width, height, width, height. What do you divide by it?",
    ),
)

# --- 16.5 ---------------------------------------------------------------------------

SIX_HITS = torch.tensor([True, True, False, True, False, False])

six_boxes = ValueExercise(
    number="16.5",
    kind="predict",
    expected=lambda: conv.average_precision(SIX_HITS, 5),
    tolerance=5e-3,
    mistakes=[
        Mistake(
            "divided by the hits",
            "You averaged over the faces that were found. Missed faces count as well, "
            "each with a precision of zero.",
            2.75 / 3,
        ),
        Mistake(
            "averaged over all boxes",
            "You averaged the precision over all six boxes. Only the precisions at "
            "the hits count, and the sum is divided by the number of faces.",
            (1 + 1 + 2 / 3 + 3 / 4 + 3 / 5 + 1 / 2) / 6,
        ),
        Mistake(
            "false alarms counted",
            "You added up the precisions at all six boxes. Only those at the hits "
            "count.",
            (1 + 1 + 2 / 3 + 3 / 4 + 3 / 5 + 1 / 2) / 5,
        ),
        Mistake(
            "precision of all boxes",
            "That is the precision if all six boxes are accepted: just one point "
            "on the curve. The question asks for the area under it.",
            0.5,
        ),
        Mistake(
            "recall",
            "That is the recall if all six boxes are accepted. The question asks for "
            "the average precision.",
            0.6,
        ),
        Mistake(
            "sum, not divided",
            "You added up the correct precisions. Now divide by the number of faces.",
            2.75,
        ),
        Mistake(
            "divided by the boxes",
            "You divided by the number of boxes; divide by the number of faces "
            "instead.",
            2.75 / 6,
        ),
    ],
    hints=(
        "Go through the list from the top. After each hit, what fraction of the boxes "
        "so far are hits?",
        "The precisions at the three hits are 1/1, 2/2, and 3/4.",
        "Add up the three precisions and divide by the total number of faces, found "
        "or not.",
    ),
)
