"""The exercises of chapter 14, on training with several machines."""

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
            "numbers instead of bytes",
            "You counted numbers. Each number takes four bytes.",
            2 * 7 / 8 * 25e6,
        ),
        Mistake(
            "one phase only",
            "That is enough for the reduce-scatter, after which each process holds "
            "*one* complete part. These parts still have to reach all the other "
            "processes in the all-gather.",
            7 / 8 * 25e6 * 4,
            25e6 * 4,
        ),
        Mistake(
            "one part only",
            "That is one of the 8 parts, sent once. How many times does a process send "
            "a part?",
            25e6 / 8 * 4,
        ),
        Mistake(
            "all parts in each phase",
            "You counted 8 parts per phase. Each process sends one part per step; how "
            "many steps does a phase take?",
            2 * 25e6 * 4,
        ),
        Mistake(
            "whole vector in each message",
            "That would be correct if a process sent its whole vector 7 or 8 times. In "
            "a ring, each message contains one of the 8 parts.",
            7 * 25e6 * 4,
            8 * 25e6 * 4,
        ),
        Mistake(
            "eight times too much",
            "Your number is too large by a factor of eight. Did you add up the bytes "
            "of all eight processes, assume that each message contains a whole vector, "
            "or count bits instead of bytes?",
            8 * 2 * 7 / 8 * 25e6 * 4,
        ),
        Mistake(
            "another unit",
            "Your number would be correct in MB, MiB, or GB, up to rounding. The "
            "question asks for bytes.",
            *(175, 0.175, 175e6 / 2**20, 166.9, 167),
        ),
        Mistake(
            "messages counted",
            "That is the number of messages that each process sends. How many bytes "
            "does one message contain?",
            14,
        ),
    ],
    hints=(
        "The vector is cut into 8 parts, and in each step a process sends one part. "
        "How many steps does the reduce-scatter take, and how many does the "
        "all-gather take?",
        "The reduce-scatter takes 7 steps, and so does the all-gather. How large is a "
        "part?",
        "Each process sends 14 parts. A part has 25 million / 8 numbers of four bytes "
        "each.",
    ),
)

# --- 14.2 ---------------------------------------------------------------------------


def weighted_mean(g: Tensor, counts: list[int]) -> Tensor:
    """Compute the expected result: the mean weighted by example counts."""
    shares = torch.tensor(counts, dtype=g.dtype, device=g.device) / sum(counts)
    return shares @ g


def weighted_sum(weight: Callable[[int, list[int]], float]) -> Callable[..., Tensor]:
    """Create a sum of the rows, with a weight computed from count and counts."""

    def wrong(g: Tensor, counts: list[int]) -> Tensor:
        return sum(weight(n, counts) * row for n, row in zip(counts, g, strict=True))

    return wrong


def example_weights(g: Tensor, counts: list[int]) -> Tensor:
    """Use the counts from the statement's example and ignore any further processes."""
    return sum(n * row for n, row in zip([50, 30, 20], g, strict=False))


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
            "You took the plain mean of the gradients. A process with 50 images must "
            "count for more than one with 20.",
            lambda g, counts: g.mean(dim=0),
        ),
        Mistake(
            "sum of means",
            "You added the gradients without weighting them. Each gradient is a mean "
            "over the images of one process.",
            lambda g, counts: g.sum(dim=0),
        ),
        Mistake(
            "weights not normalized",
            "Each mean times its count is a *sum* over images, so your result is the "
            "gradient of the summed loss. The exercise asks for the gradient of the "
            "mean loss.",
            weighted_sum(lambda n, counts: n),
        ),
        Mistake(
            "divided by the processes",
            "You divided by the number of processes. The mean is over the images.",
            weighted_sum(lambda n, counts: n / len(counts)),
            weighted_sum(lambda n, counts: n / sum(counts) / len(counts)),
        ),
        Mistake(
            "weighted the wrong way",
            "You divided by the counts, so the smallest shares get the largest "
            "weights.",
            weighted_sum(lambda n, counts: 1 / n),
            weighted_sum(lambda n, counts: 1 / n / len(counts)),
            weighted_sum(lambda n, counts: 1 / n / sum(1 / m for m in counts)),
            weighted_sum(lambda n, counts: sum(counts) / n),
        ),
        Mistake(
            "weights of the example",
            "You used the counts from the example: 50, 30, and 20. Your function "
            "should work for any counts and any number of processes.",
            lambda g, counts: 0.5 * g[0] + 0.3 * g[1] + 0.2 * g[2],
            lambda g, counts: example_weights(g, counts) / 100,
            lambda g, counts: example_weights(g, counts) / sum(counts),
        ),
        Mistake(
            "three processes only",
            "You used exactly three rows of `g`. Your function should work for any "
            "number of processes.",
            lambda g, counts: (
                (counts[0] * g[0] + counts[1] * g[1] + counts[2] * g[2]) / sum(counts)
            ),
        ),
        Mistake(
            "first process only",
            "Your result contains the gradient of the first process only. If you use a "
            "loop, is `return` inside it?",
            lambda g, counts: g[0],
            lambda g, counts: g[0] * counts[0] / sum(counts),
            lambda g, counts: g[0] * counts[0],
        ),
        Mistake(
            "last process only",
            "Your result contains the gradient of the last process only. In a loop, "
            "`=` replaces a value, whereas `+=` adds to it.",
            lambda g, counts: g[-1] * counts[-1] / sum(counts),
            lambda g, counts: g[-1] * counts[-1],
            lambda g, counts: g[-1],
        ),
        Mistake(
            "plain sum divided",
            "You divided the plain sum of the gradients by the number of images. Each "
            "gradient is already a mean and must be weighted first.",
            lambda g, counts: g.sum(dim=0) / sum(counts),
        ),
    ],
    hints=(
        "Two groups have 50 and 20 students, and you know each group's mean grade. "
        "How do you get the mean grade of all 70 students?",
        "A mean times its count is a sum over images. What do you get if you add these "
        "sums, and what is missing?",
        "Multiply each row of `g` by its entry in `counts` and add the products. "
        "`sum(counts)` is the total number of images.",
    ),
)

