"""Bad input: each public function says which argument, what came, what it expected.

Never a crash deep in PyTorch, never a silent answer.
"""

import inspect
import os
import traceback
from collections.abc import Callable
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pytest
import torch
from torch import nn

import conv
from conv import exercises, widgets

PACKAGE = Path(conv.__file__).parent
NAN, INF, HUGE = float("nan"), float("inf"), 2**70
X, K = torch.rand(6, 7), torch.rand(2, 3)
BATCH, KERNELS = torch.rand(2, 4, 6, 7), torch.rand(6, 4, 2, 3)
BACK = torch.rand(4, 6, 2, 3)  # (C_in, C_out, h, w), as conv_transpose2d has it
BIAS = torch.rand(6)
DIGIT = torch.rand(28, 28)


class Row:
    """One bad call: what it is, what it must raise, and what that must say."""

    def __init__(
        self, call: Callable, name: str, came: str, kind: type[Exception] = ValueError
    ) -> None:
        self.call, self.name, self.came, self.kind = call, name, came, kind


def wrong_type(call: Callable, name: str, came: str) -> Row:
    return Row(call, name, came, TypeError)


def numbers(call: Callable[[object], object], name: str, least: int) -> list[Row]:
    """List what is no number of pixels, for an argument of one or two."""
    rubbish = [None, "2", 1.5, True, [1, "2"], (1, 2, 3), (1, None), torch.tensor(2)]
    rows = [wrong_type(lambda bad=bad: call(bad), name, repr(bad)) for bad in rubbish]
    small = [least - 1, -7, (least, least - 1)]
    return rows + [Row(lambda bad=bad: call(bad), name, repr(bad)) for bad in small]


def pictures(call: Callable[[object], object], name: str, axes: int) -> list[Row]:
    """List what is no tensor with so many axes."""
    rubbish = [None, "X", 3, [[1.0]], np.ones((2, 2)), object()]
    kinds = ["NoneType", "str", "int", "list", "ndarray", "object"]
    rows = [
        wrong_type(lambda bad=bad: call(bad), name, kind)
        for bad, kind in zip(rubbish, kinds, strict=True)
    ]
    more, empty = torch.rand([2] * (axes + 1)), torch.rand([2] * (axes - 1) + [0])
    complex_ones = torch.ones([2] * axes, dtype=torch.complex64)
    return [
        *rows,
        wrong_type(lambda: call(complex_ones), name, "complex64"),
        Row(lambda: call(more), name, str(tuple(more.shape))),
        Row(lambda: call(torch.tensor(1.0)), name, "()"),
        Row(lambda: call(empty), name, str(tuple(empty.shape))),
    ]


def counts(call: Callable[[object], object], name: str) -> list[Row]:
    """List what is no number of things."""
    rubbish = [None, "2", 1.5, True, [2], torch.tensor(2)]
    rows = [wrong_type(lambda bad=bad: call(bad), name, repr(bad)) for bad in rubbish]
    return rows + [Row(lambda bad=bad: call(bad), name, repr(bad)) for bad in (0, -3)]


CORR2D = [
    *pictures(lambda bad: conv.corr2d(bad, K), "X", 2),
    *pictures(lambda bad: conv.corr2d(X, bad), "K", 2),
    Row(lambda: conv.corr2d(K, X), "K", "(6, 7)"),
    Row(lambda: conv.corr2d(X, torch.rand(7, 1)), "K", "(7, 1)"),
    Row(lambda: conv.corr2d(X.to("meta"), K), "K", "meta"),
    Row(lambda: conv.corr2d(X, K.to("meta")), "K", "meta"),
]

