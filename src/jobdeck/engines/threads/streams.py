"""What a thread prints, to the output file of its job, while other threads print where they always do."""

from __future__ import annotations

import io
import os
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path
from typing import Any, TextIO, cast

from ..local.capture import open_output

_output: ContextVar[TextIO | None] = ContextVar("jobdeck_output", default=None)
_lock = threading.Lock()
_users = 0


class Routed:
    """Stands in for ``sys.stdout`` or ``sys.stderr`` while jobs run: in a job's thread it is that job's output."""

    def __init__(self, usual: TextIO) -> None:
        self.usual = usual

    def write(self, text: str) -> int:
        return (_output.get() or self.usual).write(text)

    def flush(self) -> None:
        (_output.get() or self.usual).flush()

    def __getattr__(self, name: str) -> Any:
        return getattr(_output.get() or self.usual, name)

    def __iter__(self) -> Iterator[str]:
        return iter(_output.get() or self.usual)


@contextmanager
def routed(path: Path) -> Iterator[None]:
    """Send what this thread prints, and asyncio's tasks in it, to a file, at its end."""
    # Unbuffered, as with `python -u`: whoever looks at the job sees what was printed so far.
    file = io.FileIO(open_output(path), "a")
    # Lone surrogates and the like become escapes: a print must not end a job that has computed for hours.
    stream = io.TextIOWrapper(
        cast("io.BufferedWriter", file), encoding="utf-8", errors="backslashreplace", write_through=True
    )
    _begin()
    token = _output.set(stream)
    try:
        yield
    finally:
        _output.reset(token)
        _end()
        stream.close()


def _begin() -> None:
    global _users  # noqa: PLW0603 - there is one sys.stdout
    with _lock:
        _users += 1
        # Whatever stands there now: a front end or a test may have put another one there since.
        for name in ("stdout", "stderr"):
            usual = getattr(sys, name)
            if usual is not None and not isinstance(usual, Routed):
                setattr(sys, name, Routed(usual))


def _end() -> None:
    global _users  # noqa: PLW0603 - there is one sys.stdout
    with _lock:
        _users -= 1
        if not _users:
            for name in ("stdout", "stderr"):
                if isinstance(stream := getattr(sys, name), Routed):
                    setattr(sys, name, stream.usual)


def _renew_lock() -> None:
    global _lock  # noqa: PLW0603 - a thread that is not in this process may have held it
    _lock = threading.Lock()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_renew_lock)
