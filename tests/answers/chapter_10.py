"""Answers to chapter 10, "Make it fast", as learners would hand them in."""

from fractions import Fraction

import numpy as np
import scipy.fft
import scipy.signal
import torch
import torch.nn.functional as F

import conv
from answers.kit import right, wrong

# 10.1: two passes

right("10.1", (30.0, 225.0))
right("10.1", torch.tensor([30, 225]))
right("10.1", np.array([30, 225]))
right("10.1", [Fraction(30), 15**2])
right("10.1", [[30], [225]])
right("10.1", np.float32([30, 225]))
wrong("10.1", "center counted once", [15 + 14, 225])
wrong("10.1", "full kernel as two passes", [30, 30])
wrong("10.1", "additions counted", [28, 224])
wrong("10.1", "ratio given", 225 / 30)
wrong("10.1", "ratio given", 0.13333333)
wrong("10.1", "wrong order", [225, 30])
wrong("10.1", "one pass only", [15, 225])
wrong("10.1", "passes multiplied", [15 * 15, 15 * 15])
wrong("10.1", "additions counted", [2 * (15 + 14), 225 + 224])
wrong("10.1", "additions counted", [2 * (15 + 15), 225 + 225])

# 10.2: cross-correlation by Fourier transform


@right("10.2")
def waves_of_the_turned_kernel(x, k):
    n, m = len(x), len(k)
    product = torch.fft.rfft(x) * torch.fft.rfft(k.flip(0), n=n)
    return torch.fft.irfft(product, n=n)[m - 1 :]


@right("10.2")
def waves_with_room(x, k):
    size = len(x) + len(k) - 1
    product = torch.fft.rfft(x, n=size) * torch.conj(torch.fft.rfft(k, n=size))
    return torch.fft.irfft(product, n=size)[: len(x) - len(k) + 1]


@right("10.2")
def waves_of_a_padded_kernel(x, k):
    long = torch.cat([k, k.new_zeros(len(x) - len(k))])
    product = torch.fft.fft(x) * torch.fft.fft(long).conj()
    return torch.fft.ifft(product).real[: len(x) - len(k) + 1]


@right("10.2")
def waves_conjugated_on_the_signal(x, k):
    n = len(x)
    product = torch.fft.rfft(x).conj() * torch.fft.rfft(k, n=n)
    backward = torch.fft.irfft(product, n=n)
    return backward.flip(0).roll(1)[: n - len(k) + 1]


@wrong("10.2", "conjugate forgotten")
def waves_multiplied(x, k):
    n = len(x)
    product = torch.fft.rfft(x) * torch.fft.rfft(k, n=n)
    return torch.fft.irfft(product, n=n)[: n - len(k) + 1]


@wrong("10.2", "kernel flipped")
def convolution_by_waves(x, k):
    n = len(x)
    product = torch.fft.rfft(x) * torch.fft.rfft(k, n=n)
    return torch.fft.irfft(product, n=n)[len(k) - 1 :]


@wrong("10.2", "kernel flipped")
def turned_and_conjugated(x, k):
    n = len(x)
    product = torch.fft.rfft(x) * torch.fft.rfft(k.flip(0), n=n).conj()
    return torch.fft.irfft(product, n=n)[: n - len(k) + 1]


@wrong("10.2", "wrong conjugate")
def signal_conjugated(x, k):
    n = len(x)
    product = torch.fft.rfft(x).conj() * torch.fft.rfft(k, n=n)
    return torch.fft.irfft(product, n=n)[: n - len(k) + 1]


@wrong("10.2", "wrong conjugate")
def product_conjugated(x, k):
    n = len(x)
    product = (torch.fft.rfft(x) * torch.fft.rfft(k, n=n).conj()).conj()
    return torch.fft.irfft(product, n=n)[: n - len(k) + 1]


@wrong("10.2", "too many outputs kept")
def nothing_cut_off(x, k):
    n = len(x)
    product = torch.fft.rfft(x) * torch.fft.rfft(k, n=n).conj()
    return torch.fft.irfft(product, n=n)


@wrong("10.2", "wrong end cut off")
def beginning_cut_off(x, k):
    n = len(x)
    product = torch.fft.rfft(x) * torch.fft.rfft(k, n=n).conj()
    return torch.fft.irfft(product, n=n)[len(k) - 1 :]


@wrong("10.2", "odd length forgotten")
def length_not_told(x, k):
    n = len(x)
    product = torch.fft.rfft(x) * torch.fft.rfft(k, n=n).conj()
    return torch.fft.irfft(product)[: n - len(k) + 1]


