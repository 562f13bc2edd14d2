"""The checks of arguments, which are applied only at the public boundary.

`conv/__init__.py` wraps the functions that learners call in `validated`. Behind that
boundary, functions call each other unwrapped, so they contain only the arithmetic. The
layers are the exception: they call the wrapped operators, because learners pass their
images to layers, too.
"""

import functools
import inspect
from collections.abc import Callable, Iterable, Iterator, Sequence
from numbers import Integral, Number, Real
from pathlib import Path
from types import NoneType, UnionType
from typing import Any, get_args, get_origin, get_type_hints

import torch
from torch import Tensor

from conv.functional import Size, as_pair, promote_to_float

Check = Callable[[str, Any], Any]
VARIADIC = inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD
NUMBERS = {int: Integral, float: Real}  # NumPy's numbers are instances of these
TYPE_NAMES = {
    "LRScheduler": "an LRScheduler",
    "Module": "an nn.Module",
    "Sequential": "an nn.Sequential",
    "Tensor": "a torch.Tensor",
    "bool": "True or False",
    "float": "a number",
    "mapping": "a dict",
}


def validated(
    target: Callable, *rules: Callable, to_float: Sequence[str] = (), **specs: Any
) -> Callable:
    """Return a function that checks its arguments before it does its work.

    Checks what the caller passed against the type hints, or against the argument's
    spec where one is given; then applies the rules.

    Parameters
    ----------
    target : callable
        What to wrap: a function, or the ``__init__`` of a class.
    *rules : callable
        Called with all arguments by name. They raise an error if the arguments don't
        fit together.
    to_float : sequence of str
        Tensors to promote to one floating-point dtype.
    **specs : str or callable
        For a tensor, its axes: ``"N C H W"``. An axis that occurs in two tensors must
        have one size; ``"C_in/groups"`` is the size of C_in divided by the argument
        `groups`. For any other argument, a check such as `size` returns: a function
        of the argument's name and value that returns the value to use.

    Returns
    -------
    callable
        Has the signature, the docstring and the source of `target`.
    """
    signature = inspect.signature(target)
    parameters = [p for p in signature.parameters.values() if p.kind not in VARIADIC]
    defaults = {p.name: p.default for p in parameters}
    hints = {n: of_type(hint) for n, hint in get_type_hints(target).items()}
    axes = {n: spec.split() for n, spec in specs.items() if isinstance(spec, str)}
    checks = {n: c for n, c in (hints | specs).items() if n in defaults.keys() - axes}

    @functools.wraps(target)
    def checked(*args: Any, **kwargs: Any) -> Any:
        bound = signature.bind(*args, **kwargs)
        given = bound.arguments
        for name, value in given.items():
            if name in checks and value is not defaults[name]:  # defaults are valid
                given[name] = checks[name](name, value)
        values = defaults | given
        check_tensors(values, [n for n in axes if values[n] is not defaults[n]], axes)
        for rule in rules:
            rule(**values)
        tensors = promote_to_float(*(given[name] for name in to_float))
        given.update(zip(to_float, tensors, strict=True))
        return target(*bound.args, **bound.kwargs)

    checked.__module__ = target.__module__.partition(".")[0]  # where pickle finds it
    return checked


def of_type(hint: Any) -> Check:
    """Make the check for a type hint, such as ``Iterable[Tensor] | None``."""
    hints = get_args(hint) if isinstance(hint, UnionType) else (hint,)
    kinds = [get_origin(part) or part for part in hints]
    classes = tuple(NUMBERS.get(kind, kind) for kind in kinds)
    no_flags = bool not in kinds  # in Python, True is an int, too
    wanted = " or ".join(type_name(kind) for kind in kinds if kind is not NoneType)

    def check(name: str, value: Any) -> Any:
        if not isinstance(value, classes) or (no_flags and isinstance(value, bool)):
            raise TypeError(f"{name} is {describe(value)}; expected {wanted}")
        return value

    return check


