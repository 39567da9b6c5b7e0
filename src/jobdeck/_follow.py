"""The follower: one thread that watches a store and tells its listeners what changed.

Jobs' traits, result waiters, message streams and feeds all hang on it, so that a process has one poller however many
jobs it looks at. A listener is told *that* there are new messages, never the messages: it pulls them from the store,
so that nothing can come twice, out of order or not at all.
"""

from __future__ import annotations

import logging
import os
import threading
import time
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final

from ._errors import StoreError
from ._ports import Store
from ._records import JobQuery, JobRecord
from ._status import JobStatus, is_final

_log = logging.getLogger(__name__)

_OWNER_CHECK: Final = 1.0
_LOG_CHECK: Final = 0.05
_LONGEST_PAUSE: Final = 1.0
_CHUNK: Final = 500
"""Ids of one query: well under SQLite's limit of bound values."""


@dataclass(frozen=True)
class Update:
    """What a listener learns at one time. The first one tells the state of all its jobs.

    Attributes
    ----------
    jobs : tuple of JobRecord
        Rows that changed.
    deleted : tuple of str
        Ids of jobs that are gone; in a first update, also those asked for that the store does not have.
    seqs : mapping of str to int
        Number of the newest message of each job that got new ones. With the row of a job that ended come all of its
        messages.
    log_sizes : mapping of str to int
        Bytes of captured output of each job whose output grew.
    trouble : str or None
        Why the store cannot be read just now; None again when it can.
    """

    jobs: tuple[JobRecord, ...] = ()
    deleted: tuple[str, ...] = ()
    seqs: Mapping[str, int] = field(default_factory=dict)
    log_sizes: Mapping[str, int] = field(default_factory=dict)
    trouble: str | None = None


Listener = Callable[[Update], None]


class Subscription:
    """A listener's tie to a follower; see `Follower.subscribe`."""

    def __init__(self, follower: Follower, listener: Listener, ids: frozenset[str] | None, prompt: bool) -> None:
        self._follower = follower
        self._listener = listener
        self.ids = ids
        self.prompt = prompt
        self.news: frozenset[str] | None = ids
        self.untold = True
        self.closed = False
        self._has_failed = False
        self._trouble: str | None = None

    def set_jobs(self, job_ids: Collection[str] | None) -> None:
        """Follow other jobs from now on; None means all. The next update tells the state of those that are new."""
        ids = None if job_ids is None else frozenset(job_ids)
        with self._follower.lock:
            if ids is None or self.news is None:
                self.news, self.untold = ids, True
            else:
                fresh = ids - self.ids if self.ids is not None else ids
                self.news = (self.news & ids) | fresh if self.untold else fresh
                self.untold = self.untold or bool(fresh)
            self.ids = ids
        self._follower.wake()

    def close(self) -> None:
        """Stop listening. A call that is under way in the follower's thread may still come to its end."""
        with self._follower.lock:
            self.closed = True
            self._follower.subscriptions.discard(self)
        self._follower.wake()

    def covers(self, job_id: str) -> bool:
        """Tell whether this listener asked for that job."""
        return self.ids is None or job_id in self.ids

    def restate(self) -> None:
        """Have the state of all jobs told again. The caller holds the follower's lock."""
        self.news, self.untold = self.ids, True

    def tell_trouble(self, trouble: str | None) -> None:
        """Tell of trouble, or of its end, where the listener does not know yet."""
        if trouble != self._trouble:
            self._trouble = trouble
            self.tell(Update(trouble=trouble))

    def tell(self, update: Update) -> None:
        """Call the listener; an error in it is logged once and ends nothing."""
        if self.closed:
            return
        try:
            self._listener(update)
        except Exception:  # noqa: BLE001 - a listener's error must not stop the others
            if not self._has_failed:
                self._has_failed = True
                _log.exception("a listener of the job follower failed; it is still told of changes")


