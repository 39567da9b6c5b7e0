"""What a view has been told of each job, and the step from there to what is so now."""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Final

from .._errors import JobNotFoundError
from .._ports import Store
from .._records import JobRecord
from .._status import JobStatus, is_final
from .._wire import TAIL_LOG, TAIL_MESSAGES, Delta, JobView, LogChunk, MessageRow
from ._pending import Pending
from ._snapshot import Reading, read_job
from ._views import changed_keys, job_view, log_size, newest_rows, read_log

_MESSAGES_BUDGET: Final = 64_000
"""Characters of message bodies in one delta, shared by its jobs."""
_LOG_BUDGET: Final = 64_000
"""Bytes of captured output in one delta, shared by its jobs."""
_WHOLE_INTERVAL: Final = 5.0
"""Seconds after which a change brings a job's whole state, so that a view that missed a frame while the kernel was
too busy to answer is mended all the same."""
_LASTING: Final = frozenset({"id", "name", "tags", "engine", "backend", "created", "inputs", "retry_of", "group"})


@dataclass
class _Track:
    """What was told of one job: its view, and up to where its messages and output were read."""

    record: JobRecord
    view: JobView
    seen: int
    whole_at: float = field(default_factory=time.monotonic)

    @property
    def is_queued(self) -> bool:
        return self.record.status is JobStatus.QUEUED


@dataclass
class _Step:
    """A delta in the making."""

    jobs: dict[str, dict[str, object]] = field(default_factory=dict)
    added: list[JobView] = field(default_factory=list)
    removed: list[str] = field(default_factory=list)
    messages: dict[str, list[MessageRow]] = field(default_factory=dict)
    logs: dict[str, LogChunk] = field(default_factory=dict)

    def frame(self) -> Delta | None:
        delta: Delta = {"type": "delta", "seq": 0}
        if self.jobs:
            delta["jobs"] = self.jobs
        if self.added:
            delta["added"] = self.added
        if self.removed:
            delta["removed"] = self.removed
        if self.messages:
            delta["messages"] = self.messages
        if self.logs:
            delta["logs"] = self.logs
        return delta if len(delta) > 2 else None


class Tracks:
    """What a view knows. Belongs to the feed's turn: one thread at a time."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._tracks: dict[str, _Track] = {}
        self._change_number: int | None = None

    @property
    def has_queued(self) -> bool:
        """Tell whether a job waits, so that its place may change with no change to itself."""
        return any(track.is_queued for track in self._tracks.values())

    @property
    def running(self) -> int:
        """Number of jobs that have not ended."""
        return sum(not track.view["final"] for track in self._tracks.values())

    def begin(self, readings: Iterable[Reading]) -> None:
        """Start over from what a snapshot tells."""
        self._tracks = {r.record.job_id: _Track(r.record, r.view, r.seen) for r in readings}

    def delta(self, pending: Pending, ids: Sequence[str]) -> Delta | None:
        """Return the step from what the view knows to what is pending, None if there is none.

        Reads the messages and output that are new, at most so much of each job that the frame stays small.
        """
        step = _Step(removed=[job_id for job_id in pending.deleted if self._tracks.pop(job_id, None)])
        changed = pending.job_ids
        share = max(1, len(changed))
        for job_id in changed & self._tracks.keys():
            try:
                self._advance(job_id, pending, share, step)
            except JobNotFoundError:
                del self._tracks[job_id]
                step.removed.append(job_id)
        self._welcome((changed - self._tracks.keys() - set(step.removed)) & set(ids), pending, step)
        if pending.places:
            self._look_up_places(step)
        return step.frame()

    def _advance(self, job_id: str, pending: Pending, share: int, step: _Step) -> None:
        """Put what is new of one job into the frame."""
        track = self._tracks[job_id]
        told = track.view
        record = pending.records.get(job_id, track.record)
        if record.changed >= track.record.changed:
            track.record = record
        record = track.record
        final = is_final(record.status)

        newest = max(pending.seqs.get(job_id, 0), record.interim_count)
        rows, track.seen = newest_rows(
            self._store, job_id, track.seen, newest, limit=TAIL_MESSAGES, budget=_MESSAGES_BUDGET // share
        )
        log = self._new_output(job_id, pending, told["log_size"], final, share)
        place = None
        if track.is_queued:
            place = told["queue_place"] if told["status"] == JobStatus.QUEUED else self._store.queue_place(job_id)
        view = job_view(record, place, log["end"] if log else told["log_size"])
        view["interim_count"] = max(record.interim_count, int(rows[-1][0]) if rows else told["interim_count"])
        track.view = view

        implied = [key for key, part in (("interim_count", rows), ("log_size", log)) if part]
        changes = changed_keys(told, view, implied)
        now = time.monotonic()
        if changes or implied:
            if now - track.whole_at >= _WHOLE_INTERVAL or view["final"] != told["final"]:
                track.whole_at = now
                changes |= {key: value for key, value in view.items() if key not in _LASTING}
            if changes:
                step.jobs[job_id] = changes
        if rows:
            step.messages[job_id] = rows
        if log:
            step.logs[job_id] = log

    def _new_output(self, job_id: str, pending: Pending, told: int, final: bool, share: int) -> LogChunk | None:
        size = pending.sizes.get(job_id, 0)
        path = self._store.log_path(job_id)
        if final:
            size = log_size(path)
        if size <= told:
            return None
        most = min(TAIL_LOG, _LOG_BUDGET // share)
        log = read_log(path, max(told, size - most), size, final=final)
        return log if log["end"] > log["start"] else None

    def _welcome(self, job_ids: set[str], pending: Pending, step: _Step) -> None:
        """Add jobs that the view has not seen."""
        records: list[JobRecord] = []
        for job_id in job_ids:
            try:
                records.append(pending.records.get(job_id) or self._store.job(job_id))
            except JobNotFoundError:
                continue  # deleted since
        records.sort(key=lambda record: record.number)
        for record in records:
            try:
                reading = read_job(self._store, record, max(1, len(records)))
            except JobNotFoundError:
                continue
            self._tracks[record.job_id] = _Track(reading.record, reading.view, reading.seen)
            step.added.append(reading.view)
            if reading.rows:
                step.messages[record.job_id] = reading.rows
            if reading.log["end"]:
                step.logs[record.job_id] = reading.log

    def _look_up_places(self, step: _Step) -> None:
        """Tell the places that changed; a place moves with the jobs before it, not with its own row."""
        number = self._store.change_number()
        if number == self._change_number:
            return
        self._change_number = number
        for job_id, track in self._tracks.items():
            if not track.is_queued:
                continue
            place = self._store.queue_place(job_id)
            if place is not None and place != track.view["queue_place"]:
                track.view = {**track.view, "queue_place": place}
                step.jobs.setdefault(job_id, {})["queue_place"] = place
