"""Bad input: each public function says which argument, what came, what it expected.

Never a crash deep in PyTorch, never a silent answer.
"""

import inspect
import json
import linecache
import os
import re
import traceback
from collections.abc import Callable
from functools import partial
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
LARGE = 2**26  # a number that fits, of a tensor that doesn't
conv.seed_everything(0)  # messages tell some of these numbers
X, K = torch.rand(6, 7), torch.rand(2, 3)
BATCH, KERNELS = torch.rand(2, 4, 6, 7), torch.rand(6, 4, 2, 3)
BACK = torch.rand(4, 6, 2, 3)  # (C_in, C_out, h, w), as conv_transpose2d has it
BIAS = torch.rand(6)
DIGIT = torch.rand(28, 28)
SPARSE = torch.eye(3).to_sparse()


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


def drawn(call: Callable, name: str) -> list[Row]:
    """List what can't be drawn as pictures, and what are no titles of them."""
    return [
        Row(lambda: call([X * NAN]), name, "nan"),
        Row(lambda: call([X / 0]), name, "inf"),
        Row(lambda: call([X.to("meta")]), name, "meta"),
        Row(lambda: call(X), name, "(7,)"),
        wrong_type(lambda: call([X * 1j]), name, "complex64"),
        wrong_type(lambda: call([X, X], "ab"), "titles", "'ab'"),
        wrong_type(lambda: call([X, X], [1, 2]), "titles", "int"),
        wrong_type(lambda: call([X], 3), "titles", "int"),
    ]


CORR2D = [
    *pictures(lambda bad: conv.corr2d(bad, K), "X", 2),
    *pictures(lambda bad: conv.corr2d(X, bad), "K", 2),
    Row(lambda: conv.corr2d(K, X), "K", "(6, 7)"),
    Row(lambda: conv.corr2d(X, torch.rand(7, 1)), "K", "(7, 1)"),
    Row(lambda: conv.corr2d(X.to("meta"), K), "K", "meta"),
    Row(lambda: conv.corr2d(X, K.to("meta")), "K", "meta"),
    wrong_type(lambda: conv.corr2d(SPARSE, K), "X", "torch.sparse_coo"),
    wrong_type(lambda: conv.corr2d(X, SPARSE), "K", "torch.sparse_coo"),
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
    Row(lambda: conv.conv2d(BATCH, torch.rand(6, 4, 9, 3)), "kernel_size", "(9, 3)"),
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
    wrong_type(
        lambda: conv.conv2d(BATCH, KERNELS.to_sparse()), "K", "torch.sparse_coo"
    ),
    Row(lambda: conv.conv2d(BATCH, KERNELS, padding=LARGE), "padding", str(LARGE)),
    Row(lambda: conv.conv2d(BATCH, KERNELS, padding=2**63), "padding", str(2**63)),
    Row(
        lambda: conv.conv2d(BATCH, KERNELS, padding=(2**33, 0)), "padding", "8589934592"
    ),
    Row(
        lambda: conv.conv2d(BATCH, KERNELS, padding="same", dilation=2**17),
        "padding",
        "'same'",
    ),
    wrong_type(
        lambda: conv.conv2d(BATCH, KERNELS, padding=np.array([1, 1])),
        "padding",
        "array([1, 1])",
    ),
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
    Row(lambda: conv.conv_transpose2d(BATCH, BACK, stride=2**17), "stride", "131072"),
    Row(
        lambda: conv.conv_transpose2d(BATCH, BACK, dilation=2**17),
        "dilation",
        "131072",
    ),
    wrong_type(
        lambda: conv.conv_transpose2d(BATCH, BACK.to_sparse()),
        "K",
        "torch.sparse_coo",
    ),
]

