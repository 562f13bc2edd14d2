"""Start kernels so that nothing beside them can get in their way."""

import atexit
import os
import shutil
import tempfile
from pathlib import Path
from typing import TextIO

from jupyter_client import BlockingKernelClient, KernelManager
from nbclient import NotebookClient
from nbformat import NotebookNode
from nbval.kernel import NbvalKernelspecManager
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
    startup_timeout: float, kernel_name: str, cwd: str, stderr: TextIO
) -> tuple[KernelManager, BlockingKernelClient]:
    """Start a kernel as nbval does, but apart, and with its last words kept.

    Its history is its own, too: else all kernels write into the reader's one.
    """
    stderr.close()  # nbval's leads nowhere
    manager = KernelManager(
        kernel_name=kernel_name,
        kernel_spec_manager=NbvalKernelspecManager(),
        **own_sockets(),
    )
    options = ["--HistoryManager.hist_file=:memory:"]
    with WROTE.open("w") as file:
        manager.start_kernel(cwd=cwd, stderr=file, extra_arguments=options)
    client = manager.client()
    client.start_channels()
    try:
        client.wait_for_ready(timeout=startup_timeout)
    except RuntimeError:
        client.stop_channels()
        manager.shutdown_kernel(now=True)
        raise
    return manager, client
