"""Test the copies for a class: they are complete, and students get no solutions."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest

from conv.exercises import EXERCISES
from load import load

ROOT = Path(__file__).parent.parent
build = load("teacher/build.py")

each_chapter = pytest.mark.parametrize(
    "path", build.chapters(), ids=lambda path: path.stem
)


@pytest.fixture(scope="module")
def student(tmp_path_factory):
    folder = tmp_path_factory.mktemp("student")
    build.build_student(folder)
    return folder


def solution_lines(path: Path) -> set[str]:
    """Return the lines of a chapter's solutions that its notebook doesn't contain."""
    lines = "\n".join(build.solutions_of(path).values()).splitlines()
    stripped = {line.strip() for line in lines}
    given = path.read_text()
    return {
        line
        for line in stripped
        if len(line) > 12 and json.dumps(line)[1:-1] not in given
    }


def test_student_copy_has_no_solutions(student):
    texts = {
        path: path.read_text()
        for pattern in ("notebooks/*.ipynb", "tests/*.py", "docs/*", "*.md")
        for path in student.glob(pattern)
        if path.is_file() and path.suffix != ".png"
    }
    assert len(texts) > 25
    for path in build.chapters():
        for line in solution_lines(path):
            for place, text in texts.items():
                assert json.dumps(line)[1:-1] not in text, (place, line)
    assert not (student / "solutions").exists()
    assert not (student / "tests" / "answers").exists()


def test_links_in_the_student_readme_are_valid(student):
    readme = (student / "README.md").read_text()
    links = re.findall(r"(?:\]\(|src=\")([^)\s\"]+)[)\"]", readme)
    for link in links:
        assert link.startswith("https://") or (student / link).exists(), link


def test_student_tests_pass(student):
    """All tests are collected, but only those that read files are run."""
    run = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-k", "test_notebooks", "tests"],
        cwd=student,
        capture_output=True,
        text=True,
        env=os.environ | {"PYTEST_ADDOPTS": ""},  # without this test run's options
    )
    assert run.returncode == 0, run.stdout
    assert re.search(r"\d passed, \d+ deselected", run.stdout), run.stdout


@each_chapter
def test_solved_notebooks_have_solutions_instead_of_stubs(path):
    before = nbformat.read(path, as_version=4)
    after = build.solve(before, build.solutions_of(path))
    for cell, old in zip(after.cells, before.cells, strict=True):
        if "exercise" in cell.metadata.get("tags", []):
            _, stub, call = build.split_cell(old)
            source = build.solutions_of(path)[build.number_of(cell)]
            assert cell.source.endswith(f"{source}\n\n{call}")
            assert stub not in cell.source
        else:
            assert cell == old


@each_chapter
def test_solutions_only_use_imports_of_their_chapter(path):
    """Otherwise they wouldn't run in the notebook."""
    head = (ROOT / "solutions" / f"{path.stem}.py").read_text().split("\n# %% ")[0]
    imports = [line for line in head.splitlines() if re.match("import |from ", line)]
    cells = nbformat.read(path, as_version=4).cells
    first = next(cell.source for cell in cells if cell.cell_type == "code")
    assert [line for line in imports if line not in first] == []


def test_files_that_chapters_use_are_copied(tmp_path):
    build.copy_companions(tmp_path)
    for path in build.chapters():
        text = path.read_text(encoding="utf-8")
        for name in re.findall(r"(?:figures|experiments)/\w+\.(?:svg|json)", text):
            assert (tmp_path / name).is_file(), name
    assert (tmp_path / "train_ddp.py").is_file()


@each_chapter
def test_nbgrader_source_has_an_answer_and_a_test_per_exercise(path):
    notebook = nbformat.read(path, as_version=4)
    to_nbgrader = build.to_nbgrader(notebook, build.solutions_of(path))
    nbformat.validate(to_nbgrader)
    marks = {
        cell.metadata["nbgrader"]["grade_id"]: cell
        for cell in to_nbgrader.cells
        if "nbgrader" in cell.metadata
    }
    numbers = list(build.solutions_of(path))
    roles = [
        f"{role}-{n.replace('.', '-')}" for n in numbers for role in ("answer", "test")
    ]
    assert list(marks) == roles
    for number in numbers:
        answer = marks[f"answer-{number.replace('.', '-')}"]
        test = marks[f"test-{number.replace('.', '-')}"]
        head, rest = answer.source.split("### BEGIN SOLUTION\n")
        body, tail = rest.split("\n### END SOLUTION")
        assert body == build.solutions_of(path)[number]
        assert tail.strip().startswith(f"check.{EXERCISES[number].name}(")
        assert head.strip()
        assert test.metadata["nbgrader"]["points"] in (1, 2, 3)
        assert test.metadata["nbgrader"]["locked"]
        assert f'judge("{number}", ' in test.source


