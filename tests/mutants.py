"""Count the mutants of conv that no test noticed: the second half of ``make mutants``.

mutmut changes one operator, constant or argument of ``src/conv`` at a time and runs
the tests that reach it, in a process that imported conv unchanged. It leaves what came
of each change in ``mutants/``. So what a module computes while it is imported, or in
another process, is not tried there. Survivors are looked up in
``tests/survivors.txt``, which gives the reason why they may live. Those that are not
in it meet the tests once more, in a new process. At least 95 of 100 mutants must be
dead.
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
AGAIN = MUTANTS / "again.json"
LIST = ROOT / "tests" / "survivors.txt"
LEAST = 0.95
DEAD = {"killed", "timeout", "segfault", "caught by type check"}
CONFIG = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["mutmut"]
PYTEST = ["-m", "pytest", "-x", "-q", "-p", "no:cacheprovider"]
PYTEST += CONFIG["pytest_add_cli_args"]
ALL = CONFIG["pytest_add_cli_args_test_selection"]
LIMIT = 300  # seconds: an endless loop is a death, too


def fates() -> dict[str, str]:
    """Read what came of each mutant."""
    command = [sys.executable, "-m", "mutmut", "results", "--all", "true"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    lines = [line.strip() for line in done.stdout.splitlines()]
    return dict(line.rsplit(": ", 1) for line in lines if "__mutmut_" in line)


@cache
def seen() -> dict:
    """Read which tests mutmut saw reach which function."""
    return json.loads((MUTANTS / "mutmut-stats.json").read_text(encoding="utf-8"))


def tests_for(mutant: str) -> list[str]:
    """List the tests that notice what a module does at its import, or elsewhere.

    Nothing that mutmut ran in vain is run again if it takes long: the checkers are
    reached by nearly all tests of exercises.
    """
    function = mutant.rpartition("__mutmut_")[0]
    module = function.rpartition(".")[0].removeprefix("conv.")
    if chapter := re.search(r"chapter_(\d+)", module):
        mark = f"[{int(chapter[1])}."
        return [test for test in seen()["duration_by_test"] if mark in test]
    if module in ("exercises.sandbox", "exercises.worker"):
        return ["tests/test_sandbox.py"]
    if module in ("exercises.code", "exercises.errors", "exercises.wording"):
        return ["tests/test_rules.py"]
    if module.startswith("exercises"):
        names = "exercises", "grader", "rules"
        return [f"tests/test_{name}.py" for name in names]
    tests = seen()["tests_by_mangled_function_name"].get(function, [])
    return [*tests, *(file for file in ALL if file == f"tests/test_{module}.py")]


def dies(mutant: str, tests: list[str]) -> bool:
    """Run tests of a mutant in a new process; tell whether one of them fails."""
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
        raise SystemExit(f"pytest broke on {mutant}:\n{done.stdout}\n{done.stderr}")
    return done.returncode != 0


def try_again(changes: dict[str, str]) -> list[str]:
    """Give the changes that no test notices; keep which died if this is stopped."""
    dead = json.loads(AGAIN.read_text(encoding="utf-8")) if AGAIN.exists() else []
    if dies("none", ALL):
        raise SystemExit("the tests fail without a mutant, too")
    left = {mutant: what for mutant, what in changes.items() if what not in dead}
    alive = []
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        died = pool.map(lambda mutant: dies(mutant, tests_for(mutant)), left)
        for what, is_dead in zip(left.values(), died, strict=True):
            (dead if is_dead else alive).append(what)
            atomic_write(AGAIN, json.dumps(dead, indent=1).encode())
    return alive


def change(mutant: str) -> str:
    """Say what a mutant is: its function, the line that went and the one that came."""
    function = mutant.rpartition("__mutmut_")[0]
    lines = get_diff_for_mutant(mutant).splitlines()
    changed = [f"{line[0]} {line[1:].strip()}" for line in lines if is_change(line)]
    return "\n".join([plain(function), *changed])


def plain(function: str) -> str:
    """Undo what mutmut makes of a function's name."""
    return re.sub(r"\.x_?", ".", function, count=1).replace("ǁ", ".").replace("..", ".")


def is_change(line: str) -> bool:
    """Tell the lines of a diff that differ from its head and its context."""
    return line[:1] in {"-", "+"} and line[:3] not in {"---", "+++"}


def reasons(text: str) -> dict[str, str]:
    """Read the list: blocks of a function, its changed lines, and ``why: ...``.

    Without changed lines, the reason holds for all mutants of the function.
    """
    found = {}
    for block in text.split("\n\n"):
        lines = [line for line in block.splitlines() if not line.startswith("#")]
        if lines:
            what, _, why = "\n".join(lines).partition("\nwhy: ")
            found[what] = why
    return found


def main(module: str = "") -> int:
    """Print the count and each survivor without a reason, of one module or of all."""
    prefix = f"conv.{module}." if module else "conv."
    fate = {mutant: what for mutant, what in fates().items() if prefix in mutant}
    undecided = [mutant for mutant, what in fate.items() if what == "not checked"]
    if undecided:
        raise SystemExit(f"{len(undecided)} mutants were not tried: run mutmut first")
    first = [mutant for mutant, what in fate.items() if what not in DEAD]
    known = reasons(LIST.read_text(encoding="utf-8"))
    known = {what: why for what, why in known.items() if what.startswith(prefix)}
    unknown, excused = {}, []
    for mutant in first:
        what = change(mutant)
        by = next((k for k in known if covers(k, what)), None)
        if by is None:
            unknown[mutant] = what
        else:
            excused.append(by)
    new = try_again(unknown)
    gone = sorted(set(known) - set(excused))
    live = len(excused) + len(new)
    share = 1 - live / len(fate)
    print(*(f"{what}\nwhy: ?\n" for what in new), sep="\n")
    print(*(f"dead, or no more: {what}" for what in gone), sep="\n")
    print(dict(Counter(fate.values())), f"{live} live, killed: {share:.1%}")
    return bool(new or gone or share < LEAST)


def covers(known: str, change: str) -> bool:
    """Tell whether a listed reason is that of a change."""
    return known in (change, change.partition("\n")[0])


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
