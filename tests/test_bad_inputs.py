"""Invalid input: errors name the argument, its value and what was expected.

Invalid input must neither fail deep inside PyTorch nor return a result silently.
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
from conv.validation import describe

PACKAGE = Path(conv.__file__).parent
NAN, INF = float("nan"), float("inf")
conv.seed_everything(0)  # messages contain some of these numbers
X, K = torch.rand(6, 7), torch.rand(2, 3)
BATCH, KERNELS = torch.rand(2, 4, 6, 7), torch.rand(6, 4, 2, 3)
# The shape is (C_in, C_out, h, w), as for conv_transpose2d.
TRANSPOSED_KERNELS = torch.rand(4, 6, 2, 3)
BIAS = torch.rand(6)
DIGIT = torch.rand(28, 28)
BOXES = torch.tensor([[0.0, 0, 4, 4], [1, 1, 5, 5]])
SCORES = torch.tensor([0.9, 0.8])
HITS = torch.tensor([True, False])


class Row:
    """An invalid call: the error that it must raise, and parts of its message."""

    def __init__(
        self, call: Callable, name: str, found: str, kind: type[Exception] = ValueError
    ) -> None:
        self.call, self.name, self.found, self.kind = call, name, found, kind


def wrong_type(call: Callable, name: str, found: str) -> Row:
    return Row(call, name, found, TypeError)


def sizes(call: Callable[[object], object], name: str, least: int) -> list[Row]:
    """List calls with invalid sizes, for an argument that is one int or two."""
    wrong = [None, "2", 1.5, [1, "2"], (1, 2, 3), (1, None), torch.tensor(2)]
    rows = [wrong_type(lambda bad=bad: call(bad), name, repr(bad)) for bad in wrong]
    small = [least - 1, -7, (least, least - 1)]
    return rows + [Row(lambda bad=bad: call(bad), name, repr(bad)) for bad in small]


def tensors(call: Callable[[object], object], name: str, axes: int) -> list[Row]:
    """List calls with values that are not tensors with `axes` axes."""
    wrong = [None, "X", 3, [[1.0]], np.ones((2, 2)), object()]
    kinds = ["None", "'X'", "3", "list", "ndarray", "object"]
    rows = [
        wrong_type(lambda bad=bad: call(bad), name, kind)
        for bad, kind in zip(wrong, kinds, strict=True)
    ]
    more, empty = torch.rand([2] * (axes + 1)), torch.rand([2] * (axes - 1) + [0])
    return [
        *rows,
        Row(lambda: call(more), name, str(tuple(more.shape))),
        Row(lambda: call(torch.tensor(1.0)), name, "()"),
        Row(lambda: call(empty), name, str(tuple(empty.shape))),
    ]


def counts(call: Callable[[object], object], name: str) -> list[Row]:
    """List calls with invalid counts."""
    wrong = [None, "2", 1.5, True, [2], torch.tensor(2)]
    rows = [wrong_type(lambda bad=bad: call(bad), name, describe(bad)) for bad in wrong]
    return rows + [Row(lambda bad=bad: call(bad), name, repr(bad)) for bad in (0, -3)]


def boxes(call: Callable[[object], object], name: str) -> list[Row]:
    """List what is not a list of boxes."""
    return [
        wrong_type(lambda: call(None), name, "None"),
        wrong_type(lambda: call([[0, 0, 1, 1]]), name, "list"),
        Row(lambda: call(BOXES[0]), name, "(4,)"),
        Row(lambda: call(BOXES[:, :3]), name, "(2, 3)"),
        Row(lambda: call(BOXES.flip(1)), name, "right < left"),
    ]


def invalid_images(call: Callable, name: str) -> list[Row]:
    """List calls with images that can't be drawn, and with wrong titles."""
    return [
        Row(lambda: call([X * NAN]), name, "nan"),
        Row(lambda: call([X / 0]), name, "inf"),
        Row(lambda: call(X), name, "(7,)"),
        Row(lambda: call([X, X], ["a"]), "titles", "1"),
        wrong_type(lambda: call([X], 3), "titles", "3"),
    ]


CORR2D = [
    *tensors(lambda bad: conv.corr2d(bad, K), "X", 2),
    *tensors(lambda bad: conv.corr2d(X, bad), "K", 2),
    Row(lambda: conv.corr2d(K, X), "K", "(6, 7)"),
    Row(lambda: conv.corr2d(X, torch.rand(7, 1)), "K", "(7, 1)"),
]

