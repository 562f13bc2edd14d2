"""Answers to chapter 6, "Mix channels", as learners would hand them in."""

from fractions import Fraction

import numpy as np
import torch
import torch.nn.functional as F

import conv
from answers.kit import right, wrong

# 6.1: the parameters of a layer

right("6.1", torch.tensor(12832))
right("6.1", np.float64(12832))
right("6.1", Fraction(12832))
right("6.1", 12832.0)
right("6.1", [12832])
right("6.1", 32 * 16 * 5**2 + 32)
right("6.1", sum(p.numel() for p in torch.nn.Conv2d(16, 32, 5).parameters()))
right("6.1", conv.ConvLayer(16, 32, 5).weight.numel() + 32)
wrong("6.1", "one bias for the layer", 32 * 16 * 5 * 5 + 1)
wrong("6.1", "channels added", (32 + 16) * 5 * 5)
wrong("6.1", "biases forgotten", 32 * 16 * 5 * 5)
wrong("6.1", "one slice per kernel", 32 * (5 * 5 + 1))
wrong("6.1", "one kernel for the layer", 16 * 5 * 5 + 1)
wrong("6.1", "biases of the input channels", 32 * 16 * 5 * 5 + 16)
wrong("6.1", "one bias per slice", 32 * 16 * (5 * 5 + 1))
wrong("6.1", "side instead of area", 32 * (16 * 5 + 1))

# 6.2: yellow

right("6.2", [[[[0.5]], [[0.5]], [[-1.0]]]])
right("6.2", np.array([0.5, 0.5, -1]).reshape(1, 3, 1, 1))
right("6.2", np.array([1, 1, -2], dtype=np.float32)[None, :, None, None] / 2)
right("6.2", [[[[Fraction(1, 2)]], [[Fraction(1, 2)]], [[Fraction(-1)]]]])
right("6.2", torch.nn.Parameter(torch.tensor([0.5, 0.5, -1.0]).view(1, 3, 1, 1)))
wrong("6.2", "blue halved", torch.tensor([1.0, 1, -1]).reshape(1, 3, 1, 1) / 2)
wrong("6.2", "channels out of order", np.array([0.5, -1, 0.5]).reshape(1, 3, 1, 1))
wrong("6.2", "axes missing", np.array([[1, 1, -2]]))
wrong("6.2", "wrong shape", torch.tensor([0.5, 0.5, -1.0]).reshape(1, 1, 3, 1, 1))
right("6.2", torch.tensor([[[[1.0]], [[1.0]], [[-2.0]]]], dtype=torch.float64) / 2)
wrong(
    "6.2",
    "input and output swapped",
    torch.tensor([0.5, 0.5, -1.0]).reshape(3, 1, 1, 1),
)
wrong("6.2", "axes missing", torch.tensor([0.5, 0.5, -1.0]))
wrong("6.2", "axes missing", torch.tensor([0.5, 0.5, -1.0]).reshape(3, 1, 1))
wrong("6.2", "axes missing", [0.5, 0.5, -1])
wrong(
    "6.2", "channels out of order", torch.tensor([-1.0, 0.5, 0.5]).reshape(1, 3, 1, 1)
)
wrong("6.2", "halves forgotten", torch.tensor([1.0, 1, -1]).reshape(1, 3, 1, 1))
wrong("6.2", "halves forgotten", torch.tensor([1.0, 1, -2]).reshape(1, 3, 1, 1))
wrong("6.2", "blue added", torch.tensor([0.5, 0.5, 1]).reshape(1, 3, 1, 1))
wrong("6.2", "blue left out", torch.tensor([0.5, 0.5, 0]).reshape(1, 3, 1, 1))

# 6.3: the mean of the channels


@right("6.3")
def mean_by_sum(x):
    ones = torch.ones(1, x.shape[1], 1, 1, dtype=x.dtype, device=x.device)
    return conv.conv2d(x, ones) / x.shape[1]


@wrong("6.3", "wrong method")
def mean_by_method(x):
    return x.mean(dim=1, keepdim=True)


@wrong("6.3", "wrong method")
def mean_by_loop(x):
    total = torch.zeros_like(x[:, :1])
    for c in range(x.shape[1]):
        total = total + x[:, c : c + 1]
    return total / x.shape[1]


