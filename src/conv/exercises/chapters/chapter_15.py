"""The exercises of chapter 15, on debugging and on the training recipe."""

import math
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

# --- 15.1 ---------------------------------------------------------------------------

wrong_floor = ValueExercise(
    number="15.1",
    kind="predict",
    expected=lambda: F.cross_entropy(
        torch.tensor([[1.0, 0.0]], dtype=torch.float64), torch.tensor([0])
    ),
    tolerance=5e-3,
    mistakes=[
        Mistake(
            "ten classes",
            "That is the value from the chapter, where there are ten classes. Here "
            "there are two.",
            math.log(1 + 9 / math.e),
            1.46,
        ),
        Mistake(
            "loss of zero",
            "Without the first softmax, the loss could approach zero. How far apart "
            "can two scores be if they are probabilities?",
            0,
        ),
        Mistake(
            "initial loss",
            "That is the loss for equal probabilities, before training. The question "
            "asks for the smallest loss.",
            math.log(2),
        ),
        Mistake(
            "one softmax",
            "You took the logarithm of a probability of 1/e. The second softmax gives "
            "the correct class a larger probability.",
            1,
        ),
        Mistake(
            "probability, not its logarithm",
            "That is the probability that the second softmax assigns to the correct "
            "class. The loss is its negative logarithm.",
            math.e / (math.e + 1),
        ),
        Mistake(
            "decimal or binary logarithm",
            "You used a logarithm with a different base. Cross-entropy uses the "
            "natural logarithm.",
            math.log10(1 + 1 / math.e),
            math.log2(1 + 1 / math.e),
        ),
        Mistake(
            "wrong class",
            "That is the loss when the wrong class gets all of the probability. It is "
            "the largest possible loss, not the smallest.",
            math.log(1 + math.e),
        ),
        Mistake(
            "two wrong classes",
            "You counted two wrong classes. With two classes, only one is wrong.",
            math.log(1 + 2 / math.e),
        ),
    ],
    hints=(
        "The scores that `F.cross_entropy` receives are probabilities. Which "
        "two probabilities give the smallest loss?",
        "At best, the correct class has probability 1 and the other has probability 0. "
        "The second softmax treats these two numbers as scores.",
        "The second softmax gives the correct class a probability of e / (e + 1). Take "
        "the negative natural logarithm of that.",
    ),
)

# --- 15.2 ---------------------------------------------------------------------------


def use_step(answer: Callable, weight: Tensor, x: Tensor, y: Tensor) -> Tensor:
    """Take two training steps; return the last loss and the weights."""
    net = nn.Linear(weight.shape[1], weight.shape[0], bias=False).double()
    net.weight.data.copy_(weight)
    optimizer = torch.optim.SGD(net.parameters(), lr=0.5)
    loss = None
    for batch, labels in zip(x, y, strict=True):
        loss = answer(net, batch, labels, optimizer)
        if loss is None:
            return None
    loss = torch.as_tensor(loss, dtype=torch.float64).detach()
    if loss.numel() != 1:
        raise TypeError(f"expected a single loss, got {loss.numel()} numbers")
    return torch.cat([loss.flatten(), net.weight.detach().flatten()])


def step_with(
    *order: str, softmax: bool = False, reduction: str = "mean", sign: int = 1
) -> Callable[..., Tensor]:
    """Return a training step with its three calls in a given order."""

    def step(
        net: nn.Module, x: Tensor, y: Tensor, optimizer: torch.optim.Optimizer
    ) -> Tensor:
        scores = net(x).softmax(dim=1) if softmax else net(x)
        loss = F.cross_entropy(scores, y, reduction=reduction)
        for call in order:
            if call == "zero":
                optimizer.zero_grad()
            elif call == "backward":
                (sign * loss).backward()
            elif call == "step":
                optimizer.step()
        return loss

    return lambda weight, x, y: use_step(step, weight, x, y)


def broken_step(
    net: nn.Module, x: Tensor, y: Tensor, optimizer: torch.optim.Optimizer
) -> float:
    """Take a training step, with three bugs (the notebook version has no docstring)."""
    scores = net(x).softmax(dim=1)
    loss = F.cross_entropy(scores, y, reduction="sum")
    loss.backward()
    optimizer.zero_grad()
    optimizer.step()
    return loss.item()


