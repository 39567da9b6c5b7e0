"""Futures and persisted collections of a Dask cluster, whoever has submitted them."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Callable, Collection, Hashable, Iterator, Mapping
from typing import Any, Final

from .._errors import JobCancelledError
from .._status import JobStatus
from .dask_graph import GraphProgress
from .ports import Fact, Reading, Watched
from .seams import Seam, returning

_PATIENCE: Final = 30.0
"""Seconds that the scheduler has for an answer."""
_RESULT_PATIENCE: Final = 600.0
_LOST: Final = "lost: its cluster does not have it any more, since the worker or the scheduler that had it is gone"


def adapt(obj: Any) -> Watched | None:
    """Watch a future, or a collection that was persisted: its futures as one job with a progress bar."""
    distributed = sys.modules["distributed"]
    if isinstance(obj, distributed.Future):
        return WatchedFuture(obj)
    dask = sys.modules["dask"]
    if dask.is_dask_collection(obj) and (futures := distributed.futures_of(obj)):
        return WatchedCollection(obj, futures)
    return None


def seams() -> Iterator[Seam]:
    """Where a cluster is given work, and hands out what stands for it."""
    for method in ("submit", "map", "compute", "persist"):
        yield returning(sys.modules["distributed"].Client, method, _watchable)


def _watchable(_: Any, made: Any) -> Iterator[tuple[Any, None]]:
    for each in made if isinstance(made, (list, tuple)) else (made,):
        if isinstance(each, sys.modules["distributed"].Future) or sys.modules["dask"].is_dask_collection(each):
            yield each, None


class WatchedFuture(Watched):
    """One future. Those of one client are read together, by one question to the scheduler."""

    system = "distributed"
    pace = (0.2, 5.0)

    def __init__(self, future: Any) -> None:
        self._future = future
        self._client = future.client
        self.name = _name(future.key)
        self.source = {"id": str(future.key), "scheduler": _address(self._client)}

    @property
    def bulk_key(self) -> Hashable:  # type: ignore[override]
        return str(self._client.id)

    @classmethod
    def read_many(cls, watched: Collection[Watched]) -> Mapping[Watched, Reading | Exception]:
        several = [each for each in watched if isinstance(each, WatchedFuture)]
        pending = [each for each in several if each._future.status == "pending"]
        running = _running(pending[0]._client) if pending else frozenset()
        return {each: each._read(running) for each in several}

    def read(self) -> Reading:
        return self._read(_running(self._client) if self._future.status == "pending" else frozenset())

    def _read(self, running: frozenset[str]) -> Reading:
        key, status = str(self._future.key), self._future.status
        facts: dict[str, Fact] = {"id": key}
        if status == "finished":
            return Reading(JobStatus.DONE, facts)
        if status == "cancelled":
            return Reading(JobStatus.CANCELLED, facts)
        if status == "lost":
            return Reading(JobStatus.ERROR, facts, error=_LOST, error_kind="lost")
        if status == "error":
            error = self._client.sync(self._future._exception, asynchronous=False, callback_timeout=_PATIENCE)
            return Reading(JobStatus.ERROR, facts, exception=error)
        if status == "pending":
            return Reading(JobStatus.RUNNING if key in running else JobStatus.QUEUED, facts)
        return Reading(status, facts)

    def result(self) -> Any:
        return _gathered(self._client, self._future)

    def cancel(self) -> None:
        self._client.cancel([self._future], asynchronous=False)

    def on_change(self, wake: Callable[[], None]) -> None:
        self._future.add_done_callback(lambda _: wake())


class WatchedCollection(Watched):
    """A persisted array, frame, bag or delayed value; its result is the collection, which stays where it is."""

    system = "distributed"
    pace = (0.2, 5.0)

    def __init__(self, collection: Any, futures: list[Any]) -> None:
        self._collection = collection
        self._futures = futures
        self._client = futures[0].client
        self._graph = GraphProgress(self._client, [future.key for future in futures])
        self.name = type(collection).__name__.lower()
        self.source = {"id": str(futures[0].key), "scheduler": _address(self._client)}

    def read(self) -> Reading:
        counts = Counter(future.status for future in self._futures)
        facts: dict[str, Fact] = {"parts": len(self._futures)}
        is_done = counts["finished"] == len(self._futures)
        if is_done:
            self._graph.finish()
        elif counts["pending"]:
            self._graph.look()
        done, total = self._graph.seen or (counts["finished"], len(self._futures))
        if self._graph.seen:
            facts["tasks"] = total
        progress = (done, total, None)
        for future in self._futures:
            if future.status == "error":
                error = self._client.sync(future._exception, asynchronous=False, callback_timeout=_PATIENCE)
                return Reading(JobStatus.ERROR, facts, progress=progress, exception=error)
        if counts["cancelled"]:
            return Reading(JobStatus.CANCELLED, facts, progress=progress)
        if counts["lost"]:
            return Reading(JobStatus.ERROR, facts, progress=progress, error=_LOST, error_kind="lost")
        return Reading(JobStatus.DONE if is_done else JobStatus.RUNNING, facts, progress=progress)

    def result(self) -> Any:
        return self._collection

    def cancel(self) -> None:
        self._client.cancel(self._futures, asynchronous=False)

    def on_change(self, wake: Callable[[], None]) -> None:
        for future in self._futures:
            future.add_done_callback(lambda _: wake())


def _running(client: Any) -> frozenset[str]:
    """Return the keys of the tasks that workers have in hand."""
    told = client.sync(client.scheduler.processing, workers=None, asynchronous=False, callback_timeout=_PATIENCE)
    return frozenset(str(key) for keys in told.values() for key in keys)


def _gathered(client: Any, future: Any) -> Any:
    try:
        return client.sync(future._result, asynchronous=False, callback_timeout=_RESULT_PATIENCE)
    except sys.modules["distributed"].CancelledError as error:
        raise JobCancelledError(str(error)) from error


def _address(client: Any) -> str | None:
    scheduler = client.scheduler
    return None if scheduler is None else str(scheduler.address)


def _name(key: Any) -> str:
    """Return what a task is called, by its key: ``inc-c1ff…`` is ``inc``."""
    return str(sys.modules["dask"].utils.key_split(key))
