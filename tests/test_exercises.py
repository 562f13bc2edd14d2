"""Test each exercise: its cell, its solution, and the checker's verdicts."""

import copy
import dataclasses
import importlib
import json
import os
import re
import sys
from pathlib import Path
from types import ModuleType

import cloudpickle
import nbformat
import numpy as np
import pytest
import torch

from answers.kit import RIGHT, WRONG
from conv.exercises import EXERCISES, GRADER, chapters, judge, solution
from conv.exercises.exercise import (
    FunctionExercise,
    Mistake,
    ValueExercise,
    distinct_integers,
    random_integers,
)
from conv.exercises.figures import draw_case
from conv.exercises.functions import judge_function
from conv.exercises.generic_mistakes import GENERIC_MISTAKES
from conv.exercises.grader import read_solutions, wrap
from conv.exercises.judging import judge_value
from conv.exercises.registry import collect
from conv.exercises.worker import run_case
from in_process import InProcessSandbox

ROOT = Path(__file__).parent.parent
CHAPTERS = sorted((ROOT / "solutions").glob("*.py"))
KINDS = {"implement", "predict", "debug", "explain"}

for chapter in CHAPTERS:
    module = importlib.import_module(f"answers.chapter_{chapter.name[:2]}")
    cloudpickle.register_pickle_by_value(module)  # the checker's process can't import


@pytest.fixture
def judge_in_process(monkeypatch):
    """Judge answers in the test's own process."""
    monkeypatch.setattr(GRADER, "sandbox", InProcessSandbox())


@pytest.fixture(autouse=True)
def judge_mutants_in_process(monkeypatch):
    """Judge in this process for mutants, because starting a sandbox takes seconds."""
    if os.environ.get("MUTANT_UNDER_TEST"):
        monkeypatch.setattr(GRADER, "sandbox", InProcessSandbox())


def test_random_cases_are_small_integers():
    whole, distinct = random_integers(30, 40), distinct_integers(3, 5)
    assert whole.unique().tolist() == list(range(-4, 6))
    assert sorted(distinct.flatten().tolist()) == list(range(-7, 8))
    assert whole.dtype == distinct.dtype == torch.float64


def test_random_cases_are_reproducible():
    assert torch.equal(random_integers(3, 4), random_integers(3, 4))
    assert not torch.equal(random_integers(3, 4), random_integers(3, 4, seed=1))
    assert torch.equal(distinct_integers(3, 5), distinct_integers(3, 5))


def module_with(name: str, **exercises: ValueExercise) -> ModuleType:
    """Create a chapter's module that defines these exercises."""
    module = ModuleType(name)
    vars(module).update(exercises)
    return module


def exercise_with(number: str) -> ValueExercise:
    """Create an exercise with this number."""
    return ValueExercise(
        number=number, kind="predict", hints=("1.", "2.", "3."), expected=float
    )


def test_exercises_are_named_after_their_variables():
    first, second = exercise_with("1.1"), exercise_with("2.1")
    modules = module_with("one", shape=first, other=3), module_with("two", blur=second)
    exercises = collect(modules)
    assert {number: e.name for number, e in exercises.items()} == {
        "1.1": "shape",
        "2.1": "blur",
    }
    assert exercises["1.1"] == dataclasses.replace(first, name="shape")


@pytest.mark.parametrize(
    ("number", "name", "message"),
    [
        ("1.1", "blur", "the number '1.1': one.shape and two.blur"),
        (
            "2.1",
            "shape",
            "the name 'shape': one.shape and two.shape",
        ),
    ],
)
def test_duplicate_numbers_and_names_raise(number, name, message):
    modules = (
        module_with("one", shape=exercise_with("1.1")),
        module_with("two", **{name: exercise_with(number)}),
    )
    with pytest.raises(ValueError, match=f"^two exercises have {message}$"):
        collect(modules)


def test_exercises_of_all_chapters_are_collected():
    names = [f"chapter_{path.stem[:2]}" for path in CHAPTERS]
    found = Path(chapters.__file__).parent.glob("chapter_*.py")
    assert sorted(path.stem for path in found) == names
    assert list(EXERCISES) == sorted(
        EXERCISES, key=lambda number: tuple(map(int, number.split(".")))
    )


