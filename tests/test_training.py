"""conv.fit: the lesson's five losses, and what survives interruptions and errors."""

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


def the_lesson(start, device, lr=3e-2, epochs=10, **options):
    """Learn (1, -1) from the bar, from a given first kernel."""
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
def test_the_lessons_losses(start, end, device):
    kernel, history = the_lesson(start, device)
    printed = [f"{loss:.3f}" for loss in history.losses[1::2]]
    assert printed == ["18.362", "6.154", "2.291", "0.900", "0.362"]
    assert [round(weight, 4) for weight in kernel] == list(end)
    # The lesson's own printout is of another run.
    assert [round(weight, 4) for weight in kernel] != [1.0549, -0.9209]


def test_the_lessons_kernel_is_impossible():
    """Bound the loss after ten updates by the five printed ones."""
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


def test_snapshots_are_copies_of_each_step(device):
    kernel, history = the_lesson((0.5, 0.6), device, snapshots=True)
    assert len(history.snapshots) == 11
    first, last = (history.snapshots[k]["weight"].flatten() for k in (0, -1))
    assert first.tolist() == pytest.approx([0.5, 0.6])
    assert last.tolist() == kernel
    assert first.device.type == "cpu"


def test_no_snapshots_unless_asked(device):
    assert the_lesson((0.5, 0.6), device)[1].snapshots == []


def a_classifier():
    images, labels = torch.randn(23, 1, 6, 6), torch.randint(0, 3, (23,))
    net = nn.Sequential(nn.Conv2d(1, 4, 3), nn.ReLU(), nn.Flatten(), nn.Linear(64, 3))
    return TensorDataset(images, labels), net


def test_classifier_equals_a_bare_loop(device):
    data, net = a_classifier()
    net.to(device)
    twin = nn.Sequential(
        nn.Conv2d(1, 4, 3), nn.ReLU(), nn.Flatten(), nn.Linear(64, 3)
    ).to(device)
    twin.load_state_dict(net.state_dict())
    loader = DataLoader(data, batch_size=5)  # the last batch has three

    loss = nn.CrossEntropyLoss()
    optimizer = torch.optim.Adam(twin.parameters(), lr=0.01)
    expected = []
    for _ in range(4):
        total = 0.0
        for x, y in loader:
            error = loss(twin(x.to(device)), y.to(device))
            optimizer.zero_grad()
            error.backward()
            optimizer.step()
            total += error.item() * len(x)
        expected.append(total / len(data))

    optimizer = torch.optim.Adam(net.parameters(), lr=0.01)
    history = fit(net, loader, loss, optimizer, 4)
    assert history.losses == pytest.approx(expected, rel=1e-5)
    torch.testing.assert_close(net.state_dict(), twin.state_dict())


def test_trains_in_training_mode():
    data, net = a_classifier()
    net.eval()
    optimizer = torch.optim.SGD(net.parameters(), lr=0.01)
    fit(net, DataLoader(data, 8), nn.CrossEntropyLoss(), optimizer, 1)
    assert net.training


def test_callback_sees_each_epoch(device):
    seen = []

    def callback(epoch, history):
        seen.append((epoch, len(history.losses)))

    the_lesson((0.5, 0.6), device, epochs=3, callback=callback)
    assert seen == [(1, 1), (2, 2), (3, 3)]


def test_divergence_names_epoch_and_rate_and_keeps_the_run(device):
    with pytest.raises(DivergenceError) as caught:
        the_lesson((0.5, 0.6), device, lr=0.04, epochs=1000, snapshots=True)
    history = caught.value.history
    stopped = len(history.losses)
    assert re.match(
        rf"the loss is (inf|nan) in epoch {stopped}; .* learning rate below 0\.04",
        str(caught.value),
    )
    assert not math.isfinite(history.losses[-1])
    assert all(map(math.isfinite, history.losses[:-1]))
    assert len(history.snapshots) == stopped + 1


def test_interruption_keeps_the_run(device, capsys):
    def callback(epoch, history):
        if epoch == 4:
            raise KeyboardInterrupt

    kernel, history = the_lesson(
        (0.50272, 0.64782), device, callback=callback, snapshots=True
    )
    assert history.interrupted
    assert f"{history.losses[1]:.3f}" == "18.362"
    assert history.snapshots[-1]["weight"].flatten().tolist() == kernel
    assert repr(history) == "History(4 of 10 epochs, last loss 6.154, INTERRUPTED)"
    assert "Interrupted: History(4 of 10" in capsys.readouterr().err


def test_interruption_in_the_middle_of_an_epoch():
    data, net = a_classifier()
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


def test_interruption_while_measuring(capsys):
    data, net = a_classifier()
    loader = list(DataLoader(data, 8))

    def metric(output, target):
        raise KeyboardInterrupt

    optimizer = torch.optim.SGD(net.parameters(), lr=0.01)
    loss = nn.functional.cross_entropy
    history = fit(net, loader, loss, optimizer, 9, validation=loader, metric=metric)
    assert (len(history.losses), history.interrupted) == (1, True)
    assert net.training


def test_progress_goes_to_stderr_only(device, capsys, monkeypatch):
    monkeypatch.delenv("TQDM_DISABLE", raising=False)
    the_lesson((0.5, 0.6), device)
    streams = capsys.readouterr()
    assert streams.out == ""
    assert streams.err.startswith("\rfit:   0%|")
    assert "0/10" in streams.err
    assert streams.err.endswith(" \r")  # cleared: a cell may train many times
    assert re.search(r"epoch/s|s/epoch", streams.err)


