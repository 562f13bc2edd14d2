"""One way to solve each exercise of chapter 4."""

import torch

# %% 4.1
# 1 - 12 r = -(1 - 60 r)
rate = 1 / 36

# %% 4.2
# Mean square 1/2, mean product 1/4: eigenvalues in the ratio 3/4 to 1/4.
guess = 3


# %% 4.3
def step(w, X, Y, lr):
    E = X[:, :-1] * w[0] + X[:, 1:] * w[1] - Y
    gradient = torch.stack([(2 * E * X[:, :-1]).sum(), (2 * E * X[:, 1:]).sum()])
    return w - lr * gradient


# %% 4.4
def fixed(X, Y, w, lr, steps):
    w = w.clone().requires_grad_()
    for _ in range(steps):
        E = X[:, :-1] * w[0] + X[:, 1:] * w[1] - Y
        (E**2).sum().backward()
        with torch.no_grad():
            w -= lr * w.grad
            w.grad.zero_()  # or the next backward() adds to it
    return w.detach()
