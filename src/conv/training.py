"""The one training loop, and the record that it keeps."""

import math
import sys
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from types import NoneType

import torch
import torch.distributed as dist
from torch import Tensor, nn
from torch.optim.lr_scheduler import LRScheduler, ReduceLROnPlateau
from tqdm.std import tqdm  # tqdm.auto would draw a widget, which is not text

from conv.checkpoints import RandomStates, read_checkpoint, write_checkpoint
from conv.checks import (
    check_count,
    check_device,
    check_is,
    check_labels,
    check_not_meta,
    check_real,
    check_same_length,
    check_tensor,
)

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
    validation_losses : list of float
        One a finished epoch, if there was validation: the mean after the epoch.
    metrics : list of float
        Likewise, the metric, if there was one.
    best : dict of str to Tensor
        The net's state on the CPU after the epoch of the lowest validation loss:
        ``net.load_state_dict(history.best)`` goes back to it.
    snapshots : list of dict
        Copies of the net's parameters on the CPU, before the first epoch and after
        each, if they were asked for.
    interrupted : bool
        True if Ctrl-C (or Jupyter's stop button) ended the run early.

    Raises
    ------
    TypeError, ValueError
        If `epochs` is not an int, or less than 1.
    """

    epochs: int
    losses: list[float] = field(default_factory=list)
    validation_losses: list[float] = field(default_factory=list)
    metrics: list[float] = field(default_factory=list)
    best: dict[str, Tensor] = field(default_factory=dict)
    snapshots: list[dict[str, Tensor]] = field(default_factory=list)
    interrupted: bool = False

    def __post_init__(self) -> None:
        """Refuse what is no number of epochs."""
        check_count("epochs", self.epochs)

    @property
    def best_epoch(self) -> int:
        """The epoch of the lowest validation loss, the first being 1; 0 for none."""
        finite = [loss for loss in self.validation_losses if math.isfinite(loss)]
        return self.validation_losses.index(min(finite)) + 1 if finite else 0

    def __repr__(self) -> str:
        """Say how far the run came, and where its losses are."""
        last = f", last loss {self.losses[-1]:.3f}" if self.losses else ""
        best = ""
        if self.best_epoch:
            lowest = self.validation_losses[self.best_epoch - 1]
            best = f", best validation loss {lowest:.3f} in epoch {self.best_epoch}"
        mark = ", INTERRUPTED" if self.interrupted else ""
        return f"History({len(self.losses)} of {self.epochs} epochs{last}{best}{mark})"

    def state_dict(self) -> dict:
        """Tell what a checkpoint keeps: all that was recorded."""
        asked = ("epochs", "interrupted")
        return {name: value for name, value in vars(self).items() if name not in asked}

    def load_state_dict(self, state: dict) -> None:
        """Take back what was recorded."""
        vars(self).update(state)


class UnfinishedError(Exception):
    """Training had to stop; `history` holds the run so far."""

    def __init__(self, message: str, history: History) -> None:
        super().__init__(message)
        self.history = history


class DivergenceError(UnfinishedError, ArithmeticError):
    """The loss is no longer a finite number; `history` holds the run so far."""


class CheckpointError(UnfinishedError, OSError):
    """The checkpoint can't be written; `history` holds the run so far."""


def fit(
    net: nn.Module,
    batches: Batches,
    loss: Loss,
    optimizer: torch.optim.Optimizer,
    epochs: int,
    callback: Callable[[int, History], None] | None = None,
    snapshots: bool = False,
    validation: Batches | None = None,
    metric: Loss | None = None,
    scheduler: LRScheduler | None = None,
    checkpoint: str | Path | None = None,
) -> History:
    """Train a net: for each epoch, for each batch, one step downhill.

    Parameters
    ----------
    net : nn.Module
        Changed in place. Batches are moved to its device.
    batches : iterable of (inputs, targets)
        A list, `conv.batches` or a DataLoader: it is walked through once an epoch.
    loss : callable
        ``loss(net(inputs), targets)`` gives one number, the batch's mean.
    optimizer : torch.optim.Optimizer
        Made over the net's parameters.
    epochs : int
        How often to walk through `batches`, at least once.
    callback : callable, optional
        ``callback(epoch, history)`` is called after each epoch, the first being 1.
    snapshots : bool
        Whether the History keeps a copy of the parameters after each epoch.
    validation : iterable of (inputs, targets), optional
        Measured after each epoch. The History keeps the weights that did best.
    metric : callable, optional
        Measured on `validation` besides the loss: `conv.accuracy`, for instance.
    scheduler : LRScheduler, optional
        Makes one step after each batch (not each epoch).
    checkpoint : str or Path, optional
        A file that keeps the run after each epoch. If it is there, the run goes on
        from it, and ends with the weights that it would have had without a stop.

    Returns
    -------
    History
        Also after Ctrl-C: then it is marked as interrupted.

    Raises
    ------
    TypeError, ValueError
        If an argument is of a wrong kind, `optimizer` or `scheduler` is made over
        something else, `loss` gives no single number with a gradient, or `batches`
        gives nothing.
    DivergenceError, CheckpointError
        If an epoch's loss is not finite; if the checkpoint can't be written. The
        error's `history` keeps the run.

    Notes
    -----
    Under ``torchrun``, losses and metrics are means over all processes.
    """
    check_kinds(net, batches, loss, optimizer, snapshots)
    check_plan(epochs, callback, validation, metric, scheduler, checkpoint)
    history = History(epochs)
    random = RandomStates(device_of(net), getattr(batches, "generator", None))
    check_optimizer(optimizer, net, scheduler)
    parts = {"net": net, "optimizer": optimizer, "history": history, "random": random}
    parts |= {} if scheduler is None else {"scheduler": scheduler}
    if checkpoint is not None and Path(checkpoint).exists():
        read_checkpoint(Path(checkpoint), parts)
    if snapshots and not history.snapshots:
        history.snapshots.append(parameters_of(net))
    try:
        for epoch in epochs_to_do(history):
            history.losses.append(train_epoch(net, batches, loss, optimizer, scheduler))
            if snapshots:
                history.snapshots.append(parameters_of(net))
            check_finite(epoch, optimizer, history)
            if validation is not None:
                validate(net, validation, loss, metric, history)
            if callback is not None:
                callback(epoch, history)
            if checkpoint is not None:
                keep(Path(checkpoint), parts, history)
    except KeyboardInterrupt:
        history.interrupted = True
        tqdm.write(f"Interrupted: {history}", file=sys.stderr)
    return history


def epochs_to_do(history: History) -> Iterable[int]:
    """Count from the first epoch that is not in the history, showing progress."""
    done, last = len(history.losses), history.epochs
    todo = range(done + 1, last + 1)
    return tqdm(todo, desc="fit", unit="epoch", initial=done, total=last)


def train_epoch(
    net: nn.Module,
    batches: Batches,
    loss: Loss,
    optimizer: torch.optim.Optimizer,
    scheduler: LRScheduler | None = None,
) -> float:
    """Walk through the batches once, with a step downhill at each.

    Parameters
    ----------
    net, batches, loss, optimizer, scheduler
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
    device = device_of(net)
    net.train()
    total, examples = 0.0, 0
    for inputs, targets in pairs(batches):
        error = loss(net(inputs.to(device)), targets.to(device))
        check_scalar("loss", error)
        check_slope(error)
        optimizer.zero_grad()
        error.backward()
        optimizer.step()
        if scheduler is not None:
            scheduler.step()
        total += error.detach() * len(inputs)  # stays on the device: no waiting
        examples += len(inputs)
    check_examples(examples)
    return mean_over_processes(total[None], examples)[0]


def evaluate(net: nn.Module, batches: Batches, *measures: Loss) -> list[float]:
    """Measure a net on batches, without changing it.

    Parameters
    ----------
    net : nn.Module
        Run in evaluation mode, and put back into the mode that it was in.
    batches : iterable of (inputs, targets)
        As in `fit`.
    *measures : callable
        Each gives one number for a batch, ``measure(net(inputs), targets)``: a loss,
        `conv.accuracy`.

    Returns
    -------
    list of float
        The mean of each measure over all examples.

    Raises
    ------
    TypeError, ValueError
        If an argument is of a wrong kind, there is no measure, one gives more than one
        number, or `batches` gives nothing.
    """
    check_is("net", net, nn.Module)
    check_is("batches", batches, Iterable)
    if not measures:
        raise ValueError("measures are none; expected at least one")
    for measure in measures:
        check_is("a measure", measure, Callable)
    device, was_training = device_of(net), net.training
    net.eval()
    totals, examples = 0.0, 0
    try:
        with torch.no_grad():
            for inputs, targets in pairs(batches):
                output, wanted = net(inputs.to(device)), targets.to(device)
                values = [measure(output, wanted) for measure in measures]
                for value in values:
                    check_scalar("a measure", value)
                totals = totals + torch.stack(values) * len(inputs)
                examples += len(inputs)
    finally:  # Ctrl-C, too
        net.train(was_training)
    check_examples(examples)
    return mean_over_processes(totals, examples)


def accuracy(output: Tensor, labels: Tensor) -> Tensor:
    """Count how often the largest output is that of the right class.

    Parameters
    ----------
    output : Tensor
        (N, classes): one score for each class.
    labels : Tensor
        (N,): the right classes.

    Returns
    -------
    Tensor
        One number from 0 to 1.

    Raises
    ------
    TypeError, ValueError
        If an argument is not such a tensor, or there are more of one than of the other.
    """
    check_tensor("output", output, ("examples", "classes"))
    check_labels(labels)
    check_same_length("labels", labels, "rows of output", len(output))
    check_device("labels", labels, output, "output")
    return (output.argmax(dim=1) == labels).float().mean()


def validate(
    net: nn.Module,
    validation: Batches,
    loss: Loss,
    metric: Loss | None,
    history: History,
) -> None:
    """Measure the net after an epoch; keep its weights if it was never better."""
    measures = [loss] if metric is None else [loss, metric]
    error, *metrics = evaluate(net, validation, *measures)
    history.validation_losses.append(error)
    history.metrics += metrics
    if history.best_epoch == len(history.validation_losses):
        history.best = copied(net.state_dict())


def mean_over_processes(totals: Tensor, examples: int) -> list[float]:
    """Divide sums by the number of examples, both added up over all processes."""
    sums = torch.cat([totals, totals.new_tensor([examples])])
    if dist.is_available() and dist.is_initialized():
        dist.all_reduce(sums)
    *totals, examples = sums.tolist()
    return [total / examples for total in totals]


def keep(path: Path, parts: dict, history: History) -> None:
    """Write the checkpoint, or say why not and hand over the history."""
    try:
        write_checkpoint(path, parts)
    except OSError as error:
        raise CheckpointError(
            f"checkpoint {path} can't be written ({error.strerror}); the one before "
            f"it, if any, is whole. Make room, and call conv.fit again: it goes on "
            f"from there. The error's .history keeps the run so far.",
            history,
        ) from error


def device_of(net: nn.Module) -> torch.device:
    """Tell where a net's parameters are."""
    for parameter in net.parameters():
        check_not_meta("net", parameter)
        return parameter.device
    raise ValueError("net has no parameters; expected something to train")


def parameters_of(net: nn.Module) -> dict[str, Tensor]:
    """Copy a net's parameters to the CPU, by name."""
    return copied(dict(net.named_parameters()))


def copied(tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    """Copy tensors to the CPU, by name."""
    return {name: t.detach().to("cpu", copy=True) for name, t in tensors.items()}


def pairs(batches: Batches) -> Iterable[tuple[Tensor, Tensor]]:
    """Walk through the batches, or say that they are no pairs."""
    for batch in batches:
        if not isinstance(batch, tuple | list) or len(batch) != 2:
            raise TypeError(
                f"batches gave a {type(batch).__name__}; expected a pair, (inputs, "
                f"targets)"
            )
        for name, part in zip(("inputs", "targets"), batch, strict=True):
            check_is(f"what batches gave as {name}", part, Tensor)
        yield batch


def check_kinds(
    net: nn.Module,
    batches: Batches,
    loss: Loss,
    optimizer: torch.optim.Optimizer,
    snapshots: bool,
) -> None:
    """Refuse what is no net, no batches, no loss, no optimizer or no choice."""
    check_is("snapshots", snapshots, bool)
    check_is("net", net, nn.Module)
    check_is("batches", batches, Iterable)
    check_is("loss", loss, Callable)
    check_is("optimizer", optimizer, torch.optim.Optimizer)
    if isinstance(loss, type):
        raise TypeError(
            f"loss is the class {loss.__name__}; expected an object: {loss.__name__}()"
        )


def check_optimizer(
    optimizer: torch.optim.Optimizer, net: nn.Module, scheduler: LRScheduler | None
) -> None:
    """Refuse an optimizer that would not train the net, or would spoil it at once."""
    if isinstance(optimizer, torch.optim.LBFGS):
        raise TypeError("optimizer is an LBFGS; expected one that takes no closure")
    mine, groups = set(net.parameters()), optimizer.param_groups
    if mine.isdisjoint(p for group in groups for p in group["params"]):
        raise ValueError(
            "optimizer is made over other parameters; expected one over the net's"
        )
    for rate in (group["lr"] for group in groups):
        if not math.isfinite(rate):
            raise ValueError(f"optimizer has the rate {rate}; expected a finite one")
    if scheduler is not None and scheduler.optimizer is not optimizer:
        raise ValueError(
            "scheduler is made over another optimizer; expected one over this one"
        )


def check_plan(
    epochs: int,
    callback: Callable | None,
    validation: Batches | None,
    metric: Loss | None,
    scheduler: LRScheduler | None,
    checkpoint: str | Path | None,
) -> None:
    """Refuse what would fail only after an epoch's work, or do nothing."""
    check_count("epochs", epochs)
    check_is("callback", callback, Callable, NoneType)
    check_is("validation", validation, Iterable, NoneType)
    check_is("metric", metric, Callable, NoneType)
    check_is("scheduler", scheduler, LRScheduler, NoneType)
    check_is("checkpoint", checkpoint, str, Path, NoneType)
    if metric is not None and validation is None:
        raise ValueError("metric came without validation; expected batches for it")
    if isinstance(scheduler, ReduceLROnPlateau):
        raise TypeError(
            "scheduler is a ReduceLROnPlateau; expected one that makes a step after "
            "each batch without looking at a loss"
        )
    if checkpoint is not None and not Path(checkpoint).parent.is_dir():
        raise ValueError(
            f"checkpoint is {str(checkpoint)!r}; expected a file in a folder that is "
            f"there"
        )


def check_scalar(name: str, error: Tensor) -> None:
    """Refuse a loss that is not one number."""
    check_real(f"{name}'s value", error)
    if error.dim() != 0:
        raise ValueError(
            f"{name} gave a tensor of shape {tuple(error.shape)}; expected one number: "
            f"end it with .sum() or .mean()"
        )


def check_slope(error: Tensor) -> None:
    """Refuse a loss without a gradient: nothing would be learned."""
    if not error.requires_grad:
        raise ValueError(
            f"loss gave {error:g} without a gradient; expected a number computed from "
            f"the net's output, whose parameters ask for gradients"
        )


def check_examples(examples: int) -> None:
    """Refuse batches that gave nothing."""
    if examples == 0:
        raise ValueError(
            "batches gave no batch in this epoch; expected a list or a DataLoader, "
            "which can be walked through again (a generator can't)"
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