CONV2D = [
    *pictures(lambda bad: conv.conv2d(bad, KERNELS), "X", 4),
    *pictures(lambda bad: conv.conv2d(BATCH, bad), "K", 4),
    *pictures(lambda bad: conv.conv2d(BATCH, KERNELS, bad), "bias", 1)[1:],
    *numbers(lambda bad: conv.conv2d(BATCH, KERNELS, stride=bad), "stride", 1),
    *numbers(lambda bad: conv.conv2d(BATCH, KERNELS, dilation=bad), "dilation", 1),
    wrong_type(lambda: conv.conv2d(BATCH, KERNELS, padding=None), "padding", "None"),
    wrong_type(lambda: conv.conv2d(BATCH, KERNELS, padding=0.5), "padding", "0.5"),
    Row(lambda: conv.conv2d(BATCH, KERNELS, padding="full"), "padding", "'full'"),
    Row(lambda: conv.conv2d(BATCH, KERNELS, padding=-1), "padding", "-1"),
    Row(lambda: conv.conv2d(BATCH, KERNELS, padding=HUGE), "padding", str(HUGE)),
    Row(lambda: conv.conv2d(BATCH, KERNELS, dilation=HUGE), "dilation", str(HUGE)),
    Row(lambda: conv.conv2d(BATCH, KERNELS, stride=HUGE), "stride", str(HUGE)),
    Row(
        lambda: conv.conv2d(BATCH, KERNELS, padding="same", stride=2), "padding", "same"
    ),
    Row(lambda: conv.conv2d(BATCH, torch.rand(6, 4, 9, 3)), "kernel", "(9, 3)"),
    Row(lambda: conv.conv2d(BATCH, KERNELS, dilation=6), "dilation", "6"),
    Row(lambda: conv.conv2d(BATCH, KERNELS[:, :3]), "K", "(6, 3, 2, 3)"),
    Row(lambda: conv.conv2d(BATCH, KERNELS, groups=0), "groups", "0"),
    Row(lambda: conv.conv2d(BATCH, KERNELS, groups=-2), "groups", "-2"),
    Row(lambda: conv.conv2d(BATCH, KERNELS, groups=3), "groups", "3"),
    Row(lambda: conv.conv2d(BATCH, KERNELS, groups=HUGE), "groups", str(HUGE)),
    wrong_type(lambda: conv.conv2d(BATCH, KERNELS, groups="2"), "groups", "'2'"),
    wrong_type(lambda: conv.conv2d(BATCH, KERNELS, groups=True), "groups", "True"),
    Row(lambda: conv.conv2d(BATCH, KERNELS, torch.rand(5)), "bias", "5"),
    Row(lambda: conv.conv2d(BATCH, KERNELS.to("meta")), "K", "meta"),
    Row(lambda: conv.conv2d(BATCH, KERNELS, torch.rand(6).to("meta")), "bias", "meta"),
]

CONV_TRANSPOSE2D = [
    *pictures(lambda bad: conv.conv_transpose2d(bad, BACK), "X", 4),
    *pictures(lambda bad: conv.conv_transpose2d(BATCH, bad), "K", 4),
    *numbers(lambda bad: conv.conv_transpose2d(BATCH, BACK, stride=bad), "stride", 1),
    *numbers(lambda bad: conv.conv_transpose2d(BATCH, BACK, padding=bad), "padding", 0),
    *numbers(
        lambda bad: conv.conv_transpose2d(BATCH, BACK, output_padding=bad),
        "output_padding",
        0,
    ),
    Row(
        lambda: conv.conv_transpose2d(BATCH, BACK, output_padding=1),
        "output_padding",
        "1",
    ),
    Row(lambda: conv.conv_transpose2d(BATCH, BACK, padding=9), "padding", "9"),
    Row(
        lambda: conv.conv_transpose2d(BATCH, BACK, padding=HUGE),
        "padding",
        str(HUGE),
    ),
    Row(lambda: conv.conv_transpose2d(BATCH, BACK, stride=HUGE), "stride", str(HUGE)),
    Row(
        lambda: conv.conv_transpose2d(BATCH, BACK, dilation=HUGE),
        "dilation",
        str(HUGE),
    ),
    Row(lambda: conv.conv_transpose2d(BATCH, KERNELS), "K", "(6, 4, 2, 3)"),
    Row(lambda: conv.conv_transpose2d(BATCH, BACK, groups=3), "groups", "3"),
    Row(lambda: conv.conv_transpose2d(BATCH, BACK, torch.rand(4)), "bias", "4"),
    Row(lambda: conv.conv_transpose2d(BATCH, BACK.to("meta")), "K", "meta"),
]

