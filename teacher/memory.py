"""Measure how much memory a class needs on one machine: kernels and checkers.

    .venv/bin/python teacher/memory.py 10

starts ten kernels, lets each of them check an exercise, and prints how much memory they
and their checkers use, first during the check and then after the checkers have exited.
Memory that processes share is divided among them ("proportional set size"), so the
numbers may be added. Only Linux reports this; elsewhere, shared memory isn't counted.
"""

import sys
import time
from contextlib import ExitStack

import psutil
from jupyter_client.manager import start_new_kernel

CLASS = 60  # kernels to extrapolate to
CELL = """
import torch, conv, conv.exercises.sandbox
from conv.exercises import check

conv.exercises.sandbox.IDLE_LIMIT = {idle_limit}

def corr1d(x, k):
    n = len(x) - len(k) + 1
    return torch.stack([x[i : i + len(k)] @ k for i in range(n)])

check.corr1d(corr1d)
"""


def proportional_memory(processes: list[psutil.Process]) -> float:
    """Add the proportional set sizes of processes, in MB."""
    infos = [process.memory_full_info() for process in processes]
    return sum(getattr(info, "pss", info.uss) for info in infos) / 2**20


def measure(count: int, idle_limit: float) -> None:
    """Start kernels, use them, and print their memory.

    Parameters
    ----------
    count : int
        Number of kernels.
    idle_limit : float
        Seconds after which an idle checker exits.
    """
    kernels = []
    with ExitStack() as stack:
        for _ in range(count):
            manager, client = start_new_kernel()
            stack.callback(manager.shutdown_kernel, now=True)
            stack.callback(client.stop_channels)
            kernels.append(psutil.Process(manager.provisioner.pid))
            code = CELL.format(idle_limit=idle_limit)
            client.execute_interactive(code, timeout=120)
        checkers = [child for kernel in kernels for child in kernel.children()]
        report("in use", count, kernels, checkers)
        while any(is_running(checker) for checker in checkers):
            time.sleep(1)
        report("idle", count, kernels, [])


def is_running(process: psutil.Process) -> bool:
    """Return whether a process hasn't ended."""
    return process.is_running() and process.status() != psutil.STATUS_ZOMBIE


def report(state: str, count: int, kernels: list, checkers: list) -> None:
    """Print the memory of kernels and checkers, for each and for a class."""
    kernel = proportional_memory(kernels) / count
    checker = proportional_memory(checkers) / count
    print(
        f"{state:7} {kernel:4.0f} MB per kernel, {checker:4.0f} MB per checker "
        f"({len(checkers)} of {count} run), "
        f"{CLASS * (kernel + checker) / 1024:5.1f} GB for {CLASS}"
    )


if __name__ == "__main__":
    limit = float(sys.argv[2]) if len(sys.argv) > 2 else 60.0
    measure(int(sys.argv[1]), limit)
