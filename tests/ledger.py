"""Where the numbers in prose come from: a ledger for each page.

    .venv/bin/python tests/ledger.py notebooks/04_learn_a_kernel.ipynb

after a change to a page brings its ledger, ``tests/ledger/04.txt``, up to date. Lines
that still hold stay. A new number, or one whose source no longer holds, gets a ``?``
and, if there is one, a guess. Read the sentence, write the source, take the ``?`` away:
``tests/test_numbers.py`` refuses it. The same test fails when a digit in prose, or in
a caption written by hand, is not the ledger's, so no number changes by itself.

A ledger has a head for each cell that holds numbers (``919d2647``; ``f5007aa8 alt`` for
the ``alt="..."`` in a code cell's source; in a page of Markdown, a section), and below
it a line for each number, in order: the number, its source, and the words around it,
which only help to read. The sources are

``out CELL``
    The number stands in the outputs of this code cell. ``out~ CELL``: rounded.
    ``out 04/CELL`` is a cell of another notebook.
``code CELL``
    It stands in the code of this cell; comments and captions don't count.
``prose CELL``
    It is repeated from this Markdown cell, whose numbers have sources of their own.
``file PATH``
    It stands in this file of the repository.
``= 28 - 5 + 1``
    It is this, to its last digit. ``=~``: zeros at its end are rounded, too.
``cite https://...``
    It is a fact from a source; the page names this link, or this title.
``given``
    The text itself sets it: an example, an exercise, a quotation, advice.
``name``
    It is part of a name, a formula's index, or a way of speaking.
``claim``
    It was seen or measured, and nothing here checks it. Best have none.

The last four can't be computed: the ledger pins them. Numbers in words ("nine
weights") are not in it, nor those in comments and in titles drawn into a picture.
"""

import argparse
import ast
import html
import operator
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from difflib import SequenceMatcher
from functools import cache
from pathlib import Path

import nbformat

ROOT = Path(__file__).parent.parent
FOLDER = Path(__file__).parent / "ledger"
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]

MINUS = "\N{MINUS SIGN}"
# A word with digits in it, such as float32 or w_1, or a number with its sign.
NUMBER = re.compile(
    r"""(?P<word>[^\W\d]\w*?\d\w*)
    | (?P<sign>(?<![\w)\]}.])[-\N{MINUS SIGN}])?
      (?P<digits>
        10\^(?:\{[-\N{MINUS SIGN}]?\d+\}|\d)
      | \d{1,3}(?:,\d{3})+(?:\.\d+)?
      | \d+(?:\.\d+)*
      )
      (?P<power>e[-+]?\d+)?
      (?P<percent>\\?%)?""",
    re.VERBOSE,
)
# Where links lead, a tag's attributes but for its alternative text, and entities.
UNSEEN = re.compile(
    r"(?<=\]\()[^)\s]*|https?://[^\s>)]*|\b(?:src|width|href)=\"[^\"]*|&#\w+;"
)
PINNED = {"name", "given", "claim"}
KINDS = ["out", "code"]


@dataclass(frozen=True)
class Token:
    """A number in a text: how it is written, and where."""

    text: str
    start: int
    end: int


@dataclass(frozen=True)
class Passage:
    """A piece of a page that a reader sees: its key in the ledger, and its text."""

    key: str
    text: str


@dataclass(frozen=True)
class Entry:
    """A line of a ledger."""

    token: str
    source: str


def tokens(text: str) -> list[Token]:
    """List the numbers in a text, in order.

    Examples
    --------
    >>> [token.text for token in tokens("by $-0.8$, in 5,000 of float32: 3\\\\%")]
    ['-0.8', '5,000', 'float32', '3%']
    """
    seen = UNSEEN.sub(lambda hidden: " " * len(hidden[0]), text)
    return [
        Token(m[0].replace("\\", "").replace(MINUS, "-"), m.start(), m.end())
        for m in NUMBER.finditer(seen)
    ]


def value(token: str) -> float | None:
    """Read a token as a number; None for a word, and for a version such as 7.2.4."""
    plain = token.replace(",", "").removesuffix("%")
    plain = re.sub(r"^10\^\{?(-?\d+)\}?$", r"1e\1", plain)
    try:
        return float(plain) / (100 if token.endswith("%") else 1)
    except ValueError:
        return None


def unit(token: str, rounded: bool) -> float:
    """Tell what one is worth in a number's last digit, or its last but zeros."""
    if "^" in token:
        return 0.0
    plain = token.removesuffix("%").replace(",", "").lstrip("-")
    digits, _, power = plain.partition("e")
    decimals = len(digits.partition(".")[2])
    zeros = len(digits) - len(digits.rstrip("0")) if rounded and not decimals else 0
    exponent = zeros - decimals + int(power or 0) - 2 * token.endswith("%")
    return 10.0**exponent


