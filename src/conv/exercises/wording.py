"""Describe a wrong result for which no misconception is known."""

from collections.abc import Sequence

import numpy as np
from torch import Tensor

from conv.exercises.case_result import CaseResult
from conv.exercises.comparison import agreement, as_float64

MAX_NUMBERS = 12  # a case with more isn't written out
CALLABLES = {"function", "method", "builtin_function_or_method", "type"}


def describe_difference(result: CaseResult, names: Sequence[str]) -> str:
    """Say how a wrong result differs from the expected one.

    Parameters
    ----------
    result : CaseResult
        The smallest case with a wrong result.
    names : sequence of str
        The names of the arguments.
    """
    actual, expected = result.actual, result.expected
    if actual is None:
        return describe_kind(result.outcome.returned.kind)
    given = describe_case(result, names)
    if actual.shape != expected.shape:
        return (
            f"{given}your result has shape {actual.shape}, but the expected shape is "
            f"{expected.shape}."
        )
    if given.startswith("For ") and expected.size <= MAX_NUMBERS:
        return (
            f"{given}the expected result is {write(expected)}, but your function "
            f"returned {write(actual)}."
        )
    return given + describe_first_error(actual, expected)


def describe_kind(kind: str) -> str:
    """Say what was returned instead of numbers."""
    message = f"Your function returned {kind}, but the checker expected real numbers."
    if kind.split()[-1] in CALLABLES:
        message += " Did you forget the parentheses of a call?"
    return message


def describe_case(result: CaseResult, names: Sequence[str]) -> str:
    """Write a small case as the beginning of a sentence."""
    simple = all(isinstance(part, Tensor | int | float | list) for part in result.case)
    sizes = [part.numel() for part in result.case if isinstance(part, Tensor)]
    if not simple or sum(sizes) > MAX_NUMBERS:
        return "In the smallest failing test case, "
    parts = [
        f"{name} = {write(as_float64(part))}"
        for name, part in zip(names, result.case, strict=True)
    ]
    return f"For {', '.join(parts[:-1])}{' and ' * (len(parts) > 1)}{parts[-1]}, "


def describe_first_error(actual: np.ndarray, expected: np.ndarray) -> str:
    """Count the right numbers, and name the first wrong one."""
    right = agreement(actual, expected)
    first = tuple(int(i) for i in np.argwhere(~right)[0])
    return (
        f"{right.sum()} of {right.size} numbers are correct. The first wrong number is "
        f"at index {list(first)}: the expected value is {write(expected[first])}, but "
        f"your function returned {write(actual[first])}."
    )


def write(array: np.ndarray) -> str:
    """Write numbers with at most six significant digits, as nested lists."""
    array = np.asarray(array)
    if array.ndim:
        return f"[{', '.join(write(part) for part in array)}]"
    return f"{array + 0.0:.6g}"
