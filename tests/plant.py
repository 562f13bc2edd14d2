"""Plant wrong numbers in copies of the pages and test for them: ``make plant``.

One digit is changed at a time, in a random place. Five kinds are tested by running the
tests of ``make test`` on a copy of the repository, in equal shares:

- output: what a cell prints, stored in its notebook;
- outside: the same in a cell with a tolerance, changed by more than the tolerance;
- within: the same, changed by less than the tolerance, so nbval must accept it;
- tagged: the output of a cell that nbval doesn't compare;
- experiment: a result in a JSON file that a chapter reads.

Two kinds are tested by ``tests/prose_numbers.py`` alone, so there can be many:

- prose: a number in a Markdown cell;
- caption: a figure's alternative text, in code.

That check can't find all of them, because a wrong number may occur in the section for
another reason. The report ends with the rates of detection. They exclude numbers that
the check doesn't read, which are those in exercises and references. A caption is also
part of its cell's output, so nbval finds a digit that is changed there; but it doesn't
find one that was already wrong when the notebook was executed.

The pages themselves are never changed. Numbers in a widget's stored state are not
tested, because they are neither printed nor prose.
"""

import argparse
import ast
import copy
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
from nbformat import NotebookNode

import prose_numbers
from prose_numbers import EXEMPT, NOTEBOOKS, ROOT
from tolerance import Tolerance, problems
from written_numbers import tokens

RUN = ["output", "outside", "within", "tagged", "experiment"]
READ = ["prose", "caption"]
EXPERIMENTS = sorted((ROOT / "notebooks" / "experiments").glob("*.json"))
STRUCTURE = ["test_notebooks.py", "test_numbers.py", "test_experiments.py"]
NBVAL = ["--nbval", "--nbval-current-env", "--nbval-cell-timeout=120"]
SIZES = ["1 digit", "2 digits", "3 or more", "decimal"]
MIN_RATE = 0.75  # of the plants in decimals and in numbers of three or more digits
MIN_COUNT = 20  # such plants, for the rate to mean anything


@dataclass(frozen=True)
class Place:
    """The location of a number on a page.

    Attributes
    ----------
    kind : str
        One of RUN or READ, or "tolerance", which allows "outside" and "within".
    page : Path
        Path of the page in the repository.
    cell : str
        The cell's id; empty on a page without cells.
    keys : tuple of int or str
        Keys that lead from the notebook to the text.
    start, end : int
        The number's position in the text.
    """

    kind: str
    page: Path
    cell: str
    keys: tuple[int | str, ...]
    start: int
    end: int


@dataclass(frozen=True)
class Plant:
    """A wrong number and its place; the kind is one of RUN or READ."""

    kind: str
    place: Place
    old: str
    new: str


# Finding places.


@cache
def original(page: Path) -> str:
    """Read a page, only once, because it may be edited in the meantime."""
    return page.read_text(encoding="utf-8")


@cache
def parsed(page: Path) -> NotebookNode:
    """Parse a notebook once."""
    return nbformat.reads(original(page), as_version=4)


def look_up(node: object, keys: tuple) -> object:
    """Return the part of a notebook to which the keys lead."""
    for key in keys:
        node = node[key]
    return node


@cache
def places(page: Path) -> list[Place]:
    """List the numbers of a page that may be changed."""
    if page.suffix == ".ipynb":
        return list(notebook_places(page))
    text = original(page)
    results = text.index('"results": ')
    names = re.compile(r'"[^"]*"')
    text = names.sub(lambda name: " " * len(name[0]), text)
    found = [token for token in tokens(text) if token.start > results]
    return [Place("experiment", page, "", (), t.start, t.end) for t in found]


