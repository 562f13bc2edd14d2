"""Misconceptions that show in any exercise, from how wrong numbers are related."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from torch import Tensor

from conv.exercises.answers import TOLERANCE, agree, as_float64, close
from conv.exercises.worker import Outcome


@dataclass(frozen=True)
class Attempt:
    """One case: what went in, what should come out, what came."""

    case: tuple
    expected: Tensor | float
    outcome: Outcome

    @property
    def right(self) -> bool:
        """Whether the learner's function gave the expected numbers."""
        return self.outcome.result is not None and agree(
            self.outcome.result, self.expected
        )

    @property
    def got(self) -> np.ndarray | None:
        """The numbers that came, if any did."""
        return self.outcome.result.numbers if self.outcome.result else None

    @property
    def want(self) -> np.ndarray:
        """The expected numbers."""
        return as_float64(self.expected)

    @property
    def square(self) -> bool:
        """Whether all that goes in, and what comes out, has as many rows as columns."""
        grids = [part for part in self.case if isinstance(part, Tensor)]
        shapes = [grid.shape for grid in grids] + [self.want.shape]
        return all(shape[-1] == shape[-2] for shape in shapes if len(shape) > 1)


Attempts = Sequence[Attempt]


def nothing_returned(attempts: Attempts) -> bool:
    """All calls gave None, and printed nothing."""
    return all_gave(attempts, "nothing") and not attempts[0].outcome.printed


def printed_instead(attempts: Attempts) -> bool:
    """All calls gave None, but printed."""
    return all_gave(attempts, "nothing") and attempts[0].outcome.printed


def all_gave(attempts: Attempts, kind: str) -> bool:
    """Every call returned this kind of thing."""
    results = [attempt.outcome.result for attempt in attempts]
    return all(result is not None and result.kind == kind for result in results)


def transposed(attempts: Attempts) -> bool:
    """Rows and columns of all results are exchanged."""
    return explains(attempts, lambda want: want.swapaxes(-1, -2), least=2)


def negated(attempts: Attempts) -> bool:
    """All results have the other sign."""
    return explains(attempts, np.negative)


def scaled(attempts: Attempts) -> bool:
    """All results are the same multiple of what they should be."""
    pairs = same_shapes(attempts)
    if not pairs:
        return False
    got, want = (np.concatenate([pair[k].ravel() for pair in pairs]) for k in (0, 1))
    if not np.isfinite(got).all() or not want.any():
        return False
    factor = (got @ want) / (want @ want)
    return abs(factor) > TOLERANCE and close(got, factor * want)


def moved_by_a_constant(attempts: Attempts) -> bool:
    """One number, the same in all cases, was added to everything."""
    pairs = same_shapes(attempts)
    differences = [(got - want).ravel() for got, want in pairs]
    if len(pairs) < 2 or not all(d.size for d in differences):
        return False
    every = np.concatenate(differences)
    return close(every, np.full_like(every, every[0]))


def always_the_same(attempts: Attempts) -> bool:
    """Every case gave the same result, though it should not."""
    got = [attempt.got for attempt in attempts]
    if len(got) < 3 or any(g is None for g in got):
        return False
    return all(g.shape == got[0].shape and close(g, got[0]) for g in got)


def all_zeros(attempts: Attempts) -> bool:
    """Nothing but zeros came, in the right shapes."""
    pairs = same_shapes(attempts)
    return bool(pairs) and not any(got.any() for got, _ in pairs)


def one_too_few(attempts: Attempts) -> bool:
    """Along one axis or more, the result is one shorter."""
    return misses(attempts, (-1, 0))


def one_too_many(attempts: Attempts) -> bool:
    """Along one axis or more, the result is one longer."""
    return misses(attempts, (0, 1))


def misses(attempts: Attempts, allowed: tuple[int, int]) -> bool:
    """All shapes are off, each side by one of two lengths."""
    for attempt in attempts:
        got, want = attempt.got, attempt.want
        if got is None or got.ndim != want.ndim or got.shape == want.shape:
            return False
        if set(np.subtract(got.shape, want.shape)) - set(allowed):
            return False
    return True


def only_squares_right(attempts: Attempts) -> bool:
    """Right where all is square, wrong where the output isn't."""
    square = [a for a in attempts if a.square]
    oblong = [
        a for a in attempts if a.want.ndim > 1 and a.want.shape[-2] != a.want.shape[-1]
    ]
    telling = any(a.want.size > 1 for a in square) and bool(oblong)
    return telling and all(a.right for a in square) and not any(a.right for a in oblong)


