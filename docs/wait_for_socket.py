"""Start a process that listens on a Unix socket, and wait until it is ready."""

import socket
import subprocess
import time
from pathlib import Path


def start(
    command: list[str], path: Path, timeout: float
) -> tuple[subprocess.Popen, socket.socket]:
    """Start a process and connect to it.

    The socket's file is created shortly before the process listens. In this interval
    sphinxcontrib-katex would give up; this function tries again.

    Parameters
    ----------
    command : list of str
        Command that starts the process.
    path : Path
        Socket that it will listen on. The process runs in the socket's folder.
    timeout : float
        Maximum time to wait, in seconds.

    Raises
    ------
    TimeoutError
        If the process doesn't listen by then. It is killed.
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
    raise TimeoutError(f"no process listens on {path} after {timeout} seconds")
