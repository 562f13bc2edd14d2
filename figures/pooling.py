"""Chapter 7: max and average pooling."""

import drawsvg as draw
import torch

import conv
from shapes import (
    CELL,
    INPUT,
    MARGIN,
    OUTPUT,
    Motion,
    arrow,
    cell,
    drawing,
    empty_grid,
    grid,
    number,
    outline,
    text,
)

X = torch.tensor([[1.0, 2, 8, 3], [4, 1, 5, 4], [7, 2, 0, 1], [3, 0, 5, 6]])
STEP = 1.2  # seconds per window
WINDOWS = [(i, j) for i in range(2) for j in range(2)]


def pooling() -> draw.Drawing:
    """Slide a window over X: the largest value and the mean of each window."""
    results = [conv.pool2d(X[None, None], 2, mode)[0, 0] for mode in ("max", "avg")]
    left, top, right = MARGIN, 96, 310
    tops = [56, 212]
    diagram = drawing(right + 2 * CELL + 84, 320, "Max pooling and average pooling")
    diagram.append(text("image", left + 2 * CELL, top - 22))
    diagram.append(grid(X, left, top, INPUT))
    for name, y in zip(("max pooling", "average pooling"), tops, strict=True):
        diagram.append(text(name, right + CELL, y - 22))
        diagram.append(empty_grid(2, 2, right, y, "white"))
        start = left + 4 * CELL + 16, top + 2 * CELL
        diagram.append(arrow(start, (right - 16, y + CELL)))

    motion = Motion(len(WINDOWS) * STEP)
    for k, (i, j) in enumerate(WINDOWS):
        window = X[2 * i : 2 * i + 2, 2 * j : 2 * j + 2]
        a, b = divmod(window.argmax().item(), 2)
        place = left + (2 * j + b) * CELL, top + (2 * i + a) * CELL
        winner = cell(number(window.max().item()), *place, OUTPUT)
        motion.show(winner, k * STEP + 0.4)
        for Y, y in zip(results, tops, strict=True):
            place = right + j * CELL, y + i * CELL
            motion.show(cell(number(Y[i, j].item()), *place, OUTPUT), k * STEP + 0.7)
    stops = [(k * STEP, 2 * j * CELL, 2 * i * CELL) for k, (i, j) in enumerate(WINDOWS)]
    motion.slide(outline(left, top, 2 * CELL, 2 * CELL), stops)
    stops = [(k * STEP, j * CELL, i * CELL) for k, (i, j) in enumerate(WINDOWS)]
    for y in tops:
        motion.slide(outline(right, y, CELL, CELL), stops)
    motion.add_to(diagram)
    return diagram


def max_then_subsample() -> draw.Drawing:
    """Split max pooling of stripes into its two steps, before and after a move."""
    stripes = torch.tensor([0, 0, 1, 1, 0, 0, 1, 1])
    left, size, pitch = 206, 38, 52
    diagram = drawing(left + 8 * size + MARGIN, 410, "Max pooling in two steps")
    blocks = {"stripes": stripes, "shifted by one pixel": stripes.roll(1)}
    for top, (name, row) in zip((24, 222), blocks.items(), strict=True):
        maxima = torch.maximum(row, row.roll(-1))  # periodic
        labels = name, "max of two neighbors", "every other value"
        for k, label in enumerate(labels):
            y = top + k * pitch + size / 2
            diagram.append(text(label, MARGIN, y, 15, text_anchor="start"))
        diagram.append(grid(row[None], left, top, INPUT, size))
        diagram.append(grid(maxima[None], left, top + pitch, OUTPUT, size))
        for j in range(0, 8, 2):
            x = left + j * size
            diagram.append(outline(x, top + pitch, size, size))
            label = number(maxima[j].item())
            diagram.append(cell(label, x, top + 2 * pitch, OUTPUT, size))
    return diagram
