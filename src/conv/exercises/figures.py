"""Figures for a learner: the smallest failing case, and the progress so far."""

import inspect
import itertools
from collections.abc import Iterable, Mapping, Sequence

import numpy as np
import torch
from matplotlib.axes import Axes
from matplotlib.patches import Rectangle
from torch import Tensor

from conv.exercises.case_result import CaseResult
from conv.exercises.comparison import close
from conv.exercises.exercise import Exercise, FunctionExercise
from conv.plotting import PALETTE, Figure, short, show_kernels, subplots

MAX_SIDE, MAX_MATRICES = 12, 14  # larger figures are hard to read
CELL, TITLE, MARGIN, WIDTH = 0.42, 0.7, 0.75, 9.4  # inches


def draw_case(exercise: FunctionExercise, result: CaseResult) -> Figure | None:
    """Draw a case's inputs, the expected result and the learner's result.

    Parameters
    ----------
    exercise : FunctionExercise
        Its reference implementation names the inputs.
    result : CaseResult
        The result on one of its cases.

    Returns
    -------
    Figure or None
        None if there is nothing to draw, or too much to read.
    """
    names = list(inspect.signature(exercise.expected).parameters)
    inputs = dict(zip(names, result.case, strict=True))
    numbers = {
        name: part
        for name, part in inputs.items()
        if isinstance(part, int | float | list)
    }
    given = [matrix for name, part in inputs.items() for matrix in split(name, part)]
    expected, actual = split("expected", result.expected), split("yours", result.actual)
    matrices = given + expected + actual
    too_many = len(matrices) > MAX_MATRICES or longest_side(matrices) > MAX_SIDE
    if not given + expected or too_many:
        return None
    titles, tensors = zip(*matrices, strict=True)
    heading = ", ".join(f"{name} = {value}" for name, value in numbers.items())
    figure, axes = layout_axes([tensor.shape for tensor in tensors], heading)
    finite = [tensor.nan_to_num(posinf=0, neginf=0) for tensor in tensors]
    show_kernels(finite, titles, axes=axes)
    last = axes[-len(actual) :]
    for ax, (_, mine), (_, right) in zip(last, actual, expected, strict=False):
        outline_differences(ax, mine.numpy(), right.numpy())
    figure.alt = alt_text([heading, *(f"{t}: {format_rows(m)}" for t, m in matrices)])
    return figure


def layout_axes(
    shapes: Sequence[tuple[int, int]], heading: str
) -> tuple[Figure, list[Axes]]:
    """Create axes for matrices, in rows, with the same cell size everywhere."""
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


def split(name: str, part: object) -> list[tuple[str, Tensor]]:
    """Split a tensor of up to four axes into matrices, each with a title."""
    if isinstance(part, np.ndarray):
        part = torch.from_numpy(part)
    if not isinstance(part, Tensor) or part.ndim > 4 or part.numel() == 0:
        return []
    part = part.detach()
    if part.ndim < 2:
        return [(name, part.reshape(1, -1))]
    indices = itertools.product(*map(range, part.shape[:-2]))
    return [(f"{name}{list(index) or ''}", part[index]) for index in indices]


def longest_side(matrices: Iterable[tuple[str, Tensor]]) -> int:
    """Return the length of the longest side of all matrices."""
    return max((max(matrix.shape) for _, matrix in matrices), default=0)


def outline_differences(ax: Axes, actual: np.ndarray, expected: np.ndarray) -> None:
    """Outline the wrong numbers, or all numbers if the shape is wrong."""
    same_shape = actual.shape == expected.shape
    for (i, j), value in np.ndenumerate(actual):
        if not (same_shape and close(value, expected[i, j])):
            corner = (j - 0.46, i - 0.46)
            ax.add_patch(
                Rectangle(corner, 0.92, 0.92, fill=False, color="black", linewidth=2.5)
            )
        if not np.isfinite(value):
            ax.texts[i * actual.shape[1] + j].set_text(str(value))


def format_rows(matrix: Tensor) -> str:
    """Format a matrix's numbers, row by row."""
    return " / ".join(" ".join(map(short, row)) for row in matrix.tolist())


def alt_text(parts: Iterable[str]) -> str:
    """Join the parts of the alternative text."""
    return "The smallest failing test case. " + "; ".join(filter(None, parts)) + "."


def draw_progress(
    exercises: Mapping[str, Exercise], counts: Mapping[str, Mapping]
) -> Figure:
    """Draw one square per exercise and one column per chapter.

    Parameters
    ----------
    exercises : mapping of str to Exercise
        All exercises, by number.
    counts : mapping of str to mapping
        As returned by `conv.exercises.progress.Progress.read`.

    Returns
    -------
    Figure
    """
    solved = [n for n in exercises if counts.get(n, {}).get("right")]
    attempted = [n for n in exercises if n in counts and n not in solved]
    alt = f"Solved: {len(solved)} of {len(exercises)} exercises"
    alt += f" ({', '.join(solved)})" if solved else ""
    alt += f". Attempted but not solved: {', '.join(attempted) or 'none'}."
    last, most = (max(int(n.split(".")[k]) for n in exercises) for k in (0, 1))
    figure, ax = subplots(size=(6.4, 2.8), alt=alt)
    for number in exercises:
        chapter, position = map(int, number.split("."))
        color, mark = "0.92", number
        if number in solved:
            color, mark = PALETTE["output"], "✓"
        elif number in attempted:
            color = PALETTE["kernel"]
        corner = (chapter - 0.45, position - 0.45)
        ax.add_patch(Rectangle(corner, 0.9, 0.9, color=color))
        ax.text(chapter, position, mark, ha="center", va="center", fontsize=8)
    ax.set(xlim=(0.4, last + 0.6), ylim=(most + 0.6, 0.4), aspect="equal")
    ax.set_axis_off()
    title = f"{len(solved)} of {len(exercises)} exercises solved"
    ax.set_title(f"{title}, {len(attempted)} more attempted" if attempted else title)
    return figure
