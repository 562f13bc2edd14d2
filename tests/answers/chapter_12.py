"""Chapter 12: answers to its exercises, right and wrong."""

import copy

import numpy as np
import torch
import torch.nn.functional as F

from answers.kit import right, wrong

# 12.1: columns
right("12.1", (6, 21))
right("12.1", torch.tensor([6, 21]))
right("12.1", np.array([6.0, 21.0]))
right("12.1", [range(6, 22)[0], range(6, 22)[-1]])
right("12.1", torch.tensor([[6], [21]]))
right("12.1", (np.int64(6), np.float32(21)))
wrong("12.1", "padding forgotten", [8, 23])
wrong("12.1", "first layer forgotten", [8, 19])
wrong("12.1", "pooling layers only", [8, 11])
wrong("12.1", "two columns missing", [6, 19])
wrong("12.1", "two columns missing", [8, 21])
wrong("12.1", "too far to the right", [10, 25])
wrong("12.1", "counted from one", [7, 22])
wrong("12.1", "end excluded", [6, 22])
wrong("12.1", "stride of the second pooling layer forgotten", np.array([2, 15]))
wrong("12.1", "stride of the second pooling layer forgotten", [2, 17])
# 2 to 3, 2 to 7, 2 to 8, 2 to 12, and with padding 2: 0 to 10.
wrong("12.1", "strides of the pooling layers forgotten", [0, 10])
wrong("12.1", "strides of the pooling layers forgotten", [2, 12])
wrong("12.1", "wrong shape", list(range(6, 22)))


# 12.2: saliency
@right("12.2")
def saliency_by_backward(net, x, label):
    x = x.detach().clone()
    x.requires_grad_(True)
    score = net(x)[0, label]
    score.backward()
    return x.grad.squeeze(0).squeeze(0).abs()


@right("12.2")
def saliency_by_one_hot(net, x, label):
    x = x.clone().detach().requires_grad_()
    scores = net(x)
    chosen = torch.zeros_like(scores)
    chosen[:, label] = 1
    gradient = torch.autograd.grad(scores, x, grad_outputs=chosen)[0]
    height, width = x.shape[-2:]
    gradient = gradient.reshape(height, width)
    return torch.where(gradient < 0, -gradient, gradient)


@right("12.2")
def saliency_by_functional(net, x, label):
    def score(image):
        return net(image[None, None])[0, label]

    return torch.func.grad(score)(x[0, 0]).abs()


@wrong("12.2", "sign kept")
def saliency_signed(net, x, label):
    x = x.detach().clone().requires_grad_()
    net(x)[0, label].backward()
    return x.grad[0, 0]


@right("12.2")
def saliency_in_a_batch(net, x, label):
    x = x.detach().clone().requires_grad_()
    net(x)[0, label].backward()
    return x.grad.abs()


@right("12.2")
def saliency_with_channel(net, x, label):
    x.requires_grad_()
    net(x)[0][label].backward()
    return abs(x.grad[0])


@right("12.2")
def saliency_in_numpy(net, x, label):
    pixels = torch.from_numpy(x.numpy().copy()).requires_grad_()
    net(pixels).squeeze()[label].backward()
    return np.abs(pixels.grad.numpy().squeeze((0, 1)))


@right("12.2")
def saliency_by_central_differences(net, x, label):
    height, width = x.shape[-2:]
    rows, h = [], 1e-4
    with torch.no_grad():
        for i in range(height):
            row = []
            for j in range(width):
                step = torch.zeros_like(x)
                step[0, 0, i, j] = h
                rise = net(x + step)[0, label] - net(x - step)[0, label]
                row.append(abs(rise.item()) / (2 * h))
            rows.append(row)
    return rows


@right("12.2")
def saliency_in_float32(net, x, label):
    x = x.float().requires_grad_()
    score = net.float()(x)[0, label]
    return torch.autograd.grad(score, x)[0].abs().amax(dim=(0, 1))


@right("12.2")
def saliency_by_jacobian(net, x, label):
    jacobian = torch.autograd.functional.jacobian(net, x)
    return torch.sqrt(jacobian[0, label, 0, 0] ** 2)


@wrong("12.2", "None instead of a value")
def saliency_of_a_tensor_that_is_no_leaf(net, x, label):
    x = x.requires_grad_().clone()
    net(x)[0, label].backward()
    return x.grad.abs()[0, 0]


