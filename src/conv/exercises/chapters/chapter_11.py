"""The exercises of chapter 11: train LeNet."""

import math

import torch
import torch.nn.functional as F
from torch import Tensor

import conv
from conv.exercises.exercise import (
    FunctionExercise,
    Mistake,
    ValueExercise,
    distinct_integers,
    random_integers,
)

# --- 11.1 ---------------------------------------------------------------------------

RIGHT_CLASS = torch.tensor([0.99, 0.01], dtype=torch.float64)

two_losses = ValueExercise(
    number="11.1",
    kind="predict",
    expected=lambda: F.nll_loss(
        RIGHT_CLASS.log()[:, None], torch.zeros(2).long(), reduction="none"
    ),
    accept=lambda a: (
        abs(a[0] + math.log(0.99)) < 5e-5 and abs(a[1] + math.log(0.01)) < 5e-3
    ),
    mistakes=[
        Mistake(
            "sign forgotten",
            "A logarithm of a probability is negative, a loss isn't.",
            lambda a: a.shape == (2,) and (a < 0).all(),
        ),
        Mistake(
            "decimal logarithm",
            "That is the logarithm to base 10. A loss takes the natural one.",
            lambda a: a.shape == (2,) and abs(a[1] - 2) < 1e-3,
        ),
        Mistake(
            "binary logarithm",
            "That is the logarithm to base 2. A loss takes the natural one.",
            lambda a: a.shape == (2,) and abs(a[1] - math.log2(100)) < 1e-2,
        ),
        Mistake(
            "distance to 1",
            "That is how far the probability is from 1. The loss is its negative "
            "logarithm; see what that does to the net that is sure and wrong.",
            lambda a: a.shape == (2,) and abs(a[1] - 0.99) < 1e-9,
        ),
        Mistake(
            "squared error",
            "That is the squared distance to 1, not the cross-entropy.",
            lambda a: a.shape == (2,) and abs(a[1] - 0.99**2) < 1e-9,
        ),
        Mistake(
            "rounded too far",
            "The smaller loss is near 0.01, but not 0.01. Give three significant "
            "digits.",
            lambda a: a.shape == (2,) and abs(a[0] - 0.01) < 1e-9 and a[1] > 4,
        ),
        Mistake(
            "mean of the two",
            "That is their mean. Give both.",
            lambda a: a.shape == () and abs(a - 2.3076) < 1e-2,
        ),
    ],
    hints=(
        "Cross-entropy looks at one number only: the right class's probability.",
        "Its negative logarithm, and the natural one.",
        "For the first net `-torch.tensor(0.99).log()`. The other likewise.",
    ),
)

# --- 11.2 ---------------------------------------------------------------------------


def smoothed(scores: Tensor, labels: Tensor, amount: float) -> Tensor:
    """Compute the expected result with PyTorch."""
    return F.cross_entropy(scores, labels, label_smoothing=amount)


def with_targets(make_targets):
    """Compute the cross-entropy with other target probabilities."""

    def loss(scores: Tensor, labels: Tensor, amount: float) -> Tensor:
        one_hot = F.one_hot(labels, scores.shape[1]).to(scores)
        target = make_targets(one_hot, amount, scores.shape[1])
        return -(target * scores.log_softmax(dim=1)).sum(dim=1).mean()

    return loss


def with_log_probabilities(function):
    """Compute the cross-entropy with something else in place of the logarithms."""

    def loss(scores: Tensor, labels: Tensor, amount: float) -> Tensor:
        classes = scores.shape[1]
        target = F.one_hot(labels, classes) * (1 - amount) + amount / classes
        return -(target * function(scores)).sum(dim=1).mean()

    return loss