CONV2D = [
    *tensors(lambda bad: conv.conv2d(bad, KERNELS), "X", 4),
    *tensors(lambda bad: conv.conv2d(BATCH, bad), "K", 4),
    *tensors(lambda bad: conv.conv2d(BATCH, KERNELS, bad), "bias", 1)[1:],
    *sizes(lambda bad: conv.conv2d(BATCH, KERNELS, stride=bad), "stride", 1),
    *sizes(lambda bad: conv.conv2d(BATCH, KERNELS, dilation=bad), "dilation", 1),
    wrong_type(lambda: conv.conv2d(BATCH, KERNELS, padding=None), "padding", "None"),
    wrong_type(lambda: conv.conv2d(BATCH, KERNELS, padding=0.5), "padding", "0.5"),
    wrong_type(
        lambda: conv.conv2d(BATCH, KERNELS, padding="full"), "padding", "'full'"
    ),
    Row(lambda: conv.conv2d(BATCH, KERNELS, padding=-1), "padding", "-1"),
    Row(
        lambda: conv.conv2d(BATCH, KERNELS, padding="same", stride=2), "padding", "same"
    ),
    Row(lambda: conv.conv2d(BATCH, torch.rand(6, 4, 9, 3)), "kernel_size", "9"),
    Row(lambda: conv.conv2d(BATCH, KERNELS, dilation=6), "dilation", "6"),
    Row(lambda: conv.conv2d(BATCH, KERNELS[:, :3]), "K", "(6, 3, 2, 3)"),
    Row(lambda: conv.conv2d(BATCH, KERNELS, groups=0), "groups", "0"),
    Row(lambda: conv.conv2d(BATCH, KERNELS, groups=-2), "groups", "-2"),
    Row(lambda: conv.conv2d(BATCH, KERNELS, groups=3), "groups", "3"),
    wrong_type(lambda: conv.conv2d(BATCH, KERNELS, groups="2"), "groups", "'2'"),
    wrong_type(lambda: conv.conv2d(BATCH, KERNELS, groups=True), "groups", "True"),
    Row(lambda: conv.conv2d(BATCH, KERNELS, torch.rand(5)), "bias", "5"),
    wrong_type(
        lambda: conv.conv2d(BATCH, KERNELS, padding=np.array([1, 1])),
        "padding",
        "array([1, 1])",
    ),
]

CONV_TRANSPOSE2D = [
    Row(
        lambda: conv.conv_transpose2d(BATCH, TRANSPOSED_KERNELS, output_padding=1),
        "output_padding",
        "1",
    ),
    *tensors(lambda bad: conv.conv_transpose2d(bad, TRANSPOSED_KERNELS), "X", 4),
    *tensors(lambda bad: conv.conv_transpose2d(BATCH, bad), "K", 4),
    *sizes(
        lambda bad: conv.conv_transpose2d(BATCH, TRANSPOSED_KERNELS, stride=bad),
        "stride",
        1,
    ),
    *sizes(
        lambda bad: conv.conv_transpose2d(BATCH, TRANSPOSED_KERNELS, padding=bad),
        "padding",
        0,
    ),
    *sizes(
        lambda bad: conv.conv_transpose2d(
            BATCH, TRANSPOSED_KERNELS, output_padding=bad
        ),
        "output_padding",
        0,
    ),
    Row(
        lambda: conv.conv_transpose2d(BATCH, TRANSPOSED_KERNELS, padding=9),
        "padding",
        "9",
    ),
    Row(lambda: conv.conv_transpose2d(BATCH, KERNELS), "K", "(6, 4, 2, 3)"),
    Row(
        lambda: conv.conv_transpose2d(BATCH, TRANSPOSED_KERNELS, groups=3),
        "groups",
        "3",
    ),
    Row(
        lambda: conv.conv_transpose2d(BATCH, TRANSPOSED_KERNELS, torch.rand(4)),
        "bias",
        "4",
    ),
]

POOL2D = [
    *tensors(lambda bad: conv.pool2d(bad, 2), "X", 4),
    *sizes(lambda bad: conv.pool2d(BATCH, bad), "pool_size", 1),
    *sizes(lambda bad: conv.pool2d(BATCH, 2, stride=bad), "stride", 1)[1:],
    *sizes(lambda bad: conv.pool2d(BATCH, 2, padding=bad), "padding", 0),
    Row(lambda: conv.pool2d(BATCH, 2, "median"), "mode", "'median'"),
    wrong_type(lambda: conv.pool2d(BATCH, 2, None), "mode", "None"),
    Row(lambda: conv.pool2d(BATCH, 8), "kernel_size", "8"),
    Row(lambda: conv.pool2d(BATCH, 2, padding=2), "padding", "2"),
    wrong_type(lambda: conv.pool2d(BATCH, 2, ["max"]), "mode", "list"),
    wrong_type(
        lambda: conv.pool2d(BATCH, 2, np.array(["max", "avg"])), "mode", "ndarray"
    ),
]

OUTPUT_SHAPE = [
    *sizes(lambda bad: conv.output_shape(bad, 3), "size", 1),
    *sizes(lambda bad: conv.output_shape(8, bad), "kernel_size", 1),
    *sizes(lambda bad: conv.output_shape(8, 3, stride=bad), "stride", 1),
    *sizes(lambda bad: conv.output_shape(8, 3, padding=bad), "padding", 0),
    *sizes(lambda bad: conv.output_shape(8, 3, dilation=bad), "dilation", 1),
    Row(lambda: conv.output_shape(8, 9), "kernel_size", "9"),
    wrong_type(lambda: conv.output_shape(8, 3, {1}), "stride", "{1}"),
]

