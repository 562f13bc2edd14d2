"""One way to solve each exercise of chapter 1."""

import torch

# %% 1.1
# A window of h rows fits into H rows at H - h + 1 positions.
answer = (480 - 7 + 1, 640 - 3 + 1)

# %% 1.2
# The only 1 multiplies the right-hand neighbor of the window's center.
kernel = torch.tensor([[0.0, 0, 0], [0, 0, 1], [0, 0, 0]])


# %% 1.3
def corr1d(x, k):
    y = x.new_zeros(len(x) - len(k) + 1)
    for a, weight in enumerate(k):
        y = y + weight * x[a : a + len(y)]
    return y


# %% 1.4
def fixed(X, K):
    h, w = K.shape
    Y = X.new_zeros(X.shape[0] - h + 1, X.shape[1] - w + 1)
    for i in range(Y.shape[0]):
        for j in range(Y.shape[1]):
            Y[i, j] = (X[i : i + h, j : j + w] * K).sum()
    return Y
