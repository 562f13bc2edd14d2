"""Devices, random number generators and files."""

import glob
import os
import random
import time
from contextlib import suppress
from pathlib import Path

import numpy as np
import torch


def default_device() -> torch.device:
    """Choose the device that a notebook computes on.

    If the environment variable ``CONV_DEVICE`` is set (``cpu``, ``cuda``, ``cuda:1``,
    ``mps``, ...), that device is used. Otherwise it is the machine's accelerator, or
    the CPU if there is none.

    Returns
    -------
    torch.device

    Raises
    ------
    ValueError
        If ``CONV_DEVICE`` doesn't name a device that this machine has.
    """
    name = os.environ.get("CONV_DEVICE")
    if not name:
        accelerator = torch.accelerator.current_accelerator(check_available=True)
        return accelerator or torch.device("cpu")
    try:
        return torch.empty(0, device=name).device
    except (RuntimeError, AssertionError, ImportError) as error:
        wanted = "a device that this machine has, such as 'cpu', 'cuda:1' or 'mps'"
        raise ValueError(f"CONV_DEVICE is {name!r}; expected {wanted}") from error


def seed_everything(seed: int) -> None:
    """Make a run's random numbers reproducible and its GPU results precise.

    Seeds Python, NumPy, and PyTorch, and requires full float32 precision: by default, a
    GPU may round products to TF32 with its 10-bit mantissa, which changes printed
    digits. To get the same random numbers on every device, draw them on the CPU and
    then move them to the device, because each device has its own generator.

    Parameters
    ----------
    seed : int
        From 0 to 2**32 - 1, NumPy's range.

    Raises
    ------
    TypeError, ValueError
        If `seed` isn't an int or is out of range.
    """
    random.seed(int(seed))
    np.random.seed(seed)  # noqa: NPY002 (for libraries that use the global generator)
    torch.manual_seed(seed)
    torch.backends.cudnn.conv.fp32_precision = "ieee"
    torch.backends.cuda.matmul.fp32_precision = "ieee"
    torch.backends.cudnn.deterministic = True
    torch.backends.cudnn.benchmark = False


def atomic_write(path: Path, data: bytes) -> None:
    """Write a file atomically: afterwards it has either its new or its old content.

    Parameters
    ----------
    path : Path
        In a folder that exists.
    data : bytes
        The new content.

    Raises
    ------
    OSError
        If the disk is full, for instance. The error names the file.

    Notes
    -----
    The data are written to a temporary file beside it and flushed to the disk; then
    that file is renamed, which POSIX and Windows do in one step.
    """
    remove_stale_files(path)
    temporary = path.with_name(f"{path.name}.{os.getpid()}.part")
    try:
        with temporary.open("wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    except OSError as error:
        raise OSError(error.errno, error.strerror, str(path)) from error
    finally:
        with suppress(OSError):  # renamed, or never made
            temporary.unlink()


def remove_stale_files(path: Path) -> None:
    """Remove temporary files that killed writers left more than an hour ago."""
    with suppress(OSError):  # another process has removed it
        for temporary in path.parent.glob(f"{glob.escape(path.name)}.*.part"):
            if time.time() - temporary.stat().st_mtime > 3600:
                temporary.unlink()
