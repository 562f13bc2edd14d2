"""Chapter 9: the computation graph of a layer, and its gradients step by step."""

import drawsvg as draw
import torch
from torch import Tensor

import conv
from conv.plotting import PALETTE
from shapes import (
    CELL,
    FADE,
    FONT_SIZE,
    INPUT,
    KERNEL,
    MARGIN,
    NEUTRAL,
    OUTPUT,
    Motion,
    arrow,
    blend,
    box,
    cell,
    drawing,
    empty_grid,
    grid,
    number,
    outline,
    text,
    tint,
)

GRADIENT = tint(PALETTE["gradient"])
ZERO = "#F4F4F4"  # the fill of a padded cell, which has no meaning of its own
G = torch.tensor([[1.0, 2], [3, 4]])
PLACES = [(i, j) for i in range(2) for j in range(2)]  # in a 2 x 2 output
TALL, PART = 108, 54  # height of an operation, and of a tensor or its gradient
BACKWARD = {"color": PALETTE["gradient"], "stroke_dasharray": "5 4"}


def tensor(
    name: str, shape: str, fill: str, x: float, y: float, width: float = 84
) -> draw.Group:
    """Draw a tensor above its gradient, with the same shape; centered at (x, y)."""
    group = draw.Group()
    group.append(box([name, shape], x, y - PART / 2, width, PART, fill))
    symbol = f"∂L/∂{name.split()[-1]}"
    group.append(box([symbol, shape], x, y + PART / 2, width, PART, GRADIENT))
    return group


def both_ways(start: float, end: float, y: float) -> draw.Group:
    """Draw an arrow forward between tensors, and one backward between gradients."""
    group = draw.Group()
    group.append(arrow((start, y - PART / 2), (end, y - PART / 2)))
    group.append(arrow((end, y + PART / 2), (start, y + PART / 2), **BACKWARD))
    return group


def both_ways_vertical(x: float, start: float, end: float) -> draw.Group:
    """Draw a vertical arrow forward, and one backward beside it."""
    group = draw.Group()
    group.append(arrow((x - 10, start), (x - 10, end)))
    group.append(arrow((x + 10, end), (x + 10, start), **BACKWARD))
    return group


def computation_graph() -> draw.Drawing:
    """Draw tensors and operations from the image to the loss, and all gradients."""
    diagram = drawing(704, 500, "A computation graph")
    middle, above, below = 222, 78, 366
    image, correlation, plus, output, error, loss = 66, 202, 314, 410, 526, 638
    gaps = [(108, 142), (262, 292), (336, 368), (452, 482), (570, 596)]
    for start, end in gaps:
        diagram.append(both_ways(start + 2, end - 2, middle))
    top, bottom = middle - TALL / 2, middle + TALL / 2
    diagram.append(both_ways_vertical(correlation, above + PART + 2, top - 2))
    diagram.append(both_ways_vertical(plus, below - PART - 2, bottom + 2))
    diagram.append(arrow((error, above + PART / 2 + 2), (error, top - 2)))

    diagram.append(tensor("image X", "6 × 8", INPUT, image, middle))
    diagram.append(tensor("kernel K", "1 × 2", KERNEL, correlation, above, 96))
    diagram.append(tensor("bias", "scalar", KERNEL, plus, below))
    diagram.append(tensor("output Y", "6 × 7", OUTPUT, output, middle))
    diagram.append(tensor("loss L", "scalar", "white", loss, middle))
    target = blend(NEUTRAL, 0.07)
    diagram.append(box(["target", "6 × 7"], error, above, 84, PART, target))
    for lines, x, width in [
        (["cross-", "correlation"], correlation, 120),
        (["+"], plus, 44),
        (["squared", "error"], error, 88),
    ]:
        diagram.append(box(lines, x, middle, width, TALL, "white"))
    diagram.append(text("G", output, bottom + 20, font_weight="bold"))
    diagram.append(text("= 1", loss, bottom + 20))

    y = 472
    diagram.append(arrow((130, y), (166, y)))
    diagram.append(arrow((406, y), (370, y), **BACKWARD))
    for words, x in [("forward pass", 176), ("backward pass", 416)]:
        diagram.append(text(words, x, y, text_anchor="start"))
    return diagram


