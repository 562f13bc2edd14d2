"""conv2d, conv_transpose2d and pool2d against PyTorch, over all their arguments."""

import re

import pytest
import torch
import torch.nn.functional as F
from hypothesis import given
from hypothesis import strategies as st

from conv import conv2d, conv_transpose2d, corr2d, output_shape, pool2d

# PyTorch warns that it copies for "same" padding with even kernels. So it may.
pytestmark = pytest.mark.filterwarnings("ignore:Using padding='same'")
CLOSE = {"rtol": 0, "atol": 1e-10}


def size(least: int, most: int):
    """One int, or a pair of ints."""
    one = st.integers(least, most)
    return st.one_of(one, st.tuples(one, one))


def sides(value: int | tuple[int, int]) -> tuple[int, int]:
    return (value, value) if isinstance(value, int) else value


def normal(*shape: int) -> torch.Tensor:
    return torch.randn(shape, dtype=torch.float64, requires_grad=True)


@st.composite
def operands(draw, transposed: bool = False):
    """Draw a batch, kernels and a bias that go together, and the other arguments."""
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


def agree(ours, theirs, inputs, options):
    """Compare two operators' outputs, and the gradients of a sum of squares."""
    mine, other = ours(*inputs, **options), theirs(*inputs, **options)
    torch.testing.assert_close(mine, other, **CLOSE)
    leaves = [leaf for leaf in inputs if leaf is not None]
    for a, b in zip(
        torch.autograd.grad(mine.square().sum(), leaves),
        torch.autograd.grad(other.square().sum(), leaves),
        strict=True,
    ):
        torch.testing.assert_close(a, b, rtol=1e-10, atol=1e-9)


@given(operands())
def test_conv2d_agrees_with_torch(drawn):
    agree(conv2d, F.conv2d, *drawn)


@given(operands(transposed=True))
def test_conv_transpose2d_agrees_with_torch(drawn):
    agree(conv_transpose2d, F.conv_transpose2d, *drawn)


@given(operands(transposed=True))
def test_conv_transpose2d_takes_gradients_back(drawn):
    """It is the transpose of conv2d: <conv_transpose2d(X), Z> = <X, conv2d(Z)>."""
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
    return X.requires_grad_(), pool, stride, padding


@given(pools())
def test_max_pooling_agrees_with_torch(drawn):
    """Ties included: PyTorch gives the gradient to the first of equals."""
    X, pool, stride, padding = drawn
    agree(
        lambda X: pool2d(X, pool, stride=stride, padding=padding),
        lambda X: F.max_pool2d(X, pool, stride, padding),
        (X,),
        {},
    )


@given(pools())
def test_average_pooling_agrees_with_torch(drawn):
    X, pool, stride, padding = drawn
    agree(
        lambda X: pool2d(X, pool, "avg", stride, padding),
        lambda X: F.avg_pool2d(X, pool, stride, padding),
        (X,),
        {},
    )


def test_the_first_of_equals_gets_the_gradient():
    X = torch.ones(1, 1, 2, 2, requires_grad=True)
    pool2d(X, 2).backward()
    assert X.grad.flatten().tolist() == [1, 0, 0, 0]


def test_pooling_keeps_what_is_not_a_number():
    X = torch.tensor([[1.0, float("nan"), 3.0]]).expand(1, 1, 1, 3)
    assert pool2d(X, (1, 3)).isnan().all()


def test_valid_padding_is_none():
    X, K = torch.rand(2, 3, 5, 6), torch.rand(4, 3, 2, 3)
    assert torch.equal(conv2d(X, K, padding="valid"), conv2d(X, K, padding=0))


def test_second_derivatives():
    X, K, Kt = normal(2, 2, 4, 5), normal(4, 1, 2, 2), normal(2, 2, 2, 2)
    X2, K2, bias = X.detach()[:1, :, :2, :2].requires_grad_(), K, normal(4)
    assert torch.autograd.gradgradcheck(
        lambda *a: conv2d(*a, stride=2, padding=1, groups=2), (X2, K2, bias)
    )
    assert torch.autograd.gradgradcheck(
        lambda *a: conv_transpose2d(*a, stride=2, groups=2), (X2, Kt, bias)
    )


