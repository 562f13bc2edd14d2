"""How nbval compares the notebooks in this folder."""


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
