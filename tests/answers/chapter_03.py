"""What learners might hand in for chapter 3, written without the checker at hand."""

import math
import statistics
from fractions import Fraction

import numpy as np
import scipy.ndimage
import skimage.filters
import torch
import torch.nn.functional as F

import conv
from answers.kit import right, wrong
from conv import corr2d

K = torch.tensor([[1.0, -1.0]])

# 3.1 ---------------------------------------------------------------------------------

wrong("3.1", "row instead of column", torch.tensor([[-1.0, 1.0]]))
wrong("3.1", "row instead of column", K)
wrong("3.1", "signs as before", torch.tensor([[1.0], [-1.0]]))
wrong("3.1", "signs as before", K.T)
wrong("3.1", "sum instead of difference", torch.tensor([[1.0], [1.0]]))
wrong("3.1", "sum instead of difference", torch.tensor([[-1.0], [-1.0]]))
wrong("3.1", "wrong size", torch.tensor([[-2.0], [2.0]]))
right("3.1", -K.T)
right("3.1", K.flip(1).T)
wrong("3.1", "one pixel only", torch.tensor([[0.0], [1.0]]))
wrong("3.1", "one pixel only", [[-1], [0]])
wrong("3.1", "signs as before", [1, -1])
right("3.1", [[-1], [1]])
right("3.1", [-1, 1])
right("3.1", np.diff(np.eye(2)).reshape(2, 1))
right("3.1", -K.reshape(1, 1, 2, 1))
right("3.1", np.array([[-1], [1]]))

# 3.2 ---------------------------------------------------------------------------------

wrong("3.2", "weights sum to one", 9)
wrong("3.2", "four neighbors", 4)
wrong("3.2", "wrong sign", -8)
wrong("3.2", "four neighbors", 5)
wrong("3.2", "one neighbor", 1)
wrong("3.2", "center ignored", 0)
right("3.2", 8.0)
right("3.2", np.float32(8))
right("3.2", Fraction(8))
right("3.2", [[3 * 3 - 1]])
right("3.2", torch.tensor(8))
right("3.2", -(torch.full((3, 3), -1.0).sum() + 1))

# 3.3 ---------------------------------------------------------------------------------

wrong("3.3", "kernels added", F.pad(K, (0, 1)) + F.pad(K, (1, 0)))
wrong("3.3", "signs lost", torch.tensor([[1.0, 2.0, 1.0]]))
wrong("3.3", "signs lost", torch.tensor([[1.0, -2.0, -1.0]]))
wrong("3.3", "center counted once", torch.tensor([[1.0, -1.0, 1.0]]))
wrong("3.3", "two weights only", K * K)
wrong("3.3", "two weights only", K + K)
wrong("3.3", "kernels added", [-1, 0, 1])
wrong("3.3", "signs lost", [1, 2, 1])
wrong("3.3", "wrong sign", [[-1, 2, -1]])
right("3.3", [[1, -2, 1]])
right("3.3", (1, -2, 1))
right("3.3", np.polymul([1, -1], [1, -1]))
right("3.3", torch.tensor([1, 0, 0]) - 2 * torch.tensor([0, 1, 0]) + torch.eye(3)[2])
right("3.3", F.conv2d(F.pad(K, (1, 1))[None, None], K.flip(1)[None, None])[0, 0])
right("3.3", np.convolve([1, -1], [1, -1])[None])

# 3.4 ---------------------------------------------------------------------------------

generator = torch.Generator().manual_seed(34)
noisy = 0.5 + 0.1 * torch.randn(1000, 1000, generator=generator)
response = corr2d(noisy, K)
uniform = torch.rand(1000, 1000, generator=generator)

