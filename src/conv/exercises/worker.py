"""The worker process, which runs a learner's function.

The notebook imports this module for its data types. The worker runs it as a script, so
the worker imports only PyTorch and what the learner's function uses, not all of `conv`.
"""

import contextlib
import copy
import io
import json
import os
import queue
import random
import signal
import sys
import threading
import traceback
import warnings
from collections.abc import Callable
from dataclasses import asdict, dataclass
from decimal import Decimal
from fractions import Fraction
from typing import BinaryIO

import cloudpickle
import numpy as np
import torch
from torch import Tensor, nn

MAX_SIZE = 10_000  # elements; larger results are not read
MAX_TEXT = 300  # characters of an error or of a type's name

MIXED_DTYPES = (  # parts of PyTorch's error messages
    "expected scalar type",
    "same dtype",
    "of the same type",
    "should be the same",
)

READY, UNPACKED, FAILED, DONE = "ready", "unpacked", "failed", "done"


@dataclass(frozen=True)
class Summary:
    """A summary of an answer, or of what a function returned.

    Attributes
    ----------
    kind : str
        A description: "nothing", "a number", "a tensor of shape (2, 3)", "a str".
    numbers : ndarray of float64 or None
        The answer's numbers; None if it isn't numeric.
    dtype : str
        That of a tensor; empty for any other answer.
    """

    kind: str
    numbers: np.ndarray | None = None
    dtype: str = ""


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


def summarize(value: object) -> Summary:
    """Summarize any object without raising an error."""
    if value is None:
        return Summary("nothing")
    with contextlib.suppress(Exception):  # sparse, ragged, too deep, not numeric, ...
        if isinstance(value, Tensor):
            return summarize_tensor(value)
        if isinstance(value, bool | int | float | Fraction | Decimal | np.number):
            return Summary("a number", np.asarray(float(value)))
        if isinstance(value, np.ndarray | list | tuple):
            numbers = to_array(value)
            return Summary(f"{type_name(value)} of shape {numbers.shape}", numbers)
    return Summary(type_name(value))


def summarize_tensor(value: Tensor) -> Summary:
    """Summarize a tensor, with its numbers if they can be read."""
    if value.is_complex() and is_real(value):
        value = value.real
    complex_ = " of complex numbers" if value.is_complex() else ""
    kind = f"a tensor{complex_} of shape {tuple(value.shape)}"
    numbers = None
    with contextlib.suppress(Exception):  # sparse, quantized, without data, ...
        if value.numel() <= MAX_SIZE and not value.is_complex() and not value.is_meta:
            numbers = value.detach().cpu().double().numpy().copy()
    return Summary(kind, numbers, str(value.dtype).removeprefix("torch."))


def is_real(value: Tensor) -> bool:
    """Return whether all imaginary parts are zero up to rounding errors."""
    size = value.abs().max() if value.numel() else 0.0
    return bool((value.imag.abs() <= 1e-6 * size).all())


def to_array(value: np.ndarray | list | tuple) -> np.ndarray:
    """Convert an array or nested sequences, which may contain tensors, to float64."""
    if isinstance(value, np.ndarray):
        if value.dtype.kind == "c":
            return summarize_tensor(torch.from_numpy(value)).numbers
        if value.size > MAX_SIZE or value.dtype.kind not in "biufO":
            raise ValueError("not an array of numbers")
        return value.astype(np.float64)
    if len(value) > MAX_SIZE:
        raise ValueError("too long")
    parts = [summarize(part).numbers for part in value]
    if any(part is None for part in parts):
        raise ValueError("an element is not numeric")
    array = np.asarray(parts, dtype=np.float64)
    if array.size > MAX_SIZE:
        raise ValueError("too many numbers")
    return array


def type_name(value: object) -> str:
    """Return the name of a value's type with an article: "a str", "an int"."""
    if type(value) is np.ndarray:
        return "a NumPy array"
    name = str(type.__getattribute__(type(value), "__name__"))[:MAX_TEXT]
    return f"an {name}" if name[:1].lower() in "aeiou" else f"a {name}"


