"""check, hint, solution and progress, as a notebook calls them."""

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
from full_disk import full_disk, no_rights


@pytest.fixture
def file(tmp_path, monkeypatch):
    """Keep progress in a file of the test's own."""
    path = tmp_path / "deep" / "down" / "progress.json"
    monkeypatch.setenv("CONV_PROGRESS", str(path))
    return path


@pytest.fixture
def grader(file):
    grader = Grader(EXERCISES)
    yield grader
    grader.sandbox.stop()


def test_check_tells_and_counts(grader, file, capsys):
    check = Checks(grader)
    check.shape(None)
    assert capsys.readouterr().out == "1.1  not attempted yet\n"
    assert not file.exists()
    check.shape((473, 637))
    out = capsys.readouterr().out
    assert out.startswith("1.1  not yet: one position forgotten\n     You subtract")
    check.shape((474, 638))
    assert capsys.readouterr().out == "1.1  right\n"
    check.shape((1, 1))
    row = json.loads(file.read_text())["exercises"]["1.1"]
    assert row == {"tries": 3, "right": True, "hints": 0, "solution": False}


def test_checkers_complete_and_suggest(grader):
    check = Checks(grader)
    assert "corr1d" in dir(check)
    assert len(dir(check)) == len(EXERCISES)
    with pytest.raises(
        AttributeError, match="is called 'cor1d'; did you mean 'corr1d'"
    ):
        _ = check.cor1d
    with pytest.raises(AttributeError, match=r"^no exercise is called 'zzzzzz'$"):
        _ = check.zzzzzz


def test_checkers_can_be_copied_and_unpickled(file):
    """Both create an empty object first, and ask it for ``__setstate__``."""
    check = Checks(Grader(EXERCISES))
    assert dir(copy.copy(check)) == dir(copy.deepcopy(check)) == dir(check)
    empty = Checks.__new__(Checks)
    for name in ("__setstate__", "_numbers", "corr1d"):
        with pytest.raises(AttributeError, match=f"^no exercise is called '{name}'$"):
            getattr(empty, name)


def test_hints_come_one_by_one_also_in_another_session(grader, capsys):
    for here in (grader, grader, Grader(EXERCISES), grader):
        here.hint("3.2")
    hints = enumerate(EXERCISES["3.2"].hints, 1)
    told = [wrap(f"3.2  hint {count} of 3\n{hint}") for count, hint in hints]
    told.append(
        '3.2  no hint is left. `solution("3.2")` shows one way to solve it. Before '
        "you\n     look, try the smallest case on paper."
    )
    assert capsys.readouterr().out == "".join(f"{one}\n" for one in told)
    with pytest.raises(ValueError, match=r"number is '3\.9'"):
        grader.hint("3.9")


def test_a_copy_without_solutions_says_so(grader, capsys, monkeypatch):
    monkeypatch.setattr("conv.exercises.grader.find_solution", lambda number: None)
    grader.solution("1.3")
    assert capsys.readouterr().out == "1.3  this copy of the course has no solutions.\n"


@pytest.mark.parametrize("number", ["3.9", "", 3.2, None, ["3.2"], {}])
def test_what_is_not_the_number_of_an_exercise_is_refused(grader, number):
    wanted = "the number of an exercise, such as '1.3'"
    message = f"number is {describe(number)}; expected {wanted}"
    for call in (grader.judge, grader.hint, grader.solution):
        with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
            call(number)


def test_solutions_are_found_beside_the_notebooks(tmp_path, monkeypatch):
    (tmp_path / "notebooks").mkdir()
    (tmp_path / "solutions").mkdir()
    mine = tmp_path / "solutions" / "01_mine.py"
    mine.write_text('"""Mine."""\n\n# %% 1.1\nanswer = 5\n\n# %% 1.2\nb = 6\n')
    monkeypatch.chdir(tmp_path / "notebooks")
    assert find_solution("1.1") == "answer = 5"
    assert find_solution("1.2") == "b = 6"
    assert find_solution("1.3") is None


