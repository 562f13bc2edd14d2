"""Chapter 13: normalization; plain, residual, separable, and ConvNeXt blocks."""

from collections.abc import Sequence

import drawsvg as draw

from conv.plotting import PALETTE
from shapes import (
    INPUT,
    KERNEL,
    MARGIN,
    NEUTRAL,
    OUTPUT,
    arrow,
    box,
    drawing,
    empty_grid,
    text,
    tint,
)

WIDTH, HEIGHT, PITCH = 176, 38, 58  # size of a layer's box; distance between boxes
BEND = 58  # how far a shortcut leads around the boxes
ADDITION = "+"


def layer_height(name: str) -> float:
    """Compute the height of a layer's box, which may contain several lines."""
    return HEIGHT + 10 * name.count("\n")


def layer_box(name: str, x: float, y: float) -> draw.Group:
    """Draw one layer; those with weights have the kernel's color."""
    group = draw.Group()
    if name == ADDITION:
        group.append(draw.Circle(x, y, 16, fill="white", stroke=NEUTRAL))
        group.append(text(name, x, y, 20))
        return group
    has_weights = "×" in name or "pointwise" in name
    fill = KERNEL if has_weights else "white"
    lines = name.split("\n")
    group.append(box(lines, x, y, WIDTH, layer_height(name), fill))
    return group


def path_around(x: float, top: float, end: float, label: str) -> draw.Group:
    """Draw a shortcut from (x, top) around the boxes to the addition at `end`."""
    group, color = draw.Group(), PALETTE["highlight"]
    right = x + WIDTH / 2 + BEND
    style = {"stroke": color, "stroke_width": 3, "fill": "none"}
    group.append(draw.Lines(x, top, right, top, right, end, x + 30, end, **style))
    group.append(arrow((x + 36, end), (x + 18, end), color))
    if label:
        middle = (top + end) / 2
        group.append(box(label.split("\n"), right, middle, 92, 74, KERNEL))
    return group


def block(
    title: str, layers: Sequence[str], x: float, shortcut: str | None = None
) -> draw.Group:
    """Draw a block from top to bottom, with its input and its output.

    `shortcut` is None for a plain block, and empty for the identity.
    """
    group = draw.Group()
    group.append(text(title, x, 30, font_weight="bold"))
    names = ["x", *layers, "y"]
    places = [70 + PITCH * k for k in range(len(names))]
    half = [layer_height(name) / 2 if len(name) > 1 else 16 for name in names]
    for k in range(len(names) - 1):
        start, end = places[k] + half[k], places[k + 1] - half[k + 1]
        group.append(arrow((x, start), (x, end)))
    if shortcut is not None:
        fork = (places[0] + places[1] - half[1] + 12) / 2
        addition = places[names.index(ADDITION)]
        group.append(path_around(x, fork, addition, shortcut))
    for name, y in zip(names[1:-1], places[1:-1], strict=True):
        group.append(layer_box(name, x, y))
    for name, y, fill in [("x", places[0], INPUT), ("y", places[-1], OUTPUT)]:
        group.append(draw.Circle(x, y, 16, fill=fill, stroke=NEUTRAL))
        group.append(text(name, x, y))
    return group


def two_blocks(
    name: str, blocks: Sequence[tuple[str, Sequence[str], str | None]]
) -> draw.Drawing:
    """Draw blocks side by side, with the tops aligned."""
    pitch, left = 300, MARGIN + WIDTH / 2
    rows = max(len(layers) for _, layers, _ in blocks) + 2
    width = 2 * MARGIN + (len(blocks) - 1) * pitch + WIDTH + BEND + 46
    diagram = drawing(width, 70 + PITCH * (rows - 1) + 16 + MARGIN, name)
    for k, (title, layers, shortcut) in enumerate(blocks):
        diagram.append(block(title, layers, left + k * pitch, shortcut))
    return diagram


def plain_and_residual() -> draw.Drawing:
    """Draw a plain block and a residual one with the same layers."""
    body = ["3 × 3 convolution", "batch norm", "ReLU", "3 × 3 convolution"]
    body += ["batch norm"]
    return two_blocks(
        "A plain and a residual block",
        [
            ("plain", [*body, "ReLU"], None),
            ("residual", [*body, ADDITION, "ReLU"], ""),
        ],
    )


def projection_and_bottleneck() -> draw.Drawing:
    """Draw a block with a projection shortcut, and a bottleneck block."""
    projection = ["3 × 3, 64 → 128\nstride 2", "ReLU", "3 × 3, 128 → 128"]
    bottleneck = ["1 × 1, 256 → 64", "ReLU", "3 × 3, 64 → 64", "ReLU"]
    bottleneck += ["1 × 1, 64 → 256"]
    return two_blocks(
        "A projection shortcut and a bottleneck block",
        [
            (
                "projection shortcut",
                [*projection, ADDITION, "ReLU"],
                "1 × 1\n64 → 128\nstride 2",
            ),
            ("bottleneck", [*bottleneck, ADDITION, "ReLU"], ""),
        ],
    )


def cheaper_blocks() -> draw.Drawing:
    """Draw a separable and a ConvNeXt-like block."""
    half = ["depthwise 3 × 3", "pointwise"]
    convnext = ["depthwise 5 × 5", "layer norm", "pointwise, c → 4c", "GELU"]
    convnext += ["pointwise, 4c → c"]
    return two_blocks(
        "A separable and a ConvNeXt-like block",
        [
            ("separable", [*half, "ReLU", *half, ADDITION, "ReLU"], ""),
            ("ConvNeXt-like", [*convnext, ADDITION], ""),
        ],
    )


def norm_axes() -> draw.Drawing:
    """Mark which values of a batch share a mean in two kinds of normalization."""
    N, C, size, side = 3, 4, 18, 3
    pitch, first, group_pitch = side * size + 16, 92, 330
    used, unused = tint(PALETTE["highlight"]), "white"
    width = 2 * MARGIN + group_pitch + 80 + N * pitch
    diagram = drawing(width, 128 + C * pitch, "Batch and layer normalization")
    for k, name in enumerate(["batch normalization", "layer normalization"]):
        left = MARGIN + k * group_pitch + 86
        center = left + (N * pitch - 16) / 2
        diagram.append(text(name, center - 24, 30, font_weight="bold"))
        for n in range(N):
            words = f"image {n}"
            diagram.append(text(words, left + n * pitch + 27, 68, 14))
        for c in range(C):
            y = first + c * pitch
            diagram.append(
                text(f"channel {c}", left - 12, y + 27, 14, text_anchor="end")
            )
            for n in range(N):
                x = left + n * pitch
                fill = used if k == 0 and c == 1 else unused
                diagram.append(empty_grid(side, side, x, y, fill, size))
                if k == 1 and n == 1:
                    diagram.append(empty_grid(1, 1, x + size, y + size, used, size))
    return diagram
