"""A job's standard streams: nothing to read, and all that is written to one file, by whoever writes it."""

from __future__ import annotations

import io
import os
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from pathlib import Path
    from typing import Literal

_APPENDING = os.O_WRONLY | os.O_APPEND | os.O_CREAT


def prepare() -> None:
    """Leave nothing to read, and make Python's streams over descriptors 0, 1 and 2.

    What is forked from this process has both, and a capture of its own costs it next to nothing.
    """
    nothing = os.open(os.devnull, os.O_RDONLY)
    if nothing > 0:
        os.dup2(nothing, 0)
        os.close(nothing)
    streams = _text(0, "r"), _text(1, "w"), _text(2, "w")
    sys.stdin, sys.stdout, sys.stderr = sys.__stdin__, sys.__stdout__, sys.__stderr__ = streams  # type: ignore[misc]


def capture(path: Path | str) -> None:
    """Point descriptors 1 and 2 of this process, and with them the streams of `prepare`, at a job's output file.

    Going by descriptor takes the output of C code and of subprocesses as well. The file is opened for appending, so
    that whatever several processes write keeps the order in which it was written.
    """
    try:
        output = os.open(path, _APPENDING, 0o600)
    except FileNotFoundError:
        output = open_output(path)
    os.dup2(output, 1)
    os.dup2(output, 2)
    if output > 2:
        os.close(output)


def open_output(path: Path | str) -> int:
    """Return a descriptor that appends to a job's output file, which is its user's alone."""
    try:  # noqa: SIM105 - contextlib would be in each process that jobs are forked from
        os.mkdir(os.path.dirname(path), 0o700)
    except FileExistsError:
        pass  # made by another one meanwhile
    return os.open(path, _APPENDING, 0o600)


def _text(fd: int, mode: Literal["r", "w"]) -> io.TextIOWrapper:
    raw = io.FileIO(fd, mode, closefd=False)
    buffer = io.BufferedReader(raw) if mode == "r" else io.BufferedWriter(raw)
    # Lone surrogates and the like become escapes: a print must not end a job that has computed for hours.
    return io.TextIOWrapper(buffer, encoding="utf-8", errors="backslashreplace", line_buffering=mode == "w")


def flush() -> None:
    """Write out what Python's streams hold. A stream that the program closed or broke has nothing to give."""
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except (OSError, ValueError, AttributeError):
            continue
