"""Build copies of the course for students and teachers: ``make teacher``.

In ``build/teacher``:

- ``student``: the course without solutions, and without the tests that hold answers;
- ``solved``: the notebooks with all exercises solved, and the checkers' verdicts;
- ``nbgrader``: an nbgrader course with one assignment per chapter.
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
from conv.exercises.judging import Verdict
from kernels import client_for

ROOT = Path(__file__).parent.parent
# Files that contain answers, or are useful only to the course's maintainers.
EXCLUDED = [
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
    """Return the number of a cell's exercise, found by its checker's name."""
    [name] = re.findall(r"^check\.(\w+)\(", cell.source, re.M)
    return next(n for n, exercise in EXERCISES.items() if exercise.name == name)


def split_cell(cell: NotebookNode) -> tuple[str, str, str]:
    """Split an exercise's cell into imports of the checkers, stub and call."""
    above, call = cell.source.rsplit("\n", 1)
    lines = above.strip().split("\n")
    imports = [line for line in lines if line.startswith("from conv.exercises ")]
    stub = "\n".join(line for line in lines if line not in imports)
    return "\n".join(imports), stub.strip(), call


def join_parts(*parts: str) -> str:
    """Join the parts of a cell, with empty lines between them."""
    return "\n\n".join(filter(None, parts))


# --- student ------------------------------------------------------------------------


def build_student(target: Path) -> None:
    """Copy all files that git tracks, except those in EXCLUDED."""
    listed = subprocess.run(
        ["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    for name in listed.stdout.splitlines():
        if not any(name == part or name.startswith(f"{part}/") for part in EXCLUDED):
            (target / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, target / name)
    readme = target / "README.md"
    lines = readme.read_text(encoding="utf-8").splitlines(keepends=True)
    kept = [line for line in lines if not any(f"]({p})" in line for p in EXCLUDED)]
    readme.write_text("".join(kept), encoding="utf-8")


# --- solved -------------------------------------------------------------------------


def solve(notebook: NotebookNode, solutions: dict[str, str]) -> NotebookNode:
    """Put a solution in place of each stub."""
    notebook = copy.deepcopy(notebook)
    for cell in exercise_cells(notebook):
        imports, _, call = split_cell(cell)
        cell.source = join_parts(imports, solutions[number_of(cell)], call)
    return notebook


def run_exercises(notebook: NotebookNode, folder: Path) -> None:
    """Run the first cell and the exercises; store the outputs of the exercises.

    All other cells and their outputs are unchanged.
    """
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    cells = [code[0], *exercise_cells(notebook)]
    short = nbformat.v4.new_notebook(cells=copy.deepcopy(cells))
    client_for(short, folder).execute()
    for cell, run in zip(cells[1:], short.cells[1:], strict=True):
        cell.outputs = run.outputs
        printed = "".join(output.get("text", "") for output in cell.outputs)
        number = number_of(cell)
        if printed.strip() != str(Verdict(number, "correct")):
            raise SystemExit(f"{number} is not solved:\n{printed}")


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
        notebook = solve(nbformat.read(path, as_version=4), solutions_of(path))
        run_exercises(notebook, path.parent)
        nbformat.write(notebook, target / path.name)

    with ThreadPoolExecutor(max_workers=2) as pool:
        list(pool.map(build, chapters()))


# --- nbgrader -----------------------------------------------------------------------


def to_nbgrader(notebook: NotebookNode, solutions: dict[str, str]) -> NotebookNode:
    """Create an nbgrader source, with an answer cell and a test cell per exercise.

    The stub is above the solution, which nbgrader removes for the release.
    """
    notebook = copy.deepcopy(notebook)
    cells = []
    for cell in notebook.cells:
        cells.append(cell)
        if cell.cell_type == "code":
            cell.outputs, cell.execution_count = [], None
        if "exercise" in cell.metadata.get("tags", []):
            number = number_of(cell)
            imports, stub, call = split_cell(cell)
            begin, end = "### BEGIN SOLUTION", "### END SOLUTION"
            region = "\n".join([begin, solutions[number], end])
            cell.source = join_parts(imports, stub, region, call)
            cell.metadata["nbgrader"] = nbgrader_metadata(number, "answer")
            cells.append(test_cell(number, call))
    notebook.cells = cells
    return notebook


def test_cell(number: str, call: str) -> NotebookNode:
    """Create the cell that determines an exercise's points."""
    answer = call.partition("(")[2].removesuffix(")")
    cell = nbformat.v4.new_code_cell(
        "from conv.exercises import judge\n\n"
        f'verdict = judge("{number}", {answer})\n'
        "assert verdict.right, verdict"
    )
    cell.id = f"test-{number.replace('.', '-')}"
    cell.metadata["nbgrader"] = nbgrader_metadata(number, "test")
    return cell


def nbgrader_metadata(number: str, role: str) -> dict:
    """Return nbgrader's metadata for an answer cell or a test cell."""
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
    """Write an nbgrader course with one assignment per chapter."""
    for path in chapters():
        source = target / "source" / path.stem
        source.mkdir(parents=True)
        copy_companions(source)
        notebook = to_nbgrader(nbformat.read(path, as_version=4), solutions_of(path))
        nbformat.write(notebook, source / path.name)
    shutil.copy(ROOT / "teacher" / "nbgrader_config.py", target)


def replace_folder(new: Path, target: Path) -> None:
    """Replace an older folder by a new, complete one.

    The submissions and grades of a class in nbgrader's folder are kept.
    """
    grading = new.name == "nbgrader"
    replacements = (
        {path: target / path.name for path in new.iterdir()} if grading else {}
    )
    for new_path, old_path in (replacements or {new: target}).items():
        old_path.parent.mkdir(parents=True, exist_ok=True)
        if old_path.is_dir():
            shutil.rmtree(old_path)
        new_path.replace(old_path)


def main() -> int:
    """Build all three copies, or the given ones."""
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
            replace_folder(Path(scratch) / part, target)
        print(target.relative_to(ROOT) if target.is_relative_to(ROOT) else target)
    return 0


if __name__ == "__main__":
    sys.exit(main())