RIGHT_ORDER = ("zero", "backward", "step")

debug_step = FunctionExercise(
    number="15.2",
    kind="debug",
    expected=step_with(*RIGHT_ORDER),
    broken=broken_step,
    use=use_step,
    cases=lambda: [
        (
            random_integers(classes, features) / 4,
            random_integers(2, n, features, seed=n) / 4,
            torch.arange(2 * n).reshape(2, n) % classes,
        )
        for n, classes, features in [(2, 2, 1), (2, 2, 2), (3, 2, 2), (4, 3, 2)]
    ],
    mistakes=[
        Mistake(
            "gradients reset before the step",
            "The loss is correct, but the weights don't change: either the gradients "
            "are set to zero between `backward()` and `step()`, or `step()` is "
            "missing.",
            step_with("backward", "zero", "step"),
            step_with("zero", "backward"),
        ),
        Mistake(
            "gradients add up",
            "The first step is correct, but the second one also uses the gradients of "
            "the first, because `backward()` adds the new gradients to the existing "
            "ones.",
            step_with("backward", "step"),
        ),
        Mistake(
            "softmax applied twice",
            "`F.cross_entropy` applies a softmax itself, but your scores have already "
            "been through one.",
            step_with(*RIGHT_ORDER, softmax=True),
            step_with(*RIGHT_ORDER, softmax=True, reduction="sum"),
            step_with("backward", "step", softmax=True),
            step_with("backward", "zero", "step", softmax=True),
            step_with("backward", "zero", "step", softmax=True, reduction="sum"),
        ),
        Mistake(
            "sum instead of mean",
            "Your loss is the sum over the batch. The exercise asks for the mean, so "
            "that the size of the steps doesn't depend on the batch size.",
            step_with(*RIGHT_ORDER, reduction="sum"),
            step_with("backward", "step", reduction="sum"),
            step_with("backward", "zero", "step", reduction="sum"),
        ),
        Mistake(
            "step before backward",
            "`step()` comes before `backward()`, so each step uses the gradients of "
            "the previous batch, or none at all.",
            step_with("step", "zero", "backward"),
            step_with("step", "backward"),
        ),
        Mistake(
            "uphill",
            "Your step goes in the direction of the gradient instead of against it, so "
            "the loss increases.",
            step_with(*RIGHT_ORDER, sign=-1),
        ),
    ],
    hints=(
        "One bug is in the input to the loss function, one in how this function "
        "combines the losses of the images, and one in the order of the three calls "
        "after it.",
        "What does `F.cross_entropy` expect, scores or probabilities? And what do the "
        "gradients contain when `optimizer.step()` is called?",
        "Pass the scores to `F.cross_entropy` directly, leave its `reduction` at "
        "the default, and reset the gradients to zero before `backward()`.",
    ),
)

# --- 15.3 ---------------------------------------------------------------------------


def planned_rate(
    step: int,
    steps: int,
    warmup: int,
    peak: float,
    final: float,
    first: int = 1,
    half: float = 0.5,
    shift: int = 0,
) -> float:
    """Compute the warm-up and the cosine; the last three arguments add mistakes."""
    if step < warmup:
        return peak * (step + first) / warmup
    progress = (step - warmup) / (steps - warmup + shift)
    return final + (peak - final) * (1 + math.cos(2 * half * math.pi * progress)) / 2


def changed_rate(**changes: float) -> Callable[..., float]:
    """Compute the rate with a mistake."""
    return lambda *case: planned_rate(*case, **changes)


def rate_at(step: int, steps: int, warmup: int, peak: float, final: float) -> float:
    """Compute the expected result."""
    return planned_rate(step, steps, warmup, peak, final)


