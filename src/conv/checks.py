"""Bad input, refused with its name, what came and what was expected."""

import math
from collections.abc import Sequence
from types import NoneType

import torch
from torch import Tensor

MOST = 2**31 - 1  # more pixels, channels or pictures than any machine holds
ROOM = 2**34  # numbers in one tensor: 64 GiB of float32


def check_is(name: str, value: object, *kinds: type) -> None:
    """Refuse what is of none of the kinds; NoneType stands for "may be left out".

    Parameters
    ----------
    name : str
        What the caller's argument is called, for the message.
    value : object
        What came.
    *kinds : type
        What it may be.

    Raises
    ------
    TypeError
        If it is nothing of that.
    """
    if not isinstance(value, kinds):
        wanted = " or ".join(kind.__name__ for kind in kinds if kind is not NoneType)
        raise TypeError(f"{name} is of type {type(value).__name__}; expected {wanted}")


def checked_pair(X: Tensor, K: Tensor) -> tuple[Tensor, Tensor]:
    """Return a picture and a kernel in one float dtype, or say why they don't fit.

    Parameters
    ----------
    X, K : Tensor
        As in `conv.corr2d`, which lists the errors.

    Returns
    -------
    tuple of Tensor
        ``X`` and ``K``, converted to their common floating-point dtype.
    """
    check_tensor("X", X, ("height", "width"))
    check_tensor("K", K, ("height", "width"))
    check_device("K", K, X)
    if K.shape[0] > X.shape[0] or K.shape[1] > X.shape[1]:
        raise ValueError(
            f"K has shape {tuple(K.shape)}; expected no taller and no wider than X, "
            f"whose shape is {tuple(X.shape)}"
        )
    return as_one_float_dtype(X, K)


def as_one_float_dtype(*tensors: Tensor) -> tuple[Tensor, ...]:
    """Promote tensors as PyTorch does; integers and bools become the default float.

    Parameters
    ----------
    *tensors : Tensor
        Real ones.

    Returns
    -------
    tuple of Tensor
        The same numbers, all in one floating-point dtype.
    """
    dtype = tensors[0].dtype
    for tensor in tensors[1:]:
        dtype = torch.promote_types(dtype, tensor.dtype)
    if not dtype.is_floating_point:
        dtype = torch.get_default_dtype()
    return tuple(tensor.to(dtype) for tensor in tensors)


def check_tensor(name: str, value: Tensor, axes: tuple[str, ...]) -> None:
    """Refuse whatever is not a real, non-empty tensor with the named axes.

    Parameters
    ----------
    name : str
        What the caller's argument is called, for the message.
    value : Tensor
        What came.
    axes : tuple of str
        The names of the axes that it should have.

    Raises
    ------
    TypeError
        If `value` is not a tensor, or is complex or sparse.
    ValueError
        If it has more or fewer axes, or no elements.
    """
    check_real(name, value)
    shape = tuple(value.shape)
    if len(shape) != len(axes):
        raise ValueError(
            f"{name} has shape {shape}; expected {len(axes)} axes, ({', '.join(axes)})"
        )
    if value.numel() == 0:
        raise ValueError(
            f"{name} is empty, with shape {shape}; expected at least one of each of "
            f"({', '.join(axes)})"
        )


def check_real(name: str, value: Tensor) -> None:
    """Refuse what is not a tensor, or one that is complex or sparse."""
    if not isinstance(value, Tensor):
        raise TypeError(
            f"{name} is of type {type(value).__name__}; expected a torch.Tensor"
        )
    if value.is_complex():
        raise TypeError(f"{name} has dtype {value.dtype}; expected real numbers")
    if value.layout != torch.strided:
        raise TypeError(
            f"{name} has layout {value.layout}; expected a dense tensor, as "
            f"{name}.to_dense() gives"
        )


def check_not_meta(name: str, value: Tensor) -> None:
    """Refuse a tensor on the device meta, where there is room for no number."""
    if value.is_meta:
        raise ValueError(
            f"{name} is on the device meta, where tensors have no numbers; expected "
            f"another device"
        )


