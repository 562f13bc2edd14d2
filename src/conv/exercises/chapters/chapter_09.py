"""The exercises of chapter 9, on the backward pass."""

import torch
import torch.nn.functional as F
from torch import Tensor

from conv import corr2d
from conv.exercises.exercise import (
    NO_AUTOGRAD,
    FunctionExercise,
    Mistake,
    ValueExercise,
    random_integers,
)

# --- 9.1 ----------------------------------------------------------------------------


def window_counts() -> Tensor:
    """Count the outputs that depend on each of three pixels, with autograd."""
    x = torch.ones(6, 6, requires_grad=True)
    F.conv2d(x[None, None], torch.ones(1, 1, 3, 3)).sum().backward()
    return x.grad[[0, 0, 2], [0, 1, 2]]


dependent_outputs = ValueExercise(
    number="9.1",
    kind="predict",
    expected=window_counts,
    mistakes=[
        Mistake(
            "every pixel alike",
            "Nine is correct for the center. Near the border, some of these nine "
            "window positions aren't possible, because the window must stay inside the "
            "image.",
            [9, 9, 9],
        ),
        Mistake(
            "padding assumed",
            "These would be the correct numbers with one pixel of padding. Without "
            "padding, no window is centered on a pixel at the border.",
            [4, 6, 9],
        ),
        Mistake(
            "neighbors counted",
            "You counted the neighbors of each pixel. Count the window "
            "positions that cover the pixel.",
            [3, 5, 8],
        ),
        Mistake(
            "both axes thought to grow",
            "The second number belongs to the diagonal neighbor of the corner. The "
            "pixel next to the corner *on the border* is in the first row or in the "
            "first column.",
            [1, 4, 9],
        ),
        Mistake(
            "whole border alike",
            "The second number would be correct farther along the border. The pixel "
            "next to the corner is covered by fewer windows.",
            [1, 3, 9],
        ),
        Mistake(
            "one axis only",
            "These are the numbers of positions along a single axis. In the center, "
            "the window can be moved vertically *and* horizontally.",
            [1, 2, 3],
        ),
        Mistake(
            "windows thought not to overlap",
            "With a stride of 3, each pixel would be in a single window. With a stride "
            "of 1, the windows overlap.",
            [1, 1, 1],
        ),
        Mistake(
            "all outputs counted",
            "The output has 16 pixels in all. Each of them depends only on the pixels "
            "in its window.",
            [16, 16, 16],
        ),
        Mistake(
            "order changed",
            "These are the correct numbers in the wrong order. The question asks for "
            "the corner first, then the border, and then the center.",
            lambda a: a.shape == (3,) and sorted(a.tolist()) == [1, 2, 9],
        ),
    ],
    hints=(
        "Draw the image and mark every window position that covers the corner.",
        "Start with one axis. In how many positions does a window of length 3 cover "
        "the first of six pixels? The second? The third?",
        "Along one axis, the window covers the first pixel in one position, the second "
        "in two, and the third in three. Multiply the number for a pixel's row by the "
        "number for its column.",
    ),
)

# --- 9.2 ----------------------------------------------------------------------------


def repeated(G: Tensor, k: int) -> Tensor:
    """Repeat each number k x k times."""
    return G.repeat_interleave(k, dim=0).repeat_interleave(k, dim=1)


def average_gradient(G: Tensor, k: int) -> Tensor:
    """Compute the expected result with a transposed convolution."""
    kernel = torch.full((1, 1, k, k), 1 / k**2, dtype=G.dtype)
    return F.conv_transpose2d(G[None, None], kernel, stride=k)[0, 0]


def one_pixel(G: Tensor, k: int) -> Tensor:
    """Assign the whole gradient to the first pixel of each window."""
    X = G.new_zeros(G.shape[0] * k, G.shape[1] * k)
    X[::k, ::k] = G
    return X


def repeated_in_a_row(G: Tensor, k: int) -> Tensor:
    """Repeat each number k * k times in row order."""
    return G.repeat_interleave(k * k).reshape(G.shape[0] * k, G.shape[1] * k)


