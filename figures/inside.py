"""Chapter 12: an occlusion map, Grad-CAM, and two attacks on an image."""

from itertools import pairwise
from math import copysign

import drawsvg as draw
import torch
from torch import Tensor

from conv.plotting import PALETTE
from shapes import (
    CELL,
    INPUT,
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

THREE = torch.tensor(
    [
        [0, 0, 0, 0, 0, 0, 0],
        [0, 1, 1, 1, 1, 1, 0],
        [0, 0, 0, 0, 0, 1, 0],
        [0, 0, 1, 1, 1, 1, 0],
        [0, 0, 0, 0, 0, 1, 0],
        [0, 1, 1, 1, 1, 1, 0],
        [0, 0, 0, 0, 0, 0, 0],
    ]
)
SIZE = 3  # of the square that covers a part
STRIDE = 2
STEP = 0.5  # seconds per position
DERIVATIVE = PALETTE["gradient"]


def probability(image: Tensor) -> float:
    """Return the probability of a three in a toy model with one weight per pixel.

    The model is unsure about an empty image, and nearly sure about the three.
    """
    rows = torch.tensor([0.1, 0.1, 0.2, 0.7, 0.2, 0.1, 0.1])  # the middle counts most
    score = (rows[:, None] * THREE * image).sum() - 2.4
    return torch.sigmoid(score).item()


def occlusion() -> draw.Drawing:
    """Cover each part of an image in turn, and enter the drop in a map."""
    side, size = THREE.shape[0], 32
    top, middle = MARGIN + 34, MARGIN + 34 + THREE.shape[0] * size / 2
    positions = [(i, j) for i in range(0, 5, STRIDE) for j in range(0, 5, STRIDE)]
    left = 484
    diagram = drawing(660, top + side * size + 62, "Occlusion map")
    diagram.append(text("image", MARGIN + side * size / 2, MARGIN + 8))
    for i in range(side):
        for j in range(side):
            fill = INPUT if THREE[i, j] else "white"
            diagram.append(cell("", MARGIN + j * size, top + i * size, fill, size))
    diagram.append(arrow((262, middle), (300, middle)))
    diagram.append(box(["network"], 352, middle, 96, 48, "#EEEEEE"))
    diagram.append(arrow((404, middle), (442, middle)))
    edge = top + (side * size - 3 * CELL) / 2
    diagram.append(text("drop in P(3)", left + 1.5 * CELL, edge - 26))
    diagram.append(empty_grid(3, 3, left, edge, "white"))
    whole = probability(THREE)
    below = top + side * size + 34
    note = f"whole image: P(3) = {whole:.2f}"
    diagram.append(text(note, MARGIN, below, text_anchor="start"))

    motion = Motion(len(positions) * STEP + 0.5)
    square = draw.Group()
    square.append(draw.Rectangle(0, 0, SIZE * size, SIZE * size, fill="white"))
    square.append(outline(0, 0, SIZE * size, SIZE * size))
    stops = [
        (k * STEP, MARGIN + j * size, top + i * size)
        for k, (i, j) in enumerate(positions)
    ]
    motion.slide(square, stops)
    for k, (i, j) in enumerate(positions):
        covered = THREE.clone()
        covered[i : i + SIZE, j : j + SIZE] = 0
        p = probability(covered)
        place = left + j // STRIDE * CELL, edge + i // STRIDE * CELL
        label = f"{whole - p:.2f}"
        fill = blend(PALETTE["output"], 0.75 * (whole - p))
        start, last = k * STEP + 0.25, k == len(positions) - 1
        motion.show(cell(label, *place, fill), start)
        now = text(f"covered: P(3) = {p:.2f}", 352, below, text_anchor="middle")
        motion.show(now, start, None if last else (k + 1) * STEP + 0.2)
    motion.add_to(diagram)
    return diagram


def grad_cam() -> draw.Drawing:
    """Weight two channels by their mean gradients, and add them."""
    A = torch.tensor(
        [[[0, 1, 3], [0, 2, 2], [1, 0, 0]], [[2, 0, 0], [3, 1, 0], [0, 0, 1]]]
    )
    gradients = torch.tensor(
        [[[1, 3, 2], [0, 4, 2], [3, 1, 2]], [[-2, 0, -1], [-1, 1, -3], [0, -2, -1]]]
    )
    alpha = gradients.float().mean(dim=(1, 2))
    total = (alpha[:, None, None] * A).sum(dim=0)
    size, step = 36, 170
    width = 3 * size
    columns = [MARGIN, MARGIN + 132, 400, 588]
    top = MARGIN + 38
    pink = tint(DERIVATIVE)
    diagram = drawing(
        columns[-1] + width + MARGIN, top + step + width + MARGIN, "Grad-CAM"
    )
    for k in range(2):
        y = top + k * step
        n = "¹²"[k]
        diagram.append(text(f"A{n}", columns[0] + width / 2, y - 20))
        diagram.append(grid(A[k], columns[0], y, OUTPUT, size))
        diagram.append(text(f"gradient ∂s/∂A{n}", columns[1] + width / 2, y - 20))
        diagram.append(grid(gradients[k], columns[1], y, pink, size))
        middle = y + width / 2
        x = columns[1] + width + 12
        label = f"mean: α{'₁₂'[k]} = {number(alpha[k].item())}"
        diagram.append(text(label, x, middle + (-22, 22)[k], 15, text_anchor="start"))
    middle = top + (step + width) / 2
    start = columns[1] + width + 66
    for k in range(2):
        y = top + k * step + width / 2
        diagram.append(arrow((start, y), (columns[2] - 10, middle + (-24, 24)[k])))
    y = middle - width / 2
    words = "α₁ A¹ + α₂ A²"
    diagram.append(text(words, columns[2] + width / 2, y - 20))
    diagram.append(grid(total, columns[2], y, "white", size))
    ends = (columns[2] + width + 10, middle), (columns[3] - 10, middle)
    diagram.append(arrow(*ends))
    diagram.append(text("max(0, ·)", sum(x for x, _ in ends) / 2, middle - 20, 14))
    diagram.append(text("Grad-CAM", columns[3] + width / 2, y - 20))
    for i, row in enumerate(total.clamp(min=0).tolist()):
        for j, value in enumerate(row):
            fill = blend(PALETTE["output"], 0.6 * value / total.max().item())
            place = columns[3] + j * size, y + i * size
            diagram.append(cell(number(value), *place, fill, size))
    return diagram


def toy_loss(u: float, v: float) -> float:
    """Return a loss of two pixels, in units of epsilon, with curved contours."""
    return u + 1.2 * (0.6 * v - v * v)


def sign_of_gradient(u: float, v: float) -> tuple[float, float]:
    """Return the signs of the derivatives of `toy_loss`."""
    return 1.0, copysign(1, 0.6 - 2 * v)


def attack_steps() -> draw.Drawing:
    """Compare one large step with many small ones in a box around an image."""
    unit, x0, y0 = 130, 250, 190

    def place(u: float, v: float) -> tuple[float, float]:
        return round(x0 + unit * u, 2), round(y0 - unit * v, 2)

    diagram = drawing(700, 2 * y0 + 18, "FGSM and PGD")
    clip = draw.ClipPath()
    clip.append(draw.Rectangle(60, MARGIN, 400, 2 * y0 - 2 - 2 * MARGIN - 20))
    contours = draw.Group(clip_path=clip)
    for k in range(-16, 14):
        level = 0.3 * k
        line = draw.Path(stroke=blend(NEUTRAL, 0.45), fill="none")
        for n in range(61):
            v = -1.6 + n * 3.2 / 60
            point = place(level - toy_loss(0, v), v)
            (line.L if n else line.M)(*point)
        contours.append(line)
    diagram.append(contours)
    corner = place(-1, 1)
    diagram.append(
        draw.Rectangle(
            *corner, 2 * unit, 2 * unit, fill="none", stroke=NEUTRAL, stroke_width=2
        )
    )
    target = place(*sign_of_gradient(0, 0))
    diagram.append(arrow(place(0, 0), target, PALETTE["input"]))
    path = [(0.0, 0.0)]
    for _ in range(5):
        u, v = path[-1]
        du, dv = sign_of_gradient(u, v)
        u, v = (max(-1.0, min(1.0, z + d / 4)) for z, d in ((u, du), (v, dv)))
        path.append((u, v))
    for a, b in pairwise(path):
        diagram.append(arrow(place(*a), place(*b), PALETTE["highlight"]))
    diagram.append(draw.Circle(*place(0, 0), 5, fill=NEUTRAL))
    diagram.append(text("x", place(0, 0)[0] - 16, y0))
    for words, u in {"−ε": -1, "0": 0, "+ε": 1}.items():
        x, y = place(u, -1)
        diagram.append(draw.Line(x, y, x, y + 6, stroke=NEUTRAL, stroke_width=2))
        diagram.append(text(words, x, y + 18))
    diagram.append(text("change of pixel 1", x0, 2 * y0 - 4))
    diagram.append(text("change of pixel 2", 36, y0, transform=f"rotate(-90 36 {y0})"))
    losses = {"FGSM": sign_of_gradient(0, 0), "PGD": path[-1]}
    colors = {"FGSM": PALETTE["input"], "PGD": PALETTE["highlight"]}
    for name, point in losses.items():
        gain = toy_loss(*point) - toy_loss(0, 0)
        x, y = place(*point)
        words = f"{name}: loss rises by {gain:.2f} ε"
        diagram.append(text(words, 476, y, text_anchor="start", fill=colors[name]))
        diagram.append(
            draw.Line(x + 8, y, 470, y, stroke=colors[name], stroke_dasharray="3 4")
        )
    return diagram
