"""Misconceptions that can occur in any exercise.

They are recognized by how the wrong results are related to the expected ones.
"""

from collections.abc import Callable, Sequence

import numpy as np
from torch import Tensor

from conv.exercises.case_result import CaseResult
from conv.exercises.comparison import TOLERANCE, close

Results = Sequence[CaseResult]  # of one function, on all cases of its exercise


def nothing_returned(results: Results) -> bool:
    """Return whether every call returned None and printed nothing."""
    return all_returned(results, "nothing") and not results[0].outcome.printed


def printed_instead(results: Results) -> bool:
    """Return whether every call returned None, but printed something."""
    return all_returned(results, "nothing") and results[0].outcome.printed


def all_returned(results: Results, kind: str) -> bool:
    """Return whether every call returned an object of the given kind."""
    returned = [result.outcome.returned for result in results]
    return all(summary is not None and summary.kind == kind for summary in returned)


def values_and_indices(results: Results) -> bool:
    """Return whether all results are pairs whose first part is the expected result."""
    arrays = [(result.actual, result.expected) for result in results]
    return all(
        actual is not None
        and actual.shape == (2, *expected.shape)
        and close(actual[0], expected)
        for actual, expected in arrays
    )


def transposed(results: Results) -> bool:
    """Return whether rows and columns of all results are swapped."""
    return all_equal_to(results, lambda array: array.swapaxes(-1, -2), min_ndim=2)


def negated(results: Results) -> bool:
    """Return whether all results have the wrong sign."""
    return all_equal_to(results, np.negative)


def scaled(results: Results) -> bool:
    """Return whether all results are the same multiple of the expected ones."""
    pairs = pairs_of_equal_shape(results)
    if not pairs:
        return False
    actual, expected = (
        np.concatenate([pair[k].ravel() for pair in pairs]) for k in (0, 1)
    )
    if not np.isfinite(actual).all() or not expected.any():
        return False
    factor = (actual @ expected) / (expected @ expected)
    return abs(factor) > TOLERANCE and close(actual, factor * expected)


def shifted_by_constant(results: Results) -> bool:
    """Return whether the same number was added to every element."""
    pairs = pairs_of_equal_shape(results)
    differences = [(actual - expected).ravel() for actual, expected in pairs]
    if len(pairs) < 2 or not all(d.size for d in differences):
        return False
    every = np.concatenate(differences)
    return close(every, np.full_like(every, every[0]))


def constant_result(results: Results) -> bool:
    """Return whether all cases gave the same result."""
    arrays = [result.actual for result in results]
    if len(arrays) < 3 or any(array is None for array in arrays):
        return False
    first = arrays[0]
    return all(array.shape == first.shape and close(array, first) for array in arrays)


def all_zeros(results: Results) -> bool:
    """Return whether all results have the right shape and contain only zeros."""
    pairs = pairs_of_equal_shape(results)
    return bool(pairs) and not any(actual.any() for actual, _ in pairs)


def one_too_few(results: Results) -> bool:
    """Return whether all results are one element shorter, along one axis or more."""
    return all_sizes_differ_by(results, (-1, 0))


def one_too_many(results: Results) -> bool:
    """Return whether all results are one element longer, along one axis or more."""
    return all_sizes_differ_by(results, (0, 1))


def all_sizes_differ_by(results: Results, allowed: tuple[int, int]) -> bool:
    """Return whether all shapes are wrong, each size by one of the allowed amounts."""
    for result in results:
        actual, expected = result.actual, result.expected
        if (
            actual is None
            or actual.ndim != expected.ndim
            or actual.shape == expected.shape
        ):
            return False
        if set(np.subtract(actual.shape, expected.shape)) - set(allowed):
            return False
    return True


def only_squares_right(results: Results) -> bool:
    """Return whether only the cases with square shapes are right."""
    square = [r for r in results if r.is_square]
    oblong = [
        r
        for r in results
        if r.expected.ndim > 1 and r.expected.shape[-2] != r.expected.shape[-1]
    ]
    conclusive = any(r.expected.size > 1 for r in square) and bool(oblong)
    return (
        conclusive and all(r.right for r in square) and not any(r.right for r in oblong)
    )


def loop_over_wrong_axis(results: Results) -> bool:
    """Return whether only square cases are right and others raise an IndexError."""
    errors = [result.outcome.error for result in results if result.outcome.error]
    out_of_bounds = any(error.startswith("IndexError") for error in errors)
    return out_of_bounds and only_squares_right(results)


def only_single_images_right(results: Results) -> bool:
    """Return whether only batches of one image are right."""
    batches = [r for r in results if is_batch(r.case[0])]
    single = [r for r in batches if len(r.case[0]) == 1]
    larger = [r for r in batches if len(r.case[0]) > 1]
    if not single or not larger or len(batches) < len(results):
        return False
    return all(r.right for r in single) and not any(r.right for r in larger)


