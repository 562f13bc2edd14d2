"""Chapter 1: two ways to compute a cross-correlation, step by step."""

import drawsvg as draw
import torch
from torch import Tensor

import conv
from shapes import (
    CELL,
    FADE,
    INPUT,
    KERNEL,
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

X = torch.arange(9).reshape(3, 3)
K = torch.arange(4).reshape(2, 2)
STEP = 1.2  # seconds per window or tap
PLACES = [(i, j) for i in range(2) for j in range(2)]  # in K, and in the output


def window_sum(window: Tensor, total: float, x: float, y: float) -> draw.Group:
    """Write a window's sum of products, numbers on the colors of their grids."""
    size = 30
    group = draw.Group()
    terms = zip(window.flatten().tolist(), K.flatten().tolist(), strict=True)
    for k, (pixel, weight) in enumerate(terms):
        if k:
            group.append(text("+", x + 10, y + size / 2))
            x += 20
        group.append(cell(number(pixel), x, y, INPUT, size))
        group.append(text("·", x + size + 5, y + size / 2))
        group.append(cell(number(weight), x + size + 10, y, KERNEL, size))
        x += 2 * size + 10
    group.append(text("=", x + 12, y + size / 2))
    group.append(cell(number(total), x + 24, y, OUTPUT, size))
    return group


def window_slides() -> draw.Drawing:
    """Slide the window over X: each position gives one output pixel."""
    Y = conv.corr2d(X, K)
    x0, x1, x2, top, middle = MARGIN, 216, 372, 56, 78
    diagram = drawing(484, 274, "A window slides over an image")
    for words, x, columns in [("image X", x0, 3), ("kernel K", x1, 2)]:
        diagram.append(text(words, x + columns * CELL / 2, 34))
    diagram.append(text("output Y", x2 + CELL, 34))
    diagram.append(grid(X, x0, top, INPUT))
    diagram.append(grid(K, x1, middle, KERNEL))
    diagram.append(arrow((x1 + 2 * CELL + 16, 122), (x2 - 16, 122)))
    diagram.append(empty_grid(2, 2, x2, middle, "white"))

    motion = Motion(len(PLACES) * STEP)
    last = len(PLACES) - 1
    for k, (i, j) in enumerate(PLACES):
        start, end = k * STEP, (k + 1) * STEP if k < last else None
        pixel = cell(number(Y[i, j].item()), x2 + j * CELL, middle + i * CELL, OUTPUT)
        motion.show(pixel, start + 0.6)
        window = X[i : i + 2, j : j + 2]
        motion.show(window_sum(window, Y[i, j].item(), 45, 220), start + 0.3, end)
    stops = [(k * STEP, j * CELL, i * CELL) for k, (i, j) in enumerate(PLACES)]
    motion.slide(outline(x0, top, 2 * CELL, 2 * CELL), stops)
    motion.slide(outline(x2, middle, CELL, CELL), stops)
    motion.add_to(diagram)
    return diagram


def tap_column(i: int, j: int, x: float, size: float) -> tuple[draw.Group, draw.Group]:
    """Draw a tap, the crop of X that it is multiplied by, and their product."""
    crop = X[i : i + 2, j : j + 2]
    factors = draw.Group()
    factors.append(cell(number(K[i, j].item()), x + size / 2, 186, KERNEL, size))
    factors.append(grid(crop, x, 236, INPUT, size))
    return factors, grid(K[i, j] * crop, x, 322, "white", size)


def loop_over_taps() -> draw.Drawing:
    """Scale one crop of X per tap; the products add up to Y."""
    size, pitch, left = 36, 98, 114
    x1, x2 = left + 2 * pitch, left + 4 * pitch + 2
    top, middle = 50, 50 + size / 2
    diagram = drawing(x2 + 2 * size + MARGIN, 418, "A loop over the kernel's taps")
    diagram.append(text("image X", left + 1.5 * size, 30))
    diagram.append(text("kernel K", x1 + size, 30))
    diagram.append(grid(X, left, top, INPUT, size))
    diagram.append(grid(K, x1, middle, KERNEL, size))
    for words, y in [("weight", 204), ("× crop", 272), ("= product", 358)]:
        diagram.append(text(words, MARGIN, y, text_anchor="start"))
    diagram.append(text("output Y", x2 + size, 302))
    diagram.append(text("=", x2 - 14, 358))

    motion = Motion(len(PLACES) * STEP)
    partial = torch.zeros(2, 2)
    start = 0.0
    for k, (i, j) in enumerate(PLACES):
        total = grid(partial, x2, 322, OUTPUT, size)
        motion.show(total, start, k * STEP + 0.5 + FADE)
        start = k * STEP + 0.5
        factors, product = tap_column(i, j, left + k * pitch, size)
        motion.show(factors, k * STEP + 0.2)
        motion.show(product, k * STEP + 0.5)
        if k:
            motion.show(text("+", left + k * pitch - 13, 358), k * STEP + 0.5)
        partial = partial + K[i, j] * X[i : i + 2, j : j + 2]
    assert torch.equal(partial, conv.corr2d(X, K))
    motion.show(grid(partial, x2, 322, OUTPUT, size), start)
    stops = [(k * STEP, j * size, i * size) for k, (i, j) in enumerate(PLACES)]
    motion.slide(outline(left, top, 2 * size, 2 * size), stops)
    motion.slide(outline(x1, middle, size, size), stops)
    motion.add_to(diagram)
    return diagram
