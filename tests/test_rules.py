"""Test what the checker finds in a function's code and reports about its results."""

import dataclasses
from functools import partial

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch.autograd import grad
from torch.func import vjp
from torch.nn.functional import conv2d as renamed

import conv
from conv.exercises import EXERCISES
from conv.exercises.case_result import CaseResult
from conv.exercises.code import functions_of, globals_used, names_used
from conv.exercises.comparison import as_float64, fits, matches_freely
from conv.exercises.errors import ERRORS, explain_error
from conv.exercises.exercise import NO_AUTOGRAD, Rule
from conv.exercises.functions import breaks, judge_function
from conv.exercises.wording import describe_difference, write
from conv.exercises.worker import Outcome, Summary, run_case, summarize
from in_process import InProcessSandbox


def helper(x):
    return F.conv2d(x, x)


def calls_helper(x):
    return helper(x) + 1


def calls_itself(x):
    return calls_itself(x[1:]) if len(x) else x


def by_library(x):
    return F.conv2d(x, x)


def by_other_name(x):
    return renamed(x, x)


def by_method(x):
    return x.unfold(0, 2, 1)


def by_lambda(x):
    return (lambda y: conv.conv2d(y, y))(x)


def by_gradient(x):
    return grad(x.sum(), x)


def by_vjp(x):
    return vjp(torch.sum, x)


def with_import(x):
    from torch.func import jacrev

    return jacrev(torch.sum)(x)


def helper_of_the_same_name():
    def conv2d(x):
        return conv.conv2d(x, x)

    return lambda x: conv2d(x)


def with_variable(x):
    backward = autograd = x
    return backward + autograd


def plain(x):
    return x + 1


@pytest.mark.parametrize(
    ("function", "names"),
    [
        (by_library, {"conv2d"}),
        (by_other_name, {"conv2d"}),
        (by_method, {"unfold"}),
        (by_lambda, {"conv2d"}),
        (calls_helper, {"conv2d"}),
        (by_gradient, {"autograd", "grad"}),
        (by_vjp, {"func", "vjp"}),
        (with_import, {"func"}),
        (helper_of_the_same_name(), {"conv2d"}),
        (plain, set()),
        (partial(by_library), {"conv2d"}),
        (with_variable, set()),
        (calls_itself, set()),
    ],
)
def test_names_that_a_function_uses_are_found(function, names):
    watched = "conv2d", "unfold", "autograd", "grad", "func", "vjp", "backward"
    own = "helper", "calls_itself"
    assert names_used(function).intersection([*watched, *own]) == names


def test_variables_without_a_value_are_skipped():
    def outer():
        def inner(x):
            return later(x)

        found = globals_used(inner)
        later = plain
        return found, globals_used(inner), later

    before, after, _ = outer()
    assert (before, after) == ({}, {"later": plain})


def test_objects_that_are_not_functions_have_no_code():
    assert functions_of(torch.nn.ReLU()) == []
    assert names_used(torch.nn.ReLU()) == set()


@pytest.mark.parametrize(
    ("rule", "good", "bad"),
    [
        (NO_AUTOGRAD, plain, by_gradient),
        (NO_AUTOGRAD, with_variable, by_vjp),
        (Rule(message="", forbids=("conv2d",)), by_method, by_lambda),
        (Rule(message="", needs=("conv2d", "conv1d")), by_library, by_method),
    ],
)
def test_rules_detect_forbidden_and_missing_names(rule, good, bad):
    assert not breaks(good, rule)
    assert breaks(bad, rule)
    assert not breaks(torch.nn.ReLU(), rule)


def corr1d(x, k):
    n = len(x) - len(k) + 1
    return torch.stack([x[i : i + len(k)] @ k for i in range(n)])


def in_place(x, k):
    y = corr1d(x, k)
    x += 1
    return y


REQUIRED = [
    ("shape", lambda x, k: corr1d(x, k)[None], ""),
    ("dtype", lambda x, k: corr1d(x, k).float(), "dtype not preserved"),
    ("dtype", lambda x, k: corr1d(x, k).double(), "dtype not preserved"),
    ("dtype", lambda x, k: corr1d(x, k).tolist(), "list instead of tensor"),
    ("gradient", lambda x, k: corr1d(x.detach(), k), "cut off from autograd"),
]


@pytest.mark.parametrize(("required", "answer", "name"), REQUIRED)
def test_only_required_properties_are_checked(required, answer, name):
    exercise = EXERCISES["1.3"]
    strict = dataclasses.replace(exercise, requires=(required,), mistakes=())
    verdict = judge_function(strict, answer, InProcessSandbox())
    assert (verdict.state, verdict.mistake) == ("not correct yet", name)
    lenient = dataclasses.replace(strict, requires=())
    assert judge_function(lenient, answer, InProcessSandbox()).right
    assert judge_function(
        dataclasses.replace(exercise, requires=(required,)), corr1d, InProcessSandbox()
    ).right


@pytest.mark.parametrize(
    ("answer", "remark"),
    [
        (corr1d, ""),
        (
            lambda x, k: corr1d(x, k).tolist(),
            "Your function returned a list. Other PyTorch code can use the result more "
            "easily if it is a tensor, for example from `torch.stack`.",
        ),
        (
            lambda x, k: corr1d(x, k).numpy(),
            "Your function returned a NumPy array. Other PyTorch code can use the "
            "result more easily if it is a tensor, for example from `torch.stack`.",
        ),
        (
            lambda x, k: corr1d(x, k).float(),
            "Your result has dtype float32, although the input has float64. "
            "`x.new_zeros(...)` creates a tensor with the dtype and device of `x`.",
        ),
        (
            lambda x, k: corr1d(x, k)[None],
            "In the last test case, your result has shape (1, 6), but the checker "
            "expected (6,). It accepts both shapes, because the numbers are the same.",
        ),
        (
            in_place,
            "Your function changes its argument in place, which a caller may not "
            "expect.",
        ),
    ],
)
def test_right_answers_get_remarks_on_their_form(answer, remark):
    verdict = judge_function(EXERCISES["1.3"], answer, InProcessSandbox())
    text = f"1.3  correct\n({remark})" if remark else "1.3  correct"
    assert (str(verdict), verdict.remark) == (text, remark)


