"""Test conv.fit: losses, callbacks, validation, interruptions and errors."""

import math
import re

import numpy as np
import pytest
import torch
import torch.distributed as dist
from scipy.optimize import linprog
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

import conv
from conv import DivergenceError, History, corr2d, fit
from conv.training import all_reduce_mean, remaining_epochs


def squared_error(output, target):
    return ((output - target) ** 2).sum()


def train_example(start, device, lr=3e-2, epochs=10, **options):
    """Learn the kernel (1, -1) as in chapter 4, from a given initial kernel."""
    X = torch.ones(6, 8)
    X[:, 2:6] = 0
    Y = corr2d(X, torch.tensor([[1.0, -1.0]]))
    net = nn.Conv2d(1, 1, (1, 2), bias=False)
    with torch.no_grad():
        net.weight.copy_(torch.tensor(start).reshape(1, 1, 1, 2))
    net.to(device)
    optimizer = torch.optim.SGD(net.parameters(), lr=lr)
    batches = [(X[None, None], Y[None, None])]  # fit moves them
    history = fit(net, batches, squared_error, optimizer, epochs, **options)
    return net.weight.detach().flatten().tolist(), history


@pytest.mark.parametrize(
    ("start", "end"),
    [
        ((0.50272, 0.64782), (1.0494, -0.9259)),
        ((-0.64782, -0.50272), (0.9259, -1.0494)),
    ],
)
def test_losses_match_the_lesson_in_chapter_4(start, end, device):
    kernel, history = train_example(start, device)
    printed = [f"{loss:.3f}" for loss in history.losses[1::2]]
    assert printed == ["18.362", "6.154", "2.291", "0.900", "0.362"]
    assert [round(weight, 4) for weight in kernel] == list(end)
    # The lesson in chapter 4's appendix prints a kernel from a different run.
    assert [round(weight, 4) for weight in kernel] != [1.0549, -0.9209]


def test_printed_kernel_of_the_lesson_contradicts_its_losses():
    """The losses bound the final loss, and the kernel's loss exceeds the bound."""
    printed = np.array([18.362, 6.154, 2.291, 0.900, 0.362])
    steps = np.array([1, 3, 5, 7, 9])
    powers = np.stack([0.64**steps, 0.4096**steps], axis=1)
    sides = np.concatenate([powers, -powers])
    bounds = np.concatenate([printed + 0.0005, -(printed - 0.0005)])
    last = np.array([0.64**10, 0.4096**10])
    low, high = linprog(last, sides, bounds).fun, -linprog(-last, sides, bounds).fun
    assert (round(low, 4), round(high, 4)) == (0.2307, 0.2308)
    e1, e2 = 1.0549 - 1, -0.9209 + 1
    assert round(18 * e1**2 + 24 * e1 * e2 + 18 * e2**2, 4) == 0.2711


def test_snapshots_are_copies(device):
    kernel, history = train_example((0.5, 0.6), device, snapshots=True)
    assert len(history.snapshots) == 11
    first, last = (history.snapshots[k]["weight"].flatten() for k in (0, -1))
    assert first.tolist() == pytest.approx([0.5, 0.6])
    assert last.tolist() == kernel
    assert first.device.type == "cpu"


def test_no_snapshots_by_default(device):
    assert train_example((0.5, 0.6), device)[1].snapshots == []


def classifier():
    images, labels = torch.randn(23, 1, 6, 6), torch.randint(0, 3, (23,))
    net = nn.Sequential(nn.Conv2d(1, 4, 3), nn.ReLU(), nn.Flatten(), nn.Linear(64, 3))
    return TensorDataset(images, labels), net


def test_fit_matches_a_plain_training_loop(device):
    data, net = classifier()
    net.to(device)
    reference = nn.Sequential(
        nn.Conv2d(1, 4, 3), nn.ReLU(), nn.Flatten(), nn.Linear(64, 3)
    ).to(device)
    reference.load_state_dict(net.state_dict())
    loader = DataLoader(data, batch_size=5)  # the last batch has three examples

    loss = nn.CrossEntropyLoss()
    optimizer = torch.optim.Adam(reference.parameters(), lr=0.01)
    expected = []
    for _ in range(4):
        total = 0.0
        for x, y in loader:
            error = loss(reference(x.to(device)), y.to(device))
            optimizer.zero_grad()
            error.backward()
            optimizer.step()
            total += error.item() * len(x)
        expected.append(total / len(data))

    optimizer = torch.optim.Adam(net.parameters(), lr=0.01)
    history = fit(net, loader, loss, optimizer, 4)
    assert history.losses == pytest.approx(expected, rel=1e-5)
    torch.testing.assert_close(net.state_dict(), reference.state_dict())