def notebook_places(page: Path) -> Iterator[Place]:
    """List the numbers of a notebook that may be changed."""
    exempt = False
    for index, cell in enumerate(parsed(page).cells):
        path = ("cells", index)
        if cell.cell_type == "markdown":
            heading = re.search(EXEMPT.pattern, cell.source, re.M)
            end = 0 if exempt else heading.start() if heading else len(cell.source)
            exempt = exempt or heading is not None
            texts = [("prose", ("source",), cell.source[:end])]
        else:
            texts = [("caption", ("source",), only_captions(cell.source))] * (
                not exempt
            )
            kind = kind_of(cell)
            for keys, text in output_texts(cell):
                # A caption is compared exactly, and not by nbval.
                if kind != "tolerance" or "metadata" not in keys:
                    texts.append((kind, keys, text))
        for kind, keys, text in texts:
            for token in tokens(text, names=kind not in READ):
                yield Place(kind, page, cell.id, path + keys, token.start, token.end)


def kind_of(cell: NotebookNode) -> str:
    """Return how a cell's output is compared."""
    if "nbval-ignore-output" in cell.metadata.get("tags", []):
        return "tagged"
    return "tolerance" if "tolerance" in cell.metadata else "output"


def captions(source: str) -> Iterator[range]:
    """Find the positions of captions in code."""
    starts = [0]
    for line in source.splitlines(keepends=True):
        starts.append(starts[-1] + len(line))
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.keyword) and node.arg == "alt":
            value = node.value  # its columns are in bytes
            lines = source.splitlines()
            before = lines[value.lineno - 1].encode()[: value.col_offset].decode()
            last = lines[value.end_lineno - 1].encode()[: value.end_col_offset]
            start = starts[value.lineno - 1] + len(before)
            yield range(start, starts[value.end_lineno - 1] + len(last.decode()))


def only_captions(source: str) -> str:
    """Replace all code by spaces, except for the text of its captions."""
    text = " " * len(source)
    for part in captions(source):
        words = source[part.start : part.stop]
        words = re.sub(r"\{[^{}]*\}", lambda computed: " " * len(computed[0]), words)
        text = text[: part.start] + words + text[part.stop :]
    return text


def output_texts(cell: NotebookNode) -> Iterator[tuple[tuple, str]]:
    """List the texts in a cell's outputs, with the keys that lead to them."""
    for index, output in enumerate(cell.outputs):
        path = ("outputs", index)
        if "text" in output:
            yield (*path, "text"), output.text
        for form, text in output.get("data", {}).items():
            if form.startswith("text/"):
                yield (*path, "data", form), text
        for form, about in output.get("metadata", {}).items():
            if "alt" in about:
                yield (*path, "metadata", form, "alt"), about["alt"]


def text_of(place: Place) -> str:
    """Return the text that contains a number."""
    return (
        look_up(parsed(place.page), place.keys) if place.keys else original(place.page)
    )


def size_of(place: Place) -> str:
    """Return how many digits a number has, or that it has a decimal point."""
    number = text_of(place)[place.start : place.end]
    digits = sum(letter.isdecimal() for letter in number)
    return "decimal" if "." in number else SIZES[min(digits, 3) - 1]


# Planting.


def changes(number: str) -> list[str]:
    """List the numbers that differ in one digit, without new leading zeros.

    Examples
    --------
    >>> changes("2.5")[:3], changes("2.5")[-1]
    (['0.5', '1.5', '3.5'], '2.9')
    >>> changes("25")[0]
    '15'
    """
    found = [
        number[:at] + digit + number[at + 1 :]
        for at, letter in enumerate(number)
        for digit in "0123456789"
        if letter.isdecimal() and digit != letter
    ]
    return [new for new in found if number[0] == "0" or not re.match(r"0\d", new)]


def with_plant(text: str, plant: Plant) -> str:
    """Return a text with a wrong number planted."""
    place = plant.place
    assert text[place.start : place.end] == plant.old
    return text[: place.start] + plant.new + text[place.end :]