@wrong("10.2", "odd length forgotten")
def length_taken_from_the_result(x, k):
    product = torch.fft.rfft(x) * torch.fft.rfft(k, n=len(x)).conj()
    y = torch.fft.irfft(product)
    return y[: len(y) - len(k) + 1]


@right("10.2")
def waves_by_numpy(x, k):
    n = len(x)
    product = np.fft.rfft(x) * np.conj(np.fft.rfft(k, n))
    return np.fft.irfft(product, n)[: n - len(k) + 1]


@right("10.2")
def waves_in_float32(x, k):
    x, k = x.float(), k.float()
    size = 2 * len(x)
    spectrum = torch.fft.fft(x, n=size)
    spectrum *= torch.fft.fft(k, n=size).conj()
    return torch.fft.ifft(spectrum).real[: len(x) - len(k) + 1]


@right("10.2")
def waves_by_scipy(x, k):
    n = len(x)
    y = scipy.fft.irfft(scipy.fft.rfft(x) * scipy.fft.rfft(k.flip(0), n), n)
    return y[len(k) - 1 :].tolist()


def two_axes(X, K):
    (H, W), (h, w) = X.shape, K.shape
    waves = torch.fft.rfft2(X) * torch.fft.rfft2(K, s=(H, W)).conj()
    return torch.fft.irfft2(waves, s=(H, W))[: H - h + 1, : W - w + 1]


@right("10.2")
def waves_of_one_row(x, k):
    return two_axes(x[None], k[None])


@right("10.2")
def waves_with_room_by_hand(x, k):
    a, b = x.new_zeros(2 * len(x)), x.new_zeros(2 * len(x))
    a[: len(x)] = x
    b[: len(k)] = k
    y = torch.fft.irfft(torch.fft.rfft(a) * torch.fft.rfft(b).conj())
    return torch.stack([y[i] for i in range(len(x) - len(k) + 1)])


@wrong("10.2", "wrong method")
def no_waves_at_all(x, k):
    n = len(x) - len(k) + 1
    return torch.stack([(x[i : i + len(k)] * k).sum() for i in range(n)])


@wrong("10.2", "wrong method")
def pytorchs_correlation(x, k):
    return F.conv1d(x[None, None], k[None, None])[0, 0]


@wrong("10.2", "conjugate forgotten")
def waves_with_room_multiplied(x, k):
    size = len(x) + len(k) - 1
    product = torch.fft.rfft(x, n=size) * torch.fft.rfft(k, n=size)
    return torch.fft.irfft(product, n=size)[: len(x) - len(k) + 1]


@wrong("10.2", "conjugate forgotten")
def waves_multiplied_and_kept(x, k):
    product = torch.fft.rfft(x) * torch.fft.rfft(k, n=len(x))
    return torch.fft.irfft(product, n=len(x))


@wrong("10.2", "wrong conjugate")
def signal_conjugated_and_kept(x, k):
    product = torch.fft.rfft(x).conj() * torch.fft.rfft(k, n=len(x))
    return torch.fft.irfft(product, n=len(x))


@wrong("10.2", "too many outputs kept")
def nothing_cut_off_the_padded_signal(x, k):
    size = len(x) + len(k) - 1
    product = torch.fft.rfft(x, n=size) * torch.fft.rfft(k, n=size).conj()
    return torch.fft.irfft(product, n=size)


@wrong("10.2", "too many outputs kept")
def as_long_as_the_signal(x, k):
    return nothing_cut_off_the_padded_signal(x, k)[: len(x)]


# 10.3: the operation without the conjugate


@wrong("10.3", "wrong method")
def convolved_by_waves(X, K):
    product = torch.fft.rfft2(X) * torch.fft.rfft2(K, s=X.shape)
    y = torch.fft.irfft2(product, s=X.shape)
    return y[K.shape[0] - 1 :, K.shape[1] - 1 :]


@right("10.3")
def convolved_by_torch(X, K):
    return F.conv2d(X[None, None], torch.rot90(K, 2)[None, None])[0, 0]


@right("10.3")
def convolved_with_result_turned(X, K):
    return conv.corr2d(X.flip(0).flip(1), K).flip((0, 1))


@right("10.3")
def convolved_by_loops(X, K):
    h, w = K.shape
    Y = X.new_zeros(X.shape[0] - h + 1, X.shape[1] - w + 1)
    for i in range(h):
        for j in range(w):
            window = X[i : i + Y.shape[0], j : j + Y.shape[1]]
            Y = Y + K[h - 1 - i, w - 1 - j] * window
    return Y


@wrong("10.3", "nothing flipped")
def plain_correlation(X, K):
    return conv.corr2d(X, K)


@wrong("10.3", "flipped along one axis")
def kernel_upside_down(X, K):
    return conv.corr2d(X, K.flip(0))


