"""Test that the checker judges any answer and keeps working."""

import contextlib
import dataclasses
import math
import os
import subprocess
import sys
import threading
import time
import warnings
from decimal import Decimal
from fractions import Fraction

import cloudpickle
import numpy as np
import psutil
import pytest
import torch

from conv.exercises import EXERCISES, GRADER, judge, sandbox
from conv.exercises.case_result import CaseResult
from conv.exercises.comparison import as_float64, close, matches
from conv.exercises.exercise import ValueExercise, apply
from conv.exercises.functions import judge_function, reproduces
from conv.exercises.generic_mistakes import (
    constant_result,
    negated,
    one_too_many,
    scaled,
    shifted_by_constant,
)
from conv.exercises.sandbox import MEMORY_LIMIT, Sandbox, SandboxError
from conv.exercises.worker import Outcome, run_case, summarize


def in_notebook(function):
    """Make a function look like one that a notebook's cell defines."""
    function.__module__ = "__main__"
    return function


cloudpickle.register_pickle_by_value(sys.modules[__name__])


def checker_works() -> bool:
    """Return whether the checker still accepts a right answer."""

    @in_notebook
    def corr1d(x, k):
        n = len(x) - len(k) + 1
        return torch.stack([x[i : i + len(k)] @ k for i in range(n)])

    return judge("1.3", corr1d).right


def endless(x, k):
    while True:
        pass


def swallowing(x, k):
    while True:
        try:
            while True:
                pass
        except:  # noqa: E722
            pass


def inside_torch(x, k):
    a = torch.ones(6000, 6000)
    for _ in range(1000):
        a = a @ a
    return a


def sleeping(x, k):
    time.sleep(1000)


def requesting_input(x, k):
    return float(input("Which number? "))


def write_to_all_pipes(message):
    """Write to all open file descriptors, to forge a message to the checker."""
    for number in range(3, 100):
        try:
            os.write(number, message)
        except OSError:
            continue


def forging(x, k):
    write_to_all_pipes(b"\x80\x04cos\nsystem\n(S'echo hacked'\ntR.\n")
    return x


def forging_nested(x, k):
    write_to_all_pipes(b"[" * 100_000 + b"\n")
    return x


def forging_a_flood(x, k):
    write_to_all_pipes(b"[" * 2**21)
    return x


def forging_half_a_message(x, k):
    write_to_all_pipes(b'{"state":')
    time.sleep(1000)


def forging_an_outcome(x, k):
    write_to_all_pipes(b'{"state": "done", "returned": 3, "error": "", "line": null}\n')
    return x


def allocating(x, k):
    heap = []
    while True:
        heap.append(torch.ones(2**22))


def allocating_at_once(x, k):
    return torch.ones(2**50)


def exiting(x, k):
    os._exit(0)


def crashing(x, k):
    import ctypes

    ctypes.string_at(0)


def closing(x, k):
    os.closerange(3, 1000)
    return x


def exiting_with_message(x, k):
    sys.exit("that's it")


def interrupting(x, k):
    raise KeyboardInterrupt


def with_a_bad_error(x, k):
    class Mute(Exception):  # noqa: N818
        def __str__(self):
            raise ValueError("no text")

    raise Mute


GRANDCHILD = "import time; print(1, flush=True); time.sleep(3600)"
GRANDCHILD += f"  # of test process {os.getpid()}"
CHILD = (
    f"import subprocess, sys; subprocess.run([sys.executable, '-c', {GRANDCHILD!r}])"
)


def with_children(x, k):
    subprocess.Popen([sys.executable, "-c", CHILD])
    while True:
        pass


def allocating_with_children(x, k):
    child = subprocess.Popen([sys.executable, "-c", CHILD], stdout=subprocess.PIPE)
    child.stdout.readline()  # both processes are running now
    hoard = []
    while True:
        hoard.append(torch.ones(1_000_000))


LOCK = threading.Lock()