def test_fit_uses_training_mode():
    data, net = classifier()
    net.eval()
    optimizer = torch.optim.SGD(net.parameters(), lr=0.01)
    fit(net, DataLoader(data, 8), nn.CrossEntropyLoss(), optimizer, 1)
    assert net.training


def test_callback_is_called_after_each_epoch(device):
    seen = []

    def callback(epoch, history):
        seen.append((epoch, len(history.losses)))

    train_example((0.5, 0.6), device, epochs=3, callback=callback)
    assert seen == [(1, 1), (2, 2), (3, 3)]


def test_divergence_error_has_advice_and_history(device):
    with pytest.raises(DivergenceError) as caught:
        train_example((0.5, 0.6), device, lr=0.04, epochs=1000, snapshots=True)
    history = caught.value.history
    stopped = len(history.losses)
    assert re.match(
        rf"the loss is (inf|nan) in epoch {stopped}; .* learning rate below 0\.04",
        str(caught.value),
    )
    assert not math.isfinite(history.losses[-1])
    assert all(map(math.isfinite, history.losses[:-1]))
    assert len(history.snapshots) == stopped + 1


def test_interruption_keeps_history_and_weights(device, capsys):
    def callback(epoch, history):
        if epoch == 4:
            raise KeyboardInterrupt

    kernel, history = train_example(
        (0.50272, 0.64782), device, callback=callback, snapshots=True
    )
    assert history.interrupted
    assert f"{history.losses[1]:.3f}" == "18.362"
    assert history.snapshots[-1]["weight"].flatten().tolist() == kernel
    assert repr(history) == "History(4 of 10 epochs, last loss 6.154, INTERRUPTED)"
    assert "Interrupted: History(4 of 10" in capsys.readouterr().err


def test_interruption_in_the_middle_of_an_epoch():
    data, net = classifier()
    loader = list(DataLoader(data, 8))
    calls = []

    def loss(output, target):
        calls.append(1)
        if len(calls) == 5:  # the second batch of the second epoch
            raise KeyboardInterrupt
        return nn.functional.cross_entropy(output, target)

    optimizer = torch.optim.SGD(net.parameters(), lr=0.01)
    history = fit(net, loader, loss, optimizer, 9)
    assert (len(history.losses), history.interrupted) == (1, True)


def test_interruption_during_validation(capsys):
    data, net = classifier()
    loader = list(DataLoader(data, 8))

    def metric(output, target):
        raise KeyboardInterrupt

    optimizer = torch.optim.SGD(net.parameters(), lr=0.01)
    loss = nn.functional.cross_entropy
    history = fit(net, loader, loss, optimizer, 9, validation=loader, metric=metric)
    assert (len(history.losses), history.interrupted) == (1, True)
    assert net.training


def test_progress_is_written_to_stderr_only(device, capsys, monkeypatch):
    monkeypatch.delenv("TQDM_DISABLE", raising=False)
    train_example((0.5, 0.6), device)
    streams = capsys.readouterr()
    assert streams.out == ""
    assert streams.err.startswith("\rfit:   0%|")
    assert "0/10" in streams.err
    assert streams.err.endswith(" \r")  # cleared: a cell may train many times
    assert re.search(r"epoch/s|s/epoch", streams.err)


def test_progress_resumes(capsys, monkeypatch):
    monkeypatch.delenv("TQDM_DISABLE", raising=False)
    run = History(4, losses=[3.0, 2.0, 1.0])
    assert list(remaining_epochs(run)) == [4]
    assert re.match(r"\rfit:  75%\|\S+ +\| 3/4 \[", capsys.readouterr().err)


def test_means_are_taken_over_all_processes(monkeypatch):
    def all_reduce(sums):
        sums += torch.tensor([10.0, 4.0])

    monkeypatch.setattr(dist, "is_initialized", lambda: True)
    monkeypatch.setattr(dist, "all_reduce", all_reduce)
    assert all_reduce_mean(torch.tensor([2.0]), 2) == [2.0]


def test_repr_of_an_empty_history():
    assert repr(History(3)) == "History(0 of 3 epochs)"


def fit_classifier(**changes):
    data, net = classifier()
    arguments = {
        "net": net,
        "batches": DataLoader(data, 8),
        "loss": nn.CrossEntropyLoss(),
        "optimizer": torch.optim.SGD(net.parameters(), lr=0.01),
        "epochs": 2,
    }
    return fit(**(arguments | changes))


@pytest.mark.parametrize("name", ["batches", "validation"])
def test_generators_are_rejected_before_training(name):
    """A generator would be exhausted in the second epoch."""
    data, _ = classifier()
    generator = (batch for batch in DataLoader(data, 8))
    with pytest.raises(
        TypeError, match=f"^{name} is a generator, which can be used only once"
    ):
        fit_classifier(**{name: generator}, callback=pytest.fail)