@wrong("10.3", "flipped along one axis")
def kernel_left_to_right(X, K):
    return conv.corr2d(X, torch.fliplr(K))


@wrong("10.3", "image flipped, too")
def both_turned(X, K):
    return conv.corr2d(X.flip(0, 1), K.flip(0, 1))


@wrong("10.3", "image flipped instead")
def image_turned(X, K):
    return conv.corr2d(X.flip(0, 1), K)


@right("10.3")
def convolved_by_scipy(X, K):
    return scipy.signal.convolve2d(X, K, mode="valid")


@right("10.3")
def convolved_by_numpys_windows(X, K):
    windows = np.lib.stride_tricks.sliding_window_view(X.numpy(), K.shape)
    return np.einsum("ijab,ab->ij", windows, K.numpy()[::-1, ::-1])


@right("10.3")
def convolved_in_lists(X, K):
    (H, W), (h, w) = X.shape, K.shape
    X, K = X.tolist(), K.tolist()
    return [
        [
            sum(X[i - a][j - b] * K[a][b] for a in range(h) for b in range(w))
            for j in range(w - 1, W)
        ]
        for i in range(h - 1, H)
    ]


@right("10.3")
def convolved_by_stamps(X, K):
    (H, W), (h, w) = X.shape, K.shape
    full = F.conv_transpose2d(X[None, None].float(), K[None, None].float())
    return full[..., h - 1 : H, w - 1 : W]


@right("10.3")
def convolved_with_a_kernel_turned_in_place(X, K):
    turned = torch.empty_like(K)
    for a in range(K.shape[0]):
        for b in range(K.shape[1]):
            turned[-1 - a, -1 - b] = K[a, b]
    return conv.corr2d(X, turned)


@wrong("10.3", "wrong method")
def convolved_by_scipys_waves(X, K):
    return scipy.signal.fftconvolve(X, K, mode="valid")


@wrong("10.3", "flipped along one axis")
def image_upside_down(X, K):
    return conv.corr2d(torch.flipud(X), K)


@wrong("10.3", "flip taken for a transpose")
def kernel_transposed(X, K):
    return conv.corr2d(X, K.T)


@wrong("10.3", "flip taken for a transpose")
def kernel_transposed_and_turned(X, K):
    return conv.corr2d(X, K.t().flip(0, 1))


@wrong("10.3", "rotated by 90 degrees")
def kernel_turned_by_a_quarter(X, K):
    return conv.corr2d(X, torch.rot90(K))


@wrong("10.3", "border kept")
def convolved_with_wrapped_border(X, K):
    product = torch.fft.rfft2(X) * torch.fft.rfft2(K, s=X.shape)
    return torch.fft.irfft2(product, s=X.shape)


@wrong("10.3", "border kept")
def convolved_to_full_size(X, K):
    return scipy.signal.convolve2d(X, K)


@wrong("10.3", "border kept")
def convolved_to_same_size(X, K):
    return scipy.signal.convolve2d(X, K, mode="same")


@wrong("10.3", "wrong corner kept")
def convolved_and_cut_as_in_the_chapter(X, K):
    (H, W), (h, w) = X.shape, K.shape
    product = torch.fft.rfft2(X) * torch.fft.rfft2(K, s=(H, W))
    return torch.fft.irfft2(product, s=(H, W))[: H - h + 1, : W - w + 1]


# 10.4: Winograd's method for larger tiles

right("10.4", np.float32(144 / 36))
right("10.4", [4.0])
right("10.4", torch.tensor([[4]]))
wrong("10.4", "plain method not counted", 9)
wrong("10.4", "savings compared", 1 - 36 / 144)
wrong("10.4", "savings compared", 3)
wrong("10.4", "smaller tile", 2.25)

right("10.4", Fraction(144, 36))
right("10.4", torch.tensor(4.0))
right("10.4", 4)
wrong("10.4", "smaller tile", 36 / 16)
wrong("10.4", "one axis only", 4 * 3 / 6)
wrong("10.4", "inverted", 36 / 144)
wrong("10.4", "plain method not counted", 16 / 36)
wrong("10.4", "multiplications counted", 36)
wrong("10.4", "multiplications counted", 144)
wrong("10.4", "multiplications counted", 144 - 36)


@wrong("10.2", "kernel not padded")
def waves_of_two_lengths(x, k):
    product = torch.fft.rfft(x) * torch.fft.rfft(k).conj()
    return torch.fft.irfft(product, n=len(x))[: len(x) - len(k) + 1]


@wrong("10.2", "kernel not padded")
def waves_of_two_lengths_kept(x, k):
    return torch.fft.irfft(torch.fft.rfft(x) * torch.fft.rfft(k).conj())
