"""Test which outputs a tolerance allows, and nbval with the course's settings."""

import doctest
import re
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest

import tolerance
from tolerance import Tolerance, problems

ROOT = Path(__file__).parent.parent
POINT = Tolerance(absolute=1)
TENTH = Tolerance(relative=0.1)


@pytest.mark.parametrize(
    ("new", "stored", "allowed"),
    [
        ("accuracy 97.4%", "accuracy 96.6%", POINT),
        ("accuracy 97%", "accuracy 96%", POINT),
        ("accuracy 100%", "accuracy  99%", POINT),
        ("loss 1.1e-08", "loss 1.05e-08", TENTH),
        ("loss 9.9e-3", "loss 1.0e-2", TENTH),
        ("at -0.52", "at -0.5", TENTH),
        ("at \N{MINUS SIGN}0.52", "at -0.5", TENTH),
        ("61,706.5 weights", "61,705.8 weights", POINT),
        ("[ 0.1, -0.2]\n[10.0,  3.0]", "[-0.1, -0.2]\n[ 9.9,  3.0]", POINT),
        ("nan, inf, -inf, 0.5", "nan, inf, -inf, 0.6", POINT),
        ("985 of 1000", "984 of 1000", Tolerance(absolute=1, counts=True)),
        ("<td>97.4</td><td>3</td>", "<td>96.6</td><td>3</td>", POINT),
        ("float32 0.5", "float32 0.6", POINT),
        ("loss 0.3", "loss 0.2", Tolerance(absolute=0.1)),
    ],
)
def test_allowed_differences(new, stored, allowed):
    assert problems(new, stored, allowed) == []
    assert problems(stored, new, allowed) == []


@pytest.mark.parametrize(
    ("new", "stored", "allowed", "message"),
    [
        (
            "97.4%",
            "96.3%",
            POINT,
            "97.4 is printed, 96.3 is stored; the tolerance is 1",
        ),
        ("0.56", "0.5", TENTH, "0.56 is printed, 0.5 is stored; .* 0.1 of it"),
        ("0.05", "-0.05", TENTH, "0.05 is printed, -0.05 is stored"),
        ("1e-7", "1e-8", TENTH, "1e-7 is printed"),
        ("1,235.0", "1,233.5", POINT, "1,235.0 is printed"),
        ("epoch 3, 0.5", "epoch 4, 0.5", POINT, "3 is printed, 4 is stored"),
        ("61,706", "61,707", POINT, "61,706 is printed"),
        ("nan", "0.5", POINT, "nan is printed, 0.5 is stored"),
        ("0.5", "nan", POINT, "0.5 is printed, nan is stored"),
        ("inf", "0.5", POINT, "inf is printed"),
        ("-inf", "inf", POINT, "-inf is printed"),
        ("loss 0.5", "error 0.5", POINT, "the words"),
        ("0.5, 0.6", "0.5", POINT, "how many numbers"),
        ("float32 0.5", "float64 0.5", POINT, "the words"),
        ("97.4%", "97.4", POINT, "the words"),
        ("0.5\n0.6", "0.5 0.6", POINT, "the words"),
    ],
)
def test_other_differences_are_reported(new, stored, allowed, message):
    [problem] = problems(new, stored, allowed)
    assert re.search(message, problem)


@pytest.mark.parametrize(
    "stated", [{}, {"absolute": 0}, {"absolute": 1, "relative": 0.1}, {"relative": -1}]
)
def test_exactly_one_tolerance_is_required(stated):
    with pytest.raises(ValueError, match="state one tolerance"):
        Tolerance(**stated)


def test_doctests():
    assert doctest.testmod(tolerance).failed == 0


CODE = 'print("epoch 3: 97.4%, loss 0.0512")'
CASES = {
    "exact": (None, "epoch 3: 97.4%, loss 0.0512", True),
    "exact, another digit": (None, "epoch 3: 97.4%, loss 0.0513", False),
    "within": ({"absolute": 0.5}, "epoch 3: 97.1%, loss 0.0600", True),
    "outside": ({"absolute": 0.5}, "epoch 3: 96.8%, loss 0.0512", False),
    "another word": ({"absolute": 0.5}, "era 3: 97.4%, loss 0.0512", False),
    "another count": ({"absolute": 2}, "epoch 4: 97.4%, loss 0.0512", False),
    "one number less": ({"absolute": 0.5}, "epoch 3: 97.4%", False),
}


EXPECTATIONS = {  # expectations of a variable x that is 2.5
    "x == 2.5": None,
    "torch.tensor(x) > 2": None,
    "numpy.float64(x) > 2": None,
    "x > 3": "False",
    "x": "2.5",
    "y > 3": "NameError: name 'y' is not defined",
}


@pytest.fixture(scope="module")
def report(tmp_path_factory):
    """Run nbval with the course's settings on a notebook with good and bad cells."""
    folder = tmp_path_factory.mktemp("notebooks")
    cells = [nbformat.v4.new_code_cell("import numpy, torch; x = 2.5")]
    for stated, stored, _ in CASES.values():
        output = nbformat.v4.new_output("stream", text=f"{stored}\n")
        cells.append(nbformat.v4.new_code_cell(CODE, outputs=[output]))
        if stated:
            cells[-1].metadata["tolerance"] = stated
    for line in EXPECTATIONS:
        cells.append(nbformat.v4.new_code_cell(metadata={"expect": [line]}))
    for cell in cells:
        cell.execution_count = 1
    nbformat.write(nbformat.v4.new_notebook(cells=cells), folder / "a.ipynb")
    conftest = ROOT / "notebooks" / "conftest.py"
    (folder / "conftest.py").write_bytes(conftest.read_bytes())
    options = ["--nbval", "--nbval-current-env", "-rA", "-p", "no:cacheprovider"]
    options += ["-c", str(ROOT / "pyproject.toml"), "--rootdir", str(folder)]
    return subprocess.run(
        [sys.executable, "-m", "pytest", *options, str(folder / "a.ipynb")],
        cwd=folder,
        capture_output=True,
        text=True,
    ).stdout


def test_nbval_applies_the_tolerance(report):
    for number, (name, (*_, same)) in enumerate(CASES.items(), start=1):
        verdict = "PASSED" if same else "FAILED"
        assert re.search(rf"{verdict} a.ipynb::Cell {number}\b", report), (name, report)
    assert "97.4 is printed, 96.8 is stored; the tolerance is 0.5" in report


def test_nbval_checks_the_expectations(report):
    for number, (line, value) in enumerate(EXPECTATIONS.items(), start=1 + len(CASES)):
        verdict = "FAILED" if value else "PASSED"
        assert re.search(rf"{verdict} a.ipynb::Cell {number}\b", report), (line, report)
        assert (f"Expected: {line}\n" in report) == bool(value)
        assert value is None or value in report