@wrong("6.3", "wrong method")
def mean_by_einsum(x):
    weights = torch.full_like(x[0, :, 0, 0], 1 / x.shape[1])
    return torch.einsum("nchw,c->nhw", x, weights)[:, None]


@right("6.3")
def mean_by_functional(x):
    kernel = torch.full((1, x.shape[1], 1, 1), 1 / x.shape[1], dtype=x.dtype)
    return F.conv2d(x, kernel)


@right("6.3")
def mean_by_module(x):
    layer = torch.nn.Conv2d(x.shape[1], 1, 1, bias=False)
    layer.weight.data.fill_(1 / x.shape[1])
    return layer(x.float())


@right("6.3")
def mean_by_course_layer(x):
    layer = conv.ConvLayer(x.shape[1], 1, 1, bias=False)
    with torch.no_grad():
        layer.weight[:] = 1.0 / x.shape[1]
    return layer.double()(x)


@right("6.3")
def mean_image_by_image(x):
    c = x.size(1)
    kernel = torch.tensor([1 / c] * c, dtype=x.dtype).reshape(1, c, 1, 1)
    images = []
    for image in x:
        images.append(conv.conv2d(image.unsqueeze(0), kernel))
    return torch.cat(images)


@right("6.3")
def mean_as_array(x):
    c = x.shape[1]
    kernel = torch.from_numpy(np.full((1, c, 1, 1), 1 / c))
    return conv.conv2d(x, kernel).numpy()


@wrong("6.3", "sum instead of mean")
def channels_added(x):
    return conv.conv2d(x, x.new_ones(1, x.shape[1], 1, 1))


@wrong("6.3", "channels not summed")
def one_kernel_a_channel(x):
    c = x.shape[1]
    return conv.conv2d(x, x.new_full((c, 1, 1, 1), 1 / c), groups=c)


@wrong("6.3", "channels not summed")
def mean_for_each_channel(x):
    c = x.shape[1]
    return conv.conv2d(x, x.new_full((c, c, 1, 1), 1 / c))


@wrong("6.3", "wrong method")
def mean_without_axis(x):
    return x.mean(dim=1)


@right("6.3")
def convolved_without_axis(x):
    c = x.shape[1]
    return conv.conv2d(x, x.new_full((1, c, 1, 1), 1 / c))[:, 0]


@wrong("6.3", "mean over the batch")
def images_averaged(x):
    return x.mean(dim=0, keepdim=True)


@wrong("6.3", "mean over the batch")
def images_convolved(x):
    n = x.shape[0]
    return conv.conv2d(x.transpose(0, 1), x.new_full((1, n, 1, 1), 1 / n))


@wrong("6.3", "number of channels fixed")
def divided_by_three(x):
    return conv.conv2d(x, x.new_full((1, x.shape[1], 1, 1), 1 / 3))


@wrong("6.3", "number of channels fixed")
def kernel_for_three(x):
    return conv.conv2d(x, x.new_full((1, 3, 1, 1), 1 / 3))


@wrong("6.3", "number of channels fixed")
def red_green_blue(x):
    return (x[:, 0:1] + x[:, 1:2] + x[:, 2:3]) / 3


@wrong("6.3", "first channel only")
def first_of_channels(x):
    return x[:, :1]


@wrong("6.3", "first channel only")
def kernel_on_first(x):
    kernel = x.new_zeros(1, x.shape[1], 1, 1)
    kernel[0, 0] = 1
    return conv.conv2d(x, kernel)


# 6.4: the whole layer


@wrong("6.4", "wrong method")
def layer_by_torch(X, K, b):
    return F.conv2d(X[None], K, b)[0]


@wrong("6.4", "wrong method")
def layer_by_pixels(X, K, b):
    n, _, h, w = K.shape
    Y = X.new_zeros(n, X.shape[1] - h + 1, X.shape[2] - w + 1)
    for o in range(n):
        for i in range(Y.shape[1]):
            for j in range(Y.shape[2]):
                Y[o, i, j] = (X[:, i : i + h, j : j + w] * K[o]).sum() + b[o]
    return Y


@right("6.4")
def layer_by_indices(X, K, b):
    return torch.stack(
        [
            sum(conv.corr2d(X[c], K[o, c]) for c in range(X.shape[0])) + b[o]
            for o in range(K.shape[0])
        ]
    )


@wrong("6.4", "wrong method")
def layer_by_windows(X, K, b):
    windows = X.unfold(1, K.shape[2], 1).unfold(2, K.shape[3], 1)
    return torch.einsum("crsij,ocij->ors", windows, K) + b[:, None, None]