POOL2D = [
    *pictures(lambda bad: conv.pool2d(bad, 2), "X", 4),
    *numbers(lambda bad: conv.pool2d(BATCH, bad), "pool_size", 1),
    *numbers(lambda bad: conv.pool2d(BATCH, 2, stride=bad), "stride", 1)[1:],
    *numbers(lambda bad: conv.pool2d(BATCH, 2, padding=bad), "padding", 0),
    Row(lambda: conv.pool2d(BATCH, 2, "median"), "mode", "'median'"),
    Row(lambda: conv.pool2d(BATCH, 2, None), "mode", "None"),
    Row(lambda: conv.pool2d(BATCH, 8), "kernel_size", "8"),
    Row(lambda: conv.pool2d(BATCH, HUGE), "pool_size", str(HUGE)),
    Row(lambda: conv.pool2d(BATCH, 2, stride=HUGE), "stride", str(HUGE)),
    Row(lambda: conv.pool2d(BATCH, 2, padding=2), "padding", "2"),
    Row(lambda: conv.pool2d(BATCH, 2, padding=HUGE), "padding", str(HUGE)),
    Row(lambda: conv.pool2d(BATCH, 2, ["max"]), "mode", "['max']"),
    Row(lambda: conv.pool2d(BATCH, 2, np.array(["max", "avg"])), "mode", "array("),
    Row(lambda: conv.pool2d(BATCH, 2**17, padding=2**16), "padding", "65536"),
    Row(lambda: conv.pool2d(BATCH, LARGE), "pool_size", str(LARGE)),
]

OUTPUT_SHAPE = [
    *numbers(lambda bad: conv.output_shape(bad, 3), "size", 1),
    *numbers(lambda bad: conv.output_shape(8, bad), "kernel_size", 1),
    *numbers(lambda bad: conv.output_shape(8, 3, stride=bad), "stride", 1),
    *numbers(lambda bad: conv.output_shape(8, 3, padding=bad), "padding", 0),
    *numbers(lambda bad: conv.output_shape(8, 3, dilation=bad), "dilation", 1),
    Row(lambda: conv.output_shape(8, 9), "kernel_size", "9"),
    Row(lambda: conv.output_shape(8, HUGE), "kernel_size", str(HUGE)),
    Row(lambda: conv.output_shape(8, 3, dilation=HUGE), "dilation", str(HUGE)),
    Row(lambda: conv.output_shape(8, 3, padding=2**40), "padding", str(2**40)),
    Row(lambda: conv.output_shape(8, 3, stride=2**63), "stride", str(2**63)),
    wrong_type(lambda: conv.output_shape(8, 3, 1j), "stride", "1j"),
    wrong_type(lambda: conv.output_shape(8, 3, {1}), "stride", "{1}"),
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
    wrong_type(lambda: conv.receptive_field([nn.LSTM(2, 2)]), "layers", "LSTM"),
    Row(lambda: conv.Conv2D(LARGE), "kernel_size", str(LARGE)),
    Row(lambda: conv.ConvLayer(4, 4, LARGE), "kernel_size", str(LARGE)),
    Row(lambda: conv.ConvLayer(2**30, 2**30, 1), "in_channels", str(2**30)),
    Row(lambda: conv.ConvLayer(1, 1, 3, 2, "same"), "padding", "(2, 2)"),
    wrong_type(lambda: conv.receptive_field(nn.ReLU()), "layers", "ReLU"),
    wrong_type(lambda: conv.receptive_field(X), "layers", "Tensor"),
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


def trained(model: nn.Module, rate: float = 0.1) -> conv.History:
    return train(net=model, optimizer=torch.optim.SGD(model.parameters(), rate))


def trained_by_lbfgs() -> conv.History:
    model = net()
    return train(net=model, optimizer=torch.optim.LBFGS(model.parameters()))


def a_plan() -> torch.optim.lr_scheduler.LRScheduler:
    return torch.optim.lr_scheduler.StepLR(torch.optim.SGD(net().parameters(), 0.1), 1)


def no_checkpoint() -> conv.History:
    Path("note.txt").write_text("no checkpoint")
    return train(checkpoint="note.txt")


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
    wrong_type(lambda: train(batches="abc"), "batches", "str"),
    wrong_type(lambda: train(batches=pics()), "batches", "Pictures"),
    wrong_type(lambda: train(batches=[([[1.0]], [0])]), "batches", "list"),
    wrong_type(lambda: train(batches=[(X, X, X)]), "batches", "tuple"),
    wrong_type(lambda: train(validation=[(1, 2)]), "batches", "int"),
    wrong_type(lambda: train(loss=nn.CrossEntropyLoss), "loss", "CrossEntropyLoss"),
    wrong_type(lambda: train(loss=lambda y, t: None), "loss", "NoneType"),
    wrong_type(lambda: train(loss=lambda y, t: y.sum() * 1j), "loss", "complex64"),
    Row(lambda: train(loss=conv.accuracy), "loss", "without a gradient"),
    Row(lambda: trained(net().requires_grad_(False)), "loss", "without a gradient"),
    Row(lambda: trained(net().to("meta")), "net", "meta"),
    wrong_type(lambda: train(optimizer=torch.optim.SGD), "optimizer", "type"),
    Row(lambda: train(net=net()), "optimizer", "other parameters"),
    Row(lambda: trained(net(), NAN), "optimizer", "nan"),
    Row(lambda: trained(net(), INF), "optimizer", "inf"),
    wrong_type(trained_by_lbfgs, "optimizer", "LBFGS"),
    Row(lambda: train(scheduler=a_plan()), "scheduler", "another optimizer"),
    wrong_type(lambda: train(snapshots="yes"), "snapshots", "str"),
    wrong_type(lambda: train(checkpoint=b"run.pt"), "checkpoint", "bytes"),
    Row(lambda: train(checkpoint=""), "checkpoint", "."),
    Row(no_checkpoint, "checkpoint", "note.txt"),
    Row(lambda: train(epochs=2**63), "epochs", str(2**63)),
    wrong_type(
        lambda: train(validation=examples(), metric=lambda y, t: 3), "measure", "int"
    ),
    *counts(conv.History, "epochs"),
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
    Row(lambda: conv.evaluate(nn.Flatten(), examples(), sum), "net", "no parameters"),
    wrong_type(
        lambda: conv.evaluate(net(), examples(), lambda y, t: 0.5), "measure", "float"
    ),
    wrong_type(
        lambda: conv.evaluate(net(), examples(), lambda y, t: y.sum() * 1j),
        "measure",
        "complex64",
    ),
    wrong_type(lambda: conv.accuracy(SPARSE, torch.arange(3)), "output", "sparse"),
    wrong_type(
        lambda: conv.accuracy(torch.rand(2, 3), torch.tensor([True, False])),
        "labels",
        "bool",
    ),
]