# What a page holds.


def page_name(path: Path) -> str:
    """Name a page as its ledger does: a chapter by its number.

    Examples
    --------
    >>> page_name(Path("notebooks/04_learn_a_kernel.ipynb"))
    '04'
    """
    if path.suffix == ".ipynb":
        return re.sub(r"(?<=^\d\d)_.*", "", path.stem)
    return "-".join(path.relative_to(ROOT).with_suffix("").parts)


def page_id(path: Path) -> str:
    """Name a page as the tests do."""
    return path.stem if path.suffix == ".ipynb" else page_name(path)


@cache
def read(path: Path) -> nbformat.NotebookNode:
    """Read a notebook once."""
    return nbformat.read(path, as_version=4)


def alt_constants(source: str) -> list[str]:
    """List the strings that stand as ``alt=`` in code, without what is computed."""
    found = []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.keyword) and node.arg == "alt":
            specs = {
                id(constant)
                for part in ast.walk(node.value)
                if isinstance(part, ast.FormattedValue)
                for constant in ast.walk(part)
            }
            found += [
                part.value
                for part in ast.walk(node.value)
                if isinstance(part, ast.Constant) and id(part) not in specs
            ]
    return [text for text in found if isinstance(text, str)]


def notebook_passages(path: Path) -> list[Passage]:
    """List a notebook's Markdown cells, and the captions in its code."""
    passages = []
    for cell in read(path).cells:
        if cell.cell_type == "markdown":
            passages.append(Passage(cell.id, cell.source))
        elif "alt=" in cell.source:
            text = "\n".join(alt_constants(cell.source))
            passages.append(Passage(f"{cell.id} alt", text))
    return passages


def section_passages(path: Path) -> list[Passage]:
    """Cut a page of Markdown at its headings, which are the keys."""
    parts = re.split(r"^(?=#+ )", path.read_text(encoding="utf-8"), flags=re.M)
    return [Passage(re.sub(r"^#+ |\n.*", "", part, flags=re.S), part) for part in parts]


@cache
def passages(path: Path) -> list[Passage]:
    """List what a reader of a page sees, where there are numbers in it."""
    cut = notebook_passages if path.suffix == ".ipynb" else section_passages
    return [passage for passage in cut(path) if tokens(passage.text)]


# What proves a number.


def code_words(source: str) -> str:
    """List the numbers, the strings and the names in code, in any order.

    Comments and docstrings prove nothing, nor do captions, nor how many digits a
    number is printed with.
    """
    tree = ast.parse(source)
    silent = {id(part) for node in ast.walk(tree) for part in silent_parts(node)}
    nodes = [node for node in ast.walk(tree) if id(node) not in silent]
    return "\n".join(filter(None, map(word_of, nodes)))


def silent_parts(node: ast.AST) -> Iterator[ast.AST]:
    """List what below a part of code proves nothing."""
    match node:
        case ast.Expr(value=ast.Constant() as docstring):
            yield docstring
        case ast.FormattedValue(format_spec=ast.AST() as spec):
            yield from ast.walk(spec)
        case ast.keyword(arg="alt", value=value):
            yield from (part for part in ast.walk(value) if word_of(part))


def word_of(node: ast.AST) -> str:
    """Write a number with its sign, a string, or a name as it stands in code."""
    match node:
        case ast.UnaryOp(
            op=ast.USub(), operand=ast.Constant(value=int() | float() as n)
        ):
            return f"-{n!r}"
        case ast.Constant(value=bool()):
            return ""
        case ast.Constant(value=str() | int() | float() as constant):
            return str(constant)
    names = [getattr(node, field, None) for field in ("id", "attr", "arg", "name")]
    return " ".join(name for name in names if isinstance(name, str))


def printed(cell: nbformat.NotebookNode) -> list[str]:
    """List the texts among a code cell's outputs, captions too."""
    texts = []
    for output in cell.outputs:
        texts.append(output.get("text", ""))
        for kind, text in output.get("data", {}).items():
            if kind.startswith("text/"):
                texts.append(html.unescape(text) if kind == "text/html" else text)
        texts += [data.get("alt", "") for data in output.get("metadata", {}).values()]
    return [text for text in texts if text]


def computed(cell: nbformat.NotebookNode) -> str:
    """Join a cell's outputs, without the captions that were written by hand."""
    said = [text for text in alt_constants(cell.source) if tokens(text)]
    return "\n".join(
        text for text in printed(cell) if not any(words in text for words in said)
    )


