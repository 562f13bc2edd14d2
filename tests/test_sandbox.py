"""Whatever a learner hands in: the checker answers, and goes on."""

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


def right_again() -> bool:
    """Tell whether the checker still works."""

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


def asking(x, k):
    return float(input("Which number? "))


def write_to_all_pipes(message):
    """Write to all that is open, as if it were the checker's own message."""
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


def hoarding(x, k):
    heap = []
    while True:
        heap.append(torch.ones(2**22))


def greedy(x, k):
    return torch.ones(2**50)


def exiting(x, k):
    os._exit(0)


def crashing(x, k):
    import ctypes

    ctypes.string_at(0)


def closing(x, k):
    os.closerange(3, 1000)
    return x


def quitting(x, k):
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


def childbearing(x, k):
    subprocess.Popen([sys.executable, "-c", CHILD])
    while True:
        pass


def hoarding_with_children(x, k):
    child = subprocess.Popen([sys.executable, "-c", CHILD], stdout=subprocess.PIPE)
    child.stdout.readline()  # both are there now
    hoard = []
    while True:
        hoard.append(torch.ones(1_000_000))


LOCK = threading.Lock()


TOLD = {
    "infinite loop": "Your function was still computing after 3 seconds",
    "too slow": "Your function hadn't finished after 10 seconds",
    "input requested": "Your function waits for input from the keyboard.",
    "out of memory": "Your function asked for more than 512 MB",
    "out of memory at once": "Your function asked for more memory than there is.",
    "process ended": "Your function ended the Python process.",
    "ends Python": "To leave a function, use `return`.",
    "error raised": ") raised ",
    "unreadable result": "couldn't read what your function's process sent",
    "can't be sent": "process (`LOCK`: TypeError: cannot pickle '_thread.lock'",
}


@pytest.mark.parametrize(
    ("answer", "name"),
    [
        (endless, "infinite loop"),
        (swallowing, "infinite loop"),
        (inside_torch, "infinite loop"),
        (sleeping, "too slow"),
        (asking, "input requested"),
        (childbearing, "infinite loop"),
        (hoarding, "out of memory"),
        (greedy, "out of memory at once"),
        (exiting, "process ended"),
        (crashing, "process ended"),
        (closing, "process ended"),
        (quitting, "ends Python"),
        (forging, "unreadable result"),
        (forging_nested, "unreadable result"),
        (forging_a_flood, "unreadable result"),
        (forging_half_a_message, "too slow"),
        (forging_an_outcome, "unreadable result"),
        (interrupting, "error raised"),
        (with_a_bad_error, "error raised"),
        (lambda x, k: LOCK, "can't be sent"),
    ],
)
def test_bad_behavior_is_named_and_survived(answer, name, monkeypatch):
    if "out of memory" in name:
        monkeypatch.setattr(sandbox, "TIME_LIMIT", 60.0)  # busy machines fill it slowly
        monkeypatch.setattr(sandbox, "CPU_LIMIT", 60.0)
    verdict = judge("1.3", in_notebook(answer))
    assert verdict.mistake == name.removesuffix(" at once")
    assert TOLD[name] in verdict.message
    assert right_again()


class Broken:
    """Can be sent, and can't be unpacked."""

    def __call__(self, x, k):
        return x

    def __reduce__(self):
        return int, ("one",)


class ErrorAt:
    """A sandbox in which the n-th run ends badly."""

    def __init__(self, n):
        self.left = n

    def run(self, use, answer, cases):
        if self.left == 0:
            raise SandboxError("lost", "It was here a moment ago.")
        self.left -= 1
        return [run_case(use, answer, case) for case in cases]

    def stop(self):
        """Do nothing: there is no process."""


@pytest.mark.parametrize("n", [0, 1, 2])
def test_trouble_is_told_whenever_it_comes(n):
    requires = "dtype", "gradient"
    exercise = dataclasses.replace(EXERCISES["1.3"], requires=requires, rules=())
    verdict = judge_function(exercise, exercise.expected, ErrorAt(n))
    told = "1.3  not yet: lost\nIt was here a moment ago."
    assert str(verdict) == told
    assert judge_function(exercise, exercise.expected, ErrorAt(3)).right


