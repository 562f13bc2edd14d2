"""Pictures for a learner: the smallest wrong case, and how far the course has gone."""

import inspect
import itertools
from collections.abc import Iterable, Mapping, Sequence

import numpy as np
import torch
from matplotlib.axes import Axes
from matplotlib.patches import Rectangle
from torch import Tensor

from conv.exercises.answers import close
from conv.exercises.exercise import Exercise, FunctionExercise
from conv.exercises.relations import Attempt
from conv.plotting import COLOURS, Figure, short, show_kernels, subplots

LONGEST, MOST = 12, 14  # numbers a side, and matrices, that can be read
CELL, TITLE, MARGIN, WIDTH = 0.42, 0.7, 0.75, 9.4  # inches


def draw_attempt(exercise: FunctionExercise, attempt: Attempt) -> Figure | None:
    """Draw what went in, what should come out, and what came.

    Parameters
    ----------
    exercise : FunctionExercise
        Its oracle's arguments name the inputs.
    attempt : Attempt
        A case of it.

    Returns
    -------
    Figure or None
        None where there is nothing to draw, or too much to read.
    """
    names = list(inspect.signature(exercise.expected).parameters)
    named = dict(zip(names, attempt.case, strict=True))
    numbers = {
        n: part for n, part in named.items() if isinstance(part, int | float | list)
    }
    given = [plane for n, part in named.items() for plane in planes(n, part)]
    want = planes("expected", torch.from_numpy(attempt.want))
    got = planes("yours", got_or_nothing(attempt))
    every = given + want + got
    if not given + want or len(every) > MOST or longest(every) > LONGEST:
        return None
    titles, matrices = zip(*every, strict=True)
    heading = ", ".join(f"{name} = {value}" for name, value in numbers.items())
    figure, axes = places_for([matrix.shape for matrix in matrices], heading)
    shown = [matrix.nan_to_num(posinf=0, neginf=0) for matrix in matrices]
    show_kernels(shown, titles, axes=axes)
    for ax, (_, mine), (_, right) in zip(axes[-len(got) :], got, want, strict=False):
        outline_differences(ax, mine.numpy(), right.numpy())
    figure.alt = in_words([heading, *(f"{t}: {rows(m)}" for t, m in every)])
    return figure


def places_for(
    shapes: Sequence[tuple[int, int]], heading: str
) -> tuple[Figure, list[Axes]]:
    """Make axes for matrices, their cells all of one size, line by line."""
    corners, x, y, lowest = [], 0.0, 0.0, 0.0
    for height, width in shapes:
        slot = max(width * CELL, TITLE) + MARGIN
        if x and x + slot > WIDTH:
            x, y = 0.0, lowest
        corners.append((x + MARGIN - 0.1, y + 0.35))
        x += slot
        lowest = max(lowest, y + height * CELL + MARGIN + 0.25)
    top = 0.3 if heading else 0.0
    figure = Figure(figsize=(WIDTH, lowest + top))
    figure.text(0.01, 1 - 0.2 / (lowest + top), heading, fontsize=10)
    axes = []
    for (height, width), (left, above) in zip(shapes, corners, strict=True):
        size = width * CELL, height * CELL
        bottom = lowest - above - size[1]
        box = [left / WIDTH, bottom, size[0] / WIDTH, size[1]]
        box[1::2] = (side / (lowest + top) for side in box[1::2])
        axes.append(figure.add_axes(box))
    return figure, axes


def got_or_nothing(attempt: Attempt) -> Tensor | None:
    """Give what came as a tensor, if numbers came."""
    return None if attempt.got is None else torch.from_numpy(attempt.got)


def planes(name: str, part: object) -> list[tuple[str, Tensor]]:
    """Cut a tensor of up to four axes into matrices, each with a title."""
    if not isinstance(part, Tensor) or part.ndim > 4 or part.numel() == 0:
        return []
    part = part.detach()
    if part.ndim < 2:
        return [(name, part.reshape(1, -1))]
    places = itertools.product(*map(range, part.shape[:-2]))
    return [(f"{name}{list(place) or ''}", part[place]) for place in places]


def longest(matrices: Iterable[tuple[str, Tensor]]) -> int:
    """Find the longest side of all."""
    return max(max(matrix.shape) for _, matrix in matrices)


def outline_differences(ax: Axes, got: np.ndarray, want: np.ndarray) -> None:
    """Frame the numbers that are wrong; all of them, if the shape is."""
    same = got.shape == want.shape
    for (i, j), value in np.ndenumerate(got):
        if not (same and close(value, want[i, j])):
            corner = (j - 0.46, i - 0.46)
            ax.add_patch(
                Rectangle(corner, 0.92, 0.92, fill=False, color="black", linewidth=2.5)
            )
        if not np.isfinite(value):
            ax.texts[i * got.shape[1] + j].set_text(str(value))


def rows(matrix: Tensor) -> str:
    """Write a matrix's numbers, row by row."""
    return " / ".join(" ".join(map(short, row)) for row in matrix.tolist())


def in_words(parts: Iterable[str]) -> str:
    """Join the parts of an alternative text."""
    return "The smallest wrong case. " + "; ".join(filter(None, parts)) + "."


def draw_progress(
    exercises: Mapping[str, Exercise], counts: Mapping[str, Mapping]
) -> Figure:
    """Draw a square for each exercise, a row for each chapter.

    Parameters
    ----------
    exercises : mapping of str to Exercise
        All of the course, by number.
    counts : mapping of str to mapping
        As `conv.exercises.progress.Progress` keeps them.

    Returns
    -------
    Figure
    """
    solved = [n for n in exercises if counts.get(n, {}).get("right")]
    tried = [n for n in exercises if n in counts and n not in solved]
    alt = f"Solved: {len(solved)} of {len(exercises)} exercises"
    alt += f" ({', '.join(solved)})" if solved else ""
    alt += f". Begun: {', '.join(tried) or 'no others'}."
    last, most = (max(int(n.split(".")[k]) for n in exercises) for k in (0, 1))
    figure, ax = subplots(size=(6.4, 2.8), alt=alt)
    for number in exercises:
        chapter, place = map(int, number.split("."))
        colour, mark = "0.9", ""
        if number in solved:
            colour, mark = COLOURS[2], "✓"
        elif number in tried:
            colour, mark = COLOURS[4], "…"
        ax.add_patch(Rectangle((chapter - 0.45, place - 0.45), 0.9, 0.9, color=colour))
        ax.text(chapter, place, mark, ha="center", va="center", color="black")
    ax.set(xlim=(0.4, last + 0.6), ylim=(most + 0.6, 0.4), aspect="equal")
    ax.set(xlabel="chapter", ylabel="exercise", xticks=range(1, last + 1))
    ax.set_yticks(range(1, most + 1))
    ax.set_title(f"{len(solved)} of {len(exercises)} exercises solved")
    return figure
