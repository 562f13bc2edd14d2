"""Run the example scripts of the chapters as a reader would."""

import os
import re
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import nbformat
import pytest

SCRIPT = Path(__file__).parent.parent / "notebooks" / "train_ddp.py"
EPOCHS = 2


def run(processes: int, *options: object, script: Sequence[Path] = (SCRIPT,)) -> str:
    """Train in `processes` processes; return the output."""
    launch = ["-m", "torch.distributed.run", "--standalone", "--nproc-per-node"]
    launch = [*launch, str(processes)] if processes > 1 else []
    command = [sys.executable, *launch, *script, "--epochs", EPOCHS, *options]
    # With more threads than cores, busy waiting would take minutes.
    environment = os.environ | {"CONV_DEVICE": "cpu", "OMP_NUM_THREADS": "1"}
    done = subprocess.run(
        list(map(str, command)),
        capture_output=True,
        text=True,
        check=False,
        env=environment,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def losses(output: str) -> list[list[float]]:
    """Parse the numbers of each epoch."""
    lines = output.splitlines()
    return [[float(n) for n in re.findall(r"\d+\.\d+", line)] for line in lines]


COUNT_THREADS = """
import runpy, sys
import psutil
import torch.distributed as dist

def counted(destroy=dist.destroy_process_group):
    before = psutil.Process().num_threads()
    destroy()
    after = psutil.Process().num_threads()
    # One write, so that the lines of two processes don't mix.
    sys.stdout.write(f"\\n{before} threads, then {after}\\n")

dist.destroy_process_group = counted
sys.argv = sys.argv[1:]
runpy.run_path(sys.argv[0], run_name="__main__")
"""
THREAD_COUNTS = r"\n(\d+) threads, then (\d+)\n"


def test_two_processes_match_one_and_leave_no_threads(tmp_path):
    """A thread that frees a tensor during Python's shutdown would abort the process."""
    path, wrapper = tmp_path / "run.pt", tmp_path / "watched.py"
    wrapper.write_text(COUNT_THREADS)
    options = ["--double", "--checkpoint", path]
    output = run(2, *options, script=[wrapper, SCRIPT])  # one run for both checks

    one_process = losses(run(1, "--double"))
    two_processes = losses(re.sub(THREAD_COUNTS, "", output))
    assert len(one_process) == len(two_processes) == EPOCHS
    for one, two in zip(one_process, two_processes, strict=True):
        assert two[:2] == pytest.approx(one[:2], abs=1e-5, rel=0)
    assert two_processes[-1][2] == one_process[-1][2] > 0.8

    counts = re.findall(THREAD_COUNTS, output)
    assert len(counts) == 2
    for before, after in counts:
        # Each process group listens in one thread and works in two.
        assert int(before) - int(after) >= 3

    again = losses(run(2, *options))  # returns immediately, because it is finished
    assert again == two_processes


def test_uneven_shares_raise():
    with pytest.raises(AssertionError, match="25 images evenly among 2 processes"):
        run(2, "--batch-size", 25)


def test_script_is_short():
    assert len(SCRIPT.read_text().splitlines()) <= 100


def test_chapter_14_shows_the_code_of_the_script():
    notebook = nbformat.read(SCRIPT.parent / "14_outgrow_one_machine.ipynb", 4)
    text = "\n".join(c.source for c in notebook.cells if c.cell_type == "markdown")
    blocks = re.findall(r"```python\n(.*?)```", text, re.DOTALL)
    assert len(blocks) >= 5
    script = SCRIPT.read_text(encoding="utf-8")
    assert [block for block in blocks if block not in script] == []
