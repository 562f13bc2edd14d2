"""Rerun all notebooks with the numerics of other machines: ``make test-numerics``.

A processor with narrower vector instructions, another number of threads, or a build
without oneDNN adds the same numbers in a different order. The last digits of the result
then differ, and after hundreds of training steps more than the last digits. Processors
that aren't at hand are imitated: noise as large as float32's rounding error is added to
the gradients before each optimizer step. Before a setting is used, the program verifies
that it takes effect.

The report lists, for each setting, the number of cells whose output differs from the
stored one, and details of those that differ too much: by more than the tolerance of the
cell, or at all in a cell without one. These are failures. The table at the end has the
largest difference of each cell over all settings. A good tolerance is two to three
times this difference (see ``tests/tolerance.py``).
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

# No environment variable turns oneDNN off or adds noise, so a startup file does it in
# the kernel. Equal gradients get equal noise, so a repeated run gives equal results.
ONEDNN_OFF = "import torch\n\ntorch.backends.mkldnn.set_flags(False)\n"
ROUNDING_NOISE = """
import torch
from torch.optim.optimizer import register_optimizer_step_pre_hook


def perturb(optimizer, args, kwargs):
    for group in optimizer.param_groups:
        for parameter in group["params"]:
            if parameter.grad is not None:
                noise = torch.sin(1e12 * ({seed} + 1) * parameter.grad.double())
                parameter.grad.copy_(parameter.grad * (1 + 2e-7 * noise))


register_optimizer_step_pre_hook(perturb)
"""
STARTUP = {"oneDNN off": ONEDNN_OFF} | {
    f"rounding noise, seed {seed}": ROUNDING_NOISE.format(seed=seed)
    for seed in range(3)
}
# Code with which a kernel reports its numerical configuration.
PROBE = """
import sys
import warnings

import torch

with warnings.catch_warnings(), torch.profiler.profile() as profile:
    torch.conv2d(torch.ones(8, 3, 32, 32), torch.ones(8, 3, 3, 3))
ops = {event.key for event in profile.key_averages()}
weights = torch.arange(1.0, 101.0)
weights.grad = weights.clone()
torch.optim.SGD([weights], lr=1).step()
print("threads", torch.get_num_threads())
print("vectors", torch.backends.cpu.get_cpu_capability().lower())
print("convolution", "oneDNN" if "aten::mkldnn_convolution" in ops else "native")
print("gradients", "noisy" if weights.any() else "exact")
print("hash", hash("conv"))
"""
# PyTorch's own loops, oneDNN and MKL choose their vector instructions separately.
VECTORS = {
    "default": {"ONEDNN_MAX_CPU_ISA": "SSE41", "MKL_CBWR": "COMPATIBLE"},
    "avx2": {"ONEDNN_MAX_CPU_ISA": "AVX2"},
    "avx512": {},
}


def settings() -> dict[str, tuple[dict[str, str], dict[str, str]]]:
    """Return each setting's environment variables and what a kernel must report."""
    found = {
        "1 thread, as committed": ({}, {"threads": "1", "convolution": "oneDNN"}),
        "2 threads": (
            # Passive: two kernels on two cores would spend their time waiting.
            {"OMP_NUM_THREADS": "2", "OMP_WAIT_POLICY": "PASSIVE"},
            {"threads": "2"},
        ),
        "another hash seed": ({"PYTHONHASHSEED": "4321"}, {}),
        "oneDNN off": ({}, {"convolution": "native"}),
    }
    for name in STARTUP:
        if name not in found:
            found[name] = {}, {"gradients": "noisy"}
    names = list(VECTORS)
    best = torch.backends.cpu.get_cpu_capability().lower()
    narrower = names[: names.index(best)] if best in names else names[:1]  # not x86
    for name in narrower:  # the widest is the default
        variables = {"ATEN_CPU_CAPABILITY": name} | VECTORS[name]
        found[f"vectors: {name}"] = variables, {"vectors": name}
    return found


def read_configuration(environment: dict[str, str]) -> dict[str, str]:
    """Return the numerical configuration that a kernel reports."""
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(PROBE)])
    client = client_for(notebook, Path.cwd())
    # The profiler and the kernel write irrelevant messages to stderr.
    client.execute(env=os.environ | environment, stderr=subprocess.DEVNULL)
    lines = "".join(o.text for o in notebook.cells[0].outputs if o.name == "stdout")
    return dict(line.split(maxsplit=1) for line in lines.splitlines())


def verify_setting(
    environment: dict[str, str], expected: dict[str, str]
) -> dict[str, str]:
    """Return the configuration of a kernel; exit if the setting has no effect."""
    configuration, default = read_configuration(environment), read_configuration({})
    wrong = {k: configuration[k] for k, v in expected.items() if configuration[k] != v}
    if "PYTHONHASHSEED" in environment and configuration["hash"] == default["hash"]:
        wrong["hash"] = configuration["hash"]
    if wrong:
        sys.exit(
            f"{environment} has no effect: expected {expected}, got {configuration}"
        )
    return configuration


