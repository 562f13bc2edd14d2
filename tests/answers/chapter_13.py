"""Chapter 13: answers to its exercises, right and wrong."""

import copy
import math
from fractions import Fraction

import numpy as np
import torch
from torch import nn

from answers.kit import right, wrong

# 13.1: fading
right("13.1", Fraction(1, 216))
right("13.1", math.sqrt(1 / 6) ** 6)
right("13.1", torch.tensor(6.0) ** -3)
right("13.1", 0.41**6)
right("13.1", 0.0046)
right("13.1", [np.float32(1 / 216)])
right("13.1", np.exp(-3 * np.log(6)))
wrong("13.1", "mean square instead of root mean square", (1 / 6) ** 6)
wrong("13.1", "mean square and root mean square mixed", (math.sqrt(1 / 3) * 0.5) ** 6)
wrong("13.1", "mean square and root mean square mixed", (1 / 3 * math.sqrt(0.5)) ** 6)
wrong("13.1", "sum over the window forgotten", math.sqrt(1 / (3 * 576) / 2) ** 6)
wrong("13.1", "wrong number of layers", 0.41**20)
wrong("13.1", "wrong number of layers", 0.41**5)
wrong("13.1", "fraction or percentage", 0.463)
wrong("13.1", "rounded too far", 0.005)
wrong("13.1", "ReLU forgotten", math.sqrt(1 / 3) ** 6)
wrong("13.1", "weights forgotten", math.sqrt(1 / 2) ** 6)
wrong("13.1", "one layer only", math.sqrt(1 / 6))
wrong("13.1", "reciprocal of the factor", math.sqrt(6) ** 6)
wrong("13.1", "factors added", 6 * math.sqrt(1 / 6))
wrong("13.1", "He initialization assumed", 1)


# 13.2: batch norm folded into a convolution
@right("13.2")
@torch.no_grad()
def folded_newly_built(layer, norm):
    new = nn.Conv2d(
        layer.in_channels,
        layer.out_channels,
        layer.kernel_size,
        stride=layer.stride,
        padding=layer.padding,
        dilation=layer.dilation,
        groups=layer.groups,
        padding_mode=layer.padding_mode,
        device=layer.weight.device,
        dtype=layer.weight.dtype,
    )
    scale = norm.weight / torch.sqrt(norm.running_var + norm.eps)
    shift = norm.bias - norm.running_mean * scale
    new.weight.copy_(torch.einsum("o,oihw->oihw", scale, layer.weight))
    new.bias.copy_(layer.bias * scale + shift)
    return new


@right("13.2")
def folded_by_loop(layer, norm):
    new = copy.deepcopy(layer)
    for k in range(layer.out_channels):
        deviation = (norm.running_var[k] + norm.eps) ** 0.5
        new.weight.data[k] = layer.weight.data[k] / deviation * norm.weight.data[k]
        centered = (layer.bias.data[k] - norm.running_mean[k]) / deviation
        new.bias.data[k] = centered * norm.weight.data[k] + norm.bias.data[k]
    return new


@right("13.2")
def folded_by_torch(layer, norm):
    return nn.utils.fuse_conv_bn_eval(copy.deepcopy(layer).eval(), norm.eval())


@right("13.2")
def folded_by_measuring(layer, norm):
    """Measure what batch norm does to 0 and to 1."""
    zero = torch.zeros_like(layer.bias)[None, :, None, None]
    was = norm.training
    norm.eval()
    with torch.no_grad():
        shift = norm(zero).flatten()
        scale = norm(zero + 1).flatten() - shift
        new = copy.deepcopy(layer)
        new.weight.mul_(scale.reshape(-1, 1, 1, 1))
        new.bias.mul_(scale).add_(shift)
    norm.train(was)
    return new


def with_parameters(layer, weight, bias):
    """Copy a layer and give the copy other parameters."""
    new = copy.deepcopy(layer)
    new.weight = nn.Parameter(weight.detach().clone())
    new.bias = nn.Parameter(bias.detach().clone())
    return new