def main(idle_limit: float) -> None:
    """Run jobs until the notebook's process ends, or none comes for some time.

    Parameters
    ----------
    idle_limit : float
        Seconds to wait for a job.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # interrupts are meant for the kernel
    requests, replies = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    with open(os.devnull, "r+b") as nowhere:  # what the answer reads and prints
        os.dup2(nowhere.fileno(), 0)
        os.dup2(nowhere.fileno(), 1)
    jobs: queue.SimpleQueue[bytes] = queue.SimpleQueue()
    threading.Thread(target=read_jobs, args=(requests, jobs), daemon=True).start()
    torch.set_num_threads(1)
    reset_settings()
    reply(replies, state=READY)
    with contextlib.suppress(queue.Empty, OSError):
        while True:
            run_job(jobs.get(timeout=idle_limit), replies)
    os._exit(0)


def read_jobs(requests: BinaryIO, jobs: queue.SimpleQueue) -> None:
    """Read jobs; end this process, whatever it is doing, if the notebook's ended."""
    with contextlib.suppress(OSError):
        while header := requests.readline():
            jobs.put(requests.read(int(header)))
    os._exit(0)


def reply(replies: BinaryIO, **message: object) -> None:
    """Send a message: one line of JSON, so that reading it can't run any code."""
    replies.write(json.dumps(message).encode() + b"\n")
    replies.flush()


def run_job(job: bytes, replies: BinaryIO) -> None:
    """Run an answer on all cases, and send the outcomes one by one."""
    try:
        use, answer, cases = cloudpickle.loads(job)
    except BaseException as error:  # code of the learner's objects may run here
        reply(replies, state=FAILED, error=format_error(error))
        return
    reply(replies, state=UNPACKED)
    for case in cases:
        message = asdict(run_case(use, answer, case))
        if message["returned"] is not None:
            numbers = message["returned"]["numbers"]
            if numbers is not None:
                message["returned"]["shape"] = numbers.shape
                message["returned"]["numbers"] = numbers.ravel().tolist()
        reply(replies, state=DONE, **message)


def run_case(use: Callable, answer: object, case: tuple) -> Outcome:
    """Run an answer on one case."""
    reset_settings()
    before = copy.deepcopy(case)
    output = io.StringIO()
    try:
        with (
            contextlib.redirect_stdout(output),
            contextlib.redirect_stderr(output),
            warnings.catch_warnings(action="ignore"),
        ):
            returned = summarize(call(use, answer, case))
    except BaseException as error:  # any error of the answer, including SystemExit
        return Outcome(None, format_error(error), error_line(error, answer))
    pairs = enumerate(zip(before, case, strict=True))
    changed = tuple(position for position, (old, new) in pairs if was_changed(old, new))
    return Outcome(returned, changed=changed, printed=output.tell() > 0)


def call(use: Callable, answer: object, case: tuple) -> object:
    """Call an answer; if it mixes dtypes, call it again with float32 inputs.

    The cases are float64. A learner's own tensors and layers usually have PyTorch's
    default dtype, float32, and many operations refuse to mix the two.
    """
    in_float32 = [to_float32(part) for part in copy.deepcopy(case)]
    try:
        return use(answer, *case)
    except RuntimeError as error:
        if not any(part in str(error) for part in MIXED_DTYPES):
            raise
    return use(answer, *in_float32)


def to_float32(part: object) -> object:
    """Convert a float64 tensor or layer to float32."""
    if isinstance(part, nn.Module):
        return part.float()
    is_double = isinstance(part, Tensor) and part.dtype == torch.float64
    return part.float() if is_double else part


def format_error(error: BaseException) -> str:
    """Return an error's type and the beginning of its text."""
    try:
        [*_, text] = traceback.format_exception_only(error)
    except Exception:  # the error's own methods may raise
        text = type_name(error)
    return text.strip()[:MAX_TEXT]


def reset_settings() -> None:
    """Reset global settings that an earlier answer may have changed.

    In deterministic mode, `torch.empty` fills its result with nan.
    """
    torch.set_deterministic_debug_mode("warn")
    torch.manual_seed(0)
    np.random.seed(0)  # noqa: NPY002 - the generator that learners use
    random.seed(0)
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
        return any(was_changed(before[name], after.get(name)) for name in before)
    if isinstance(old, list):
        return old != new
    return isinstance(old, Tensor) and not (new is not None and torch.equal(old, new))


if __name__ == "__main__":
    main(float(sys.argv[1]))
