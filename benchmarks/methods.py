"""Race chapter 10's methods against their peers, as a part of ``make bench``.

The methods are the chapter's own: the code of its cells tagged ``method``.
"""

import platform
from collections.abc import Callable
from functools import partial
from importlib.metadata import version
from pathlib import Path
from statistics import median

import nbformat
import torch
from d2l import torch as d2l
from scipy.signal import correlate2d, fftconvolve
from torch import Tensor, get_num_threads

import conv

FOLDER = Path(__file__).parent
CHAPTER = FOLDER.parent / "notebooks" / "10_make_it_fast.ipynb"
PICTURE = FOLDER / "methods.png"
WORKS = [(64, 3), (512, 3), (2048, 3), (512, 15), (512, 63)]  # picture, kernel
ROUNDS = 5
TOO_LONG = 1.0  # seconds
CPU = torch.device("cpu")
JUDGE = "F.conv2d"
Call = Callable[[], object]
Results = dict[tuple[int, int], dict[str, float]]  # by work, by name


def chapter() -> dict:
    """Run the chapter's cells tagged ``method``; return the names they define."""
    names: dict = {}
    for cell in nbformat.read(CHAPTER, as_version=4).cells:
        if "method" in cell.metadata.get("tags", []):
            exec(compile(cell.source, CHAPTER.name, "exec"), names)
    names["can_compile"] = names["compiler_here"](CPU)
    return names


def is_quick(names: dict, name: str, n: int, k: int) -> bool:
    """Predict from a small picture, then measure, whether a method can take part."""
    turns, measure = names["turns"], partial(names["measure"], name, device=CPU)
    guess = measure(32, 3) * turns(name, n, k) / turns(name, 32, 3)
    if guess > 10 * TOO_LONG or names["largest_tensor"](name, n, k) > 1e9:
        return False
    return measure(n, k) < TOO_LONG


def contestants(names: dict, X: Tensor, K: Tensor) -> dict[str, Call]:
    """List all that can take part, each checked against F.conv2d."""
    n, k = len(X), len(K)
    calls: dict[str, Call] = {}
    for name, method in names["methods"].items():
        if names["fits"](name, k) and is_quick(names, name, n, k):
            calls[name] = partial(method, X, K)
    x, kernel = X.numpy(), K.numpy()
    calls["scipy correlate2d"] = partial(correlate2d, x, kernel, "valid")
    calls["scipy fftconvolve"] = partial(
        fftconvolve, x, kernel[::-1, ::-1].copy(), "valid"
    )
    if "pixels" in calls:
        calls["d2l.corr2d"] = partial(d2l.corr2d, X, K)
    expected = calls[JUDGE]()
    for call in calls.values():
        error = (torch.as_tensor(call()) - expected).abs().max()
        assert error < 1e-4 * expected.abs().max()
    if k <= 5 and names["can_compile"]:
        calls["compiled taps"], out = names["compiled_for"](X, K)
        torch.testing.assert_close(out, expected, rtol=1e-4, atol=1e-4)
    return calls


def race(names: dict, n: int, k: int) -> dict[str, float]:
    """Let all take turns; return the median of each one's ratio to F.conv2d."""
    calls = contestants(names, torch.rand(n, n), names["separable"](k, k))
    rounds = []
    for _ in range(ROUNDS):
        times = {name: names["seconds"](call, CPU) for name, call in calls.items()}
        rounds.append({name: time / times[JUDGE] for name, time in times.items()})
    return {name: median(ratios[name] for ratios in rounds) for name in calls}


def machine() -> str:
    """Name the machine and the versions that decide."""
    return (
        f"{platform.machine()}, {platform.system()}, {get_num_threads()} threads; "
        f"Python {platform.python_version()}, torch {torch.__version__}, "
        f"scipy {version('scipy')}, d2l {version('d2l')}; float32"
    )


def everybody(results: Results) -> list[str]:
    """List all who took part in anything."""
    return list(dict.fromkeys(name for ratios in results.values() for name in ratios))


def table(results: Results) -> list[str]:
    """Write the ratios as lines of Markdown."""
    head = " | ".join(f"{n}², {k} x {k}" for n, k in results)
    lines = [f"| | {head} |", "|---" + "|---:" * len(results) + "|"]
    for name in everybody(results):
        cells = (
            f"{ratios[name]:.2g}" if name in ratios else "-"
            for ratios in results.values()
        )
        lines.append(f"| {name} | {' | '.join(cells)} |")
    return lines


def draw(results: Results) -> None:
    """Draw the ratios, a panel for each work, and save the picture."""
    names = everybody(results)[::-1]
    figure, axes = conv.subplots(
        columns=len(results), size=(12, 4.2), alt="", sharey=True, sharex=True
    )
    for ax, ((n, k), ratios) in zip(axes, results.items(), strict=True):
        ax.axvline(1, color="0.6")
        ax.plot(ratios.values(), [names.index(name) for name in ratios], "o")
        ax.set(xscale="log", title=f"{n} x {n}\nkernel {k} x {k}")
        ax.set(yticks=range(len(names)), yticklabels=names)
        ax.grid(axis="y", color="0.9")
    figure.supxlabel(f"time / time of F.conv2d (logarithmic). {machine()}", fontsize=9)
    figure.savefig(PICTURE, dpi=100)