@pytest.mark.parametrize("name", ["batches", "validation"])
def test_empty_and_malformed_batches_raise(name):
    with pytest.raises(ValueError, match=f"^{name} is empty"):
        fit_classifier(**{name: []})
    with pytest.raises(TypeError, match=f"^{name} contains a Tensor; expected"):
        fit_classifier(**{name: [torch.zeros(3)]})


def test_any_error_has_the_history():
    def callback(epoch, history):
        if epoch == 2:
            raise OSError("the disk is full")

    with pytest.raises(OSError, match="the disk is full") as caught:
        fit_classifier(callback=callback)
    assert len(caught.value.history.losses) == 2


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16, torch.float32])
def test_mean_loss_has_float32_precision(dtype):
    """A sum in float16 would overflow, and in bfloat16 lose all but two digits."""
    torch.manual_seed(0)
    values = (torch.rand(700) + 1).to(dtype)
    batches = [(value.expand(100), value.expand(100)) for value in values]
    net = nn.Linear(1, 1)

    def loss(inputs, targets):
        return targets.mean() + 0 * net.weight.sum().to(dtype)

    class Identity(nn.Linear):
        def forward(self, x):
            return x

    expected = values.float().mean().item()
    net = Identity(1, 1)
    [mean] = conv.evaluate(net, batches, lambda output, target: target[0])
    assert mean == pytest.approx(expected, rel=1e-6)
    optimizer = torch.optim.SGD(net.parameters(), lr=0.0)
    history = fit(net, batches, loss, optimizer, 1)
    assert history.losses == pytest.approx([expected], rel=1e-6)


def test_scheduler_steps_after_each_batch(device):
    data, net = classifier()
    optimizer = torch.optim.SGD(net.to(device).parameters(), lr=0.5)
    scheduler = torch.optim.lr_scheduler.StepLR(optimizer, step_size=1, gamma=0.5)
    rates = []

    def loss(output, target):
        rates.append(optimizer.param_groups[0]["lr"])
        return nn.functional.cross_entropy(output, target)

    fit(net, DataLoader(data, 8), loss, optimizer, 2, scheduler=scheduler)
    assert rates == [0.5, 0.25, 0.125, 0.0625, 0.03125, 0.015625]


def test_validation_is_measured_after_each_epoch(device):
    data, net = classifier()
    validation = [(data.tensors[0][:9], data.tensors[1][:9])]
    loss = nn.CrossEntropyLoss()
    expected = []

    def callback(epoch, history):
        expected.append(conv.evaluate(net, validation, loss, conv.accuracy))

    history = fit(
        net.to(device),
        DataLoader(data, 8),
        loss,
        torch.optim.SGD(net.parameters(), lr=0.1),
        3,
        callback,
        validation=validation,
        metric=conv.accuracy,
    )
    assert [*zip(history.validation_losses, history.metrics, strict=True)] == [
        *map(tuple, expected)
    ]
    assert history.best.keys() == net.state_dict().keys()
    assert {value.device.type for value in history.best.values()} == {"cpu"}


def test_validation_does_not_affect_training():
    def run(**options):
        torch.manual_seed(2)
        data, net = classifier()
        net.append(nn.Dropout(0.2))
        optimizer = torch.optim.SGD(net.parameters(), lr=0.1)
        loader = DataLoader(data, 8, shuffle=True)
        return fit(net, loader, nn.CrossEntropyLoss(), optimizer, 3, **options).losses

    data, _ = classifier()
    assert run() == run(validation=list(DataLoader(data, 8)), metric=conv.accuracy)


@pytest.mark.parametrize("training", [True, False])
def test_evaluate_uses_evaluation_mode_and_restores_the_mode(training, device):
    data, net = classifier()
    net = nn.Sequential(net, nn.Dropout(0.9)).to(device).train(training)
    loss = nn.CrossEntropyLoss()
    measured = conv.evaluate(net, DataLoader(data, 5), loss, conv.accuracy)
    assert net.training == training
    images, labels = (tensor.to(device) for tensor in data.tensors)
    output = net.eval()(images)
    right = (output.argmax(1) == labels).sum().item()
    assert measured == pytest.approx([loss(output, labels).item(), right / 23])
    assert all(parameter.grad is None for parameter in net.parameters())


def test_metric_must_be_a_scalar():
    data, net = classifier()
    with pytest.raises(
        ValueError,
        match=r"^a loss or metric returned a tensor of shape",
    ):
        conv.evaluate(net, DataLoader(data, 8), lambda output, target: output)


def test_accuracy():
    scores = torch.tensor([[0.0, 1, 2], [3, 1, 2], [0, 5, 4], [1, 0, 0]])
    assert conv.accuracy(scores, torch.tensor([2, 0, 2, 1])) == 0.5
