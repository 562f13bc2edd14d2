"""Building blocks of the diagrams: grids of cells, text, arrows and motion.

Structure is neutral; a color has the meaning that `conv.plotting.PALETTE` gives it.
Lengths are in CSS pixels at the diagram's natural width.
"""

from collections.abc import Sequence
from math import hypot

import drawsvg as draw
from torch import Tensor

from conv.plotting import FONT, PALETTE

FONT_FAMILY = f"'{FONT}', Verdana, sans-serif"  # Verdana is nearly as wide
FONT_SIZE = 16
TEXT_COLOR = "#222222"
NEUTRAL = PALETTE["neutral"]
MARGIN = 24
CELL = 44
LONGEST = 5.0  # seconds of motion that WCAG 2.2 allows without a pause button
FADE = 0.2  # seconds that an element takes to appear
SLIDE = 0.3  # seconds that it takes to move to its next place

# Motion can't be paused, so a reader who prefers less of it gets a still group instead.
STYLE = """
.still { display: none }
@media (prefers-reduced-motion: reduce) {
  .motion { display: none }
  .still { display: inline }
}
"""


def drawing(width: float, height: float, title: str) -> draw.Drawing:
    """Start a diagram on a white background, which is visible on dark pages, too."""
    diagram = draw.Drawing(width, height, font_family=FONT_FAMILY)
    diagram.append_title(title)
    diagram.append(draw.Rectangle(0, 0, width, height, rx=10, fill="white"))
    return diagram


def blend(color: str, share: float, base: str = "#FFFFFF") -> str:
    """Mix a color into a base, which is white unless it is given."""
    channels = zip(bytes.fromhex(color[1:]), bytes.fromhex(base[1:]), strict=True)
    mixed = [round(share * top + (1 - share) * bottom) for top, bottom in channels]
    return "#" + bytes(mixed).hex()


def tint(color: str) -> str:
    """Lighten a color for the fill of a cell, on which dark text is legible."""
    return blend(color, 0.25)


# The fills of cells, by what their numbers are.
INPUT, KERNEL, OUTPUT = (tint(PALETTE[name]) for name in ("input", "kernel", "output"))


def text(
    words: str, x: float, y: float, size: float = FONT_SIZE, **style: object
) -> draw.Text:
    """Write a line, centered at (x, y) unless `text_anchor` says otherwise."""
    style = {"text_anchor": "middle", "fill": TEXT_COLOR, **style}
    return draw.Text(words, size, x, round(y + 0.36 * size, 2), **style)


def number(value: float) -> str:
    """Format a number for a cell: whole where possible, with a real minus sign."""
    return f"{value:g}".replace("-", "−")


def cell(
    label: str, x: float, y: float, fill: str, size: float = CELL, color: str = ""
) -> draw.Group:
    """Draw one square with a label in its center."""
    group = draw.Group()
    group.append(draw.Rectangle(x, y, size, size, fill=fill, stroke=NEUTRAL))
    if label:
        center = text(label, x + size / 2, y + size / 2, fill=color or TEXT_COLOR)
        group.append(center)
    return group


def grid(
    values: Tensor, x: float, y: float, fill: str, size: float = CELL
) -> draw.Group:
    """Draw a matrix as numbered cells, with its upper left corner at (x, y)."""
    group = draw.Group()
    for i, row in enumerate(values.tolist()):
        for j, value in enumerate(row):
            place = x + j * size, y + i * size
            group.append(cell(number(value), *place, fill, size))
    return group


def empty_grid(
    rows: int, columns: int, x: float, y: float, fill: str, size: float = CELL
) -> draw.Group:
    """Draw a matrix of cells without numbers."""
    group = draw.Group()
    for i in range(rows):
        for j in range(columns):
            group.append(cell("", x + j * size, y + i * size, fill, size))
    return group


def box(
    lines: Sequence[str], x: float, y: float, width: float, height: float, fill: str
) -> draw.Group:
    """Draw a box around centered lines of text, with its center at (x, y)."""
    group = draw.Group()
    corner = x - width / 2, y - height / 2
    group.append(
        draw.Rectangle(*corner, width, height, rx=6, fill=fill, stroke=NEUTRAL)
    )
    first = y - (len(lines) - 1) * 11
    for k, line in enumerate(lines):
        group.append(text(line, x, first + 22 * k))
    return group


def outline(x: float, y: float, width: float, height: float) -> draw.Rectangle:
    """Outline what the diagram points at, such as the current window."""
    color = PALETTE["highlight"]
    style = {"fill": "none", "stroke": color, "stroke_width": 3, "rx": 2}
    return draw.Rectangle(x, y, width, height, **style)


