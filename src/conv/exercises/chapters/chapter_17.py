"""The exercises of chapter 17, on labeling every pixel."""

import torch
import torch.nn.functional as F
from torch import Tensor

from conv.exercises.exercise import (
    FunctionExercise,
    Mistake,
    ValueExercise,
    distinct_integers,
    random_integers,
)

# --- 17.1 ---------------------------------------------------------------------------

# 20 x 20 pixels each, 4 columns apart: 20 x 16 pixels in common.
BOTH, EACH, ALL = 20 * 16, 20 * 20, 100 * 100
EITHER = 2 * EACH - BOTH


def close_to(*numbers: float, tolerance: float = 5e-3):
    """Return a predicate: whether each number is right up to a relative error."""
    expected = torch.tensor(numbers, dtype=torch.float64).numpy()

    def is_close(a) -> bool:
        if a.shape != expected.shape:
            return False
        return bool((abs(a - expected) <= tolerance * expected).all())

    return is_close


IOU, DICE = BOTH / EITHER, BOTH / EACH
ACCURACY = 1 - 2 * (EACH - BOTH) / ALL

three_measures = ValueExercise(
    number="17.1",
    kind="predict",
    expected=lambda: torch.tensor([IOU, DICE, ACCURACY], dtype=torch.float64),
    accept=close_to(IOU, DICE, ACCURACY),
    mistakes=[
        Mistake(
            "IoU and Dice exchanged",
            "Your first two numbers are the right ones in the wrong order. Which of "
            "the two measures can't be smaller than the other?",
            close_to(DICE, IOU, ACCURACY),
        ),
        Mistake(
            "factor 2 forgotten",
            "Your Dice coefficient is half as large as it should be. For two equal "
            "masks it must be 1.",
            close_to(IOU, DICE / 2, ACCURACY),
        ),
        Mistake(
            "intersection counted twice",
            "Your union is the sum of both areas, so it counts the common pixels "
            "twice.",
            close_to(DICE / 2, DICE, ACCURACY),
        ),
        Mistake(
            "only one kind of mistake",
            "Your accuracy counts the missed pixels or the false alarms as wrong, but "
            "not both.",
            close_to(IOU, DICE, 1 - (EACH - BOTH) / ALL, tolerance=2e-3),
        ),
        Mistake(
            "accuracy without the background",
            "Your accuracy doesn't take the correct background pixels into account. "
            "The accuracy counts all pixels of the image.",
            close_to(IOU, DICE, BOTH / ALL),
            close_to(IOU, DICE, IOU),
            close_to(IOU, DICE, DICE),
        ),
        Mistake(
            "masks 4 pixels apart",
            "In your answer, the masks have 16 x 16 pixels in common. The second mask "
            "is shifted in only one direction.",
            close_to(256 / 544, 256 / 400, 1 - 2 * (400 - 256) / ALL),
        ),
    ],
    hints=(
        "Draw both squares. What is the size of the rectangle that they share?",
        "The intersection has 20 x 16 pixels. The union is smaller than the sum of "
        "both areas, because the intersection must be counted once.",
        "The wrong pixels are those that are in exactly one of the two masks. Subtract "
        "their share of the 100 x 100 pixels from 1 for the accuracy.",
    ),
)

# --- 17.2 ---------------------------------------------------------------------------


def counts_of(predicted: Tensor, target: Tensor, classes: int) -> tuple[Tensor, ...]:
    """Count pixels of each class: in both maps, predicted, in the target."""
    pairs = (target * classes + predicted).flatten().long()
    table = torch.bincount(pairs, minlength=classes**2).view(classes, classes).double()
    return table.diagonal(), table.sum(dim=0), table.sum(dim=1)


def ious_of(predicted: Tensor, target: Tensor, classes: int) -> Tensor:
    """Compute the IoU of each class from a confusion matrix."""
    both, p, t = counts_of(predicted, target, classes)
    return both / (p + t - both)


def averaged(function):
    """Average a function of the counts (in both, predicted, target, all pixels)."""

    def answer(predicted: Tensor, target: Tensor, classes: int) -> Tensor:
        counts = counts_of(predicted, target, classes)
        return function(*counts, target.numel()).mean()

    return answer


