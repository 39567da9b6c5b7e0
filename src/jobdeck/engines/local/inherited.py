"""The lines on which a job's process speaks with the one that looks after it.

The program may close or reuse any descriptor, so that a line is used only while it still is the one that was handed
over.
"""

from __future__ import annotations

import contextlib
import json
import os
import struct
from typing import Final

from ..._records import Outcome

PID: Final = struct.Struct("=i")
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

    def __init__(self, fd: int) -> None:
        super().__init__(fd)
        self._pid = os.getpid()

    def give(self) -> None:
        """Safe in a signal handler; silent in what the program has forked, and where the pipe is gone."""
        if os.getpid() == self._pid and not self.is_gone:
            with contextlib.suppress(OSError):
                os.write(self._fd, PID.pack(self._pid))


class Handover(_Line):
    """Hands over what the program left, on a socket that keeps each job's word whole.

    Parameters
    ----------
    fd
        A datagram socket.
    job_id
        Whose outcome it is.
    """

    def __init__(self, fd: int, job_id: str) -> None:
        super().__init__(fd)
        self._job_id = job_id

    def give(self, outcome: Outcome) -> bool:
        """Hand it over; False where it is too large, or nobody takes it."""
        if len(outcome.body or b"") + len(outcome.exception or b"") > LIMIT or self.is_gone:
            return False
        data = handed(self._job_id, outcome)
        if len(data) > 2 * LIMIT:
            return False
        try:
            return os.write(self._fd, data) == len(data)
        except OSError:
            return False


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
    ]
    return b"\n".join((job_id.encode(), json.dumps(facts).encode(), (outcome.body or b"") + (outcome.exception or b"")))


def job_of(data: bytes) -> str:
    """Return whose outcome this is."""
    return data.partition(b"\n")[0].decode(errors="replace")


def outcome_of(data: bytes) -> Outcome:
    """Return what :func:`handed` made bytes of. It opens no pickle."""
    _, facts, bodies = data.split(b"\n", 2)
    ok, encoding, size, preview, kind, text, traceback, is_kept, interrupted = json.loads(facts)
    return Outcome(
        ok=ok,
        encoding=encoding,
        body=None if size is None else bodies[:size],
        preview=preview,
        exception_type=kind,
        exception_text=text,
        traceback=traceback,
        exception=bodies[size or 0 :] if is_kept else None,
        interrupted=interrupted,
    )
