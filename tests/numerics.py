"""Re-run all notebooks as other machines would compute them: ``make test-numerics``.

A processor with narrower vectors, another number of threads, or a build without
oneDNN adds the same numbers in another order, and the last digits move. A print that
is honest does not. Each setting is first proved to take effect.
"""

import argparse
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import nbformat
import torch

from kernels import client_for
from rerun import Outcome, rerun

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


def report(name: str, said: dict[str, str], outcome: Outcome) -> None:
    """Print how a setting went, and each cell that printed something else."""
    words = ", ".join(f"{k} {v}" for k, v in said.items() if k != "hash")
    result = f"{len(outcome.failed)} of {outcome.cells} cells differ"
    print(f"{name} ({words}): {result}", flush=True)
    for cell, problem in outcome.failed.items():
        print(f"  {cell}\n    " + problem.replace("\n", "\n    "), flush=True)


def main() -> int:
    """Run the named settings, or all."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("paths", nargs="+")
    parser.add_argument("--only", action="append", choices=settings())
    asked = parser.parse_args()
    failures = 0
    with tempfile.TemporaryDirectory() as folder:
        for name in asked.only or settings():
            environment, expected = settings()[name]
            if "IPYTHONDIR" in environment:
                environment = startup(folder)
            # What was compiled for other vectors, or with oneDNN, crashes.
            cache = {"TORCHINDUCTOR_CACHE_DIR": tempfile.mkdtemp(dir=folder)}
            environment = environment | cache
            said = prove(environment, expected)
            outcome = rerun(asked.paths, environment)
            report(name, said, outcome)
            failures += len(outcome.failed)
    return bool(failures)


if __name__ == "__main__":
    sys.exit(main())
