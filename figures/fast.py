"""Chapter 10: im2col, two passes, the Fourier route and a Winograd tile."""

import drawsvg as draw
import torch

import conv
from shapes import (
    CELL,
    INPUT,
    KERNEL,
    MARGIN,
    NEUTRAL,
    OUTPUT,
    Motion,
    arrow,
    box,
    cell,
    drawing,
    empty_grid,
    grid,
    number,
    outline,
    text,
)

STEP = 1.2  # seconds per window
HALFWAY = "#F4F4F4"  # the fill of intermediate results, which are neutral


def im2col() -> draw.Drawing:
    """Copy each window into a column; a row times these columns is the output."""
    X, K = torch.arange(9).reshape(3, 3), torch.arange(4).reshape(2, 2)
    Y = conv.corr2d(X, K).flatten()
    x0, x1, x2, top = MARGIN, 120, 432, 58
    bottom = top + 4 * CELL + 34
    diagram = drawing(x2 + 4 * CELL + MARGIN, bottom + CELL + MARGIN, "im2col")
    diagram.append(text("image X", x0 + 1.5 * CELL, top - 22))
    diagram.append(text("one column per window", x2 + 2 * CELL, top - 22))
    diagram.append(grid(X, x0, top, INPUT))
    diagram.append(empty_grid(4, 4, x2, top, "white"))
    diagram.append(text("flattened kernel", x1 + 2 * CELL, bottom - 18))
    diagram.append(grid(K.reshape(1, 4), x1, bottom, KERNEL))
    diagram.append(text("× columns =", (x1 + 4 * CELL + x2) / 2, bottom + CELL / 2))
    diagram.append(empty_grid(1, 4, x2, bottom, "white"))
    ends = x0 + 3 * CELL + 20, x2 - 20
    diagram.append(arrow(*((x, top + 1.5 * CELL) for x in ends)))

    words = text("copy the windows", sum(ends) / 2, top + 1.5 * CELL - 18)
    diagram.append(words)

    motion = Motion(4 * STEP)
    places = [(i, j) for i in range(2) for j in range(2)]
    for k, (i, j) in enumerate(places):
        column = X[i : i + 2, j : j + 2].reshape(4, 1)
        motion.show(grid(column, x2 + k * CELL, top, INPUT), k * STEP + 0.3)
        output = cell(number(Y[k].item()), x2 + k * CELL, bottom, OUTPUT)
        motion.show(output, k * STEP + 0.7)
    stops = [(k * STEP, j * CELL, i * CELL) for k, (i, j) in enumerate(places)]
    motion.slide(outline(x0, top, 2 * CELL, 2 * CELL), stops)
    stops = [(k * STEP, k * CELL, 0) for k in range(4)]
    motion.slide(outline(x2, top, CELL, 4 * CELL), stops)
    motion.add_to(diagram)
    return diagram


def two_passes() -> draw.Drawing:
    """Slide a column over the image, and a row over the result."""
    column, row = torch.tensor([[1.0], [2], [1]]), torch.tensor([[1.0, 2, 1]])
    X = torch.tensor(
        [[1.0, 0, 2, 1, 0], [0, 1, 1, 0, 2], [2, 1, 0, 1, 1], [1, 0, 1, 2, 0]]
    )
    X = torch.cat([X, torch.tensor([[0.0, 2, 1, 0, 1]])])
    halfway = conv.corr2d(X, column)
    Y = conv.corr2d(halfway, row)
    assert torch.equal(Y, conv.corr2d(X, column @ row))
    size = 34
    x0, x1, x2, x3, x4 = 20, 214, 278, 472, 596
    top = 52
    middle = top + size
    diagram = drawing(x4 + 3 * size + 20, top + 5 * size + 20, "Two passes")
    for words, x, y, columns in [
        ("image", x0, top, 5),
        ("column", x1, middle, 1),
        ("after the first pass", x2, middle, 5),
        ("row", x3, middle + size, 3),
        ("output", x4, middle, 3),
    ]:
        diagram.append(text(words, x + columns * size / 2, y - 18))
    diagram.append(grid(X, x0, top, INPUT, size))
    diagram.append(grid(column, x1, middle, KERNEL, size))
    diagram.append(grid(halfway, x2, middle, HALFWAY, size))
    diagram.append(grid(row, x3, middle + size, KERNEL, size))
    diagram.append(grid(Y, x4, middle, OUTPUT, size))
    diagram.append(outline(x0 + size, top + size, 3 * size, 3 * size))
    diagram.append(outline(x2 + size, middle + size, 3 * size, size))
    diagram.append(outline(x4 + size, middle + size, size, size))
    return diagram


