"""What a program talks to: its messages and its progress, durable before each call returns."""

from __future__ import annotations

import contextlib
import json
import math
import os
import sys
import threading
from collections.abc import Callable, Iterator
from contextvars import ContextVar
from typing import Any, Protocol, TextIO

from . import _at_work
from ._chart import chart_text
from ._codec import RuntimeEncoder, encode
from ._errors import InvalidInputError, JobCancelledError, RuntimeInvalidStateError
from ._ports import MessageSink

_MAX_PROGRESS_TEXT = 1000


class Messenger(Protocol):
    """What :class:`UserMessenger` and :class:`PrintingMessenger` have in common."""

    def publish(self, message: Any, encoder: type[json.JSONEncoder] = RuntimeEncoder, final: bool = False) -> None: ...

    def progress(self, done: float, total: float | None = None, message: str | None = None) -> None: ...


class UserMessenger:
    """A program's line to whoever watches its job. Safe from any thread.

    Parameters
    ----------
    sink
        Where messages go; None prints them as lines of JSON, so that a program can be tried without a job.
    job_id
        The job whose messages they are.
    """

    def __init__(self, sink: MessageSink | None = None, job_id: str | None = None) -> None:
        self._sink = _PrintingSink() if sink is None else sink
        self.job_id = job_id or "none"
        self._interrupted = False
        self._final = False
        self.final_chart: str | None = None
        """A picture of the final message, as JSON; None where there is none."""
        self._wake: Callable[[Callable[[], None]], object] | None = None
        self._lock = threading.RLock()

    def publish(self, message: Any, encoder: type[json.JSONEncoder] = RuntimeEncoder, final: bool = False) -> None:
        """Publish a message; when this returns it is durable, and every watcher gets it, in order.

        Parameters
        ----------
        message
            Anything that `encoder` can encode.
        encoder
            A JSON encoder class, such as a subclass of :class:`RuntimeEncoder`.
        final
            Whether it is the job's result. Nothing can be published after it.

        Raises
        ------
        JobCancelledError
            Somebody asked the job to stop: clean up and return.
        EncodingError
            The message cannot be encoded. It names the offending part; the next message goes its way.
        RuntimeInvalidStateError
            The final message was published before.
        """
        self._check_interrupt()
        body = encode(message, encoder)
        with self._lock:
            if self._final:
                raise RuntimeInvalidStateError(
                    f"job {self.job_id} has published its final message; publish nothing after final=True"
                )
            self._sink.add_message(self.job_id, body, final=final)
            self._final = final
            if final:
                self.final_chart = chart_text(message)

    def progress(self, done: float, total: float | None = None, message: str | None = None) -> None:
        """Say how far the program is; this drives the bar and the time left.

        Parameters
        ----------
        done, total
            Finite numbers in any unit, not negative. `done` may exceed `total`. Without `total` there is no time left.
        message
            A few words about what is going on.

        Raises
        ------
        JobCancelledError
            Somebody asked the job to stop: clean up and return.
        InvalidInputError
            `done` or `total` is no such number.
        """
        self._check_interrupt()
        done, total, message = check_progress(done, total, message)
        with self._lock:
            self._sink.set_progress(self.job_id, done, total, message)

    def interrupt(self) -> None:
        """Make the next call raise :class:`JobCancelledError`. Made for signal handlers: it takes no lock."""
        self._interrupted = True

    @contextlib.contextmanager
    def _waking(self, wake: Callable[[Callable[[], None]], object]) -> Iterator[None]:
        """Have `wake` called by :meth:`_rouse` for as long as this lasts."""
        self._wake = wake
        try:
            yield
        finally:
            self._wake = None

    def _rouse(self, heard: Callable[[], None]) -> bool:
        """Wake a program that waits where no interrupt reaches it; False where it does not wait so.

        It calls `heard` when it is awake.
        """
        wake = self._wake
        if wake is not None:
            wake(heard)
        return wake is not None

    @property
    def interrupted(self) -> bool:
        """Whether the job was asked to stop."""
        return self._interrupted

    def _check_interrupt(self) -> None:
        if self._interrupted:
            raise JobCancelledError(f"job {self.job_id} was asked to stop")

    def _after_fork(self) -> None:
        # A thread that is not in this process may have held the lock.
        self._lock = threading.RLock()

    def __repr__(self) -> str:
        return f"<UserMessenger of job {self.job_id}>"