MESSAGES = {
    "infinite loop": "Your function was still computing after 3 seconds",
    "too slow": "Your function hadn't finished after 10 seconds",
    "input requested": "Your function waits for keyboard input.",
    "out of memory": "Your function needed more than 512 MB",
    "out of memory at once": "Your function tried to allocate more memory",
    "process ended": "The Python process that ran your function ended unexpectedly.",
    "exits Python": "To leave a function, use `return`.",
    "error raised": ") raised ",
    "unreadable result": "The checker couldn't read the result of your function.",
    "unsupported object": "process (`LOCK`: TypeError: cannot pickle '_thread.lock'",
}


@pytest.mark.parametrize(
    ("answer", "name"),
    [
        (endless, "infinite loop"),
        (swallowing, "infinite loop"),
        (inside_torch, "infinite loop"),
        (sleeping, "too slow"),
        (requesting_input, "input requested"),
        (with_children, "infinite loop"),
        (allocating, "out of memory"),
        (allocating_at_once, "out of memory at once"),
        (exiting, "process ended"),
        (crashing, "process ended"),
        (closing, "process ended"),
        (exiting_with_message, "exits Python"),
        (forging, "unreadable result"),
        (forging_nested, "unreadable result"),
        (forging_a_flood, "unreadable result"),
        (forging_half_a_message, "too slow"),
        (forging_an_outcome, "unreadable result"),
        (interrupting, "error raised"),
        (with_a_bad_error, "error raised"),
        (lambda x, k: LOCK, "unsupported object"),
    ],
)
def test_misbehaving_answers_are_reported(answer, name, monkeypatch):
    if "out of memory" in name:
        # Filling memory is slow on a busy machine.
        monkeypatch.setattr(sandbox, "TIME_LIMIT", 60.0)
        monkeypatch.setattr(sandbox, "CPU_LIMIT", 60.0)
    verdict = judge("1.3", in_notebook(answer))
    assert verdict.mistake == name.removesuffix(" at once")
    assert MESSAGES[name] in verdict.message
    assert checker_works()


class FailsToUnpickle:
    """An object that can be pickled but not unpickled."""

    def __call__(self, x, k):
        return x

    def __reduce__(self):
        return int, ("one",)


class ErrorAt:
    """A sandbox whose n-th run raises an error."""

    def __init__(self, n):
        self.remaining = n

    def run(self, use, answer, cases):
        if self.remaining == 0:
            raise SandboxError("lost", "It was here a moment ago.")
        self.remaining -= 1
        return [run_case(use, answer, case) for case in cases]

    def stop(self):
        """Do nothing, because there is no process."""


@pytest.mark.parametrize("n", [0, 1, 2])
def test_sandbox_errors_in_any_run_are_reported(n):
    requires = "dtype", "gradient"
    exercise = dataclasses.replace(EXERCISES["1.3"], requires=requires, rules=())
    verdict = judge_function(exercise, exercise.expected, ErrorAt(n))
    expected = "1.3  not correct yet: lost\nIt was here a moment ago."
    assert str(verdict) == expected
    assert judge_function(exercise, exercise.expected, ErrorAt(3)).right


def test_answers_that_cannot_be_unpickled_are_reported():
    verdict = judge("1.3", FailsToUnpickle())
    assert verdict.mistake == "unsupported object"
    assert (
        "ValueError: invalid literal for int() with base 10: 'one'" in verdict.message
    )
    assert checker_works()


BALLAST = np.ones(2**24)  # 128 MB


def test_only_memory_of_the_answer_counts(monkeypatch):
    """Data that it uses from the notebook don't count towards the memory limit."""

    @in_notebook
    def heavy(x, k):
        n = len(x) - len(k) + 1
        return torch.stack([x[i : i + len(k)] @ k for i in range(n)]) * BALLAST[0]

    monkeypatch.setattr(sandbox, "MEMORY_LIMIT", 64)
    assert judge("1.3", heavy).right
    monkeypatch.setattr(sandbox, "MAX_JOB", 100)
    verdict = judge("1.3", heavy)
    assert verdict.mistake == "unsupported object"
    assert "Your function uses 128 MB of data from the notebook" in verdict.message


