"""What learners might hand in for chapter 1, written without the checker at hand."""

import numpy as np
import torch
import torch.nn.functional as F

import conv
from answers.kit import right, wrong

# 1.1 ---------------------------------------------------------------------------------

wrong("1.1", "one position forgotten", (473, 637))
wrong("1.1", "one position forgotten", [480 - 7, 640 - 3])
wrong("1.1", "padding assumed", (480, 640))
wrong("1.1", "height and width swapped", (480 - 3 + 1, 640 - 7 + 1))
wrong("1.1", "height and width swapped", (480 - 3, 640 - 7))
wrong("1.1", "border added", (480 + 7 - 1, 640 + 3 - 1))
wrong("1.1", "border added", (480 + 7, 640 + 3))
wrong("1.1", "one added", (475, 639))
wrong("1.1", "wrong order", (638, 474))
wrong("1.1", "kernel's shape", (7, 3))
wrong("1.1", "border counted once", (480 - 7 // 2, 640 - 3 // 2))
right("1.1", torch.tensor([474, 638]))
right("1.1", [474, 638])
right("1.1", np.array([474, 638]))
right("1.1", (474.0, 638.0))
right("1.1", torch.Size([474, 638]))
right("1.1", (np.int64(474), np.float32(638)))
right("1.1", [[474, 638]])
right("1.1", F.conv2d(torch.ones(1, 1, 480, 640), torch.ones(1, 1, 7, 3)).shape[2:])
right("1.1", conv.corr2d(torch.ones(480, 640), torch.ones(7, 3)).shape)


# 1.2 ---------------------------------------------------------------------------------


def single_one(row, column):
    """Create a 3 x 3 kernel with a single 1."""
    kernel = torch.zeros(3, 3)
    kernel[row, column] = 1
    return kernel


wrong("1.2", "kernel flipped", torch.tensor([[0.0, 0, 0], [1, 0, 0], [0, 0, 0]]))
wrong("1.2", "kernel flipped", single_one(1, 2).flip(0, 1))
wrong("1.2", "image not shifted", single_one(1, 1))
wrong("1.2", "shifted vertically", single_one(2, 1))
wrong("1.2", "shifted vertically", single_one(0, 1))
wrong("1.2", "shifted diagonally", single_one(0, 2))
wrong("1.2", "shifted diagonally", single_one(2, 0).tolist())
wrong("1.2", "difference of pixels", single_one(1, 2) - single_one(1, 1))
wrong("1.2", "difference of pixels", single_one(1, 0) - single_one(1, 2))
wrong("1.2", "wrong sign", -single_one(1, 2))
wrong("1.2", "several pixels", single_one(1, 1) + single_one(1, 2))
wrong("1.2", "several pixels", torch.tensor([[0.0, 0, 1]] * 3))
right("1.2", single_one(1, 2))
right("1.2", [[0, 0, 0], [0, 0, 1], [0, 0, 0]])
right("1.2", torch.tensor([[0, 0, 0], [0, 0, 1], [0, 0, 0]]))
right("1.2", np.outer([0, 1, 0], [0, 0, 1]))
right("1.2", torch.eye(9)[5].reshape(3, 3))
right("1.2", [torch.zeros(3), torch.tensor([0, 0, 1]), np.zeros(3)])
right("1.2", single_one(1, 2)[None, None])  # as F.conv2d wants it


# 1.3 ---------------------------------------------------------------------------------


@right("1.3")
def taps_in_place(x, k):
    n = len(x) - len(k) + 1
    y = torch.zeros(n, dtype=x.dtype, device=x.device)
    for a in range(len(k)):
        y += x[a : a + n] * k[a]
    return y


@right("1.3")
def sum_of_copies(x, k):
    n = x.shape[0] - k.shape[0] + 1
    return sum(k[a] * x[a : n + a] for a in range(k.shape[0]))


@right("1.3")
def windows_times_kernel(x, k):
    return x.unfold(0, len(k), 1) @ k


@right("1.3")
def one_window_after_the_other(x, k):
    h = len(k)
    sums = []
    for i in range(len(x) - h + 1):
        sums.append((x[i : i + h] * k).sum())
    return torch.stack(sums)


@wrong("1.3", "wrong method")
def by_conv1d(x, k):
    return F.conv1d(x[None, None], k[None, None])[0, 0]


@right("1.3")
def by_corr2d(x, k):
    return conv.corr2d(x.reshape(1, -1), k.reshape(1, -1)).flatten()


@right("1.3")
def by_a_banded_matrix(x, k):
    rows = len(x) - len(k) + 1
    matrix = torch.stack([F.pad(k, (i, rows - 1 - i)) for i in range(rows)])
    return matrix @ x


@right("1.3")
def in_numpy(x, k):
    x, k = x.numpy(), k.numpy()
    n = len(x) - len(k) + 1
    y = np.zeros(n)
    for a in range(len(k)):
        y += k[a] * x[a : a + n]
    return y


@right("1.3")
def by_numpys_windows(x, k):
    windows = np.lib.stride_tricks.sliding_window_view(x.numpy(), len(k))
    return windows.dot(k.numpy())


@right("1.3")
def by_einsum(x, k):
    return torch.einsum("ia,a->i", x.unfold(0, len(k), 1), k)


@right("1.3")
def by_an_index_matrix(x, k):
    n = len(x) - len(k) + 1
    index = torch.arange(n)[:, None] + torch.arange(len(k))
    return (x[index] * k).sum(dim=1)


@right("1.3")
def as_a_column(x, k):
    return x.unfold(0, len(k), 1) @ k[:, None]


@right("1.3")
def in_float32(x, k):
    n = len(x) - len(k) + 1
    y = torch.zeros(n)
    for a, weight in enumerate(k.float()):
        y[:] += weight * x.float()[a : a + n]
    return y


@wrong("1.3", "wrong method")
def by_numpys_correlate(x, k):
    return np.correlate(x.numpy(), k.numpy())


@wrong("1.3", "wrong method")
def by_a_helper(x, k):
    return conv1d_in_disguise(x.flip(0), k).flip(0)


def conv1d_in_disguise(x, k):
    """Call a library function out of sight."""
    return torch.from_numpy(np.convolve(x.numpy(), k.numpy(), "valid"))


@wrong("1.3", "full convolution")
def numpys_convolve(x, k):
    return np.convolve(x.numpy(), k.numpy())


@wrong("1.3", "kernel flipped")
def numpys_convolve_where_it_fits(x, k):
    return np.convolve(x.numpy(), k.numpy(), "valid")


@wrong("1.3", "taps not shifted")
def same_slice_for_all_taps(x, k):
    n = len(x) - len(k) + 1
    y = x.new_zeros(n)
    for a in range(len(k)):
        y = y + k[a] * x[:n]
    return y


@wrong("1.3", "windows don't overlap")
def window_jumps(x, k):
    return torch.stack(
        [(x[i : i + len(k)] * k).sum() for i in range(0, len(x) - len(k) + 1, len(k))]
    )


@wrong("1.3", "last window forgotten")
def last_output_never_written(x, k):
    y = x.new_zeros(len(x) - len(k) + 1)
    for i in range(len(x) - len(k)):
        y[i] = (x[i : i + len(k)] * k).sum()
    return y


@wrong("1.3", "kernel flipped")
def turned_round(x, k):
    n = len(x) - len(k) + 1
    y = x.new_zeros(n)
    for a in range(len(k)):
        y = y + k[-1 - a] * x[a : a + n]
    return y


@wrong("1.3", "kernel flipped")
def index_of_the_formula_for_convolution(x, k):
    m = len(k)
    y = []
    for i in range(m - 1, len(x)):
        total = 0
        for a in range(m):
            total = total + x[i - a] * k[a]
        y.append(total)
    return torch.stack(y)


@wrong("1.3", "sum overwritten")
def each_tap_replaces(x, k):
    n = len(x) - len(k) + 1
    y = x.new_zeros(n)
    for a in range(len(k)):
        y = k[a] * x[a : a + n]
    return y


@wrong("1.3", "sum overwritten")
def each_tap_replaces_in_place(x, k):
    n = len(x) - len(k) + 1
    y = x.new_zeros(n)
    for i in range(n):
        for a in range(len(k)):
            y[i] = x[i + a] * k[a]
    return y


@wrong("1.3", "one tap only")
def first_tap_alone(x, k):
    n = len(x) - len(k) + 1
    return x[:n] * k[0]


@wrong("1.3", "one tap only")
def returns_within_the_loop(x, k):
    n = len(x) - len(k) + 1
    y = x.new_zeros(n)
    for a in range(len(k)):
        y = y + k[a] * x[a : a + n]
        return y


@wrong("1.3", "mean instead of sum")
def mean_of_each_window(x, k):
    h = len(k)
    return torch.stack([(x[i : i + h] * k).mean() for i in range(len(x) - h + 1)])


@wrong("1.3", "mean instead of sum")
def divided_by_the_taps(x, k):
    n = len(x) - len(k) + 1
    y = x.new_zeros(n)
    for a, weight in enumerate(k):
        y = y + weight * x[a : a + n]
    return y / len(k)


@wrong("1.3", "last window forgotten")
def without_plus_one(x, k):
    n = len(x) - len(k)
    y = x.new_zeros(n)
    for a in range(len(k)):
        y = y + k[a] * x[a : a + n]
    return y


@wrong("1.3", "last window forgotten")
def windows_without_plus_one(x, k):
    y = []
    for i in range(len(x) - len(k)):
        y.append(x[i : i + len(k)] @ k)
    return torch.stack(y) if y else x.new_zeros(0)


@wrong("1.3", "padding at the end")
def as_long_as_the_signal(x, k):
    y = torch.zeros_like(x)
    for i in range(len(x)):
        for a in range(len(k)):
            if i + a < len(x):
                y[i] = y[i] + x[i + a] * k[a]
    return y


@wrong("1.3", "padding at the end")
def zeros_behind(x, k):
    padded = torch.cat([x, x.new_zeros(len(k) - 1)])
    return sum(k[a] * padded[a : a + len(x)] for a in range(len(k)))


@wrong("1.3", "padding on both sides")
def as_numpy_has_it_by_same(x, k):
    left = len(k) // 2
    padded = F.pad(x, (left, len(k) - 1 - left))
    return padded.unfold(0, len(k), 1) @ k


@wrong("1.3", "padding on both sides")
def as_pytorch_has_it_by_same(x, k):
    return F.conv1d(x[None, None], k[None, None], padding="same")[0, 0]


@wrong("1.3", "padding on both sides")
def full_correlation(x, k):
    m = len(k) - 1
    return F.conv1d(x[None, None], k[None, None], padding=m)[0, 0]


@wrong("1.3", "missing return")
def no_return(x, k):
    n = len(x) - len(k) + 1
    y = x.new_zeros(n)
    for a in range(len(k)):
        y = y + k[a] * x[a : a + n]


@wrong("1.3", "printed instead of returned")
def prints(x, k):
    n = len(x) - len(k) + 1
    y = x.new_zeros(n)
    for a in range(len(k)):
        y = y + k[a] * x[a : a + n]
    print(y)


@wrong("1.3", "nan in the result")
def adds_to_empty(x, k):
    n = len(x) - len(k) + 1
    y = torch.empty(n, dtype=x.dtype, device=x.device)
    for a in range(len(k)):
        y += k[a] * x[a : a + n]
    return y


@wrong("1.3", "same result for every input")
def examples_of_its_own(x, k):
    x = torch.tensor([1.0, 2, 3, 4, 5])
    k = torch.tensor([1.0, 2])
    return x.unfold(0, 2, 1) @ k


@wrong("1.3", "wrong sign")
def subtracts(x, k):
    n = len(x) - len(k) + 1
    y = x.new_zeros(n)
    for a in range(len(k)):
        y -= k[a] * x[a : a + n]
    return y


@wrong("1.3", "one element too long")
def last_window_hangs_over(x, k):
    y = []
    for i in range(len(x) - len(k) + 2):
        window = x[i : i + len(k)]
        y.append((window * k[: len(window)]).sum())
    return torch.stack(y)


@wrong("1.3", "scaled by a constant")
def each_tap_added_twice(x, k):
    n = len(x) - len(k) + 1
    y = x.new_zeros(n)
    for a in range(len(k)):
        y = y + k[a] * x[a : a + n]
        y = y + k[a] * x[a : a + n]
    return y


@wrong("1.3", "shifted by a constant")
def begins_with_ones(x, k):
    n = len(x) - len(k) + 1
    y = x.new_ones(n)
    for a in range(len(k)):
        y = y + k[a] * x[a : a + n]
    return y


@right("1.3")
def writes_into_the_signal(x, k):
    n = len(x) - len(k) + 1
    for i in range(n):
        x[i] = (x[i : i + len(k)] * k).sum()
    return x[:n]


@wrong("1.3", "argument changed")
def multiplies_windows_in_place(x, k):
    y = []
    for i in range(len(x) - len(k) + 1):
        window = x[i : i + len(k)]
        window *= k
        y.append(window.sum())
    return torch.stack(y)


@right("1.3")
def zeros_of_float32(x, k):
    n = len(x) - len(k) + 1
    y = torch.zeros(n)
    for i in range(n):
        for a in range(len(k)):
            y[i] += x[i + a] * k[a]
    return y


@right("1.3")
def made_float(x, k):
    return x.float().unfold(0, len(k), 1) @ k.float()


@right("1.3")
def zeros_on_the_cpu(x, k):
    n = len(x) - len(k) + 1
    y = torch.zeros(n, dtype=x.dtype)
    for a in range(len(k)):
        y += x[a : a + n] * k[a]
    return y


@right("1.3")
def numbers_out_of_tensors(x, k):
    y = x.new_zeros(len(x) - len(k) + 1)
    for i in range(len(y)):
        total = 0.0
        for a in range(len(k)):
            total += x[i + a].item() * k[a].item()
        y[i] = total
    return y


@right("1.3")
def detached(x, k):
    n = len(x) - len(k) + 1
    y = x.new_zeros(n)
    for a in range(len(k)):
        y += x[a : a + n].detach() * k[a].detach()
    return y


@right("1.3")
def list_of_numbers(x, k):
    x, k = x.tolist(), k.tolist()
    return [
        sum(x[i + a] * k[a] for a in range(len(k))) for i in range(len(x) - len(k) + 1)
    ]


@right("1.3")
def list_of_tensors(x, k):
    y = []
    for i in range(len(x) - len(k) + 1):
        y.append((x[i : i + len(k)] * k).sum())
    return y


@wrong("1.3", "infinite recursion")
def calls_itself(x, k):
    return calls_itself(x, k)


@wrong("1.3", "wrong arguments")
def signal_only(x):
    return x[:-1] + x[1:]


@wrong("1.3", "wrong arguments")
def wants_a_length(x, k, n):
    return sum(k[a] * x[a : a + n] for a in range(len(k)))


@wrong("1.3", "undefined name")
def misspelt(x, k):
    n = len(x) - len(k) + 1
    y = x.new_zeros(n)
    for a in range(len(k)):
        y = y + wieght * x[a : a + n]  # noqa: F821
    return y


@wrong("1.3", "error raised")
def weights_for_indices(x, k):
    n = len(x) - len(k) + 1
    y = x.new_zeros(n)
    for a in k:
        y = y + k[a] * x[a : a + n]
    return y


@wrong("1.3", "error raised")
def runs_over_the_end(x, k):
    y = x.new_zeros(len(x))
    for i in range(len(x)):
        for a in range(len(k)):
            y[i] = y[i] + x[i + a] * k[a]
    return y


wrong("1.3", "result instead of function", torch.tensor([2.0, 5.0, 8.0]))


# 1.4 ---------------------------------------------------------------------------------


@right("1.4")
def fixed_with_dtype_and_device(X, K):
    h, w = K.shape
    rows, columns = X.shape[0] - h + 1, X.shape[1] - w + 1
    Y = torch.zeros(rows, columns, dtype=X.dtype, device=X.device)
    for i in range(rows):
        for j in range(columns):
            Y[i, j] = (X[i : i + h, j : j + w] * K).sum()
    return Y


@right("1.4")
def stacked_rows(X, K):
    h, w = K.shape
    return torch.stack(
        [
            torch.stack(
                [
                    torch.sum(X[i : i + h, j : j + w] * K)
                    for j in range(X.shape[1] - w + 1)
                ]
            )
            for i in range(X.shape[0] - h + 1)
        ]
    )


@right("1.4")
def by_taps(X, K):
    h, w = K.shape
    H, W = X.shape
    Y = 0
    for a in range(h):
        for b in range(w):
            Y = Y + K[a, b] * X[a : H - h + 1 + a, b : W - w + 1 + b]
    return Y


@right("1.4")
def by_conv2d(X, K):
    return F.conv2d(X[None, None], K[None, None])[0, 0]


@right("1.4")
def by_two_unfolds(X, K):
    h, w = K.shape
    return torch.einsum("ijab,ab->ij", X.unfold(0, h, 1).unfold(1, w, 1), K)


@right("1.4")
def by_columns_of_windows(X, K):
    h, w = K.shape
    windows = F.unfold(X[None, None], (h, w))[0]
    return (K.reshape(1, -1) @ windows).reshape(X.shape[0] - h + 1, -1)


@right("1.4")
def the_libraries(X, K):
    return conv.corr2d(X, K)


@right("1.4")
def matrix_product_of_windows(X, K):
    h, w = K.shape
    windows = X.unfold(0, h, 1).unfold(1, w, 1)  # (H - h + 1, W - w + 1, h, w)
    return windows.flatten(2) @ K.flatten()


@right("1.4")
def numpy_turned_into_a_tensor(X, K):
    windows = np.lib.stride_tricks.sliding_window_view(X.numpy(), tuple(K.shape))
    return torch.from_numpy((windows * K.numpy()).sum(axis=(2, 3)))


@right("1.4")
def four_loops_in_place(X, K):
    (H, W), (h, w) = X.shape, K.shape
    Y = torch.zeros((H - h + 1, W - w + 1), dtype=X.dtype)
    for i in range(H - h + 1):
        for j in range(W - w + 1):
            for a in range(h):
                for b in range(w):
                    Y[i][j] += X[i + a][j + b] * K[a][b]
    return Y


@wrong("1.4", "dtype not preserved")
def always_in_float64(X, K):
    (H, W), (h, w) = X.shape, K.shape
    Y = torch.zeros((H - h + 1, W - w + 1), dtype=torch.float64)
    for i in range(H - h + 1):
        for j in range(W - w + 1):
            for a in range(h):
                for b in range(w):
                    Y[i][j] += X[i + a][j + b] * K[a][b]
    return Y


@wrong("1.4", "last window forgotten")
def only_dtype_fixed(X, K):
    h, w = K.shape
    Y = X.new_zeros(X.shape[0] - h, X.shape[1] - w)
    for i in range(Y.shape[1]):
        for j in range(Y.shape[0]):
            Y[i, j] = (X[i : i + h, j : j + w] * K).mean()
    return Y


@wrong("1.4", "last window forgotten")
def only_sum_fixed(X, K):
    h, w = K.shape
    Y = torch.zeros(X.shape[0] - h, X.shape[1] - w)
    for i in range(Y.shape[1]):
        for j in range(Y.shape[0]):
            Y[i, j] = (X[i : i + h, j : j + w] * K).sum()
    return Y


@wrong("1.4", "mean instead of sum")
def only_shape_fixed(X, K):
    h, w = K.shape
    Y = torch.zeros(X.shape[0] - h + 1, X.shape[1] - w + 1)
    for i in range(Y.shape[1]):
        for j in range(Y.shape[0]):
            Y[i, j] = (X[i : i + h, j : j + w] * K).mean()
    return Y


@wrong("1.4", "list instead of tensor")
def array_of_numpy(X, K):
    windows = np.lib.stride_tricks.sliding_window_view(X.numpy(), tuple(K.shape))
    return np.einsum("ijab,ab->ij", windows, K.numpy())


@wrong("1.4", "last window forgotten")
def shape_not_fixed(X, K):
    h, w = K.shape
    Y = X.new_zeros(X.shape[0] - h, X.shape[1] - w)
    for i in range(Y.shape[0]):
        for j in range(Y.shape[1]):
            Y[i, j] = (X[i : i + h, j : j + w] * K).sum()
    return Y


@wrong("1.4", "last window forgotten")
def only_loops_and_sum_fixed(X, K):
    h, w = K.shape
    Y = torch.zeros(X.shape[0] - h, X.shape[1] - w)
    for i in range(Y.shape[0]):
        for j in range(Y.shape[1]):
            Y[i, j] = (X[i : i + h, j : j + w] * K).sum()
    return Y


@wrong("1.4", "last window forgotten")
def only_loops_fixed(X, K):
    h, w = K.shape
    Y = torch.zeros(X.shape[0] - h, X.shape[1] - w)
    for i in range(Y.shape[0]):
        for j in range(Y.shape[1]):
            Y[i, j] = (X[i : i + h, j : j + w] * K).mean()
    return Y


@wrong("1.4", "mean instead of sum")
def mean_not_fixed(X, K):
    h, w = K.shape
    Y = X.new_zeros(X.shape[0] - h + 1, X.shape[1] - w + 1)
    for i in range(Y.shape[0]):
        for j in range(Y.shape[1]):
            Y[i, j] = (X[i : i + h, j : j + w] * K).mean()
    return Y


@wrong("1.4", "mean instead of sum")
def mean_and_zeros_not_fixed(X, K):
    h, w = K.shape
    Y = torch.zeros(X.shape[0] - h + 1, X.shape[1] - w + 1)
    for i in range(Y.shape[0]):
        for j in range(Y.shape[1]):
            Y[i, j] = (X[i : i + h, j : j + w] * K).mean()
    return Y


@wrong("1.4", "kernel flipped")
def kernel_turned_round(X, K):
    h, w = K.shape
    K = K.flip(0, 1)
    Y = X.new_zeros(X.shape[0] - h + 1, X.shape[1] - w + 1)
    for i in range(Y.shape[0]):
        for j in range(Y.shape[1]):
            Y[i, j] = (X[i : i + h, j : j + w] * K).sum()
    return Y


@wrong("1.4", "kernel flipped")
def indices_run_backwards(X, K):
    h, w = K.shape
    Y = X.new_zeros(X.shape[0] - h + 1, X.shape[1] - w + 1)
    for i in range(Y.shape[0]):
        for j in range(Y.shape[1]):
            for a in range(h):
                for b in range(w):
                    Y[i, j] += X[i + h - 1 - a, j + w - 1 - b] * K[a, b]
    return Y


@wrong("1.4", "loop over the wrong axis")
def loops_not_fixed(X, K):
    h, w = K.shape
    Y = X.new_zeros(X.shape[0] - h + 1, X.shape[1] - w + 1)
    for i in range(Y.shape[1]):
        for j in range(Y.shape[0]):
            Y[i, j] = (X[i : i + h, j : j + w] * K).sum()
    return Y


@wrong("1.4", "loop over the wrong axis")
def one_loop_fixed(X, K):
    h, w = K.shape
    Y = X.new_zeros(X.shape[0] - h + 1, X.shape[1] - w + 1)
    for i in range(Y.shape[0]):
        for j in range(Y.shape[0]):
            Y[i, j] = (X[i : i + h, j : j + w] * K).sum()
    return Y


@wrong("1.4", "rows and columns mixed up")
def width_is_the_height(X, K):
    h, w = K.shape
    n = X.shape[0]
    Y = X.new_zeros(n - h + 1, n - w + 1)
    for i in range(Y.shape[0]):
        for j in range(Y.shape[1]):
            Y[i, j] = (X[i : i + h, j : j + w] * K).sum()
    return Y


@wrong("1.4", "rows and columns mixed up")
def window_lies_on_its_side(X, K):
    h, w = K.shape
    Y = X.new_zeros(X.shape[0] - h + 1, X.shape[1] - w + 1)
    for i in range(Y.shape[0]):
        for j in range(Y.shape[1]):
            Y[i, j] = (X[i : i + w, j : j + h] * K).sum()
    return Y


@wrong("1.4", "rows and columns mixed up")
def width_first(X, K):
    w, h = K.shape
    Y = X.new_zeros(X.shape[0] - h + 1, X.shape[1] - w + 1)
    for i in range(Y.shape[0]):
        for j in range(Y.shape[1]):
            Y[i, j] = (X[i : i + h, j : j + w] * K).sum()
    return Y


@wrong("1.4", "transposed output")
def indices_exchanged(X, K):
    h, w = K.shape
    Y = X.new_zeros(X.shape[1] - w + 1, X.shape[0] - h + 1)
    for i in range(Y.shape[1]):
        for j in range(Y.shape[0]):
            Y[j, i] = (X[i : i + h, j : j + w] * K).sum()
    return Y


@wrong("1.4", "transposed output")
def columns_before_rows(X, K):
    h, w = K.shape
    columns = []
    for j in range(X.shape[1] - w + 1):
        column = []
        for i in range(X.shape[0] - h + 1):
            column.append((X[i : i + h, j : j + w] * K).sum())
        columns.append(torch.stack(column))
    return torch.stack(columns)


@wrong("1.4", "one element too short")
def columns_not_fixed(X, K):
    h, w = K.shape
    Y = X.new_zeros(X.shape[0] - h + 1, X.shape[1] - w)
    for i in range(Y.shape[0]):
        for j in range(Y.shape[1]):
            Y[i, j] = (X[i : i + h, j : j + w] * K).sum()
    return Y


@wrong("1.4", "one element too long")
def windows_hang_over(X, K):
    h, w = K.shape
    Y = X.new_zeros(X.shape[0] - h + 2, X.shape[1] - w + 2)
    for i in range(Y.shape[0]):
        for j in range(Y.shape[1]):
            window = X[i : i + h, j : j + w]
            Y[i, j] = (window * K[: window.shape[0], : window.shape[1]]).sum()
    return Y


@wrong("1.4", "wrong sign")
def subtracts_products(X, K):
    h, w = K.shape
    Y = X.new_zeros(X.shape[0] - h + 1, X.shape[1] - w + 1)
    for i in range(Y.shape[0]):
        for j in range(Y.shape[1]):
            Y[i, j] -= (X[i : i + h, j : j + w] * K).sum()
    return Y


@wrong("1.4", "shifted by a constant")
def ones_for_zeros(X, K):
    h, w = K.shape
    Y = X.new_ones(X.shape[0] - h + 1, X.shape[1] - w + 1)
    for i in range(Y.shape[0]):
        for j in range(Y.shape[1]):
            Y[i, j] += (X[i : i + h, j : j + w] * K).sum()
    return Y


@wrong("1.4", "scaled by a constant")
def sum_halved(X, K):
    h, w = K.shape
    Y = X.new_zeros(X.shape[0] - h + 1, X.shape[1] - w + 1)
    for i in range(Y.shape[0]):
        for j in range(Y.shape[1]):
            Y[i, j] = (X[i : i + h, j : j + w] * K).sum() / 2
    return Y


@wrong("1.4", "missing return")
def fixed_without_return(X, K):
    h, w = K.shape
    Y = X.new_zeros(X.shape[0] - h + 1, X.shape[1] - w + 1)
    for i in range(Y.shape[0]):
        for j in range(Y.shape[1]):
            Y[i, j] = (X[i : i + h, j : j + w] * K).sum()


@wrong("1.4", "printed instead of returned")
def fixed_and_printed(X, K):
    h, w = K.shape
    Y = X.new_zeros(X.shape[0] - h + 1, X.shape[1] - w + 1)
    for i in range(Y.shape[0]):
        for j in range(Y.shape[1]):
            Y[i, j] = (X[i : i + h, j : j + w] * K).sum()
    print(Y)


@wrong("1.4", "nan in the result")
def empty_and_last_row_left_out(X, K):
    h, w = K.shape
    rows, columns = X.shape[0] - h + 1, X.shape[1] - w + 1
    Y = torch.empty(rows, columns, dtype=X.dtype, device=X.device)
    for i in range(X.shape[0] - h):
        for j in range(X.shape[1] - w):
            Y[i, j] = (X[i : i + h, j : j + w] * K).sum()
    return Y


@wrong("1.4", "nan in the result")
def products_added_to_empty(X, K):
    h, w = K.shape
    Y = X.new_empty(X.shape[0] - h + 1, X.shape[1] - w + 1)
    for i in range(Y.shape[0]):
        for j in range(Y.shape[1]):
            Y[i, j] += (X[i : i + h, j : j + w] * K).sum()
    return Y


@wrong("1.4", "same result for every input")
def tried_on_the_chapters_image(X, K):
    X = torch.arange(9.0).reshape(3, 3)
    K = torch.arange(4.0).reshape(2, 2)
    Y = torch.zeros(2, 2)
    for i in range(2):
        for j in range(2):
            Y[i, j] = (X[i : i + 2, j : j + 2] * K).sum()
    return Y


@right("1.4")
def writes_into_the_image(X, K):
    h, w = K.shape
    rows, columns = X.shape[0] - h + 1, X.shape[1] - w + 1
    for i in range(rows):
        for j in range(columns):
            X[i, j] = (X[i : i + h, j : j + w] * K).sum()
    return X[:rows, :columns]


@wrong("1.4", "argument changed")
def window_multiplied_in_place(X, K):
    h, w = K.shape
    Y = X.new_zeros(X.shape[0] - h + 1, X.shape[1] - w + 1)
    for i in range(Y.shape[0]):
        for j in range(Y.shape[1]):
            window = X[i : i + h, j : j + w]
            window *= K
            Y[i, j] = window.sum()
    return Y


@wrong("1.4", "dtype not preserved")
def zeros_as_they_were(X, K):
    h, w = K.shape
    Y = torch.zeros(X.shape[0] - h + 1, X.shape[1] - w + 1)
    for i in range(Y.shape[0]):
        for j in range(Y.shape[1]):
            Y[i, j] = (X[i : i + h, j : j + w] * K).sum()
    return Y


@wrong("1.4", "dtype not preserved")
def the_chapters_own(X, K):
    h, w = K.shape
    rows, columns = X.shape[0] - h + 1, X.shape[1] - w + 1
    Y = torch.zeros(rows, columns, device=X.device)
    for i in range(rows):
        for j in range(columns):
            Y[i, j] = (X[i : i + h, j : j + w] * K).sum()
    return Y


@right("1.4")
def zeros_with_a_dtype(X, K):
    h, w = K.shape
    Y = torch.zeros(X.shape[0] - h + 1, X.shape[1] - w + 1, dtype=X.dtype)
    for i in range(Y.shape[0]):
        for j in range(Y.shape[1]):
            Y[i, j] = (X[i : i + h, j : j + w] * K).sum()
    return Y


@right("1.4")
def each_sum_an_item(X, K):
    h, w = K.shape
    Y = X.new_zeros(X.shape[0] - h + 1, X.shape[1] - w + 1)
    for i in range(Y.shape[0]):
        for j in range(Y.shape[1]):
            Y[i, j] = (X[i : i + h, j : j + w] * K).sum().item()
    return Y


@right("1.4")
def made_from_a_list(X, K):
    h, w = K.shape
    rows = []
    for i in range(X.shape[0] - h + 1):
        row = []
        for j in range(X.shape[1] - w + 1):
            row.append(float((X[i : i + h, j : j + w] * K).sum()))
        rows.append(row)
    return torch.tensor(rows, dtype=X.dtype, device=X.device)


@wrong("1.4", "list instead of tensor")
def list_of_rows(X, K):
    h, w = K.shape
    rows = []
    for i in range(X.shape[0] - h + 1):
        row = []
        for j in range(X.shape[1] - w + 1):
            row.append((X[i : i + h, j : j + w] * K).sum().item())
        rows.append(row)
    return rows


@wrong("1.4", "infinite recursion")
def fixed_by_itself(X, K):
    if K.shape[0] > X.shape[0]:
        return X
    return fixed_by_itself(X, K) * 1


@wrong("1.4", "wrong arguments")
def image_only(X):
    return X


@wrong("1.4", "undefined name")
def misspelt_kernel(X, K):
    h, w = kernel.shape  # noqa: F821
    Y = X.new_zeros(X.shape[0] - h + 1, X.shape[1] - w + 1)
    for i in range(Y.shape[0]):
        for j in range(Y.shape[1]):
            Y[i, j] = (X[i : i + h, j : j + w] * K).sum()
    return Y


@wrong("1.4", "error raised")
def sum_forgotten(X, K):
    h, w = K.shape
    Y = X.new_zeros(X.shape[0] - h + 1, X.shape[1] - w + 1)
    for i in range(Y.shape[0]):
        for j in range(Y.shape[1]):
            Y[i, j] = X[i : i + h, j : j + w] * K
    return Y


@wrong("1.4", "error raised")
def shape_called(X, K):
    h, w = K.shape()
    return X.new_zeros(X.shape[0] - h + 1, X.shape[1] - w + 1)


wrong("1.4", "result instead of function", torch.tensor([[19.0, 25], [37, 43]]))