class Follower:
    """Watches one store from one daemon thread, which runs while there are subscriptions.

    Parameters
    ----------
    store
        What to watch.
    check_owners
        Called once a second while a watched job is under way; closes the jobs of agents that died.
    interval
        Seconds between looks while a prompt subscription has a job that is under way.
    lazy_interval
        Seconds between looks otherwise.

    Notes
    -----
    The thread does not exist in a forked child, so a child has to make a follower of its own.
    """

    def __init__(
        self,
        store: Store,
        *,
        check_owners: Callable[[], None] | None = None,
        interval: float = 0.01,
        lazy_interval: float = 0.1,
    ) -> None:
        self.lock = threading.Lock()
        self.subscriptions: set[Subscription] = set()
        self._check_owners = check_owners
        self._interval = interval
        self._lazy_interval = lazy_interval
        self._watch = _Watch(store)
        self._wake = threading.Event()
        self._thread: threading.Thread | None = None
        self._closed = False
        self._pid = os.getpid()
        self._pause = lazy_interval
        self._next_owner_check = 0.0
        self._owner_complaint: str | None = None

    def subscribe(self, listener: Listener, *, job_ids: Collection[str] | None, prompt: bool = True) -> Subscription:
        """Tell `listener` of every change to these jobs, from the follower's thread.

        Parameters
        ----------
        listener
            Called with an `Update`: first with the current state, then with what changes.
        job_ids
            Jobs to follow; None means all, those to come included.
        prompt
            Whether changes have to arrive within milliseconds.

        Raises
        ------
        RuntimeError
            If the follower was closed, or made by the process that this one was forked from.
        """
        subscription = Subscription(self, listener, None if job_ids is None else frozenset(job_ids), prompt)
        with self.lock:
            if self._closed or os.getpid() != self._pid:
                raise RuntimeError("this follower was closed, or belongs to the process that this one was forked from")
            self.subscriptions.add(subscription)
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="jobdeck-follower", daemon=True)
                self._thread.start()
        self.wake()
        return subscription

    def wake(self) -> None:
        """Look at the store now rather than at the next turn."""
        self._wake.set()

    def close(self) -> None:
        """End all subscriptions and the thread."""
        with self.lock:
            self._closed = True
            for subscription in self.subscriptions:
                subscription.closed = True
            self.subscriptions.clear()
            thread = self._thread
        self.wake()
        if thread is not None and thread is not threading.current_thread() and os.getpid() == self._pid:
            thread.join()

    def _run(self) -> None:
        self._watch.start_over()
        while True:
            self._wake.clear()
            with self.lock:
                if not self.subscriptions:
                    self._thread = None
                    return
                subscriptions = list(self.subscriptions)
            self._wake.wait(self._turn(subscriptions))

    def _turn(self, subscriptions: list[Subscription]) -> float:
        """Look once, tell who is concerned, and return the seconds until the next look."""
        try:
            self._look_after_owners()
            told = self._watch.look(subscriptions, self.lock)
        except StoreError as error:
            self._watch.start_over()
            with self.lock:
                for subscription in subscriptions:
                    subscription.restate()
            for subscription in subscriptions:
                subscription.tell_trouble(str(error))
            self._pause = min(self._pause * 2, _LONGEST_PAUSE)
            return self._pause
        self._pause = self._lazy_interval
        for subscription in subscriptions:
            subscription.tell_trouble(None)
        for subscription, update in told:
            subscription.tell(update)
        return self._interval if self._watch.is_urgent(subscriptions) else self._lazy_interval

    def _look_after_owners(self) -> None:
        now = time.monotonic()
        if self._check_owners is None or not self._watch.live or now < self._next_owner_check:
            return
        self._next_owner_check = now + _OWNER_CHECK
        try:
            self._check_owners()
        except Exception as error:  # noqa: BLE001 - following goes on where an agent cannot be looked after
            if (complaint := repr(error)) != self._owner_complaint:
                self._owner_complaint = complaint
                _log.exception("jobs of agents that died could not be closed; trying again every second")
        # What this thread's own connection writes does not move the data version that it reads.
        self._watch.expect_changes()


