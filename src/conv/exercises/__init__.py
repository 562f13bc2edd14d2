"""Self-checking exercises: ``from conv.exercises import check, hint``."""

from conv.exercises.exercise import Exercise
from conv.exercises.grader import Checks, Grader
from conv.exercises.judging import Verdict
from conv.exercises.registry import load_exercises

EXERCISES: dict[str, Exercise] = load_exercises()
GRADER = Grader(EXERCISES)

check = Checks(GRADER)
judge = GRADER.judge
hint = GRADER.hint
solution = GRADER.solution
progress = GRADER.progress

__all__ = ["EXERCISES", "Verdict", "check", "hint", "judge", "progress", "solution"]
