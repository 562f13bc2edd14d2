"""Prove that every notebook computes on the GPU: run each, ask for the memory it took.

A run with ``CONV_DEVICE=cuda`` that fell back to the CPU would print the same numbers,
so comparing them is no proof.
"""

import sys
from pathlib import Path

import nbformat

from execute import run

QUESTION = """
import torch
print(torch.accelerator.is_available() and torch.accelerator.max_memory_allocated())
"""


def accelerator_bytes(path: Path) -> int:
    """Run a notebook; return the most bytes that it held on the accelerator."""
    notebook = nbformat.read(path, as_version=4)
    notebook.cells.append(nbformat.v4.new_code_cell(QUESTION))
    run(notebook, path.parent)
    answer = notebook.cells[-1].outputs[0].text.strip()
    return 0 if answer == "False" else int(answer)


def main() -> int:
    """Check all notebooks of a folder; fail if one left the accelerator alone."""
    idle = 0
    for path in sorted(Path(sys.argv[1]).glob("*.ipynb")):
        held = accelerator_bytes(path)
        print(f"{path.name}: {held:,} bytes on the accelerator")
        idle += held == 0
    print(f"{idle} notebooks did not use it")
    return bool(idle)


if __name__ == "__main__":
    sys.exit(main())
