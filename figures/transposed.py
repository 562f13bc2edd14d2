"""Chapter 8: a transposed convolution, and a network that shrinks and enlarges."""

import drawsvg as draw
import torch

import conv
from shapes import (
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

X = torch.tensor([[2.0, 1], [0, 3]])
K = torch.tensor([[1.0, 2], [3, 4]])
STEP = 1.2  # seconds per input pixel
PLACES = [(i, j) for i in range(2) for j in range(2)]


def scaled_copy(i: int, j: int, x: float, y: float, size: float) -> draw.Group:
    """Draw the kernel, multiplied by one pixel, at its place in the output."""
    group = draw.Group()
    pixel = X[i, j].item()
    label = y - 26
    group.append(cell(number(pixel), x + size / 2 - 8, label - 15, INPUT, 30))
    group.append(text("· K", x + size / 2 + 40, label))
    group.append(empty_grid(3, 3, x, y, "white", size))
    group.append(grid(pixel * K, x + j * size, y + i * size, KERNEL, size))
    return group


def transposed_conv() -> draw.Drawing:
    """Add a scaled copy of the kernel to the output for each input pixel."""
    size, pitch, left, top = 38, 150, MARGIN, 58
    x1, x2, middle = 186, left + 3 * pitch, top + size / 2
    low = top + 3 * size + 84
    diagram = drawing(x2 + 3 * size + MARGIN, low + 3 * size + MARGIN, "Transposed")
    captions = [("image X", left + size, middle), ("kernel K", x1 + size, middle)]
    captions.append(("output Y", x2 + 1.5 * size, top))
    for words, x, y in captions:
        diagram.append(text(words, x, y - 22))
    diagram.append(grid(X, left, middle, INPUT, size))
    diagram.append(grid(K, x1, middle, KERNEL, size))
    ends = x1 + 2 * size + 20, x2 - 20
    diagram.append(arrow(*((x, top + 1.5 * size) for x in ends)))

    motion = Motion(len(PLACES) * STEP)
    partial, start = torch.zeros(3, 3), 0.0
    for k, (i, j) in enumerate(PLACES):
        at = k * STEP + 0.5
        motion.show(grid(partial, x2, top, OUTPUT, size), start, at + FADE)
        start = at
        x = left + k * pitch
        motion.show(scaled_copy(i, j, x, low, size), k * STEP + 0.2)
        if k:
            plus = text("+", x - (pitch - 3 * size) / 2, low + 1.5 * size)
            motion.show(plus, k * STEP + 0.2)
        partial[i : i + 2, j : j + 2] += X[i, j] * K
        partial = partial.clone()
    Y = conv.conv_transpose2d(X[None, None], K[None, None])[0, 0]
    assert torch.equal(partial, Y)
    motion.show(grid(Y, x2, top, OUTPUT, size), start)
    stops = [(k * STEP, j * size, i * size) for k, (i, j) in enumerate(PLACES)]
    motion.slide(outline(left, middle, size, size), stops)
    motion.slide(outline(x2, top, 2 * size, 2 * size), stops)
    motion.add_to(diagram)
    return diagram


def encoder_decoder() -> draw.Drawing:
    """Draw the sizes of the feature maps in a network that finds coins."""
    shapes = [(1, 296, 192), (8, 148, 96), (16, 74, 48), (16, 37, 24)]
    shapes += [*shapes[2:0:-1], shapes[0]]
    pitch, middle, bottom = 96, 92, 206
    diagram = drawing(2 * MARGIN + len(shapes) * pitch - 8, 278, "Encoder, decoder")
    for k, (channels, height, width) in enumerate(shapes):
        x = MARGIN + (k + 0.5) * pitch - 4
        h, w = 0.42 * height, 0.42 * width
        fill = INPUT if k == 0 else OUTPUT
        depth = 4 if channels == 16 else 3 if channels == 8 else 1
        for layer in reversed(range(depth)):
            corner = x - w / 2 + 3 * layer, middle - h / 2 - 3 * layer
            box = draw.Rectangle(*corner, w, h, fill=fill, stroke=NEUTRAL)
            diagram.append(box)
        unit = "channel" if channels == 1 else "channels"
        diagram.append(text(f"{channels} {unit}", x, bottom - 22, 14))
        diagram.append(text(f"{height} × {width}", x, bottom, 14))
    for name, first, last in [("encoder", 0, 3), ("decoder", 3, 6)]:
        ends = [MARGIN + (n + 0.5) * pitch - 4 for n in (first, last)]
        start, end = ends[0] + 8, ends[1] - 8
        diagram.append(arrow((start, bottom + 30), (end, bottom + 30)))
        diagram.append(text(name, sum(ends) / 2, bottom + 50))
    return diagram