def loops_over_wrong_axis(attempts: Attempts) -> bool:
    """As above, because an index ran over the border."""
    errors = [attempt.outcome.error for attempt in attempts if attempt.outcome.error]
    runs_over = any(error.startswith("IndexError") for error in errors)
    return runs_over and only_squares_right(attempts)


def only_one_right(attempts: Attempts) -> bool:
    """Right for every batch of one picture, wrong for every larger one."""
    batches = [a for a in attempts if is_batch(a.case[0])]
    one = [a for a in batches if len(a.case[0]) == 1]
    more = [a for a in batches if len(a.case[0]) > 1]
    if not one or not more or len(batches) < len(attempts):
        return False
    return all(a.right for a in one) and not any(a.right for a in more)


def is_batch(part: object) -> bool:
    """Tell whether an argument is (N, C, H, W)."""
    return isinstance(part, Tensor) and part.ndim == 4


def not_numbers(attempts: Attempts) -> bool:
    """Somewhere nan came where a number should be."""
    return any(
        got.shape == want.shape and (np.isnan(got) & ~np.isnan(want)).any()
        for got, want in ((a.got, a.want) for a in attempts if a.got is not None)
    )


def explains(
    attempts: Attempts, error: Callable[[np.ndarray], np.ndarray], least: int = 0
) -> bool:
    """Tell whether an error, done to the expected numbers, gives what came."""
    pairs = [(attempt.got, attempt.want) for attempt in attempts]
    if any(got is None or want.ndim < least for got, want in pairs):
        return False
    made = [(got, error(want)) for got, want in pairs]
    return all(got.shape == want.shape and close(got, want) for got, want in made)


def same_shapes(attempts: Attempts) -> list[tuple[np.ndarray, np.ndarray]]:
    """Pair what came with what should, if all shapes are right."""
    pairs = [(attempt.got, attempt.want) for attempt in attempts]
    fits = all(got is not None and got.shape == want.shape for got, want in pairs)
    return pairs if fits else []


# Name, what the learner is told, and how it shows. Those that fit less by chance
# come first.
RELATIONS: list[tuple[str, str, Callable[[Attempts], bool]]] = [
    (
        "return forgotten",
        "Your function gives None. A Python function without `return` does.",
        nothing_returned,
    ),
    (
        "printed, not returned",
        "Your function prints its result and gives None. Others can only use what "
        "it returns.",
        printed_instead,
    ),
    (
        "memory that nobody wrote",
        "Your result has nan, not a number. Is there a 0 / 0, a root or a logarithm of "
        "a negative number, or a `torch.empty` of which a part is never written? (The "
        "checker fills such memory with nan. Otherwise it holds whatever was there.)",
        not_numbers,
    ),
    (
        "nothing but zeros",
        "All your numbers are zero. Is a step's result thrown away? `y + x` makes a "
        "new tensor; `y += x` changes `y`.",
        all_zeros,
    ),
    (
        "always the same answer",
        "Your function gives the same for every input. Which argument doesn't it use?",
        always_the_same,
    ),
    (
        "sign turned round",
        "All your numbers are right but for their sign.",
        negated,
    ),
    (
        "output transposed",
        "Your numbers are right, but rows and columns are exchanged. The first index "
        "counts rows, from the top.",
        transposed,
    ),
    (
        "loop over the wrong axis",
        "With squares all is well; with other shapes an index runs over the border. "
        "One of your loops runs as often as the other axis is long.",
        loops_over_wrong_axis,
    ),
    (
        "rows and columns mixed up",
        "Right for squares, wrong for all else. Somewhere a height stands for a "
        "width: look at each index, and at what its loop runs over.",
        only_squares_right,
    ),
    (
        "one picture only",
        "Right for a batch of one picture, wrong for more. Somewhere the batch's "
        "axis is summed, dropped, or taken to be of length one.",
        only_one_right,
    ),
    (
        "one too few",
        "Your result is one short. Count what comes out in the case below. (A window "
        "of 2 has two places in a row of 3.)",
        one_too_few,
    ),
    (
        "one too many",
        "Your result is one too long. Count what comes out in the case below.",
        one_too_many,
    ),
    (
        "scaled by a constant",
        "All your numbers are the same multiple of what they should be. What do you "
        "divide or multiply by, and does it belong there?",
        scaled,
    ),
    (
        "moved by a constant",
        "The same number was added to each of yours. Where does it come from?",
        moved_by_a_constant,
    ),
]
