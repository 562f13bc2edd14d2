"""Compare a learner's numbers with the expected ones."""

import numpy as np
from torch import Tensor

from conv.exercises.worker import Summary

TOLERANCE = 1e-5  # relative to the largest expected number


def matches(
    answer: Summary,
    expected: Tensor | np.ndarray | float,
    tolerance: float = TOLERANCE,
) -> bool:
    """Return whether an answer has the expected shape and numbers."""
    if answer.numbers is None:
        return False
    target = as_float64(expected)
    same_shape = answer.numbers.shape == target.shape
    return same_shape and close(answer.numbers, target, tolerance)


def matches_freely(answer: Summary, expected: Tensor | np.ndarray | float) -> bool:
    """Return whether an answer is right up to axes that carry no information.

    These are axes of length 1 that are extra or missing. If a row of numbers is
    expected, a matrix with the same numbers in the same order is accepted as well.
    """
    target = as_float64(expected)
    if answer.numbers is None or not fits(answer.numbers.shape, target.shape):
        return False
    return close(answer.numbers.reshape(target.shape), target)


def fits(shape: tuple[int, ...], expected: tuple[int, ...]) -> bool:
    """Return whether two shapes differ only by axes that carry no information."""
    if np.prod(shape) != np.prod(expected):
        return False
    longer, shorter = sorted((shape, expected), key=len, reverse=True)
    same = shape == expected or len(expected) <= 1
    return same or (len(longer) > len(shorter) and without_ones(longer, shorter))


def without_ones(longer: tuple[int, ...], shorter: tuple[int, ...]) -> bool:
    """Return whether leaving out axes of length 1 turns one shape into the other."""
    remaining = list(shorter)
    for size in longer:
        if remaining and size == remaining[0]:
            remaining.pop(0)
        elif size != 1:
            return False
    return not remaining


def close(
    actual: np.ndarray, expected: np.ndarray, tolerance: float = TOLERANCE
) -> bool:
    """Return whether all numbers agree with the expected ones."""
    return bool(agreement(actual, expected, tolerance).all())


def agreement(
    actual: np.ndarray, expected: np.ndarray, tolerance: float = TOLERANCE
) -> np.ndarray:
    """Compare element by element, relative to the largest expected number."""
    scale = np.abs(expected[np.isfinite(expected)]).max(initial=0.0) or 1.0
    return np.isclose(actual, expected, rtol=0, atol=tolerance * scale)


def as_float64(value: Tensor | np.ndarray | float) -> np.ndarray:
    """Convert an expected value to a NumPy array."""
    if isinstance(value, Tensor):
        value = value.detach().cpu().numpy()
    return np.asarray(value, dtype=np.float64)
