"""Interrupted runs resume exactly, and invalid checkpoint files change nothing."""

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
from killed_run import EPOCHS, MOMENTS, bitwise_equal, train


@pytest.fixture(scope="module")
def uninterrupted():
    net, history = train(None)
    return net.state_dict(), vars(history)


def assert_matches(run, uninterrupted):
    net, history = run
    assert bitwise_equal(net.state_dict(), uninterrupted[0])
    assert bitwise_equal(vars(history), uninterrupted[1])


@pytest.mark.parametrize("moment", MOMENTS)
def test_killed_and_resumed_run_matches_uninterrupted(moment, tmp_path, uninterrupted):
    path = tmp_path / "run.pt"
    script = [sys.executable, killed_run.__file__, path, moment]
    killed = subprocess.run(script, capture_output=True, check=False)
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    assert path.exists() == (moment != "before the first epoch ends")
    assert len(list(tmp_path.glob("*.part"))) == (moment == "in a write")
    assert_matches(train(path), uninterrupted)


@pytest.mark.rare
def test_killed_fifty_times_at_random():
    """Kill at random moments; with 50 kills, all long phases are very likely hit."""
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
    result = json.loads(run.stdout)
    assert len(result["kills"]) == sum(result["places"].values()) == 50
    assert {"training", "writing"} <= set(result["places"]), result["places"]


@pytest.mark.parametrize("stop", range(1, EPOCHS))
def test_interrupted_and_resumed_run_matches_uninterrupted(
    stop, tmp_path, uninterrupted
):
    def callback(epoch, history):
        if epoch == stop + 1:
            raise KeyboardInterrupt

    path = tmp_path / "run.pt"
    _, history = train(path, callback=callback)
    assert (len(history.losses), history.interrupted) == (stop + 1, True)
    assert_matches(train(path), uninterrupted)


def test_finished_run_is_not_trained_again(tmp_path, uninterrupted):
    path = tmp_path / "run.pt"
    train(path)
    again = train(path, callback=lambda *_: pytest.fail("an epoch was trained again"))
    assert_matches(again, uninterrupted)


def test_finished_run_continues_with_more_epochs(tmp_path, uninterrupted):
    path = tmp_path / "run.pt"
    train(path, epochs=2)
    assert_matches(train(path), uninterrupted)


def test_random_numbers_in_a_callback_are_reproduced(tmp_path):
    def draw(epoch, history):
        torch.rand(epoch)

    path = tmp_path / "run.pt"
    train(path, epochs=2, callback=draw)
    net, _ = train(path, callback=draw)
    assert bitwise_equal(net.state_dict(), train(None, callback=draw)[0].state_dict())


@pytest.mark.parametrize(
    "make_scheduler",
    [
        lambda o: lr_scheduler.CosineAnnealingLR(o, 20),
        lambda o: lr_scheduler.LambdaLR(o, lambda step: 0.9**step),
        lambda o: lr_scheduler.SequentialLR(
            o, [lr_scheduler.LinearLR(o), lr_scheduler.StepLR(o, 3)], [7]
        ),
    ],
)
@pytest.mark.parametrize(
    "make_optimizer",
    [
        lambda p: torch.optim.SGD(p, lr=0.01, momentum=0.9),
        lambda p: torch.optim.Adam(p, lr=0.01, amsgrad=True),
    ],
)
def test_other_optimizers_and_schedulers_resume(
    make_optimizer, make_scheduler, tmp_path
):
    def run(checkpoint, epochs):
        conv.seed_everything(1)
        x, y = torch.randn(30, 1, 1, 5), torch.randint(0, 2, (30,))
        net = nn.Sequential(nn.Flatten(), nn.Linear(5, 2))
        optimizer = make_optimizer(net.parameters())
        images = conv.LabeledImages(x, y, ("a", "b"))
        conv.fit(
            net,
            conv.make_loader(images, 7, shuffle=True),
            nn.functional.cross_entropy,
            optimizer,
            epochs,
            scheduler=make_scheduler(optimizer),
            checkpoint=checkpoint,
        )
        return net.state_dict(), optimizer.state_dict()

    run(tmp_path / "run.pt", 2)
    assert bitwise_equal(run(tmp_path / "run.pt", 4), run(None, 4))


def test_weights_of_the_best_epoch_are_kept():
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


