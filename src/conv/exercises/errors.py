"""Explain the errors that Python and PyTorch raise in a learner's function."""

from conv.exercises.worker import MIXED_DTYPES

# Part of the error's text, name of the misconception, message.
ERRORS = [
    (
        "RecursionError",
        "infinite recursion",
        "Your function calls itself endlessly. Add a case in which it returns without "
        "calling itself.",
    ),
    (
        "allocate memory",
        "out of memory",
        "Your function tried to allocate more memory than this machine has. Check the "
        "shapes of the tensors that it creates.",
    ),
    (
        "a leaf Variable that requires grad",
        "in-place change of a leaf",
        "PyTorch doesn't allow an in-place change, such as `w -= ...`, to a leaf "
        "tensor that requires a gradient, because autograd would record the change. "
        "Make the change inside `with torch.no_grad():`, or create a new tensor.",
    ),
    (
        "modified by an inplace operation",
        "in-place change before backward",
        "Your function changed a tensor in place that `backward()` still needs. Create "
        "a new tensor instead: write `y = y + x`, not `y += x`.",
    ),
    (
        "does not require grad",
        "nothing to differentiate",
        "PyTorch can't compute a gradient here, because no input of the computation "
        "requires one. Call `requires_grad_()` on the input before the computation. "
        "The cause may also be `.detach()`, `.data` or `torch.no_grad()`, because they "
        "cut the computation graph.",
    ),
    (
        "backward through the graph a second time",
        "backward called twice",
        "The first call of `backward()` frees the computation graph. Compute the loss "
        "again before you call `backward()` a second time.",
    ),
    (
        "to not have been used in the graph",
        "input not part of the graph",
        "The output doesn't depend on the tensor that you differentiate with respect "
        "to. Did you compute the output from another tensor, for example from the "
        "original instead of its copy?",
    ),
    (
        "'NoneType'",
        "None instead of a value",
        "A value in this line is None. A function without a `return` statement returns "
        "None. A tensor's `.grad` is None until `backward()` has run, and it stays "
        "None if the tensor was computed from other tensors, because only leaf tensors "
        "get a `.grad`.",
    ),
    (
        "call numpy() on Tensor that requires grad",
        "NumPy on a differentiable tensor",
        "A tensor that is part of a computation graph can't be converted to a NumPy "
        "array. Use tensor operations, or call `.detach()` first if you don't need the "
        "gradient.",
    ),
    (
        "EOFError",
        "input requested",
        "Your function waits for keyboard input. Use the function's arguments instead.",
    ),
    (
        "SystemExit",
        "exits Python",
        "Your function exits Python. To leave a function, use `return`.",
    ),
    (
        "must match the size of tensor",
        "shapes don't match",
        "The shapes of two tensors in this line don't match. Print both shapes just "
        "before the line.",
    ),
    (
        "shapes cannot be multiplied",
        "shapes don't match",
        "In a matrix product, the left matrix must have as many columns as the right "
        "matrix has rows. Print both shapes just before this line.",
    ),
    *(
        (
            part,
            "mixed dtypes",
            "Two tensors have different dtypes, such as float32 and float64. Convert "
            "one of them with `.to(x.dtype)`, or create it with `x.new_tensor(...)`.",
        )
        for part in MIXED_DTYPES
    ),
    (
        "value of Tensor with more than one value is ambiguous",
        "tensor as a condition",
        "An `if`, `and` or `while` needs a single truth value, but the tensor has "
        "several elements. Use `torch.where`, `.any()` or `.all()`.",
    ),
    (
        "converted to Scalar",
        "not a single number",
        "This line needs a single number, but the tensor has several elements, or "
        "none. Select one element, or reduce the tensor, for example with `.sum()`.",
    ),
    (
        "non-int of type 'float'",
        "arithmetic with a list",
        "Multiplying a list with `*` repeats the list; it doesn't multiply the "
        "elements. Convert the list with `torch.tensor(...)`.",
    ),
    (
        "unsupported operand type(s)",
        "incompatible types",
        "An operator in this line can't combine the types of its operands, such as a "
        "list and a number. Convert lists with `torch.tensor(...)`.",
    ),
    (
        "positional argument",
        "wrong arguments",
        "A function was called with the wrong number of arguments. The checker calls "
        "your function with the parameters given in the exercise, so don't add or "
        "remove any.",
    ),
    (
        "unexpected keyword argument",
        "wrong arguments",
        "A function was called with a keyword argument that it doesn't accept. Look up "
        "the argument's name in the function's documentation.",
    ),
    (
        "MemoryError",
        "too much in memory",
        "There isn't enough memory for everything that your function keeps at the same "
        "time. Process one part after the other.",
    ),
    (
        "is not defined",
        "undefined name",
        "Your function uses a name that isn't defined. Check its spelling, and run the "
        "cell that defines it.",
    ),
]


def explain_error(error: str) -> tuple[str, str]:
    """Return the name and the message of a common error, or two empty strings."""
    for part, name, message in ERRORS:
        if part in error:
            return name, message
    return "", ""