warmup_rate = FunctionExercise(
    number="15.3",
    kind="implement",
    expected=rate_at,
    cases=lambda: [
        (step, steps, warmup, peak, final)
        for steps, warmup, peak, final in [(6, 2, 1.0, 0.2), (10, 4, 0.5, 0.1)]
        for step in (0, 1, 2, 3, 4, 5)
    ],
    mistakes=[
        Mistake(
            "warm-up starts at zero",
            "Your first step has a learning rate of zero, so it changes nothing. At "
            "step 0, the rate should be peak / warmup.",
            changed_rate(first=0),
        ),
        Mistake(
            "final rate ignored",
            "Your rate approaches zero. It should approach `final`.",
            lambda s, n, w, p, f: planned_rate(s, n, w, p, 0.0),
        ),
        Mistake(
            "final rate added",
            "You added `final` to a cosine that already starts at `peak`, so the rate "
            "after the warm-up is too large.",
            lambda s, n, w, p, f: planned_rate(s, n, w, p, 0.0) + (f if s >= w else 0),
        ),
        Mistake(
            "cosine from step 0",
            "Your cosine starts at step 0. It should start when the warm-up is over.",
            lambda s, n, w, p, f: (
                planned_rate(s, n, w, p, f) if s < w else planned_rate(s, n, 0, p, f)
            ),
        ),
        Mistake(
            "divided by all steps",
            "The cosine takes `steps - warmup` steps. You divided by `steps`, so "
            "the cosine never reaches the end of its half period.",
            lambda s, n, w, p, f: planned_rate(s, n + w if s >= w else n, w, p, f),
        ),
        Mistake(
            "last step at the final rate",
            "Your cosine reaches `final` one step too early. It should get there at "
            "step `steps`, when training is over.",
            changed_rate(shift=-1),
        ),
        Mistake(
            "whole period",
            "Your cosine goes down and up again. Half a period, from 0 to pi, only "
            "goes down.",
            changed_rate(half=1.0),
        ),
        Mistake(
            "quarter period",
            "You used a quarter of a period. Over half a period, the cosine falls from "
            "1 to -1. Adding 1 and dividing by 2 turns this into a factor from 1 to 0.",
            lambda s, n, w, p, f: (
                planned_rate(s, n, w, p, f)
                if s < w
                else f + (p - f) * math.cos(math.pi / 2 * (s - w) / (n - w))
            ),
        ),
        Mistake(
            "straight line",
            "After the warm-up, your rate falls along a straight line. It should "
            "follow a cosine.",
            lambda s, n, w, p, f: (
                planned_rate(s, n, w, p, f)
                if s < w
                else p + (f - p) * (s - w) / (n - w)
            ),
        ),
        Mistake(
            "no warm-up",
            "Your rate follows the cosine from the start. In the first `warmup` "
            "steps, it should rise.",
            lambda s, n, w, p, f: planned_rate(s, n, 0, p, f),
        ),
        Mistake(
            "factor instead of rate",
            "Your function returns a factor between 0 and 1, or leaves out `peak` in "
            "one of its two parts. Both parts should return a learning rate.",
            lambda s, n, w, p, f: planned_rate(s, n, w, 1.0, 0.0),
            lambda s, n, w, p, f: (s + 1) / w if s < w else planned_rate(s, n, w, p, f),
        ),
    ],
    hints=(
        "Treat the warm-up and the cosine separately, as `warmup_cosine` in the "
        "chapter does. Which of its return values have to change?",
        "During the warm-up, multiply the factor by `peak`. Afterward, the factor goes "
        "from 1 to 0, and the rate from `peak` to `final`.",
        "With a factor c between 0 and 1, the rate is final + (peak - final) * c. "
        "For c, use the cosine factor from the chapter.",
    ),
)

# --- 15.4 ---------------------------------------------------------------------------


def broken_mixup(scores: Tensor, labels: Tensor, share: float) -> Tensor:
    """Compute MixUp's loss, with two bugs (the notebook version has no docstring)."""
    first = F.cross_entropy(scores, labels)
    second = F.cross_entropy(scores.roll(1, 0), labels)
    return share * second + (1 - share) * first


def mixup_loss(scores: Tensor, labels: Tensor, share: float) -> Tensor:
    """Compute the expected result with target probabilities."""
    targets = F.one_hot(labels, scores.shape[1]).to(scores)
    targets = share * targets + (1 - share) * targets.roll(1, 0)
    return F.cross_entropy(scores, targets)