def fourier_route() -> draw.Drawing:
    """Draw two routes from an image and a kernel to the same output."""
    x0, x1, x2, top, bottom = 82, 248, 588, 54, 220
    size = 116, 56
    diagram = drawing(670, 272, "Two routes to the output")
    for lines, x, y, fill in [
        (["image"], x0, top, INPUT),
        (["kernel"], x1, top, KERNEL),
        (["output"], x2, top, OUTPUT),
        (["transform of", "the image"], x0, bottom, INPUT),
        (["conjugate of", "its transform"], x1, bottom, KERNEL),
        (["transform of", "the output"], x2, bottom, OUTPUT),
    ]:
        diagram.append(box(lines, x, y, *size, fill))
    for x, words in [(x0, "rfft2"), (x1, "rfft2, conj")]:
        diagram.append(arrow((x, top + 34), (x, bottom - 34)))
        style = {"text_anchor": "start"}
        diagram.append(text(words, x + 10, (top + bottom) / 2, 15, **style))
    diagram.append(arrow((x2, bottom - 34), (x2, top + 34)))
    words = "irfft2, crop"
    diagram.append(text(words, x2 - 10, (top + bottom) / 2, 15, text_anchor="end"))
    for y, words in [(top, "slide the kernel"), (bottom, "multiply, wave by wave")]:
        diagram.append(arrow((x1 + 66, y), (x2 - 66, y)))
        diagram.append(text(words, (x1 + x2) / 2, y - 18, 15))
    for y in (top, bottom):
        diagram.append(text("and", (x0 + x1) / 2, y, 15))
    return diagram


def winograd_tile() -> draw.Drawing:
    """Transform a tile, multiply by the transformed kernel, transform back."""
    size, left, top, row = 24, 24, 50, 262
    side = 4 * size
    x1, x2, x3, x4 = 200, 328, 456, 632
    middle, caption = row + side / 2, row + side + 20
    diagram = drawing(x4 + 2 * size + 24, caption + 32, "Winograd's algorithm")

    diagram.append(text("image", left + 3 * size, top - 20, 15))
    diagram.append(empty_grid(6, 6, left, top, INPUT, size))
    style = {"fill": "none", "stroke": NEUTRAL, "stroke_width": 3, "rx": 2}
    dashed = {"stroke_dasharray": "7 5", **style}
    diagram.append(draw.Rectangle(left + 2 * size, top, side, side, **dashed))
    diagram.append(outline(left, top, side, side))
    diagram.append(
        text(
            "next tile",
            left + 6 * size + 10,
            top + 2 * size,
            15,
            text_anchor="start",
            fill=NEUTRAL,
        )
    )
    diagram.append(
        arrow((left + 2 * size, top + 6 * size + 6), (left + 2 * size, row - 10))
    )

    kernel = x2 + size / 2, row - 5.5 * size - 28
    diagram.append(text("kernel K", x2 + 2 * size, kernel[1] - 18, 15))
    diagram.append(empty_grid(3, 3, *kernel, KERNEL, size))
    start = x2 + 2 * size, kernel[1] + 3 * size + 8
    diagram.append(arrow(start, (start[0], row - 10)))
    words = "G K G\u1d40, once for all tiles"
    diagram.append(
        text(words, start[0] + 12, (start[1] + row) / 2 - 4, 15, text_anchor="start")
    )

    for x, count, fill, words in [
        (left, 4, INPUT, "tile D"),
        (x1, 4, INPUT, "transformed"),
        (x2, 4, KERNEL, "transformed"),
        (x3, 4, OUTPUT, "16 products"),
        (x4, 2, OUTPUT, "outputs"),
    ]:
        y = middle - count * size / 2
        diagram.append(empty_grid(count, count, x, y, fill, size))
        diagram.append(text(words, x + count * size / 2, caption, 15))
    diagram.append(outline(left, row, side, side))
    for x, sign in [((x1 + side + x2) / 2, "\u2299"), ((x2 + side + x3) / 2, "=")]:
        diagram.append(text(sign, x, middle, 20))
    for x, end, words, count in [
        (left + side, x1, "B D B\u1d40", 32),
        (x3 + side, x4, "A \u2026 A\u1d40", 24),
    ]:
        diagram.append(arrow((x + 8, middle), (end - 8, middle)))
        diagram.append(text(words, (x + end) / 2, middle - 20, 14))
        diagram.append(text(str(count), (x + end) / 2, middle + 18, 14))
        diagram.append(text("additions", (x + end) / 2, middle + 36, 14))
    return diagram