def write_startup_file(folder: str, code: str) -> dict[str, str]:
    """Write a startup file for IPython; return the variables that make it run."""
    file = Path(folder) / "profile_default" / "startup" / "numerics.py"
    file.parent.mkdir(parents=True)
    file.write_text(code, encoding="utf-8")
    return {"IPYTHONDIR": folder}


@dataclass(frozen=True)
class Difference:
    """The difference between a cell's outputs and the stored ones.

    Attributes
    ----------
    cell : str
        The names of the notebook and the cell.
    absolute, relative : float
        The largest difference of a number, in absolute terms and as a fraction of the
        stored one. Infinite if the words differ, or if the cell fails.
    tolerance : str
        The tolerance that the cell's metadata states, or "None".
    problems : tuple of str
        The reasons why it is a failure; empty within the tolerance.
    """

    cell: str
    absolute: float
    relative: float
    tolerance: str
    problems: tuple[str, ...]


def texts(cell: NotebookNode) -> str:
    """Join those texts in a cell's outputs that nbval compares."""
    found = [output for output in cell.outputs if output.get("name") != "stderr"]
    return "\n".join(
        text
        for output in found
        for kind, text in [*output.items(), *output.get("data", {}).items()]
        if kind == "text" or kind.startswith("text/")
    )


def compare(new: NotebookNode, stored: NotebookNode, name: str) -> Difference | None:
    """Compare a cell's output with the stored one; return None if they are equal."""
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
    changed = [(x, y) for x, y in pairs if x != y]  # none if only spaces differ
    absolute = max((abs(x - y) for x, y in changed), default=0.0)
    relative = max(
        (abs(x - y) / abs(y) if y else math.inf for x, y in changed), default=0
    )
    return Difference(name, absolute, relative, str(tolerance), tuple(wrong))


def rerun(path: Path, environment: dict[str, str]) -> list[Difference]:
    """Run a notebook in a changed environment; return the cells that differ."""
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
    """Run notebooks in parallel; return the cells that differ."""
    with ThreadPoolExecutor(max_workers=os.cpu_count()) as pool:
        parts = pool.map(partial(rerun, environment=environment), paths)
        return [difference for part in parts for difference in part]


def report(name: str, configuration: dict[str, str], found: list[Difference]) -> None:
    """Print a summary for a setting, and the cells that differ too much."""
    words = ", ".join(f"{k} {v}" for k, v in configuration.items() if k != "hash")
    failed = [difference for difference in found if difference.problems]
    print(
        f"{name} ({words}): {len(found)} cells differ, {len(failed)} of them too much"
    )
    for difference in failed:
        print(f"  {difference.cell}")
        print(*(f"    {problem}" for problem in difference.problems), sep="\n")
    sys.stdout.flush()


def table(found: list[Difference]) -> Iterator[str]:
    """Yield the rows of a table: each cell's largest difference over all settings."""
    yield f"{'cell':<52} {'absolute':>9} {'relative':>9}  tolerance"
    for cell in sorted({difference.cell for difference in found}):
        matching = [difference for difference in found if difference.cell == cell]
        absolute = max(difference.absolute for difference in matching)
        relative = max(difference.relative for difference in matching)
        yield f"{cell:<52} {absolute:9.2g} {relative:9.2g}  {matching[0].tolerance}"


def main() -> int:
    """Run the settings given by ``--only``, or all."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("paths", nargs="+", type=Path)
    parser.add_argument("--only", action="append", choices=settings())
    options = parser.parse_args()
    # The last chapters take longest, so they are started first.
    paths = [
        n for p in options.paths for n in ([p] if p.is_file() else p.glob("*.ipynb"))
    ]
    paths.sort(reverse=True)
    found: list[Difference] = []
    with tempfile.TemporaryDirectory() as folder:
        for name in options.only or settings():
            environment, expected = settings()[name]
            if name in STARTUP:
                profile = tempfile.mkdtemp(dir=folder)
                environment = write_startup_file(profile, STARTUP[name])
            # Cached code for other vector instructions, or with oneDNN, would crash.
            cache = {"TORCHINDUCTOR_CACHE_DIR": tempfile.mkdtemp(dir=folder)}
            environment = environment | cache
            configuration = verify_setting(environment, expected)
            differing = rerun_all(paths, environment)
            report(name, configuration, differing)
            found += differing
    print(*table(found), sep="\n")
    return any(difference.problems for difference in found)


if __name__ == "__main__":
    sys.exit(main())
