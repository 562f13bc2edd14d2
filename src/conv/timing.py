"""Measure what a call costs: its time, the bytes it moves, its page faults.

Chapter 10 and the benchmarks use these functions.
"""

import math
import os
import time
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

Call = Callable[[], object]
VIEWS = ("aten._unsafe_view", "aten.squeeze_")  # views that aren't marked as such
MOST_CALLS = 20
LONG = 1.0  # seconds after which a call isn't repeated
CPU = torch.device("cpu")


def finish(device: torch.device) -> None:
    """Wait until a device has completed all operations."""
    if device.type != "cpu":
        torch.accelerator.synchronize()


def clock_for(device: torch.device) -> Callable[[], float]:
    """Choose a clock that pauses while other programs run, if possible.

    If PyTorch uses one thread of the processor, that is the thread's own time. On
    Windows, this clock is too coarse.
    """
    one_thread = device.type == "cpu" and torch.get_num_threads() == 1
    return time.thread_time if one_thread and os.name == "posix" else time.perf_counter


def seconds(call: Call, device: torch.device = CPU, budget: float = 0.03) -> float:
    """Measure the shortest time of up to 20 calls.

    Other programs can only make a call slower, so the shortest time is the least
    disturbed one. The first call is often slower, because it includes one-time setup.

    Parameters
    ----------
    call : callable
        Function without arguments.
    device : torch.device
        Device that `call` computes on.
    budget : float
        Seconds for all calls except the first. If the first call takes over a second,
        there are no others.

    Returns
    -------
    float
        Seconds.
    """
    clock, times = clock_for(device), []
    while len(times) < MOST_CALLS:
        start = clock()
        call()
        finish(device)
        times.append(clock() - start)
        if times[0] > LONG or sum(times[1:]) > budget:
            break
    return min(times)


def seconds_from_memory(call: Call, sweep: Tensor) -> float:
    """Measure one call whose input isn't in the processor's caches.

    Parameters
    ----------
    call : callable
        Function without arguments that computes on the device of `sweep`.
    sweep : Tensor
        Changed in place before the call, which replaces the contents of the caches.

    Returns
    -------
    float
        Seconds.
    """
    sweep.add_(1)
    finish(sweep.device)
    clock = clock_for(sweep.device)
    start = clock()
    call()
    finish(sweep.device)
    return clock() - start


class Traffic(TorchDispatchMode):
    """Count PyTorch's operations and the bytes of their inputs and outputs.

    Operations that return a view move nothing and are left out. What happens inside an
    operation isn't visible.

    Attributes
    ----------
    calls : int
        Number of operations.
    bytes : int
        Bytes of all their inputs and outputs.
    largest : int
        Bytes of the largest tensor.
    """

    calls = bytes = largest = 0

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        """Carry out an operation, and count it."""
        result = func(*args, **(kwargs or {}))
        returned = func._schema.returns[0].alias_info
        is_view = returned is not None and not returned.is_write
        if not is_view and not str(func).startswith(VIEWS):
            tensors = filter(torch.is_tensor, tree_leaves((args, result)))
            sizes = [tensor.nbytes for tensor in tensors]
            self.calls += 1
            self.bytes += sum(sizes)
            self.largest = max([self.largest, *sizes])
        return result


def traffic(method: Callable, *shapes: tuple[int, ...]) -> Traffic:
    """Count what a function moves for inputs of the given shapes, without computing.

    Parameters
    ----------
    method : callable
        Takes one tensor per shape.
    *shapes : tuple of int

    Returns
    -------
    Traffic
    """
    with torch.device("meta"):  # tensors with a shape but without values
        inputs = [torch.empty(shape) for shape in shapes]
        with Traffic() as counted:
            method(*inputs)
    return counted


@dataclass(frozen=True)
class Usage:
    """Page faults per call, and the operating system's share of the time.

    Attributes
    ----------
    page_faults : float
        Per call; nan on systems without this counter, such as Windows.
    system_share : float
        Fraction of the processor time that the operating system takes, from 0 to 1.
    """

    page_faults: float
    system_share: float


def usage(call: Call, budget: float = 0.05) -> Usage:
    """Measure page faults and the system's share of the time, over `budget` seconds."""
    for _ in range(3):  # they may allocate memory that later calls reuse
        call()
    before, calls, stop = counters(), 0, time.perf_counter() + budget
    while calls < 2 or time.perf_counter() < stop:
        call()
        calls += 1
    after = counters()
    faults, system, user = (b - a for a, b in zip(before, after, strict=True))
    return Usage(faults / calls, system / max(system + user, 1e-9))


def counters() -> tuple[float, float, float]:
    """Return this process's page faults, and its seconds in the system and outside."""
    try:
        import resource
    except ImportError:
        times = os.times()
        return math.nan, times.system, times.user
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_minflt, used.ru_stime, used.ru_utime
