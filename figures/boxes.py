"""Chapter 16: a network as a sliding window, the overlap of boxes, and suppression."""

import drawsvg as draw
import torch

import conv
from conv.plotting import PALETTE
from shapes import (
    INPUT,
    MARGIN,
    NEUTRAL,
    OUTPUT,
    TEXT_COLOR,
    Motion,
    arrow,
    drawing,
    empty_grid,
    outline,
    text,
    tint,
)

PIXEL = 9  # of the feature maps
OUTPUT_CELL = 22
LAYERS = [(3, 1), (2, 2), (3, 1), (3, 1)]  # kernel size and stride
LAYER_NAMES = ["3 × 3", "pool", "3 × 3", "3 × 3"]


def map_sizes(side: int) -> list[int]:
    """List the sizes of P-Net's feature maps for a square image."""
    sizes = [side]
    for kernel, stride in LAYERS:
        sizes.append(conv.output_shape(sizes[-1], kernel, stride)[0])
    return sizes


def pnet_slides() -> draw.Drawing:
    """Apply P-Net to one crop and to an image that contains four windows."""
    crop, image = map_sizes(12), map_sizes(14)
    gap, step = 66, 1.1
    lefts = [MARGIN]
    for size in image[:-1]:
        lefts.append(lefts[-1] + size * PIXEL + gap)
    rows = [58 + crop[0] * PIXEL / 2, 58 + crop[0] * PIXEL + 78 + image[0] * PIXEL / 2]
    bottom = rows[1] + image[0] * PIXEL / 2 + 34
    width = lefts[-1] + image[-1] * OUTPUT_CELL + MARGIN + 6
    diagram = drawing(width, round(bottom + 12), "P-Net slides")
    motion = Motion(4 * step)
    for sizes, middle in zip((crop, image), rows, strict=True):
        for k, (size, left) in enumerate(zip(sizes, lefts, strict=True)):
            last = k == len(sizes) - 1
            cell = OUTPUT_CELL if last else PIXEL
            half = size * cell / 2
            fill = INPUT if k == 0 else "white"
            if last and sizes is crop:
                fill = OUTPUT
            diagram.append(empty_grid(size, size, left, middle - half, fill, cell))
            label = f"{size} × {size}"
            diagram.append(text(label, left + half, middle + half + 16))
            if not last:
                start = left + size * cell + 8
                diagram.append(arrow((start, middle), (lefts[k + 1] - 8, middle)))
                center = (start + lefts[k + 1] - 8) / 2
                diagram.append(text(LAYER_NAMES[k], center, middle - 14))
                if LAYER_NAMES[k] == "pool":
                    diagram.append(text("2 × 2", center, middle + 16))
    corners = [(i, j) for i in range(2) for j in range(2)]
    shifts = [2, 2, 1, 1, 1]  # pixels from one window to the next, in each map
    for n, (i, j) in enumerate(corners):
        x = lefts[-1] + j * OUTPUT_CELL
        y = rows[1] + (i - 1) * OUTPUT_CELL
        style = {"fill": OUTPUT, "stroke": NEUTRAL}
        pixel = draw.Rectangle(x, y, OUTPUT_CELL, OUTPUT_CELL, **style)
        motion.show(pixel, n * step + 0.4)
    for k, (small, large) in enumerate(zip(crop, image, strict=True)):
        cell = OUTPUT_CELL if k == len(crop) - 1 else PIXEL
        frame = outline(lefts[k], rows[1] - large * cell / 2, *[small * cell] * 2)
        stops = [
            (n * step, j * shifts[k] * cell, i * shifts[k] * cell)
            for n, (i, j) in enumerate(corners)
        ]
        motion.slide(frame, stops)
    diagram.append(text("one crop", MARGIN, 32, text_anchor="start"))
    words = "an image that contains four windows"
    y = rows[1] - image[0] * PIXEL / 2 - 18
    diagram.append(text(words, MARGIN, y, text_anchor="start"))
    motion.add_to(diagram)
    return diagram


def rectangle(box: list[float], scale: float, x: float, y: float, **style: object):
    """Draw a box (left, top, right, bottom)."""
    left, top, right, bottom = (side * scale for side in box)
    return draw.Rectangle(x + left, y + top, right - left, bottom - top, **style)