@wrong("6.4", "wrong method")
def layer_by_matrix(X, K, b):
    size = X.shape[1] - K.shape[2] + 1, X.shape[2] - K.shape[3] + 1
    columns = F.unfold(X[None], K.shape[2:])[0]
    return (K.flatten(1) @ columns + b[:, None]).reshape(len(K), *size)


@wrong("6.4", "channels not summed")
def last_channel_stays(X, K, b):
    outputs = []
    for o in range(K.shape[0]):
        for c in range(K.shape[1]):
            y = conv.corr2d(X[c], K[o, c])
        outputs.append(y + b[o])
    return torch.stack(outputs)


@wrong("6.4", "channels not summed")
def output_overwritten(X, K, b):
    n, channels, h, w = K.shape
    Y = X.new_zeros(n, X.shape[1] - h + 1, X.shape[2] - w + 1)
    for o in range(n):
        for c in range(channels):
            Y[o] = conv.corr2d(X[c], K[o, c]) + b[o]
    return Y


@wrong("6.4", "first input channel only")
def channel_zero(X, K, b):
    return torch.stack([conv.corr2d(X[0], K[o, 0]) + b[o] for o in range(len(K))])


@wrong("6.4", "bias added per input channel")
def bias_in_the_sum(X, K, b):
    outputs = []
    for o in range(K.shape[0]):
        y = 0
        for c in range(K.shape[1]):
            y = y + conv.corr2d(X[c], K[o, c]) + b[o]
        outputs.append(y)
    return torch.stack(outputs)


@wrong("6.4", "bias forgotten")
def without_bias(X, K, b):
    return torch.stack(
        [sum(conv.corr2d(x, k) for x, k in zip(X, kernel, strict=True)) for kernel in K]
    )


@wrong("6.4", "one bias for all")
def first_bias(X, K, b):
    return without_bias(X, K, b) + b[0]


@wrong("6.4", "one kernel for all")
def first_kernel(X, K, b):
    outputs = []
    for o in range(len(b)):
        y = b[o]
        for c in range(len(X)):
            y = y + conv.corr2d(X[c], K[0, c])
        outputs.append(y)
    return torch.stack(outputs)


@wrong("6.4", "one slice for all channels")
def first_slice(X, K, b):
    outputs = []
    for o in range(len(K)):
        y = b[o]
        for c in range(len(X)):
            y = y + conv.corr2d(X[c], K[o, 0])
        outputs.append(y)
    return torch.stack(outputs)


@wrong("6.4", "one slice for all channels")
def channels_added_first(X, K, b):
    return torch.stack([conv.corr2d(X.sum(0), K[o, 0]) + b[o] for o in range(len(K))])


@wrong("6.4", "mean over the channels")
def channels_averaged(X, K, b):
    outputs = []
    for kernel, bias in zip(K, b, strict=True):
        ys = [conv.corr2d(x, k) for x, k in zip(X, kernel, strict=True)]
        outputs.append(torch.stack(ys).mean(0) + bias)
    return torch.stack(outputs)


@wrong("6.4", "input and output swapped")
def indices_exchanged(X, K, b):
    outputs = []
    for o in range(len(b)):
        y = b[o]
        for c in range(len(X)):
            y = y + conv.corr2d(X[c], K[c, o])
        outputs.append(y)
    return torch.stack(outputs)


@wrong("6.4", "input and output swapped")
def axes_exchanged(X, K, b):
    outputs = []
    for kernel, bias in zip(K.transpose(0, 1), b, strict=False):
        pairs = zip(X, kernel, strict=False)
        outputs.append(sum(conv.corr2d(x, k) for x, k in pairs) + bias)
    return torch.stack(outputs)


@wrong("6.4", "kernel flipped")
def kernels_turned(X, K, b):
    return layer_by_indices(X, K.flip(2, 3), b)


@wrong("6.4", "missing return")
def layer_without_return(X, K, b):
    Y = []
    for o in range(len(K)):
        Y.append(sum(conv.corr2d(X[c], K[o, c]) for c in range(len(X))) + b[o])


@wrong("6.4", "printed instead of returned")
def layer_printed(X, K, b):
    print(layer_by_indices(X, K, b))