def test_stopped_worker_leaves_no_process(monkeypatch):
    monkeypatch.setattr(sandbox, "TIME_LIMIT", 60.0)
    monkeypatch.setattr(sandbox, "CPU_LIMIT", 60.0)
    box = Sandbox()
    box.warm_up()
    worker = box.process.pid
    answer = in_notebook(allocating_with_children)
    assert judge_function(EXERCISES["1.3"], answer, box).mistake == "out of memory"
    assert not psutil.pid_exists(worker)
    remaining = [p.info["cmdline"] for p in psutil.process_iter(["cmdline"])]
    assert not [line for line in remaining if line and line[-1] in (CHILD, GRANDCHILD)]


def test_worker_that_has_exited_can_be_stopped():
    box = Sandbox()
    box.warm_up()
    box.process.kill()
    box.process.wait()
    box.stop()
    assert box.process is None


def test_memory_limit_applies_before_the_machine_runs_out(monkeypatch):
    """The sandbox stops the function soon after it exceeds the limit."""
    monkeypatch.setattr(sandbox, "TIME_LIMIT", 60.0)
    monkeypatch.setattr(sandbox, "CPU_LIMIT", 60.0)
    box, excess = Sandbox(), []
    check_limits = sandbox.check_limits

    def watch(process, limits):
        excess.append(process.memory_info().rss - limits.memory)
        check_limits(process, limits)

    monkeypatch.setattr(sandbox, "check_limits", watch)
    verdict = judge_function(EXERCISES["1.3"], in_notebook(allocating), box)
    assert verdict.mistake == "out of memory"
    assert -MEMORY_LIMIT / 2 < max(excess) / 2**20 < MEMORY_LIMIT


class Hostile:
    """An object that raises an error on any access."""

    def __getattr__(self, name):
        raise RuntimeError("don't touch me")

    def __len__(self):
        raise RuntimeError("don't measure me")

    def __repr__(self):
        raise RuntimeError("don't name me")


class HostileTensor(torch.Tensor):
    """A tensor that refuses every operation."""

    @classmethod
    def __torch_function__(cls, func, types, args=(), kwargs=None):
        raise RuntimeError("don't compute with me")


class HostileNumber(float):
    """A number that can't be read."""

    def __float__(self):
        raise RuntimeError("don't convert me")


class HostileList(list):
    """A list that can't be read."""

    def __iter__(self):
        raise RuntimeError("don't iterate over me")

    def __len__(self):
        raise RuntimeError("don't measure me")


def self_containing_list() -> list:
    """Create a list that contains itself."""
    inner: list = []
    inner.append(inner)
    return inner


GARBAGE = {
    "text": "garbage",
    "bytes": b"garbage",
    "dict": {"a": 1},
    "set": {1, 2},
    "object": object(),
    "hostile": Hostile(),
    "module": torch,
    "type": int,
    "self-containing": self_containing_list(),
    "ragged": [[1, 2], [3]],
    "empty": [],
    "long": [0] * 2_000_000,
    "much from little": [torch.ones(9_000), torch.ones(9_000)],
    "nested": torch.nested.nested_tensor(
        [torch.ones(2), torch.ones(3)], layout=torch.jagged
    ),
    "hostile tensor": HostileTensor(),
    "hostile number": HostileNumber(3),
    "hostile list": HostileList([3]),
    "text that can't be printed": "\ud800\x1b[31m",
    "type that can't be printed": type("\x1b[31m\U0001f600" * 200, (), {})(),
    "huge int": 10**400,
    "nan": float("nan"),
    "infinity": [float("inf"), 1],
    "complex": torch.full((2,), 1j),
    "meta": torch.ones(2, device="meta"),
    "sparse": torch.ones(2, 2).to_sparse(),
    "large": torch.ones(1).expand(10**9),
    "many axes": torch.ones([1] * 12),
    "no numbers": torch.ones(0, 3),
    "generator": (n for n in range(3)),
    "layer": torch.nn.Linear(2, 2),
    "builtin": print,
}


class ReusingSandbox(Sandbox):
    """A sandbox that keeps the worker after a wrong answer, which saves time."""

    def stop(self):
        """Keep the process."""


@pytest.fixture(scope="module")
def reusing_sandbox():
    box = ReusingSandbox()
    yield box
    Sandbox.stop(box)


