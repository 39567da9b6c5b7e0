"""Where a program is at home: the interpreter, folder, import path and environment that its job must have, too."""

from __future__ import annotations

import json
import linecache
import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, Final

from .._place import enter_environment, enter_place
from .reach import reachable_functions

_MAX_SOURCES: Final = 2_000_000
"""Characters of source text that travel with a job, for its tracebacks."""

_NOT_PASSED_ON: Final = ("JPY_PARENT_PID", "JPY_INTERRUPT_EVENT")
"""With these a kernel that the job itself starts would watch the wrong parent."""


@dataclass(frozen=True)
class Context:
    """What a job's process takes on before it opens the program.

    Attributes
    ----------
    interpreter : str
        Path of the Python executable.
    cwd : str
        Working directory; empty where the submitting process had none any more.
    sys_path : tuple of str
        The import path, with ``""`` written out.
    env : mapping of str to str
        The whole environment.
    sources : mapping of str to str
        File names of code objects to their source text, for code of ``__main__`` and code that is in no file.
    libraries : tuple of str
        What takes long to import and the program will; see :func:`~.libraries.libraries_of`.
    """

    interpreter: str
    cwd: str
    sys_path: tuple[str, ...]
    env: Mapping[str, str]
    sources: Mapping[str, str] = field(default_factory=dict)
    libraries: tuple[str, ...] = ()

    @classmethod
    def here(cls, program: Any = None) -> Context:
        """Return this process's context, with the source text of the program's own code."""
        try:
            cwd = os.getcwd()
        except OSError:
            cwd = ""
        path = tuple(entry or cwd for entry in sys.path if isinstance(entry, str))
        env = {name: value for name, value in os.environ.items() if name not in _NOT_PASSED_ON}
        return cls(sys.executable, cwd, path, env, _sources(program))

    @classmethod
    def bytes_here(cls, program: Any = None, libraries: tuple[str, ...] = ()) -> bytes:
        """Return this process's context as bytes, at little cost for each job but the first."""
        global _last_here  # noqa: PLW0603 - what was written last, for as long as nothing has changed
        try:
            cwd = os.getcwd()
        except OSError:
            cwd = ""
        # Decoding the environment would cost more than all else here; what lies below it can be compared as it is.
        environment = dict(getattr(os.environ, "_data", os.environ))
        state = (sys.executable, cwd, list(sys.path), environment)
        if _last_here is None or _last_here[0] != state:
            _last_here = (state, cls.here()._base())
        here, found = _last_here[1], _sources(program)
        # The very object, where it is the same: the store takes no second look at it.
        return _plain_here(here, libraries) if not found else _joined(here, found, libraries)

    def to_bytes(self) -> bytes:
        """Return the context as ASCII JSON."""
        return _joined(self._base(), self.sources, self.libraries)

    def _base(self) -> bytes:
        parts = {
            "interpreter": self.interpreter,
            "cwd": self.cwd,
            "sys_path": list(self.sys_path),
            "env": dict(self.env),
        }
        return json.dumps(parts).encode("ascii")

    @classmethod
    def from_bytes(cls, data: bytes) -> Context:
        """Return the context that :meth:`to_bytes` wrote."""
        parts = json.loads(data)
        return cls(
            parts["interpreter"],
            parts["cwd"],
            tuple(parts["sys_path"]),
            parts["env"],
            parts["sources"],
            tuple(parts.get("libraries", ())),
        )

    def enter(self) -> None:
        """Give this process all of the context."""
        self.enter_environment()
        self.enter_place()

    def enter_environment(self) -> None:
        """Give this process the environment of the context."""
        enter_environment(self.env)

    def enter_place(self) -> None:
        """Give this process the working directory, import path and sources of the context."""
        enter_place(self.cwd, list(self.sys_path), self.sources)


_last_here: tuple[object, bytes] | None = None


@lru_cache(maxsize=4)
def _plain_here(base: bytes, libraries: tuple[str, ...]) -> bytes:
    return _joined(base, {}, libraries)


def _joined(base: bytes, sources: Mapping[str, str], libraries: tuple[str, ...]) -> bytes:
    rest = {"sources": dict(sources), "libraries": list(libraries)}
    return base[:-1] + b", " + json.dumps(rest).encode("ascii")[1:]


def _sources(program: Any) -> dict[str, str]:
    found: dict[str, str] = {}
    size = 0
    for function in reachable_functions(program):
        name = function.__code__.co_filename
        if name in found or (function.__module__ != "__main__" and os.path.isfile(name)):
            continue
        text = "".join(linecache.getlines(name))
        size += len(text)
        if text and size <= _MAX_SOURCES:
            found[name] = text
    return found
