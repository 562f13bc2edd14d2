"""The definition of an exercise and of its known mistakes."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor

from conv.exercises.comparison import TOLERANCE


class Mistake:
    """A misconception, and the answers of a learner who has it.

    Parameters
    ----------
    name : str
        A few words: "kernel flipped".
    message : str
        What the learner reads. It points to the misconception, not to the solution.
    *answers : callable, number, sequence or Tensor
        For a function: wrong functions with this mistake. For a value: the wrong
        values, or predicates that take the answer as an array.
    """

    def __init__(self, name: str, message: str, *answers: Any) -> None:
        self.name = name
        self.message = message
        self.answers = answers


@dataclass(frozen=True, kw_only=True)
class Rule:
    """A condition that an exercise's statement sets on how a function is written.

    The names are those of functions, methods and modules, without what is before the
    dot: "conv2d" stands for `torch.conv2d`, `F.conv2d` and `conv.conv2d`, and "fft"
    for everything in `torch.fft`.

    Attributes
    ----------
    message : str
        What the learner reads if the function breaks the rule.
    forbids : tuple of str
        Names that the function may not use, not even in a function that it calls.
    needs : tuple of str
        Names of which the function must use at least one.
    """

    message: str
    forbids: tuple[str, ...] = ()
    needs: tuple[str, ...] = ()


NO_AUTOGRAD = Rule(
    message="The numbers are correct, but autograd computed the gradient. In this "
    "exercise, derive the gradient yourself, without `backward()` and "
    "`torch.autograd`.",
    forbids=("backward", "autograd", "requires_grad_", "func"),
)


@dataclass(frozen=True, kw_only=True)
class Exercise:
    """What all exercises have in common.

    Attributes
    ----------
    number : str
        Chapter and position in it, such as "1.3".
    name : str
        The name in ``check.<name>``. The registry sets it to the name of the variable
        that holds the exercise.
    kind : str
        "implement", "predict", "debug" or "explain".
    hints : (str, str, str)
        From a small hint to nearly the whole solution.
    mistakes : sequence of Mistake
        In the order in which they are tried.
    requires : sequence of str
        What the statement asks for beyond the right numbers. "shape": exactly the
        expected shape, without extra or missing axes of length 1. For functions also
        "dtype" (the result has the input's dtype) and "gradient" (gradients reach all
        arguments).
    """

    number: str
    name: str = ""
    kind: str
    hints: tuple[str, str, str]
    mistakes: Sequence[Mistake] = ()
    requires: Sequence[str] = ()


@dataclass(frozen=True, kw_only=True)
class ValueExercise(Exercise):
    """An exercise whose answer is a number, several numbers or a tensor.

    Attributes
    ----------
    expected : callable
        Computes the right answer. An answer must have the same shape.
    accept : callable, optional
        For exercises with several right answers: a predicate that takes the answer as
        an array.
    reason : str
        For "explain": the letter of the right reason, which is part of the answer.
    reasons : mapping of str to Mistake
        The wrong letters.
    tolerance : float
        Relative to the largest expected number.
    """

    expected: Callable[[], Any]
    accept: Callable[[Any], bool] | None = None
    reason: str = ""
    reasons: Mapping[str, Mistake] = field(default_factory=dict)
    tolerance: float = TOLERANCE


def apply(answer: Callable, *case: Any) -> Any:
    """Call an answer with the arguments of a case."""
    return answer(*case)


@dataclass(frozen=True, kw_only=True)
class FunctionExercise(Exercise):
    """An exercise whose answer is a function.

    Attributes
    ----------
    expected : callable
        The reference implementation, called with the arguments of a case.
    cases : callable
        Returns argument tuples in float64. One of the smallest comes first.
    use : callable
        ``use(answer, *case)`` runs the answer on a case, in the worker process.
    rules : sequence of Rule
        Conditions in the statement on how the function is written.
    answer_description : str
        What the answer must be.
    broken : callable, optional
        For "debug": the function that the notebook contains.
    """

    expected: Callable[..., Any]
    cases: Callable[[], Sequence[tuple]]
    use: Callable[..., Any] = apply
    rules: Sequence[Rule] = ()
    answer_description: str = "the function itself"
    broken: Callable[..., Any] | None = None


def random_integers(*shape: int, seed: int = 0) -> Tensor:
    """Draw a float64 tensor of integers from -4 to 5."""
    generator = torch.Generator().manual_seed(seed + sum(shape))
    return torch.randint(-4, 6, shape, generator=generator).double()


def distinct_integers(*shape: int) -> Tensor:
    """Return a float64 tensor of distinct integers around zero, in random order."""
    generator, count = torch.Generator().manual_seed(0), math.prod(shape)
    return (
        (torch.randperm(count, generator=generator) - count // 2)
        .reshape(shape)
        .double()
    )
