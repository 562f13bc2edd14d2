"""Create the page and the figure from the results of the benchmarks."""

import io
import json
from collections.abc import Iterable
from fractions import Fraction
from pathlib import Path

from comparisons import FULL, KEEP_MEMORY, QUICK, Comparison, Sizes, all_comparisons

import conv
from conv.runtime import atomic_write

INTRODUCTION = """# How fast is conv?

Made by `make bench` from the measurements in `results.json`; do not edit. The calls
that are compared alternate in one process, so that whatever else the machine does slows
all of them down. Times are medians; a ratio is the median of the ratios of all rounds.

{machine}.
"""
QUICK_MODE = """
**Quick mode: tiny inputs, measured once. These numbers say nothing about speed.**
"""
VARIABLES = " ".join(f"{name}={value}" for name, value in KEEP_MEMORY.items())
COMPARISONS = f"""
## conv and its peers

If the ratio is below 1, conv is faster. The target is the largest ratio that is good
enough. The last column has the page faults of one call: each time the process first
uses a page of memory that it got from the system, it has to wait for that page.

At 1024 x 1024, `F.conv2d` uses so much memory that glibc's allocator returns it to the
system after each call, so that the next call starts with new pages. "Memory kept" is
the same comparison in a process whose allocator keeps freed memory, with
`{VARIABLES}`.
Only this one is a fair comparison, because it measures the convolution without the
page faults.

| conv | work | peer | conv, ms | peer, ms | ratio | target | page faults, conv / peer |
|---|---|---|---:|---:|---:|---|---:|
"""
METHODS = """
## The methods of chapter 10

For one image and one kernel, the table has the time of each method divided by the time
of `F.conv2d`. Here no method runs with memory kept, so the times for large images
contain page faults. A dash means that a call takes more than a second, that it needs a
tensor of more than 1 GB, or that the method can't use this kernel.
"""
FIGURE = """
![The table below, drawn: a panel for each size](methods.png)
"""
Results = dict[str, dict]  # by the comparison's key
Ratios = dict[str, dict[str, float]]  # by size, by the method's name


def number(value: float) -> str:
    """Format a number with three digits, and without an exponent if it is large."""
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


def problem(result: dict | None) -> str:
    """Return why a result has no numbers, or an empty string if it has."""
    if result is None:
        return "not measured yet"
    if "error" in result:
        return f"**failed**: {result['error']}".replace("|", "/")
    return f"not measured: {result['skipped']}" if "skipped" in result else ""


def is_met(row: Comparison, result: dict) -> bool:
    """Return whether conv reaches its target."""
    return result["ratio"] <= Fraction(row.limit)


def line(row: Comparison, result: dict | None) -> str:
    """Format a comparison as a line of the table."""
    target, faults = row.limit, ""
    if why := problem(result):
        numbers = [why, "", ""]
    else:
        numbers = [result["conv"] * 1e3, result["peer"] * 1e3, result["ratio"]]
        numbers = map(number, numbers)
        faults = " / ".join(f"{round(count):,}" for count in result["faults"])
        target += ", met" if is_met(row, result) else ", **missed**"
    cells = [f"`{row.name}`", row.work, row.peer, *numbers, target, faults]
    return f"| {' | '.join(cells)} |\n"


def status(results: Results, keys: list[str]) -> str:
    """Return how many results are missing or failed, or an empty string if none."""
    missing = sum(key not in results for key in keys)
    failed = sum("error" in results.get(key, {}) for key in keys)
    if not missing and not failed:
        return ""
    count = len(keys)
    return (
        f"\n**Incomplete: of {count} comparisons, {missing} are still missing and "
        f"{failed} failed.** Run `make bench` to measure them.\n"
    )


def summary(rows: list[Comparison], results: Results) -> str:
    """Count the rows that meet their target."""
    measured = [row for row in rows if not problem(results.get(row.key))]
    met = sum(is_met(row, results[row.key]) for row in measured)
    return f"\nOf the {len(measured)} rows measured, {met} meet their target.\n"


