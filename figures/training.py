"""Chapter 15: stochastic depth."""

import drawsvg as draw

from conv.plotting import PALETTE
from shapes import (
    INPUT,
    KERNEL,
    MARGIN,
    NEUTRAL,
    OUTPUT,
    Motion,
    arrow,
    drawing,
    text,
)

BLOCKS = 5
PITCH = 104  # from block to block
FIRST = 200  # where the first block is
ROW = 104  # from row to row
WIDTH, HEIGHT = 60, 34  # of a branch's box
LIFT = 42  # how far the branch is above the shortcut
SKIPPED = [{4}, {2, 5}, {5}]  # the blocks without a branch in each step
SECONDS = 4.8


def branch(x: float, y: float, used: bool) -> draw.Group:
    """Draw a block's branch over its shortcut; dashed if it is skipped."""
    group = draw.Group()
    color = NEUTRAL if used else "#BBBBBB"
    style = {"stroke": color, "stroke_width": 2, "fill": "none"}
    if not used:
        style["stroke_dasharray"] = "5 4"
    left, right = x - PITCH / 2 + 10, x + PITCH / 2 - 18
    group.append(draw.Lines(left, y, left, y - LIFT, x - WIDTH / 2, y - LIFT, **style))
    if used:
        group.append(draw.Line(x + WIDTH / 2, y - LIFT, right, y - LIFT, **style))
        group.append(arrow((right, y - LIFT), (right, y - 9)))
    else:
        line = (x + WIDTH / 2, y - LIFT, right, y - LIFT, right, y - 9)
        group.append(draw.Lines(*line, **style))
    box = {"fill": KERNEL if used else "white", "stroke": color, "rx": 6}
    if not used:
        box["stroke_dasharray"] = "5 4"
    corner = x - WIDTH / 2, y - LIFT - HEIGHT / 2
    group.append(draw.Rectangle(*corner, WIDTH, HEIGHT, **box))
    group.append(text("f", x, y - LIFT, fill="#222222" if used else "#999999"))
    return group


def addition(x: float, y: float) -> draw.Group:
    """Draw the addition at the end of a block."""
    group = draw.Group()
    group.append(draw.Circle(x, y, 9, fill="white", stroke=NEUTRAL))
    group.append(draw.Line(x - 5, y, x + 5, y, stroke=NEUTRAL, stroke_width=2))
    group.append(draw.Line(x, y - 5, x, y + 5, stroke=NEUTRAL, stroke_width=2))
    return group


def row(y: float, skipped: set[int]) -> list[draw.Group]:
    """Draw a row: its blocks, each as a group of its own."""
    groups = []
    for k in range(1, BLOCKS + 1):
        x, used = FIRST + (k - 1) * PITCH, k not in skipped
        group = draw.Group()
        color = NEUTRAL if used else PALETTE["highlight"]
        width = 2 if used else 4
        start, end = x - PITCH / 2 - 9, x + PITCH / 2 - 27
        line = {"stroke": color, "stroke_width": width}
        group.append(draw.Line(start, y, end, y, **line))
        group.append(branch(x, y, used))
        group.append(addition(x + PITCH / 2 - 18, y))
        groups.append(group)
    return groups


def stochastic_depth() -> draw.Drawing:
    """Skip the branches of random blocks in training, and none in evaluation."""
    width = FIRST + BLOCKS * PITCH
    rows = [*SKIPPED, set()]
    names = [
        "training,\nstep 1",
        "training,\nstep 2",
        "training,\nstep 3",
        "evaluation",
    ]
    diagram = drawing(width, MARGIN + ROW * len(rows) - 8, "Stochastic depth")
    motion = Motion(SECONDS)
    for r, (skipped, name) in enumerate(zip(rows, names, strict=True)):
        y, begin = MARGIN + 62 + r * ROW, 1.15 * r
        label = draw.Group()
        for k, line in enumerate(name.split("\n")):
            place = y - 20 + 22 * k if "\n" in name else y - 10
            label.append(text(line, MARGIN, place, text_anchor="start"))
        x = FIRST - PITCH / 2 - 22
        label.append(draw.Circle(x, y, 13, fill=INPUT, stroke=NEUTRAL))
        label.append(text("x", x, y))
        motion.show(label, begin)
        for k, group in enumerate(row(y, skipped)):
            motion.show(group, begin + 0.15 * (k + 1))
        end = FIRST + (BLOCKS - 1) * PITCH + PITCH / 2 + 4
        last = draw.Group()
        last.append(draw.Line(end - 13, y, end + 3, y, stroke=NEUTRAL, stroke_width=2))
        last.append(draw.Circle(end + 16, y, 13, fill=OUTPUT, stroke=NEUTRAL))
        last.append(text("y", end + 16, y))
        motion.show(last, begin + 0.15 * (BLOCKS + 1))
    motion.add_to(diagram)
    return diagram
