"""Convolutional networks, from the first sliding window."""

from conv.data import (
    Pictures,
    Splits,
    TensorBatches,
    batches,
    load_digits28,
    load_fashion_mnist,
)
from conv.functional import conv2d, conv_transpose2d, corr2d, output_shape, pool2d
from conv.layers import Conv2D, ConvLayer, receptive_field
from conv.models import lenet
from conv.plotting import (
    plot_descent,
    plot_losses,
    show_gallery,
    show_images,
    show_kernels,
    subplots,
)
from conv.runtime import default_device, seed_everything
from conv.training import (
    CheckpointError,
    DivergenceError,
    History,
    accuracy,
    evaluate,
    fit,
)

__all__ = [
    "CheckpointError",
    "Conv2D",
    "ConvLayer",
    "DivergenceError",
    "History",
    "Pictures",
    "Splits",
    "TensorBatches",
    "accuracy",
    "batches",
    "conv2d",
    "conv_transpose2d",
    "corr2d",
    "default_device",
    "evaluate",
    "fit",
    "lenet",
    "load_digits28",
    "load_fashion_mnist",
    "output_shape",
    "plot_descent",
    "plot_losses",
    "pool2d",
    "receptive_field",
    "seed_everything",
    "show_gallery",
    "show_images",
    "show_kernels",
    "subplots",
]