def test_best_epoch_is_correct_if_validation_starts_later(tmp_path):
    path = tmp_path / "run.pt"
    train(path, epochs=2, validation=None, metric=None)
    net, history = train(path)
    assert len(history.losses) == EPOCHS
    assert len(history.validation_losses) == EPOCHS - 2
    assert history.best.keys() == net.state_dict().keys()


def test_divergence_advises_a_new_checkpoint(tmp_path):
    """Resuming the old checkpoint would restore the old learning rate as well."""
    net = nn.Linear(4, 2)
    optimizer = torch.optim.SGD(net.parameters(), lr=0.5)
    batches = [(torch.full((3, 4), math.inf), torch.tensor([0, 1, 1]))]
    loss = nn.functional.cross_entropy
    advice = r"below 0\.5 and a new checkpoint\."
    with pytest.raises(conv.DivergenceError, match=advice):
        conv.fit(net, batches, loss, optimizer, 3, checkpoint=tmp_path / "run.pt")


def test_best_epoch_is_zero_if_all_losses_are_infinite():
    history = conv.History(2, validation_losses=[math.nan, math.inf])
    assert history.best_epoch == 0


@pytest.mark.parametrize("content", [b"", b"rubbish", b"PK\x03\x04 half a file"])
def test_unreadable_file_raises(content, tmp_path):
    path = tmp_path / "run.pt"
    path.write_bytes(content)
    with pytest.raises(ValueError, match=rf"^checkpoint {re.escape(str(path))} can't"):
        train(path)
    assert path.read_bytes() == content


def test_code_in_a_checkpoint_is_not_executed(tmp_path):
    class Evil:
        def __reduce__(self):
            return os.mkdir, (str(tmp_path / "evil"),)

    torch.save({"net": Evil()}, tmp_path / "run.pt")
    with pytest.raises(ValueError, match="can't be read"):
        train(tmp_path / "run.pt")
    assert not (tmp_path / "evil").exists()


def fit_small_net(
    checkpoint, net=None, make_optimizer=torch.optim.SGD, make_scheduler=None
):
    net = net or nn.Linear(4, 2)
    optimizer = make_optimizer(net.parameters(), lr=0.1)
    scheduler = make_scheduler and make_scheduler(optimizer)
    batches = [(torch.ones(3, 4), torch.tensor([0, 1, 1]))]
    loss = nn.functional.cross_entropy
    return conv.fit(
        net, batches, loss, optimizer, 1, scheduler=scheduler, checkpoint=checkpoint
    )


@pytest.mark.parametrize(
    "changes",
    [
        {"net": nn.Linear(4, 3)},
        {"net": nn.Sequential(nn.Linear(4, 2))},
        {"make_optimizer": torch.optim.Adam},
        {"make_scheduler": lambda o: lr_scheduler.StepLR(o, 3)},
    ],
)
def test_checkpoint_of_another_run_raises(changes, tmp_path):
    path = tmp_path / "run.pt"
    fit_small_net(path)
    net = changes.setdefault("net", nn.Linear(4, 2))
    before = {name: value.clone() for name, value in net.state_dict().items()}
    with pytest.raises(ValueError, match="is from a run with a different"):
        fit_small_net(path, **changes)
    assert bitwise_equal(dict(net.state_dict()), before)


def test_checkpoint_has_these_keys(tmp_path):
    """The keys are fixed, so that later versions can read today's files."""
    path = tmp_path / "run.pt"
    fit_small_net(path)
    state = torch.load(path, weights_only=True)
    assert set(state) == {"net", "optimizer", "history", "rng"}
    assert set(state["history"]) == {
        *("losses", "validation_losses", "metrics", "best", "snapshots")
    }
    fit_small_net(
        tmp_path / "scheduler.pt", make_scheduler=lambda o: lr_scheduler.StepLR(o, 3)
    )
    with_scheduler = torch.load(tmp_path / "scheduler.pt", weights_only=True)
    assert set(with_scheduler) == {*state, "scheduler"}


@pytest.mark.parametrize(
    "other",
    [
        lambda o: lr_scheduler.OneCycleLR(o, 0.1, 10),
        lambda o: lr_scheduler.ExponentialLR(o, 0.9),  # the optimizer looks the same
    ],
)
def test_checkpoint_of_another_scheduler_raises(other, tmp_path):
    path = tmp_path / "run.pt"
    fit_small_net(path, make_scheduler=lambda o: lr_scheduler.StepLR(o, 3))
    with pytest.raises(ValueError, match="is from a run with a different"):
        fit_small_net(path, make_scheduler=other)


