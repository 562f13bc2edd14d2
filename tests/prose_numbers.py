"""Check that each number in prose and captions has a source.

    .venv/bin/python tests/prose_numbers.py notebooks/04_learn_a_kernel.ipynb

prints the problems of a page, or of all pages if none is given. A section of a notebook
reaches from one ``##`` heading to the next. A number in its text must

- occur in the code or the outputs of its section, or in the ``expect`` metadata of a
  cell there, or be a rounding of such a number: 97.43% may be written "97%" and, after
  a word such as "about", 61,706 may be written "60,000". The text before the first
  heading, and a section without code, may use numbers of the whole notebook;
- or occur in the same way in a chapter that the sentence names ("in chapter 5");
- or have an entry, with a reason, in ``tests/prose_numbers.txt``.

Some numbers need no source: those of chapters, exercises and list items, the minutes
in the introduction, everything from the exercises on, and the years of references.
Numbers in words ("nine weights") and in names (float32, LeNet-5) are not checked, nor
are signs. Captions, comments and docstrings don't count as sources.
"""

import argparse
import ast
import html
import itertools
import re
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import nbformat
from nbformat import NotebookNode

from written_numbers import Token, close, gives, half_unit, tokens, value

ROOT = Path(__file__).parent.parent
ENTRIES = Path(__file__).with_suffix(".txt")
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))

# The first of these headings and everything after it is exempt.
EXEMPT = re.compile(r"^## (?:Your turn|Exercises|Further reading|References)\b", re.M)
REFERENCES = re.compile(r"^## (?:Further reading|References)\b.*", re.M | re.S)
SENTENCE_END = re.compile(r"(?<=[.!?])[)\"*]*\s+|\n\s*(?=\n|[-*|]|\d+\. )")
ROUNDED = re.compile(
    r"\b(?:about|almost|around|at least|at most|between|(?:fewer|less|more) than|nearly"
    r"|over|roughly|some|under|up to)\b[^.]*$",
    re.IGNORECASE,
)
# Numbers that need no source. A title and a row of a table also name a chapter.
LIST = r"\d[\d.]*(?:(?:,? and |, |\N{EN DASH}| to )\d[\d.]*)*"
CHAPTERS = re.compile(rf"[cC]hapter \d+|[cC]hapters {LIST}")
TITLES = re.compile(r"\d+(?= · )|(?<=\| )\d+(?= \| \[)")
LABELS = re.compile(
    rf"^ *\d+\. |\*\*\d+\. |[Aa]bout \d+ minutes|([sS]ection|[eE]xercise)s? {LIST}",
    re.M,
)


ADVICE = """\
{0}: {1} has no source:
    {2}
It isn't in the code or outputs of this section{3}, nor a rounding of a number there.
Correct it, or print it in this section, or name its chapter in the sentence. If it has
another source, add this line to tests/prose_numbers.txt, with a reason at its end:
    {4}"""
UNUSED = """\
tests/prose_numbers.txt: delete this line. Its words are no longer on the page, or their
numbers have a source without it:"""


# Sources of numbers.


@dataclass(frozen=True)
class Evidence:
    """The numbers in code and outputs, without their signs."""

    values: frozenset[float] = frozenset()

    @classmethod
    def of(cls, *texts: str) -> "Evidence":
        """Collect the numbers in texts; a percentage also without its percent sign."""
        found = [token.text for text in texts for token in tokens(text)]
        found += [number.strip("%") for number in found]
        return cls(frozenset(v for v in map(value, found) if v is not None))

    def proves(self, number: str, rounded: bool = False) -> bool:
        """Return whether a number is here, or is a rounding of one that is here."""
        wanted, half = value(number), half_unit(number, zeros=rounded)
        half = half if wanted else 0.0  # zero must match exactly
        if wanted is None:
            return False
        scales = [1, 100] if "%" in number else [1]
        return any(close(wanted * s, v, half * s) for v in self.values for s in scales)


def constants(node: ast.AST) -> Iterator[str]:
    """Yield the constants in code, without docstrings, captions and formats."""
    match node:
        case ast.Expr(value=ast.Constant()) | ast.keyword(arg="alt"):
            return
        case ast.Constant():
            yield str(node.value)
        case ast.FormattedValue():
            yield from constants(node.value)
        case _:
            for child in ast.iter_child_nodes(node):
                yield from constants(child)


