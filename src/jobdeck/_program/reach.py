"""What a function reaches by name: its globals, closure variables, defaults and parts, one level at a time."""

from __future__ import annotations

import functools
from collections.abc import Iterator
from types import CodeType, FunctionType, MethodType
from typing import Any, NamedTuple


class Part(NamedTuple):
    """Something that an object cannot be pickled without, and how a person would name it."""

    label: str
    value: Any


def parts_of_function(function: FunctionType) -> Iterator[Part]:
    """Yield what a function pickled by value takes along."""
    name = function.__name__
    for variable, cell in zip(function.__code__.co_freevars, function.__closure__ or (), strict=False):
        try:
            yield Part(f"variable {variable!r} that {name}() closes over", cell.cell_contents)
        except ValueError:  # a cell that is still empty
            continue
    scope = function.__globals__
    for variable in sorted(_names(function.__code__)):
        if variable in scope:
            yield Part(f"global variable {variable!r} that {name}() uses", scope[variable])
    for number, value in enumerate(function.__defaults__ or ()):
        yield Part(f"default value {number + 1} of {name}()", value)
    for keyword, value in (function.__kwdefaults__ or {}).items():
        yield Part(f"default value of {keyword!r} of {name}()", value)
    for attribute, value in vars(function).items():
        yield Part(f"attribute {attribute!r} of {name}()", value)


def parts_of_callable(value: Any) -> Iterator[Part]:
    """Yield what a function, bound method, ``functools.partial`` or class is made of."""
    if isinstance(value, FunctionType):
        yield from parts_of_function(value)
    elif isinstance(value, MethodType):
        yield Part("the object that the method belongs to", value.__self__)
        yield Part(f"method {value.__func__.__name__}()", value.__func__)
    elif isinstance(value, functools.partial):
        yield Part("the function of the partial", value.func)
        for number, argument in enumerate(value.args):
            yield Part(f"argument {number + 1} of the partial", argument)
        for keyword, argument in value.keywords.items():
            yield Part(f"argument {keyword!r} of the partial", argument)
    elif isinstance(value, type):
        for attribute, part in vars(value).items():
            function = getattr(part, "__func__", part)
            if not attribute.startswith("__") or isinstance(function, FunctionType):
                yield Part(f"{value.__name__}.{attribute}", function)


def reachable_functions(program: Any) -> Iterator[FunctionType]:
    """Yield a program's function, and the functions that it reaches in ``__main__``, each once."""
    seen: set[int] = set()
    waiting = [program]
    while waiting:
        value = waiting.pop()
        if id(value) in seen:
            continue
        seen.add(id(value))
        if isinstance(value, FunctionType):
            if value is not program and value.__module__ != "__main__":
                continue
            yield value
        elif not isinstance(value, (MethodType, functools.partial, type)):
            waiting.append(type(value))
            continue
        elif isinstance(value, type) and value.__module__ != "__main__":
            continue
        waiting.extend(part.value for part in parts_of_callable(value))


def _names(code: CodeType) -> set[str]:
    names = set(code.co_names)
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            names |= _names(constant)
    return names
