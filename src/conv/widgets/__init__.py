"""Widgets: things to move in a notebook, or on a page without a kernel.

Each is a Python class here and one framework-free JavaScript module beside it, which
does all the computing in the browser.
"""

from conv.widgets.descent import Descent
from conv.widgets.draw_digit import DrawDigit
from conv.widgets.kernel_bench import KernelBench
from conv.widgets.layer_stack import LayerStack
from conv.widgets.sliding_window import SlidingWindow

__all__ = ["Descent", "DrawDigit", "KernelBench", "LayerStack", "SlidingWindow"]
