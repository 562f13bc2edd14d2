"""One way to solve each exercise of chapter 3."""

import torch

from conv import corr2d

# %% 3.1
# Lower pixel minus upper pixel: black below white gives 0 - 1.
kernel = torch.tensor([[-1.0], [1.0]])

# %% 3.2
# All nine weights must sum to zero.
middle = 8

# %% 3.3
# (p - q) - (q - r) = p - 2 q + r: the second difference.
kernel = torch.tensor([[1.0, -2.0, 1.0]])

# %% 3.4
flat = torch.full((1000, 1000), 0.5)
noisy = flat + 0.1 * torch.randn(1000, 1000)
measured = corr2d(noisy, torch.tensor([[1.0, -1.0]])).std()
reason = "b"  # the variances add up: 0.1 times the square root of 2


# %% 3.5
def edge_strength(X):
    sobel = X.new_tensor([[1, 0, -1], [2, 0, -2], [1, 0, -1]])
    across, down = corr2d(X, sobel), corr2d(X, sobel.T)
    return (across**2 + down**2).sqrt()