def type_name(kind: type) -> str:
    """Name a type with an article: "an int", "a callable", "a torch.Tensor"."""
    is_abstract = kind.__module__ == "collections.abc"
    name = kind.__name__.lower() if is_abstract else kind.__name__
    article = "an" if name[0].lower() in "aeio" else "a"
    return TYPE_NAMES.get(name, f"{article} {name}")


def describe(value: Any) -> str:
    """Show a short value in full, and any other value by its type."""
    short = isinstance(value, NoneType | str | Number)
    return repr(value) if short else f"of type {type(value).__name__}"


def check_tensor(name: str, value: Any) -> Tensor:
    """Require a tensor."""
    if not isinstance(value, Tensor):
        raise TypeError(f"{name} is {describe(value)}; expected a torch.Tensor")
    return value


def check_tensors(values: dict, names: list[str], axes: dict[str, list[str]]) -> None:
    """Require tensors with the given axes, on one device."""
    sizes: dict[str, tuple[int, str]] = {}
    for name in names:
        value, wanted = check_tensor(name, values[name]), axes[name]
        shape, first = tuple(value.shape), names[0]
        if len(shape) != len(wanted) or 0 in shape:
            comma = "," if len(wanted) == 1 else ""  # as in a tuple
            found = f"{name} has shape {shape}; expected ({', '.join(wanted)}{comma})"
            raise ValueError(f"{found} with no axis of size 0" if 0 in shape else found)
        if value.device != values[first].device:
            found = f"{name} is on {value.device}, {first} is on {values[first].device}"
            raise ValueError(f"{found}; expected {name}.to({first}.device)")
        for axis, count in zip(wanted, shape, strict=True):
            axis, _, divisor = axis.partition("/")  # "C_in/groups", or a plain "C_in"
            count *= values[divisor] if divisor else 1
            known, other = sizes.setdefault(axis, (count, name))
            if count != known:
                found = f"{name} has shape {shape}, so {axis} is {count}"
                found += f" with {divisor}={values[divisor]}" if divisor else ""
                raise ValueError(f"{found}; expected {known}, as in {other}")


# --- Specs: what one argument may be --------------------------------------------------


def int_from(least: int) -> Check:
    """Make the check for an int with a lower limit."""

    def check(name: str, value: Any) -> int:
        if of_type(int)(name, value) < least:
            raise ValueError(f"{name} is {value}; expected at least {least}")
        return value

    return check


positive_int, nonnegative_int = int_from(1), int_from(0)


def size(least: int = 1, *words: str) -> Check:
    """Make the check for an int, a pair of ints, or one of the words."""
    wanted = " or ".join(["an int or a pair of ints", *map(repr, words)])
    wanted = wanted.replace(" or ", ", ", len(words))

    def check(name: str, value: Any) -> Size | str:
        if isinstance(value, str) and value in words:
            return value
        sides = value if isinstance(value, tuple | list) else (value, value)
        if len(sides) != 2 or not all(isinstance(side, Integral) for side in sides):
            raise TypeError(f"{name} is {value!r}; expected {wanted}")
        if min(sides) < least:
            raise ValueError(f"{name} is {value!r}; expected at least {least}")
        return value

    return check


def pair(name: str, value: Any) -> tuple[int, int]:
    """Require a size, and repeat a single int."""
    return as_pair(size()(name, value))


def image_list(*channels: int) -> Check:
    """Make the check for finite images, (H, W) or (H, W, channels); returns a list."""
    wanted = " or ".join(["(H, W)", *(f"(H, W, {c})" for c in channels)])

    def check(name: str, value: Any) -> list[Tensor]:
        images = [torch.as_tensor(image) for image in of_type(Iterable)(name, value)]
        for image in images:
            if image.ndim != 2 and (image.ndim != 3 or image.shape[2] not in channels):
                found = f"{name} contains shape {tuple(image.shape)}"
                raise ValueError(f"{found}; expected {wanted}")
            if not image.isfinite().all():
                raise ValueError(f"{name} contains nan or inf; expected finite numbers")
        if sum(image.numel() for image in images) == 0:
            raise ValueError(f"{name} is empty; expected at least one image")
        return images

    return check