@pytest.mark.parametrize(
    ("shape", "expected", "expected_match"),
    [
        ((3,), (3,), True),
        ((1, 3), (3,), True),
        ((3, 1), (3,), True),
        ((2, 3), (6,), True),
        ((1, 1), (), True),
        ((6,), (2, 3), False),
        ((3, 2), (2, 3), False),
        ((1, 2), (2, 1), False),
        ((1, 1, 2, 1), (2, 1), True),
        ((2,), (2, 1), True),
        ((1, 2, 1, 3), (2, 3), True),
        ((3, 1, 2), (2, 3), False),
        ((4,), (3,), False),
    ],
)
def test_shapes_may_differ_by_axes_of_length_1(shape, expected, expected_match):
    assert fits(shape, expected) == expected_match
    value, target = np.ones(shape), np.ones(expected)
    assert matches_freely(Summary("", value), target) == expected_match
    assert not matches_freely(Summary("", value + 1), target)


def result(case, expected, returned):
    """Create the case result of a function that returned a value."""
    return CaseResult(case, as_float64(expected), Outcome(summarize(returned)))


LARGE = torch.arange(20.0).reshape(4, 5)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        (
            result((torch.tensor([1.0, 2, 3]), 2), torch.tensor([3.0]), [4]),
            "For x = [1, 2, 3] and k = 2, the expected result is [3], but your "
            "function returned [4].",
        ),
        (
            result((torch.tensor([[0.5]]), 0), torch.tensor(1 / 3), [1, 2]),
            "For x = [[0.5]] and k = 0, your result has shape (2,), but the expected "
            "shape is ().",
        ),
        (
            result((LARGE, 1), LARGE, LARGE + (LARGE > 17)),
            "In the smallest failing test case, 18 of 20 numbers are correct. The "
            "first wrong number is at index [3, 3]: the expected value is 18, but your "
            "function returned 19.",
        ),
        (
            result((torch.nn.ReLU(), 1), torch.zeros(2), torch.zeros(3)),
            "In the smallest failing test case, your result has shape (3,), but the "
            "expected shape is (2,).",
        ),
        (
            result((1, 2), 3, len),
            "Your function returned a builtin_function_or_method, but the checker "
            "expected real numbers. Did you forget the parentheses of a call?",
        ),
    ],
)
def test_wrong_results_are_described(wrong, message):
    assert describe_difference(wrong, ["x", "k"]) == message


def test_numbers_are_formatted_briefly():
    assert write(np.array([[1.0, -0.0], [1 / 3, 1e9]])) == "[[1, 0], [0.333333, 1e+09]]"
    assert write(np.float64(2.5)) == "2.5"


def leaf_in_place(x):
    w = torch.zeros(3, requires_grad=True)
    w -= 1


def second_backward(x):
    loss = (torch.ones(1, requires_grad=True) ** 2).sum()
    loss.backward()
    loss.backward()


def changed_before_backward(x):
    y = torch.ones(1, requires_grad=True).exp()
    y += 1
    y.sum().backward()


def not_in_graph(x):
    a, b = (torch.ones(1, requires_grad=True) for _ in range(2))
    torch.autograd.grad(a.sum(), b)


def recursing(x):
    return recursing(x)


ERRONEOUS = {
    "infinite recursion": recursing,
    "out of memory": lambda x: torch.ones(2**50),
    "in-place change of a leaf": leaf_in_place,
    "in-place change before backward": changed_before_backward,
    "nothing to differentiate": lambda x: x.sum().backward(),
    "backward called twice": second_backward,
    "input not part of the graph": not_in_graph,
    "None instead of a value": lambda x: x.grad * 0.5,
    "NumPy on a differentiable tensor": lambda x: torch.ones(
        1, requires_grad=True
    ).numpy(),
    "input requested": lambda x: exec("raise EOFError"),
    "exits Python": lambda x: exec("raise SystemExit"),
    "shapes don't match": lambda x: torch.ones(2) + torch.ones(3),
    "mixed dtypes": lambda x: x.double() @ x,
    "tensor as a condition": lambda x: 1 if torch.ones(2) > 0 else 2,
    "not a single number": lambda x: torch.ones(2).item(),
    "arithmetic with a list": lambda x: [1, 2] * 0.5,
    "incompatible types": lambda x: [1, 2] / 2,
    "wrong arguments": lambda x, y: x,
    "too much in memory": lambda x: exec("raise MemoryError"),
    "undefined name": lambda x: undefined,  # noqa: F821
}


@pytest.mark.parametrize("name", ERRONEOUS)
def test_errors_of_this_pytorch_version_are_explained(name):
    outcome = run_case(lambda answer, x: answer(x), ERRONEOUS[name], (torch.ones(3),))
    assert explain_error(outcome.error)[0] == name, outcome.error


def test_all_errors_are_tested():
    assert {name for _, name, _ in ERRORS} == set(ERRONEOUS)
    assert explain_error("ValueError: something else") == ("", "")