def captions(source: str) -> Iterator[str]:
    """Yield the captions (``alt=``) in code, with dots in place of computed values.

    Examples
    --------
    >>> list(captions('plot(7, alt=f"after {n} epochs: {loss:.2f}")'))
    ['after … epochs: …']
    """
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.keyword) and node.arg == "alt":
            parts = getattr(node.value, "values", [node.value])
            texts = [
                part.value if isinstance(part, ast.Constant) else "…" for part in parts
            ]
            yield "".join(texts)


def printed(cell: NotebookNode, captions_written: list[str]) -> Iterator[str]:
    """Yield the texts that a cell outputs, except for captions written by hand."""
    for output in cell.outputs:
        data = output.get("data", {})
        texts = [html.unescape(data[kind]) for kind in data if kind.startswith("text/")]
        for text in [*texts, output.get("text", "")]:
            if not any(words in blank(text) for words in captions_written):
                yield text


def blank(text: str) -> str:
    """Replace each digit by #."""
    return re.sub(r"\d", "#", text)


@dataclass
class Section:
    """A section of a page: its heading, its texts, and the numbers in its code."""

    title: str
    texts: list[str]
    evidence: Evidence = Evidence()


def join(parts: Iterable[Evidence]) -> Evidence:
    """Return the union of several pieces of evidence."""
    return Evidence(frozenset().union(*(part.values for part in parts)))


def sections(notebook: NotebookNode) -> list[Section]:
    """Split a notebook at its ``##`` headings."""
    found = [Section("", [])]
    sources = [cell.source for cell in notebook.cells if cell.cell_type == "code"]
    parts = "…".join(text for source in sources for text in captions(source)).split("…")
    captions_written = [blank(part) for part in parts if tokens(part)]
    for cell in notebook.cells:
        if cell.cell_type == "markdown":
            first, *others = re.split(r"^(?=## )", cell.source, flags=re.M)
            found[-1].texts.append(first)
            found += [Section(text.partition("\n")[0], [text]) for text in others]
        else:
            found[-1].texts += captions(cell.source)
            code = [cell.source, *cell.metadata.get("expect", [])]
            code = [number for part in code for number in constants(ast.parse(part))]
            new = Evidence.of(*code, *printed(cell, captions_written))
            found[-1].evidence = join([found[-1].evidence, new])
    return found


@cache
def read(path: Path) -> NotebookNode:
    """Read a notebook, with a cache."""
    return nbformat.read(path, as_version=4)


@cache
def chapter(number: int) -> Evidence:
    """Collect the numbers in the code and outputs of a chapter, if it exists."""
    paths = [path for path in NOTEBOOKS if path.name.startswith(f"{number:02}_")]
    return join(part.evidence for path in paths for part in sections(read(path)))


def named_chapters(sentence: str) -> list[int]:
    """List the chapters that a sentence names.

    Examples
    --------
    >>> named_chapters("As in chapter 1, 3 by 3, and in chapters 4, 6 to 8 and 10")
    [1, 4, 6, 7, 8, 10]
    """
    found: list[int] = []
    for names in CHAPTERS.findall(sentence):
        for first, last in re.findall(r"(\d+)(?:(?:\N{EN DASH}| to )(\d+))?", names):
            found += range(int(first), int(last or first) + 1)
    return found


def is_label(text: str, token: Token) -> bool:
    """Return whether a number is that of a chapter, an exercise or a list item."""

    def inside(pattern: re.Pattern) -> bool:
        found = pattern.finditer(text)
        return any(m.start() <= token.start and token.end <= m.end() for m in found)

    if inside(CHAPTERS) or inside(TITLES):
        return token.text.zfill(2) in map(page_name, NOTEBOOKS)
    return inside(LABELS)


def sentence(text: str, token: Token) -> tuple[str, str]:
    """Return the sentence around a number in two parts: before it, and from it on."""
    ends = [0, *(match.end() for match in SENTENCE_END.finditer(text)), len(text)]
    start = max(end for end in ends if end <= token.start)
    end = min(end for end in ends if end >= token.end)
    return text[start : token.start], text[token.start : end]


def is_proved(text: str, token: Token, evidence: Evidence) -> bool:
    """Return whether a number has a source in code or outputs."""
    before, after = sentence(text, token)
    rounded = ROUNDED.search(before) is not None
    evidence = [evidence, *map(chapter, named_chapters(before + after))]
    return any(part.proves(token.text, rounded) for part in evidence)


# Entries.