def box_overlap() -> draw.Drawing:
    """Two boxes on a grid, their intersection and their union."""
    A, B = torch.tensor([[0.0, 0, 4, 4]]), torch.tensor([[2.0, 1, 6, 5]])
    both = torch.tensor([2.0, 1, 4, 4])
    inside = int((both[2:] - both[:2]).prod())
    iou = conv.box_iou(A, B).item()
    union = round(inside / iou)
    size, x, y = 40, MARGIN, MARGIN
    diagram = drawing(560, 2 * MARGIN + 5 * size, "Overlap of two boxes")
    diagram.append(empty_grid(5, 6, x, y, "white", size))
    color = PALETTE["input"]
    for box in (A, B):
        style = {"fill": tint(color), "fill_opacity": 0.6, "stroke": color}
        style["stroke_width"] = 3
        diagram.append(rectangle(box[0].tolist(), size, x, y, **style))
    style = {"fill": tint(PALETTE["highlight"]), "stroke": PALETTE["highlight"]}
    style["stroke_width"] = 3
    diagram.append(rectangle(both.tolist(), size, x, y, **style))
    diagram.append(text("A", x + size / 2, y + size / 2))
    diagram.append(text("B", x + 5.5 * size, y + 4.5 * size))
    lines = [f"intersection: {inside} cells", f"union: {union} cells"]
    lines.append(f"IoU = {inside}/{union} ≈ {iou:.2f}")
    for k, line in enumerate(lines):
        place = x + 6 * size + 36, y + (1.2 + 1.2 * k) * size
        diagram.append(text(line, *place, text_anchor="start"))
    return diagram


CANDIDATES = torch.tensor(
    [
        [20.0, 30, 150, 160],
        [44, 10, 174, 140],
        [10, 56, 130, 176],
        [240, 50, 350, 160],
        [262, 66, 372, 176],
    ]
)
SCORES = torch.tensor([0.95, 0.80, 0.70, 0.90, 0.60])


def suppression() -> draw.Drawing:
    """Keep the box with the highest score, remove those that overlap it, repeat."""
    kept = conv.nms(CANDIDATES, SCORES, 0.3).tolist()
    overlap = conv.box_iou(CANDIDATES, CANDIDATES) > 0.3
    x, y, step = MARGIN, 24, 2.3
    diagram = drawing(640, 232, "Non-maximum suppression")
    motion = Motion(2 * step)
    active = set(range(len(SCORES)))
    for turn, best in enumerate(kept):
        start = turn * step + 0.3
        removed = [n for n in active - {best} if overlap[best, n]]
        motion.show(candidate(best, x, y, NEUTRAL), 0, start)
        motion.show(candidate(best, x, y, PALETTE["highlight"], 4), start)
        for n in removed:
            motion.show(candidate(n, x, y, NEUTRAL), 0, start + 0.9)
            motion.show(candidate(n, x, y, "#BBBBBB", 1.5, dashed=True), start + 0.9)
        active -= {best, *removed}
        top = y + 28 + turn * 84
        left = x + 410
        words = f"keep {SCORES[best]:.2f}"
        line = text(words, left, top, text_anchor="start", fill=PALETTE["highlight"])
        motion.show(line, start)
        names = " and ".join(f"{SCORES[n]:.2f}" for n in sorted(removed))
        line = text(f"remove {names}", left, top + 28, text_anchor="start")
        motion.show(line, start + 0.9)
    motion.add_to(diagram)
    return diagram


def candidate(
    n: int, x: float, y: float, color: str, width: float = 2, dashed: bool = False
) -> draw.Group:
    """Draw a candidate and its score."""
    group = draw.Group()
    style = {"fill": "none", "stroke": color, "stroke_width": width}
    if dashed:
        style["stroke_dasharray"] = "5 4"
    group.append(rectangle(CANDIDATES[n].tolist(), 1, x, y, **style))
    left, top, right, bottom = CANDIDATES[n].tolist()
    places = {  # inside or outside of the box, away from the sides of the others
        0: ((left + right) / 2, (top + bottom) / 2),
        1: (right - 20, top - 12),
        2: (left + 20, bottom + 14),
        3: ((left + right) / 2, (top + bottom) / 2),
        4: (right - 20, bottom + 14),
    }
    dx, dy = places[n]
    fill = color if color != NEUTRAL else TEXT_COLOR
    fill = "#767676" if dashed else fill
    group.append(text(f"{SCORES[n]:.2f}", x + dx, y + dy, 15, fill=fill))
    return group
