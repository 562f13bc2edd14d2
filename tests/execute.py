"""Run notebooks from top to bottom and save what they print: ``make execute``.

If a cell fails, its notebook is left unchanged, and the error is printed.

nbval doesn't compare the output of a cell tagged ``nbval-ignore-output``. Such a cell
stores, in its metadata, a digest of the texts and captions of its last run, which
``tests/test_numbers.py`` compares. This shows that the outputs haven't been edited.
Whether they are correct is for the cell's own assertions to check.
"""

import argparse
import json
import os
import sys
from concurrent.futures import ProcessPoolExecutor
from hashlib import sha256
from pathlib import Path
from uuid import NAMESPACE_URL, uuid5

import nbformat
from nbclient.exceptions import CellExecutionError

from conv.runtime import atomic_write
from kernels import client_for

WIDGETS = "application/vnd.jupyter.widget-state+json"


def run(notebook: nbformat.NotebookNode, folder: Path) -> None:
    """Run all cells in a fresh kernel and store their outputs in the notebook."""
    client_for(notebook, folder).execute()


def execute(path: Path) -> str | None:
    """Run one notebook in place; return an error message, or None if it succeeds."""
    notebook = nbformat.read(path, as_version=4)
    try:
        run(notebook, path.parent)
    except CellExecutionError as error:
        return f"{path}: {error}"
    for cell in notebook.cells:
        join_streams(cell)
        sign(cell)
    # JupyterLab marks a notebook as changed on opening it, unless its language_info is
    # exactly the kernel's. The kernels of our environment leave out the version of
    # Python (src/data-files/etc/ipython), which differs between machines; those of
    # another environment may report it.
    notebook.metadata.get("language_info", {}).pop("version", None)
    notebook = name_widgets(notebook, path.stem)
    try:
        save(notebook, path)
    except OSError as error:
        return f"{path} is unchanged: {error}"
    return None


def save(notebook: nbformat.NotebookNode, path: Path) -> None:
    """Write a notebook as `nbformat.write` does, but atomically."""
    atomic_write(path, f"{nbformat.writes(notebook)}\n".encode())


def join_streams(cell: nbformat.NotebookNode) -> None:
    """Join consecutive texts that the kernel sent to the same stream in pieces."""
    joined: list[nbformat.NotebookNode] = []
    for output in cell.get("outputs", []):
        last = joined[-1] if joined else {}
        if "name" in output and output["name"] == last.get("name"):
            last.text += output.text
        else:
            joined.append(output)
    if joined:
        cell.outputs = joined


def digest(cell: nbformat.NotebookNode) -> str:
    """Return a digest of a cell's outputs: their texts and metadata, without images."""
    contents = [
        {key: value for key, value in output.items() if key != "data"}
        | {
            kind: text
            for kind, text in output.get("data", {}).items()
            if kind.startswith("text/")
        }
        for output in cell.outputs
    ]
    return sha256(json.dumps(contents, sort_keys=True).encode()).hexdigest()[:16]


def sign(cell: nbformat.NotebookNode) -> None:
    """Store the digest of a cell that nbval doesn't compare; remove any other."""
    cell.metadata.pop("printed", None)
    if "nbval-ignore-output" in cell.metadata.get("tags", []):
        cell.metadata["printed"] = digest(cell)


def name_widgets(
    notebook: nbformat.NotebookNode, chapter: str
) -> nbformat.NotebookNode:
    """Replace the random ids of widgets by ids that are the same in every run."""
    states = notebook.metadata.get("widgets", {}).get(WIDGETS, {}).get("state", {})
    text = nbformat.writes(notebook)
    for number, name in enumerate(states):
        text = text.replace(name, uuid5(NAMESPACE_URL, f"{chapter}-{number}").hex)
    return nbformat.reads(text, as_version=4)


def main() -> int:
    """Run the given notebooks, and all notebooks in the given folders."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("paths", nargs="+", type=Path)
    paths = parser.parse_args().paths
    notebooks = [n for p in paths for n in ([p] if p.is_file() else p.glob("*.ipynb"))]
    with ProcessPoolExecutor(max_workers=os.cpu_count()) as pool:
        failures = list(filter(None, pool.map(execute, sorted(notebooks))))
    print(*failures, f"{len(notebooks) - len(failures)} notebooks saved", sep="\n")
    return bool(failures)


if __name__ == "__main__":
    sys.exit(main())