def pics(count: int = 6) -> conv.Pictures:
    labels = torch.arange(count) % 2
    return conv.Pictures(torch.rand(count, 1, 4, 4), labels, ("a", "b"))


def named(names: object, **where: str) -> conv.Pictures:
    return conv.Pictures(torch.rand(2, 1, 4, 4), torch.arange(2, **where), names)


def cut(images: object, labels: object, shuffle: object = False) -> object:
    return conv.TensorBatches(images, labels, 2, shuffle)


def a_file_for_a_folder() -> conv.Splits:
    Path("clothes").write_bytes(b"")
    return conv.load_fashion_mnist("clothes")


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
    wrong_type(lambda: named("ab"), "names", "str"),
    wrong_type(lambda: named(None), "names", "NoneType"),
    wrong_type(lambda: named((1, 2)), "names", "int"),
    Row(lambda: named(()), "names", "0 names"),
    Row(lambda: named(("a", "b"), device="meta"), "labels", "meta"),
    wrong_type(lambda: conv.Splits([1], pics(), pics()), "train", "list"),
    wrong_type(lambda: conv.Splits(pics(), X, pics()), "validation", "Tensor"),
    wrong_type(
        lambda: conv.batches(conv.Splits(pics(), pics(), pics()), 2),
        "pictures",
        "Splits",
    ),
    wrong_type(lambda: conv.batches(pics(), 2, device=None), "device", "NoneType"),
    Row(lambda: conv.batches(pics(), 2, device=""), "device", "''"),
    Row(lambda: conv.batches(pics(), 2, device="cuda:99"), "device", "cuda:99"),
    Row(lambda: conv.batches(pics(), 2**63), "batch_size", str(2**63)),
    wrong_type(lambda: conv.batches(pics(), 2, "no"), "shuffle", "str"),
    wrong_type(lambda: cut(None, torch.arange(2)), "images", "NoneType"),
    wrong_type(lambda: cut(torch.rand(2, 1, 4, 4), [0, 1]), "labels", "list"),
    Row(lambda: cut(X, torch.arange(6, device="meta")), "labels", "meta"),
    Row(lambda: cut(torch.rand(0, 1, 4, 4), torch.arange(0)), "images", "(0, 1, 4, 4)"),
    wrong_type(lambda: cut(X, torch.arange(6), "no"), "shuffle", "str"),
    wrong_type(lambda: conv.load_fashion_mnist(b"x"), "root", "bytes"),
    Row(a_file_for_a_folder, "root", "'clothes'"),
    wrong_type(
        lambda: conv.load_fashion_mnist("nowhere", or_digits="no"), "or_digits", "str"
    ),
]

