"""What a learner has tried and solved, kept in a small local file."""

import json
import os
import sys
from pathlib import Path

from filelock import FileLock
from platformdirs import user_data_path

from conv.runtime import write_whole

OFF = "off"
SHAPE = {"tries": int, "right": bool, "hints": int, "solution": bool}
EMPTY = {"tries": 0, "right": False, "hints": 0, "solution": False}


class Progress:
    """Counts by exercise: tries, hints taken, whether solved, whether shown.

    The environment variable ``CONV_PROGRESS`` names the file; ``off`` keeps nothing
    beyond this session. Without it, the file is in the user's data folder.
    """

    def __init__(self) -> None:
        self.session: dict[str, dict] = {}
        self.unwritten: dict[str, dict] = {}  # until there is room again

    @property
    def path(self) -> Path | None:
        """Where the counts are kept, or None if they aren't."""
        asked = os.environ.get("CONV_PROGRESS")
        if asked == OFF:
            return None
        return Path(asked) if asked else user_data_path("conv") / "progress.json"

    def read(self) -> dict[str, dict]:
        """Give all counts, as far as the file can be read."""
        if self.path is None:
            return self.session
        try:
            counts = self.load(self.path)
        except OSError as error:
            print(f"Your progress can't be read: {error}", file=sys.stderr)
            counts = {}
        return merged(counts, self.unwritten)

    def load(self, path: Path) -> dict[str, dict]:
        """Read the file; set a broken one aside."""
        try:
            return checked(json.loads(path.read_text(encoding="utf-8")))
        except FileNotFoundError:
            return {}
        except (ValueError, KeyError, TypeError, AttributeError):
            aside = free_name(path)
            path.rename(aside)
            print(
                f"{path.name} was broken; it is kept as {aside.name}", file=sys.stderr
            )
            return {}

    def note(self, number: str, **changes: object) -> dict:
        """Add to an exercise's counts, and give them.

        Parameters
        ----------
        number : str
            The exercise's.
        **changes
            ``tries=1`` and ``hints=1`` are added; ``right=True`` and
            ``solution=True`` stay.
        """
        path = self.path
        if path is None:
            return add(self.session, number, changes)
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            with FileLock(path.with_suffix(".lock"), timeout=2):
                counts = merged(self.load(path), self.unwritten)
                row = add(counts, number, changes)
                text = json.dumps({"version": 1, "exercises": counts}, indent=1)
                write_whole(path, text.encode())
        except OSError as error:  # a lock that isn't given up is one, too
            print(
                f"Your progress could not be kept: {error}. It is tried again with "
                f"your next answer; CONV_PROGRESS can name another file.",
                file=sys.stderr,
            )
            return add(self.unwritten, number, changes)
        self.unwritten.clear()
        return row


def add(counts: dict[str, dict], number: str, changes: dict) -> dict:
    """Change one exercise's counts in place."""
    row = counts.setdefault(number, dict(EMPTY))
    for key, value in changes.items():
        row[key] = row[key] or value if isinstance(value, bool) else row[key] + value
    return row


def merged(counts: dict[str, dict], others: dict[str, dict]) -> dict[str, dict]:
    """Add counts to counts, which change in place."""
    for number, row in others.items():
        add(counts, number, row)
    return counts


def checked(content: dict) -> dict[str, dict]:
    """Check a file's content; a wrong one raises an error of some kind."""
    if content["version"] != 1:
        raise ValueError("another version")
    for number, row in content["exercises"].items():
        if set(row) != set(SHAPE) or any(
            type(row[key]) is not kind for key, kind in SHAPE.items()
        ):
            raise ValueError(f"exercise {number}")
    return content["exercises"]


def free_name(path: Path) -> Path:
    """Find a name beside a file that no other file has."""
    number = 1
    while (aside := path.with_name(f"{path.stem}.broken-{number}.json")).exists():
        number += 1
    return aside
