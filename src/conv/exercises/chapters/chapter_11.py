"""The exercises of chapter 11, on training LeNet."""

import numpy as np
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

PROBABILITIES = torch.tensor([0.99, 0.01], dtype=torch.float64)
LOSSES = -PROBABILITIES.log()


def near(*numbers: float, tolerance: float = 5e-3):
    """Return a function that checks each number up to a relative error."""
    expected = np.array(numbers)

    def is_near(a: np.ndarray) -> bool:
        errors = abs(a - expected) if a.shape == expected.shape else np.inf
        return bool((errors <= tolerance * abs(expected)).all())

    return is_near


def probabilities_as_scores() -> Tensor:
    """Compute the losses of a network whose scores are the probabilities."""
    scores = torch.stack([PROBABILITIES, 1 - PROBABILITIES], dim=1)
    return -scores.log_softmax(dim=1)[:, 0]


two_losses = ValueExercise(
    number="11.1",
    kind="predict",
    expected=lambda: F.nll_loss(
        PROBABILITIES.log()[:, None], torch.zeros(2).long(), reduction="none"
    ),
    accept=near(*LOSSES.tolist()),
    mistakes=[
        Mistake(
            "percentages inserted",
            "You took the logarithms of 99 and 1. A probability of 99% is 0.99.",
            near(4.595, 0),
            near(-4.595, 0),
        ),
        Mistake(
            "sign forgotten",
            "The logarithm of a probability is negative. A cross-entropy loss never "
            "is.",
            lambda a: a.shape == (2,) and bool((a < 0).any()),
        ),
        Mistake(
            "decimal logarithm",
            "That is the base-10 logarithm. The cross-entropy uses the natural "
            "logarithm.",
            near(0.0043648, 2),
        ),
        Mistake(
            "binary logarithm",
            "That is the base-2 logarithm. The cross-entropy in this course uses "
            "the natural logarithm.",
            near(0.0145, 6.644),
        ),
        Mistake(
            "losses swapped",
            "You swapped the two losses, as if you had used the probabilities of the "
            "*incorrect* class. Which network should have the larger loss?",
            near(4.60517, 0.0100503),
            near(4.60517, 0.01, tolerance=1e-2),
        ),
        Mistake(
            "distance to 1",
            "That is the difference between 1 and the probability. The loss is the "
            "probability's negative logarithm, which penalizes the second network much "
            "more.",
            near(0.01, 0.99),
        ),
        Mistake(
            "squared error",
            "That is a squared error. The question asks for the cross-entropy.",
            near(0.0001, 0.9801),
            near(0.0002, 1.9602),
            near(0.00005, 0.49005),
        ),
        Mistake(
            "softmax applied to probabilities",
            "You applied a softmax (`F.cross_entropy` includes one), but the numbers "
            "are already probabilities.",
            near(*probabilities_as_scores().tolist()),
        ),
        Mistake(
            "weighted by the probability",
            "You multiplied each logarithm by the network's own probability, as for "
            "an entropy. In the cross-entropy, the logarithm for the correct class has "
            "weight 1.",
            near(*(LOSSES * PROBABILITIES).tolist()),
        ),
        Mistake(
            "both classes counted",
            "Your losses are twice as large as they should be. Only the correct class "
            "counts.",
            near(*(2 * LOSSES).tolist()),
        ),
        Mistake(
            "rounded too far",
            "Your answer is close, but at least one of its numbers is off in the third "
            "significant digit. Leading zeros aren't significant.",
            near(*LOSSES.tolist(), tolerance=3e-2),
        ),
        Mistake(
            "one number",
            "That is the sum or the mean of the two losses. Answer with both losses.",
            lambda a: a.size == 1 and abs(a.item() - 2.3076) < 0.01,
            lambda a: a.size == 1 and abs(a.item() - 4.6152) < 0.02,
        ),
    ],
    hints=(
        "Of the probabilities that a network assigns to the two classes, the "
        "cross-entropy uses only one. Which one?",
        "The loss is the negative natural logarithm of the correct class's "
        "probability.",
        "The natural logarithm is `math.log` in Python and `Tensor.log` in PyTorch. "
        "Apply it to 0.99 and to 0.01, and watch the sign.",
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
        target = smoothed_targets(labels, scores.shape[1], amount)
        return -(target * function(scores)).sum(dim=1).mean()

    return loss


def smoothed_targets(labels: Tensor, classes: int, amount: float) -> Tensor:
    """Compute the target probabilities."""
    return F.one_hot(labels, classes).double() * (1 - amount) + amount / classes


def divergence(scores: Tensor, labels: Tensor, amount: float) -> Tensor:
    """Compute the Kullback-Leibler divergence instead."""
    target = smoothed_targets(labels, scores.shape[1], amount)
    return F.kl_div(scores.log_softmax(dim=1), target, reduction="batchmean")


def smoothed_predictions(scores: Tensor, labels: Tensor, amount: float) -> Tensor:
    """Smooth the network's probabilities instead of the targets."""
    probabilities = scores.softmax(dim=1) * (1 - amount) + amount / scores.shape[1]
    return F.nll_loss(probabilities.log(), labels)


smooth_loss = FunctionExercise(
    number="11.2",
    kind="implement",
    expected=smoothed,
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
            "That is the plain cross-entropy, which doesn't depend on `amount`.",
            lambda scores, labels, amount: smoothed(scores, labels, 0.0),
        ),
        Mistake(
            "sum instead of mean",
            "Your function adds up the losses for the images. The exercise asks for "
            "their mean.",
            lambda scores, labels, amount: (
                smoothed(scores, labels, amount) * len(scores)
            ),
        ),
        Mistake(
            "loss of each image",
            "Your function returns one loss per image. The exercise asks for their "
            "mean.",
            lambda scores, labels, amount: F.cross_entropy(
                scores, labels, label_smoothing=amount, reduction="none"
            ),
        ),
        Mistake(
            "mean over the classes, too",
            "Your function also averages over the classes. The loss for an image is a "
            "*sum* over the classes.",
            lambda scores, labels, amount: (
                smoothed(scores, labels, amount) / scores.shape[1]
            ),
        ),
        Mistake(
            "correct class left out",
            "You distributed the amount over the *incorrect* classes. Here, every "
            "class gets an equal share, including the correct one.",
            with_targets(lambda t, a, c: t * (1 - a) + (1 - t) * a / (c - 1)),
        ),
        Mistake(
            "uniform part forgotten",
            "You scaled the plain cross-entropy by 1 - amount. The part of the target "
            "that all classes share is missing.",
            with_targets(lambda t, a, c: t * (1 - a)),
        ),
        Mistake(
            "amount added to the loss",
            "You added the amount to the loss itself. The amount belongs in the "
            "targets, by which the log-probabilities are multiplied.",
            lambda scores, labels, amount: (
                (1 - amount) * smoothed(scores, labels, 0.0) + amount / scores.shape[1]
            ),
            lambda scores, labels, amount: (
                (1 - amount) * smoothed(scores, labels, 0.0) + amount
            ),
        ),
        Mistake(
            "correct class overwritten",
            "Your target for the correct class is only 1 - amount. This class should "
            "also get its share of the amount.",
            with_targets(lambda t, a, c: t * (1 - a) + (1 - t) * a / c),
        ),
        Mistake(
            "roles swapped",
            "You swapped the two terms: the correct class gets the amount, and 1 - "
            "amount is distributed over all classes.",
            with_targets(lambda t, a, c: t * a + (1 - a) / c),
        ),
        Mistake(
            "amount not divided",
            "In your function, each class gets the whole amount. Divide the amount by "
            "the number of classes.",
            with_targets(lambda t, a, c: t * (1 - a) + a),
        ),
        Mistake(
            "correct class not lowered",
            "In your function, the correct class keeps a target of 1 and also gets a "
            "share of the amount, so the targets add up to more than 1.",
            with_targets(lambda t, a, c: t + a / c),
        ),
        Mistake(
            "softmax forgotten",
            "You multiplied the targets by the raw *scores*. The cross-entropy needs "
            "the logarithms of the network's probabilities.",
            with_log_probabilities(lambda scores: scores),
        ),
        Mistake(
            "logarithm missing",
            "You multiplied the targets by the network's *probabilities*. The "
            "cross-entropy needs their logarithms.",
            with_log_probabilities(lambda scores: scores.softmax(dim=1)),
        ),
        Mistake(
            "softmax applied twice",
            "You applied the softmax twice. `F.cross_entropy` and `log_softmax` take "
            "raw scores.",
            lambda scores, labels, amount: smoothed(
                scores.softmax(dim=1), labels, amount
            ),
        ),
        Mistake(
            "softmax over the batch",
            "Your softmax runs over the images. It should turn the scores of *one* "
            "image into probabilities that add up to 1.",
            with_log_probabilities(lambda scores: scores.log_softmax(dim=0)),
        ),
        Mistake(
            "predictions smoothed",
            "You smoothed the network's probabilities. Label smoothing changes the "
            "*targets*.",
            smoothed_predictions,
        ),
        Mistake(
            "Kullback-Leibler divergence",
            "That is the Kullback-Leibler divergence, which is the cross-entropy minus "
            "the entropy of the targets.",
            divergence,
        ),
    ],
    hints=(
        "With smoothed targets, every class contributes to the loss, not only the "
        "correct one. What does a class contribute?",
        "Compute `scores.log_softmax(dim=1)`. Then create a tensor of the same shape "
        "with the target probabilities: amount / classes everywhere, and more for the "
        "correct classes.",
        "`F.one_hot(labels, classes)` is 1 for the correct classes and 0 elsewhere. To "
        "get the loss for an image, multiply the target probabilities by the "
        "log-probabilities, sum over the classes, and change the sign.",
    ),
)


