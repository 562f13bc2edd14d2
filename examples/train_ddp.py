"""Train LeNet by ``torchrun --nproc-per-node 2`` as plain ``python`` would alone."""

import argparse
import os

import torch
import torch.distributed as dist
import torch.distributed.nn  # before there is a group, or it keeps it
from torch.nn.functional import cross_entropy
from torch.nn.parallel import DistributedDataParallel

import conv


class Shard:
    """One process's share of every batch; all processes cut the same batches."""

    def __init__(self, batches: conv.TensorBatches, rank: int, world: int) -> None:
        self.batches, self.rank, self.world = batches, rank, world

    def __iter__(self):
        """Iterate over the shares, which must have one size in all processes."""
        for images, labels in self.batches:
            if len(images) % self.world:
                raise ValueError(f"{len(images)} images for {self.world} processes")
            mine = slice(self.rank, None, self.world)
            yield images[mine].to(dtype), labels[mine]


parser = argparse.ArgumentParser(description=__doc__)
parser.add_argument("--epochs", type=int, default=6)
parser.add_argument("--batch-size", type=int, default=100, help="of all processes")
parser.add_argument("--checkpoint", help="save the run to this file, or resume it")
parser.add_argument("--double", action="store_true", help="use float64")
options = parser.parse_args()
rank, world = int(os.getenv("RANK", "0")), int(os.getenv("WORLD_SIZE", "1"))
device = conv.default_device()
if device.type != "cpu":  # one accelerator per process
    device = torch.device(device.type, int(os.getenv("LOCAL_RANK", "0")))
    torch.accelerator.set_device_index(device.index)
conv.seed_everything(0)  # the same initial weights and batches in all processes
dtype = torch.float64 if options.double else torch.float32
net = conv.lenet().to(device, dtype)
if world > 1:
    dist.init_process_group(dist.get_default_backend_for_device(device))
    net = DistributedDataParallel(net)
digits, size = conv.load_digits28(), options.batch_size
batches = conv.make_loader(digits.train, size, shuffle=True, device=device)
validation = Shard(conv.make_loader(digits.validation, 500, device=device), 0, 1)
optimizer, steps = torch.optim.AdamW(net.parameters()), options.epochs * len(batches)
scheduler = torch.optim.lr_scheduler.OneCycleLR(optimizer, 0.002, steps)
task = (Shard(batches, rank, world), cross_entropy, optimizer, options.epochs)
also = {"validation": validation, "metric": conv.accuracy, "scheduler": scheduler}
history = conv.fit(net, *task, checkpoint=options.checkpoint, **also)
rows = zip(history.losses, history.validation_losses, history.metrics, strict=True)
for loss, validation_loss, accuracy in rows if rank == 0 else []:
    print(f"{loss:.7f}, validation {validation_loss:.7f}, accuracy {accuracy:.3f}")
if world > 1:  # a thread of the group that is still running at exit would abort
    del net  # it holds the group
    dist.destroy_process_group()
