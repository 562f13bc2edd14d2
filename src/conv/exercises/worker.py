"""The process in which a learner's function runs."""

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

from conv.exercises.answers import Seen, seen

WARM, UNPACKED = "warm", "unpacked"


@dataclass(frozen=True)
class Outcome:
    """What came of one call.

    Attributes
    ----------
    result : Seen or None
        What it returned; None if it raised an error.
    error : str
        The error's type and text.
    line : int or None
        The line of the learner's function that raised it, its ``def`` being line 1.
    changed : tuple of int
        Places of the arguments that the call changed.
    printed : bool
        Whether it printed anything.
    """

    result: Seen | None
    error: str = ""
    line: int | None = None
    changed: tuple[int, ...] = ()
    printed: bool = False


def serve(connection: Connection) -> None:
    """Run jobs until the notebook's process closes its end, or ends."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # an interrupt is the notebook's
    threading.Thread(target=end_with_parent, daemon=True).start()
    torch.set_num_threads(1)
    settle()
    torch.ones(1, device="meta") + 1  # slow the first time
    with contextlib.suppress(EOFError, ConnectionError):
        connection.send(WARM)
        while True:
            job = connection.recv_bytes()
            try:
                use, answer, cases = cloudpickle.loads(job)
            except Exception as error:
                connection.send(brief(error))
                continue
            connection.send(UNPACKED)
            for case in cases:
                connection.send(call(use, answer, case))


def end_with_parent() -> None:
    """End this process when the notebook's is gone, whatever it is busy with."""
    parent_process().join()
    os._exit(1)


def call(use: Callable, answer: object, case: tuple) -> Outcome:
    """Use an answer on one case and describe what happens."""
    settle()
    before = copy.deepcopy(case)
    screen = io.StringIO()
    try:
        with contextlib.redirect_stdout(screen), contextlib.redirect_stderr(screen):
            result = seen(use(answer, *case))
    except BaseException as error:  # the learner's own, SystemExit included
        return Outcome(None, brief(error), line_of(error, answer))
    pairs = enumerate(zip(before, case, strict=True))
    changed = tuple(place for place, (old, new) in pairs if differ(old, new))
    return Outcome(result, changed=changed, printed=bool(screen.getvalue()))


def brief(error: BaseException) -> str:
    """Give an error's type and the beginning of its text."""
    [*_, text] = traceback.format_exception_only(error)
    return text.strip()[:300]


def settle() -> None:
    """Undo settings that an earlier answer may have left.

    In deterministic mode, `torch.empty` gives nan instead of whatever was there.
    """
    torch.set_deterministic_debug_mode("warn")
    torch.manual_seed(0)
    torch.set_default_dtype(torch.float32)
    torch.set_default_device("cpu")
    torch.set_grad_enabled(True)


def line_of(error: BaseException, answer: object) -> int | None:
    """Find the last line of the learner's own function on the error's way."""
    code = getattr(answer, "__code__", None)
    lines = [
        line - code.co_firstlineno + 1
        for frame, line in traceback.walk_tb(error.__traceback__)
        if code is not None and frame.f_code is code
    ]
    return lines[-1] if lines else None


def differ(old: object, new: object) -> bool:
    """Tell whether a tensor, a list or a layer's numbers were changed in place."""
    if isinstance(old, nn.Module):
        before, after = old.state_dict(), new.state_dict()
        return any(differ(value, after[name]) for name, value in before.items())
    if isinstance(old, list):
        return old != new
    return isinstance(old, Tensor) and not torch.equal(old, new)
