"""What a worker tells of the jobs that run there: one thread reads its store, and sends what is new in it."""

from __future__ import annotations

import contextlib
import logging
import os
import select
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

from ..._errors import StoreError
from ..._ports import Store
from ..._records import JobRecord, MessageRecord
from ..._status import is_final
from ..bell import NEWS, Bell
from .travel import EVENT_BODY, EVENT_LOG, News, packed

TICK: Final = 0.01
"""Seconds at least between looks at the jobs that run here: what is new in them goes as one event."""
_LOG_EVERY: Final = 0.1
"""Seconds between looks at what jobs print, of which nobody rings, and at what a ring was missed of."""
_AT_ONCE: Final = 200
_ROUNDS: Final = 20
"""So often are messages read before what else is new is told."""

Tell = Callable[[str, bytes], None]
"""Sends packed news under a topic as one event of the scheduler."""

_log = logging.getLogger(__name__)


class Watched:
    """A job that runs here, and what has been told of it."""

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
        self.over = threading.Event()


class Relay:
    """Tells what is new of jobs, as long as there are any.

    Parameters
    ----------
    store : Store
        The worker's.
    tell : Tell
    address : str
        The worker's.
    """

    def __init__(self, store: Store, tell: Tell, address: str) -> None:
        self._store = store
        self._tell = tell
        self._address = address
        self._watched: dict[str, Watched] = {}
        self._lock = threading.Lock()
        self._wake = threading.Event()
        self._is_closed = False
        self._bell = Bell(store.home, NEWS)
        self._version: int | None = None
        self._number = 0
        self._log_due = 0.0
        self._looked = 0.0
        self._parcels: dict[str, list[News]] = {}
        self._weight = 0
        self._thread = threading.Thread(target=self._serve, name="jobdeck-relay", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """End the thread of a relay that does not live as long as its process; nothing is told any more."""
        self._is_closed = True
        self._wake.set()
        self._thread.join()
        self._bell.close()

    @contextlib.contextmanager
    def watching(self, job_id: str, watched: Watched) -> Iterator[None]:
        """Tell of a job from now on, until it has ended: then `watched.over` is set."""
        with self._lock:
            self._watched[job_id] = watched
        self._wake.set()
        try:
            yield
        finally:
            self._drop(job_id)

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
            if not self._watched:
                self._wake.wait()
                self._wake.clear()
                # A job that is only about to come has nothing to tell.
                self._log_due = time.monotonic() + _LOG_EVERY
                continue
            self._pause()
            try:
                self._look()
            except (StoreError, OSError):
                self._version = None
            except Exception:  # noqa: BLE001 - the thread is all that its jobs have
                _log.exception("news of jobs cannot be told; trying again")
                self._version = None

    def _pause(self) -> None:
        """Wait until a job has said something, or has ended. The first ring after a pause is heard at once."""
        bell = self._bell.fileno()
        left = self._looked + TICK - time.monotonic()
        if bell is None or self._version is None or left > 0:
            time.sleep(max(left, 0.0))
        if bell is not None and self._version is not None:
            due = max(self._log_due - time.monotonic(), 0.0)
            if select.select([bell], [], [], due)[0]:
                self._bell.silence()
        self._looked = time.monotonic()

    def _look(self) -> None:
        """Send what is new of the jobs that are watched, and let those go that are over."""
        version = self._store.data_version()
        is_log_due = time.monotonic() >= self._log_due
        if version == self._version and not is_log_due:
            return
        changes = self._store.changes(self._number) if version != self._version else None
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
        has_more = changes is not None and self._add_new(watched)
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
            watched[job_id].over.set()

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


def piece_of(path: Path, start: int, stop: int) -> bytes:
    """Return some bytes of a file, none where there is no file."""
    try:
        with open(path, "rb") as file:
            file.seek(start)
            return file.read(max(stop - start, 0))
    except FileNotFoundError:
        return b""
