"""Train LeNet in parallel: torchrun --nproc-per-node 2 train_ddp.py."""

import argparse
import os
import time

import torch
import torch.distributed as dist
import torch.distributed.nn  # if imported later, it would hold the group
from torch.distributed.fsdp import fully_shard
from torch.nn.functional import cross_entropy
from torch.nn.parallel import DistributedDataParallel

import conv


class Share:
    """One process's share of every batch; all shares have the same size."""

    def __init__(self, batches, rank, world_size):
        self.batches, self.rank, self.world_size = batches, rank, world_size

    def __iter__(self):
        for images, labels in self.batches:
            n, P = len(images), self.world_size
            if n % P:
                raise ValueError(
                    f"can't divide {n} images evenly among {P} processes"
                )
            mine = slice(self.rank, None, P)
            yield images[mine].to(dtype), labels[mine]


parser = argparse.ArgumentParser(description=__doc__)
parser.add_argument("--epochs", type=int, default=6)
parser.add_argument("--batch-size", type=int, default=100, help="in total")
parser.add_argument("--checkpoint", help="file to save to, or to resume from")
parser.add_argument("--double", action="store_true", help="use float64")
parser.add_argument("--fsdp", action="store_true", help="shard the parameters")
parser.add_argument("--details", action="store_true", help="print more")
options = parser.parse_args()
if options.fsdp and options.checkpoint:
    parser.error("--checkpoint doesn't work with --fsdp")
dtype = torch.float64 if options.double else torch.float32

rank = int(os.getenv("RANK", "0"))  # torchrun sets these variables
world_size = int(os.getenv("WORLD_SIZE", "1"))
device = conv.default_device()
if device.type != "cpu":  # one accelerator per process
    device = torch.device(device.type, int(os.getenv("LOCAL_RANK", "0")))
    torch.accelerator.set_device_index(device.index)
if world_size > 1:
    dist.init_process_group(dist.get_default_backend_for_device(device))

conv.seed_everything(0)  # the same weights and batches in all processes
net = conv.lenet().to(device, dtype)
if world_size > 1 and not options.fsdp:
    net = DistributedDataParallel(net)
if options.fsdp:
    for layer in net:
        if list(layer.parameters()):
            fully_shard(layer)
    fully_shard(net)

digits = conv.load_digits28()
batches = conv.make_loader(
    digits.train, options.batch_size, shuffle=True, device=device
)
validation = conv.make_loader(digits.validation, 500, device=device)
optimizer = torch.optim.AdamW(net.parameters())
scheduler = torch.optim.lr_scheduler.OneCycleLR(
    optimizer, 0.002, options.epochs * len(batches)
)
start = time.perf_counter()
history = conv.fit(
    net,
    Share(batches, rank, world_size),
    cross_entropy,
    optimizer,
    options.epochs,
    scheduler=scheduler,
    validation=Share(validation, 0, 1),
    metric=conv.accuracy,
    checkpoint=options.checkpoint,
)
seconds = (time.perf_counter() - start) / options.epochs

if rank == 0:
    rows = history.losses, history.validation_losses, history.metrics
    for loss, other, accuracy in zip(*rows, strict=True):
        print(f"{loss:.7f}, validation {other:.7f}, accuracy {accuracy:.3f}")
    if options.details:
        stored = net.parameters()
        if options.fsdp:
            stored = [p.to_local() for p in stored]
        print(f"{sum(p.numel() for p in stored):,} parameters per process")
        print(f"{seconds:.3f} seconds per epoch")
if world_size > 1:  # a thread still running at exit would abort
    del net  # it holds a reference to the group
    dist.destroy_process_group()
