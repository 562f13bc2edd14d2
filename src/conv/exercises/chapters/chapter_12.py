"""The exercises of chapter 12: look inside."""

from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from conv.exercises.exercise import (
    FunctionExercise,
    Mistake,
    ValueExercise,
    random_integers,
)

# --- 12.1 ---------------------------------------------------------------------------


def receptive_columns() -> list[int]:
    """Find the columns that a pixel of the second pooling depends on, with autograd."""
    x = torch.zeros(1, 1, 28, 28, requires_grad=True)
    ones = torch.ones(1, 1, 5, 5)
    y = F.avg_pool2d(F.conv2d(x, ones, padding=2), 2)
    y = F.avg_pool2d(F.conv2d(y, ones), 2)
    [gradient] = torch.autograd.grad(y[0, 0, 2, 2], x)
    columns = gradient[0, 0].any(dim=0).nonzero()
    return [columns.min().item(), columns.max().item()]


columns = ValueExercise(
    number="12.1",
    kind="predict",
    expected=receptive_columns,
    mistakes=[
        Mistake(
            "padding forgotten",
            "Right but for two columns: the first convolution's frame moves "
            "everything by two.",
            [8, 23],
        ),
        Mistake(
            "first layer forgotten",
            "You arrived at the first convolution's *output*. Each of its pixels sees "
            "five columns.",
            [8, 19],
        ),
        Mistake(
            "poolings only",
            "Those are the pixels that two poolings stand for. The convolutions look "
            "farther.",
            [8, 11],
        ),
        Mistake(
            "counted from one",
            "The third pixel is j = 2: counting begins with 0.",
            [10, 25],
        ),
        Mistake(
            "counted from one",
            "Both numbers are one too large: columns are counted from 0 here.",
            [7, 22],
        ),
        Mistake(
            "end left out",
            "The second number is one too large: the last column itself was asked for.",
            [6, 22],
        ),
        Mistake(
            "pooling's stride forgotten",
            "You followed the windows, but not the strides: neighbors are two pixels "
            "apart after one pooling, four after two.",
            lambda a: a.shape == (2,) and a[1] - a[0] + 1 in (9, 10, 11),
        ),
    ],
    hints=(
        "Go back layer by layer. The pooling's pixel 2 is made of columns 4 and 5.",
        "A convolution without padding: columns 4 to 5 need 4 to 9. Then the pooling: "
        "8 to 19.",
        "The first convolution has padding 2: column c needs c - 2 to c + 2.",
    ),
)

# --- 12.2 ---------------------------------------------------------------------------