@pytest.fixture
def judge_in_one_process(monkeypatch, reusing_sandbox):
    """Judge all answers in one process."""
    monkeypatch.setattr(GRADER, "sandbox", reusing_sandbox)


@pytest.mark.parametrize("number", EXERCISES)
def test_garbage_answers_get_a_message(number, judge_in_one_process):
    for name, garbage in GARBAGE.items():
        extra = ["b"] if EXERCISES[number].kind == "explain" else []
        verdict = judge(number, garbage, *extra)
        assert verdict.state == "not correct yet", name
        assert verdict.message, name


@pytest.mark.parametrize("name", GARBAGE)
def test_garbage_results_get_a_message(name, judge_in_one_process):
    garbage = GARBAGE[name]

    def answer(x, k):
        return garbage

    verdict = judge("1.3", in_notebook(answer))
    assert verdict.state == "not correct yet"
    assert verdict.message


def test_measurement_needs_a_reason():
    for reason in (None, "", "z", 3, Hostile(), ["a"]):
        assert judge("7.4", 8, reason).mistake == "missing reason"


@pytest.mark.parametrize("other", [None, "1", object()])
def test_list_with_other_objects_is_not_numeric(other):
    assert summarize([[other, 2.0]]).numbers is None
    assert summarize([[1.0, 2.0]]).numbers.tolist() == [[1.0, 2.0]]


@pytest.mark.parametrize("kind", [list, tuple, np.array, torch.tensor])
def test_too_many_numbers_are_not_compared(kind, monkeypatch):
    monkeypatch.setattr("conv.exercises.worker.MAX_SIZE", 3)
    for count in (0, 1, 3):
        numbers = summarize(kind(range(count))).numbers
        assert (numbers.tolist(), numbers.dtype) == (list(range(count)), "float64")
    assert summarize(kind(range(4))).numbers is None


@pytest.mark.parametrize("value", ["1", 1j, np.datetime64("2020")])
def test_array_of_another_dtype_is_not_numeric(value):
    assert summarize(np.array([value])).numbers is None
    assert summarize(np.array([True, False])).numbers.tolist() == [1, 0]


@pytest.mark.parametrize(
    ("value", "kind", "is_numbers"),
    [
        (None, "nothing", False),
        (3, "a number", True),
        (Fraction(1, 2), "a number", True),
        ([1, 2], "a list of shape (2,)", True),
        (np.zeros((2, 3)), "a NumPy array of shape (2, 3)", True),
        ([1, [2, 3]], "a list", False),
        ("1", "a str", False),
        (ValueError, "a type", False),
        ({1}, "a set", False),
        (object(), "an object", False),
        (torch.ones(2, 3), "a tensor of shape (2, 3)", True),
        (torch.ones(2) * 1j, "a tensor of complex numbers of shape (2,)", False),
        (torch.ones(2).cfloat(), "a tensor of shape (2,)", True),
        (np.ones(2) + 0j, "a NumPy array of shape (2,)", True),
        (np.ones(2) + 1j, "a NumPy array", False),
        (Decimal("0.5"), "a number", True),
        (torch.ones(2, device="meta"), "a tensor of shape (2,)", False),
        (torch.ones(2, 2).to_sparse(), "a tensor of shape (2, 2)", False),
    ],
)
def test_answers_are_described_by_their_kind(value, kind, is_numbers):
    found = summarize(value)
    assert (found.kind, found.numbers is not None) == (kind, is_numbers)


def test_none_matches_no_number():
    assert not matches(summarize(None), 0.0)


@pytest.mark.parametrize(
    ("want", "off", "expected_match"),
    [
        ([1000.0, 1.0], 0.009, True),
        ([1000.0, 1.0], 0.011, False),
        ([0.001], 9e-9, True),
        ([0.001], 1.1e-8, False),
        ([0.0], 9e-6, True),
        ([0.0], 1.1e-5, False),
        ([math.inf, 1.0], 9e-6, True),
        ([math.inf, 1.0], 1.1e-5, False),
    ],
)
def test_tolerance_is_relative_to_the_largest_number(want, off, expected_match):
    want = np.array(want)
    assert close(want + off, want) == close(want - off, want) == expected_match


