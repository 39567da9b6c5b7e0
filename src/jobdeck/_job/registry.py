"""The handles that a process has on the jobs of one home: one object per job, all fed by one subscription."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Collection, Mapping
from typing import Any, Final
from weakref import WeakValueDictionary

from .._follow import Follower, Subscription, Update
from .._records import JobRecord
from .._status import JobStatus, is_final
from .handle import Job

_ROUND: Final = 0.25
_MOST_PLACES: Final = 50


class Handles:
    """Makes handles and brings them their news. A handle that nobody keeps is forgotten.

    Parameters
    ----------
    follower
        Gives who tells of changes.
    queue_places
        Gives the places of those of some jobs that are queued.
    """

    def __init__(
        self, follower: Callable[[], Follower], queue_places: Callable[[Collection[str]], Mapping[str, int]]
    ) -> None:
        self._follower = follower
        self._queue_places = queue_places
        self._jobs: WeakValueDictionary[str, Job[Any]] = WeakValueDictionary()
        self.begin_afresh()

    def begin_afresh(self) -> None:
        """In a forked child: forget the lock and the subscription, which are the parent's, but not the handles."""
        self._followed: set[str] = set()
        self._subscription: Subscription | None = None
        self._lock = threading.RLock()
        self._next_round = 0.0

    def handle(self, record: JobRecord, make: Callable[[JobRecord], Job[Any]]) -> Job[Any]:
        """Return the job's handle, made now if nobody has one. Of a job that has not ended it tells what happens."""
        with self._lock:
            job = self._jobs.get(record.job_id)
            if job is None:
                job = self._jobs[record.job_id] = make(record)
        self.follow(job)
        return job

    def follow(self, job: Job[Any]) -> None:
        """Bring this handle its news until the job has ended and it has been told."""
        if not is_final(job.state):
            with self._lock:
                if job.job_id() in self._followed:
                    return
                if self._subscription is None:
                    self._subscription = self._follower().subscribe(self._hear, job_ids=[job.job_id()])
                else:
                    self._subscription.add_jobs([job.job_id()])
                self._followed.add(job.job_id())

    def rest(self) -> None:
        """Bring news to nobody but those who wait for them: streams, futures, and calls that block."""
        with self._lock:
            awaited = {job_id for job_id, job in self._jobs.items() if job._is_awaited}
            self._leave(self._followed - awaited)

    def _leave(self, job_ids: Collection[str]) -> None:
        self._followed.difference_update(job_ids)
        if self._subscription is None:
            return
        if self._followed:
            self._subscription.drop_jobs(job_ids)
        else:
            self._subscription.close()
            self._subscription = None

    def _hear(self, update: Update) -> None:
        records = {record.job_id: record for record in update.jobs}
        for job_id in {*records, *update.seqs, *update.log_sizes, *update.deleted}:
            job = self._jobs.get(job_id)
            if job is not None:
                job._take(
                    records.get(job_id),
                    update.seqs.get(job_id),
                    update.log_sizes.get(job_id),
                    is_gone=job_id in update.deleted,
                )
        over = {job_id for job_id, record in records.items() if is_final(record.status)}
        # While jobs wait, all handles are gone through now and then, not at every piece of news about one of them.
        is_time = time.monotonic() >= self._next_round
        with self._lock:
            if is_time:
                over.update(self._followed.difference(self._jobs.keys()))
            self._leave(over.union(update.deleted))
            followed = [job for job in map(self._jobs.get, self._followed) if job is not None] if is_time else []
        self._refresh_places(followed)

    def _refresh_places(self, jobs: list[Job[Any]]) -> None:
        """A place in the queue changes with other jobs' rows, not with the job's own."""
        waiting = [job for job in jobs if job.state == JobStatus.QUEUED and not job.is_watched]
        if not waiting:
            return
        self._next_round = time.monotonic() + _ROUND
        places = self._queue_places([job.job_id() for job in waiting[:_MOST_PLACES]])
        for job in waiting[:_MOST_PLACES]:
            job._set("queue_place", places.get(job.job_id()))
