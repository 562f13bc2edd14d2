"""Summarize a learner's answer as plain data."""

import contextlib
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
from torch import Tensor

MAX_SIZE = 1_000_000  # elements; larger answers are not read
TOLERANCE = 1e-5  # relative to the largest expected number


@dataclass(frozen=True)
class Summary:
    """A summary of an answer, or of what a function returned.

    Attributes
    ----------
    kind : str
        A description: "nothing", "a number", "a tensor of shape (2, 3)", "a str".
    numbers : ndarray of float64 or None
        The answer's numbers; None if it isn't numeric.
    dtype, device : str
        Those of a tensor; empty for any other answer.
    """

    kind: str
    numbers: np.ndarray | None = None
    dtype: str = ""
    device: str = ""


def summarize(value: object) -> Summary:
    """Summarize any object without raising an error."""
    if value is None:
        return Summary("nothing")
    if isinstance(value, Tensor):
        return summarize_tensor(value)
    with contextlib.suppress(Exception):  # ragged, too deep, too large, not numeric
        if isinstance(value, bool | int | float | Fraction | np.number):
            return Summary("a number", np.asarray(float(value)))
        if isinstance(value, np.ndarray | list | tuple):
            numbers = to_array(value)
            return Summary(f"{type_name(value)} of shape {numbers.shape}", numbers)
    return Summary(type_name(value))


def summarize_tensor(value: Tensor) -> Summary:
    """Summarize a tensor, with its numbers if they can be read."""
    complex_ = " of complex numbers" if value.is_complex() else ""
    kind = f"a tensor{complex_} of shape {tuple(value.shape)}"
    dtype, device = str(value.dtype).removeprefix("torch."), value.device.type
    numbers = None
    with contextlib.suppress(Exception):  # sparse, quantized, without data, ...
        if value.numel() <= MAX_SIZE and not value.is_complex() and not value.is_meta:
            numbers = value.detach().cpu().double().numpy().copy()
    return Summary(kind, numbers, dtype, device)


def to_array(value: np.ndarray | list | tuple) -> np.ndarray:
    """Convert an array or nested sequences, which may contain tensors, to float64."""
    if isinstance(value, np.ndarray):
        if value.size > MAX_SIZE or value.dtype.kind not in "biuf":
            raise ValueError("not an array of numbers")
        return value.astype(np.float64)
    if len(value) > MAX_SIZE:
        raise ValueError("too long")
    parts = [summarize(part).numbers for part in value]
    if any(part is None for part in parts):
        raise ValueError("an element is not numeric")
    return np.asarray(parts, dtype=np.float64)


def type_name(value: object) -> str:
    """Return the name of a value's type with an article: "a str", "an int"."""
    name = type(value).__name__
    return f"an {name}" if name[0].lower() in "aeiou" else f"a {name}"


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


def close(
    actual: np.ndarray, expected: np.ndarray, tolerance: float = TOLERANCE
) -> bool:
    """Compare arrays; the tolerance is relative to the largest expected number."""
    scale = np.abs(expected[np.isfinite(expected)]).max(initial=0.0) or 1.0
    return np.allclose(actual, expected, rtol=0, atol=tolerance * scale)


def as_float64(value: Tensor | np.ndarray | float) -> np.ndarray:
    """Convert an expected value to a NumPy array."""
    if isinstance(value, Tensor):
        value = value.detach().cpu().numpy()
    return np.asarray(value, dtype=np.float64)
