"""One way to solve each exercise of chapter 15."""

import numpy as np
import torch.nn.functional as F

# %% 15.1
# At best, the first softmax gives the correct class 1 and the other one 0.
answer = np.log(1 + np.exp(-1))


# %% 15.2
def fixed_step(net, x, y, optimizer):
    loss = F.cross_entropy(net(x), y)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    return loss.item()


# %% 15.3
def rate_at(step, steps, warmup, peak, final):
    if step < warmup:
        return peak * (step + 1) / warmup
    progress = (step - warmup) / (steps - warmup)
    return final + (peak - final) * (1 + np.cos(np.pi * progress)) / 2


# %% 15.4
def fixed_loss(scores, labels, share):
    first = F.cross_entropy(scores, labels)
    second = F.cross_entropy(scores, labels.roll(1))
    return share * first + (1 - share) * second


# %% 15.5
# Each interval contains zero with probability 0.95; all 20 do with 0.95 ** 20.
answer = 1 - 0.95**20
