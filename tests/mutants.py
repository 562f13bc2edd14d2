"""Report the mutants of conv that survived: the second half of ``make mutants``.

mutmut changes one operator, constant or argument of ``src/conv`` at a time and runs the
tests that reach it, in a process that has imported conv unchanged. It stores the result
for each mutant in ``mutants/``. Because of the import, it can't test what a module
computes while it is imported, or in another process. Survivors are looked up in
``tests/survivors.txt``, which lists accepted survivors with reasons. The others are
tested again in a new process. At least 95% of the mutants must be killed.
"""

import json
import os
import re
import subprocess
import sys
import tomllib
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from pathlib import Path

from mutmut.mutation.diff_apply import get_diff_for_mutant

from conv.runtime import atomic_write

ROOT = Path(__file__).parent.parent
MUTANTS = ROOT / "mutants"
RETESTED = MUTANTS / "again.json"
SURVIVORS = ROOT / "tests" / "survivors.txt"
MIN_KILLED = 0.95
KILLED = {"killed", "timeout", "segfault", "caught by type check"}
CONFIG = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["mutmut"]
PYTEST = ["-m", "pytest", "-x", "-q", "-p", "no:cacheprovider"]
PYTEST += CONFIG["pytest_add_cli_args"]
ALL = CONFIG["pytest_add_cli_args_test_selection"]
LIMIT = 300  # seconds; a mutant with an infinite loop counts as killed


def results() -> dict[str, str]:
    """Read mutmut's result for each mutant."""
    command = [sys.executable, "-m", "mutmut", "results", "--all", "true"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    lines = [line.strip() for line in done.stdout.splitlines()]
    return dict(line.rsplit(": ", 1) for line in lines if "__mutmut_" in line)


@cache
def stats() -> dict:
    """Read mutmut's record of the tests that reach each function."""
    return json.loads((MUTANTS / "mutmut-stats.json").read_text(encoding="utf-8"))


def tests_for(mutant: str) -> list[str]:
    """List the tests that could kill a mutant in a new process.

    For the checkers, which nearly all tests of exercises reach, only some of the tests
    are run again, because all of them would take too long.
    """
    function = mutant.rpartition("__mutmut_")[0]
    module = function.rpartition(".")[0].removeprefix("conv.")
    if chapter := re.search(r"chapter_(\d+)", module):
        mark = f"[{int(chapter[1])}."
        return [test for test in stats()["duration_by_test"] if mark in test]
    if module in ("exercises.sandbox", "exercises.worker"):
        return ["tests/test_sandbox.py"]
    if module in ("exercises.code", "exercises.errors", "exercises.wording"):
        return ["tests/test_rules.py"]
    if module.startswith("exercises"):
        names = "exercises", "grader", "rules"
        return [f"tests/test_{name}.py" for name in names]
    tests = stats()["tests_by_mangled_function_name"].get(function, [])
    return [*tests, *(file for file in ALL if file == f"tests/test_{module}.py")]


def is_killed(mutant: str, tests: list[str]) -> bool:
    """Run tests on a mutant in a new process; return whether one of them fails."""
    conv = {"MUTANT_UNDER_TEST": mutant, "PYTHONPATH": str(MUTANTS / "src")}
    try:
        done = subprocess.run(
            [sys.executable, *PYTEST, *tests],
            cwd=MUTANTS,
            env=os.environ | conv,
            capture_output=True,
            text=True,
            timeout=LIMIT,
        )
    except subprocess.TimeoutExpired:
        return True
    if done.returncode not in (0, 1, 2):  # 2: conv can't even be imported
        raise SystemExit(
            f"pytest failed to run on {mutant}:\n{done.stdout}\n{done.stderr}"
        )
    return done.returncode != 0


def retest(changes: dict[str, str]) -> list[str]:
    """Test survivors again, saving results on the way; return those that survive."""
    killed = (
        json.loads(RETESTED.read_text(encoding="utf-8")) if RETESTED.exists() else []
    )
    if is_killed("none", ALL):
        raise SystemExit("the tests fail even without a mutant")
    remaining = {mutant: what for mutant, what in changes.items() if what not in killed}
    survivors = []
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        outcomes = pool.map(
            lambda mutant: is_killed(mutant, tests_for(mutant)), remaining
        )
        for what, was_killed in zip(remaining.values(), outcomes, strict=True):
            (killed if was_killed else survivors).append(what)
            atomic_write(RETESTED, json.dumps(killed, indent=1).encode())
    return survivors


def describe(mutant: str) -> str:
    """Describe a mutant by its function, the old lines and the new lines."""
    function = mutant.rpartition("__mutmut_")[0]
    lines = get_diff_for_mutant(mutant).splitlines()
    changed = [f"{line[0]} {line[1:].strip()}" for line in lines if is_change(line)]
    return "\n".join([original_name(function), *changed])


def original_name(function: str) -> str:
    """Convert mutmut's name of a function back to the original name."""
    return re.sub(r"\.x_?", ".", function, count=1).replace("ǁ", ".").replace("..", ".")


def is_change(line: str) -> bool:
    """Return whether a line of a diff is an added or removed line."""
    return line[:1] in {"-", "+"} and line[:3] not in {"---", "+++"}


def parse_survivors(text: str) -> dict[str, str]:
    """Parse survivors.txt: blocks of a function, its changed lines, and ``why: ...``.

    Without changed lines, the reason applies to all mutants of the function.
    """
    found = {}
    for block in text.split("\n\n"):
        lines = [line for line in block.splitlines() if not line.startswith("#")]
        if lines:
            what, _, why = "\n".join(lines).partition("\nwhy: ")
            found[what] = why
    return found


def main(module: str = "") -> int:
    """Print a summary, and the survivors without a reason, of one module or of all."""
    prefix = f"conv.{module}." if module else "conv."
    status = {mutant: what for mutant, what in results().items() if prefix in mutant}
    undecided = [mutant for mutant, what in status.items() if what == "not checked"]
    if undecided:
        raise SystemExit(f"{len(undecided)} mutants were not tested: run mutmut first")
    survived = [mutant for mutant, what in status.items() if what not in KILLED]
    known = parse_survivors(SURVIVORS.read_text(encoding="utf-8"))
    known = {what: why for what, why in known.items() if what.startswith(prefix)}
    unexplained, explained = {}, []
    for mutant in survived:
        what = describe(mutant)
        entry = next((k for k in known if applies_to(k, what)), None)
        if entry is None:
            unexplained[mutant] = what
        else:
            explained.append(entry)
    new = retest(unexplained)
    obsolete = sorted(set(known) - set(explained))
    surviving = len(explained) + len(new)
    share = 1 - surviving / len(status)
    print(*(f"{what}\nwhy: ?\n" for what in new), sep="\n")
    print(*(f"killed, or obsolete: {what}" for what in obsolete), sep="\n")
    print(dict(Counter(status.values())), f"{surviving} survived, killed: {share:.1%}")
    return bool(new or obsolete or share < MIN_KILLED)


def applies_to(known: str, change: str) -> bool:
    """Return whether an entry of survivors.txt applies to a change."""
    return known in (change, change.partition("\n")[0])


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
