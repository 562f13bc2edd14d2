"""One way to solve each exercise of chapter 7."""

import torch

import conv

# %% 7.1
answer = [5, 5, 7, 8]


# %% 7.2
def min_pool(x, k):
    # The smallest number is the one whose negative is largest.
    return -conv.pool2d(-x, k)


# %% 7.3
def blur_pool(x, kernel):
    channels = x.shape[1]
    kernels = kernel.expand(channels, -1, -1, -1)
    return conv.conv2d(x, kernels, stride=2, padding=2, groups=channels)


# %% 7.4
x = torch.rand(1, 1, 64, 64)
three = torch.nn.Sequential(*[torch.nn.MaxPool2d(2) for _ in range(3)])
target = three(x).roll(1, dims=-1)
measured = 1
while not torch.equal(three(x.roll(measured, dims=-1)), target):
    measured += 1
reason = "c"