@pytest.mark.parametrize(
    ("wrong", "expected"),
    [({}, False), ({1}, False), ({1, 3}, True), ({1, 2, 3}, True)],
)
def test_mistake_must_occur_in_two_cases(wrong, expected):
    def answer(number):
        return torch.tensor(-1 if number in wrong else number)

    results = [
        CaseResult((number,), as_float64(number), Outcome(summarize(answer(number))))
        for number in (1, 2, 3)
    ]
    assert reproduces(answer, results) == expected


def case_results(*pairs):
    """Create results with these actual and expected numbers."""
    return [
        CaseResult((), as_float64(want), Outcome(summarize(torch.tensor(got))))
        for got, want in pairs
    ]


@pytest.mark.parametrize(
    ("generic_mistake", "pairs", "expected"),
    [
        (scaled, [([2.0, 4], [1.0, 2])], True),
        (scaled, [([-2.0, -4], [1.0, 2]), ([6.0], [-3.0])], True),
        (scaled, [([2.0, 4], [1.0, 3])], False),
        (scaled, [([0.0, 0], [1.0, 2])], False),
        (scaled, [([1.0, 2], [0.0, 0])], False),
        (scaled, [([math.inf, 2], [math.inf, 1])], False),
        (scaled, [([math.nan, 2], [1.0, 1])], False),
        (scaled, [([1.0], [1.0, 2])], False),
        (shifted_by_constant, [([3.0, 4], [1.0, 2]), ([0.0], [-2.0])], True),
        (shifted_by_constant, [([3.0, 4], [1.0, 2]), ([0.0], [-3.0])], False),
        (shifted_by_constant, [([3.0, 4], [1.0, 2])], False),
        (negated, [(-3.0, 3.0), (2.0, -2.0)], True),
        (negated, [(-3.0, 3.0), (2.0, 2.0)], False),
        (constant_result, [(5.0, 1.0), (5.0, 2.0), (5.0, 3.0)], True),
        (constant_result, [(5.0, 1.0), (5.0, 2.0)], False),
        (constant_result, [(5.0, 1.0), (5.0, 2.0), (4.0, 3.0)], False),
        (one_too_many, [([1.0, 2], [1.0]), ([1.0, 2, 3], [1.0, 2])], True),
        (one_too_many, [([[1.0, 2]], [[1.0]])], True),
        (one_too_many, [([1.0, 2], [1.0]), ([1.0], [1.0])], False),
        (one_too_many, [([1.0, 2, 3], [1.0])], False),
        (one_too_many, [([1.0], [1.0, 2])], False),
    ],
)
def test_generic_mistakes(generic_mistake, pairs, expected):
    assert bool(generic_mistake(case_results(*pairs))) == expected


def test_printing_is_not_a_mistake():
    @in_notebook
    def printing(x, k):
        print("at work")
        return "done"

    verdict = judge("1.3", printing)
    assert verdict.mistake == ""
    assert verdict.message.startswith("Your function returned a str,")


def test_result_instead_of_a_function_is_reported():
    assert str(judge("1.3", torch.ones(3))).splitlines() == [
        "1.3  not correct yet: result instead of function",
        "The checker calls your answer, so pass the function itself instead of a "
        "tensor of shape (3,). Remove any parentheses after the function's name.",
    ]


def test_number_of_answers_is_checked():
    assert str(judge("1.1")).splitlines() == [
        "1.1  not correct yet: wrong number of answers",
        "This exercise takes 1 answer, but you gave 0.",
    ]
    assert judge("1.1", 1, 2).mistake == "wrong number of answers"
    assert judge("7.4", 8).mistake == "wrong number of answers"


def test_settings_of_an_answer_do_not_persist():
    @in_notebook
    def changing_settings(x, k):
        torch.set_default_dtype(torch.float16)
        torch.set_default_device("meta")
        torch.set_grad_enabled(False)
        return x

    assert not judge("1.3", changing_settings).right
    assert checker_works()