# --- 14.3 ---------------------------------------------------------------------------


def tiny_net(inputs: int, seed: int) -> nn.Module:
    """Create a linear network for two classes, in float64."""
    with torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(seed)
        return nn.Linear(inputs, 2).double()


def gradient(net: nn.Module, x: Tensor, y: Tensor) -> Tensor:
    """Compute the gradient of the mean loss as one vector, with autograd."""
    loss = F.cross_entropy(net(x), y)
    grads = torch.autograd.grad(loss, list(net.parameters()))
    return torch.cat([g.flatten() for g in grads])


def run_on_small_machine(
    answer: Callable, net: nn.Module, x: Tensor, y: Tensor, parts: int
):
    """Run an answer on a machine with room for one part, and with an old gradient."""
    largest, waiting = [0], []

    def count(net: nn.Module, inputs: tuple, output: Tensor) -> None:
        images = output[..., 0].numel()
        largest.append(sum(waiting) + images)
        if output.requires_grad:
            waiting.append(images)
            output.register_hook(lambda gradient: waiting.remove(images))

    net.register_forward_hook(count)
    for parameter in net.parameters():
        parameter.grad = torch.full_like(parameter, 3.0)
    result = answer(net, x, y, parts)
    if max(largest) > len(x) // parts:
        raise MemoryError(
            f"{max(largest)} images are waiting for backward() at once, but only "
            f"one part, of size {len(x) // parts}, fits into memory"
        )
    return result


def part_gradient(r: int, divided: bool = False) -> Callable[..., Tensor]:
    """Compute the gradient of one part only."""

    def wrong(net: nn.Module, x: Tensor, y: Tensor, parts: int) -> Tensor:
        alone = gradient(net, x.chunk(parts)[r], y.chunk(parts)[r])
        return alone / parts if divided else alone

    return wrong


def scaled_gradient(
    factor: Callable[[int, int], float], old: Callable[[int], float] = lambda parts: 0
) -> Callable[..., Tensor]:
    """Scale the gradient, with a factor computed from the batch size and `parts`."""

    def wrong(net: nn.Module, x: Tensor, y: Tensor, parts: int) -> Tensor:
        return gradient(net, x, y) * factor(len(x), parts) + old(parts)

    return wrong


