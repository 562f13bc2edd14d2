"""The exercises of chapter 14: outgrow one machine."""

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

# --- 14.1 ---------------------------------------------------------------------------

ring_bytes = ValueExercise(
    number="14.1",
    kind="predict",
    expected=lambda: 2 * 7 / 8 * 25e6 * 4,
    mistakes=[
        Mistake(
            "numbers for bytes",
            "You counted numbers. Each takes four bytes.",
            2 * 7 / 8 * 25e6,
        ),
        Mistake(
            "one round only",
            "That is one time round the ring: after it, each process has *one* part "
            "of the sum. The parts must go round once more.",
            7 / 8 * 25e6 * 4,
        ),
        Mistake(
            "one round only",
            "That is a whole vector, once. Of 8 parts, 7 go round, and they go round "
            "twice.",
            25e6 * 4,
        ),
        Mistake(
            "one part only",
            "That is one of the 8 parts, sent once.",
            25e6 / 8 * 4,
        ),
        Mistake(
            "own part sent, too",
            "Nearly: in each round a process sends 7 of the 8 parts, not all.",
            2 * 25e6 * 4,
        ),
        Mistake(
            "to each of the others",
            "That is what a process would send if it sent everything to every other "
            "process. In a ring it sends to one neighbor only.",
            7 * 25e6 * 4,
            8 * 25e6 * 4,
        ),
        Mistake(
            "all processes together",
            "That is what all eight send. The question asks for one of them.",
            8 * 2 * 7 / 8 * 25e6 * 4,
        ),
        Mistake(
            "megabytes",
            "The number is right in megabytes; the question asks for bytes.",
            175,
        ),
    ],
    hints=(
        "The vector is cut into 8 parts. How many parts does one process send until "
        "the sums are made?",
        "7 parts to make the sums, 7 parts to hand them round.",
        "14 parts of 25 million / 8 numbers, at four bytes.",
    ),
)

# --- 14.2 ---------------------------------------------------------------------------


def weighted_mean(g: Tensor, counts: list[int]) -> Tensor:
    """Compute the expected result: the mean weighted by example counts."""
    shares = torch.tensor(counts, dtype=g.dtype, device=g.device) / sum(counts)
    return shares @ g


whole_gradient = FunctionExercise(
    number="14.2",
    kind="implement",
    expected=weighted_mean,
    cases=lambda: [
        (random_integers(len(counts), n), counts)
        for n, counts in [
            (1, [2]),
            (1, [1, 3]),
            (2, [1, 2]),
            (2, [3, 1, 4]),
            (3, [50, 30, 20]),
        ]
    ],
    mistakes=[
        Mistake(
            "shares unweighted",
            "You take the plain mean. A process with 50 images must count more than "
            "one with 20.",
            lambda g, counts: g.mean(dim=0),
        ),
        Mistake(
            "sum of means",
            "You add the means up. Each is a mean already: weight them.",
            lambda g, counts: g.sum(dim=0),
        ),
        Mistake(
            "weights not normalized",
            "Each mean times its count gives a *sum* over images. Divide by the "
            "number of all images.",
            lambda g, counts: weighted_mean(g, counts) * sum(counts),
        ),
        Mistake(
            "divided by the processes",
            "You divide by the number of processes. What counts is the number of "
            "images.",
            lambda g, counts: weighted_mean(g, counts) * sum(counts) / len(counts),
        ),
        Mistake(
            "weighted the wrong way",
            "You divide by the counts: then small shares count most.",
            lambda g, counts: torch.stack(
                [v / n for v, n in zip(g, counts, strict=True)]
            ).sum(dim=0),
            lambda g, counts: torch.stack(
                [v / n for v, n in zip(g, counts, strict=True)]
            ).mean(dim=0),
        ),
        Mistake(
            "weighted the wrong way",
            "You weight by the counts' inverses: then small shares count most.",
            lambda g, counts: weighted_mean(g, [1 / n for n in counts]),
        ),
        Mistake(
            "weighted the wrong way",
            "You multiply by total / count: then small shares count most.",
            lambda g, counts: sum(
                v * sum(counts) / n for v, n in zip(g, counts, strict=True)
            ),
        ),
        Mistake(
            "first process only",
            "Only the first process's gradient is left.",
            lambda g, counts: g[0],
        ),
        Mistake(
            "first process only",
            "Only the first process's part is there. Is `return` inside the loop?",
            lambda g, counts: g[0] * counts[0] / sum(counts),
        ),
        Mistake(
            "last process only",
            "Only the last process's part is left: `=` replaces, `+=` adds.",
            lambda g, counts: g[-1] * counts[-1] / sum(counts),
        ),
        Mistake(
            "plain sum divided",
            "You divide the plain sum by the number of images. Each mean has to be "
            "weighted first.",
            lambda g, counts: g.sum(dim=0) / sum(counts),
        ),
    ],
    hints=(
        "How do you get the mean of a class from the means of its boys and of its "
        "girls?",
        "A mean times its count is a sum. Add the sums, divide by all.",
        "Multiply each row of `g` by its count, add the rows up, divide by "
        "`sum(counts)`.",
    ),
)

