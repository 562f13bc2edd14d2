"""Compare a cell's output with its stored output, within a tolerance.

A cell states its tolerance in its metadata, in the units of the numbers as they are
printed, so that 1 is a percentage point for a cell that prints percentages:

    "tolerance": {"absolute": 1}
    "tolerance": {"relative": 0.05}

The words must be the same, and so must the count of numbers. Whole numbers without a
percent sign must match exactly, because they are usually epochs, seeds or sizes; where
such a number was measured, ``"counts": true`` applies the tolerance to it, too. Runs of
spaces count as one space, because a table's columns shift when a number gets another
digit.

``notebooks/conftest.py`` applies this to nbval's comparison. Cells without a tolerance
are compared exactly.
"""

import math
import re
from dataclasses import dataclass

NUMBER = re.compile(
    r"""(?<![\w.])                        # not within a word or a number
    (?:(?<![)\]}])[-+\N{MINUS SIGN}])?    # 28-5 has no negative number
    (?: (?:\d{1,3}(?:,\d{3})+(?!\d) | \d+) (?:\.\d*)? | \.\d+ | nan\b | inf\b )
    (?:e[-+]?\d+)?""",
    re.VERBOSE | re.IGNORECASE,
)


@dataclass(frozen=True)
class Tolerance:
    """How far a printed number may be from the stored one.

    Attributes
    ----------
    absolute, relative : float
        The largest difference: as it is, and as a fraction of the stored number.
    counts : bool
        Whether whole numbers without a percent sign may differ, too.
    """

    absolute: float = 0.0
    relative: float = 0.0
    counts: bool = False

    def __post_init__(self) -> None:
        """Require exactly one of the two tolerances."""
        if (self.absolute > 0) == (self.relative > 0):
            raise ValueError(f"state one tolerance, absolute or relative: {self}")

    def __str__(self) -> str:
        """Describe the tolerance for a message."""
        return f"{self.absolute:g}" if self.absolute else f"{self.relative:g} of it"

    def allows(self, new: str, stored: str, percent: bool) -> bool:
        """Return whether a printed number is close enough to the stored one."""
        a, b = number(new), number(stored)
        if new == stored or a == b:
            return True
        is_count = re.fullmatch(r"\W?[\d,]+", stored) and not percent
        if (is_count and not self.counts) or not math.isfinite(b):
            return False
        allowed = self.absolute + self.relative * abs(b)
        return abs(a - b) <= allowed * (1 + 1e-9)  # 0.3 - 0.2 is more than 0.1


def number(text: str) -> float:
    """Read a printed number.

    Examples
    --------
    >>> number("-1,234.5"), number("3e-2")
    (-1234.5, 0.03)
    """
    return float(text.replace(",", "").replace("\N{MINUS SIGN}", "-"))


def words(text: str) -> str:
    """Return a text without its numbers' digits and without a table's padding.

    Examples
    --------
    >>> words("epoch   3: tensor([ 0.5, -0.5])")
    'epoch#: tensor([#,#])'
    """
    marked = NUMBER.sub("#", text)
    return re.sub(r"[ \t]+", " ", re.sub(r"[ \t]+#", "#", marked))


def differences(new: str, stored: str) -> list[tuple[str, str, bool]]:
    """Pair the numbers of two texts: new, stored, and whether it is a percentage.

    Raises
    ------
    ValueError
        If the texts differ in more than their numbers.
    """
    if words(new) != words(stored):
        raise ValueError("the words, or how many numbers there are, differ")
    pairs = zip(NUMBER.finditer(new), NUMBER.finditer(stored), strict=True)
    return [(a[0], b[0], stored[b.end() :].lstrip()[:1] == "%") for a, b in pairs]


def problems(new: str, stored: str, tolerance: Tolerance) -> list[str]:
    """List the differences from the stored text that exceed the tolerance."""
    try:
        pairs = differences(new, stored)
    except ValueError as error:
        return [str(error)]
    return [
        f"{a} is printed, {b} is stored; the tolerance is {tolerance}"
        for a, b, percent in pairs
        if not tolerance.allows(a, b, percent)
    ]


def settle(new: list, stored: list, tolerance: Tolerance) -> list[str]:
    """Replace new texts that are within the tolerance by the stored ones.

    Parameters
    ----------
    new, stored : list of NotebookNode
        A cell's outputs, each stream in one piece. `new` is changed.

    Returns
    -------
    list of str
        Problems of the texts that were not replaced.
    """
    found = []
    compared = (
        [o for o in side if o.get("name") != "stderr"] for side in (new, stored)
    )
    for ours, theirs in zip(*compared, strict=False):
        bundles = [(ours, theirs), (ours.get("data", {}), theirs.get("data", {}))]
        for bundle, other in bundles:
            for kind in set(bundle) & set(other):
                if kind == "text" or kind.startswith("text/"):
                    wrong = problems(bundle[kind], other[kind], tolerance)
                    found += wrong
                    if not wrong:
                        bundle[kind] = other[kind]
    return found
