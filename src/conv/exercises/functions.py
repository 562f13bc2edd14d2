"""Judge a learner's function: run it elsewhere, compare it with an oracle."""

import dis
import inspect
import linecache
from collections.abc import Callable

import torch
from torch import Tensor

from conv.exercises.answers import Seen, agree, seen
from conv.exercises.exercise import FunctionExercise, Mistake, apply
from conv.exercises.judging import Verdict, not_yet, untouched
from conv.exercises.relations import RELATIONS, Attempt, Attempts
from conv.exercises.sandbox import Sandbox, Trouble
from conv.exercises.worker import Outcome


def judge_function(
    exercise: FunctionExercise, answer: object, sandbox: Sandbox
) -> Verdict:
    """Judge a function (or a layer): values first, then manners."""
    if answer is None or is_untouched(answer, exercise):
        return untouched(exercise)
    if not callable(answer):
        says = (
            f"The checker wants {exercise.wants}, and calls it; you gave "
            f"{seen(answer).kind}. Are there parentheses behind a function's name?"
        )
        return not_yet(exercise, "result instead of function", says)
    cases = exercise.cases()
    try:
        outcomes = sandbox.run(exercise.use, answer, cases)
    except Trouble as trouble:
        return not_yet(exercise, trouble.name, str(trouble))
    attempts = [
        Attempt(case, exercise.expected(*case), outcome)
        for case, outcome in zip(cases, outcomes, strict=True)
    ]
    if not all(attempt.right for attempt in attempts):
        return wrong_values(exercise, answer, attempts)
    return judge_manners(exercise, answer, attempts, sandbox)


def is_untouched(answer: object, exercise: FunctionExercise) -> bool:
    """Tell whether a function is still the stub that the notebook gives."""
    stubs = [lambda: None, exercise.broken or (lambda: None)]
    return inspect.isfunction(answer) and any(same_code(answer, s) for s in stubs)


def same_code(one: Callable, other: Callable) -> bool:
    """Compare what two functions read, compute and write, in order.

    How a call is prepared, and where jumps lead, depends on where a function stands:
    Python compiles a call of an imported module's function in two ways.
    """

    def steps(function: Callable) -> list[tuple]:
        return [
            (step.opname.replace("METHOD", "ATTR"), step.argval)
            for step in dis.get_instructions(function)
            if step.opname.startswith(("LOAD", "STORE", "BINARY", "COMPARE", "RETURN"))
        ]

    return steps(one) == steps(other)


def wrong_values(
    exercise: FunctionExercise, answer: Callable, attempts: Attempts
) -> Verdict:
    """Find the smallest wrong case, and the misconception that explains all cases."""
    smallest = min((a for a in attempts if not a.right), key=numbers_in)
    name, says = name_mistake(exercise, attempts)
    error = smallest.outcome.error
    if error:
        for part, known, what in ERRORS:
            if not name and part in error:
                name, says = known, what
        says = f"{says}\n{where(answer, smallest.outcome.line)}{error}".strip()
        name = name or "error raised"
    elif not name:
        says = describe(smallest)
    rights = sum(attempt.right for attempt in attempts)
    says += f"\n{rights} of {len(attempts)} cases are right."
    return not_yet(exercise, name, says, smallest)


def numbers_in(attempt: Attempt) -> int:
    """Count the numbers that a case gives an answer to use."""
    return sum(part.numel() for part in attempt.case if isinstance(part, Tensor))


def name_mistake(exercise: FunctionExercise, attempts: Attempts) -> tuple[str, str]:
    """Name the first misconception that explains what came in every case."""
    changed = next((a for a in attempts if a.outcome.changed), None)
    for mistake in exercise.mistakes:
        if mimics(mistake, attempts):
            return mistake.name, mistake.says
    if changed is not None:
        return CHANGED
    for name, says, holds in RELATIONS:
        if holds(attempts):
            return name, says
    return "", ""


def mimics(mistake: Mistake, attempts: Attempts) -> bool:
    """Tell whether a known wrong function does what the learner's does.

    It must give the same in every case in which the learner's gives anything, and be
    wrong in two of them; or, if it fails with an error in some, in just these.
    """
    pairs = [(attempt, imitate(mistake, attempt.case)) for attempt in attempts]
    gave = [(attempt, made) for attempt, made in pairs if attempt.outcome.result]
    if any(
        made is None or not agree(attempt.outcome.result, made)
        for attempt, made in gave
    ):
        return False
    fails_alike = all(
        (made is None) == (attempt.outcome.result is None) for attempt, made in pairs
    )
    wrong = sum(not attempt.right for attempt, _ in gave)
    return wrong >= 2 or (fails_alike and 0 < len(gave) < len(pairs))


def imitate(mistake: Mistake, case: tuple) -> object | None:
    """Give what a known wrong function gives, or None where it fails."""
    try:
        return mistake.answer(*case)
    except (RuntimeError, IndexError, ValueError):
        return None


