"""The record that a training run keeps, and the errors that end one."""

import math
from dataclasses import dataclass, field

from torch import Tensor


@dataclass(eq=False)  # == of tensors has no single truth value
class History:
    """The record of a training run, finished or not.

    Attributes
    ----------
    epochs : int
        Number of epochs requested.
    losses : list of float
        One entry per completed epoch: the mean training loss over all examples, with
        each batch's loss computed before its update.
    validation_losses, metrics : list of float
        One entry per completed epoch: the mean over the validation examples, computed
        after the epoch. Empty if there was no validation data or no metric.
    best : dict of str to Tensor
        State of the net, on the CPU, after the epoch with the lowest validation loss.
        ``net.load_state_dict(history.best)`` restores it.
    snapshots : list of dict
        Parameters of the net, on the CPU, before training and after every epoch, if
        they were requested.
    interrupted : bool
        Whether Ctrl-C (or Jupyter's stop button) ended the run early.
    """

    epochs: int
    losses: list[float] = field(default_factory=list)
    validation_losses: list[float] = field(default_factory=list)
    metrics: list[float] = field(default_factory=list)
    best: dict[str, Tensor] = field(default_factory=dict)
    snapshots: list[dict[str, Tensor]] = field(default_factory=list)
    interrupted: bool = False

    @property
    def best_epoch(self) -> int:
        """Epoch with the lowest validation loss, counted from 1; 0 if there is none."""
        finite = [loss for loss in self.validation_losses if math.isfinite(loss)]
        return self.validation_losses.index(min(finite)) + 1 if finite else 0

    def __repr__(self) -> str:
        """Return the number of epochs and the most important losses."""
        text = f"History({len(self.losses)} of {self.epochs} epochs"
        if self.losses:
            text += f", last loss {self.losses[-1]:.3f}"
        if self.best_epoch:
            lowest = self.validation_losses[self.best_epoch - 1]
            text += f", best validation loss {lowest:.3f} in epoch {self.best_epoch}"
        return text + (", INTERRUPTED)" if self.interrupted else ")")

    def state_dict(self) -> dict:
        """Return everything recorded, for a checkpoint."""
        settings = ("epochs", "interrupted")
        return {key: value for key, value in vars(self).items() if key not in settings}

    def load_state_dict(self, state_dict: dict) -> None:
        """Restore everything recorded."""
        vars(self).update(state_dict)


class TrainingError(Exception):
    """Raised when training can't continue. `history` holds the run so far."""

    history: History

    def __str__(self) -> str:
        """Add where to find the results so far."""
        where = "The losses so far are in the attribute `history` of this error."
        return f"{super().__str__()} {where}"


class DivergenceError(TrainingError, ArithmeticError):
    """Raised when the loss is infinite or nan. `history` holds the run so far."""


class CheckpointError(TrainingError, OSError):
    """Raised when the checkpoint can't be written. `history` holds the run so far."""
