"""The lines on which a job's process speaks with the one that looks after it.

The program may close or reuse any descriptor, so that a line is used only while it still is the one that was handed
over.
"""

from __future__ import annotations

import os
import sys

from ..._own_path import OwnPath

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final

    from ..._records import Outcome

PID_SIZE: Final = 4
"""Bytes of a process's number in a notice."""
SHORT: Final = 1.0
"""Seconds up to which a job hands its outcome over."""
LIMIT: Final = 1 << 16
"""Bytes up to which an outcome is handed over; a larger one goes to the store straight away."""
_LONGEST: Final = 10_000
NEEDS: Final = b"needs\n"
"""Before a job's id: it had to load more than there was."""


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
            try:
                os.write(self._fd, pid.to_bytes(PID_SIZE, sys.byteorder))
            except OSError:
                return


class Handover(_Line):
    """Hands over what a program left, on a datagram socket, which keeps each job's word whole."""

    def give(self, job_id: str, outcome: Outcome) -> bool:
        """Hand over a job's outcome; False where it is too large, or nobody takes it."""
        if len(outcome.body or b"") + len(outcome.exception or b"") > LIMIT:
            return False
        with OwnPath():
            from .handing import handed
        data = handed(job_id, outcome)
        return len(data) <= 2 * LIMIT and self.send(data)

    def send(self, data: bytes) -> bool:
        """Hand over an outcome as ``handed`` or :func:`handed_number` write it; False where nobody takes it."""
        try:
            status = os.fstat(self._fd)
            if (status.st_dev, status.st_ino) != self._identity:
                return False
            return os.write(self._fd, data) == len(data)
        except OSError:
            return False


def handed_number(job_id: str, number: str) -> bytes:
    """Return what ``handed`` does for the outcome of a program that returned a plain number."""
    size = len(number)
    return f"{job_id}\n1 0 - {size} - 4 {size} - - - -\n{number}json{number}".encode("ascii")


def handed_failure(job_id: str, kind: str, words: str) -> bytes:
    """Return what ``handed`` does for the outcome of a program that failed, of which no more is known than this."""
    name, text = (part.encode("utf-8", "surrogatepass") for part in (kind, words[:_LONGEST]))
    return f"{job_id}\n0 0 - - - - - {len(name)} {len(text)} - -\n".encode("ascii") + name + text


def job_of(data: bytes) -> str:
    """Return whose outcome this is."""
    return data.partition(b"\n")[0].decode(errors="replace")
