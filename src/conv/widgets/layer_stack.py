"""A stack of layers, their shapes and what they cost."""

import math
from collections.abc import Iterable
from typing import NamedTuple

import torch
from matplotlib.patches import Rectangle
from torch import nn
from traitlets import Dict, Int, List, Unicode

from conv.checks import as_pair, check_count, check_room
from conv.layers import flattened, receptive_field
from conv.plotting import COLOURS, Figure, subplots
from conv.widgets.base import STYLE, TIMES, Widget, bundle

KINDS = {nn.MaxPool2d: "maxpool", nn.AvgPool2d: "avgpool"}


class Stage(NamedTuple):
    """A layer on the stack, and the shape (C, H, W) of what it gives."""

    layer: nn.Module
    shape: tuple[int, ...]

    @property
    def parameters(self) -> int:
        """How many numbers the layer learns."""
        return sum(p.numel() for p in self.layer.parameters())

    @property
    def multiplications(self) -> int:
        """How often it multiplies: each weight once for each output pixel."""
        conv = isinstance(self.layer, nn.Conv2d)
        return self.layer.weight.numel() * math.prod(self.shape[1:]) if conv else 0


class LayerStack(Widget):
    """Stack layers; see shapes, parameters, multiplications, receptive field grow.

    Parameters
    ----------
    layers : iterable of nn.Module
        Convolutions and pooling; layers that work on each pixel alone are passed over.
    shape : (int, int, int)
        The input's channels, height and width.

    Raises
    ------
    TypeError, ValueError
        If there is another kind of layer, an unusual option, or a convolution that
        takes another number of channels than come.

    Notes
    -----
    Multiplications are counted as in chapter 6: weights times output pixels.
    """

    _esm = bundle("layer_stack")
    _css = STYLE
    module = Unicode("layer_stack", read_only=True).tag(sync=True)
    shape = List(Int(min=1), minlen=3, maxlen=3).tag(sync=True)
    layers = List(Dict()).tag(sync=True)

    def __init__(
        self, layers: Iterable[nn.Module], shape: tuple[int, int, int]
    ) -> None:
        if not isinstance(shape, tuple | list) or len(shape) != 3:
            raise TypeError(
                f"shape is {shape!r}; expected three ints: channels, height, width"
            )
        for side in shape:
            check_count("shape", side)
        check_room("shape", shape, shape)
        windowed = list(flattened(layers))
        check_chain(windowed, shape[0])
        described = [describe(layer) for layer in windowed]
        super().__init__(shape=list(shape), layers=described)

    @property
    def net(self) -> nn.Sequential:
        """The layers that fit on each other, as a net of PyTorch's."""
        return nn.Sequential(*(stage.layer for stage in self.stages()))

    def stages(self) -> list[Stage]:
        """Follow the shape through the layers, as far as they fit."""
        x, found = torch.empty(1, *self.shape, device="meta"), []
        for numbers in self.layers:
            if not fits(numbers, tuple(x.shape[1:])):
                break
            layer = build(numbers, x.shape[1])
            x = layer.to("meta")(x)  # (1, C, H, W)
            found.append(Stage(layer, tuple(x.shape[1:])))
        return found

    def __repr__(self) -> str:
        """Say what shape comes out, at what cost, and what a pixel of it sees."""
        stages = self.stages()
        shape = stages[-1].shape if stages else self.shape
        parameters = sum(stage.parameters for stage in stages)
        multiplications = sum(stage.multiplications for stage in stages)
        field = receptive_field(stage.layer for stage in stages)
        short = len(stages) < len(self.layers)
        trouble = f"; layer {len(stages) + 1} doesn't fit" if short else ""
        return (
            f"LayerStack from {times(self.shape)} to {times(shape)}: {parameters:,} "
            f"parameters, {multiplications:,} multiplications; an output pixel sees "
            f"{times(field)} pixels{trouble}"
        )

    def still(self) -> Figure:
        """List the layers, and draw what each one's output pixel sees."""
        stages = self.stages()
        height = 0.8 + 0.4 * max(len(stages), 5)
        figure, (left, right) = subplots(1, 2, size=(9, height), alt=f"{self!r}")
        left.set_axis_off()
        outlines = [(*self.shape[1:], "0.3")]
        for n, stage in enumerate(stages, start=1):
            kind, shape = self.layers[n - 1]["kind"], times(stage.shape)
            text = f"{n}. {kind}: {shape}, {stage.parameters:,} parameters"
            left.text(0, 1 - n / (len(stages) + 1), text)
            field = receptive_field(stage.layer for stage in stages[:n])
            outlines.append((*field, COLOURS[1]))
        for h, w, colour in outlines:
            corner = (self.shape[2] - w) / 2, (self.shape[1] - h) / 2
            right.add_patch(Rectangle(corner, w, h, fill=False, edgecolor=colour))
        right.autoscale_view()
        right.set(title="what an output pixel sees", aspect="equal")
        right.set(xlabel="column", ylabel="row")
        return figure


def check_chain(layers: Iterable[nn.Module], channels: int) -> None:
    """Refuse a convolution that takes another number of channels than come."""
    for layer in layers:
        if type(layer) not in KINDS:
            taken = layer.weight.shape[1] * layer.groups
            if taken != channels:
                raise ValueError(
                    f"layers has {layer}; expected one that takes the {channels} "
                    f"channels that come, not {taken}"
                )
            channels = len(layer.weight)


def fits(numbers: dict, shape: tuple[int, int, int]) -> bool:
    """Tell whether a layer can take a picture of some shape."""
    channels, *size = shape
    conv = numbers["kind"] == "conv"
    groups = numbers["groups"]
    if conv and (channels % groups or numbers["out_channels"] % groups):
        return False
    sides = zip(
        size,
        *(numbers[name] for name in ("kernel_size", "padding", "dilation")),
        strict=True,
    )
    return all(
        d * (k - 1) + 1 <= n + 2 * p and (conv or 2 * p <= k) for n, k, p, d in sides
    )


def describe(layer: nn.Module) -> dict:
    """Write a layer's kind and numbers down as the browser reads them."""
    if isinstance(layer.padding, str) or getattr(layer, "ceil_mode", False):
        raise ValueError(
            f"layers has {layer}; expected padding in numbers, and no ceil_mode"
        )
    numbers = {
        name: list(as_pair(name, getattr(layer, name, 1), least=0))
        for name in ("kernel_size", "stride", "padding", "dilation")
    }
    if type(layer) in KINDS:
        return {"kind": KINDS[type(layer)], "out_channels": 1, **numbers, "groups": 1}
    return {
        "kind": "conv",
        "out_channels": len(layer.weight),
        **numbers,
        "groups": layer.groups,
        "bias": layer.bias is not None,
    }


def build(layer: dict, channels: int) -> nn.Module:
    """Make PyTorch's layer from what the browser wrote down."""
    numbers = {
        name: tuple(layer[name]) for name in ("kernel_size", "stride", "padding")
    }
    if layer["kind"] == "avgpool":
        return nn.AvgPool2d(**numbers)
    numbers["dilation"] = tuple(layer["dilation"])
    if layer["kind"] == "maxpool":
        return nn.MaxPool2d(**numbers)
    options = {"groups": layer["groups"], "bias": layer.get("bias", True)}
    return nn.Conv2d(channels, layer["out_channels"], **numbers, **options)


def times(sides: Iterable[int]) -> str:
    """Write sides with times signs between them."""
    return f" {TIMES} ".join(map(str, sides))
