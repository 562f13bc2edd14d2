"""Judge an answer that is a value, and name the misconception behind a wrong one."""

from dataclasses import dataclass

import numpy as np

from conv.exercises.case_result import CaseResult
from conv.exercises.exercise import Exercise, Mistake, ValueExercise
from conv.exercises.summary import (
    TOLERANCE,
    Summary,
    as_float64,
    matches,
    summarize,
)


@dataclass(frozen=True)
class Verdict:
    """The result of judging an answer.

    Attributes
    ----------
    number : str
        The number of the exercise.
    state : str
        "not attempted yet", "right" or "not yet".
    mistake, message : str
        The name of the misconception, if a known one was found, and the text for the
        learner.
    case_result : CaseResult or None
        The smallest case with a wrong result.
    """

    number: str
    state: str
    mistake: str = ""
    message: str = ""
    case_result: CaseResult | None = None

    @property
    def right(self) -> bool:
        """Whether the answer is right."""
        return self.state == "right"

    def __str__(self) -> str:
        """Format the verdict as the text that a learner reads."""
        head = f"{self.number}  {self.state}"
        head += f": {self.mistake}" if self.mistake else ""
        return f"{head}\n{self.message}" if self.message else head


def not_attempted(exercise: Exercise) -> Verdict:
    """Return the verdict on a missing answer."""
    return Verdict(exercise.number, "not attempted yet")


def wrong(
    exercise: Exercise,
    mistake: str,
    message: str,
    case_result: CaseResult | None = None,
) -> Verdict:
    """Return the verdict on a wrong answer."""
    return Verdict(exercise.number, "not yet", mistake, message, case_result)


def judge_value(
    exercise: ValueExercise, answer: object, reason: object = None
) -> Verdict:
    """Judge a number, several numbers or a tensor, and the reason if one is needed."""
    parts = answer if isinstance(answer, list | tuple) else [answer]
    if any(part is None for part in parts):
        return not_attempted(exercise)
    summary, expected = summarize(answer), as_float64(exercise.expected())
    if summary.numbers is None:
        message = f"Answer with {describe(expected)}; you gave {summary.kind}."
        return wrong(exercise, "not a number", message)
    if not np.isfinite(summary.numbers).all():
        message = "Answer with finite numbers; yours contains a nan or an infinity."
        return wrong(exercise, "not a number", message)
    if not is_right(exercise, summary, expected):
        return judge_wrong_value(exercise, summary, expected)
    if not exercise.reason:
        return Verdict(exercise.number, "right")
    return judge_reason(exercise, reason)


def is_right(exercise: ValueExercise, summary: Summary, expected: np.ndarray) -> bool:
    """Return whether a value is right."""
    if exercise.accept is not None:
        same_shape = summary.numbers.shape == expected.shape
        return same_shape and exercise.accept(summary.numbers)
    return matches(summary, expected, exercise.tolerance)


def judge_wrong_value(
    exercise: ValueExercise, summary: Summary, expected: np.ndarray
) -> Verdict:
    """Find the misconception behind a wrong value."""
    tolerance = max(exercise.tolerance, TOLERANCE)
    for mistake in exercise.mistakes:
        if has_mistake(summary, mistake, tolerance):
            return wrong(exercise, mistake.name, mistake.message)
    if summary.numbers.shape != expected.shape:
        message = f"Answer with {describe(expected)}; you gave {summary.kind}."
        return wrong(exercise, "wrong shape", message)
    name, message = "", "Try a smaller case by hand, or ask for a hint."
    if exercise.kind == "explain":
        message = "Measure again exactly what the question asks for, to three digits."
    if exercise.accept is None:
        name, message = generic_mistake(summary, expected, tolerance) or (name, message)
    return wrong(exercise, name, message)


def has_mistake(summary: Summary, mistake: Mistake, tolerance: float) -> bool:
    """Return whether a value is one of the answers that a mistake leads to."""
    return any(
        answer(summary.numbers)
        if callable(answer)
        else matches(summary, answer, tolerance)
        for answer in mistake.answers
    )


def generic_mistake(
    summary: Summary, expected: np.ndarray, tolerance: float
) -> tuple[str, str] | None:
    """Find a misconception that can occur in any exercise: its name and message."""
    numbers = summary.numbers
    if matches(summary, -expected, tolerance):
        return "wrong sign", "Check the sign."
    if numbers.shape == (2,) and matches(summary, expected[::-1], tolerance):
        message = "The numbers are right, but not their order. Read the question again."
        return "order exchanged", message
    if numbers.ndim == 2 and matches(summary, expected[::-1, ::-1], tolerance):
        message = "Your answer is rotated by 180 degrees. Which weight of the kernel "
        return "kernel flipped", message + "meets the first pixel of the window?"
    if any(matches(summary, expected * k, tolerance) for k in (100, 0.01)):
        message = "Your answer is off by a factor of 100. Is it a fraction or a "
        return "percent", message + "percentage?"
    is_integer = numbers.shape == () and expected == expected.round()
    if is_integer and abs(numbers - expected) == 1:
        return "one off", "You are off by one. Draw the smallest example and count."
    return None


def judge_reason(exercise: ValueExercise, reason: object) -> Verdict:
    """Judge the letter that accompanies a right measurement."""
    letters = sorted([exercise.reason, *exercise.reasons])
    letter = reason.strip(" ().").lower() if isinstance(reason, str) else reason
    if letter == exercise.reason:
        return Verdict(exercise.number, "right")
    if isinstance(letter, str) and letter in exercise.reasons:
        mistake = exercise.reasons[letter]
        return wrong(exercise, mistake.name, mistake.message)
    options = ", ".join(map(repr, letters))
    message = f"Your measurement is right. Now add the reason: one of {options}."
    return wrong(exercise, "reason missing", message)


def describe(expected: np.ndarray) -> str:
    """Describe what kind of answer is expected."""
    if expected.shape == ():
        return "a number"
    if expected.ndim == 1:
        return f"{len(expected)} numbers"
    return f"a tensor of shape {expected.shape}"
