"""Build what a teacher hands out and keeps: ``make teacher``.

In ``build/teacher``:

- ``student``: the course without solutions, and without the tests that hold answers;
- ``solved``: the notebooks with all exercises solved, and what the checkers say to it;
- ``nbgrader``: an nbgrader course with one assignment a chapter.
"""

import argparse
import copy
import re
import shutil
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import nbformat
from nbformat import NotebookNode

from conv.exercises import EXERCISES
from conv.exercises.grader import read_solutions
from kernels import client_for

ROOT = Path(__file__).parent.parent
# What contains answers, or is of use only to the course's maintainers.
LEFT_OUT = [
    ".ci",
    ".github/actionlint.yaml",
    ".github/dependabot.yml",
    ".github/workflows",
    ".github/zizmor.yml",
    "docs/teaching.md",
    "requirements/teacher.txt",
    "solutions",
    "teacher",
    "tests/answers",
    "tests/plant.py",
    "tests/prose_numbers.py",
    "tests/prose_numbers.txt",
    "tests/test_exercises.py",
    "tests/test_numbers.py",
    "tests/test_project.py",
    "tests/test_security.py",
    "tests/test_teacher.py",
]
POINTS = {"predict": 1, "explain": 2, "debug": 2, "implement": 3}


def chapters() -> list[Path]:
    """List the chapters' notebooks."""
    return sorted((ROOT / "notebooks").glob("[0-9]*.ipynb"))


def solutions_of(path: Path) -> dict[str, str]:
    """Read a chapter's solutions, by exercise."""
    return read_solutions(ROOT / "solutions" / f"{path.stem}.py")


def exercise_cells(notebook: NotebookNode) -> list[NotebookNode]:
    """Find the cells in which a learner answers."""
    return [c for c in notebook.cells if "exercise" in c.metadata.get("tags", [])]


def number_of(cell: NotebookNode) -> str:
    """Tell which exercise a cell belongs to, by its checker's name."""
    [name] = re.findall(r"^check\.(\w+)\(", cell.source, re.M)
    return next(n for n, exercise in EXERCISES.items() if exercise.name == name)


def parts_of(cell: NotebookNode) -> tuple[str, str, str]:
    """Cut an exercise's cell: imports of the checkers, stub, and call."""
    above, call = cell.source.rsplit("\n", 1)
    lines = above.strip().split("\n")
    imports = [line for line in lines if line.startswith("from conv.exercises ")]
    stub = "\n".join(line for line in lines if line not in imports)
    return "\n".join(imports), stub.strip(), call


def joined(*parts: str) -> str:
    """Join the parts of a cell, with empty lines between them."""
    return "\n\n".join(filter(None, parts))


# --- student ------------------------------------------------------------------------