def solve_first_exercise(solutions: dict[str, str], folder: Path) -> str:
    """Run the first exercise of chapter 1 with these solutions; return its output."""
    notebook = nbformat.read(build.chapters()[0], as_version=4)
    first = next(cell for cell in notebook.cells if cell.cell_type == "code")
    exercise = next(c for c in notebook.cells if "check.shape" in c.source)
    notebook.cells = [first, exercise]
    solved = build.solve(notebook, solutions)
    build.run_exercises(solved, folder)
    return solved.cells[1].outputs[0].text


def test_correct_solution_is_accepted(tmp_path):
    solutions = build.solutions_of(build.chapters()[0])
    assert solve_first_exercise(solutions, tmp_path) == "1.1  correct\n"


def test_wrong_solution_stops_the_build(tmp_path):
    solutions = build.solutions_of(build.chapters()[0])
    wrong = dict.fromkeys(solutions, "answer = kernel = corr1d = 3")
    with pytest.raises(SystemExit, match=r"1\.1 is not solved:\n1\.1  not correct yet"):
        solve_first_exercise(wrong, tmp_path)


MINUTES_PER_EXERCISE = {"predict": 5, "explain": 10, "debug": 10, "implement": 15}


@each_chapter
def test_teaching_page_has_the_chapters_minutes(path):
    page = (ROOT / "docs" / "teaching.md").read_text()
    notebook = nbformat.read(path, as_version=4)
    prose = "\n".join(cell.source for cell in notebook.cells)
    chapter, title = re.match(r"# (\d+) · (.+)", prose).groups()
    reading = re.search(r"[Aa]bout (\d+) minutes", prose)[1]
    kinds = [EXERCISES[number].kind for number in build.solutions_of(path)]
    exercises = sum(MINUTES_PER_EXERCISE[kind] for kind in kinds)
    row = rf"^\| {chapter} · {title} \| \d+ \| {reading} \| {exercises} \|$"
    assert re.search(row, page, re.M)


def test_totals_on_the_teaching_page_are_correct():
    page = (ROOT / "docs" / "teaching.md").read_text()
    rows = re.findall(r"^\| \d+ · .+ \| (\d+) \| (\d+) \| (\d+) \|$", page, re.M)
    sums = [sum(map(int, column)) for column in zip(*rows, strict=True)]
    assert "| **total** | {} | {} | {} |".format(*sums) in page
    for link in re.findall(r"\]\(([^)\s]+)\)", page):
        assert link.startswith("https://") or (ROOT / "docs" / link).exists(), link
    for number in re.findall(r"\b(\d+\.\d)\b", page.split("## How long")[0]):
        assert number in EXERCISES, number


def files_in(folder: Path) -> dict[str, str]:
    paths = (path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): path.read_text() for path in paths}


def build_into(folder: Path, part: str, files: dict[str, str], monkeypatch) -> None:
    """Run ``build.py`` with a builder that writes these files; None makes it fail."""

    def builder(target: Path) -> None:
        for name, text in files.items():
            (target / name).parent.mkdir(parents=True, exist_ok=True)
            (target / name).write_text(text)

    monkeypatch.setattr(build, f"build_{part}", builder)
    monkeypatch.setattr(sys, "argv", ["build.py", part, "--into", str(folder)])
    build.main()


def test_failed_build_keeps_the_last_one(tmp_path, monkeypatch):
    build_into(tmp_path, "solved", {"a": "old", "b": "old"}, monkeypatch)
    with pytest.raises(TypeError):
        build_into(tmp_path, "solved", {"a": "new", "b": None}, monkeypatch)
    assert files_in(tmp_path) == {"solved/a": "old", "solved/b": "old"}
    build_into(tmp_path, "solved", {"a": "new"}, monkeypatch)
    assert files_in(tmp_path) == {"solved/a": "new"}


def test_new_build_keeps_submissions_and_grades(tmp_path, monkeypatch):
    submissions = {"submitted/ada/01/01.ipynb": "hers", "gradebook.db": "marks"}
    build_into(tmp_path, "nbgrader", {"source/old": "1", "config": "1"}, monkeypatch)
    for name, text in submissions.items():
        (tmp_path / "nbgrader" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "nbgrader" / name).write_text(text)
    build_into(tmp_path, "nbgrader", {"source/new": "2", "config": "2"}, monkeypatch)
    kept = submissions | {"source/new": "2", "config": "2"}
    assert files_in(tmp_path / "nbgrader") == kept


@pytest.mark.rare
def test_memory_of_a_class_is_measured():
    script = [sys.executable, ROOT / "teacher" / "memory.py", "1", "1"]
    run = subprocess.run(script, capture_output=True, text=True, timeout=300)
    assert run.returncode == 0, run.stderr
    verdict, in_use, idle = run.stdout.splitlines()
    number = r" +[\d.]+"
    line = f"{number} MB per kernel,{number} MB per checker .%s of 1 run.,{number} GB"
    assert verdict == "1.3  correct"
    assert re.match(f"in use {line % 1} for 60$", in_use)
    assert re.match(f"idle   {line % 0} for 60$", idle)
