"""Chapter 14: how processes divide the work, and how they add up their gradients."""

import drawsvg as draw

from conv.plotting import PALETTE
from shapes import (
    INPUT,
    KERNEL,
    NEUTRAL,
    OUTPUT,
    Motion,
    arrow,
    blend,
    box,
    cell,
    drawing,
    text,
    tint,
)

P = 4  # processes, and parts of each vector
SIZE = 32  # side length of each part
STEP = 0.8  # seconds
GRADIENT = PALETTE["gradient"]
PALE = "#F4F4F4"


def part_cell(count: int, x: float, y: float, size: float = SIZE) -> draw.Group:
    """Draw a part of a vector, with the number of gradients that it adds up."""
    return cell(str(count), x, y, part_color(count), size)


def part_color(count: int) -> str:
    """Return a darker color for more gradients, and another one for a complete sum."""
    if count == P:
        return tint(PALETTE["output"])
    return blend(GRADIENT, 0.12 * count)


def data_parallel() -> draw.Drawing:
    """Follow one training step in two processes."""
    diagram = drawing(556, 340, "One step of data parallelism")
    y = [56, 170, 284]
    xs = [84, 218, 334]
    for k, row in enumerate((y[0], y[2])):
        diagram.append(text(f"process {k}", xs[1] + 10, row - 38, 14, fill=NEUTRAL))
        diagram.append(box(["share of", "the batch"], xs[0], row, 110, 54, INPUT))
        diagram.append(box(["network"], xs[1] + 10, row, 90, 54, KERNEL))
        diagram.append(box(["gradient"], xs[2] + 20, row, 90, 54, tint(GRADIENT)))
        diagram.append(arrow((xs[0] + 58, row), (xs[1] - 38, row)))
        diagram.append(arrow((xs[1] + 58, row), (xs[2] - 28, row)))
        inside = row + (30 if k == 0 else -30)
        diagram.append(arrow((xs[2] + 20, inside), (xs[2] + 20, y[1] - 32 * (-1) ** k)))
    diagram.append(
        box(["all-reduce:", "mean gradient"], xs[2] + 20, y[1], 136, 58, OUTPUT)
    )
    for k, row in enumerate((y[0], y[2])):
        start = xs[2] + 92, y[1] - 12 * (-1) ** k
        diagram.append(arrow(start, (480, row + 30 * (-1) ** k)))
        diagram.append(box(["same", "step"], 486, row, 90, 54, PALE))
    return diagram


def ring(
    motion: Motion,
    diagram: draw.Drawing,
    x: float,
    first: list[list[int]],
    start: float,
) -> list[list[int]]:
    """Send parts around a ring in P - 1 steps; return the final sums per process."""
    width, side, top = P * SIZE, 312, 92
    corners = [(x, top), (x + side - width, top)]
    corners += [(x + side - width, top + 150), (x, top + 150)]
    names = [(0, -16), (0, -16), (0, SIZE + 16), (0, SIZE + 16)]
    for rank, ((left, y), (_, down)) in enumerate(zip(corners, names, strict=True)):
        diagram.append(text(f"process {rank}", left + width / 2, y + down, 14))
    ends = [
        ((x + width + 6, top + SIZE / 2), (x + side - width - 6, top + SIZE / 2)),
        (
            (corners[1][0] + width / 2, top + SIZE + 8),
            (corners[1][0] + width / 2, top + 142),
        ),
        (
            (x + side - width - 6, top + 150 + SIZE / 2),
            (x + width + 6, top + 150 + SIZE / 2),
        ),
        ((x + width / 2, top + 142), (x + width / 2, top + SIZE + 8)),
    ]
    for tail, head in ends:
        diagram.append(arrow(tail, head))

    held = [list(row) for row in first]
    gathering = held[0].count(P) > 0
    shown = {(rank, part): 0.0 for rank in range(P) for part in range(P)}
    drawn = {key: held[key[0]][key[1]] for key in shown}
    moves = []
    for step in range(P - 1):
        before = [list(row) for row in held]
        for rank in range(P):
            part = (rank + gathering - step) % P
            right = (rank + 1) % P
            new = P if gathering else before[right][part] + before[rank][part]
            held[right][part] = new
            moves.append((step, rank, right, part, before[rank][part], new))
    changes = {}
    for step, _, right, part, _, new in moves:
        changes.setdefault((right, part), []).append((start + step * STEP + 0.6, new))
    for (rank, part), count in drawn.items():
        place = corners[rank][0] + part * SIZE, corners[rank][1]
        history = [(start, count), *changes.get((rank, part), [])]
        for k, (when, value) in enumerate(history):
            end = history[k + 1][0] + 0.2 if k + 1 < len(history) else None
            motion.show(part_cell(value, *place), when, end)
    for step, rank, right, part, count, _ in moves:
        x0, y0 = corners[rank][0] + part * SIZE, corners[rank][1]
        dx, dy = (
            corners[right][0] - corners[rank][0],
            corners[right][1] - corners[rank][1],
        )
        traveler = draw.Group()
        traveler.append(part_cell(count, x0, y0))
        style = {"fill": "none", "stroke": PALETTE["highlight"], "stroke_width": 3}
        traveler.append(draw.Rectangle(x0, y0, SIZE, SIZE, **style))
        begin = start + step * STEP
        motion.carry(traveler, begin + 0.1, begin + 0.7, (dx, dy))
    return held