def exercise_cells() -> dict[str, tuple[str, str]]:
    """Return each exercise's stub and the call of its checker, by number."""
    found = {}
    for path in CHAPTERS:
        notebook = nbformat.read(ROOT / f"notebooks/{path.stem}.ipynb", as_version=4)
        prose = ""
        for cell in notebook.cells:
            if "exercise" in cell.metadata.get("tags", []):
                [number] = re.findall(r"^\*\*(\d+\.\d+)\*\* ", prose, re.M)
                stub, call = cell.source.rsplit("\n", 1)
                found[number] = stub, call
            prose = cell.source if cell.cell_type == "markdown" else ""
    return found


CELLS = exercise_cells()
SOLUTIONS = {
    number: (path, source)
    for path in CHAPTERS
    for number, source in read_solutions(path).items()
}
each_exercise = pytest.mark.parametrize("number", EXERCISES)


def answers(number: str, code: str) -> list:
    """Run a cell's code; return the arguments of the checker."""
    path, _ = SOLUTIONS[number]
    head = path.read_text().split("\n# %% ")[0]
    names = re.fullmatch(r"check\.\w+\((.*)\)", CELLS[number][1])[1].split(", ")
    space = {"__name__": "__main__"}
    exec(compile(f"{head}\n{code}", "<cell>", "exec"), space)
    return [space[name] for name in names]


def names_of(number: str) -> set[str]:
    """Return the names of an exercise's misconceptions."""
    exercise = EXERCISES[number]
    reasons = getattr(exercise, "reasons", {}).values()
    return {mistake.name for mistake in [*exercise.mistakes, *reasons]}


def test_there_are_enough_exercises():
    chapters = [int(number.split(".")[0]) for number in EXERCISES]
    assert len(EXERCISES) >= 50
    assert set(chapters) == set(range(1, len(CHAPTERS) + 1))
    assert all(3 <= chapters.count(chapter) <= 6 for chapter in set(chapters))
    assert {exercise.kind for exercise in EXERCISES.values()} == KINDS
    assert len({exercise.name for exercise in EXERCISES.values()}) == len(EXERCISES)


def test_readme_counts_the_misconceptions():
    names = {name for number in EXERCISES for name in names_of(number)}
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    assert f"about {round(len(names), -1)} misconceptions" in readme


@each_exercise
def test_exercise_is_in_its_chapter(number):
    _, call = CELLS[number]
    assert call.startswith(f"check.{EXERCISES[number].name}(")


def stub_verdict(number: str) -> str:
    """Return the verdict on a cell as it is in the notebook."""
    stub, _ = CELLS[number]
    return str(judge(number, *answers(number, stub)))


TO_DEBUG = [
    number for number, exercise in EXERCISES.items() if exercise.kind == "debug"
]


@pytest.mark.parametrize("number", sorted(set(EXERCISES) - set(TO_DEBUG)))
def test_stub_is_not_attempted(number):
    assert stub_verdict(number) == f"{number}  not attempted yet"


@pytest.mark.parametrize("number", TO_DEBUG)
def test_broken_function_is_not_attempted(number):
    assert stub_verdict(number) == f"{number}  not attempted yet"


@pytest.mark.parametrize("number", TO_DEBUG)
def test_bugs_of_checker_and_notebook_agree(number):
    """The test above compares their code; this one compares their results."""
    exercise = EXERCISES[number]
    [shown] = answers(number, CELLS[number][0])
    for case in exercise.cases():
        shown_outcome, broken_outcome = (
            run_case(exercise.use, function, copy.deepcopy(case))
            for function in (shown, exercise.broken)
        )
        assert shown_outcome.error == broken_outcome.error
        assert shown_outcome.changed == broken_outcome.changed
        if not shown_outcome.error:
            for part in ("kind", "dtype"):
                assert getattr(shown_outcome.returned, part) == getattr(
                    broken_outcome.returned, part
                )
            np.testing.assert_array_equal(
                shown_outcome.returned.numbers, broken_outcome.returned.numbers
            )


@each_exercise
def test_solution_is_right(number):
    _, source = SOLUTIONS[number]
    assert str(judge(number, *answers(number, source))) == f"{number}  correct"


@each_exercise
def test_hints_are_three_sentences(number):
    hints = EXERCISES[number].hints
    assert len(set(hints)) == 3
    assert [hint for hint in hints if not hint.endswith((".", "?"))] == []


@pytest.mark.parametrize(
    ("number", "name", "answer"),
    [pytest.param(*case, id=f"{case[0]} {case[1]}") for case in WRONG],
)
def test_wrong_answer_gets_the_name_of_its_misconception(
    number, name, answer, judge_in_process
):
    """The checker names this misconception and no other one."""
    verdict = judge(number, *answer)
    assert (verdict.state, verdict.mistake) == ("not correct yet", name), verdict
    assert verdict.message
    assert max(map(len, wrap(str(verdict)).splitlines())) <= 79
    if verdict.case_result is not None:
        figure = draw_case(EXERCISES[number], verdict.case_result)
        assert figure is None or figure.alt.startswith(
            "The smallest failing test case. "
        )


