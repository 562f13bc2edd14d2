"""``make execute`` saves a notebook whole, or leaves it as it was."""

from pathlib import Path

import nbformat
import pytest

import execute
from full_disk import full_disk


@pytest.fixture
def saved(tmp_path, monkeypatch) -> Path:
    """Give a notebook that takes a kilobyte as soon as it has run."""
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
