"""Programs that ask for a backend, and jobs of them that were given none."""

from __future__ import annotations

import ast
import inspect
import linecache
import re
import textwrap
from collections.abc import Iterator
from typing import Any, Final, TypeGuard

from .._errors import InvalidInputError
from .source import Source

BACKEND: Final = "backend"
_WAYS_OUT: Final = (ast.Return, ast.Raise, ast.Yield, ast.YieldFrom)
_PERHAPS: Final = (ast.IfExp, ast.BoolOp, ast.Lambda, ast.GeneratorExp, ast.ListComp, ast.SetComp, ast.DictComp)
"""Expressions of which not all is evaluated in any case."""
_COMPOUND: Final = (ast.If, ast.While, ast.Try, ast.Match, ast.Assert)
_DEFINITIONS: Final = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)


def takes_backend(signature: inspect.Signature | None) -> bool:
    """Tell whether a program has to be given a backend, though it may do without what it is given."""
    parameter = None if signature is None else signature.parameters.get(BACKEND)
    return parameter is not None and parameter.default is inspect.Parameter.empty


def refuse_backendless(source: Source) -> None:
    """Refuse a program that takes a backend, and has none, where it is sure to ask it for something.

    Raises
    ------
    InvalidInputError
        Its text says so. What is decided while it runs is found out by `explained`.
    """
    function = _function_of(source)
    if function is not None and _asks(function.body):
        raise _refusal(source.name)


def explained(name: str, error: Exception) -> Exception:
    """Return what a program that was given no backend fails with: `error`, or what says where that comes from."""
    if not isinstance(error, AttributeError) or error.obj is not None or error.__traceback__ is None:
        return error
    at = error.__traceback__
    while at.tb_next is not None:
        at = at.tb_next
    line = linecache.getline(at.tb_frame.f_code.co_filename, at.tb_lineno)
    return _refusal(name) if re.search(rf"{BACKEND}\w*\s*\.\s*{re.escape(str(error.name))}\b", line) else error


def _refusal(name: str) -> InvalidInputError:
    return InvalidInputError(
        f"program {name!r} asks its backend for something, and was given none: "
        'run(…, options={"backend_name": "aer_simulator"}), or run(…, backend=…) with the backend itself'
    )


def _function_of(source: Source) -> ast.FunctionDef | ast.AsyncFunctionDef | None:
    """Return the text of what is called, None where it cannot be told."""
    if source.text is not None:
        text, name = source.text, "main"
    elif inspect.isfunction(source.target):
        name = source.target.__name__
        try:
            text = textwrap.dedent(inspect.getsource(source.target))
        except (OSError, TypeError):
            return None
    else:
        return None
    try:
        tree = ast.parse(text)
    except SyntaxError:  # a lambda in the middle of a call
        return None
    found = [node for node in tree.body if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef))]
    named = [node for node in found if node.name == name]
    return named[0] if len(named) == 1 and not named[0].decorator_list else None


def _asks(body: list[ast.stmt]) -> bool:
    """Tell whether statements ask the backend for something, whatever else they do before.

    A loop over something counts as run: over nothing, there was no need of the program.
    """
    for statement in body:
        if isinstance(statement, _DEFINITIONS):
            continue
        if isinstance(statement, (ast.For, ast.AsyncFor, ast.With, ast.AsyncWith)):
            head = [statement.iter] if isinstance(statement, (ast.For, ast.AsyncFor)) else statement.items
            if any(map(_is_asked, _evaluated(head))) or _asks(statement.body):
                return True
            is_open = True
        else:
            is_open = isinstance(statement, _COMPOUND)
            if not is_open and any(map(_is_asked, _evaluated([statement]))):
                return True
        if any(_may_do_without(node, is_open) for node in ast.walk(statement)):
            return False
    return False


def _may_do_without(node: ast.AST, is_open: bool) -> bool:
    """Tell whether what comes after is perhaps not run, or run with another backend; or, in a branch, knows of none."""
    if isinstance(node, _WAYS_OUT):
        return True
    return _is_backend(node) and (is_open or isinstance(node.ctx, (ast.Store, ast.Del)))


def _evaluated(nodes: list[Any]) -> Iterator[ast.AST]:
    """Go through what is evaluated in any case."""
    for node in nodes:
        if not isinstance(node, _PERHAPS):
            yield node
            yield from _evaluated(list(ast.iter_child_nodes(node)))


def _is_backend(node: ast.AST) -> TypeGuard[ast.Name]:
    return isinstance(node, ast.Name) and node.id == BACKEND


def _is_asked(node: ast.AST) -> bool:
    return isinstance(node, ast.Attribute) and _is_backend(node.value) and not node.attr.startswith("__")
