"""Judge an answer that is a value, and name the misconception behind a wrong one."""

from dataclasses import dataclass, replace

import numpy as np

from conv.exercises.case_result import CaseResult
from conv.exercises.comparison import TOLERANCE, as_float64, close, fits, matches
from conv.exercises.exercise import Exercise, Mistake, ValueExercise
from conv.exercises.worker import Summary, summarize


@dataclass(frozen=True)
class Verdict:
    """The result of judging an answer.

    Attributes
    ----------
    number : str
        The number of the exercise.
    state : str
        "not attempted yet", "correct" or "not correct yet".
    mistake, message : str
        The name of the misconception, if a known one was found, and the text for the
        learner.
    case_result : CaseResult or None
        The smallest case with a wrong result.
    remark : str
        A comment on the form of a right answer.
    """

    number: str
    state: str
    mistake: str = ""
    message: str = ""
    case_result: CaseResult | None = None
    remark: str = ""

    @property
    def right(self) -> bool:
        """Whether the answer is right."""
        return self.state == "correct"

    def __str__(self) -> str:
        """Format the verdict as the text that a learner reads."""
        head = f"{self.number}  {self.state}"
        head += f": {self.mistake}" if self.mistake else ""
        remark = f"({self.remark})" if self.remark else ""
        return "\n".join(filter(None, [head, self.message, remark]))


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
    return Verdict(exercise.number, "not correct yet", mistake, message, case_result)


def judge_value(
    exercise: ValueExercise, answer: object, reason: object = None
) -> Verdict:
    """Judge a number, several numbers or a tensor, and the reason if one is needed."""
    parts = answer if type(answer) in (list, tuple) else [answer]
    if any(part is None for part in parts):
        return not_attempted(exercise)
    summary, expected = summarize(answer), as_float64(exercise.expected())
    if summary.numbers is None:
        message = unexpected_kind(summary, expected)
        return wrong(exercise, "not a number", message)
    if not np.isfinite(summary.numbers).all():
        message = "Your answer contains nan or infinity, but it must be finite."
        return wrong(exercise, "not finite", message)
    shape, remark = summary.numbers.shape, ""
    if not is_right(exercise, summary, expected):
        known = find_mistake(exercise, summary)
        if known is not None:
            return wrong(exercise, known.name, known.message)
        if "shape" not in exercise.requires and fits(shape, expected.shape):
            summary = replace(summary, numbers=summary.numbers.reshape(expected.shape))
        if not is_right(exercise, summary, expected):
            return judge_wrong_value(exercise, summary, expected)
        remark = (
            f"The checker accepts your answer, although it expected "
            f"{describe(expected)} and got {summarize(answer).kind}."
        )
    if exercise.reason:
        return judge_reason(exercise, reason, remark)
    return Verdict(exercise.number, "correct", remark=remark)


def is_right(exercise: ValueExercise, summary: Summary, expected: np.ndarray) -> bool:
    """Return whether a value is right, in the expected shape."""
    if exercise.accept is not None:
        same_shape = summary.numbers.shape == expected.shape
        return same_shape and bool(exercise.accept(summary.numbers))
    return matches(summary, expected, exercise.tolerance)


def find_mistake(exercise: ValueExercise, summary: Summary) -> Mistake | None:
    """Find the first known misconception that leads to a value."""
    tolerance = max(exercise.tolerance, TOLERANCE)
    for mistake in exercise.mistakes:
        if has_mistake(summary, mistake, tolerance):
            return mistake
    return None


def judge_wrong_value(
    exercise: ValueExercise, summary: Summary, expected: np.ndarray
) -> Verdict:
    """Judge a wrong value without the exercise's own mistakes."""
    known = find_mistake(exercise, summary)  # once more, in the expected shape
    if known is not None:
        return wrong(exercise, known.name, known.message)
    if summary.numbers.shape != expected.shape:
        message = unexpected_kind(summary, expected)
        return wrong(exercise, "wrong shape", message)
    if exercise.accept is not None:
        return wrong(exercise, "", "Read the question again, or ask for a hint.")
    tolerance = max(exercise.tolerance, TOLERANCE)
    name, message = generic_mistake(summary, expected, tolerance)
    if not name:
        message = compare_parts(summary.numbers, expected, tolerance)
        message += ADVICE.get(exercise.kind, " Work through a smaller case by hand.")
    return wrong(exercise, name, message)


ADVICE = {"explain": " Measure exactly the quantity that the question asks for."}


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
) -> tuple[str, str]:
    """Describe a wrong value by its relation to the expected one: name and message."""
    numbers = summary.numbers
    if matches(summary, -expected, tolerance):
        return "wrong sign", "The magnitude is correct, but the sign is wrong."
    if numbers.shape == (2,) and matches(summary, expected[::-1], tolerance):
        message = "The numbers are correct, but they are in the wrong order."
        return "wrong order", message
    if numbers.ndim == 2 and matches(summary, expected[::-1, ::-1], tolerance):
        message = "Your answer is rotated by 180 degrees. Which weight of the kernel "
        return "kernel flipped", message + "multiplies the first pixel of the window?"
    if any(matches(summary, expected * k, tolerance) for k in (100, 0.01)):
        message = "Your answer is off by a factor of 100. Does the question ask for a "
        return "fraction or percentage", message + "fraction or for a percentage?"
    if is_rounded(numbers, expected):
        message = "Your answer is close, but it has too few digits. Don't round it."
        return "rounded too far", message
    return "", ""


def is_rounded(numbers: np.ndarray, expected: np.ndarray) -> bool:
    """Return whether numbers are the expected ones with one or two digits."""
    if numbers.ndim > 1 or (expected == expected.round()).all():
        return False
    return any(
        np.allclose(numbers, [float(f"{x:.{digits}g}") for x in expected.flat])
        for digits in (1, 2)
    )


def compare_parts(numbers: np.ndarray, expected: np.ndarray, tolerance: float) -> str:
    """Count the numbers that are right, or say whether a single one is too large."""
    if numbers.ndim == 0:
        direction = "large" if numbers > expected else "small"
        return f"Your answer is too {direction}."
    right = [
        close(one, other, tolerance)
        for one, other in zip(numbers.ravel(), expected.ravel(), strict=True)
    ]
    count = sum(right)
    return f"{count} of {len(right)} numbers {'is' if count == 1 else 'are'} correct."


def judge_reason(exercise: ValueExercise, reason: object, remark: str) -> Verdict:
    """Judge the letter that accompanies a right measurement."""
    letters = sorted([exercise.reason, *exercise.reasons])
    letter = reason.strip(" ().").lower() if type(reason) is str else ""
    if letter == exercise.reason:
        return Verdict(exercise.number, "correct", remark=remark)
    if letter in exercise.reasons:
        mistake = exercise.reasons[letter]
        return wrong(exercise, mistake.name, mistake.message)
    *others, last = map(repr, letters)
    message = "Your measurement is correct. Now add the letter of the reason as a "
    message += f"second argument: {', '.join(others)} or {last}."
    return wrong(exercise, "missing reason", message)


def unexpected_kind(summary: Summary, expected: np.ndarray) -> str:
    """Say what the checker expected, and what the answer is instead."""
    return (
        f"The checker expects {describe(expected)}, but your answer is {summary.kind}."
    )


def describe(expected: np.ndarray) -> str:
    """Describe what kind of answer is expected."""
    if expected.shape == ():
        return "a number"
    if expected.ndim == 1:
        return f"{len(expected)} numbers"
    return f"a tensor of shape {expected.shape}"