def box_list(name: str, value: Any) -> Tensor:
    """Require boxes (left, top, right, bottom) of shape (N, 4); there may be none."""
    if check_tensor(name, value).ndim != 2 or value.shape[1] != 4:
        raise ValueError(f"{name} has shape {tuple(value.shape)}; expected (N, 4)")
    if (value[:, 2:] < value[:, :2]).any():
        found = f"{name} contains a box with right < left or bottom < top"
        raise ValueError(f"{found}; expected (left, top, right, bottom)")
    return value


def row_list(name: str, value: Any) -> Tensor:
    """Require a tensor with one axis. It may be empty."""
    if check_tensor(name, value).ndim != 1:
        raise ValueError(f"{name} has shape {tuple(value.shape)}; expected (N,)")
    return value


def fraction(name: str, value: Any) -> float:
    """Require a number from 0 to 1."""
    if not 0 <= of_type(float)(name, value) <= 1:
        raise ValueError(f"{name} is {value}; expected a number from 0 to 1")
    return value


# --- Rules: how arguments fit together, with the names that the functions use ---------


def check_corr2d(X, K, **_):
    """Require a kernel that fits inside the image."""
    if K.shape[0] > X.shape[0] or K.shape[1] > X.shape[1]:
        shapes = f"K has shape {tuple(K.shape)} and X has shape {tuple(X.shape)}"
        raise ValueError(f"{shapes}; expected a kernel that fits inside X")


def check_groups(in_channels, out_channels, groups, **_):
    """Require numbers of channels that can be split into groups."""
    if in_channels % groups or out_channels % groups:
        channels = f"both in_channels ({in_channels}) and out_channels ({out_channels})"
        raise ValueError(f"groups is {groups}; expected a divisor of {channels}")


def check_window(size, kernel_size, padding, dilation, **_):
    """Require a window that fits inside the padded image."""
    sizes = map(as_pair, (size, kernel_size, padding, dilation))
    for n, k, p, d in zip(*sizes, strict=True):
        if (span := d * (k - 1) + 1) > n + 2 * p:
            found = f"kernel_size is {k} with dilation {d}, so it covers {span} pixels"
            raise ValueError(f"{found}; expected at most {n + 2 * p}, padding included")


def check_conv2d(X, K, stride, padding, dilation, groups, **_):
    """Require channels that fit the groups, and a kernel that fits inside the image."""
    check_groups(X.shape[1], len(K), groups)
    if padding != "same":
        padding = 0 if padding == "valid" else padding
        check_window(X.shape[2:], K.shape[2:], padding, dilation)
    elif as_pair(stride) != (1, 1):
        raise ValueError(f"padding is 'same' with stride {stride}; expected stride 1")


def check_transpose2d(X, K, stride, padding, output_padding, dilation, groups, **_):
    """Require channels that fit the groups, and an output that isn't cropped away."""
    check_groups(X.shape[1], K.shape[1] * groups, groups)
    options = map(as_pair, (stride, padding, output_padding, dilation))
    for n, k, s, p, extra, d in zip(X.shape[2:], K.shape[2:], *options, strict=True):
        if (limit := max(s, d)) <= extra:
            raise ValueError(f"output_padding is {extra}; expected less than {limit}")
        if (full := (n - 1) * s + d * (k - 1) + 1 + extra) <= 2 * p:
            found = f"padding is {p}, which would crop away the whole output"
            raise ValueError(f"{found}; expected at most {(full - 1) // 2}")


def check_pool2d(X, pool_size, mode, padding, **_):
    """Require a known mode, limited padding, and a window that fits."""
    if mode not in ("max", "avg"):
        raise ValueError(f"mode is {mode!r}; expected 'max' or 'avg'")
    pairs = zip(as_pair(padding), as_pair(pool_size), strict=True)
    if any(2 * p > k for p, k in pairs):
        raise ValueError(f"padding is {padding}; expected at most half of {pool_size=}")
    check_window(X.shape[2:], pool_size, padding, 1)


