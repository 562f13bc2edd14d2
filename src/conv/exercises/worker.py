"""The worker process, which runs a learner's function."""

import contextlib
import copy
import io
import os
import signal
import threading
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from multiprocessing import parent_process
from multiprocessing.connection import Connection

import cloudpickle
import torch
from torch import Tensor, nn

from conv.exercises.summary import Summary, summarize

READY, UNPACKED = "ready", "unpacked"


@dataclass(frozen=True)
class Outcome:
    """The outcome of one call.

    Attributes
    ----------
    returned : Summary or None
        What the call returned; None if it raised an error.
    error : str
        The error's type and text.
    line : int or None
        The line of the learner's function that raised it, counted from the ``def``.
    changed : tuple of int
        Positions of the arguments that the call changed.
    printed : bool
        Whether the call printed anything.
    """

    returned: Summary | None
    error: str = ""
    line: int | None = None
    changed: tuple[int, ...] = ()
    printed: bool = False


def run_jobs(connection: Connection) -> None:
    """Run jobs until the notebook's process closes the connection or ends."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # interrupts are meant for the kernel
    threading.Thread(target=end_with_parent, daemon=True).start()
    torch.set_num_threads(1)
    reset_settings()
    torch.ones(1, device="meta") + 1  # slow the first time
    with contextlib.suppress(EOFError, ConnectionError):
        connection.send(READY)
        while True:
            job = connection.recv_bytes()
            try:
                use, answer, cases = cloudpickle.loads(job)
            except Exception as error:
                connection.send(format_error(error))
                continue
            connection.send(UNPACKED)
            for case in cases:
                connection.send(run_case(use, answer, case))


def end_with_parent() -> None:
    """End this process as soon as the notebook's process has ended."""
    parent_process().join()
    os._exit(1)


def run_case(use: Callable, answer: object, case: tuple) -> Outcome:
    """Run an answer on one case."""
    reset_settings()
    before = copy.deepcopy(case)
    output = io.StringIO()
    try:
        with contextlib.redirect_stdout(output), contextlib.redirect_stderr(output):
            returned = summarize(use(answer, *case))
    except BaseException as error:  # any error of the answer, including SystemExit
        return Outcome(None, format_error(error), error_line(error, answer))
    pairs = enumerate(zip(before, case, strict=True))
    changed = tuple(position for position, (old, new) in pairs if was_changed(old, new))
    return Outcome(returned, changed=changed, printed=bool(output.getvalue()))


def format_error(error: BaseException) -> str:
    """Return an error's type and the beginning of its text."""
    [*_, text] = traceback.format_exception_only(error)
    return text.strip()[:300]


def reset_settings() -> None:
    """Reset global settings that an earlier answer may have changed.

    In deterministic mode, `torch.empty` fills its result with nan.
    """
    torch.set_deterministic_debug_mode("warn")
    torch.manual_seed(0)
    torch.set_default_dtype(torch.float32)
    torch.set_default_device("cpu")
    torch.set_grad_enabled(True)


def error_line(error: BaseException, answer: object) -> int | None:
    """Find the line of the learner's function in an error's traceback."""
    code = getattr(answer, "__code__", None)
    lines = [
        line - code.co_firstlineno + 1
        for frame, line in traceback.walk_tb(error.__traceback__)
        if code is not None and frame.f_code is code
    ]
    return lines[-1] if lines else None


def was_changed(old: object, new: object) -> bool:
    """Return whether a tensor, a list or a layer was changed in place."""
    if isinstance(old, nn.Module):
        before, after = old.state_dict(), new.state_dict()
        return any(was_changed(value, after[name]) for name, value in before.items())
    if isinstance(old, list):
        return old != new
    return isinstance(old, Tensor) and not torch.equal(old, new)
