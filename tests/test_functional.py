"""Compare conv.corr2d with three independent implementations."""

import pytest
import scipy.signal
import torch
import torch.nn.functional as F
from d2l import torch as d2l
from hypothesis import given
from hypothesis import strategies as st

from conv import corr2d

FLOAT_DTYPES = [torch.float16, torch.bfloat16, torch.float32, torch.float64]
INTEGER_DTYPES = [
    torch.bool,
    torch.uint8,
    torch.int8,
    torch.int16,
    torch.int32,
    torch.int64,
]


@st.composite
def images_and_kernels(draw, largest: int = 12):
    """Draw a float64 image and a kernel that fits inside."""
    H, W = draw(st.integers(1, largest)), draw(st.integers(1, largest))
    h, w = draw(st.integers(1, H)), draw(st.integers(1, W))
    torch.manual_seed(draw(st.integers(0, 2**32)))
    X = torch.randn(H, W, dtype=torch.float64)
    K = torch.randn(h, w, dtype=torch.float64)
    views = st.sampled_from([lambda T: T, lambda T: T.clone().T.contiguous().T])
    return draw(views)(X), draw(views)(K)


def reference(X, K):
    return F.conv2d(X[None, None], K[None, None])[0, 0]


def test_example_of_chapter_1():
    X = torch.arange(9).reshape(3, 3)
    K = torch.arange(4).reshape(2, 2)
    assert repr(corr2d(X, K)) == "tensor([[19., 25.],\n        [37., 43.]])"


def test_edge_detection_of_chapter_1():
    X = torch.ones((6, 8))
    X[:, 2:6] = 0
    K = torch.tensor([[1.0, -1.0]])
    assert corr2d(X, K).tolist() == [[0, 1, 0, 0, 0, -1, 0]] * 6
    assert torch.equal(corr2d(X.T, K), torch.zeros(8, 5))


@given(images_and_kernels())
def test_corr2d_matches_pytorch(pair):
    X, K = pair
    torch.testing.assert_close(corr2d(X, K), reference(X, K), rtol=0, atol=1e-12)


@given(images_and_kernels())
def test_corr2d_matches_scipy(pair):
    X, K = pair
    expected = torch.from_numpy(scipy.signal.correlate2d(X, K, mode="valid"))
    torch.testing.assert_close(corr2d(X, K), expected, rtol=0, atol=1e-12)


@given(images_and_kernels(largest=6))
def test_corr2d_matches_d2l(pair):
    X, K = pair  # d2l.corr2d returns float32
    torch.testing.assert_close(corr2d(X, K).float(), d2l.corr2d(X, K))


@given(images_and_kernels(largest=5))
def test_gradients_pass_gradcheck(pair):
    X, K = (T.clone().requires_grad_() for T in pair)
    assert torch.autograd.gradcheck(corr2d, (X, K))
    assert torch.autograd.gradgradcheck(corr2d, (X, K))


@given(images_and_kernels())
def test_gradients_match_pytorch(pair):
    X, K = (T.clone().requires_grad_() for T in pair)
    ours = torch.autograd.grad(corr2d(X, K).square().sum(), (X, K))
    theirs = torch.autograd.grad(reference(X, K).square().sum(), (X, K))
    for mine, other in zip(ours, theirs, strict=True):
        torch.testing.assert_close(mine, other, rtol=0, atol=1e-10)


@given(images_and_kernels())
def test_inputs_are_not_changed(pair):
    before = [T.clone() for T in pair]
    corr2d(*pair)
    assert all(torch.equal(a, b) for a, b in zip(pair, before, strict=True))


@pytest.mark.parametrize("dtype_K", FLOAT_DTYPES + INTEGER_DTYPES)
@pytest.mark.parametrize("dtype_X", FLOAT_DTYPES + INTEGER_DTYPES)
def test_dtype_promotion_matches_pytorch(dtype_X, dtype_K):
    X, K = torch.ones(4, 5, dtype=dtype_X), torch.ones(2, 3, dtype=dtype_K)
    expected = (X[:1, :1] + K[:1, :1]).dtype
    if not expected.is_floating_point:
        expected = torch.get_default_dtype()
    Y = corr2d(X, K)
    assert Y.dtype == expected
    assert torch.equal(Y, torch.full((3, 3), 6, dtype=expected))


def test_integers_are_converted_to_the_default_dtype():
    torch.set_default_dtype(torch.float64)
    try:
        assert corr2d(torch.ones(3, 3).int(), torch.ones(1, 1).int()).dtype == (
            torch.float64
        )
    finally:
        torch.set_default_dtype(torch.float32)


def test_small_integers_do_not_overflow():
    X = torch.full((2, 2), 255, dtype=torch.uint8)
    assert corr2d(X, X).item() == 4 * 255**2


def test_views_are_accepted():
    base = torch.randn(9, 14, dtype=torch.float64)
    for X in (base.T, base[::2, 1::3], base.flip(0), base[:1].expand(6, 14)):
        K = base[:4, :2].T  # (2, 4)
        torch.testing.assert_close(corr2d(X, K), reference(X, K))


def test_output_is_on_the_device_of_the_inputs(device):
    X, K = torch.ones(5, 6, device=device), torch.ones(2, 2, device=device)
    Y = corr2d(X, K)
    assert Y.device == X.device
    assert Y.tolist() == [[4.0] * 5] * 4


def test_all_tensors_are_on_the_device_of_the_inputs():
    """Operations that mix a CPU tensor with tensors on `meta` would fail."""
    X = torch.empty(1000, 2000, device="meta", dtype=torch.float16)
    K = torch.empty(3, 5, device="meta", requires_grad=True)
    Y = corr2d(X, K)
    assert (Y.device.type, Y.dtype, Y.shape) == ("meta", torch.float32, (998, 1996))
    Y.sum().backward()
    assert K.grad.device.type == "meta"