def test_corr2d_is_the_smallest_case():
    X, K = torch.randn(6, 7), torch.randn(3, 2)
    torch.testing.assert_close(corr2d(X, K), conv2d(X[None, None], K[None, None])[0, 0])


@pytest.mark.parametrize("operator", [conv2d, conv_transpose2d])
def test_dtypes_promote(operator):
    X, K = torch.ones(1, 1, 3, 3).int(), torch.ones(1, 1, 2, 2).bool()
    assert operator(X, K).dtype == torch.float32
    assert operator(X, K.double()).dtype == torch.float64
    assert pool2d(X, 2).dtype == torch.float32


def test_lives_on_its_inputs_device(device):
    X, K = torch.ones(1, 2, 4, 4, device=device), torch.ones(2, 2, 3, 3, device=device)
    for Y in (conv2d(X, K), conv_transpose2d(X, K), pool2d(X, 2)):
        assert Y.device == X.device
    assert conv2d(X, K).tolist() == [[[[18.0] * 2] * 2] * 2]


def test_makes_nothing_on_another_device():
    X = torch.empty(2, 4, 9, 8, device="meta")
    K, bias = torch.empty(4, 2, 3, 3, device="meta"), torch.empty(4, device="meta")
    assert conv2d(X, K, bias, 2, 1, 1, 2).shape == (2, 4, 5, 4)
    assert conv_transpose2d(X, K, bias, 2, 1, 1, 2).device.type == "meta"
    assert pool2d(X, 3, padding=1).device.type == "meta"


@given(operands())
def test_output_shape_counts(drawn):
    (X, K, _), options = drawn
    del options["groups"]
    if isinstance(options["padding"], str):
        options["padding"] = 0
    shape, kernel = tuple(X.shape[2:]), tuple(K.shape[2:])
    reach = [
        (k - 1) * d for k, d in zip(kernel, sides(options["dilation"]), strict=True)
    ]
    shape = tuple(n + r for n, r in zip(shape, reach, strict=True))
    zeros = torch.zeros(1, 1, *shape)
    expected = F.conv2d(zeros, torch.zeros(1, 1, *kernel), **options).shape[2:]
    assert output_shape(shape, kernel, **options) == tuple(expected)


