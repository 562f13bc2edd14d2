"""Compare conv2d, conv_transpose2d and pool2d with PyTorch, for all their arguments."""

import pytest
import torch
import torch.nn.functional as F
from hypothesis import given
from hypothesis import strategies as st

from conv import conv2d, conv_transpose2d, corr2d, output_shape, pool2d

# PyTorch warns that "same" padding with even kernels makes a copy, which is fine here.
pytestmark = pytest.mark.filterwarnings("ignore:Using padding='same'")
TOLERANCE = {"rtol": 0, "atol": 1e-10}


def size(least: int, most: int):
    """Return a strategy for one int or a pair of ints."""
    one = st.integers(least, most)
    return st.one_of(one, st.tuples(one, one))


def sides(value: int | tuple[int, int]) -> tuple[int, int]:
    return (value, value) if isinstance(value, int) else value


def normal(*shape: int) -> torch.Tensor:
    return torch.randn(shape, dtype=torch.float64, requires_grad=True)


@st.composite
def operands(draw, transposed: bool = False):
    """Draw a batch, kernels and a bias that fit each other, and the other arguments."""
    torch.manual_seed(draw(st.integers(0, 2**32)))
    groups = draw(st.integers(1, 3))
    C_in, C_out = (groups * draw(st.integers(1, 3)) for _ in range(2))
    h, w = draw(st.integers(1, 4)), draw(st.integers(1, 4))
    stride, dilation = draw(size(1, 3)), draw(size(1, 3))
    (s, t), (d, e) = sides(stride), sides(dilation)
    options = {"stride": stride, "dilation": dilation, "groups": groups}
    if transposed:
        extra = (
            draw(st.integers(0, max(s, d) - 1)),
            draw(st.integers(0, max(t, e) - 1)),
        )
        H, W = draw(st.integers(1, 6)), draw(st.integers(1, 6))
        room = (
            (H - 1) * s + d * (h - 1) + extra[0],
            (W - 1) * t + e * (w - 1) + extra[1],
        )
        padding = tuple(draw(st.integers(0, min(2, r // 2))) for r in room)
        options |= {"padding": padding, "output_padding": extra}
        K = normal(C_in, C_out // groups, h, w)
    else:
        padding = draw(st.one_of(size(0, 3), st.sampled_from(["same", "valid"])))
        if padding == "same":
            options["stride"] = 1
        p, q = (0, 0) if isinstance(padding, str) else sides(padding)
        H = draw(st.integers(max(1, d * (h - 1) + 1 - 2 * p), 12))
        W = draw(st.integers(max(1, e * (w - 1) + 1 - 2 * q), 12))
        options["padding"] = padding
        K = normal(C_out, C_in // groups, h, w)
    X = normal(draw(st.integers(1, 3)), C_in, H, W)
    bias = draw(st.sampled_from([None, normal(C_out)]))
    return (X, K, bias), options


def assert_equal_with_gradients(ours, theirs, inputs, options):
    """Compare two operators' outputs, and the gradients of a sum of squares."""
    mine, other = ours(*inputs, **options), theirs(*inputs, **options)
    torch.testing.assert_close(mine, other, **TOLERANCE)
    leaves = [leaf for leaf in inputs if leaf is not None]
    for a, b in zip(
        torch.autograd.grad(mine.square().sum(), leaves),
        torch.autograd.grad(other.square().sum(), leaves),
        strict=True,
    ):
        torch.testing.assert_close(a, b, rtol=1e-10, atol=1e-9)


@given(operands())
def test_conv2d_matches_pytorch(drawn):
    assert_equal_with_gradients(conv2d, F.conv2d, *drawn)


@given(operands(transposed=True))
def test_conv_transpose2d_matches_pytorch(drawn):
    assert_equal_with_gradients(conv_transpose2d, F.conv_transpose2d, *drawn)


@given(operands(transposed=True))
def test_conv_transpose2d_is_the_adjoint_of_conv2d(drawn):
    """The adjoint satisfies <conv_transpose2d(X), Z> = <X, conv2d(Z)>."""
    (X, K, _), options = drawn
    Y = conv_transpose2d(X, K, **options)
    Z = torch.randn_like(Y)
    del options["output_padding"]
    back = conv2d(Z, K, **options)[..., : X.shape[2], : X.shape[3]]
    torch.testing.assert_close((Y * Z).sum(), (X * back).sum(), rtol=1e-9, atol=1e-9)


@st.composite
def pools(draw):
    torch.manual_seed(draw(st.integers(0, 2**32)))
    pool = draw(size(1, 4))
    padding = tuple(draw(st.integers(0, side // 2)) for side in sides(pool))
    smallest = [max(1, k - 2 * p) for k, p in zip(sides(pool), padding, strict=True)]
    H, W = (draw(st.integers(side, 10)) for side in smallest)
    stride = draw(st.one_of(st.none(), size(1, 4)))
    X = torch.randn(2, 2, H, W, dtype=torch.float64)
    if draw(st.booleans()):
        X = X.round()  # many ties
    return X.requires_grad_(), pool, stride, padding, draw(st.booleans())


@given(pools())
def test_max_pooling_matches_pytorch(drawn):
    """If several values are equal, PyTorch gives the gradient to the first of them."""
    X, pool, stride, padding, ceil_mode = drawn
    assert_equal_with_gradients(
        lambda X: pool2d(X, pool, "max", stride, padding, ceil_mode),
        lambda X: F.max_pool2d(X, pool, stride, padding, ceil_mode=ceil_mode),
        (X,),
        {},
    )


@given(pools())
def test_average_pooling_matches_pytorch(drawn):
    X, pool, stride, padding, ceil_mode = drawn
    assert_equal_with_gradients(
        lambda X: pool2d(X, pool, "avg", stride, padding, ceil_mode),
        lambda X: F.avg_pool2d(X, pool, stride, padding, ceil_mode),
        (X,),
        {},
    )


@given(pools())
def test_output_shape_matches_pooling(drawn):
    X, pool, stride, padding, ceil_mode = drawn
    shape = pool2d(X, pool, "max", stride, padding, ceil_mode).shape[2:]
    steps = pool if stride is None else stride
    assert output_shape(X.shape[2:], pool, steps, padding, 1, ceil_mode) == shape


def test_ceil_mode_keeps_the_last_column():
    """A cascade of face detectors needs this: 22 pixels become 11."""
    X = torch.arange(484.0).view(1, 1, 22, 22)
    assert pool2d(X, 3, stride=2).shape == (1, 1, 10, 10)
    assert pool2d(X, 3, stride=2, ceil_mode=True).shape == (1, 1, 11, 11)
    assert pool2d(X, 3, stride=2, ceil_mode=True)[0, 0, -1, -1] == 483


@pytest.mark.parametrize("shape", [(4, 5), (5, 4)])
def test_ceil_mode_with_padding(shape):
    """The last window extends beyond the bottom or the right edge."""
    X = torch.randn(1, 1, *shape, dtype=torch.float64)
    for mode, theirs in {"max": F.max_pool2d, "avg": F.avg_pool2d}.items():
        expected = theirs(X, 3, 2, 1, ceil_mode=True)
        torch.testing.assert_close(pool2d(X, 3, mode, 2, 1, ceil_mode=True), expected)


def test_first_of_equal_values_gets_the_gradient():
    X = torch.ones(1, 1, 2, 2, requires_grad=True)
    pool2d(X, 2).backward()
    assert X.grad.flatten().tolist() == [1, 0, 0, 0]


def test_max_pooling_propagates_nan():
    X = torch.tensor([[1.0, float("nan"), 3.0]]).expand(1, 1, 1, 3)
    assert pool2d(X, (1, 3)).isnan().all()


def test_valid_padding_means_no_padding():
    X, K = torch.rand(2, 3, 5, 6), torch.rand(4, 3, 2, 3)
    assert torch.equal(conv2d(X, K, padding="valid"), conv2d(X, K, padding=0))


def test_second_derivatives_pass_gradgradcheck():
    X, K, Kt = normal(2, 2, 4, 5), normal(4, 1, 2, 2), normal(2, 2, 2, 2)
    X2, K2, bias = X.detach()[:1, :, :2, :2].requires_grad_(), K, normal(4)
    assert torch.autograd.gradgradcheck(
        lambda *a: conv2d(*a, stride=2, padding=1, groups=2), (X2, K2, bias)
    )
    assert torch.autograd.gradgradcheck(
        lambda *a: conv_transpose2d(*a, stride=2, groups=2), (X2, Kt, bias)
    )


def test_corr2d_is_a_special_case_of_conv2d():
    X, K = torch.randn(6, 7), torch.randn(3, 2)
    torch.testing.assert_close(corr2d(X, K), conv2d(X[None, None], K[None, None])[0, 0])


@pytest.mark.parametrize("operator", [conv2d, conv_transpose2d])
def test_dtype_promotion(operator):
    X, K = torch.ones(1, 1, 3, 3).int(), torch.ones(1, 1, 2, 2).bool()
    assert operator(X, K).dtype == torch.float32
    assert operator(X, K.double()).dtype == torch.float64
    assert pool2d(X, 2).dtype == torch.float32


def test_output_is_on_the_device_of_the_inputs(device):
    X, K = torch.ones(1, 2, 4, 4, device=device), torch.ones(2, 2, 3, 3, device=device)
    for Y in (conv2d(X, K), conv_transpose2d(X, K), pool2d(X, 2)):
        assert Y.device == X.device
    assert conv2d(X, K).tolist() == [[[[18.0] * 2] * 2] * 2]


def test_all_tensors_are_on_the_device_of_the_inputs():
    X = torch.empty(2, 4, 9, 8, device="meta")
    K, bias = torch.empty(4, 2, 3, 3, device="meta"), torch.empty(4, device="meta")
    assert conv2d(X, K, bias, 2, 1, 1, 2).shape == (2, 4, 5, 4)
    assert conv_transpose2d(X, K, bias, 2, 1, 1, 2).device.type == "meta"
    assert pool2d(X, 3, padding=1).device.type == "meta"


@given(operands())
def test_output_shape_matches_conv2d(drawn):
    (X, K, _), options = drawn
    del options["groups"]
    if isinstance(options["padding"], str):
        options["padding"] = 0
    shape, kernel = tuple(X.shape[2:]), tuple(K.shape[2:])
    covered = [
        (k - 1) * d for k, d in zip(kernel, sides(options["dilation"]), strict=True)
    ]
    shape = tuple(n + r for n, r in zip(shape, covered, strict=True))
    zeros = torch.zeros(1, 1, *shape)
    expected = F.conv2d(zeros, torch.zeros(1, 1, *kernel), **options).shape[2:]
    assert output_shape(shape, kernel, **options) == tuple(expected)