def check_same_device(**values):
    """Require tensors on one device."""
    tensors = {n: v for n, v in values.items() if isinstance(v, Tensor)}
    (first, one), *others = tensors.items()
    for name, other in others:
        if other.device != one.device:
            found = f"{name} is on {other.device}, {first} is on {one.device}"
            raise ValueError(f"{found}; expected {name}.to({first}.device)")


def check_one_per_box(boxes, **values):
    """Require as many scores or rows of offsets as there are boxes."""
    [(name, value), *_] = values.items()
    if value.shape[0] != len(boxes):
        wanted = f"{len(boxes)}, one per box"
        raise ValueError(f"{name} has length {len(value)}; expected {wanted}")
    check_same_device(boxes=boxes, **{name: value})


def check_offsets(boxes, offsets, **_):
    """Require four offsets for each box."""
    if offsets.ndim != 2 or offsets.shape[1] != 4:
        raise ValueError(f"offsets has shape {tuple(offsets.shape)}; expected (N, 4)")
    check_one_per_box(boxes, offsets=offsets)


def check_matching(boxes, truth, limit, **_):
    """Require at least one true box, and a positive limit."""
    check_same_device(boxes=boxes, truth=truth)
    if len(truth) == 0:
        raise ValueError("truth has no boxes; expected at least one")
    if limit == 0:
        raise ValueError("limit is 0; expected more than 0")


def check_hits(hits, total, **_):
    """Require booleans, and at most as many hits as objects."""
    if hits.dtype != torch.bool:
        raise TypeError(f"hits has dtype {hits.dtype}; expected torch.bool")
    if (count := int(hits.sum())) > total:
        raise ValueError(
            f"total is {total}; expected at least {count}, the number of hits"
        )


def check_same_shape(**tensors):
    """Require two tensors of one shape on one device."""
    (first, a), (second, b) = tensors.items()
    if a.shape != b.shape:
        found = f"{second} has shape {tuple(b.shape)}"
        raise ValueError(f"{found}; expected {tuple(a.shape)}, the shape of {first}")
    check_same_device(**tensors)


def check_masks(**masks):
    """Require two bool masks of one shape; & and | would combine the bits of ints."""
    for name, mask in masks.items():
        if mask.dtype != torch.bool:
            found = f"{name} has dtype {mask.dtype}"
            raise TypeError(f"{found}; expected torch.bool, such as {name} > 0.5")
    check_same_shape(**masks)


def check_fit(
    net, batches, loss, optimizer, validation, metric, scheduler, checkpoint, **_
):
    """Require what would otherwise fail after an epoch, or silently have no effect."""
    for name, data in {"batches": batches, "validation": validation}.items():
        if isinstance(data, Iterator):
            found = f"{name} is a {type(data).__name__}, which can be used only once"
            raise TypeError(f"{found}; expected a list or a DataLoader")
    if isinstance(loss, type):
        name = loss.__name__
        raise TypeError(f"loss is the class {name}; expected an instance, {name}()")
    if metric is not None and validation is None:
        found = "validation is None, but metric is given"
        raise ValueError(f"{found}; expected batches on which to compute the metric")
    trained = {p for group in optimizer.param_groups for p in group["params"]}
    if trained.isdisjoint(net.parameters()):
        raise ValueError(
            "optimizer has none of net's parameters; expected an optimizer that was "
            "created with net.parameters()"
        )
    if scheduler is not None and scheduler.optimizer is not optimizer:
        found = "scheduler belongs to another optimizer"
        raise ValueError(f"{found}; expected one that was created with `optimizer`")
    if checkpoint is not None and not Path(checkpoint).parent.is_dir():
        wanted = "a file name in an existing folder"
        raise ValueError(f"checkpoint is {checkpoint}; expected {wanted}")