wrong("3.4", "noise unchanged", noisy.std(), "b")
wrong("3.4", "noise unchanged", 0.1, "a")
wrong("3.4", "variance for standard deviation", response.var(), "b")
wrong("3.4", "variance for standard deviation", noisy.var(), "b")
wrong("3.4", "mean absolute value for standard deviation", response.abs().mean(), "b")
wrong("3.4", "mean of two pixels", 0.1 / math.sqrt(2), "a")
wrong("3.4", "mean of two pixels", corr2d(noisy, K.abs() / 2).std(), "b")
wrong("3.4", "uniform noise", corr2d(0.1 * uniform, K).std(), "b")
wrong("3.4", "variance of 0.1", corr2d(noisy * 10**0.5, K).std(), "b")
wrong("3.4", "deviations added", 0.2, "c")
wrong("3.4", "deviations added", 2 * noisy.std(), "b")
wrong("3.4", "mean for standard deviation", response.mean(), "b")
wrong("3.4", "mean for standard deviation", 0, "a")
wrong("3.4", "differences thought to cancel noise", response.std(), "a")
wrong("3.4", "noise thought to double", response.std(), "c")
right("3.4", response.std().item(), "b")
right("3.4", 0.14, "b")
right("3.4", statistics.pstdev(response[:60].flatten().tolist()), "B")
right("3.4", np.diff(noisy.numpy(), axis=1).std(), "(b)")
right("3.4", [(response**2).mean() ** 0.5], "b")
right("3.4", np.std(response.numpy()), "b")
right("3.4", response.std(correction=0).double(), "b")
right("3.4", 0.1 * math.sqrt(2), "b")


# 3.5 ---------------------------------------------------------------------------------


def responses(X):
    """Return the responses of both Sobel kernels."""
    sobel = torch.tensor(
        [[1.0, 0.0, -1.0], [2.0, 0.0, -2.0], [1.0, 0.0, -1.0]],
        dtype=X.dtype,
        device=X.device,
    )
    return corr2d(X, sobel), corr2d(X, sobel.T)


@right("3.5")
def by_hypot(X):
    a, b = responses(X)
    return torch.hypot(a, b)


@right("3.5")
def by_two_channels(X):
    sobel = X.new_tensor([[-1, 0, 1], [-2, 0, 2], [-1, 0, 1]])
    kernels = torch.stack([sobel, sobel.T])[:, None]
    return F.conv2d(X[None, None], kernels)[0].norm(dim=0)


@right("3.5")
def by_slices(X):
    blurred = X[:-2] + 2 * X[1:-1] + X[2:]
    vertical = blurred[:, :-2] - blurred[:, 2:]
    blurred = X[:, :-2] + 2 * X[:, 1:-1] + X[:, 2:]
    horizontal = blurred[:-2] - blurred[2:]
    return (vertical * vertical + horizontal * horizontal) ** 0.5


@right("3.5")
def by_blur_and_difference(X):
    blur = X.new_tensor([[1], [2], [1]])
    difference = X.new_tensor([[1, 0, -1]])
    vertical = corr2d(corr2d(X, blur), difference)
    horizontal = corr2d(corr2d(X, blur.T), difference.T)
    return torch.sqrt(vertical.square() + horizontal.square())


@right("3.5")
def by_a_loop_over_pixels(X):
    s = X.new_tensor([[1, 0, -1], [2, 0, -2], [1, 0, -1]])
    rows = []
    for i in range(X.shape[0] - 2):
        row = []
        for j in range(X.shape[1] - 2):
            window = X[i : i + 3, j : j + 3]
            row.append(((window * s).sum() ** 2 + (window * s.T).sum() ** 2).sqrt())
        rows.append(torch.stack(row))
    return torch.stack(rows)


@right("3.5")
def by_one_matrix(X):
    s = X.new_tensor([[1, 0, -1], [2, 0, -2], [1, 0, -1]])
    windows = X.unfold(0, 3, 1).unfold(1, 3, 1).flatten(2)  # (H-2, W-2, 9)
    both = windows @ torch.stack([s.flatten(), s.T.flatten()], dim=1)
    return torch.linalg.vector_norm(both, dim=-1)


@right("3.5")
def in_numpy(X):
    X = X.numpy()
    s = np.array([[1, 0, -1], [2, 0, -2], [1, 0, -1]])
    windows = np.lib.stride_tricks.sliding_window_view(X, (3, 3))
    a = (windows * s).sum(axis=(2, 3))
    b = np.tensordot(windows, s.T, axes=2)
    return np.hypot(a, b)


@right("3.5")
def by_scipys_filters(X):
    a, b = (scipy.ndimage.sobel(X.numpy(), axis=axis) for axis in (0, 1))
    return np.sqrt(a**2 + b**2)[1:-1, 1:-1]