accumulated = FunctionExercise(
    number="14.3",
    kind="implement",
    expected=lambda net, x, y, parts: gradient(net, x, y),
    use=run_on_small_machine,
    cases=lambda: [
        (tiny_net(n, seed=n), random_integers(batch, n), torch.arange(batch) % 2, parts)
        for n, batch, parts in [(1, 2, 1), (1, 2, 2), (2, 4, 2), (2, 6, 3), (3, 10, 5)]
    ],
    mistakes=[
        Mistake(
            "sum of means",
            "Your result is the sum of the parts' gradients. Each part's gradient is "
            "that of a *mean* loss; how do you get the mean over the batch from these "
            "means?",
            scaled_gradient(lambda size, parts: parts),
        ),
        Mistake(
            "divided twice",
            "You divided by the number of parts twice, for example once in the loss "
            "and once at the end.",
            scaled_gradient(lambda size, parts: 1 / parts),
        ),
        Mistake(
            "last part only",
            "Your result contains the gradient of the last part only. Does your loop "
            "clear or overwrite the gradients of the earlier parts?",
            part_gradient(-1),
            part_gradient(-1, divided=True),
        ),
        Mistake(
            "first part only",
            "Your result contains the gradient of the first part only. Is `return` "
            "inside the loop?",
            part_gradient(0),
            part_gradient(0, divided=True),
        ),
        Mistake(
            "old gradient kept",
            "`.grad` wasn't empty when your function was called, and `backward()` adds "
            "to it.",
            scaled_gradient(lambda size, parts: 1, lambda parts: 3 / parts),
            scaled_gradient(lambda size, parts: 1, lambda parts: 3),
            scaled_gradient(lambda size, parts: parts, lambda parts: 3),
            scaled_gradient(lambda size, parts: size, lambda parts: 3),
            scaled_gradient(lambda size, parts: 1, lambda parts: 3 / parts**2),
        ),
        Mistake(
            "sum over the images",
            "Your result is the gradient of the *sum* of the images' losses. The "
            "exercise asks for the gradient of their mean.",
            scaled_gradient(lambda size, parts: size),
        ),
        Mistake(
            "divided by the images",
            "You divided by the number of images, in a part or in the batch. The loss "
            "of each part is already a mean over its images.",
            scaled_gradient(lambda size, parts: parts**2 / size),
            scaled_gradient(lambda size, parts: parts / size),
        ),
        Mistake(
            "loss instead of gradient",
            "You returned the loss. The exercise asks for its gradient.",
            lambda net, x, y, parts: F.cross_entropy(net(x), y),
            lambda net, x, y, parts: F.cross_entropy(net(x), y) * parts,
            lambda net, x, y, parts: F.cross_entropy(net(x), y) / parts,
        ),
    ],
    hints=(
        "What does `backward()` do if you call it several times without clearing "
        "`.grad`? Here, that is exactly what you want.",
        "Clear `.grad` before the loop, with `net.zero_grad()`. In the loop, compute "
        "the loss of one part, and call `backward()` before you go on. Since all parts "
        "have the same size, the batch's mean is the mean of the parts' means.",
        "`x.chunk(parts)` and `y.chunk(parts)` are the parts. Divide the loss of each "
        "one by `parts`, so that the gradients add up to the mean. Finally, join "
        "the flattened `p.grad` of all parameters with `torch.cat`.",
    ),
)

# --- 14.4 ---------------------------------------------------------------------------


def variance_ratio() -> float:
    """Compare the shares' variances with the batch's, as batch norm computes them."""
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
            "For at least one of the variances, you divided by n - 1, as `var()` does "
            "by default. Batch norm divides by n.",
            5 / 18,
            1.25 / 6,
            (5 / 3) / 5.25,
        ),
        Mistake(
            "deviation instead of variance",
            "That is a ratio of standard deviations. The question asks for variances.",
            (5 / 21) ** 0.5,
            (5 / 18) ** 0.5,
        ),
        Mistake(
            "sum instead of mean",
            "You added the variances of the two shares. Take their mean.",
            10 / 21,
        ),
        Mistake(
            "not divided",
            "That is the mean of the two shares' variances. You still need to divide "
            "it by the variance of all eight numbers.",
            1.25,
            5 / 3,
        ),
        Mistake(
            "lost fraction instead of what is left",
            "That is the fraction of the variance that is lost. The question asks for "
            "the fraction that is left.",
            16 / 21,
        ),
        Mistake(
            "inverse ratio",
            "You divided the variance of the batch by the mean of the shares' "
            "variances. The question asks for the ratio the other way around.",
            4.2,
            3.6,
        ),
        Mistake(
            "numbers dealt out alternately",
            "You assigned the numbers to the two processes alternately. One process "
            "should get the first half, and the other the second.",
            5 / 5.25,
        ),
        Mistake(
            "shares thought to be alike",
            "The ratio would be 1 if both shares had the same mean as the batch. "
            "Compute those means.",
            1,
        ),
    ],
    reasons={
        "b": Mistake(
            "too few numbers blamed",
            "With a million numbers in each half, the ratio would be about the same. "
            "What is subtracted before the distances are squared?",
        ),
        "c": Mistake(
            "rounding blamed",
            "All these numbers are exact, and rounding errors could never amount to a "
            "factor of four.",
        ),
    },
    hints=(
        "Which mean is subtracted from 1, 2, 3, and 4 on the first process? Which mean "
        "is subtracted from these numbers if the batch stays together?",
        "Use `x = torch.arange(1.0, 9)`, its two halves from `x.chunk(2)`, and a "
        "variance that divides by n, `.var(correction=0)`.",
        "Each half has a variance of 1.25. Compute the variance of all eight numbers "
        "in the same way, and divide 1.25 by it. The variance of the batch is the mean "
        "of the shares' variances *plus* the variance of their means; which of the two "
        "is lost when the batch is split?",
    ),
)
