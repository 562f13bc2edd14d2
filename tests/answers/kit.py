"""Collect answers: ``@wrong("1.3", "kernel flipped")`` over a function, or a value."""

from collections.abc import Callable

WRONG: list[tuple[str, str, tuple]] = []  # number, misconception, answer
RIGHT: list[tuple[str, tuple]] = []  # number, answer


def wrong(number: str, name: str, *answer: object) -> Callable:
    """Keep a wrong answer and the misconception that it must be named by."""

    def keep(function: Callable) -> Callable:
        WRONG.append((number, name, (function,)))
        return function

    if answer:
        WRONG.append((number, name, answer))
    return keep


def right(number: str, *answer: object) -> Callable:
    """Keep a right answer, written in another way than the solution."""

    def keep(function: Callable) -> Callable:
        RIGHT.append((number, (function,)))
        return function

    if answer:
        RIGHT.append((number, answer))
    return keep