@wrong("6.4", "nan in the result")
def layer_added_to_empty(X, K, b):
    n, channels, h, w = K.shape
    Y = torch.empty(
        (n, X.shape[1] - h + 1, X.shape[2] - w + 1), dtype=X.dtype, device=X.device
    )
    for o in range(n):
        for c in range(channels):
            Y[o] += conv.corr2d(X[c], K[o, c])
        Y[o] += b[o]
    return Y


@wrong("6.4", "same result for every input")
def layer_on_the_chapters_image(X, K, b):
    X = torch.stack([torch.arange(9.0).reshape(3, 3), torch.ones(3, 3)])
    K = torch.stack([torch.arange(4.0).reshape(2, 2), torch.full((2, 2), 10.0)])
    return sum(conv.corr2d(x, k) for x, k in zip(X, K, strict=True))[None]


@wrong("6.4", "wrong sign")
def layer_negative(X, K, b):
    Y = 0
    for c in range(len(X)):
        Y = Y - torch.stack([conv.corr2d(X[c], k) for k in K[:, c]])
    return Y - b[:, None, None]


@wrong("6.4", "transposed output")
def layer_transposed(X, K, b):
    return torch.stack([y.T for y in layer_by_indices(X, K, b)])


@wrong("6.4", "loop over the wrong axis")
def layer_with_exchanged_loops(X, K, b):
    n, _, h, w = K.shape
    Y = X.new_zeros(n, X.shape[1] - h + 1, X.shape[2] - w + 1)
    for o in range(n):
        for i in range(Y.shape[2]):
            for j in range(Y.shape[1]):
                Y[o, i, j] = (X[:, i : i + h, j : j + w] * K[o]).sum() + b[o]
    return Y


@wrong("6.4", "rows and columns mixed up")
def layer_of_width_by_height(X, K, b):
    size = X.shape[2] - K.shape[3] + 1, X.shape[1] - K.shape[2] + 1
    columns = F.unfold(X[None], K.shape[2:])[0]
    return (K.flatten(1) @ columns + b[:, None]).reshape(len(K), *size)


@wrong("6.4", "rows and columns mixed up")
def layer_in_a_square(X, K, b):
    side = X.shape[1] - K.shape[2] + 1
    Y = X.new_zeros(len(K), side, side)
    for o in range(len(K)):
        for c in range(len(X)):
            Y[o] += conv.corr2d(X[c], K[o, c])
        Y[o] += b[o]
    return Y


@wrong("6.4", "one element too short")
def layer_without_last_window(X, K, b):
    n, _, h, w = K.shape
    Y = X.new_zeros(n, X.shape[1] - h, X.shape[2] - w)
    for o in range(n):
        for i in range(Y.shape[1]):
            for j in range(Y.shape[2]):
                Y[o, i, j] = (X[:, i : i + h, j : j + w] * K[o]).sum() + b[o]
    return Y


@wrong("6.4", "scaled by a constant")
def layer_halved(X, K, b):
    return layer_by_indices(X, K, b) / 2


@wrong("6.4", "shifted by a constant")
def layer_summed_from_one(X, K, b):
    outputs = []
    for kernel, bias in zip(K, b, strict=True):
        y = 1
        for x, k in zip(X, kernel, strict=True):
            y = y + conv.corr2d(x, k)
        outputs.append(y + bias)
    return torch.stack(outputs)


@wrong("6.4", "wrong method")
def layer_with_batch_axis_in_place(X, K, b):
    return F.conv2d(X.unsqueeze_(0), K, b)[0]


@right("6.4")
def layer_in_float32(X, K, b):
    n, channels, h, w = K.shape
    size = X.shape[1] - h + 1, X.shape[2] - w + 1
    Y = torch.zeros(n, *size, device=X.device)
    for o in range(n):
        for c in range(channels):
            Y[o] += conv.corr2d(X[c], K[o, c])
        Y[o] += b[o]
    return Y


@right("6.4")
def layer_on_cpu(X, K, b):
    n, channels, h, w = K.shape
    Y = torch.zeros(n, X.shape[1] - h + 1, X.shape[2] - w + 1, dtype=X.dtype)
    for o in range(n):
        Y[o] = sum(conv.corr2d(X[c], K[o, c]) for c in range(channels)) + b[o]
    return Y