def ring_all_reduce() -> draw.Drawing:
    """Add up four vectors in a ring: reduce-scatter, then all-gather."""
    diagram = drawing(700, 310, "A ring all-reduce")
    motion = Motion(4.9)
    for x, words in [(16, "1. Reduce-scatter"), (372, "2. All-gather")]:
        diagram.append(text(words, x + 156, 36, font_weight="bold"))
    ones = [[1] * P for _ in range(P)]
    halfway = ring(motion, diagram, 16, ones, 0)
    ring(motion, diagram, 372, halfway, (P - 1) * STEP)
    motion.add_to(diagram)
    return diagram


def halving_doubling() -> draw.Drawing:
    """Exchange halves, then quarters, between pairs of processes."""
    top, pitch, size = 96, 56, 32
    x = [104, 318, 532]
    diagram = drawing(680, top + 4 * pitch + 6, "Recursive halving")
    titles = [
        ("start", ""),
        ("after step 1:", "pairs 0–1, 2–3"),
        ("after step 2:", "pairs 0–2, 1–3"),
    ]
    for left, (first, second) in zip(x, titles, strict=True):
        diagram.append(text(first, left + 2 * size, 32, 15))
        diagram.append(text(second, left + 2 * size, 56, 15))
    held = [[1] * P for _ in range(P)]
    kept = [set(range(P)) for _ in range(P)]
    for column, left in enumerate(x):
        for rank in range(P):
            y = top + rank * pitch
            if column == 0:
                diagram.append(text(f"process {rank}", 48, y + size / 2, 14))
            for part in range(P):
                place = left + part * size, y
                if part in kept[rank]:
                    diagram.append(part_cell(held[rank][part], *place, size))
                else:
                    diagram.append(cell("", *place, "white", size))
        if column == 2:
            break
        distance = 2**column
        before = [list(row) for row in held]
        for rank in range(P):
            own = sorted(kept[rank])
            half = len(own) // 2
            upper = bool(rank & distance)
            mine = own[half:] if upper else own[:half]
            partner = rank ^ distance
            for part in mine:
                held[rank][part] = before[rank][part] + before[partner][part]
            kept[rank] = set(mine)
            ends = [
                (left + 4 * size + 8, top + partner * pitch + size / 2),
                (x[column + 1] - 8, top + rank * pitch + size / 2),
            ]
            diagram.append(arrow(*ends))
    return diagram