@wrong("12.2", "negative values cut off")
def saliency_positive(net, x, label):
    x = x.clone().requires_grad_()
    net(x)[0, label].backward()
    return torch.relu(x.grad[0, 0])


@wrong("12.2", "rescaled")
def saliency_up_to_one(net, x, label):
    x = x.clone().requires_grad_()
    net(x)[0, label].backward()
    out = x.grad[0, 0].abs()
    return out / out.max()


@wrong("12.2", "rescaled")
def saliency_shares(net, x, label):
    x = x.clone().requires_grad_()
    net(x)[0, label].backward()
    out = x.grad[0, 0].abs()
    return out / out.sum()


@wrong("12.2", "loss instead of score")
def saliency_of_log_probability(net, x, label):
    x = x.clone().requires_grad_()
    torch.log_softmax(net(x), dim=1)[0, label].backward()
    return x.grad


@wrong("12.2", "gradient times image")
def saliency_times_image_signed(net, x, label):
    x = x.clone().requires_grad_()
    net(x)[0, label].backward()
    return (x * x.grad)[0, 0].detach()


@wrong("12.2", "probability instead of score")
def saliency_of_the_probability(net, x, label):
    x = x.detach().clone().requires_grad_()
    probabilities = torch.softmax(net(x), dim=1)
    probabilities[0, label].backward()
    return x.grad[0, 0].abs()


@wrong("12.2", "all classes at once")
def saliency_of_all_classes(net, x, label):
    x = x.detach().clone().requires_grad_()
    net(x).sum().backward()
    return x.grad[0, 0].abs()


@wrong("12.2", "best class instead of the label")
def saliency_of_the_best(net, x, label):
    x = x.detach().clone().requires_grad_()
    scores = net(x)
    best = scores.argmax(dim=1)
    scores[0, best].backward()
    return x.grad[0, 0].abs()


@wrong("12.2", "gradient times image")
def saliency_times_image(net, x, label):
    x = x.detach().clone().requires_grad_()
    net(x)[0, label].backward()
    return (x.grad * x.detach())[0, 0].abs()


@wrong("12.2", "squared instead of absolute")
def saliency_squared(net, x, label):
    x = x.detach().clone().requires_grad_()
    net(x)[0, label].backward()
    return x.grad[0, 0] ** 2


# 12.3: the class map
@right("12.3")
def map_by_loops(A, weight, label):
    channels, height, width = A.shape
    out = torch.zeros_like(A[0])
    for c in range(channels):
        for i in range(height):
            for j in range(width):
                out[i, j] += weight[label, c] * A[c, i, j]
    return out / (height * width)


@right("12.3")
def map_by_einsum(A, weight, label):
    _, height, width = A.shape
    return torch.einsum("c,chw->hw", weight[label], A) / height / width


@right("12.3")
def map_by_gradient(A, weight, label):
    with torch.enable_grad():
        a = A.detach().clone().requires_grad_()
        score = weight[label] @ a.mean(dim=(1, 2))
        [gradient] = torch.autograd.grad(score, a)
    alpha = gradient.mean(dim=(1, 2))
    return torch.tensordot(alpha, A, dims=1)


@wrong("12.3", "Grad-CAM's scale forgotten")
def map_in_cams_scale(A, weight, label):
    out = 0
    for c in range(len(A)):
        out = out + weight[label, c] * A[c]
    return out


@wrong("12.3", "channels not summed")
def map_of_each_channel(A, weight, label):
    alpha = weight[label] / (A.shape[1] * A.shape[2])
    maps = [alpha[c] * A[c] for c in range(len(A))]
    return torch.stack(maps)


@wrong("12.3", "maximum taken too early")
def map_cut_off(A, weight, label):
    _, height, width = A.shape
    out = 0
    for c in range(len(A)):
        out = out + weight[label, c] / (height * width) * A[c]
    return out.relu()


@wrong("12.3", "channels averaged")
def map_averaged(A, weight, label):
    alpha = weight[label] / (A.shape[1] * A.shape[2])
    return (alpha[:, None, None] * A).mean(dim=0)


@wrong("12.3", "weights ignored")
def map_unweighted(A, weight, label):
    _, height, width = A.shape
    return A.sum(dim=0) / (height * width)


@wrong("12.3", "weights ignored")
def map_just_added(A, weight, label):
    out = torch.zeros_like(A[0])
    for feature_map in A:
        out += feature_map
    return out


