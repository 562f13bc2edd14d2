"""Chapter 6: kernels with a slice for each input channel."""

from collections.abc import Sequence

import drawsvg as draw

from conv.plotting import PALETTE
from shapes import (
    INPUT,
    KERNEL,
    MARGIN,
    NEUTRAL,
    OUTPUT,
    Motion,
    arrow,
    box,
    drawing,
    empty_grid,
    text,
)

COLORS = ["red", "green", "blue"]
SIDE, WINDOW = 4, 2  # of each channel and of the kernel, in pixels
ACROSS, DOWN = (40, 0), (-13, 17)  # from a pixel to the next one, in perspective
BETWEEN = 94  # from a channel down to the next one
STEP = 0.54  # seconds per window
PIXEL, BEHIND = 16, 12  # of channels that stand one behind the other

Point = tuple[float, float]


def corner(i: float, j: float, origin: Point = (0, 0)) -> Point:
    """Project the upper left corner of pixel (i, j) of a sheet that lies flat."""
    x, y = origin
    return x + i * DOWN[0] + j * ACROSS[0], y + i * DOWN[1] + j * ACROSS[1]


def patch(
    i: float, j: float, rows: int, columns: int, origin: Point, **style: object
) -> draw.Lines:
    """Draw a rectangle of pixels of a sheet, with its upper left pixel at (i, j)."""
    corners = [(i, j), (i, j + columns), (i + rows, j + columns), (i + rows, j)]
    points = [value for place in corners for value in corner(*place, origin)]
    return draw.Lines(*points, close=True, **{"stroke": NEUTRAL, **style})


def sheet(side: int, origin: Point, fill: str) -> draw.Group:
    """Draw a channel as a sheet of square pixels that lies flat."""
    group = draw.Group()
    for i in range(side):
        for j in range(side):
            group.append(patch(i, j, 1, 1, origin, fill=fill))
    return group


def volume(origin: Point) -> draw.Group:
    """Draw the kernel's slices, one on each channel, and the edges between them."""
    group = draw.Group()
    color = {"stroke": PALETTE["highlight"]}
    down = (len(COLORS) - 1) * BETWEEN
    for i, j in [(0, 0), (0, WINDOW), (WINDOW, 0), (WINDOW, WINDOW)]:
        x, y = corner(i, j, origin)
        dashes = {"stroke_width": 1.5, "stroke_dasharray": "4 4", **color}
        group.append(draw.Line(x, y, x, y + down, **dashes))
    for c in range(len(COLORS)):
        place = origin[0], origin[1] + c * BETWEEN
        for i in range(WINDOW):
            for j in range(WINDOW):
                group.append(patch(i, j, 1, 1, place, fill=KERNEL))
        frame = {"fill": "none", "stroke_width": 3, **color}
        group.append(patch(0, 0, WINDOW, WINDOW, place, **frame))
    return group


def kernel_volume() -> draw.Drawing:
    """Slide a kernel with three slices over three channels at the same time."""
    stack, output = (132, 68), (442, 170)
    diagram = drawing(586, 362, "A kernel slides over three channels at once")
    diagram.append(text("input: 3 channels", stack[0] + 58, 34))
    for c, name in enumerate(COLORS):
        place = stack[0], stack[1] + c * BETWEEN
        diagram.append(sheet(SIDE, place, INPUT))
        diagram.append(text(name, MARGIN, place[1] + 34, text_anchor="start"))
    middle = stack[1] + BETWEEN + 2 * DOWN[1]
    diagram.append(arrow((308, middle), (388, middle)))
    diagram.append(text("sum of", 346, middle - 40))
    products = WINDOW * WINDOW * len(COLORS)
    diagram.append(text(f"{products} products", 346, middle - 18))
    side = SIDE - WINDOW + 1
    diagram.append(text("output: 1 channel", output[0] + 42, output[1] - 26))
    diagram.append(sheet(side, output, "white"))

    places = [(i, j) for i in range(side) for j in range(side)]
    motion = Motion(len(places) * STEP)
    for k, (i, j) in enumerate(places):
        motion.show(patch(i, j, 1, 1, output, fill=OUTPUT), k * STEP + 0.3)
    stops = [(k * STEP, *corner(i, j)) for k, (i, j) in enumerate(places)]
    motion.slide(volume(stack), stops)
    frame = {"fill": "none", "stroke": PALETTE["highlight"], "stroke_width": 3}
    motion.slide(patch(0, 0, 1, 1, output, **frame), stops)
    motion.add_to(diagram)
    return diagram


