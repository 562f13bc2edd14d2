"""The exercises of chapter 9: go backward."""

import torch
import torch.nn.functional as F
from torch import Tensor

from conv import corr2d
from conv.exercises.exercise import (
    FunctionExercise,
    Mistake,
    ValueExercise,
    random_integers,
)

# --- 9.1 ----------------------------------------------------------------------------


def window_counts() -> Tensor:
    """Count the outputs that each of three pixels contributes to, with autograd."""
    x = torch.ones(6, 6, requires_grad=True)
    F.conv2d(x[None, None], torch.ones(1, 1, 3, 3)).sum().backward()
    return x.grad[[0, 0, 2], [0, 1, 2]]


taking_part = ValueExercise(
    number="9.1",
    kind="predict",
    expected=window_counts,
    mistakes=[
        Mistake(
            "every pixel alike",
            "In the middle, yes. But the window can't stand so that the corner is in "
            "its middle.",
            [9, 9, 9],
        ),
        Mistake(
            "padding assumed",
            "That would be so with a frame of zeros. Without one, the corner lies in "
            "a single window.",
            [4, 6, 9],
        ),
        Mistake(
            "both axes thought to grow",
            "The pixel beside the corner has one more place across, but none more "
            "downwards.",
            [1, 4, 9],
        ),
        Mistake(
            "whole border row taken",
            "Three is for a pixel farther along the border. The corner's neighbor "
            "lies in fewer windows.",
            [1, 3, 9],
        ),
        Mistake(
            "one axis only",
            "In the middle the window fits in three rows *and* in three columns.",
            [1, 2, 3],
        ),
    ],
    hints=(
        "Draw the windows that contain the corner.",
        "Along one axis, pixel 0 lies in one window, pixel 1 in two, pixel 2 in three.",
        "Multiply what you find downwards by what you find across.",
    ),
)

# --- 9.2 ----------------------------------------------------------------------------


def repeated(G: Tensor, k: int) -> Tensor:
    """Repeat each number k x k times."""
    return G.repeat_interleave(k, dim=0).repeat_interleave(k, dim=1)


def average_gradient(G: Tensor, k: int) -> Tensor:
    """Compute the expected result with the transposed operation."""
    kernel = torch.full((1, 1, k, k), 1 / k**2, dtype=G.dtype)
    return F.conv_transpose2d(G[None, None], kernel, stride=k)[0, 0]


def one_pixel(G: Tensor, k: int) -> Tensor:
    """Send the whole gradient to one pixel of each window."""
    X = G.new_zeros(G.shape[0] * k, G.shape[1] * k)
    X[::k, ::k] = G
    return X


average_backward = FunctionExercise(
    number="9.2",
    kind="implement",
    expected=average_gradient,
    preserves=("dtype", "device"),
    cases=lambda: [
        (random_integers(*size), k)
        for size, k in [
            ((1, 1), 1),
            ((1, 1), 2),
            ((1, 2), 2),
            ((2, 1), 3),
            ((2, 2), 2),
            ((2, 3), 4),
        ]
    ],
    mistakes=[
        Mistake(
            "not shared out",
            "Each of a window's pixels gets the whole gradient. In a mean of k * k "
            "numbers, each counts only a part.",
            repeated,
        ),
        Mistake(
            "divided by the side",
            "You divide by k. A window holds how many pixels?",
            lambda G, k: repeated(G, k) / k,
        ),
        Mistake(
            "sent to one pixel",
            "Only one pixel of each window gets a gradient. That is how *max* "
            "pooling sends it; a mean depends on all.",
            one_pixel,
            lambda G, k: one_pixel(G, k).roll((k - 1, k - 1), dims=(0, 1)),
        ),
        Mistake(
            "sent to one pixel",
            "Only one pixel of each window gets its part. A mean depends on all.",
            lambda G, k: one_pixel(G, k) / k**2,
        ),
        Mistake(
            "divided by the gradient's size",
            "You divide by the number of outputs. What counts is the window's size.",
            lambda G, k: repeated(G, k) / G.numel(),
        ),
        Mistake(
            "divided by the gradient's size",
            "You divide by the number of all pixels. What counts is the window's size.",
            lambda G, k: repeated(G, k) / (G.numel() * k * k),
        ),
        Mistake(
            "image tiled",
            "You laid copies of `G` side by side. Each of its numbers belongs to one "
            "window.",
            lambda G, k: G.repeat(k, k) / k**2,
        ),
    ],
    hints=(
        "A mean of k * k numbers: by how much does it grow if one of them grows by 1?",
        "Each number of `G` goes to all k * k places of its window.",
        "`G.repeat_interleave(k, dim=0)` writes each row k times. Do the same along "
        "dim 1, and divide.",
    ),
)

