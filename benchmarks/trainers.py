"""Peers of conv.fit: one epoch of LeNet with the Trainers of d2l and Lightning."""

import logging
from collections.abc import Callable, Iterable

import pytorch_lightning as lightning
import torch
import torch.nn.functional as F
from d2l import torch as d2l

import conv

Batches = Iterable[tuple[torch.Tensor, torch.Tensor]]
# Lightning would print advertisements.
logging.getLogger("pytorch_lightning").setLevel("ERROR")


class D2lLeNet(d2l.Classifier):
    """LeNet for d2l's Trainer."""

    def __init__(self) -> None:
        super().__init__()
        self.net, self.lr = conv.lenet(), 0.01
        self.board.display = False


class LightningLeNet(lightning.LightningModule):
    """LeNet for Lightning's Trainer."""

    def __init__(self) -> None:
        super().__init__()
        self.net = conv.lenet()

    def training_step(self, batch: list[torch.Tensor]) -> torch.Tensor:
        """Compute the loss of a batch."""
        x, y = batch
        return F.cross_entropy(self.net(x), y)

    def configure_optimizers(self) -> torch.optim.Optimizer:
        """Return the same optimizer that the other trainers use."""
        return torch.optim.SGD(self.parameters(), lr=0.01)


def d2l_epoch(batches: Batches) -> Callable[[], None]:
    """Prepare an epoch of d2l's Trainer."""
    data = d2l.DataModule()
    data.get_dataloader = lambda train: batches if train else None
    model = D2lLeNet()
    return lambda: d2l.Trainer(max_epochs=1).fit(model, data)


def lightning_epoch(batches: Batches) -> Callable[[], None]:
    """Prepare an epoch of Lightning's Trainer, without its extras."""
    extras = ["logger", "enable_checkpointing", "enable_progress_bar"]
    options = dict.fromkeys([*extras, "enable_model_summary"], False)
    model = LightningLeNet()

    def train() -> None:
        trainer = lightning.Trainer(max_epochs=1, accelerator="cpu", **options)
        trainer.fit(model, batches)

    return train
