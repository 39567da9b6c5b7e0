"""``concurrent.futures.Future``, whoever runs it."""

from __future__ import annotations

import functools
import time
import weakref
from collections.abc import Callable, Iterator
from concurrent.futures import Executor, Future
from typing import Any, Final

from .._status import JobStatus
from .ports import Reading, Watched
from .seams import Method, Noting, Seam

RUNS: Final = "cannot be stopped once it runs"


def adapt(obj: Any) -> Watched | None:
    """Watch a future of an executor of any kind."""
    return WatchedFuture(obj) if isinstance(obj, Future) else None


def seams() -> Iterator[Seam]:
    """Where executors are given work."""
    for kind in _kinds_of_executor(Executor):
        if "submit" in vars(kind):
            yield Seam(kind, "submit", _noting_submit)


class WatchedFuture(Watched):
    """A future: it tells by itself when it has ended, and can be cancelled until it runs."""

    system = "futures"

    def __init__(self, future: Future[Any]) -> None:
        self._future = future
        self.name = type(future).__name__.lower()
        self._times: dict[str, float] = {}
        self._open = None if future.done() else time.time()
        self._are_times_kept = False

    def read(self) -> Reading:
        future, times = self._future, dict(self._times)
        if future.cancelled():
            return Reading(JobStatus.CANCELLED, times=times)
        if future.done():
            error = future.exception()
            return Reading(JobStatus.DONE if error is None else JobStatus.ERROR, exception=error, times=times)
        if future.running():
            return Reading(JobStatus.RUNNING, can_cancel=False, cancel_note=RUNS, times=times)
        return Reading(JobStatus.QUEUED)

    def result(self) -> Any:
        return self._future.result(timeout=0)

    def cancel(self) -> bool:
        return self._future.cancel()

    def on_change(self, wake: Callable[[], None]) -> None:
        self.keep_times()
        self._future.add_done_callback(lambda _: wake())

    def keep_times(self, since: float | None = None) -> None:
        """Note from now on when it begins and ends, whoever looks and however late.

        Parameters
        ----------
        since
            When it was submitted, if that was just now. One that is over by now has not begun any earlier.
        """
        if self._are_times_kept:
            return
        self._are_times_kept = True
        future, times, since = self._future, self._times, since or self._open
        if future.done():
            if since is not None:
                times |= {"started": since, "ended": time.time()}
            return
        if future.running():
            times["started"] = since or time.time()
        else:
            _note_begin(future, times)
        future.add_done_callback(functools.partial(_note_end, times))


def _kinds_of_executor(kind: type[Executor]) -> Iterator[type[Executor]]:
    for inner in kind.__subclasses__():
        if not inner.__module__.startswith("jobdeck."):
            yield inner
            yield from _kinds_of_executor(inner)


def _noting_submit(submit: Method, noted: Noting) -> Method:
    @functools.wraps(submit)
    def call(*args: Any, **kwargs: Any) -> Any:
        if not noted.is_wanted:
            return submit(*args, **kwargs)
        since = time.time()
        future = noted.alone(submit, *args, **kwargs)
        if isinstance(future, Future) and getattr(future, "job", None) is None:
            watched = WatchedFuture(future)
            watched.origin = future
            watched.keep_times(since)
            # args: the executor, and what it is to call
            noted.note(watched, getattr(args[1], "__qualname__", None) if len(args) > 1 else None)
        return future

    return call


def _note_begin(future: Future[Any], times: dict[str, float]) -> None:
    """Have a future that waits note when it begins: executors say that to the future itself, and to nobody else."""
    here = weakref.ref(future)
    begin = type(future).set_running_or_notify_cancel

    def set_running_or_notify_cancel() -> bool:
        found = here()
        # Whoever calls this has it.
        assert found is not None
        is_begun = begin(found)
        if is_begun:
            times.setdefault("started", time.time())
        return is_begun

    future.set_running_or_notify_cancel = set_running_or_notify_cancel  # type: ignore[method-assign]


def _note_end(times: dict[str, float], _: Future[Any]) -> None:
    times["ended"] = time.time()