def possible(kind: str, place: Place) -> list[Plant]:
    """List the possible plants at a place, except those near the tolerance's limit."""
    text = text_of(place)
    old = text[place.start : place.end]
    plants = [Plant(kind, place, old, new) for new in changes(old)]
    if place.kind != "tolerance":
        return plants
    stated = look_up(parsed(place.page), place.keys[:2]).metadata["tolerance"]
    factor = 0.5 if kind == "within" else 2
    sizes = {key: stated[key] * factor for key in stated if key != "counts"}
    limit = Tolerance(**stated | sizes)
    fits = [problems(text, with_plant(text, plant), limit) == [] for plant in plants]
    return [p for p, fit in zip(plants, fits, strict=True) if fit == (kind == "within")]


def choose(kind: str, count: int, rng: random.Random) -> list[Plant]:
    """Choose wrong numbers of one kind, at most one per cell."""
    wanted = "tolerance" if kind in ("outside", "within") else kind
    pages = NOTEBOOKS + EXPERIMENTS
    free = [place for page in pages for place in places(page) if place.kind == wanted]
    chosen: list[Plant] = []
    while free and len(chosen) < count:
        page = rng.choice(sorted({place.page for place in free}))
        cell = rng.choice(sorted({p.cell for p in free if p.page == page}))
        place = rng.choice([p for p in free if (p.page, p.cell) == (page, cell)])
        if plants := possible(kind, place):
            chosen.append(rng.choice(plants))
            free = [p for p in free if (p.page, p.cell) != (page, cell)]
        else:
            free.remove(place)
    return chosen


def make_plants(seed: int, count: int, texts: int) -> list[Plant]:
    """Choose wrong numbers, reproducibly for a given seed.

    Parameters
    ----------
    seed : int
        The seed.
    count : int
        How many to choose of the kinds in RUN, in equal shares. Fewer are chosen if a
        kind has too few cells.
    texts : int
        How many to choose of the kinds in READ, in equal shares of SIZES.
    """
    rng = random.Random(seed)
    plants = []
    for kind, share in shares(RUN, count):
        plants += choose(kind, share, rng)
    read = [p for page in NOTEBOOKS for p in places(page) if p.kind in READ]
    for size, share in shares(SIZES, texts):
        selected = [place for place in read if size_of(place) == size]
        for place in rng.sample(selected, min(share, len(selected))):
            plants.append(rng.choice(possible(place.kind, place)))
    return plants


def shares(names: list[str], count: int) -> list[tuple[str, int]]:
    """Divide a count among names.

    Examples
    --------
    >>> shares(["a", "b"], 5)
    [('a', 3), ('b', 2)]
    """
    return [(n, len(range(i, count, len(names)))) for i, n in enumerate(names)]


def with_plants(page: Path, plants: list[Plant]) -> str:
    """Return the text of a page with wrong numbers, or without if there are none."""
    text = original(page)
    if page.suffix != ".ipynb":
        for plant in plants:
            text = with_plant(text, plant)
        return text
    notebook = copy.deepcopy(parsed(page))
    for plant in plants:
        *path, last = plant.place.keys
        holder = look_up(notebook, tuple(path))
        holder[last] = with_plant(holder[last], plant)
    return nbformat.writes(notebook) + "\n" if plants else text


def write(page: Path, plants: list[Plant], folder: Path) -> None:
    """Write a page into a copy of the repository."""
    target = folder / page.relative_to(ROOT)
    target.write_text(with_plants(page, plants), encoding="utf-8")


def rounds(plants: list[Plant], *fields: str) -> Iterator[list[Plant]]:
    """Divide plants into rounds in which no two have the same page, or cell."""
    left = plants
    while left:
        places = {tuple(getattr(p.place, f) for f in fields): p for p in left[::-1]}
        current = list(places.values())[::-1]
        yield current
        left = [plant for plant in left if plant not in current]


# Testing. Each function returns what found a plant, by plant, without those not found.