@pytest.fixture
def course(tmp_path, monkeypatch):
    """Create a course, installed elsewhere, and other folders called solutions."""
    for folder in (tmp_path, tmp_path / "course", tmp_path / "course" / "notebooks"):
        (folder / "solutions").mkdir(parents=True)
        source = f"# Chapter 1\n\n# %% 1.1\nanswer = {folder.name!r}\n"
        (folder / "solutions" / "01_stray.py").write_text(source)
    monkeypatch.setattr(conv.exercises.grader, "__file__", "/lib/conv/exercises/x.py")
    return tmp_path / "course"


def test_solutions_of_other_folders_are_not_taken(course, monkeypatch):
    for folder in (course, course / "src", course.parent / "homework" / "week_1"):
        folder.mkdir(parents=True, exist_ok=True)
        monkeypatch.chdir(folder)
        assert find_solution("1.1") is None


def test_solutions_are_beside_the_notebooks_or_beside_src(course, monkeypatch):
    deep = course / "notebooks" / "mine" / "week_1"
    deep.mkdir(parents=True)
    for folder in (course / "notebooks", deep):
        monkeypatch.chdir(folder)
        assert find_solution("1.1") == "answer = 'course'"
    monkeypatch.chdir("/")
    module = course / "src" / "conv" / "exercises" / "grader.py"
    monkeypatch.setattr(conv.exercises.grader, "__file__", str(module))
    assert find_solution("1.1") == "answer = 'course'"


def test_progress_draws_what_was_solved(grader):
    grader.check("1.1", (474, 638))
    grader.check("1.2", torch.zeros(3, 3))
    figure = grader.progress()
    count = len(EXERCISES)
    assert figure.alt == f"Solved: 1 of {count} exercises (1.1). Attempted: 1.2."
    marks = [text.get_text() for text in figure.axes[0].texts]
    assert marks.count("✓") == 1
    assert "1.2" in marks
    assert len(marks) == count
    assert figure.axes[0].get_title() == f"1 of {count} exercises solved, 1 attempted"


def test_nothing_is_kept_if_switched_off(monkeypatch, tmp_path):
    monkeypatch.setenv("CONV_PROGRESS", "off")
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    record = Progress()
    assert record.update("1.1", tries=1)["tries"] == 1
    assert record.update("1.1", tries=1)["tries"] == 2
    assert record.read()["1.1"]["tries"] == 2
    assert Progress().read() == {}
    assert list(tmp_path.iterdir()) == []


def test_without_the_variable_it_is_in_the_users_folder(monkeypatch):
    monkeypatch.delenv("CONV_PROGRESS", raising=False)
    path = Progress().path
    assert path.name == "progress.json"
    assert "conv" in path.parts


GOOD = {"tries": 1, "right": True, "hints": 0, "solution": False}


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
            {"version": 1, "exercises": {"1.1": GOOD | {"tries": "x"}}}
        ).encode(),
        json.dumps({"version": 1, "exercises": {"1.1": {"tries": 1}}}).encode(),
    ],
)
def test_a_broken_file_is_set_aside(file, content, capsys):
    file.parent.mkdir(parents=True)
    file.write_bytes(content)
    record = Progress()
    record.update("1.1", tries=1)
    file.write_bytes(content)
    record.update("1.2", tries=1)
    kept = sorted(file.parent.glob("*broken*"))
    assert [path.name for path in kept] == [
        "progress.broken-1.json",
        "progress.broken-2.json",
    ]
    assert all(path.read_bytes() == content for path in kept)
    assert list(Progress().read()) == ["1.2"]
    assert (
        "progress.json was invalid and was renamed to progress.broken-1.json"
        in capsys.readouterr().err
    )


def test_a_file_that_cannot_be_written_costs_only_the_file(file, capsys):
    file.parent.mkdir(parents=True)
    file.mkdir()  # a folder in its place
    record = Progress()
    assert record.update("1.1", tries=1)["tries"] == 1
    assert record.update("1.1", tries=1)["tries"] == 2
    assert "could not be saved" in capsys.readouterr().err


