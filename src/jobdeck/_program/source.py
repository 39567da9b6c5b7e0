"""What a program can be: a callable, a file, or a module; and its signature, read without running its code."""

from __future__ import annotations

import ast
import importlib
import importlib.util
import inspect
import linecache
import os
import sys
import tokenize
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from types import ModuleType
from typing import Any, Final, Literal

from .._errors import InvalidInputError
from .._plain import a_kind
from .pickling import is_importable, loads
from .preview import preview

FILE_MODULE: Final = "__jobdeck_program__"
"""Module name of a program's file: its own name could be that of a module which it imports."""


@dataclass(frozen=True)
class Source:
    """A program as it travels.

    Attributes
    ----------
    kind
        ``"callable"``, ``"file"``, ``"text"`` or ``"module"``.
    target
        The callable, the file's absolute path, what the text is called, or the module's dotted name.
    text
        The source text, of a file as it was at the time of submission, which is what runs; None for the other kinds.
    returns
        The JSON schema of what an uploaded program says that it returns; None where it does not say.
    """

    kind: Literal["callable", "file", "text", "module"]
    target: Any
    text: str | None = None
    returns: Mapping[str, Any] | None = None

    @property
    def name(self) -> str:
        """What its jobs are called where nobody names them."""
        if self.kind == "file":
            return Path(self.target).stem
        if self.kind == "module":
            return str(self.target).rpartition(".")[2]
        if self.kind == "text":
            return str(self.target)
        return _callable_name(self.target)

    def signature(self) -> inspect.Signature | None:
        """Return the signature of what will be called, None where it cannot be told. Runs none of its code."""
        if self.kind == "callable":
            return _signature_of(self.target)
        if self.text is not None:
            return _signature_in(ast.parse(self.text))
        module = sys.modules.get(self.target)
        if module is not None:
            return _signature_of(module.main)
        tree = _module_tree(self.target)
        return _signature_in(tree) if tree is not None else None

    def open(self) -> Callable[..., Any]:
        """Return what is to be called. Runs the file's or module's code."""
        if self.kind == "callable":
            function: Callable[..., Any] = self.target
            return function
        module = importlib.import_module(self.target) if self.kind == "module" else self._run_file()
        if not callable(getattr(module, "main", None)):
            raise _no_main(f"{self.kind} {self.target}")
        main: Callable[..., Any] = module.main
        return main

    def _run_file(self) -> ModuleType:
        assert self.text is not None
        module = ModuleType(FILE_MODULE)
        name = f"<program {self.target}>" if self.kind == "text" else self.target
        if self.kind == "file":
            module.__file__ = name
            folder = os.path.dirname(name)
            if sys.path[:1] != [folder]:  # where jobs share a process, it is there from the one before
                sys.path.insert(0, folder)
        sys.modules[FILE_MODULE] = module
        linecache.cache[name] = (len(self.text), None, self.text.splitlines(keepends=True), name)
        exec(compile(self.text, name, "exec"), vars(module))
        return module


def open_source(data: bytes) -> Source:
    """Return the source that a job's program was pickled from: a tuple of what :class:`Source` has."""
    opened: Source | tuple[Any, ...] = loads(data)
    # A reference into this process opens as the object itself; and for a while stores held such objects.
    return opened if isinstance(opened, Source) else Source(*opened)


def source_of(program: Any) -> Source:
    """Return the source of what a person gave as a program.

    Raises
    ------
    InvalidInputError
        It is none, its file cannot be read, or there is no ``main`` in it.
    """
    if isinstance(program, os.PathLike) or (isinstance(program, str) and _looks_like_path(program)):
        return _file_source(Path(program))
    if isinstance(program, str):
        return _module_source(program)
    if isinstance(program, ModuleType):
        if not callable(getattr(program, "main", None)):
            raise _no_main(f"module {program.__name__}")
        if program.__name__ != "__main__" and is_importable(program.__name__, program):
            return Source("module", program.__name__)
        return Source("callable", program.main)
    if not callable(program):
        raise InvalidInputError(
            "a program is a callable, a .py file, a module with a function main, "
            "or the id or name of an uploaded program; "
            + ("none was given" if program is None else f"{preview(program, 80)} is {a_kind(program)}")
        )
    return Source("callable", program)


def text_source(text: str, name: str) -> Source:
    """Return the source of a program that is given as its own text.

    Raises
    ------
    InvalidInputError
        It is no Python, or there is no ``main`` in it.
    """
    try:
        tree = ast.parse(text)
    except (SyntaxError, ValueError) as exc:
        raise InvalidInputError(f"the text of program {name!r} is not valid Python: {exc}") from exc
    if not _binds_main(tree):
        raise _no_main(f"the text of program {name!r}")
    return Source("text", name, text)