@dataclass(frozen=True)
class Evidence:
    """The numbers and the words that stand in a text."""

    values: frozenset[float]
    words: frozenset[str]

    @classmethod
    def of(cls, text: str) -> "Evidence":
        """Read a text: each number as it is, without its sign, and its percent sign."""
        found = [token.text for token in tokens(text)]
        forms = {f.lstrip("-") for f in found} | set(found)
        forms |= {form.removesuffix("%") for form in forms}
        numbers = {number for f in forms if (number := value(f)) is not None}
        words = {f.replace("_", "") for f in forms if value(f) is None}
        return cls(frozenset(numbers), frozenset(words))

    def has(self, token: str) -> bool:
        """Tell whether a number stands there, as a whole."""
        number = value(token)
        if number is None:
            return token.replace("_", "") in self.words
        return any(close(number, other) for other in self.values)

    def rounds_to(self, token: str) -> bool:
        """Tell whether a number there, rounded, is this one."""
        number, half = value(token), unit(token, rounded=True) / 2
        if number is None:
            return False
        return any(close(number, other, half) for other in self.values)


def close(a: float, b: float, tolerance: float = 0.0) -> bool:
    """Compare two numbers; floats may differ in their last bits."""
    return abs(a - b) <= tolerance + 1e-9 * max(abs(a), abs(b))


@cache
def cells(name: str) -> dict[str, nbformat.NotebookNode]:
    """Map the cells of a notebook, given by its short name, by their ids."""
    [path] = [path for path in NOTEBOOKS if page_name(path) == name]
    return {cell.id: cell for cell in read(path).cells}


@cache
def evidence(kind: str, page: str, place: str) -> Evidence:
    """Read what a cell prints (``out``), its code, its prose, or a file."""
    if kind == "file":
        return Evidence.of((ROOT / place).read_text(encoding="utf-8"))
    other, _, cell_id = place.rpartition("/")
    cell = cells(other or page)[cell_id]
    if (kind == "prose") != (cell.cell_type == "markdown"):
        raise KeyError(place)
    return Evidence.of(EVIDENCE[kind](cell))


EVIDENCE = {
    "out": computed,
    "code": lambda cell: code_words(cell.source),
    "prose": lambda cell: cell.source,
}


def calculate(expression: str) -> float:
    """Compute a sum of plain numbers; names and calls are refused.

    Examples
    --------
    >>> calculate("28 - 5 + 1")
    24
    """
    return calculate_node(ast.parse(expression.strip(), mode="eval").body)


def calculate_node(node: ast.expr) -> float:
    """Compute a part of a sum."""
    match node:
        case ast.Constant(value=int() | float() as number):
            return number
        case ast.UnaryOp(op=ast.USub(), operand=operand):
            return -calculate_node(operand)
        case ast.BinOp(left=left, op=op, right=right) if type(op) in OPERATIONS:
            return OPERATIONS[type(op)](calculate_node(left), calculate_node(right))
    raise ValueError(f"not plain arithmetic: {ast.unparse(node)}")


OPERATIONS = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.FloorDiv: operator.floordiv,
    ast.Mod: operator.mod,
    ast.Pow: operator.pow,
}


def holds(token: str, source: str, path: Path) -> bool:
    """Tell whether a source proves a number, or pins it where nothing can."""
    kind, _, rest = source.partition(" ")
    if kind == "cite":
        return bool(rest) and rest in whole_text(path)
    try:
        if kind in {"=", "=~"}:
            return is_result(token, calculate(rest), rounded=kind == "=~")
        if source not in PINNED:
            found = evidence(kind.removesuffix("~"), page_name(path), rest)
            return found.rounds_to(token) if kind.endswith("~") else found.has(token)
    except (ArithmeticError, KeyError, OSError, SyntaxError, ValueError):
        return False  # no such cell or file, no such kind of source, or no sum
    return True


def is_result(token: str, result: float, rounded: bool) -> bool:
    """Compare a number with a sum, to the number's last digit."""
    number = value(token)
    return number is not None and close(number, result, unit(token, rounded) / 2)


@cache
def whole_text(path: Path) -> str:
    """Join all prose of a page, with where its links lead."""
    if path.suffix != ".ipynb":
        return path.read_text(encoding="utf-8")
    markdown = [cell for cell in read(path).cells if cell.cell_type == "markdown"]
    return "\n\n".join(cell.source for cell in markdown)


# The ledger.


def ledger_file(path: Path) -> Path:
    """Tell where a page's ledger is."""
    return FOLDER / f"{page_name(path)}.txt"


@cache
def load(path: Path) -> dict[str, list[Entry]]:
    """Read a page's ledger; one that isn't there is empty."""
    file = ledger_file(path)
    lines = file.read_text(encoding="utf-8").splitlines() if file.exists() else []
    found: dict[str, list[Entry]] = {}
    entries: list[Entry] = []
    for line in lines:
        if line.startswith(" "):
            token, rest = line.split(maxsplit=1)
            entries.append(Entry(token, rest.partition(" | ")[0].strip()))
        elif line and not line.startswith("#"):
            entries = found[line] = []
    return found


