"""Train in one process or in several, for test_distributed.py.

    torchrun --nproc-per-node 2 distributed_run.py FOLDER

In FOLDER, two processes write a checkpoint after two epochs, resume it, and resume the
checkpoint ``one.pt`` that a single process wrote. They print their histories as JSON.
"""

import json
import sys
from pathlib import Path

import torch
import torch.distributed as dist
from torch import nn
from torch.nn.functional import cross_entropy
from torch.nn.parallel import DistributedDataParallel

import conv


def train(
    checkpoint: Path | None, epochs: int, dropout: float = 0.0
) -> tuple[nn.Module, conv.History]:
    """Train a small network; each process takes its share of every batch."""
    parallel = dist.is_initialized()
    rank, world = (dist.get_rank(), dist.get_world_size()) if parallel else (0, 1)
    conv.seed_everything(3)
    images = torch.randn(40, 1, 6, 6, dtype=torch.float64)
    labels = torch.randint(0, 3, (40,))
    net = nn.Sequential(
        nn.Conv2d(1, 4, 3),
        nn.ReLU(),
        nn.Flatten(),
        nn.Dropout(dropout),
        nn.Linear(64, 3),
    ).double()
    optimizer = torch.optim.AdamW(net.parameters(), lr=0.01)
    torch.manual_seed(rank)  # each process draws its own dropout masks
    wrapped = DistributedDataParallel(net) if parallel else net
    batches = [
        (images[k : k + 10][rank::world], labels[k : k + 10][rank::world])
        for k in range(0, 40, 10)
    ]
    history = conv.fit(
        wrapped,
        batches,
        cross_entropy,
        optimizer,
        epochs,
        validation=[(images[:20], labels[:20])],
        snapshots=True,
        checkpoint=checkpoint,
    )
    return net, history


def record(history: conv.History) -> dict:
    """Return what the test compares, in a form that JSON can store."""
    names = [*history.best, *history.snapshots[-1]]
    return {
        "losses": history.losses,
        "validation": history.validation_losses,
        "names": names,
        "weights": history.snapshots[-1]["4.weight"].tolist(),
    }


if __name__ == "__main__":
    folder = Path(sys.argv[1])
    dist.init_process_group("gloo")
    runs = {}
    train(folder / "two.pt", 2, dropout=0.3)
    runs["resumed"] = record(train(folder / "two.pt", 4, dropout=0.3)[1])
    runs["uninterrupted"] = record(train(None, 4, dropout=0.3)[1])
    runs["from one"] = record(train(folder / "one.pt", 4)[1])
    train(folder / "for_one.pt", 2)
    if dist.get_rank() == 0:
        print(json.dumps(runs))
    dist.barrier()
    dist.destroy_process_group()
