"""Answers to chapter 9, "Go backward", as learners would hand them in."""

from fractions import Fraction

import numpy as np
import scipy.signal
import torch
import torch.nn.functional as F

import conv
from answers.kit import right, wrong

# 9.1: in how many outputs a pixel takes part

right("9.1", (1, 2, 9))
right("9.1", torch.tensor([1.0, 2.0, 9.0]))
right("9.1", np.array([1, 2, 9]))
wrong("9.1", "every pixel alike", [9, 9, 9])
wrong("9.1", "padding assumed", [4, 6, 9])
wrong("9.1", "both axes thought to grow", [1, 4, 9])
wrong("9.1", "whole border alike", [1, 3, 9])
wrong("9.1", "one axis only", [1, 2, 3])
right("9.1", [1, 1 + 1, 3 * 3.0])
right("9.1", np.array([[1], [2], [9]], dtype=np.float32))
right("9.1", [torch.tensor(1), torch.tensor(2), torch.tensor(9)])
right("9.1", [Fraction(1), Fraction(2), Fraction(9)])
wrong("9.1", "neighbors counted", [3, 5, 8])
wrong("9.1", "windows thought not to overlap", [1, 1, 1])
wrong("9.1", "all outputs counted", [16, 16, 16])
wrong("9.1", "order changed", [9, 2, 1])
wrong("9.1", "order changed", (2, 1, 9))

# 9.2: the backward pass of average pooling


@right("9.2")
def shared_by_loops(G, k):
    rows, columns = G.shape
    back = G.new_zeros(rows * k, columns * k)
    for i in range(rows):
        for j in range(columns):
            back[i * k : (i + 1) * k, j * k : (j + 1) * k] = G[i, j] / (k * k)
    return back


@right("9.2")
def shared_by_kronecker(G, k):
    return torch.kron(G, G.new_full((k, k), 1 / k**2))


@right("9.2")
def shared_by_stamps(G, k):
    stamp = G.new_ones(1, 1, k, k) / k**2
    return conv.conv_transpose2d(G[None, None], stamp, stride=k)[0, 0]


@right("9.2")
def shared_by_expanding(G, k):
    rows, columns = G.shape
    shared = G[:, None, :, None] / (k * k)
    return shared.expand(rows, k, columns, k).reshape(rows * k, columns * k)


