"""conv.fit in two processes: what they record, and who can resume it."""

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
    """Let one process write a checkpoint, and two processes resume it."""
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


def test_two_processes_resume_bit_for_bit(runs):
    """Each has its own dropout, so each must get its own generators back."""
    assert runs["resumed"] == runs["uninterrupted"]


def test_two_processes_resume_what_one_has_written(runs):
    expected = record(train(None, 4)[1])
    for key in ("losses", "validation"):
        assert runs["from one"][key] == pytest.approx(expected[key], rel=1e-12)
    torch.testing.assert_close(
        torch.tensor(runs["from one"]["weights"]), torch.tensor(expected["weights"])
    )


def test_one_process_resumes_what_two_have_written(folder):
    expected = record(train(None, 4)[1])
    found = record(train(folder / "for_one.pt", 4)[1])
    for key in ("losses", "validation"):
        assert found[key] == pytest.approx(expected[key], rel=1e-12)


def test_names_are_those_of_the_plain_net(runs, folder):
    """Without ``module.``, so that the weights can be loaded anywhere."""
    net, _ = train(None, 1)
    plain = [*net.state_dict()]
    assert runs["resumed"]["names"] == plain * 2
    assert [*torch.load(folder / "two.pt", weights_only=True)["net"]] == plain


def test_only_the_first_process_writes(folder, monkeypatch):
    """The second one's write would have left a file of its own, or raced."""
    monkeypatch.setattr("conv.checkpoints.process_rank", lambda: 1)
    train(folder / "second.pt", 1)
    assert not (folder / "second.pt").exists()
