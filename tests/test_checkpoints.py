"""A stopped run goes on as if nothing had been; bad files change nothing."""

import errno
import json
import math
import os
import random
import re
import signal
import subprocess
import sys
from contextlib import nullcontext
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from torch import nn
from torch.optim import lr_scheduler

import conv
import killed_run
import random_kills
from conv.checkpoints import RNGState
from full_disk import full_disk
from killed_run import EPOCHS, MOMENTS, same, train


@pytest.fixture(scope="module")
def unbroken():
    net, history = train(None)
    return net.state_dict(), vars(history)


def assert_is_unbroken(run, unbroken):
    net, history = run
    assert same(net.state_dict(), unbroken[0])
    assert same(vars(history), unbroken[1])


@pytest.mark.parametrize("moment", MOMENTS)
def test_killed_and_resumed_is_never_stopped(moment, tmp_path, unbroken):
    path = tmp_path / "run.pt"
    script = [sys.executable, killed_run.__file__, path, moment]
    killed = subprocess.run(script, capture_output=True, check=False)
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    assert path.exists() == (moment != "before the first epoch ends")
    assert len(list(tmp_path.glob("*.part"))) == (moment == "in a write")
    assert_is_unbroken(train(path), unbroken)


@pytest.mark.rare
def test_killed_fifty_times_by_chance():
    """Where the kills fall is chance, too; 50 of them miss nothing that takes long."""
    script = [sys.executable, random_kills.__file__, "--kills", "50", "--seed", "0"]
    run = subprocess.run(
        script,
        env=os.environ | {"TQDM_DISABLE": "1"},
        capture_output=True,
        text=True,
        check=False,
        timeout=500,
    )
    assert run.returncode == 0, run.stderr
    told = json.loads(run.stdout)
    assert len(told["deaths"]) == sum(told["fell"].values()) == 50
    assert {"training", "writing"} <= set(told["fell"]), told["fell"]


@pytest.mark.parametrize("stop", range(1, EPOCHS))
def test_interrupted_and_resumed_is_never_stopped(stop, tmp_path, unbroken):
    def callback(epoch, history):
        if epoch == stop + 1:
            raise KeyboardInterrupt

    path = tmp_path / "run.pt"
    _, history = train(path, callback=callback)
    assert (len(history.losses), history.interrupted) == (stop + 1, True)
    assert_is_unbroken(train(path), unbroken)


def test_a_finished_run_is_not_run_again(tmp_path, unbroken):
    path = tmp_path / "run.pt"
    train(path)
    again = train(path, callback=lambda *_: pytest.fail("an epoch was run"))
    assert_is_unbroken(again, unbroken)


def test_more_epochs_go_on(tmp_path, unbroken):
    path = tmp_path / "run.pt"
    train(path, epochs=2)
    assert_is_unbroken(train(path), unbroken)


def test_random_numbers_in_a_callback_are_replayed(tmp_path):
    def draw(epoch, history):
        torch.rand(epoch)

    path = tmp_path / "run.pt"
    train(path, epochs=2, callback=draw)
    net, _ = train(path, callback=draw)
    assert same(net.state_dict(), train(None, callback=draw)[0].state_dict())


@pytest.mark.parametrize(
    "plan",
    [
        lambda o: lr_scheduler.CosineAnnealingLR(o, 20),
        lambda o: lr_scheduler.LambdaLR(o, lambda step: 0.9**step),
        lambda o: lr_scheduler.SequentialLR(
            o, [lr_scheduler.LinearLR(o), lr_scheduler.StepLR(o, 3)], [7]
        ),
    ],
)
@pytest.mark.parametrize(
    "kind",
    [
        lambda p: torch.optim.SGD(p, lr=0.01, momentum=0.9),
        lambda p: torch.optim.Adam(p, lr=0.01, amsgrad=True),
    ],
)
def test_other_optimizers_and_plans(kind, plan, tmp_path):
    def run(checkpoint, epochs):
        conv.seed_everything(1)
        x, y = torch.randn(30, 1, 1, 5), torch.randint(0, 2, (30,))
        net = nn.Sequential(nn.Flatten(), nn.Linear(5, 2))
        optimizer = kind(net.parameters())
        pictures = conv.LabeledImages(x, y, ("a", "b"))
        conv.fit(
            net,
            conv.make_loader(pictures, 7, shuffle=True),
            nn.functional.cross_entropy,
            optimizer,
            epochs,
            scheduler=plan(optimizer),
            checkpoint=checkpoint,
        )
        return net.state_dict(), optimizer.state_dict()

    run(tmp_path / "run.pt", 2)
    assert same(run(tmp_path / "run.pt", 4), run(None, 4))


