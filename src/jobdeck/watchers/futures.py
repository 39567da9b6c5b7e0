"""``concurrent.futures.Future``, whoever runs it."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future
from typing import Any, Final

from .._status import JobStatus
from .ports import Reading, Watched

RUNS: Final = "cannot be stopped once it runs"


def adapt(obj: Any) -> Watched | None:
    """Watch a future of an executor of any kind."""
    return WatchedFuture(obj) if isinstance(obj, Future) else None


class WatchedFuture(Watched):
    """A future: it tells by itself when it has ended, and can be cancelled until it runs."""

    system = "futures"

    def __init__(self, future: Future[Any]) -> None:
        self._future = future
        self.name = type(future).__name__.lower()

    def read(self) -> Reading:
        future = self._future
        if future.cancelled():
            return Reading(JobStatus.CANCELLED)
        if future.done():
            error = future.exception()
            return Reading(JobStatus.DONE) if error is None else Reading(JobStatus.ERROR, exception=error)
        if future.running():
            return Reading(JobStatus.RUNNING, can_cancel=False, cancel_note=RUNS)
        return Reading(JobStatus.QUEUED)

    def result(self) -> Any:
        return self._future.result(timeout=0)

    def cancel(self) -> bool:
        return self._future.cancel()

    def on_change(self, wake: Callable[[], None]) -> None:
        self._future.add_done_callback(lambda _: wake())
