"""The result of a learner's function on one case."""

from dataclasses import dataclass

import numpy as np
from torch import Tensor

from conv.exercises.summary import matches
from conv.exercises.worker import Outcome


@dataclass(frozen=True)
class CaseResult:
    """What a function was called with, what was expected, and what happened.

    Attributes
    ----------
    case : tuple
        The arguments.
    expected : ndarray of float64
        The right result.
    outcome : Outcome
        What the call returned or raised.
    """

    case: tuple
    expected: np.ndarray
    outcome: Outcome

    @property
    def right(self) -> bool:
        """Whether the function returned the expected numbers."""
        returned = self.outcome.returned
        return returned is not None and matches(returned, self.expected)

    @property
    def actual(self) -> np.ndarray | None:
        """The returned numbers, or None if there aren't any."""
        returned = self.outcome.returned
        return None if returned is None else returned.numbers

    @property
    def is_square(self) -> bool:
        """Whether all inputs and the expected result are square."""
        inputs = [part for part in self.case if isinstance(part, Tensor)]
        shapes = [part.shape for part in inputs] + [self.expected.shape]
        return all(shape[-1] == shape[-2] for shape in shapes if len(shape) > 1)
