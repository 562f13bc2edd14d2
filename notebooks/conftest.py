"""How nbval compares the notebooks in this folder."""


def pytest_collectstart(collector):
    """Leave out what may differ though the lesson is the same.

    stderr carries progress bars and the kernel's warnings. PNG, which nbval
    leaves out already, and SVG are drawn with whatever fonts there are.
    """
    if hasattr(collector, "skip_compare"):
        collector.skip_compare += ("stderr", "image/svg+xml")


def pytest_collection_modifyitems(items):
    """Wait for a cell's output as long as for the cell, not nbval's 5 s."""
    for item in items:
        if hasattr(item, "output_timeout"):
            item.output_timeout = item.config.option.nbval_cell_timeout