def test_progress_goes_on_where_it_was(capsys, monkeypatch):
    monkeypatch.delenv("TQDM_DISABLE", raising=False)
    run = History(4, losses=[3.0, 2.0, 1.0])
    assert list(remaining_epochs(run)) == [4]
    assert re.match(r"\rfit:  75%\|\S+ +\| 3/4 \[", capsys.readouterr().err)


def test_means_are_over_all_processes(monkeypatch):
    def add_the_others(sums):
        sums += torch.tensor([10.0, 4.0])

    monkeypatch.setattr(dist, "is_initialized", lambda: True)
    monkeypatch.setattr(dist, "all_reduce", add_the_others)
    assert all_reduce_mean(torch.tensor([2.0]), 2) == [2.0]


def test_history_before_the_first_epoch():
    assert repr(History(3)) == "History(0 of 3 epochs)"


def fit_classifier(**changes):
    data, net = a_classifier()
    arguments = {
        "net": net,
        "batches": DataLoader(data, 8),
        "loss": nn.CrossEntropyLoss(),
        "optimizer": torch.optim.SGD(net.parameters(), lr=0.01),
        "epochs": 2,
    }
    return fit(**(arguments | changes))


@pytest.mark.parametrize("name", ["batches", "validation"])
def test_a_generator_is_rejected_before_training(name):
    """It would be empty in the second epoch."""
    data, _ = a_classifier()
    generator = (batch for batch in DataLoader(data, 8))
    with pytest.raises(
        TypeError, match=f"^{name} is a generator, which can be used only once"
    ):
        fit_classifier(**{name: generator}, callback=pytest.fail)


@pytest.mark.parametrize("name", ["batches", "validation"])
def test_empty_and_malformed_batches_are_named(name):
    with pytest.raises(ValueError, match=f"^{name} is empty"):
        fit_classifier(**{name: []})
    with pytest.raises(TypeError, match=f"^{name} contains a Tensor; expected"):
        fit_classifier(**{name: [torch.zeros(3)]})


def test_any_error_carries_the_history():
    def callback(epoch, history):
        if epoch == 2:
            raise OSError("the disk is full")

    with pytest.raises(OSError, match="the disk is full") as caught:
        fit_classifier(callback=callback)
    assert len(caught.value.history.losses) == 2


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16, torch.float32])
def test_the_mean_loss_is_as_precise_as_float32(dtype):
    """A sum in float16 would overflow, and in bfloat16 lose all but two digits."""
    torch.manual_seed(0)
    values = (torch.rand(700) + 1).to(dtype)
    batches = [(value.expand(100), value.expand(100)) for value in values]
    net = nn.Linear(1, 1)

    def loss(inputs, targets):
        return targets.mean() + 0 * net.weight.sum().to(dtype)

    class Same(nn.Linear):
        def forward(self, x):
            return x

    expected = values.float().mean().item()
    net = Same(1, 1)
    [mean] = conv.evaluate(net, batches, lambda output, target: target[0])
    assert mean == pytest.approx(expected, rel=1e-6)
    optimizer = torch.optim.SGD(net.parameters(), lr=0.0)
    history = fit(net, batches, loss, optimizer, 1)
    assert history.losses == pytest.approx([expected], rel=1e-6)


def test_scheduler_steps_after_each_batch(device):
    data, net = a_classifier()
    optimizer = torch.optim.SGD(net.to(device).parameters(), lr=0.5)
    plan = torch.optim.lr_scheduler.StepLR(optimizer, step_size=1, gamma=0.5)
    rates = []

    def loss(output, target):
        rates.append(optimizer.param_groups[0]["lr"])
        return nn.functional.cross_entropy(output, target)

    fit(net, DataLoader(data, 8), loss, optimizer, 2, scheduler=plan)
    assert rates == [0.5, 0.25, 0.125, 0.0625, 0.03125, 0.015625]


def test_validation_is_measured_after_each_epoch(device):
    data, net = a_classifier()
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


def test_validation_does_not_touch_training():
    def run(**options):
        torch.manual_seed(2)
        data, net = a_classifier()
        net.append(nn.Dropout(0.2))
        optimizer = torch.optim.SGD(net.parameters(), lr=0.1)
        loader = DataLoader(data, 8, shuffle=True)
        return fit(net, loader, nn.CrossEntropyLoss(), optimizer, 3, **options).losses

    data, _ = a_classifier()
    assert run() == run(validation=list(DataLoader(data, 8)), metric=conv.accuracy)


@pytest.mark.parametrize("training", [True, False])
def test_evaluation_is_in_evaluation_mode_and_puts_it_back(training, device):
    data, net = a_classifier()
    net = nn.Sequential(net, nn.Dropout(0.9)).to(device).train(training)
    loss = nn.CrossEntropyLoss()
    measured = conv.evaluate(net, DataLoader(data, 5), loss, conv.accuracy)
    assert net.training == training
    images, labels = (tensor.to(device) for tensor in data.tensors)
    output = net.eval()(images)
    right = (output.argmax(1) == labels).sum().item()
    assert measured == pytest.approx([loss(output, labels).item(), right / 23])
    assert all(parameter.grad is None for parameter in net.parameters())


def test_a_metric_with_many_numbers_is_rejected():
    data, net = a_classifier()
    with pytest.raises(
        ValueError, match=r"^a loss or metric returned \(8, 3\); expected a scalar"
    ):
        conv.evaluate(net, DataLoader(data, 8), lambda output, target: output)


def test_accuracy_counts():
    scores = torch.tensor([[0.0, 1, 2], [3, 1, 2], [0, 5, 4], [1, 0, 0]])
    assert conv.accuracy(scores, torch.tensor([2, 0, 2, 1])) == 0.5
