"""Test ``make bench`` in its quick mode, and how it handles failures."""

import io
import json
import os
import platform
import subprocess
import sys
from functools import partial
from types import SimpleNamespace

import pytest
import torch
from matplotlib.image import imread

from load import ROOT, load

FOLDER = ROOT / "benchmarks"
with pytest.MonkeyPatch.context() as patch:
    patch.syspath_prepend(FOLDER)  # modules of the folder import each other
    run = load("benchmarks/run.py")

ROW = {"conv": 0.001, "peer": 0.002, "ratio": 0.5, "faults": [0, 16321]}
COLUMN = {"ratios": {"taps": 0.5, "F.conv2d": 1.0}}
QUIET = {"OMP_NUM_THREADS": "1", "TQDM_DISABLE": "1"}


@pytest.fixture
def tasks(monkeypatch):
    """Replace all measurements and the figure by functions that return immediately."""
    monkeypatch.setattr(run.page, "draw", lambda *_: b"figure")
    rows, columns = run.comparisons.all_comparisons(run.FULL), run.page.columns
    tasks = {row.key: lambda: ROW for row in rows}
    tasks |= {key: lambda: COLUMN for key in columns(run.FULL).values()}
    monkeypatch.setattr(run, "all_tasks", lambda sizes: ({}, tasks))
    return tasks


def results(folder):
    return json.loads((folder / "results.json").read_text())["results"]


def page_of(folder):
    return (folder / "README.md").read_text()


def fail(error, *_):
    raise error


