"""The result of a learner's function on one case."""

from dataclasses import dataclass

import numpy as np
from torch import Tensor

from conv.exercises.comparison import fits, matches, matches_freely
from conv.exercises.worker import Outcome


@dataclass(frozen=True)
class CaseResult:
    """What a function was called with, what was expected, and what happened.

    Attributes
    ----------
    case : tuple
        The arguments.
    expected : ndarray of float64
        The correct result.
    outcome : Outcome
        What the call returned or raised.
    exact_shape : bool
        Whether extra or missing axes of length 1 count as wrong.
    """

    case: tuple
    expected: np.ndarray
    outcome: Outcome
    exact_shape: bool = False

    def equals(self, value: Tensor | np.ndarray | float) -> bool:
        """Return whether the function returned this value."""
        compare = matches if self.exact_shape else matches_freely
        returned = self.outcome.returned
        return returned is not None and compare(returned, value)

    @property
    def right(self) -> bool:
        """Whether the function returned the expected numbers."""
        return self.equals(self.expected)

    @property
    def has_expected_shape(self) -> bool:
        """Whether the result has exactly the expected shape."""
        returned = self.outcome.returned
        return returned is not None and returned.numbers.shape == self.expected.shape

    @property
    def actual(self) -> np.ndarray | None:
        """The returned numbers, in the expected shape if they fit; None without any."""
        returned = self.outcome.returned
        numbers = None if returned is None else returned.numbers
        if numbers is None or self.exact_shape:
            return numbers
        fit = fits(numbers.shape, self.expected.shape)
        return numbers.reshape(self.expected.shape) if fit else numbers

    @property
    def is_square(self) -> bool:
        """Whether all inputs and the expected result are square."""
        inputs = [part for part in self.case if isinstance(part, Tensor)]
        shapes = [part.shape for part in inputs] + [self.expected.shape]
        return all(shape[-1] == shape[-2] for shape in shapes if len(shape) > 1)
