"""Run notebooks twice in one kernel, exercises out of order: ``make test-twice``.

Learners rerun cells and jump to exercises. Neither may fail, and a second run from top
to bottom must print the same as the first.
"""

import argparse
import os
import sys
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import nbformat
from nbclient.exceptions import CellExecutionError
from nbformat import NotebookNode

from execute import join_streams
from kernels import client_for


def texts(cell: NotebookNode) -> list[str]:
    """List the texts that a cell printed, without images and warnings."""
    join_streams(cell)
    outputs = [output for output in cell.outputs if output.get("name") != "stderr"]
    return [o.get("text") or o.data.get("text/plain", "") for o in outputs]


def is_compared(cell: NotebookNode) -> bool:
    """Return whether nbval compares a cell's output."""
    return "nbval-ignore-output" not in cell.metadata.get("tags", [])


class NotebookRunner:
    """Run a notebook's cells in one kernel and collect the problems.

    Parameters
    ----------
    path : Path
        The notebook, which is not changed.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.notebook = nbformat.read(path, as_version=4)
        self.stored = {c.id: texts(c) for c in self.cells()}
        self.problems: list[str] = []
        self.client = client_for(self.notebook, path.parent, timeout=300)

    def cells(self, tag: str = "") -> list[NotebookNode]:
        """List the code cells, or only those with a given tag."""
        cells = [c for c in self.notebook.cells if c.cell_type == "code"]
        return [c for c in cells if not tag or tag in c.metadata.get("tags", [])]

    def run(self, cells: list[NotebookNode], when: str) -> None:
        """Run cells in order; each must print what the notebook stores."""
        for cell in cells:
            try:
                place = self.notebook.cells.index(cell)
                self.client.execute_cell(cell, place)
            except CellExecutionError as error:
                self.problems.append(f"{self.path.name}, {when}: {error}")
                continue
            if is_compared(cell) and texts(cell) != self.stored[cell.id]:
                printed, stored = texts(cell), self.stored[cell.id]
                self.problems.append(
                    f"{self.path.name}, {when}: {cell.source}\n"
                    f"printed {printed}, expected {stored}"
                )


def check(path: Path) -> list[str]:
    """Run a notebook twice, then only its exercises, then these in a fresh kernel."""
    runner = NotebookRunner(path)
    exercises = runner.cells("exercise")
    with runner.client.setup_kernel():
        for when in ("first run", "second run"):
            runner.run(runner.cells(), when)
        runner.run(exercises[::-1], "exercises, last first")
    with runner.client.setup_kernel():
        runner.run(runner.cells()[:1] + exercises, "exercises after the first cell")
    return runner.problems


def main() -> int:
    """Check the given notebooks, and all notebooks in the given folders."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("paths", nargs="+", type=Path)
    paths = parser.parse_args().paths
    notebooks = [n for p in paths for n in ([p] if p.is_file() else p.glob("*.ipynb"))]
    with ProcessPoolExecutor(max_workers=os.cpu_count()) as pool:
        problems = [
            line for lines in pool.map(check, sorted(notebooks)) for line in lines
        ]
    print(*problems, f"{len(notebooks)} notebooks: {len(problems)} problems", sep="\n")
    return bool(problems)


if __name__ == "__main__":
    sys.exit(main())