# --- 11.3 ---------------------------------------------------------------------------


def recall_precision(confusion: Tensor) -> Tensor:
    """Compute recall and precision."""
    correct = confusion.diagonal()
    ones = confusion.new_ones(len(confusion))
    return torch.stack([correct / (confusion @ ones), correct / (ones @ confusion)])


def confusion_matrix(classes: int) -> Tensor:
    """Create a confusion matrix with mostly correct predictions."""
    return random_integers(classes, classes).abs() + 3 * torch.eye(classes) + 1


recall_and_precision = FunctionExercise(
    number="11.3",
    kind="implement",
    expected=recall_precision,
    cases=lambda: [(confusion_matrix(classes),) for classes in (2, 3, 4, 10)],
    mistakes=[
        Mistake(
            "recall and precision swapped",
            "You swapped recall and precision. A row contains all digits that *belong* "
            "to a class, and a column contains all digits that were *assigned* to it.",
            lambda confusion: recall_precision(confusion).flip(0),
        ),
        Mistake(
            "recall twice",
            "Both rows contain the recall. For the precision, sum along the other axis "
            "of the matrix.",
            lambda confusion: recall_precision(confusion)[[0, 0]],
        ),
        Mistake(
            "precision twice",
            "Both rows contain the precision. For the recall, sum along the other axis "
            "of the matrix.",
            lambda confusion: recall_precision(confusion)[[1, 1]],
        ),
        Mistake(
            "fraction of all digits",
            "You divided by the total number of digits. Each class has its own totals.",
            lambda confusion: torch.stack([confusion.diagonal() / confusion.sum()] * 2),
        ),
        Mistake(
            "incorrect predictions only",
            "You divided by the number of *incorrect* predictions. The correct ones "
            "also count toward the totals.",
            lambda confusion: torch.stack(
                [
                    confusion.diagonal() / (confusion.sum(dim=d) - confusion.diagonal())
                    for d in (1, 0)
                ]
            ),
        ),
        Mistake(
            "fraction of mistakes",
            "These are the fractions of *incorrect* predictions. Recall and precision "
            "are fractions of *correct* predictions.",
            lambda confusion: 1 - recall_precision(confusion),
        ),
        Mistake(
            "counts instead of fractions",
            "Your function returns the counts of correct predictions. Divide these "
            "counts by the totals.",
            lambda confusion: torch.stack([confusion.diagonal()] * 2),
        ),
        Mistake(
            "totals alone",
            "Your function returns the totals of the rows and columns. What fraction "
            "of each total is correct?",
            lambda confusion: torch.stack([confusion.sum(dim=1), confusion.sum(dim=0)]),
        ),
        Mistake(
            "whole matrix divided",
            "You divided the whole matrix. In each row and column, only the entry on "
            "the diagonal matters.",
            lambda confusion: torch.stack(
                [
                    confusion / confusion.sum(dim=1, keepdim=True),
                    confusion / confusion.sum(dim=0, keepdim=True),
                ]
            ),
        ),
        Mistake(
            "rounded down",
            "All your fractions are 0. Fractions below 1 become 0 if they are rounded "
            "down, for example by `//`, or stored in a tensor of integers.",
            lambda confusion: recall_precision(confusion).floor(),
        ),
    ],
    hints=(
        "Which entries of the matrix count the digits that were classified correctly?",
        "The number of threes is the sum of row 3. The number of digits that were "
        "*classified* as threes is the sum of column 3.",
        "Divide `confusion.diagonal()` by the row sums for one result and by the "
        "column sums for the other (`confusion.sum(dim=...)` computes them). Then "
        "stack the two.",
    ),
)

