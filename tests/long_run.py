"""Re-run all notebooks many times, look for a cell that fails: ``make test-long``.

Twenty runs take more than an hour. Stop it whenever you like: what has been run is
kept in tests/long-run.json, and the next start goes on from there, as long as
notebooks and code are the same. Commit it, and another clone goes on from there.
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
MEMORY = ROOT / "tests" / "long-run.json"
READ = ["notebooks", "src", "requirements.txt"]  # what a run depends on


def fingerprint() -> str:
    """Sum up the files that a run depends on, as they are now."""
    listed = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    names = subprocess.run(
        [*listed, *READ], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout.split("\0")
    digest = hashlib.sha256()
    for name in sorted(filter(None, names)):
        digest.update(name.encode() + (ROOT / name).read_bytes())
    return digest.hexdigest()[:16]


def remember(tree: str) -> list[Outcome]:
    """Read the runs of this tree; those of another one don't count."""
    kept = json.loads(MEMORY.read_text()) if MEMORY.exists() else {}
    return [Outcome(**run) for run in kept.get(tree, [])]


def note(tree: str, runs: list[Outcome]) -> None:
    """Write the runs so that a stop in the middle of it loses none."""
    text = json.dumps({tree: [asdict(run) for run in runs]}, indent=1) + "\n"
    atomic_write(MEMORY, text.encode())


def main() -> int:
    """Run until there are enough; say how often a cell failed."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--times", type=int, default=20)
    times = parser.parse_args().times
    tree = fingerprint()
    runs = remember(tree)
    while len(runs) < times:
        runs.append(rerun(["notebooks"], {}))
        if fingerprint() != tree:
            sys.exit("notebooks or src changed during a run: it doesn't count")
        note(tree, runs)
        last = runs[-1]
        said = f"{len(last.failed)} of {last.cells} cells failed"
        print(f"run {len(runs)} of {times}: {said} in {last.seconds:.0f} s", flush=True)
    flakes = [f"{cell}: {why}" for run in runs for cell, why in run.failed.items()]
    print(*flakes, f"{len(runs)} runs, {len(flakes)} failures", sep="\n")
    return bool(flakes)


if __name__ == "__main__":
    sys.exit(main())
