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
    """Return a predicate that checks each number to within a relative tolerance."""
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
            "IoU and Dice swapped",
            "Your first two numbers are correct, but in the wrong order. Which of "
            "the two measures can't be smaller than the other?",
            close_to(DICE, IOU, ACCURACY),
        ),
        Mistake(
            "factor of 2 forgotten",
            "Your Dice coefficient is half as large as it should be. For two identical "
            "masks, it must be 1.",
            close_to(IOU, DICE / 2, ACCURACY),
        ),
        Mistake(
            "intersection counted twice",
            "Your union is the sum of the two areas, so it counts the shared pixels "
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
            "Your accuracy leaves out the correct background pixels, but accuracy "
            "takes all pixels of the image into account.",
            close_to(IOU, DICE, BOTH / ALL),
            close_to(IOU, DICE, IOU),
            close_to(IOU, DICE, DICE),
        ),
        Mistake(
            "masks 4 pixels apart",
            "In your answer, the masks have 16 x 16 pixels in common, but the "
            "predicted mask is shifted in only one direction.",
            close_to(256 / 544, 256 / 400, 1 - 2 * (400 - 256) / ALL),
        ),
    ],
    hints=(
        "Draw both squares. What is the size of the rectangle they share?",
        "The intersection has 20 x 16 pixels. The union is smaller than the sum of "
        "the two areas, because the intersection must be counted only once.",
        "The wrong pixels are those that are in exactly one of the two masks. To "
        "get the accuracy, divide their number by 100 x 100, and subtract the result "
        "from 1.",
    ),
)

# --- 17.2 ---------------------------------------------------------------------------


def counts_of(predicted: Tensor, target: Tensor, classes: int) -> tuple[Tensor, ...]:
    """Count each class's pixels: in both maps, in the prediction, in the target."""
    pairs = (target * classes + predicted).flatten().long()
    table = torch.bincount(pairs, minlength=classes**2).view(classes, classes).double()
    return table.diagonal(), table.sum(dim=0), table.sum(dim=1)


def ious_of(predicted: Tensor, target: Tensor, classes: int) -> Tensor:
    """Compute the IoU of each class from a confusion matrix."""
    both, p, t = counts_of(predicted, target, classes)
    return both / (p + t - both)


def averaged(function):
    """Average a function of the counts and of the number of all pixels."""

    def answer(predicted: Tensor, target: Tensor, classes: int) -> Tensor:
        counts = counts_of(predicted, target, classes)
        return function(*counts, target.numel()).mean()

    return answer