@wrong("12.3", "all classes added")
def map_of_all_classes(A, weight, label):
    classes, channels = weight.shape
    out = torch.zeros_like(A[0])
    for k in range(classes):
        for c in range(channels):
            out += weight[k, c] * A[c]
    return out / A[0].numel()


EXAMPLE_MAPS = torch.arange(12.0).reshape(2, 2, 3)
EXAMPLE_WEIGHT = torch.tensor([[1.0, -1.0], [0.5, 2.0]])


@wrong("12.3", "same result for every input")
def map_of_the_example(A, weight, label):
    alpha = EXAMPLE_WEIGHT[1] / EXAMPLE_MAPS[0].numel()
    return (alpha[:, None, None] * EXAMPLE_MAPS).sum(dim=0)


@wrong("12.3", "all zeros")
def map_never_filled(A, weight, label):
    out = torch.zeros_like(A[0])
    for c in range(len(A)):
        out + weight[label, c] * A[c] / out.numel()
    return out


@wrong("12.3", "scaled by a constant")
def map_in_percent(A, weight, label):
    share = 100 / A[0].numel()
    return share * (weight[label][:, None, None] * A).sum(0)


@wrong("12.3", "shifted by a constant")
def map_added_to_ones(A, weight, label):
    out = torch.ones_like(A[0])
    for c in range(len(A)):
        out += weight[label, c] * A[c] / out.numel()
    return out


@wrong("12.3", "wrong sign")
def map_of_the_loss(A, weight, label):
    alpha = -weight[label] / A[0].numel()
    return torch.einsum("c,cij->ij", alpha, A)


@wrong("12.3", "transposed output")
def map_transposed(A, weight, label):
    _, height, width = A.shape
    return torch.einsum("c,cij->ji", weight[label], A) / (height * width)


@wrong("12.3", "loop over the wrong axis")
def map_loops_exchanged(A, weight, label):
    channels, height, width = A.shape
    out = A.new_zeros(height, width)
    for i in range(width):
        for j in range(height):
            for c in range(channels):
                out[i, j] += weight[label, c] * A[c, i, j]
    return out / (height * width)


@wrong("12.3", "rows and columns mixed up")
def map_height_squared(A, weight, label):
    height = A.shape[1]
    alpha = weight[label] / height**2
    return (alpha[:, None, None] * A).sum(dim=0)


@wrong("12.3", "nan in the result")
def map_in_empty_memory(A, weight, label):
    out = torch.empty_like(A[0])
    for c in range(len(A)):
        out += weight[label, c] * A[c] / out.numel()
    return out


@wrong("12.3", "one element too short")
def map_one_too_few(A, weight, label):
    channels, height, width = A.shape
    out = A.new_zeros(height - 1, width - 1)
    for i in range(height - 1):
        for j in range(width - 1):
            for c in range(channels):
                out[i, j] += weight[label, c] * A[c, i, j] / (height * width)
    return out


@wrong("12.3", "one element too long")
def map_one_too_many(A, weight, label):
    channels, height, width = A.shape
    out = A.new_zeros(height + 1, width + 1)
    for i in range(height):
        for j in range(width):
            for c in range(channels):
                out[i, j] += weight[label, c] * A[c, i, j] / (height * width)
    return out


@wrong("12.3", "missing return")
def map_without_return(A, weight, label):
    alpha = weight[label] / A[0].numel()
    (alpha[:, None, None] * A).sum(dim=0)


@wrong("12.3", "printed instead of returned")
def map_printed(A, weight, label):
    alpha = weight[label] / A[0].numel()
    print((alpha[:, None, None] * A).sum(dim=0))


@right("12.3")
def map_in_place(A, weight, label):
    for c in range(len(A)):
        A[c] *= weight[label, c] / A[c].numel()
    return A.sum(dim=0)


@right("12.3")
def map_weight_divided(A, weight, label):
    weight /= A[0].numel()
    return torch.einsum("c,cij->ij", weight[label], A)


@right("12.3")
def map_in_float32(A, weight, label):
    alpha = weight[label].float() / A[0].numel()
    return (alpha[:, None, None] * A.float()).sum(dim=0)


@right("12.3")
def map_on_the_cpu(A, weight, label):
    channels, height, width = A.shape
    out = torch.zeros(height, width, dtype=A.dtype)
    for i in range(height):
        for j in range(width):
            out[i, j] = sum(weight[label, c] * A[c, i, j] for c in range(channels))
    return out / (height * width)


