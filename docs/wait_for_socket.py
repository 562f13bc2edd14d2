"""Start a process that listens on a Unix socket, and wait until it does."""

import socket
import subprocess
import time
from pathlib import Path


def start(
    command: list[str], path: Path, timeout: float
) -> tuple[subprocess.Popen, socket.socket]:
    """Start a process and connect to it.

    The socket's file is there a moment before anybody listens. sphinxcontrib-katex
    gives up when it comes in this moment; here it tries again.

    Parameters
    ----------
    command : list of str
        The process.
    path : Path
        The socket that it will listen on. It runs in this folder.
    timeout : float
        Seconds to wait at most.

    Raises
    ------
    TimeoutError
        If nobody listens by then. The process is killed.
    """
    pipe = subprocess.PIPE
    process = subprocess.Popen(command, stdin=pipe, stdout=pipe, cwd=path.parent)
    end = time.monotonic() + timeout
    while time.monotonic() < end:
        connection = socket.socket(socket.AF_UNIX)
        try:
            connection.connect(str(path))
        except (FileNotFoundError, ConnectionRefusedError):
            connection.close()
            time.sleep(0.001)
        else:
            return process, connection
    with process:
        process.kill()
    raise TimeoutError(f"nobody listens on {path} after {timeout} seconds")
