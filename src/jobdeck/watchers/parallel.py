"""ipyparallel's ``AsyncResult``: a future whose work is on engines, with what they print and publish meanwhile."""

from __future__ import annotations

import functools
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextvars import ContextVar
from datetime import datetime
from typing import Any, Final

from .._status import JobStatus
from .engine_words import EngineWords
from .futures import RUNS, WatchedFuture
from .ports import Fact, Reading, Watched
from .seams import Method, Noting, Seam

_PATIENCE: Final = 10.0
"""Seconds after a result for the output before it, which comes by another way; one that died sends no end of it."""

_maps_alone: ContextVar[bool] = ContextVar("jobdeck_maps_alone", default=False)
"""Whether results of whole maps are noted alone."""


def adapt(obj: Any) -> Watched | None:
    """Watch an ``AsyncResult`` of any kind."""
    return WatchedAsyncResult(obj) if isinstance(obj, sys.modules["ipyparallel"].AsyncResult) else None


def seams() -> Iterator[Seam]:
    """Where a result begins to be one, whichever view it is of."""
    kind = sys.modules["ipyparallel"].AsyncResult
    yield Seam(kind, "__init__", _noting_result)
    # Its parts, for those who wait for some of them, are no work of their own, nor are those that a map is made of.
    yield Seam(kind, "split", _noting_maps)
    yield Seam(sys.modules["ipyparallel.client.remotefunction"].ParallelFunction, "__call__", _noting_maps)
    yield Seam(sys.modules["ipyparallel.client.view"].BroadcastView, "map", _noting_maps)


class WatchedAsyncResult(WatchedFuture):
    """An ``AsyncResult``. Cancelling aborts what no engine has begun; what runs on one goes on to its end."""

    system = "ipyparallel"
    pace = (0.1, 5.0)

    def __init__(self, result: Any) -> None:
        super().__init__(result)
        self._result = result
        self._words = EngineWords(result)
        self._over: float | None = None
        self.name = str(getattr(result, "_fname", None) or "asyncresult")
        self.source = {"id": str(result.msg_ids[0]) if result.msg_ids else ""}

    def read(self) -> Reading:
        if not self._result.done():
            # One that another client has submitted is asked for at its hub, and nobody else does.
            self._result.ready()
        told = super().read()
        tasks = list(self._result._metadata)
        begun = [task for task in tasks if task["engine_id"] is not None]
        facts: dict[str, Fact] = {"tasks": len(tasks)}
        if begun:
            facts["engines"] = ", ".join(sorted({str(task["engine_id"]) for task in begun}))
        status, can_cancel = told.status, True
        if self._future.done():
            if not self._has_all_words():
                status = JobStatus.RUNNING
            elif _is_aborted(tasks, told.exception):
                status = JobStatus.CANCELLED
        elif begun:
            status, can_cancel = JobStatus.RUNNING, len(begun) < len(tasks)
        # Last, so that an end is told with all that came before it.
        messages, output = self._words.take()
        return Reading(
            status,
            facts,
            progress=(self._result.progress, len(tasks), None) if len(tasks) > 1 else None,
            messages=messages,
            output=output,
            exception=told.exception,
            can_cancel=can_cancel,
            cancel_note=None if can_cancel else RUNS,
            times=_times(tasks),
        )

    def cancel(self) -> bool | None:  # type: ignore[override]
        # A future's own cancel() would call it cancelled, and stop nothing.
        if not self._result.done():
            self._result.abort()
        return None

    def on_change(self, wake: Callable[[], None]) -> None:
        super().on_change(wake)
        self._words.on_more(wake)

    def _has_all_words(self) -> bool:
        if self._over is None:
            self._over = time.monotonic()
        has_all = self._words.are_heard and self._result.wait_for_output(0)
        return has_all or time.monotonic() - self._over > _PATIENCE


def _is_aborted(tasks: Sequence[Any], error: BaseException | None) -> bool:
    """Whether tasks were not begun, and none has failed. Of several, an abortion is no error to ipyparallel."""
    is_failure = error is not None and not isinstance(error, sys.modules["ipyparallel"].error.TaskAborted)
    return not is_failure and any(task["status"] == "aborted" for task in tasks)


def _times(tasks: Sequence[Any]) -> dict[str, float]:
    """Return when the first task began and the last one ended, by their engines' clocks."""
    times: dict[str, float] = {}
    started = [task["started"] for task in tasks if isinstance(task["started"], datetime)]
    ended = [task["completed"] for task in tasks if isinstance(task["completed"], datetime)]
    if started:
        times["started"] = min(started).timestamp()
    if len(ended) == len(tasks) and ended:
        times["ended"] = max(ended).timestamp()
    return times


def _noting_result(begin: Method, noted: Noting) -> Method:
    @functools.wraps(begin)
    def __init__(self: Any, *args: Any, **kwargs: Any) -> None:
        begin(self, *args, **kwargs)
        if not _maps_alone.get() or isinstance(self, sys.modules["ipyparallel"].AsyncMapResult):
            noted.note(self)

    return __init__


def _noting_maps(method: Method, _: Noting) -> Method:
    @functools.wraps(method)
    def call(*args: Any, **kwargs: Any) -> Any:
        token = _maps_alone.set(True)
        try:
            return method(*args, **kwargs)
        finally:
            _maps_alone.reset(token)

    return call
