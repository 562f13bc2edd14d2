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
right(
    "7.1",
    conv.pool2d(torch.tensor([[[[1.0, 5, 2], [4, 0, 3], [7, 6, 8]]]]), 2, stride=1),
)
right("7.1", [max(1, 5, 4, 0), max(5, 2, 0, 3), max(4, 0, 7, 6), max(0, 3, 6, 8)])
right("7.1", np.array([[5, 5], [7, 8]], dtype=np.float32))
wrong("7.1", "windows beyond the border", [5, 3, 7, 8])
wrong("7.1", "windows beyond the border", [[5, 3], [7, 8]])
wrong("7.1", "column by column", [[5, 7], [5, 8]])
wrong("7.1", "mean instead of maximum", np.array([[2.5, 2.5], [4.25, 4.25]]))
wrong("7.1", "stride 2", [5])
wrong("7.1", "stride 2", 5)
wrong("7.1", "maximum of the image", 8)
wrong("7.1", "mean instead of maximum", [2.5, 2.5, 4.25, 4.25])
wrong("7.1", "minimum instead of maximum", [0, 0, 0, 0])
wrong("7.1", "sum instead of maximum", [10, 10, 17, 17])
wrong("7.1", "column by column", [5, 7, 5, 8])
right("7.1", [[5, 5], [7, 8]])
right("7.1", torch.tensor([[5.0, 5.0], [7.0, 8.0]]))

# 7.2: the smallest number of each window


@right("7.2")
def min_by_torch(x, k):
    return F.max_pool2d(x.neg(), k).neg()


@wrong("7.2", "wrong method")
def min_by_unfold(x, k):
    return x.unfold(2, k, k).unfold(3, k, k).amin(dim=(-2, -1))


@wrong("7.2", "wrong method")
def min_by_slices(x, k):
    rows, columns = x.shape[2] // k, x.shape[3] // k
    x = x[:, :, : rows * k, : columns * k]
    y = x[:, :, ::k, ::k]
    for i in range(k):
        for j in range(k):
            y = torch.minimum(y, x[:, :, i::k, j::k])
    return y


@wrong("7.2", "wrong method")
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


@right("7.2")
def min_by_difference(x, k):
    largest = x.max()
    return largest - conv.pool2d(largest - x, k)


@right("7.2")
def min_in_place(x, k):
    x *= -1
    y = F.max_pool2d(x, kernel_size=k, stride=k)
    y *= -1
    return y


@right("7.2")
def min_by_module(x, k):
    return torch.negative(torch.nn.MaxPool2d(k)(torch.negative(x)))


@right("7.2")
def min_image_by_image(x, k):
    images = []
    for image in x.float():
        images.append(0 - conv.pool2d(0 - image[None], k))
    return torch.cat(images).numpy()


@right("7.2")
def min_as_lists(x, k):
    pooled = conv.pool2d(-x, (k, k), "max", (k, k)).tolist()
    return [[[[-v for v in row] for row in c] for c in image] for image in pooled]


@wrong("7.2", "absolute values")
def smallest_size(x, k):
    return -conv.pool2d(-x.abs(), k)


@wrong("7.2", "absolute values")
def largest_size(x, k):
    return conv.pool2d(torch.abs(x), k)


@wrong("7.2", "reciprocals")
def by_reciprocals(x, k):
    return 1 / conv.pool2d(1 / x, k)


@wrong("7.2", "maximum instead of minimum")
def max_pool(x, k):
    return conv.pool2d(x, k)


@wrong("7.2", "wrong sign")
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


@right("7.3")
def blur_in_numpy(x, kernel):
    x, kernel = x.numpy(), kernel.numpy()[0, 0]
    x = np.pad(x, ((0, 0), (0, 0), (2, 2), (2, 2)))
    windows = np.lib.stride_tricks.sliding_window_view(x, (5, 5), axis=(2, 3))
    return (windows[:, :, ::2, ::2] * kernel).sum(axis=(4, 5))


@right("7.3")
def blur_by_einsum(x, kernel):
    windows = F.pad(x, [2] * 4).unfold(2, 5, 1).unfold(3, 5, 1)
    y = torch.einsum("ncijab,ab->ncij", windows, kernel.squeeze())
    return y[..., ::2, ::2]


