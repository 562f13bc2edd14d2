"""A pad for drawing digits, with a network that classifies them in the browser."""

import torch
from torch import Tensor, nn
from traitlets import Bool, Bytes, Dict, Float, List, Unicode

from conv.functional import Size, as_pair
from conv.plotting import Figure, show_images, subplots
from conv.widgets.base import CSS, TIMES, Widget, bundle

SIDE = 28


class DrawDigit(Widget):
    """Draw a digit, and see the network's prediction while drawing.

    The network runs in the browser, without a kernel.

    Parameters
    ----------
    net : nn.Sequential
        Maps (N, 1, 28, 28) to (N, classes). It may contain convolutions and linear
        layers with a bias, ReLU, max pooling without overlap, flatten, and dropout,
        which is ignored, as in evaluation mode. A layer may occur more than once.
    image : Tensor, shape (28, 28), optional
        Initial drawing, with pixels in [0, 1].
    center : bool
        Whether to crop, scale and center a drawing as in the preprocessing of MNIST.

    Raises
    ------
    TypeError, ValueError
        If the network has another kind of layer or doesn't accept a digit, or if the
        image has the wrong shape or range.
    """

    _esm = bundle("draw_digit")
    _css = CSS
    module = Unicode("draw_digit", read_only=True).tag(sync=True)
    layers = List(Dict()).tag(sync=True)
    weights = Bytes().tag(sync=True)
    image = List(Float()).tag(sync=True)
    center = Bool(True).tag(sync=True)

    def __init__(
        self, net: nn.Sequential, image: Tensor | None = None, center: bool = True
    ) -> None:
        image = torch.zeros(SIDE, SIDE) if image is None else image
        super().__init__(
            layers=[describe_layer(layer) for layer in net],
            weights=b"".join(weight_bytes(layer) for layer in net),
            image=[round(pixel, 3) for pixel in image.flatten().tolist()],
            center=center,
        )
        self.parameter_count = sum(p.numel() for p in net.parameters())

    @property
    def drawing(self) -> Tensor:
        """The drawing as a batch for the network, (1, 1, 28, 28)."""
        return torch.tensor(self.image).view(1, 1, SIDE, SIDE)

    def __repr__(self) -> str:
        """Describe the drawing and the size of the network."""
        mean = self.drawing.mean()
        return (
            f"DrawDigit, {SIDE} {TIMES} {SIDE} pixels with mean {mean:.2f}, network "
            f"with {self.parameter_count:,} parameters"
        )

    def to_figure(self) -> Figure:
        """Show the drawing."""
        figure, ax = subplots(size=(3.2, 3.4), alt=f"{self!r}")
        show_images([self.drawing[0, 0]], ["drawing"], axes=[ax])
        return figure


def describe_layer(layer: nn.Module) -> dict:
    """Return the kind and the sizes of a layer, as the browser expects them."""
    match layer:
        case nn.Conv2d(groups=1, padding_mode="zeros", bias=Tensor()):
            names = "stride", "padding", "dilation"
            return {
                "kind": "conv",
                "kernel_size": list(layer.kernel_size),
                "out_channels": layer.out_channels,
                **{name: single(layer, name) for name in names},
            }
        case nn.Linear(bias=Tensor()):
            return {"kind": "linear", "out_features": layer.out_features}
        case nn.MaxPool2d(padding=0, dilation=1, ceil_mode=False) if as_pair(
            layer.stride
        ) == as_pair(layer.kernel_size):
            return {"kind": "maxpool", "kernel_size": list(as_pair(layer.kernel_size))}
        case nn.ReLU():
            return {"kind": "relu"}
        case nn.Flatten():
            return {"kind": "flatten"}
        case nn.Dropout():
            return {"kind": "dropout"}
    raise TypeError(
        f"net contains {layer}; expected convolutions and linear layers with a bias, "
        f"ReLU, max pooling without overlap, flatten or dropout"
    )


def single(layer: nn.Module, name: str) -> int:
    """Return an option that must be the same vertically and horizontally."""
    value: Size | str = getattr(layer, name)
    if isinstance(value, str) or len(set(as_pair(value))) != 1:
        wanted = f"the same {name} in both directions, in pixels"
        raise ValueError(f"net contains {layer}; expected {wanted}")
    return as_pair(value)[0]


def weight_bytes(layer: nn.Module) -> bytes:
    """Return a layer's weight and bias as float32, or nothing if it has neither."""
    if not isinstance(layer, nn.Conv2d | nn.Linear):
        return b""
    tensors = [layer.weight.detach().flatten(), layer.bias.detach()]
    return torch.cat(tensors).cpu().float().numpy().tobytes()
