"""The second table of the benchmarks: chapter 10's methods and their peers.

The methods are the code in the chapter's cells tagged ``method``. All are compared with
F.conv2d.
"""

import json
from collections.abc import Callable
from functools import cache, partial
from pathlib import Path
from statistics import median

import torch
from torch import Tensor

from conv.timing import seconds, traffic

CHAPTER = Path(__file__).parent.parent / "notebooks" / "10_make_it_fast.ipynb"
TOO_LONG = 1.0  # seconds
BASELINE = "F.conv2d"
Call = Callable[[], object]


@cache
def chapter() -> dict:
    """Run the chapter's cells tagged ``method``; return the names they define."""
    names: dict = {}
    for cell in json.loads(CHAPTER.read_text(encoding="utf-8"))["cells"]:
        if "method" in cell["metadata"].get("tags", []):
            exec(compile("".join(cell["source"]), CHAPTER.name, "exec"), names)
    return names


@cache
def can_compile() -> bool:
    """Return whether torch.compile works on this machine."""
    tiny = torch.rand(9, 9), torch.rand(3, 3)
    return chapter()["compiled_if_possible"](*tiny) is not None


def time(name: str, n: int, k: int) -> float:
    """Measure one method on a random image and kernel; return seconds."""
    X, K = torch.rand(n, n), chapter()["separable"](k, k)
    return seconds(partial(chapter()["methods"][name], X, K))


def work(name: str, n: int, k: int) -> float:
    """Return a number of operations (for pixels: outputs) that predicts the time."""
    return (n - k + 1) ** 2 if name == "pixels" else chapter()["operations"](name, n, k)


def largest_tensor(name: str, n: int, k: int) -> int:
    """Return the size in bytes of the largest tensor that a method creates."""
    if name == "pixels":
        return 4 * n**2  # counting its many calls would take too long
    return traffic(chapter()["methods"][name], (n, n), (k, k)).largest


def is_fast_enough(name: str, n: int, k: int) -> bool:
    """Predict from a small image, then measure, whether a method is fast enough."""
    if name == BASELINE:
        return True  # the others are divided by it
    predicted = time(name, 32, 3) * work(name, n, k) / work(name, 32, 3)
    if predicted > 10 * TOO_LONG or largest_tensor(name, n, k) > 1e9:
        return False
    return time(name, n, k) < TOO_LONG


def all_calls(X: Tensor, K: Tensor) -> dict[str, Call]:
    """Prepare the methods that are fast enough, and their peers, by name."""
    names, n, k = chapter(), len(X), len(K)
    calls: dict[str, Call] = {
        name: partial(method, X, K)
        for name, method in names["methods"].items()
        if names["fits"](name, k) and is_fast_enough(name, n, k)
    }
    calls |= scipy_calls(X, K)
    if "pixels" in calls:
        from d2l import torch as d2l  # slow to import

        calls["d2l.corr2d"] = partial(d2l.corr2d, X, K)
    check({name: call() for name, call in calls.items()})
    if k <= 5 and can_compile():
        calls["compiled taps"], out = names["compiled_for"](X, K)
        check({"compiled taps": out, BASELINE: calls[BASELINE]()})
    return calls


def scipy_calls(X: Tensor, K: Tensor) -> dict[str, Call]:
    """Prepare SciPy's functions."""
    from scipy.signal import correlate2d, fftconvolve

    x, kernel = X.numpy(), K.numpy()
    flipped = kernel[::-1, ::-1].copy()
    return {
        "scipy correlate2d": partial(correlate2d, x, kernel, "valid"),
        "scipy fftconvolve": partial(fftconvolve, x, flipped, "valid"),
    }


def check(outputs: dict[str, object]) -> None:
    """Raise an AssertionError if an output differs from F.conv2d's."""
    expected = outputs[BASELINE]
    for name, output in outputs.items():
        error = (torch.as_tensor(output) - expected).abs().max()
        assert error < 1e-4 * expected.abs().max(), f"{name} is wrong by {error:.2g}"


def measure(n: int, k: int, rounds: int) -> dict[str, dict[str, float]]:
    """Measure all methods alternately; return their times relative to F.conv2d's.

    Parameters
    ----------
    n, k : int
        Height and width of the image, and of the kernel.
    rounds : int
        Number of times that each method is measured.

    Returns
    -------
    dict
        Under "ratios", the median ratio by name.
    """
    calls = all_calls(torch.rand(n, n), chapter()["separable"](k, k))
    ratios: dict[str, list[float]] = {name: [] for name in calls}
    for _ in range(rounds):
        times = {name: seconds(call) for name, call in calls.items()}
        for name, time in times.items():
            ratios[name].append(time / times[BASELINE])
    return {"ratios": {name: median(values) for name, values in ratios.items()}}