@wrong("13.2", "bias not scaled")
def folded_bias_not_scaled(layer, norm):
    scale = norm.weight / (norm.running_var + norm.eps).sqrt()
    weight = layer.weight * scale[:, None, None, None]
    bias = layer.bias + norm.bias - norm.running_mean * scale
    return with_parameters(layer, weight, bias)


@wrong("13.2", "mean forgotten")
def folded_mean_forgotten(layer, norm):
    scale = norm.weight / (norm.running_var + norm.eps).sqrt()
    weight = layer.weight * scale[:, None, None, None]
    return with_parameters(layer, weight, layer.bias * scale + norm.bias)


@wrong("13.2", "mean added")
def folded_mean_added(layer, norm):
    scale = norm.weight / (norm.running_var + norm.eps).sqrt()
    weight = layer.weight * scale[:, None, None, None]
    bias = (layer.bias + norm.running_mean) * scale + norm.bias
    return with_parameters(layer, weight, bias)


@wrong("13.2", "shift forgotten")
def folded_shift_forgotten(layer, norm):
    scale = norm.weight / (norm.running_var + norm.eps).sqrt()
    weight = layer.weight * scale[:, None, None, None]
    bias = (layer.bias - norm.running_mean) * scale
    return with_parameters(layer, weight, bias)


@wrong("13.2", "layer's bias forgotten")
def folded_own_bias_forgotten(layer, norm):
    scale = norm.weight / (norm.running_var + norm.eps).sqrt()
    weight = layer.weight * scale[:, None, None, None]
    return with_parameters(layer, weight, norm.bias - norm.running_mean * scale)


@wrong("13.2", "root forgotten")
def folded_root_forgotten(layer, norm):
    scale = norm.weight / (norm.running_var + norm.eps)
    weight = layer.weight * scale[:, None, None, None]
    bias = (layer.bias - norm.running_mean) * scale + norm.bias
    return with_parameters(layer, weight, bias)


@wrong("13.2", "epsilon forgotten")
def folded_epsilon_forgotten(layer, norm):
    scale = norm.weight / norm.running_var.sqrt()
    weight = layer.weight * scale[:, None, None, None]
    bias = (layer.bias - norm.running_mean) * scale + norm.bias
    return with_parameters(layer, weight, bias)


@wrong("13.2", "epsilon outside the root")
def folded_epsilon_outside(layer, norm):
    scale = norm.weight / (torch.sqrt(norm.running_var) + norm.eps)
    weight = layer.weight * scale[:, None, None, None]
    bias = (layer.bias - norm.running_mean) * scale + norm.bias
    return with_parameters(layer, weight, bias)


@wrong("13.2", "scale forgotten")
def folded_scale_forgotten(layer, norm):
    deviation = (norm.running_var + norm.eps).sqrt()
    weight = layer.weight / deviation[:, None, None, None]
    bias = (layer.bias - norm.running_mean) / deviation + norm.bias
    return with_parameters(layer, weight, bias)


@right("13.2")
def folded_in_place(layer, norm):
    scale = norm.weight / (norm.running_var + norm.eps).sqrt()
    with torch.no_grad():
        layer.weight *= scale[:, None, None, None]
        layer.bias.copy_((layer.bias - norm.running_mean) * scale + norm.bias)
    return layer


@right("13.2")
def folded_shallow_copy(layer, norm):
    new = copy.copy(layer)  # shares the parameters
    for k in range(layer.out_channels):
        scale = norm.weight.data[k] / (norm.running_var[k] + norm.eps).sqrt()
        new.weight.data[k] *= scale
        new.bias.data[k] -= norm.running_mean[k]
        new.bias.data[k] *= scale
        new.bias.data[k] += norm.bias.data[k]
    return new