# --- 9.3 ----------------------------------------------------------------------------


def broken(X: Tensor, K: Tensor, G: Tensor) -> Tensor:
    """Compute the gradient in X, with three bugs (shown without docstring)."""
    h, w = K.shape
    framed = F.pad(G, (h, h, w, w))
    return corr2d(framed, K)


def gradient_in_x(X: Tensor, K: Tensor, G: Tensor) -> Tensor:
    """Compute the expected result with the transposed operation."""
    return F.conv_transpose2d(G[None, None], K[None, None])[0, 0]


def padded_correlation(G: Tensor, K: Tensor, *frame: int) -> Tensor:
    """Cross-correlate with padding (left, right, top, bottom)."""
    return F.conv2d(F.pad(G, frame)[None, None], K[None, None])[0, 0]


debug_backward = FunctionExercise(
    number="9.3",
    kind="debug",
    expected=gradient_in_x,
    broken=broken,
    preserves=("dtype", "device"),
    cases=lambda: [
        (
            random_integers(*size),
            random_integers(h, w, seed=6),
            random_integers(size[0] - h + 1, size[1] - w + 1, seed=8),
        )
        for size, (h, w) in [
            ((1, 1), (1, 1)),
            ((1, 2), (1, 2)),
            ((2, 2), (2, 2)),
            ((3, 2), (2, 1)),
            ((3, 3), (2, 2)),
            ((4, 5), (2, 3)),
            ((5, 5), (3, 1)),
        ]
    ],
    mistakes=[
        Mistake(
            "frame one too wide",
            "Your gradient has too many rows and columns. A window of 2 that touches "
            "a single pixel needs a frame of how many?",
            lambda X, K, G: padded_correlation(
                G, K, *[K.shape[0]] * 2, *[K.shape[1]] * 2
            ),
            lambda X, K, G: padded_correlation(
                G, K, *[K.shape[1]] * 2, *[K.shape[0]] * 2
            ),
            lambda X, K, G: padded_correlation(
                G, K.flip(0, 1), *[K.shape[1]] * 2, *[K.shape[0]] * 2
            ),
        ),
        Mistake(
            "flip forgotten",
            "The shape is right. But a pixel collects from the outputs *above and to "
            "the left* of it. So how must the kernel stand?",
            lambda X, K, G: padded_correlation(
                G, K, *[K.shape[1] - 1] * 2, *[K.shape[0] - 1] * 2
            ),
        ),
        Mistake(
            "flipped along one axis",
            "The kernel is flipped along one axis only.",
            lambda X, K, G: padded_correlation(
                G, K.flip(0), *[K.shape[1] - 1] * 2, *[K.shape[0] - 1] * 2
            ),
            lambda X, K, G: padded_correlation(
                G, K.flip(1), *[K.shape[1] - 1] * 2, *[K.shape[0] - 1] * 2
            ),
        ),
        Mistake(
            "flip taken for a transpose",
            "`K.T` exchanges rows and columns. Turning by 180 degrees is something "
            "else.",
            lambda X, K, G: padded_correlation(
                G, K.T, *[K.shape[1] - 1] * 2, *[K.shape[0] - 1] * 2
            ),
            lambda X, K, G: padded_correlation(
                G, K.T, *[K.shape[0] - 1] * 2, *[K.shape[1] - 1] * 2
            ),
        ),
    ],
    hints=(
        "The result must have the shape of `X`. What is its shape, for a square "
        "kernel, and for one that isn't square?",
        "Three faults: how wide the frame is, which sides it goes to, how the kernel "
        "stands.",
        "`F.pad` takes (left, right, above, below): columns come first. The frame is h "
        "- 1 and w - 1 wide, and the kernel is rotated by 180 degrees.",
    ),
)