def around(text: str, token: Token, width: int = 28) -> str:
    """Show a number among the words beside it, on one line."""
    before = text[max(0, token.start - width) : token.start]
    after = text[token.end : token.end + width]
    return " ".join(f"{before}«{text[token.start : token.end]}»{after}".split())


def problems(path: Path) -> list[str]:
    """Compare a page with its ledger, and each number with its source."""
    ledger = load(path)
    here = {passage.key: passage for passage in passages(path)}
    gone = [f"{path.name}, {key}: in the ledger, not on the page" for key in ledger]
    found = [text for key, text in zip(ledger, gone, strict=True) if key not in here]
    for passage in here.values():
        for words in passage_problems(passage, ledger.get(passage.key, []), path):
            found.append(f"{path.name}, {passage.key}: {words}")
    return found


def passage_problems(
    passage: Passage, entries: list[Entry], path: Path
) -> Iterator[str]:
    """Say what is wrong with the numbers of one passage."""
    seen = tokens(passage.text)
    written = [entry.token for entry in entries]
    matcher = SequenceMatcher(None, written, [t.text for t in seen], autojunk=False)
    for kind, a, b, c, d in matcher.get_opcodes():
        if kind != "equal":
            words = [around(passage.text, token) for token in seen[c:d]]
            yield f"the ledger has {written[a:b]}, the page {words}"
            continue
        for entry, token in zip(entries[a:b], seen[c:d], strict=True):
            if not holds(entry.token, entry.source, path):
                words = around(passage.text, token)
                yield f"{entry.token} isn't «{entry.source}»: {words}"


# Bringing a ledger up to date.


def guess(token: str, key: str, path: Path) -> str:
    """Propose a source: the nearest cell that prints a number, or has it in its code.

    Returns
    -------
    str
        Empty if there is none.
    """
    if path.suffix != ".ipynb":
        return ""
    order = [cell.id for cell in read(path).cells]
    here = order.index(key.split()[0])
    code = [cell.id for cell in read(path).cells if cell.cell_type == "code"]
    code.sort(key=lambda cell: abs(order.index(cell) - here))
    near = [cell for cell in code if abs(order.index(cell) - here) <= 4]
    sources = [f"{kind} {c}" for some in (near, code) for kind in KINDS for c in some]
    return next((s for s in sources if holds(token, s, path)), "")


def updated(passage: Passage, entries: list[Entry], path: Path) -> list[str]:
    """Write a passage's lines anew: what holds stays, the rest gets a question mark."""
    seen = tokens(passage.text)
    sources = [""] * len(seen)
    old = [entry.token for entry in entries]
    matcher = SequenceMatcher(None, old, [t.text for t in seen], autojunk=False)
    for a, b, size in matcher.get_matching_blocks():
        sources[b : b + size] = [entry.source for entry in entries[a : a + size]]
    lines = [passage.key]
    for token, source in zip(seen, sources, strict=True):
        if not source or not holds(token.text, source, path):
            source = source if source.startswith("?") else f"? {source}"
            if source.strip() == "?":
                source += guess(token.text, passage.key, path)
        words = around(passage.text, token)
        lines.append(f"  {token.text:<9} {source.strip():<20} | {words}")
    return lines


def old_entries(key: str, path: Path) -> list[Entry]:
    """Find what a ledger has for a key; for a new one, what lost its own."""
    here = {passage.key for passage in passages(path)}
    ledger = load(path)
    lost = [e for old, entries in ledger.items() if old not in here for e in entries]
    return ledger.get(key, lost)


def update(path: Path) -> int:
    """Bring a page's ledger up to date; return how many numbers lack a source."""
    title = f"# {path.relative_to(ROOT)}: where its numbers come from."
    parts = [[title, "# tests/ledger.py says how to read and to change this."]]
    for passage in passages(path):
        parts.append(updated(passage, old_entries(passage.key, path), path))
    text = "\n\n".join("\n".join(part) for part in parts) + "\n"
    ledger_file(path).write_text(text, encoding="utf-8")
    return sum(" ? " in line.partition(" | ")[0] + " " for line in text.splitlines())


def main() -> int:
    """Bring the named pages' ledgers up to date, or all."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("paths", nargs="*", type=Path)
    paths = [path.resolve() for path in parser.parse_args().paths]
    for path in paths or NOTEBOOKS + PAGES:
        print(f"{ledger_file(path).name}: {update(path)} numbers without a source")
    return 0


if __name__ == "__main__":
    sys.exit(main())
