"""The lines on which a job's process speaks with the one that looks after it.

The program may close or reuse any descriptor, so that a line is used only while it still is the one that was handed
over.
"""

from __future__ import annotations

import contextlib
import json
import os
import struct
from typing import Final, NamedTuple

from ..._records import Outcome

PID: Final = struct.Struct("=i")
SHORT: Final = 1.0
"""Seconds up to which a job hands its outcome over."""
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
        if len(outcome.body or b"") + len(outcome.exception or b"") > LIMIT or self.is_gone:
            return False
        data = handed(job_id, outcome)
        if len(data) > 2 * LIMIT:
            return False
        try:
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
    """Return an outcome as it is handed over: the job's id, a line of JSON, and the bodies."""
    facts = [
        outcome.ok,
        outcome.encoding,
        None if outcome.body is None else len(outcome.body),
        outcome.preview,
        outcome.exception_type,
        outcome.exception_text,
        outcome.traceback,
        outcome.exception is not None,
        outcome.interrupted,
        outcome.chart,
        outcome.kept,
    ]
    return b"\n".join((job_id.encode(), json.dumps(facts).encode(), (outcome.body or b"") + (outcome.exception or b"")))


def job_of(data: bytes) -> str:
    """Return whose outcome this is."""
    return data.partition(b"\n")[0].decode(errors="replace")


def outcome_of(data: bytes) -> Outcome:
    """Return what :func:`handed` made bytes of. It opens no pickle."""
    _, facts, bodies = data.split(b"\n", 2)
    ok, encoding, size, preview, kind, text, traceback, has_exception, interrupted, chart, kept = json.loads(facts)
    return Outcome(
        ok=ok,
        encoding=encoding,
        body=None if size is None else bodies[:size],
        preview=preview,
        exception_type=kind,
        exception_text=text,
        traceback=traceback,
        exception=bodies[size or 0 :] if has_exception else None,
        interrupted=interrupted,
        chart=chart,
        kept=kept,
    )
