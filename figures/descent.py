"""Chapter 4: the errors in the loss, and how momentum adds up gradients."""

import drawsvg as draw
import torch

from conv.plotting import PALETTE
from shapes import MARGIN, NEUTRAL, TEXT_COLOR, arrow, cell, drawing, number, text, tint

PIXELS = [1, 1, 0, 0, 0, 0, 1, 1]
DARK, BRIGHT = "#444444", "#F4F4F4"
SIZE = 62  # width of a pixel; an error must fit below it
BETA = 0.9
UNIT = 54  # length of the arrow for one gradient


def window_errors() -> draw.Drawing:
    """Write the error of each window below the two pixels that it covers."""
    left, top, below = 124, 28, 128
    diagram = drawing(left + len(PIXELS) * SIZE + MARGIN, 218, "Errors of the windows")
    for words, y in [("image", top + SIZE / 2), ("error", below + SIZE / 2)]:
        diagram.append(text(words, MARGIN, y, text_anchor="start"))
    for k, value in enumerate(PIXELS):
        fill, color = (BRIGHT, TEXT_COLOR) if value else (DARK, "white")
        x = left + k * SIZE
        diagram.append(cell(number(value), x, top, fill, SIZE, color))
    for k in range(len(PIXELS) - 1):
        pair = zip(PIXELS[k : k + 2], ("e₁", "e₂"), strict=True)
        terms = [name for pixel, name in pair if pixel]
        fill = tint(PALETTE["output"]) if terms else "white"
        x = left + (k + 0.5) * SIZE
        for start in (x, x + SIZE):
            end = x + SIZE / 2
            line = draw.Line(start, top + SIZE, end, below, stroke=NEUTRAL)
            diagram.append(line)
        diagram.append(cell("+".join(terms) or "0", x, below, fill, SIZE))
    return diagram


def momentum_sum() -> draw.Drawing:
    """Add up gradients that alternate, and gradients that agree."""
    first, pitch, velocity = 176, 79, 516
    diagram = drawing(velocity + 200, 226, "Momentum")
    powers = (BETA ** torch.arange(3, -1, -1)).tolist()
    for k, factor in enumerate(powers):
        words = "× 1" if k == 3 else f"× {factor:.2f}"
        diagram.append(text(words, first + k * pitch + UNIT / 2, 40))
    diagram.append(text("newest", first + 3 * pitch + UNIT / 2, 18))
    diagram.append(text("velocity", velocity, 40, text_anchor="start"))
    rows = {"across": (92, -1, 1 / (1 + BETA)), "along": (172, 1, 1 / (1 - BETA))}
    for name, (y, ratio, total) in rows.items():
        for line, words in enumerate((name, "the valley")):
            place = MARGIN, y - 11 + 22 * line
            diagram.append(text(words, *place, text_anchor="start"))
        diagram.append(text("… +", first - 24, y))
        for k, factor in enumerate(powers):
            half = factor * ratio ** (3 - k) * UNIT / 2
            middle = first + k * pitch + UNIT / 2
            ends = (middle - half, y), (middle + half, y)
            diagram.append(arrow(*ends, PALETTE["gradient"]))
            words = "=" if k == 3 else "+"
            diagram.append(text(words, first + (k + 1) * pitch - 13, y))
        # The longer velocity is drawn shortened, with a gap
        length = min(total, 3.2) * UNIT
        end = velocity + length, y
        diagram.append(arrow((velocity, y), end, PALETTE["highlight"]))
        if total > 3.2:
            for x in (velocity + length / 2 - 4, velocity + length / 2 + 4):
                line = draw.Line(x - 4, y + 10, x + 4, y - 10, stroke=TEXT_COLOR)
                diagram.append(line)
        diagram.append(text(f"{total:.2g}", velocity, y + 26, text_anchor="start"))
    return diagram
