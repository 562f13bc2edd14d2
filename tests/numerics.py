"""Re-run all notebooks as other machines would compute them: ``make test-numerics``.

A processor with narrower vectors, another number of threads, or a build without
oneDNN adds the same numbers in another order, so the last digits differ, and after
hundreds of training steps more than these. Each setting is first proved to take effect.

The report lists, for each setting, every cell that prints another number than the
notebook stores, and how far off it is. The table at the end has the largest difference
of each such cell over all settings: about two to three times this difference is a good
tolerance (see ``tests/tolerance.py``). A difference beyond the cell's tolerance, or in
a cell without one, is a failure.
"""

import argparse
import copy
import math
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import nbformat
import torch
from nbclient.exceptions import CellExecutionError, DeadKernelError
from nbformat import NotebookNode

from execute import join_streams
from kernels import client_for
from tolerance import Tolerance, differences, number, problems

# PyTorch has no variable that turns oneDNN off, so the kernel does it as it starts.
ONEDNN_OFF = "import torch\n\ntorch.backends.mkldnn.set_flags(False)\n"
# What a kernel under a setting says of itself.
PROBE = """
import sys
import warnings

import torch

with warnings.catch_warnings(), torch.profiler.profile() as profile:
    torch.conv2d(torch.ones(8, 3, 32, 32), torch.ones(8, 3, 3, 3))
ops = {event.key for event in profile.key_averages()}
print("threads", torch.get_num_threads())
print("vectors", torch.backends.cpu.get_cpu_capability().lower())
print("convolution", "oneDNN" if "aten::mkldnn_convolution" in ops else "native")
print("hash", hash("conv"))
"""
# PyTorch's own loops, oneDNN's and MKL's each take the widest vectors that they may.
VECTORS = {
    "default": {"ONEDNN_MAX_CPU_ISA": "SSE41", "MKL_CBWR": "COMPATIBLE"},
    "avx2": {"ONEDNN_MAX_CPU_ISA": "AVX2"},
    "avx512": {},
}


def settings() -> dict[str, tuple[dict[str, str], dict[str, str]]]:
    """List the settings: variables, and what a kernel must say of itself then."""
    found = {
        "1 thread, as committed": ({}, {"threads": "1", "convolution": "oneDNN"}),
        "2 threads": (
            # Passive: two kernels on two cores would spend their time waiting.
            {"OMP_NUM_THREADS": "2", "OMP_WAIT_POLICY": "PASSIVE"},
            {"threads": "2"},
        ),
        "another hash seed": ({"PYTHONHASHSEED": "4321"}, {}),
        "oneDNN off": ({"IPYTHONDIR": "off"}, {"convolution": "native"}),
    }
    names = list(VECTORS)
    best = torch.backends.cpu.get_cpu_capability().lower()
    narrower = names[: names.index(best)] if best in names else names[:1]  # not x86
    for name in narrower:  # the best is in use anyway
        variables = {"ATEN_CPU_CAPABILITY": name} | VECTORS[name]
        found[f"vectors: {name}"] = variables, {"vectors": name}
    return found


def probe(environment: dict[str, str]) -> dict[str, str]:
    """Ask a kernel, started as nbval starts one, how it computes."""
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(PROBE)])
    client = client_for(notebook, Path.cwd())
    # The profiler and the kernel talk to the terminal of things that don't matter here.
    client.execute(env=os.environ | environment, stderr=subprocess.DEVNULL)
    lines = "".join(o.text for o in notebook.cells[0].outputs if o.name == "stdout")
    return dict(line.split(maxsplit=1) for line in lines.splitlines())


def prove(environment: dict[str, str], expected: dict[str, str]) -> dict[str, str]:
    """Return what a kernel says, or exit if a setting did nothing."""
    said, usual = probe(environment), probe({})
    wrong = {k: said[k] for k, v in expected.items() if said[k] != v}
    if "PYTHONHASHSEED" in environment and said["hash"] == usual["hash"]:
        wrong["hash"] = said["hash"]
    if wrong:
        sys.exit(f"{environment} did nothing: expected {expected}, came {said}")
    return said


def startup(folder: str) -> dict[str, str]:
    """Write IPython's startup file that turns oneDNN off; return the variables."""
    file = Path(folder) / "profile_default" / "startup" / "onednn_off.py"
    file.parent.mkdir(parents=True)
    file.write_text(ONEDNN_OFF, encoding="utf-8")
    return {"IPYTHONDIR": folder}


@dataclass(frozen=True)
class Difference:
    """How a cell's outputs differ from those that its notebook stores.

    Attributes
    ----------
    cell : str
        The notebook's and the cell's name.
    absolute, relative : float
        The largest difference of a number: as it is, and as a fraction of the stored
        one. Infinite if the words differ, or the cell fails.
    tolerance : str
        What the cell's metadata states, or "None".
    problems : tuple of str
        What makes it a failure; empty within the tolerance.
    """

    cell: str
    absolute: float
    relative: float
    tolerance: str
    problems: tuple[str, ...]


