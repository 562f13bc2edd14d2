"""Test that the stored results of long experiments match their code and chapters."""

import json
import linecache

import nbformat
import pytest

from load import load

run = load("notebooks/experiments/run.py")

each_experiment = pytest.mark.parametrize("name", run.NAMES)


def test_each_result_has_an_experiment():
    assert sorted(file.stem for file in run.FOLDER.glob("*.json")) == run.NAMES
    assert run.NAMES


@each_experiment
def test_results_match_the_code(name):
    found = run.stored(name)
    command = found["command"]
    assert command == f"make experiments ONLY={name}"
    assert found["seeds"] == run.experiment(name).SEEDS
    assert found["code checksum"] == run.code_checksum(name), f"run {command}"
    assert found["results checksum"] == run.checksum(json.dumps(found["results"]))
    assert {"python", "torch"} <= set(found["versions"])


@each_experiment
def test_tolerances_are_valid(name):
    tolerance = run.experiment(name).TOLERANCE
    results = run.stored(name)["results"]
    assert set(tolerance) <= {"", *run.spread(results, results)}
    assert all(0 < allowed < 1 for allowed in tolerance.values())


@each_experiment
def test_chapter_shows_the_code_and_reads_the_results(name):
    chapter = run.FOLDER.parent / f"{run.experiment(name).CHAPTER}.ipynb"
    cells = nbformat.read(chapter, as_version=4).cells
    assert run.chapter_code(chapter.stem)
    assert any(f"experiments/{name}.json" in cell.source for cell in cells)


def test_spread_compares_means_over_seeds():
    before = {"a": [[0.5, 0.6], [0.7, 0.8]], "b": {"c": [1.0, 2.0]}}
    after = {"a": [[0.7, 0.6], [0.5, 1.0]], "b": {"c": [2.0, 1.0]}}
    assert run.spread(after, before) == pytest.approx({"a": 0.1, "b, c": 0.0})
    with pytest.raises(ValueError, match=r"measured .*, but stored .*b, c"):
        run.spread({"a": before["a"]}, before)
    with pytest.raises(ValueError, match=r"measured .*1,"):
        run.spread({"a": [[0.5], [0.7]], "b": before["b"]}, before)


SMALL = """
CHAPTER = "c"
SEEDS = [0, 1]
TOLERANCE = {"": 0.01}


def run(code, seeds):
    # It takes no time.
    return {"a": [code.base + seed for seed in seeds]}
"""


@pytest.fixture
def small(tmp_path, monkeypatch):
    """Create a fast experiment for a chapter with two cells."""
    tagged = {"tags": ["experiment"]}
    cell = nbformat.v4.new_code_cell("base = 0.123456", metadata=tagged)
    other = nbformat.v4.new_code_cell("base = 1 / 0")
    (tmp_path / "experiments").mkdir()
    nbformat.write(nbformat.v4.new_notebook(cells=[cell, other]), tmp_path / "c.ipynb")
    file = tmp_path / "experiments" / "small.py"
    file.write_text(SMALL)
    monkeypatch.setattr(run, "FOLDER", tmp_path / "experiments")
    return file


def test_experiment_is_written_and_checked(small, monkeypatch, capsys):
    monkeypatch.setattr("sys.argv", ["run.py", "small"])
    assert run.main() == 0
    file = run.FOLDER / "small.json"
    found = json.loads(file.read_text())
    assert found["results"] == {"a": [0.1235, 1.1235]}
    assert found["seeds"] == [0, 1]

    monkeypatch.setattr("sys.argv", ["run.py", "--check", "small"])
    assert run.main() == 0
    found["results"]["a"][1] += 0.03
    file.write_text(json.dumps(found))
    assert run.main() == 1
    assert "small, a: 0.0150 of 0.01  TOO FAR" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("old", "new", "stale"),
    [("It takes", "This takes", False), ("0.01", "0.02", False), ("+", "-", True)],
)
def test_results_are_stale_when_the_code_changes(small, old, new, stale):
    before = run.code_checksum("small")
    linecache.clearcache()
    small.write_text(SMALL.replace(old, new))
    assert (run.code_checksum("small") != before) == stale
