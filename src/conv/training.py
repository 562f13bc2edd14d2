"""The one training loop, and the record that it keeps."""

import math
import sys
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

import torch
from torch import Tensor, nn
from tqdm.std import tqdm  # tqdm.auto would draw a widget, which is not text

Batches = Iterable[tuple[Tensor, Tensor]]
Loss = Callable[[Tensor, Tensor], Tensor]


@dataclass
class History:
    """What a training run recorded, whether it ended well or not.

    Attributes
    ----------
    epochs : int
        How many epochs were asked for.
    losses : list of float
        One a finished epoch: the mean of its batches' losses, each weighted by its
        number of examples, as computed before the batch's update.
    snapshots : list of dict
        Copies of the net's parameters on the CPU, before the first epoch and after
        each, if they were asked for.
    interrupted : bool
        True if Ctrl-C (or Jupyter's stop button) ended the run early.
    """

    epochs: int
    losses: list[float] = field(default_factory=list)
    snapshots: list[dict[str, Tensor]] = field(default_factory=list)
    interrupted: bool = False

    def __repr__(self) -> str:
        """Say how far the run came, and where its loss is."""
        last = f", last loss {self.losses[-1]:.3f}" if self.losses else ""
        mark = ", INTERRUPTED" if self.interrupted else ""
        return f"History({len(self.losses)} of {self.epochs} epochs{last}{mark})"


class DivergenceError(ArithmeticError):
    """The loss is no longer a finite number; `history` holds the run so far."""

    def __init__(self, message: str, history: History) -> None:
        super().__init__(message)
        self.history = history


def fit(
    net: nn.Module,
    batches: Batches,
    loss: Loss,
    optimizer: torch.optim.Optimizer,
    epochs: int,
    callback: Callable[[int, History], None] | None = None,
    snapshots: bool = False,
) -> History:
    """Train a net: for each epoch, for each batch, one step downhill.

    Parameters
    ----------
    net : nn.Module
        Changed in place. Batches are moved to its device.
    batches : iterable of (inputs, targets)
        A list or a DataLoader: something that can be walked once an epoch.
    loss : callable
        ``loss(net(inputs), targets)`` gives one number.
    optimizer : torch.optim.Optimizer
        Made over the net's parameters.
    epochs : int
        How often to walk through `batches`, at least once.
    callback : callable, optional
        ``callback(epoch, history)`` is called after each epoch, the first being 1.
    snapshots : bool
        Whether the History keeps a copy of the parameters after each epoch.

    Returns
    -------
    History
        Also after Ctrl-C: then it is marked as interrupted.

    Raises
    ------
    DivergenceError
        If an epoch's loss is not finite. The error's `history` keeps the run.
    """
    check_epochs(epochs)
    history = History(epochs)
    if snapshots:
        history.snapshots.append(parameters_of(net))
    try:
        for epoch in tqdm(range(1, epochs + 1), desc="fit", unit="epoch"):
            history.losses.append(train_epoch(net, batches, loss, optimizer))
            if snapshots:
                history.snapshots.append(parameters_of(net))
            check_finite(epoch, optimizer, history)
            if callback is not None:
                callback(epoch, history)
    except KeyboardInterrupt:
        history.interrupted = True
        tqdm.write(f"Interrupted: {history}", file=sys.stderr)
    return history


def train_epoch(
    net: nn.Module, batches: Batches, loss: Loss, optimizer: torch.optim.Optimizer
) -> float:
    """Walk through the batches once, with a step downhill at each.

    Parameters
    ----------
    net, batches, loss, optimizer
        As in `fit`.

    Returns
    -------
    float
        The mean loss of the epoch's examples, each seen before its batch's update.

    Raises
    ------
    ValueError
        If `loss` gives more than one number, or `batches` gives nothing.
    """
    device = next(net.parameters()).device
    net.train()
    total, examples = 0.0, 0
    for inputs, targets in batches:
        error = loss(net(inputs.to(device)), targets.to(device))
        check_scalar(error)
        optimizer.zero_grad()
        error.backward()
        optimizer.step()
        total += error.detach() * len(inputs)  # stays on the device: no waiting
        examples += len(inputs)
    if examples == 0:
        raise ValueError(
            "batches gave no batch in this epoch; expected a list or a DataLoader, "
            "which can be walked through again (a generator can't)"
        )
    return float(total) / examples


def parameters_of(net: nn.Module) -> dict[str, Tensor]:
    """Copy a net's parameters to the CPU, by name."""
    return {
        name: parameter.detach().to("cpu", copy=True)
        for name, parameter in net.named_parameters()
    }


def check_epochs(epochs: int) -> None:
    """Refuse a number of epochs that is not a positive int."""
    if not isinstance(epochs, int):
        raise TypeError(f"epochs is {epochs!r}; expected an int")
    if epochs < 1:
        raise ValueError(f"epochs is {epochs}; expected at least 1")


def check_scalar(error: Tensor) -> None:
    """Refuse a loss that is not one number."""
    if error.dim() != 0:
        raise ValueError(
            f"loss gave a tensor of shape {tuple(error.shape)}; expected one number: "
            f"end it with .sum() or .mean()"
        )


def check_finite(
    epoch: int, optimizer: torch.optim.Optimizer, history: History
) -> None:
    """Stop a run whose last loss is infinite or not a number."""
    if not math.isfinite(history.losses[-1]):
        rate = optimizer.param_groups[0]["lr"]
        raise DivergenceError(
            f"the loss is {history.losses[-1]} in epoch {epoch}; expected a finite "
            f"number. The learning rate is {rate:g}: try a smaller one. "
            f"The error's .history keeps the run so far.",
            history,
        )