def label_maps(height: int, width: int, classes: int, seed: int) -> tuple:
    """Generate two label maps that contain all classes and partly agree."""
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
            "Your function returns the IoU of each class, but the exercise asks for "
            "their mean.",
            ious_of,
        ),
        Mistake(
            "pixel accuracy",
            "That is the pixel accuracy, the fraction of pixels labeled correctly.",
            lambda predicted, target, classes: (predicted == target).double().mean(),
        ),
        Mistake(
            "all classes pooled",
            "You added up the intersections of all classes, and their unions, before "
            "dividing. As a result, frequent classes count more than rare ones. Divide "
            "separately for each class, and then average.",
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
            "You divided by the number of pixels of the class in the target, so false "
            "alarms aren't penalized.",
            averaged(lambda both, p, t, n: both / t),
        ),
        Mistake(
            "precision instead of IoU",
            "You divided by the number of pixels predicted to belong to the class, so "
            "missed pixels aren't penalized.",
            averaged(lambda both, p, t, n: both / p),
        ),
        Mistake(
            "accuracy of each class",
            "You also counted pixels that neither map assigns to the class as correct, "
            "but the IoU of a class ignores them.",
            averaged(lambda both, p, t, n: (n - p - t + 2 * both) / n),
        ),
        Mistake(
            "intersection counted twice",
            "Your union is the sum of the two areas, so it counts the shared pixels "
            "twice.",
            averaged(lambda both, p, t, n: both / (p + t)),
        ),
        Mistake(
            "background left out",
            "Your mean leaves out class 0, but here, the background is a class like "
            "any other.",
            lambda predicted, target, classes: ious_of(predicted, target, classes)[
                1:
            ].mean(),
        ),
        Mistake(
            "summed, not averaged",
            "Your function returns the sum of the IoUs, but the exercise asks for "
            "their mean.",
            lambda predicted, target, classes: ious_of(
                predicted, target, classes
            ).sum(),
        ),
    ],
    hints=(
        "For one class, `predicted == c` and `target == c` are masks. You know how to "
        "compute the IoU of two masks.",
        "Loop over the classes 0 to `classes - 1`, and add up their IoUs.",
        "For each class, count the pixels that are in both masks and those that are in "
        "at least one of them, and divide. Divide the sum of these fractions by the "
        "number of classes.",
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
            "With padding, the size would stay the same, but without padding, each "
            "3 x 3 convolution removes a pixel on each side.",
            100,
        ),
        Mistake(
            "two pixels per block",
            "In your answer, each block removes 2 pixels. But a block contains two "
            "3 x 3 convolutions, and each of them removes 2.",
            78,
        ),
        Mistake(
            "pooling ignored",
            "You subtracted 4 pixels for each of the five blocks. But each pixel lost "
            "in a coarse map corresponds to several pixels of the image.",
            80,
        ),
        Mistake(
            "encoder only",
            "That is the size of the maps at level 3. But the decoder doubles the size "
            "twice, and its blocks also remove pixels.",
            18,
        ),
        Mistake(
            "first half of the decoder only",
            "That is the size at level 2. But one more doubling and one more block "
            "follow.",
            32,
        ),
        Mistake(
            "decoder with padding",
            "You didn't subtract anything in the decoder, but its blocks have no "
            "padding either.",
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
        "subtracts 2, max pooling halves the size, and `join` doubles the size of the "
        "coarse maps.",
        "On the way down, the sizes after the blocks are 96, 44, and 18.",
        "The coarse maps determine the size in the decoder, because the fine ones are "
        "cropped: 18 is doubled, and then a block subtracts 4. Do the same once more.",
    ),
)

# --- 17.4 ---------------------------------------------------------------------------


def cropped_and_joined(coarse: Tensor, fine: Tensor) -> Tensor:
    """Crop the fine maps to their center, and append them to the coarse ones."""
    (h, w), (H, W) = coarse.shape[2:], fine.shape[2:]
    top, left = (H - h) // 2, (W - w) // 2
    center = fine[..., top : top + h, left : left + w]
    return torch.cat([coarse, center], dim=1)


def with_crop(crop):
    """Join after making the fine maps smaller in a different way."""

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
            "You took the upper left corner of the fine maps, but the coarse maps "
            "correspond to their center. Crop as much at the top as at the bottom, and "
            "as much on the left as on the right.",
            with_crop(lambda fine, h, w: fine[..., :h, :w]),
        ),
        Mistake(
            "lower right corner",
            "You took the lower right corner of the fine maps, but the coarse maps "
            "correspond to their center. Crop as much at the top as at the bottom, and "
            "as much on the left as on the right.",
            with_crop(
                lambda fine, h, w: fine[..., fine.shape[2] - h :, fine.shape[3] - w :]
            ),
        ),
        Mistake(
            "resized instead of cropped",
            "You resized the fine maps. As a result, their pixels no longer line up "
            "with those of the coarse maps.",
            with_crop(lambda fine, h, w: F.interpolate(fine, size=(h, w))),
            with_crop(
                lambda fine, h, w: F.interpolate(fine, size=(h, w), mode="bilinear")
            ),
            with_crop(lambda fine, h, w: F.adaptive_avg_pool2d(fine, (h, w))),
        ),
        Mistake(
            "coarse maps resized",
            "You resized the coarse maps, but they already have the correct size. Crop "
            "the fine maps instead.",
            enlarged,
        ),
        Mistake(
            "coarse maps padded",
            "You padded the coarse maps. The next block would then compute some pixels "
            "from the padding. Crop the fine maps instead.",
            padded,
        ),
        Mistake(
            "wrong order",
            "The channels are correct, but the fine maps come first. The exercise asks "
            "for the coarse ones first.",
            joined_other_way,
        ),
        Mistake(
            "added instead of concatenated",
            "You added the maps, as a residual block does, but the exercise asks for "
            "both sets of channels.",
            added,
        ),
        Mistake(
            "concatenated along the batch axis",
            "You concatenated along the batch axis. The channel axis is the next one.",
            lambda coarse, fine: torch.cat(
                [coarse, cropped_and_joined(coarse, fine)[:, coarse.shape[1] :]]
            ),
        ),
    ],
    hints=(
        "How many more rows do the fine maps have than the coarse ones? Half of the "
        "difference must be cropped at the top.",
        "If the coarse maps have `h` rows and the fine maps `H`, the rows to keep are "
        "`top : top + h` with `top = (H - h) // 2`. The columns work the same way, "
        "with their own margin.",
        "Slice both axes at once: `fine[..., top : top + h, left : left + w]`. Then "
        "use `torch.cat` along the channel axis.",
    ),
)

