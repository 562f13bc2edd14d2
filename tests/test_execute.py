"""What ``make execute`` saves: all of a notebook or nothing, and its metadata."""

from pathlib import Path

import nbformat
import pytest
from ipykernel.ipkernel import IPythonKernel
from jupyter_client.kernelspec import get_kernel_spec

import execute
from full_disk import full_disk


@pytest.fixture
def saved(tmp_path, monkeypatch) -> Path:
    """Give a notebook whose output takes a kilobyte."""
    cell = nbformat.v4.new_code_cell("print(2)", id="one")
    path = tmp_path / "01_small.ipynb"
    nbformat.write(nbformat.v4.new_notebook(cells=[cell]), path)

    def run(notebook, folder):
        text = "2" * 1000
        notebook.cells[0].outputs = [nbformat.v4.new_output("stream", text=text)]

    monkeypatch.setattr(execute, "run", run)
    return path


def test_a_full_disk_keeps_the_notebook(saved):
    old = saved.read_bytes()
    with full_disk(500):
        told = execute.execute(saved)
    assert told == f"{saved} is as it was: [Errno 27] File too large: '{saved}'"
    assert saved.read_bytes() == old
    assert list(saved.parent.iterdir()) == [saved]


def test_it_is_saved_as_jupyter_does(saved):
    assert execute.execute(saved) is None
    expected = saved.with_suffix(".expected")
    nbformat.write(nbformat.read(saved, as_version=4), expected)
    assert saved.read_bytes() == expected.read_bytes()
    assert b"2222" in expected.read_bytes()


# JupyterLab compares a notebook's metadata with what the kernel reports as soon as the
# notebook is opened, and marks it as changed if they differ.

INDEX = Path(__file__).parent.parent / "notebooks" / "index.ipynb"


def test_the_notebooks_store_what_the_kernel_reports(tmp_path):
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


def test_the_version_of_another_environments_kernel_is_not_stored(saved, monkeypatch):
    reported = IPythonKernel.language_info | {"version": "3.99.1"}

    def run(notebook, folder):
        notebook.metadata["language_info"] = dict(reported)

    monkeypatch.setattr(execute, "run", run)
    assert execute.execute(saved) is None
    stored = nbformat.read(saved, as_version=4).metadata.language_info
    reported.pop("version")
    assert stored == reported
    assert stored.codemirror_mode == {"name": "ipython", "version": 3}
