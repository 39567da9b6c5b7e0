"""What changed in a store since the last look, cut to what each interested party asked for."""

from __future__ import annotations

import time
from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from .._errors import StoreError
from .._ports import Store
from .._records import Changes, GroupRecord, JobQuery, JobRecord
from .._status import FINAL, JobStatus, is_final

_LOG_CHECK: Final = 0.05
_FINAL: Final = tuple(status.value for status in FINAL)
_CHUNK: Final = 500
"""Ids of one query: well under SQLite's limit of bound values."""


@dataclass(frozen=True)
class Update:
    """What a listener learns at one time. The first one tells the state of its jobs.

    Who follows all jobs of the store is told the state of those that have not ended, and what happened to others since
    it asked.

    Attributes
    ----------
    jobs : tuple of JobRecord
        Rows that changed.
    deleted : tuple of str
        Ids of jobs that are gone; in a first update, also those asked for that the store does not have.
    seqs : mapping of str to int
        Number of the newest interim message of each job that got new ones. With the row of a job that ended come all
        of its messages.
    log_sizes : mapping of str to int
        Bytes of captured output of each job whose output grew.
    groups : tuple of GroupRecord
        Groups that are new or changed, for who follows all jobs.
    trouble : str or None
        Why the store cannot be read just now; None again when it can.
    """

    jobs: tuple[JobRecord, ...] = ()
    deleted: tuple[str, ...] = ()
    seqs: Mapping[str, int] = field(default_factory=dict)
    log_sizes: Mapping[str, int] = field(default_factory=dict)
    groups: tuple[GroupRecord, ...] = ()
    trouble: str | None = None


_NOTHING: Final = Update()
_NO_CHANGES: Final = Changes(0, (), ())


@dataclass(frozen=True)
class Interest:
    """What one party wants to know: None stands for all jobs.

    Attributes
    ----------
    ids : frozenset of str or None
        Jobs to hear of.
    untold : frozenset of str or None
        Those of them whose state it has not been told yet.
    is_new : bool
        It waits for its first answer, even if there is nothing to tell.
    since : int or None
        Change number from which on it wants to hear of everything, as well as of the state.
    """

    ids: frozenset[str] | None
    untold: frozenset[str] | None = frozenset()
    is_new: bool = False
    since: int | None = None

    def covers(self, job_id: str) -> bool:
        """Tell whether this party asked for that job."""
        return self.ids is None or job_id in self.ids


