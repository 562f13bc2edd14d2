"""Chapters 1 and 2: connections, parameters and inputs of a convolutional layer."""

import drawsvg as draw

from conv.plotting import PALETTE
from shapes import (
    MARGIN,
    NEUTRAL,
    arrow,
    blend,
    box,
    drawing,
    empty_grid,
    text,
    tint,
)

INPUTS, OUTPUTS = 6, 4
TAPS = INPUTS - OUTPUTS + 1
Edge = tuple[int, int]  # from an input to an output


def weight_styles() -> list[dict[str, object]]:
    """Return a line style for each of the three shared weights."""
    color = blend(PALETTE["kernel"], 0.75, "#000000")
    dashes = ["none", "9 5", "0.1 6"]
    style = {"stroke": color, "stroke_width": 3, "stroke_linecap": "round"}
    return [{**style, "stroke_dasharray": dash} for dash in dashes]


def panel(
    name: str, weights: int, edges: list[Edge], styles: list[dict], x: float
) -> draw.Group:
    """Draw inputs, outputs and the lines between them under a caption."""
    left, right, top, pitch = x + 26, x + 124, 92, 38
    group = draw.Group()
    group.append(text(name, x + 75, 30))
    group.append(text(f"{weights} weights", x + 75, 54, font_weight="bold"))
    first = top + (INPUTS - OUTPUTS) / 2 * pitch
    for i, o in edges:
        ends = left, top + i * pitch, right, first + o * pitch
        group.append(draw.Line(*ends, **styles[(i - o) % len(styles)]))
    for k in range(INPUTS):
        group.append(draw.Circle(left, top + k * pitch, 10, fill=PALETTE["input"]))
    for k in range(OUTPUTS):
        group.append(draw.Circle(right, first + k * pitch, 10, fill=PALETTE["output"]))
    bottom = top + (INPUTS - 1) * pitch + 32
    group.append(text("input", left, bottom))
    group.append(text("output", right, bottom))
    return group


def connections() -> draw.Drawing:
    """Count the weights between six pixels and four outputs, in three ways."""
    everything = [(i, o) for o in range(OUTPUTS) for i in range(INPUTS)]
    local = [(i, o) for i, o in everything if 0 <= i - o < TAPS]
    shared = {i - o for i, o in local}
    gray = [{"stroke": NEUTRAL, "stroke_width": 1.5}]
    pitch = 182
    diagram = drawing(2 * MARGIN + 2 * pitch + 150, 338, "Connections and weights")
    for k, (name, weights, edges, styles) in enumerate(
        [
            ("fully connected", len(everything), everything, gray),
            ("local", len(local), local, gray),
            ("local and shared", len(shared), local, weight_styles()),
        ]
    ):
        diagram.append(panel(name, weights, edges, styles, MARGIN + k * pitch))
    return diagram


def both_ways(
    start: tuple[float, float], end: tuple[float, float], gap: float = 7
) -> draw.Group:
    """Draw an arrow forward, and next to it one backward, for gradients."""
    (x0, y0), (x1, y1) = start, end
    dx, dy = (0, gap) if y0 == y1 else (gap, 0)
    group = draw.Group()
    group.append(arrow((x0 - dx, y0 - dy), (x1 - dx, y1 - dy)))
    back = (x1 + dx, y1 + dy), (x0 + dx, y0 + dy)
    group.append(arrow(*back, color=PALETTE["gradient"], stroke_dasharray="5 4"))
    return group


def conv_layer() -> draw.Drawing:
    """Draw a layer that stores a kernel and a bias, forward and backward."""
    diagram = drawing(602, 312, "A convolutional layer")
    frame = {"fill": blend(NEUTRAL, 0.07), "stroke": NEUTRAL, "stroke_dasharray": "6 5"}
    diagram.append(draw.Rectangle(134, 20, 284, 232, rx=10, **frame))
    middle, correlation, plus, above = 186, 230, 376, 76
    diagram.append(both_ways((104, middle), (150, middle)))
    diagram.append(both_ways((310, middle), (356, middle)))
    diagram.append(both_ways((396, middle), (442, middle)))
    diagram.append(both_ways((correlation, 106), (correlation, 158)))
    diagram.append(both_ways((plus, 106), (plus, 166)))

    parameter = tint(PALETTE["kernel"])
    output = ["output", "(H − h + 1)", "× (W − w + 1)"]
    for lines, x, y, width, height, fill in [
        (["input x", "H × W"], 64, middle, 80, 60, tint(PALETTE["input"])),
        (["weight", "h × w"], correlation, above, 120, 60, parameter),
        (["bias", "1 value"], plus, above, 68, 60, parameter),
        (["cross-correlation"], correlation, middle, 160, 56, "white"),
        (output, 510, middle, 136, 84, tint(PALETTE["output"])),
    ]:
        diagram.append(box(lines, x, y, width, height, fill))
    diagram.append(draw.Circle(plus, middle, 20, fill="white", stroke=NEUTRAL))
    diagram.append(text("+", plus, middle, 20))
    diagram.append(text("the layer", 150, 234, text_anchor="start"))

    legend = 284
    color = {"color": PALETTE["gradient"], "stroke_dasharray": "5 4"}
    diagram.append(arrow((44, legend), (80, legend)))
    diagram.append(arrow((220, legend), (184, legend), **color))
    diagram.append(
        draw.Rectangle(344, legend - 8, 16, 16, fill=parameter, stroke=NEUTRAL)
    )
    for words, x in [("forward", 90), ("gradients", 230), ("learned parameters", 370)]:
        diagram.append(text(words, x, legend, text_anchor="start"))
    return diagram


def batch_axes() -> draw.Drawing:
    """Draw a batch of shape (N, C, H, W): images of channels of rows and columns."""
    N, C, H, W = 2, 3, 4, 5
    size, depth, pitch, left, top = 24, 22, 256, 108, 78
    width, height = W * size, H * size
    diagram = drawing(
        left + pitch + width + (C - 1) * depth + MARGIN, 280, "(N, C, H, W)"
    )
    for n in range(N):
        for c in reversed(range(C)):
            x, y = left + n * pitch + c * depth, top - c * depth
            fill = blend(PALETTE["input"], 0.2 + 0.15 * c)
            diagram.append(empty_grid(H, W, x, y, fill, size))
    bottom, right = top + height, left + width
    diagram.append(arrow((left - 14, top), (left - 14, bottom)))
    diagram.append(text(f"H = {H}", left - 54, top + height / 2))
    diagram.append(arrow((left, bottom + 14), (right, bottom + 14)))
    diagram.append(text(f"W = {W}", left + width / 2, bottom + 34))
    deep = (C - 1) * depth
    diagram.append(arrow((right + 14, bottom), (right + 14 + deep, bottom - deep)))
    for k, words in enumerate([f"C = {C}", "channels"]):
        place = right + 46, bottom - 4 + 20 * k
        diagram.append(text(words, *place, text_anchor="start"))
    center = left + (width + deep) / 2
    diagram.append(arrow((center, bottom + 64), (center + pitch, bottom + 64)))
    diagram.append(text(f"N = {N} images", center + pitch / 2, bottom + 82))
    return diagram
