"""Run a learner's function in a separate process.

There the function can't hang or crash the notebook's kernel, or use up its memory.
"""

import atexit
import contextlib
import io
import json
import math
import os
import queue
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import BinaryIO

import cloudpickle
import numpy as np
import psutil
import torch
from torch import Tensor, nn

from conv.exercises import worker
from conv.exercises.code import globals_used
from conv.exercises.worker import DONE, MAX_TEXT, READY, UNPACKED, Outcome, Summary

START_TIMEOUT = 60.0  # seconds to import PyTorch from a slow and busy disk
UNPACK_TIMEOUT = 20.0  # seconds to import what the learner's function uses
IDLE_LIMIT = 60.0  # seconds without a job after which the worker ends
CPU_LIMIT = 3.0  # seconds of processor time for all cases of an answer
TIME_LIMIT = 10.0  # seconds on the clock
MEMORY_LIMIT = 512  # MB for an answer
MAX_JOB = 256  # MB that an answer may bring along
MAX_MESSAGE = 2**20  # bytes of one message from the worker
POLL_INTERVAL = 0.02  # seconds between two checks of time and memory

# The worker doesn't import the chapters' modules: it gets their functions by value.
cloudpickle.register_pickle_by_value(sys.modules["conv.exercises"])


class SandboxError(Exception):
    """Raised if an answer can't be run to the end; its text gives the reason.

    Attributes
    ----------
    name : str
        The name of the mistake: "infinite loop", "out of memory", ...
    """

    def __init__(self, name: str, text: str) -> None:
        super().__init__(text)
        self.name = name


@dataclass(frozen=True)
class Limits:
    """Limits for the worker, as absolute values: of the clock, and of its totals.

    Attributes
    ----------
    clock : float
        The value of `time.monotonic` after which the worker is stopped.
    cpu : float
        Seconds of processor time.
    memory : float
        Bytes.
    """

    clock: float
    cpu: float = math.inf
    memory: float = math.inf