# --- 11.4 ---------------------------------------------------------------------------


def first_linear(side: int) -> int:
    """Count the parameters of LeNet's first fully connected layer."""
    return (conv.lenet()[:7](torch.zeros(1, 1, side, side)).numel() + 1) * 120


def with_inputs(*counts: int) -> list[int]:
    """Count the parameters for given numbers of inputs, with and without biases."""
    return [(count + bias) * 120 for count in counts for bias in (0, 1)]


larger_images = ValueExercise(
    number="11.4",
    kind="predict",
    expected=lambda: first_linear(56),
    tolerance=1e-6,  # a whole number
    mistakes=[
        Mistake(
            "biases forgotten",
            "The number of weights is correct. In addition, each of the 120 outputs "
            "has a bias.",
            16 * 12 * 12 * 120,
        ),
        Mistake(
            "one bias per input",
            "The number of weights is correct, but you counted a bias for every input. "
            "A fully connected layer has one bias per *output*.",
            16 * 12 * 12 * 121,
        ),
        Mistake(
            "inputs counted",
            "That is the number of inputs, or of parameters per output. The layer "
            "has 120 outputs.",
            16 * 12 * 12,
            16 * 12 * 12 + 1,
        ),
        Mistake(
            "independent of the image size",
            "That is the number of parameters for 28 x 28 pixels. A fully connected "
            "layer has weights for every input, so the number of weights depends on "
            "the size of the image.",
            *with_inputs(16 * 5 * 5),
        ),
        Mistake(
            "scaled with the image",
            "The number of inputs doesn't grow in proportion to the image, because a "
            "convolution without padding removes the same number of rows and columns "
            "from any image. Follow the shapes.",
            *with_inputs(2 * 16 * 5 * 5, 4 * 16 * 5 * 5),
            2 * 48120,
            4 * 48120,
        ),
        Mistake(
            "second convolution padded",
            "You counted 3,136 inputs, as if the second convolution had padding, or as "
            "if the layer saw the image itself. Follow the shapes through all layers.",
            *with_inputs(16 * 14 * 14),  # which equals 56 * 56
        ),
        Mistake(
            "first convolution not padded",
            "The first convolution has a padding of 2, so it preserves the height and "
            "the width.",
            *with_inputs(16 * 11 * 11),
        ),
        Mistake(
            "pooling forgotten",
            "Each of the two pooling layers halves the height and the width. You left "
            "out at least one of them.",
            *with_inputs(16 * 24 * 24, 16 * 26 * 26, 16 * 52 * 52),
        ),
        Mistake(
            "first convolution's channels",
            "You counted the 6 channels of the first convolution. The layer's input "
            "comes from the second one.",
            *with_inputs(6 * 12 * 12),
        ),
        Mistake(
            "channels forgotten",
            "You counted the pixels of one channel. All channels of the second "
            "convolution are inputs of this layer.",
            *with_inputs(12 * 12),
        ),
        Mistake(
            "whole network",
            "That is the number of parameters of the whole network. The question asks "
            "about only one of its layers.",
            276_600 - 48_120 + 61_706,
            61_706,
        ),
    ],
    hints=(
        "A fully connected layer has one weight per input for each output. "
        "Which layers determine the number of inputs?",
        "Follow the height of the image: the first convolution keeps it, each pooling "
        "layer halves it, and the second convolution reduces it by four pixels.",
        "The height is 56, 56, 28, 24, and finally 12, with 16 channels. How many "
        "weights does each of the 120 outputs have, and what other parameter does it "
        "have?",
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
    """Create scores and labels; about two thirds of the predictions are correct."""
    scores = distinct_integers(n, classes)
    wrong = (torch.arange(n) % 3 == 1).long()
    return scores, (scores.argmax(dim=1) + wrong) % classes


def hits(scores: Tensor, labels: Tensor) -> Tensor:
    """Return for each image whether it is classified correctly."""
    return (scores.argmax(dim=1) == labels).double()


debug_accuracy = FunctionExercise(
    number="11.5",
    kind="debug",
    expected=accuracy,
    broken=broken,
    cases=lambda: [
        scores_and_labels(n, c) for n, c in [(1, 2), (2, 3), (3, 3), (4, 3), (6, 4)]
    ],
    mistakes=[
        Mistake(
            "highest over the images",
            "For each class, your function looks for the image with the highest score. "
            "Instead, for each image, look for the class with the highest score.",
            lambda scores, labels: (scores.argmax(dim=0) == labels).sum() / len(labels),
            broken,
        ),
        Mistake(
            "divided by the classes",
            "You divided by the number of classes. How many predictions does the "
            "network make?",
            lambda scores, labels: hits(scores, labels).sum() / scores.shape[1],
        ),
        Mistake(
            "divided by all scores",
            "You divided by the total number of scores. How many predictions does the "
            "network make?",
            lambda scores, labels: hits(scores, labels).sum() / scores.numel(),
        ),
        Mistake(
            "counted, not divided",
            "That is the number of correct predictions. The accuracy is a fraction.",
            lambda scores, labels: hits(scores, labels).sum(),
        ),
        Mistake(
            "scores compared with labels",
            "You compared the highest *score* of each image with its label. A label is "
            "the index of a class.",
            lambda scores, labels: (
                (scores.max(dim=1).values == labels).sum() / len(labels)
            ),
        ),
        Mistake(
            "not averaged",
            "Your function returns one number per image. The accuracy is one number "
            "for all images.",
            hits,
            lambda scores, labels: hits(scores, labels) / len(labels),
        ),
        Mistake(
            "rounded down",
            "Your accuracy is 0 whenever any prediction is wrong. That happens if the "
            "fraction is rounded down, for example by `//`.",
            lambda scores, labels: hits(scores, labels).mean().floor(),
        ),
        Mistake(
            "incorrect predictions counted",
            "That is the fraction of *incorrect* predictions. The accuracy is the "
            "fraction of correct ones.",
            lambda scores, labels: 1 - hits(scores, labels).mean(),
        ),
        Mistake(
            "lowest instead of highest",
            "Your function predicts the class with the lowest score. The network "
            "predicts the class with the highest.",
            lambda scores, labels: hits(-scores, labels).mean(),
        ),
    ],
    hints=(
        "Call the function with three images and two classes. Which line raises an "
        "error, and why?",
        "`scores` has one row per image. Along which axis are the scores of one image, "
        "and what does `scores.shape[1]` count?",
        "The predicted class is the index of the highest score *within a row*, so "
        "the maximum is taken along axis 1. The hits are divided by the number of "
        "labels.",
    ),
)
