"""Test check, hint, solution and progress, as a notebook calls them."""

import copy
import json
import multiprocessing
import re

import pytest
import torch

import conv.exercises
from conv.exercises import EXERCISES
from conv.exercises.grader import Checks, Grader, find_solution, wrap
from conv.exercises.progress import NO_ATTEMPT, Progress
from conv.validation import describe
from full_disk import full_disk, without_permission


@pytest.fixture
def progress_file(tmp_path, monkeypatch):
    """Store progress in a temporary file."""
    path = tmp_path / "deep" / "down" / "progress.json"
    monkeypatch.setenv("CONV_PROGRESS", str(path))
    return path


@pytest.fixture
def grader(progress_file):
    grader = Grader(EXERCISES)
    yield grader
    grader.sandbox.stop()


def test_check_prints_a_verdict_and_counts_attempts(grader, progress_file, capsys):
    check = Checks(grader)
    check.shape(None)
    assert capsys.readouterr().out == "1.1  not attempted yet\n"
    assert not progress_file.exists()
    check.shape((473, 637))
    out = capsys.readouterr().out
    assert out.startswith(
        "1.1  not correct yet: one position forgotten\n     You subtract"
    )
    check.shape((474, 638))
    assert capsys.readouterr().out == "1.1  correct\n"
    check.shape((1, 1))
    row = json.loads(progress_file.read_text())["exercises"]["1.1"]
    assert row == {"tries": 3, "right": True, "hints": 0, "solution": False}


def test_checkers_are_listed_and_similar_names_suggested(grader):
    check = Checks(grader)
    assert "corr1d" in dir(check)
    assert len(dir(check)) == len(EXERCISES)
    with pytest.raises(
        AttributeError, match="is called 'cor1d'; did you mean 'corr1d'"
    ):
        _ = check.cor1d
    with pytest.raises(AttributeError, match=r"^no exercise is called 'zzzzzz'$"):
        _ = check.zzzzzz


def test_checkers_can_be_copied_and_unpickled(progress_file):
    """Both first create an empty object and look up its ``__setstate__``."""
    check = Checks(Grader(EXERCISES))
    assert dir(copy.copy(check)) == dir(copy.deepcopy(check)) == dir(check)
    empty = Checks.__new__(Checks)
    for name in ("__setstate__", "_numbers", "corr1d"):
        with pytest.raises(AttributeError, match=f"^no exercise is called '{name}'$"):
            getattr(empty, name)


def test_hints_come_one_by_one_across_sessions(grader, capsys):
    for current in (grader, grader, Grader(EXERCISES), grader):
        current.hint("3.2")
    hints = enumerate(EXERCISES["3.2"].hints, 1)
    printed = [wrap(f"3.2  hint {count} of 3\n{hint}") for count, hint in hints]
    printed.append(
        "3.2  there are no more hints. Before you look at a solution with\n"
        '     `solution("3.2")`, work through the smallest case on paper.'
    )
    assert capsys.readouterr().out == "".join(f"{one}\n" for one in printed)
    with pytest.raises(ValueError, match=r"number is '3\.9'"):
        grader.hint("3.9")


def test_missing_solutions_are_reported(grader, capsys, monkeypatch):
    monkeypatch.setattr("conv.exercises.grader.find_solution", lambda number: None)
    grader.solution("1.3")
    assert capsys.readouterr().out == (
        "1.3  this copy of the course doesn't include the solutions.\n"
    )


@pytest.mark.parametrize("number", ["3.9", "", 3.2, None, ["3.2"], {}])
def test_invalid_exercise_numbers_raise(grader, number):
    expected = "the number of an exercise, such as '1.3'"
    message = f"number is {describe(number)}; expected {expected}"
    for call in (grader.judge, grader.hint, grader.solution):
        with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
            call(number)


def test_solutions_are_found_next_to_the_notebooks(tmp_path, monkeypatch):
    (tmp_path / "notebooks").mkdir()
    (tmp_path / "solutions").mkdir()
    solution_file = tmp_path / "solutions" / "01_mine.py"
    solution_file.write_text('"""Mine."""\n\n# %% 1.1\nanswer = 5\n\n# %% 1.2\nb = 6\n')
    monkeypatch.chdir(tmp_path / "notebooks")
    assert find_solution("1.1") == "answer = 5"
    assert find_solution("1.2") == "b = 6"
    assert find_solution("1.3") is None


