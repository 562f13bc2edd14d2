"""Find the functions and the names that a learner's function uses."""

import dis
from collections.abc import Iterator
from functools import partial
from types import BuiltinFunctionType, CodeType, FunctionType

NAMING = {"LOAD_GLOBAL", "LOAD_ATTR", "LOAD_METHOD", "IMPORT_NAME", "IMPORT_FROM"}


def functions_of(answer: object) -> list[FunctionType]:
    """List the learner's own functions: the answer, and those that it calls.

    A function is the learner's own if it comes from the same module as the answer,
    which usually is the notebook.
    """
    while isinstance(answer, partial):
        answer = answer.func
    found = [answer] if isinstance(answer, FunctionType) else []
    for function in found:  # grows while the loop runs
        for value in referenced(function).values():
            is_function = isinstance(value, FunctionType) and value not in found
            if is_function and value.__module__ == found[0].__module__:
                found.append(value)
    return found


def referenced(function: FunctionType) -> dict[str, object]:
    """List the global variables and the closure's variables that a function uses."""
    names = {name for code in code_objects(function) for name in code.co_names}
    values = {n: v for n, v in function.__globals__.items() if n in names}
    cells = zip(function.__code__.co_freevars, function.__closure__ or (), strict=True)
    for name, cell in cells:
        try:
            values[name] = cell.cell_contents
        except ValueError:  # the variable isn't assigned yet
            continue
    return values


def globals_used(answer: object) -> dict[str, object]:
    """List the variables from outside that an answer and its helper functions use."""
    return {
        name: value
        for function in functions_of(answer)
        for name, value in referenced(function).items()
    }


def code_objects(function: FunctionType) -> Iterator[CodeType]:
    """List a function's code objects, including those of nested functions."""
    codes = [function.__code__]
    for code in codes:  # grows while the loop runs
        codes += [part for part in code.co_consts if isinstance(part, CodeType)]
        yield code


def names_used(answer: object) -> set[str]:
    """List the names of the functions and attributes that an answer uses.

    A function that was imported also counts under its original name, and under those
    of its module. The learner's own functions don't count, but what they use does.
    """
    own = functions_of(answer)
    names: set[str] = set()
    for function in own:
        values = referenced(function)
        for step in instructions(function):
            value = values.get(step.argval) if step.opname == "LOAD_GLOBAL" else None
            is_own = isinstance(value, FunctionType) and value in own
            if step.opname in NAMING and not is_own:
                names.update(step.argval.split("."))
        for value in values.values():
            library = isinstance(value, FunctionType | BuiltinFunctionType | type)
            if library and value not in own:
                names.update([value.__name__, *str(value.__module__).split(".")])
    return names


def instructions(function: FunctionType) -> Iterator[dis.Instruction]:
    """List the instructions of a function and of its nested functions."""
    for code in code_objects(function):
        yield from dis.get_instructions(code)


def same_code(one: FunctionType, other: FunctionType) -> bool:
    """Compare what two functions load, compute and store, in order.

    Other instructions are ignored, because jump targets and the preparation of calls
    depend on where a function is defined: Python compiles a call to a function of an
    imported module in two ways.
    """

    def steps(function: FunctionType) -> list[tuple]:
        return [
            (step.opname.replace("METHOD", "ATTR"), step.argval)
            for step in dis.get_instructions(function)
            if step.opname.startswith(("LOAD", "STORE", "BINARY", "COMPARE", "RETURN"))
        ]

    return steps(one) == steps(other)
