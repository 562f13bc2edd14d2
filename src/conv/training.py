"""The training loop that all chapters share, and the evaluation of a net."""

import math
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path

import torch
import torch.distributed as dist
from torch import Tensor, nn
from torch.nn.parallel import DistributedDataParallel
from torch.optim.lr_scheduler import LRScheduler
from tqdm.std import tqdm  # tqdm.auto would add a widget to the notebook's outputs

from conv.checkpoints import RNGState, is_distributed, read_checkpoint, write_checkpoint
from conv.history import CheckpointError, DivergenceError, History

Batches = Iterable[tuple[Tensor, Tensor]]
Measure = Callable[[Tensor, Tensor], Tensor]


def fit(
    net: nn.Module,
    batches: Batches,
    loss: Measure,
    optimizer: torch.optim.Optimizer,
    epochs: int,
    callback: Callable[[int, History], None] | None = None,
    snapshots: bool = False,
    validation: Batches | None = None,
    metric: Measure | None = None,
    scheduler: LRScheduler | None = None,
    checkpoint: str | Path | None = None,
) -> History:
    """Train a net by gradient descent.

    Parameters
    ----------
    net : nn.Module
        Changed in place. Batches are moved to its device.
    batches : iterable of (inputs, targets)
        A list, `conv.make_loader` or a DataLoader, iterated over once per epoch.
    loss : callable
        ``loss(net(inputs), targets)`` returns the mean loss of the batch.
    optimizer : torch.optim.Optimizer
        Constructed with the net's parameters.
    epochs : int
        Number of passes over `batches`, at least 1.
    callback : callable, optional
        ``callback(epoch, history)`` is called after every epoch, counted from 1.
    snapshots : bool
        Whether to record the parameters before training and after every epoch.
    validation : iterable of (inputs, targets), optional
        Evaluated after every epoch. The History keeps the weights with the
        lowest validation loss.
    metric : callable, optional
        Such as `conv.accuracy`; computed on `validation` in addition to the loss.
    scheduler : LRScheduler, optional
        Its ``step`` is called once per batch, not once per epoch.
    checkpoint : str or Path, optional
        File to which the run is saved after every epoch. If the file exists, the run
        resumes from it, including the learning rate, and ends with the same weights as
        without interruption. Under ``torchrun``, all processes must have access to it.

    Returns
    -------
    History
        Also returned after Ctrl-C, with `interrupted` set.

    Raises
    ------
    TypeError, ValueError
        If an argument has the wrong type or doesn't fit the others, if `loss` doesn't
        return one number, or if there are no batches.
    DivergenceError, CheckpointError
        If a loss isn't finite, or the checkpoint can't be written.

    Notes
    -----
    Any error raised during training has the run so far in its attribute `history`.
    Under ``torchrun``, with a net in DistributedDataParallel, losses and metrics are
    means over all processes, and the first process writes the checkpoint.
    """
    plain_net = net.module if isinstance(net, DistributedDataParallel) else net
    history = History(epochs)
    rng = RNGState(device_of(net), getattr(batches, "generator", None))
    run = {"net": plain_net, "optimizer": optimizer, "history": history, "rng": rng}
    if scheduler is not None:
        run["scheduler"] = scheduler
    if checkpoint is not None and Path(checkpoint).exists():
        read_checkpoint(Path(checkpoint), run)
    if snapshots and not history.snapshots:
        history.snapshots.append(to_cpu(dict(plain_net.named_parameters())))
    try:
        for epoch in remaining_epochs(history):
            mean_loss = train_epoch(net, batches, loss, optimizer, scheduler)
            history.losses.append(mean_loss)
            if snapshots:
                history.snapshots.append(to_cpu(dict(plain_net.named_parameters())))
            if not math.isfinite(mean_loss):
                raise DivergenceError(
                    f"the loss is {mean_loss} in epoch {epoch}; expected a finite "
                    f"number. Start again with a learning rate below "
                    f"{optimizer.param_groups[0]['lr']:g}"
                    f"{' and a new checkpoint' if checkpoint else ''}."
                )
            if validation is not None:
                measures = [loss] if metric is None else [loss, metric]
                means = mean_measures(plain_net, validation, measures, "validation")
                history.validation_losses.append(means[0])
                history.metrics += means[1:]
                if history.best_epoch == len(history.validation_losses):
                    history.best = to_cpu(plain_net.state_dict())
            if callback is not None:
                callback(epoch, history)
            if checkpoint is not None:
                save_checkpoint(Path(checkpoint), run)
    except KeyboardInterrupt:
        history.interrupted = True
        tqdm.write(f"Interrupted: {history}", file=sys.stderr)
    except Exception as error:
        error.history = history  # nothing already computed is lost
        raise
    return history