@right("3.5")
def by_einsum_in_float32(X):
    s = torch.tensor([[1.0, 0, -1], [2, 0, -2], [1, 0, -1]])
    windows = X.float().unfold(0, 3, 1).unfold(1, 3, 1)
    both = torch.einsum("ijab,kab->kij", windows, torch.stack([s, s.T]))
    return both.pow(2).sum(0).sqrt()


@right("3.5")
def by_complex_numbers(X):
    a, b = responses(X)
    return torch.complex(a, b).abs()


@right("3.5")
def with_the_layers_axes(X):
    s = X.new_tensor([[1, 0, -1], [2, 0, -2], [1, 0, -1]])[None, None]
    x = X[None, None]
    return (F.conv2d(x, s) ** 2 + F.conv2d(x, s.mT) ** 2).sqrt()


@right("3.5")
def squares_in_place(X):
    strength = torch.zeros(X.shape[0] - 2, X.shape[1] - 2, dtype=X.dtype)
    for response in responses(X):
        strength += response.square()
    return strength.sqrt_()


@wrong("3.5", "one kernel only")
def never_transposed(X):
    a, b = responses(X)[0], responses(X)[0]
    return (a**2 + b**2).sqrt()


@wrong("3.5", "padded")
def zeros_around(X):
    a, b = responses(F.pad(X, (1, 1, 1, 1)))
    return (a**2 + b**2).sqrt()


@wrong("3.5", "padded")
def scipys_border(X):
    a, b = (scipy.ndimage.sobel(X.numpy(), axis=axis) for axis in (0, 1))
    return np.hypot(a, b)


@wrong("3.5", "padded")
def scikit_images_sobel(X):
    return skimage.filters.sobel(X.numpy(), mode="nearest")


@wrong("3.5", "padded")
def border_of_zeros(X):
    Y = torch.zeros_like(X)
    a, b = responses(X)
    Y[1:-1, 1:-1] = (a**2 + b**2).sqrt()
    return Y


@wrong("3.5", "absolute values added")
def absolute_values_added(X):
    a, b = responses(X)
    return a.abs() + b.abs()


@wrong("3.5", "signs cancel")
def responses_added(X):
    a, b = responses(X)
    return a + b


@wrong("3.5", "signs cancel")
def one_kernel_for_both(X):
    sobel = X.new_tensor([[1, 0, -1], [2, 0, -2], [1, 0, -1]])
    return corr2d(X, sobel + sobel.T)


@wrong("3.5", "signs cancel")
def absolute_value_of_the_sum(X):
    a, b = responses(X)
    return (a + b).abs()


@wrong("3.5", "root forgotten")
def squares_added(X):
    a, b = responses(X)
    return a**2 + b**2


@wrong("3.5", "one kernel only")
def vertical_with_sign(X):
    return responses(X)[0]


@wrong("3.5", "one kernel only")
def vertical_without_sign(X):
    return responses(X)[0].abs()


@wrong("3.5", "one kernel only")
def not_turned(X):
    sobel = X.new_tensor([[1, 0, -1], [2, 0, -2], [1, 0, -1]])
    return corr2d(X, sobel).square().sqrt()


@wrong("3.5", "one kernel only")
def horizontal_with_sign(X):
    return corr2d(X, X.new_tensor([[1, 2, 1], [0, 0, 0], [-1, -2, -1]]))


@wrong("3.5", "one kernel only")
def horizontal_without_sign(X):
    return responses(X)[1].abs()


@wrong("3.5", "blur forgotten")
def middle_row_only(X):
    k = X.new_tensor([[0, 0, 0], [1, 0, -1], [0, 0, 0]])
    return (corr2d(X, k) ** 2 + corr2d(X, k.T) ** 2).sqrt()


@wrong("3.5", "blur forgotten")
def differences_cut_to_one_size(X):
    across = X[1:-1, :-2] - X[1:-1, 2:]
    down = X[:-2, 1:-1] - X[2:, 1:-1]
    return torch.hypot(across, down)


@wrong("3.5", "blur forgotten")
def differences_of_two_pixels(X):
    k = X.new_tensor([[1, -1]])
    across = corr2d(X, k)[:-1]
    down = corr2d(X, k.T)[:, :-1]
    return (across**2 + down**2).sqrt()