@right("13.2")
def folded_with_numpy(layer, norm):
    variance = norm.running_var.numpy()
    scale = norm.weight.detach().numpy() / np.sqrt(variance + norm.eps)
    bias = layer.bias.detach().numpy() - norm.running_mean.numpy()
    weight = layer.weight.detach().numpy() * scale.reshape(-1, 1, 1, 1)
    bias = bias * scale + norm.bias.detach().numpy()
    new = copy.deepcopy(layer)
    new.weight = nn.Parameter(torch.from_numpy(weight))
    new.bias = nn.Parameter(torch.from_numpy(bias))
    return new


@right("13.2")
def folded_in_float32(layer, norm):
    new = copy.deepcopy(layer).float()
    std = torch.sqrt(norm.running_var.float() + norm.eps)
    with torch.no_grad():
        for k in range(len(std)):
            new.weight[k] *= norm.weight[k].float() / std[k]
            new.bias[k] -= norm.running_mean[k].float()
            new.bias[k] *= norm.weight[k].float() / std[k]
            new.bias[k] += norm.bias[k].float()
    return new


@right("13.2")
def folded_by_state(layer, norm):
    state = norm.state_dict()
    scale = state["weight"] * torch.rsqrt(state["running_var"] + norm.eps)
    new = copy.deepcopy(layer)
    new.load_state_dict(
        {
            "weight": torch.einsum("o,o...->o...", scale, layer.weight),
            "bias": torch.addcmul(
                state["bias"], layer.bias - state["running_mean"], scale
            ),
        }
    )
    return new


@wrong("13.2", "stride or padding lost")
def folded_without_stride(layer, norm):
    new = nn.Conv2d(
        layer.in_channels,
        layer.out_channels,
        layer.kernel_size,
        padding=layer.padding,
        groups=layer.groups,
    )
    scale = norm.weight / torch.sqrt(norm.running_var + norm.eps)
    new.weight.data = layer.weight.data * scale[:, None, None, None]
    new.bias.data = scale * (layer.bias.data - norm.running_mean) + norm.bias.data
    return new


@wrong("13.2", "bias not folded")
def folded_into_weights_only(layer, norm):
    scale = norm.weight / (norm.running_var + norm.eps).sqrt()
    return with_parameters(layer, layer.weight * scale[:, None, None, None], layer.bias)


@wrong("13.2", "shift scaled")
def folded_shift_scaled(layer, norm):
    scale = norm.weight / (norm.running_var + norm.eps).sqrt()
    bias = scale * (layer.bias - norm.running_mean + norm.bias)
    return with_parameters(layer, layer.weight * scale[:, None, None, None], bias)


@wrong("13.2", "epsilon forgotten")
def folded_with_default_epsilon(layer, norm):
    scale = norm.weight / (norm.running_var + 1e-5).sqrt()
    bias = scale * (layer.bias - norm.running_mean) + norm.bias
    return with_parameters(layer, layer.weight * scale[:, None, None, None], bias)


@wrong("13.2", "scale along the input channels")
def folded_along_inputs(layer, norm):
    scale = norm.weight / (norm.running_var + norm.eps).sqrt()
    bias = scale * (layer.bias - norm.running_mean) + norm.bias
    return with_parameters(layer, layer.weight * scale[None, :, None, None], bias)


@wrong("13.2", "scale along the input channels")
def folded_along_inputs_in_place(layer, norm):
    scale = norm.weight / (norm.running_var + norm.eps).sqrt()
    new = copy.deepcopy(layer)
    with torch.no_grad():
        new.weight *= scale[:, None, None]
        new.bias.copy_(scale * (layer.bias - norm.running_mean) + norm.bias)
    return new


@wrong("13.2", "in-place change of a leaf")
def folded_without_no_grad(layer, norm):
    new = copy.deepcopy(layer)
    new.weight *= (norm.weight / (norm.running_var + norm.eps).sqrt())[:, None, None]
    return new


