"""Record what a learner has attempted and solved in a local file."""

import json
import os
import sys
from pathlib import Path

from filelock import FileLock
from platformdirs import user_data_path

from conv.runtime import atomic_write

OFF = "off"
FIELD_TYPES = {"tries": int, "right": bool, "hints": int, "solution": bool}
NO_ATTEMPT = {"tries": 0, "right": False, "hints": 0, "solution": False}


class Progress:
    """The record of tries, hints, solved exercises and shown solutions.

    The environment variable ``CONV_PROGRESS`` sets the path of the file. If it is
    ``off``, the record is lost at the end of the session. If it isn't set, the file is
    in the user's data folder.
    """

    def __init__(self) -> None:
        self.session: dict[str, dict] = {}
        self.pending: dict[str, dict] = {}  # counts that couldn't be written yet

    @property
    def path(self) -> Path | None:
        """The path of the file, or None if nothing is recorded."""
        value = os.environ.get("CONV_PROGRESS")
        if value == OFF:
            return None
        return Path(value) if value else user_data_path("conv") / "progress.json"

    def read(self) -> dict[str, dict]:
        """Return all counts, including those that couldn't be written yet."""
        if self.path is None:
            return self.session
        try:
            counts = self.load(self.path)
        except OSError as error:
            print(f"Your progress can't be read: {error}", file=sys.stderr)
            counts = {}
        return merge(counts, self.pending)

    def load(self, path: Path) -> dict[str, dict]:
        """Read the file; rename it if its content is invalid."""
        try:
            return validate(json.loads(path.read_text(encoding="utf-8")))
        except FileNotFoundError:
            return {}
        except (ValueError, KeyError, TypeError, AttributeError):
            backup = unused_path(path)
            path.rename(backup)
            print(
                f"The progress file {path.name} was invalid, so it was renamed to "
                f"{backup.name}. Your progress is recorded in a new file.",
                file=sys.stderr,
            )
            return {}

    def update(self, number: str, **changes: object) -> dict:
        """Update an exercise's counts and write the file.

        Parameters
        ----------
        number : str
            The number of the exercise.
        **changes
            ``tries=1`` and ``hints=1`` are added to the counts; ``right=True`` and
            ``solution=True`` are never reset to False.

        Returns
        -------
        dict
            The exercise's counts.
        """
        path = self.path
        if path is None:
            return update_row(self.session, number, changes)
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            with FileLock(path.with_suffix(".lock"), timeout=2):
                counts = merge(self.load(path), self.pending)
                row = update_row(counts, number, changes)
                text = json.dumps({"version": 1, "exercises": counts}, indent=1)
                atomic_write(path, text.encode())
        except OSError as error:  # including a lock that another process holds
            print(
                f"Your progress could not be saved: {error}. The checker will try "
                "again after your next answer. To save your progress in another file, "
                "set the environment variable CONV_PROGRESS to its path.",
                file=sys.stderr,
            )
            return update_row(self.pending, number, changes)
        self.pending.clear()
        return row


def update_row(counts: dict[str, dict], number: str, changes: dict) -> dict:
    """Update one exercise's counts in place."""
    row = counts.setdefault(number, dict(NO_ATTEMPT))
    for key, value in changes.items():
        row[key] = row[key] or value if isinstance(value, bool) else row[key] + value
    return row


def merge(counts: dict[str, dict], others: dict[str, dict]) -> dict[str, dict]:
    """Add other counts to these, in place."""
    for number, row in others.items():
        update_row(counts, number, row)
    return counts


def validate(content: dict) -> dict[str, dict]:
    """Return the counts in a file's content; raise an error if it is invalid."""
    if content["version"] != 1:
        raise ValueError("unknown version")
    for number, row in content["exercises"].items():
        if set(row) != set(FIELD_TYPES) or any(
            type(row[key]) is not kind for key, kind in FIELD_TYPES.items()
        ):
            raise ValueError(f"invalid counts for exercise {number}")
    return content["exercises"]


def unused_path(path: Path) -> Path:
    """Return a path beside a file that doesn't exist yet."""
    number = 1
    while (backup := path.with_name(f"{path.stem}.broken-{number}.json")).exists():
        number += 1
    return backup
