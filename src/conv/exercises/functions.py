"""Judge an answer that is a function: run it in the sandbox and check its results."""

import inspect
import linecache
from collections.abc import Callable
from types import FunctionType

import torch
from torch import Tensor

from conv.exercises.case_result import CaseResult
from conv.exercises.code import functions_of, names_used, same_code
from conv.exercises.comparison import as_float64, matches
from conv.exercises.errors import explain_error
from conv.exercises.exercise import FunctionExercise, Rule, apply
from conv.exercises.generic_mistakes import GENERIC_MISTAKES, Results
from conv.exercises.judging import Verdict, not_attempted, wrong
from conv.exercises.sandbox import Sandbox, SandboxError
from conv.exercises.wording import describe_difference
from conv.exercises.worker import Summary, summarize, to_float32


def judge_function(
    exercise: FunctionExercise, answer: object, sandbox: Sandbox
) -> Verdict:
    """Judge a function or a layer; the worker of a wrong answer isn't used again."""
    if answer is None or is_stub(answer, exercise):
        return not_attempted(exercise)
    if not callable(answer):
        wanted, given = exercise.answer_description, summarize(answer).kind
        message = f"The checker calls your answer, so pass {wanted} instead of {given}."
        if "function" in wanted:
            message += " Remove any parentheses after the function's name."
        return wrong(exercise, "result instead of function", message)
    try:
        verdict = judge_results(exercise, answer, sandbox)
    except SandboxError as error:
        verdict = wrong(exercise, error.name, str(error))
    if not verdict.right:
        sandbox.stop()  # the answer may have changed something in its process
    return verdict


def is_stub(answer: object, exercise: FunctionExercise) -> bool:
    """Return whether a function is still the one that the notebook contains."""
    stubs = [lambda: None, exercise.broken or (lambda: None)]
    return type(answer) is FunctionType and any(same_code(answer, s) for s in stubs)


def judge_results(
    exercise: FunctionExercise, answer: Callable, sandbox: Sandbox
) -> Verdict:
    """Run an answer on all cases; judge the results first, then the requirements."""
    cases = exercise.cases()
    outcomes = sandbox.run(exercise.use, answer, cases)
    exact = "shape" in exercise.requires
    results = [
        CaseResult(case, as_float64(exercise.expected(*case)), outcome, exact)
        for case, outcome in zip(cases, outcomes, strict=True)
    ]
    if not all(result.right for result in results):
        return judge_wrong_results(exercise, answer, results)
    broken = find_broken_requirement(exercise, answer, results, sandbox)
    if broken is not None:
        return wrong(exercise, *broken)
    return Verdict(exercise.number, "correct", remark=make_remark(exercise, results))


def judge_wrong_results(
    exercise: FunctionExercise, answer: Callable, results: Results
) -> Verdict:
    """Find the smallest failing case and the misconception that explains all cases."""
    smallest = min((r for r in results if not r.right), key=input_size)
    name, message = find_mistake(exercise, results)
    error = smallest.outcome.error
    if error:
        if not name:
            name, message = explain_error(error)
        raised = f"{raised_at(answer, smallest.outcome.line)}{error}"
        message = f"{message}\n{raised}".strip()
        name = name or "error raised"
    elif not name:
        parameters = inspect.signature(exercise.expected).parameters
        message = describe_difference(smallest, list(parameters))
    count = sum(result.right for result in results)
    message += f"\nYour answer passes {count} of {len(results)} test cases."
    return wrong(exercise, name, message, smallest)


def input_size(result: CaseResult) -> int:
    """Count the elements of a case's tensors."""
    return sum(part.numel() for part in result.case if isinstance(part, Tensor))


def find_mistake(exercise: FunctionExercise, results: Results) -> tuple[str, str]:
    """Find the first misconception that explains all results: its name and message."""
    for mistake in exercise.mistakes:
        if any(reproduces(function, results) for function in mistake.answers):
            return mistake.name, mistake.message
    for name, message, holds in GENERIC_MISTAKES:
        if holds(results):
            return name, message
    if all(result.outcome.changed for result in results if not result.right):
        return ARGUMENT_CHANGED
    return "", ""


def reproduces(function: Callable, results: Results) -> bool:
    """Return whether a known wrong function gives the learner's results.

    It must return the same in every case in which the learner's function returns
    something, and at least two of these results must be wrong. Alternatively, both
    functions must fail with an error in the same cases.
    """
    pairs = [(result, call_wrong(function, result.case)) for result in results]
    returned = [(result, value) for result, value in pairs if result.outcome.returned]
    if any(value is None or not result.equals(value) for result, value in returned):
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


