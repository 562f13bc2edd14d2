"""Start kernels so that nothing beside them can get in their way."""

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
WROTE = FOLDER / "stderr.txt"  # by the last kernel that nbval started
WROTE.touch()


def own_sockets() -> dict[str, str]:
    """Choose where a kernel listens, as traits of a ``KernelManager``.

    Jupyter looks for free TCP ports, and the kernel takes them a second later. Of
    several kernels that start at once, two may be given the same port, and one dies.
    A file in a folder of its own is its alone.
    """
    if os.name == "nt":  # ZeroMQ has no such sockets there
        return {}
    return {"transport": "ipc", "ip": f"{tempfile.mkdtemp(dir=FOLDER)}/socket"}


def client_for(
    notebook: NotebookNode, folder: Path, timeout: int = 120
) -> NotebookClient:
    """Prepare a fresh kernel for a notebook; `timeout` is a cell's, in seconds."""
    return NotebookClient(
        notebook,
        timeout=timeout,
        kernel_name="python3",
        config=Config(KernelManager=own_sockets()),
        extra_arguments=["--log-level=ERROR"],  # or it warns of its own sockets
        record_timing=False,  # a time of day would differ with every run
        resources={"metadata": {"path": str(folder)}},
    )


def start_for_nbval(
    stderr: TextIO, **options: object
) -> tuple[KernelManager, BlockingKernelClient]:
    """Let nbval start a kernel, but apart, and with its last words kept.

    Its history is its own, too: else all kernels write into the reader's one.
    """
    stderr.close()  # nbval's leads nowhere
    apart = partial(KernelManager, **own_sockets())
    history = ["--HistoryManager.hist_file=:memory:"]
    with WROTE.open("w") as file, patch("nbval.kernel.KernelManager", apart):
        return start_new_kernel(stderr=file, extra_arguments=history, **options)