@pytest.mark.parametrize(
    ("number", "answer"), [pytest.param(*case, id=case[0]) for case in RIGHT]
)
def test_right_answers_in_other_styles_are_accepted(number, answer):
    verdict = judge(number, *answer)
    assert verdict.right, verdict


def correlated(x, k):
    return torch.stack(
        [(x[i : i + len(k)] * k).sum() for i in range(len(x) - len(k) + 1)]
    )


def wrong_by_a_curve(x, k):
    y = correlated(x, k)
    return y + 0.1 + 0.37 * torch.arange(len(y)) ** 2


def out_of_range(x, k):
    y = correlated(x, k)
    return y[len(x)]


def whole_batch_at_once(net, x, y, parts):
    net.zero_grad()
    torch.nn.functional.cross_entropy(net(x), y).backward()
    return torch.cat([p.grad.flatten() for p in net.parameters()])


VERDICTS = [
    (
        *("1.3", wrong_by_a_curve),
        "1.3  not correct yet\nFor x = [1] and k = [4], the expected result is [4], "
        "but your function returned [4.1].\nYour answer passes 0 of 8 test cases.",
    ),
    (
        *("1.3", lambda x, k: correlated(x, k)[:, None].repeat(1, 2)),
        "1.3  not correct yet\nFor x = [1] and k = [4], your result has shape (1, 2), "
        "but the expected shape is (1,).\nYour answer passes 0 of 8 test cases.",
    ),
    (
        *("1.3", lambda x, k: "abc"),
        "1.3  not correct yet\nYour function returned a str, but the checker expected "
        "real numbers.\nYour answer passes 0 of 8 test cases.",
    ),
    (
        *("1.3", lambda x, k: x.sum),
        "1.3  not correct yet\nYour function returned a builtin_function_or_method, "
        "but the checker expected real numbers. Did you forget the parentheses of a "
        "call?\nYour answer passes 0 of 8 test cases.",
    ),
    (
        *("1.3", out_of_range),
        "1.3  not correct yet: error raised\nLine 3 (`return y[len(x)]`) raised "
        "IndexError: index 1 is out of bounds for dimension 0 with size 1\nYour answer "
        "passes 0 of 8 test cases.",
    ),
    (
        *("1.3", eval("lambda x, k: 1 / 0")),  # its source code is not available
        "1.3  not correct yet: error raised\nLine 1 raised ZeroDivisionError: division "
        "by zero\nYour answer passes 0 of 8 test cases.",
    ),
    (
        *("2.3", lambda: 5),
        "2.3  not correct yet: error raised\nYour code raised TypeError: expected a "
        "layer, got function\nYour answer passes 0 of 5 test cases.",
    ),
    (
        *("13.2", lambda conv, norm: 5),
        "13.2  not correct yet: error raised\nYour code raised TypeError: expected an "
        "nn.Conv2d, got int\nYour answer passes 0 of 6 test cases.",
    ),
    (
        *("13.2", lambda conv, norm: [conv].clear()),
        "13.2  not correct yet: missing return\nYour function returned None. Does it "
        "end with a `return` statement? A function without one returns None. The "
        "`.grad` of a tensor that was computed from other tensors is None, too.\nYour "
        "answer passes 0 of 6 test cases.",
    ),
    (
        *("14.3", whole_batch_at_once),
        "14.3  not correct yet: too much in memory\nThere isn't enough memory for "
        "everything that your function keeps at the same time. Process one part after "
        "the other.\nYour code raised MemoryError: 2 images are waiting for backward() "
        "at once, but only one part, of size 1, fits into memory\nYour answer passes 1 "
        "of 5 test cases.",
    ),
]


@pytest.mark.parametrize(
    ("number", "answer", "expected"),
    VERDICTS,
    ids=[expected[:30] for *_, expected in VERDICTS],
)
def test_verdicts_have_this_exact_text(number, answer, expected, monkeypatch):
    monkeypatch.setattr(GRADER, "sandbox", InProcessSandbox())
    assert str(judge(number, answer)) == expected


TO_EXPLAIN = [n for n, exercise in EXERCISES.items() if exercise.kind == "explain"]


