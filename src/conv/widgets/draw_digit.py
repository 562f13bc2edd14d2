"""A pad to draw a digit on, and a net that reads it, in the browser."""

import copy

import torch
from torch import Tensor, nn
from traitlets import Bool, Bytes, Dict, Float, List, Unicode

from conv.checks import check_drawable, check_is, check_not_meta, check_tensor
from conv.plotting import Figure, show_images, subplots
from conv.widgets.base import STYLE, TIMES, Widget, bundle

SIDE = 28
WITHOUT_NUMBERS = {nn.ReLU: "relu", nn.Flatten: "flatten", nn.Dropout: "dropout"}


class DrawDigit(Widget):
    """Draw a digit; the net reads it while you draw, without a kernel.

    Parameters
    ----------
    net : nn.Sequential
        From (N, 1, 28, 28) to (N, classes): convolutions, ReLU, max pooling without
        overlap, flatten, linear layers, dropout (which evaluation leaves out).
    picture : Tensor, optional
        What is on the pad at first, (28, 28), in [0, 1].
    centre : bool
        Whether a drawing is cropped, scaled and centred as MNIST's digits were.

    Raises
    ------
    TypeError, ValueError
        If the net has another kind of layer or can't take a digit, or the picture
        has another size or range.
    """

    _esm = bundle("draw_digit")
    _css = STYLE
    module = Unicode("draw_digit", read_only=True).tag(sync=True)
    layers = List(Dict()).tag(sync=True)
    weights = Bytes().tag(sync=True)
    picture = List(Float()).tag(sync=True)
    centre = Bool(True).tag(sync=True)

    def __init__(
        self, net: nn.Sequential, picture: Tensor | None = None, centre: bool = True
    ) -> None:
        if not isinstance(net, nn.Sequential):
            raise TypeError(f"net is a {type(net).__name__}; expected an nn.Sequential")
        ink = torch.zeros(SIDE, SIDE) if picture is None else picture
        check_tensor("picture", ink, ("height", "width"))
        check_not_meta("picture", ink)
        check_is("centre", centre, bool)
        if ink.shape != (SIDE, SIDE) or not (ink.min() >= 0 and ink.max() <= 1):
            raise ValueError(
                f"picture has shape {tuple(ink.shape)} and pixels from {ink.min():g} "
                f"to {ink.max():g}; expected {(SIDE, SIDE)} and 0 to 1"
            )
        described = [describe(layer) for layer in net]
        check_net(net)
        numbers = [p.detach().flatten().cpu().float() for p in net.parameters()]
        super().__init__(
            layers=described,
            weights=torch.cat(numbers).numpy().tobytes(),
            picture=[round(pixel, 3) for pixel in ink.flatten().tolist()],
            centre=centre,
        )

    @property
    def drawing(self) -> Tensor:
        """What is on the pad now, (1, 1, 28, 28), ready for the net."""
        return torch.tensor(self.picture).view(1, 1, SIDE, SIDE)

    def __repr__(self) -> str:
        """Say how large the net is, and how much ink is on the pad."""
        ink = sum(self.picture) / len(self.picture)
        return (
            f"DrawDigit, {SIDE} {TIMES} {SIDE} pixels, {ink:.0%} of them ink, for a "
            f"net of {len(self.weights) // 4:,} numbers"
        )

    def still(self) -> Figure:
        """Draw what is on the pad."""
        figure, ax = subplots(size=(3.2, 3.4), alt=f"{self!r}")
        show_images([self.drawing[0, 0]], ["draw a digit"], axes=[ax])
        return figure


def check_net(net: nn.Sequential) -> None:
    """Refuse a net that learned nothing, or can't take a digit."""
    parameters = list(net.parameters())
    if not parameters:
        raise ValueError("net has no parameters; expected one that learned digits")
    for parameter in parameters:
        check_drawable("net's parameters", parameter)
    digit = torch.empty(1, 1, SIDE, SIDE, dtype=parameters[0].dtype, device="meta")
    try:
        shape = tuple(copy.deepcopy(net).to("meta").eval()(digit).shape)
    except (RuntimeError, ValueError) as error:
        raise ValueError(
            f"net can't take a digit of shape {tuple(digit.shape)} ({error}); expected "
            f"one that can"
        ) from error
    if len(shape) != 2:
        raise ValueError(f"net gives shape {shape}; expected (1, classes)")


def describe(layer: nn.Module) -> dict:
    """Write a layer's kind and sizes down as the browser reads them."""
    match layer:
        case nn.Conv2d(groups=1, padding_mode="zeros") if layer.bias is not None:
            names = "stride", "padding", "dilation"
            return {
                "kind": "conv",
                "kernel_size": list(layer.kernel_size),
                "out_channels": layer.out_channels,
                **{name: one(name, getattr(layer, name)) for name in names},
            }
        case nn.Linear() if layer.bias is not None:
            return {"kind": "linear", "out_features": layer.out_features}
        case nn.MaxPool2d(padding=0, dilation=1, ceil_mode=False) if (
            layer.stride == layer.kernel_size
        ):
            side = one("kernel_size", layer.kernel_size)
            return {"kind": "maxpool", "kernel_size": [side, side]}
        case nn.ReLU() | nn.Flatten() | nn.Dropout():
            return {"kind": WITHOUT_NUMBERS[type(layer)]}
    raise TypeError(
        f"net has {layer}; expected convolutions and linear layers with a bias, ReLU, "
        f"max pooling without overlap, flatten or dropout"
    )


def one(name: str, value: int | tuple[int, int]) -> int:
    """Take the one number that stands for both directions."""
    if isinstance(value, int):
        return value
    if isinstance(value, tuple) and value[0] == value[1]:
        return value[0]
    raise ValueError(f"{name} is {value!r}; expected the same in both directions")
