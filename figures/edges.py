"""Chapter 3: a kernel that finds edges."""

import drawsvg as draw
import torch

import conv
from conv.plotting import PALETTE
from shapes import (
    CELL,
    MARGIN,
    NEUTRAL,
    TEXT_COLOR,
    cell,
    drawing,
    grid,
    number,
    outline,
    text,
    tint,
)

X = torch.tensor([[1, 1, 0, 0, 0, 0, 1, 1]])
K = torch.tensor([[1, -1]])
DARK, BRIGHT = "#444444", "#F4F4F4"


def edge_profile() -> draw.Drawing:
    """Relate a row of pixels to its brightness and to differences of neighbors."""
    Y = conv.corr2d(X, K)
    pixels, outputs = X[0].tolist(), Y[0].tolist()
    left, high, low, kernel, below = 132, 112, 160, 192, 264
    diagram = drawing(left + len(pixels) * CELL + MARGIN, 370, "A row across two edges")
    edges = [k for k, value in enumerate(outputs) if value]
    for k in edges:
        x = left + (k + 1) * CELL
        guide = {"stroke": NEUTRAL, "stroke_dasharray": "4 4"}
        diagram.append(draw.Line(x, 24, x, below, **guide))
    for words, y in [
        ("image X", 46),
        ("brightness", (high + low) / 2),
        ("kernel K", kernel + CELL / 2),
        ("output Y", below + CELL / 2),
    ]:
        diagram.append(text(words, MARGIN, y, text_anchor="start"))

    for k, value in enumerate(pixels):
        fill, color = (BRIGHT, TEXT_COLOR) if value else (DARK, "white")
        diagram.append(cell(number(value), left + k * CELL, 24, fill, color=color))
    curve = []
    for k, value in enumerate(pixels):
        y = high if value else low
        curve += [left + k * CELL, y, left + (k + 1) * CELL, y]
    style = {"fill": "none", "stroke": PALETTE["input"], "stroke_width": 3}
    diagram.append(draw.Lines(*curve, **style))

    diagram.append(grid(K, left + edges[0] * CELL, kernel, tint(PALETTE["kernel"])))
    for k, value in enumerate(outputs):
        fill = tint(PALETTE["output"]) if value else "white"
        place = left + (k + 0.5) * CELL, below
        diagram.append(cell(number(value), *place, fill))
    diagram.append(outline(left + edges[0] * CELL, 24, 2 * CELL, CELL))
    diagram.append(outline(left + (edges[0] + 0.5) * CELL, below, CELL, CELL))
    for k in edges:
        words = "bright → dark" if outputs[k] > 0 else "dark → bright"
        diagram.append(text(words, left + (k + 1) * CELL, below + CELL + 22))
    return diagram