def test_a_full_disk_keeps_what_was_there_and_notes_the_rest_later(file, capsys):
    record = Progress()
    record.update("1.1", tries=1)
    old = file.read_bytes()
    with full_disk(20):
        record.update("1.1", tries=1, right=True)
        assert record.update("1.2", hints=1)["hints"] == 1
    assert file.read_bytes() == old
    assert {path.suffix for path in file.parent.iterdir()} <= {".json", ".lock"}
    err = capsys.readouterr().err
    assert f"could not be saved: [Errno 27] File too large: '{file}'. The next" in err
    assert "set CONV_PROGRESS to the path of another file" in err
    known = record.read()
    assert (known["1.1"]["tries"], known["1.1"]["right"]) == (2, True)
    record.update("1.3", tries=1)  # once there is room
    assert Progress().read() == known | {"1.3": NO_ATTEMPT | {"tries": 1}}
    record.update("1.3", tries=1)
    assert Progress().read()["1.1"]["tries"] == 2


def test_a_home_without_rights_is_told_and_changes_nothing(file, capsys):
    Progress().update("1.1", tries=1)
    old = file.read_bytes()
    file.chmod(0o600)
    file.parent.chmod(0o500)
    record = Progress()
    with no_rights():
        record.update("1.1", tries=1)
    err = capsys.readouterr().err
    assert "could not be saved: " in err
    assert "Permission denied" in err
    assert file.read_bytes() == old


def test_progress_that_cannot_be_read_is_told(file, grader, capsys):
    file.mkdir(parents=True)
    grader.check("1.1", (474, 638))
    assert "Solved: 1 of" in grader.progress().alt
    assert (
        f"can't be read: [Errno 21] Is a directory: '{file}'" in capsys.readouterr().err
    )


def add_often(number: str, together) -> None:
    together.wait()
    for _ in range(50):
        Progress().update(number, tries=1)


@pytest.mark.rare
def test_two_notebooks_lose_nothing_of_each_other(file):
    spawn = multiprocessing.get_context("spawn")
    together = spawn.Barrier(2)
    numbers = "1.1", "1.2"
    both = [spawn.Process(target=add_often, args=(n, together)) for n in numbers]
    for process in both:
        process.start()
    for process in both:
        process.join()
    counts = Progress().read()
    assert [counts[number]["tries"] for number in numbers] == [50, 50]


def test_the_notebooks_names_are_all_there():
    assert set(conv.exercises.__all__) >= {"check", "hint", "progress", "solution"}
    assert re.search("three hints", conv.exercises.hint.__doc__)


def test_a_notebook_shows_the_smallest_wrong_case(grader, capsys, monkeypatch):
    shown = []
    monkeypatch.setattr("conv.exercises.grader.get_ipython", object)
    monkeypatch.setattr("conv.exercises.grader.display", shown.append)

    def flipped(x, k):
        n = len(x) - len(k) + 1
        return torch.stack([x[i : i + len(k)] @ k.flip(0) for i in range(n)])

    flipped.__module__ = "__main__"
    grader.check("1.3", flipped)
    out = capsys.readouterr().out
    assert out.startswith("1.3  not yet: kernel flipped\n")
    assert out.endswith("\n     Below: the smallest wrong case.\n")
    [figure] = shown
    words = "The smallest wrong case. x: 4 3; k: -4 0; expected: -16; yours: -12."
    assert figure.alt == words
    titles = [ax.get_title() for ax in figure.axes]
    assert titles == ["x", "k", "expected", "yours"]
    assert [len(ax.patches) for ax in figure.axes] == [0, 0, 0, 1]
    texts = [text.get_text() for ax in figure.axes for text in ax.texts]
    assert texts == ["4", "3", "-4", "0", "-16", "-12"]
    grader.check("1.1", (0, 0))  # a wrong answer without a figure
    assert len(shown) == 1


def test_long_lines_are_broken_and_long_words_are_not():
    word = "w" * 72
    lines = [f"1.1 {word}", *(f"     {text}" for text in (word, f"{word} x", 2 * word))]
    assert wrap(f"1.1 {word} {word}\n{word} x {2 * word}") == "\n".join(lines)