# --- 14.3 ---------------------------------------------------------------------------


def tiny_net(inputs: int, seed: int) -> nn.Module:
    """Create a linear network for two classes, in float64."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return nn.Linear(inputs, 2).double()


def gradient(net: nn.Module, x: Tensor, y: Tensor) -> Tensor:
    """Compute the gradient of the mean loss as one vector, with autograd."""
    loss = F.cross_entropy(net(x), y)
    grads = torch.autograd.grad(loss, list(net.parameters()))
    return torch.cat([g.flatten() for g in grads])


def run_on_small_machine(
    answer: Callable, net: nn.Module, x: Tensor, y: Tensor, parts: int
):
    """Run an answer on a machine that holds one part, starting with an old gradient."""
    largest, waiting = [0], []

    def count(net: nn.Module, inputs: tuple, output: Tensor) -> None:
        waiting.append(len(output))
        largest.append(sum(waiting))
        if output.requires_grad:
            output.register_hook(lambda gradient: waiting.remove(len(output)))

    net.register_forward_hook(count)
    for parameter in net.parameters():
        parameter.grad = torch.full_like(parameter, 3.0)
    result = answer(net, x, y, parts)
    if max(largest) > len(x) // parts:
        raise MemoryError(
            f"{max(largest)} images wait for backward() at once; only one part, "
            f"{len(x) // parts}, fits"
        )
    return result


def part_gradient(r: int, divided: bool = False):
    """Compute the gradient of one part only."""

    def wrong(net: nn.Module, x: Tensor, y: Tensor, parts: int) -> Tensor:
        alone = gradient(net, x.chunk(parts)[r], y.chunk(parts)[r])
        return alone / parts if divided else alone

    return wrong


accumulated = FunctionExercise(
    number="14.3",
    kind="implement",
    expected=lambda net, x, y, parts: gradient(net, x, y),
    use=run_on_small_machine,
    preserves=("dtype",),
    cases=lambda: [
        (tiny_net(n, seed=n), random_integers(batch, n), torch.arange(batch) % 2, parts)
        for n, batch, parts in [(1, 2, 1), (1, 2, 2), (2, 4, 2), (2, 6, 3), (3, 10, 5)]
    ],
    mistakes=[
        Mistake(
            "sum of means",
            "`backward()` adds, so you have the sum of the parts' *mean* gradients. "
            "The batch's mean is that sum divided by something.",
            lambda net, x, y, parts: gradient(net, x, y) * parts,
        ),
        Mistake(
            "last part only",
            "Only the last part's gradient is left. Empty `.grad` once, before the "
            "loop.",
            part_gradient(-1),
            part_gradient(-1, divided=True),
        ),
        Mistake(
            "first part only",
            "Only the first part's gradient is there. Is `return` inside the loop?",
            part_gradient(0),
            part_gradient(0, divided=True),
        ),
        Mistake(
            "old gradient kept",
            "There was something in `.grad` before you began, and `backward()` adds "
            "to it. Empty it first.",
            lambda net, x, y, parts: gradient(net, x, y) + 3 / parts,
            lambda net, x, y, parts: gradient(net, x, y) + 3,
        ),
        Mistake(
            "old gradient kept",
            "There was something in `.grad` before you began, and `backward()` adds "
            "to it. Empty it first. (And mind that parts have means of their own.)",
            lambda net, x, y, parts: gradient(net, x, y) * parts + 3,
        ),
        Mistake(
            "sum over the images",
            "Your losses are sums over images, so your gradient is as many times "
            "too long as there are images.",
            lambda net, x, y, parts: gradient(net, x, y) * len(x),
        ),
        Mistake(
            "divided by the images",
            "You divide by the number of images. Each part's loss is a mean already.",
            lambda net, x, y, parts: gradient(net, x, y) * parts**2 / len(x),
            lambda net, x, y, parts: gradient(net, x, y) * parts / len(x),
        ),
    ],
    hints=(
        "`net.zero_grad()` once. Then `backward()` for each part.",
        "The parts are equally large, so the batch's mean is the mean of the parts' "
        "means.",
        "`(F.cross_entropy(net(xs), ys) / parts).backward()` for `xs, ys` in "
        "`zip(x.chunk(parts), y.chunk(parts))`; then join all `p.grad.flatten()`.",
    ),
)

# --- 14.4 ---------------------------------------------------------------------------


def variance_ratio() -> float:
    """Compare the shares' variance with the batch's, as batch norm measures it."""
    x = torch.arange(1.0, 9, dtype=torch.float64)
    shares = [share.var(correction=0) for share in x.chunk(2)]
    return (sum(shares) / 2 / x.var(correction=0)).item()


shares_variance = ValueExercise(
    number="14.4",
    kind="explain",
    expected=variance_ratio,
    tolerance=5e-3,
    reason="a",
    mistakes=[
        Mistake(
            "other variance",
            "`var()` divides by n - 1. Batch norm normalizes with the one that "
            "divides by n: `correction=0`.",
            5 / 18,
        ),
        Mistake(
            "deviation for variance",
            "That is a ratio of standard deviations.",
            (5 / 21) ** 0.5,
        ),
        Mistake(
            "sum for mean",
            "You added the two shares' variances. Take their mean.",
            10 / 21,
        ),
        Mistake(
            "not divided",
            "That is the mean of the shares' variances. Divide by the variance of all "
            "eight.",
            1.25,
        ),
        Mistake(
            "lost part for what is left",
            "That is the part of the variance that gets lost. The question asks for "
            "what the shares still see.",
            16 / 21,
        ),
        Mistake(
            "upside down",
            "The batch's divided by the shares'. The question asks for the other way "
            "round.",
            4.2,
        ),
        Mistake(
            "shares dealt out",
            "You dealt the numbers out one by one. The question asks for the first "
            "half and the second half.",
            5 / 5.25,
        ),
        Mistake(
            "shares thought to be alike",
            "That would be so if both shares had the batch's mean. Measure.",
            1,
        ),
    ],
    reasons={
        "b": Mistake(
            "too few numbers blamed",
            "With a million numbers in each half the same would happen. What do you "
            "take away before you square?",
        ),
        "c": Mistake(
            "rounding blamed",
            "All these numbers are exact. A factor of four is no rounding.",
        ),
    },
    hints=(
        "`x = torch.arange(1.0, 9)`. Then `x.chunk(2)` gives the halves, and "
        "`.var(correction=0)` batch norm's variance.",
        "`sum(half.var(correction=0) for half in x.chunk(2)) / 2`, divided by "
        "`x.var(correction=0)`.",
        "The batch's variance is the mean of the shares' variances *plus* the "
        "variance of their means.",
    ),
)