def texts(cell: NotebookNode) -> str:
    """Join the texts in a cell's outputs that nbval compares."""
    found = [output for output in cell.outputs if output.get("name") != "stderr"]
    return "\n".join(
        text
        for output in found
        for kind, text in [*output.items(), *output.get("data", {}).items()]
        if kind == "text" or kind.startswith("text/")
    )


def compare(new: NotebookNode, stored: NotebookNode, name: str) -> Difference | None:
    """Compare what a cell printed with what is stored; None if it is the same."""
    a, b = texts(new), texts(stored)
    if a == b or "nbval-ignore-output" in stored.metadata.get("tags", []):
        return None
    stated = stored.metadata.get("tolerance")
    tolerance = Tolerance(**stated) if stated else None
    wrong = problems(a, b, tolerance) if tolerance else ["the cell states no tolerance"]
    try:
        pairs = [(number(x), number(y)) for x, y, _ in differences(a, b)]
    except ValueError as error:
        return Difference(name, math.inf, math.inf, str(tolerance), (str(error),))
    moved = [(x, y) for x, y in pairs if x != y]  # none if only spaces differ
    absolute = max((abs(x - y) for x, y in moved), default=0.0)
    relative = max(
        (abs(x - y) / abs(y) if y else math.inf for x, y in moved), default=0
    )
    return Difference(name, absolute, relative, str(tolerance), tuple(wrong))


def rerun(path: Path, environment: dict[str, str]) -> list[Difference]:
    """Run a notebook in a changed environment; list the cells that differ."""
    stored = nbformat.read(path, as_version=4)
    new = copy.deepcopy(stored)
    try:
        client_for(new, path.parent, timeout=300).execute(env=os.environ | environment)
    except (CellExecutionError, DeadKernelError) as error:
        return [Difference(path.stem, math.inf, math.inf, "None", (str(error),))]
    found = []
    pairs = zip(new.cells, stored.cells, strict=True)
    code = [(ours, theirs) for ours, theirs in pairs if theirs.cell_type == "code"]
    for count, (ours, theirs) in enumerate(code):
        join_streams(ours)
        found.append(compare(ours, theirs, f"{path.stem}, cell {count} ({ours.id})"))
    return list(filter(None, found))


def rerun_all(paths: list[Path], environment: dict[str, str]) -> list[Difference]:
    """Run notebooks, as many at once as there are processors."""
    with ThreadPoolExecutor(max_workers=os.cpu_count()) as pool:
        parts = pool.map(partial(rerun, environment=environment), paths)
        return [difference for part in parts for difference in part]


def report(name: str, said: dict[str, str], found: list[Difference]) -> None:
    """Print how a setting went, and each cell that printed something else."""
    words = ", ".join(f"{k} {v}" for k, v in said.items() if k != "hash")
    failed = [difference for difference in found if difference.problems]
    print(f"{name} ({words}): {len(found)} cells differ, {len(failed)} too much")
    for difference in failed:
        print(f"  {difference.cell}")
        print(*(f"    {problem}" for problem in difference.problems), sep="\n")
    sys.stdout.flush()


def table(found: list[Difference]) -> Iterator[str]:
    """Write the largest difference of each cell over all settings."""
    yield f"{'cell':<52} {'absolute':>9} {'relative':>9}  tolerance"
    for cell in sorted({difference.cell for difference in found}):
        mine = [difference for difference in found if difference.cell == cell]
        absolute = max(difference.absolute for difference in mine)
        relative = max(difference.relative for difference in mine)
        yield f"{cell:<52} {absolute:9.2g} {relative:9.2g}  {mine[0].tolerance}"


def main() -> int:
    """Run the named settings, or all."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("paths", nargs="+", type=Path)
    parser.add_argument("--only", action="append", choices=settings())
    asked = parser.parse_args()
    # The last chapters take longest, so they go first.
    paths = [
        n for p in asked.paths for n in ([p] if p.is_file() else p.glob("*.ipynb"))
    ]
    paths.sort(reverse=True)
    found: list[Difference] = []
    with tempfile.TemporaryDirectory() as folder:
        for name in asked.only or settings():
            environment, expected = settings()[name]
            if "IPYTHONDIR" in environment:
                environment = startup(folder)
            # What was compiled for other vectors, or with oneDNN, crashes.
            cache = {"TORCHINDUCTOR_CACHE_DIR": tempfile.mkdtemp(dir=folder)}
            environment = environment | cache
            said = prove(environment, expected)
            here = rerun_all(paths, environment)
            report(name, said, here)
            found += here
    print(*table(found), sep="\n")
    return any(difference.problems for difference in found)


if __name__ == "__main__":
    sys.exit(main())
