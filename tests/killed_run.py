"""A training run that kills itself: ``python killed_run.py CHECKPOINT MOMENT``."""

import os
import signal
import sys
from pathlib import Path

import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

import conv

EPOCHS = 4
MOMENTS = ["between epochs", "in an epoch", "in a write", "before the first epoch ends"]


def kill() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def train(checkpoint: Path | None, moment: str = "", epochs: int = EPOCHS, **changes):
    """Train with everything that has state, such as batch norm and a scheduler."""
    conv.seed_everything(3)
    x, y = torch.randn(40, 1, 8, 8), torch.randint(0, 3, (40,))
    conv2d, last = nn.Conv2d(1, 4, 3), nn.Linear(144, 3)
    norm, dropout = nn.BatchNorm2d(4), nn.Dropout(0.3)
    net = nn.Sequential(conv2d, norm, nn.ReLU(), nn.Flatten(), dropout, last)
    optimizer = torch.optim.AdamW(net.parameters(), lr=0.01)
    order = torch.Generator().manual_seed(5)
    data = TensorDataset(x, y)
    batches = DataLoader(data, batch_size=9, shuffle=True, generator=order)
    calls = []

    def loss(output, target):
        calls.append(1)
        at = {"in an epoch": 17, "before the first epoch ends": 3}
        # There are 5 training batches and 1 validation batch per epoch.
        if len(calls) == at.get(moment):
            kill()
        return nn.functional.cross_entropy(output, target)

    def callback(epoch, history):
        if moment == "between epochs" and epoch == 2:
            kill()
        if moment == "in a write" and epoch == 3:
            os.fsync = truncate_and_kill

    scheduler = torch.optim.lr_scheduler.OneCycleLR(
        optimizer, 0.02, total_steps=5 * EPOCHS
    )
    options = {"validation": [(x[:20], y[:20])], "metric": conv.accuracy}
    options |= {
        "scheduler": scheduler,
        "callback": callback,
        "snapshots": True,
    } | changes
    history = conv.fit(
        net, batches, loss, optimizer, epochs, checkpoint=checkpoint, **options
    )
    return net, history


def truncate_and_kill(file: int) -> None:
    os.ftruncate(file, os.fstat(file).st_size // 2)
    kill()


def bitwise_equal(one: object, other: object) -> bool:
    """Return whether two values are equal bit for bit."""
    if isinstance(one, torch.Tensor):
        return one.dtype == other.dtype and torch.equal(one, other)
    if isinstance(one, dict):
        return one.keys() == other.keys() and all(
            bitwise_equal(one[k], other[k]) for k in one
        )
    if isinstance(one, list | tuple):
        return len(one) == len(other) and all(map(bitwise_equal, one, other))
    return one == other


if __name__ == "__main__":
    train(Path(sys.argv[1]), sys.argv[2])
