"""Find and parse numbers in texts."""

import ast
import re
from dataclasses import dataclass

# A name with digits in it, such as float32 or LeNet-5, or a number without its sign.
NUMBER = re.compile(
    r"""(?P<name>[^\W\d]\w*?\d\w* | [^\W\d]{3,}-\d+(?![\d.]))
    | ( 10\^(?:\{[-\N{MINUS SIGN}]?\d+\}|\d)
      | 10[⁻⁰¹²³⁴⁵⁶⁷⁸⁹]+
      | (?:\d{1,3}(?:,\d{3})+(?!\d)|\d+)(?:\.\d+)*(?:e[-+]?\d+)?
      ) (?:\\?%)?""",
    re.VERBOSE,
)
POWER = re.compile(r"10(?:\^\{?([^}]+)\}?|([⁻⁰¹²³⁴⁵⁶⁷⁸⁹]+))")
PLAIN = str.maketrans("⁻⁰¹²³⁴⁵⁶⁷⁸⁹\N{MINUS SIGN}", "-0123456789-")
# The targets of links, a tag's attributes except its alternative text, and entities.
UNSEEN = re.compile(
    r"(?<=\]\()[^)\s]*|https?://[^\s>)]*|:width: \w+|\b(?:src|width|href)=\"[^\"]*"
    r"|&#\w+;"
)


@dataclass(frozen=True)
class Token:
    """A number in a text: how it is written, and where."""

    text: str
    start: int
    end: int


def tokens(text: str, names: bool = False) -> list[Token]:
    """List the numbers in a text and, if `names` is set, the names that contain digits.

    Examples
    --------
    >>> [token.text for token in tokens("by $-0.8$, in 5,000 of float32: 3%")]
    ['0.8', '5,000', '3%']
    """
    seen = UNSEEN.sub(lambda hidden: " " * len(hidden[0]), text)
    found = [match for match in NUMBER.finditer(seen) if names or not match["name"]]
    return [Token(match[0].replace("\\", ""), *match.span()) for match in found]


def value(number: str) -> float | None:
    """Parse a number; return None for a version or an address.

    Examples
    --------
    >>> [value(number) for number in ["1,234.5", "50%", "10^{-2}", "10⁶", "7.2.4"]]
    [1234.5, 0.5, 0.01, 1000000.0, None]
    """
    if power := POWER.fullmatch(number):
        return 10.0 ** int((power[1] or power[2]).translate(PLAIN))
    try:
        return float(number.strip("%").replace(",", "")) / (100 if "%" in number else 1)
    except ValueError:
        return None


def half_unit(number: str, zeros: bool = False) -> float:
    """Return half a unit of a number's last digit.

    Parameters
    ----------
    number : str
        The number as it is written.
    zeros : bool
        Whether zeros at the end of a whole number are there because it was rounded.

    Examples
    --------
    >>> half_unit("0.25"), half_unit("60,000"), half_unit("60,000", zeros=True)
    (0.005, 0.5, 5000.0)
    """
    if POWER.fullmatch(number):
        return 0.0
    digits, _, exponent = number.strip("%").replace(",", "").partition("e")
    places = int(exponent or 0) - len(digits.partition(".")[2])
    if zeros and "." not in digits:
        places += len(digits) - len(digits.rstrip("0"))
    return 0.5 * 10.0**places / (100 if "%" in number else 1)


def close(a: float, b: float, tolerance: float = 0.0) -> bool:
    """Compare two numbers; floats may differ in their last bits."""
    return abs(a - b) <= tolerance + 1e-9 * max(abs(a), abs(b))


def calculate(arithmetic: str) -> float:
    """Evaluate plain arithmetic; raise ValueError for names and calls.

    Examples
    --------
    >>> calculate("28 - 5 + 1")
    24
    """
    tree = ast.parse(arithmetic.strip(), mode="eval")
    plain = ast.Expression | ast.BinOp | ast.UnaryOp | ast.operator | ast.unaryop
    for node in ast.walk(tree):
        number = isinstance(node, ast.Constant) and isinstance(node.value, int | float)
        if not number and not isinstance(node, plain):
            raise ValueError(f"not plain arithmetic: {arithmetic}")
    return eval(compile(tree, "arithmetic", "eval"))


def gives(arithmetic: str, number: str) -> bool:
    """Return whether an arithmetic expression equals a number, to its last digit."""
    try:
        return close(calculate(arithmetic), value(number), half_unit(number))
    except (ArithmeticError, SyntaxError, TypeError, ValueError):
        return False