X = torch.ones(2, 4, 5, 6)
K = torch.ones(6, 4, 3, 3)
GRID = "(batch, channels, height, width)"


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: conv2d([1], K), TypeError, "X is of type list; expected a"),
        (
            lambda: conv2d(X[0], K),
            ValueError,
            f"X has shape (4, 5, 6); expected 4 axes, {GRID}",
        ),
        (
            lambda: conv2d(X, K[0]),
            ValueError,
            "K has shape (4, 3, 3); expected 4 axes, (out_channels, "
            "in_channels/groups, height, width)",
        ),
        (
            lambda: conv_transpose2d(X, K[0]),
            ValueError,
            "K has shape (4, 3, 3); expected 4 axes, (in_channels, "
            "out_channels/groups, height, width)",
        ),
        (lambda: conv2d(X[:0], K), ValueError, "X is empty, with shape (0, 4, 5, 6)"),
        (lambda: conv2d(X.cfloat(), K), TypeError, "X has dtype torch.complex64"),
        (
            lambda: conv2d(X, K.to("meta")),
            ValueError,
            "X is on cpu and K on meta; expected",
        ),
        (
            lambda: conv2d(X, K[:, :3]),
            ValueError,
            "K has shape (6, 3, 3, 3); expected 4 on axis 1, since X has 4 channels "
            "in 1 groups",
        ),
        (
            lambda: conv2d(X, K, groups=2),
            ValueError,
            "K has shape (6, 4, 3, 3); expected 2 on axis 1, since X has 4 channels "
            "in 2 groups",
        ),
        (
            lambda: conv_transpose2d(X, K),
            ValueError,
            "K has shape (6, 4, 3, 3); expected 4 on axis 0, since X has 4 channels "
            "in 1 groups",
        ),
        (
            lambda: conv2d(X, K, groups=3),
            ValueError,
            "groups is 3; expected a divisor of X's 4 channels and of K's first "
            "axis, 6",
        ),
        (
            lambda: conv2d(X, K, groups=4),
            ValueError,
            "groups is 4; expected a divisor of X's 4 channels and of K's first "
            "axis, 6",
        ),
        (lambda: conv2d(X, K, groups=0), ValueError, "groups is 0; expected a divisor"),
        (lambda: conv2d(X, K, groups=1.0), TypeError, "groups is 1.0; expected an int"),
        (
            lambda: conv2d(X, K, groups=True),
            TypeError,
            "groups is True; expected an int",
        ),
        (
            lambda: conv2d(X, K, torch.ones(4)),
            ValueError,
            "bias has 4 numbers; expected 6, one for each output channel",
        ),
        (
            lambda: conv2d(X, K, torch.ones(6, 1)),
            ValueError,
            "bias has shape (6, 1); expected 1 axes, (out_channels)",
        ),
        (
            lambda: conv2d(X, K, torch.ones(6, device="meta")),
            ValueError,
            "X is on cpu and bias on meta",
        ),
        (
            lambda: conv2d(X, K, stride=0),
            ValueError,
            "stride is 0; expected at least 1",
        ),
        (
            lambda: conv2d(X, K, stride=(1, -2)),
            ValueError,
            "stride is (1, -2); expected at least 1",
        ),
        (
            lambda: conv2d(X, K, stride=1.5),
            TypeError,
            "stride is 1.5; expected an int or a pair of ints",
        ),
        (
            lambda: conv2d(X, K, dilation=0),
            ValueError,
            "dilation is 0; expected at least 1",
        ),
        (
            lambda: conv2d(X, K, padding=-1),
            ValueError,
            "padding is -1; expected at least 0",
        ),
        (
            lambda: conv2d(X, K, padding="full"),
            ValueError,
            "padding is 'full'; expected 'same', 'valid' or ints",
        ),
        (
            lambda: conv2d(X, K, padding="same", stride=2),
            ValueError,
            "padding is 'same' with stride (2, 2); expected stride 1",
        ),
        (
            lambda: conv2d(X, torch.ones(1, 4, 6, 1)),
            ValueError,
            "kernel_size is (6, 1) with dilation (1, 1): it covers 6 pixels; "
            "expected at most 5, the padded picture's",
        ),
        (
            lambda: conv2d(X, K, dilation=3, padding=(1, 0)),
            ValueError,
            "kernel_size is (3, 3) with dilation (3, 3): it covers 7 pixels; "
            "expected at most 6",
        ),
        (
            lambda: conv_transpose2d(X, K[:4], output_padding=1),
            ValueError,
            "output_padding is 1; expected less than stride (1, 1) or dilation (1, 1)",
        ),
        (
            lambda: conv_transpose2d(X, K[:4], padding=(4, 0)),
            ValueError,
            "padding is (4, 0); expected to leave something of the output, whose "
            "size before cutting is (7, 8)",
        ),
        (
            lambda: pool2d(X[0], 2),
            ValueError,
            f"X has shape (4, 5, 6); expected 4 axes, {GRID}",
        ),
        (
            lambda: pool2d(X, 2, "min"),
            ValueError,
            "mode is 'min'; expected 'max' or 'avg'",
        ),
        (
            lambda: pool2d(X, (3, 2), padding=(1, 2)),
            ValueError,
            "padding is (1, 2); expected at most half of pool_size, (3, 2)",
        ),
        (
            lambda: pool2d(X, 7),
            ValueError,
            "kernel_size is (7, 7) with dilation (1, 1): it covers 7 pixels; "
            "expected at most 5",
        ),
        (
            lambda: pool2d(X, 2, stride=0),
            ValueError,
            "stride is 0; expected at least 1",
        ),
        (lambda: output_shape(0, 1), ValueError, "size is 0; expected at least 1"),
        (lambda: output_shape(3, 4), ValueError, "kernel_size is (4, 4) with dilation"),
    ],
)
def test_bad_input_is_named(call, error, message):
    with pytest.raises(error, match=f"^{re.escape(message)}"):
        call()