average_backward = FunctionExercise(
    number="9.2",
    kind="implement",
    expected=average_gradient,
    rules=[NO_AUTOGRAD],
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
            "not divided",
            "You gave every pixel in a window the full entry of `G`, but each pixel "
            "contributes only a fraction of its value to the mean.",
            repeated,
        ),
        Mistake(
            "divided by the side",
            "You divided by k, the side length of a window. How many pixels does a "
            "window contain?",
            lambda G, k: repeated(G, k) / k,
        ),
        Mistake(
            "multiplied instead of divided",
            "You multiplied by the number of pixels in a window. If one pixel "
            "increases by 1, does the mean increase by more or by less than 1?",
            lambda G, k: repeated(G, k) * k**2,
        ),
        Mistake(
            "divided by another size",
            "You divided by the size of `G` or of the whole input. The mean is taken "
            "over the pixels of one window.",
            lambda G, k: repeated(G, k) / G.numel(),
            lambda G, k: repeated(G, k) / (G.numel() * k * k),
        ),
        Mistake(
            "one pixel only",
            "In your result, only one pixel in each window receives a gradient, as in "
            "*max* pooling. The mean depends on all pixels in the window.",
            *[
                lambda G, k, scale=scale, to=to: (
                    one_pixel(G, k).roll((to(k), to(k)), dims=(0, 1)) * scale(k)
                )
                for scale in (lambda k: 1, lambda k: 1 / k**2)
                for to in (lambda k: 0, lambda k: k - 1, lambda k: k // 2)
            ],
        ),
        Mistake(
            "one axis only",
            "You repeated the entries of `G` along only one axis. A window has k rows "
            "and k columns.",
            *[
                lambda G, k, dim=dim, power=power: (
                    G.repeat_interleave(k, dim=dim) / k**power
                )
                for dim in (0, 1)
                for power in (0, 1, 2)
            ],
        ),
        Mistake(
            "gradient tiled",
            "You placed copies of the whole `G` next to each other. Each entry of `G` "
            "belongs to a single window, which is one block of the input.",
            lambda G, k: G.repeat(k, k) / k**2,
            lambda G, k: G.repeat(k, k),
        ),
        Mistake(
            "repeated along rows only",
            "You repeated each entry k² times within a single row. In the input, a "
            "window's pixels are spread over k rows.",
            lambda G, k: repeated_in_a_row(G, k) / k**2,
            repeated_in_a_row,
        ),
        Mistake(
            "interpolated",
            "Your gradient varies smoothly, as if you had used bilinear interpolation. "
            "All pixels of a window contribute equally to its mean.",
            *[
                lambda G, k, power=power: (
                    F.interpolate(G[None, None], scale_factor=k, mode="bilinear")[0, 0]
                    / k**power
                )
                for power in (0, 2)
            ],
        ),
    ],
    hints=(
        "By how much does the mean of k² numbers increase if one of them increases by "
        "1?",
        "All pixels of a window receive the same gradient. It is a fraction of the "
        "window's entry in `G`.",
        "`G.repeat_interleave(k, dim=0)` repeats each row k times. Do the same with "
        "the columns, and divide by the number of pixels in a window.",
    ),
)

# --- 9.3 ----------------------------------------------------------------------------


def broken(X: Tensor, K: Tensor, G: Tensor) -> Tensor:
    """Compute the gradient in X, with three bugs (shown without docstring)."""
    h, w = K.shape
    padded = F.pad(G, (h, h, w, w))
    return corr2d(padded, K)


def gradient_in_x(X: Tensor, K: Tensor, G: Tensor) -> Tensor:
    """Compute the expected result with a transposed convolution."""
    return F.conv_transpose2d(G[None, None], K[None, None])[0, 0]


def padded_correlation(G: Tensor, K: Tensor, *padding: int) -> Tensor:
    """Cross-correlate with padding (left, right, top, bottom)."""
    return F.conv2d(F.pad(G, padding)[None, None], K[None, None])[0, 0]


def with_padding(padding, transform):
    """Pad by `padding(h, w)` and cross-correlate with a changed kernel."""
    return lambda X, K, G: padded_correlation(G, transform(K), *padding(*K.shape))


def unchanged(K: Tensor) -> Tensor:
    """Return the kernel as it is."""
    return K


def rotated(K: Tensor) -> Tensor:
    """Rotate the kernel by 180 degrees."""
    return K.flip(0, 1)