def arrow(
    start: tuple[float, float],
    end: tuple[float, float],
    color: str = NEUTRAL,
    **style: object,
) -> draw.Group:
    """Draw a straight arrow."""
    (x0, y0), (x1, y1) = start, end
    length = hypot(x1 - x0, y1 - y0)
    along = (x1 - x0) / length, (y1 - y0) / length
    back = x1 - 10 * along[0], y1 - 10 * along[1]
    side = -5 * along[1], 5 * along[0]
    corners = [x1, y1, back[0] + side[0], back[1] + side[1]]
    corners += [back[0] - side[0], back[1] - side[1]]
    shaft = [round(v, 2) for v in (x0, y0, *back)]
    group = draw.Group()
    group.append(draw.Line(*shaft, stroke=color, stroke_width=2, **style))
    head = [round(v, 2) for v in corners]
    group.append(draw.Lines(*head, close=True, fill=color))
    return group


Frames = list[tuple[float, float | str]]  # (seconds, value), in order


class Motion:
    """A sequence that is played once, and a still of how it ends.

    Without an animation, for example in print, an element looks as it does at the end.

    Parameters
    ----------
    seconds : float
        Duration, at most `LONGEST`.
    """

    def __init__(self, seconds: float) -> None:
        if not 0 < seconds <= LONGEST:
            raise ValueError(f"motion must end within {LONGEST} s, not {seconds}")
        self.seconds = seconds
        self.moving = draw.Group(class_="motion")
        self.still = draw.Group(class_="still")

    def show(
        self, element: draw.DrawingElement, start: float = 0, end: float | None = None
    ) -> None:
        """Fade an element in, and hide it again if it has an end."""
        frames: Frames = [(0, 1)]
        if start > 0:
            frames = [(0, 0), (start, 0), (start + FADE, 1)]
        if end is not None:
            frames += [(end, 1), (end, 0)]
        else:
            self.still.append(element)
        wrapper = draw.Group(opacity=frames[-1][1])
        wrapper.append(element)
        wrapper.append_anim(draw.Animate("opacity", **self._timing(frames)))
        self.moving.append(wrapper)

    def slide(
        self, element: draw.DrawingElement, stops: Sequence[tuple[float, float, float]]
    ) -> None:
        """Move an element by (x, y) to each stop (seconds, x, y), the first at once."""
        offsets = [f"{x:g} {y:g}" for _, x, y in stops]
        frames: Frames = [(0, offsets[0])]
        for i in range(1, len(stops)):
            start = stops[i][0]
            frames += [(start, offsets[i - 1]), (start + SLIDE, offsets[i])]
        end = {"transform": f"translate({offsets[-1]})"}
        wrapper, still = draw.Group(**end), draw.Group(**end)
        wrapper.append(element)
        wrapper.append_anim(draw.AnimateTransform("translate", **self._timing(frames)))
        still.append(element)
        self.moving.append(wrapper)
        self.still.append(still)

    def carry(
        self,
        element: draw.DrawingElement,
        start: float,
        end: float,
        by: tuple[float, float],
    ) -> None:
        """Show an element only while it moves by (x, y)."""
        last = f"{by[0]:g} {by[1]:g}"
        mover, wrapper = (
            draw.Group(transform=f"translate({last})"),
            draw.Group(opacity=0),
        )
        mover.append(element)
        stops: Frames = [(0, "0 0"), (start, "0 0"), (end, last)]
        mover.append_anim(draw.AnimateTransform("translate", **self._timing(stops)))
        wrapper.append(mover)
        shown: Frames = [(0, 0), (start, 0), (start, 1), (end, 1), (end, 0)]
        wrapper.append_anim(draw.Animate("opacity", **self._timing(shown)))
        self.moving.append(wrapper)

    def _timing(self, frames: Frames) -> dict[str, object]:
        """Convert frames to an animation's arguments."""
        frames = [*frames, (self.seconds, frames[-1][1])]
        return {
            "dur": f"{self.seconds:g}s",
            "from_or_values": ";".join(f"{value}" for _, value in frames),
            "keyTimes": ";".join(f"{t / self.seconds:.4g}" for t, _ in frames),
            "fill": "freeze",
        }

    def add_to(self, diagram: draw.Drawing) -> None:
        """Add the sequence, and the still for readers who prefer less motion."""
        diagram.append_css(STYLE)
        diagram.append(self.moving)
        diagram.append(self.still)