def small_net(side: int, classes: int, seed: int) -> nn.Module:
    """Create a network for small images, in float64."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        net = nn.Sequential(
            nn.Conv2d(1, 3, 2, padding=1),
            nn.Tanh(),
            nn.Flatten(),
            nn.Linear(3 * (side + 1) ** 2, classes),
        )
    return net.double()


def gradient_of(pick: Callable[[Tensor, int], Tensor]) -> Callable[..., Tensor]:
    """Differentiate a scalar selected from the scores."""

    def gradient(net: nn.Module, x: Tensor, label: int) -> Tensor:
        leaf = x.detach().clone().requires_grad_()
        return torch.autograd.grad(pick(net(leaf), label), leaf)[0]

    return gradient


OF_SCORE = gradient_of(lambda scores, label: scores[0, label])
OF_PROBABILITY = gradient_of(lambda scores, label: scores.softmax(dim=1)[0, label])
OF_LOSS = gradient_of(lambda scores, label: scores.log_softmax(dim=1)[0, label])
OF_ALL = gradient_of(lambda scores, label: scores.sum())
OF_BEST = gradient_of(lambda scores, label: scores.max())

saliency = FunctionExercise(
    number="12.2",
    kind="implement",
    expected=lambda net, x, label: OF_SCORE(net, x, label).abs()[0, 0],
    preserves=("dtype",),
    cases=lambda: [
        (small_net(side, 3, seed), random_integers(1, 1, side, side) / 4, label)
        for side, seed, label in [(2, 0, 0), (2, 1, 2), (3, 2, 1), (4, 3, 0), (5, 4, 2)]
    ],
    mistakes=[
        Mistake(
            "sign kept",
            "The gradient is right, but its absolute value was asked for.",
            lambda net, x, label: OF_SCORE(net, x, label)[0, 0],
        ),
        Mistake(
            "batch and channel kept",
            "The numbers are right; take the image out of its batch and channel.",
            lambda net, x, label: OF_SCORE(net, x, label).abs(),
        ),
        Mistake(
            "batch and channel kept",
            "The numbers are right; take the image out of its channel, too.",
            lambda net, x, label: OF_SCORE(net, x, label).abs()[0],
        ),
        Mistake(
            "sign kept",
            "The gradient is right, but its absolute value was asked for; and take "
            "the image out of its batch and channel.",
            lambda net, x, label: OF_SCORE(net, x, label),
        ),
        Mistake(
            "loss for score",
            "That is the gradient of the logarithm of the probability, or of the "
            "loss. It also says what speaks against the other classes.",
            lambda net, x, label: OF_LOSS(net, x, label).abs()[0, 0],
        ),
        Mistake(
            "probability for score",
            "That is the gradient of the *probability*. It also says what speaks "
            "against the other classes.",
            lambda net, x, label: OF_PROBABILITY(net, x, label).abs()[0, 0],
        ),
        Mistake(
            "all classes at once",
            "You go backward from the sum of all scores. One label's score was asked "
            "for.",
            lambda net, x, label: OF_ALL(net, x, label).abs()[0, 0],
        ),
        Mistake(
            "best class for the label",
            "You go backward from the largest score, whichever label it has.",
            lambda net, x, label: OF_BEST(net, x, label).abs()[0, 0],
        ),
        Mistake(
            "gradient times image",
            "You multiply the gradient by the image. That is another method.",
            lambda net, x, label: (OF_SCORE(net, x, label) * x).abs()[0, 0],
        ),
        Mistake(
            "squared instead of absolute",
            "You square the gradient. Its absolute value was asked for.",
            lambda net, x, label: OF_SCORE(net, x, label)[0, 0] ** 2,
        ),
    ],
    hints=(
        "The pixels must ask for a gradient: work on a copy with `.requires_grad_()`.",
        "Go backward from one number: `net(x)[0, label]`.",
        "`torch.autograd.grad(score, x)` gives a tuple of one gradient, of shape "
        "(1, 1, H, W). Absolute value, and the image out of it.",
    ),
)

# --- 12.3 ---------------------------------------------------------------------------


def grad_cam(A: Tensor, weight: Tensor, label: int) -> Tensor:
    """Compute the Grad-CAM map with autograd."""
    maps = A.detach().clone().requires_grad_()
    score = weight[label] @ maps.mean(dim=(1, 2))
    alpha = torch.autograd.grad(score, maps)[0].mean(dim=(1, 2), keepdim=True)
    return (alpha * A).sum(dim=0)


class_map = FunctionExercise(
    number="12.3",
    kind="implement",
    expected=grad_cam,
    preserves=("dtype", "device"),
    cases=lambda: [
        (random_integers(c, h, w), random_integers(classes, c, seed=5), label)
        for c, h, w, classes, label in [
            (1, 1, 2, 2, 1),
            (2, 1, 2, 2, 0),
            (2, 2, 2, 2, 1),
            (3, 2, 3, 3, 2),
            (3, 3, 2, 3, 0),
        ]
    ],
    mistakes=[
        Mistake(
            "Grad-CAM's scale forgotten",
            "The pattern is right, the scale is CAM's own. The gradient of a mean over "
            "H * W places has a factor.",
            lambda A, weight, label: grad_cam(A, weight, label) * A[0].numel(),
        ),
        Mistake(
            "channels not summed",
            "You give a map for each channel. They are added up.",
            lambda A, weight, label: weight[label][:, None, None] * A / A[0].numel(),
        ),
        Mistake(
            "maximum taken too early",
            "You cut off what is negative. The map *before* that was asked for.",
            lambda A, weight, label: grad_cam(A, weight, label).clamp(min=0),
        ),
        Mistake(
            "channels averaged",
            "You average over the channels; they are added.",
            lambda A, weight, label: grad_cam(A, weight, label) / len(A),
        ),
        Mistake(
            "weights ignored",
            "All channels count alike. The class's weights tell them apart.",
            lambda A, weight, label: A.sum(dim=0) / A[0].numel(),
            lambda A, weight, label: A.sum(dim=0),
            lambda A, weight, label: A.mean(dim=0),
        ),
        Mistake(
            "all classes added",
            "You add the weights of all classes. Take one row.",
            lambda A, weight, label: sum(
                grad_cam(A, weight, k) for k in range(len(weight))
            ),
        ),
    ],
    hints=(
        "The score is a sum over channels: weight times the mean of the map.",
        "By how much does the score change if one number of map c grows by 1? That is "
        "the same at all places.",
        "`weight[label, c] / (H * W)` for each channel, times its map, added up.",
    ),
)

# --- 12.4 ---------------------------------------------------------------------------


def weighted_sum(x: Tensor) -> Tensor:
    """Score an image with a different weight for each pixel."""
    weights = torch.arange(1.0, x.numel() + 1).to(x).reshape(x.shape)
    return (x * weights).sum()


def broken(score: Callable, x: Tensor, size: int) -> Tensor:
    """Compute an occlusion map, with two bugs (shown without docstring)."""
    rows, columns = x.shape[0] - size + 1, x.shape[1] - size + 1
    fall = x.new_zeros(rows, columns)
    for i in range(rows):
        for j in range(columns):
            covered = x
            covered[i : i + size, j : j + size] = 0
            fall[i, j] = score(covered) - score(x)
    return fall


def occlusion_map(score: Callable, x: Tensor, size: int) -> Tensor:
    """Compute the expected result with one mask per position."""
    windows = F.unfold(torch.ones_like(x)[None, None], size)
    masks = torch.stack(
        [
            F.fold(one * windows, tuple(x.shape), size)[0, 0]
            for one in torch.eye(windows.shape[2], dtype=x.dtype)
        ]
    )
    values = [score(x) - score(x * (1 - mask)) for mask in masks]
    return torch.stack(values).reshape(x.shape[0] - size + 1, -1)


def accumulated_patches(
    score: Callable, x: Tensor, size: int, fresh: bool = False
) -> Tensor:
    """Keep every patch, optionally until the next row starts."""
    fall, covered = torch.zeros_like(occlusion_map(score, x, size)), x.clone()
    for i in range(fall.shape[0]):
        covered = x.clone() if fresh else covered
        for j in range(fall.shape[1]):
            covered[i : i + size, j : j + size] = 0
            fall[i, j] = score(x) - score(covered)
    return fall


def no_copy(score: Callable, x: Tensor, size: int) -> Tensor:
    """Compare the occluded image with itself."""
    return torch.zeros_like(occlusion_map(score, x, size))


debug_occlusion = FunctionExercise(
    number="12.4",
    kind="debug",
    expected=occlusion_map,
    broken=broken,
    preserves=("dtype",),
    cases=lambda: [
        (weighted_sum, random_integers(*size), patch)
        for size, patch in [
            ((1, 2), 1),
            ((2, 2), 1),
            ((2, 3), 2),
            ((3, 3), 2),
            ((3, 4), 2),
        ]
    ],
    mistakes=[
        Mistake(
            "two names for one image",
            "Nothing falls, because `covered` and `x` share their numbers: `=` gives "
            "a second name, and a slice a second view. Neither is a copy.",
            no_copy,
        ),
        Mistake(
            "patches pile up",
            "The first number is right. Then each place is covered on top of those "
            "before: take a fresh copy for each.",
            accumulated_patches,
        ),
        Mistake(
            "patches pile up",
            "Each row begins well. Then each place is covered on top of those before: "
            "take a fresh copy for each place.",
            lambda score, x, size: accumulated_patches(score, x, size, fresh=True),
        ),
        Mistake(
            "patches pile up",
            "Each place is covered on top of those before: take a fresh copy for each. "
            "(And which way round is a fall?)",
            lambda score, x, size: -accumulated_patches(score, x, size),
        ),
        Mistake(
            "wrong sign",
            "A *fall* is positive where the score gets smaller.",
            lambda score, x, size: -occlusion_map(score, x, size),
        ),
        Mistake(
            "score for fall",
            "That is the score of the covered image. By how much did it fall?",
            lambda score, x, size: score(x) - occlusion_map(score, x, size),
        ),
    ],
    hints=(
        "Call it with `torch.sum` as the score, and look at `x` afterwards.",
        "`covered = x` makes no copy. And which way round is a fall?",
        "`x.clone()`, inside the loops; and the score of `x` minus that of `covered`.",
    ),
)