def value_exercise(expected, **options):
    """Create an exercise whose answer is a value."""
    return ValueExercise(
        number="9.9",
        kind="predict",
        hints=("One.", "Two.", "Three."),
        expected=lambda: torch.tensor(expected),
        **options,
    )


FINITE = "Your answer contains nan or infinity, but it must be finite."
PERCENT = (
    "Your answer is off by a factor of 100. Does the question ask for a fraction or "
    "for a percentage?"
)
ORDER = "The numbers are correct, but they are in the wrong order."
ROTATED = (
    "Your answer is rotated by 180 degrees. Which weight of the kernel multiplies the "
    "first pixel of the window?"
)
ROUNDED = "Your answer is close, but it has too few digits. Don't round it."
BY_HAND = "Work through a smaller case by hand."
MATRIX = [[1.0, 2.0], [3.0, 4.5]]


def test_error_in_a_callable_object_has_no_line_number():
    class Refusing:
        def __call__(self, x, k):
            raise ValueError("not today")

    message = judge("1.3", Refusing()).message
    assert message.startswith("Your code raised ValueError: not today\nYour ")


@pytest.mark.parametrize(
    ("expected", "answer", "name", "message"),
    [
        (
            *(6.0, "six", "not a number"),
            "The checker expects a number, but your answer is a str.",
        ),
        (6.0, float("nan"), "not finite", FINITE),
        ([6.0, 7.0], [6.0, float("inf")], "not finite", FINITE),
        (
            *(6.0, [6, 7], "wrong shape"),
            "The checker expects a number, but your answer is a list of shape (2,).",
        ),
        (
            *([6.0, 7.0], 6, "wrong shape"),
            "The checker expects 2 numbers, but your answer is a number.",
        ),
        (
            *(MATRIX, [1, 2], "wrong shape"),
            "The checker expects a tensor of shape (2, 2), but your answer is a list "
            "of shape (2,).",
        ),
        (6.0, -6, "wrong sign", "The magnitude is correct, but the sign is wrong."),
        ([6.0, 7.0], [7, 6], "wrong order", ORDER),
        ([6.0, 7.0, 9.0], [9, 7, 6], "", f"1 of 3 numbers is correct. {BY_HAND}"),
        (MATRIX, [[4.5, 3], [2, 1]], "kernel flipped", ROTATED),
        (MATRIX, [[1, 2], [3, 4]], "", f"3 of 4 numbers are correct. {BY_HAND}"),
        (0.06, 6, "fraction or percentage", PERCENT),
        (6.0, 0.06, "fraction or percentage", PERCENT),
        (0.0276, 0.028, "rounded too far", ROUNDED),
        (0.0276, 0.03, "rounded too far", ROUNDED),
        ([0.0276, 1.0], [0.028, 1], "rounded too far", ROUNDED),
        ([6.0, 21.0], [6, 20], "", f"1 of 2 numbers is correct. {BY_HAND}"),
        (6.0, 7, "", f"Your answer is too large. {BY_HAND}"),
        (6.0, 5, "", f"Your answer is too small. {BY_HAND}"),
        ([6.0, 7.0], [7, 8], "", f"0 of 2 numbers are correct. {BY_HAND}"),
    ],
)
def test_wrong_values_get_general_messages(expected, answer, name, message):
    verdict = judge_value(value_exercise(expected), answer)
    assert str(verdict).partition("\n")[2] == verdict.message == message
    assert (verdict.number, verdict.mistake) == ("9.9", name)
    assert verdict.state == "not correct yet"


@pytest.mark.parametrize("answer", [None, [3, None], (None,)])
def test_missing_value_is_not_attempted(answer):
    assert (
        str(judge_value(value_exercise([3.0, 4.0]), answer)) == "9.9  not attempted yet"
    )


def test_mistakes_are_recognized_within_the_tolerance():
    """For example 13.1, which has a relative tolerance of 1/1000."""
    assert judge("13.1", 0.00463).right
    assert judge("13.1", 0.037).mistake == "ReLU forgotten"
    mistake = Mistake("too large", "Smaller.", 30.0, lambda n: n == 50)
    exercise = value_exercise(10.0, tolerance=0.01, mistakes=[mistake])
    for answer, name in [
        (30.29, "too large"),
        (30.31, ""),
        (50, "too large"),
        (-10.09, "wrong sign"),
        (1009, "fraction or percentage"),
    ]:
        assert judge_value(exercise, answer).mistake == name, answer
    exact = value_exercise(10.0, tolerance=0.0, mistakes=[mistake])
    assert judge_value(exact, 30 + 1e-6).mistake == "too large"
    assert judge_value(exact, 30.01).mistake == ""


