"""Test ``make execute``: notebooks are saved atomically, with stable metadata."""

from pathlib import Path

import nbformat
import pytest
from ipykernel.ipkernel import IPythonKernel
from jupyter_client.kernelspec import get_kernel_spec

import execute
from full_disk import full_disk


@pytest.fixture
def notebook_path(tmp_path, monkeypatch) -> Path:
    """Create a notebook whose output takes a kilobyte."""
    cell = nbformat.v4.new_code_cell("print(2)", id="one")
    path = tmp_path / "01_small.ipynb"
    nbformat.write(nbformat.v4.new_notebook(cells=[cell]), path)

    def run(notebook, folder):
        text = "2" * 1000
        notebook.cells[0].outputs = [nbformat.v4.new_output("stream", text=text)]

    monkeypatch.setattr(execute, "run", run)
    return path


def test_full_disk_keeps_the_notebook(notebook_path):
    old = notebook_path.read_bytes()
    with full_disk(500):
        message = execute.execute(notebook_path)
    error = f"[Errno 27] File too large: '{notebook_path}'"
    assert message == f"{notebook_path} is unchanged: {error}"
    assert notebook_path.read_bytes() == old
    assert list(notebook_path.parent.iterdir()) == [notebook_path]


def test_file_format_matches_jupyter(notebook_path):
    assert execute.execute(notebook_path) is None
    expected = notebook_path.with_suffix(".expected")
    nbformat.write(nbformat.read(notebook_path, as_version=4), expected)
    assert notebook_path.read_bytes() == expected.read_bytes()
    assert b"2222" in expected.read_bytes()


# JupyterLab compares a notebook's metadata with what the kernel reports as soon as the
# notebook is opened, and marks it as changed if they differ.

INDEX = Path(__file__).parent.parent / "notebooks" / "index.ipynb"


def test_stored_metadata_match_the_kernel(tmp_path):
    """If this fails after an update, reinstall conv: make .venv/ready."""
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell("1")])
    execute.run(notebook, tmp_path)
    stored = nbformat.read(INDEX, as_version=4).metadata
    assert stored.language_info == notebook.metadata.language_info
    spec = get_kernel_spec("python3")
    assert stored.kernelspec == {
        "name": "python3",
        "display_name": spec.display_name,
        "language": spec.language,
    }


def test_python_version_is_not_stored(notebook_path, monkeypatch):
    reported = IPythonKernel.language_info | {"version": "3.99.1"}

    def run(notebook, folder):
        notebook.metadata["language_info"] = dict(reported)

    monkeypatch.setattr(execute, "run", run)
    assert execute.execute(notebook_path) is None
    stored = nbformat.read(notebook_path, as_version=4).metadata.language_info
    reported.pop("version")
    assert stored == reported
    assert stored.codemirror_mode == {"name": "ipython", "version": 3}
