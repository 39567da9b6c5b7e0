"""A notebook cell's body as a program: what it needs from the notebook, and how it runs in a job's process."""

from __future__ import annotations

import ast
import asyncio
import builtins
import dis
import inspect
import linecache
import sys
import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from types import BuiltinFunctionType, CodeType, FunctionType, ModuleType
from typing import Any, Final

from ._errors import InvalidInputError
from ._messenger import Messenger
from ._program.pickling import dumps, loads
from ._program.preview import preview

PROVIDED: Final = ("publish", "progress", "user_messenger")
"""Names that a cell finds in its job without asking for them."""

_LOADS: Final = frozenset({"LOAD_NAME", "LOAD_GLOBAL", "LOAD_FROM_DICT_OR_GLOBALS"})
_STORES: Final = frozenset({"STORE_NAME", "STORE_GLOBAL"})
_MODE: Final = ast.PyCF_ALLOW_TOP_LEVEL_AWAIT


@dataclass(frozen=True)
class CellProgram:
    """A cell's body with what it uses of the notebook. It returns the value of its last expression.

    Attributes
    ----------
    source : str
        The body, with as many empty lines before it as make its line numbers those of the cell.
    label : str
        Stands for a file name in tracebacks.
    carried : mapping
        Modules, functions and classes of the notebook that the body uses, by name.
    withheld : frozenset of str
        The notebook's other variables that the body names; they are not there.
    outputs : tuple of str
        Variables that go back to the notebook.
    """

    source: str
    label: str
    carried: Mapping[str, Any] = field(default_factory=dict)
    withheld: frozenset[str] = frozenset()
    outputs: tuple[str, ...] = ()

    def __call__(self, /, backend: Any, user_messenger: Messenger, **variables: Any) -> Any:
        scope = vars(sys.modules["__main__"])
        scope.update(self.carried)
        scope.update(publish=user_messenger.publish, progress=user_messenger.progress, user_messenger=user_messenger)
        if backend is not None:
            scope["backend"] = backend
        scope.update(variables)
        linecache.cache[self.label] = (len(self.source), None, self.source.splitlines(keepends=True), self.label)
        try:
            value = _run(_compiled(self.source, self.label), scope)
        except NameError as error:
            if error.name in self.withheld:
                error.args = (
                    f"name {error.name!r} is not defined in the job: it is a variable of the notebook, "
                    f"so pass it with: %%job -i {error.name}",
                )
            raise
        if not self.outputs:
            return value
        return CellResult(value, dict(_packed(scope, self.outputs)))


class CellResult:
    """A cell's value together with the variables that go back. Whoever unpickles it gets the value alone.

    `outputs` holds pickles; None for a variable that the cell has not set, a text for one that cannot be pickled.
    """

    def __init__(self, value: Any, outputs: Mapping[str, bytes | str | None]) -> None:
        self.value = value
        self.outputs = outputs

    def __reduce__(self) -> tuple[Any, tuple[Any, Mapping[str, bytes | str | None]]]:
        return _unwrap, (self.value, self.outputs)

    def __repr__(self) -> str:
        return preview(self.value, 2000)


_collecting = threading.local()


@contextmanager
def collecting() -> Iterator[dict[str, bytes | str | None]]:
    """Collect the outputs of a cell's result that is unpickled in this thread meanwhile."""
    outputs: dict[str, bytes | str | None] = {}
    _collecting.outputs = outputs
    try:
        yield outputs
    finally:
        _collecting.outputs = None


def open_output(packed: bytes) -> Any:
    """Return a variable that came back."""
    return loads(packed)


def make_cell(
    body: str,
    scope: Mapping[str, Any],
    *,
    label: str,
    inputs: Iterable[str] = (),
    outputs: Sequence[str] = (),
    first_line: int = 2,
) -> CellProgram:
    """Make a program of a cell's body.

    Parameters
    ----------
    body
        Python source; `first_line` is the number of its first line in the cell.
    scope
        The notebook's variables.
    label
        Stands for a file name in tracebacks.
    inputs
        Variables that are passed by name.
    outputs
        Variables that go back to the notebook.

    Raises
    ------
    SyntaxError
        The body is no Python.
    InvalidInputError
        A variable that is to be passed does not exist, or one that is to come back is never set.
    """
    source = "\n" * (first_line - 1) + body
    codes = _compiled(source, label)
    given = set(inputs)
    for name in given:
        if name not in scope:
            raise InvalidInputError(f"the notebook has no variable {name!r} to pass with -i")
        if name in PROVIDED:
            raise InvalidInputError(f"{name!r} cannot be passed with -i: a job has its own")
    stored = set().union(*(_names(code, _STORES) for code in codes))
    for name in outputs:
        if name not in stored | given:
            raise InvalidInputError(f"the cell never sets {name!r}, which -o is to bring back")
    used = set().union(*(_names(code, _LOADS) for code in codes)) - given - set(PROVIDED)
    found = {name: scope[name] for name in sorted(used) if name in scope and not hasattr(builtins, name)}
    carried = {name: value for name, value in found.items() if _comes_along(value)}
    return CellProgram(source, label, carried, frozenset(found.keys() - carried.keys()), tuple(outputs))


def _compiled(source: str, label: str) -> list[CodeType]:
    tree = ast.parse(source, label)
    last = tree.body[-1] if tree.body else None
    if not isinstance(last, ast.Expr):
        return [compile(tree, label, "exec", _MODE, dont_inherit=True)]
    tree.body.pop()
    body = compile(tree, label, "exec", _MODE, dont_inherit=True)
    return [body, compile(ast.Expression(last.value), label, "eval", _MODE, dont_inherit=True)]


def _run(codes: list[CodeType], scope: dict[str, Any]) -> Any:
    if any(code.co_flags & inspect.CO_COROUTINE for code in codes):
        return asyncio.run(_run_in_loop(codes, scope))
    value = None
    for code in codes:
        value = eval(code, scope)
    return value


async def _run_in_loop(codes: list[CodeType], scope: dict[str, Any]) -> Any:
    value = None
    for code in codes:
        value = eval(code, scope)
        if code.co_flags & inspect.CO_COROUTINE:
            value = await value
    return value


def _names(code: CodeType, operations: frozenset[str]) -> set[str]:
    found = {str(step.argval) for step in dis.get_instructions(code) if step.opname in operations}
    return found.union(*(_names(part, operations) for part in code.co_consts if isinstance(part, CodeType)))


def _comes_along(value: Any) -> bool:
    """Tell whether something of the notebook is code rather than data: a module, a function, a class."""
    if isinstance(value, (ModuleType, FunctionType, BuiltinFunctionType, type)):
        return True
    module = sys.modules.get(getattr(value, "__module__", None) or "")
    # Such as numpy's ufuncs: what its own module has under its own name.
    return callable(value) and getattr(module, getattr(value, "__name__", ""), None) is value


def _packed(scope: Mapping[str, Any], outputs: Iterable[str]) -> Iterator[tuple[str, bytes | str | None]]:
    for name in outputs:
        if name not in scope:
            yield name, None
            continue
        try:
            yield name, dumps(scope[name])
        except Exception as error:  # noqa: BLE001 - pickling runs the value's own code; the others are not to be lost
            yield name, f"{name} cannot be brought back: {type(error).__name__}: {error}"


def _unwrap(value: Any, outputs: Mapping[str, bytes | str | None]) -> Any:
    collected = getattr(_collecting, "outputs", None)
    if collected is not None:
        collected.update(outputs)
    return value
