"""What a process of a shared pool does: it calls one function after the other, and keeps what each of them prints.

The process's standard output and error are one file, also for the processes that a call starts and for compiled code.
It is emptied with each call, so that what is in it belongs to that call, and to what threads that it left have printed.
"""

from __future__ import annotations

import contextlib
import os
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache, partial
from types import ModuleType
from typing import IO, Any, Final

from .._program import outcome_of_exception
from .._program.pickling import dumps, loads
from .._records import Outcome

LONGEST_OUTPUT: Final = 1_048_576
"""Bytes of a call's output that are kept: its end."""

_FIXED: Final = (int, float, complex, str, bytes, tuple, frozenset, type(None), ModuleType)

_capture: IO[bytes] | None = None


class _SetUp:
    """What an initializer has set, for the calls of this process.

    A function of a notebook or a script travels whole, with global variables of its own, so that what an initializer
    from there sets would be seen by nobody. Each function therefore travels together with the initializer, whose global
    variables are the same as its own there, and gets what the one that ran has left.
    """

    def __init__(self) -> None:
        self._variables: dict[str, Any] = {}
        self._set: dict[str, Any] = {}

    def begin(self, initializer: Callable[..., object], args: tuple[Any, ...]) -> None:
        """Call it."""
        self._variables = _variables_of(initializer)
        before = dict(self._variables)
        initializer(*args)
        self._set = {name: value for name, value in self._variables.items() if _is_set(name, value, before)}

    def share(self, initializer: Callable[..., object] | None) -> None:
        """Let those that came with this copy of it see what it has set."""
        variables = {} if initializer is None else _variables_of(initializer)
        # It is the very same where the initializer is in a module that both could import.
        if variables is not self._variables:
            variables.update(self._set)


def _variables_of(function: Any) -> dict[str, Any]:
    while isinstance(function, partial):
        function = function.func
    found = getattr(function, "__globals__", None)
    return getattr(type(function).__call__, "__globals__", {}) if found is None else found


def _is_set(name: str, value: Any, before: dict[str, Any]) -> bool:
    """Tell whether an initializer has set a variable, or may have changed what is in it."""
    if name.startswith("__"):
        return False
    return name not in before or before[name] is not value or not (callable(value) or isinstance(value, _FIXED))


_set_up = _SetUp()


@dataclass(frozen=True)
class Answer:
    """What became of a call: when it ran, the pickle of its value, or how it failed; and what it printed."""

    started: float
    ended: float
    value: bytes | None
    failure: Outcome | None
    output: bytes


def begin(initializer: bytes | None) -> None:
    """Make this process ready; called once in it."""
    global _capture  # noqa: PLW0603 - one for the process, whose output it is
    if initializer is not None:
        # Before the output is captured: why it failed is said where the executor's process says such things.
        function, args = loads(initializer)
        _set_up.begin(function, args)
    _capture = tempfile.TemporaryFile(buffering=0)  # noqa: SIM115 - it is open for as long as the process is there
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(AttributeError):  # another program may have put its own in their place
            stream.reconfigure(line_buffering=True)  # type: ignore[union-attr]  # a text file has it
    for number in (1, 2):
        os.dup2(_capture.fileno(), number)


def call(function: bytes, arguments: bytes) -> Answer:
    """Call a function; whatever it raises is part of the answer."""
    value = failure = None
    started = time.time()
    try:
        args, kwargs = loads(arguments)
        value = dumps(_opened(function)(*args, **kwargs))
    except BaseException as error:  # noqa: BLE001 - it is the call's own, and its future has it
        failure = outcome_of_exception(error)
    return Answer(started, time.time(), value, failure, _output())


@lru_cache(maxsize=8)
def _opened(function: bytes) -> Callable[..., Any]:
    initializer, opened = loads(function)
    _set_up.share(initializer)
    called: Callable[..., Any] = opened
    return called


def _output() -> bytes:
    """Take what was printed since the last call."""
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(AttributeError, ValueError):  # a call may close or replace them
            stream.flush()
    assert _capture is not None
    number = _capture.fileno()
    size = os.fstat(number).st_size
    if not size:
        return b""
    kept = os.pread(number, LONGEST_OUTPUT, max(0, size - LONGEST_OUTPUT))
    # Who shares the file writes on from where its one offset stands.
    os.lseek(number, 0, os.SEEK_SET)
    os.ftruncate(number, 0)
    return kept if size <= LONGEST_OUTPUT else b"[%d bytes before this were left out]\n" % (size - len(kept)) + kept