def judge_manners(
    exercise: FunctionExercise, answer: Callable, attempts: Attempts, sandbox: Sandbox
) -> Verdict:
    """Ask more of a function whose numbers are right."""
    results = [attempt.outcome.result for attempt in attempts]
    if any(attempt.outcome.changed for attempt in attempts):
        return not_yet(exercise, *CHANGED)
    if "dtype" in exercise.keeps and any(r.dtype != "float64" for r in results):
        return not_yet(exercise, *dtype_lost(results[0]))
    case = attempts[-1].case
    manners = {"gradient": (differentiate, CUT_OFF), "device": (on_meta, WRONG_DEVICE)}
    for manner, (use, complaint) in manners.items():
        if manner in exercise.keeps:
            try:
                [outcome] = sandbox.run(use(exercise.use), answer, [case])
            except Trouble as trouble:
                return not_yet(exercise, trouble.name, str(trouble))
            if breaks(manner, outcome, exercise, case):
                return not_yet(exercise, *complaint)
    return Verdict(exercise.number, "right")


def on_meta(use: Callable) -> Callable:
    """Use an answer with tensors on the device that holds no numbers."""

    def used(answer: Callable, *case: object) -> object:
        moved = [x.to("meta") if isinstance(x, Tensor) else x for x in case]
        return use(answer, *moved)

    return used


def differentiate(use: Callable) -> Callable:
    """Use an answer with tensors that ask for a gradient; give the gradient."""

    def used(answer: Callable, *case: object) -> Tensor:
        leaves = [x.clone().requires_grad_() if is_real(x) else x for x in case]
        wanted = [leaf for leaf in leaves if is_real(leaf)]
        total = use(answer, *leaves).sum()
        return torch.cat([g.flatten() for g in torch.autograd.grad(total, wanted)])

    return used


def is_real(part: object) -> bool:
    """Tell whether an argument can have a gradient."""
    return isinstance(part, Tensor) and part.is_floating_point()


def breaks(
    manner: str, outcome: Outcome, exercise: FunctionExercise, case: tuple
) -> bool:
    """Tell whether a function lost the device or the gradient on the way.

    A function that asks a number's value can't run on the meta device, which has
    none; then nothing is said about its device.
    """
    if manner == "gradient":
        oracle = differentiate(apply)(exercise.expected, *case)
        return outcome.result is None or not agree(outcome.result, oracle)
    if outcome.result is None:
        return "out of meta tensor" in outcome.error or "device" in outcome.error
    return outcome.result.device != "meta"


def where(answer: Callable, line: int | None) -> str:
    """Quote the line of the learner's function that raised an error."""
    if line is None:
        return "It raised "
    first = inspect.unwrap(answer).__code__
    text = linecache.getline(first.co_filename, first.co_firstlineno + line - 1)
    quoted = f" (`{text.strip()}`)" if text.strip() else ""
    return f"Line {line}{quoted} raised "


def describe(attempt: Attempt) -> str:
    """Say what is wrong with a result of which no misconception is known."""
    result, want = attempt.outcome.result, attempt.want
    if result.numbers is None:
        return f"Your function gives {result.kind}. Real numbers were expected."
    if result.numbers.shape != want.shape:
        return f"Your shape is {result.numbers.shape}, expected was {want.shape}."
    return "The shape is right, the numbers aren't. Work the case below by hand."


def dtype_lost(result: Seen) -> tuple[str, str]:
    """Say that a result isn't as exact as the picture."""
    if not result.dtype:
        return (
            "list instead of tensor",
            f"The numbers are right, but you give {result.kind}. The next layer "
            "expects a tensor.",
        )
    found = result.dtype
    return (
        "dtype not kept",
        f"The numbers are right, but the picture is a float64 tensor and your result "
        f"is {found}. Make new tensors like old ones: `X.new_zeros(...)`, or "
        f"`torch.zeros(..., dtype=X.dtype, device=X.device)`.",
    )


# What an error's text has, the misconception's name, what the learner is told.
ERRORS = [
    (
        "RecursionError",
        "endless recursion",
        "Your function calls itself, and never without doing so.",
    ),
    (
        "allocate memory",
        "out of memory",
        "Your function asked for more memory than there is. Look at the sizes.",
    ),
    (
        "positional argument",
        "wrong arguments",
        "The checker calls your function with the arguments that the stub had.",
    ),
    (
        "MemoryError",
        "too much at once",
        "The machine of this exercise is small.",
    ),
    (
        "is not defined",
        "unknown name",
        "Your function uses a name that nobody has defined.",
    ),
]

CHANGED = (
    "argument changed",
    "Your function changes what it is given. Whoever called it still needs that: work "
    "on a copy, or make something new.",
)
WRONG_DEVICE = (
    "device not kept",
    "Right on the CPU. But given a picture on another device, your function makes a "
    "tensor on the CPU, or moves one there. Make new tensors where the old ones are: "
    "`X.new_zeros(...)`, or `torch.zeros(..., dtype=X.dtype, device=X.device)`.",
)
CUT_OFF = (
    "cut off from autograd",
    "Right numbers, but no gradient gets through to every argument. `.item()`, "
    "`.tolist()`, `.detach()`, `.data` and `torch.tensor(...)` cut the graph.",
)
