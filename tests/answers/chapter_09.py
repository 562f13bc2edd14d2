"""Answers to chapter 9, "Go backward", as learners would hand them in."""

import numpy as np
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
wrong("9.1", "whole border row taken", [1, 3, 9])
wrong("9.1", "one axis only", [1, 2, 3])

# 9.2: the way back through average pooling


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


@wrong("9.2", "not shared out")
def whole_gradient_for_each(G, k):
    return G.repeat_interleave(k, dim=0).repeat_interleave(k, dim=1)


@wrong("9.2", "divided by the side")
def side_for_area(G, k):
    return G.repeat_interleave(k, dim=0).repeat_interleave(k, dim=1) / k


@wrong("9.2", "sent to one pixel")
def share_for_the_first(G, k):
    back = G.new_zeros(G.shape[0] * k, G.shape[1] * k)
    for i in range(G.shape[0]):
        for j in range(G.shape[1]):
            back[i * k, j * k] = G[i, j] / k**2
    return back


@wrong("9.2", "sent to one pixel")
def all_for_the_first(G, k):
    back = G.new_zeros(G.shape[0] * k, G.shape[1] * k)
    back[::k, ::k] = G
    return back


@wrong("9.2", "sent to one pixel")
def all_for_the_last(G, k):
    back = G.new_zeros(G.shape[0] * k, G.shape[1] * k)
    back[k - 1 :: k, k - 1 :: k] = G
    return back


@wrong("9.2", "divided by the gradient's size")
def divided_by_outputs(G, k):
    return G.repeat_interleave(k, dim=0).repeat_interleave(k, dim=1) / G.numel()


@wrong("9.2", "image tiled")
def gradient_tiled(G, k):
    return G.repeat(k, k) / k**2


@wrong("9.2", "image tiled")
def gradient_laid_side_by_side(G, k):
    row = torch.cat([G / k**2] * k, dim=1)
    return torch.cat([row] * k, dim=0)


@wrong("9.2", "return forgotten")
def shared_without_return(G, k):
    back = G.new_zeros(G.shape[0] * k, G.shape[1] * k)
    for i in range(G.shape[0]):
        for j in range(G.shape[1]):
            back[i * k : (i + 1) * k, j * k : (j + 1) * k] = G[i, j] / k**2


@wrong("9.2", "printed, not returned")
def shared_and_printed(G, k):
    print(G.repeat_interleave(k, dim=0).repeat_interleave(k, dim=1) / k**2)


@wrong("9.2", "uninitialized memory")
def shared_into_empty(G, k):
    rows, columns = G.shape
    back = torch.empty((rows * k, columns * k), dtype=G.dtype, device=G.device)
    for i in range(rows):
        for j in range(columns):
            back[i * k : (i + 1) * k, j * k : (j + 1) * k] += G[i, j] / k**2
    return back


@wrong("9.2", "always the same answer")
def a_gradient_of_my_own(G, k):
    G, k = torch.tensor([[1.0, 2.0], [3.0, 4.0]]), 2
    return G.repeat_interleave(k, dim=0).repeat_interleave(k, dim=1) / k**2


@wrong("9.2", "wrong sign")
def against_the_gradient(G, k):
    return -G.repeat_interleave(k, dim=0).repeat_interleave(k, dim=1) / k**2


@wrong("9.2", "output transposed")
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


@wrong("9.2", "argument changed")
def divided_in_place(G, k):
    G /= k**2
    return G.repeat_interleave(k, dim=0).repeat_interleave(k, dim=1)


@wrong("9.2", "dtype not kept")
def shared_in_float32(G, k):
    rows, columns = G.shape
    back = torch.zeros(rows * k, columns * k, device=G.device)
    for i in range(rows):
        for j in range(columns):
            back[i * k : (i + 1) * k, j * k : (j + 1) * k] = G[i, j] / k**2
    return back


@wrong("9.2", "device not kept")
def shared_on_cpu(G, k):
    rows, columns = G.shape
    back = torch.zeros(rows * k, columns * k, dtype=G.dtype)
    for i in range(rows):
        for j in range(columns):
            back[i * k : (i + 1) * k, j * k : (j + 1) * k] = G[i, j] / k**2
    return back


@wrong("9.2", "list instead of tensor")
def shared_as_lists(G, k):
    return [
        [G[i // k, j // k].item() / k**2 for j in range(G.shape[1] * k)]
        for i in range(G.shape[0] * k)
    ]


@wrong("9.2", "list instead of tensor")
def shared_as_list(G, k):
    back = G.repeat_interleave(k, dim=0).repeat_interleave(k, dim=1) / k**2
    return back.tolist()


# 9.3: the way back to the image


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
    framed = G.new_zeros(X.shape[0] + h - 1, X.shape[1] + w - 1)
    framed[h - 1 : h - 1 + G.shape[0], w - 1 : w - 1 + G.shape[1]] = G
    return conv.corr2d(framed, torch.rot90(K, 2))


@wrong("9.3", "frame one too wide")
def frame_of_the_kernels_size(X, K, G):
    h, w = K.shape
    framed = F.pad(G, (w, w, h, h))
    return conv.corr2d(framed, K.flip(0, 1))


@wrong("9.3", "flip forgotten")
def frame_fixed_only(X, K, G):
    h, w = K.shape
    framed = F.pad(G, (w - 1, w - 1, h - 1, h - 1))
    return conv.corr2d(framed, K)


@wrong("9.3", "flipped along one axis")
def flipped_down(X, K, G):
    h, w = K.shape
    framed = F.pad(G, (w - 1, w - 1, h - 1, h - 1))
    return conv.corr2d(framed, K.flip(0))


@wrong("9.3", "flipped along one axis")
def flipped_across(X, K, G):
    h, w = K.shape
    framed = F.pad(G, (w - 1, w - 1, h - 1, h - 1))
    return conv.corr2d(framed, K.flip(1))


@wrong("9.3", "flip taken for a transpose")
def transposed(X, K, G):
    h, w = K.shape
    framed = F.pad(G, (w - 1, w - 1, h - 1, h - 1))
    return conv.corr2d(framed, K.T)


@wrong("9.3", "flip taken for a transpose")
def transposed_in_its_own_frame(X, K, G):
    h, w = K.shape
    framed = F.pad(G, (h - 1, h - 1, w - 1, w - 1))
    return conv.corr2d(framed, K.T)


@wrong("9.3", "rows and columns mixed up")
def frame_still_rows_first(X, K, G):
    h, w = K.shape
    framed = F.pad(G, (h - 1, h - 1, w - 1, w - 1))
    return conv.corr2d(framed, K.flip(0, 1))


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