def build_student(target: Path) -> None:
    """Copy all files that git tracks, except those in LEFT_OUT."""
    listed = subprocess.run(
        ["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    for name in listed.stdout.splitlines():
        if not any(name == part or name.startswith(f"{part}/") for part in LEFT_OUT):
            (target / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, target / name)
    readme = target / "README.md"
    lines = readme.read_text(encoding="utf-8").splitlines(keepends=True)
    kept = [line for line in lines if not any(f"]({p})" in line for p in LEFT_OUT)]
    readme.write_text("".join(kept), encoding="utf-8")


# --- solved -------------------------------------------------------------------------


def solved(notebook: NotebookNode, solutions: dict[str, str]) -> NotebookNode:
    """Put a solution in place of each stub."""
    notebook = copy.deepcopy(notebook)
    for cell in exercise_cells(notebook):
        imports, _, call = parts_of(cell)
        cell.source = joined(imports, solutions[number_of(cell)], call)
    return notebook


def run_exercises(notebook: NotebookNode, folder: Path) -> None:
    """Run the first cell and the exercises; keep what they print.

    All other cells are as they were, and so are their outputs.
    """
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    cells = [code[0], *exercise_cells(notebook)]
    short = nbformat.v4.new_notebook(cells=copy.deepcopy(cells))
    client_for(short, folder).execute()
    for cell, run in zip(cells[1:], short.cells[1:], strict=True):
        cell.outputs = run.outputs
        printed = "".join(output.get("text", "") for output in cell.outputs)
        if printed.strip() != f"{number_of(cell)}  right":
            raise SystemExit(f"{number_of(cell)} is not solved:\n{printed}")


def copy_companions(target: Path) -> None:
    """Copy the files that the chapters show, read or run."""
    notebooks = ROOT / "notebooks"
    for folder in ("experiments", "figures"):
        shutil.copytree(
            notebooks / folder,
            target / folder,
            ignore=shutil.ignore_patterns("__pycache__"),
        )
    shutil.copy(notebooks / "train_ddp.py", target)
    shutil.copy(notebooks / "glossary.md", target)


def build_solved(target: Path) -> None:
    """Write all chapters with their exercises solved."""
    target.mkdir(parents=True)
    copy_companions(target)

    def build(path: Path) -> None:
        notebook = solved(nbformat.read(path, as_version=4), solutions_of(path))
        run_exercises(notebook, path.parent)
        nbformat.write(notebook, target / path.name)

    with ThreadPoolExecutor(max_workers=2) as pool:
        list(pool.map(build, chapters()))


# --- nbgrader -----------------------------------------------------------------------


def graded(notebook: NotebookNode, solutions: dict[str, str]) -> NotebookNode:
    """Make an nbgrader source: an answer's cell and a test's cell for each exercise.

    The stub stands above the solution, which nbgrader cuts out for the release.
    """
    notebook = copy.deepcopy(notebook)
    cells = []
    for cell in notebook.cells:
        cells.append(cell)
        if cell.cell_type == "code":
            cell.outputs, cell.execution_count = [], None
        if "exercise" in cell.metadata.get("tags", []):
            number = number_of(cell)
            imports, stub, call = parts_of(cell)
            begin, end = "### BEGIN SOLUTION", "### END SOLUTION"
            region = "\n".join([begin, solutions[number], end])
            cell.source = joined(imports, stub, region, call)
            cell.metadata["nbgrader"] = marks(number, "answer")
            cells.append(test_cell(number, call))
    notebook.cells = cells
    return notebook


def test_cell(number: str, call: str) -> NotebookNode:
    """Make the cell that gives an exercise's points."""
    answer = call.partition("(")[2].removesuffix(")")
    cell = nbformat.v4.new_code_cell(
        "from conv.exercises import judge\n\n"
        f'verdict = judge("{number}", {answer})\n'
        "assert verdict.right, verdict"
    )
    cell.id = f"test-{number.replace('.', '-')}"
    cell.metadata["nbgrader"] = marks(number, "test")
    return cell


def marks(number: str, role: str) -> dict:
    """Give nbgrader's metadata of an answer's or a test's cell."""
    test = role == "test"
    points = {"points": POINTS[EXERCISES[number].kind]} if test else {}
    return {
        "schema_version": 3,
        "grade_id": f"{role}-{number.replace('.', '-')}",
        "grade": test,
        "locked": test,
        "solution": not test,
        "task": False,
    } | points


def build_nbgrader(target: Path) -> None:
    """Write an nbgrader course with one assignment a chapter."""
    for path in chapters():
        source = target / "source" / path.stem
        source.mkdir(parents=True)
        copy_companions(source)
        notebook = graded(nbformat.read(path, as_version=4), solutions_of(path))
        nbformat.write(notebook, source / path.name)
    shutil.copy(ROOT / "teacher" / "nbgrader_config.py", target)


def put(new: Path, target: Path) -> None:
    """Let a folder that is complete take an older one's place.

    nbgrader's also holds what a class handed in, and its marks: they stay.
    """
    grading = new.name == "nbgrader"
    renewed = {path: target / path.name for path in new.iterdir()} if grading else {}
    for made, old in (renewed or {new: target}).items():
        old.parent.mkdir(parents=True, exist_ok=True)
        if old.is_dir():
            shutil.rmtree(old)
        made.replace(old)


def main() -> int:
    """Build all three, or the named ones."""
    builders = {
        "student": build_student,
        "solved": build_solved,
        "nbgrader": build_nbgrader,
    }
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("parts", nargs="*", metavar="part", default=list(builders))
    parser.add_argument("--into", type=Path, default=ROOT / "build" / "teacher")
    arguments = parser.parse_args()
    for part in arguments.parts:
        target = arguments.into / part
        arguments.into.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=arguments.into) as scratch:
            builders[part](Path(scratch) / part)
            put(Path(scratch) / part, target)
        print(target.relative_to(ROOT) if target.is_relative_to(ROOT) else target)
    return 0


if __name__ == "__main__":
    sys.exit(main())