# --- 17.5 ---------------------------------------------------------------------------


def rotated_pair(image: Tensor, mask: Tensor, turns: int, mirror: bool) -> Tensor:
    """Rotate and flip an image and its mask in the same way."""
    pair = torch.stack([image, mask]).rot90(turns, dims=(1, 2))
    return pair.flip(2) if mirror else pair


def broken(image, mask, turns, mirror):
    """Rotate and flip the mask differently from the image."""
    image = image.rot90(turns)
    mask = mask.rot90(-turns)
    if mirror:
        image = image.flip(1)
        mask = mask.flip(0)
    return torch.stack([image, mask])


def mask_by(function):
    """Transform the image correctly, and the mask by the given function."""

    def answer(image: Tensor, mask: Tensor, turns: int, mirror: bool) -> Tensor:
        correct = rotated_pair(image, image, turns, mirror)[0]
        return torch.stack([correct, function(mask, turns, mirror)])

    return answer


def flipped_first(image: Tensor, mask: Tensor, turns: int, mirror: bool) -> Tensor:
    """Flip before rotating."""
    pair = torch.stack([image, mask])
    return (pair.flip(2) if mirror else pair).rot90(turns, dims=(1, 2))


debug_augmentation = FunctionExercise(
    number="17.5",
    kind="debug",
    expected=rotated_pair,
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
            "mask rotated the other way",
            "Your mask is rotated in the opposite direction, but the nuclei must be in "
            "the same places in the image and in the mask.",
            mask_by(
                lambda mask, turns, mirror: (
                    mask.rot90(-turns).flip(1) if mirror else mask.rot90(-turns)
                )
            ),
        ),
        Mistake(
            "mask flipped along the other axis",
            "Your mask is flipped top to bottom, but the image is flipped left to "
            "right.",
            mask_by(
                lambda mask, turns, mirror: (
                    mask.rot90(turns).flip(0) if mirror else mask.rot90(turns)
                )
            ),
        ),
        Mistake(
            "mask unchanged",
            "Your mask doesn't change, but it must be rotated and flipped in the same "
            "way as the image.",
            mask_by(lambda mask, turns, mirror: mask),
        ),
        Mistake(
            "mask not flipped",
            "Your mask is rotated correctly, but it is never flipped.",
            mask_by(lambda mask, turns, mirror: mask.rot90(turns)),
        ),
        Mistake(
            "mask not rotated",
            "Your mask is flipped correctly, but it is never rotated.",
            mask_by(lambda mask, turns, mirror: mask.flip(1) if mirror else mask),
        ),
        Mistake(
            "image changed to fit the mask",
            "The image and the mask match now, but you changed the code for the image. "
            "It should be rotated as before and flipped left to right.",
            lambda image, mask, turns, mirror: rotated_pair(
                image, mask, -turns, mirror
            ),
            lambda image, mask, turns, mirror: (
                rotated_pair(image, mask, turns, False).flip(1)
                if mirror
                else rotated_pair(image, mask, turns, False)
            ),
            lambda image, mask, turns, mirror: (
                rotated_pair(image, mask, -turns, False).flip(1)
                if mirror
                else rotated_pair(image, mask, -turns, False)
            ),
            flipped_first,
        ),
    ],
    hints=(
        "Call the function with the same image as both `image` and `mask`. The two "
        "results should be equal.",
        "There are two bugs. One of them shows up even without flipping, the other "
        "even without rotating.",
        "Compare the arguments of the two calls to `rot90`, and those of the two calls "
        "to `flip`. The lines for the image are correct.",
    ),
)