@right("12.3")
def map_in_lists(A, weight, label):
    channels, height, width = A.shape
    rows = []
    for i in range(height):
        row = []
        for j in range(width):
            total = sum(float(weight[label, c] * A[c, i, j]) for c in range(channels))
            row.append(total / (height * width))
        rows.append(row)
    return rows


@right("12.3")
def map_in_numpy(A, weight, label):
    maps = A.numpy()
    return np.tensordot(weight[label].numpy(), maps, axes=1) / maps[0].size


@right("12.3")
def map_by_matrix_product(A, weight, label):
    channels, height, width = A.shape
    row = weight[label] @ A.reshape(channels, -1) / (height * width)
    return row.reshape(height, width)


@right("12.3")
def map_by_pointwise_convolution(A, weight, label):
    row = weight[label][None, :, None, None]
    return F.conv2d(A[None], row) / (A.shape[1] * A.shape[2])


@wrong("12.3", "factor applied twice")
def map_divided_twice(A, weight, label):
    pixels = A.shape[1] * A.shape[2]
    alpha = weight[label] / pixels
    return torch.einsum("c,cij->ij", alpha, A) / pixels


@wrong("12.3", "score instead of map")
def map_as_score(A, weight, label):
    return (weight[label] * A.mean(dim=(1, 2))).sum()


@wrong("12.3", "column instead of row")
def map_of_a_column(A, weight, label):
    alpha = weight[:, label] / A[0].numel()
    return torch.einsum("c,cij->ij", alpha, A)


@wrong("12.3", "column instead of row")
def map_of_a_column_in_cams_scale(A, weight, label):
    alpha = weight[:, label]
    return (alpha[:, None, None] * A).sum(dim=0)


@wrong("12.3", "maximum taken too early")
def map_cut_off_in_cams_scale(A, weight, label):
    return F.relu(torch.einsum("c,cij->ij", weight[label], A))


@wrong("12.3", "channels not summed")
def map_of_each_channel_in_cams_scale(A, weight, label):
    return weight[label][:, None, None] * A


@wrong("12.3", "channels averaged")
def map_averaged_in_cams_scale(A, weight, label):
    return (weight[label][:, None, None] * A).mean(0)


# 12.4: the occlusion map
@right("12.4")
def occlusion_put_back(score, x, size):
    rows, columns = x.shape[0] - size + 1, x.shape[1] - size + 1
    drop = x.new_zeros(rows, columns)
    whole = score(x)
    covered = x.clone()
    for i in range(rows):
        for j in range(columns):
            covered[i : i + size, j : j + size] = 0
            drop[i, j] = whole - score(covered)
            covered[:] = x
    return drop


@right("12.4")
def occlusion_by_masks(score, x, size):
    rows, columns = x.shape[0] - size + 1, x.shape[1] - size + 1

    def fall_at(i, j):
        mask = torch.ones_like(x)
        mask[i : i + size, j : j + size] = 0
        return torch.as_tensor(score(x) - score(x * mask), dtype=x.dtype)

    falls = [fall_at(i, j) for i in range(rows) for j in range(columns)]
    return torch.stack(falls).reshape(rows, columns)


@right("12.4")
def occlusion_restored(score, x, size):
    rows, columns = x.shape[0] - size + 1, x.shape[1] - size + 1
    drop = np.zeros((rows, columns))
    whole = float(score(x))
    for i in range(rows):
        for j in range(columns):
            hidden = x[i : i + size, j : j + size].clone()
            x[i : i + size, j : j + size] = 0
            drop[i, j] = whole - float(score(x))
            x[i : i + size, j : j + size] = hidden
    return drop


@right("12.4")
def occlusion_in_numpy(score, x, size):
    image = x.numpy()
    whole = score(image)
    falls = []
    for i in range(image.shape[0] - size + 1):
        falls.append([])
        for j in range(image.shape[1] - size + 1):
            covered = image.copy()
            covered[i : i + size, j : j + size] = 0
            falls[-1].append(float(whole - score(covered)))
    return falls


@right("12.4")
def occlusion_with_deepcopy(score, x, size):
    rows, columns = x.shape[0] - size + 1, x.shape[1] - size + 1
    drop = torch.zeros(rows, columns)
    for i in range(rows):
        for j in range(columns):
            covered = copy.deepcopy(x)
            covered[i : i + size, j : j + size] = 0
            drop[i, j] = score(x) - score(covered)
    return drop