POOL2D = [
    *pictures(lambda bad: conv.pool2d(bad, 2), "X", 4),
    *numbers(lambda bad: conv.pool2d(BATCH, bad), "pool_size", 1),
    *numbers(lambda bad: conv.pool2d(BATCH, 2, stride=bad), "stride", 1)[1:],
    *numbers(lambda bad: conv.pool2d(BATCH, 2, padding=bad), "padding", 0),
    Row(lambda: conv.pool2d(BATCH, 2, "median"), "mode", "'median'"),
    Row(lambda: conv.pool2d(BATCH, 2, None), "mode", "None"),
    Row(lambda: conv.pool2d(BATCH, 8), "size", "8"),
    Row(lambda: conv.pool2d(BATCH, HUGE), "size", str(HUGE)),
    Row(lambda: conv.pool2d(BATCH, 2, stride=HUGE), "stride", str(HUGE)),
    Row(lambda: conv.pool2d(BATCH, 2, padding=2), "padding", "2"),
    Row(lambda: conv.pool2d(BATCH, 2, padding=HUGE), "padding", str(HUGE)),
]

OUTPUT_SHAPE = [
    *numbers(lambda bad: conv.output_shape(bad, 3), "size", 1),
    *numbers(lambda bad: conv.output_shape(8, bad), "kernel_size", 1),
    *numbers(lambda bad: conv.output_shape(8, 3, stride=bad), "stride", 1),
    *numbers(lambda bad: conv.output_shape(8, 3, padding=bad), "padding", 0),
    *numbers(lambda bad: conv.output_shape(8, 3, dilation=bad), "dilation", 1),
    Row(lambda: conv.output_shape(8, 9), "kernel", "9"),
    Row(lambda: conv.output_shape(8, HUGE), "kernel", str(HUGE)),
    Row(lambda: conv.output_shape(8, 3, dilation=HUGE), "dilation", str(HUGE)),
]

LAYERS = [
    *numbers(conv.Conv2D, "kernel_size", 1),
    Row(lambda: conv.Conv2D(HUGE), "kernel_size", str(HUGE)),
    *pictures(conv.Conv2D(2), "X", 2),
    *counts(lambda bad: conv.ConvLayer(bad, 4, 3), "in_channels"),
    *counts(lambda bad: conv.ConvLayer(4, bad, 3), "out_channels"),
    *counts(lambda bad: conv.ConvLayer(4, 4, 3, groups=bad), "groups"),
    *numbers(lambda bad: conv.ConvLayer(4, 4, bad), "kernel_size", 1),
    *numbers(lambda bad: conv.ConvLayer(4, 4, 3, stride=bad), "stride", 1),
    *numbers(lambda bad: conv.ConvLayer(4, 4, 3, dilation=bad), "dilation", 1),
    Row(lambda: conv.ConvLayer(4, 4, 3, padding="valid "), "padding", "'valid '"),
    Row(lambda: conv.ConvLayer(4, 4, 3, padding=-1), "padding", "-1"),
    Row(lambda: conv.ConvLayer(4, 4, 3, groups=3), "groups", "3"),
    Row(lambda: conv.ConvLayer(HUGE, 4, 3), "in_channels", str(HUGE)),
    Row(lambda: conv.ConvLayer(4, 4, HUGE), "kernel_size", str(HUGE)),
    wrong_type(lambda: conv.ConvLayer(4, 4, 3, bias="no"), "bias", "str"),
    *pictures(conv.ConvLayer(4, 4, 2), "X", 4),
    Row(lambda: conv.ConvLayer(3, 4, 2)(BATCH), "K", "(4, 3, 2, 2)"),
    wrong_type(lambda: conv.receptive_field(None), "layers", "NoneType"),
    wrong_type(lambda: conv.receptive_field(3), "layers", "int"),
    wrong_type(lambda: conv.receptive_field([nn.ReLU(), "conv"]), "layers", "str"),
    wrong_type(lambda: conv.receptive_field([nn.LSTM(2, 2)]), "layer", "LSTM"),
]