def test_what_cant_be_unpacked_is_told():
    verdict = judge("1.3", Broken())
    assert verdict.mistake == "can't be sent"
    assert (
        "ValueError: invalid literal for int() with base 10: 'one'" in verdict.message
    )
    assert right_again()


BALLAST = np.ones(2**24)  # 128 MB


def test_only_what_the_answer_takes_counts(monkeypatch):
    """Not what it brings along from the notebook."""

    @in_notebook
    def heavy(x, k):
        n = len(x) - len(k) + 1
        return torch.stack([x[i : i + len(k)] @ k for i in range(n)]) * BALLAST[0]

    monkeypatch.setattr(sandbox, "MEMORY_LIMIT", 64)
    assert judge("1.3", heavy).right
    monkeypatch.setattr(sandbox, "MAX_JOB", 100)
    verdict = judge("1.3", heavy)
    assert verdict.mistake == "can't be sent"
    assert "Your function uses 128 MB of data from the notebook" in verdict.message


def test_a_stopped_worker_leaves_no_process(monkeypatch):
    monkeypatch.setattr(sandbox, "TIME_LIMIT", 60.0)
    monkeypatch.setattr(sandbox, "CPU_LIMIT", 60.0)
    box = Sandbox()
    box.warm_up()
    worker = box.process.pid
    answer = in_notebook(hoarding_with_children)
    assert judge_function(EXERCISES["1.3"], answer, box).mistake == "out of memory"
    assert not psutil.pid_exists(worker)
    left = [p.info["cmdline"] for p in psutil.process_iter(["cmdline"])]
    assert not [line for line in left if line and line[-1] in (CHILD, GRANDCHILD)]


def test_a_worker_that_is_gone_can_be_stopped():
    box = Sandbox()
    box.warm_up()
    box.process.kill()
    box.process.wait()
    box.stop()
    assert box.process is None


def test_memory_is_watched_before_the_machine_runs_out(monkeypatch):
    """The hoarder is stopped soon after the limit, not by the system."""
    monkeypatch.setattr(sandbox, "TIME_LIMIT", 60.0)
    monkeypatch.setattr(sandbox, "CPU_LIMIT", 60.0)
    box, seen = Sandbox(), []
    check_limits = sandbox.check_limits

    def watch(process, limits):
        seen.append(process.memory_info().rss - limits.memory)
        check_limits(process, limits)

    monkeypatch.setattr(sandbox, "check_limits", watch)
    verdict = judge_function(EXERCISES["1.3"], in_notebook(hoarding), box)
    assert verdict.mistake == "out of memory"
    assert -MEMORY_LIMIT / 2 < max(seen) / 2**20 < MEMORY_LIMIT


class Hostile:
    """An object that objects to everything."""

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


def selfish() -> list:
    """Make a list that contains itself."""
    inner: list = []
    inner.append(inner)
    return inner