def _looks_like_path(text: str) -> bool:
    return text.endswith(".py") or "/" in text or os.sep in text


def _file_source(path: Path) -> Source:
    path = Path(os.path.abspath(path.expanduser()))
    try:
        data = path.read_bytes()
        encoding, _ = tokenize.detect_encoding(BytesIO(data).readline)
        text = data.decode(encoding).replace("\r\n", "\n")
        tree = ast.parse(text, str(path))
    except OSError as exc:
        raise InvalidInputError(f"program file {path} cannot be read: {exc.strerror}") from exc
    except (SyntaxError, ValueError) as exc:
        raise InvalidInputError(f"program file {path} is not valid Python: {exc}") from exc
    if not _binds_main(tree):
        raise _no_main(f"program file {path}")
    return Source("file", str(path), text)


def _module_source(name: str) -> Source:
    if not all(part.isidentifier() for part in name.split(".")):
        raise InvalidInputError(
            f"program {preview(name, 80)} is neither the path of a .py file nor the name of a module, nor that of an "
            "uploaded program; text of more than one line is taken for a program's own"
        )
    try:
        spec = importlib.util.find_spec(name)
    except (ImportError, ValueError, AttributeError) as exc:
        raise InvalidInputError(f"program {name!r} is no importable module: {exc}") from exc
    if spec is None:
        raise InvalidInputError(
            f"program {name!r} is no importable module; a file's path ends in .py, and no uploaded program is called so"
        )
    module = sys.modules.get(name)
    tree = _module_tree(name) if module is None else None
    if (module is not None and not callable(getattr(module, "main", None))) or (
        tree is not None and not _binds_main(tree)
    ):
        raise _no_main(f"module {name}")
    return Source("module", name)


def _module_tree(name: str) -> ast.Module | None:
    spec = importlib.util.find_spec(name)
    get_source = getattr(spec.loader, "get_source", None) if spec is not None else None
    text = get_source(name) if get_source is not None else None
    return ast.parse(text) if text is not None else None


def _no_main(what: str) -> InvalidInputError:
    return InvalidInputError(f"{what} has no function main(backend, user_messenger, **inputs)")


def _binds_main(tree: ast.Module) -> bool:
    """Tell whether running the module can bind ``main``; a star import or an assignment may do so, too."""
    for node in ast.walk(tree):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)) and node.name == "main":
            return True
        if isinstance(node, ast.Name) and node.id == "main" and isinstance(node.ctx, ast.Store):
            return True
        if isinstance(node, ast.alias) and (node.asname or node.name) in ("main", "*"):
            return True
    return False


def _signature_in(tree: ast.Module) -> inspect.Signature | None:
    """Return the signature of a module's plain ``main``, None where it is decorated or bound in another way."""
    found = [node for node in tree.body if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef))]
    mains = [node for node in found if node.name == "main"]
    if len(mains) != 1 or mains[0].decorator_list:
        return None
    arguments = mains[0].args
    kind = inspect.Parameter
    parameters: list[inspect.Parameter] = []
    positional: list[tuple[ast.arg, Any]] = [(a, kind.POSITIONAL_ONLY) for a in arguments.posonlyargs]
    positional += [(a, kind.POSITIONAL_OR_KEYWORD) for a in arguments.args]
    first_default = len(positional) - len(arguments.defaults)
    for place, (argument, how) in enumerate(positional):
        default = kind.empty if place < first_default else _Default(arguments.defaults[place - first_default])
        parameters.append(kind(argument.arg, how, default=default))
    if arguments.vararg is not None:
        parameters.append(kind(arguments.vararg.arg, kind.VAR_POSITIONAL))
    for argument, given in zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True):
        default = kind.empty if given is None else _Default(given)
        parameters.append(kind(argument.arg, kind.KEYWORD_ONLY, default=default))
    if arguments.kwarg is not None:
        parameters.append(kind(arguments.kwarg.arg, kind.VAR_KEYWORD))
    return inspect.Signature(parameters)


class _Default:
    """A default value that is known by its text alone."""

    def __init__(self, node: ast.expr) -> None:
        self._text = ast.unparse(node)

    def __repr__(self) -> str:
        return self._text


def _signature_of(function: Any) -> inspect.Signature | None:
    try:
        return inspect.signature(function)
    except (TypeError, ValueError):  # some built-in functions have none
        return None


def _callable_name(program: Any) -> str:
    seen = program
    for _ in range(10):
        name = getattr(seen, "__name__", None)
        if isinstance(name, str):
            return name.strip("<>")
        inner = getattr(seen, "func", None)
        if inner is None:
            break
        seen = inner
    return type(program).__name__