def makefile_environment() -> dict[str, str]:
    """Read the environment variables for comparing notebooks from the Makefile."""
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    lines = re.findall(r"^(?:SETTING|PINNED) := (.*)$", makefile, re.M)
    found = dict(re.findall(r"(\w+)=(\S+)", " ".join(lines)))
    found["CONV_DEVICE"] = os.environ.get("CONV_DEVICE", "cpu")
    return found


def copy_repository(target: Path) -> None:
    """Copy all files that git tracks or doesn't ignore."""
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
        env=os.environ | makefile_environment(),
        capture_output=True,
        text=True,
        check=False,
    )
    if run.returncode not in (0, 1):
        raise SystemExit(f"pytest failed to run:\n{run.stdout}\n{run.stderr}")
    return {
        case.get("name")
        for case in ET.parse(report).iter("testcase")
        if case.find("failure") is not None or case.find("error") is not None
    }


def structure_failures(folder: Path, plants: list[Plant]) -> set[str]:
    """Run the tests of the pages' structure and numbers; return those that fail."""
    files = [str(path.relative_to(folder)) for path in folder.glob("tests/test_*.py")]
    files = [file for file in files if Path(file).name in STRUCTURE]
    names = sorted({plant.place.page.stem for plant in plants})
    return failures(folder, *files, "-k", " or ".join(names)) if names else set()


def try_structure(plants: list[Plant], folder: Path) -> dict[Plant, str]:
    """Return the plants that a test of their page finds, and the names of the tests."""
    found = {}
    for current in rounds(plants, "page"):
        for plant in current:
            write(plant.place.page, [plant], folder)
        failed = sorted(structure_failures(folder, current))
        for plant in current:
            page = plant.place.page
            matching = [name for name in failed if name.endswith(f"[{page.stem}]")]
            if matching:
                found[plant] = ", ".join(name.partition("[")[0] for name in matching)
            write(page, [], folder)
    return found


def failed_cells(page: Path, folder: Path) -> set[str]:
    """Compare a notebook's cells by nbval; return the ids of those that differ."""
    names = failures(folder, str(page.relative_to(ROOT)), *NBVAL)
    code = [cell.id for cell in parsed(page).cells if cell.cell_type == "code"]
    return {code[int(re.search(r"Cell (\d+)", name)[1])] for name in names}


def try_nbval(page: Path, plants: list[Plant], folder: Path) -> dict[Plant, str]:
    """Return the plants in a notebook that nbval finds; no other cell may fail."""
    found = {}
    for current in rounds(plants, "cell"):
        write(page, current, folder)
        failed = failed_cells(page, folder)
        write(page, [], folder)
        if others := failed - {plant.place.cell for plant in current}:
            raise SystemExit(f"{page.name}: cells without a plant fail: {others}")
        found |= {plant: "nbval" for plant in current if plant.place.cell in failed}
    return found


def try_chapter(plant: Plant, folder: Path) -> dict[Plant, str]:
    """Return whether nbval finds a wrong result in the chapter that reads it."""
    file = plant.place.page
    name = f"{file.parent.name}/{file.name}"
    chapters = [page for page in NOTEBOOKS if name in original(page)]
    write(file, [plant], folder)
    failed = [page.stem for page in chapters if failed_cells(page, folder)]
    write(file, [], folder)
    return {plant: f"nbval, {', '.join(failed)}"} if failed else {}


def try_tests(plants: list[Plant], folder: Path) -> dict[Plant, str]:
    """Return what finds each plant of the kinds in RUN."""
    copy_repository(folder)
    for page in NOTEBOOKS + EXPERIMENTS:
        write(page, [], folder)
    detectable = [p for p in plants if p.kind in ("output", "tagged", "experiment")]
    if broken := structure_failures(folder, detectable):
        raise SystemExit(f"tests fail before anything is planted: {broken}")
    found = try_structure(detectable, folder)
    undetected = [p for p in plants if p not in found and p.kind != "tagged"]
    for page in NOTEBOOKS:
        matching = [plant for plant in undetected if plant.place.page == page]
        found |= try_nbval(page, matching, folder)
    for plant in undetected:
        if plant.kind == "experiment":
            found |= try_chapter(plant, folder)
    return found


