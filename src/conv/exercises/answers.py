"""What a learner's answer turned out to be, in plain data that can't do harm."""

import contextlib
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
from torch import Tensor

LARGEST = 1_000_000  # numbers in an answer that are looked at
TOLERANCE = 1e-5  # of the largest number expected


@dataclass(frozen=True)
class Seen:
    """An answer, or what a function returned.

    Attributes
    ----------
    kind : str
        In words: "nothing", "a number", "a tensor of shape (2, 3)", "a str".
    numbers : ndarray of float64 or None
        What it holds, if those are numbers.
    dtype, device : str
        A tensor's; empty for anything else.
    """

    kind: str
    numbers: np.ndarray | None = None
    dtype: str = ""
    device: str = ""


def seen(value: object) -> Seen:
    """Describe any object; nothing that it is can raise an error here."""
    if value is None:
        return Seen("nothing")
    if isinstance(value, Tensor):
        return seen_tensor(value)
    with contextlib.suppress(Exception):  # ragged, too deep, too large, not numbers
        if isinstance(value, bool | int | float | Fraction | np.number):
            return Seen("a number", np.asarray(float(value)))
        if isinstance(value, np.ndarray | list | tuple):
            numbers = as_numbers(value)
            return Seen(f"{article(value)} of shape {numbers.shape}", numbers)
    return Seen(article(value))


def seen_tensor(value: Tensor) -> Seen:
    """Describe a tensor: its numbers too, if there are any and not too many."""
    complex_ = " of complex numbers" if value.is_complex() else ""
    kind = f"a tensor{complex_} of shape {tuple(value.shape)}"
    dtype, device = str(value.dtype).removeprefix("torch."), value.device.type
    numbers = None
    with contextlib.suppress(Exception):  # sparse, quantized, without data, ...
        if value.numel() <= LARGEST and not value.is_complex() and not value.is_meta:
            numbers = value.detach().cpu().double().numpy().copy()
    return Seen(kind, numbers, dtype, device)


def as_numbers(value: np.ndarray | list | tuple) -> np.ndarray:
    """Make one array of nested lists, in which tensors may stand, too."""
    if isinstance(value, np.ndarray):
        if value.size > LARGEST or value.dtype.kind not in "biuf":
            raise ValueError("not an array of numbers")
        return value.astype(np.float64)
    if len(value) > LARGEST:
        raise ValueError("too long")
    parts = [seen(part).numbers for part in value]
    if any(part is None for part in parts):
        raise ValueError("something in it is no number")
    return np.asarray(parts, dtype=np.float64)


def article(value: object) -> str:
    """Name a value's type: "a str", "an int"."""
    name = type(value).__name__
    return f"an {name}" if name[0].lower() in "aeiou" else f"a {name}"


def agree(
    answer: Seen, expected: Tensor | np.ndarray | float, within: float = TOLERANCE
) -> bool:
    """Tell whether an answer has the expected shape and numbers."""
    if answer.numbers is None:
        return False
    want = as_float64(expected)
    return answer.numbers.shape == want.shape and close(answer.numbers, want, within)


def close(got: np.ndarray, want: np.ndarray, within: float = TOLERANCE) -> bool:
    """Compare numbers of one shape, as parts of the largest that is wanted."""
    scale = np.abs(want[np.isfinite(want)]).max(initial=0.0) or 1.0
    return np.allclose(got, want, rtol=0, atol=within * scale)


def as_float64(value: Tensor | np.ndarray | float) -> np.ndarray:
    """Bring an expected value to NumPy."""
    if isinstance(value, Tensor):
        value = value.detach().cpu().numpy()
    return np.asarray(value, dtype=np.float64)
