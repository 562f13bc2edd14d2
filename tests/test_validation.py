"""Test the validation of arguments at the boundary of the package."""

import inspect
import pickle
import subprocess
import sys

import numpy as np
import pytest
import torch
from torch import Tensor, nn

import conv
from conv import functional
from conv.validation import of_type, positive_int, size, validated


def function(X: Tensor, Y: Tensor | None = None, side: int = 1, *rest: int) -> tuple:
    """Return the arguments."""
    return X, Y, side, rest


checked = validated(function, X="H W", Y="W", side=positive_int)
X = torch.ones(2, 3)


def test_wrapper_has_the_functions_metadata():
    assert conv.conv2d.__doc__ == functional.conv2d.__doc__
    assert inspect.signature(conv.conv2d) == inspect.signature(functional.conv2d)
    assert inspect.getsource(conv.corr2d) == inspect.getsource(functional.corr2d)
    assert conv.corr2d.__module__ == "conv"
    # A DataLoader sends it to its workers.
    assert b"corr2d" in pickle.dumps(conv.corr2d)


def test_internal_functions_are_not_validated():
    for name in ("corr2d", "conv2d", "conv_transpose2d", "pool2d", "output_shape"):
        assert not hasattr(getattr(functional, name), "__wrapped__")
        assert getattr(conv, name).__wrapped__ is getattr(functional, name)


def test_arguments_are_passed_unchanged():
    Y = torch.ones(3)
    assert checked(X) == (X, None, 1, ())
    assert checked(X, side=2) == (X, None, 2, ())
    assert checked(X, Y, 2, 3, 4) == (X, Y, 2, (3, 4))
    assert checked(X, None, np.int64(2))[2] == 2


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ((), TypeError, "missing a required argument: 'X'"),
        ((None,), TypeError, "X is None; expected a torch.Tensor"),
        ((np.ones((2, 3)),), TypeError, "X is of type ndarray; expected a torch.Tens"),
        ((X[0],), ValueError, r"X has shape \(3,\); expected \(H, W\)$"),
        ((X[:0],), ValueError, r"X has shape \(0, 3\); .* no axis of size 0$"),
        ((X, X[:, 0]), ValueError, r"Y has .* \(2,\), so W is 2; expected 3, as in X"),
        (
            (X, torch.ones(3, device="meta")),
            ValueError,
            r"Y is on meta, X is on cpu; expected Y\.to\(X\.device\)",
        ),
        ((X, None, True), TypeError, "side is True; expected an int"),
        ((X, None, 1.0), TypeError, "side is 1.0; expected an int"),
        ((X, None, 0), ValueError, "side is 0; expected at least 1"),
    ],
)
def test_error_messages(arguments, error, message):
    with pytest.raises(error, match=f"^{message}"):
        checked(*arguments)


def test_axis_may_be_a_multiple_of_another():
    K = torch.ones(4, 2, 3, 3)
    with pytest.raises(ValueError, match="so C_in is 4 with groups=2; expected 6, as"):
        conv.conv2d(torch.ones(1, 6, 5, 5), K, groups=2)


def test_first_invalid_argument_is_reported():
    """The choice doesn't depend on the hash seed."""
    code = "import conv; conv.ConvLayer(0, 0, 0, 0, -1, 0, 0)"
    for seed in "12":
        run = subprocess.run(
            [sys.executable, "-c", code],
            env={"PYTHONHASHSEED": seed},
            capture_output=True,
            text=True,
            check=False,
        )
        assert "in_channels is 0; expected at least 1" in run.stderr


@pytest.mark.parametrize(
    ("hint", "good", "bad"),
    [
        (int, [0, -1, np.int64(3)], [True, 1.0, "1", None]),
        (float, [0, 1.5, np.float32(2)], [True, "1", 1j]),
        (bool, [True, False], [0, None]),
        (int | None, [None, 3], [True, 2.0]),
        (list[int] | tuple[int, ...], [[1], (1,)], ["1", {1}]),
    ],
)
def test_type_hints(hint, good, bad):
    check = of_type(hint)
    for value in good:
        assert check("x", value) is value
    for value in bad:
        with pytest.raises(TypeError, match=r"^x is "):
            check("x", value)


def test_size():
    check = size(0, "same")
    for value in (0, 3, (1, 2), [1, 2], np.int64(1), torch.Size([1, 2]), "same"):
        assert check("padding", value) is value
    for value in ("valid", (1,), (1, 2, 3), 1.5, None, torch.tensor(2)):
        with pytest.raises(TypeError, match=r"^padding is .* or 'same'$"):
            check("padding", value)
    for value in (-1, (0, -1)):
        with pytest.raises(ValueError, match=r"expected at least 0$"):
            check("padding", value)


def test_validated_functions_are_differentiable_and_compilable():
    A, K = torch.randn(5, 6).double(), torch.randn(2, 3).double()
    inputs = [tensor.requires_grad_() for tensor in (A, K)]
    assert torch.autograd.gradcheck(conv.corr2d, inputs)
    compiled = torch.compile(conv.corr2d, fullgraph=True, backend="eager")
    torch.testing.assert_close(compiled(A, K), functional.corr2d(A, K))


def test_layers_validate_their_input():
    with pytest.raises(
        ValueError, match=r"^X has shape \(5, 5\); expected \(N, C_in, H, W\)"
    ):
        conv.ConvLayer(1, 1, 3)(torch.ones(5, 5))
    with pytest.raises(ValueError, match=r"^K has shape \(3, 3\) and X has shape"):
        nn.Sequential(conv.Conv2D(3))(torch.ones(2, 9))
