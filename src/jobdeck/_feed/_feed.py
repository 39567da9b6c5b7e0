"""A feed: what a view is told about some jobs, as their cards need it."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from typing import Final

from .._follow import Follower, Subscription, Update
from .._ports import Store
from .._wire import Delta, Snapshot
from ._pending import Pending
from ._snapshot import make_snapshot, read_jobs
from ._tracks import Tracks

_LONGEST_INTERVAL: Final = 0.1
"""Seconds between frames about one job: at most ten a second."""
_SHORTEST_INTERVAL: Final = 0.033
"""Seconds between frames about many jobs, so that each of them is seen within 50 ms."""
_JOB_RATE: Final = 2_000
"""Bytes a second that a running job may cost while its frames can be put off for it, by at most `_SLOWEST_INTERVAL`."""
_SLOWEST_INTERVAL: Final = 0.25
_OUTPUT_DELAY: Final = 0.1
"""Seconds that captured output waits for a message to travel with: a program that prints mostly publishes, too."""
_PLACES_INTERVAL: Final = 1.0
_RETRY_INTERVAL: Final = 1.0


class Feed:
    """Tells a view what happens to jobs. A part of a `Conversation`, in whose turns it is called.

    The first change goes out at once; what follows is gathered into at most ten frames a second where one job is busy
    and up to thirty where many are. What waits to be sent is a state, not a queue: a slow consumer gets fewer and
    larger steps, and the last one always.

    Nothing is followed before `begin`, or before a snapshot is asked for.

    Parameters
    ----------
    store, follower
        Where the jobs are and who tells when they change.
    job_ids
        The jobs, in the view's order.
    wake
        Called when there may be something to send.
    shortest_interval
        Returns the seconds that have to lie between frames for the sake of others.
    """

    def __init__(
        self,
        store: Store,
        follower: Follower,
        job_ids: Sequence[str],
        wake: Callable[[], None],
        shortest_interval: Callable[[], float],
    ) -> None:
        self._store = store
        self._follower = follower
        self._ids = list(dict.fromkeys(job_ids))
        self._wake = wake
        self._shortest_interval = shortest_interval
        self._lock = threading.Lock()
        self._pending = Pending()
        self._tracks = Tracks(store)
        self._subscription: Subscription | None = None
        self._wants_snapshot = False
        self._trouble: str | None = None
        self._seq = -1
        self._not_before = 0.0
        self._paced = 0.0
        self._load = 1
        self._weight = 0.0
        self._has_queued = False
        self._next_places = 0.0

    @property
    def trouble(self) -> str | None:
        """Why the store cannot be read just now."""
        return self._trouble

    @property
    def job_ids(self) -> list[str]:
        """The jobs that this feed is about."""
        return list(self._ids)

    # --- the view's side

    def begin(self) -> Snapshot:
        """Follow the jobs from now on and return the state that the first delta goes on from."""
        # Follow first, read then: what happens in between comes twice rather than never, and changes nothing then.
        if self._subscription is None:
            self._subscription = self._follower.subscribe(self._hear, job_ids=self._ids)
        readings = read_jobs(self._store, self._ids)
        self._tracks.begin(readings)
        self._has_queued = self._tracks.has_queued
        self._seq += 1
        return make_snapshot(self._store.store_id, readings, self._seq)

    def snapshot(self) -> Snapshot:
        """Read the state as it is now; deltas go on from it, though the first of them may tell it once more."""
        return make_snapshot(self._store.store_id, read_jobs(self._store, self._ids), max(0, self._seq))

    def ask(self) -> None:
        """Send a snapshot next."""
        with self._lock:
            self._wants_snapshot = True

    def follow(self, job_ids: list[str]) -> None:
        """Be about other jobs from now on."""
        self._ids = job_ids
        if self._subscription is not None:
            self._subscription.set_jobs(job_ids)

    def rest(self) -> None:
        """Follow nothing and send nothing until somebody asks."""
        subscription, self._subscription = self._subscription, None
        if subscription is not None:
            subscription.close()
        with self._lock:
            self._pending, self._wants_snapshot, self._trouble = Pending(), False, None
        self._has_queued = False

    # --- the follower's side

    def _hear(self, update: Update) -> None:
        with self._lock:
            self._trouble = update.trouble
            self._pending.add(update)
        self._wake()

    # --- the conversation's side

    def due(self) -> float | None:
        """Return when the next frame is due, None if there is nothing to tell."""
        with self._lock:
            if not self._wants_snapshot and self._pending.is_empty:
                return self._next_places if self._has_queued else None
            not_before = self._not_before
            if self._pending.has_output_alone and not self._wants_snapshot:
                not_before = max(not_before, self._pending.output_since + _OUTPUT_DELAY)
        return max(not_before, self._paced + self._interval())

    def step(self) -> Snapshot | Delta | None:
        """Return the frame that is due, None if there is nothing in it."""
        interval = self._interval()
        with self._lock:
            wants_snapshot, self._wants_snapshot = self._wants_snapshot, False
            pending, self._pending = self._pending, Pending()
        frame = self._tell_all() if wants_snapshot else self._tell_news(pending)
        if frame is not None:
            # From when the frame was due, not from when it goes out: a job that publishes as often as frames may go
            # would stay behind for good by the largest delay that there ever was. At most one interval is made up for.
            self._paced = max(self._paced + interval, time.monotonic() - interval)
        return frame

    def begin_again(self, words: str | None) -> None:
        """Take it that the last step failed: for `words`, which the view is told, or in a way that nobody foresaw."""
        # What was taken from the pending changes is lost to this feed: only a snapshot mends that.
        self._not_before = time.monotonic() + _RETRY_INTERVAL
        with self._lock:
            self._wants_snapshot = True
            self._trouble = words or self._trouble

    def _interval(self) -> float:
        load = max(self._load, self._pending.load)
        interval = min(_LONGEST_INTERVAL, max(_SHORTEST_INTERVAL, _LONGEST_INTERVAL / load))
        return max(interval, self._weight, self._shortest_interval())

    def _tell_all(self) -> Snapshot:
        snapshot = self.begin()
        with self._lock:
            self._trouble = None
        return snapshot

    def _tell_news(self, pending: Pending) -> Delta | None:
        now = time.monotonic()
        if self._has_queued and now >= self._next_places:
            pending.places = True
            self._next_places = now + _PLACES_INTERVAL
        self._load = max(1, pending.load)
        delta = self._tracks.delta(pending, self._ids)
        self._has_queued = self._tracks.has_queued
        if delta is None:
            return None
        self._seq += 1
        delta["seq"] = self._seq
        # A dict's repr is about as long as its JSON.
        self._weight = min(_SLOWEST_INTERVAL, len(repr(delta)) / (_JOB_RATE * max(1, self._tracks.running)))
        return delta
