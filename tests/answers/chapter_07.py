"""Answers to chapter 7, "Pool and shrink", as learners would hand them in."""

import numpy as np
import torch
import torch.nn.functional as F

import conv
from answers.kit import right, wrong

# 7.1: overlapping windows

right("7.1", (5.0, 5.0, 7.0, 8.0))
right("7.1", torch.tensor([5, 5, 7, 8]))
right("7.1", np.array([5, 5, 7, 8]))
wrong("7.1", "stride as large as the window", [5])
wrong("7.1", "stride as large as the window", 5)
wrong("7.1", "mean instead of maximum", [2.5, 2.5, 4.25, 4.25])
wrong("7.1", "smallest instead of largest", [0, 0, 0, 0])
wrong("7.1", "sum instead of maximum", [10, 10, 17, 17])
wrong("7.1", "column by column", [5, 7, 5, 8])
wrong("7.1", "matrix for a row", [[5, 5], [7, 8]])
wrong("7.1", "matrix for a row", torch.tensor([[5.0, 5.0], [7.0, 8.0]]))

# 7.2: the smallest number of each window


@right("7.2")
def min_by_torch(x, k):
    return F.max_pool2d(x.neg(), k).neg()


@right("7.2")
def min_by_unfold(x, k):
    return x.unfold(2, k, k).unfold(3, k, k).amin(dim=(-2, -1))


@right("7.2")
def min_by_slices(x, k):
    rows, columns = x.shape[2] // k, x.shape[3] // k
    x = x[:, :, : rows * k, : columns * k]
    y = x[:, :, ::k, ::k]
    for i in range(k):
        for j in range(k):
            y = torch.minimum(y, x[:, :, i::k, j::k])
    return y


