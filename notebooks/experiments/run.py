"""Run the chapters' long experiments.

    make experiments              # run all of them
    make experiments ONLY=blocks  # or one
    make test-experiments         # repeat all, and compare with what is stored

An experiment is a module in this folder. It writes a JSON file of its name,
which the chapter reads. A module has

- ``CHAPTER``: the name of the chapter's notebook, without ``.ipynb``;
- ``SEEDS``: the seeds to train with;
- ``TOLERANCE``: how much a mean over the seeds may differ on another machine,
  by the keys that lead to it; ``""`` is for all other keys;
- ``run(code, seeds)``, which returns the results: dictionaries of lists with
  one entry per seed, a number or a list of numbers.

Only means are compared, not individual runs: another machine adds numbers in
a different order, which can change a run as much as a different seed does.

`code` contains the names defined in the chapter's cells tagged ``experiment``,
so the code in the chapter is the code that produced the numbers.
"""

import argparse
import inspect
import json
import platform
import sys
from collections.abc import Iterator
from hashlib import sha256
from importlib.metadata import version
from pathlib import Path
from runpy import run_path
from types import SimpleNamespace

import nbformat
import torch
from torch import Tensor

import conv
from conv.runtime import atomic_write

FOLDER = Path(__file__).parent
NAMES = sorted(
    path.stem for path in FOLDER.glob("*.py") if path != Path(__file__)
)


def experiment(name: str) -> SimpleNamespace:
    """Load an experiment's module."""
    return SimpleNamespace(**run_path(str(FOLDER / f"{name}.py")))


def chapter_code(chapter: str) -> str:
    """Join a chapter's cells that are tagged ``experiment``."""
    notebook = nbformat.read(FOLDER.parent / f"{chapter}.ipynb", as_version=4)
    cells = [
        c for c in notebook.cells if "experiment" in c.metadata.get("tags", [])
    ]
    return "\n".join(cell.source for cell in cells)


def checksum(*texts: str) -> str:
    """Return a short checksum of texts, without comments and empty lines."""
    lines = (line.strip() for line in "\n".join(texts).splitlines())
    text = "\n".join(line for line in lines if line and line[0] != "#")
    return sha256(text.encode()).hexdigest()[:16]


def code_checksum(name: str) -> str:
    """Return a checksum of the code that produces an experiment's results."""
    module = experiment(name)
    ours = inspect.getsource(module.run), str(module.SEEDS)
    return checksum(chapter_code(module.CHAPTER), *ours)


def rounded(value: object) -> object:
    """Round the numbers in dictionaries and lists to four decimals."""
    if isinstance(value, dict):
        return {str(key): rounded(part) for key, part in value.items()}
    if isinstance(value, list | tuple):
        return [rounded(part) for part in value]
    return round(value, 4)


def measure(name: str) -> dict:
    """Run an experiment; return its results."""
    module = experiment(name)
    names: dict = {}
    exec(compile(chapter_code(module.CHAPTER), module.CHAPTER, "exec"), names)
    return rounded(module.run(SimpleNamespace(**names), module.SEEDS))


def record(name: str, results: dict) -> dict:
    """Combine the results with a record of how they were produced."""
    return {
        "command": f"make experiments ONLY={name}",
        "versions": {
            "python": platform.python_version(),
            "torch": version("torch").partition("+")[0],
        },
        "device": str(conv.default_device()),
        "threads": torch.get_num_threads(),
        "seeds": experiment(name).SEEDS,
        "code checksum": code_checksum(name),
        "results checksum": checksum(json.dumps(results)),
        "results": results,
    }


def stored(name: str) -> dict:
    """Read an experiment's stored results."""
    return json.loads((FOLDER / f"{name}.json").read_text(encoding="utf-8"))


def means(
    results: dict | list, *keys: str
) -> Iterator[tuple[tuple[str, ...], Tensor]]:
    """List the means over the seeds, each with the keys that lead to it."""
    if isinstance(results, list):
        yield keys, torch.tensor(results, dtype=torch.float64).mean(dim=0)
    else:
        for key, part in results.items():
            yield from means(part, *keys, key)


def spread(results: dict, before: dict) -> dict[str, float]:
    """Return the largest difference of a mean for each key of the results."""
    new, old = dict(means(results)), dict(means(before))
    shapes, expected = (
        {", ".join(keys): tuple(mean.shape) for keys, mean in side.items()}
        for side in (new, old)
    )
    if shapes != expected:
        raise ValueError(f"measured {shapes}, but stored {expected}")
    return {
        ", ".join(keys): (mean - old[keys]).abs().max().item()
        for keys, mean in new.items()
    }


def check(name: str) -> bool:
    """Rerun an experiment; print how much its results differ."""
    tolerance, good = experiment(name).TOLERANCE, True
    differences = spread(measure(name), stored(name)["results"])
    for key, difference in differences.items():
        allowed = tolerance.get(key, tolerance[""])
        close = difference <= allowed + 1e-9
        print(f"{name}, {key}: {difference:.4f} of {allowed}", end="")
        print("" if close else "  TOO FAR", flush=True)
        good &= close
    return good


def main() -> int:
    """Run the named experiments, or all."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument(
        "names", nargs="*", metavar="NAME", help=", ".join(NAMES)
    )
    parser.add_argument(
        "--check", action="store_true", help="compare, don't write"
    )
    asked = parser.parse_args()
    names = asked.names or NAMES
    if asked.check:
        outcomes = [check(name) for name in names]
        return not all(outcomes)
    for name in names:
        text = json.dumps(record(name, measure(name)), indent=1)
        atomic_write(FOLDER / f"{name}.json", f"{text}\n".encode())
        print(f"{name}.json written", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
