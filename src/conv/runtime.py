"""The machine: where tensors live, random numbers, files."""

import glob
import os
import random
import time
from contextlib import suppress
from pathlib import Path

import numpy as np
import torch

from conv.checks import as_device, check_int


def default_device() -> torch.device:
    """Choose the device that a notebook computes on.

    The environment variable ``CONV_DEVICE`` decides if it is set (``cpu``, ``cuda``,
    ``cuda:1``, ``mps``, ...). Otherwise it is the machine's accelerator, or the CPU
    if there is none.

    Returns
    -------
    torch.device

    Raises
    ------
    ValueError
        If ``CONV_DEVICE`` names no device, or one that this machine lacks.
    """
    asked = os.environ.get("CONV_DEVICE")
    if not asked:
        found = torch.accelerator.current_accelerator(check_available=True)
        return found or torch.device("cpu")
    return as_device("CONV_DEVICE", asked)


def seed_everything(seed: int) -> None:
    """Make every random number of a run repeatable, and GPUs as exact as CPUs.

    Seeds Python, NumPy and PyTorch. Also asks for full IEEE float32 products:
    otherwise a GPU may round them to TF32's 10-bit mantissa, and printed digits
    move. Draw random numbers on the CPU, then move them: each device has a generator
    of its own.

    Parameters
    ----------
    seed : int
        From 0 to 2**32 - 1, NumPy's range.

    Raises
    ------
    TypeError, ValueError
        If it is no int, or out of that range.
    """
    check_int("seed", seed)
    if not 0 <= seed < 2**32:
        raise ValueError(f"seed is {seed}; expected 0 to 2**32 - 1")
    random.seed(seed)
    np.random.seed(seed)  # noqa: NPY002 (for libraries that draw from it)
    torch.manual_seed(seed)
    torch.backends.cudnn.conv.fp32_precision = "ieee"
    torch.backends.cuda.matmul.fp32_precision = "ieee"
    torch.backends.cudnn.deterministic = True
    torch.backends.cudnn.benchmark = False


def write_whole(path: Path, data: bytes) -> None:
    """Write a file so that it is there in full, or, after a mishap, as it was before.

    Parameters
    ----------
    path : Path
        In a folder that exists.
    data : bytes
        All that the file shall hold.

    Raises
    ------
    OSError
        If the disk is full, for instance. The error names the file.

    Notes
    -----
    The bytes go to a file beside it, down to the disk; then that file takes the
    name, which POSIX and Windows do in one move.
    """
    remove_leftovers(path)
    beside = path.with_name(f"{path.name}.{os.getpid()}.part")  # no two write one
    try:
        with beside.open("wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        beside.replace(path)
    except OSError as error:
        raise OSError(error.errno, error.strerror, str(path)) from error
    finally:
        with suppress(OSError):  # it has its name, or was never made
            beside.unlink()


def remove_leftovers(path: Path) -> None:
    """Remove what writers left beside a file when they were killed, an hour ago."""
    with suppress(OSError):  # another process was faster
        for beside in path.parent.glob(f"{glob.escape(path.name)}.*.part"):
            if time.time() - beside.stat().st_mtime > 3600:  # nobody writes so long
                beside.unlink()