LAYERS = [
    *sizes(conv.Conv2D, "kernel_size", 1),
    *tensors(conv.Conv2D(2), "X", 2),
    *counts(lambda bad: conv.ConvLayer(bad, 4, 3), "in_channels"),
    *counts(lambda bad: conv.ConvLayer(4, bad, 3), "out_channels"),
    *counts(lambda bad: conv.ConvLayer(4, 4, 3, groups=bad), "groups"),
    *sizes(lambda bad: conv.ConvLayer(4, 4, bad), "kernel_size", 1),
    *sizes(lambda bad: conv.ConvLayer(4, 4, 3, stride=bad), "stride", 1),
    *sizes(lambda bad: conv.ConvLayer(4, 4, 3, dilation=bad), "dilation", 1),
    wrong_type(
        lambda: conv.ConvLayer(4, 4, 3, padding="valid "), "padding", "'valid '"
    ),
    Row(lambda: conv.ConvLayer(4, 4, 3, padding=-1), "padding", "-1"),
    Row(lambda: conv.ConvLayer(4, 4, 3, groups=3), "groups", "3"),
    wrong_type(lambda: conv.ConvLayer(4, 4, 3, bias="no"), "bias", "'no'"),
    *tensors(conv.ConvLayer(4, 4, 2), "X", 4),
    Row(lambda: conv.ConvLayer(3, 4, 2)(BATCH), "K", "(4, 3, 2, 2)"),
    wrong_type(lambda: conv.receptive_field(None), "layers", "None"),
    wrong_type(lambda: conv.receptive_field(3), "layers", "3"),
    wrong_type(lambda: conv.receptive_field([nn.ReLU(), "conv"]), "layers", "'conv'"),
    wrong_type(lambda: conv.receptive_field([nn.LSTM(2, 2)]), "layers", "LSTM"),
    wrong_type(lambda: conv.receptive_field(nn.ReLU()), "layers", "ReLU"),
    wrong_type(lambda: conv.receptive_field(X), "layers", "tensor([0.4963"),
]


def net() -> nn.Module:
    return nn.Sequential(nn.Flatten(), nn.Linear(4, 3))


def examples(count: int = 5) -> list[tuple[torch.Tensor, torch.Tensor]]:
    return [(torch.rand(count, 2, 2), torch.arange(count) % 3)]


def train(**changes: object) -> conv.History:
    """Train a small network with some arguments changed."""
    model = net()
    defaults = {
        "net": model,
        "batches": examples(),
        "loss": nn.functional.cross_entropy,
        "optimizer": torch.optim.SGD(model.parameters(), 0.1),
        "epochs": 2,
    }
    return conv.fit(**(defaults | changes))


def exhausted_iterator() -> object:
    batches = iter(examples())
    next(batches)
    return batches


def trained(model: nn.Module, rate: float = 0.1) -> conv.History:
    return train(net=model, optimizer=torch.optim.SGD(model.parameters(), rate))


def trained_by_lbfgs() -> conv.History:
    model = net()
    return train(net=model, optimizer=torch.optim.LBFGS(model.parameters()))


def other_scheduler() -> torch.optim.lr_scheduler.LRScheduler:
    return torch.optim.lr_scheduler.StepLR(torch.optim.SGD(net().parameters(), 0.1), 1)


def not_a_checkpoint() -> conv.History:
    Path("note.txt").write_text("not a checkpoint")
    return train(checkpoint="note.txt")


FIT = [
    *counts(lambda bad: train(epochs=bad), "epochs"),
    wrong_type(lambda: train(epochs=INF), "epochs", "inf"),
    wrong_type(lambda: train(net=lambda x: x), "net", "function"),
    wrong_type(lambda: train(net="lenet"), "net", "'lenet'"),
    wrong_type(lambda: train(batches=None), "batches", "None"),
    wrong_type(lambda: train(batches=3), "batches", "3"),
    wrong_type(lambda: train(loss=None), "loss", "None"),
    wrong_type(lambda: train(loss="mse"), "loss", "'mse'"),
    wrong_type(lambda: train(optimizer=None), "optimizer", "None"),
    wrong_type(lambda: train(optimizer="SGD"), "optimizer", "'SGD'"),
    wrong_type(lambda: train(callback=3), "callback", "3"),
    wrong_type(lambda: train(scheduler=0.1), "scheduler", "0.1"),
    wrong_type(lambda: train(checkpoint=3), "checkpoint", "int"),
    wrong_type(lambda: train(metric="a", validation=examples()), "metric", "'a'"),
    wrong_type(lambda: train(validation=3), "validation", "3"),
    Row(lambda: train(batches=[]), "batches", "empty"),
    wrong_type(
        lambda: train(batches=exhausted_iterator()), "batches", "a list_iterator"
    ),
    Row(lambda: train(validation=[]), "validation", "empty"),
    Row(lambda: train(metric=conv.accuracy), "metric", "validation is None"),
    Row(lambda: train(loss=lambda y, t: y), "loss", "(5, 3)"),
    Row(lambda: train(checkpoint="nowhere/at/all.pt"), "checkpoint", "nowhere"),
    Row(lambda: train(checkpoint="."), "checkpoint", "."),
    wrong_type(lambda: train(batches=[torch.rand(5, 2, 2)]), "batches", "Tensor"),
    Row(lambda: train(loss=lambda y, t: 3), "loss", "3"),
    Row(lambda: train(net=nn.Flatten()), "net", "net"),
    wrong_type(lambda: train(batches="abc"), "batches", "str"),
    wrong_type(lambda: train(batches=labeled_images()), "batches", "LabeledImages"),
    wrong_type(lambda: train(batches=[(X, X, X)]), "batches", "tuple"),
    wrong_type(lambda: train(loss=nn.CrossEntropyLoss), "loss", "CrossEntropyLoss"),
    Row(lambda: train(loss=lambda y, t: None), "loss", "None"),
    wrong_type(lambda: train(optimizer=torch.optim.SGD), "optimizer", "type"),
    Row(lambda: train(net=net()), "optimizer", "net's parameters"),
    Row(lambda: train(scheduler=other_scheduler()), "scheduler", "another optimizer"),
    wrong_type(lambda: train(snapshots="yes"), "snapshots", "'yes'"),
    wrong_type(lambda: train(checkpoint=b"run.pt"), "checkpoint", "bytes"),
    Row(lambda: train(checkpoint=""), "checkpoint", "."),
    Row(not_a_checkpoint, "checkpoint", "note.txt"),
    Row(lambda: train(validation=examples(), metric=lambda y, t: 3), "loss", "3"),
]