RUBBISH = {
    "text": "rubbish",
    "bytes": b"rubbish",
    "dict": {"a": 1},
    "set": {1, 2},
    "object": object(),
    "hostile": Hostile(),
    "module": torch,
    "type": int,
    "self-containing": selfish(),
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


class Reused(Sandbox):
    """A sandbox that saves time: it keeps the worker of a wrong answer."""

    def stop(self):
        """Keep the process."""


@pytest.fixture(scope="module")
def reused_box():
    box = Reused()
    yield box
    Sandbox.stop(box)


@pytest.fixture
def reused(monkeypatch, reused_box):
    """Judge all answers in one process."""
    monkeypatch.setattr(GRADER, "sandbox", reused_box)


@pytest.mark.parametrize("number", EXERCISES)
def test_rubbish_is_answered(number, reused):
    for name, rubbish in RUBBISH.items():
        extra = ["b"] if EXERCISES[number].kind == "explain" else []
        verdict = judge(number, rubbish, *extra)
        assert verdict.state == "not yet", name
        assert verdict.message, name


@pytest.mark.parametrize("name", RUBBISH)
def test_rubbish_that_a_function_returns_is_described(name, reused):
    rubbish = RUBBISH[name]

    def answer(x, k):
        return rubbish

    verdict = judge("1.3", in_notebook(answer))
    assert verdict.state == "not yet"
    assert verdict.message


def test_a_measurement_without_its_reason_is_half_the_answer():
    for reason in (None, "", "z", 3, Hostile(), ["a"]):
        assert judge("7.4", 8, reason).mistake == "reason missing"


@pytest.mark.parametrize("hole", [None, "1", object()])
def test_a_list_with_something_else_in_it_holds_no_numbers(hole):
    assert summarize([[hole, 2.0]]).numbers is None
    assert summarize([[1.0, 2.0]]).numbers.tolist() == [[1.0, 2.0]]


@pytest.mark.parametrize("kind", [list, tuple, np.array, torch.tensor])
def test_of_many_numbers_none_is_looked_at(kind, monkeypatch):
    monkeypatch.setattr("conv.exercises.worker.MAX_SIZE", 3)
    for count in (0, 1, 3):
        numbers = summarize(kind(range(count))).numbers
        assert (numbers.tolist(), numbers.dtype) == (list(range(count)), "float64")
    assert summarize(kind(range(4))).numbers is None


@pytest.mark.parametrize("value", ["1", 1j, np.datetime64("2020")])
def test_an_array_of_something_else_holds_no_numbers(value):
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
def test_an_answer_is_named_by_what_it_is(value, kind, is_numbers):
    found = summarize(value)
    assert (found.kind, found.numbers is not None) == (kind, is_numbers)


def test_nothing_agrees_with_no_number():
    assert not matches(summarize(None), 0.0)


@pytest.mark.parametrize(
    ("want", "off", "fits"),
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
def test_numbers_are_compared_as_parts_of_the_largest(want, off, fits):
    want = np.array(want)
    assert close(want + off, want) == close(want - off, want) == fits


@pytest.mark.parametrize(
    ("wrong", "holds"), [({}, False), ({1}, False), ({1, 3}, True), ({1, 2, 3}, True)]
)
def test_a_mistake_must_show_in_two_cases(wrong, holds):
    def err(number):
        return torch.tensor(-1 if number in wrong else number)

    tries = [
        CaseResult((number,), as_float64(number), Outcome(summarize(err(number))))
        for number in (1, 2, 3)
    ]
    assert reproduces(err, tries) == holds


def case_results(*pairs):
    """Create results with these actual and expected numbers."""
    return [
        CaseResult((), as_float64(want), Outcome(summarize(torch.tensor(got))))
        for got, want in pairs
    ]


@pytest.mark.parametrize(
    ("generic_mistake", "pairs", "holds"),
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
def test_generic_mistakes_hold_where_they_should(generic_mistake, pairs, holds):
    assert bool(generic_mistake(case_results(*pairs))) == holds


def test_to_print_besides_is_no_mistake():
    @in_notebook
    def chatty(x, k):
        print("at work")
        return "done"

    verdict = judge("1.3", chatty)
    assert verdict.mistake == ""
    assert verdict.message.startswith("Your function returned a str;")


def test_a_result_instead_of_a_function_is_told():
    assert str(judge("1.3", torch.ones(3))).splitlines() == [
        "1.3  not yet: result instead of function",
        "The checker calls your answer, so it needs the function itself; you gave a "
        "tensor of shape (3,). Are there parentheses after the function's name?",
    ]


def test_the_number_of_answers_is_checked():
    assert str(judge("1.1")).splitlines() == [
        "1.1  not yet: wrong number of answers",
        "The checker takes 1 answer; you gave 0.",
    ]
    assert judge("1.1", 1, 2).mistake == "wrong number of answers"
    assert judge("7.4", 8).mistake == "wrong number of answers"


def test_an_answer_leaves_no_settings_behind():
    @in_notebook
    def meddling(x, k):
        torch.set_default_dtype(torch.float16)
        torch.set_default_device("meta")
        torch.set_grad_enabled(False)
        return x

    assert not judge("1.3", meddling).right
    assert right_again()


def test_an_interrupt_stops_the_worker_and_the_next_answer_is_judged(monkeypatch):
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
    """Use an answer for so long."""
    time.sleep(seconds)
    return seconds


@pytest.mark.rare
@pytest.mark.parametrize("seconds", [None, [0.5, 0.5], [0.0]])
def test_a_forgotten_worker_ends(seconds):
    """As when a notebook's process closes its end and lives on.

    The worker waits, or it works, or its last word was not read.
    """
    box = Sandbox()
    box.run(slow, None, [(0.0,)])
    if seconds is not None:
        box.send(cloudpickle.dumps((slow, None, [(s,) for s in seconds])))
    box.process.stdin.close()
    assert box.process.wait(20) == 0
    box.stop()


def test_the_worker_ends_with_its_notebook():
    """Even if the notebook is killed while the worker is in a loop."""
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


def test_a_wrong_answers_worker_does_not_judge_the_next_one():
    for answer in (patching, sleeping_a_little, quitting):
        assert right_again()
        before = GRADER.sandbox.process.pid
        assert not judge("1.3", in_notebook(answer)).right
        assert not psutil.pid_exists(before)
    assert right_again()
    before = GRADER.sandbox.process.pid
    assert right_again()
    assert GRADER.sandbox.process.pid == before


def test_what_an_answer_writes_later_does_not_reach_the_next_one():
    @in_notebook
    def haunting(x, k):
        message = b'{"state": "unpacked"}\n'
        threading.Timer(0.3, write_to_all_pipes, [message]).start()
        return corr1d(x, k)

    assert judge("1.3", haunting).right
    time.sleep(1)
    assert right_again()


def sleeping_a_little(x, k):
    time.sleep(0.1)
    return x


def test_waiting_does_not_count_as_computing(monkeypatch):
    """As on a busy machine, on which the clock runs on without the answer."""
    monkeypatch.setattr(sandbox, "CPU_LIMIT", 0.5)

    @in_notebook
    def patient(x, k):
        time.sleep(0.2)
        return corr1d(x, k)

    assert judge("1.3", patient).right


def test_the_first_import_of_a_large_module_is_not_an_infinite_loop():
    @in_notebook
    def with_scipy(x, k):
        import scipy.signal

        return corr1d(x, k) * scipy.signal.windows.boxcar(1)[0]

    GRADER.sandbox.stop()
    assert judge("1.3", with_scipy).right


def test_exit_is_explained():
    """In a notebook, `exit` belongs to IPython, and can't be sent."""
    space = {"__name__": "__main__", "exit": LOCK}
    exec("def leave(x, k):\n    exit()", space)
    verdict = judge("1.3", space["leave"])
    assert str(verdict) == (
        "1.3  not yet: ends Python\nYour function calls `exit`, which ends Python. To "
        "leave a function, use `return`."
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
def test_the_notebooks_settings_make_no_difference(setting, reused):
    """And they stay as they are, as does the random state."""
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
        assert verdict.right or verdict.mistake == "another method", verdict
        assert torch.equal(state, torch.get_rng_state())


class Accelerated(torch.Tensor):
    """A tensor that seems to be on a GPU."""

    device = torch.device("xpu")


def properties(answer):
    return [answer.device.type == "cpu", answer.requires_grad, *answer.tolist()]


def test_tensors_and_devices_are_sent_to_the_cpu(reused_box):
    """An answer may use the notebook's own device and kernels."""
    [outcome] = reused_box.run(
        lambda device: device.type == "cpu", torch.device("cuda", 1), [()]
    )
    assert outcome.returned.numbers == 1
    for tensor in (torch.ones(2), torch.nn.Parameter(torch.ones(2))):
        elsewhere = tensor.as_subclass(Accelerated)
        [outcome] = reused_box.run(properties, elsewhere, [()])
        assert outcome.returned.numbers.tolist() == [1, tensor.requires_grad, 1, 1]


def test_an_idle_worker_ends_and_the_next_answer_starts_another(monkeypatch):
    monkeypatch.setattr(sandbox, "IDLE_LIMIT", 0.5)
    box, exercise = Sandbox(), EXERCISES["1.3"]
    assert judge_function(exercise, corr1d, box).right
    idle = box.process
    assert idle.wait(20) == 0
    assert judge_function(exercise, corr1d, box).right
    assert box.process.pid != idle.pid
    box.stop()


def test_a_worker_that_ends_as_it_gets_its_job_is_replaced(monkeypatch):
    box, exercise = Sandbox(), EXERCISES["1.3"]
    assert judge_function(exercise, corr1d, box).right
    idle = box.process
    idle.kill()
    idle.wait()
    monkeypatch.setattr(idle, "poll", lambda: None)  # as if it were still there
    assert judge_function(exercise, corr1d, box).right
    box.stop()
