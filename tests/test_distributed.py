"""Test conv.fit in two processes: its history and resuming from checkpoints."""

import json
import os
import subprocess
import sys

import pytest
import torch

import distributed_run
from distributed_run import record, train

LAUNCH = ["-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Write a checkpoint with one process, and resume it with two processes."""
    folder = tmp_path_factory.mktemp("runs")
    train(folder / "one.pt", 2)
    done = subprocess.run(
        [sys.executable, *LAUNCH, distributed_run.__file__, str(folder)],
        capture_output=True,
        text=True,
        check=False,
        env=os.environ | {"OMP_NUM_THREADS": "1", "TQDM_DISABLE": "1"},
    )
    assert done.returncode == 0, done.stderr
    (folder / "runs.json").write_text(done.stdout)
    return folder


@pytest.fixture(scope="module")
def runs(folder):
    return json.loads((folder / "runs.json").read_text())


def test_two_processes_resume_exactly(runs):
    """Each process has its own dropout masks, so it must restore its own generator."""
    assert runs["resumed"] == runs["uninterrupted"]


def test_two_processes_resume_checkpoint_of_one(runs):
    expected = record(train(None, 4)[1])
    for key in ("losses", "validation"):
        assert runs["from one"][key] == pytest.approx(expected[key], rel=1e-12)
    torch.testing.assert_close(
        torch.tensor(runs["from one"]["weights"]), torch.tensor(expected["weights"])
    )


def test_one_process_resumes_checkpoint_of_two(folder):
    expected = record(train(None, 4)[1])
    found = record(train(folder / "for_one.pt", 4)[1])
    for key in ("losses", "validation"):
        assert found[key] == pytest.approx(expected[key], rel=1e-12)


def test_parameter_names_match_the_plain_network(runs, folder):
    """There is no prefix ``module.``, so the plain network can load the weights."""
    net, _ = train(None, 1)
    plain = [*net.state_dict()]
    assert runs["resumed"]["names"] == plain * 2
    assert [*torch.load(folder / "two.pt", weights_only=True)["net"]] == plain


def test_only_the_first_process_writes_checkpoints(folder, monkeypatch):
    """A second writer could cause a race."""
    monkeypatch.setattr("conv.checkpoints.process_rank", lambda: 1)
    train(folder / "second.pt", 1)
    assert not (folder / "second.pt").exists()
