"""Convolutional networks, from the first sliding window."""

from conv.functional import conv2d, conv_transpose2d, corr2d, output_shape, pool2d
from conv.layers import Conv2D, ConvLayer, receptive_field
from conv.plotting import (
    plot_descent,
    plot_losses,
    show_images,
    show_kernels,
    subplots,
)
from conv.runtime import default_device, seed_everything
from conv.stepper import Stepper
from conv.training import DivergenceError, History, fit

__all__ = [
    "Conv2D",
    "ConvLayer",
    "DivergenceError",
    "History",
    "Stepper",
    "conv2d",
    "conv_transpose2d",
    "corr2d",
    "default_device",
    "fit",
    "output_shape",
    "plot_descent",
    "plot_losses",
    "pool2d",
    "receptive_field",
    "seed_everything",
    "show_images",
    "show_kernels",
    "subplots",
]
