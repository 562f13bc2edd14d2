"""One way to solve each exercise of chapter 10."""

import torch

import conv

# %% 10.1
answer = [15 + 15, 15 * 15]


# %% 10.2
def corr1d_fourier(x, k):
    n = len(x)
    product = torch.fft.rfft(x) * torch.fft.rfft(k, n=n).conj()
    return torch.fft.irfft(product, n=n)[: n - len(k) + 1]


# %% 10.3
def without_conj(X, K):
    # The product of two Fourier transforms is that of a convolution.
    return conv.corr2d(X, K.flip(0, 1))


# %% 10.4
factor = (4 * 4) * (3 * 3) / (6 * 6)
