"""Test chapters in JupyterLab: Run All succeeds and the widgets work."""

import re
import time
from pathlib import Path

import nbformat
import pytest
from playwright.sync_api import Page, expect

from drive import DRIVERS
from helpers import SCREENSHOTS, TOKEN, PageMonitor, violations
from tolerance import Tolerance, problems

CHAPTERS = [
    "01_slide_a_window",
    "03_find_edges",
    "04_learn_a_kernel",
    "16_find_faces",
]
UNSAVED = re.compile(r"\bjp-mod-dirty\b")  # the tab's close button becomes a dot


def open_chapter(page: Page, home: str, name: str) -> None:
    workspace = f"workspaces/{name}"  # otherwise the other chapters would be open, too
    page.goto(f"{home}lab/{workspace}/tree/notebooks/{name}.ipynb?token={TOKEN}")
    expect(page.locator(".jp-Notebook")).to_be_visible(timeout=60_000)
    expect(page.locator(".jp-Notebook .jp-Cell").first).to_be_visible()
    ready = page.get_by_text("Python 3 (ipykernel) | Idle")
    expect(ready).to_be_visible(timeout=60_000)


def test_opening_a_notebook_does_not_change_it(lab, open_page):
    """JupyterLab copies the kernel's metadata into it, which must be the same."""
    home, folder = lab
    page = open_page()
    file = folder / "02_build_the_layer.ipynb"
    before = file.read_bytes()
    open_chapter(page, home, file.stem)
    tab = page.locator(".lm-DockPanel-tabBar .lm-TabBar-tab", has_text=file.name)
    expect(tab).to_be_visible()
    time.sleep(3)  # JupyterLab updates the metadata shortly after the kernel is ready
    expect(tab).not_to_have_class(UNSAVED)
    page.locator(
        ".jp-Notebook .jp-Cell"
    ).first.dblclick()  # a change, to check that the tab shows it
    page.keyboard.type("a")
    expect(tab).to_have_class(UNSAVED)
    assert file.read_bytes() == before


def run_all(page: Page, file: Path) -> nbformat.NotebookNode:
    """Choose Run All Cells, wait until it finishes, save, and return the notebook."""
    page.get_by_role("menuitem", name="Run", exact=True).click()
    page.get_by_role("menuitem", name="Run All Cells", exact=True).click()
    kernel = page.locator(".jp-Notebook-ExecutionIndicator")
    expect(kernel).to_have_attribute("data-status", "busy", timeout=30_000)
    for _ in range(180):
        expect(kernel).to_have_attribute("data-status", "idle", timeout=180_000)
        page.keyboard.press("Control+s")
        time.sleep(1)
        saved = nbformat.read(file, as_version=4)
        if all(cell.execution_count for cell in code_cells(saved)):
            return saved
    raise TimeoutError(first_unfinished(saved))


def first_unfinished(notebook: nbformat.NotebookNode) -> str:
    """Return the source of the first cell that has not run."""
    cells = code_cells(notebook)
    return next(cell.source for cell in cells if not cell.execution_count)


def code_cells(notebook: nbformat.NotebookNode) -> list[nbformat.NotebookNode]:
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def printed(cell: nbformat.NotebookNode) -> str:
    """Join the texts that a cell printed and the text representations of its images."""
    texts = [
        output.get("text") or output.get("data", {}).get("text/plain", "")
        for output in cell.outputs
        if output.get("name") != "stderr"
    ]
    return "".join(texts)


def wrong_output(
    cell: nbformat.NotebookNode, expected: nbformat.NotebookNode
) -> list[str]:
    """Compare what a cell printed with its stored output, within its tolerance."""
    new, stored = printed(cell), printed(expected)
    if new == stored:
        return []
    if "tolerance" not in expected.metadata:
        return [new]
    return problems(new, stored, Tolerance(**expected.metadata.tolerance))


@pytest.mark.parametrize("name", CHAPTERS)
def test_run_all_succeeds(lab, open_page, name):
    home, folder = lab
    page = open_page(height=1400)
    monitor = PageMonitor(page, home)
    expected = nbformat.read(folder / f"{name}.ipynb", as_version=4)
    open_chapter(page, home, name)
    found = run_all(page, folder / f"{name}.ipynb")
    pairs = zip(code_cells(expected), code_cells(found), strict=True)
    for count, (expected_cell, cell) in enumerate(pairs, start=1):
        assert cell.execution_count == count, cell.source
        assert "error" not in {output.output_type for output in cell.outputs}
        if "nbval-ignore-output" not in cell.metadata.get("tags", []):
            assert wrong_output(cell, expected_cell) == [], cell.source
    page.wait_for_function(DIAGRAMS_ARE_LOADED)
    widget = page.locator(".conv-widget").first
    widget.scroll_into_view_if_needed()
    DRIVERS[name[:2]](widget)
    assert violations(page, ".conv-widget") == []
    screenshot = SCREENSHOTS / f"lab-{name}"
    widget.screenshot(path=f"{screenshot}-light.png")
    make_dark(page)
    assert violations(page, ".conv-widget") == []
    widget.screenshot(path=f"{screenshot}-dark.png")
    assert monitor.problems == []


DIAGRAMS_ARE_LOADED = """
Array.from(document.querySelectorAll(".jp-RenderedMarkdown img"))
  .every(image => image.complete && image.naturalWidth > 0)
"""


def make_dark(page: Page) -> None:
    """Choose the dark theme in JupyterLab's menu."""
    page.get_by_role("menuitem", name="Settings", exact=True).click()
    labels = page.locator(".lm-Menu-itemLabel")
    labels.get_by_text("Theme", exact=True).click()
    labels.get_by_text("JupyterLab Dark", exact=True).click()
    expect(page.locator("body")).to_have_attribute("data-jp-theme-light", "false")
