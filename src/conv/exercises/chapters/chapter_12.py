"""The exercises of chapter 12, on looking inside a network."""

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
    """Find the input columns that a pixel depends on, with autograd."""
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
            "Your range has the correct width but the wrong position. The first "
            "convolution pads the image, which shifts all windows.",
            [8, 23],
        ),
        Mistake(
            "first layer forgotten",
            "Those are columns of the first convolution's *output*. Each of them "
            "depends on five columns of the image.",
            [8, 19],
        ),
        Mistake(
            "pooling layers only",
            "That would be correct if there were only the two pooling layers. Each "
            "convolution widens the range further.",
            [8, 11],
        ),
        Mistake(
            "two columns missing",
            "Your range is two columns too narrow. A pixel of the second pooling layer "
            "depends on two columns of the convolution's output, and each 5 x 5 "
            "kernel extends the range in both directions.",
            [6, 19],
            [8, 21],
        ),
        Mistake(
            "first pooling layer only",
            "That is the range of pixel j = 2 of the *first* pooling layer's output. "
            "Start from the second pooling layer instead.",
            [2, 7],
        ),
        Mistake(
            "too far to the right",
            "Your range has the correct width but lies four columns too far to the "
            "right. Did you trace j = 3, or shift the windows to the right because of "
            "the padding?",
            [10, 25],
        ),
        Mistake(
            "counted from one",
            "Both numbers are too large by one. Columns are numbered from 0.",
            [7, 22],
        ),
        Mistake(
            "end excluded",
            "The second number is too large by one. It should be the last column the "
            "pixel depends on (inclusive).",
            [6, 22],
        ),
        Mistake(
            "stride of the second pooling layer forgotten",
            "You traced column 2 of the second convolution's output, or columns 2 "
            "and 3. Because of the pooling layer's stride, pixel j = 2 depends on "
            "columns farther to the right.",
            [2, 15],
            [2, 17],
            [4, 17],
            [4, 19],
        ),
        Mistake(
            "strides of the pooling layers forgotten",
            "You took the window sizes into account, but not all the strides. After "
            "the first pooling layer, adjacent pixels are two image columns apart; "
            "after the second, four.",
            *([0, 8], [0, 9], [0, 10], [2, 10], [2, 11], [2, 12], [4, 13], [4, 14]),
        ),
    ],
    hints=(
        "Work backward through the layers, starting with the second pooling layer. "
        "Which two columns of its input does pixel j = 2 depend on?",
        "In the second pooling layer, pixel j = 2 depends on columns 4 and 5 of the "
        "layer's input. Without padding, column c of a 5 x 5 convolution depends on "
        "columns c to c + 4 of its input. Which range do you get after the first "
        "pooling layer, and which before it?",
        "The range is 4 to 9 after the first pooling layer, and 8 to 19 before it. In "
        "the first convolution, which has padding 2, column c depends on columns c - 2 "
        "to c + 2.",
    ),
)

# --- 12.2 ---------------------------------------------------------------------------


def small_net(side: int, classes: int, seed: int) -> nn.Module:
    """Create a network for small images, in float64."""
    with torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(seed)
        net = nn.Sequential(
            nn.Conv2d(1, 3, 2, padding=1),
            nn.Tanh(),
            nn.Flatten(),
            nn.Linear(3 * (side + 1) ** 2, classes),
        )
    return net.double()


def gradient_of(pick: Callable[[Tensor, int], Tensor]) -> Callable[..., Tensor]:
    """Differentiate a scalar computed from the scores and return an (H, W) map."""

    def gradient(net: nn.Module, x: Tensor, label: int) -> Tensor:
        leaf = x.detach().clone().requires_grad_()
        return torch.autograd.grad(pick(net(leaf), label), leaf)[0][0, 0]

    return gradient


def absolute(function: Callable[..., Tensor]) -> Callable[..., Tensor]:
    """Take the absolute value of a function's result."""
    return lambda *case: function(*case).abs()


def saliency_map(net: nn.Module, x: Tensor, label: int) -> Tensor:
    """Compute the expected result with autograd."""
    return OF_SCORE(net, x, label).abs()


