"""Answers to the exercises, compared with a judge's."""

from collections.abc import Sequence

import torch
from torch import Tensor

Answer = Tensor | Sequence[float] | float


def compare(answer: Answer | None, expected: Answer) -> str:
    """Tell a learner how an answer compares with the expected one.

    Parameters
    ----------
    answer : Tensor, sequence of numbers, number or None
        The learner's; None stands for an exercise that nobody tried.
    expected : Tensor, sequence of numbers or number
        The judge's.

    Returns
    -------
    str
        One line: not attempted, right, or what differs. It never gives the expected
        numbers away.
    """
    if answer is None:
        return "not attempted yet"
    got, want = as_numbers(answer), as_numbers(expected)
    if got.shape != want.shape:
        return f"not yet: your shape is {tuple(got.shape)}, not {tuple(want.shape)}"
    wrong = ~torch.isclose(got, want, rtol=1e-4, atol=1e-5)
    if wrong.any():
        return f"not yet: {int(wrong.sum())} of {wrong.numel()} numbers differ"
    return "right"


def as_numbers(value: Answer) -> Tensor:
    """Bring an answer to the CPU, in float64 (which some devices don't have)."""
    if isinstance(value, Tensor):
        value = value.detach().cpu()
    return torch.as_tensor(value, dtype=torch.float64)
