"""Interactive widgets for notebooks and for web pages without a kernel.

Each widget is a Python class and a JavaScript module, which does the computing in the
browser. This module is their boundary: it wraps each class in checks of the arguments,
as `conv` does.
"""

from conv.validation import box_list, fraction, row_list, validated
from conv.widgets.descent import MAX_STEPS, Descent
from conv.widgets.draw_digit import DrawDigit
from conv.widgets.kernel_bench import KernelBench
from conv.widgets.layer_stack import LayerStack
from conv.widgets.merge_boxes import MergeBoxes
from conv.widgets.rules import (
    check_descent,
    check_draw_digit,
    check_kernel_bench,
    check_layer_stack,
    check_merge_boxes,
    check_sliding_window,
    image_shape,
    integer_between,
    learning_rate,
    optional_bias,
    two_numbers,
    windowed_layers,
)
from conv.widgets.sliding_window import MAX_OPTION, SlidingWindow

SlidingWindow.__init__ = validated(
    SlidingWindow.__init__,
    check_sliding_window,
    X="H W",
    K="h w",
    stride=integer_between(1, MAX_OPTION),
    padding=integer_between(0, MAX_OPTION),
    dilation=integer_between(1, MAX_OPTION),
)
KernelBench.__init__ = validated(
    KernelBench.__init__,
    check_kernel_bench,
    image="H W",
    kernel="h w",
    bias=optional_bias,
)
Descent.__init__ = validated(
    Descent.__init__,
    check_descent,
    X="H W",
    Y="H W-1",
    start=two_numbers,
    lr=learning_rate,
    steps=integer_between(1, MAX_STEPS),
)
LayerStack.__init__ = validated(
    LayerStack.__init__, check_layer_stack, layers=windowed_layers, shape=image_shape
)
DrawDigit.__init__ = validated(
    DrawDigit.__init__, check_draw_digit, image="height width"
)
MergeBoxes.__init__ = validated(
    MergeBoxes.__init__,
    check_merge_boxes,
    image="H W",
    boxes=box_list,
    scores=row_list,
    threshold=fraction,
    limit=fraction,
)

__all__ = [
    "Descent",
    "DrawDigit",
    "KernelBench",
    "LayerStack",
    "MergeBoxes",
    "SlidingWindow",
]
