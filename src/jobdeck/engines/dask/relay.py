"""What a worker tells of the jobs that run there: one thread reads its store, and sends what is new in it."""

from __future__ import annotations

import contextlib
import logging
import os
import select
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from pathlib import Path
from typing import Final

from ..._errors import StoreError
from ..._ports import Store
from ..._records import JobRecord, MessageRecord, Outcome
from ..._status import is_final
from ..bell import ENDS, NEWS, Bell
from .travel import EVENT_BODY, EVENT_LOG, News, packed

TICK: Final = 0.015
"""Seconds at least between looks at the jobs that run here: what is new in them goes as one event."""
_LOG_EVERY: Final = 0.1
"""Seconds between looks at what jobs print, of which nobody rings, and at what a ring was missed of."""
_CHECK_EVERY: Final = 1.0
_AT_ONCE: Final = 200
_ROUNDS: Final = 20
"""So often are messages read before what else is new is told."""

Tell = Callable[[str, bytes], None]
"""Sends packed news under a topic as one event of the scheduler."""

_log = logging.getLogger(__name__)


class Watched:
    """A job that runs here, and what has been told of it.

    Attributes
    ----------
    record, outcome
        How it ended, and what its program left; None before, and where the job was removed from the store.
    over
        Done when all of that is known, and everything else is told. It has the error where the job could not begin.
    """

    def __init__(self, topic: str, run: str) -> None:
        self.topic = topic
        self.run = run
        self.seen = 0
        self.log = 0
        self.output: Path | None = None
        self.is_there = False
        """Whether it is in the store: it is watched a moment before."""
        self.progress: tuple[float, float | None, str | None] | None = None
        self.note: str | None = None
        self.record: JobRecord | None = None
        self.outcome: Outcome | None = None
        self.over: Future[None] = Future()

    def end(self, error: Exception | None = None) -> None:
        """Let whoever waits for it go on."""
        # Nobody waits any more where the worker has given it up.
        if not self.over.done() and self.over.set_running_or_notify_cancel():
            if error is None:
                self.over.set_result(None)
            else:
                self.over.set_exception(error)


