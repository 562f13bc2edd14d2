"""Chapter 17: three paths through a U-Net, and what they see of the nuclei."""

import itertools

import drawsvg as draw
import numpy as np
from skimage.measure import find_contours

import conv
from shapes import (
    INPUT,
    MARGIN,
    NEUTRAL,
    OUTPUT,
    Motion,
    arrow,
    drawing,
    outline,
    text,
)

ROW, COLUMN, HALF = 212, 396, 30  # the pixel, and half the size of the part shown
SCALE = 4.4  # lengths per pixel of the image
LEVELS = 3
STEP = 1.5  # seconds per path
TOP = 62  # of the part of the image
LEFT = 352  # of the network
CHANNELS = (8, 16, 32)
SIZES = (64, 32, 16)
ROWS = (TOP + 40, TOP + 128, TOP + 216)  # middles of the levels
HEIGHTS = (72, 48, 32)
WIDTH = 22  # of a set of maps


def path_rows(level: int) -> tuple[int, int]:
    """Return the first and last row that one output sees through a level.

    The output is in row 0, the first row of a block of 4 x 4 pixels.
    """
    first = last = 0
    for k in range(1, min(level, LEVELS - 1) + 1):
        first, last = first - 2, last + 2  # two 3 x 3 convolutions
        if k < level:
            first, last = first // 2, last // 2  # upsampling
    for k in range(level, 0, -1):
        if k < level:
            first, last = 2 * first, 2 * last + 1  # 2 x 2 pooling
        first, last = first - 2, last + 2
    return first, last


def nuclei(x: float, y: float) -> draw.Group:
    """Draw the outlines of the labeled nuclei around the pixel."""
    group = draw.Group()
    _, labels = conv.load_nuclei()
    part = labels[ROW - HALF : ROW + HALF, COLUMN - HALF : COLUMN + HALF].numpy()
    side = 2 * HALF * SCALE
    group.append(draw.Rectangle(x, y, side, side, fill="white", stroke=NEUTRAL))
    for number in np.unique(part)[1:]:
        for contour in find_contours(np.pad(part == number, 1), 0.5):
            corners = [
                round(start + float(v - 0.5) * SCALE, 1)
                for i, j in contour
                for start, v in ((x, j), (y, i))
            ]
            group.append(draw.Lines(*corners, close=True, fill=INPUT, stroke=NEUTRAL))
    return group


def maps(x: float, level: int, fill: str) -> draw.Rectangle:
    """Draw the maps of a level, centered at x."""
    height = HEIGHTS[level]
    corner = x - WIDTH / 2, ROWS[level] - height / 2
    return draw.Rectangle(*corner, WIDTH, height, fill=fill, stroke=NEUTRAL, rx=3)


def places() -> tuple[list[float], list[float]]:
    """Return the middles of the encoder's maps and those of the decoder's."""
    return [LEFT, LEFT + 48, LEFT + 146], [LEFT + 292, LEFT + 244]


def path(level: int, color: str, width: float) -> draw.Group:
    """Draw the path that goes across at a level."""
    encoder, decoder = places()
    group = draw.Group()
    points = [(LEFT - 44, ROWS[0]), *((encoder[k], ROWS[k]) for k in range(level))]
    points += [(decoder[k], ROWS[k]) for k in range(min(level, 2) - 1, -1, -1)]
    points.append((decoder[0] + 36, ROWS[0]))
    for (x0, y0), (x1, y1) in itertools.pairwise(points):
        if y0 == y1:
            first = (x0, y0) == points[0]
            start = x0 + (0 if first else WIDTH / 2), y0
            end = x1 - WIDTH / 2, y1
        else:  # down or up
            sign = 1 if y1 > y0 else -1
            start = x0, y0 + sign * HEIGHTS[ROWS.index(y0)] / 2
            end = x1, y1 - sign * HEIGHTS[ROWS.index(y1)] / 2
        group.append(arrow(start, end, color))
        if width > 2:
            style = {"stroke": color, "stroke_width": width, "stroke_opacity": 0.35}
            group.append(draw.Line(*start, *end, **style))
    return group


def unet_path() -> draw.Drawing:
    """Trace one output pixel back through the three levels of a U-Net."""
    side = 2 * HALF * SCALE
    diagram = drawing(716, TOP + round(side) + MARGIN, "Paths through a U-Net")
    color = conv.plotting.PALETTE["highlight"]
    diagram.append(text("region around one output pixel", MARGIN + side / 2, TOP - 24))
    diagram.append(nuclei(MARGIN, TOP))
    encoder, decoder = places()
    middle = (encoder[0] + decoder[0]) / 2
    diagram.append(text("the U-Net", middle, TOP - 24))
    for level in range(LEVELS, 0, -1):
        diagram.append(path(level, NEUTRAL, 2))
    for k in range(LEVELS):
        diagram.append(maps(encoder[k], k, OUTPUT))
        if k < LEVELS - 1:
            diagram.append(maps(decoder[k], k, OUTPUT))
        label = f"{CHANNELS[k]} channels, {SIZES[k]} × {SIZES[k]}"
        across = k < LEVELS - 1
        y = ROWS[k] - 14 if across else ROWS[k] + HEIGHTS[k] / 2 + 32
        diagram.append(text(label, middle, y, 14))
        y = ROWS[k] + 16 if across else ROWS[k] + HEIGHTS[k] / 2 + 14
        diagram.append(text(f"level {k + 1}", middle, y, 14))
        if across:
            y = ROWS[k] + HEIGHTS[k] / 2 + 32
            diagram.append(text("pooling", encoder[k] - 2, y, 14))
            diagram.append(text("upsampling", decoder[k] + 16, y, 14))
    diagram.append(text("image", LEFT - 37, ROWS[0] + 22, 14))
    end = decoder[0] + 36
    diagram.append(outline(end, ROWS[0] - 5, 10, 10))
    diagram.append(text("score", end + 2, ROWS[0] + 22, 14))

    motion = Motion(LEVELS * STEP + 0.3)
    x, y = MARGIN + HALF * SCALE, TOP + HALF * SCALE
    pixel = draw.Rectangle(x, y, SCALE, SCALE, fill=color)
    diagram.append(pixel)
    for level in range(1, LEVELS + 1):
        first, last = path_rows(level)
        field = last - first + 1
        group = draw.Group()
        corner = x + first * SCALE, y + first * SCALE
        group.append(outline(*corner, field * SCALE, field * SCALE))
        label = f"{field} × {field}"
        shift = {1: -10, 2: field * SCALE - 12, 3: 12}[level]
        group.append(text(label, x, corner[1] + shift, 14))
        group.append(path(level, color, 6))
        motion.show(group, (level - 1) * STEP + 0.4)
    motion.add_to(diagram)
    return diagram