OF_SCORE = gradient_of(lambda scores, label: scores[0, label])
OF_PROBABILITY = gradient_of(lambda scores, label: scores.softmax(dim=1)[0, label])
OF_LOSS = gradient_of(lambda scores, label: -scores.log_softmax(dim=1)[0, label])
OF_ALL = gradient_of(lambda scores, label: scores.sum())
OF_BEST = gradient_of(lambda scores, label: scores.max())

saliency = FunctionExercise(
    number="12.2",
    kind="implement",
    expected=saliency_map,
    cases=lambda: [
        (small_net(side, 3, seed), random_integers(1, 1, side, side) / 4, label)
        for side, seed, label in [(2, 0, 0), (2, 1, 2), (3, 2, 1), (4, 3, 0), (5, 4, 2)]
    ],
    mistakes=[
        Mistake(
            "sign kept",
            "Your gradient is correct. The exercise asks for its absolute value.",
            OF_SCORE,
        ),
        Mistake(
            "negative values cut off",
            "You set the negative derivatives to zero. They count as well: a negative "
            "derivative means that making the pixel brighter lowers the score.",
            lambda *case: OF_SCORE(*case).clamp(min=0),
        ),
        Mistake(
            "loss instead of score",
            "That is the gradient of the loss, or of the log-probability. Both also "
            "depend on the scores of the other classes.",
            absolute(OF_LOSS),
            OF_LOSS,
            lambda *case: -OF_LOSS(*case),
        ),
        Mistake(
            "probability instead of score",
            "That is the gradient of the *probability*, which also depends on the "
            "scores of the other classes.",
            absolute(OF_PROBABILITY),
            OF_PROBABILITY,
        ),
        Mistake(
            "all classes at once",
            "You differentiated the sum of all the scores. The exercise asks for the "
            "score of one label.",
            absolute(OF_ALL),
            OF_ALL,
        ),
        Mistake(
            "best class instead of the label",
            "You differentiated the largest score, whichever class it belongs to. The "
            "exercise asks for the score of `label`.",
            absolute(OF_BEST),
            OF_BEST,
        ),
        Mistake(
            "gradient times image",
            "You multiplied the gradient by the image. That is a different method; "
            "here, the map is the absolute value of the gradient alone.",
            lambda net, x, label: (OF_SCORE(net, x, label) * x[0, 0]).abs(),
            lambda net, x, label: OF_SCORE(net, x, label) * x[0, 0],
        ),
        Mistake(
            "squared instead of absolute",
            "You squared the gradient. The exercise asks for its absolute value.",
            lambda *case: OF_SCORE(*case) ** 2,
        ),
        Mistake(
            "rescaled",
            "You rescaled the map, which is often done before it is displayed. This "
            "exercise asks for the original values.",
            lambda *case: saliency_map(*case) / saliency_map(*case).max(),
            lambda *case: saliency_map(*case) / saliency_map(*case).sum(),
            lambda *case: saliency_map(*case) / saliency_map(*case).norm(),
        ),
    ],
    hints=(
        "Autograd must treat the pixels as it usually treats weights. What does a "
        "tensor need before the forward pass so that you can differentiate with "
        "respect to it?",
        "Call `.requires_grad_()` on a copy of `x` (`x.detach().clone()`), and run the "
        "network on that copy. Then differentiate a single number, `net(...)[0, "
        "label]`.",
        "`torch.autograd.grad(score, copy)` returns a tuple that contains one gradient "
        "of shape (1, 1, H, W). Alternatively, find it in `copy.grad` after "
        "`score.backward()`. Two small steps remain.",
    ),
)

# --- 12.3 ---------------------------------------------------------------------------


def grad_cam(A: Tensor, weight: Tensor, label: int) -> Tensor:
    """Compute the Grad-CAM map with autograd."""
    maps = A.detach().clone().requires_grad_()
    score = weight[label] @ maps.mean(dim=(1, 2))
    alpha = torch.autograd.grad(score, maps)[0].mean(dim=(1, 2), keepdim=True)
    return (alpha * A).sum(dim=0)


