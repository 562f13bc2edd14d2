"""A training run in a file, so that it can go on where it was."""

import io
from collections.abc import Mapping
from pathlib import Path
from typing import Protocol

import torch

from conv.runtime import write_whole


class Part(Protocol):
    """Whatever can tell its state and take it back: nets, optimizers, schedulers."""

    def state_dict(self) -> dict:
        """Tell the state."""

    def load_state_dict(self, state_dict: dict) -> object:
        """Take a state back."""


class RandomStates:
    """All generators that a run draws from, as one thing that has a state.

    Parameters
    ----------
    device : torch.device
        Where the net is: an accelerator has a generator of its own.
    generator : torch.Generator or None
        The batches' own, if they have one.
    """

    def __init__(
        self, device: torch.device, generator: torch.Generator | None = None
    ) -> None:
        self.device, self.generator = device, generator

    def state_dict(self) -> dict[str, torch.Tensor]:
        """Copy the generators' states."""
        states = {"torch": torch.get_rng_state()}
        if self.device.type != "cpu":
            with torch.accelerator.device_index(self.device.index):
                device = torch.get_device_module(self.device)
                states["device"] = device.get_rng_state()
        if self.generator is not None:
            states["batches"] = self.generator.get_state()
        return states

    def load_state_dict(self, states: dict[str, torch.Tensor]) -> None:
        """Put the generators back to where they were."""
        torch.set_rng_state(states["torch"])
        if "device" in states and self.device.type != "cpu":
            with torch.accelerator.device_index(self.device.index):
                device = torch.get_device_module(self.device)
                device.set_rng_state(states["device"])
        if "batches" in states and self.generator is not None:
            self.generator.set_state(states["batches"])


def write_checkpoint(path: Path, parts: Mapping[str, Part]) -> None:
    """Write the state of each part to one file, whole or not at all.

    Parameters
    ----------
    path : Path
        In a folder that exists.
    parts : mapping of str to Part
        All that the run's next epoch depends on, besides the data.

    Raises
    ------
    OSError
        If it can't be written. A checkpoint that was there stays as it is.
    """
    state = {name: part.state_dict() for name, part in parts.items()}
    data = io.BytesIO()
    torch.save(state, data)
    write_whole(path, data.getvalue())


def read_checkpoint(path: Path, parts: Mapping[str, Part]) -> None:
    """Put each part into the state that a checkpoint keeps.

    Parameters
    ----------
    path : Path
        A file that `write_checkpoint` wrote, perhaps on another device.
    parts : mapping of str to Part
        As then.

    Raises
    ------
    ValueError
        If the file is no checkpoint, or one of another net or optimizer. Then
        nothing is changed.
    """
    try:  # weights_only: numbers and names, never code
        state = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:
        raise ValueError(
            f"checkpoint {path} can't be read; expected a file that conv.fit wrote"
        ) from error
    mine = {name: part.state_dict() for name, part in parts.items()}
    if outline(state) != outline(mine):
        raise ValueError(
            f"checkpoint {path} is of another run: its net, optimizer or scheduler "
            f"differs; expected one of this run, or a new name"
        )
    for name, part in parts.items():
        part.load_state_dict(state[name])


def outline(state: object) -> object:
    """Reduce a checkpoint to what one of the same run has in common with it."""
    if not isinstance(state, dict) or not {"net", "optimizer"} <= set(state):
        return None
    shapes = {name: value.shape for name, value in state["net"].items()}
    groups = [
        (set(group), len(group["params"]))
        for group in state["optimizer"]["param_groups"]
    ]
    return set(state), shapes, groups, set(state.get("scheduler", ()))