@right("7.2")
def min_by_pixels(x, k):
    n, c, height, width = x.shape
    y = x.new_zeros(n, c, height // k, width // k)
    for i in range(height // k):
        for j in range(width // k):
            window = x[:, :, i * k : (i + 1) * k, j * k : (j + 1) * k]
            y[:, :, i, j] = window.amin(dim=(2, 3))
    return y


@right("7.2")
def min_by_negative_scale(x, k):
    return conv.pool2d(x * -1, k, mode="max", stride=k) * -1


@wrong("7.2", "largest instead of smallest")
def max_pool(x, k):
    return conv.pool2d(x, k)


@wrong("7.2", "sign not changed back")
def max_of_negative(x, k):
    return conv.pool2d(-x, k)


@wrong("7.2", "sign changed too late")
def negative_of_max(x, k):
    return -conv.pool2d(x, k)


@wrong("7.2", "mean instead of minimum")
def mean_pool(x, k):
    return conv.pool2d(x, k, mode="avg")


@wrong("7.2", "mean instead of minimum")
def negative_mean_pool(x, k):
    return -conv.pool2d(-x, k, "avg")


@wrong("7.2", "windows overlap")
def min_pool_by_one(x, k):
    return -conv.pool2d(-x, k, stride=1)


@wrong("7.2", "windows overlap")
def min_by_pixels_by_one(x, k):
    n, c, height, width = x.shape
    y = x.new_zeros(n, c, height - k + 1, width - k + 1)
    for i in range(height - k + 1):
        for j in range(width - k + 1):
            y[:, :, i, j] = x[:, :, i : i + k, j : j + k].amin(dim=(2, 3))
    return y


# 7.3: blur, then keep every second pixel


@right("7.3")
def blur_by_channel(x, kernel):
    blurred = []
    for c in range(x.shape[1]):
        blurred.append(conv.conv2d(x[:, c : c + 1], kernel, stride=2, padding=2))
    return torch.cat(blurred, dim=1)


@right("7.3")
def blur_as_batch(x, kernel):
    n, c, height, width = x.shape
    y = conv.conv2d(x.reshape(n * c, 1, height, width), kernel, padding=2)
    y = y[:, :, ::2, ::2]
    return y.reshape(n, c, y.shape[2], y.shape[3])


@right("7.3")
def blur_by_torch(x, kernel):
    c = x.shape[1]
    return F.conv2d(x, kernel.repeat(c, 1, 1, 1), stride=2, padding=2, groups=c)


@right("7.3")
def blur_by_taps(x, kernel):
    height, width = x.shape[2:]
    framed = F.pad(x, (2, 2, 2, 2))
    y = 0
    for i in range(5):
        for j in range(5):
            y = y + kernel[0, 0, i, j] * framed[:, :, i : i + height, j : j + width]
    return y[:, :, ::2, ::2]


@right("7.3")
def blur_by_windows(x, kernel):
    windows = F.pad(x, (2, 2, 2, 2)).unfold(2, 5, 2).unfold(3, 5, 2)
    return (windows * kernel[0, 0]).sum(dim=(-2, -1))


@right("7.3")
def blur_by_diagonal(x, kernel):
    mixing = torch.eye(x.shape[1], dtype=x.dtype, device=x.device)
    return conv.conv2d(x, mixing[:, :, None, None] * kernel, stride=2, padding=2)


@wrong("7.3", "channels summed")
def channels_run_together(x, kernel):
    kernels = kernel.repeat(1, x.shape[1], 1, 1)
    return conv.conv2d(x, kernels, stride=2, padding=2)


@wrong("7.3", "channels summed")
def all_channels_in_each(x, kernel):
    c = x.shape[1]
    return conv.conv2d(x, kernel.repeat(c, c, 1, 1), stride=2, padding=2)


@wrong("7.3", "stride forgotten")
def blurred_only(x, kernel):
    c = x.shape[1]
    return conv.conv2d(x, kernel.repeat(c, 1, 1, 1), padding=2, groups=c)


@wrong("7.3", "odd pixels kept")
def from_pixel_one(x, kernel):
    return blurred_only(x, kernel)[:, :, 1::2, 1::2]


@wrong("7.3", "skipped before the blur")
def blurred_too_late(x, kernel):
    return blurred_only(x[:, :, ::2, ::2], kernel)


@wrong("7.3", "frame too narrow")
def frame_of_one(x, kernel):
    c = x.shape[1]
    kernels = kernel.repeat(c, 1, 1, 1)
    return conv.conv2d(x, kernels, stride=2, padding=1, groups=c)


@wrong("7.3", "padding forgotten")
def no_frame(x, kernel):
    c = x.shape[1]
    return conv.conv2d(x, kernel.repeat(c, 1, 1, 1), stride=2, groups=c)


@wrong("7.3", "first channel only")
def first_channel_alone(x, kernel):
    return conv.conv2d(x[:, :1], kernel, stride=2, padding=2)


@wrong("7.3", "first channel only")
def others_only_skipped(x, kernel):
    y = x[:, :, ::2, ::2].clone()
    y[:, :1] = conv.conv2d(x[:, :1], kernel, stride=2, padding=2)
    return y


@wrong("7.3", "first channel only")
def first_channel_for_all(x, kernel):
    y = conv.conv2d(x[:, :1], kernel, stride=2, padding=2)
    return y.repeat(1, x.shape[1], 1, 1)


# 7.4: three layers of pooling

right("7.4", torch.tensor(8), "c")
right("7.4", 8.0, "c")
wrong("7.4", "one layer only", 2, "c")
wrong("7.4", "strides added", 6, "c")
wrong("7.4", "layers counted", 3, "c")
wrong("7.4", "smallest shift that changes anything", 1, "c")
wrong("7.4", "windows' area taken", 8, "a")
wrong("7.4", "maxima thought to ignore moves", 8, "b")


@wrong("7.2", "window's size fixed")
def always_two_by_two(x, k):
    return -conv.pool2d(-x, 2)


@wrong("7.3", "kernel not repeated")
def kernel_as_it_is(x, kernel):
    return conv.conv2d(x, kernel, stride=2, padding=2, groups=x.shape[1])


@wrong("7.3", "kernel not repeated")
def kernel_as_it_is_without_groups(x, kernel):
    return conv.conv2d(x, kernel, stride=2, padding=2)
