"""Collect the exercises from the chapters' modules."""

import pkgutil
from collections.abc import Iterable
from dataclasses import replace
from importlib import import_module
from types import ModuleType

from conv.exercises import chapters
from conv.exercises.exercise import Exercise


def load_exercises() -> dict[str, Exercise]:
    """Load the exercises of all chapters, by number."""
    names = sorted(module.name for module in pkgutil.iter_modules(chapters.__path__))
    return collect(import_module(f"{chapters.__name__}.{name}") for name in names)


def collect(modules: Iterable[ModuleType]) -> dict[str, Exercise]:
    """Collect the exercises that modules define.

    Parameters
    ----------
    modules : iterable of module
        Each exercise is a variable of its module, and the variable's name becomes the
        exercise's name.

    Returns
    -------
    dict of str to Exercise
        By number, in order of definition.

    Raises
    ------
    ValueError
        If two exercises have the same number or the same name.
    """
    exercises: dict[str, Exercise] = {}
    places: dict[str, str] = {}  # where each number and each name is defined
    for module in modules:
        for name, value in vars(module).items():
            if not isinstance(value, Exercise):
                continue
            place = f"{module.__name__}.{name}"
            for kind, key in (("number", value.number), ("name", name)):
                if key in places:
                    raise ValueError(
                        f"two exercises have the {kind} {key!r}: "
                        f"{places[key]} and {place}"
                    )
                places[key] = place
            exercises[value.number] = replace(value, name=name)
    return exercises