def net() -> nn.Module:
    return nn.Sequential(nn.Flatten(), nn.Linear(4, 3))


def examples(count: int = 5) -> list[tuple[torch.Tensor, torch.Tensor]]:
    return [(torch.rand(count, 2, 2), torch.arange(count) % 3)]


def train(**changes: object) -> conv.History:
    """Train a small net with one argument changed."""
    model = net()
    usual = {
        "net": model,
        "batches": examples(),
        "loss": nn.functional.cross_entropy,
        "optimizer": torch.optim.SGD(model.parameters(), 0.1),
        "epochs": 2,
    }
    return conv.fit(**(usual | changes))


def used_up() -> object:
    batches = iter(examples())
    next(batches)
    return batches


FIT = [
    *counts(lambda bad: train(epochs=bad), "epochs"),
    wrong_type(lambda: train(epochs=INF), "epochs", "inf"),
    wrong_type(lambda: train(net=lambda x: x), "net", "function"),
    wrong_type(lambda: train(net="lenet"), "net", "str"),
    wrong_type(lambda: train(batches=None), "batches", "NoneType"),
    wrong_type(lambda: train(batches=3), "batches", "int"),
    wrong_type(lambda: train(loss=None), "loss", "NoneType"),
    wrong_type(lambda: train(loss="mse"), "loss", "str"),
    wrong_type(lambda: train(optimizer=None), "optimizer", "NoneType"),
    wrong_type(lambda: train(optimizer="SGD"), "optimizer", "str"),
    wrong_type(lambda: train(callback=3), "callback", "int"),
    wrong_type(lambda: train(scheduler=0.1), "scheduler", "float"),
    wrong_type(lambda: train(checkpoint=3), "checkpoint", "int"),
    wrong_type(lambda: train(metric="a", validation=examples()), "metric", "str"),
    wrong_type(lambda: train(validation=3), "validation", "int"),
    Row(lambda: train(batches=[]), "batches", "no batch"),
    Row(lambda: train(batches=used_up()), "batches", "no batch"),
    Row(lambda: train(validation=[]), "batches", "no batch"),
    Row(lambda: train(metric=conv.accuracy), "metric", "without validation"),
    Row(lambda: train(loss=lambda y, t: y), "loss", "(5, 3)"),
    Row(lambda: train(checkpoint="nowhere/at/all.pt"), "checkpoint", "nowhere"),
    Row(lambda: train(checkpoint="."), "checkpoint", "."),
    wrong_type(lambda: train(batches=[torch.rand(5, 2, 2)]), "batches", "Tensor"),
    wrong_type(lambda: train(loss=lambda y, t: 3), "loss", "int"),
    Row(lambda: train(net=nn.Flatten()), "net", "no parameters"),
]


EVALUATE = [
    wrong_type(lambda: conv.evaluate("net", examples(), conv.accuracy), "net", "str"),
    wrong_type(lambda: conv.evaluate(net(), None, hills), "batches", "NoneType"),
    wrong_type(lambda: conv.evaluate(net(), examples(), 3), "measure", "int"),
    Row(lambda: conv.evaluate(net(), examples()), "measures", "none"),
    Row(lambda: conv.evaluate(net(), [], conv.accuracy), "batches", "no batch"),
    Row(lambda: conv.evaluate(net(), examples(), lambda y, t: y), "measure", "(5, 3)"),
    *pictures(lambda bad: conv.accuracy(bad, torch.arange(2)), "output", 2),
    *pictures(lambda bad: conv.accuracy(torch.rand(2, 3), bad), "labels", 1),
    Row(lambda: conv.accuracy(torch.rand(2, 3), torch.arange(4)), "labels", "4"),
    wrong_type(
        lambda: conv.accuracy(torch.rand(2, 3), torch.rand(2)), "labels", "float32"
    ),
    Row(
        lambda: conv.accuracy(torch.rand(2, 3), torch.arange(2).to("meta")),
        "labels",
        "meta",
    ),
]


