"""What an exercise is, and a known way to get it wrong."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from torch import Tensor

from conv.exercises.answers import TOLERANCE


@dataclass(frozen=True)
class Mistake:
    """A misconception, and what a learner who has it answers.

    Attributes
    ----------
    name : str
        A few words: "kernel flipped".
    says : str
        What the learner is told. It points at the thought, not at the solution.
    answer : callable, number, sequence or Tensor
        For a function: one that errs in this way. For a value: the wrong value, or
        a function that tells whether an array of numbers is such a one.
    """

    name: str
    says: str
    answer: Any


@dataclass(frozen=True, kw_only=True)
class Exercise:
    """What all exercises have.

    Attributes
    ----------
    number, name : str
        "1.3", and the name in ``check.<name>``.
    kind : str
        "implement", "predict", "mend" or "explain".
    hints : (str, str, str)
        From a nudge to nearly everything.
    mistakes : sequence of Mistake
        Those that are looked for first come first.
    """

    number: str
    name: str
    kind: str
    hints: tuple[str, str, str]
    mistakes: Sequence[Mistake] = ()


@dataclass(frozen=True, kw_only=True)
class ValueExercise(Exercise):
    """The answer is a number, a few numbers or a tensor.

    Attributes
    ----------
    expected : callable
        Works out the right answer; its shape is the answer's.
    accept : callable, optional
        Where several answers are right: whether an array of numbers is one.
    reason : str
        For "explain": the letter of the right reason, which is answered, too.
    reasons : mapping of str to Mistake
        The other letters.
    within : float
        How far an answer may lie from the expected one, as a part of the largest.
    """

    expected: Callable[[], Any]
    accept: Callable[[Any], bool] | None = None
    reason: str = ""
    reasons: Mapping[str, Mistake] = field(default_factory=dict)
    within: float = TOLERANCE


def one_of(*values: float) -> Callable[[np.ndarray], bool]:
    """Make a mistake's test: the answer is one of these numbers."""

    def test(numbers: np.ndarray) -> bool:
        return numbers.shape == () and bool(np.isclose(numbers, values).any())

    return test


def apply(answer: Callable, *case: Any) -> Any:
    """Call a learner's function with a case: the usual way to use it."""
    return answer(*case)


@dataclass(frozen=True, kw_only=True)
class FunctionExercise(Exercise):
    """The answer is a function.

    Attributes
    ----------
    expected : callable
        The oracle: takes a case's arguments.
    cases : callable
        Gives argument tuples, in float64, one of the smallest first.
    use : callable
        ``use(answer, *case)``, run in the worker.
    keeps : sequence of str
        What the result shares with the picture: "dtype", "device", "gradient".
    wants : str
        What the answer is, in words.
    broken : callable, optional
        For "mend": the function that the learner is given.
    """

    expected: Callable[..., Any]
    cases: Callable[[], Sequence[tuple]]
    use: Callable[..., Any] = apply
    keeps: Sequence[str] = ("dtype", "device", "gradient")
    wants: str = "the function itself"
    broken: Callable[..., Any] | None = None


def whole_numbers(*shape: int, seed: int = 0) -> Tensor:
    """Draw a float64 tensor of whole numbers from -4 to 5, which read well."""
    generator = torch.Generator().manual_seed(seed + sum(shape))
    return torch.randint(-4, 6, shape, generator=generator).double()


def distinct_numbers(*shape: int) -> Tensor:
    """Draw a float64 tensor of whole numbers about zero, no two of them alike."""
    generator, count = torch.Generator().manual_seed(0), math.prod(shape)
    return (
        (torch.randperm(count, generator=generator) - count // 2)
        .reshape(shape)
        .double()
    )