def layer_bar(
    x: float, y: float, width: float, share: tuple[float, float]
) -> draw.Group:
    """Draw a layer, filled from one fraction of its width to another."""
    group, height = draw.Group(), 26
    frame = {"fill": "white", "stroke": NEUTRAL, "stroke_dasharray": "4 3"}
    if share == (0, 1):
        frame = {"fill": "white", "stroke": NEUTRAL}
    if share[1] > share[0]:
        group.append(draw.Rectangle(x, y, width, height, **frame))
        begin, length = x + share[0] * width, (share[1] - share[0]) * width
        group.append(
            draw.Rectangle(begin, y, length, height, fill=KERNEL, stroke=NEUTRAL)
        )
    return group


def four_splits() -> draw.Drawing:
    """Divide the batch, the parameters, each layer, or the stack of layers."""
    width, gap, pitch, left, top = 62, 18, 174, 20, 104
    diagram = drawing(704, 306, "Four ways to divide the work")
    names = ["data", "FSDP", "tensor", "pipeline"]
    for panel, name in enumerate(names):
        x = left + panel * pitch
        center = x + width + gap / 2
        diagram.append(text(name, center, 28, font_weight="bold"))
        for process in range(2):
            px = x + process * (width + gap)
            diagram.append(
                text(f"proc. {process}", px + width / 2, 64, 14, fill=NEUTRAL)
            )
            for layer in range(4):  # the first layer is the lowest
                y = top + (3 - layer) * 34 - 10
                share = {
                    "data": (0, 1),
                    "FSDP": (process / 2, (process + 1) / 2),
                    "tensor": (process / 2, (process + 1) / 2),
                    "pipeline": (0, 1) if layer // 2 == process else (0, 0),
                }[name]
                if name == "tensor":
                    bx = px + process * width / 2
                    diagram.append(
                        draw.Rectangle(
                            bx, y, width / 2, 26, fill=KERNEL, stroke=NEUTRAL
                        )
                    )
                else:
                    diagram.append(layer_bar(px, y, width, share))
            whole = name in ("tensor", "pipeline")
            if name == "pipeline" and process == 1:
                continue
            images = 4 if whole else 2
            for k in range(images):
                size = 13
                bx = px + width / 2 + (k - images / 2) * (size + 2) + 1
                style = {"fill": INPUT, "stroke": NEUTRAL}
                diagram.append(draw.Rectangle(bx, 252, size, size, **style))
            ax = px + width / 2
            if name == "tensor":
                ax += (process - 0.5) * width / 2
            diagram.append(arrow((ax, 248), (ax, 228)))
        if name == "tensor":
            ends = x + width / 2 + 3, x + 1.5 * width + gap - 3
            for layer in (1, 3):
                y = top + (3 - layer) * 34 + 3
                diagram.append(arrow((center, y), (ends[0], y)))
                diagram.append(arrow((center, y), (ends[1], y)))
        if name == "pipeline":
            start = x + width, top + 2 * 34 + 2
            diagram.append(arrow(start, (x + width + gap, top + 34 + 4)))
    diagram.append(
        text(
            "each bar is a layer, and each square is an image in the batch",
            352,
            286,
            14,
        )
    )
    return diagram


def pipeline() -> draw.Drawing:
    """Schedule four micro-batches on three stages, forward and backward."""
    stages, batches, size, left, top = 3, 4, 42, 104, 62
    slots = 2 * (batches + stages - 1)
    width, height = left + slots * size + 24, top + stages * size + 56
    diagram = drawing(width, height, "A pipeline schedule")
    half = slots // 2 * size
    diagram.append(text("forward", left + half / 2, 32))
    diagram.append(text("backward", left + 1.5 * half, 32))
    for stage in range(stages):
        y = top + stage * size
        diagram.append(text(f"process {stage}", 50, y + size / 2, 14))
        for slot in range(slots):
            diagram.append(cell("", left + slot * size, y, PALE, size))
        for k in range(batches):
            forward = left + (stage + k) * size
            backward = left + half + (stages - 1 - stage + k) * size
            diagram.append(cell(str(k + 1), forward, y, INPUT, size))
            diagram.append(cell(str(batches - k), backward, y, tint(GRADIENT), size))
    y = top + stages * size + 20
    diagram.append(arrow((left, y), (left + slots * size, y)))
    diagram.append(text("time", left + slots * size / 2, y + 18, 14))
    return diagram
