"""Plant wrong numbers in copies of the pages, and see each caught: ``make plant``.

One digit is changed at a time, in a random place, in equal shares of four kinds:

- output: what a cell prints, stored in its notebook;
- prose: a Markdown cell, or a page of Markdown;
- caption: a figure's alternative text, in code, in metadata, or below the figure;
- tagged: what a cell prints that nbval doesn't compare.

Then the tests that ``make test`` has for such a page must fail: those of its structure
and of its numbers, and if these are silent, nbval on the planted cell. The pages
themselves are never touched. The numbers in a widget's stored state are left alone:
they are neither printed nor prose. A number can also be wrong before it is compared;
that is what ``tests/ledger.py`` and the assertions in the cells are for.
"""

import argparse
import ast
import os
import random
import re
import shutil
import subprocess
import sys
import tempfile
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import nbformat

from ledger import NOTEBOOKS, PAGES, ROOT, page_id, tokens

KINDS = ["output", "prose", "caption", "tagged"]
STRUCTURE = ["tests/test_notebooks.py", "tests/test_numbers.py"]
NBVAL = ["--nbval", "--nbval-current-env", "--nbval-cell-timeout=120"]
WORDS = "<summary>In words</summary>"


@dataclass(frozen=True)
class Place:
    """A number on a page: where it stands, and between which letters.

    Attributes
    ----------
    kind : str
        One of KINDS.
    page : Path
        The page, in the repository.
    cell : str
        The cell's id; empty in a page of Markdown.
    keys : tuple of int or str
        The way through the notebook to the text.
    start, end : int
        Where in the text the number is.
    """

    kind: str
    page: Path
    cell: str
    keys: tuple[int | str, ...]
    start: int
    end: int


@dataclass(frozen=True)
class Plant:
    """A wrong number in a place."""

    place: Place
    old: str
    new: str


# Finding places.


def notebook_texts(
    notebook: nbformat.NotebookNode,
) -> Iterator[tuple[str, str, tuple, range]]:
    """List a notebook's texts: kind, cell, the way to it, and which part of it."""
    for index, cell in enumerate(notebook.cells):
        way = ("cells", index, "source")
        if cell.cell_type == "markdown":
            yield "prose", cell.id, way, range(len(cell.source))
            continue
        for part in captions(cell.source):
            yield "caption", cell.id, way, part
        tagged = "nbval-ignore-output" in cell.metadata.get("tags", [])
        for kind, keys, text in output_texts(cell):
            kind = "tagged" if tagged else kind
            yield kind, cell.id, ("cells", index, *keys), range(len(text))


def captions(source: str) -> Iterator[range]:
    """Find where a caption is written in code."""
    starts = [0]
    for line in source.splitlines(keepends=True):
        starts.append(starts[-1] + len(line))
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.keyword) and node.arg == "alt":
            value = node.value  # its columns count bytes
            lines = source.splitlines()
            before = lines[value.lineno - 1].encode()[: value.col_offset].decode()
            last = lines[value.end_lineno - 1].encode()[: value.end_col_offset]
            start = starts[value.lineno - 1] + len(before)
            yield range(start, starts[value.end_lineno - 1] + len(last.decode()))


def output_texts(cell: nbformat.NotebookNode) -> Iterator[tuple[str, tuple, str]]:
    """List the texts in a cell's outputs: kind, the way from the cell, and text."""
    for index, output in enumerate(cell.outputs):
        way = ("outputs", index)
        if "text" in output:
            yield "output", (*way, "text"), output.text
        data = output.get("data", {})
        figure = "image/png" in data or WORDS in data.get("text/html", "")
        for form, text in data.items():
            if form.startswith("text/"):
                kind = "caption" if figure else "output"
                yield kind, (*way, "data", form), text
        for form, about in output.get("metadata", {}).items():
            if "alt" in about:
                yield "caption", (*way, "metadata", form, "alt"), about["alt"]


def follow(node: object, keys: tuple) -> object:
    """Walk into a notebook."""
    for key in keys:
        node = node[key]
    return node


@cache
def original(page: Path) -> str:
    """Read a page once: somebody may be at work on it."""
    return page.read_text(encoding="utf-8")