def test_wrong_value_of_an_open_question():
    """The message must not reveal the answer that the course expects."""
    exercise = value_exercise(6.0, accept=lambda n: n > 5)
    assert str(judge_value(exercise, 8)) == "9.9  correct"
    message = "Read the question again, or ask for a hint."
    assert str(judge_value(exercise, -6)) == f"9.9  not correct yet\n{message}"


@pytest.mark.parametrize("number", TO_EXPLAIN)
def test_wrong_measurement_gets_advice(number):
    assert str(judge(number, 12345.678, "a")) == (
        f"{number}  not correct yet\nYour answer is too large. "
        "Measure exactly the quantity that the question asks for."
    )


@pytest.mark.parametrize("written", ["{}", "{}.", "({})", " ({}) ", "{}) "])
@pytest.mark.parametrize("number", TO_EXPLAIN)
def test_letters_in_other_notations_are_accepted(number, written):
    value, right = answers(number, SOLUTIONS[number][1])
    for letter in (right, right.upper()):
        verdict = judge(number, value, written.format(letter))
        assert str(verdict) == f"{number}  correct"


@pytest.mark.parametrize("reason", [None, 2, "", "XaX", "because", ["b"]])
@pytest.mark.parametrize("number", TO_EXPLAIN)
def test_measurement_without_its_reason_is_incomplete(number, reason):
    value, _ = answers(number, SOLUTIONS[number][1])
    assert str(judge(number, value, reason)) == (
        f"{number}  not correct yet: missing reason\n"
        "Your measurement is correct. Now add the letter of the reason as a second "
        "argument: 'a', 'b' or 'c'."
    )


@each_exercise
def test_each_misconception_is_tested(number):
    tested = {name for other, name, _ in WRONG if other == number}
    assert names_of(number) - tested == set()


def test_each_general_misconception_is_tested():
    general = {name for name, _, _ in GENERIC_MISTAKES}
    assert general - {name for _, name, _ in WRONG} == set()


@pytest.mark.parametrize(
    "number", [n for n, e in EXERCISES.items() if isinstance(e, FunctionExercise)]
)
def test_function_exercises_have_two_other_solutions(number):
    assert [other for other, _ in RIGHT].count(number) >= 2


@each_exercise
def test_messages_do_not_reveal_the_solution(number):
    """No message contains a line of the solution."""
    lines = {line.strip() for line in SOLUTIONS[number][1].splitlines()}
    lines = {line for line in lines if "=" in line and not line.startswith("#")}
    exercise = EXERCISES[number]
    for mistake in [*exercise.mistakes, *getattr(exercise, "reasons", {}).values()]:
        assert not [line for line in lines if line in mistake.message]


def test_first_case_is_the_smallest_and_no_result_is_zero():
    for exercise in EXERCISES.values():
        if isinstance(exercise, FunctionExercise):
            sizes = [
                sum(part.numel() for part in case if isinstance(part, torch.Tensor))
                for case in exercise.cases()
            ]
            assert sizes[0] == min(sizes), exercise.number
            for case in exercise.cases():
                expected = torch.as_tensor(exercise.expected(*case))
                assert expected.any(), "an expected result of zeros would hide mistakes"


def test_smallest_wrong_case_is_shown():
    """The smallest failing case need not be the first one that fails."""
    exercise = EXERCISES["3.5"]
    verdict = judge_function(
        exercise, lambda X: exercise.expected(X) + (X.numel() > 15), InProcessSandbox()
    )
    wrong = [X.shape for (X,) in exercise.cases() if X.numel() > 15]
    assert wrong[0] != verdict.case_result.case[0].shape == (4, 4)


def test_unknown_exercise_number_raises():
    with pytest.raises(ValueError, match=r"number is '1\.9'; expected"):
        judge("1.9", 3)


def test_answers_are_loaded():
    assert len(WRONG) > 200
    assert "answers.chapter_14" in sys.modules


def test_solution_is_printed_on_request(tmp_path, monkeypatch, capsys):
    file = tmp_path / "progress.json"
    monkeypatch.setenv("CONV_PROGRESS", str(file))
    solution("1.3")
    out = capsys.readouterr().out
    assert out.startswith("def corr1d(x, k):\n")
    assert "# %%" not in out
    assert json.loads(file.read_text())["exercises"]["1.3"]["solution"] is True
