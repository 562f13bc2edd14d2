"""Run a learner's function where it can't hang, crash or fill the notebook."""

import contextlib
import signal
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from multiprocessing import get_context

import cloudpickle
import psutil

from conv.exercises.worker import UNPACKED, WARM, Outcome, serve

START_SECONDS = 60.0  # to import PyTorch, on a slow and busy disk
SECONDS = 1.4  # for all cases of an answer
MEGABYTES = 512  # that an answer may take
GLANCE = 0.02  # seconds between two looks at clock and memory


class Trouble(Exception):  # noqa: N818 (it is the learner's trouble, not an error)
    """The answer gave no outcome; its text says why.

    Attributes
    ----------
    name : str
        The misconception's name: "endless loop", "out of memory", ...
    """

    def __init__(self, name: str, text: str) -> None:
        super().__init__(text)
        self.name = name


class Sandbox:
    """A process of its own, started early and killed when it misbehaves.

    It is spawned: a forked process can't use a GPU that its parent used. It is
    killed from outside: an exception or a signal's handler inside could be caught by
    a learner's ``except:``, and waits as long as a call into PyTorch lasts.
    """

    def __init__(self) -> None:
        self.process, self.warm = None, False

    def warm_up(self) -> None:
        """Start the process, unless one is there, and return at once."""
        if self.process is None or not self.process.is_alive():
            spawn = get_context("spawn")
            self.connection, theirs = spawn.Pipe()
            self.process = spawn.Process(target=serve, args=(theirs,), daemon=True)
            with interrupts_ignored():
                self.process.start()
            theirs.close()
            self.warm = False

    def stop(self) -> None:
        """Kill the process and whatever it started."""
        if self.process is not None:
            with contextlib.suppress(psutil.NoSuchProcess):
                family = psutil.Process(self.process.pid).children(recursive=True)
                for child in family:
                    child.kill()
            self.process.kill()
            self.process.join()
            self.connection.close()
            self.process = None

    def run(self, use: Callable, answer: object, cases: Sequence[tuple]) -> list:
        """Use an answer on each case.

        Parameters
        ----------
        use : callable
            ``use(answer, *case)`` gives what is looked at.
        answer : object
            The learner's function.
        cases : sequence of tuple
            Arguments, case by case.

        Returns
        -------
        list of Outcome
            One a case.

        Raises
        ------
        Trouble
            If the answer can't be sent, takes too long or too much memory, or ends
            the process.
        """
        try:
            job = cloudpickle.dumps((use, answer, cases))
        except Exception as error:
            raise Trouble("can't be sent", CANT_BE_SENT.format(error)) from error
        try:
            self.deliver(job)
            return [self.wait(self.deadline) for _ in cases]
        except BaseException:  # the stop button of the notebook, too
            self.stop()
            raise

    def deliver(self, job: bytes) -> None:
        """Hand a job to a warm process; from then on the clock runs."""
        self.warm_up()
        if not self.warm:
            self.floor = float("inf")
            self.wait(time.monotonic() + START_SECONDS, WARM)
            self.warm = True
        self.floor = psutil.Process(self.process.pid).memory_info().rss
        self.connection.send_bytes(job)
        self.wait(time.monotonic() + START_SECONDS, UNPACKED)
        self.deadline = time.monotonic() + SECONDS

    def wait(self, deadline: float, expected: str = "") -> Outcome:
        """Wait for the next message, with an eye on clock and memory."""
        try:
            memory = psutil.Process(self.process.pid)
            while not self.connection.poll(GLANCE):
                if memory.memory_info().rss > self.floor + MEGABYTES * 2**20:
                    raise Trouble("out of memory", OUT_OF_MEMORY)
                if time.monotonic() > deadline:
                    raise Trouble("endless loop", ENDLESS.format(SECONDS))
            message = self.connection.recv()
        except (EOFError, OSError, psutil.NoSuchProcess) as error:
            raise Trouble("process ended", PROCESS_ENDED) from error
        if expected and message != expected:
            raise Trouble("can't be sent", CANT_BE_SENT.format(message))
        return message


@contextlib.contextmanager
def interrupts_ignored() -> Iterator[None]:
    """Let a process that starts here inherit that interrupts aren't for it.

    Jupyter sends them to all of a notebook's processes.
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
    "Use nothing but its arguments and what you import."
)
OUT_OF_MEMORY = (
    f"Your function asked for more than {MEGABYTES} MB for a tiny picture, and was "
    "stopped. Look at the sizes that you allocate."
)
ENDLESS = (
    "Your function was still running after {} seconds, and was stopped. Is there a "
    "loop that never ends?"
)
PROCESS_ENDED = (
    "Your function ended Python itself. Does it call exit, or a function that crashes?"
)
