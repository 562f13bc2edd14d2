"""The scripts in examples/, run as a reader would run them."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parent.parent / "examples" / "train_ddp.py"
EPOCHS = 2


def run(processes: int, *options: object) -> list[list[float]]:
    """Train in so many processes; return each epoch's numbers."""
    launch = ["-m", "torch.distributed.run", "--standalone", "--nproc-per-node"]
    launch = [*launch, str(processes)] if processes > 1 else []
    command = [sys.executable, *launch, SCRIPT, "--epochs", EPOCHS, *options]
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
    lines = done.stdout.splitlines()
    return [[float(n) for n in re.findall(r"\d+\.\d+", line)] for line in lines]


@pytest.fixture(scope="module")
def alone():
    return run(1, "--double")


def test_two_processes_repeat_ones_losses(alone, tmp_path):
    path = tmp_path / "run.pt"
    together = run(2, "--double", "--checkpoint", path)
    assert len(alone) == len(together) == EPOCHS
    for one, two in zip(alone, together, strict=True):
        assert two[:2] == pytest.approx(one[:2], abs=1e-5, rel=0)
    assert together[-1][2] == alone[-1][2] > 0.8
    assert (
        run(2, "--double", "--checkpoint", path) == together
    )  # at once: the run is finished


def test_uneven_shares_are_refused():
    with pytest.raises(AssertionError, match="25 pictures for 2 processes"):
        run(2, "--batch-size", 25)


def test_the_script_is_short():
    assert len(SCRIPT.read_text().splitlines()) <= 60
