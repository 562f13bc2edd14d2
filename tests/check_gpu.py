"""Check that every notebook computes on the GPU, by the memory that it allocates there.

A run with ``CONV_DEVICE=cuda`` that fell back to the CPU would print the same numbers,
so comparing the outputs is not enough.
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
    """Run a notebook; return its peak memory on the accelerator, in bytes."""
    notebook = nbformat.read(path, as_version=4)
    notebook.cells.append(nbformat.v4.new_code_cell(QUESTION))
    run(notebook, path.parent)
    answer = notebook.cells[-1].outputs[0].text.strip()
    return 0 if answer == "False" else int(answer)


def main() -> int:
    """Check all notebooks in a folder; fail if one didn't use the accelerator."""
    unused = 0
    for path in sorted(Path(sys.argv[1]).glob("*.ipynb")):
        peak = accelerator_bytes(path)
        print(f"{path.name}: {peak:,} bytes on the accelerator")
        unused += peak == 0
    print(f"{unused} notebooks did not use the accelerator")
    return bool(unused)


if __name__ == "__main__":
    sys.exit(main())