def is_batch(part: object) -> bool:
    """Return whether an argument has shape (N, C, H, W)."""
    return isinstance(part, Tensor) and part.ndim == 4


def unexpected_nan(results: Results) -> bool:
    """Return whether a result contains nan where a number was expected."""
    return any(
        actual.shape == expected.shape
        and (np.isnan(actual) & ~np.isnan(expected)).any()
        for actual, expected in (
            (r.actual, r.expected) for r in results if r.actual is not None
        )
    )


def all_equal_to(
    results: Results, transform: Callable[[np.ndarray], np.ndarray], min_ndim: int = 0
) -> bool:
    """Return whether all results equal a transform of the expected ones."""
    pairs = [(result.actual, result.expected) for result in results]
    if any(actual is None or want.ndim < min_ndim for actual, want in pairs):
        return False
    transformed = [(actual, transform(expected)) for actual, expected in pairs]
    return all(
        actual.shape == expected.shape and close(actual, expected)
        for actual, expected in transformed
    )


def pairs_of_equal_shape(results: Results) -> list[tuple[np.ndarray, np.ndarray]]:
    """Pair actual and expected arrays; empty unless all shapes are right."""
    pairs = [(result.actual, result.expected) for result in results]
    if any(actual is None or actual.shape != want.shape for actual, want in pairs):
        return []
    return pairs


# Name, message and test. Those that are least likely to hold by chance come first.
GENERIC_MISTAKES: list[tuple[str, str, Callable[[Results], bool]]] = [
    (
        "missing return",
        "Your function returned None. Does it end with a `return` statement? A "
        "function without one returns None. The `.grad` of a tensor that was computed "
        "from other tensors is None, too.",
        nothing_returned,
    ),
    (
        "printed instead of returned",
        "Your function prints its result but returns None. Other code can't use the "
        "printed text, so return the result instead.",
        printed_instead,
    ),
    (
        "nan in the result",
        "Your result contains nan. Look for a division 0 / 0, a square root or a "
        "logarithm of a negative number, or a tensor from `torch.empty` that your "
        "function doesn't fill completely. The checker fills such a tensor with nan; "
        "elsewhere, it contains arbitrary numbers.",
        unexpected_nan,
    ),
    (
        "values and indices",
        "Your function returns two results, and the first one alone would be correct. "
        "Methods such as `x.max(dim=...)` return both the values and their indices; "
        "use `.values` to get the values.",
        values_and_indices,
    ),
    (
        "all zeros",
        "Every element of your result is zero. Check that your function uses the "
        "result of every step: `y + x` creates a new tensor and leaves `y` unchanged, "
        "whereas `y += x` changes `y`.",
        all_zeros,
    ),
    (
        "same result for every input",
        "Your function returns the same result for every input. Which argument does it "
        "ignore?",
        constant_result,
    ),
    (
        "wrong sign",
        "Your result has the wrong sign everywhere. Is a minus sign missing, or are "
        "the two sides of a subtraction swapped?",
        negated,
    ),
    (
        "transposed output",
        "Your values are correct, but rows and columns are swapped. The first index "
        "selects the row, and the second one selects the column.",
        transposed,
    ),
    (
        "loop over the wrong axis",
        "Your function works for square inputs, but for other shapes an index is out "
        "of bounds. One of your loops takes its range from the wrong axis.",
        loop_over_wrong_axis,
    ),
    (
        "rows and columns mixed up",
        "Your function works for square inputs but fails for all other shapes. "
        "Somewhere it uses a height instead of a width, or a width instead of a "
        "height. Compare each index with the range of its loop.",
        only_squares_right,
    ),
    (
        "works for one image only",
        "Your function works for a batch of one image but fails for larger batches. "
        "Somewhere it sums over the batch axis, drops it, or assumes that its length "
        "is 1.",
        only_single_images_right,
    ),
    (
        "one element too short",
        "Your result is one element too short. Count the outputs of a small case by "
        "hand. For example, a window of 2 pixels fits into a row of 3 pixels at two "
        "positions.",
        one_too_few,
    ),
    (
        "one element too long",
        "Your result is one element too long. Count the outputs of a small case by "
        "hand. For example, a window of 2 pixels fits into a row of 3 pixels at two "
        "positions.",
        one_too_many,
    ),
    (
        "scaled by a constant",
        "Your result is the expected result times a constant. Which factor or divisor "
        "is missing, or doesn't belong there?",
        scaled,
    ),
    (
        "shifted by a constant",
        "Your result is the expected result plus a constant. Which term is missing, or "
        "doesn't belong there?",
        shifted_by_constant,
    ),
]