# --- 9.4 ----------------------------------------------------------------------------


def mean_squared_error(X: Tensor, K: Tensor, Y: Tensor) -> Tensor:
    """Compute the loss."""
    return F.mse_loss(F.conv2d(X[None, None], K[None, None])[0, 0], Y)


def descend(X: Tensor, K: Tensor, Y: Tensor, lr: float) -> Tensor:
    """Take one step of gradient descent with autograd."""
    leaf = K.detach().clone().requires_grad_()
    [gradient] = torch.autograd.grad(mean_squared_error(X, leaf, Y), leaf)
    return K - lr * gradient


def scaled_step(factor):
    """Take a multiple of the step; `factor` is a function of X, K and Y."""
    return lambda X, K, Y, lr: K + factor(X, K, Y) * (descend(X, K, Y, lr) - K)


kernel_step = FunctionExercise(
    number="9.4",
    kind="implement",
    expected=descend,
    preserves=("dtype", "device"),
    cases=lambda: [
        (
            random_integers(*size),
            random_integers(h, w, seed=6),
            random_integers(size[0] - h + 1, size[1] - w + 1, seed=8),
            0.125,
        )
        for size, (h, w) in [
            ((1, 2), (1, 1)),
            ((2, 2), (1, 2)),
            ((3, 3), (2, 2)),
            ((4, 3), (2, 1)),
            ((4, 5), (3, 2)),
        ]
    ],
    mistakes=[
        Mistake(
            "uphill",
            "Your step goes with the gradient. Descent goes against it.",
            scaled_step(lambda X, K, Y: -1),
        ),
        Mistake(
            "sum instead of mean",
            "Your step is multiplied by the number of outputs. The loss is the mean "
            "of the squared errors.",
            scaled_step(lambda X, K, Y: Y.numel()),
        ),
        Mistake(
            "2 forgotten",
            "Your step is half as long as it should be: the derivative of e squared "
            "is 2e.",
            scaled_step(lambda X, K, Y: 0.5),
        ),
        Mistake(
            "divided by the image's size",
            "You divide by the number of pixels. The mean is over the *outputs*.",
            scaled_step(lambda X, K, Y: Y.numel() / X.numel()),
        ),
        Mistake(
            "divided by the kernel's size",
            "You divide by the number of weights. The mean is over the *outputs*.",
            scaled_step(lambda X, K, Y: Y.numel() / K.numel()),
        ),
        Mistake(
            "kernel's gradient flipped",
            "You flipped the kernel's gradient. Only the gradient in `X` needs a flip.",
            lambda X, K, Y, lr: K + (descend(X, K, Y, lr) - K).flip(0, 1),
        ),
        Mistake(
            "gradient alone",
            (
                "That is the gradient, or the step. The question asks for the kernel "
                "after it."
            ),
            lambda X, K, Y, lr: (K - descend(X, K, Y, lr)) / lr,
            lambda X, K, Y, lr: K - descend(X, K, Y, lr),
            lambda X, K, Y, lr: descend(X, K, Y, lr) - K,
        ),
        Mistake(
            "learning rate forgotten",
            "Your step is the whole gradient. Multiply it by the learning rate.",
            lambda X, K, Y, lr: descend(X, K, Y, 1.0),
        ),
        Mistake(
            "target forgotten",
            "Your error is the output itself. An error is output minus target.",
            lambda X, K, Y, lr: descend(X, K, torch.zeros_like(Y), lr),
        ),
    ],
    hints=(
        "Output minus target is the error `E`. Which gradient of the loss arrives at "
        "each output?",
        "For a mean of n squares it is 2 * E / n.",
        "The gradient in `K` is `corr2d(X, G)`, as above, with that `G`.",
    ),
)
