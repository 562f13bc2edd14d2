"""Judge an answer that is a function: run it in the sandbox and check its results."""

import dis
import inspect
import linecache
from collections.abc import Callable

import torch
from torch import Tensor

from conv.exercises.case_result import CaseResult
from conv.exercises.exercise import FunctionExercise, apply
from conv.exercises.generic_mistakes import GENERIC_MISTAKES, Results
from conv.exercises.judging import Verdict, not_attempted, wrong
from conv.exercises.sandbox import Sandbox, SandboxError
from conv.exercises.summary import Summary, as_float64, matches, summarize
from conv.exercises.worker import Outcome


def judge_function(
    exercise: FunctionExercise, answer: object, sandbox: Sandbox
) -> Verdict:
    """Judge a function or a layer: first its results, then its invariants."""
    if answer is None or is_stub(answer, exercise):
        return not_attempted(exercise)
    if not callable(answer):
        message = (
            f"The checker calls your answer, so it needs "
            f"{exercise.answer_description}; you gave {summarize(answer).kind}. Are "
            f"there parentheses after the function's name?"
        )
        return wrong(exercise, "result instead of function", message)
    cases = exercise.cases()
    try:
        outcomes = sandbox.run(exercise.use, answer, cases)
    except SandboxError as error:
        return wrong(exercise, error.name, str(error))
    results = [
        CaseResult(case, as_float64(exercise.expected(*case)), outcome)
        for case, outcome in zip(cases, outcomes, strict=True)
    ]
    if not all(result.right for result in results):
        return judge_wrong_results(exercise, answer, results)
    return check_invariants(exercise, answer, results, sandbox)


def is_stub(answer: object, exercise: FunctionExercise) -> bool:
    """Return whether a function is still the one that the notebook contains."""
    stubs = [lambda: None, exercise.broken or (lambda: None)]
    return inspect.isfunction(answer) and any(same_code(answer, s) for s in stubs)


def same_code(one: Callable, other: Callable) -> bool:
    """Compare what two functions load, compute and store, in order.

    Other instructions are ignored, because jump targets and the preparation of calls
    depend on where a function is defined: Python compiles a call to a function of an
    imported module in two ways.
    """

    def steps(function: Callable) -> list[tuple]:
        return [
            (step.opname.replace("METHOD", "ATTR"), step.argval)
            for step in dis.get_instructions(function)
            if step.opname.startswith(("LOAD", "STORE", "BINARY", "COMPARE", "RETURN"))
        ]

    return steps(one) == steps(other)


def judge_wrong_results(
    exercise: FunctionExercise, answer: Callable, results: Results
) -> Verdict:
    """Find the smallest wrong case and the misconception that explains all cases."""
    smallest = min((r for r in results if not r.right), key=input_size)
    name, message = find_mistake(exercise, results)
    error = smallest.outcome.error
    if error:
        for part, known, explanation in ERRORS:
            if not name and part in error:
                name, message = known, explanation
        raised = f"{raised_at(answer, smallest.outcome.line)}{error}"
        message = f"{message}\n{raised}".strip()
        name = name or "error raised"
    elif not name:
        message = describe(smallest)
    count = sum(result.right for result in results)
    message += f"\n{count} of {len(results)} cases are right."
    return wrong(exercise, name, message, smallest)


def input_size(result: CaseResult) -> int:
    """Count the elements of a case's tensors."""
    return sum(part.numel() for part in result.case if isinstance(part, Tensor))


def find_mistake(exercise: FunctionExercise, results: Results) -> tuple[str, str]:
    """Find the first misconception that explains all results: its name and message."""
    for mistake in exercise.mistakes:
        if any(reproduces(function, results) for function in mistake.answers):
            return mistake.name, mistake.message
    if any(result.outcome.changed for result in results):
        return ARGUMENT_CHANGED
    for name, message, holds in GENERIC_MISTAKES:
        if holds(results):
            return name, message
    return "", ""


def reproduces(function: Callable, results: Results) -> bool:
    """Return whether a known wrong function gives the learner's results.

    It must return the same in every case in which the learner's function returns
    something, and at least two of these results must be wrong. Alternatively, both
    functions must fail with an error in the same cases.
    """
    pairs = [(result, call_wrong(function, result.case)) for result in results]
    returned = [(result, value) for result, value in pairs if result.outcome.returned]
    if any(
        value is None or not matches(result.outcome.returned, value)
        for result, value in returned
    ):
        return False
    same_failures = all(
        (value is None) == (result.outcome.returned is None) for result, value in pairs
    )
    wrong_count = sum(not result.right for result, _ in returned)
    return wrong_count >= 2 or (same_failures and 0 < len(returned) < len(pairs))


def call_wrong(function: Callable, case: tuple) -> object | None:
    """Call a known wrong function; return None if it raises an error."""
    try:
        return function(*case)
    except (RuntimeError, IndexError, ValueError):
        return None