smooth_loss = FunctionExercise(
    number="11.2",
    kind="implement",
    expected=smoothed,
    preserves=("dtype", "device"),
    cases=lambda: [
        (random_integers(n, c, seed=n), torch.arange(n) % c, amount)
        for n, c, amount in [
            (1, 2, 0.5),
            (1, 3, 0.25),
            (2, 3, 0.1),
            (3, 4, 0.2),
            (6, 10, 0.1),
        ]
    ],
    mistakes=[
        Mistake(
            "smoothing forgotten",
            "That is the plain cross-entropy; `amount` doesn't count.",
            lambda scores, labels, amount: smoothed(scores, labels, 0.0),
        ),
        Mistake(
            "sum instead of mean",
            "You add the images' losses up. The mean over the batch was asked for.",
            lambda scores, labels, amount: (
                smoothed(scores, labels, amount) * len(scores)
            ),
        ),
        Mistake(
            "mean over the classes, too",
            "You average over the classes. The classes' parts are added; only the "
            "images' losses are averaged.",
            lambda scores, labels, amount: (
                smoothed(scores, labels, amount) / scores.shape[1]
            ),
        ),
        Mistake(
            "right class left out",
            "You share the amount among the *wrong* classes. Here every class gets "
            "its part, the right one too.",
            with_targets(lambda t, a, c: t * (1 - a) + (1 - t) * a / (c - 1)),
        ),
        Mistake(
            "uniform part forgotten",
            "You shrink the right class's probability, but don't give the rest to the "
            "other classes.",
            with_targets(lambda t, a, c: t * (1 - a)),
        ),
        Mistake(
            "right class overwritten",
            "Your right class gets 1 - amount only. It should get its part of the "
            "amount, too.",
            with_targets(lambda t, a, c: t * (1 - a) + (1 - t) * a / c),
        ),
        Mistake(
            "softmax forgotten",
            "You multiply the wanted probabilities by the *scores*. Cross-entropy "
            "takes the logarithms of the net's probabilities.",
            with_log_probabilities(lambda scores: scores),
        ),
        Mistake(
            "amount not divided",
            "Each class gets the whole amount. It is to be shared among all classes.",
            with_targets(lambda t, a, c: t * (1 - a) + a),
        ),
        Mistake(
            "right class not lowered",
            "The right class keeps its 1 and gets a part in addition: the target "
            "probabilities add up to more than 1.",
            with_targets(lambda t, a, c: t + a / c),
        ),
        Mistake(
            "probabilities for their logarithms",
            "You multiply the wanted probabilities by the net's *probabilities*. "
            "Cross-entropy takes their logarithms.",
            with_log_probabilities(lambda scores: scores.softmax(dim=1)),
        ),
        Mistake(
            "softmax over the batch",
            "You normalize over the images. Each image's classes compete with one "
            "another: axis 1.",
            with_log_probabilities(lambda scores: scores.log_softmax(dim=0)),
        ),
    ],
    hints=(
        "Begin with `scores.log_softmax(dim=1)`, of shape (N, classes).",
        "Cross-entropy is minus the sum of wanted probability times logarithm. Make "
        "the wanted ones: a tensor full of amount / classes, more at the labels.",
        "`F.one_hot(labels, classes) * (1 - amount) + amount / classes`, times the "
        "logarithms; sum over classes, mean over images, minus.",
    ),
)


# --- 11.3 ---------------------------------------------------------------------------


def recall_precision(confusion: Tensor) -> Tensor:
    """Compute recall and precision."""
    right = confusion.diagonal()
    ones = confusion.new_ones(len(confusion))
    return torch.stack([right / (confusion @ ones), right / (ones @ confusion)])


def confusion_matrix(classes: int) -> Tensor:
    """Create a confusion matrix with mostly right predictions."""
    return random_integers(classes, classes).abs() + 3 * torch.eye(classes) + 1


recall_and_precision = FunctionExercise(
    number="11.3",
    kind="implement",
    expected=recall_precision,
    preserves=("dtype", "device"),
    cases=lambda: [(confusion_matrix(classes),) for classes in (2, 3, 4, 10)],
    mistakes=[
        Mistake(
            "recall and precision exchanged",
            "The two are exchanged. A row holds all digits that *were* of a class; a "
            "column all that were *taken* for it.",
            lambda confusion: recall_precision(confusion).flip(0),
        ),
        Mistake(
            "recall twice",
            "Both rows are the recall. For the precision add along the other axis.",
            lambda confusion: recall_precision(confusion)[[0, 0]],
        ),
        Mistake(
            "precision twice",
            "Both rows are the precision. For the recall add along the other axis.",
            lambda confusion: recall_precision(confusion)[[1, 1]],
        ),
        Mistake(
            "share of all digits",
            "You divide by the number of all digits. Each class has a total of its "
            "own.",
            lambda confusion: torch.stack([confusion.diagonal() / confusion.sum()] * 2),
        ),
        Mistake(
            "wrong answers only",
            "You divide by the *mistakes*. Those that were found belong to the "
            "total, too.",
            lambda confusion: torch.stack(
                [
                    confusion.diagonal() / (confusion.sum(dim=d) - confusion.diagonal())
                    for d in (1, 0)
                ]
            ),
        ),
        Mistake(
            "counts, not shares",
            "That is how many were right. Divide by the totals.",
            lambda confusion: torch.stack([confusion.diagonal()] * 2),
        ),
        Mistake(
            "output transposed",
            "Right numbers, but of shape (classes, 2). Asked for: (2, classes).",
            lambda confusion: recall_precision(confusion).T,
        ),
    ],
    hints=(
        "`confusion.diagonal()` holds what was right.",
        "How many digits *were* threes: the sum of row 3. How many were *taken* for "
        "threes: the sum of column 3.",
        "Divide the diagonal by `confusion.sum(dim=1)` and by `confusion.sum(dim=0)`, "
        "and `torch.stack` the two.",
    ),
)