def pile(channels: int, side: int, x: float, y: float, fill: str) -> draw.Group:
    """Draw channels, or the slices of a kernel, one behind the other."""
    group = draw.Group()
    for c in reversed(range(channels)):
        place = x + c * BEHIND, y - c * BEHIND
        group.append(empty_grid(side, side, *place, fill, PIXEL))
    return group


def headings(columns: Sequence[tuple[Sequence[str], float]]) -> draw.Group:
    """Write lines of text above the columns of a diagram, centered at x."""
    group = draw.Group()
    for lines, x in columns:
        for k, words in enumerate(lines):
            group.append(text(words, x, 30 + 22 * k))
    return group


def kernel_bank() -> draw.Drawing:
    """Draw four kernels, each of which turns all input channels into one output."""
    kernels, pitch, top = 4, 82, 102
    x0, x1, x2 = MARGIN + 14, 238, 428
    middle = top + (kernels - 1) / 2 * pitch + 24
    bottom = top + kernels * pitch + 4
    diagram = drawing(544, bottom + 30, "Many kernels")
    columns = [
        (("input", "3 channels"), "(3, 5, 5)", x0 + 52),
        (("4 kernels", "with 3 slices each"), "(4, 3, 3, 3)", x1 + 36),
        (("output", "4 channels"), "(4, 3, 3)", x2 + 24),
    ]
    diagram.append(headings([(lines, x) for lines, _, x in columns]))
    for _, shape, x in columns:
        diagram.append(text(shape, x, bottom))
    diagram.append(pile(3, 5, x0, middle - 28, INPUT))
    for k in range(kernels):
        y = top + k * pitch
        diagram.append(arrow((x0 + 120, middle), (x1 - 14, y + 24)))
        diagram.append(pile(3, 3, x1, y, KERNEL))
        diagram.append(arrow((x1 + 86, y + 24), (x2 - 14, y + 24)))
        diagram.append(empty_grid(3, 3, x2, y, OUTPUT, PIXEL))
    return diagram


def separable() -> draw.Drawing:
    """Draw a depthwise convolution, ReLU, and a 1 x 1 convolution."""
    channels, outputs, pitch, top = 3, 4, 84, 106
    x0, x1, x2, x3, x4 = MARGIN, 142, 262, 408, 560
    diagram = drawing(x4 + 3 * PIXEL + MARGIN, 430, "Depthwise separable")
    columns = [
        (("input",), x0 + 40),
        (("depthwise:", "one kernel", "per channel"), x1 + 24),
        (("filtered", "channels"), x2 + 24),
        (("1 × 1:", "mixes the", "channels"), (x3 + x4) / 2 - 8),
        (("output",), x4 + 24),
    ]
    diagram.append(headings(columns))
    first = top + (outputs - channels) / 2 * pitch
    starts = [first + c * pitch + 24 for c in range(channels)]
    ends = [top + o * pitch + 24 for o in range(outputs)]
    for y in starts:
        diagram.append(empty_grid(5, 5, x0, y - 40, INPUT, PIXEL))
        diagram.append(arrow((x0 + 88, y), (x1 - 8, y)))
        diagram.append(empty_grid(3, 3, x1, y - 24, KERNEL, PIXEL))
        diagram.append(arrow((x1 + 56, y), (x2 - 8, y)))
        diagram.append(empty_grid(3, 3, x2, y - 24, "white", PIXEL))
        diagram.append(box(["ReLU"], x3 - 44, y, 60, 34, "white"))
        diagram.append(draw.Line(x2 + 56, y, x3 - 74, y, stroke=NEUTRAL))
    line = {"stroke": PALETTE["kernel"], "stroke_width": 2}
    for y in starts:
        for end in ends:
            diagram.append(draw.Line(x3 - 12, y, x4 - 8, end, **line))
    for end in ends:
        diagram.append(empty_grid(3, 3, x4, end - 24, OUTPUT, PIXEL))
    return diagram