def letters(x: float, y: float, fill: str, words: str) -> draw.Group:
    """Draw a 2 x 2 matrix of letters."""
    group = draw.Group()
    for (i, j), letter in zip(PLACES, words, strict=True):
        group.append(cell(letter, x + j * CELL, y + i * CELL, fill))
    return group


def rotated_kernel() -> draw.Drawing:
    """Follow the middle pixel while a kernel slides over it."""
    step = 1.2  # seconds per window
    x0, x1, x2, top, middle = 40, 196, 420, 62, 84
    diagram = drawing(580, 226, "The weights that a pixel is multiplied by")
    diagram.append(text("kernel K", x0 + CELL, 34))
    diagram.append(text("image X", x1 + 1.5 * CELL, 34))
    diagram.append(text("weight on the middle pixel", x2 + CELL, 34))
    diagram.append(letters(x0, middle, KERNEL, "pqrs"))
    diagram.append(empty_grid(3, 3, x1, top, INPUT))
    ends = (x1 + 3 * CELL + 18, x2 - 18)
    diagram.append(arrow(*((x, top + 1.5 * CELL) for x in ends)))
    diagram.append(empty_grid(2, 2, x2, middle, "white"))

    motion = Motion(4 * step)
    stops = [(k * step, j * CELL, i * CELL) for k, (i, j) in enumerate(PLACES)]
    motion.slide(letters(x1, top, KERNEL, "pqrs"), stops)
    for k, ((i, j), letter) in enumerate(zip(PLACES, "srqp", strict=True)):
        weight = cell(letter, x2 + j * CELL, middle + i * CELL, KERNEL)
        motion.show(weight, k * step + 0.5)
    motion.show(outline(x1 + CELL, top + CELL, CELL, CELL))
    motion.slide(outline(x2, middle, CELL, CELL), stops)
    motion.add_to(diagram)
    return diagram


def spread_frames(x: float, y: float, size: float, step: int) -> draw.Group:
    """Frame the pixels that are multiplied by G, `step` pixels apart."""
    group = draw.Group()
    style = {"fill": "none", "stroke": PALETTE["gradient"], "stroke_width": 5}
    for i, j in PLACES:
        corner = x + j * step * size, y + i * step * size
        group.append(draw.Rectangle(*corner, size, size, rx=2, **style))
    return group


def product_sum(window: Tensor) -> str:
    """Write the sum of the products of G and four pixels."""
    terms = zip(G.flatten().tolist(), window.flatten().tolist(), strict=True)
    words = " + ".join(f"{number(g)}·{number(x)}" for g, x in terms)
    return f"{words} = {number((G * window).sum().item())}"


def kernel_gradient_stride() -> draw.Drawing:
    """Slide G over X with its numbers two pixels apart: one weight per position."""
    X = torch.arange(25.0).reshape(5, 5)
    gradient = conv.conv2d(X[None, None], G[None, None], dilation=2)[0, 0]
    size, step = 44, 0.55  # seconds per weight
    x0, x1, x2, top = MARGIN, 178, 488, 62
    height = 5 * size
    diagram = drawing(
        x2 + 3 * size + MARGIN, top + height + 68, "The kernel's gradient, stride 2"
    )
    captions = [("G", x0 + size), ("image X", x1 + 2.5 * size)]
    captions += [("gradient of K", x2 + 1.5 * size)]
    for words, x in captions:
        diagram.append(text(words, x, 34))
    diagram.append(grid(G, x0, top + 1.5 * size, GRADIENT, size))
    diagram.append(grid(X, x1, top, INPUT, size))
    ends = (x1 + 5 * size + 16, x2 - 16)
    diagram.append(arrow(*((x, top + 2.5 * size) for x in ends)))
    diagram.append(empty_grid(3, 3, x2, top + size, "white", size))

    motion = Motion(9 * step)
    stops = []
    for k in range(9):
        a, b = divmod(k, 3)
        label = number(gradient[a, b].item())
        corner = x2 + b * size, top + (a + 1) * size
        motion.show(cell(label, *corner, GRADIENT, size), (k + 1) * step - FADE)
        end = (k + 1) * step if k < 8 else None
        words = product_sum(X[a : a + 3 : 2, b : b + 3 : 2])
        line = text(words, x1 + 2.5 * size, top + height + 34)
        motion.show(line, k * step, end)
        stops.append((k * step, b * size, a * size))
    motion.slide(spread_frames(x1, top, size, 2), stops)
    motion.slide(outline(x2, top + size, size, size), stops)
    motion.add_to(diagram)
    return diagram


