"""Rerun all notebooks many times to find flaky cells: ``make test-long``.

Twenty runs take more than an hour. You can stop at any time: finished runs are stored
in tests/long-run.json, and the next start continues from there as long as the notebooks
and the code are unchanged. If the file is committed, other clones continue from there.
"""

import argparse
import hashlib
import json
import subprocess
import sys
from dataclasses import asdict
from pathlib import Path

from conv.runtime import atomic_write
from rerun import Outcome, rerun

ROOT = Path(__file__).parent.parent
RUNS_FILE = ROOT / "tests" / "long-run.json"
INPUTS = ["notebooks", "src", "requirements.txt"]  # what a run depends on


def fingerprint() -> str:
    """Return a digest of the current files that a run depends on."""
    listed = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    names = subprocess.run(
        [*listed, *INPUTS], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout.split("\0")
    digest = hashlib.sha256()
    for name in sorted(filter(None, names)):
        digest.update(name.encode() + (ROOT / name).read_bytes())
    return digest.hexdigest()[:16]


def load_runs(tree: str) -> list[Outcome]:
    """Load the runs of this tree, and ignore those of another one."""
    kept = json.loads(RUNS_FILE.read_text()) if RUNS_FILE.exists() else {}
    return [Outcome(**run) for run in kept.get(tree, [])]


def save_runs(tree: str, runs: list[Outcome]) -> None:
    """Save the runs atomically."""
    text = json.dumps({tree: [asdict(run) for run in runs]}, indent=1) + "\n"
    atomic_write(RUNS_FILE, text.encode())


def main() -> int:
    """Run until there are enough runs, and print how often a cell failed."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--times", type=int, default=20)
    times = parser.parse_args().times
    tree = fingerprint()
    runs = load_runs(tree)
    while len(runs) < times:
        runs.append(rerun(["notebooks"], {}))
        if fingerprint() != tree:
            sys.exit("notebooks or src changed during a run, so it doesn't count")
        save_runs(tree, runs)
        last = runs[-1]
        result = f"{len(last.failed)} of {last.cells} cells failed"
        print(
            f"run {len(runs)} of {times}: {result} in {last.seconds:.0f} s", flush=True
        )
    failures = [
        f"{cell}: {message}" for run in runs for cell, message in run.failed.items()
    ]
    print(*failures, f"{len(runs)} runs, {len(failures)} failures", sep="\n")
    return bool(failures)


if __name__ == "__main__":
    sys.exit(main())
