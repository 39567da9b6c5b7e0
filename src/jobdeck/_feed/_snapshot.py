"""All that a view needs to paint, read from the store at one go."""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from .._errors import JobNotFoundError
from .._ports import Store
from .._records import JobQuery, JobRecord
from .._status import JobStatus, is_final
from .._wire import PROTOCOL, TAIL_LOG, TAIL_MESSAGES, JobView, LogChunk, MessageRow, Snapshot
from ._views import job_view, log_size, newest_rows, read_log

_MESSAGES_BUDGET: Final = 120_000
"""Characters of message bodies in one snapshot, shared by its jobs."""
_LOG_BUDGET: Final = 64_000
"""Bytes of captured output in one snapshot, shared by its jobs."""
_IDS_AT_ONCE: Final = 500


@dataclass(frozen=True)
class Reading:
    """One job with the ends of its messages and output; `seen` is the number of the newest message, a final one too."""

    record: JobRecord
    view: JobView
    rows: list[MessageRow]
    log: LogChunk
    seen: int


def read_snapshot(store: Store, job_ids: Sequence[str]) -> Snapshot:
    """Read the jobs of these ids, in this order; unknown ids are left out."""
    return make_snapshot(store.store_id, read_jobs(store, job_ids), 0)


def make_snapshot(store_id: str, readings: Iterable[Reading], seq: int) -> Snapshot:
    """Return what was read as a frame."""
    readings = list(readings)
    return {
        "type": "snapshot",
        "protocol": PROTOCOL,
        "seq": seq,
        "store_id": store_id,
        "now": round(time.time(), 3),
        "jobs": [reading.view for reading in readings],
        "messages": {reading.record.job_id: reading.rows for reading in readings},
        "logs": {reading.record.job_id: reading.log for reading in readings},
    }


def read_jobs(store: Store, job_ids: Sequence[str]) -> list[Reading]:
    """Read the jobs of these ids that the store has, in this order."""
    records = _find(store, job_ids)
    readings = []
    for record in records:
        try:
            readings.append(read_job(store, record, len(records)))
        except JobNotFoundError:
            continue  # deleted since
    return readings


def _find(store: Store, job_ids: Sequence[str]) -> list[JobRecord]:
    found: dict[str, JobRecord] = {}
    for begin in range(0, len(job_ids), _IDS_AT_ONCE):
        query = JobQuery(job_ids=tuple(job_ids[begin : begin + _IDS_AT_ONCE]))
        found.update((record.job_id, record) for record in store.jobs(query))
    return [found[job_id] for job_id in dict.fromkeys(job_ids) if job_id in found]


def read_job(store: Store, record: JobRecord, share: int) -> Reading:
    """Read one job's view, messages and output; `share` is the number of jobs that share a frame."""
    job_id = record.job_id
    rows, seen = newest_rows(
        store, job_id, 0, record.interim_count, limit=TAIL_MESSAGES, budget=_MESSAGES_BUDGET // share
    )
    path = store.log_path(job_id)
    size = log_size(path)
    tail = min(TAIL_LOG, _LOG_BUDGET // share)
    log = read_log(path, max(0, size - tail), size, final=is_final(record.status))
    place = store.queue_place(job_id) if record.status is JobStatus.QUEUED else None
    return Reading(record, job_view(record, place, log["end"]), rows, log, seen)