EVALUATE = [
    wrong_type(lambda: conv.evaluate("net", examples(), conv.accuracy), "net", "'net'"),
    wrong_type(lambda: conv.evaluate(net(), None, bowl), "batches", "None"),
    Row(lambda: conv.evaluate(net(), [], conv.accuracy), "batches", "empty"),
    Row(
        lambda: conv.evaluate(net(), examples(), lambda y, t: y),
        "loss",
        "(5, 3)",
    ),
    *tensors(lambda bad: conv.accuracy(bad, torch.arange(2)), "output", 2),
    *tensors(lambda bad: conv.accuracy(torch.rand(2, 3), bad), "labels", 1),
    Row(lambda: conv.accuracy(torch.rand(2, 3), torch.arange(4)), "labels", "4"),
    Row(lambda: conv.evaluate(net(), examples(), lambda y, t: 0.5), "loss", "0.5"),
]

MASK = X > 0.5
SEGMENTATION = [
    *[
        row
        for measure in (conv.iou, conv.dice)
        for row in (
            wrong_type(lambda m=measure: m(None, MASK), "predicted", "None"),
            wrong_type(lambda m=measure: m(MASK, [[True]]), "target", "list"),
            wrong_type(lambda m=measure: m(X, MASK), "predicted", "torch.float32"),
            wrong_type(lambda m=measure: m(MASK, MASK.long()), "target", "torch.int64"),
            Row(lambda m=measure: m(MASK, MASK[1:]), "target", "(5, 7)"),
        )
    ],
    wrong_type(lambda: conv.dice_loss(None, X), "scores", "None"),
    wrong_type(lambda: conv.dice_loss(X, 1.0), "target", "1.0"),
    Row(lambda: conv.dice_loss(X, X[None]), "target", "(1, 6, 7)"),
    wrong_type(lambda: conv.apply_in_tiles(torch.relu, BATCH, 4, 2), "net", "type"),
    *tensors(lambda bad: conv.apply_in_tiles(nn.ReLU(), bad, 4, 2), "x", 4),
    *counts(lambda bad: conv.apply_in_tiles(nn.ReLU(), BATCH, bad, 2), "size"),
    Row(lambda: conv.apply_in_tiles(nn.ReLU(), BATCH, 4, -1), "margin", "-1"),
    wrong_type(lambda: conv.apply_in_tiles(nn.ReLU(), BATCH, 4, 0.5), "margin", "0.5"),
]


def labeled_images(count: int = 6) -> conv.LabeledImages:
    labels = torch.arange(count) % 2
    return conv.LabeledImages(torch.rand(count, 1, 4, 4), labels, ("a", "b"))


def named(names: object, **where: str) -> conv.LabeledImages:
    return conv.LabeledImages(torch.rand(2, 1, 4, 4), torch.arange(2, **where), names)


def cut(images: object, labels: object, shuffle: object = False) -> object:
    return conv.TensorBatches(images, labels, 2, shuffle)


def file_instead_of_folder() -> conv.Splits:
    Path("clothes").write_bytes(b"")
    return conv.load_fashion_mnist("clothes")


DATA = [
    *tensors(lambda bad: conv.LabeledImages(bad, torch.arange(2), ("a",)), "images", 4),
    *tensors(
        lambda bad: conv.LabeledImages(torch.rand(2, 1, 3, 3), bad, ("a",)), "labels", 1
    ),
    Row(
        lambda: conv.LabeledImages(torch.rand(2, 1, 3, 3), torch.arange(3), ("a",) * 3),
        "labels",
        "3",
    ),
    *counts(lambda bad: conv.make_loader(labeled_images(), bad), "batch_size"),
    wrong_type(lambda: conv.make_loader(None, 2), "data", "None"),
    wrong_type(lambda: conv.make_loader(torch.rand(2, 1, 3, 3), 2), "data", "Tensor"),
    wrong_type(
        lambda: conv.make_loader(labeled_images(), 2, device=1.5), "device", "1.5"
    ),
    wrong_type(lambda: conv.load_fashion_mnist(3), "root", "3"),
    wrong_type(lambda: named("ab"), "names", "'ab'"),
    wrong_type(lambda: named(None), "names", "None"),
    wrong_type(
        lambda: conv.make_loader(
            conv.Splits(labeled_images(), labeled_images(), labeled_images()), 2
        ),
        "data",
        "Splits",
    ),
    wrong_type(
        lambda: conv.make_loader(labeled_images(), 2, device=None), "device", "None"
    ),
    wrong_type(lambda: conv.make_loader(labeled_images(), 2, "no"), "shuffle", "'no'"),
    wrong_type(lambda: conv.load_fashion_mnist(b"x"), "root", "bytes"),
]