def check_drawable(name: str, value: Tensor) -> None:
    """Refuse a tensor whose numbers can't be looked at: meta, nan, infinite."""
    check_not_meta(name, value)
    if not value.isfinite().all():
        raise ValueError(f"{name} has nan or inf in it; expected finite numbers")


def check_room(name: str, value: object, shape: Sequence[int]) -> None:
    """Refuse an argument that asks for a tensor too large for any machine."""
    if math.prod(shape) > ROOM:
        raise ValueError(
            f"{name} is {value!r}, which asks for a tensor of shape {tuple(shape)}; "
            f"expected at most {ROOM:,} numbers"
        )


def check_device(name: str, value: Tensor, X: Tensor, other: str = "X") -> None:
    """Refuse a tensor that is not on the device of the input `X`."""
    if value.device != X.device:
        raise ValueError(
            f"{other} is on {X.device} and {name} on {value.device}; expected both on "
            f"one device: move one with {name}.to({other}.device)"
        )


def as_device(name: str, value: torch.device | str) -> torch.device:
    """Turn a device's name into a device that this machine has.

    Parameters
    ----------
    name : str
        What the caller's argument is called, for the message.
    value : torch.device or str
        What came.

    Returns
    -------
    torch.device

    Raises
    ------
    TypeError, ValueError
        If it is neither; if it names no device, or one that isn't here.
    """
    check_is(name, value, torch.device, str)
    try:
        return torch.empty(0, device=value).device
    except (RuntimeError, AssertionError, ImportError) as error:
        raise ValueError(
            f"{name} is {str(value)!r}; expected a device that this machine has, such "
            f"as 'cpu', 'cuda', 'cuda:1' or 'mps'"
        ) from error


def as_pair(name: str, value: int | tuple[int, int], least: int = 1) -> tuple[int, int]:
    """Turn one number or two into (vertical, horizontal).

    Parameters
    ----------
    name : str
        What the caller's argument is called, for the message.
    value : int or (int, int)
        One number for both directions, or two.
    least : int
        The smallest number allowed.

    Returns
    -------
    (int, int)

    Raises
    ------
    TypeError
        If `value` is neither an int nor a pair of ints.
    ValueError
        If a number is less than `least`, or more than an int32 holds, or a tensor
        of these sides would be too large.
    """
    pair = (value, value) if isinstance(value, int) else value
    if (
        not isinstance(pair, tuple | list)
        or len(pair) != 2
        or any(not isinstance(side, int) or isinstance(side, bool) for side in pair)
    ):
        raise TypeError(f"{name} is {value!r}; expected an int or a pair of ints")
    if min(pair) < least:
        raise ValueError(f"{name} is {value!r}; expected at least {least}")
    if max(pair) > MOST:
        raise ValueError(f"{name} is {value!r}; expected at most {MOST}")
    if pair[0] * pair[1] > ROOM:
        raise ValueError(
            f"{name} is {value!r}; expected at most {ROOM:,} if multiplied"
        )
    return tuple(pair)


def check_steps(
    stride: int | tuple[int, int],
    padding: int | tuple[int, int] | str,
    dilation: int | tuple[int, int],
) -> None:
    """Refuse what is no stride, padding and dilation, whatever the picture.

    Parameters
    ----------
    stride, padding, dilation
        As in `conv.conv2d`.

    Raises
    ------
    TypeError, ValueError
        If one is no int or pair of ints, or too small; if `padding` is a word other
        than 'same' and 'valid', or 'same' with a stride.
    """
    pair = as_pair("stride", stride)
    as_pair("dilation", dilation)
    if not isinstance(padding, str):
        as_pair("padding", padding, least=0)
    elif padding not in ("same", "valid"):
        raise ValueError(f"padding is {padding!r}; expected 'same', 'valid' or ints")
    elif padding == "same" and pair != (1, 1):
        raise ValueError(f"padding is 'same' with stride {pair}; expected stride 1")


