"""Judge an answer: right, or what its learner may have thought."""

from dataclasses import dataclass

import numpy as np

from conv.exercises.answers import Seen, agree, as_float64, seen
from conv.exercises.exercise import Exercise, ValueExercise
from conv.exercises.relations import Attempt


@dataclass(frozen=True)
class Verdict:
    """What a checker found.

    Attributes
    ----------
    number : str
        The exercise's.
    state : str
        "not attempted yet", "right" or "not yet".
    mistake, says : str
        The misconception's name, if it is a known one, and what to tell the learner.
    attempt : Attempt or None
        The smallest case that went wrong.
    """

    number: str
    state: str
    mistake: str = ""
    says: str = ""
    attempt: Attempt | None = None

    @property
    def right(self) -> bool:
        """Whether the answer is right."""
        return self.state == "right"

    def __str__(self) -> str:
        """Say it in a line, or in a few."""
        head = f"{self.number}  {self.state}"
        head += f": {self.mistake}" if self.mistake else ""
        return f"{head}\n{self.says}" if self.says else head


def untouched(exercise: Exercise) -> Verdict:
    """Make the verdict on an answer that nobody tried."""
    return Verdict(exercise.number, "not attempted yet")


def not_yet(
    exercise: Exercise, name: str, says: str, attempt: Attempt | None = None
) -> Verdict:
    """Make the verdict on a wrong answer."""
    return Verdict(exercise.number, "not yet", name, says, attempt)


def judge_value(
    exercise: ValueExercise, answer: object, reason: object = None
) -> Verdict:
    """Judge a number, some numbers or a tensor, and the reason if one is asked for."""
    parts = answer if isinstance(answer, list | tuple) else [answer]
    if any(part is None for part in parts):
        return untouched(exercise)
    found, expected = seen(answer), as_float64(exercise.expected())
    if found.numbers is None:
        says = f"Answer with {wanted(expected)}; you gave {found.kind}."
        return not_yet(exercise, "not a number", says)
    if not np.isfinite(found.numbers).all():
        says = "Answer with finite numbers; there is a nan or an infinity in yours."
        return not_yet(exercise, "not a number", says)
    if not fits(exercise, found, expected):
        return wrong_value(exercise, found, expected)
    if not exercise.reason:
        return Verdict(exercise.number, "right")
    return judge_reason(exercise, reason)


def fits(exercise: ValueExercise, found: Seen, expected: object) -> bool:
    """Tell whether a value is right."""
    if exercise.accept is not None:
        return found.numbers.shape == expected.shape and exercise.accept(found.numbers)
    return agree(found, expected, exercise.within)


def wrong_value(exercise: ValueExercise, found: Seen, expected) -> Verdict:
    """Find the misconception behind a wrong value."""
    for mistake in exercise.mistakes:
        test = mistake.answer
        if test(found.numbers) if callable(test) else agree(found, test):
            return not_yet(exercise, mistake.name, mistake.says)
    got = found.numbers
    if got.shape != expected.shape:
        says = f"Answer with {wanted(expected)}; you gave {found.kind}."
        return not_yet(exercise, "wrong shape", says)
    if exercise.accept is None:
        if agree(found, -expected):
            return not_yet(exercise, "sign turned round", "Look at the sign again.")
        if got.shape == (2,) and agree(found, expected[::-1]):
            says = "The numbers are right, their order isn't. Read the question again."
            return not_yet(exercise, "order exchanged", says)
        if got.ndim == 2 and agree(found, expected[::-1, ::-1]):
            says = "Turned by 180 degrees. Which end of the window did you begin with?"
            return not_yet(exercise, "kernel flipped", says)
        if agree(found, 100 * expected) or agree(found, expected / 100):
            says = "A hundred times off. Is it a part, or a percentage?"
            return not_yet(exercise, "percent", says)
        if (
            got.shape == ()
            and abs(got - expected) == 1
            and expected == expected.round()
        ):
            says = "You are one off. Draw the smallest such thing, and count."
            return not_yet(exercise, "one off", says)
    if exercise.kind == "explain":
        says = "Measure again: just what the question asks for, and to three digits."
        return not_yet(exercise, "", says)
    return not_yet(exercise, "", "Try a smaller case by hand, or ask for a hint.")


def judge_reason(exercise: ValueExercise, reason: object) -> Verdict:
    """Judge the letter that goes with a right measurement."""
    letters = sorted([exercise.reason, *exercise.reasons])
    letter = reason.strip(" ().").lower() if isinstance(reason, str) else reason
    if letter == exercise.reason:
        return Verdict(exercise.number, "right")
    if isinstance(letter, str) and letter in exercise.reasons:
        mistake = exercise.reasons[letter]
        return not_yet(exercise, mistake.name, mistake.says)
    says = f"Measured well. Now the reason: one of {', '.join(map(repr, letters))}."
    return not_yet(exercise, "reason missing", says)


def wanted(expected) -> str:
    """Say in words what kind of answer is expected."""
    if expected.shape == ():
        return "a number"
    if expected.ndim == 1:
        return f"{len(expected)} numbers"
    return f"a tensor of shape {expected.shape}"