PATHS = {"a": torch.rand(3, 2)}
COLORS = torch.rand(2, 2, 3)


def gca() -> object:
    return plt.figure().gca()


PLOTS = [
    wrong_type(lambda: conv.show_images(None), "images", "None"),
    Row(lambda: conv.show_images([]), "images", "empty"),
    Row(lambda: conv.show_images([torch.rand(2, 2, 2)]), "images", "(2, 2, 2)"),
    Row(lambda: conv.show_images([torch.rand(0, 2)]), "images", "empty"),
    Row(lambda: conv.show_images([X, X], ["one"]), "titles", "1"),
    *counts(lambda bad: conv.show_images([X], alt="a", columns=bad), "columns"),
    Row(lambda: conv.show_images([X, X], axes=[plt.figure().gca()]), "axes", "1"),
    wrong_type(lambda: conv.show_gallery(None, alt="a"), "images", "None"),
    Row(lambda: conv.show_gallery([], alt="a"), "images", "empty"),
    Row(lambda: conv.show_gallery([X], ["a", "b"], alt="a"), "titles", "2"),
    *counts(lambda bad: conv.show_gallery([X], alt="a", columns=bad), "columns"),
    wrong_type(lambda: conv.show_kernels(None), "kernels", "None"),
    Row(lambda: conv.show_kernels([]), "kernels", "empty"),
    Row(lambda: conv.show_kernels([torch.rand(2, 2, 2)]), "kernels", "(2, 2, 2)"),
    wrong_type(lambda: conv.plot_losses(None), "losses", "None"),
    wrong_type(lambda: conv.plot_losses([1.0, 2.0]), "losses", "list"),
    wrong_type(lambda: conv.plot_descent(None, {"a": X[:, :2]}), "loss", "None"),
    wrong_type(lambda: conv.plot_descent(bowl, None), "paths", "None"),
    *invalid_images(conv.show_images, "images"),
    *invalid_images(partial(conv.show_gallery, alt="a"), "images"),
    *invalid_images(conv.show_kernels, "kernels"),
    Row(lambda: conv.show_images([COLORS * NAN]), "images", "nan"),
    Row(lambda: conv.show_images([COLORS[:0]]), "images", "empty"),
    wrong_type(lambda: conv.show_images([X], signed="no"), "signed", "'no'"),
    wrong_type(lambda: conv.show_gallery([X], alt="a", signed=2), "signed", "2"),
    wrong_type(lambda: conv.show_images([X], alt=3), "alt", "3"),
    wrong_type(lambda: conv.show_gallery([X], alt=None), "alt", "None"),
    wrong_type(lambda: conv.show_images([X], axes=gca()), "axes", "Axes"),
    wrong_type(lambda: conv.show_kernels([K], axes=gca()), "axes", "Axes"),
    *counts(lambda bad: conv.show_kernels([K], columns=bad), "columns"),
    wrong_type(lambda: conv.plot_losses(conv.History(3)), "losses", "History"),
    wrong_type(lambda: conv.plot_losses({"run": [1.0]}, log="no"), "log", "'no'"),
    wrong_type(lambda: conv.plot_losses({"run": [1.0]}, axes=[1]), "axes", "list"),
    wrong_type(lambda: conv.plot_losses({"run": [1.0]}, alt=3), "alt", "3"),
    wrong_type(lambda: conv.plot_descent(bowl, PATHS, axes="a"), "axes", "'a'"),
]