def test_interrupt_stops_the_worker_and_the_next_answer_is_judged(monkeypatch):
    box = Sandbox()

    def interrupted(*args):
        raise KeyboardInterrupt

    monkeypatch.setattr(box, "wait", interrupted)
    with pytest.raises(KeyboardInterrupt):
        judge_function(EXERCISES["1.3"], in_notebook(endless), box)
    assert box.process is None
    monkeypatch.undo()
    assert judge_function(EXERCISES["1.3"], in_notebook(corr1d), box).right
    box.stop()


def slow(answer: object, seconds: float) -> float:
    """Wait for some seconds instead of using the answer."""
    time.sleep(seconds)
    return seconds


@pytest.mark.rare
@pytest.mark.parametrize("seconds", [None, [0.5, 0.5], [0.0]])
def test_abandoned_worker_exits(seconds):
    """The notebook closes its end of the pipe but keeps running.

    The worker is idle, or computing, or its last message has not been read.
    """
    box = Sandbox()
    box.run(slow, None, [(0.0,)])
    if seconds is not None:
        box.send(cloudpickle.dumps((slow, None, [(s,) for s in seconds])))
    box.process.stdin.close()
    assert box.process.wait(20) == 0
    box.stop()


def test_worker_exits_with_its_notebook():
    """The notebook may even be killed while the worker is in an infinite loop."""
    script = (
        "import os, threading, time\n"
        "from conv.exercises import judge\n"
        "from conv.exercises.grader import Grader\n"
        "import conv.exercises as e\n"
        "def endless(x, k):\n"
        "    while True: pass\n"
        "if __name__ == '__main__':\n"
        "    import conv.exercises.sandbox as s; s.TIME_LIMIT = 1000\n"
        "    threading.Thread(target=judge, args=('1.3', endless)).start()\n"
        "    while e.GRADER.sandbox.process is None or not e.GRADER.sandbox.ready:\n"
        "        time.sleep(0.05)\n"
        "    time.sleep(0.5)\n"
        "    print(e.GRADER.sandbox.process.pid, flush=True)\n"
        "    os.kill(os.getpid(), 9)\n"
    )
    run = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, timeout=120
    )
    worker = int(run.stdout)
    for _ in range(100):
        if not psutil.pid_exists(worker):
            break
        if psutil.Process(worker).status() == psutil.STATUS_ZOMBIE:
            break
        time.sleep(0.1)
    else:
        pytest.fail("the worker outlived its notebook")


def corr1d(x, k):
    n = len(x) - len(k) + 1
    return torch.stack([x[i : i + len(k)] @ k for i in range(n)])


def patching(x, k):
    import builtins

    torch.stack = torch.Tensor.sum = builtins.sum = None
    sys.modules["numpy"] = None
    return x


def test_wrong_answer_does_not_share_its_worker():
    for answer in (patching, sleeping_a_little, exiting_with_message):
        assert checker_works()
        before = GRADER.sandbox.process.pid
        assert not judge("1.3", in_notebook(answer)).right
        assert not psutil.pid_exists(before)
    assert checker_works()
    before = GRADER.sandbox.process.pid
    assert checker_works()
    assert GRADER.sandbox.process.pid == before


def test_delayed_output_does_not_affect_the_next_answer():
    @in_notebook
    def writing_later(x, k):
        message = b'{"state": "unpacked"}\n'
        threading.Timer(0.3, write_to_all_pipes, [message]).start()
        return corr1d(x, k)

    assert judge("1.3", writing_later).right
    time.sleep(1)
    assert checker_works()


def sleeping_a_little(x, k):
    time.sleep(0.1)
    return x


def test_waiting_does_not_count_as_computing_time(monkeypatch):
    """On a busy machine, time passes while the answer isn't running."""
    monkeypatch.setattr(sandbox, "CPU_LIMIT", 0.5)

    @in_notebook
    def waiting(x, k):
        time.sleep(0.2)
        return corr1d(x, k)

    assert judge("1.3", waiting).right


def test_slow_import_is_not_an_infinite_loop():
    @in_notebook
    def with_scipy(x, k):
        import scipy.signal

        return corr1d(x, k) * scipy.signal.windows.boxcar(1)[0]

    GRADER.sandbox.stop()
    assert judge("1.3", with_scipy).right