def train_epoch(
    net: nn.Module,
    batches: Batches,
    loss: Measure,
    optimizer: torch.optim.Optimizer,
    scheduler: LRScheduler | None = None,
) -> float:
    """Update the net once per batch; return the mean loss over all examples."""
    device = device_of(net)
    net.train()
    total, examples = 0.0, 0
    for inputs, targets in iter_batches(batches, "batches"):
        batch_loss = loss(net(inputs.to(device)), targets.to(device))
        total += summed(batch_loss, len(inputs))  # on the device: no waiting for it
        examples += len(inputs)
        optimizer.zero_grad()
        batch_loss.backward()
        optimizer.step()
        if scheduler is not None:
            scheduler.step()
    return all_reduce_mean(total[None], examples)[0]


def evaluate(net: nn.Module, batches: Batches, *measures: Measure) -> list[float]:
    """Evaluate a net on batches, without changing the net.

    Parameters
    ----------
    net : nn.Module
        Put into evaluation mode, and afterwards back into the mode it was in.
    batches : iterable of (inputs, targets)
        As in `fit`.
    *measures : callable
        A loss or `conv.accuracy`, for example: ``measure(net(inputs), targets)``
        returns the mean over a batch.

    Returns
    -------
    list of float
        The mean of each measure over all examples.

    Raises
    ------
    TypeError, ValueError
        If an argument has the wrong type, if a measure doesn't return one number, or if
        there are no batches.
    """
    return mean_measures(net, batches, measures, "batches")


def accuracy(output: Tensor, labels: Tensor) -> Tensor:
    """Compute the fraction of examples whose correct class has the largest score.

    Parameters
    ----------
    output : Tensor, shape (N, classes)
        One score per class for each example.
    labels : Tensor, shape (N,)
        Correct classes.

    Returns
    -------
    Tensor, shape ()
        From 0 to 1.

    Raises
    ------
    TypeError, ValueError
        If an argument isn't a tensor of that shape, or if their lengths differ.
    """
    return (output.argmax(dim=1) == labels).float().mean()


def mean_measures(
    net: nn.Module, batches: Batches, measures: Sequence[Measure], name: str
) -> list[float]:
    """Average measures over all examples; `name` is what errors call the batches."""
    device, was_training = device_of(net), net.training
    net.eval()
    totals, examples = 0.0, 0
    try:
        with torch.no_grad():
            for inputs, targets in iter_batches(batches, name):
                outputs, targets = net(inputs.to(device)), targets.to(device)
                values = [measure(outputs, targets) for measure in measures]
                totals += torch.stack([summed(v, len(inputs)) for v in values])
                examples += len(inputs)
    finally:  # after Ctrl-C, too
        net.train(was_training)
    return all_reduce_mean(totals, examples)


def remaining_epochs(history: History) -> Iterable[int]:
    """Count from the first epoch that isn't in the history, with a progress bar."""
    done, last = len(history.losses), history.epochs
    epochs = range(done + 1, last + 1)
    return tqdm(epochs, desc="fit", unit="epoch", initial=done, total=last, leave=False)


def iter_batches(batches: Batches, name: str) -> Iterator[tuple[Tensor, Tensor]]:
    """Iterate over batches, and require at least one."""
    batch = None
    for batch in batches:
        if not isinstance(batch, tuple | list) or len(batch) != 2:
            kind, wanted = type(batch).__name__, "pairs (inputs, targets)"
            raise TypeError(f"{name} contains a {kind}; expected {wanted}")
        yield batch
    if batch is None:
        raise ValueError(f"{name} is empty; expected at least one batch")


def summed(mean: Tensor, count: int) -> Tensor:
    """Turn the mean over a batch into a sum, in float32 or better."""
    tensor = isinstance(mean, Tensor)
    if not tensor or mean.ndim:
        found = f"a tensor of shape {tuple(mean.shape)}" if tensor else mean
        raise ValueError(f"a loss or metric returned {found}; expected a scalar tensor")
    return count * mean.detach().to(torch.promote_types(mean.dtype, torch.float32))


def all_reduce_mean(totals: Tensor, examples: int) -> list[float]:
    """Divide sums by the number of examples, both added up over all processes."""
    sums = torch.cat([totals, totals.new_tensor([examples])])
    if is_distributed():
        dist.all_reduce(sums)
    *totals, examples = sums.tolist()
    return [total / examples for total in totals]


def save_checkpoint(path: Path, run: dict) -> None:
    """Write the checkpoint; explain what to do if it can't be written."""
    try:
        write_checkpoint(path, run)
    except OSError as error:
        raise CheckpointError(
            f"checkpoint {path} can't be written ({error.strerror}). The previous "
            f"checkpoint, if there is one, is intact: free some disk space and call "
            f"conv.fit again to resume from it."
        ) from error


def device_of(net: nn.Module) -> torch.device:
    """Return the device of a net's parameters, the CPU if it has none."""
    return next((p.device for p in net.parameters()), torch.device("cpu"))


def to_cpu(tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    """Copy tensors to the CPU."""
    return {name: t.detach().to("cpu", copy=True) for name, t in tensors.items()}