def all_names(ratios: Ratios) -> list[str]:
    """List the methods that were measured for some size."""
    return list(dict.fromkeys(name for column in ratios.values() for name in column))


def table(ratios: Ratios) -> str:
    """Format the methods' ratios as a table."""
    columns = ratios.values()
    lines = f"\n| | {' | '.join(ratios)} |\n|---{'|---:' * len(ratios)}|\n"
    for name in all_names(ratios):
        cells = [number(column[name]) if name in column else "-" for column in columns]
        lines += f"| {name} | {' | '.join(cells)} |\n"
    return lines


def columns(sizes: Sizes) -> dict[tuple[int, int], str]:
    """Return the columns of the second table: their names by image and kernel side."""
    return {(n, k): f"{n} x {n}, kernel {k} x {k}" for n, k in sizes.methods}


def write(folder: Path) -> None:
    """Create the page and the figure from the results in a folder."""
    stored = json.loads((folder / "results.json").read_text(encoding="utf-8"))
    about, results = stored["about"], stored["results"]
    names = columns(QUICK if about["quick"] else FULL).values()
    if has_figure(names, results):
        ratios = measured_ratios(names, results)
        atomic_write(folder / "methods.png", draw(ratios, about["machine"]))
    atomic_write(folder / "README.md", text(about, results).encode())


def has_figure(names: Iterable[str], results: Results) -> bool:
    """Return whether no column is missing, and at least one was measured."""
    complete = all(name in results for name in names)
    return complete and bool(measured_ratios(names, results))


def problems(names: Iterable[str], results: Results) -> list[str]:
    """Return the reasons why columns are missing."""
    why = {name: problem(results.get(name)) for name in names}
    return [f"\n{name}: {reason}.\n" for name, reason in why.items() if reason]


def measured_ratios(names: Iterable[str], results: Results) -> Ratios:
    """Select the columns that were measured."""
    return {n: results[n]["ratios"] for n in names if not problem(results.get(n))}


def text(about: dict, results: Results) -> str:
    """Format the page.

    Parameters
    ----------
    about : dict
        Description of the machine, and whether this is the quick mode.
    results : dict
        Results so far, by key.

    Returns
    -------
    str
        The page in Markdown.
    """
    sizes = QUICK if about["quick"] else FULL
    rows, names = all_comparisons(sizes), columns(sizes).values()
    keys = [*(row.key for row in rows), *names]
    return "".join(
        [
            INTRODUCTION.format(machine=about["machine"]),
            QUICK_MODE if about["quick"] else "",
            status(results, keys),
            COMPARISONS,
            *(line(row, results.get(row.key)) for row in rows),
            summary(rows, results),
            METHODS,
            *problems(names, results),
            FIGURE if has_figure(names, results) else "",
            table(measured_ratios(names, results)),
        ]
    )


def draw(ratios: Ratios, machine: str) -> bytes:
    """Draw the methods' ratios as a PNG, with one panel per size."""
    names = all_names(ratios)[::-1]
    figure, axes = conv.subplots(
        columns=len(ratios),
        size=(12, 4.2),
        alt="",
        sharey=True,
        sharex=True,
        squeeze=False,
    )
    for ax, (size, column) in zip(axes.flat, ratios.items(), strict=True):
        ax.axvline(1, color="0.6")
        ax.plot(column.values(), [names.index(name) for name in column], "o")
        ax.set(xscale="log", title=size.replace(", ", "\n"))
        ax.set(yticks=range(len(names)), yticklabels=names)
        ax.grid(axis="y", color="0.9")
    figure.supxlabel(f"time / time of F.conv2d (logarithmic). {machine}", fontsize=9)
    figure.savefig(file := io.BytesIO(), dpi=100, format="png")
    return file.getvalue()