@cache
def places(page: Path) -> list[Place]:
    """List all numbers of a page."""
    if page.suffix != ".ipynb":
        found = tokens(original(page))
        return [Place("prose", page, "", (), t.start, t.end) for t in found]
    notebook = nbformat.reads(original(page), as_version=4)
    return [
        Place(kind, page, cell, keys, token.start, token.end)
        for kind, cell, keys, part in notebook_texts(notebook)
        for token in tokens(follow(notebook, keys))
        if token.start in part
    ]


# Planting.


def choose(count: int, rng: random.Random) -> list[Place]:
    """Choose places, the same number of each kind, no two in one cell."""
    found = [place for page in NOTEBOOKS + PAGES for place in places(page)]
    chosen: list[Place] = []
    for index in range(count):
        kind = KINDS[index % len(KINDS)]
        taken = {(place.page, place.cell) for place in chosen}
        free = [p for p in found if p.kind == kind and (p.page, p.cell) not in taken]
        page = rng.choice(sorted({place.page for place in free}))
        cell = rng.choice(sorted({p.cell for p in free if p.page == page}))
        chosen.append(rng.choice([p for p in free if (p.page, p.cell) == (page, cell)]))
    return chosen


def change(number: str, rng: random.Random) -> str:
    """Put another digit in the place of one."""
    at = rng.choice([i for i, letter in enumerate(number) if letter.isdecimal()])
    other = rng.choice([digit for digit in "0123456789" if digit != number[at]])
    return number[:at] + other + number[at + 1 :]


def text_of(place: Place) -> str:
    """Read the text in which a number stands."""
    text = original(place.page)
    if not place.keys:
        return text
    return follow(nbformat.reads(text, as_version=4), place.keys)


def make_plants(seed: int, count: int) -> list[Plant]:
    """Choose wrong numbers; the same for the same seed."""
    rng = random.Random(seed)
    plants = []
    for place in choose(count, rng):
        old = text_of(place)[place.start : place.end]
        plants.append(Plant(place, old, change(old, rng)))
    return plants


def planted(text: str, plant: Plant) -> str:
    """Put a wrong number into a text."""
    place = plant.place
    assert text[place.start : place.end] == plant.old
    return text[: place.start] + plant.new + text[place.end :]


def with_plants(page: Path, plants: list[Plant]) -> str:
    """Put wrong numbers, or none, into a page."""
    text = original(page)
    if page.suffix != ".ipynb":
        for plant in plants:
            text = planted(text, plant)
        return text
    notebook = nbformat.reads(text, as_version=4)
    for plant in plants:
        *way, last = plant.place.keys
        holder = follow(notebook, tuple(way))
        holder[last] = planted(holder[last], plant)
    return nbformat.writes(notebook) + "\n" if plants else text


def write(page: Path, plants: list[Plant], folder: Path) -> None:
    """Write a page into a copy of the repository."""
    target = folder / page.relative_to(ROOT)
    target.write_text(with_plants(page, plants), encoding="utf-8")


# Testing.


def pinned() -> dict[str, str]:
    """Read from the Makefile the variables under which notebooks are compared."""
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    lines = re.findall(r"^(?:SETTING|PINNED) := (.*)$", makefile, re.M)
    found = dict(re.findall(r"(\w+)=(\S+)", " ".join(lines)))
    found["CONV_DEVICE"] = os.environ.get("CONV_DEVICE", "cpu")
    return found


def copy_repository(target: Path) -> None:
    """Copy all that git knows or would know."""
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(command, cwd=ROOT, capture_output=True, check=True)
    for name in filter(None, listed.stdout.decode().split("\0")):
        if (ROOT / name).is_file():
            (target / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, target / name)


def failures(folder: Path, *arguments: str) -> set[str]:
    """Run pytest in a folder; return the names of the tests that fail."""
    report = folder / "report.xml"
    command = [sys.executable, "-m", "pytest", "--quiet", "-p", "no:cacheprovider"]
    run = subprocess.run(
        [*command, f"--junitxml={report}", *arguments],
        cwd=folder,
        env=os.environ | pinned(),
        capture_output=True,
        text=True,
        check=False,
    )
    if run.returncode not in (0, 1):
        raise SystemExit(f"pytest broke:\n{run.stdout}\n{run.stderr}")
    return {
        case.get("name")
        for case in ET.parse(report).iter("testcase")
        if case.find("failure") is not None or case.find("error") is not None
    }