@dataclass(frozen=True)
class Entry:
    """A line of prose_numbers.txt: a page, some of its words, and their source."""

    line: str
    page: str
    words: str
    reason: str

    @classmethod
    def of(cls, line: str) -> "Entry":
        """Parse a line."""
        if line.count(" :: ") != 2 or re.search(r" :: (REASON)?$", line):
            raise ValueError(f"write `page :: words :: reason` instead of: {line}")
        return cls(line, *line.split(" :: "))

    def covers(self, text: str, token: Token) -> bool:
        """Return whether a number is among the entry's words."""
        pattern = r"\s+".join(map(re.escape, self.words.split()))
        found = re.finditer(pattern, text)
        return any(m.start() <= token.start and token.end <= m.end() for m in found)

    def proves(self, number: str) -> bool:
        """Return whether the reason's source, if it names one, has the number."""
        source = re.match(r"(=|chapter|file) ([^:]+): ", self.reason)
        match source and source.groups():
            case "=", arithmetic:
                return gives(arithmetic, number)
            case "chapter", name:
                return chapter(int(name)).proves(number)
            case "file", name:
                text = (ROOT / name).read_text(encoding="utf-8")
                return Evidence.of(text).proves(number)
        return True


def load(text: str) -> list[Entry]:
    """Parse entries; lines that begin with # are comments."""
    return [Entry.of(line) for line in text.splitlines() if line and line[0] != "#"]


# Pages.


def page_name(path: Path) -> str:
    """Return the name of a notebook in its entries: a chapter's is its number.

    Examples
    --------
    >>> page_name(NOTEBOOKS[3])
    '04'
    """
    return re.sub(r"(?<=^\d\d)_.*", "", path.stem)


def unproved(parts: list[Section]) -> Iterator[tuple[Section, str, Token]]:
    """Yield the numbers that need an entry, with their sections and texts."""
    whole = join(part.evidence for part in parts)
    references = REFERENCES.search("\n".join(t for part in parts for t in part.texts))
    years = set(re.findall(r"\b(?:19|20)\d\d\b", references[0] if references else ""))
    for part in itertools.takewhile(lambda part: not EXEMPT.match(part.title), parts):
        evidence = part.evidence if part.title and part.evidence.values else whole
        for text in part.texts:
            for token in tokens(text):
                exempt = token.text in years or is_label(text, token)
                if not exempt and not is_proved(text, token, evidence):
                    yield part, text, token


def problems(
    path: Path, source: str | None = None, entries: list[Entry] | None = None
) -> list[str]:
    """List the problems of the numbers on a page, and of its entries.

    Parameters
    ----------
    path : Path
        Path of the page.
    source : str, optional
        Text to check instead of the file's.
    entries : list of Entry, optional
        Entries to use instead of those in prose_numbers.txt.
    """
    source = source or path.read_text(encoding="utf-8")
    if entries is None:
        entries = load(ENTRIES.read_text(encoding="utf-8"))
    own_entries = [entry for entry in entries if entry.page == page_name(path)]
    found, used = [], set()
    for part, text, token in unproved(sections(nbformat.reads(source, as_version=4))):
        covering = [entry for entry in own_entries if entry.covers(text, token)]
        used |= set(covering)
        if not any(entry.proves(token.text) for entry in covering):
            found.append(advice(path, part, text, token))
    return found + [f"{UNUSED}\n    {e.line}" for e in own_entries if e not in used]


def advice(path: Path, part: Section, text: str, token: Token) -> str:
    """Return advice on a number without a source."""
    before, after = sentence(text, token)
    excerpt = f"{before[-60:]}«{token.text}»{text[token.end :][:40]}"
    words = re.search(r"(?:\S+\s+){0,2}\S*$", before)[0] + text[token.start : token.end]
    words += re.match(r"\S*(?:\s+\S+){0,2}", text[token.end :])[0]
    chapters = "".join(f", or in chapter {n}" for n in named_chapters(before + after))
    place = f"{path.relative_to(ROOT)}, {part.title.strip('# ') or 'introduction'}"
    line = f"{page_name(path)} :: {' '.join(words.split())} :: REASON"
    return ADVICE.format(place, token.text, " ".join(excerpt.split()), chapters, line)


def main() -> int:
    """Check the given pages, or all pages."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("paths", nargs="*", type=Path)
    paths = [path.resolve() for path in parser.parse_args().paths]
    found = [text for path in paths or NOTEBOOKS for text in problems(path)]
    print(*found, f"{len(found)} problems", sep="\n\n")
    return bool(found)


if __name__ == "__main__":
    sys.exit(main())
