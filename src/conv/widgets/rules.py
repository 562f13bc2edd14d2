"""Checks of the widgets' arguments; `conv.widgets` states which ones each widget uses.

`conv.validation` explains the difference between a spec and a rule.
"""

import copy
import math
from collections.abc import Iterable
from typing import Any

import torch
from torch import Tensor, nn

from conv.layers import iter_layers
from conv.validation import (
    Check,
    check_one_per_box,
    check_window,
    describe,
    of_type,
    positive_int,
)
from conv.widgets.draw_digit import SIDE, describe_layer

MAX_IMAGE_SIDE = 12  # the numbers of a larger image can't be read
MAX_KERNEL_SIDE = 5
MAX_PHOTO_SIDE = 512  # a larger photo makes the browser too slow
MAX_BOXES = 500


# --- Specs: what one argument may be --------------------------------------------------


def integer_between(low: int, high: int) -> Check:
    """Make the check for an int in a range."""

    def check(name: str, value: Any) -> int:
        if not low <= of_type(int)(name, value) <= high:
            raise ValueError(f"{name} is {value}; expected an int from {low} to {high}")
        return int(value)

    return check


def number(name: str, value: Any, least: float = -math.inf) -> float:
    """Require a finite number."""
    if not math.isfinite(of_type(float)(name, value)):
        raise ValueError(f"{name} is {value}; expected a finite number")
    if value < least:
        raise ValueError(f"{name} is {value}; expected at least {least}")
    return float(value)


def learning_rate(name: str, value: Any) -> float:
    """Require a finite number of at least 0."""
    return number(name, value, least=0)


def optional_bias(name: str, value: Any) -> float | None:
    """Require None, or a number that the widget's slider can show."""
    if value is not None and abs(number(name, value)) > 1:
        raise ValueError(f"{name} is {value}; expected a number from -1 to 1")
    return value


def two_numbers(name: str, value: Any) -> list[float]:
    """Require two finite numbers."""
    if not isinstance(value, list | tuple):
        raise TypeError(f"{name} is {describe(value)}; expected two numbers")
    if len(value) != 2:
        raise ValueError(f"{name} is {value}; expected two numbers")
    return [number(name, entry) for entry in value]


def image_shape(name: str, value: Any) -> list[int]:
    """Require the channels, height and width of an image."""
    if not isinstance(value, list | tuple) or len(value) != 3:
        raise TypeError(f"{name} is {value!r}; expected (channels, height, width)")
    return [int(positive_int(name, side)) for side in value]


def windowed_layers(name: str, value: Any) -> list[nn.Module]:
    """Require layers that the widget can show, and list convolutions and pooling."""
    layers = list(iter_layers(of_type(Iterable)(name, value)))
    for layer in layers:
        if isinstance(layer.padding, str) or getattr(layer, "ceil_mode", False):
            wanted = "padding as a number of pixels, and ceil_mode=False"
            raise ValueError(f"{name} contains {layer}; expected {wanted}")
    return layers


# --- Rules: how arguments fit together, with the names that the widgets use -----------


def check_sliding_window(X, K, padding, dilation, **_):
    """Require numbers that can be read, and a window that fits."""
    for name, tensor, side in (("X", X, MAX_IMAGE_SIDE), ("K", K, MAX_KERNEL_SIDE)):
        check_finite(name, tensor)
        if max(tensor.shape) > side:
            found = f"{name} has shape {tuple(tensor.shape)}"
            raise ValueError(f"{found}; expected at most {side} rows and columns")
    check_window(X.shape, K.shape, padding, dilation)


def check_kernel_bench(image, kernel, **_):
    """Require an image of reasonable size, and a kernel that the widget can show."""
    check_finite("kernel", kernel)
    if tuple(kernel.shape) not in {(3, 3), (5, 5)}:
        found = f"kernel has shape {tuple(kernel.shape)}"
        raise ValueError(f"{found}; expected (3, 3) or (5, 5)")
    check_photo("image", image)


