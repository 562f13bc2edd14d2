"""Chapter 8: the receptive field of one output, layer by layer."""

from collections.abc import Sequence

import drawsvg as draw

from shapes import (
    INPUT,
    MARGIN,
    NEUTRAL,
    OUTPUT,
    Motion,
    cell,
    drawing,
    empty_grid,
    text,
)

STEP = 1.3  # seconds per layer
GAP = 44  # between two rows


def offsets(dilations: Sequence[int]) -> list[list[int]]:
    """List the pixels that one output depends on, for each layer from the last."""
    reached = [[0]]
    for d in reversed(dilations):
        now = {pixel + step for pixel in reached[-1] for step in (-d, 0, d)}
        reached.append(sorted(now))
    return reached


def cone(dilations: Sequence[int], size: float, title: str) -> draw.Drawing:
    """Trace one output back to the image, through layers with three taps each."""
    reached = offsets(dilations)
    count = max(reached[-1]) * 2 + 3  # and one pixel more on each side
    names = [f"layer {n}" for n in range(len(dilations), 0, -1)] + ["image"]
    left, right = 104, 104 + count * size + 14
    width, pitch = right + 86, size + GAP
    tops = [MARGIN + k * pitch for k in range(len(names))]
    diagram = drawing(width, tops[-1] + size + MARGIN, title)
    for name, y in zip(names, tops, strict=True):
        diagram.append(text(name, MARGIN, y + size / 2, text_anchor="start"))
        diagram.append(empty_grid(1, count, left, y, "white", size))

    motion = Motion((len(names) - 1) * STEP + 0.6)
    for k, (name, pixels) in enumerate(zip(names, reached, strict=True)):
        start = max(0, k * STEP - 0.4)
        fill = INPUT if name == "image" else OUTPUT
        row, lines = draw.Group(), draw.Group()
        for pixel in pixels:
            x = left + (pixel + count // 2) * size
            row.append(cell("", x, tops[k], fill, size))
        unit = "pixel" if len(pixels) == 1 else "pixels"
        label = f"{len(pixels)} {unit}"
        row.append(text(label, right, tops[k] + size / 2, text_anchor="start"))
        if k:
            d = dilations[-k]
            for pixel in reached[k - 1]:
                for step in (-d, 0, d):
                    x0, x1 = (
                        left + (p + count // 2 + 0.5) * size
                        for p in (pixel, pixel + step)
                    )
                    ends = x0, tops[k - 1] + size, x1, tops[k]
                    lines.append(draw.Line(*ends, stroke=NEUTRAL))
            if max(dilations) > 1:
                place = MARGIN, tops[k] - GAP / 2
                style = {"text_anchor": "start", "fill": NEUTRAL}
                lines.append(text(f"dilation {d}", *place, 14, **style))
            motion.show(lines, k * STEP - 0.8)
        motion.show(row, start)
    motion.add_to(diagram)
    return diagram


def receptive_field() -> draw.Drawing:
    """Trace one output back through three layers with 3 x 3 kernels."""
    return cone([1, 1, 1], 44, "Receptive field")


def dilated_layers() -> draw.Drawing:
    """Trace one output back through layers with dilation 1, 2 and 4."""
    return cone([1, 2, 4], 29, "Receptive field with dilation")
