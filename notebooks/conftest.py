"""How nbval compares these notebooks, and what their kernels may take."""

import nbval.kernel
import psutil
import pytest
from kernels import WROTE, start_for_nbval
from nbval.plugin import IPyNbCell
from tolerance import Tolerance, settle

MOST_MEMORY = 1.5e9  # bytes that a kernel may hold after its last cell
KEY = "kernel's bytes"

nbval.kernel.start_new_kernel = start_for_nbval
compare_exactly = IPyNbCell.compare_outputs
run_and_compare = IPyNbCell.runtest


def compare_outputs(cell, test, ref, skip_compare=None):
    """Compare as nbval does, within the cell's tolerance if it has one."""
    if "tolerance" not in cell.cell.metadata:
        return compare_exactly(cell, test, ref, skip_compare)
    tolerance = Tolerance(**cell.cell.metadata["tolerance"])
    problems = settle(test, ref, tolerance)
    same = compare_exactly(cell, test, ref, skip_compare)
    if not same:
        cell.comparison_traceback[:0] = problems
    return same


def runtest(cell):
    """Run a cell, compare its outputs, then check what its metadata expect."""
    run_and_compare(cell)
    expected = cell.cell.metadata.get("expect")
    if not expected:
        return
    kernel = cell.parent.kernel
    expressions = {line: line for line in expected}
    sent = kernel.kc.execute("", silent=True, user_expressions=expressions)
    reply = {"parent_header": {}}
    while reply["parent_header"].get("msg_id") != sent:
        reply = kernel.get_message("shell", cell.output_timeout)
    for line, answer in reply["content"]["user_expressions"].items():
        value = answer.get("data", {}).get("text/plain")
        if value not in ("True", "tensor(True)", "np.True_"):
            problem = value or f"{answer['ename']}: {answer['evalue']}"
            cell.raise_cell_error(f"Expected: {line}", problem)


IPyNbCell.compare_outputs = compare_outputs
IPyNbCell.runtest = runtest


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