def weighted_maps(A: Tensor, weight: Tensor, label: int) -> Tensor:
    """Multiply each feature map by its weight, without summing over channels."""
    return weight[label][:, None, None] * A


def with_column(A: Tensor, weight: Tensor, label: int) -> Tensor:
    """Take a column of the weights instead of a row."""
    return grad_cam(A, weight.T, label)


def with_cam_scale(function: Callable[..., Tensor]) -> Callable[..., Tensor]:
    """Multiply a map by the number of its pixels, as in CAM."""
    return lambda A, weight, label: function(A, weight, label) * A[0].numel()


def all_classes(A: Tensor, weight: Tensor, label: int) -> Tensor:
    """Add the maps of all classes."""
    return sum(grad_cam(A, weight, k) for k in range(len(weight)))


class_map = FunctionExercise(
    number="12.3",
    kind="implement",
    expected=grad_cam,
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
            "Your map has the correct pattern but is too large by a factor that "
            "depends on its size. The score depends on a feature map only through its "
            "*mean*. How does this affect the derivative with respect to a single "
            "pixel?",
            with_cam_scale(grad_cam),
        ),
        Mistake(
            "factor applied twice",
            "Your map has the correct pattern but is too small by a factor that "
            "depends on its size. Did you divide by the number of pixels twice?",
            lambda A, weight, label: grad_cam(A, weight, label) / A[0].numel(),
        ),
        Mistake(
            "channels not summed",
            "You returned one map per channel. Grad-CAM sums over the channels.",
            weighted_maps,
            lambda A, weight, label: weighted_maps(A, weight, label) / A[0].numel(),
        ),
        Mistake(
            "score instead of map",
            "You returned the score, a single number. The map has one value for each "
            "position (i, j).",
            lambda A, weight, label: grad_cam(A, weight, label).sum(),
        ),
        Mistake(
            "maximum taken too early",
            "You replaced negative values with zero. The exercise asks for the map "
            "*before* that step.",
            lambda *case: grad_cam(*case).clamp(min=0),
            lambda *case: with_cam_scale(grad_cam)(*case).clamp(min=0),
        ),
        Mistake(
            "channels averaged",
            "You averaged over the channels. Grad-CAM sums over them.",
            lambda A, weight, label: grad_cam(A, weight, label) / len(A),
            lambda A, weight, label: weighted_maps(A, weight, label).mean(dim=0),
        ),
        Mistake(
            "weights ignored",
            "In your map, all channels have the same weight. How much each of them "
            "contributes to the score depends on `weight` and `label`.",
            lambda A, weight, label: A.sum(dim=0) / A[0].numel(),
            lambda A, weight, label: A.sum(dim=0),
            lambda A, weight, label: A.mean(dim=0),
        ),
        Mistake(
            "all classes added",
            "You added the weights of all classes. The exercise asks for the map of "
            "one class.",
            all_classes,
            with_cam_scale(all_classes),
        ),
        Mistake(
            "column instead of row",
            "You took a column of `weight`. Its shape is (classes, C), so the weights "
            "of one class form a row.",
            with_column,
            with_cam_scale(with_column),
        ),
    ],
    hints=(
        "Write the score of the class as a function of the entries `A[k, i, j]`, with "
        "the mean written out as a sum over positions.",
        "By how much does the score change if the single entry `A[k, i, j]` increases "
        "by 1? The answer is the same at all positions of a feature map, so the mean "
        "in the formula for Grad-CAM's weights has no effect.",
        "The derivative is `weight[label, k] / (H * W)`. Multiply each feature map by "
        "this weight. What does the formula do with the products?",
    ),
)

# --- 12.4 ---------------------------------------------------------------------------


def nonlinear_score(x: Tensor) -> Tensor:
    """Score an image with a different weight for each pixel."""
    x = torch.as_tensor(x)
    weights = torch.arange(1.0, x.numel() + 1).to(x).reshape(x.shape)
    total = (x * weights).sum()
    return total + total**2 / 8