def try_reading(plants: list[Plant]) -> dict[Plant, str]:
    """Return the plants of the kinds in READ that prose_numbers finds."""
    found = {}
    for plant in plants:
        page = plant.place.page
        if prose_numbers.problems(page, with_plants(page, [plant])):
            found[plant] = "prose_numbers"
    return found


# Reporting.


def is_right(plant: Plant, found: dict[Plant, str]) -> bool:
    """Return whether a plant was found, or, within a tolerance, was not found."""
    return (plant in found) != (plant.kind == "within")


def line(plant: Plant, found: dict[Plant, str]) -> str:
    """Format a line of the report: what should happen to a plant, and what did."""
    place = plant.place
    where = f"{place.page.stem:<22} {place.cell:<14}"
    words = f"{plant.old} -> {plant.new}"
    expected = "should pass" if plant.kind == "within" else "should be found"
    actual = f"found by {found[plant]}" if plant in found else "passed"
    verdict = "" if is_right(plant, found) else "  <- NOT FOUND"
    if plant.kind == "within" and plant in found:
        verdict = "  <- WRONGLY FOUND"
    return f"{plant.kind:<10} {where} {words:<20} {expected}: {actual}{verdict}"


def rate(plants: list[Plant], found: dict[Plant, str]) -> str:
    """Format how many plants were found, for example "17 of 20 = 85%"."""
    count = sum(plant in found for plant in plants)
    share = f" = {count / len(plants):.0%}" if plants else ""
    return f"{count} of {len(plants)}{share}"


def is_compared(plant: Plant) -> bool:
    """Return whether nbval compares what a plant's cell prints."""
    return kind_of(look_up(parsed(plant.place.page), plant.place.keys[:2])) != "tagged"


def report(plants: list[Plant], found: dict[Plant, str]) -> bool:
    """Print the results for the plants; return whether they are good enough."""
    print(*(line(plant, found) for plant in plants), sep="\n")
    run = [plant for plant in plants if plant.kind in RUN]
    right = sum(is_right(plant, found) for plant in run)
    print(f"\n{right} of {len(run)} plants in outputs and results behaved as expected")
    read = [plant for plant in plants if plant.kind in READ]
    for size in SIZES:
        selected = [plant for plant in read if size_of(plant.place) == size]
        kinds = [rate([p for p in selected if p.kind == kind], found) for kind in READ]
        details = ", ".join(
            f"{kind} {text}" for kind, text in zip(READ, kinds, strict=True)
        )
        print(f"{size:<10} found {rate(selected, found)} ({details})")
    large = [plant for plant in read if size_of(plant.place) in SIZES[2:]]
    print(f"three or more digits, or decimal: found {rate(large, found)}")
    missed = [p for p in read if p.kind == "caption" and p not in found]
    compared = sum(map(is_compared, missed))
    print(f"captions not found: {len(missed)}; nbval compares {compared} of these")
    enough = sum(plant in found for plant in large) >= MIN_RATE * len(large)
    return right == len(run) and (enough or len(large) < MIN_COUNT)


def main() -> int:
    """Plant wrong numbers, test for them and print a report."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--count", type=int, default=20, help="in outputs and results")
    parser.add_argument("--texts", type=int, default=200, help="in prose and captions")
    options = parser.parse_args()
    broken = [p for page in NOTEBOOKS for p in prose_numbers.problems(page)]
    if broken:
        raise SystemExit("\n\n".join(["problems before anything is planted:", *broken]))
    plants = make_plants(options.seed, options.count, options.texts)
    found = try_reading([plant for plant in plants if plant.kind in READ])
    with tempfile.TemporaryDirectory() as folder:
        run = [plant for plant in plants if plant.kind in RUN]
        found |= try_tests(run, Path(folder)) if run else {}
    return not report(plants, found)


if __name__ == "__main__":
    sys.exit(main())
