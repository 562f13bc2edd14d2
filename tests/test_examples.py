"""The scripts beside the chapters, run as a reader would run them."""

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
    """Train in so many processes; return what is printed."""
    launch = ["-m", "torch.distributed.run", "--standalone", "--nproc-per-node"]
    launch = [*launch, str(processes)] if processes > 1 else []
    command = [sys.executable, *launch, *script, "--epochs", EPOCHS, *options]
    # More threads than cores would spin, and take minutes.
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


def losses(printed: str) -> list[list[float]]:
    """Read each epoch's numbers."""
    lines = printed.splitlines()
    return [[float(n) for n in re.findall(r"\d+\.\d+", line)] for line in lines]


WATCHED = """
import runpy, sys
import psutil
import torch.distributed as dist

def counted(destroy=dist.destroy_process_group):
    before = psutil.Process().num_threads()
    destroy()
    after = psutil.Process().num_threads()
    sys.stdout.write(f"\\n{before} threads, then {after}\\n")  # whole, from each

dist.destroy_process_group = counted
sys.argv = sys.argv[1:]
runpy.run_path(sys.argv[0], run_name="__main__")
"""
COUNTED = r"\n(\d+) threads, then (\d+)\n"


def test_two_processes_repeat_ones_losses_and_leave_no_thread(tmp_path):
    """A thread that lets go of a tensor when Python ends would abort the process."""
    path, watched = tmp_path / "run.pt", tmp_path / "watched.py"
    watched.write_text(WATCHED)
    options = ["--double", "--checkpoint", path]
    printed = run(2, *options, script=[watched, SCRIPT])  # one start serves both

    alone = losses(run(1, "--double"))
    together = losses(re.sub(COUNTED, "", printed))
    assert len(alone) == len(together) == EPOCHS
    for one, two in zip(alone, together, strict=True):
        assert two[:2] == pytest.approx(one[:2], abs=1e-5, rel=0)
    assert together[-1][2] == alone[-1][2] > 0.8

    counts = re.findall(COUNTED, printed)
    assert len(counts) == 2
    for before, after in counts:
        assert int(before) - int(after) >= 3  # it listens in one, and works in two

    again = losses(run(2, *options))  # at once: it is finished
    assert again == together


def test_uneven_shares_are_refused():
    with pytest.raises(AssertionError, match="25 images evenly among 2 processes"):
        run(2, "--batch-size", 25)


def test_the_script_is_short():
    assert len(SCRIPT.read_text().splitlines()) <= 100


def test_chapter_fourteen_shows_the_scripts_code():
    notebook = nbformat.read(SCRIPT.parent / "14_outgrow_one_machine.ipynb", 4)
    text = "\n".join(c.source for c in notebook.cells if c.cell_type == "markdown")
    blocks = re.findall(r"```python\n(.*?)```", text, re.DOTALL)
    assert len(blocks) >= 5
    script = SCRIPT.read_text(encoding="utf-8")
    assert [block for block in blocks if block not in script] == []