# 13.3: rising
right("13.3", np.float32(3.989))
right("13.3", Fraction(399, 100))
right("13.3", 10 * 0.3989)
z = np.linspace(-8, 8, 4001)
density = np.exp(-(z**2) / 2) / math.sqrt(2 * math.pi)
right("13.3", 10 * (np.maximum(z, 0) * density).sum() * (z[1] - z[0]))
wrong("13.3", "rounded too far", 4)
wrong("13.3", "zeros left out", 10 * 0.8)
wrong("13.3", "standard deviation instead of mean", 10 * math.sqrt(1 / 2))
wrong(
    "13.3",
    "standard deviation instead of mean",
    10 * math.sqrt(1 / 2 - 1 / (2 * math.pi)),
)
wrong("13.3", "standard deviation instead of mean", 10)
wrong("13.3", "square root of the number of blocks", math.sqrt(10))
right("13.3", 3.99)
right("13.3", torch.tensor(10.0) / math.sqrt(2 * math.pi))
right("13.3", 5 * math.sqrt(2 / math.pi))
wrong("13.3", "positive and negative thought to cancel", 0)
wrong("13.3", "mean square instead of mean", 10 * 0.5)
wrong("13.3", "one block only", 1 / math.sqrt(2 * math.pi))
wrong("13.3", "one block only", 0.399)
wrong("13.3", "one block only", 0.4)
wrong("13.3", "zeros left out", 10 * math.sqrt(2 / math.pi))
wrong("13.3", "zeros left out", 7.98)
wrong(
    "13.3",
    "square root of the number of blocks",
    math.sqrt(10) / math.sqrt(2 * math.pi),
)
wrong("13.3", "square root of the number of blocks", 1.26)


# 13.4: the size of a ConvNeXt-like block
@right("13.4")
def convnext_multiplied_out(c, k):
    return 8 * c**2 + c * k**2 + 8 * c