@right("9.2")
def shared_by_pixels(G, k):
    rows = []
    for i in range(G.shape[0] * k):
        row = [G[i // k, j // k] / k / k for j in range(G.shape[1] * k)]
        rows.append(torch.stack(row))
    return torch.stack(rows)


@right("9.2")
def shared_by_matrices(G, k):
    down = torch.eye(G.shape[0]).to(G).repeat_interleave(k, dim=0)
    across = torch.eye(G.shape[1]).to(G).repeat_interleave(k, dim=1)
    return down @ G @ across / k**2


@wrong("9.2", "not divided")
def whole_gradient_for_each(G, k):
    return G.repeat_interleave(k, dim=0).repeat_interleave(k, dim=1)


@wrong("9.2", "divided by the side")
def side_for_area(G, k):
    return G.repeat_interleave(k, dim=0).repeat_interleave(k, dim=1) / k


@wrong("9.2", "one pixel only")
def share_for_the_first(G, k):
    back = G.new_zeros(G.shape[0] * k, G.shape[1] * k)
    for i in range(G.shape[0]):
        for j in range(G.shape[1]):
            back[i * k, j * k] = G[i, j] / k**2
    return back


@wrong("9.2", "one pixel only")
def all_for_the_first(G, k):
    back = G.new_zeros(G.shape[0] * k, G.shape[1] * k)
    back[::k, ::k] = G
    return back


@wrong("9.2", "one pixel only")
def all_for_the_last(G, k):
    back = G.new_zeros(G.shape[0] * k, G.shape[1] * k)
    back[k - 1 :: k, k - 1 :: k] = G
    return back


@wrong("9.2", "divided by another size")
def divided_by_outputs(G, k):
    return G.repeat_interleave(k, dim=0).repeat_interleave(k, dim=1) / G.numel()


@wrong("9.2", "gradient tiled")
def gradient_tiled(G, k):
    return G.repeat(k, k) / k**2


@wrong("9.2", "gradient tiled")
def gradient_laid_side_by_side(G, k):
    row = torch.cat([G / k**2] * k, dim=1)
    return torch.cat([row] * k, dim=0)


@wrong("9.2", "missing return")
def shared_without_return(G, k):
    back = G.new_zeros(G.shape[0] * k, G.shape[1] * k)
    for i in range(G.shape[0]):
        for j in range(G.shape[1]):
            back[i * k : (i + 1) * k, j * k : (j + 1) * k] = G[i, j] / k**2


@wrong("9.2", "printed instead of returned")
def shared_and_printed(G, k):
    print(G.repeat_interleave(k, dim=0).repeat_interleave(k, dim=1) / k**2)


@wrong("9.2", "nan in the result")
def shared_into_empty(G, k):
    rows, columns = G.shape
    back = torch.empty((rows * k, columns * k), dtype=G.dtype, device=G.device)
    for i in range(rows):
        for j in range(columns):
            back[i * k : (i + 1) * k, j * k : (j + 1) * k] += G[i, j] / k**2
    return back


@wrong("9.2", "same result for every input")
def a_gradient_of_my_own(G, k):
    G, k = torch.tensor([[1.0, 2.0], [3.0, 4.0]]), 2
    return G.repeat_interleave(k, dim=0).repeat_interleave(k, dim=1) / k**2


@wrong("9.2", "wrong sign")
def against_the_gradient(G, k):
    return -G.repeat_interleave(k, dim=0).repeat_interleave(k, dim=1) / k**2


@wrong("9.2", "transposed output")
def shared_transposed(G, k):
    rows, columns = G.shape
    back = G.new_zeros(columns * k, rows * k)
    for i in range(rows):
        for j in range(columns):
            back[j * k : (j + 1) * k, i * k : (i + 1) * k] = G[i, j] / k**2
    return back


@wrong("9.2", "loop over the wrong axis")
def shared_with_exchanged_loops(G, k):
    rows, columns = G.shape
    back = G.new_zeros(rows * k, columns * k)
    for i in range(columns):
        for j in range(rows):
            back[i * k : (i + 1) * k, j * k : (j + 1) * k] = G[i, j] / k**2
    return back


@wrong("9.2", "rows and columns mixed up")
def shared_to_width_by_height(G, k):
    rows, columns = G.shape
    shared = G[:, None, :, None] / (k * k)
    return shared.expand(rows, k, columns, k).reshape(columns * k, rows * k)


@wrong("9.2", "loop over the wrong axis")
def shared_in_a_square(G, k):
    back = G.new_zeros(len(G) * k, len(G) * k)
    for i in range(len(G)):
        for j in range(len(G)):
            back[i * k : (i + 1) * k, j * k : (j + 1) * k] = G[i, j] / k**2
    return back


@wrong("9.2", "scaled by a constant")
def shared_twice(G, k):
    return 2 * G.repeat_interleave(k, dim=0).repeat_interleave(k, dim=1) / k**2


@wrong("9.2", "shifted by a constant")
def shared_onto_ones(G, k):
    rows, columns = G.shape
    back = G.new_ones(rows * k, columns * k)
    for i in range(rows):
        for j in range(columns):
            back[i * k : (i + 1) * k, j * k : (j + 1) * k] += G[i, j] / k**2
    return back


@right("9.2")
def divided_in_place(G, k):
    G /= k**2
    return G.repeat_interleave(k, dim=0).repeat_interleave(k, dim=1)


@right("9.2")
def shared_in_float32(G, k):
    rows, columns = G.shape
    back = torch.zeros(rows * k, columns * k, device=G.device)
    for i in range(rows):
        for j in range(columns):
            back[i * k : (i + 1) * k, j * k : (j + 1) * k] = G[i, j] / k**2
    return back


@right("9.2")
def shared_on_cpu(G, k):
    rows, columns = G.shape
    back = torch.zeros(rows * k, columns * k, dtype=G.dtype)
    for i in range(rows):
        for j in range(columns):
            back[i * k : (i + 1) * k, j * k : (j + 1) * k] = G[i, j] / k**2
    return back


@right("9.2")
def shared_as_lists(G, k):
    return [
        [G[i // k, j // k].item() / k**2 for j in range(G.shape[1] * k)]
        for i in range(G.shape[0] * k)
    ]


@right("9.2")
def shared_as_list(G, k):
    back = G.repeat_interleave(k, dim=0).repeat_interleave(k, dim=1) / k**2
    return back.tolist()


@right("9.2")
def shared_by_numpy(G, k):
    return np.kron(np.asarray(G), np.full((k, k), 1 / k**2))


@right("9.2")
def shared_by_numpys_repeat(G, k):
    array = np.array(G.tolist(), dtype=np.float32) / k**2
    return array.repeat(k, axis=0).repeat(k, axis=1)


@right("9.2")
def shared_by_einsum(G, k):
    share = torch.full((k, k), 1 / k**2, dtype=G.dtype)
    blocks = torch.einsum("ij,ab->iajb", G, share)
    return blocks.reshape(G.shape[0] * k, -1)


@right("9.2")
def shared_by_upsampling(G, k):
    return F.interpolate(G[None, None], scale_factor=k) / (k * k)


@right("9.2")
def shared_in_place(G, k):
    back = torch.zeros(len(G) * k, len(G[0]) * k)
    for i in range(k):
        for j in range(k):
            back[i::k, j::k] += G
    back /= k**2
    return back


@right("9.2")
def shared_without_recording(G, k):
    with torch.no_grad():
        return torch.kron(G.detach(), torch.ones(k, k)) / k**2


@wrong("9.2", "wrong method")
def shared_by_autograd(G, k):
    X = torch.zeros(G.shape[0] * k, G.shape[1] * k, dtype=G.dtype)
    X.requires_grad = True
    F.avg_pool2d(X[None], k)[0].backward(G)
    return X.grad


def autograds_answer(G, k):
    rows, columns = G.shape
    X = torch.zeros(1, rows * k, columns * k, dtype=G.dtype, requires_grad=True)
    return torch.autograd.grad(F.avg_pool2d(X, k), X, G[None])[0][0]


@wrong("9.2", "wrong method")
def shared_by_a_helper(G, k):
    return autograds_answer(G, k)


@wrong("9.2", "multiplied instead of divided")
def multiplied_by_area(G, k):
    return torch.kron(G, G.new_full((k, k), k * k))


@wrong("9.2", "divided by another size")
def divided_by_pixels(G, k):
    back = G.repeat_interleave(k, dim=0).repeat_interleave(k, dim=1)
    return back / back.numel()


@wrong("9.2", "one pixel only")
def all_for_the_center(G, k):
    back = np.zeros((G.shape[0] * k, G.shape[1] * k))
    back[k // 2 :: k, k // 2 :: k] = G
    return back


@wrong("9.2", "one axis only")
def shared_down(G, k):
    return G.repeat_interleave(k, dim=0) / k**2


@wrong("9.2", "one axis only")
def shared_across(G, k):
    return np.repeat(G.numpy(), k, axis=1) / k


@wrong("9.2", "gradient tiled")
def kronecker_product_exchanged(G, k):
    return torch.kron(torch.ones(k, k), G)


@wrong("9.2", "repeated along rows only")
def shared_in_row_order(G, k):
    flat = G.flatten().repeat_interleave(k * k) / k**2
    return flat.reshape(G.shape[0] * k, G.shape[1] * k)


@wrong("9.2", "interpolated")
def shared_smoothly(G, k):
    up = torch.nn.Upsample(scale_factor=k, mode="bilinear")
    return up(G[None, None])[0, 0] / k**2


# 9.3: the gradient with respect to the image


@right("9.3")
def back_by_numpy(X, K, G):
    (h, w), (rows, columns) = K.shape, G.shape
    K, G = K.numpy(), G.numpy()
    back = np.zeros(X.shape)
    for a in range(h):
        for b in range(w):
            back[a : a + rows, b : b + columns] += K[a, b] * G
    return back


@right("9.3")
def back_by_lists(X, K, G):
    (H, W), (h, w) = X.shape, K.shape
    K, G = K.tolist(), G.tolist()
    back = [[0.0] * W for _ in range(H)]
    for i, row in enumerate(G):
        for j, number in enumerate(row):
            for a in range(h):
                for b in range(w):
                    back[i + a][j + b] += number * K[a][b]
    return back


@right("9.3")
def back_by_scipy(X, K, G):
    return scipy.signal.convolve2d(G, K)


@right("9.3")
def back_by_torchs_padding(X, K, G):
    h, w = K.shape
    turned = K.float().flip([-2, -1])[None, None]
    return F.conv2d(G.float()[None, None], turned, padding=(h - 1, w - 1))


@right("9.3")
def back_by_autograd(X, K, G):
    X = X.clone().requires_grad_()
    conv.corr2d(X, K).backward(G)
    return X.grad


@wrong("9.3", "padding too wide")
def frame_too_wide_and_exchanged(X, K, G):
    h, w = K.shape
    return conv.corr2d(F.pad(G, (h, h, w, w)), torch.rot90(K, 2))


@wrong("9.3", "padding on one side")
def frame_above_and_left(X, K, G):
    h, w = K.shape
    return conv.corr2d(F.pad(G, (w - 1, 0, h - 1, 0)), K.flip(0, 1))


@wrong("9.3", "padding on one side")
def frame_below_and_right(X, K, G):
    h, w = K.shape
    return conv.corr2d(F.pad(G, (0, w - 1, 0, h - 1)), K)


@wrong("9.3", "half of the kernel as padding")
def frame_of_half_a_kernel(X, K, G):
    h, w = K.shape
    return conv.corr2d(F.pad(G, (w // 2, w // 2, h // 2, h // 2)), K.flip(0, 1))


@wrong("9.3", "rotated by 90 degrees")
def turned_by_a_quarter(X, K, G):
    h, w = K.shape
    return conv.corr2d(F.pad(G, (w - 1, w - 1, h - 1, h - 1)), torch.rot90(K))


@right("9.3")
def back_by_torch(X, K, G):
    return F.conv_transpose2d(G[None, None], K[None, None])[0, 0]


@right("9.3")
def back_by_stamps(X, K, G):
    h, w = K.shape
    back = G.new_zeros(X.shape)
    for i in range(G.shape[0]):
        for j in range(G.shape[1]):
            back[i : i + h, j : j + w] += G[i, j] * K
    return back


@right("9.3")
def back_by_taps(X, K, G):
    h, w = K.shape
    back = 0
    for i in range(h):
        for j in range(w):
            frame = (j, w - 1 - j, i, h - 1 - i)
            back = back + K[i, j] * F.pad(G, frame)
    return back


@right("9.3")
def back_in_a_hand_made_frame(X, K, G):
    h, w = K.shape
    padded = G.new_zeros(X.shape[0] + h - 1, X.shape[1] + w - 1)
    padded[h - 1 : h - 1 + G.shape[0], w - 1 : w - 1 + G.shape[1]] = G
    return conv.corr2d(padded, torch.rot90(K, 2))


@wrong("9.3", "padding too wide")
def frame_of_the_kernels_size(X, K, G):
    h, w = K.shape
    padded = F.pad(G, (w, w, h, h))
    return conv.corr2d(padded, K.flip(0, 1))


@wrong("9.3", "flip forgotten")
def frame_fixed_only(X, K, G):
    h, w = K.shape
    padded = F.pad(G, (w - 1, w - 1, h - 1, h - 1))
    return conv.corr2d(padded, K)


@wrong("9.3", "flipped along one axis")
def flipped_down(X, K, G):
    h, w = K.shape
    padded = F.pad(G, (w - 1, w - 1, h - 1, h - 1))
    return conv.corr2d(padded, K.flip(0))


@wrong("9.3", "flipped along one axis")
def flipped_across(X, K, G):
    h, w = K.shape
    padded = F.pad(G, (w - 1, w - 1, h - 1, h - 1))
    return conv.corr2d(padded, K.flip(1))


@wrong("9.3", "flip taken for a transpose")
def transposed(X, K, G):
    h, w = K.shape
    padded = F.pad(G, (w - 1, w - 1, h - 1, h - 1))
    return conv.corr2d(padded, K.T)


@wrong("9.3", "flip taken for a transpose")
def transposed_in_its_own_frame(X, K, G):
    h, w = K.shape
    padded = F.pad(G, (h - 1, h - 1, w - 1, w - 1))
    return conv.corr2d(padded, K.T)


@wrong("9.3", "rows and columns mixed up")
def frame_still_rows_first(X, K, G):
    h, w = K.shape
    padded = F.pad(G, (h - 1, h - 1, w - 1, w - 1))
    return conv.corr2d(padded, K.flip(0, 1))


# 9.4: one step for the kernel


@right("9.4")
def step_by_taps(X, K, Y, lr):
    error = conv.corr2d(X, K) - Y
    rows, columns = Y.shape
    new = K.clone()
    for a in range(K.shape[0]):
        for b in range(K.shape[1]):
            slope = (2 * error * X[a : a + rows, b : b + columns]).mean()
            new[a, b] = K[a, b] - lr * slope
    return new


@right("9.4")
def step_by_pixels(X, K, Y, lr):
    h, w = K.shape
    gradient = torch.zeros_like(K)
    for i in range(Y.shape[0]):
        for j in range(Y.shape[1]):
            window = X[i : i + h, j : j + w]
            gradient += 2 * ((window * K).sum() - Y[i, j]) * window
    return K - lr * gradient / (Y.shape[0] * Y.shape[1])


@right("9.4")
def step_by_windows(X, K, Y, lr):
    windows = X.unfold(0, K.shape[0], 1).unfold(1, K.shape[1], 1)
    error = torch.einsum("ijab,ab->ij", windows, K) - Y
    return K - lr * 2 * torch.einsum("ijab,ij->ab", windows, error) / error.numel()


@right("9.4")
def step_by_torch(X, K, Y, lr):
    X4, K4 = X[None, None], K[None, None]
    G = (F.conv2d(X4, K4) - Y) * (2 / Y.numel())
    return K - lr * F.conv2d(X4, G)[0, 0]


@wrong("9.4", "uphill")
def step_uphill(X, K, Y, lr):
    G = 2 * (conv.corr2d(X, K) - Y) / Y.numel()
    return K + lr * conv.corr2d(X, G)


@wrong("9.4", "uphill")
def step_with_error_turned(X, K, Y, lr):
    G = 2 * (Y - conv.corr2d(X, K)) / Y.numel()
    return K - lr * conv.corr2d(X, G)


@wrong("9.4", "sum instead of mean")
def step_of_the_sum(X, K, Y, lr):
    G = 2 * (conv.corr2d(X, K) - Y)
    return K - lr * conv.corr2d(X, G)


@wrong("9.4", "2 forgotten")
def step_without_two(X, K, Y, lr):
    G = (conv.corr2d(X, K) - Y) / Y.numel()
    return K - lr * conv.corr2d(X, G)


@wrong("9.4", "divided by the image's size")
def step_by_pixel_count(X, K, Y, lr):
    G = 2 * (conv.corr2d(X, K) - Y) / X.numel()
    return K - lr * conv.corr2d(X, G)


@wrong("9.4", "divided by the kernel's size")
def step_by_weight_count(X, K, Y, lr):
    gradient = conv.corr2d(X, 2 * (conv.corr2d(X, K) - Y))
    return K - lr * gradient / K.numel()


@wrong("9.4", "divided by the kernel's size")
def step_by_mean_of_gradient(X, K, Y, lr):
    h, w = K.shape
    gradient = conv.corr2d(X, 2 * (conv.corr2d(X, K) - Y)) / (h * w)
    return K - lr * gradient


@wrong("9.4", "kernel's gradient flipped")
def step_turned(X, K, Y, lr):
    G = 2 * (conv.corr2d(X, K) - Y) / Y.numel()
    return K - lr * conv.corr2d(X, G).flip(0, 1)


@wrong("9.4", "kernel's gradient flipped")
def step_with_everything_turned(X, K, Y, lr):
    G = 2 * (conv.corr2d(X, K) - Y) / Y.numel()
    return K - lr * conv.corr2d(X.flip(0, 1), G.flip(0, 1))


@wrong("9.4", "gradient alone")
def gradient_only(X, K, Y, lr):
    G = 2 * (conv.corr2d(X, K) - Y) / Y.numel()
    return conv.corr2d(X, G)


@wrong("9.4", "gradient alone")
def step_only(X, K, Y, lr):
    G = 2 * (conv.corr2d(X, K) - Y) / Y.numel()
    return lr * conv.corr2d(X, G)


@wrong("9.4", "gradient alone")
def step_only_downhill(X, K, Y, lr):
    G = 2 * (conv.corr2d(X, K) - Y) / Y.numel()
    return -lr * conv.corr2d(X, G)


@wrong("9.4", "learning rate forgotten")
def step_without_rate(X, K, Y, lr):
    error = conv.corr2d(X, K) - Y
    return K - conv.corr2d(X, 2 * error / error.numel())


@wrong("9.4", "target forgotten")
def step_without_target(X, K, Y, lr):
    output = conv.corr2d(X, K)
    return K - lr * conv.corr2d(X, 2 * output / Y.numel())


@right("9.4")
def step_by_numpy(X, K, Y, lr):
    X, K, Y = (np.asarray(part) for part in (X, K, Y))
    windows = np.lib.stride_tricks.sliding_window_view(X, K.shape)
    error = np.tensordot(windows, K) - Y
    return K - lr * 2 * np.einsum("ij,ijab->ab", error, windows) / error.size


@right("9.4")
def step_in_place(X, K, Y, lr):
    E = conv.corr2d(X, K).sub_(Y)
    E *= 2 / E.numel()
    K -= lr * conv.corr2d(X, E)
    return K


@right("9.4")
def step_by_scipy(X, K, Y, lr):
    error = scipy.signal.correlate2d(X, K, mode="valid") - Y.numpy()
    return K - lr * scipy.signal.correlate2d(X, 2 * error, mode="valid") / error.size


@right("9.4")
def step_in_lists(X, K, Y, lr):
    (rows, columns), (h, w) = Y.shape, K.shape
    X, K, Y = X.tolist(), K.tolist(), Y.tolist()
    new = [row[:] for row in K]
    for i in range(rows):
        for j in range(columns):
            taps = [(a, b) for a in range(h) for b in range(w)]
            error = sum(X[i + a][j + b] * K[a][b] for a, b in taps) - Y[i][j]
            for a, b in taps:
                new[a][b] -= lr * 2 * error * X[i + a][j + b] / (rows * columns)
    return new


@right("9.4")
@torch.no_grad()
def step_in_float32(X, K, Y, lr):
    X, K, Y = X.float(), K.float(), Y.float()
    error = conv.corr2d(X, K) - Y
    windows = F.unfold(X[None, None], K.shape)[0]  # (h * w, outputs)
    gradient = 2 * windows @ error.flatten() / error.numel()
    return K - lr * gradient.reshape(K.shape)


@right("9.4")
def step_by_torchs_formula(X, K, Y, lr):
    X4, Y4 = X[None, None], Y[None, None]
    G = 2 * (F.conv2d(X4, K[None, None]) - Y4) / Y.numel()
    return K - lr * torch.nn.grad.conv2d_weight(X4, (1, 1, *K.shape), G)[0, 0]


@wrong("9.4", "wrong method")
def step_by_autograd(X, K, Y, lr):
    K = K.clone().requires_grad_()
    F.mse_loss(conv.corr2d(X, K), Y).backward()
    return (K - lr * K.grad).detach()


@wrong("9.4", "kernel unchanged")
def step_into_nowhere(X, K, Y, lr):
    G = 2 * (conv.corr2d(X, K) - Y) / Y.numel()
    K - lr * conv.corr2d(X, G)
    return K


@wrong("9.4", "half the sum")
def step_without_two_and_mean(X, K, Y, lr):
    return K - lr * conv.corr2d(X, conv.corr2d(X, K) - Y)


@wrong("9.4", "divided by one side")
def step_by_len(X, K, Y, lr):
    G = 2 * (conv.corr2d(X, K) - Y) / len(Y)
    return K - lr * conv.corr2d(X, G)


@wrong("9.4", "divided by one side")
def step_by_width(X, K, Y, lr):
    G = 2 * (conv.corr2d(X, K) - Y) / Y.shape[1]
    return K - lr * conv.corr2d(X, G)


@wrong("9.4", "absolute error")
def step_by_sign(X, K, Y, lr):
    G = torch.sign(conv.corr2d(X, K) - Y) / Y.numel()
    return K - lr * conv.corr2d(X, G)


@wrong("9.4", "true convolution")
def step_of_convolution(X, K, Y, lr):
    error = scipy.signal.convolve2d(X, K, mode="valid") - Y.numpy()
    G = torch.from_numpy(2 * error / error.size)
    return K - lr * conv.corr2d(X, G).flip(0, 1)


@wrong("9.4", "true convolution")
def step_of_convolved_output(X, K, Y, lr):
    error = conv.corr2d(X, K.flip(0, 1)) - Y
    return K - lr * conv.corr2d(X, 2 * error / error.numel())
