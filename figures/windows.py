"""Chapter 5: a window over a padded image, and a window that skips positions."""

import drawsvg as draw
import torch
from torch import Tensor

import conv
from conv.plotting import PALETTE
from shapes import (
    CELL,
    FADE,
    INPUT,
    KERNEL,
    MARGIN,
    NEUTRAL,
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

ZERO = "#F4F4F4"  # the fill of a padded cell, which has no meaning of its own


def places(rows: int, columns: int) -> list[tuple[int, int]]:
    """List the positions of a window, row by row."""
    return [(i, j) for i in range(rows) for j in range(columns)]


def frame_of_zeros(rows: int, columns: int, x: float, y: float) -> draw.Group:
    """Draw the padding of one pixel around an image, and the image's outline."""
    group = draw.Group()
    for i, j in places(rows + 2, columns + 2):
        if i in (0, rows + 1) or j in (0, columns + 1):
            corner = x + j * CELL, y + i * CELL
            group.append(cell("0", *corner, ZERO, color=NEUTRAL))
    size = columns * CELL, rows * CELL
    style = {"fill": "none", "stroke": PALETTE["input"], "stroke_width": 4}
    group.append(draw.Rectangle(x + CELL, y + CELL, *size, **style))
    return group


def padding() -> draw.Drawing:
    """Slide a 3 x 3 window over a padded 3 x 3 image: nine positions fit."""
    X, K = torch.arange(9).reshape(3, 3), torch.ones(3, 3)
    Y = conv.conv2d(X[None, None], K[None, None], padding=1)[0, 0]
    x0, x1, x2, top = MARGIN, 308, 504, 58
    middle = top + CELL
    diagram = drawing(x2 + 3 * CELL + MARGIN, top + 5 * CELL + MARGIN, "Padding")
    captions = [("image X with padding 1", x0 + 2.5 * CELL, top)]
    captions += [("kernel K", x1 + 1.5 * CELL, middle)]
    captions += [("output Y", x2 + 1.5 * CELL, middle)]
    for words, x, y in captions:
        diagram.append(text(words, x, y - 22))
    diagram.append(grid(X, x0 + CELL, middle, INPUT))
    diagram.append(frame_of_zeros(3, 3, x0, top))
    diagram.append(grid(K, x1, middle, KERNEL))
    ends = (x1 + 3 * CELL + 12, x2 - 12)
    diagram.append(arrow(*((x, top + 2.5 * CELL) for x in ends)))
    diagram.append(empty_grid(3, 3, x2, middle, "white"))

    step = 0.55  # seconds per window
    motion = Motion(9 * step)
    stops = []
    for k, (i, j) in enumerate(places(3, 3)):
        label = number(Y[i, j].item())
        pixel = cell(label, x2 + j * CELL, middle + i * CELL, OUTPUT)
        motion.show(pixel, k * step + step - FADE)
        stops.append((k * step, j * CELL, i * CELL))
    motion.slide(outline(x0, top, 3 * CELL, 3 * CELL), stops)
    motion.slide(outline(x2, middle, CELL, CELL), stops)
    motion.add_to(diagram)
    return diagram


def outputs(Y: Tensor, kept: int, x: float, y: float, size: float) -> draw.Group:
    """Draw all outputs; only every `kept`-th has the color of an output."""
    group = draw.Group()
    for i, j in places(*Y.shape):
        corner = x + j * size, y + i * size
        label = number(Y[i, j].item())
        skipped = i % kept or j % kept
        if skipped:
            group.append(cell(label, *corner, "white", size, color=NEUTRAL))
        else:
            group.append(cell(label, *corner, OUTPUT, size))
    return group


def stride() -> draw.Drawing:
    """Slide a window with stride 2: it visits every second position."""
    X = torch.arange(25.0).reshape(5, 5)
    Y = conv.corr2d(X, torch.full((3, 3), 1 / 9)).round()  # the central pixels
    strided, size, step = Y[::2, ::2], 40, 1.2
    x0, x1, x2, top = MARGIN, 290, 506, 58
    middle, last = top + size, top + 1.5 * size
    diagram = drawing(x2 + 3 * size + MARGIN, top + 5 * size + MARGIN, "Stride")
    captions = [("image X", x0 + 2.5 * size, top)]
    captions += [("output, stride 1", x1 + 1.5 * size, middle)]
    captions += [("output, stride 2", x2 + 1.5 * size, middle)]
    for words, x, y in captions:
        diagram.append(text(words, x, y - 22))
    diagram.append(grid(X, x0, top, INPUT, size))
    diagram.append(outputs(Y, 2, x1, middle, size))
    ends = (x1 + 3 * size + 16, x2 + size / 2 - 16)
    diagram.append(arrow(*((x, top + 2.5 * size) for x in ends)))
    diagram.append(empty_grid(2, 2, x2 + size / 2, last, "white", size))

    motion = Motion(4 * step)
    stops = []
    for k, (i, j) in enumerate(places(2, 2)):
        corner = x2 + size / 2 + j * size, last + i * size
        label = number(strided[i, j].item())
        motion.show(cell(label, *corner, OUTPUT, size), k * step + 0.6)
        stops.append((k * step, j * size, i * size))
    skips = [(t, 2 * x, 2 * y) for t, x, y in stops]
    motion.slide(outline(x0, top, 3 * size, 3 * size), skips)
    motion.slide(outline(x1, middle, size, size), skips)
    motion.slide(outline(x2 + size / 2, last, size, size), stops)
    motion.add_to(diagram)
    return diagram
