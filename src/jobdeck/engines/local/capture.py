"""A job's standard streams: nothing to read, and all that is written to one file, by whoever writes it."""

from __future__ import annotations

import io
import os
import sys
from pathlib import Path
from typing import Literal

_prepared: list[io.TextIOWrapper] = []


def prepare() -> None:
    """Make the streams of the jobs that will be forked from this process, over its own descriptors 0, 1 and 2."""
    _prepared[:] = [_text(0, "r"), _text(1, "w"), _text(2, "w")]


def capture(path: Path | str) -> None:
    """Point descriptors 0, 1 and 2 of this process, and Python's streams over them, at a job's output file.

    Going by descriptor takes the output of C code and of subprocesses as well. The file is opened for appending, so
    that whatever several processes write keeps the order in which it was written.
    """
    flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT
    try:
        output = os.open(path, flags, 0o600)
    except FileNotFoundError:
        Path(path).parent.mkdir(mode=0o700, exist_ok=True)
        output = os.open(path, flags, 0o600)
    nothing = os.open(os.devnull, os.O_RDONLY)
    for source, target in ((nothing, 0), (output, 1), (output, 2)):
        os.dup2(source, target)
    for fd in (output, nothing):
        if fd > 2:
            os.close(fd)
    if not _prepared:
        prepare()
    sys.stdin, sys.stdout, sys.stderr = sys.__stdin__, sys.__stdout__, sys.__stderr__ = _prepared  # type: ignore[misc]


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