@wrong("3.5", "larger of the two")
def larger_size(X):
    a, b = responses(X)
    return torch.maximum(a.abs(), b.abs())


@wrong("3.5", "larger of the two")
def larger_by_stack(X):
    return torch.stack(responses(X)).abs().amax(dim=0)


@wrong("3.5", "larger of the two")
def larger_number(X):
    a, b = responses(X)
    return torch.max(a, b)


@wrong("3.5", "missing return")
def strength_not_returned(X):
    a, b = responses(X)
    (a**2 + b**2).sqrt()


@wrong("3.5", "printed instead of returned")
def strength_printed(X):
    a, b = responses(X)
    print((a**2 + b**2).sqrt())


@wrong("3.5", "nan in the result")
def last_row_of_empty(X):
    s = X.new_tensor([[1, 0, -1], [2, 0, -2], [1, 0, -1]])
    Y = X.new_empty(X.shape[0] - 2, X.shape[1] - 2)
    for i in range(X.shape[0] - 3):
        for j in range(X.shape[1] - 3):
            window = X[i : i + 3, j : j + 3]
            Y[i, j] = torch.hypot((window * s).sum(), (window * s.T).sum())
    return Y


@wrong("3.5", "same result for every input")
def the_bar_itself(X):
    X = torch.ones((6, 8))
    X[:, 2:6] = 0
    a, b = responses(X)
    return (a**2 + b**2).sqrt()


@wrong("3.5", "wrong sign")
def negative_root(X):
    a, b = responses(X)
    return -((a**2 + b**2).sqrt())


@wrong("3.5", "transposed output")
def of_the_turned_image(X):
    a, b = responses(X.T)
    return (a**2 + b**2).sqrt()


@wrong("3.5", "loop over the wrong axis")
def loops_exchanged(X):
    a, b = responses(X)
    Y = torch.zeros_like(a)
    for i in range(Y.shape[1]):
        for j in range(Y.shape[0]):
            Y[i, j] = (a[i, j] ** 2 + b[i, j] ** 2).sqrt()
    return Y


@wrong("3.5", "rows and columns mixed up")
def height_for_width(X):
    s = X.new_tensor([[1, 0, -1], [2, 0, -2], [1, 0, -1]])
    n = len(X) - 2
    Y = X.new_zeros(n, n)
    for i in range(n):
        for j in range(n):
            window = X[i : i + 3, j : j + 3]
            Y[i, j] = torch.hypot((window * s).sum(), (window * s.T).sum())
    return Y


@wrong("3.5", "rows and columns mixed up")
def width_before_height(X):
    s = X.new_tensor([[1, 0, -1], [2, 0, -2], [1, 0, -1]])
    W, H = X.shape
    Y = X.new_zeros(H - 2, W - 2)
    for i in range(H - 2):
        for j in range(W - 2):
            window = X[i : i + 3, j : j + 3]
            Y[i, j] = torch.hypot((window * s).sum(), (window * s.T).sum())
    return Y


@wrong("3.5", "one element too short")
def last_places_left_out(X):
    s = X.new_tensor([[1, 0, -1], [2, 0, -2], [1, 0, -1]])
    Y = X.new_zeros(X.shape[0] - 3, X.shape[1] - 3)
    for i in range(Y.shape[0]):
        for j in range(Y.shape[1]):
            window = X[i : i + 3, j : j + 3]
            Y[i, j] = torch.hypot((window * s).sum(), (window * s.T).sum())
    return Y


@wrong("3.5", "one element too long")
def one_row_of_zeros_below(X):
    a, b = responses(F.pad(X, (0, 1, 0, 1)))
    return (a**2 + b**2).sqrt()


@wrong("3.5", "scaled by a constant")
def divided_by_eight(X):
    a, b = responses(X)
    return ((a / 8) ** 2 + (b / 8) ** 2).sqrt()


@wrong("3.5", "mean of the two")
def root_of_the_mean_square(X):
    a, b = responses(X)
    return ((a**2 + b**2) / 2).sqrt()


@wrong("3.5", "shifted by a constant")
def added_to_ones(X):
    a, b = responses(X)
    Y = torch.ones_like(a)
    Y += (a**2 + b**2).sqrt()
    return Y


