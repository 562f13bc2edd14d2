"""One way to solve each exercise of chapter 12."""

import torch

# %% 12.1
# Layer by layer, backward: 4 to 5, 4 to 9, 8 to 19, and with padding 2, 6 to 21.
answer = [6, 21]


# %% 12.2
def saliency(net, x, label):
    x = x.detach().clone().requires_grad_()
    [gradient] = torch.autograd.grad(net(x)[0, label], x)
    return gradient.abs()[0, 0]


# %% 12.3
def class_map(A, weight, label):
    alpha = weight[label] / A[0].numel()  # the mean over H * W pixels
    return (alpha[:, None, None] * A).sum(dim=0)


# %% 12.4
def fixed(score, x, size):
    rows, columns = x.shape[0] - size + 1, x.shape[1] - size + 1
    drop = x.new_zeros(rows, columns)
    for i in range(rows):
        for j in range(columns):
            covered = x.clone()  # a fresh copy each time
            covered[i : i + size, j : j + size] = 0
            drop[i, j] = score(x) - score(covered)
    return drop
