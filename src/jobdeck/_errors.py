"""Every error that jobdeck raises on purpose.

::

    JobdeckError
    ├── JobError
    │   ├── JobTimeoutError            also TimeoutError
    │   ├── RuntimeJobFailureError
    │   ├── JobCancelledError          also concurrent.futures.CancelledError
    │   ├── RuntimeInvalidStateError
    │   ├── JobNotFoundError           also LookupError
    │   ├── InvalidInputError          also TypeError, ValueError
    │   │   └── QueryError
    │   └── UnpicklableError           also TypeError
    ├── EncodingError                  also TypeError
    ├── EngineError
    └── StoreError

A message names the job, where there is one, and says what to do next.
"""

from __future__ import annotations

import unicodedata
from concurrent.futures import CancelledError
from typing import Final

from ._plain import plain

_OURS: Final = frozenset({"jobdeck", "IPython", "ipykernel"})
_CELL: Final = r'^  File "(?:<ipython-input-[^"]*|[^"]*[\\/]ipykernel_\d+[\\/]\d+\.py)", '
"""How the place of a line begins that is in a cell: its file is none that a person could open."""


class JobdeckError(Exception):
    """Base of all errors that jobdeck raises on purpose."""


class JobError(JobdeckError):
    """A job was used in a way that it does not allow, such as submitting it twice."""


class JobTimeoutError(JobError, TimeoutError):
    """A wait for a job reached its timeout; the job itself goes on."""


class RuntimeJobFailureError(JobError):
    """The job ended in ERROR.

    Attributes
    ----------
    remote_traceback : str or None
        The traceback as it was formatted in the job's own process.
    """

    def __init__(self, message: str, remote_traceback: str | None = None) -> None:
        super().__init__(message)
        self.remote_traceback = remote_traceback

    def __reduce__(self) -> tuple[type[RuntimeJobFailureError], tuple[str, str | None]]:
        return type(self), (str(self.args[0]), self.remote_traceback)

    def __str__(self) -> str:
        message = str(self.args[0])
        return f"{message}\n\n{self.remote_traceback}" if self.remote_traceback else message


class JobCancelledError(JobError, CancelledError):
    """The job was cancelled; inside a job, somebody asks it to stop."""


class RuntimeInvalidStateError(JobError):
    """The job is in a state in which this cannot be done."""


class JobNotFoundError(JobError, LookupError):
    """No job (or program) of that id is in this store."""


class InvalidInputError(JobError, TypeError, ValueError):
    """A program, its inputs, what it reports as progress, or another argument is not what it must be."""

    def _render_traceback_(self) -> list[str]:
        """Return what IPython shows: the lines of the caller's that led here, without those of jobdeck and IPython."""
        import re
        import traceback

        steps = traceback.walk_tb(self.__traceback__)
        theirs = (step for step in steps if step[0].f_globals.get("__name__", "").partition(".")[0] not in _OURS)
        lines = [line.rstrip("\n") for line in traceback.StackSummary.extract(theirs).format()]
        return [*(re.sub(_CELL, "  Cell, ", line) for line in lines), f"{type(self).__name__}: {self}"]


class QueryError(InvalidInputError):
    """A query cannot be read; printed, it points at the bad word.

    Attributes
    ----------
    message : str
        What is wrong, in one line.
    text : str
        The query.
    start, end : int
        Where the bad word begins in it, and the place after its last character.
    """

    _AROUND = 50

    def __init__(self, message: str, text: str, start: int, end: int) -> None:
        super().__init__(message)
        self.message = message
        self.text = text
        self.start = start
        self.end = end

    def __reduce__(self) -> tuple[type[QueryError], tuple[str, str, int, int]]:
        return type(self), (self.message, self.text, self.start, self.end)

    def __str__(self) -> str:
        first = max(self.start - self._AROUND, 0)
        last = min(max(self.end, self.start + 1), self.start + self._AROUND)
        before = ("…" if first else "") + plain(self.text[first : self.start])
        bad = plain(self.text[self.start : last])
        after = plain(self.text[last : last + self._AROUND]) + ("…" if last + self._AROUND < len(self.text) else "")
        return f"{self.message}\n  {before}{bad}{after}\n  {' ' * _columns(before)}{'^' * max(_columns(bad), 1)}"


def _columns(text: str) -> int:
    """Return how wide a terminal shows a text."""
    return sum(
        0 if unicodedata.combining(char) else 2 if unicodedata.east_asian_width(char) in "WF" else 1 for char in text
    )


class UnpicklableError(JobError, TypeError):
    """The program or one of its inputs cannot be sent to another process; nothing was queued."""


class EncodingError(JobdeckError, TypeError):
    """A message or value cannot be encoded; the text names the path of the offending part."""


class EngineError(JobdeckError):
    """An engine (the local agent, a scheduler) cannot be reached or started."""


class StoreError(JobdeckError):
    """The store cannot be used: unsafe permissions, a newer version, a full or failing disk.

    Attributes
    ----------
    lacks_room : bool
        Whether its disk is full, or a quota used up, so that it can be used again once there is room.
    """

    lacks_room: bool = False