@wrong("6.4", "wrong method")
def layer_by_items(X, K, b):
    n, _, h, w = K.shape
    Y = X.new_zeros(n, X.shape[1] - h + 1, X.shape[2] - w + 1)
    for o in range(n):
        for i in range(Y.shape[1]):
            for j in range(Y.shape[2]):
                y = (X[:, i : i + h, j : j + w] * K[o]).sum() + b[o]
                Y[o, i, j] = y.item()
    return Y


@right("6.4")
def layer_detached(X, K, b):
    return layer_by_indices(X, K, b).detach()


@right("6.4")
def layer_unstacked(X, K, b):
    Y = []
    for o in range(len(K)):
        Y.append(sum(conv.corr2d(X[c], K[o, c]) for c in range(len(X))) + b[o])
    return Y


@right("6.4")
def layer_as_numbers(X, K, b):
    return layer_by_indices(X, K, b).tolist()


wrong("6.1", "area of the kernel forgotten", 16 * 32)


@wrong("6.3", "input and output swapped")
def out_axis_for_channels(x):
    channels = x.shape[1]
    kernel = x.new_ones(channels, 1, 1, 1) / channels
    return conv.conv2d(x, kernel)


@wrong("6.3", "mean over the pixels")
def global_average(x):
    return conv.pool2d(x, tuple(x.shape[2:]), "avg")


@wrong("6.3", "number of channels fixed")
def mean_of_three(x):
    kernel = x.new_full((1, 3, 1, 1), 1 / 3)
    return conv.conv2d(x[:, :3], kernel)


@wrong("6.3", "first channel only")
def first_weight_only(x):
    kernel = x.new_zeros(1, x.shape[1], 1, 1)
    kernel[:, 0] = 1 / x.shape[1]
    return conv.conv2d(x, kernel)


def many_to_one(X, K):
    return sum(conv.corr2d(x, k) for x, k in zip(X, K, strict=True))


@right("6.4")
def layer_by_the_chapters_helper(X, K, b):
    return torch.stack([many_to_one(X, kernel) for kernel in K]) + b.reshape(-1, 1, 1)


@right("6.4")
def layer_in_place(X, K, b):
    c_out, c_in, h, w = K.shape
    Y = torch.zeros(c_out, X.shape[1] - h + 1, X.shape[2] - w + 1)
    for o in range(c_out):
        Y[o] += b[o]
        for c in range(c_in):
            Y[o] += conv.corr2d(X[c], K[o, c])
    return Y


@right("6.4")
def layer_in_numpy(X, K, b):
    Y = [[conv.corr2d(X[c], k[c]).numpy() for c in range(len(X))] for k in K]
    return np.sum(Y, axis=1) + b.numpy()[:, None, None]


@right("6.4")
def layer_by_einsum_over_channels(X, K, b):
    maps = torch.stack(
        [torch.stack([conv.corr2d(x, s) for x, s in zip(X, k)]) for k in K]  # noqa: B905
    )
    return torch.einsum("ocij->oij", maps).add(b[:, None, None])


@right("6.4")
def layer_from_starting_bias(X, K, b):
    outputs = []
    for kernel, bias in zip(K, b.tolist(), strict=True):
        total = bias
        for channel, weights in enumerate(kernel):
            total = total + conv.corr2d(X[channel].float(), weights.float())
        outputs.append(total.tolist())
    return outputs


@wrong("6.4", "first output channel only")
def first_kernel_only(X, K, b):
    return many_to_one(X, K[0])[None] + b[0]


@wrong("6.4", "outputs concatenated")
def outputs_joined(X, K, b):
    outputs = []
    for o in range(len(K)):
        outputs.append(many_to_one(X, K[o]) + b[o])
    return torch.cat(outputs)


@wrong("6.4", "bias along rows or columns")
def bias_broadcast(X, K, b):
    return torch.stack([many_to_one(X, kernel) for kernel in K]) + b


@wrong("6.4", "bias along rows or columns")
def whole_bias_for_each_output(X, K, b):
    outputs = []
    for kernel in K:
        outputs.append(many_to_one(X, kernel) + b)
    return torch.stack(outputs)


@wrong("6.4", "bias along rows or columns")
def bias_broadcast_along_rows(X, K, b):
    return torch.stack([many_to_one(X, kernel) for kernel in K]) + b[:, None]


@right("6.3")
def mean_in_default_dtype(x):
    return F.conv2d(x, torch.full((1, x.shape[1], 1, 1), 1 / x.shape[1]))
