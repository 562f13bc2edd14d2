"""Checkpoints: save a training run to a file, and resume it from there."""

import io
import random
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import torch
import torch.distributed as dist

from conv.runtime import atomic_write


class Stateful(Protocol):
    """Anything with a state to save: modules, optimizers, schedulers, RNGs."""

    def state_dict(self) -> dict:
        """Return the state."""

    def load_state_dict(self, state_dict: dict) -> object:
        """Restore the state."""


class RNGState:
    """The state of every random number generator that a run may use.

    These are the generators of Python, NumPy and PyTorch, of the accelerator if there
    is one, and the loader's own. Under ``torchrun``, it holds one state per process.

    Parameters
    ----------
    device : torch.device
        Where the net is. An accelerator has its own generator.
    generator : torch.Generator or None
        The loader's own, if it has one.
    """

    def __init__(
        self, device: torch.device, generator: torch.Generator | None = None
    ) -> None:
        self.device, self.generator = device, generator

    def state_dict(self) -> dict[str, list[dict]]:
        """Copy the generators' states, of all processes."""
        return {"processes": all_gather(self.local_state())}

    def local_state(self) -> dict[str, Any]:
        """Copy the generators' states in this process."""
        _, keys, *position = np.random.get_state()  # noqa: NPY002 (the global one)
        state = {
            "torch": torch.get_rng_state(),
            "python": random.getstate(),
            "numpy": (torch.from_numpy(keys.astype("int64")), *position),
        }
        if self.device.type != "cpu":
            with torch.accelerator.device_index(self.device.index):
                device = torch.get_device_module(self.device)
                state["device"] = device.get_rng_state()
        if self.generator is not None:
            state["loader"] = self.generator.get_state()
        return state

    def load_state_dict(self, state_dict: dict[str, list[dict]]) -> None:
        """Restore the generators of this process, if the run had as many processes."""
        rank, processes = process_rank(), state_dict["processes"]
        if rank >= len(processes):  # a new process: its generators stay as they are
            return
        state = processes[rank]
        torch.set_rng_state(state["torch"])
        random.setstate(state["python"])
        keys, *position = state["numpy"]
        np.random.set_state(("MT19937", keys.numpy().astype("uint32"), *position))  # noqa: NPY002
        if "device" in state and self.device.type != "cpu":
            with torch.accelerator.device_index(self.device.index):
                torch.get_device_module(self.device).set_rng_state(state["device"])
        if "loader" in state and self.generator is not None:
            self.generator.set_state(state["loader"])


def write_checkpoint(path: Path, parts: Mapping[str, Stateful]) -> None:
    """Write the state of every part to one file, atomically.

    Under ``torchrun``, every process must call this function, and the first one writes.

    Parameters
    ----------
    path : Path
        In a folder that exists.
    parts : mapping of str to Stateful
        Everything that the next epoch depends on except the data.

    Raises
    ------
    OSError
        If the file can't be written. An earlier checkpoint stays as it is.
    """
    state = {name: part.state_dict() for name, part in parts.items()}
    if process_rank() == 0:
        data = io.BytesIO()
        torch.save(state, data)
        atomic_write(path, data.getvalue())


def read_checkpoint(path: Path, parts: Mapping[str, Stateful]) -> None:
    """Restore every part from a checkpoint.

    Parameters
    ----------
    path : Path
        File that `write_checkpoint` wrote, on any device, by any number of processes.
    parts : mapping of str to Stateful
        As in `write_checkpoint`.

    Raises
    ------
    ValueError
        If the file isn't a checkpoint, or belongs to another net or optimizer. In that
        case, nothing is restored.
    """
    try:  # weights_only: numbers and names, never code
        state = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:
        wanted = "a file written by conv.fit"
        raise ValueError(
            f"checkpoint {path} can't be read; expected {wanted}"
        ) from error
    mine = {name: part.state_dict() for name, part in parts.items()}
    if signature(state) != signature(mine):
        other = "a run with a different net, optimizer or scheduler"
        wanted = "the same ones, or a new file name"
        raise ValueError(f"checkpoint {path} is from {other}; expected {wanted}")
    for name, part in parts.items():
        part.load_state_dict(state[name])


def signature(state: object) -> object:
    """Return what all checkpoints of one run have in common: names and shapes."""
    if not isinstance(state, dict) or not {"net", "optimizer"} <= set(state):
        return None
    shapes = {name: getattr(v, "shape", None) for name, v in state["net"].items()}
    groups = [
        (set(group), len(group["params"]))
        for group in state["optimizer"]["param_groups"]
    ]
    return set(state), shapes, groups, set(state.get("scheduler", ()))


def is_distributed() -> bool:
    """Return whether this is one of several processes started by ``torchrun``."""
    return dist.is_available() and dist.is_initialized()


def process_rank() -> int:
    """Return this process's rank: 0 for the first process and for a single one."""
    return dist.get_rank() if is_distributed() else 0


def all_gather(value: object) -> list:
    """Collect an object from every process, in the order of their ranks."""
    values = [value]
    if is_distributed():
        values = [None] * dist.get_world_size()
        dist.all_gather_object(values, value)
    return values