def bowl(a: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
    return a**2 + b**2


def device_named(name: str) -> object:
    os.environ["CONV_DEVICE"] = name  # the fixture below restores it
    return conv.default_device()


RUNTIME = [
    *[
        Row(lambda bad=bad: device_named(bad), "CONV_DEVICE", repr(bad))
        for bad in (
            *("gpu", "cuda:-1", "cuda:99", " cpu", "0", "cpu,cuda", "NaN", "CPU"),
            *("privateuseone", "vulkan", "lazy", "ü"),
        )
    ],
    *[
        wrong_type(lambda bad=bad: conv.seed_everything(bad), "seed", repr(bad))
        for bad in (None, "0", 1.5, True, 1j)
    ],
]

EXERCISES = [
    Row(lambda: exercises.hint("99.1"), "number", "99.1"),
    Row(lambda: exercises.hint(""), "number", "''"),
    Row(lambda: exercises.hint(None), "number", "None"),
    Row(lambda: exercises.hint(1.2), "number", "1.2"),
    Row(lambda: exercises.solution("1"), "number", "'1'"),
    Row(lambda: exercises.solution([]), "number", "list"),
    Row(lambda: exercises.judge("one", 1), "number", "'one'"),
    Row(lambda: exercises.judge(None, 1), "number", "None"),
    Row(lambda: exercises.judge([1], 1), "number", "list"),
    Row(lambda: exercises.solution({}), "number", "dict"),
    Row(lambda: exercises.hint(object()), "number", "object"),
    Row(lambda: exercises.hint(exercises.EXERCISES["1.3"]), "number", "Exercise"),
]


def first(count: int) -> list[nn.Module]:
    return list(conv.lenet())[:count]


def descent(**changes: object) -> widgets.Descent:
    return widgets.Descent(**({"X": X, "Y": X[:, 1:]} | changes))


def stack(*layers: nn.Module, shape: object = (3, 9, 9)) -> widgets.LayerStack:
    return widgets.LayerStack(layers, shape)


def pad(*layers: nn.Module) -> widgets.DrawDigit:
    return widgets.DrawDigit(nn.Sequential(*layers))


def with_nan() -> nn.Module:
    return nn.Linear(784, 10).apply(lambda layer: nn.init.constant_(layer.bias, NAN))


SOBEL = torch.tensor([[1.0, 0, -1], [2, 0, -2], [1, 0, -1]])

DETECTION = [
    *boxes(lambda bad: conv.box_iou(bad, BOXES), "A"),
    *boxes(lambda bad: conv.box_iou(BOXES, bad), "B"),
    *boxes(lambda bad: conv.nms(bad, SCORES, 0.5), "boxes"),
    wrong_type(lambda: conv.nms(BOXES, [0.9, 0.8], 0.5), "scores", "list"),
    Row(lambda: conv.nms(BOXES, SCORES[:1], 0.5), "scores", "1"),
    Row(lambda: conv.nms(BOXES, SCORES[:, None], 0.5), "scores", "(2, 1)"),
    Row(lambda: conv.nms(BOXES, SCORES, 1.5), "limit", "1.5"),
    Row(lambda: conv.nms(BOXES, SCORES, NAN), "limit", "nan"),
    wrong_type(lambda: conv.nms(BOXES, SCORES, None), "limit", "None"),
    Row(lambda: conv.nms(BOXES, SCORES.to("meta"), 0.5), "scores", "meta"),
    *boxes(lambda bad: conv.refine_boxes(bad, BOXES), "boxes"),
    wrong_type(lambda: conv.refine_boxes(BOXES, None), "offsets", "None"),
    Row(lambda: conv.refine_boxes(BOXES, SCORES), "offsets", "(2,)"),
    Row(lambda: conv.refine_boxes(BOXES, BOXES[:1]), "offsets", "1"),
    *boxes(lambda bad: conv.match_boxes(bad, BOXES), "boxes"),
    *boxes(lambda bad: conv.match_boxes(BOXES, bad), "truth"),
    Row(lambda: conv.match_boxes(BOXES, BOXES[:0]), "truth", "no boxes"),
    Row(lambda: conv.match_boxes(BOXES, BOXES, 0.0), "limit", "0"),
    Row(lambda: conv.match_boxes(BOXES, BOXES, -0.5), "limit", "-0.5"),
    wrong_type(lambda: conv.average_precision(None, 2), "hits", "None"),
    wrong_type(lambda: conv.average_precision(SCORES, 2), "hits", "float32"),
    Row(lambda: conv.average_precision(HITS[None], 2), "hits", "(1, 2)"),
    Row(lambda: conv.average_precision(HITS | True, 1), "total", "1"),
    *counts(lambda bad: conv.average_precision(HITS, bad), "total"),
]

WIDGETS = [
    *tensors(lambda bad: widgets.SlidingWindow(bad, K), "X", 2),
    *tensors(lambda bad: widgets.SlidingWindow(X, bad), "K", 2),
    *counts(lambda bad: widgets.SlidingWindow(X, K, stride=bad), "stride"),
    *counts(lambda bad: widgets.SlidingWindow(X, K, dilation=bad), "dilation"),
    Row(lambda: widgets.SlidingWindow(X, K, padding=-1), "padding", "-1"),
    Row(lambda: widgets.SlidingWindow(K, X), "K", "(6, 7)"),
    Row(lambda: widgets.SlidingWindow(torch.rand(13, 3), K), "X", "(13, 3)"),
    Row(lambda: widgets.SlidingWindow(X * NAN, K), "X", "nan"),
    Row(lambda: widgets.SlidingWindow(X, K / 0), "K", "inf"),
    Row(lambda: widgets.SlidingWindow(X, K, dilation=4), "dilation", "4"),
    wrong_type(lambda: widgets.SlidingWindow(X, K, padding=None), "padding", "None"),
    Row(lambda: widgets.SlidingWindow(X, K, stride=6), "stride", "6"),
    *tensors(lambda bad: widgets.KernelBench(bad, torch.rand(3, 3)), "image", 2),
    *tensors(lambda bad: widgets.KernelBench(DIGIT, bad), "kernel", 2),
    Row(lambda: widgets.KernelBench(DIGIT, torch.rand(2, 2)), "kernel", "(2, 2)"),
    Row(lambda: widgets.KernelBench(DIGIT, SOBEL * NAN), "kernel", "nan"),
    Row(lambda: widgets.KernelBench(DIGIT * NAN, SOBEL), "image", "nan"),
    Row(lambda: widgets.KernelBench(DIGIT, SOBEL, 2), "bias", "2"),
    Row(lambda: widgets.KernelBench(DIGIT, SOBEL, NAN), "bias", "nan"),
    wrong_type(lambda: widgets.KernelBench(DIGIT, SOBEL, "0.1"), "bias", "'0.1'"),
    Row(lambda: widgets.KernelBench(DIGIT + 2, SOBEL), "image", "from 2"),
    Row(lambda: widgets.KernelBench(torch.rand(513, 5), SOBEL), "image", "(513, 5)"),
    *tensors(lambda bad: widgets.Descent(bad, X), "X", 2),
    *tensors(lambda bad: widgets.Descent(X, bad), "Y", 2),
    *counts(lambda bad: widgets.Descent(X, X[:, 1:], steps=bad), "steps"),
    Row(lambda: widgets.Descent(X, X), "Y", "(6, 7)"),
    Row(lambda: widgets.Descent(X, X[1:, 1:]), "Y", "(5, 6)"),
    Row(lambda: descent(X=X * NAN), "X", "nan"),
    Row(lambda: descent(Y=X[:, 1:] * NAN), "Y", "nan"),
    Row(lambda: descent(X=torch.ones(6, 7)), "X", "many kernels"),
    Row(lambda: descent(steps=101), "steps", "101"),
    *[
        Row(lambda bad=bad: descent(lr=bad), "lr", repr(bad))
        for bad in (NAN, INF, -1.0)
    ],
    *[
        wrong_type(lambda bad=bad: descent(lr=bad), "lr", repr(bad))
        for bad in (None, "0.1", 1j, True)
    ],
    Row(lambda: descent(start=(INF, 0.0)), "start", "inf"),
    Row(lambda: descent(start=(1.0,)), "start", "(1.0,)"),
    wrong_type(lambda: descent(start=None), "start", "None"),
    wrong_type(lambda: descent(start=("a", 1.0)), "start", "'a'"),
    wrong_type(lambda: descent(start=(None, 1.0)), "start", "None"),
    wrong_type(lambda: widgets.LayerStack(None, (1, 28, 28)), "layers", "None"),
    wrong_type(lambda: widgets.LayerStack(["conv"], (1, 28, 28)), "layers", "'conv'"),
    wrong_type(lambda: widgets.LayerStack(nn.ReLU(), (1, 5, 5)), "layers", "ReLU"),
    wrong_type(lambda: stack(nn.Linear(2, 2)), "layers", "Linear(in_features=2"),
    Row(lambda: stack(nn.Conv2d(1, 2, 3)), "layers", "Conv2d(1, 2"),
    Row(lambda: stack(nn.Conv2d(3, 2, 3), nn.Conv2d(4, 2, 3)), "layers", "Conv2d(4, 2"),
    Row(lambda: stack(nn.MaxPool2d(2, ceil_mode=True)), "layers", "ceil_mode=True"),
    Row(lambda: stack(nn.Conv2d(3, 3, 3, padding="same")), "layers", "padding=same"),
    wrong_type(lambda: stack(shape=(1, 28)), "shape", "(1, 28)"),
    Row(lambda: stack(shape=(0, 28, 28)), "shape", "0"),
    wrong_type(lambda: stack(shape=None), "shape", "None"),
    wrong_type(lambda: stack(shape=(1.0, 5, 5)), "shape", "1.0"),
    wrong_type(lambda: stack(shape="155"), "shape", "'155'"),
    wrong_type(lambda: widgets.DrawDigit(None), "net", "None"),
    wrong_type(lambda: widgets.DrawDigit(nn.Linear(2, 2)), "net", "Linear"),
    Row(lambda: pad(nn.Flatten(), nn.Linear(10, 10)), "net", "(1, 1, 28, 28)"),
    Row(lambda: pad(nn.Conv2d(1, 2, 3)), "net", "(1, 2, 26, 26)"),
    Row(lambda: pad(nn.Conv2d(1, 2, 3, (1, 2))), "net", "stride=(1, 2)"),
    Row(lambda: pad(nn.Flatten(), with_nan()), "net", "nan"),
    wrong_type(lambda: pad(nn.Sigmoid()), "net", "Sigmoid"),
    wrong_type(lambda: pad(nn.MaxPool2d(3, 2)), "net", "MaxPool2d"),
    wrong_type(lambda: pad(nn.Conv2d(1, 2, 3, bias=False)), "net", "bias=False"),
    Row(lambda: widgets.DrawDigit(conv.lenet(), torch.rand(3, 3)), "image", "(3, 3)"),
    Row(lambda: widgets.DrawDigit(conv.lenet(), DIGIT * NAN), "image", "nan"),
    wrong_type(lambda: widgets.DrawDigit(conv.lenet(), [[0.0]]), "image", "list"),
    wrong_type(lambda: widgets.DrawDigit(conv.lenet(), center="no"), "center", "'no'"),
]


def merge(image=DIGIT, boxes=BOXES, scores=SCORES, **options):
    return widgets.MergeBoxes(image, boxes, scores, **options)


WIDGETS += [
    *boxes(lambda bad: merge(boxes=bad), "boxes"),
    Row(lambda: widgets.MergeBoxes(DIGIT, BOXES, SCORES[:1]), "scores", "1"),
    Row(lambda: merge(scores=SCORES * 2), "scores", "1.8"),
    Row(lambda: merge(scores=SCORES * NAN), "scores", "nan"),
    Row(lambda: merge(boxes=BOXES * NAN), "boxes", "nan"),
    Row(
        lambda: merge(boxes=BOXES.repeat(251, 1), scores=SCORES.repeat(251)),
        "boxes",
        "502",
    ),
    Row(lambda: merge(image=DIGIT[:4]), "image", "(4, 28)"),
    Row(lambda: merge(image=DIGIT * 2), "image", "pixels"),
    Row(lambda: merge(limit=2.0), "limit", "2.0"),
    Row(lambda: merge(threshold=-1.0), "threshold", "-1.0"),
]

TABLE = {
    "corr2d": CORR2D,
    "conv2d": CONV2D,
    "conv_transpose2d": CONV_TRANSPOSE2D,
    "pool2d": POOL2D,
    "output_shape": OUTPUT_SHAPE,
    "layers": LAYERS,
    "segmentation": SEGMENTATION,
    "fit": FIT,
    "evaluate": EVALUATE,
    "detection": DETECTION,
    "data": DATA,
    "plots": PLOTS,
    "runtime": RUNTIME,
    "exercises": EXERCISES,
    "widgets": WIDGETS,
}
ROWS = {
    ascii(f"{part}-{place}-{row.name}-{row.found}"[:60]).strip("\"'"): row
    for part, rows in TABLE.items()
    for place, row in enumerate(rows)
}


# The exact messages, collected in one file for review.
MESSAGES_FILE = Path(__file__).parent / "messages.json"
MESSAGES = json.loads(MESSAGES_FILE.read_text(encoding="utf-8"))
MESSAGES_CHANGED = (
    "If this is intended, run python tests/messages.py and review the diff."
)


@pytest.fixture(autouse=True)
def isolated_environment(monkeypatch, tmp_path):
    monkeypatch.setenv("CONV_DEVICE", "cpu")
    monkeypatch.chdir(tmp_path)
    yield
    plt.close("all")


def error_of(row: Row) -> Exception:
    """Return the error that an invalid call raises."""
    conv.seed_everything(0)
    with pytest.raises((ValueError, TypeError)) as caught:
        row.call()
    return caught.value


def normalized_message(error: Exception) -> str:
    """Return an error's message without measured numbers."""
    return re.sub(r"-?\d+\.\d{3,}(e-?\d+)?", "…", str(error))


@pytest.mark.parametrize("name", ROWS)
def test_invalid_input_raises_a_clear_error(name):
    row = ROWS[name]
    error = error_of(row)
    message = str(error)
    last = traceback.extract_tb(error.__traceback__)[-1]
    assert PACKAGE in Path(last.filename).parents, f"raised in {last}: {message}"
    statement = linecache.getline(last.filename, last.lineno).strip()
    assert statement.startswith("raise "), f"raised in {last}: {message}"
    assert type(error) is row.kind, message
    assert re.search(rf"\b{row.name}\b", message), message
    assert row.found in message
    assert re.search(r"\b(expected|must)\b", message), message
    assert normalized_message(error) == MESSAGES[name], MESSAGES_CHANGED


@pytest.mark.parametrize(
    "call",
    [
        lambda: conv.corr2d(X * NAN, K),
        lambda: conv.conv2d(BATCH / 0, KERNELS),
        lambda: conv.pool2d(BATCH * NAN, 2),
        lambda: conv.plot_losses({"diverged": [1.0, INF, NAN]}).png(),
        lambda: conv.plot_descent(bowl, {"stays": torch.ones(3, 2)}).png(),
        lambda: conv.show_images([X.bfloat16(), X > 0.5]).png(),
        lambda: conv.show_kernels([K.bfloat16()]).png(),
        lambda: descent(lr=0.0).to_figure().png(),
        lambda: descent(lr=1e3, steps=100).to_figure().png(),
        lambda: descent(lr=1e300).to_figure().png(),
    ],
)
def test_unusual_input_is_accepted(call):
    """NaN pixels, training that diverges, and a descent that doesn't move are valid."""
    assert call() is not None


def test_every_public_function_is_tested_with_invalid_input():
    """A new function needs rows, unless it takes no arguments or is an exception."""
    exempt = {"CheckpointError", "DivergenceError", "TrainingError", "default_device"}
    exempt |= {"History", "Splits", "TensorBatches", "lenet", "load_digits28"}
    exempt |= {"load_nuclei", "load_onet", "load_pnet", "load_rnet"}
    exempt |= {"label_curves", "subplots"}  # matplotlib's messages name the argument
    assert exempt <= set(conv.__all__)
    code = inspect.getsource(inspect.getmodule(test_invalid_input_raises_a_clear_error))
    tables, _, _ = code.partition("\nTABLE = {")
    names = [f"conv.{name}" for name in set(conv.__all__) - exempt]
    names += [f"widgets.{name}" for name in widgets.__all__]
    names += [f"exercises.{name}" for name in ("hint", "judge", "solution")]
    assert [name for name in names if not re.search(rf"\b{name}\b", tables)] == []
    assert len(ROWS) >= 500
    assert set(ROWS) == set(MESSAGES)