def rounds(plants: list[Plant]) -> Iterator[list[Plant]]:
    """Divide plants so that no page has two at a time."""
    rest = plants
    while rest:
        pages = {plant.place.page: plant for plant in reversed(rest)}
        now = list(pages.values())
        yield now
        rest = [plant for plant in rest if plant not in now]


def structure_failures(folder: Path, plants: list[Plant]) -> set[str]:
    """Run the tests of the planted pages' structure and numbers."""
    pages = {page_id(plant.place.page) for plant in plants}
    return failures(folder, *STRUCTURE, "-k", " or ".join(sorted(pages)))


def try_structure(plants: list[Plant], folder: Path) -> dict[Plant, str]:
    """Tell which plants a test of the pages catches, and which test."""
    caught = {}
    for now in rounds(plants):
        for plant in now:
            write(plant.place.page, [plant], folder)
        failed = sorted(structure_failures(folder, now))
        for plant in now:
            page = plant.place.page
            mine = [name for name in failed if name.endswith(f"[{page_id(page)}]")]
            if mine:
                caught[plant] = ", ".join(name.partition("[")[0] for name in mine)
            write(page, [], folder)
    return caught


def cell_names(page: Path) -> dict[str, str]:
    """Map cells' ids to nbval's names for them: it counts code cells."""
    cells = nbformat.reads(original(page), as_version=4).cells
    code = [cell.id for cell in cells if cell.cell_type == "code"]
    return {cell: f"Cell {number}" for number, cell in enumerate(code)}


def try_nbval(page: Path, plants: list[Plant], folder: Path) -> dict[Plant, str]:
    """Tell which plants in one notebook nbval catches; no other cell may fail."""
    write(page, plants, folder)
    found = failures(folder, str(page.relative_to(ROOT)), *NBVAL)
    failed = {re.search(r"Cell \d+", name)[0] for name in found}
    write(page, [], folder)
    names = cell_names(page)
    hit = {plant: names[plant.place.cell] for plant in plants}
    if others := failed - set(hit.values()):
        raise SystemExit(f"{page.name}: cells that nobody changed fail: {others}")
    return {plant: f"nbval, {cell}" for plant, cell in hit.items() if cell in failed}


def try_all(plants: list[Plant], folder: Path) -> dict[Plant, str]:
    """Tell by what each plant is caught; what nothing catches is missing."""
    copy_repository(folder)
    for page in NOTEBOOKS + PAGES:
        write(page, [], folder)
    if broken := structure_failures(folder, plants):
        raise SystemExit(f"tests fail though nothing is planted: {broken}")
    caught = try_structure(plants, folder)
    compared = [p for p in plants if p.place.kind in {"output", "caption"}]
    silent = [plant for plant in compared if plant not in caught]
    for page in sorted({plant.place.page for plant in silent}):
        mine = [plant for plant in silent if plant.place.page == page]
        caught |= try_nbval(page, mine, folder)
    return caught


def line(plant: Plant, caught: str | None) -> str:
    """Write a line of the report."""
    place = plant.place
    where = f"{page_id(place.page):<24} {place.cell:<8}"
    words = f"{plant.old} -> {plant.new}"
    return f"{place.kind:<7} {where} {words:<22} {caught or 'ESCAPED'}"


def main() -> int:
    """Plant, test, report."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--count", type=int, default=20)
    asked = parser.parse_args()
    plants = make_plants(asked.seed, asked.count)
    with tempfile.TemporaryDirectory() as folder:
        caught = try_all(plants, Path(folder))
    print(*(line(plant, caught.get(plant)) for plant in plants), sep="\n")
    print(f"seed {asked.seed}: {len(caught)} of {len(plants)} caught")
    return len(caught) < len(plants)


if __name__ == "__main__":
    sys.exit(main())