def test_the_best_epochs_weights_are_kept():
    net, history = train(None)
    losses = history.validation_losses
    assert history.best_epoch == losses.index(min(losses)) + 1
    net.load_state_dict(history.best)
    conv.seed_everything(3)
    x, y = torch.randn(40, 1, 8, 8), torch.randint(0, 3, (40,))
    batch = [(x[:20], y[:20])]
    measured = conv.evaluate(net, batch, nn.functional.cross_entropy, conv.accuracy)
    assert measured == [min(losses), history.metrics[history.best_epoch - 1]]
    assert f"best validation loss {min(losses):.3f} in epoch" in repr(history)


def test_the_best_epoch_is_found_if_validation_begins_later(tmp_path):
    path = tmp_path / "run.pt"
    train(path, epochs=2, validation=None, metric=None)
    net, history = train(path)
    assert len(history.losses) == EPOCHS
    assert len(history.validation_losses) == EPOCHS - 2
    assert history.best.keys() == net.state_dict().keys()


def test_divergence_advises_a_new_checkpoint(tmp_path):
    """Resuming the old one would restore the learning rate, too."""
    net = nn.Linear(4, 2)
    optimizer = torch.optim.SGD(net.parameters(), lr=0.5)
    batches = [(torch.full((3, 4), math.inf), torch.tensor([0, 1, 1]))]
    loss = nn.functional.cross_entropy
    advice = r"below 0\.5 and a new checkpoint\."
    with pytest.raises(conv.DivergenceError, match=advice):
        conv.fit(net, batches, loss, optimizer, 3, checkpoint=tmp_path / "run.pt")


def test_no_best_among_infinite_losses():
    history = conv.History(2, validation_losses=[math.nan, math.inf])
    assert history.best_epoch == 0


@pytest.mark.parametrize("content", [b"", b"rubbish", b"PK\x03\x04 half a file"])
def test_an_unreadable_file_is_named(content, tmp_path):
    path = tmp_path / "run.pt"
    path.write_bytes(content)
    with pytest.raises(ValueError, match=rf"^checkpoint {re.escape(str(path))} can't"):
        train(path)
    assert path.read_bytes() == content


def test_code_in_a_checkpoint_is_not_run(tmp_path):
    class Evil:
        def __reduce__(self):
            return os.mkdir, (str(tmp_path / "evil"),)

    torch.save({"net": Evil()}, tmp_path / "run.pt")
    with pytest.raises(ValueError, match="can't be read"):
        train(tmp_path / "run.pt")
    assert not (tmp_path / "evil").exists()


def fit_another(checkpoint, net=None, kind=torch.optim.SGD, plan=None):
    net = net or nn.Linear(4, 2)
    optimizer = kind(net.parameters(), lr=0.1)
    plan = plan and plan(optimizer)
    batches = [(torch.ones(3, 4), torch.tensor([0, 1, 1]))]
    loss = nn.functional.cross_entropy
    return conv.fit(
        net, batches, loss, optimizer, 1, scheduler=plan, checkpoint=checkpoint
    )


@pytest.mark.parametrize(
    "changes",
    [
        {"net": nn.Linear(4, 3)},
        {"net": nn.Sequential(nn.Linear(4, 2))},
        {"kind": torch.optim.Adam},
        {"plan": lambda o: lr_scheduler.StepLR(o, 3)},
    ],
)
def test_another_runs_checkpoint_changes_nothing(changes, tmp_path):
    path = tmp_path / "run.pt"
    fit_another(path)
    net = changes.setdefault("net", nn.Linear(4, 2))
    before = {name: value.clone() for name, value in net.state_dict().items()}
    with pytest.raises(ValueError, match="is from a run with a different"):
        fit_another(path, **changes)
    assert same(dict(net.state_dict()), before)


def test_what_a_checkpoint_holds(tmp_path):
    """A file of today must be read tomorrow."""
    path = tmp_path / "run.pt"
    fit_another(path)
    held = torch.load(path, weights_only=True)
    assert set(held) == {"net", "optimizer", "history", "rng"}
    assert set(held["history"]) == {
        *("losses", "validation_losses", "metrics", "best", "snapshots")
    }
    fit_another(tmp_path / "plan.pt", plan=lambda o: lr_scheduler.StepLR(o, 3))
    with_plan = torch.load(tmp_path / "plan.pt", weights_only=True)
    assert set(with_plan) == {*held, "scheduler"}