def full_padding(h: int, w: int) -> tuple[int, ...]:
    """Return the correct padding."""
    return w - 1, w - 1, h - 1, h - 1


def swapped_padding(h: int, w: int) -> tuple[int, ...]:
    """Return the correct padding for the wrong axes."""
    return h - 1, h - 1, w - 1, w - 1


debug_backward = FunctionExercise(
    number="9.3",
    kind="debug",
    expected=gradient_in_x,
    broken=broken,
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
            "padding too wide",
            "With a square kernel, your result has two rows and two columns too many. "
            "How wide must the padding be for the first window to cover just one entry "
            "of `G`?",
            *[
                with_padding(padding, transform)
                for padding in (lambda h, w: (w, w, h, h), lambda h, w: (h, h, w, w))
                for transform in (unchanged, rotated)
            ],
        ),
        Mistake(
            "padding on one side",
            "You padded only one side of each axis, so your result has the shape of "
            "`G`. Along each axis, the first and last windows should overlap `G` by "
            "just one row or column.",
            *[
                with_padding(padding, transform)
                for padding in (
                    lambda h, w: (w - 1, 0, h - 1, 0),
                    lambda h, w: (0, w - 1, 0, h - 1),
                )
                for transform in (unchanged, rotated)
            ],
        ),
        Mistake(
            "half of the kernel as padding",
            "You padded by half the size of the kernel. That would be correct if the "
            "output had the same size as the input, but the result must have the shape "
            "of `X`, which is larger than `G`.",
            *[
                with_padding(lambda h, w: (w // 2, w // 2, h // 2, h // 2), transform)
                for transform in (unchanged, rotated)
            ],
        ),
        Mistake(
            "flip forgotten",
            "The shape is correct, and so is the padding. But a pixel contributes "
            "to the outputs *above it and to its left*, and your kernel pairs "
            "these outputs with the weights in the wrong order.",
            with_padding(full_padding, unchanged),
        ),
        Mistake(
            "flipped along one axis",
            "You flipped the kernel along only one axis. A rotation by 180° flips "
            "both axes.",
            with_padding(full_padding, lambda K: K.flip(0)),
            with_padding(full_padding, lambda K: K.flip(1)),
        ),
        Mistake(
            "flip taken for a transpose",
            "`K.T` swaps the kernel's rows and columns, and with them its height and "
            "width. You need a rotation that leaves the kernel's shape unchanged.",
            with_padding(full_padding, lambda K: K.T),
            with_padding(swapped_padding, lambda K: K.T),
        ),
        Mistake(
            "rotated by 90 degrees",
            "You rotated the kernel by 90°, which swaps its height and width. You "
            "need a rotation that leaves the kernel's shape unchanged.",
            *[
                with_padding(padding, lambda K, times=times: K.rot90(times))
                for padding in (full_padding, swapped_padding)
                for times in (1, -1)
            ],
        ),
    ],
    hints=(
        "Compare the shape of the result with the shape of `X`, first for a square "
        "kernel, then for one that isn't square.",
        "Look at three things: how wide the padding is, which axis it is added to, and "
        "how the kernel is oriented.",
        "`F.pad` takes (left, right, top, bottom), so the horizontal padding comes "
        "first. It should be w - 1 on the left and right, and h - 1 at the top and "
        "bottom, and the kernel must be rotated by 180°.",
    ),
)

# --- 9.4 ----------------------------------------------------------------------------


def mean_squared_error(X: Tensor, K: Tensor, T: Tensor) -> Tensor:
    """Compute the loss."""
    return F.mse_loss(F.conv2d(X[None, None], K[None, None])[0, 0], T)


def descend(X: Tensor, K: Tensor, T: Tensor, lr: float) -> Tensor:
    """Take one step of gradient descent with autograd."""
    leaf = K.detach().clone().requires_grad_()
    [gradient] = torch.autograd.grad(mean_squared_error(X, leaf, T), leaf)
    return K - lr * gradient


def scaled_step(factor):
    """Take a multiple of the step; `factor` is a function of X, K and T."""
    return lambda X, K, T, lr: K + factor(X, K, T) * (descend(X, K, T, lr) - K)