class _Watch:
    """What the follower's thread knows of its store. No other thread touches it."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self.live: dict[str, JobStatus | str] = {}
        self._seqs: dict[str, int] = {}
        self._sizes: dict[str, int] = {}
        self._number: int | None = None
        self.start_over()

    def start_over(self) -> None:
        """Forget the jobs under way; their listeners are told their state again. Deletions since are not forgotten."""
        self.live.clear()
        self._seqs.clear()
        self._sizes.clear()
        self._version: int | None = None
        self._next_log_check = 0.0

    def expect_changes(self) -> None:
        """Read changes at the next look, whatever the data version says."""
        self._version = None

    def is_urgent(self, subscriptions: Iterable[Subscription]) -> bool:
        """Tell whether a prompt listener has a job under way (one that is not submitted waits for a person)."""
        moving = [job_id for job_id, status in self.live.items() if status is not JobStatus.INITIALIZING]
        return bool(moving) and any(s.prompt and (s.ids is None or not s.ids.isdisjoint(moving)) for s in subscriptions)

    def look(self, subscriptions: list[Subscription], lock: threading.Lock) -> list[tuple[Subscription, Update]]:
        """Read what changed and return who is to be told what."""
        with lock:
            wants = {s: s.ids for s in subscriptions}
            newcomers = {s: s.news for s in subscriptions if s.untold}
            for subscription in newcomers:
                subscription.news, subscription.untold = frozenset(), False
        everything = any(ids is None for ids in wants.values())
        watched = frozenset[str]() if everything else frozenset().union(*(ids for ids in wants.values() if ids))

        number, jobs, deleted = self._read_changes()
        if not everything:
            jobs = [record for record in jobs if record.job_id in watched]
            for job_id in self.live.keys() - watched:
                self._drop(job_id)
        for record in jobs:
            self.live[record.job_id] = record.status
        ended = [record.job_id for record in jobs if is_final(record.status)]
        seqs = self._grown_messages() if self._moved else {}
        sizes = self._grown_logs(ended)
        for job_id in [*ended, *deleted]:
            self._drop(job_id)

        told = self._compose(wants, newcomers, jobs, deleted, seqs, sizes)
        self._number = number
        return told

    def _compose(
        self,
        wants: Mapping[Subscription, frozenset[str] | None],
        newcomers: Mapping[Subscription, frozenset[str] | None],
        jobs: list[JobRecord],
        deleted: tuple[str, ...],
        seqs: Mapping[str, int],
        sizes: Mapping[str, int],
    ) -> list[tuple[Subscription, Update]]:
        told: list[tuple[Subscription, Update]] = []
        for subscription, ids in wants.items():
            update = Update(
                tuple(r for r in jobs if ids is None or r.job_id in ids),
                tuple(i for i in deleted if ids is None or i in ids),
                {i: n for i, n in seqs.items() if ids is None or i in ids},
                {i: n for i, n in sizes.items() if ids is None or i in ids},
            )
            if subscription in newcomers:
                told.append((subscription, self._with_state(update, newcomers[subscription])))
            elif update.jobs or update.deleted or update.seqs or update.log_sizes:
                told.append((subscription, update))
        return told

    def _read_changes(self) -> tuple[int, list[JobRecord], tuple[str, ...]]:
        version = self._store.data_version()
        self._moved = version != self._version
        if self._number is None:
            number, jobs, deleted = self._store.change_number(), [], ()
        elif self._moved:
            changes = self._store.changes(self._number)
            number, jobs, deleted = changes.number, list(changes.jobs), changes.deleted
        else:
            number, jobs, deleted = self._number, [], ()
        self._version = version
        return number, jobs, deleted

    def _grown_messages(self) -> dict[str, int]:
        # Read after the rows: a job that has ended writes no more, so with its last row come all its messages.
        writing = [i for i, status in self.live.items() if status not in (JobStatus.INITIALIZING, JobStatus.QUEUED)]
        grown = {i: n for i, n in self._last_seqs(writing).items() if n != self._seqs.get(i, 0)}
        self._seqs.update(grown)
        return grown

    def _grown_logs(self, ended: list[str]) -> dict[str, int]:
        now = time.monotonic()
        due = now >= self._next_log_check
        if due:
            self._next_log_check = now + _LOG_CHECK
        running = [i for i, status in self.live.items() if status is JobStatus.RUNNING] if due else []
        grown = {i: n for i in {*running, *ended} if (n := self._log_size(i)) != self._sizes.get(i, 0)}
        self._sizes.update(grown)
        return grown

    def _with_state(self, update: Update, ids: frozenset[str] | None) -> Update:
        """Add the current state of jobs that a listener has not been told of yet."""
        records = {r.job_id: r for r in update.jobs}
        if ids is None:
            found = self._store.jobs(JobQuery(descending=False))
        else:
            asked = sorted(ids)
            found = [
                record
                for at in range(0, len(asked), _CHUNK)
                for record in self._store.jobs(JobQuery(job_ids=tuple(asked[at : at + _CHUNK]), descending=False))
            ]
        records.update((r.job_id, r) for r in found)
        there = [r.job_id for r in found]
        seqs = self._last_seqs(there)
        sizes = {i: n for i in there if (n := self._log_size(i))}
        for record in found:
            if not is_final(record.status) and record.job_id not in self.live:
                self.live[record.job_id] = record.status
                self._seqs[record.job_id] = seqs.get(record.job_id, 0)
                self._sizes[record.job_id] = sizes.get(record.job_id, 0)
        missing = () if ids is None else tuple(sorted(ids - set(there) - set(update.deleted)))
        return Update(
            tuple(records.values()), update.deleted + missing, {**update.seqs, **seqs}, {**update.log_sizes, **sizes}
        )

    def _last_seqs(self, ids: list[str]) -> dict[str, int]:
        found: dict[str, int] = {}
        for at in range(0, len(ids), _CHUNK):
            found.update(self._store.last_seqs(ids[at : at + _CHUNK]))
        return found

    def _log_size(self, job_id: str) -> int:
        try:
            return os.stat(self._store.log_path(job_id)).st_size
        except FileNotFoundError:
            return 0

    def _drop(self, job_id: str) -> None:
        self.live.pop(job_id, None)
        self._seqs.pop(job_id, None)
        self._sizes.pop(job_id, None)
