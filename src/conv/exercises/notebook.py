"""What a notebook calls: check, hint, solution, progress."""

import difflib
import textwrap
from collections.abc import Callable, Mapping
from pathlib import Path

from IPython import get_ipython
from IPython.display import display

from conv.checks import check_is
from conv.exercises.exercise import Exercise, FunctionExercise
from conv.exercises.functions import judge_function
from conv.exercises.judging import Verdict, judge_value, not_yet
from conv.exercises.picture import draw_attempt, draw_progress
from conv.exercises.progress import Progress
from conv.exercises.sandbox import Sandbox
from conv.plotting import Figure

WIDTH = 79  # columns of what is printed


class Desk:
    """Where a learner hands answers in: all exercises, one sandbox, one record."""

    def __init__(self, exercises: Mapping[str, Exercise]) -> None:
        self.exercises = exercises
        self.sandbox = Sandbox()
        self.record = Progress()

    def exercise(self, number: str) -> Exercise:
        """Find an exercise by its number."""
        check_is("number", number, str)
        if number not in self.exercises:
            raise ValueError(
                f"number is {number!r}; expected an exercise's, such as '1.3'"
            )
        return self.exercises[number]

    def judge(self, number: str, *answer: object) -> Verdict:
        """Judge an answer, and show and keep nothing.

        Parameters
        ----------
        number : str
            The exercise's, such as "1.3".
        *answer : object
            A function or a value; for some exercises, a value and a letter.

        Returns
        -------
        Verdict
            Its text says what a learner is told; `right` whether the answer is.

        Raises
        ------
        ValueError
            If there is no such exercise. An answer never raises an error.
        """
        exercise = self.exercise(number)
        wanted = 2 if exercise.kind == "explain" else 1
        if len(answer) != wanted:
            says = f"The checker takes {wanted} of your answers; it got {len(answer)}."
            return not_yet(exercise, "not one answer", says)
        if isinstance(exercise, FunctionExercise):
            return judge_function(exercise, *answer, self.sandbox)
        return judge_value(exercise, *answer)

    def check(self, number: str, *answer: object) -> None:
        """Judge an answer, tell the learner, and count it."""
        verdict = self.judge(number, *answer)
        figure = self.picture(verdict)
        more = "" if figure is None else "\nBelow: the smallest that isn't."
        print(wrapped(f"{verdict}{more}"))
        if figure is not None:
            display(figure)
        if verdict.state != "not attempted yet":
            self.sandbox.warm_up()  # for the next one
            self.record.note(number, tries=1, right=verdict.right)

    def picture(self, verdict: Verdict) -> Figure | None:
        """Draw the smallest wrong case, if there is one, and a notebook to show it."""
        if verdict.attempt is None or get_ipython() is None:
            return None
        return draw_attempt(self.exercises[verdict.number], verdict.attempt)

    def hint(self, number: str) -> None:
        """Print the next of an exercise's three hints.

        Parameters
        ----------
        number : str
            The exercise's, such as "1.3".
        """
        hints = self.exercise(number).hints
        self.sandbox.warm_up()
        taken = self.record.note(number, hints=1)["hints"]
        if taken <= len(hints):
            text = f"{number}  hint {taken} of {len(hints)}\n{hints[taken - 1]}"
        else:
            text = (
                f'{number}  no hint is left. `solution("{number}")` shows one way; '
                "before you look, try the smallest case on paper."
            )
        print(wrapped(text))

    def solution(self, number: str) -> None:
        """Print one way to solve an exercise, if this copy of the course has it.

        Parameters
        ----------
        number : str
            The exercise's, such as "1.3".
        """
        self.exercise(number)
        source = find_solution(number)
        if source is None:
            print(f"{number}  this copy of the course has no solutions.")
            return
        self.record.note(number, solution=True)
        print(source)

    def progress(self) -> Figure:
        """Draw which exercises are solved, and which are begun."""
        return draw_progress(self.exercises, self.record.read())


class Checks:
    """One checker for each exercise, by name: ``check.corr1d(corr1d)``."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._numbers = {e.name: number for number, e in desk.exercises.items()}

    def __dir__(self) -> list[str]:
        """List all names, for completion."""
        return sorted(self._numbers)

    def __getattr__(self, name: str) -> Callable[..., None]:
        """Give the checker of this name."""
        if name not in self._numbers:
            near = difflib.get_close_matches(name, self._numbers)
            raise AttributeError(
                f"no exercise is called {name!r}" + (f"; {near[0]!r}?" if near else "")
            )

        def checker(*answer: object) -> None:
            self._desk.check(self._numbers[name], *answer)

        return checker


def wrapped(text: str) -> str:
    """Break long lines; those after the first are set in."""
    head, *others = text.split("\n")
    lines = textwrap.wrap(head, WIDTH, subsequent_indent="     ")
    for line in others:
        indent = dict.fromkeys(("initial_indent", "subsequent_indent"), "     ")
        lines += textwrap.wrap(line, WIDTH, break_long_words=False, **indent)
    return "\n".join(lines)


def find_solution(number: str) -> str | None:
    """Read a solution from ``solutions/``, beside the notebooks or beside ``src``.

    A chapter's file is cut by lines such as ``# %% 1.3``.
    """
    chapter = int(number.split(".")[0])
    for folder in [*Path.cwd().parents, Path(__file__).parents[3]]:
        for path in (folder / "solutions").glob(f"{chapter:02}_*.py"):
            return read_solutions(path).get(number)
    return None


def read_solutions(path: Path) -> dict[str, str]:
    """Read a chapter's solutions, by number."""
    _, *parts = path.read_text(encoding="utf-8").split("\n# %% ")
    numbered = [part.split("\n", 1) for part in parts]
    return {number.strip(): source.strip() for number, source in numbered}