def find_broken_requirement(
    exercise: FunctionExercise, answer: Callable, results: Results, sandbox: Sandbox
) -> tuple[str, str] | None:
    """Find what a function with right results lacks: a name and a message."""
    for rule in exercise.rules:
        if breaks(answer, rule):
            return "wrong method", rule.message
    required, case = exercise.requires, results[-1].case
    returned = [result.outcome.returned for result in results]
    if "dtype" in required:
        if any(r.dtype != "float64" for r in returned):
            return wrong_dtype(returned[0], "float64")
        [outcome] = sandbox.run(in_float32(exercise.use), answer, [case])
        if outcome.returned is not None and outcome.returned.dtype != "float32":
            return wrong_dtype(outcome.returned, "float32")
    if "gradient" in required:
        [outcome] = sandbox.run(differentiate(exercise.use), answer, [case])
        expected = differentiate(apply)(exercise.expected, *case)
        if outcome.returned is None or not matches(outcome.returned, expected):
            return GRADIENT_LOST
    return None


def breaks(answer: Callable, rule: Rule) -> bool:
    """Return whether a function breaks a rule on how it is written."""
    if not functions_of(answer):
        return False  # a layer, or a function of a library: there is no code to read
    names = names_used(answer)
    lacks = bool(rule.needs) and names.isdisjoint(rule.needs)
    return lacks or not names.isdisjoint(rule.forbids)


def in_float32(use: Callable) -> Callable:
    """Call an answer with float32 tensors."""

    def used(answer: Callable, *case: object) -> object:
        return use(answer, *map(to_float32, case))

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


def raised_at(answer: Callable, line: int | None) -> str:
    """Quote the line of the learner's function that raised an error."""
    code = getattr(answer, "__code__", None)
    if line is None or code is None:
        return "Your code raised "
    text = linecache.getline(code.co_filename, code.co_firstlineno + line - 1)
    if code.co_filename == "<string>":  # since Python 3.13, that of `python -c`
        text = ""
    quoted = f" (`{text.strip()}`)" if text.strip() else ""
    return f"Line {line}{quoted} raised "


def make_remark(exercise: FunctionExercise, results: Results) -> str:
    """Comment on the form of right results; empty if there is nothing to say."""
    result, remarks = results[-1], []
    returned, shape = result.outcome.returned, result.expected.shape
    if not all(r.has_expected_shape for r in results):
        remarks.append(
            f"In the last test case, your result has shape {returned.numbers.shape}, "
            f"but the checker expected {shape}. It accepts both shapes, because the "
            f"numbers are the same."
        )
    if not returned.dtype and shape:
        remarks.append(
            f"Your function returned {returned.kind.split(' of ')[0]}. Other PyTorch "
            "code can use the result more easily if it is a tensor, for example from "
            "`torch.stack`."
        )
    elif shape and returned.dtype.startswith("float") and returned.dtype != "float64":
        remarks.append(
            f"Your result has dtype {returned.dtype}, although the input has float64. "
            "`x.new_zeros(...)` creates a tensor with the dtype and device of `x`."
        )
    if any(r.outcome.changed for r in results):
        remarks.append(
            "Your function changes its argument in place, which a caller may not "
            "expect."
        )
    return " ".join(remarks)


def wrong_dtype(returned: Summary, dtype: str) -> tuple[str, str]:
    """Return the mistake of a result that isn't a tensor with the input's dtype."""
    if not returned.dtype:
        return (
            "list instead of tensor",
            f"The numbers are correct, but your function returned {returned.kind}. "
            "This exercise asks for a tensor with the input's dtype.",
        )
    return (
        "dtype not preserved",
        f"The numbers are correct, but your result for a {dtype} image has dtype "
        f"{returned.dtype}. Create tensors with the input's dtype: "
        f"`X.new_zeros(...)` or `torch.zeros(..., dtype=X.dtype, device=X.device)`.",
    )


ARGUMENT_CHANGED = (
    "argument changed",
    "Your function changes its argument in place, but the caller may still need the "
    "original values. Work on a copy, or create a new tensor.",
)
GRADIENT_LOST = (
    "cut off from autograd",
    "The numbers are correct, but the gradient doesn't reach every argument. Avoid "
    "`.item()`, `.tolist()`, `.detach()`, `.data`, `torch.no_grad()` and "
    "`torch.tensor(...)`, which cut the computation graph.",
)