PATHS = {"a": torch.rand(3, 2)}
COLOURS = torch.rand(2, 2, 3)


def gca() -> object:
    return plt.figure().gca()


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
    *drawn(conv.show_images, "images"),
    *drawn(partial(conv.show_gallery, alt="a"), "images"),
    *drawn(conv.show_kernels, "kernels"),
    wrong_type(lambda: conv.show_images([COLOURS * 1j]), "images", "complex64"),
    wrong_type(lambda: conv.show_images([SPARSE]), "images", "sparse"),
    Row(lambda: conv.show_images([COLOURS * NAN]), "images", "nan"),
    Row(lambda: conv.show_images([COLOURS[:0]]), "images", "(0, 2, 3)"),
    Row(lambda: conv.show_images([X], columns=2**63), "columns", str(2**63)),
    wrong_type(lambda: conv.show_images([X], signed="no"), "signed", "str"),
    wrong_type(lambda: conv.show_gallery([X], alt="a", signed=2), "signed", "int"),
    wrong_type(lambda: conv.show_images([X], alt=3), "alt", "int"),
    wrong_type(lambda: conv.show_gallery([X], alt=None), "alt", "NoneType"),
    wrong_type(lambda: conv.show_images([X], axes=gca()), "axes", "Axes"),
    wrong_type(lambda: conv.show_images([X], axes=["a"]), "axes", "str"),
    wrong_type(lambda: conv.show_kernels([K], axes=gca()), "axes", "Axes"),
    *counts(lambda bad: conv.show_kernels([K], columns=bad), "columns"),
    wrong_type(lambda: conv.plot_losses(conv.History(3)), "losses", "History"),
    wrong_type(lambda: conv.plot_losses({"run": 3.0}), "losses", "float"),
    wrong_type(lambda: conv.plot_losses({"run": [None]}), "losses", "NoneType"),
    wrong_type(lambda: conv.plot_losses({"run": [1j]}), "losses", "complex"),
    Row(lambda: conv.plot_losses({"run": X}), "losses", "(7,)"),
    Row(lambda: conv.plot_losses({"run": [1.0, -1.0]}), "losses", "-1"),
    wrong_type(lambda: conv.plot_losses({"run": [1.0]}, log="no"), "log", "str"),
    wrong_type(lambda: conv.plot_losses({"run": [1.0]}, axes=[1]), "axes", "list"),
    wrong_type(lambda: conv.plot_losses({"run": [1.0]}, alt=3), "alt", "int"),
    wrong_type(lambda: conv.plot_descent(hills, {"a": [[1, 2]]}), "paths", "list"),
    Row(
        lambda: conv.plot_descent(hills, {"a": torch.rand(2, 2, device="meta")}),
        "paths",
        "meta",
    ),
    Row(lambda: conv.plot_descent(lambda a, b: a * 0 + 1, PATHS), "loss", "1 to 1"),
    Row(lambda: conv.plot_descent(lambda a, b: -hills(a, b), PATHS), "loss", "to -"),
    Row(lambda: conv.plot_descent(lambda a, b: a * NAN, PATHS), "loss", "nan"),
    Row(lambda: conv.plot_descent(lambda a, b: a.sum(), PATHS), "loss", "()"),
    Row(lambda: conv.plot_descent(lambda a, b: a[1:], PATHS), "loss", "(200, 201)"),
    wrong_type(lambda: conv.plot_descent(lambda a, b: 1, PATHS), "loss", "int"),
    wrong_type(
        lambda: conv.plot_descent(lambda a, b: a * 1j, PATHS), "loss", "complex64"
    ),
    wrong_type(lambda: conv.plot_descent(hills, PATHS, axes="a"), "axes", "str"),
    Row(lambda: conv.subplots(2**20, 2**20, size=(2, 2), alt="a"), "rows", str(2**20)),
    Row(lambda: conv.subplots(size=(INF, 2), alt="a"), "size", "inf"),
    Row(lambda: conv.subplots(size=(2**40, 2), alt="a"), "size", str(2**40)),
    Row(lambda: conv.subplots(size=(1, 2, 3), alt="a"), "size", "(1, 2, 3)"),
    wrong_type(lambda: conv.subplots(size=("2", "2"), alt="a"), "size", "'2'"),
    wrong_type(lambda: conv.subplots(size=(1j, 2), alt="a"), "size", "1j"),
    wrong_type(lambda: conv.subplots(size=(True, True), alt="a"), "size", "True"),
]


