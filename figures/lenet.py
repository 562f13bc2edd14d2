"""Chapter 11: the architecture of LeNet."""

import drawsvg as draw
import torch
from torch import Tensor

import conv
from conv.plotting import PALETTE
from shapes import (
    MARGIN,
    NEUTRAL,
    OUTPUT,
    arrow,
    blend,
    cell,
    drawing,
    outline,
    text,
)

PIXEL = 3.0  # side length of a feature map's pixel
DEPTH = 4.0  # distance between the channels of a stack
GAP = 58.0  # between two stacks
MIDDLE = 128.0  # of the first row
UNIT = 0.32  # height of one entry of a vector
Box = tuple[float, float, float, float]  # left, top, width and height


def digit_image(image: Tensor, x: float, y: float) -> draw.Group:
    """Draw a digit, white on black, with its upper left corner at (x, y)."""
    group = draw.Group()
    side = len(image) * PIXEL
    group.append(draw.Rectangle(x, y, side, side, fill="black"))
    for i, j in image.nonzero().tolist():
        gray = blend("#FFFFFF", image[i, j].item(), "#000000")
        place = x + j * PIXEL, y + i * PIXEL
        group.append(draw.Rectangle(*place, PIXEL, PIXEL, fill=gray))
    return group


def stack(channels: int, side: int, x: float) -> tuple[draw.Group, float, float]:
    """Draw feature maps behind each other; return the front one's corner, too."""
    group, deep, size = draw.Group(), (channels - 1) * DEPTH, side * PIXEL
    y = MIDDLE - size / 2 + deep / 2
    for k in reversed(range(channels)):
        corner = x + k * DEPTH, y - k * DEPTH
        style = {"fill": OUTPUT, "stroke": NEUTRAL, "stroke_width": 0.8}
        group.append(draw.Rectangle(*corner, size, size, **style))
    return group, x, y


def cone(window: Box, pixel: Box) -> draw.Group:
    """Connect a window with the pixel computed from it."""
    group, color = draw.Group(), PALETTE["highlight"]
    (x, y, width, height), (u, v, _, tall) = window, pixel
    for ends in [(x + width, y, u, v), (x + width, y + height, u, v + tall)]:
        group.append(draw.Line(*ends, stroke=color, stroke_width=1.2))
    group.append(draw.Rectangle(*pixel, fill=color))
    frame = {"fill": "none", "stroke": color, "stroke_width": 2}
    group.append(draw.Rectangle(*window, **frame))
    return group


def captions(lines: list[str], x: float, y: float) -> draw.Group:
    """Write lines below each other, centered at x."""
    group = draw.Group()
    for k, line in enumerate(lines):
        group.append(text(line, x, y + 20 * k))
    return group


def first_row(diagram: draw.Drawing, image: Tensor) -> float:
    """Draw the image and the feature maps; return where the last stack ends."""
    shapes, x = [image.shape], image[None]
    for layer in conv.lenet()[:6]:
        x = layer(x)
        if not isinstance(layer, torch.nn.ReLU):
            shapes.append(x.shape[1:])
    # The layer's name, its window, and the pixel of its output that is marked.
    steps = [
        (["5 × 5", "convolution", "(padding 2),", "ReLU"], 5, 1, 2, (9, 19)),
        (["2 × 2", "max", "pooling"], 2, 2, 0, (9, 9)),
        (["5 × 5", "convolution,", "ReLU"], 5, 1, 0, (2, 6)),
        (["2 × 2", "max", "pooling"], 2, 2, 0, (3, 3)),
    ]
    left, corners, ends = float(MARGIN), [], []
    for channels, side, _ in shapes:
        group, x0, y0 = stack(channels, side, left)
        diagram.append(group)
        width = side * PIXEL + (channels - 1) * DEPTH
        unit = "channels" if channels > 1 else "channel"
        diagram.append(text(f"{channels} {unit}", left + width / 2, 20))
        diagram.append(text(f"{side} × {side}", left + width / 2, 42))
        corners.append((x0, y0))
        ends.append(left + width)
        left += width + GAP
    diagram.append(digit_image(image[0], *corners[0]))
    for k, (lines, size, stride, padding, (i, j)) in enumerate(steps):
        (x0, y0), (x1, y1) = corners[k], corners[k + 1]
        top, side = i * stride - padding, size * PIXEL
        corner = x0 + (j * stride - padding) * PIXEL, y0 + top * PIXEL
        pixel = x1 + j * PIXEL, y1 + i * PIXEL
        diagram.append(cone((*corner, side, side), (*pixel, PIXEL, PIXEL)))
        diagram.append(captions(lines, ends[k] + GAP / 2, 206))
    return ends[-1]


def second_row(diagram: draw.Drawing, label: int, start: float) -> None:
    """Draw the vectors and the scores of the ten classes."""
    middle, turn, size = 440.0, 304.0, 17.0
    places, width = {400: 70.0, 120: 250.0, 84: 430.0, 10: 610.0}, size
    turning = [start - 38, 176, start - 38, turn, places[400], turn]
    path = {"fill": "none", "stroke": NEUTRAL, "stroke_width": 2}
    diagram.append(draw.Lines(*turning, **path))
    diagram.append(text("flatten", 350, turn - 14))
    for count, x in places.items():
        height = 10 * size if count == 10 else count * UNIT
        left, top = x - width / 2, middle - height / 2
        style = {"fill": OUTPUT, "stroke": NEUTRAL}
        diagram.append(draw.Rectangle(left, top, width, height, **style))
        name = "10 scores" if count == 10 else f"{count}"
        if count == 400:
            diagram.append(arrow((x, turn), (x, top - 4)))
            diagram.append(text(name, x - 30, middle))
        else:
            diagram.append(text(name, x, top - 16))
    left, top = places[10] - width / 2, middle - 5 * size
    for k in range(10):
        y = top + k * size
        diagram.append(cell("", left, y, OUTPUT, size))
        diagram.append(text(str(k), left + size + 14, y + size / 2, 14))
    diagram.append(outline(left, top + label * size, size, size))
    for first, last, relu in [(400, 120, True), (120, 84, True), (84, 10, False)]:
        x0, x1 = places[first] + 18, places[last] - 18
        diagram.append(arrow((x0, middle), (x1, middle)))
        lines = ["fully connected,", "ReLU"] if relu else ["fully connected"]
        diagram.append(captions(lines, (x0 + x1) / 2, middle + 26))


def lenet_architecture() -> draw.Drawing:
    """Draw LeNet's layers, with the shape of each output."""
    data = conv.load_digits28().train
    image, label = data.images[data.labels == 3][0], 3
    diagram = drawing(720, 544, "The architecture of LeNet")
    end = first_row(diagram, image)
    second_row(diagram, label, end)
    return diagram