class Relay:
    """Tells what is new of jobs, as long as there are any. All that has to do with its store is done by one thread.

    Parameters
    ----------
    store : Store
        The worker's.
    tell : Tell
    address : str
        The worker's.
    check
        Called by the thread once a second while there are jobs.
    """

    def __init__(self, store: Store, tell: Tell, address: str, check: Callable[[], None] = lambda: None) -> None:
        self._store = store
        self._tell = tell
        self._address = address
        self._check = check
        self._watched: dict[str, Watched] = {}
        self._beginnings: list[tuple[Watched, Callable[[], None]]] = []
        self._lock = threading.Lock()
        self._wake, self._woken = os.pipe()
        for fd in (self._wake, self._woken):
            os.set_blocking(fd, False)
        self._is_closed = False
        self._news, self._ends = Bell(store.home, NEWS), Bell(store.home, ENDS)
        self._version: int | None = None
        self._number = 0
        self._looked = 0.0
        self._log_due = 0.0
        self._check_due = 0.0
        self._parcels: dict[str, list[News]] = {}
        self._weight = 0
        self._thread = threading.Thread(target=self._serve, name="jobdeck-relay", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """End the thread of a relay that does not live as long as its process; nothing is told any more."""
        self._is_closed = True
        self._stir()
        self._thread.join()
        self._news.close()
        self._ends.close()
        os.close(self._wake)
        os.close(self._woken)

    @contextlib.contextmanager
    def watching(self, job_id: str, watched: Watched, begin: Callable[[], None]) -> Iterator[None]:
        """Tell of a job from now on, until it has ended: then `watched.over` is done.

        Parameters
        ----------
        begin
            Puts the job into the store. It is called by the thread, and where it fails the job is over.
        """
        with self._lock:
            self._watched[job_id] = watched
            self._beginnings.append((watched, begin))
        self._stir()
        try:
            yield
        finally:
            self._drop(job_id)

    def _stir(self) -> None:
        # A full pipe has been written to already.
        with contextlib.suppress(BlockingIOError):
            os.write(self._woken, b"!")

    def send(self, watched: Watched, news: News) -> None:
        """Tell this now."""
        self._tell(watched.topic, self.event(watched, news))

    def event(self, watched: Watched, news: News) -> bytes:
        """Return what is sent of such news."""
        return packed([self._signed(watched, news)])

    def _signed(self, watched: Watched, news: News) -> News:
        return {**news, "run": watched.run, "worker": self._address}

    def _drop(self, job_id: str) -> None:
        with self._lock:
            self._watched.pop(job_id, None)

    # --- the thread

    def _serve(self) -> None:
        while not self._is_closed:
            may_be_news = self._pause()
            self._begin()
            try:
                if may_be_news:
                    self._looked = time.monotonic()
                    self._look()
                if self._watched and time.monotonic() >= self._check_due:
                    self._check_due = time.monotonic() + _CHECK_EVERY
                    self._check()
            except (StoreError, OSError):
                self._version = None
            except Exception:  # noqa: BLE001 - the thread is all that its jobs have
                _log.exception("news of jobs cannot be told; trying again")
                self._version = None

    def _pause(self) -> bool:
        """Wait until there is something to do; whether there may be news.

        The first news after a pause are heard at once, and what follows them is collected; ends are heard at once.
        """
        if not self._watched:
            readable = _readable([self._wake], None)
            # A job that is only about to come has nothing to tell.
            self._log_due = time.monotonic() + _LOG_EVERY
        else:
            readable = self._heard()
        if self._wake in readable:
            os.read(self._wake, 4096)
        for bell in (self._news, self._ends):
            if bell.fileno() in readable:
                bell.silence()
        return readable != [self._wake]

    def _heard(self) -> list[int]:
        """Wait for what is worth a look, and return what of that can be read."""
        now = time.monotonic()
        news, ends = self._news.fileno(), self._ends.fileno()
        fds = [self._wake] if ends is None else [self._wake, ends]
        left = self._looked + TICK - now
        readable = _readable(fds, left) if left > 0 else []
        if readable or self._version is None or news is None or ends is None:
            return readable
        return _readable([*fds, news], max(self._log_due - time.monotonic(), 0.0))

    def _begin(self) -> None:
        """Put jobs into the store that have come."""
        if not self._beginnings:
            return
        with self._lock:
            beginnings, self._beginnings = self._beginnings, []
        for watched, begin in beginnings:
            try:
                begin()
            except Exception as error:  # noqa: BLE001 - whoever waits for the job gets it
                watched.end(error)

    def _look(self) -> None:
        """Send what is new of the jobs that are watched, and let those go that are over."""
        version = self._store.data_version()
        is_log_due = time.monotonic() >= self._log_due
        is_new = version != self._version
        if not is_new and not is_log_due:
            return
        # What jobs say changes nothing of them.
        has_changed = is_new and self._store.change_number() != self._number
        changes = self._store.changes(self._number) if has_changed else None
        # Only now: a job is watched before it is in the store, so that no change is of a job that is watched later.
        with self._lock:
            watched = dict(self._watched)
        records: dict[str, JobRecord] = {}
        over = []
        if changes is not None:
            records = {record.job_id: record for record in changes.jobs if record.job_id in watched}
            # A job that was here before was removed from the store before this run of it is there.
            over += [job_id for job_id in changes.deleted if job_id in watched and watched[job_id].is_there]
        for job_id, record in records.items():
            one = watched[job_id]
            one.is_there = True
            self._add_progress(record, one)
            if is_final(record.status):
                one.record = record
                over.append(job_id)
        ended = [job_id for job_id in records if watched[job_id].record is not None]
        for job_id, outcome in self._store.outcomes(ended).items() if ended else ():
            watched[job_id].outcome = outcome
        has_more = is_new and self._add_new(watched)
        for job_id, one in watched.items():
            if one.record is not None:
                # All messages of a job are there before its end is.
                self._add_last(job_id, one)
                self._add_log(job_id, one, to_end=True)
            elif is_log_due and one.is_there and job_id not in over:
                self._add_log(job_id, one, to_end=False)
        self._flush()
        if is_log_due:
            self._log_due = time.monotonic() + _LOG_EVERY
        self._version = None if has_more else version
        if changes is not None:
            self._number = changes.number
        for job_id in over:
            self._drop(job_id)
            watched[job_id].end()

    # --- what is sent

    def _add(self, watched: Watched, news: News, weight: int = 0) -> None:
        self._parcels.setdefault(watched.topic, []).append(self._signed(watched, news))
        self._weight += weight
        if self._weight >= EVENT_BODY:
            self._flush()

    def _flush(self) -> None:
        """Send what has come together: few events, for each of them costs the scheduler and the agent."""
        parcels, self._parcels, self._weight = self._parcels, {}, 0
        for topic, news in parcels.items():
            self._tell(topic, packed(news))

    def _add_new(self, watched: dict[str, Watched]) -> bool:
        """Add what the jobs that run have said; True where there may be more than can be told at a time."""
        running = {job_id: one for job_id, one in watched.items() if one.is_there and one.record is None}
        for _ in range(_ROUNDS if running else 0):
            seen = {job_id: one.seen for job_id, one in running.items()}
            found = self._store.messages_after(seen, _AT_ONCE, longest=EVENT_BODY)
            for job_id, messages in found.items():
                self._add_messages(job_id, running[job_id], messages)
            if sum(map(len, found.values())) < _AT_ONCE:
                return False
        return bool(running)

    def _add_last(self, job_id: str, one: Watched) -> None:
        while found := self._store.messages_after({job_id: one.seen}, _AT_ONCE, longest=EVENT_BODY):
            self._add_messages(job_id, one, found[job_id])

    def _add_messages(self, job_id: str, one: Watched, found: list[MessageRecord]) -> None:
        rows: list[tuple[int, bool, str | None]] = []
        weight = 0
        for each in found:
            rows.append((each.seq, each.final, each.body if each.length is None else None))
            weight += 0 if each.length is not None else len(each.body)
            if weight >= EVENT_BODY:
                self._add(one, {"job": job_id, "messages": rows}, weight)
                rows, weight = [], 0
        if rows:
            self._add(one, {"job": job_id, "messages": rows}, weight)
        one.seen = found[-1].seq

    def _add_progress(self, record: JobRecord, one: Watched) -> None:
        if record.cancel_note is not None and record.cancel_note != one.note:
            one.note = record.cancel_note
            self._add(one, {"job": record.job_id, "note": record.cancel_note})
        if record.progress_done is None:
            return
        progress = (record.progress_done, record.progress_total, record.progress_message)
        if progress != one.progress:
            one.progress = progress
            self._add(one, {"job": record.job_id, "progress": progress})

    def _add_log(self, job_id: str, one: Watched, *, to_end: bool) -> None:
        path = one.output = one.output or self._store.log_path(job_id)
        try:
            size = os.stat(path).st_size
        except FileNotFoundError:
            size = 0
        if size > one.log:
            piece = piece_of(path, one.log, min(size, one.log + EVENT_LOG))
            self._add(one, {"job": job_id, "log": (one.log, piece)}, len(piece))
            one.log += len(piece)
        if to_end:
            # What is more than events should carry is fetched.
            one.log = size


def _readable(fds: list[int], timeout: float | None) -> list[int]:
    """Return which of these can be read, after so many seconds at most."""
    # Not by `select`, which knows no more than a thousand descriptors: a worker may have that many peers.
    poll = select.poll()
    for fd in fds:
        poll.register(fd, select.POLLIN)
    return [fd for fd, _ in poll.poll(None if timeout is None else 1000 * timeout)]


def piece_of(path: Path, start: int, stop: int) -> bytes:
    """Return some bytes of a file, none where there is no file."""
    try:
        with open(path, "rb") as file:
            file.seek(start)
            return file.read(max(stop - start, 0))
    except FileNotFoundError:
        return b""
