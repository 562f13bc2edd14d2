"""One way to solve each exercise of chapter 5."""

import torch
import torch.nn.functional as F

# %% 5.1
# Without padding, the output is 11 - 1 pixels smaller; each side adds half of that.
padding = 5

# %% 5.2
# Such a layer halves an even side exactly.
side = 224 // 2**5


# %% 5.3
def mirror_pad(x, p):
    return torch.cat([x[1 : p + 1].flip(0), x, x[-p - 1 : -1].flip(0)])


# %% 5.4
def strided(x, k, stride, padding):
    padded = F.pad(x, (padding, padding))
    count = (len(padded) - len(k)) // stride + 1
    starts = [i * stride for i in range(count)]
    return torch.stack([(padded[s : s + len(k)] * k).sum() for s in starts])


# %% 5.5
def fixed(n, k, stride, padding):
    room = n + 2 * padding - k  # how far the window can move
    return room // stride + 1
