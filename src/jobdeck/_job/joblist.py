"""Lists of jobs."""

from __future__ import annotations

import time
from collections.abc import Iterable
from typing import Any, Final, SupportsIndex, overload

from .. import _presenting
from .._plain import plain, span, table
from .._records import JobQuery, JobRecord
from .facts import Service
from .handle import Job

_MOST_ROWS: Final = 50
_HEAD: Final = ("id", "name", "status", "created", "took", "tags")


class JobList(list[Job[Any]]):
    """Jobs as a list. In a notebook they show as one live output, elsewhere as a table."""

    def __init__(self, jobs: Iterable[Job[Any]] = (), service: Service | None = None) -> None:
        super().__init__(jobs)
        self._service = service

    @overload
    def __getitem__(self, at: SupportsIndex) -> Job[Any]: ...
    @overload
    def __getitem__(self, at: slice) -> JobList: ...
    def __getitem__(self, at: SupportsIndex | slice) -> Job[Any] | JobList:
        if isinstance(at, slice):
            return JobList(super().__getitem__(at), self._service)
        return super().__getitem__(at)

    def __repr__(self) -> str:
        if not self or self._service is None:
            return "no jobs" if not self else super().__repr__()
        shown = self[:_MOST_ROWS]
        found = self._service.store.jobs(JobQuery(job_ids=tuple(job.job_id() for job in shown)))
        now = {record.job_id: record for record in found}
        text = job_table(now.get(job.job_id(), job._record) for job in shown)
        return text if len(self) <= _MOST_ROWS else f"{text}\n… and {len(self) - _MOST_ROWS} more"

    def _ipython_display_(self) -> None:
        if not self or self._service is None:
            print(repr(self))
        else:
            _presenting.display(self._service.store, [job.job_id() for job in self], "list", repr(self))

    def _repr_mimebundle_(self, **_: Any) -> dict[str, Any]:
        if not self or self._service is None:
            return {"text/plain": repr(self)}
        return _presenting.mimebundle(self._service.store, [job.job_id() for job in self], "list", repr(self))

    def _display_(self) -> Any:
        if not self or self._service is None:
            return repr(self)
        return _presenting.element(self._service.store, [job.job_id() for job in self], "list", repr(self))


def job_table(records: Iterable[JobRecord]) -> str:
    """Return jobs as aligned lines of text."""
    return table(_HEAD, map(_row, records))


def _row(record: JobRecord) -> tuple[str, ...]:
    created = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(record.created))
    took = "" if record.started is None else span((record.ended or time.time()) - record.started)
    tags = plain(", ".join(record.tags), 40)
    return record.job_id, plain(record.name, 40), status_words(record), created, took, tags


def status_words(record: JobRecord) -> str:
    """Return a job's status with what a person needs to know beside it."""
    words = str(record.status)
    if record.error_kind is not None:
        words += f" ({record.error_kind})"
    elif record.cancel_state is not None and record.ended is None:
        words += f" (cancel {record.cancel_state})"
    return words