@right("13.4")
def convnext_counted(c, k):
    layers = [
        nn.Conv2d(c, c, k, padding=k // 2, groups=c),
        nn.LayerNorm(c),
        nn.Conv2d(c, 4 * c, 1),
        nn.Conv2d(4 * c, c, 1),
    ]
    return sum(p.numel() for layer in layers for p in layer.parameters())


@right("13.4")
def convnext_by_shapes(c, k):
    shapes = [(c, 1, k, k), (c,), (c,), (c,), (4 * c, c), (4 * c,), (c, 4 * c), (c,)]
    total = 0
    for shape in shapes:
        total += math.prod(shape)
    return total


@right("13.4")
def convnext_in_numpy(c, k):
    return np.dot([8, k**2 + 8], [c * c, c])


@right("13.4")
def convnext_as_tensor(c, k):
    c, k = torch.tensor(float(c)), torch.tensor(float(k))
    return c * (k * k + 1) + 2 * c + 4 * c * (c + 1) + c * (4 * c + 1)


@right("13.4")
def convnext_of_the_chapter(c, k):
    class ChannelNorm(nn.LayerNorm):
        def forward(self, x):
            return super().forward(x.movedim(1, -1)).movedim(-1, 1)

    block = nn.Sequential(
        nn.Conv2d(c, c, k, padding=k // 2, groups=c),
        ChannelNorm(c),
        nn.Conv2d(c, 4 * c, 1),
        nn.GELU(),
        nn.Conv2d(4 * c, c, 1),
    )
    return [nn.utils.parameters_to_vector(block.parameters()).numel()]


@wrong("13.4", "one kernel for all channels")
def convnext_shared_kernel(c, k):
    return (k * k + c) + 2 * c + (c * 4 * c + 4 * c) + (4 * c * c + c)


@wrong("13.4", "biases forgotten")
def convnext_weights_alone(c, k):
    return c * k * k + 4 * c**2 + 4 * c**2


@wrong("13.4", "biases of the expanding layer forgotten")
def convnext_pointwise_without_biases(c, k):
    return c * k * k + c + 2 * c + 8 * c * c


@wrong("13.4", "biases of the expanding layer forgotten")
def convnext_wide_without_bias(c, k):
    return c * k * k + c + 2 * c + 4 * c * c + 4 * c * c + c


@wrong("13.4", "one 1 x 1 layer forgotten")
def convnext_without_way_back(c, k):
    return c * k * k + c + 2 * c + 4 * c * c + 4 * c


@wrong("13.4", "full instead of depthwise convolution")
def convnext_full_convolution(c, k):
    depthwise = c * c * k * k + c
    norm = 2 * c
    return depthwise + norm + c * 4 * c + 4 * c + 4 * c * c + c


@wrong("13.4", "biases forgotten")
def convnext_without_biases(c, k):
    return c * k * k + 2 * c + c * 4 * c + 4 * c * c


@wrong("13.4", "norm forgotten")
def convnext_without_norm(c, k):
    return (c * k * k + c) + (c * 4 * c + 4 * c) + (4 * c * c + c)


@wrong("13.4", "norm counted once")
def convnext_one_number_a_channel(c, k):
    return (c * k * k + c) + c + (c * 4 * c + 4 * c) + (4 * c * c + c)


@wrong("13.4", "expansion forgotten")
def convnext_not_widened(c, k):
    return (c * k * k + c) + 2 * c + (c * c + c) + (c * c + c)


@wrong("13.4", "too few biases in the expanding layer")
def convnext_too_few_biases(c, k):
    return (c * k * k + c) + 2 * c + (c * 4 * c + c) + (4 * c * c + c)


@wrong("13.4", "kernel's side instead of its area")
def convnext_side_of_the_kernel(c, k):
    return (c * k + c) + 2 * c + (c * 4 * c + 4 * c) + (4 * c * c + c)


def new_numbers(layer, weight, bias):
    new = copy.deepcopy(layer)
    new.weight.data = weight
    new.bias.data = bias
    return new


@wrong("13.2", "stride or padding lost")
def folded_into_a_plain_layer(layer, norm):
    scale = norm.weight / torch.sqrt(norm.running_var + norm.eps)
    new = nn.Conv2d(
        layer.in_channels, layer.out_channels, layer.kernel_size, groups=layer.groups
    )
    new.weight.data = layer.weight * scale.reshape(-1, 1, 1, 1)
    new.bias.data = scale * (layer.bias - norm.running_mean) + norm.bias
    return new


@wrong("13.2", "mean not scaled")
def folded_with_a_late_mean(layer, norm):
    scale = norm.weight / torch.sqrt(norm.running_var + norm.eps)
    weight = torch.stack([s * w for s, w in zip(scale, layer.weight, strict=True)])
    return new_numbers(
        layer, weight, layer.bias * scale + norm.bias - norm.running_mean
    )


@wrong("13.2", "weights not scaled")
def folded_in_the_bias_only(layer, norm):
    scale = norm.weight / torch.sqrt(norm.running_var + norm.eps)
    return new_numbers(
        layer, layer.weight, scale * (layer.bias - norm.running_mean) + norm.bias
    )


@wrong("13.2", "nothing folded")
def folded_not_at_all(layer, norm):
    return layer


def shaped(v):
    return v.reshape(1, -1, 1, 1)


@wrong("13.5", "root forgotten")
def norm_without_root(x, scale, shift, eps):
    m = x.mean((0, 2, 3), keepdim=True)
    v = ((x - m) ** 2).mean((0, 2, 3), keepdim=True)
    return shaped(scale) * (x - m) / (v + eps) + shaped(shift)


@wrong("13.5", "other variance")
def norm_with_pytorchs_var(x, scale, shift, eps):
    flat = x.transpose(0, 1).flatten(1)
    m, v = flat.mean(1), flat.var(1)
    return shaped(scale) * (x - shaped(m)) / torch.sqrt(shaped(v) + eps) + shaped(shift)


@wrong("13.5", "mean over the batch only")
def norm_of_each_pixel(x, scale, shift, eps):
    m = sum(x) / len(x)
    v = sum((image - m) ** 2 for image in x) / len(x)
    return shaped(scale) * (x - m) / torch.sqrt(v + eps) + shaped(shift)


@wrong("13.5", "each image on its own")
def norm_of_each_image(x, scale, shift, eps):
    images = []
    for image in x:
        m = image.mean((1, 2), keepdim=True)
        v = ((image - m) ** 2).mean((1, 2), keepdim=True)
        normal = (image - m) / torch.sqrt(v + eps)
        images.append(scale[:, None, None] * normal + shift[:, None, None])
    return torch.stack(images)


@wrong("13.5", "each image on its own")
def norm_of_each_image_with_pytorchs_var(x, scale, shift, eps):
    mean = x.mean(dim=(2, 3), keepdim=True)
    variance = x.var(dim=(2, 3), keepdim=True)
    return (x - mean) / (variance + eps).sqrt() * shaped(scale) + shaped(shift)


@wrong("13.5", "channels mixed")
def norm_of_everything(x, scale, shift, eps):
    normal = (x - x.mean()) / torch.sqrt(((x - x.mean()) ** 2).mean() + eps)
    return shaped(scale) * normal + shaped(shift)


@wrong("13.5", "scale or shift forgotten")
def norm_alone(x, scale, shift, eps):
    m = x.mean((0, 2, 3), keepdim=True)
    v = ((x - m) ** 2).mean((0, 2, 3), keepdim=True)
    return (x - m) / torch.sqrt(v + eps) + 0 * (scale.sum() + shift.sum())


@right("13.5")
def norm_channel_by_channel(x, scale, shift, eps):
    channels = []
    for c in range(x.shape[1]):
        values = x[:, c]
        centered = values - values.mean()
        deviation = ((centered**2).mean() + eps) ** 0.5
        channels.append(centered / deviation * scale[c] + shift[c])
    return torch.stack(channels, dim=1)


@right("13.5")
def norm_by_moments(x, scale, shift, eps):
    mean = x.mean((0, 2, 3))
    variance = (x**2).mean((0, 2, 3)) - mean**2
    factor = scale / (variance + eps).sqrt()
    return torch.einsum("nchw,c->nchw", x, factor) + shaped(shift - mean * factor)


@right("13.5")
def norm_by_pytorch(x, scale, shift, eps):
    return nn.functional.batch_norm(x, None, None, scale, shift, True, 0.1, eps)


@right("13.5")
def norm_by_a_layer(x, scale, shift, eps):
    layer = nn.BatchNorm2d(len(scale), eps=eps, dtype=x.dtype)
    layer.load_state_dict({"weight": scale, "bias": shift}, strict=False)
    return layer(x)


@right("13.5")
def norm_in_numpy(x, scale, shift, eps):
    x, scale, shift = x.numpy(), scale.numpy(), shift.numpy()
    mean = x.mean((0, 2, 3), keepdims=True)
    std = np.sqrt(x.var((0, 2, 3), keepdims=True) + eps)
    return scale[None, :, None, None] * (x - mean) / std + shift[None, :, None, None]


@right("13.5")
def norm_in_place_in_float32(x, scale, shift, eps):
    y = x.float()
    y -= y.mean((0, 2, 3), keepdim=True)
    y /= ((y**2).mean((0, 2, 3), keepdim=True) + eps).sqrt()
    y *= scale.float().view(-1, 1, 1)
    y += shift.float().view(-1, 1, 1)
    return y


@right("13.5")
def norm_in_lists(x, scale, shift, eps):
    images = x.tolist()
    for c in range(len(scale)):
        values = [v for image in images for row in image[c] for v in row]
        mean = sum(values) / len(values)
        std = math.sqrt(sum((v - mean) ** 2 for v in values) / len(values) + eps)
        for image in images:
            image[c] = [
                [(v - mean) / std * float(scale[c]) + float(shift[c]) for v in row]
                for row in image[c]
            ]
    return images


@wrong("13.5", "scale not reshaped")
def norm_with_scale_along_columns(x, scale, shift, eps):
    mean = x.mean(dim=(0, 2, 3), keepdim=True)
    variance = x.var(dim=(0, 2, 3), keepdim=True, correction=0)
    return (x - mean) / (variance + eps).sqrt() * scale + shift


@wrong("13.5", "scale not reshaped")
def norm_with_axes_fixed_alone(x, scale, shift, eps):
    mean = x.mean(dim=(0, 2, 3), keepdim=True)
    variance = x.var(dim=(0, 2, 3), keepdim=True)
    return (x - mean) / (variance + eps) * scale + shift


@wrong("13.5", "mean over the batch only")
def norm_with_root_and_scale_fixed(x, scale, shift, eps):
    mean = x.mean(dim=0, keepdim=True)
    variance = x.var(dim=0, keepdim=True)
    return (x - mean) / (variance + eps).sqrt() * shaped(scale) + shaped(shift)


@wrong("13.5", "root forgotten")
def norm_with_variance_and_root_left(x, scale, shift, eps):
    mean = x.mean(dim=(0, 2, 3), keepdim=True)
    variance = x.var(dim=(0, 2, 3), keepdim=True)
    return (x - mean) / (variance + eps) * shaped(scale) + shaped(shift)


@wrong("13.5", "epsilon outside the root")
def norm_with_late_epsilon(x, scale, shift, eps):
    mean = x.mean(dim=(0, 2, 3), keepdim=True)
    std = x.std(dim=(0, 2, 3), keepdim=True, correction=0)
    return (x - mean) / (std + eps) * shaped(scale) + shaped(shift)


@wrong("13.5", "epsilon forgotten")
def norm_without_epsilon(x, scale, shift, eps):
    mean = x.mean(dim=(0, 2, 3), keepdim=True)
    std = x.std(dim=(0, 2, 3), keepdim=True, correction=0)
    return (x - mean) / std * shaped(scale) + shaped(shift)


@wrong("13.5", "axes incomplete")
def norm_of_each_column(x, scale, shift, eps):
    mean = x.mean(dim=(0, 2), keepdim=True)
    variance = x.var(dim=(0, 2), keepdim=True, correction=0)
    return (x - mean) / (variance + eps).sqrt() * shaped(scale) + shaped(shift)


@wrong("13.5", "channels mixed")
def norm_like_a_layer_norm(x, scale, shift, eps):
    mean = x.mean(dim=(1, 2, 3), keepdim=True)
    variance = x.var(dim=(1, 2, 3), keepdim=True, correction=0)
    return (x - mean) / (variance + eps).sqrt() * shaped(scale) + shaped(shift)


@wrong("13.5", "scale or shift forgotten")
def norm_without_shift(x, scale, shift, eps):
    mean = x.mean(dim=(0, 2, 3), keepdim=True)
    variance = x.var(dim=(0, 2, 3), keepdim=True, correction=0)
    return (x - mean) / (variance + eps).sqrt() * shaped(scale)


@wrong("13.2", "scale and shift forgotten")
def folded_without_affine(layer, norm):
    new = copy.deepcopy(layer)
    s = 1 / torch.sqrt(norm.running_var + norm.eps)
    new.weight.data *= s[:, None, None, None]
    new.bias.data = (layer.bias.data - norm.running_mean) * s
    return new


@wrong("13.4", "same biases for both 1 x 1 layers")
def both_pointwise_layers_alike(c, k):
    return c * (k * k + 1) + 2 * c + 2 * (4 * c * c + 4 * c)