def check_merge_boxes(image, boxes, scores, **_):
    """Require a photo of reasonable size, and one score for each of some boxes."""
    check_photo("image", image)
    check_one_per_box(boxes, scores=scores)
    if len(boxes) > MAX_BOXES:
        raise ValueError(f"boxes has length {len(boxes)}; expected at most {MAX_BOXES}")
    check_finite("boxes", boxes)
    check_finite("scores", scores)
    if len(scores) and not (scores.min() >= 0 and scores.max() <= 1):
        low, high = scores.min().item(), scores.max().item()
        found = f"scores has values from {low:g} to {high:g}"
        raise ValueError(f"{found}; expected values from 0 to 1")


def check_descent(X, Y, **_):
    """Require an image and a target output that determine the kernel."""
    check_finite("X", X)
    check_finite("Y", Y)
    shape = (X.shape[0], X.shape[1] - 1)
    if Y.shape != shape:
        found = f"Y has shape {tuple(Y.shape)}"
        raise ValueError(f"{found}; expected {shape}, one column less than X")
    windows = torch.stack([X[:, :-1].flatten(), X[:, 1:].flatten()]).double()
    if torch.linalg.matrix_rank(windows) < 2:
        found = "X is an image for which many kernels have the lowest loss"
        raise ValueError(f"{found}; expected an image whose neighboring pixels differ")


def check_layer_stack(layers, shape, **_):
    """Require convolutions that accept the channels of their input."""
    channels = shape[0]
    for layer in layers:
        if hasattr(layer, "weight"):  # pooling has none
            if layer.weight.shape[1] * layer.groups != channels:
                found = f"layers contains {layer}, whose input has {channels} channels"
                raise ValueError(f"{found}; expected in_channels={channels}")
            channels = len(layer.weight)


def check_draw_digit(net, image, **_):
    """Require a network that the browser can run on a digit, and an image of one."""
    if image is not None:
        check_pixels("image", image)
        if image.shape != (SIDE, SIDE):
            found = f"image has shape {tuple(image.shape)}"
            raise ValueError(f"{found}; expected {(SIDE, SIDE)}")
    for layer in net:
        describe_layer(layer)  # raises an error if the layer isn't supported
        if not type(layer).forward.__module__.startswith("torch.nn."):
            found = f"net contains {layer}, which has its own forward method"
            raise TypeError(f"{found}; expected a layer with PyTorch's forward method")
    for parameter in net.parameters():
        check_finite("net", parameter)
    digit = torch.empty(1, 1, SIDE, SIDE, device="meta")
    try:
        output = copy.deepcopy(net).to("meta", torch.float32).eval()(digit)
    except (RuntimeError, ValueError) as error:
        found = f"net raises an error for an input of shape {tuple(digit.shape)}"
        wanted = "a network that accepts this shape"
        raise ValueError(f"{found} ({error}); expected {wanted}") from error
    if output.ndim != 2:
        found = f"net returns shape {tuple(output.shape)}"
        raise ValueError(f"{found}; expected (1, classes)")


def check_photo(name: str, image: Tensor) -> None:
    """Require an image of reasonable size with pixels in [0, 1]."""
    if min(image.shape) < 5 or max(image.shape) > MAX_PHOTO_SIDE:
        found = f"{name} has shape {tuple(image.shape)}"
        wanted = f"between 5 and {MAX_PHOTO_SIDE} rows and columns"
        raise ValueError(f"{found}; expected {wanted}")
    check_pixels(name, image)


def check_finite(name: str, tensor: Tensor) -> None:
    """Require a tensor without nan and inf."""
    if not tensor.isfinite().all():
        raise ValueError(f"{name} contains nan or inf; expected finite numbers")


def check_pixels(name: str, image: Tensor) -> None:
    """Require pixels in [0, 1]."""
    low, high = image.min().item(), image.max().item()
    if not (low >= 0 and high <= 1):
        found = f"{name} has pixels from {low:g} to {high:g}"
        raise ValueError(f"{found}; expected values from 0 to 1")
