"""One way to solve each exercise of chapter 11."""

import torch
import torch.nn.functional as F

# %% 11.1
answer = -torch.tensor([0.99, 0.01]).log()


# %% 11.2
def smooth_loss(scores, labels, amount):
    classes = scores.shape[1]
    target = F.one_hot(labels, classes) * (1 - amount) + amount / classes
    return -(target * scores.log_softmax(dim=1)).sum(dim=1).mean()


# %% 11.3
def recall_and_precision(confusion):
    correct = confusion.diagonal()
    recall, precision = (correct / confusion.sum(dim=d) for d in (1, 0))
    return torch.stack([recall, precision])


# %% 11.4
# 56 -> 56 -> 28 -> 24 -> 12, with 16 channels; 120 outputs.
answer = (16 * 12 * 12 + 1) * 120


# %% 11.5
def fixed(scores, labels):
    hits = scores.argmax(dim=1) == labels
    return hits.sum() / len(labels)