class Lookout:
    """What one thread knows of its store; no other thread touches it."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self.live: dict[str, JobStatus | str] = {}
        self.saw_deletions = False
        """Whether jobs were deleted since somebody last set this back; what they left elsewhere is to go, too."""
        self.last_step = float("-inf")
        """When a job under way was last seen in another status than before; seconds of `time.monotonic`."""
        self._writing: set[str] = set()
        """Those under way that have started, and so may publish."""
        self._seqs: dict[str, int] = {}
        self._sizes: dict[str, int] = {}
        self._number: int | None = None
        self.start_over()

    def start_over(self) -> None:
        """Forget the jobs under way; their listeners are told their state again. Deletions since are not forgotten."""
        self.live.clear()
        self._writing.clear()
        self._seqs.clear()
        self._sizes.clear()
        self._version: int | None = None
        self._next_log_check = 0.0

    def expect_changes(self) -> None:
        """Read changes at the next look, whatever the data version says."""
        self._version = None

    def is_moving(self, ids: Container[str] | None) -> bool:
        """Tell whether one of these jobs is under way. One that is not submitted waits for a person."""
        moving = (job_id for job_id, status in self.live.items() if status is not JobStatus.INITIALIZING)
        return any(ids is None or job_id in ids for job_id in moving)

    def look(self, interests: Sequence[Interest]) -> list[Update | None]:
        """Read what changed; the answers are in the order of `interests`, None for those that it does not concern."""
        changes = self._read_changes()
        jobs, deleted = list(changes.jobs), changes.deleted
        self.saw_deletions = self.saw_deletions or bool(deleted)
        # Output grows without a change in the store, but not where nothing is under way.
        is_quiet = not self._moved and (not self.live or time.monotonic() < self._next_log_check)
        if is_quiet and not any(
            interest.is_new or interest.untold is None or interest.untold for interest in interests
        ):
            return [None] * len(interests)
        everything = any(interest.ids is None for interest in interests)
        watched = frozenset[str]().union(*(interest.ids or () for interest in interests))
        if not everything:
            jobs = [record for record in jobs if record.job_id in watched]
            for job_id in self.live.keys() - watched:
                self._drop(job_id)
        for record in jobs:
            self._note(record)
        ended = [record.job_id for record in jobs if is_final(record.status)]
        # Read after the rows: a job that has ended writes no more, so with its last row come all its messages.
        seqs = self._grown_messages() if self._moved else {}
        news = Update(tuple(jobs), deleted, seqs, self._grown_logs(ended), changes.groups)
        for job_id in [*ended, *deleted]:
            self._drop(job_id)

        before = changes.number if self._number is None else self._number
        told = [self._answer(interest, news, before) for interest in interests]
        self._number = changes.number  # only now: after an error in the above, the same changes are read again
        return told

    def _read_changes(self) -> Changes:
        version = self._store.data_version()
        self._moved = version != self._version
        if self._number is None:
            changes = Changes(self._store.change_number(), (), ())
        elif self._moved:
            changes = self._store.changes(self._number)
            if changes.number < self._number:
                self._number = changes.number
                raise StoreError(f"the store at {self._store.home} was replaced by another one; reading it afresh")
        else:
            changes = Changes(self._number, (), ())
        self._version = version
        return changes

    def _grown_messages(self) -> dict[str, int]:
        grown = {i: n for i, n in self._last_seqs(list(self._writing)).items() if n != self._seqs.get(i, 0)}
        self._seqs.update(grown)
        return grown

    def _grown_logs(self, ended: list[str]) -> dict[str, int]:
        now = time.monotonic()
        due = now >= self._next_log_check
        if due:
            self._next_log_check = now + _LOG_CHECK
        running = [i for i in self._writing if self.live[i] is JobStatus.RUNNING] if due else []
        sizes = self._store.log_sizes({*running, *ended})
        grown = {i: n for i, n in sizes.items() if n != self._sizes.get(i, 0)}
        self._sizes.update(grown)
        return grown

    def _answer(self, interest: Interest, news: Update, before: int) -> Update | None:
        """Cut what happened since change number `before` to what one party asked for, None if that is nothing."""
        update = Update(
            tuple(record for record in news.jobs if interest.covers(record.job_id)),
            tuple(filter(interest.covers, news.deleted)),
            {job_id: seq for job_id, seq in news.seqs.items() if interest.covers(job_id)},
            {job_id: size for job_id, size in news.log_sizes.items() if interest.covers(job_id)},
            news.groups if interest.ids is None else (),
        )
        if interest.untold is None or interest.untold:
            since = before if interest.since is None else interest.since
            missed = self._store.changes(since) if since < before else _NO_CHANGES
            return self._with_state(update, interest.untold, missed)
        return update if interest.is_new or update != _NOTHING else None

    def _with_state(self, update: Update, ids: frozenset[str] | None, missed: Changes) -> Update:
        """Add the current state of jobs that a party has not been told of yet: of all that have not ended for None."""
        missed_ends = [record for record in missed.jobs if is_final(record.status)]
        # Of a job that waits there is nothing but its row; that of one that was just submitted has just been read.
        read = {record.job_id for record in update.jobs if record.status is JobStatus.QUEUED}
        found = [*missed_ends, *self._records(None if ids is None else ids - read)]
        there = [record.job_id for record in found]
        seqs = self._last_seqs(there)
        begun = self._store.log_sizes(record.job_id for record in found if record.started is not None)
        sizes = {job_id: size for job_id, size in begun.items() if size}
        for record in found:
            if not is_final(record.status) and record.job_id not in self.live:
                self._note(record)
                self._seqs[record.job_id] = seqs.get(record.job_id, 0)
                self._sizes[record.job_id] = sizes.get(record.job_id, 0)
        records = {record.job_id: record for record in (*update.jobs, *found)}
        missing = () if ids is None else tuple(sorted(ids.difference(read, there, update.deleted)))
        return Update(
            tuple(records.values()),
            tuple(dict.fromkeys((*update.deleted, *missing, *missed.deleted))),
            {**update.seqs, **seqs},
            {**update.log_sizes, **sizes},
            missed.groups or update.groups,
        )

    def _records(self, ids: frozenset[str] | None) -> list[JobRecord]:
        if ids is None:
            return self._store.jobs(JobQuery(without=_FINAL, descending=False))
        asked = sorted(ids)
        chunks = (tuple(asked[at : at + _CHUNK]) for at in range(0, len(asked), _CHUNK))
        return [record for chunk in chunks for record in self._store.jobs(JobQuery(job_ids=chunk, descending=False))]

    def _last_seqs(self, ids: list[str]) -> dict[str, int]:
        found: dict[str, int] = {}
        for at in range(0, len(ids), _CHUNK):
            found.update(self._store.last_seqs(ids[at : at + _CHUNK]))
        return found

    def _note(self, record: JobRecord) -> None:
        if self.live.get(record.job_id) is not record.status:
            self.live[record.job_id] = record.status
            self.last_step = time.monotonic()
        if record.status is JobStatus.INITIALIZING or record.status is JobStatus.QUEUED:
            self._writing.discard(record.job_id)
        else:
            self._writing.add(record.job_id)

    def _drop(self, job_id: str) -> None:
        self.live.pop(job_id, None)
        self._writing.discard(job_id)
        self._seqs.pop(job_id, None)
        self._sizes.pop(job_id, None)