def test_quick_mode_measures_and_writes_everything(tmp_path):
    folder = tmp_path / "new"
    command = [sys.executable, FOLDER / "run.py", "--quick", "--into", folder]
    done = subprocess.run(
        command, env=os.environ | QUIET, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    kept, others = run.all_tasks(run.QUICK)
    assert sorted(results(folder)) == sorted(kept | others)
    page = page_of(folder)
    lines = page.splitlines()
    for row in run.comparisons.all_comparisons(run.QUICK):
        assert sum(f"| {row.work} | {row.peer} |" in line for line in lines) == 1
    [head] = [line for line in lines if line.startswith("| | ")]
    assert head.count("kernel") == len(run.QUICK.methods)
    for name in ("Winograd", "F.conv2d", "scipy fftconvolve", "d2l.corr2d"):
        assert sum(line.startswith(f"| {name} |") for line in lines) == 1
    assert "Quick mode" in page
    assert not {word for word in ("failed", "yet", "Incomplete") if word in page}
    height, width, _ = imread(folder / "methods.png").shape  # the PNG is valid
    assert width > height > 300
    files = {"results.json", "README.md", "methods.png"}
    assert {file.name for file in folder.iterdir()} == files


def test_failed_comparison_does_not_stop_the_others(tasks, tmp_path, capsys):
    row, column = list(tasks)[1], list(tasks)[-1]
    tasks[row] = tasks[column] = partial(fail, ValueError("3 | 4\nmore"))
    assert run.main(["--into", str(tmp_path)]) == 1
    assert results(tmp_path).keys() == tasks.keys()
    page = page_of(tmp_path)
    assert page.count("**failed**: ValueError: 3 / 4") == 2
    assert f"of {len(tasks)} comparisons, 0 are still missing and 2 failed" in page
    assert f"\n{column}: **failed**" in page
    assert f"| {list(tasks)[-2]} |\n" in page
    assert "ValueError: 3 | 4" in capsys.readouterr().err


@pytest.mark.parametrize("count", [1, 4])
def test_figure_can_have_any_number_of_columns(count):
    ratios = {f"{n} x {n}, kernel 3 x 3": COLUMN["ratios"] for n in range(count)}
    height, width, _ = imread(io.BytesIO(run.page.draw(ratios, "machine"))).shape
    assert width > height > 300


def test_each_result_is_saved_before_the_next_measurement(tasks, tmp_path):
    first, second, *_ = tasks
    tasks[second] = partial(fail, KeyboardInterrupt())
    with pytest.raises(KeyboardInterrupt):
        run.main(["--into", str(tmp_path)])
    assert results(tmp_path) == {first: ROW}
    page = page_of(tmp_path)
    assert "| 1 | 2 | 0.5 | 10, met | 0 / 16,321 |" in page
    assert page.count("not measured yet") == len(tasks) - 1
    assert f"{len(tasks) - 1} are still missing and 0 failed" in page


def test_run_resumes_where_the_last_one_stopped(tasks, tmp_path):
    _, second, *_ = tasks
    measured = []
    for key, task in tasks.items():
        tasks[key] = lambda key=key, task=task: measured.append(key) or task()
    tasks[second], working = partial(fail, ValueError()), tasks[second]
    assert run.main(["--into", str(tmp_path)]) == 1
    assert measured == [key for key in tasks if key != second]
    tasks[second] = working
    measured.clear()
    assert run.main(["--into", str(tmp_path)]) == 0
    assert measured == [second]
    measured.clear()
    # Nothing is missing, so everything is measured again.
    assert run.main(["--into", str(tmp_path)]) == 0
    assert measured == list(tasks)


def test_results_of_another_machine_are_discarded(tasks, tmp_path):
    run.save(tmp_path, {"about": {"machine": "a", "quick": False}, "results": {"b": 1}})
    assert run.main(["--into", str(tmp_path)]) == 0
    assert results(tmp_path).keys() == tasks.keys()


def test_results_are_kept_if_the_figure_fails(tasks, tmp_path, monkeypatch):
    monkeypatch.setattr(run.page, "draw", partial(fail, ZeroDivisionError()))
    with pytest.raises(ZeroDivisionError):
        run.main(["--into", str(tmp_path)])
    assert results(tmp_path).keys() == tasks.keys()
    monkeypatch.setattr(run.page, "draw", lambda *_: b"figure")
    run.main(["--into", str(tmp_path), "--page-only"])
    assert "Incomplete" not in page_of(tmp_path)
    assert (tmp_path / "methods.png").read_bytes() == b"figure"


def test_process_that_dies_is_reported_as_failure(tasks, tmp_path, monkeypatch):
    first, *others = tasks
    kept = {first: tasks.pop(first)}
    monkeypatch.setattr(run, "all_tasks", lambda sizes: (kept, tasks))
    died = SimpleNamespace(returncode=-9)
    monkeypatch.setattr(run.subprocess, "run", lambda *_, **__: died)
    assert run.main(["--into", str(tmp_path)]) == 1
    found = results(tmp_path)
    assert found[first] == {"error": "its process ended with exit status -9"}
    assert all(found[key] in (ROW, COLUMN) for key in others)


def test_quick_mode_does_not_overwrite_the_table(capsys):
    for arguments in (["--quick"], ["--quick", "--into", str(FOLDER / ".")]):
        with pytest.raises(SystemExit):
            run.main(arguments)
        assert "--quick would overwrite the table" in capsys.readouterr().err


def test_missed_target_is_marked():
    def target(limit, ratio):
        row = SimpleNamespace(name="a", work="b", peer="c", limit=limit)
        return run.page.line(row, ROW | {"ratio": ratio}).split(" | ")[-2]

    assert target("1/300", 1 / 301) == "1/300, met"
    assert target("1/300", 1 / 299) == "1/300, **missed**"
    assert target("1", 1) == "1, met"


FAULTS = """
from resource import RUSAGE_SELF, getrusage
bytearray(2**26)
before = getrusage(RUSAGE_SELF).ru_minflt
bytearray(2**26)
print(getrusage(RUSAGE_SELF).ru_minflt - before)
"""
glibc_only = pytest.mark.skipif(
    platform.libc_ver()[0] != "glibc", reason="sets variables that glibc reads"
)


@glibc_only
def test_environment_variables_make_the_allocator_keep_memory():
    def faults(variables):
        command, env = [sys.executable, "-c", FAULTS], os.environ | variables
        return int(subprocess.check_output(command, env=env))

    assert faults(run.KEEP_MEMORY) < 16 <= faults({})


def test_rows_are_skipped_without_glibc(monkeypatch):
    rows = run.comparisons.all_comparisons(run.QUICK)
    [row, *_] = [row for row in rows if row.keep_memory]
    monkeypatch.setattr(platform, "libc_ver", lambda: ("", ""))
    result = run.attempt(partial(run.comparisons.measure, row))
    assert "| not measured: the allocator is not glibc's |" in run.page.line(
        row, result
    )


def test_baseline_is_measured_even_if_it_is_slow(monkeypatch):
    names = {
        "methods": {"slow": lambda X, K: X, "F.conv2d": lambda X, K: X[1:, 1:]},
        "fits": lambda name, k: True,
        "operations": lambda name, n, k: n,
        "separable": lambda h, w: torch.ones(h, w),
    }
    monkeypatch.setattr(run.methods, "chapter", lambda: names)
    monkeypatch.setattr(run.methods, "seconds", lambda call: 100.0)
    monkeypatch.setattr(run.methods, "can_compile", lambda: False)
    monkeypatch.setattr(run.methods, "scipy_calls", lambda X, K: {})
    assert run.methods.measure(3, 2, 1) == {"ratios": {"F.conv2d": 1.0}}


def test_wrong_method_is_not_timed():
    right = torch.ones(2, 2)
    run.methods.check({"F.conv2d": right, "a": (right + 1e-6).numpy()})
    with pytest.raises(AssertionError, match=r"a is wrong by 0\.01"):
        run.methods.check({"F.conv2d": right, "a": right + 0.01})


def test_page_matches_the_stored_results():
    stored = json.loads((FOLDER / "results.json").read_text())
    assert page_of(FOLDER) == run.page.text(stored["about"], stored["results"])
    assert "Incomplete" not in page_of(FOLDER)
