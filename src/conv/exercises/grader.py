"""The functions that a notebook calls: check, hint, solution, progress."""

import contextlib
import difflib
import textwrap
import warnings
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import torch
from IPython import get_ipython
from IPython.display import display

from conv.exercises.exercise import Exercise, FunctionExercise
from conv.exercises.figures import draw_case, draw_progress
from conv.exercises.functions import judge_function
from conv.exercises.judging import Verdict, judge_value, wrong
from conv.exercises.progress import Progress
from conv.exercises.sandbox import Sandbox
from conv.plotting import Figure
from conv.validation import describe

WIDTH = 79  # columns of the printed text


@contextlib.contextmanager
def neutral_settings() -> Iterator[None]:
    """Judge with PyTorch's defaults, and leave the notebook's settings as they are."""
    dtype, deterministic = (
        torch.get_default_dtype(),
        torch.get_deterministic_debug_mode(),
    )
    with (
        warnings.catch_warnings(action="ignore"),
        torch.random.fork_rng(devices=[]),
        torch.inference_mode(mode=False),
        torch.enable_grad(),
        torch.device("cpu"),
    ):
        torch.set_default_dtype(torch.float32)
        torch.set_deterministic_debug_mode("default")
        try:
            yield
        finally:
            torch.set_default_dtype(dtype)
            torch.set_deterministic_debug_mode(deterministic)


class Grader:
    """Judges answers, gives hints, and records the learner's progress."""

    def __init__(self, exercises: Mapping[str, Exercise]) -> None:
        self.exercises = exercises
        self.sandbox = Sandbox()
        self.record = Progress()

    def exercise(self, number: str) -> Exercise:
        """Return the exercise with this number."""
        if not isinstance(number, str) or number not in self.exercises:
            wanted = "the number of an exercise, such as '1.3'"
            raise ValueError(f"number is {describe(number)}; expected {wanted}")
        return self.exercises[number]

    @neutral_settings()
    def judge(self, number: str, *answer: object) -> Verdict:
        """Judge an answer without printing or recording anything.

        Parameters
        ----------
        number : str
            The number of the exercise, such as "1.3".
        *answer : object
            A function or a value; for some exercises, a value and a letter.

        Returns
        -------
        Verdict
            Its `right` is True or False; its text is what `check` prints.

        Raises
        ------
        ValueError
            If there is no such exercise. An answer never raises an error.
        """
        exercise = self.exercise(number)
        expected = 2 if exercise.kind == "explain" else 1
        if len(answer) != expected:
            plural = "s" if expected > 1 else ""
            message = f"This exercise takes {expected} answer{plural}, but you gave "
            message += f"{len(answer)}."
            if exercise.kind == "explain":
                message += " Pass your measurement and the letter of the reason."
            elif answer:
                message += " Put several numbers into one tuple."
            return wrong(exercise, "wrong number of answers", message)
        if isinstance(exercise, FunctionExercise):
            return judge_function(exercise, *answer, self.sandbox)
        return judge_value(exercise, *answer)

    def check(self, number: str, *answer: object) -> None:
        """Judge an answer, print the verdict, and record the attempt."""
        verdict = self.judge(number, *answer)
        figure = self.draw(verdict)
        caption = "" if figure is None else "\nThe smallest failing test case:"
        print(wrap(f"{verdict}{caption}"))
        if figure is not None:
            display(figure)
        self.sandbox.warm_up()  # for the next answer
        if verdict.state != "not attempted yet":
            self.record.update(number, tries=1, right=verdict.right)

    @neutral_settings()
    def draw(self, verdict: Verdict) -> Figure | None:
        """Draw the smallest failing case, if there is one and a notebook shows it."""
        if verdict.case_result is None or get_ipython() is None:
            return None
        return draw_case(self.exercises[verdict.number], verdict.case_result)

    def hint(self, number: str) -> None:
        """Print the next of an exercise's three hints.

        Parameters
        ----------
        number : str
            The number of the exercise, such as "1.3".
        """
        hints = self.exercise(number).hints
        self.sandbox.warm_up()
        count = self.record.update(number, hints=1)["hints"]
        if count <= len(hints):
            text = f"{number}  hint {count} of {len(hints)}\n{hints[count - 1]}"
        else:
            text = (
                f"{number}  there are no more hints. Before you look at a solution "
                f'with `solution("{number}")`, work through the smallest case on paper.'
            )
        print(wrap(text))

    def solution(self, number: str) -> None:
        """Print one way to solve an exercise, if this copy of the course has it.

        Parameters
        ----------
        number : str
            The number of the exercise, such as "1.3".
        """
        self.exercise(number)
        source = find_solution(number)
        if source is None:
            print(f"{number}  this copy of the course doesn't include the solutions.")
            return
        self.record.update(number, solution=True)
        print(source)

    def progress(self) -> Figure:
        """Draw which exercises are solved and which were attempted."""
        return draw_progress(self.exercises, self.record.read())


class Checks:
    """One checker per exercise, by name: ``check.corr1d(corr1d)``."""

    def __init__(self, grader: Grader) -> None:
        self._grader = grader
        self._numbers = {e.name: number for number, e in grader.exercises.items()}

    def __dir__(self) -> list[str]:
        """List all names, for completion."""
        return sorted(self._numbers)

    def __getattr__(self, name: str) -> Callable[..., None]:
        """Return the checker with this name."""
        numbers = vars(self).get("_numbers", {})  # missing while copied or unpickled
        if name not in numbers:
            near = difflib.get_close_matches(name, numbers)
            suggestion = f"; did you mean {near[0]!r}?" if near else ""
            raise AttributeError(f"no exercise is called {name!r}{suggestion}")

        def checker(*answer: object) -> None:
            self._grader.check(numbers[name], *answer)

        return checker


def wrap(text: str) -> str:
    """Wrap long lines, and indent all lines after the first."""
    head, *others = text.split("\n")
    lines = textwrap.wrap(head, WIDTH, subsequent_indent="     ")
    for line in others:
        indent = dict.fromkeys(("initial_indent", "subsequent_indent"), "     ")
        lines += textwrap.wrap(line, WIDTH, break_long_words=False, **indent)
    return "\n".join(lines)


def find_solution(number: str) -> str | None:
    """Read a solution from this copy of the course."""
    chapter = int(number.split(".")[0])
    for folder in solution_folders():
        for path in folder.glob(f"{chapter:02}_*.py"):
            return read_solutions(path).get(number)
    return None


def solution_folders() -> list[Path]:
    """List where solutions may be.

    They are beside the ``notebooks`` folder that contains the working directory, or
    beside ``src`` if the package is installed from there.
    """
    here, source = Path.cwd(), Path(__file__).parents[2]
    notebooks = [
        folder for folder in (here, *here.parents) if folder.name == "notebooks"
    ]
    beside = notebooks[:1] + ([source] if source.name == "src" else [])
    return [folder.with_name("solutions") for folder in beside]


def read_solutions(path: Path) -> dict[str, str]:
    """Read a chapter's solutions, by number; lines such as ``# %% 1.3`` divide them."""
    _, *parts = path.read_text(encoding="utf-8").split("\n# %% ")
    numbered = [part.split("\n", 1) for part in parts]
    return {number.strip(): source.strip() for number, source in numbered}
