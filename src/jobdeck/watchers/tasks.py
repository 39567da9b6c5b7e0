"""asyncio's tasks and futures, from whatever loop they are."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from typing import Any, Final

from .._status import JobStatus
from .ports import Reading, Watched

_CLOSED: Final = "its event loop was closed before it had ended"


def adapt(obj: Any) -> Watched | None:
    """Watch a task, or a future that some loop resolves."""
    return WatchedTask(obj) if isinstance(obj, asyncio.Future) else None


class WatchedTask(Watched):
    """A task: it tells by itself when it has ended. What touches it is done in its own loop."""

    system = "asyncio"
    pace = (0.5, 5.0)

    def __init__(self, future: asyncio.Future[Any]) -> None:
        self._future = future
        self._loop = future.get_loop()
        self.name = _name(future)

    def read(self) -> Reading:
        future = self._future
        if future.cancelled():
            return Reading(JobStatus.CANCELLED)
        if future.done():
            error = future.exception()
            return Reading(JobStatus.DONE) if error is None else Reading(JobStatus.ERROR, exception=error)
        if self._loop.is_closed():
            # A closed loop never runs again, and nobody else can take the task on.
            return Reading(JobStatus.ERROR, error=_CLOSED, error_kind="lost")
        return Reading(JobStatus.RUNNING)

    def result(self) -> Any:
        return self._future.result()

    def cancel(self) -> bool | None:
        if self._loop.is_closed():
            return False
        # It may catch that and go on: only the next look tells.
        self._loop.call_soon_threadsafe(self._future.cancel)
        return None

    def on_change(self, wake: Callable[[], None]) -> None:
        with contextlib.suppress(RuntimeError):  # the loop was closed, which the next look tells
            self._loop.call_soon_threadsafe(self._future.add_done_callback, lambda _: wake())


def _name(future: asyncio.Future[Any]) -> str:
    if not isinstance(future, asyncio.Task):
        return "future"
    name = future.get_name()
    own = getattr(future.get_coro(), "__qualname__", None)
    return own if own and name.startswith("Task-") else name