@right("3.5")
def mean_taken_away_in_place(X):
    X -= X.mean()
    a, b = responses(X)
    return (a**2 + b**2).sqrt()


@right("3.5")
def written_into_the_image(X):
    a, b = responses(X)
    X[1:-1, 1:-1] = (a**2 + b**2).sqrt()
    return X[1:-1, 1:-1]


@right("3.5")
def image_made_float(X):
    a, b = responses(X.float())
    return (a**2 + b**2).sqrt()


@right("3.5")
def into_zeros(X):
    s = torch.tensor([[1.0, 0, -1], [2, 0, -2], [1, 0, -1]])
    Y = torch.zeros(X.shape[0] - 2, X.shape[1] - 2)
    for i in range(Y.shape[0]):
        for j in range(Y.shape[1]):
            window = X[i : i + 3, j : j + 3]
            Y[i, j] = ((window * s).sum() ** 2 + (window * s.T).sum() ** 2).sqrt()
    return Y


@right("3.5")
def kernel_on_the_cpu(X):
    sobel = torch.tensor([[1, 0, -1], [2, 0, -2], [1, 0, -1]], dtype=X.dtype)
    a, b = corr2d(X, sobel), corr2d(X, sobel.T)
    return (a**2 + b**2).sqrt()


@right("3.5")
def into_zeros_on_the_cpu(X):
    a, b = responses(X)
    Y = torch.zeros(a.shape, dtype=X.dtype)
    for i in range(a.shape[0]):
        for j in range(a.shape[1]):
            Y[i, j] = (a[i, j] ** 2 + b[i, j] ** 2).sqrt()
    return Y


@right("3.5")
def by_the_math_module(X):
    a, b = responses(X)
    Y = torch.zeros_like(a)
    for i in range(a.shape[0]):
        for j in range(a.shape[1]):
            Y[i, j] = math.sqrt(a[i, j].item() ** 2 + b[i, j].item() ** 2)
    return Y


@right("3.5")
def detached_responses(X):
    a, b = responses(X)
    return torch.hypot(a.detach(), b.detach())


@right("3.5")
def rows_in_a_list(X):
    a, b = responses(X)
    rows = []
    for i in range(a.shape[0]):
        rows.append([math.hypot(a[i, j], b[i, j]) for j in range(a.shape[1])])
    return rows


@wrong("3.5", "infinite recursion")
def of_itself_and_its_transpose(X):
    a = of_itself_and_its_transpose(X)
    b = of_itself_and_its_transpose(X.T).T
    return (a**2 + b**2).sqrt()


@wrong("3.5", "wrong arguments")
def wants_the_kernel(X, sobel):
    a, b = corr2d(X, sobel), corr2d(X, sobel.T)
    return (a**2 + b**2).sqrt()


@wrong("3.5", "undefined name")
def misspelt_sobel(X):
    sobel = X.new_tensor([[1, 0, -1], [2, 0, -2], [1, 0, -1]])
    a, b = corr2d(X, sobel), corr2d(X, soble.T)  # noqa: F821
    return (a**2 + b**2).sqrt()


@wrong("3.5", "error raised")
def kernel_as_a_list(X):
    sobel = [[1, 0, -1], [2, 0, -2], [1, 0, -1]]
    a = conv.corr2d(X, sobel)
    return a.abs()


@wrong("3.5", "shapes don't match")
def sizes_do_not_fit(X):
    across, down = corr2d(X, K.to(X)), corr2d(X, K.to(X).T)
    return (across**2 + down**2).sqrt()


wrong("3.5", "result instead of function", by_hypot(torch.eye(6)))


wrong("3.4", "mean absolute value for standard deviation", 0.1131, "b")


@wrong("3.5", "blur with equal weights")
def prewitt(X):
    column = torch.ones(3, 1, dtype=X.dtype)
    kernel = (column * torch.tensor([[1.0, 0, -1]], dtype=X.dtype)).to(X)
    return conv.corr2d(X, kernel).hypot(conv.corr2d(X, kernel.T))


@wrong("3.5", "mean of the two")
def half_of_both(X):
    sobel = X.new_tensor([[1, 0, -1], [2, 0, -2], [1, 0, -1]])
    return (conv.corr2d(X, sobel).abs() + conv.corr2d(X, sobel.T).abs()) / 2
