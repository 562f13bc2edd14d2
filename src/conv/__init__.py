"""Convolutional networks, from the first sliding window.

This module is the boundary of the package: it wraps the functions that learners call
in checks of their arguments. `conv.validation` explains the notation.
"""

from conv import data, functional, layers, plotting, runtime, training, vision
from conv.data import LabeledImages, Splits, TensorBatches
from conv.history import CheckpointError, DivergenceError, History, TrainingError
from conv.layers import Conv2D, ConvLayer
from conv.models import lenet
from conv.runtime import default_device
from conv.validation import (
    box_list,
    check_conv2d,
    check_corr2d,
    check_fit,
    check_groups,
    check_hits,
    check_masks,
    check_matching,
    check_offsets,
    check_one_per_box,
    check_pool2d,
    check_same_device,
    check_same_shape,
    check_transpose2d,
    check_window,
    fraction,
    image_list,
    nonnegative_int,
    pair,
    positive_int,
    row_list,
    size,
    validated,
)

CONV_SIZES = {"stride": size(), "padding": size(0, "same", "valid"), "dilation": size()}

corr2d = validated(
    functional.corr2d, check_corr2d, X="H W", K="h w", to_float=["X", "K"]
)
conv2d = validated(
    functional.conv2d,
    check_conv2d,
    X="N C_in H W",
    K="C_out C_in/groups h w",
    bias="C_out",
    groups=positive_int,
    to_float=["X", "K"],
    **CONV_SIZES,
)
conv_transpose2d = validated(
    functional.conv_transpose2d,
    check_transpose2d,
    X="N C_in H W",
    K="C_in C_out/groups h w",
    bias="C_out",
    stride=size(),
    padding=size(0),
    output_padding=size(0),
    dilation=size(),
    groups=positive_int,
    to_float=["X", "K"],
)
pool2d = validated(
    functional.pool2d,
    check_pool2d,
    X="N C H W",
    pool_size=size(),
    stride=size(),
    padding=size(0),
    to_float=["X"],
)
output_shape = validated(
    functional.output_shape,
    check_window,
    size=size(),
    kernel_size=size(),
    stride=size(),
    padding=size(0),
    dilation=size(),
)
receptive_field = validated(layers.receptive_field)
Conv2D.__init__ = validated(Conv2D.__init__, kernel_size=pair)
ConvLayer.__init__ = validated(
    ConvLayer.__init__,
    check_groups,
    in_channels=positive_int,
    out_channels=positive_int,
    kernel_size=size(),
    groups=positive_int,
    **CONV_SIZES,
)

fit = validated(training.fit, check_fit, epochs=positive_int)
evaluate = validated(training.evaluate)
accuracy = validated(training.accuracy, output="N classes", labels="N")

LabeledImages.__init__ = validated(LabeledImages.__init__, images="N C H W", labels="N")
make_loader = validated(data.make_loader, batch_size=positive_int)
load_digits28 = data.load_digits28
load_fashion_mnist = validated(data.load_fashion_mnist)
load_nuclei = data.load_nuclei
load_pnet = data.load_pnet
load_rnet = data.load_rnet
load_onet = data.load_onet

box_iou = validated(
    vision.box_iou, check_same_device, A=box_list, B=box_list, to_float=["A", "B"]
)
nms = validated(
    vision.nms, check_one_per_box, boxes=box_list, scores=row_list, limit=fraction
)
refine_boxes = validated(vision.refine_boxes, check_offsets, boxes=box_list)
match_boxes = validated(
    vision.match_boxes, check_matching, boxes=box_list, truth=box_list, limit=fraction
)
average_precision = validated(
    vision.average_precision, check_hits, hits=row_list, total=positive_int
)

iou = validated(vision.iou, check_masks)
dice = validated(vision.dice, check_masks)
dice_loss = validated(vision.dice_loss, check_same_shape)
apply_in_tiles = validated(
    vision.apply_in_tiles, x="N C H W", size=positive_int, margin=nonnegative_int
)

subplots = plotting.subplots
show_images = validated(
    plotting.show_images, images=image_list(3), columns=positive_int
)
show_gallery = validated(
    plotting.show_gallery, images=image_list(3), columns=positive_int
)
show_kernels = validated(
    plotting.show_kernels, kernels=image_list(), columns=positive_int
)
plot_losses = validated(plotting.plot_losses)
label_curves = plotting.label_curves
plot_descent = validated(plotting.plot_descent)

seed_everything = validated(runtime.seed_everything)

__all__ = [
    "CheckpointError",
    "Conv2D",
    "ConvLayer",
    "DivergenceError",
    "History",
    "LabeledImages",
    "Splits",
    "TensorBatches",
    "TrainingError",
    "accuracy",
    "apply_in_tiles",
    "average_precision",
    "box_iou",
    "conv2d",
    "conv_transpose2d",
    "corr2d",
    "default_device",
    "dice",
    "dice_loss",
    "evaluate",
    "fit",
    "iou",
    "label_curves",
    "lenet",
    "load_digits28",
    "load_fashion_mnist",
    "load_nuclei",
    "load_onet",
    "load_pnet",
    "load_rnet",
    "make_loader",
    "match_boxes",
    "nms",
    "output_shape",
    "plot_descent",
    "plot_losses",
    "pool2d",
    "receptive_field",
    "refine_boxes",
    "seed_everything",
    "show_gallery",
    "show_images",
    "show_kernels",
    "subplots",
]
