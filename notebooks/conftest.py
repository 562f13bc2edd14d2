"""How nbval compares these notebooks, and what their kernels may take."""

import nbval.kernel
import psutil
import pytest
from kernels import WROTE, start_for_nbval

MOST_MEMORY = 1.5e9  # bytes that a kernel may hold after its last cell
KEY = "kernel's bytes"

nbval.kernel.start_new_kernel = start_for_nbval


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport():
    """Show with a failure what the kernel wrote: it may tell why it died."""
    report = yield
    if report.failed:
        wrote = WROTE.read_text(errors="replace")
        report.sections.append(("what the kernel wrote", wrote[-3000:]))
    return report


def pytest_collectstart(collector):
    """Leave out what may differ though the lesson is the same.

    stderr carries progress bars and the kernel's warnings. PNG, which nbval
    leaves out already, and SVG are drawn with whatever fonts there are.
    """
    if hasattr(collector, "skip_compare"):
        collector.skip_compare += ("stderr", "image/svg+xml")


def pytest_collection_modifyitems(items):
    """Begin with the last chapters, the longest; give outputs their time.

    nbval waits 5 s for a cell's output, however long the cell may take.
    """
    items.sort(key=lambda item: item.path.name, reverse=True)
    for item in items:
        if hasattr(item, "output_timeout"):
            item.output_timeout = item.config.option.nbval_cell_timeout


def pytest_runtest_teardown(item, nextitem):
    """Refuse a notebook whose kernel holds too much after its last cell."""
    notebook = item.getparent(pytest.File)
    last = nextitem is None or nextitem.path != item.path
    if not last or getattr(notebook, "kernel", None) is None:
        return
    process = psutil.Process(notebook.kernel.km.provisioner.process.pid)
    taken = process.memory_info().rss
    item.user_properties.append((KEY, taken))
    assert taken < MOST_MEMORY, (
        f"{item.path.name}: the kernel holds {taken:,} bytes"
    )


def pytest_terminal_summary(terminalreporter):
    """Name the notebook whose kernel held the most."""
    reports = [
        report
        for kind in ("passed", "")  # the second: those of setups, teardowns
        for report in terminalreporter.getreports(kind)
    ]
    held = {
        report.nodeid.partition("::")[0]: taken
        for report in reports
        for key, taken in report.user_properties
        if key == KEY
    }
    if held:
        name = max(held, key=held.get)
        taken = f"{name}, {held[name] / 1e9:.2f} GB"
        terminalreporter.write_line(f"most memory after a last cell: {taken}")
