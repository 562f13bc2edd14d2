"""A stack of layers with their output shapes, costs and receptive fields."""

import math
from collections.abc import Iterable
from typing import NamedTuple

import torch
from matplotlib.patches import Rectangle
from torch import nn
from traitlets import Dict, Int, List, Unicode

from conv.functional import as_pair, output_shape
from conv.layers import iter_layers, receptive_field
from conv.plotting import PALETTE, Figure, subplots
from conv.widgets.base import CSS, TIMES, Widget, bundle

SIZES = ("kernel_size", "stride", "padding", "dilation")


class LayerSummary(NamedTuple):
    """A layer and the shape of its output, (C, H, W)."""

    layer: nn.Module
    shape: tuple[int, ...]

    @property
    def parameters(self) -> int:
        """Number of weights and biases."""
        return sum(p.numel() for p in self.layer.parameters())

    @property
    def multiplications(self) -> int:
        """Number of multiplications: every weight once per output pixel."""
        if not isinstance(self.layer, nn.Conv2d):
            return 0
        return self.layer.weight.numel() * math.prod(self.shape[1:])


class LayerStack(Widget):
    """Stack layers, and see their shapes, parameters, costs and receptive fields.

    Parameters
    ----------
    layers : iterable of nn.Module
        Convolutions and pooling. Layers that compute each pixel from the same pixel,
        such as activations, are skipped.
    shape : (int, int, int)
        Channels, height and width of the input.

    Raises
    ------
    TypeError, ValueError
        If a layer is of another kind, has an option that the widget can't show, or
        takes another number of channels than its input has.

    Notes
    -----
    Multiplications are counted as in chapter 6: weights times output pixels.
    """

    _esm = bundle("layer_stack")
    _css = CSS
    module = Unicode("layer_stack", read_only=True).tag(sync=True)
    shape = List(Int(min=1), minlen=3, maxlen=3).tag(sync=True)
    layers = List(Dict()).tag(sync=True)

    def __init__(
        self, layers: Iterable[nn.Module], shape: tuple[int, int, int]
    ) -> None:
        super().__init__(
            shape=list(shape),
            layers=[describe_layer(layer) for layer in iter_layers(layers)],
        )

    @property
    def net(self) -> nn.Sequential:
        """The layers, up to the first that doesn't fit, as a PyTorch network."""
        return nn.Sequential(*(summary.layer for summary in self.summaries()))

    def summaries(self) -> list[LayerSummary]:
        """Summarize the layers, up to the first that doesn't fit its input."""
        x, summaries = torch.empty(1, *self.shape, device="meta"), []
        for description in self.layers:
            if not accepts_shape(description, x.shape[1:]):
                break
            layer = build_layer(description, x.shape[1])
            x = layer.to("meta")(x)
            summaries.append(LayerSummary(layer, tuple(x.shape[1:])))
        return summaries

    def __repr__(self) -> str:
        """Describe the output shape, the cost and the receptive field."""
        summaries = self.summaries()
        shape = summaries[-1].shape if summaries else self.shape
        parameters = sum(summary.parameters for summary in summaries)
        multiplications = sum(summary.multiplications for summary in summaries)
        field = receptive_field(summary.layer for summary in summaries)
        complete = len(summaries) == len(self.layers)
        problem = "" if complete else f"; layer {len(summaries) + 1} doesn't fit"
        return (
            f"LayerStack from {format_shape(self.shape)} to {format_shape(shape)}: "
            f"{parameters:,} parameters, {multiplications:,} multiplications; "
            f"receptive field {format_shape(field)}{problem}"
        )

    def to_figure(self) -> Figure:
        """List the layers, and draw their receptive fields on the input."""
        summaries = self.summaries()
        height = 0.8 + 0.4 * max(len(summaries), 5)
        figure, (left, right) = subplots(1, 2, size=(9, height), alt=f"{self!r}")
        left.set_axis_off()
        rectangles = [("", *self.shape[1:], PALETTE["input"])]
        for n, summary in enumerate(summaries, start=1):
            kind, shape = self.layers[n - 1]["kind"], format_shape(summary.shape)
            field = receptive_field(layer for layer, _ in summaries[:n])
            text = (
                f"{n}. {kind}: {shape}, {summary.parameters:,} parameters, "
                f"field {format_shape(field)}"
            )
            left.text(0, 1 - n / (len(summaries) + 1), text)
            rectangles.append((f"{n}", *field, PALETTE["highlight"]))
        for k, (number, h, w, color) in enumerate(rectangles):
            x, y = (self.shape[2] - w) / 2, (self.shape[1] - h) / 2
            right.add_patch(Rectangle((x, y), w, h, fill=False, edgecolor=color))
            # subsequent fields can be similar: inside of one, outside of the next
            at, va = (x + 0.3, "top") if k % 2 else (x + w + 0.3, "bottom")
            right.text(at, y, number, ha="left", va=va, size=9)
        right.autoscale_view()
        right.invert_yaxis()
        right.set(title="receptive field of each layer", aspect="equal")
        right.set(xlabel="column", ylabel="row")
        return figure


def accepts_shape(description: dict, shape: tuple[int, int, int]) -> bool:
    """Return whether a layer accepts an input of shape (C, H, W)."""
    channels, *size = shape
    kernel_size, stride, padding, dilation = (description[name] for name in SIZES)
    if description["kind"] == "conv":
        groups = description["groups"]
        if channels % groups or description["out_channels"] % groups:
            return False
    elif any(2 * p > k for p, k in zip(padding, kernel_size, strict=True)):
        return False  # PyTorch's limit for pooling
    return min(output_shape(size, kernel_size, stride, padding, dilation)) >= 1


def describe_layer(layer: nn.Module) -> dict:
    """Return the kind and the sizes of a layer, as the browser expects them."""
    sizes = {name: list(as_pair(getattr(layer, name, 1))) for name in SIZES}
    if isinstance(layer, nn.MaxPool2d | nn.AvgPool2d):
        kind = "maxpool" if isinstance(layer, nn.MaxPool2d) else "avgpool"
        return {"kind": kind, "out_channels": 1, **sizes, "groups": 1}
    return {
        "kind": "conv",
        "out_channels": len(layer.weight),
        **sizes,
        "groups": layer.groups,
        "bias": layer.bias is not None,
    }


def build_layer(description: dict, channels: int) -> nn.Module:
    """Make the PyTorch layer that a description from the browser stands for."""
    sizes = {name: tuple(description[name]) for name in SIZES}
    if description["kind"] == "avgpool":
        del sizes["dilation"]  # average pooling has none
        return nn.AvgPool2d(**sizes)
    if description["kind"] == "maxpool":
        return nn.MaxPool2d(**sizes)
    options = {"groups": description["groups"], "bias": description.get("bias", True)}
    return nn.Conv2d(channels, description["out_channels"], **sizes, **options)


def format_shape(sizes: Iterable[int]) -> str:
    """Format sizes with multiplication signs between them."""
    return f" {TIMES} ".join(map(str, sizes))
