"""What the errors mean that Python and PyTorch raise in a learner's function."""

from conv.exercises.worker import MIXED_DTYPES

# Part of the error's text, name of the misconception, message.
ERRORS = [
    (
        "RecursionError",
        "infinite recursion",
        "Your function calls itself again and again. Is there a case in which it "
        "returns without doing so?",
    ),
    (
        "allocate memory",
        "out of memory",
        "Your function asked for more memory than there is. Check the sizes that you "
        "allocate.",
    ),
    (
        "a leaf Variable that requires grad",
        "in-place change of a leaf",
        "PyTorch doesn't allow an in-place change (such as `w -= ...`) of a tensor "
        "that requires a gradient, because it would be part of the computation. Do it "
        "inside `with torch.no_grad():`, or create a new tensor.",
    ),
    (
        "modified by an inplace operation",
        "in-place change before backward",
        "A tensor that `backward()` still needs was changed in place. Create a new "
        "tensor instead (`y = y + x`, not `y += x`).",
    ),
    (
        "does not require grad",
        "nothing to differentiate",
        "PyTorch can't go backward from here, because no input of the computation "
        "requires a gradient. Was `requires_grad_()` called before the computation? "
        "`.detach()`, `.data` and `torch.no_grad()` also end the graph.",
    ),
    (
        "backward through the graph a second time",
        "backward called twice",
        "`backward()` frees the graph. Compute the loss again before you call it "
        "again.",
    ),
    (
        "to not have been used in the graph",
        "input not part of the graph",
        "The output doesn't depend on the tensor that you differentiate with respect "
        "to. Did you compute it from another tensor, such as the original instead of "
        "its copy?",
    ),
    (
        "'NoneType'",
        "None used",
        "Something is None here. A function without `return` returns None. The `.grad` "
        "of a tensor is None until `backward()` has run, and stays None for a tensor "
        "that was computed from others (only leaves get one).",
    ),
    (
        "call numpy() on Tensor that requires grad",
        "NumPy on a differentiable tensor",
        "A tensor that is part of a graph can't become a NumPy array. Use tensor "
        "operations, or `.detach()` if no gradient is needed.",
    ),
    (
        "EOFError",
        "input requested",
        "Your function waits for input from the keyboard. Use its arguments instead.",
    ),
    (
        "SystemExit",
        "ends Python",
        "Your function ends Python. To leave a function, use `return`.",
    ),
    (
        "must match the size of tensor",
        "shapes don't match",
        "The shapes of two tensors don't fit together here. Print both shapes just "
        "before this line.",
    ),
    (
        "shapes cannot be multiplied",
        "shapes don't match",
        "In a matrix product, the number of columns on the left must be the number of "
        "rows on the right. Print both shapes just before this line.",
    ),
    *(
        (
            part,
            "dtypes mixed",
            "Two tensors have different dtypes, such as float32 and float64. Convert "
            "one of them with `.to(x.dtype)`, or create it with `x.new_tensor(...)`.",
        )
        for part in MIXED_DTYPES
    ),
    (
        "value of Tensor with more than one value is ambiguous",
        "tensor as a condition",
        "An `if`, `and` or `while` needs one truth value, but the tensor has several "
        "elements. Compare with `torch.where`, `.any()` or `.all()`.",
    ),
    (
        "converted to Scalar",
        "several elements for one number",
        "One number is needed here, but the tensor has several elements, or none.",
    ),
    (
        "non-int of type 'float'",
        "arithmetic with a list",
        "A list doesn't do arithmetic with its elements: `*` repeats it. Convert it "
        "with `torch.tensor(...)`.",
    ),
    (
        "unsupported operand type(s)",
        "types that don't go together",
        "The two sides of an operator have types that it can't combine, such as a list "
        "and a number. Convert a list with `torch.tensor(...)`.",
    ),
    (
        "positional argument",
        "wrong arguments",
        "A function is called with the wrong number of arguments. The checker calls "
        "yours with the arguments of the stub.",
    ),
    (
        "unexpected keyword argument",
        "wrong arguments",
        "A function is called with an argument that it doesn't have. Check the "
        "spelling in its documentation.",
    ),
    (
        "MemoryError",
        "too much at once",
        "The machine in this exercise has little memory.",
    ),
    (
        "is not defined",
        "unknown name",
        "Your function uses a name that isn't defined. Is it misspelled, or defined "
        "in a cell that hasn't run?",
    ),
]


def explain_error(error: str) -> tuple[str, str]:
    """Return the name and the message of a common error, or two empty strings."""
    for part, name, message in ERRORS:
        if part in error:
            return name, message
    return "", ""