def padded_gradient(values: Tensor, x: float, y: float, size: float) -> draw.Group:
    """Draw numbers, and leave cells empty where nothing has been added yet."""
    group = draw.Group()
    for i, row in enumerate(values.tolist()):
        for j, value in enumerate(row):
            corner = x + j * size, y + i * size
            label, fill = (number(value), GRADIENT) if value else ("0", "white")
            color = "" if value else NEUTRAL
            group.append(cell(label, *corner, fill, size, color))
    return group


def cut_off(values: Tensor, x: float, y: float, size: float) -> draw.Group:
    """Gray out the outermost cells of a 6 x 6 matrix, and outline the others."""
    group = draw.Group()
    for i, row in enumerate(values.tolist()):
        for j, value in enumerate(row):
            if i in (0, 5) or j in (0, 5):
                corner = x + j * size, y + i * size
                group.append(cell(number(value), *corner, ZERO, size, NEUTRAL))
    style = {"fill": "none", "stroke": PALETTE["input"], "stroke_width": 4}
    corner = x + size, y + size
    group.append(draw.Rectangle(*corner, 4 * size, 4 * size, **style))
    return group


def image_gradient_stride() -> draw.Drawing:
    """Add G, times a kernel of ones, at steps of two pixels; crop the padding."""
    size, step, x0, x1, x2, top = 40, 1.0, MARGIN, 168, 388, 62
    center = top + 3 * size
    width = x2 + 6 * size + MARGIN
    diagram = drawing(width, top + 6 * size + 30, "The image's gradient, stride 2")
    captions = [("G", x0 + size), ("kernel K", x1 + 1.5 * size)]
    captions += [("gradient of the padded X", x2 + 3 * size)]
    for words, x in captions:
        diagram.append(text(words, x, 34))
    diagram.append(grid(G, x0, center - size, GRADIENT, size))
    diagram.append(grid(torch.ones(3, 3), x1, center - 1.5 * size, KERNEL, size))
    diagram.append(text("×", (x0 + 2 * size + x1) / 2, center, FONT_SIZE + 4))
    ends = (x1 + 3 * size + 14, x2 - 14)
    diagram.append(arrow(*((x, center) for x in ends)))

    motion = Motion(4 * step + 1)
    total = torch.zeros(6, 6)
    motion.show(padded_gradient(total, x2, top, size), 0, 0.3 + FADE)
    for k, (i, j) in enumerate(PLACES):
        total[2 * i : 2 * i + 3, 2 * j : 2 * j + 3] += G[i, j]
        start, end = k * step, (k + 1) * step
        until = end + 0.3 + FADE if k < 3 else None
        motion.show(padded_gradient(total, x2, top, size), start + 0.3, until)
        factor = outline(x0 + j * size, center + (i - 1) * size, size, size)
        corner = x2 + 2 * j * size, top + 2 * i * size
        motion.show(factor, start, end)
        motion.show(outline(*corner, 3 * size, 3 * size), start, end)
    options = {"stride": 2, "padding": 1, "output_padding": 1}
    inner = conv.conv_transpose2d(G[None, None], torch.ones(1, 1, 3, 3), **options)
    assert torch.equal(inner[0, 0], total[1:5, 1:5])
    motion.show(cut_off(total, x2, top, size), 4 * step + 0.2)
    motion.add_to(diagram)
    return diagram