def step_for(derivative):
    """Take a step with other derivatives of the n squared differences."""

    def step(X: Tensor, K: Tensor, T: Tensor, lr: float) -> Tensor:
        return K - lr * corr2d(X, derivative(X, K, T) / T.numel())

    return step


kernel_step = FunctionExercise(
    number="9.4",
    kind="implement",
    expected=descend,
    rules=[NO_AUTOGRAD],
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
            "kernel unchanged",
            "Your function returns the kernel as it was before the step.",
            lambda X, K, T, lr: K,
        ),
        Mistake(
            "uphill",
            "Your step has the right size, but the wrong sign, so it increases the "
            "loss.",
            scaled_step(lambda X, K, T: -1),
        ),
        Mistake(
            "sum instead of mean",
            "Your step would be correct if the loss were the *sum* of the squared "
            "differences. The loss is their mean.",
            scaled_step(lambda X, K, T: T.numel()),
        ),
        Mistake(
            "2 forgotten",
            "Your step is half as long as it should be. What is the derivative of a "
            "square?",
            scaled_step(lambda X, K, T: 0.5),
        ),
        Mistake(
            "half the sum",
            "Your step would be correct for half the sum of the squared differences. "
            "The loss is their mean, and the derivative of a square has a factor of 2.",
            scaled_step(lambda X, K, T: T.numel() / 2),
        ),
        Mistake(
            "divided by the image's size",
            "You divided by the number of pixels in `X`. The loss is a mean over the "
            "*outputs*.",
            scaled_step(lambda X, K, T: T.numel() / X.numel()),
        ),
        Mistake(
            "divided by the kernel's size",
            "You divided by the number of weights. The loss is a mean over the "
            "*outputs*.",
            scaled_step(lambda X, K, T: T.numel() / K.numel()),
        ),
        Mistake(
            "divided by one side",
            "You divided by the number of rows or columns. The loss is a mean over "
            "*all* outputs; `len` of a matrix counts only its rows.",
            scaled_step(lambda X, K, T: T.shape[1]),
            scaled_step(lambda X, K, T: T.shape[0]),
        ),
        Mistake(
            "kernel's gradient flipped",
            "Your gradient is rotated by 180°. In the chapter, only the gradient with "
            "respect to `X` needs a rotated kernel.",
            lambda X, K, T, lr: K + (descend(X, K, T, lr) - K).flip(0, 1),
        ),
        Mistake(
            "gradient alone",
            "Your function returns the gradient or the change in the kernel. The "
            "exercise asks for the kernel after the step.",
            lambda X, K, T, lr: (K - descend(X, K, T, lr)) / lr,
            lambda X, K, T, lr: K - descend(X, K, T, lr),
            lambda X, K, T, lr: descend(X, K, T, lr) - K,
        ),
        Mistake(
            "learning rate forgotten",
            "You subtracted the whole gradient. The learning rate is missing.",
            lambda X, K, T, lr: descend(X, K, T, 1.0),
        ),
        Mistake(
            "target forgotten",
            "Your step doesn't depend on the target `T`. Which difference is "
            "squared in the loss?",
            lambda X, K, T, lr: descend(X, K, torch.zeros_like(T), lr),
        ),
        Mistake(
            "absolute error",
            "Your step uses only the sign of each difference, which would be correct "
            "for the mean *absolute* error.",
            step_for(lambda X, K, T: (corr2d(X, K) - T).sign()),
            step_for(lambda X, K, T: 2 * (corr2d(X, K) - T).sign()),
        ),
        Mistake(
            "true convolution",
            "You computed the output with a true convolution, which rotates the "
            "kernel. Here, the loss compares `T` with a cross-correlation.",
            step_for(lambda X, K, T: 2 * (corr2d(X, rotated(K)) - T)),
            lambda X, K, T, lr: rotated(descend(X, rotated(K), T, lr)),
        ),
    ],
    hints=(
        "Call the difference between output and target `E`. What is the derivative of "
        "the loss with respect to one output?",
        "For a mean of n squares, that derivative is 2 * E / n. What is n here?",
        "With these derivatives as `G`, the gradient with respect to the kernel is "
        "`corr2d(X, G)`, as in the chapter. In which direction does gradient "
        "descent step, and how far?",
    ),
)