@pytest.fixture
def course(tmp_path, monkeypatch):
    """Create a course, conv installed elsewhere, and other folders called solutions."""
    for folder in (tmp_path, tmp_path / "course", tmp_path / "course" / "notebooks"):
        (folder / "solutions").mkdir(parents=True)
        source = f"# Chapter 1\n\n# %% 1.1\nanswer = {folder.name!r}\n"
        (folder / "solutions" / "01_stray.py").write_text(source)
    monkeypatch.setattr(conv.exercises.grader, "__file__", "/lib/conv/exercises/x.py")
    return tmp_path / "course"


def test_solutions_in_other_folders_are_ignored(course, monkeypatch):
    for folder in (course, course / "src", course.parent / "homework" / "week_1"):
        folder.mkdir(parents=True, exist_ok=True)
        monkeypatch.chdir(folder)
        assert find_solution("1.1") is None


def test_solutions_are_next_to_the_notebooks_or_next_to_src(course, monkeypatch):
    deep = course / "notebooks" / "mine" / "week_1"
    deep.mkdir(parents=True)
    for folder in (course / "notebooks", deep):
        monkeypatch.chdir(folder)
        assert find_solution("1.1") == "answer = 'course'"
    monkeypatch.chdir("/")
    module = course / "src" / "conv" / "exercises" / "grader.py"
    monkeypatch.setattr(conv.exercises.grader, "__file__", str(module))
    assert find_solution("1.1") == "answer = 'course'"


def test_progress_figure_shows_solved_exercises(grader):
    grader.check("1.1", (474, 638))
    grader.check("1.2", torch.zeros(3, 3))
    figure = grader.progress()
    count = len(EXERCISES)
    solved = f"Solved: 1 of {count} exercises (1.1)"
    assert figure.alt == f"{solved}. Attempted but not solved: 1.2."
    marks = [text.get_text() for text in figure.axes[0].texts]
    assert marks.count("✓") == 1
    assert "1.2" in marks
    assert len(marks) == count
    assert (
        figure.axes[0].get_title() == f"1 of {count} exercises solved, 1 more attempted"
    )


def test_progress_can_be_disabled(monkeypatch, tmp_path):
    monkeypatch.setenv("CONV_PROGRESS", "off")
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    record = Progress()
    assert record.update("1.1", tries=1)["tries"] == 1
    assert record.update("1.1", tries=1)["tries"] == 2
    assert record.read()["1.1"]["tries"] == 2
    assert Progress().read() == {}
    assert list(tmp_path.iterdir()) == []


def test_default_progress_file_is_in_the_users_folder(monkeypatch):
    monkeypatch.delenv("CONV_PROGRESS", raising=False)
    path = Progress().path
    assert path.name == "progress.json"
    assert "conv" in path.parts


VALID = {"tries": 1, "right": True, "hints": 0, "solution": False}


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{",
        b"\xff\xfe\x00",
        b"[]",
        b"3",
        b'{"version": 1}',
        b'{"version": 2, "exercises": {}}',
        b'{"version": 1, "exercises": []}',
        b'{"version": 1, "exercises": {"1.1": 3}}',
        json.dumps(
            {"version": 1, "exercises": {"1.1": VALID | {"tries": "x"}}}
        ).encode(),
        json.dumps({"version": 1, "exercises": {"1.1": {"tries": 1}}}).encode(),
    ],
)
def test_invalid_progress_file_is_renamed(progress_file, content, capsys):
    progress_file.parent.mkdir(parents=True)
    progress_file.write_bytes(content)
    record = Progress()
    record.update("1.1", tries=1)
    progress_file.write_bytes(content)
    record.update("1.2", tries=1)
    kept = sorted(progress_file.parent.glob("*broken*"))
    assert [path.name for path in kept] == [
        "progress.broken-1.json",
        "progress.broken-2.json",
    ]
    assert all(path.read_bytes() == content for path in kept)
    assert list(Progress().read()) == ["1.2"]
    assert (
        "progress.json was invalid, so it was renamed to progress.broken-1.json"
        in capsys.readouterr().err
    )


def test_progress_continues_in_memory_if_the_file_cannot_be_written(
    progress_file, capsys
):
    progress_file.parent.mkdir(parents=True)
    progress_file.mkdir()  # a folder instead of the file
    record = Progress()
    assert record.update("1.1", tries=1)["tries"] == 1
    assert record.update("1.1", tries=1)["tries"] == 2
    assert "could not be saved" in capsys.readouterr().err


