"""Run notebooks twice in one kernel, exercises out of order: ``make test-twice``.

A learner runs cells again, and jumps to an exercise. Neither may fail, and a second
run from the top prints what the first one printed.
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


def words(cell: NotebookNode) -> list[str]:
    """List what a cell printed, without pictures and without warnings."""
    join_streams(cell)
    outputs = [output for output in cell.outputs if output.get("name") != "stderr"]
    return [o.get("text") or o.data.get("text/plain", "") for o in outputs]


def compared(cell: NotebookNode) -> bool:
    """Tell whether nbval compares what a cell prints."""
    return "nbval-ignore-output" not in cell.metadata.get("tags", [])


class Reader:
    """Runs a notebook's cells in one kernel, and notes what goes wrong.

    Parameters
    ----------
    path : Path
        The notebook. It is left as it is.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.notebook = nbformat.read(path, as_version=4)
        self.stored = {c.id: words(c) for c in self.cells()}
        self.wrong: list[str] = []
        self.client = client_for(self.notebook, path.parent, timeout=300)

    def cells(self, tag: str = "") -> list[NotebookNode]:
        """List the cells with code, or those of them with a tag."""
        cells = [c for c in self.notebook.cells if c.cell_type == "code"]
        return [c for c in cells if not tag or tag in c.metadata.get("tags", [])]

    def run(self, cells: list[NotebookNode], when: str) -> None:
        """Run some cells in turn; each must print what the notebook stores."""
        for cell in cells:
            try:
                place = self.notebook.cells.index(cell)
                self.client.execute_cell(cell, place)
            except CellExecutionError as error:
                self.wrong.append(f"{self.path.name}, {when}: {error}")
                continue
            if compared(cell) and words(cell) != self.stored[cell.id]:
                came, stored = words(cell), self.stored[cell.id]
                self.wrong.append(
                    f"{self.path.name}, {when}: {cell.source}\n{came}, not {stored}"
                )


def check(path: Path) -> list[str]:
    """Run a notebook twice, its exercises alone, and these in a fresh kernel."""
    reader = Reader(path)
    exercises = reader.cells("exercise")
    with reader.client.setup_kernel():
        for when in ("first run", "second run"):
            reader.run(reader.cells(), when)
        reader.run(exercises[::-1], "exercises, last first")
    with reader.client.setup_kernel():
        reader.run(reader.cells()[:1] + exercises, "exercises after the first cell")
    return reader.wrong


def main() -> int:
    """Check the named notebooks, or all in the named folders."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("paths", nargs="+", type=Path)
    paths = parser.parse_args().paths
    notebooks = [n for p in paths for n in ([p] if p.is_file() else p.glob("*.ipynb"))]
    with ProcessPoolExecutor(max_workers=os.cpu_count()) as pool:
        wrong = [line for lines in pool.map(check, sorted(notebooks)) for line in lines]
    print(*wrong, f"{len(notebooks)} notebooks: {len(wrong)} complaints", sep="\n")
    return bool(wrong)


if __name__ == "__main__":
    sys.exit(main())