# --- 11.4 ---------------------------------------------------------------------------


def first_linear(side: int) -> int:
    """Count the parameters of LeNet's first fully connected layer."""
    return (conv.lenet()[:7](torch.zeros(1, 1, side, side)).numel() + 1) * 120


larger_images = ValueExercise(
    number="11.4",
    kind="predict",
    expected=lambda: first_linear(56),
    mistakes=[
        Mistake(
            "biases forgotten",
            "You counted the weights. Each of the 120 outputs also has a bias.",
            16 * 12 * 12 * 120,
        ),
        Mistake(
            "size thought not to matter",
            "That is the layer as it is. A convolution doesn't mind larger images; "
            "a fully connected layer has a weight for each input.",
            48120,
            48000,
        ),
        Mistake(
            "four times as many",
            "Four times as many pixels, but the 5 x 5 windows without padding take "
            "the same two pixels from each border, whatever the size. Follow the "
            "shapes.",
            4 * 48120,
            4 * 48000,
            4 * 48000 + 120,
        ),
        Mistake(
            "border thought to be kept",
            "The second convolution has no padding: it takes two pixels at each "
            "border, four in all.",
            (16 * 14 * 14 + 1) * 120,
            16 * 14 * 14 * 120,
        ),
        Mistake(
            "first layer thought unpadded",
            "The first convolution has a padding of 2: it keeps the size.",
            (16 * 11 * 11 + 1) * 120,
            16 * 11 * 11 * 120,
        ),
        Mistake(
            "first layer's channels",
            "6 channels come out of the first convolution. Count those of the second.",
            (6 * 12 * 12 + 1) * 120,
            6 * 12 * 12 * 120,
        ),
        Mistake(
            "channels forgotten",
            "The second convolution puts out 16 channels. All are inputs here.",
            (12 * 12 + 1) * 120,
            12 * 12 * 120,
        ),
    ],
    hints=(
        "Follow one side: 56 pixels, first convolution, pooling, second convolution, "
        "pooling.",
        "56, 56, 28, 24, 12. With 16 channels.",
        "16 * 12 * 12 inputs and a bias, for each of 120 outputs.",
    ),
)


# --- 11.5 ---------------------------------------------------------------------------


def broken(scores: Tensor, labels: Tensor) -> Tensor:
    """Compute the accuracy, with two bugs (shown in the notebook without docstring)."""
    hits = scores.argmax(dim=0) == labels
    return hits.sum() / scores.shape[1]


def accuracy(scores: Tensor, labels: Tensor) -> Tensor:
    """Compute the expected result, image by image."""
    best = [max(range(len(row)), key=row.tolist().__getitem__) for row in scores]
    hits = [guess == label for guess, label in zip(best, labels.tolist(), strict=True)]
    return torch.tensor(sum(hits) / len(hits), dtype=torch.float64)


def scores_and_labels(n: int, classes: int) -> tuple[Tensor, Tensor]:
    """Create scores of which two thirds are right."""
    scores = distinct_integers(n, classes)
    wrong = (torch.arange(n) % 3 == 1).long()
    return scores, (scores.argmax(dim=1) + wrong) % classes


debug_accuracy = FunctionExercise(
    number="11.5",
    kind="debug",
    expected=accuracy,
    broken=broken,
    preserves=("device",),
    cases=lambda: [
        scores_and_labels(n, c) for n, c in [(1, 2), (2, 3), (3, 3), (4, 3), (6, 4)]
    ],
    mistakes=[
        Mistake(
            "largest over the images",
            "For each class you look for the image with the largest score. Look for "
            "each image's best class.",
            lambda scores, labels: share(scores.argmax(dim=0) == labels, len(labels)),
        ),
        Mistake(
            "divided by the classes",
            "You divide by the number of classes. How many answers did the net give?",
            lambda scores, labels: share(
                scores.argmax(dim=1) == labels, scores.shape[1]
            ),
        ),
        Mistake(
            "counted, not divided",
            "That is how many are right. An accuracy is a part of all.",
            lambda scores, labels: share(scores.argmax(dim=1) == labels, 1),
        ),
        Mistake(
            "wrong ones counted",
            "That is the part that the net gets wrong.",
            lambda scores, labels: share(scores.argmax(dim=1) != labels, len(labels)),
        ),
        Mistake(
            "smallest instead of largest",
            "You take the class with the smallest score.",
            lambda scores, labels: share(scores.argmin(dim=1) == labels, len(labels)),
        ),
    ],
    hints=(
        "Call it with three images and two classes. Which error comes, and where?",
        "`scores` is (N, classes). Along which axis do an image's classes lie?",
        "`dim=1` runs over the classes. And there are `len(labels)` answers.",
    ),
)


def share(hits: Tensor, total: int) -> Tensor:
    """Divide the number of hits by a total."""
    return hits.sum() / total
