"""Train LeNet in processes: torchrun --nproc-per-node 2 train_ddp.py."""

import argparse
import os

import torch
import torch.distributed as dist
import torch.distributed.nn  # before there is a group, or it keeps it
from torch.nn.functional import cross_entropy
from torch.nn.parallel import DistributedDataParallel

import conv


class Shard:
    """One process's share of every batch; all make the same batches."""

    def __init__(self, batches, rank, world):
        self.batches, self.rank, self.world = batches, rank, world

    def __iter__(self):
        """Iterate over the shares, which must all have the same size."""
        for images, labels in self.batches:
            n = len(images)
            if n % self.world:
                raise ValueError(f"{n} images for {self.world} processes")
            mine = slice(self.rank, None, self.world)
            yield images[mine].to(dtype), labels[mine]


parser = argparse.ArgumentParser(description=__doc__)
parser.add_argument("--epochs", type=int, default=6)
parser.add_argument("--batch-size", type=int, default=100, help="in total")
parser.add_argument("--checkpoint", help="the file to save to, or resume from")
parser.add_argument("--double", action="store_true", help="use float64")
options = parser.parse_args()

rank = int(os.getenv("RANK", "0"))
world = int(os.getenv("WORLD_SIZE", "1"))
device = conv.default_device()
if device.type != "cpu":  # one accelerator per process
    device = torch.device(device.type, int(os.getenv("LOCAL_RANK", "0")))
    torch.accelerator.set_device_index(device.index)

conv.seed_everything(0)  # the same weights and batches in all processes
dtype = torch.float64 if options.double else torch.float32
net = conv.lenet().to(device, dtype)
if world > 1:
    dist.init_process_group(dist.get_default_backend_for_device(device))
    net = DistributedDataParallel(net)

digits, size = conv.load_digits28(), options.batch_size
batches = conv.make_loader(digits.train, size, shuffle=True, device=device)
validation = conv.make_loader(digits.validation, 500, device=device)
optimizer = torch.optim.AdamW(net.parameters())
history = conv.fit(
    net,
    Shard(batches, rank, world),
    cross_entropy,
    optimizer,
    options.epochs,
    scheduler=torch.optim.lr_scheduler.OneCycleLR(
        optimizer, 0.002, options.epochs * len(batches)
    ),
    validation=Shard(validation, 0, 1),
    metric=conv.accuracy,
    checkpoint=options.checkpoint,
)
if rank == 0:
    for loss, validation_loss, accuracy in zip(
        history.losses, history.validation_losses, history.metrics, strict=True
    ):
        print(f"{loss:.7f}, validation {validation_loss:.7f}, ", end="")
        print(f"accuracy {accuracy:.3f}")
if world > 1:  # a thread of the group that still runs at exit would abort
    del net  # it holds the group
    dist.destroy_process_group()