def pics(count: int = 6) -> conv.Pictures:
    labels = torch.arange(count) % 2
    return conv.Pictures(torch.rand(count, 1, 4, 4), labels, ("a", "b"))


DATA = [
    *pictures(lambda bad: conv.Pictures(bad, torch.arange(2), ("a",)), "images", 4),
    *pictures(
        lambda bad: conv.Pictures(torch.rand(2, 1, 3, 3), bad, ("a",)), "labels", 1
    ),
    Row(
        lambda: conv.Pictures(torch.rand(2, 1, 3, 3), torch.arange(3), ("a",) * 3),
        "labels",
        "3",
    ),
    Row(
        lambda: conv.Pictures(torch.rand(2, 1, 3, 3), torch.arange(2), ("a",)),
        "labels",
        "1",
    ),
    Row(
        lambda: conv.Pictures(torch.rand(2, 1, 3, 3), -torch.arange(2), ("a", "b")),
        "labels",
        "-1",
    ),
    wrong_type(
        lambda: conv.Pictures(torch.rand(2, 1, 3, 3), torch.rand(2), ("a", "b")),
        "labels",
        "float32",
    ),
    *counts(lambda bad: conv.batches(pics(), bad), "batch_size"),
    wrong_type(lambda: conv.batches(None, 2), "pictures", "NoneType"),
    wrong_type(lambda: conv.batches(torch.rand(2, 1, 3, 3), 2), "pictures", "Tensor"),
    Row(lambda: conv.batches(pics(), 2, device="gpu"), "device", "'gpu'"),
    wrong_type(lambda: conv.batches(pics(), 2, device=1.5), "device", "float"),
    *counts(
        lambda bad: conv.TensorBatches(pics().images, pics().labels, bad, False),
        "batch_size",
    ),
    Row(
        lambda: conv.TensorBatches(pics().images, pics(4).labels, 2, False),
        "labels",
        "4",
    ),
    wrong_type(lambda: conv.Splits(pics(), pics(), None), "test", "NoneType"),
    wrong_type(lambda: conv.load_fashion_mnist(3), "root", "int"),
]

