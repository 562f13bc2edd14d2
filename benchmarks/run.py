"""Measure conv and its peers, and write the tables: ``make bench``.

Each result is written to ``results.json`` as soon as it is measured, and the page is
created from that file. If a run was stopped, or a comparison failed, the next run
measures what is missing. If nothing is missing, it measures everything again.
"""

import argparse
import json
import os
import platform
import subprocess
import sys
import traceback
from collections.abc import Callable, Sequence
from functools import partial
from importlib.metadata import version
from pathlib import Path

import comparisons
import methods
import page
import torch
from comparisons import FULL, KEEP_MEMORY, QUICK, NotMeasuredError, Sizes

from conv.runtime import atomic_write

FOLDER = Path(__file__).parent
Tasks = dict[str, Callable[[], dict]]  # functions that measure, by a result's key


def parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    """Parse the command line."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    flag = partial(parser.add_argument, action="store_true")
    flag("--quick", help="tiny inputs, measured once, to test the program")
    flag("--page-only", help="only create the page and the figure again")
    flag("--memory-kept", help=argparse.SUPPRESS)  # in a process with KEEP_MEMORY
    parser.add_argument("--into", type=Path, default=FOLDER, help="folder to write to")
    options = parser.parse_args(arguments)
    if options.quick and options.into.resolve() == FOLDER.resolve():
        parser.error(
            "--quick would overwrite the table: use --into with another folder"
        )
    return options


def machine() -> str:
    """Describe what the times depend on."""
    threads = f"{torch.get_num_threads()} threads"
    return (
        f"{platform.machine()}, {platform.system()}, {threads}; "
        f"Python {platform.python_version()}, torch {torch.__version__}, "
        f"scipy {version('scipy')}, d2l {version('d2l')}; float32"
    )


def all_tasks(sizes: Sizes) -> tuple[Tasks, Tasks]:
    """Return the tasks that need an allocator that keeps memory, and the others."""
    kept, others = {}, {}
    for row in comparisons.all_comparisons(sizes):
        tasks = kept if row.keep_memory else others
        tasks[row.key] = partial(comparisons.measure, row)
    for (n, k), key in page.columns(sizes).items():
        others[key] = partial(methods.measure, n, k, sizes.method_rounds)
    return kept, others


def load(folder: Path, quick: bool) -> dict:
    """Load the results of an earlier run on this machine, if there are any.

    Returns
    -------
    dict
        "about" describes the run; "results" has a result for each key.
    """
    about = {"machine": machine(), "quick": quick}
    file = folder / "results.json"
    stored = json.loads(file.read_text(encoding="utf-8")) if file.exists() else {}
    if stored.get("about") == about:
        return stored
    return {"about": about, "results": {}}


def save(folder: Path, stored: dict) -> None:
    """Write the results, then the page and the figure."""
    text = json.dumps(stored, indent=1, ensure_ascii=False) + "\n"
    atomic_write(folder / "results.json", text.encode())
    page.write(folder)


def pending(tasks: Tasks, stored: dict) -> Tasks:
    """Return the tasks that haven't been measured yet, or that failed."""
    failed = {"error": ""}
    results = stored["results"]
    return {key: t for key, t in tasks.items() if "error" in results.get(key, failed)}


def measure(tasks: Tasks, folder: Path, stored: dict) -> None:
    """Run the pending tasks, and save each result."""
    for key, task in pending(tasks, stored).items():
        print(key, end=": ", flush=True)
        stored["results"][key] = attempt(task)
        print(stored["results"][key], flush=True)
        save(folder, stored)


def attempt(task: Callable[[], dict]) -> dict:
    """Run a task; if it fails, return the reason, so that the others can continue."""
    try:
        return task()
    except NotMeasuredError as reason:
        return {"skipped": str(reason)}
    except Exception as error:
        traceback.print_exc()
        message, *_ = str(error).splitlines() or [""]
        return {"error": f"{type(error).__name__}: {message}"}


def measure_with_memory_kept(tasks: Tasks, folder: Path, stored: dict) -> dict:
    """Run tasks in a process whose allocator keeps memory; return all results."""
    quick = stored["about"]["quick"]
    command = [sys.executable, __file__, "--memory-kept", "--into", folder]
    command += ["--quick"] if quick else []
    ended = subprocess.run(command, env=os.environ | KEEP_MEMORY)
    stored = load(folder, quick)
    for key in tasks.keys() - stored["results"].keys():
        error = f"its process ended with exit status {ended.returncode}"
        stored["results"][key] = {"error": error}
        save(folder, stored)
    return stored


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure what is missing; return 1 if a comparison failed."""
    options = parse(arguments)
    folder = options.into
    if options.page_only:
        page.write(folder)
        return 0
    if options.quick:
        # Several threads would wait for each other on a busy machine.
        torch.set_num_threads(1)
        os.environ["TORCHDYNAMO_DISABLE"] = "1"  # compiling takes too long
    kept, others = all_tasks(QUICK if options.quick else FULL)
    stored = load(folder, options.quick)
    if options.memory_kept:
        measure(kept, folder, stored)
        return 0
    folder.mkdir(parents=True, exist_ok=True)
    if not pending(kept | others, stored):
        stored["results"] = {}
    save(folder, stored)
    if pending(kept, stored):
        stored = measure_with_memory_kept(kept, folder, stored)
    measure(others, folder, stored)
    print((folder / "README.md").read_text(encoding="utf-8"))
    return 1 if pending(kept | others, stored) else 0


if __name__ == "__main__":
    sys.exit(main())
