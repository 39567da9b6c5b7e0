"""The lines on which a job's process speaks with the one that looks after it.

The program may close or reuse any descriptor, so that a line is used only while it still is the one that was handed
over.
"""

from __future__ import annotations

import contextlib
import os
import struct
from typing import Final, Literal, NamedTuple

from ..._records import Outcome

PID: Final = struct.Struct("=i")
SHORT: Final = 1.0
"""Seconds up to which a job hands its outcome over."""
_ENCODINGS: Final[dict[str | None, Literal["json", "pickle"] | None]] = {None: None, "json": "json", "pickle": "pickle"}
LIMIT: Final = 1 << 16
"""Bytes up to which an outcome is handed over; a larger one goes to the store straight away."""


class _Line:
    def __init__(self, fd: int) -> None:
        self._fd = fd
        self._identity = self._look()

    @property
    def is_gone(self) -> bool:
        """Whether the descriptor was closed, or has become another one's."""
        return self._identity is None or self._look() != self._identity

    def _look(self) -> tuple[int, int] | None:
        try:
            status = os.fstat(self._fd)
        except OSError:
            return None
        return status.st_dev, status.st_ino


class Notice(_Line):
    """Says once that the program has seen its interrupt."""

    def give(self, pid: int) -> None:
        """Say so for the job's process; safe in a signal handler, and silent where the pipe is gone."""
        if not self.is_gone:
            with contextlib.suppress(OSError):
                os.write(self._fd, PID.pack(pid))


class Handover(_Line):
    """Hands over what a program left, on a datagram socket, which keeps each job's word whole."""

    def give(self, job_id: str, outcome: Outcome) -> bool:
        """Hand over a job's outcome; False where it is too large, or nobody takes it."""
        if len(outcome.body or b"") + len(outcome.exception or b"") > LIMIT:
            return False
        data = handed(job_id, outcome)
        return len(data) <= 2 * LIMIT and self.send(data)

    def send(self, data: bytes) -> bool:
        """Hand over an outcome as :func:`handed` or :func:`handed_number` write it; False where nobody takes it."""
        try:
            status = os.fstat(self._fd)
            if (status.st_dev, status.st_ino) != self._identity:
                return False
            return os.write(self._fd, data) == len(data)
        except OSError:
            return False


class Lines(NamedTuple):
    """The lines of a job's process; without a handover it stores its outcome itself.

    They are looked at where they are made, so that a process that is forked has nothing left to do about them.
    """

    notice: Notice
    handover: Handover | None = None


def handed(job_id: str, outcome: Outcome) -> bytes:
    """Return an outcome as it is handed over: the job's id, a line of numbers, and the parts of those sizes."""
    # Not as JSON: a process that has just been forked would copy some twenty pages more for it.
    parts = [outcome.body, outcome.exception]
    for words in (
        outcome.encoding,
        outcome.preview,
        outcome.exception_type,
        outcome.exception_text,
        outcome.traceback,
        outcome.chart,
    ):
        parts.append(None if words is None else words.encode("utf-8", "surrogatepass"))
    head = f"{job_id}\n{outcome.ok:d} {outcome.interrupted:d} {'-' if outcome.kept is None else outcome.kept}"
    there = [b""]
    for part in parts:
        if part is None:
            head += " -"
        else:
            head += f" {len(part)}"
            there.append(part)
    there[0] = f"{head}\n".encode()
    return b"".join(there)


def handed_number(job_id: str, number: str) -> bytes:
    """Return what :func:`handed` does for the outcome of a program that returned a plain number."""
    size = len(number)
    return f"{job_id}\n1 0 - {size} - 4 {size} - - - -\n{number}json{number}".encode("ascii")


def job_of(data: bytes) -> str:
    """Return whose outcome this is."""
    return data.partition(b"\n")[0].decode(errors="replace")


def outcome_of(data: bytes) -> Outcome:
    """Return what :func:`handed` made bytes of. It opens no pickle. ValueError if it is nothing of that kind."""
    _, head, rest = data.split(b"\n", 2)
    ok, interrupted, kept, *sizes = head.split(b" ")
    at = 0
    parts: list[bytes | None] = []
    for size in sizes:
        parts.append(None if size == b"-" else rest[at : at + int(size)])
        at += len(parts[-1] or b"")
    if at != len(rest):
        raise ValueError(f"{len(rest)} bytes came of {at}")
    body, exception, *words = parts
    texts = [None if part is None else part.decode("utf-8", "surrogatepass") for part in words]
    encoding, preview, exception_type, exception_text, traceback, chart = texts
    if encoding not in _ENCODINGS:
        raise ValueError(f"there is no encoding {encoding!r}")
    return Outcome(
        ok=ok == b"1",
        encoding=_ENCODINGS[encoding],
        body=body,
        preview=preview,
        exception_type=exception_type,
        exception_text=exception_text,
        traceback=traceback,
        exception=exception,
        interrupted=interrupted == b"1",
        chart=chart,
        kept=None if kept == b"-" else int(kept),
    )