def check_invariants(
    exercise: FunctionExercise, answer: Callable, results: Results, sandbox: Sandbox
) -> Verdict:
    """Check arguments, dtype, gradient and device of a function with right results."""
    returned = [result.outcome.returned for result in results]
    if any(result.outcome.changed for result in results):
        return wrong(exercise, *ARGUMENT_CHANGED)
    if "dtype" in exercise.preserves and any(r.dtype != "float64" for r in returned):
        return wrong(exercise, *wrong_dtype(returned[0]))
    case = results[-1].case
    invariants = {
        "gradient": (differentiate, GRADIENT_LOST),
        "device": (on_meta, WRONG_DEVICE),
    }
    for invariant, (modify, mistake) in invariants.items():
        if invariant in exercise.preserves:
            try:
                [outcome] = sandbox.run(modify(exercise.use), answer, [case])
            except SandboxError as error:
                return wrong(exercise, error.name, str(error))
            if violates(invariant, outcome, exercise, case):
                return wrong(exercise, *mistake)
    return Verdict(exercise.number, "right")


def on_meta(use: Callable) -> Callable:
    """Call an answer with tensors on the meta device, which holds no data."""

    def used(answer: Callable, *case: object) -> object:
        moved = [x.to("meta") if isinstance(x, Tensor) else x for x in case]
        return use(answer, *moved)

    return used


def differentiate(use: Callable) -> Callable:
    """Call an answer with tensors that require gradients; return the gradient."""

    def used(answer: Callable, *case: object) -> Tensor:
        inputs = [
            x.clone().requires_grad_() if is_differentiable(x) else x for x in case
        ]
        leaves = [x for x in inputs if is_differentiable(x)]
        total = use(answer, *inputs).sum()
        return torch.cat([g.flatten() for g in torch.autograd.grad(total, leaves)])

    return used


def is_differentiable(part: object) -> bool:
    """Return whether an argument can have a gradient."""
    return isinstance(part, Tensor) and part.is_floating_point()


def violates(
    invariant: str, outcome: Outcome, exercise: FunctionExercise, case: tuple
) -> bool:
    """Return whether a function lost the device or the gradient.

    A function that reads the value of an element can't run on the meta device. Its
    device isn't judged.
    """
    if invariant == "gradient":
        expected = differentiate(apply)(exercise.expected, *case)
        return outcome.returned is None or not matches(outcome.returned, expected)
    if outcome.returned is None:
        return "out of meta tensor" in outcome.error or "device" in outcome.error
    return outcome.returned.device != "meta"


def raised_at(answer: Callable, line: int | None) -> str:
    """Quote the line of the learner's function that raised an error."""
    if line is None:
        return "It raised "
    first = inspect.unwrap(answer).__code__
    text = linecache.getline(first.co_filename, first.co_firstlineno + line - 1)
    if first.co_filename == "<string>":  # since Python 3.13, that of `python -c`
        text = ""
    quoted = f" (`{text.strip()}`)" if text.strip() else ""
    return f"Line {line}{quoted} raised "


def describe(result: CaseResult) -> str:
    """Describe a wrong result for which no misconception is known."""
    actual, expected = result.actual, result.expected
    if actual is None:
        kind = result.outcome.returned.kind
        return f"Your function returned {kind}; real numbers were expected."
    if actual.shape != expected.shape:
        return f"Your result has shape {actual.shape}; expected {expected.shape}."
    return "The shape is right, but the numbers aren't. Work the case below by hand."


def wrong_dtype(returned: Summary) -> tuple[str, str]:
    """Return the mistake of a result that isn't a float64 tensor."""
    if not returned.dtype:
        return (
            "list instead of tensor",
            f"The numbers are right, but your function returned {returned.kind}. The "
            "next layer expects a tensor.",
        )
    return (
        "dtype not kept",
        f"The numbers are right, but the input is a float64 tensor and your result is "
        f"{returned.dtype}. Create tensors with the input's dtype: "
        f"`X.new_zeros(...)` or `torch.zeros(..., dtype=X.dtype, device=X.device)`.",
    )


# Part of the error's text, name of the misconception, message.
ERRORS = [
    (
        "RecursionError",
        "infinite recursion",
        "Your function always calls itself, so the recursion never ends.",
    ),
    (
        "allocate memory",
        "out of memory",
        "Your function asked for more memory than there is. Check the sizes.",
    ),
    (
        "positional argument",
        "wrong arguments",
        "The checker calls your function with the arguments of the stub.",
    ),
    (
        "MemoryError",
        "too much at once",
        "The machine in this exercise is small.",
    ),
    (
        "is not defined",
        "unknown name",
        "Your function uses a name that isn't defined.",
    ),
]

ARGUMENT_CHANGED = (
    "argument changed",
    "Your function changes its argument, which the caller may still need. Work on a "
    "copy, or create a new tensor.",
)
WRONG_DEVICE = (
    "device not kept",
    "Right on the CPU. But given an input on another device, your function creates a "
    "tensor on the CPU or moves one there. Create tensors on the input's device: "
    "`X.new_zeros(...)` or `torch.zeros(..., dtype=X.dtype, device=X.device)`.",
)
GRADIENT_LOST = (
    "cut off from autograd",
    "The numbers are right, but the gradient doesn't reach every argument. `.item()`, "
    "`.tolist()`, `.detach()`, `.data` and `torch.tensor(...)` cut the graph.",
)
