"""Release, validate and grade chapter 1 with nbgrader."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest
from nbgrader.api import Gradebook

from build import build_nbgrader, exercise_cells, number_of

CHAPTER = "01_slide_a_window"
HALF_RIGHT = {"1.1": "answer = (474, 638)", "1.3": "def corr1d(x, k):\n    return x"}


def nbgrader(folder: Path, *command: str) -> str:
    """Run one of nbgrader's commands."""
    scripts = Path(sys.executable).parent  # nbgrader calls alembic from there
    environment = os.environ | {
        "CONV_PROGRESS": "off",
        "PATH": f"{scripts}{os.pathsep}{os.environ['PATH']}",
    }
    run = subprocess.run(
        [scripts / "nbgrader", *command],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert run.returncode == 0, run.stderr
    return run.stdout


@pytest.fixture(scope="module")
def course(tmp_path_factory):
    """Release chapter 1."""
    folder = tmp_path_factory.mktemp("teacher") / "course"
    build_nbgrader(folder)
    nbgrader(folder, "generate_assignment", CHAPTER)
    return folder


def submit(course: Path, student: str, answers: dict[str, str] | None) -> Path:
    """Submit answers in a released notebook, or the teacher's solution if None."""
    folder = course / "submitted" / student / CHAPTER
    folder.mkdir(parents=True)
    path = folder / f"{CHAPTER}.ipynb"
    if answers is None:
        shutil.copy(course / "source" / CHAPTER / path.name, path)
        return path
    notebook = nbformat.read(course / "release" / CHAPTER / path.name, as_version=4)
    for cell in exercise_cells(notebook):
        lines = cell.source.splitlines()
        answer = answers.get(number_of(cell), "")
        cell.source = "\n".join([*lines[:-1], answer, lines[-1]])
    nbformat.write(notebook, path)
    return path


def test_release_has_stubs_and_no_solutions(course):
    text = (course / "release" / CHAPTER / f"{CHAPTER}.ipynb").read_text()
    assert "answer = None" in text
    assert ").mean()" in text  # the function to debug
    assert "480 - 7 + 1" not in text
    assert "SOLUTION" not in text


def test_validate_detects_wrong_answers(course):
    right = submit(course, "right", None)
    half = submit(course, "half", HALF_RIGHT)
    blank = submit(course, "blank", {})
    assert "Success! Your notebook passes all the tests." in nbgrader(
        course, "validate", str(right)
    )
    assert "VALIDATION FAILED ON 3 CELL(S)" in nbgrader(course, "validate", str(half))
    assert "VALIDATION FAILED ON 4 CELL(S)" in nbgrader(course, "validate", str(blank))


def test_autograde_awards_the_points(course):
    nbgrader(course, "autograde", CHAPTER)
    with Gradebook(f"sqlite:///{course / 'gradebook.db'}") as book:
        submissions = book.assignment_submissions(CHAPTER)
        scores = {s.student.id: (s.score, s.max_score) for s in submissions}
    assert scores == {"right": (7, 7), "half": (1, 7), "blank": (0, 7)}