debug_mixup = FunctionExercise(
    number="15.4",
    kind="debug",
    expected=mixup_loss,
    broken=broken_mixup,
    cases=lambda: [
        (random_integers(n, c, seed=n), torch.arange(n) ** 2 % c, share)
        for n, c, share in [(2, 2, 0.75), (3, 3, 0.25), (4, 3, 0.625), (6, 10, 0.875)]
    ],
    mistakes=[
        Mistake(
            "weights swapped",
            "The two losses are correct, but their weights are swapped. `share` "
            "is the weight of the original image.",
            lambda scores, labels, share: mixup_loss(scores, labels, 1 - share),
        ),
        Mistake(
            "wrong neighbor",
            "You paired the scores of each blended image with the label of the image "
            "*after* it. Here each image is blended with the one *before* it.",
            lambda s, y, share: (
                share * F.cross_entropy(s, y)
                + (1 - share) * F.cross_entropy(s, y.roll(-1))
            ),
        ),
        Mistake(
            "wrong neighbor and weights swapped",
            "You paired the scores of each blended image with the label of the image "
            "*after* it, and the weights are swapped as well.",
            lambda s, y, share: (
                (1 - share) * F.cross_entropy(s, y)
                + share * F.cross_entropy(s, y.roll(-1))
            ),
        ),
        Mistake(
            "one label only",
            "You used only one image's label. A mixed image has two.",
            lambda s, y, share: F.cross_entropy(s, y),
            lambda s, y, share: F.cross_entropy(s, y.roll(1)),
            lambda s, y, share: share * F.cross_entropy(s, y),
        ),
        Mistake(
            "equal weights",
            "You gave both labels the same weight. The label of the original image "
            "should have weight `share`.",
            lambda s, y, share: mixup_loss(s, y, 0.5),
            lambda s, y, share: 2 * mixup_loss(s, y, 0.5),
        ),
        Mistake(
            "sum instead of mean",
            "You added up the losses of the images. The exercise asks for their mean.",
            lambda s, y, share: len(s) * mixup_loss(s, y, share),
        ),
    ],
    hints=(
        "The scores belong to the blended images. Which two labels does blended image "
        "n have, and what is the weight of each?",
        "One bug is in the line that computes `second`: `scores` and `labels` are "
        "paired incorrectly. The other one is in the last line.",
        "`labels.roll(1)` contains, at position n, the label of image n - 1. The "
        "original image has weight `share`.",
    ),
)

# --- 15.5 ---------------------------------------------------------------------------

lucky_ingredient = ValueExercise(
    number="15.5",
    kind="predict",
    expected=lambda: 1 - 0.95**20,
    tolerance=1.2e-2,
    mistakes=[
        Mistake(
            "one ingredient only",
            "That is the probability for a single ingredient. There are 20, and it "
            "is enough for one of their intervals to exclude zero.",
            0.05,
        ),
        Mistake(
            "expected number",
            "That is how many of the 20 intervals exclude zero on average. The "
            "probability that at least one does is smaller, because sometimes several "
            "do at once.",
            1,
        ),
        Mistake(
            "none of them",
            "That is the probability that *none* of the 20 intervals excludes zero. "
            "You want the complement of that.",
            0.95**20,
        ),
        Mistake(
            "all of them",
            "That is the probability that *all* 20 intervals exclude zero.",
            0.05**20,
        ),
        Mistake(
            "exactly one",
            "That is the probability that exactly one interval excludes zero. Two or "
            "more also count as at least one.",
            20 * 0.05 * 0.95**19,
        ),
        Mistake(
            "level and its complement swapped",
            "You swapped 5% and 95%. A 95% interval *excludes* the true value in 5% "
            "of all cases.",
            1 - 0.05**20,
            0.95,
        ),
        Mistake(
            "wrong number of ingredients",
            "The calculation is correct, but the number of ingredients is wrong. There "
            "are 20.",
            1 - 0.95**14,
            1 - 0.95**7,
            1 - 0.95**8,
            1 - 0.95**19,
            1 - 0.95**21,
        ),
    ],
    hints=(
        "What is the probability that the interval for a *single* ingredient that has "
        "no effect contains zero?",
        "It is easier to compute the probability that all 20 intervals contain zero. "
        "The intervals are independent.",
        "All 20 contain zero with probability 0.95 ** 20. What is the probability that "
        "at least one doesn't?",
    ),
)