@right("7.3")
def blur_by_corr2d(x, kernel):
    n, c, height, width = x.shape
    y = torch.zeros(n, c, (height + 1) // 2, (width + 1) // 2)
    for i in range(n):
        for j in range(c):
            padded = F.pad(x[i, j], (2, 2, 2, 2))
            y[i, j] = conv.corr2d(padded, kernel[0, 0])[::2, ::2]
    return y


@right("7.3")
def blur_by_layer(x, kernel):
    c = x.shape[1]
    layer = torch.nn.Conv2d(c, c, 5, 2, 2, groups=c, bias=False, dtype=x.dtype)
    with torch.no_grad():
        layer.weight.copy_(kernel)
    return layer(x)


@right("7.3")
def blur_by_same_padding(x, kernel):
    c = x.shape[1]
    kernels = torch.cat([kernel] * c).float()
    return F.conv2d(x.float(), kernels, padding="same", groups=c)[:, :, ::2, ::2]


@right("7.3")
def blur_by_stack(x, kernel):
    def blurred(channel):
        return conv.conv2d(channel[:, None], kernel, stride=2, padding=2)[:, 0]

    return torch.stack([blurred(channel) for channel in x.unbind(1)], dim=1)


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


@wrong("7.3", "padding too narrow")
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
right("7.4", np.int64(8), "C")
right("7.4", 2**3, "(c)")
right("7.4", [8], "c")
wrong("7.4", "two layers only", 4, "a")
wrong("7.4", "two layers only", 4, "c")
wrong("7.4", "areas multiplied", (2 * 2) ** 3, "a")
wrong("7.4", "one layer only", 2, "c")
wrong("7.4", "strides added", 6, "c")
wrong("7.4", "layers counted", 3, "c")
wrong("7.4", "smallest shift that changes anything", 1, "c")
wrong("7.4", "area of the window", 8, "a")
wrong("7.4", "maximum assumed invariant", 8, "b")


@wrong("7.2", "window size fixed")
def always_two_by_two(x, k):
    return -conv.pool2d(-x, 2)


@wrong("7.3", "kernel not repeated")
def kernel_as_it_is(x, kernel):
    return conv.conv2d(x, kernel, stride=2, padding=2, groups=x.shape[1])


@wrong("7.3", "kernel not repeated")
def kernel_as_it_is_without_groups(x, kernel):
    return conv.conv2d(x, kernel, stride=2, padding=2)


@wrong("7.3", "pooled instead of skipped")
def blurred_and_max_pooled(x, kernel):
    return conv.pool2d(blurred_only(x, kernel), 2)


@wrong("7.3", "pooled instead of skipped")
def blurred_and_average_pooled(x, kernel):
    return conv.pool2d(blurred_only(x, kernel), 2, "avg")


@wrong("7.3", "other padding")
def blurred_round_the_border(x, kernel):
    c = x.shape[1]
    x = F.pad(x, (2, 2, 2, 2), mode="circular")
    return conv.conv2d(x, kernel.repeat(c, 1, 1, 1), stride=2, groups=c)


@wrong("7.3", "other padding")
def blurred_with_repeated_border(x, kernel):
    x = np.pad(x.numpy(), ((0, 0), (0, 0), (2, 2), (2, 2)), mode="edge")
    windows = np.lib.stride_tricks.sliding_window_view(x, (5, 5), axis=(2, 3))
    return (windows * kernel.numpy()[0, 0]).sum(axis=(4, 5))[:, :, ::2, ::2]


@wrong("7.3", "other padding")
def blurred_with_mirrored_border(x, kernel):
    x = F.pad(x, (2, 2, 2, 2), mode="reflect")
    return blur_by_channel(x, kernel)[:, :, 1:-1, 1:-1]


@wrong("7.3", "kernel flipped")
def blurred_by_scipy(x, kernel):
    from scipy.signal import convolve2d

    y = [[convolve2d(c, kernel[0, 0], mode="same") for c in image] for image in x]
    return np.array(y)[..., ::2, ::2]


@right("7.3")
def blur_by_layer_in_default_dtype(x, kernel):
    c = x.shape[1]
    layer = torch.nn.Conv2d(c, c, 5, 2, 2, groups=c, bias=False)
    layer.weight.data[:] = kernel
    return layer(x)


@wrong("7.2", "values and indices")
def minimum_with_its_position(x, k):
    n, c = x.shape[:2]
    windows = x.unfold(2, k, k).unfold(3, k, k)
    return -conv.pool2d(-x, k), windows.reshape(n, c, *windows.shape[2:4], -1).argmin(
        -1
    )


@wrong("7.3", "pooled instead of skipped")
def blurred_and_pooled_up_to_the_border(x, kernel):
    return F.max_pool2d(blurred_only(x, kernel), 2, ceil_mode=True)