def hills(a: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
    return a**2 + b**2


def on(name: str) -> object:
    os.environ["CONV_DEVICE"] = name  # the fixture below puts it back
    return conv.default_device()


RUNTIME = [
    *[
        Row(lambda bad=bad: on(bad), "CONV_DEVICE", repr(bad))
        for bad in (
            *("gpu", "cuda:-1", "cuda:99", " cpu", "0", "cpu,cuda", "NaN", "CPU"),
            *(f"cuda:{HUGE}", "privateuseone", "vulkan", "lazy", "ü"),
        )
    ],
    *[
        wrong_type(lambda bad=bad: conv.seed_everything(bad), "seed", repr(bad))
        for bad in (None, "0", 1.5, True, [1], 1j, np.int64(1), torch.tensor(1))
    ],
    Row(lambda: conv.seed_everything(-1), "seed", "-1"),
    Row(lambda: conv.seed_everything(2**32), "seed", str(2**32)),
    Row(lambda: conv.seed_everything(2**63), "seed", str(2**63)),
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
    wrong_type(lambda: exercises.judge([1], 1), "number", "list"),
    wrong_type(lambda: exercises.solution({}), "number", "dict"),
    wrong_type(lambda: exercises.hint(object()), "number", "object"),
    wrong_type(
        lambda: exercises.hint(exercises.EXERCISES["1.3"]), "number", "Exercise"
    ),
]


def first(count: int) -> list[nn.Module]:
    return list(conv.lenet())[:count]


def descent(**changes: object) -> widgets.Descent:
    return widgets.Descent(**({"X": X, "Y": X[:, 1:]} | changes))


def stack(*layers: nn.Module, shape: object = (3, 9, 9)) -> widgets.LayerStack:
    return widgets.LayerStack(layers, shape)


def pad(*layers: nn.Module) -> widgets.DrawDigit:
    return widgets.DrawDigit(nn.Sequential(*layers))


def spoilt() -> nn.Module:
    return nn.Linear(784, 10).apply(lambda layer: nn.init.constant_(layer.bias, NAN))


SOBEL = torch.tensor([[1.0, 0, -1], [2, 0, -2], [1, 0, -1]])

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
    wrong_type(lambda: widgets.LayerStack(["conv"], (1, 28, 28)), "layers", "str"),
    wrong_type(lambda: widgets.LayerStack(first(2), (1, 28)), "shape", "(1, 28)"),
    Row(lambda: widgets.LayerStack(first(2), (0, 28, 28)), "shape", "0"),
    wrong_type(lambda: widgets.LayerStack(first(2), None), "shape", "None"),
    wrong_type(lambda: widgets.DrawDigit(None), "net", "NoneType"),
    wrong_type(lambda: widgets.DrawDigit(nn.Linear(2, 2)), "net", "Linear"),
    Row(lambda: widgets.DrawDigit(conv.lenet(), torch.rand(3, 3)), "picture", "(3, 3)"),
    Row(lambda: widgets.SlidingWindow(X * NAN, K), "X", "nan"),
    Row(lambda: widgets.SlidingWindow(X, K / 0), "K", "inf"),
    Row(lambda: widgets.SlidingWindow(X.to("meta"), K), "X", "meta"),
    Row(lambda: widgets.SlidingWindow(X, K.to("meta")), "K", "meta"),
    wrong_type(lambda: widgets.SlidingWindow(X, K, padding=None), "padding", "None"),
    Row(lambda: widgets.SlidingWindow(X, K, stride=HUGE), "stride", str(HUGE)),
    Row(lambda: widgets.KernelBench(DIGIT, SOBEL * NAN), "kernel", "nan"),
    Row(lambda: widgets.KernelBench(DIGIT * NAN, SOBEL), "picture", "nan"),
    Row(lambda: widgets.KernelBench(DIGIT + 2, SOBEL), "picture", "from 2"),
    Row(lambda: widgets.KernelBench(torch.rand(513, 5), SOBEL), "picture", "(513, 5)"),
    Row(lambda: widgets.KernelBench(DIGIT.to("meta"), SOBEL), "picture", "meta"),
    Row(lambda: widgets.KernelBench(DIGIT, SOBEL.to("meta")), "kernel", "meta"),
    Row(lambda: descent(X=X * NAN), "X", "nan"),
    Row(lambda: descent(Y=X[:, 1:] * NAN), "Y", "nan"),
    Row(lambda: descent(X=X.to("meta")), "X", "meta"),
    Row(lambda: descent(X=torch.ones(6, 7)), "X", "many kernels"),
    *[
        wrong_type(lambda bad=bad: descent(lr=bad), "lr", repr(bad))
        for bad in (None, "0.1", 1j, True)
    ],
    Row(lambda: descent(steps=101), "steps", "101"),
    Row(lambda: descent(lr=INF), "lr", "inf"),
    Row(lambda: descent(start=(1.0,)), "start", "(1.0,)"),
    wrong_type(lambda: descent(start=("a", 1.0)), "start", "'a'"),
    wrong_type(lambda: descent(start=(None, 1.0)), "start", "None"),
    wrong_type(lambda: widgets.LayerStack(nn.ReLU(), (1, 5, 5)), "layers", "ReLU"),
    Row(lambda: stack(nn.Conv2d(1, 2, 3)), "layers", "Conv2d(1, 2"),
    Row(lambda: stack(nn.Conv2d(3, 2, 3), nn.Conv2d(4, 2, 3)), "layers", "Conv2d(4, 2"),
    Row(lambda: stack(nn.MaxPool2d(2, ceil_mode=True)), "layers", "ceil_mode=True"),
    Row(lambda: stack(nn.Conv2d(3, 3, 3, padding="same")), "layers", "padding=same"),
    Row(lambda: stack(shape=(2**40, 5, 5)), "shape", str(2**40)),
    Row(lambda: stack(shape=(2**30, 2**30, 2**30)), "shape", str(2**30)),
    wrong_type(lambda: stack(shape=(1.0, 5, 5)), "shape", "1.0"),
    wrong_type(lambda: stack(shape="155"), "shape", "'155'"),
    Row(lambda: pad(), "net", "no parameters"),
    Row(lambda: pad(nn.Flatten()), "net", "no parameters"),
    Row(lambda: pad(nn.Flatten(), nn.Linear(10, 10)), "net", "(1, 1, 28, 28)"),
    Row(lambda: pad(nn.Conv2d(1, 2, 3)), "net", "(1, 2, 26, 26)"),
    Row(lambda: pad(nn.Flatten(), spoilt()), "net", "nan"),
    wrong_type(lambda: pad(nn.Sigmoid()), "net", "Sigmoid"),
    Row(lambda: widgets.DrawDigit(conv.lenet().to("meta")), "net", "meta"),
    Row(lambda: widgets.DrawDigit(conv.lenet(), DIGIT.to("meta")), "picture", "meta"),
    Row(lambda: widgets.DrawDigit(conv.lenet(), DIGIT * NAN), "picture", "nan"),
    wrong_type(lambda: widgets.DrawDigit(conv.lenet(), [[0.0]]), "picture", "list"),
    wrong_type(lambda: widgets.DrawDigit(conv.lenet(), centre="no"), "centre", "str"),
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
ROWS = {
    ascii(f"{part}-{place}-{row.name}-{row.came}"[:60]).strip("\"'"): row
    for part, rows in TABLE.items()
    for place, row in enumerate(rows)
}


# Each message, word by word, so that all can be read at one place.
MESSAGES_FILE = Path(__file__).parent / "messages.json"
MESSAGES = json.loads(MESSAGES_FILE.read_text(encoding="utf-8"))
MESSAGES_OLD = "If that's meant: python tests/messages.py, then read what changed."


@pytest.fixture(autouse=True)
def surroundings(monkeypatch, tmp_path):
    monkeypatch.setenv("CONV_DEVICE", "cpu")
    monkeypatch.chdir(tmp_path)
    yield
    plt.close("all")


def refusal(row: Row) -> Exception:
    """Give the error that a bad call raises."""
    conv.seed_everything(0)
    with pytest.raises((ValueError, TypeError)) as caught:
        row.call()
    return caught.value


def words(error: Exception) -> str:
    """Read an error without the numbers that were measured."""
    return re.sub(r"-?\d+\.\d{3,}(e-?\d+)?", "…", str(error))


@pytest.mark.parametrize("name", ROWS)
def test_bad_input_is_refused_by_name(name):
    row = ROWS[name]
    error = refusal(row)
    message = str(error)
    last = traceback.extract_tb(error.__traceback__)[-1]
    assert PACKAGE in Path(last.filename).parents, f"a crash in {last}: {message}"
    statement = linecache.getline(last.filename, last.lineno).strip()
    assert statement.startswith("raise "), f"a crash in {last}: {message}"
    assert type(error) is row.kind, message
    assert re.search(rf"\b{row.name}\b", message), message
    assert row.came in message
    assert "expected" in message
    assert words(error) == MESSAGES[name], MESSAGES_OLD


@pytest.mark.parametrize(
    "call",
    [
        lambda: conv.corr2d(X * NAN, K),
        lambda: conv.conv2d(BATCH / 0, KERNELS),
        lambda: conv.pool2d(BATCH * NAN, 2),
        lambda: conv.plot_losses({"diverged": [1.0, INF, NAN]}).png(),
        lambda: conv.plot_descent(hills, {"stays": torch.ones(3, 2)}).png(),
        lambda: conv.show_images([X.bfloat16(), X > 0.5]).png(),
        lambda: conv.show_kernels([K.bfloat16()]).png(),
        lambda: descent(lr=0.0).still().png(),
        lambda: descent(lr=1e3, steps=100).still().png(),
        lambda: descent(lr=1e300).still().png(),
    ],
)
def test_odd_input_is_not_bad(call):
    """Pixels that are no numbers, runs that diverge, descents that stand still."""
    assert call() is not None


def test_every_public_name_has_bad_inputs():
    """A new function needs rows, unless it takes no argument or is an exception."""
    without = {"CheckpointError", "DivergenceError", "lenet", "load_digits28"}
    assert without <= set(conv.__all__)
    code = inspect.getsource(inspect.getmodule(test_bad_input_is_refused_by_name))
    tables, _, _ = code.partition("\nTABLE = {")
    names = [f"conv.{name}" for name in set(conv.__all__) - without]
    names += [f"widgets.{name}" for name in widgets.__all__]
    names += [f"exercises.{name}" for name in ("hint", "judge", "solution")]
    assert [name for name in names if not re.search(rf"\b{name}\b", tables)] == []
    assert len(ROWS) >= 600
    assert set(ROWS) == set(MESSAGES)
