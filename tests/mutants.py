"""Count the mutants of conv that no test noticed: the second half of ``make mutants``.

mutmut changes one operator, constant or argument of ``src/conv`` at a time and runs
the tests that reach it. It leaves what came of each change in ``mutants/``. Here each
survivor is looked up in ``tests/survivors.txt``, which gives the reason why it may
live; at least 95 of 100 mutants must be dead.
"""

import subprocess
import sys
from collections import Counter
from pathlib import Path

LIST = Path(__file__).parent / "survivors.txt"
LEAST = 0.95
DEAD = {"killed", "timeout", "segfault", "caught by type check"}


def mutmut(*arguments: str) -> str:
    """Run mutmut and return what it prints."""
    command = [sys.executable, "-m", "mutmut", *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


def fates() -> dict[str, str]:
    """Read what came of each mutant."""
    lines = [line.strip() for line in mutmut("results", "--all", "true").splitlines()]
    return dict(line.rsplit(": ", 1) for line in lines if "__mutmut_" in line)


def change(mutant: str) -> str:
    """Say what a mutant is: its function, the line that went and the one that came."""
    function = mutant.rpartition("__mutmut_")[0]
    lines = mutmut("show", mutant).splitlines()
    changed = [f"{line[0]} {line[1:].strip()}" for line in lines if is_change(line)]
    return "\n".join([function.replace("x_", "").replace("ǁ", "."), *changed])


def is_change(line: str) -> bool:
    """Tell the lines of a diff that differ from its head and its context."""
    return line[:1] in {"-", "+"} and line[:3] not in {"---", "+++"}


def reasons(text: str) -> dict[str, str]:
    """Read the list: blocks of a function, its changed lines, and ``why: ...``."""
    found = {}
    for block in text.split("\n\n"):
        lines = [line for line in block.splitlines() if not line.startswith("#")]
        if lines:
            what, _, why = "\n".join(lines).partition("\nwhy: ")
            found[what] = why
    return found


def main() -> int:
    """Print the count and each survivor without a reason."""
    fate = fates()
    alive = [mutant for mutant, what in fate.items() if what not in DEAD]
    known = reasons(LIST.read_text(encoding="utf-8"))
    changes = [change(mutant) for mutant in alive]
    new = [what for what in changes if not known.get(what)]
    gone = sorted(set(known) - set(changes))
    share = 1 - len(alive) / len(fate)
    print(*(f"{what}\nwhy: ?\n" for what in new), sep="\n")
    print(*(f"dead, or no more: {what}" for what in gone), sep="\n")
    print(dict(Counter(fate.values())), f"killed: {share:.1%}")
    return bool(new or gone or share < LEAST)


if __name__ == "__main__":
    sys.exit(main())