class Sandbox:
    """A worker process that is started early and killed if it exceeds a limit.

    It is a new process, because a forked one can't use a GPU that its parent has used.
    It is killed from outside, because a learner's ``except:`` could catch an exception
    raised inside, and a signal handler would run only after a call into PyTorch ends.
    Whatever it sends is treated as data that anyone may have written.
    """

    def __init__(self) -> None:
        self.process: subprocess.Popen | None = None
        self.ready = False
        atexit.register(self.stop)

    def warm_up(self) -> None:
        """Start the process without waiting for it, unless it is running."""
        if self.process is not None:
            late = self.ready and not self.lines.empty()  # what an answer wrote later
            if self.process.poll() is None and not late:
                return
            self.stop()
        path = os.pathsep.join(path or os.getcwd() for path in sys.path)
        self.process = subprocess.Popen(
            [sys.executable, "-P", "-Wignore", worker.__file__, str(IDLE_LIMIT)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=os.environ | {"PYTHONPATH": path},
            start_new_session=True,  # Jupyter interrupts all processes of a session
        )
        self.ready = False
        self.lines: queue.SimpleQueue[bytes] = queue.SimpleQueue()
        arguments = self.process.stdout, self.lines
        threading.Thread(target=read_lines, args=arguments, daemon=True).start()

    def stop(self) -> None:
        """Kill the process and its descendants."""
        if self.process is not None:
            with contextlib.suppress(psutil.NoSuchProcess):
                for child in psutil.Process(self.process.pid).children(recursive=True):
                    child.kill()
            self.process.kill()
            self.process.wait()
            with contextlib.suppress(OSError):  # what wasn't written yet is lost
                self.process.stdin.close()
            self.process = None

    def run(self, use: Callable, answer: object, cases: Sequence[tuple]) -> list:
        """Run an answer on each case.

        Parameters
        ----------
        use : callable
            ``use(answer, *case)`` returns the result to summarize.
        answer : object
            The learner's function.
        cases : sequence of tuple
            The arguments of each case.

        Returns
        -------
        list of Outcome
            One per case.

        Raises
        ------
        SandboxError
            If the answer can't be sent, takes too long, needs too much memory, ends
            the process, or if what the process sends can't be read.
        """
        job = pack(use, answer, cases)
        try:
            self.send(job)
            limits = self.limits()
            return [read_outcome(self.wait(limits)) for _ in cases]
        except BaseException:  # including KeyboardInterrupt, from the stop button
            self.stop()
            raise

    def send(self, job: bytes) -> None:
        """Send a job to the process, and wait until it has unpacked it.

        If the process ends meanwhile, as it does after a minute without a job, another
        one is started, once.
        """
        for may_be_idle in (True, False):
            try:
                self.warm_up()
                if not self.ready:
                    self.expect(READY, START_TIMEOUT)
                    self.ready = True
                with contextlib.suppress(OSError):  # then no reply will come, either
                    self.process.stdin.write(b"%d\n" % len(job) + job)
                    self.process.stdin.flush()
                return self.expect(UNPACKED, UNPACK_TIMEOUT)
            except SandboxError as error:
                if error.name != "process ended" or not may_be_idle:
                    raise
                self.stop()

    def expect(self, state: str, seconds: float) -> None:
        """Wait for a message that reports this state."""
        message = self.wait(Limits(time.monotonic() + seconds))
        if message.get("state") != state:
            error = clean(message.get("error", "unknown reason"))
            raise SandboxError("unsupported object", CANT_BE_SENT.format(error))

    def limits(self) -> Limits:
        """Set the limits for an answer that has been unpacked, with its data."""
        process = psutil.Process(self.process.pid)
        return Limits(
            time.monotonic() + TIME_LIMIT,
            cpu_time(process) + CPU_LIMIT,
            process.memory_info().rss + MEMORY_LIMIT * 2**20,
        )

    def wait(self, limits: Limits) -> dict:
        """Wait for the next message while checking the limits."""
        while True:
            try:
                return read_message(self.lines.get(timeout=POLL_INTERVAL))
            except queue.Empty:
                with contextlib.suppress(psutil.NoSuchProcess):  # a message says so
                    check_limits(psutil.Process(self.process.pid), limits)


def check_limits(process: psutil.Process, limits: Limits) -> None:
    """Raise an error if a process has exceeded its limits."""
    if process.memory_info().rss > limits.memory:
        raise SandboxError("out of memory", OUT_OF_MEMORY)
    if cpu_time(process) > limits.cpu:
        raise SandboxError("infinite loop", LOOPING)
    if time.monotonic() > limits.clock:
        raise SandboxError("too slow", WAITING)


def cpu_time(process: psutil.Process) -> float:
    """Return how many seconds of processor time a process has used."""
    times = process.cpu_times()
    return times.user + times.system


def read_lines(stream: BinaryIO, lines: queue.SimpleQueue) -> None:
    """Read a worker's messages until it ends, or until one is too long."""
    with contextlib.suppress(OSError, ValueError), stream:
        while (line := stream.readline(MAX_MESSAGE)).endswith(b"\n"):
            lines.put(line)
        if line:
            lines.put(b"too long")
    lines.put(b"")


def read_message(line: bytes) -> dict:
    """Read a message and check its type; its content may still be anything."""
    if not line:
        raise SandboxError("process ended", PROCESS_ENDED)
    try:
        message = json.loads(line)
    except (ValueError, RecursionError):
        message = None
    if not isinstance(message, dict):
        raise SandboxError("unreadable result", UNREADABLE)
    return message


def read_outcome(message: dict) -> Outcome:
    """Convert a message to an outcome, which has the right types in any case."""
    try:
        if message["state"] != DONE:
            raise ValueError("not an outcome")
        returned, line = message["returned"], message["line"]
        return Outcome(
            None if returned is None else read_summary(returned),
            clean(message["error"]),
            None if line is None else int(line),
            tuple(map(int, message["changed"])),
            bool(message["printed"]),
        )
    except (ValueError, TypeError, KeyError, OverflowError, AttributeError) as error:
        raise SandboxError("unreadable result", UNREADABLE) from error


def read_summary(message: dict) -> Summary:
    """Convert a part of a message to a summary."""
    numbers = message["numbers"]
    if numbers is not None:
        numbers = np.array(numbers, dtype=np.float64).reshape(message["shape"])
    return Summary(clean(message["kind"]), numbers, clean(message["dtype"]))


def clean(text: object) -> str:
    """Return a short text without control characters and lone surrogates."""
    shown = [c if c.isprintable() or c == "\n" else "?" for c in str(text)[:MAX_TEXT]]
    return "".join(shown)


class Pickler(cloudpickle.Pickler):
    """Moves tensors and devices to the CPU, where answers are judged."""

    def reducer_override(self, value: object) -> object:
        """Replace a device, or a tensor on a GPU, by one that the worker can use."""
        if isinstance(value, torch.device):
            return torch.device, ("cpu",)
        if isinstance(value, Tensor) and value.device.type not in ("cpu", "meta"):
            moved = value.detach().cpu().requires_grad_(value.requires_grad)
            if isinstance(value, nn.Parameter):
                moved = nn.Parameter(moved, value.requires_grad)
            return moved.__reduce_ex__(4)
        return super().reducer_override(value)


def pack(use: Callable, answer: object, cases: Sequence[tuple]) -> bytes:
    """Pickle a job; raise a SandboxError that names what can't be sent."""
    try:
        job = pickled((use, answer, cases))
    except Exception as error:
        culprit = find_unsendable(answer)
        if culprit in ("exit", "quit"):
            raise SandboxError("exits Python", ENDS_PYTHON.format(culprit)) from error
        reason = f"`{culprit}`: " * bool(culprit) + format_error(error)
        raise SandboxError("unsupported object", CANT_BE_SENT.format(reason)) from error
    if len(job) > MAX_JOB * 2**20:
        message = TOO_LARGE.format(len(job) / 2**20)
        raise SandboxError("unsupported object", message)
    return job


def pickled(value: object) -> bytes:
    """Pickle any value, moved to the CPU."""
    buffer = io.BytesIO()
    Pickler(buffer).dump(value)
    return buffer.getvalue()


def find_unsendable(answer: object) -> str:
    """Name the variable of the notebook that prevents an answer from being sent."""
    for name, value in globals_used(answer).items():
        try:
            pickled(value)
        except Exception:
            return name
    return ""


def format_error(error: Exception) -> str:
    """Return an error's type and text, on one line."""
    return clean(worker.format_error(error)).replace("\n", " ")


CANT_BE_SENT = (
    "The checker runs your function in a separate process, but it can't copy "
    "everything that your function uses to that process ({}). Use only the function's "
    "arguments, modules that you import, and functions that you define."
)
ENDS_PYTHON = (
    "Your function calls `{}`, which exits Python. To leave a function, use `return`."
)
TOO_LARGE = (
    f"Your function uses {{:.0f}} MB of data from the notebook, but the checker copies "
    f"at most {MAX_JOB} MB. Use only the function's arguments."
)
OUT_OF_MEMORY = (
    f"Your function needed more than {MEMORY_LIMIT} MB of memory for a small input, so "
    "it was stopped. Check the shapes of the tensors that it creates."
)
LOOPING = (
    f"Your function was still computing after {CPU_LIMIT:.0f} seconds, so it was "
    "stopped. Does it contain a loop that never ends?"
)
WAITING = (
    f"Your function hadn't finished after {TIME_LIMIT:.0f} seconds, so it was stopped. "
    "It spent most of that time waiting, not computing. Does it sleep, or wait for a "
    "file or for a network?"
)
PROCESS_ENDED = (
    "The Python process that ran your function ended unexpectedly. Does your function "
    "call `os._exit`, or code that makes Python crash?"
)
UNREADABLE = (
    "The checker couldn't read the result of your function. Does your function write "
    "to files or pipes that it didn't open?"
)
