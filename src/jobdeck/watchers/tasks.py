"""asyncio's tasks and futures, from whatever loop they are."""

from __future__ import annotations

import asyncio
import contextlib
import functools
import sys
import time
from collections.abc import Callable, Iterator
from types import FrameType
from typing import Any, Final

from .._status import JobStatus
from .ports import Reading, Watched
from .seams import Method, Noting, Seam

_INNER: Final = frozenset(
    {"dask", "distributed", "ipykernel", "ipyparallel", "jupyter_client", "ray", "tornado", "zmq"}
)
"""Packages that do their own work in tasks, also for what a block has them do."""
_CLOSED: Final = "its event loop was closed before it had ended"


def adapt(obj: Any) -> Watched | None:
    """Watch a task, or a future that some loop resolves."""
    return WatchedTask(obj) if isinstance(obj, asyncio.Future) else None


def seams() -> Iterator[Seam]:
    """Where tasks are made."""
    yield Seam(asyncio.BaseEventLoop, "create_task", _noting_task)


class WatchedTask(Watched):
    """A task: it tells by itself when it has ended. What touches it is done in its own loop."""

    system = "asyncio"
    pace = (0.5, 5.0)

    def __init__(self, future: asyncio.Future[Any]) -> None:
        self._future = future
        self._loop = future.get_loop()
        self.name = _name(future)
        # A task begins when it is made, as far as anybody can tell.
        self._times = {} if future.done() else {"started": time.time()}

    def read(self) -> Reading:
        future, times = self._future, dict(self._times)
        if future.cancelled():
            return Reading(JobStatus.CANCELLED, times=times)
        if future.done():
            error = future.exception()
            return Reading(JobStatus.DONE if error is None else JobStatus.ERROR, exception=error, times=times)
        if self._loop.is_closed():
            # A closed loop never runs again, and nobody else can take the task on.
            return Reading(JobStatus.ERROR, error=_CLOSED, error_kind="lost")
        return Reading(JobStatus.RUNNING, times=times)

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
            self._loop.call_soon_threadsafe(self._future.add_done_callback, functools.partial(_end, self._times, wake))


def _end(times: dict[str, float], wake: Callable[[], None], _: asyncio.Future[Any]) -> None:
    if "started" in times:
        times["ended"] = time.time()
    wake()


def _noting_task(create_task: Method, noted: Noting) -> Method:
    @functools.wraps(create_task)
    def call(*args: Any, **kwargs: Any) -> Any:
        # Not alone: a task goes on in the context that it was made in, and what it makes is the block's, too.
        task = create_task(*args, **kwargs)
        if noted.is_wanted and _maker() not in _INNER:
            watched = WatchedTask(task)
            watched.origin = task
            noted.note(watched)
        return task

    return call


def _maker() -> str:
    """Return the package whose code makes a task, by way of asyncio's own."""
    frame: FrameType | None = sys._getframe(2)
    while frame is not None:
        package = str(frame.f_globals.get("__name__", "")).partition(".")[0]
        if package != "asyncio":
            return package
        frame = frame.f_back
    return ""


def _name(future: asyncio.Future[Any]) -> str:
    if not isinstance(future, asyncio.Task):
        return "future"
    name = future.get_name()
    own = getattr(future.get_coro(), "__qualname__", None)
    return own if own and name.startswith("Task-") else name