PLOTS = [
    wrong_type(lambda: conv.show_images(None), "images", "NoneType"),
    wrong_type(lambda: conv.show_images(["cat.png"]), "images", "str"),
    wrong_type(lambda: conv.show_images([np.ones((2, 2))]), "images", "ndarray"),
    Row(lambda: conv.show_images([]), "images", "empty"),
    Row(lambda: conv.show_images([torch.rand(2, 2, 2)]), "images", "(2, 2, 2)"),
    Row(lambda: conv.show_images([torch.rand(0, 2)]), "images", "(0, 2)"),
    Row(lambda: conv.show_images([X, X], ["one"]), "titles", "1"),
    *counts(lambda bad: conv.show_images([X], alt="a", columns=bad), "columns"),
    Row(lambda: conv.show_images([X, X], axes=[plt.figure().gca()]), "axes", "1"),
    wrong_type(lambda: conv.show_gallery(None, alt="a"), "images", "NoneType"),
    Row(lambda: conv.show_gallery([], alt="a"), "images", "empty"),
    Row(lambda: conv.show_gallery([X], ["a", "b"], alt="a"), "titles", "2"),
    *counts(lambda bad: conv.show_gallery([X], alt="a", columns=bad), "columns"),
    wrong_type(lambda: conv.show_kernels(None), "kernels", "NoneType"),
    Row(lambda: conv.show_kernels([]), "kernels", "empty"),
    Row(lambda: conv.show_kernels([torch.rand(2, 2, 2)]), "kernels", "(2, 2, 2)"),
    Row(lambda: conv.show_kernels([K], ["a", "b"]), "titles", "2"),
    wrong_type(lambda: conv.plot_losses(None), "losses", "NoneType"),
    wrong_type(lambda: conv.plot_losses([1.0, 2.0]), "losses", "list"),
    Row(lambda: conv.plot_losses({}), "losses", "empty"),
    Row(lambda: conv.plot_losses({"run": []}), "losses", "run"),
    wrong_type(lambda: conv.plot_losses({"run": ["a"]}), "losses", "str"),
    wrong_type(lambda: conv.plot_descent(None, {"a": X[:, :2]}), "loss", "NoneType"),
    wrong_type(lambda: conv.plot_descent(hills, None), "paths", "NoneType"),
    Row(lambda: conv.plot_descent(hills, {}), "paths", "empty"),
    Row(lambda: conv.plot_descent(hills, {"a": torch.rand(3, 3)}), "paths", "(3, 3)"),
    Row(
        lambda: conv.plot_descent(hills, {"a": torch.tensor([[NAN, 1.0]])}),
        "paths",
        "nan",
    ),
    *counts(lambda bad: conv.subplots(bad, size=(2, 2), alt="a"), "rows"),
    *counts(lambda bad: conv.subplots(1, bad, size=(2, 2), alt="a"), "columns"),
    wrong_type(lambda: conv.subplots(size=None, alt="a"), "size", "NoneType"),
    Row(lambda: conv.subplots(size=(0, 2), alt="a"), "size", "(0, 2)"),
    Row(lambda: conv.subplots(size=(NAN, 2), alt="a"), "size", "nan"),
    Row(lambda: conv.subplots(size=(2, 2), alt=" "), "alt", "' '"),
    wrong_type(lambda: conv.subplots(size=(2, 2), alt=None), "alt", "NoneType"),
]