def broken(score: Callable, x: Tensor, size: int) -> Tensor:
    """Compute an occlusion map, with two bugs (shown without docstring)."""
    rows, columns = x.shape[0] - size + 1, x.shape[1] - size + 1
    drop = x.new_zeros(rows, columns)
    for i in range(rows):
        for j in range(columns):
            covered = x
            covered[i : i + size, j : j + size] = 0
            drop[i, j] = score(covered) - score(x)
    return drop


def masks(x: Tensor, size: int) -> Tensor:
    """Create one mask per position of the square: 1 inside it, 0 outside."""
    windows = F.unfold(torch.ones_like(x)[None, None], size)
    return torch.stack(
        [
            F.fold(one * windows, tuple(x.shape), size)[0, 0]
            for one in torch.eye(windows.shape[2], dtype=x.dtype)
        ]
    )


def occlusion_map(score: Callable, x: Tensor, size: int) -> Tensor:
    """Compute the expected result with one mask per position."""
    values = [score(x) - score(x * (1 - mask)) for mask in masks(x, size)]
    return torch.stack(values).reshape(x.shape[0] - size + 1, -1)


def covered_scores(score: Callable, x: Tensor, size: int) -> Tensor:
    """Compute the scores of the covered images."""
    return score(x) - occlusion_map(score, x, size)


def kept_patches(score: Callable, x: Tensor, size: int) -> Tensor:
    """Compute the scores of the squares alone."""
    values = [score(x * mask) for mask in masks(x, size)]
    return torch.stack(values).reshape(x.shape[0] - size + 1, -1)


def accumulated_patches(
    score: Callable, x: Tensor, size: int, fresh: bool = False
) -> Tensor:
    """Keep every square covered, optionally until the next row starts."""
    drop, covered = torch.zeros_like(occlusion_map(score, x, size)), x.clone()
    for i in range(drop.shape[0]):
        covered = x.clone() if fresh else covered
        for j in range(drop.shape[1]):
            covered[i : i + size, j : j + size] = 0
            drop[i, j] = score(x) - score(covered)
    return drop


def no_copy(score: Callable, x: Tensor, size: int) -> Tensor:
    """Compare the covered image with itself."""
    return torch.zeros_like(occlusion_map(score, x, size))


debug_occlusion = FunctionExercise(
    number="12.4",
    kind="debug",
    expected=occlusion_map,
    broken=broken,
    cases=lambda: [
        (nonlinear_score, random_integers(*size), patch)
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
            "The map is still zero everywhere, because `covered` and `x` share "
            "memory. An assignment only gives the same tensor a second name, and a "
            "slice is a view of it; neither makes a copy.",
            no_copy,
        ),
        Mistake(
            "covered squares accumulate",
            "At each position, the squares from earlier positions are still covered. "
            "How often do you need a fresh copy of `x`?",
            accumulated_patches,
            lambda *case: accumulated_patches(*case, fresh=True),
            lambda *case: -accumulated_patches(*case),
            lambda *case: -accumulated_patches(*case, fresh=True),
        ),
        Mistake(
            "wrong sign",
            "Your map is positive where the score *rises*. It should be positive where "
            "the score *falls*.",
            lambda *case: -occlusion_map(*case),
        ),
        Mistake(
            "score instead of drop",
            "You returned the scores of the covered images. By how much did the score "
            "fall?",
            covered_scores,
        ),
        Mistake(
            "sign dropped",
            "You returned the absolute value of the change, or only its positive part. "
            "Where the score rises, the entry should be negative.",
            lambda *case: occlusion_map(*case).abs(),
            lambda *case: occlusion_map(*case).clamp(min=0),
        ),
        Mistake(
            "square kept instead of covered",
            "You covered everything *except* the square. The square itself should be "
            "set to zero.",
            kept_patches,
            lambda score, x, size: score(x) - kept_patches(score, x, size),
        ),
    ],
    hints=(
        "Call the function with `torch.sum` as the score, and print `x` before and "
        "after. What has changed?",
        "The line `covered = x` doesn't create a new image. Find the method that does. "
        "Then check the order of the subtraction: if covering the square lowers the "
        "score, which of the two scores is larger?",
        "Each position needs its own `x.clone()`, so the copy belongs inside both "
        "loops. The drop is the score of the original minus that of the covered image.",
    ),
)
