"""ipyparallel's ``AsyncResult``: a future whose work is on engines, with their output and what they have published."""

from __future__ import annotations

import sys
from typing import Any

from .._status import JobStatus
from .futures import WatchedFuture
from .ports import Fact, Reading, Watched


def adapt(obj: Any) -> Watched | None:
    """Watch an ``AsyncResult`` of any kind."""
    return WatchedAsyncResult(obj) if isinstance(obj, sys.modules["ipyparallel"].AsyncResult) else None


class WatchedAsyncResult(WatchedFuture):
    """An ``AsyncResult``. Cancelling aborts what no engine has begun; what runs on one goes on to its end."""

    system = "ipyparallel"
    pace = (0.1, 5.0)

    def __init__(self, result: Any) -> None:
        super().__init__(result)
        self._result = result
        self._printed: dict[tuple[int, str], int] = {}
        self.name = str(getattr(result, "_fname", None) or "asyncresult")
        self.source = {"id": str(result.msg_ids[0]) if result.msg_ids else ""}

    def read(self) -> Reading:
        told = super().read()
        tasks = list(self._result._metadata)
        facts: dict[str, Fact] = {"tasks": len(tasks)}
        engines = sorted({str(task["engine_id"]) for task in tasks if task.get("engine_id") is not None})
        if engines:
            facts["engines"] = ", ".join(engines)
        status = JobStatus.RUNNING if told.status == JobStatus.QUEUED and engines else told.status
        if isinstance(told.exception, sys.modules["ipyparallel"].error.TaskAborted):
            return Reading(JobStatus.CANCELLED, facts)
        progress = (self._result.progress, len(tasks), None) if len(tasks) > 1 else None
        return Reading(status, facts, progress=progress, output=self._output(tasks).encode(), exception=told.exception)

    def cancel(self) -> bool | None:  # type: ignore[override]
        # A future's own cancel() would call it cancelled, and stop nothing.
        self._result.abort()
        return None

    def _output(self, tasks: list[Any]) -> str:
        new = ""
        for number, task in enumerate(tasks):
            for stream in ("stdout", "stderr"):
                text = str(task.get(stream) or "")
                new += text[self._printed.get((number, stream), 0) :]
                self._printed[number, stream] = len(text)
        return new