def label_maps(height: int, width: int, classes: int, seed: int) -> tuple:
    """Draw two label maps in which all classes occur, partly at the same places."""
    generator = torch.Generator().manual_seed(seed)
    target = torch.arange(height * width) % classes
    target[: height * width // 3] = 0  # more background than anything else
    target = target[torch.randperm(height * width, generator=generator)]
    other = target[torch.randperm(height * width, generator=generator)]
    keep = torch.rand(height * width, generator=generator) < 0.6
    predicted = torch.where(keep, target, other)
    return predicted.view(height, width), target.view(height, width), classes


mean_iou = FunctionExercise(
    number="17.2",
    kind="implement",
    expected=lambda predicted, target, classes: ious_of(
        predicted, target, classes
    ).mean(),
    cases=lambda: [
        (torch.tensor([[0, 1, 1]]), torch.tensor([[0, 0, 1]]), 2),
        (torch.tensor([[0, 1, 1, 1]]), torch.tensor([[0, 0, 0, 1]]), 2),
        label_maps(3, 4, 3, seed=0),
        label_maps(6, 5, 3, seed=1),
        label_maps(8, 8, 5, seed=2),
    ],
    mistakes=[
        Mistake(
            "not averaged",
            "You return the IoU of each class. The question asks for their mean.",
            ious_of,
        ),
        Mistake(
            "pixel accuracy",
            "That is the pixel accuracy, the fraction of pixels whose class is right.",
            lambda predicted, target, classes: (predicted == target).double().mean(),
        ),
        Mistake(
            "all classes pooled",
            "You add up the intersections of all classes, and their unions, before you "
            "divide. Frequent classes then count more than rare ones. Divide for each "
            "class first.",
            lambda predicted, target, classes: (
                counts_of(predicted, target, classes)[0].sum()
                / (2 * target.numel() - (predicted == target).sum())
            ),
        ),
        Mistake(
            "Dice instead of IoU",
            "That is the mean of the Dice coefficients.",
            averaged(lambda both, p, t, n: 2 * both / (p + t)),
        ),
        Mistake(
            "recall instead of IoU",
            "You divide by the pixels of the class in the target. False alarms don't "
            "count then.",
            averaged(lambda both, p, t, n: both / t),
        ),
        Mistake(
            "precision instead of IoU",
            "You divide by the pixels that are predicted as the class. Missed pixels "
            "don't count then.",
            averaged(lambda both, p, t, n: both / p),
        ),
        Mistake(
            "accuracy of each class",
            "You also count the pixels as correct that are another class in both maps. "
            "The IoU of a class ignores them.",
            averaged(lambda both, p, t, n: (n - p - t + 2 * both) / n),
        ),
        Mistake(
            "intersection counted twice",
            "Your union is the sum of both areas. It counts the common pixels twice.",
            averaged(lambda both, p, t, n: both / (p + t)),
        ),
        Mistake(
            "background left out",
            "Your mean leaves out class 0. Here the background is a class like the "
            "others.",
            lambda predicted, target, classes: ious_of(predicted, target, classes)[
                1:
            ].mean(),
        ),
        Mistake(
            "summed, not averaged",
            "You return the sum of the IoUs. The question asks for their mean.",
            lambda predicted, target, classes: ious_of(
                predicted, target, classes
            ).sum(),
        ),
    ],
    hints=(
        "For one class, `predicted == c` and `target == c` are masks. You know how to "
        "compute the IoU of two masks.",
        "Loop over the classes 0 to `classes - 1`, and add up their IoUs.",
        "For each class, count the pixels in both masks and those in at least one, and "
        "divide. Divide the sum of these fractions by the number of classes.",
    ),
)

# --- 17.3 ---------------------------------------------------------------------------

output_size = ValueExercise(
    number="17.3",
    kind="predict",
    expected=lambda: 60,
    mistakes=[
        Mistake(
            "convolutions with padding",
            "With padding, the size would stay the same. Without padding, each 3 x 3 "
            "convolution removes a pixel on each side.",
            100,
        ),
        Mistake(
            "two pixels per block",
            "In your answer, each block subtracts 2 pixels. It contains two 3 x 3 "
            "convolutions, and each of them subtracts 2.",
            78,
        ),
        Mistake(
            "pooling ignored",
            "You subtracted 4 pixels for each of the five blocks. Pixels that are lost "
            "in a coarse map correspond to several pixels of the image.",
            80,
        ),
        Mistake(
            "encoder only",
            "That is the size of the maps on level 3. The decoder doubles the size "
            "twice, and its blocks remove pixels, too.",
            18,
        ),
        Mistake(
            "first half of the decoder only",
            "That is the size on level 2. One more doubling and one more block follow.",
            32,
        ),
        Mistake(
            "decoder with padding",
            "You subtracted nothing in the decoder. Its blocks have no padding, "
            "either.",
            72,
        ),
        Mistake(
            "last block forgotten",
            "After the last doubling, there is one more block.",
            64,
        ),
    ],
    hints=(
        "Follow the size through the network: each 3 x 3 convolution without padding "
        "subtracts 2, max pooling halves, and `join` doubles the coarse maps.",
        "On the way down, the sizes after the blocks are 96, 44 and 18.",
        "The coarse maps determine the size in the decoder, because the fine ones are "
        "cropped: 18 is doubled, and then a block subtracts 4. Do the same once more.",
    ),
)

# --- 17.4 ---------------------------------------------------------------------------


def cropped_and_joined(coarse: Tensor, fine: Tensor) -> Tensor:
    """Crop the center of the fine maps, and put it behind the coarse ones."""
    (h, w), (H, W) = coarse.shape[2:], fine.shape[2:]
    top, left = (H - h) // 2, (W - w) // 2
    center = fine[..., top : top + h, left : left + w]
    return torch.cat([coarse, center], dim=1)


def with_crop(crop):
    """Join with another way to make the fine maps smaller."""

    def answer(coarse: Tensor, fine: Tensor) -> Tensor:
        return torch.cat([coarse, crop(fine, *coarse.shape[2:])], dim=1)

    return answer


def joined_other_way(coarse: Tensor, fine: Tensor) -> Tensor:
    """Put the fine maps before the coarse ones."""
    both = cropped_and_joined(coarse, fine)
    count = coarse.shape[1]
    return torch.cat([both[:, count:], both[:, :count]], dim=1)


def added(coarse: Tensor, fine: Tensor) -> Tensor:
    """Add the maps, as a residual block would."""
    return coarse + cropped_and_joined(coarse, fine)[:, coarse.shape[1] :]


def enlarged(coarse: Tensor, fine: Tensor) -> Tensor:
    """Enlarge the coarse maps instead of cropping the fine ones."""
    H, W = fine.shape[2:]
    return torch.cat([F.interpolate(coarse, size=(H, W)), fine], dim=1)


def padded(coarse: Tensor, fine: Tensor) -> Tensor:
    """Pad the coarse maps with zeros instead of cropping the fine ones."""
    (h, w), (H, W) = coarse.shape[2:], fine.shape[2:]
    top, left = (H - h) // 2, (W - w) // 2
    coarse = F.pad(coarse, (left, W - w - left, top, H - h - top))
    return torch.cat([coarse, fine], dim=1)


crop_and_join = FunctionExercise(
    number="17.4",
    kind="implement",
    expected=cropped_and_joined,
    cases=lambda: [
        (random_integers(1, 1, 1, 1), distinct_integers(1, 1, 3, 3)),
        (random_integers(1, 1, 2, 2), distinct_integers(1, 1, 4, 6)),
        (random_integers(2, 3, 2, 4), distinct_integers(2, 1, 6, 6)),
        (random_integers(1, 2, 4, 3), distinct_integers(1, 2, 8, 5)),
        (random_integers(2, 2, 3, 3), distinct_integers(2, 2, 3, 3)),
    ],
    mistakes=[
        Mistake(
            "upper left corner",
            "You take the upper left corner of the fine maps. It isn't where the "
            "coarse maps are: an equal margin is missing on all sides.",
            with_crop(lambda fine, h, w: fine[..., :h, :w]),
        ),
        Mistake(
            "lower right corner",
            "You take the lower right corner of the fine maps. An equal margin should "
            "be cut off on all sides.",
            with_crop(
                lambda fine, h, w: fine[..., fine.shape[2] - h :, fine.shape[3] - w :]
            ),
        ),
        Mistake(
            "resized instead of cropped",
            "You resize the fine maps. Then their pixels are no longer at the same "
            "places as those of the coarse maps.",
            with_crop(lambda fine, h, w: F.interpolate(fine, size=(h, w))),
            with_crop(
                lambda fine, h, w: F.interpolate(fine, size=(h, w), mode="bilinear")
            ),
            with_crop(lambda fine, h, w: F.adaptive_avg_pool2d(fine, (h, w))),
        ),
        Mistake(
            "coarse maps resized",
            "You resize the coarse maps. They already have the right size, and the "
            "fine maps should be cropped.",
            enlarged,
        ),
        Mistake(
            "coarse maps padded",
            "You pad the coarse maps. Then the next block would compute pixels from "
            "zeros. Crop the fine maps instead.",
            padded,
        ),
        Mistake(
            "wrong order",
            "The channels are right, but the fine maps come first. The question asks "
            "for the coarse ones first.",
            joined_other_way,
        ),
        Mistake(
            "added instead of concatenated",
            "You add the maps, as a residual block does. The question asks for both "
            "sets of channels.",
            added,
        ),
        Mistake(
            "concatenated along the batch",
            "You concatenate along the axis of the batch. The channels are the axis "
            "after it.",
            lambda coarse, fine: torch.cat(
                [coarse, cropped_and_joined(coarse, fine)[:, coarse.shape[1] :]]
            ),
        ),
    ],
    hints=(
        "How many more rows do the fine maps have than the coarse ones? Half of the "
        "surplus must be removed at the top.",
        "With `top = (H - h) // 2`, the rows are `top` to `top + h`. The columns work "
        "in the same way, with a margin of their own.",
        "Slice both axes at once, `fine[..., rows, columns]` with two `slice` objects "
        "or two ranges, and use `torch.cat` along the channel axis.",
    ),
)

# --- 17.5 ---------------------------------------------------------------------------


def turned_pair(image: Tensor, mask: Tensor, turns: int, mirror: bool) -> Tensor:
    """Turn and mirror an image and its mask in the same way."""
    pair = torch.stack([image, mask]).rot90(turns, dims=(1, 2))
    return pair.flip(2) if mirror else pair


def broken(image, mask, turns, mirror):
    """Turn and mirror the mask in another way than the image."""
    image = image.rot90(turns)
    mask = mask.rot90(-turns)
    if mirror:
        image = image.flip(1)
        mask = mask.flip(0)
    return torch.stack([image, mask])


def turned_alone(function):
    """Change the image as it should be, and the mask by another function."""

    def answer(image: Tensor, mask: Tensor, turns: int, mirror: bool) -> Tensor:
        right = turned_pair(image, image, turns, mirror)[0]
        return torch.stack([right, function(mask, turns, mirror)])

    return answer


def mirrored_first(image: Tensor, mask: Tensor, turns: int, mirror: bool) -> Tensor:
    """Mirror before turning."""
    pair = torch.stack([image, mask])
    return (pair.flip(2) if mirror else pair).rot90(turns, dims=(1, 2))


debug_augmentation = FunctionExercise(
    number="17.5",
    kind="debug",
    expected=turned_pair,
    broken=broken,
    cases=lambda: [
        (
            distinct_integers(n, n),
            (distinct_integers(n, n) > 0).double(),
            turns,
            mirror,
        )
        for n, turns, mirror in [
            (3, 1, False),
            (3, 0, True),
            (4, 3, False),
            (4, 2, True),
            (5, 1, True),
        ]
    ],
    mistakes=[
        Mistake(
            "mask turned the other way",
            "Your mask is rotated in the opposite direction. The nuclei must be at the "
            "same places in the image and in the mask.",
            turned_alone(
                lambda mask, turns, mirror: (
                    mask.rot90(-turns).flip(1) if mirror else mask.rot90(-turns)
                )
            ),
        ),
        Mistake(
            "mask mirrored along the other axis",
            "Your mask is mirrored from top to bottom, and the image from left to "
            "right.",
            turned_alone(
                lambda mask, turns, mirror: (
                    mask.rot90(turns).flip(0) if mirror else mask.rot90(turns)
                )
            ),
        ),
        Mistake(
            "mask unchanged",
            "Your mask doesn't change. It must be rotated and mirrored in the same way "
            "as the image.",
            turned_alone(lambda mask, turns, mirror: mask),
        ),
        Mistake(
            "mask not mirrored",
            "Your mask is rotated correctly, but it is never mirrored.",
            turned_alone(lambda mask, turns, mirror: mask.rot90(turns)),
        ),
        Mistake(
            "mask not turned",
            "Your mask is mirrored correctly, but it is never rotated.",
            turned_alone(lambda mask, turns, mirror: mask.flip(1) if mirror else mask),
        ),
        Mistake(
            "image changed to fit the mask",
            "Image and mask fit together now. But you changed what happens to the "
            "image: it should be rotated as before, and mirrored from left to right.",
            lambda image, mask, turns, mirror: turned_pair(image, mask, -turns, mirror),
            lambda image, mask, turns, mirror: (
                turned_pair(image, mask, turns, False).flip(1)
                if mirror
                else turned_pair(image, mask, turns, False)
            ),
            lambda image, mask, turns, mirror: (
                turned_pair(image, mask, -turns, False).flip(1)
                if mirror
                else turned_pair(image, mask, -turns, False)
            ),
            mirrored_first,
        ),
    ],
    hints=(
        "Apply the function to an image and, as the mask, the same image. Both results "
        "should be equal.",
        "There are two mistakes. One of them shows up without mirroring, the other one "
        "without rotating.",
        "Compare the arguments of both calls of `rot90`, and those of both calls of "
        "`flip`. The lines for the image are right.",
    ),
)
