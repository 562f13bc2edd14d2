"""Convolutional networks, from the first sliding window."""

from conv.functional import corr2d
from conv.layers import Conv2D
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
    "DivergenceError",
    "History",
    "Stepper",
    "corr2d",
    "default_device",
    "fit",
    "plot_descent",
    "plot_losses",
    "seed_everything",
    "show_images",
    "show_kernels",
    "subplots",
]
