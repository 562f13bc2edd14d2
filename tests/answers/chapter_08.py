"""Answers to chapter 8, "See further", as learners would hand them in."""

import math

import numpy as np
import torch
import torch.nn.functional as F

import conv
from answers.kit import right, wrong

# 8.1: a hundred pixels

right("8.1", 50.0)
right("8.1", torch.tensor(50))
right("8.1", np.ceil((100 - 1) / 2))
right("8.1", math.ceil(99 / 2))
right("8.1", next(n for n in range(100) if 1 + 2 * n >= 100))
right("8.1", [50])
wrong("8.1", "windows don't overlap", 100 / 3)
wrong("8.1", "windows don't overlap", 33.3)
wrong("8.1", "half a layer", (100 - 1) / 2)
wrong("8.1", "windows don't overlap", 34)  # 3 n pixels
wrong("8.1", "one pixel per layer", 99)  # 1 + n
wrong("8.1", "one pixel per layer", 98)  # 2 + n
wrong("8.1", "one layer too few", 49)
wrong("8.1", "exponential growth", 5)  # 3 ** n
wrong("8.1", "exponential growth", 7)  # 2 ** n
wrong("8.1", "exponential growth", 6)  # 2 ** (n + 1) - 1
wrong("8.1", "one layer too many", 51)  # 2 (n - 1): one layer sees none

# 8.2: four dilations

right("8.2", (27, 9, 3, 1))
right("8.2", torch.tensor([1, 3, 9, 27]))
right("8.2", np.array([3, 1, 27, 9]))
right("8.2", [3**n for n in range(4)])
right("8.2", np.array([[1.0, 3.0], [9.0, 27.0]]))
right("8.2", torch.tensor([[9, 3, 27, 1]], dtype=torch.float32))
wrong("8.2", "not four dilations", [1, 3, 9])
wrong("8.2", "not four dilations", 27)
wrong("8.2", "not four dilations", [1, 2, 4, 8, 16])
wrong("8.2", "not four dilations", [0, 1, 3, 9])
wrong("8.2", "not four dilations", [1, 1.5, 3, 9])
wrong("8.2", "gaps", [1, 3, 9, 1000])
wrong("8.2", "not four dilations", 81)
wrong("8.2", "gaps", [1, 3, 9, 999])
wrong("8.2", "gaps", [3, 3, 3, 3])
wrong("8.2", "gaps", [2, 4, 8, 16])
wrong("8.2", "gaps", [1, 4, 16, 64])
wrong("8.2", "gaps", [3, 9, 27, 81])
wrong("8.2", "doubling", [1, 2, 4, 8])
wrong("8.2", "doubling", (8, 4, 2, 1))
wrong("8.2", "narrower than possible", [1, 1, 1, 1])
wrong("8.2", "narrower than possible", [1, 2, 3, 4])
wrong("8.2", "narrower than possible", [1, 3, 9, 26])
wrong("8.2", "narrower than possible", [1, 2, 5, 14])

# 8.3: enlarge by repeating


@wrong("8.3", "wrong method")
def enlarged_by_interleaving(x):
    return x.repeat_interleave(2, dim=2).repeat_interleave(2, dim=3)


@wrong("8.3", "wrong method")
def enlarged_by_torch(x):
    return F.interpolate(x, scale_factor=2, mode="nearest")


@right("8.3")
def enlarged_by_channel(x):
    stamp = torch.ones((1, 1, 2, 2), dtype=x.dtype, device=x.device)
    return torch.cat(
        [
            conv.conv_transpose2d(x[:, c : c + 1], stamp, stride=2)
            for c in range(x.shape[1])
        ],
        dim=1,
    )


@wrong("8.3", "wrong method")
def enlarged_by_slices(x):
    n, c, height, width = x.shape
    y = x.new_zeros(n, c, 2 * height, 2 * width)
    for i in range(2):
        for j in range(2):
            y[:, :, i::2, j::2] = x
    return y