def hills(a: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
    return a**2 + b**2


def on(name: str) -> object:
    os.environ["CONV_DEVICE"] = name  # the fixture below puts it back
    return conv.default_device()


RUNTIME = [
    *[
        Row(lambda bad=bad: on(bad), "CONV_DEVICE", repr(bad))
        for bad in ("gpu", "cuda:-1", "cuda:99", " cpu", "0", "cpu,cuda", "NaN")
    ],
    *[
        wrong_type(lambda bad=bad: conv.seed_everything(bad), "seed", repr(bad))
        for bad in (None, "0", 1.5, True, [1])
    ],
    Row(lambda: conv.seed_everything(-1), "seed", "-1"),
    Row(lambda: conv.seed_everything(2**32), "seed", str(2**32)),
]

EXERCISES = [
    Row(lambda: exercises.hint("99.1"), "number", "99.1"),
    Row(lambda: exercises.hint(""), "number", "''"),
    wrong_type(lambda: exercises.hint(None), "number", "NoneType"),
    wrong_type(lambda: exercises.hint(1.2), "number", "float"),
    Row(lambda: exercises.solution("1"), "number", "'1'"),
    wrong_type(lambda: exercises.solution([]), "number", "list"),
    Row(lambda: exercises.judge("one", 1), "number", "'one'"),
    wrong_type(lambda: exercises.judge(None, 1), "number", "NoneType"),
]


def first(count: int) -> list[nn.Module]:
    return list(conv.lenet())[:count]


WIDGETS = [
    *pictures(lambda bad: widgets.SlidingWindow(bad, K), "X", 2),
    *pictures(lambda bad: widgets.SlidingWindow(X, bad), "K", 2),
    *counts(lambda bad: widgets.SlidingWindow(X, K, stride=bad), "stride"),
    *counts(lambda bad: widgets.SlidingWindow(X, K, dilation=bad), "dilation"),
    Row(lambda: widgets.SlidingWindow(X, K, padding=-1), "padding", "-1"),
    Row(lambda: widgets.SlidingWindow(K, X), "K", "7"),
    *pictures(lambda bad: widgets.KernelBench(bad, torch.rand(3, 3)), "picture", 2),
    *pictures(lambda bad: widgets.KernelBench(DIGIT, bad), "kernel", 2),
    Row(lambda: widgets.KernelBench(DIGIT, torch.rand(2, 2)), "kernel", "(2, 2)"),
    *pictures(lambda bad: widgets.Descent(bad, X), "X", 2),
    *pictures(lambda bad: widgets.Descent(X, bad), "Y", 2),
    *counts(lambda bad: widgets.Descent(X, X[:, 1:], steps=bad), "steps"),
    Row(lambda: widgets.Descent(X, X), "Y", "(6, 7)"),
    Row(lambda: widgets.Descent(X, X[:, 1:], lr=NAN), "lr", "nan"),
    Row(lambda: widgets.Descent(X, X[:, 1:], lr=-1.0), "lr", "-1"),
    Row(lambda: widgets.Descent(X, X[:, 1:], start=(INF, 0.0)), "start", "inf"),
    wrong_type(lambda: widgets.Descent(X, X[:, 1:], start=None), "start", "NoneType"),
    wrong_type(lambda: widgets.LayerStack(None, (1, 28, 28)), "layers", "NoneType"),
    wrong_type(lambda: widgets.LayerStack(["conv"], (1, 28, 28)), "layer", "str"),
    wrong_type(lambda: widgets.LayerStack(first(2), (1, 28)), "shape", "(1, 28)"),
    Row(lambda: widgets.LayerStack(first(2), (0, 28, 28)), "shape", "0"),
    wrong_type(lambda: widgets.LayerStack(first(2), None), "shape", "None"),
    wrong_type(lambda: widgets.DrawDigit(None), "net", "NoneType"),
    wrong_type(lambda: widgets.DrawDigit(nn.Linear(2, 2)), "net", "Linear"),
    Row(lambda: widgets.DrawDigit(conv.lenet(), torch.rand(3, 3)), "picture", "(3, 3)"),
]

TABLE = {
    "corr2d": CORR2D,
    "conv2d": CONV2D,
    "conv_transpose2d": CONV_TRANSPOSE2D,
    "pool2d": POOL2D,
    "output_shape": OUTPUT_SHAPE,
    "layers": LAYERS,
    "fit": FIT,
    "evaluate": EVALUATE,
    "data": DATA,
    "plots": PLOTS,
    "runtime": RUNTIME,
    "exercises": EXERCISES,
    "widgets": WIDGETS,
}
ROWS = [
    pytest.param(row, id=f"{part}-{place}-{row.name}-{row.came}"[:60])
    for part, rows in TABLE.items()
    for place, row in enumerate(rows)
]


@pytest.fixture(autouse=True)
def surroundings(monkeypatch, tmp_path):
    monkeypatch.setenv("CONV_DEVICE", "cpu")
    monkeypatch.chdir(tmp_path)
    yield
    plt.close("all")


@pytest.mark.parametrize("row", ROWS)
def test_bad_input_is_refused_by_name(row):
    with pytest.raises((ValueError, TypeError)) as caught:
        row.call()
    error = caught.value
    message = str(error)
    last = Path(traceback.extract_tb(error.__traceback__)[-1].filename)
    assert PACKAGE in last.parents, f"a crash in {last}: {message}"
    assert type(error) is row.kind, message
    assert row.name in message
    assert row.came in message
    assert "expected" in message


def test_every_public_name_has_bad_inputs():
    """A new function needs rows; these take nothing, or are what conv itself raises."""
    without = {"CheckpointError", "DivergenceError", "History", "lenet"}
    without |= {"load_digits28", "default_device"}
    code = inspect.getsource(inspect.getmodule(test_bad_input_is_refused_by_name))
    names = {f"conv.{name}(" for name in set(conv.__all__) - without - {"Conv2D"}}
    names |= {f"widgets.{name}(" for name in widgets.__all__}
    assert not [name for name in names if name not in code]
    assert len(ROWS) >= 100
