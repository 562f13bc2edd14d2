"""Start Jupyter kernels that are isolated from each other."""

import atexit
import os
import shutil
import tempfile
from functools import partial
from pathlib import Path
from typing import TextIO
from unittest.mock import patch

from jupyter_client import BlockingKernelClient, KernelManager
from nbclient import NotebookClient
from nbformat import NotebookNode
from nbval.kernel import start_new_kernel
from traitlets.config import Config

FOLDER = Path(tempfile.mkdtemp(prefix="kernels-"))
atexit.register(shutil.rmtree, FOLDER, ignore_errors=True)
WROTE = FOLDER / "stderr.txt"  # of the last kernel that nbval started
WROTE.touch()


def own_sockets() -> dict[str, str]:
    """Return traits for a ``KernelManager`` that give the kernel its own sockets.

    By default, Jupyter looks for free TCP ports, and the kernel binds them a second
    later. If several kernels start at once, two of them may get the same port, and one
    dies. Unix sockets in a separate folder can't collide.
    """
    if os.name == "nt":  # ZeroMQ has no Unix sockets on Windows
        return {}
    return {"transport": "ipc", "ip": f"{tempfile.mkdtemp(dir=FOLDER)}/socket"}


def client_for(
    notebook: NotebookNode, folder: Path, timeout: int = 120
) -> NotebookClient:
    """Prepare a fresh kernel for a notebook; `timeout` is in seconds per cell."""
    return NotebookClient(
        notebook,
        timeout=timeout,
        kernel_name="python3",
        config=Config(KernelManager=own_sockets()),
        extra_arguments=["--log-level=ERROR"],  # otherwise it warns about the sockets
        record_timing=False,  # timestamps would differ in every run
        resources={"metadata": {"path": str(folder)}},
    )


def start_for_nbval(
    stderr: TextIO, **options: object
) -> tuple[KernelManager, BlockingKernelClient]:
    """Start a kernel for nbval with its own sockets, and keep what it writes to stderr.

    The history is in memory; otherwise all kernels would write to the user's history.
    """
    stderr.close()  # nbval's stream is discarded
    isolated = partial(KernelManager, **own_sockets())
    history = ["--HistoryManager.hist_file=:memory:"]
    with WROTE.open("w") as file, patch("nbval.kernel.KernelManager", isolated):
        return start_new_kernel(stderr=file, extra_arguments=history, **options)