@pytest.mark.parametrize(
    "other",
    [
        lambda o: lr_scheduler.OneCycleLR(o, 0.1, 10),
        lambda o: lr_scheduler.ExponentialLR(o, 0.9),  # the optimizer looks the same
    ],
)
def test_another_plans_checkpoint_changes_nothing(other, tmp_path):
    path = tmp_path / "run.pt"
    fit_another(path, plan=lambda o: lr_scheduler.StepLR(o, 3))
    with pytest.raises(ValueError, match="is from a run with a different"):
        fit_another(path, plan=other)


@pytest.mark.parametrize("state", [["net", "optimizer"], {"net": {}}, 3])
def test_a_file_of_something_else_is_named(state, tmp_path):
    torch.save(state, tmp_path / "run.pt")
    with pytest.raises(ValueError, match="is from a run with a different"):
        train(tmp_path / "run.pt")


def test_a_missing_folder_is_found_before_training(tmp_path):
    with pytest.raises(ValueError, match="expected an existing folder"):
        train(tmp_path / "nowhere" / "run.pt", callback=pytest.fail)


@pytest.mark.parametrize("done", [0, 1, 3])
def test_a_full_disk_keeps_the_old_checkpoint_and_the_history(done, tmp_path, unbroken):
    path = tmp_path / "run.pt"
    if done:
        train(path, epochs=done)
    old = {file.name: file.read_bytes() for file in tmp_path.iterdir()}
    told = rf"^checkpoint {re.escape(str(path))} can't be written \(File too large\).*"
    with full_disk(1000), pytest.raises(conv.CheckpointError, match=told) as full:
        train(path)
    assert full.value.__cause__.errno == errno.EFBIG
    history = full.value.history
    assert same(history.losses, unbroken[1]["losses"][: done + 1])
    assert same(history.snapshots, unbroken[1]["snapshots"][: done + 2])
    assert {file.name: file.read_bytes() for file in tmp_path.iterdir()} == old
    assert_is_unbroken(train(path), unbroken)


def draw(generator):
    """Draw from every generator that a run may use."""
    return (
        torch.rand(3),
        torch.rand(3, generator=generator),
        random.random(),
        np.random.rand(3).tolist(),  # noqa: NPY002 (the global generator)
        np.random.randn(1).tolist(),  # noqa: NPY002 (it keeps a second one for later)
    )


def test_all_generators_are_restored(tmp_path):
    """Through a file, as in a checkpoint."""
    generator = torch.Generator().manual_seed(1)
    rng = RNGState(torch.device("cpu"), generator)
    np.random.randn(1)  # noqa: NPY002
    torch.save(rng.state_dict(), tmp_path / "rng.pt")
    drawn = draw(generator)
    rng.load_state_dict(torch.load(tmp_path / "rng.pt", weights_only=True))
    assert same(draw(generator), drawn)


def test_states_of_more_or_fewer_generators_are_restored():
    """Of a loader that was not shuffled, or no longer is; of an accelerator."""
    cpu, generator = torch.device("cpu"), torch.Generator()
    few, more = RNGState(cpu), RNGState(cpu, generator)
    before = generator.get_state()
    more.load_state_dict(few.state_dict())
    assert same(generator.get_state(), before)
    saved, drawn = few.state_dict(), torch.rand(3)
    saved["processes"][0] |= {"loader": before, "device": torch.tensor([7])}
    few.load_state_dict(saved)
    assert same(torch.rand(3), drawn)


def test_a_new_process_keeps_its_generators(monkeypatch):
    saved, before = RNGState(torch.device("cpu")).state_dict(), torch.get_rng_state()
    monkeypatch.setattr("conv.checkpoints.process_rank", lambda: 1)
    torch.rand(3)
    after = torch.get_rng_state()
    RNGState(torch.device("cpu")).load_state_dict(saved)
    assert same(torch.get_rng_state(), after)
    assert not same(after, before)


def test_an_accelerators_generator_is_kept(monkeypatch):
    """There is none here: a stand-in takes its place."""
    places, seen = [], []
    module = SimpleNamespace(
        get_rng_state=lambda: torch.tensor([7]), set_rng_state=seen.append
    )

    def module_of(device):
        places.append(device)
        return module

    def index(number):
        places.append(number)
        return nullcontext()

    monkeypatch.setattr(torch, "get_device_module", module_of)
    monkeypatch.setattr(torch.accelerator, "device_index", index)
    device = torch.device("cuda:1")
    states = RNGState(device)
    states.load_state_dict(states.state_dict())
    assert seen == [torch.tensor([7])]
    assert places == [1, device] * 2
    states.load_state_dict(RNGState(torch.device("cpu")).state_dict())
    assert len(seen) == 1