def test_full_disk_keeps_the_file_and_saves_later(progress_file, capsys):
    record = Progress()
    record.update("1.1", tries=1)
    old = progress_file.read_bytes()
    with full_disk(20):
        record.update("1.1", tries=1, right=True)
        assert record.update("1.2", hints=1)["hints"] == 1
    assert progress_file.read_bytes() == old
    assert {path.suffix for path in progress_file.parent.iterdir()} <= {
        ".json",
        ".lock",
    }
    err = capsys.readouterr().err
    assert (
        f"could not be saved: [Errno 27] File too large: '{progress_file}'. The checker"
        in err
    )
    assert "set the environment variable CONV_PROGRESS to its path" in err
    known = record.read()
    assert (known["1.1"]["tries"], known["1.1"]["right"]) == (2, True)
    record.update("1.3", tries=1)  # once there is space
    assert Progress().read() == known | {"1.3": NO_ATTEMPT | {"tries": 1}}
    record.update("1.3", tries=1)
    assert Progress().read()["1.1"]["tries"] == 2


def test_missing_write_permission_is_reported(progress_file, capsys):
    Progress().update("1.1", tries=1)
    old = progress_file.read_bytes()
    progress_file.chmod(0o600)
    progress_file.parent.chmod(0o500)
    record = Progress()
    with without_permission():
        record.update("1.1", tries=1)
    err = capsys.readouterr().err
    assert "could not be saved: " in err
    assert "Permission denied" in err
    assert progress_file.read_bytes() == old


def test_unreadable_progress_file_is_reported(progress_file, grader, capsys):
    progress_file.mkdir(parents=True)
    grader.check("1.1", (474, 638))
    assert "Solved: 1 of" in grader.progress().alt
    assert (
        f"can't be read: [Errno 21] Is a directory: '{progress_file}'"
        in capsys.readouterr().err
    )


def update_repeatedly(number: str, barrier) -> None:
    barrier.wait()
    for _ in range(50):
        Progress().update(number, tries=1)


@pytest.mark.rare
def test_two_notebooks_can_update_progress_at_once(progress_file):
    spawn = multiprocessing.get_context("spawn")
    barrier = spawn.Barrier(2)
    numbers = "1.1", "1.2"
    processes = [
        spawn.Process(target=update_repeatedly, args=(n, barrier)) for n in numbers
    ]
    for process in processes:
        process.start()
    for process in processes:
        process.join()
    counts = Progress().read()
    assert [counts[number]["tries"] for number in numbers] == [50, 50]


def test_public_names_are_exported():
    assert set(conv.exercises.__all__) >= {"check", "hint", "progress", "solution"}
    assert re.search("three hints", conv.exercises.hint.__doc__)


def test_notebook_shows_the_smallest_wrong_case(grader, capsys, monkeypatch):
    shown = []
    monkeypatch.setattr("conv.exercises.grader.get_ipython", object)
    monkeypatch.setattr("conv.exercises.grader.display", shown.append)

    def flipped(x, k):
        n = len(x) - len(k) + 1
        return torch.stack([x[i : i + len(k)] @ k.flip(0) for i in range(n)])

    flipped.__module__ = "__main__"
    grader.check("1.3", flipped)
    out = capsys.readouterr().out
    assert out.startswith("1.3  not correct yet: kernel flipped\n")
    assert out.endswith("\n     The smallest failing test case:\n")
    [figure] = shown
    words = (
        "The smallest failing test case. x: 4 3; k: -4 0; expected: -16; yours: -12."
    )
    assert figure.alt == words
    titles = [ax.get_title() for ax in figure.axes]
    assert titles == ["x", "k", "expected", "yours"]
    assert [len(ax.patches) for ax in figure.axes] == [0, 0, 0, 1]
    texts = [text.get_text() for ax in figure.axes for text in ax.texts]
    assert texts == ["4", "3", "-4", "0", "-16", "-12"]
    grader.check("1.1", (0, 0))  # a wrong answer without a figure
    assert len(shown) == 1


def test_long_lines_are_wrapped_and_long_words_are_not():
    word = "w" * 72
    lines = [f"1.1 {word}", *(f"     {text}" for text in (word, f"{word} x", 2 * word))]
    assert wrap(f"1.1 {word} {word}\n{word} x {2 * word}") == "\n".join(lines)