@wrong("12.4", "sign dropped")
def occlusion_size_of_change(score, x, size):
    rows, columns = x.shape[0] - size + 1, x.shape[1] - size + 1
    drop = x.new_zeros(rows, columns)
    for i in range(rows):
        for j in range(columns):
            covered = x.clone()
            covered[i : i + size, j : j + size] = 0
            drop[i, j] = abs(score(covered) - score(x))
    return drop


@wrong("12.4", "square kept instead of covered")
def occlusion_of_the_rest(score, x, size):
    rows, columns = x.shape[0] - size + 1, x.shape[1] - size + 1
    drop = x.new_zeros(rows, columns)
    for i in range(rows):
        for j in range(columns):
            covered = torch.zeros_like(x)
            covered[i : i + size, j : j + size] = x[i : i + size, j : j + size]
            drop[i, j] = score(x) - score(covered)
    return drop


@wrong("12.4", "covered squares accumulate")
def occlusion_with_one_original_score(score, x, size):
    rows, columns = x.shape[0] - size + 1, x.shape[1] - size + 1
    drop, whole = x.new_zeros(rows, columns), score(x)
    for i in range(rows):
        for j in range(columns):
            covered = x
            covered[i : i + size, j : j + size] = 0
            drop[i, j] = score(covered) - whole
    return drop


@wrong("12.4", "two names for one image")
def occlusion_only_sign_fixed(score, x, size):
    rows, columns = x.shape[0] - size + 1, x.shape[1] - size + 1
    drop = x.new_zeros(rows, columns)
    for i in range(rows):
        for j in range(columns):
            covered = x
            covered[i : i + size, j : j + size] = 0
            drop[i, j] = score(x) - score(covered)
    return drop


@wrong("12.4", "two names for one image")
def occlusion_two_names_for_a_copy(score, x, size):
    x = x.clone()
    rows, columns = x.shape[0] - size + 1, x.shape[1] - size + 1
    drop = x.new_zeros(rows, columns)
    for i in range(rows):
        for j in range(columns):
            covered = x
            covered[i : i + size, j : j + size] = 0
            drop[i, j] = score(x) - score(covered)
    return drop


@wrong("12.4", "covered squares accumulate")
def occlusion_piled_up(score, x, size):
    rows, columns = x.shape[0] - size + 1, x.shape[1] - size + 1
    drop = x.new_zeros(rows, columns)
    covered = x.clone()
    for i in range(rows):
        for j in range(columns):
            covered[i : i + size, j : j + size] = 0
            drop[i, j] = score(x) - score(covered)
    return drop


@wrong("12.4", "covered squares accumulate")
def occlusion_piled_up_in_a_row(score, x, size):
    rows, columns = x.shape[0] - size + 1, x.shape[1] - size + 1
    drop = x.new_zeros(rows, columns)
    for i in range(rows):
        covered = x.clone()
        for j in range(columns):
            covered[i : i + size, j : j + size] = 0
            drop[i, j] = score(x) - score(covered)
    return drop


@wrong("12.4", "wrong sign")
def occlusion_negative(score, x, size):
    rows, columns = x.shape[0] - size + 1, x.shape[1] - size + 1
    drop = x.new_zeros(rows, columns)
    for i in range(rows):
        for j in range(columns):
            covered = x.clone()
            covered[i : i + size, j : j + size] = 0
            drop[i, j] = score(covered) - score(x)
    return drop


@wrong("12.4", "score instead of drop")
def occlusion_scores(score, x, size):
    rows, columns = x.shape[0] - size + 1, x.shape[1] - size + 1
    drop = x.new_zeros(rows, columns)
    for i in range(rows):
        for j in range(columns):
            covered = x.clone()
            covered[i : i + size, j : j + size] = 0
            drop[i, j] = score(covered)
    return drop


@wrong("12.2", "loss instead of score")
def saliency_of_loss(net, x, label):
    pixels = x.clone().requires_grad_()
    F.cross_entropy(net(pixels), torch.tensor([label])).backward()
    return pixels.grad[0, 0].abs()


@wrong("12.2", "sign kept")
def saliency_as_autograd_gives_it(net, x, label):
    x = x.clone().requires_grad_()
    net(x)[0, label].backward()
    return x.grad


wrong("12.1", "first pooling layer only", [2 * 2 - 2, 2 * 2 + 1 + 2])