class _PrintingSink:
    """Where messages go that are no job's."""

    def add_message(self, job_id: str, body: str, *, final: bool = False) -> int:
        del job_id, final
        print(body, flush=True)
        return 0

    def set_progress(self, job_id: str, done: float, total: float | None, message: str | None) -> None:
        del job_id
        print(json.dumps({"progress": {"done": done, "total": total, "message": message}}), flush=True)


class PrintingMessenger:
    """A messenger for outside a job: it prints each message as a line of JSON.

    Parameters
    ----------
    stream
        Where to print; the standard output of the moment where it is None.
    """

    def __init__(self, stream: TextIO | None = None) -> None:
        self._stream = stream

    def publish(self, message: Any, encoder: type[json.JSONEncoder] = RuntimeEncoder, final: bool = False) -> None:
        """Print a message. A final one is a line like any other: there is no job that it could end."""
        del final
        self._print(encode(message, encoder))

    def progress(self, done: float, total: float | None = None, message: str | None = None) -> None:
        """Print how far the program is."""
        done, total, message = check_progress(done, total, message)
        self._print(json.dumps({"progress": {"done": done, "total": total, "message": message}}))

    def interrupt(self) -> None:
        """Do nothing: outside a job nobody asks to stop but by a KeyboardInterrupt."""

    def _print(self, line: str) -> None:
        print(line, file=self._stream or sys.stdout, flush=True)

    def __repr__(self) -> str:
        return "<PrintingMessenger: outside a job>"


def check_progress(done: Any, total: Any, message: Any) -> tuple[float, float | None, str | None]:
    """Return what `progress` got as plain floats and storable text.

    Raises
    ------
    InvalidInputError
        Where a number is none, not finite, or negative.
    """
    if message is not None:
        message = str(message)[:_MAX_PROGRESS_TEXT].encode("utf-8", "replace").decode("utf-8")
    return _count("done", done), None if total is None else _count("total", total), message


def _count(name: str, value: Any) -> float:
    if isinstance(value, (bool, str, bytes)):
        raise InvalidInputError(f"progress: {name} must be a number, not {type(value).__name__}")
    try:
        number = float(value)
    except (TypeError, ValueError, OverflowError) as exc:
        raise InvalidInputError(f"progress: {name} must be a number, not {type(value).__name__}") from exc
    if not math.isfinite(number) or number < 0:
        raise InvalidInputError(f"progress: {name} must be finite and not negative, not {number:g}")
    return number


_active: UserMessenger | None = None
_here: ContextVar[UserMessenger | None] = ContextVar("jobdeck_messenger", default=None)


def activate(messenger: UserMessenger | None) -> None:
    """Make this the messenger of the job that this process runs; None ends it."""
    global _active  # noqa: PLW0603 - a process runs one job, and all its threads talk for it
    _active = messenger


@contextlib.contextmanager
def speaking(messenger: UserMessenger) -> Iterator[None]:
    """Make this the messenger of the job that this thread runs, and asyncio's tasks in it, whatever others run."""
    token = _here.set(messenger)
    try:
        yield
    finally:
        _here.reset(token)


def active() -> UserMessenger | None:
    """Return the messenger of the job that this thread runs, or its process; None outside a job."""
    return _here.get() or _active or (None if _at_work.messenger is None else _at_work.messenger())


def _renew_lock() -> None:
    if _active is not None:
        _active._after_fork()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_renew_lock)