def test_exit_is_explained():
    """In a notebook, `exit` is an object of IPython that can't be pickled."""
    space = {"__name__": "__main__", "exit": LOCK}
    exec("def leave(x, k):\n    exit()", space)
    verdict = judge("1.3", space["leave"])
    assert str(verdict) == (
        "1.3  not correct yet: exits Python\nYour function calls `exit`, which exits "
        "Python. To leave a function, use `return`."
    )


@contextlib.contextmanager
def default_device(name):
    torch.set_default_device(name)
    yield
    torch.set_default_device(None)


@contextlib.contextmanager
def default_dtype(dtype):
    before = torch.get_default_dtype()
    torch.set_default_dtype(dtype)
    yield
    torch.set_default_dtype(before)


@contextlib.contextmanager
def deterministic():
    torch.use_deterministic_algorithms(True)
    yield
    torch.use_deterministic_algorithms(False)


SETTINGS = {
    "no gradients": torch.no_grad,
    "inference mode": torch.inference_mode,
    "meta device": lambda: default_device("meta"),
    "half precision": lambda: default_dtype(torch.float16),
    "autocast": lambda: torch.autocast("cpu", torch.bfloat16),
    "warnings as errors": lambda: warnings.catch_warnings(action="error"),
    "deterministic": deterministic,
}


@pytest.mark.parametrize("setting", SETTINGS)
def test_settings_of_the_notebook_do_not_affect_the_verdict(
    setting, judge_in_one_process
):
    """Settings and random state are unchanged afterwards."""
    for number, exercise in EXERCISES.items():
        if isinstance(exercise, ValueExercise):
            answer = [exercise.expected(), exercise.reason][: 1 + bool(exercise.reason)]
        elif exercise.use is apply:
            answer = [exercise.expected]
        else:
            continue  # a layer
        state = torch.get_rng_state()
        with SETTINGS[setting]():
            grad, inference = torch.is_grad_enabled(), torch.is_inference_mode_enabled()
            made = torch.empty(1)
            verdict = judge(number, *answer)
            after = torch.empty(1)
            assert (made.device, made.dtype) == (after.device, after.dtype)
            assert grad == torch.is_grad_enabled()
            assert inference == torch.is_inference_mode_enabled()
        assert verdict.right or verdict.mistake == "wrong method", verdict
        assert torch.equal(state, torch.get_rng_state())


class Accelerated(torch.Tensor):
    """A tensor that seems to be on a GPU."""

    device = torch.device("xpu")


def properties(answer):
    return [answer.device.type == "cpu", answer.requires_grad, *answer.tolist()]


def test_tensors_and_devices_are_moved_to_the_cpu(reusing_sandbox):
    """An answer may use tensors and devices of the notebook."""
    [outcome] = reusing_sandbox.run(
        lambda device: device.type == "cpu", torch.device("cuda", 1), [()]
    )
    assert outcome.returned.numbers == 1
    for tensor in (torch.ones(2), torch.nn.Parameter(torch.ones(2))):
        accelerated = tensor.as_subclass(Accelerated)
        [outcome] = reusing_sandbox.run(properties, accelerated, [()])
        assert outcome.returned.numbers.tolist() == [1, tensor.requires_grad, 1, 1]


def test_idle_worker_exits_and_the_next_answer_starts_another(monkeypatch):
    monkeypatch.setattr(sandbox, "IDLE_LIMIT", 0.5)
    box, exercise = Sandbox(), EXERCISES["1.3"]
    assert judge_function(exercise, corr1d, box).right
    idle = box.process
    assert idle.wait(20) == 0
    assert judge_function(exercise, corr1d, box).right
    assert box.process.pid != idle.pid
    box.stop()


def test_worker_that_exits_when_it_gets_a_job_is_replaced(monkeypatch):
    box, exercise = Sandbox(), EXERCISES["1.3"]
    assert judge_function(exercise, corr1d, box).right
    idle = box.process
    idle.kill()
    idle.wait()
    monkeypatch.setattr(idle, "poll", lambda: None)  # pretend that it is still running
    assert judge_function(exercise, corr1d, box).right
    box.stop()