def check_choice(name: str, value: str, choices: tuple[str, ...]) -> None:
    """Refuse what is not one of a few words."""
    if not isinstance(value, str) or value not in choices:
        raise ValueError(
            f"{name} is {value!r}; expected {' or '.join(map(repr, choices))}"
        )


def check_number(name: str, value: float) -> None:
    """Refuse what is not a finite int or float; True and False are none."""
    if not isinstance(value, int | float) or isinstance(value, bool):
        raise TypeError(f"{name} is {value!r}; expected a number")
    if not math.isfinite(value):
        raise ValueError(f"{name} is {value}; expected a finite number")


def check_int(name: str, value: int) -> None:
    """Refuse what is not an int; True and False are none."""
    if not isinstance(value, int) or isinstance(value, bool):
        raise TypeError(f"{name} is {value!r}; expected an int")


def check_count(name: str, value: int) -> None:
    """Refuse what is not an int, and an int that is less than 1, or huge."""
    check_int(name, value)
    if value < 1:
        raise ValueError(f"{name} is {value}; expected at least 1")
    if value > MOST:
        raise ValueError(f"{name} is {value}; expected at most {MOST}")


def check_same_length(name: str, value: object, other: str, count: int) -> None:
    """Refuse something with more or fewer entries than another has."""
    if len(value) != count:
        raise ValueError(
            f"{name} has {len(value)} entries; expected {count}, one for each of the "
            f"{other}"
        )


def check_labels(labels: Tensor) -> None:
    """Refuse what is no tensor of one class a picture, counted from 0."""
    check_tensor("labels", labels, ("pictures",))
    if labels.is_floating_point() or labels.dtype == torch.bool:
        raise TypeError(f"labels has dtype {labels.dtype}; expected whole numbers")


def check_groups(in_channels: int, out_channels: int, groups: int) -> None:
    """Refuse numbers of channels that `groups` doesn't divide.

    Parameters
    ----------
    in_channels, out_channels, groups : int
        Each at least 1.

    Raises
    ------
    TypeError
        If a number is not an int.
    ValueError
        If one is less than 1, or `groups` is not a divisor of the others.
    """
    numbers = {"in_channels": in_channels, "out_channels": out_channels}
    for name, number in (numbers | {"groups": groups}).items():
        check_count(name, number)
    check_room("in_channels", in_channels, (out_channels, in_channels // groups))
    if in_channels % groups or out_channels % groups:
        raise ValueError(
            f"groups is {groups}; expected a divisor of {in_channels} in_channels "
            f"and of {out_channels} out_channels"
        )


def check_channels(
    X: Tensor, K: Tensor, bias: Tensor | None, groups: int, transposed: bool
) -> None:
    """Refuse a batch, kernels, a bias and groups whose channels don't match.

    Parameters
    ----------
    X : Tensor
        (N, C_in, H, W).
    K : Tensor
        (C_out, C_in/groups, h, w), or if transposed (C_in, C_out/groups, h, w).
    bias : Tensor or None
        (C_out,).
    groups : int
        At least 1; it divides both numbers of channels.
    transposed : bool
        Whether the kernels are those of a transposed convolution.
    """
    check_int("groups", groups)
    in_channels, first = X.shape[1], K.shape[0]
    if groups < 1 or in_channels % groups or first % groups:
        raise ValueError(
            f"groups is {groups}; expected a divisor of X's {in_channels} channels "
            f"and of K's first axis, {first}"
        )
    axis, wanted = (0, in_channels) if transposed else (1, in_channels // groups)
    if K.shape[axis] != wanted:
        raise ValueError(
            f"K has shape {tuple(K.shape)}; expected {wanted} on axis {axis}, since X "
            f"has {in_channels} channels in {groups} groups"
        )
    out_channels = K.shape[1] * groups if transposed else first
    if bias is not None:
        check_tensor("bias", bias, ("out_channels",))
        check_device("bias", bias, X)
        if len(bias) != out_channels:
            raise ValueError(
                f"bias has {len(bias)} numbers; expected {out_channels}, one for each "
                f"output channel"
            )
