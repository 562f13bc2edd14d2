"""Run a learner's function in a separate process.

There it can't hang or crash the notebook's kernel or use up its memory.
"""

import contextlib
import signal
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from multiprocessing import get_context

import cloudpickle
import psutil

from conv.exercises.worker import READY, UNPACKED, Outcome, run_jobs

START_TIMEOUT = 60.0  # seconds to import PyTorch from a slow and busy disk
TIME_LIMIT = 1.4  # seconds for all cases of an answer
MEMORY_LIMIT = 512  # MB for an answer
POLL_INTERVAL = 0.02  # seconds between two checks of time and memory


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


class Sandbox:
    """A worker process that is started early and killed if a limit is exceeded.

    It is spawned, because a forked process can't use a GPU that its parent has used.
    It is killed from outside, because a learner's ``except:`` could catch an exception
    raised inside, and a signal handler would run only after a call into PyTorch ends.
    """

    def __init__(self) -> None:
        self.process, self.ready = None, False

    def warm_up(self) -> None:
        """Start the process without waiting for it, unless it is running."""
        if self.process is None or not self.process.is_alive():
            spawn = get_context("spawn")
            self.connection, remote = spawn.Pipe()
            self.process = spawn.Process(target=run_jobs, args=(remote,), daemon=True)
            with interrupts_ignored():
                self.process.start()
            remote.close()
            self.ready = False

    def stop(self) -> None:
        """Kill the process and its descendants."""
        if self.process is not None:
            with contextlib.suppress(psutil.NoSuchProcess):
                worker = psutil.Process(self.process.pid)
                for child in worker.children(recursive=True):
                    child.kill()
            self.process.kill()
            self.process.join()
            self.connection.close()
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
            If the answer can't be sent, takes too long, needs too much memory, or ends
            the process.
        """
        try:
            job = cloudpickle.dumps((use, answer, cases))
        except Exception as error:
            raise SandboxError("can't be sent", CANT_BE_SENT.format(error)) from error
        try:
            self.send(job)
            return [self.wait(self.deadline) for _ in cases]
        except BaseException:  # including KeyboardInterrupt, from the stop button
            self.stop()
            raise

    def send(self, job: bytes) -> None:
        """Send a job to the process, and set the deadline once it has arrived."""
        self.warm_up()
        if not self.ready:
            self.baseline = float("inf")
            self.wait(time.monotonic() + START_TIMEOUT, READY)
            self.ready = True
        self.baseline = psutil.Process(self.process.pid).memory_info().rss
        self.connection.send_bytes(job)
        self.wait(time.monotonic() + START_TIMEOUT, UNPACKED)
        self.deadline = time.monotonic() + TIME_LIMIT

    def wait(self, deadline: float, expected: str = "") -> Outcome:
        """Wait for the next message while checking time and memory."""
        try:
            memory = psutil.Process(self.process.pid)
            while not self.connection.poll(POLL_INTERVAL):
                if memory.memory_info().rss > self.baseline + MEMORY_LIMIT * 2**20:
                    raise SandboxError("out of memory", OUT_OF_MEMORY)
                if time.monotonic() > deadline:
                    raise SandboxError("infinite loop", TIMED_OUT.format(TIME_LIMIT))
            message = self.connection.recv()
        except (EOFError, OSError, psutil.NoSuchProcess) as error:
            raise SandboxError("process ended", PROCESS_ENDED) from error
        if expected and message != expected:
            raise SandboxError("can't be sent", CANT_BE_SENT.format(message))
        return message


@contextlib.contextmanager
def interrupts_ignored() -> Iterator[None]:
    """Let a process that is started here ignore interrupts.

    Jupyter sends interrupts to all processes of a kernel.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


CANT_BE_SENT = (
    "Your function uses something that can't be sent to the checker ({}). "
    "Use only its arguments and what you import."
)
OUT_OF_MEMORY = (
    f"Your function asked for more than {MEMORY_LIMIT} MB for a tiny input and was "
    "stopped. Check the sizes that you allocate."
)
TIMED_OUT = (
    "Your function was still running after {} seconds and was stopped. Is there a "
    "loop that never ends?"
)
PROCESS_ENDED = (
    "Your function ended the Python process. Does it call exit, or a function that "
    "crashes?"
)
