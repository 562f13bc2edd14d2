"""Answers to chapter 10, "Make it fast", as learners would hand them in."""

from fractions import Fraction

import numpy as np
import torch
import torch.nn.functional as F

import conv
from answers.kit import right, wrong

# 10.1: two passes

right("10.1", (30.0, 225.0))
right("10.1", torch.tensor([30, 225]))
right("10.1", np.array([30, 225]))
wrong("10.1", "one pass only", [15, 225])
wrong("10.1", "passes multiplied", [15 * 15, 15 * 15])
wrong("10.1", "additions counted", [2 * (15 + 14), 225 + 224])
wrong("10.1", "additions counted", [2 * (15 + 15), 225 + 225])

# 10.2: correlation by waves


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


@wrong("10.2", "border's wrap kept")
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


# 10.3: what they computed


@right("10.3")
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


# 10.4: Winograd's larger brother

right("10.4", Fraction(144, 36))
right("10.4", torch.tensor(4.0))
right("10.4", 4)
wrong("10.4", "the smaller brother", 36 / 16)
wrong("10.4", "one axis only", 4 * 3 / 6)
wrong("10.4", "upside down", 36 / 144)
wrong("10.4", "plain way forgotten", 16 / 36)
wrong("10.4", "multiplications counted", 36)
wrong("10.4", "multiplications counted", 144)
wrong("10.4", "multiplications counted", 144 - 36)


@wrong("10.2", "kernel not padded")
def waves_of_two_lengths(x, k):
    product = torch.fft.rfft(x) * torch.fft.rfft(k).conj()
    return torch.fft.irfft(product, n=len(x))[: len(x) - len(k) + 1]