@wrong("8.3", "wrong method")
def enlarged_by_pixels(x):
    n, c, height, width = x.shape
    y = x.new_zeros(n, c, 2 * height, 2 * width)
    for i in range(2 * height):
        for j in range(2 * width):
            y[:, :, i, j] = x[:, :, i // 2, j // 2]
    return y


@wrong("8.3", "wrong method")
def enlarged_by_kronecker(x):
    return torch.kron(x, x.new_ones(1, 1, 2, 2))


@right("8.3")
def enlarged_by_diagonal(x):
    stamps = torch.eye(x.shape[1]).to(x)[:, :, None, None].repeat(1, 1, 2, 2)
    return F.conv_transpose2d(x, stamps, stride=2)


@right("8.3")
def enlarged_by_layer(x):
    c = x.shape[1]
    layer = torch.nn.ConvTranspose2d(c, c, 2, stride=2, groups=c, bias=False)
    torch.nn.init.ones_(layer.weight)
    return layer(x.to(layer.weight.dtype))


@right("8.3")
def enlarged_as_batch(x):
    n, c, height, width = x.shape
    y = conv.conv_transpose2d(
        x.reshape(-1, 1, height, width), x.new_ones(1, 1, 2, 2), stride=2
    )
    return y.view(n, c, 2 * height, 2 * width)


@right("8.3")
@torch.no_grad()
def enlarged_without_gradient(x):
    kernels = torch.ones(x.shape[1], 1, 2, 2).type_as(x)
    return F.conv_transpose2d(input=x, weight=kernels, stride=2, groups=x.shape[1])


@right("8.3")
def enlarged_one_axis_at_a_time(x):
    c = x.shape[1]
    ones = torch.ones(c, 1, 2, 1, dtype=torch.float64)
    y = F.conv_transpose2d(x, ones, stride=(2, 1), groups=c)
    return F.conv_transpose2d(y, ones.mT, stride=(1, 2), groups=c)


@right("8.3")
def enlarged_in_place(x):
    y = np.zeros((x.shape[0], x.shape[1], 2 * x.shape[2], 2 * x.shape[3]))
    kernel = torch.ones(1, 1, 2, 2)
    for i in range(x.shape[0]):
        for j in range(x.shape[1]):
            block = conv.conv_transpose2d(x[i, j][None, None].float(), kernel, stride=2)
            y[i, j] += block[0, 0].numpy()
    return y


@right("8.3")
def enlarged_to_lists(x):
    c = x.shape[1]
    kernel = torch.tensor([[[[1.0, 1.0], [1.0, 1.0]]]] * c).double()
    return F.conv_transpose2d(x, kernel, stride=2, groups=c).tolist()


@wrong("8.3", "kernel not repeated")
def one_kernel_for_all_groups(x):
    return conv.conv_transpose2d(x, x.new_ones(1, 1, 2, 2), stride=2, groups=x.shape[1])


@wrong("8.3", "kernel not repeated")
def one_kernel_without_groups(x):
    return F.conv_transpose2d(x, torch.ones(1, 1, 2, 2).double(), stride=2)


@wrong("8.3", "kernel too large")
def enlarged_by_three(x):
    c = x.shape[1]
    return conv.conv_transpose2d(
        x, x.new_ones(c, 1, 3, 3), stride=2, padding=1, output_padding=1, groups=c
    )


@wrong("8.3", "kernel too large")
def enlarged_by_four(x):
    c = x.shape[1]
    kernels = x.new_ones(c, 1, 4, 4)
    return conv.conv_transpose2d(x, kernels, stride=2, padding=1, groups=c)


@wrong("8.3", "interpolated")
def enlarged_by_bilinear_interpolation(x):
    return torch.nn.Upsample(scale_factor=2, mode="bilinear")(x)


@wrong("8.3", "interpolated")
def enlarged_by_the_learned_kernel(x):
    hat = x.new_tensor([0.5, 1, 0.5])
    kernels = (hat[:, None] * hat).expand(x.shape[1], 1, 3, 3)
    return conv.conv_transpose2d(
        x, kernels, stride=2, padding=1, output_padding=1, groups=x.shape[1]
    )


@wrong("8.3", "channels summed")
def stamped_into_one(x):
    return conv.conv_transpose2d(x, x.new_ones(x.shape[1], 1, 2, 2), stride=2)


@wrong("8.3", "channels summed")
def stamped_into_all(x):
    c = x.shape[1]
    return conv.conv_transpose2d(x, x.new_ones(c, c, 2, 2), stride=2)


@wrong("8.3", "zeros between")
def stamped_with_one_pixel(x):
    c = x.shape[1]
    stamps = x.new_zeros(c, 1, 2, 2)
    stamps[:, :, 0, 0] = 1
    return conv.conv_transpose2d(x, stamps, stride=2, groups=c)


@wrong("8.3", "zeros between")
def spread_out(x):
    n, c, height, width = x.shape
    y = x.new_zeros(n, c, 2 * height, 2 * width)
    y[:, :, ::2, ::2] = x
    return y


@wrong("8.3", "image tiled")
def tiled(x):
    return x.repeat(1, 1, 2, 2)


@wrong("8.3", "image tiled")
def laid_side_by_side(x):
    row = torch.cat([x, x], dim=3)
    return torch.cat([row, row], dim=2)


@wrong("8.3", "brightness divided")
def quarters(x):
    c = x.shape[1]
    stamps = x.new_full((c, 1, 2, 2), 1 / 4)
    return conv.conv_transpose2d(x, stamps, stride=2, groups=c)


@wrong("8.3", "one axis only")
def taller(x):
    c = x.shape[1]
    stamps = x.new_ones(c, 1, 2, 1)
    return conv.conv_transpose2d(x, stamps, stride=(2, 1), groups=c)


@wrong("8.3", "one axis only")
def wider(x):
    return x.repeat_interleave(2, dim=-1)


@wrong("8.3", "stride forgotten")
def stride_forgotten(x):
    c = x.shape[1]
    return conv.conv_transpose2d(x, x.new_ones(c, 1, 2, 2), groups=c)


@wrong("8.3", "missing return")
def enlarged_without_return(x):
    c = x.shape[1]
    conv.conv_transpose2d(x, x.new_ones(c, 1, 2, 2), stride=2, groups=c)


@wrong("8.3", "printed instead of returned")
def enlarged_and_printed(x):
    c = x.shape[1]
    print(conv.conv_transpose2d(x, x.new_ones(c, 1, 2, 2), stride=2, groups=c))


@wrong("8.3", "nan in the result")
def one_place_of_four_unwritten(x):
    n, c, height, width = x.shape
    y = torch.empty((n, c, 2 * height, 2 * width), dtype=x.dtype, device=x.device)
    y[:, :, ::2, ::2] = x
    y[:, :, 1::2, ::2] = x
    y[:, :, ::2, 1::2] = x
    return y


@wrong("8.3", "same result for every input")
def the_chapters_image_enlarged(x):
    x = torch.tensor([[1.0, 2.0], [3.0, 4.0]]).reshape(1, 1, 2, 2)
    return conv.conv_transpose2d(x, torch.ones(1, 1, 2, 2), stride=2)


@wrong("8.3", "wrong sign")
def enlarged_negative(x):
    c = x.shape[1]
    return conv.conv_transpose2d(x, -x.new_ones(c, 1, 2, 2), stride=2, groups=c)


@wrong("8.3", "transposed output")
def enlarged_transposed(x):
    y = x.repeat_interleave(2, dim=2).repeat_interleave(2, dim=3)
    return y.transpose(2, 3)


@wrong("8.3", "loop over the wrong axis")
def enlarged_with_exchanged_loops(x):
    n, c, height, width = x.shape
    y = x.new_zeros(n, c, 2 * height, 2 * width)
    for i in range(width):
        for j in range(height):
            for a in range(2):
                for b in range(2):
                    y[:, :, 2 * i + a, 2 * j + b] = x[:, :, i, j]
    return y


@wrong("8.3", "rows and columns mixed up")
def enlarged_to_width_by_height(x):
    n, c, height, width = x.shape
    y = x[:, :, :, None, :, None].expand(n, c, height, 2, width, 2)
    return y.reshape(n, c, 2 * width, 2 * height)


@wrong("8.3", "rows and columns mixed up")
def enlarged_into_wrong_size(x):
    n, c, width, height = x.shape
    y = x.new_zeros(n, c, 2 * height, 2 * width)
    for i in range(2):
        for j in range(2):
            y[:, :, i::2, j::2] = x
    return y


@wrong("8.3", "works for one image only")
def first_image_enlarged(x):
    _, c, height, width = x.shape
    y = x.new_zeros(1, c, 2 * height, 2 * width)
    for k in range(c):
        for i in range(height):
            for j in range(width):
                y[0, k, 2 * i : 2 * i + 2, 2 * j : 2 * j + 2] = x[0, k, i, j]
    return y


@wrong("8.3", "works for one image only")
def channels_become_the_batch(x):
    _, c, height, width = x.shape
    y = conv.conv_transpose2d(x[0][:, None], x.new_ones(1, 1, 2, 2), stride=2)
    return y.reshape(1, c, 2 * height, 2 * width)


@wrong("8.3", "works for one image only")
def reshaped_to_a_batch_of_one(x):
    _, c, height, width = x.shape
    y = x.repeat_interleave(2, dim=2).repeat_interleave(2, dim=3)
    return y.reshape(1, c, 2 * height, 2 * width)


@wrong("8.3", "scaled by a constant")
def halves(x):
    c = x.shape[1]
    stamps = x.new_full((c, 1, 2, 2), 1 / 2)
    return conv.conv_transpose2d(x, stamps, stride=2, groups=c)


@wrong("8.3", "shifted by a constant")
def stamped_with_bias(x):
    c = x.shape[1]
    ones = x.new_ones(c, 1, 2, 2)
    return conv.conv_transpose2d(x, ones, x.new_ones(c), stride=2, groups=c)


@right("8.3")
def brightened_first(x):
    c = x.shape[1]
    x *= 4
    stamps = x.new_full((c, 1, 2, 2), 1 / 4)
    return conv.conv_transpose2d(x, stamps, stride=2, groups=c)


@wrong("8.3", "wrong method")
def enlarged_in_float32(x):
    n, c, height, width = x.shape
    y = torch.zeros(n, c, 2 * height, 2 * width, device=x.device)
    for i in range(2):
        for j in range(2):
            y[:, :, i::2, j::2] = x
    return y


@right("8.3")
def enlarged_as_float(x):
    c = x.shape[1]
    stamps = torch.ones(c, 1, 2, 2, device=x.device)
    return F.conv_transpose2d(x.float(), stamps, stride=2, groups=c)


@wrong("8.3", "wrong method")
def enlarged_on_cpu(x):
    n, c, height, width = x.shape
    y = torch.zeros((n, c, 2 * height, 2 * width), dtype=x.dtype)
    for i in range(2):
        for j in range(2):
            y[:, :, i::2, j::2] = x
    return y


@wrong("8.3", "wrong method")
def enlarged_by_items(x):
    n, c, height, width = x.shape
    y = x.new_zeros(n, c, 2 * height, 2 * width)
    for m in range(n):
        for k in range(c):
            for i in range(2 * height):
                for j in range(2 * width):
                    y[m, k, i, j] = x[m, k, i // 2, j // 2].item()
    return y


@wrong("8.3", "wrong method")
def enlarged_from_lists(x):
    images = [
        [
            [[v for v in row for _ in range(2)] for row in channel for _ in range(2)]
            for channel in image
        ]
        for image in x.tolist()
    ]
    return torch.tensor(images, dtype=x.dtype, device=x.device)


@right("8.3")
def enlarged_as_list(x):
    c = x.shape[1]
    stamps = x.new_ones(c, 1, 2, 2)
    return conv.conv_transpose2d(x, stamps, stride=2, groups=c).tolist()


@wrong("8.3", "wrong method")
def list_of_images(x):
    return [
        image.repeat_interleave(2, dim=1).repeat_interleave(2, dim=2) for image in x
    ]


# 8.4: exactly thirty

right("8.4", [2, 2])  # 32 - 4 + 2
right("8.4", torch.tensor([1, 0]))
right("8.4", np.array([[1.0, 0.0]]))
right("8.4", (2.0, 2.0))
right("8.4", next((p, q) for p in range(5) for q in range(3) if 32 - 2 * p + q == 30))
wrong("8.4", "order swapped", (0, 1))
wrong("8.4", "size times stride", (0, 0))
wrong("8.4", "output too large", (0, 2))
wrong("8.4", "output too large", (1, 1))  # 32 - 1 - 1
wrong("8.4", "output too large", (1, 2))
wrong("8.4", "output too small", (2, 0))  # 32 - 2
wrong("8.4", "output too small", (2, 1))
wrong("8.4", "output too small", (3, 1))
wrong("8.4", "not allowed", (3, 4))
wrong("8.4", "not allowed", (0, -2))
wrong("8.4", "not allowed", (1.5, 1))
wrong("8.4", "not allowed", (3, 3))


@right("8.3")
def enlarged_in_default_dtype(x):
    c = x.shape[1]
    return F.conv_transpose2d(x, torch.ones(c, 1, 2, 2), stride=2, groups=c)
