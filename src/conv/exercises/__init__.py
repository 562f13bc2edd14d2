"""Exercises that answer back: ``from conv.exercises import check, hint``."""

from importlib import import_module

from conv.exercises.exercise import Exercise
from conv.exercises.judging import Verdict
from conv.exercises.notebook import Checks, Desk

CHAPTERS = [import_module(f"conv.exercises.chapter_{n:02}") for n in range(1, 15)]
EXERCISES: dict[str, Exercise] = {
    found.number: found
    for chapter in CHAPTERS
    for found in vars(chapter).values()
    if isinstance(found, Exercise)
}
DESK = Desk(EXERCISES)

check = Checks(DESK)
judge = DESK.judge
hint = DESK.hint
solution = DESK.solution
progress = DESK.progress

__all__ = ["EXERCISES", "Verdict", "check", "hint", "judge", "progress", "solution"]