@pytest.mark.parametrize("state", [["net", "optimizer"], {"net": {}}, 3])
def test_file_that_is_not_a_checkpoint_raises(state, tmp_path):
    torch.save(state, tmp_path / "run.pt")
    with pytest.raises(ValueError, match="is from a run with a different"):
        train(tmp_path / "run.pt")


def test_missing_folder_raises_before_training(tmp_path):
    with pytest.raises(ValueError, match="expected a file name in an existing folder"):
        train(tmp_path / "nowhere" / "run.pt", callback=pytest.fail)


@pytest.mark.parametrize("done", [0, 1, 3])
def test_full_disk_keeps_the_old_checkpoint_and_the_history(
    done, tmp_path, uninterrupted
):
    path = tmp_path / "run.pt"
    if done:
        train(path, epochs=done)
    old = {file.name: file.read_bytes() for file in tmp_path.iterdir()}
    message = (
        rf"^checkpoint {re.escape(str(path))} can't be written \(File too large\).*"
    )
    with full_disk(1000), pytest.raises(conv.CheckpointError, match=message) as full:
        train(path)
    assert full.value.__cause__.errno == errno.EFBIG
    history = full.value.history
    assert bitwise_equal(history.losses, uninterrupted[1]["losses"][: done + 1])
    assert bitwise_equal(history.snapshots, uninterrupted[1]["snapshots"][: done + 2])
    assert {file.name: file.read_bytes() for file in tmp_path.iterdir()} == old
    assert_matches(train(path), uninterrupted)


def draw(generator):
    """Draw from every random number generator that a run may use."""
    return (
        torch.rand(3),
        torch.rand(3, generator=generator),
        random.random(),
        np.random.rand(3).tolist(),  # noqa: NPY002 (the global generator)
        np.random.randn(1).tolist(),  # noqa: NPY002 (it caches a second number)
    )


def test_all_generator_states_are_restored(tmp_path):
    """Save and load the states through a file, as a checkpoint does."""
    generator = torch.Generator().manual_seed(1)
    rng = RNGState(torch.device("cpu"), generator)
    np.random.randn(1)  # noqa: NPY002
    torch.save(rng.state_dict(), tmp_path / "rng.pt")
    drawn = draw(generator)
    rng.load_state_dict(torch.load(tmp_path / "rng.pt", weights_only=True))
    assert bitwise_equal(draw(generator), drawn)


def test_states_of_more_or_fewer_generators_can_be_loaded():
    """The saved or the current run may lack the loader or the accelerator."""
    cpu, generator = torch.device("cpu"), torch.Generator()
    few, more = RNGState(cpu), RNGState(cpu, generator)
    before = generator.get_state()
    more.load_state_dict(few.state_dict())
    assert bitwise_equal(generator.get_state(), before)
    saved, drawn = few.state_dict(), torch.rand(3)
    saved["processes"][0] |= {"loader": before, "device": torch.tensor([7])}
    few.load_state_dict(saved)
    assert bitwise_equal(torch.rand(3), drawn)


def test_additional_process_keeps_its_generator_states(monkeypatch):
    saved, before = RNGState(torch.device("cpu")).state_dict(), torch.get_rng_state()
    monkeypatch.setattr("conv.checkpoints.process_rank", lambda: 1)
    torch.rand(3)
    after = torch.get_rng_state()
    RNGState(torch.device("cpu")).load_state_dict(saved)
    assert bitwise_equal(torch.get_rng_state(), after)
    assert not bitwise_equal(after, before)


def test_generator_state_of_an_accelerator_is_restored(monkeypatch):
    """The accelerator is a mock, because the test machine may have none."""
    calls, seen = [], []
    module = SimpleNamespace(
        get_rng_state=lambda: torch.tensor([7]), set_rng_state=seen.append
    )

    def module_of(device):
        calls.append(device)
        return module

    def index(number):
        calls.append(number)
        return nullcontext()

    monkeypatch.setattr(torch, "get_device_module", module_of)
    monkeypatch.setattr(torch.accelerator, "device_index", index)
    device = torch.device("cuda:1")
    states = RNGState(device)
    states.load_state_dict(states.state_dict())
    assert seen == [torch.tensor([7])]
    assert calls == [1, device] * 2
    states.load_state_dict(RNGState(torch.device("cpu")).state_dict())
    assert len(seen) == 1
