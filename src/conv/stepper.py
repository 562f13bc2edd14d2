"""A sliding window to step through, as one self-contained piece of HTML."""

from html import escape

from torch import Tensor

from conv.functional import corr2d

CELL = 36  # pixels a side
GAP = 40  # between grids
INK = "currentColor"  # follows the page's light or dark theme
WINDOW, RESULT = "#0072B2", "#D55E00"

SHOW = (
    "this.closest('.conv-stepper').querySelectorAll('svg').forEach((frame, k) => "
    "frame.style.display = k == this.value - 1 ? 'block' : 'none')"
)
PLAY = (
    "const s = this.closest('.conv-stepper').querySelector('input'); "
    "clearInterval(s.timer); s.value = 1; s.oninput(); "
    "s.timer = setInterval(() => { s.stepUp(); s.oninput(); "
    "if (s.value == s.max) clearInterval(s.timer); }, 900)"
)
# JupyterLab would take the arrow keys, and Enter, for shortcuts of its own.
OWN_KEYS = 'data-lm-suppress-shortcuts="true"'


class Stepper:
    """The window's walk over a small picture: a slider, a button, a frame a step.

    The HTML is the same for the same tensors, byte for byte, and asks no other host
    for anything.

    Parameters
    ----------
    X : Tensor
        The picture, (H, W), small enough to read its numbers.
    K : Tensor
        The kernel, (h, w). Errors as in `conv.corr2d`.
    """

    def __init__(self, X: Tensor, K: Tensor) -> None:
        self.Y = corr2d(X, K).tolist()
        self.X, self.K = X.tolist(), K.tolist()
        self.steps = [(i, j) for i, row in enumerate(self.Y) for j, _ in enumerate(row)]

    def __repr__(self) -> str:
        """Say each step in words."""
        return "\n".join(map(self.sentence, range(len(self.steps))))

    def _repr_html_(self) -> str:
        """Draw all frames, show the first."""
        frames = "".join(map(self.frame, range(len(self.steps))))
        return (
            f'<div class="conv-stepper">{frames}<label>Step <input type="range" '
            f'min="1" max="{len(self.steps)}" value="1" oninput="{escape(SHOW)}" '
            f'{OWN_KEYS}/></label> <button type="button" onclick="{escape(PLAY)}" '
            f"{OWN_KEYS}>Play</button></div>"
        )

    def sentence(self, step: int) -> str:
        """Spell out the sum of products of one step."""
        i, j = self.steps[step]
        products = " + ".join(
            f"{self.X[i + a][j + b]:g}\N{MULTIPLICATION SIGN}{weight:g}"
            for a, row in enumerate(self.K)
            for b, weight in enumerate(row)
        )
        return f"Y[{i}, {j}] = {products} = {self.Y[i][j]:g}"

    def frame(self, step: int) -> str:
        """Draw one position of the window: picture, kernel, output so far, sum."""
        i, j = self.steps[step]
        h, w = len(self.K), len(self.K[0])
        window = {(i + a, j + b) for a in range(h) for b in range(w)}
        done = set(self.steps[: step + 1])
        at_kernel = GAP + CELL * len(self.X[0])
        at_output = at_kernel + GAP + CELL * w
        width = max(at_output + CELL * len(self.Y[0]), 8 * len(self.sentence(step))) + 8
        height = CELL * len(self.X) + 64
        return (
            f'<svg role="img" aria-label="{escape(self.sentence(step))}" '
            f'width="{width}" height="{height}" font-family="sans-serif" '
            f'font-size="14" style="display:{"none" if step else "block"}">'
            + grid("X", self.X, 0, window, WINDOW)
            + grid("K", self.K, at_kernel, set(), WINDOW)
            + grid("Y", self.Y, at_output, {(i, j)}, RESULT, written=done)
            + f'<text x="4" y="{height - 10}" fill="{INK}">'
            f"{escape(self.sentence(step))}</text></svg>"
        )


def grid(
    name: str,
    values: list[list[float]],
    left: int,
    marked: set[tuple[int, int]],
    colour: str,
    written: set[tuple[int, int]] | None = None,
) -> str:
    """Draw a matrix as cells with numbers; `written` limits which numbers show."""
    parts = [f'<text x="{left + 4}" y="16" fill="{INK}">{name}</text>']
    for i, row in enumerate(values):
        for j, value in enumerate(row):
            x, y = left + 4 + CELL * j, 24 + CELL * i
            fill = colour if (i, j) in marked else "none"
            parts.append(
                f'<rect x="{x}" y="{y}" width="{CELL}" height="{CELL}" fill="{fill}" '
                f'fill-opacity="0.35" stroke="{INK}" stroke-opacity="0.5"/>'
            )
            if written is None or (i, j) in written:
                parts.append(
                    f'<text x="{x + CELL // 2}" y="{y + CELL // 2 + 5}" '
                    f'text-anchor="middle" fill="{INK}">{value:g}</text>'
                )
    return "".join(parts)
