"""A feed: one ordered conversation with a view about some jobs."""

from __future__ import annotations

import logging
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from .._errors import StoreError
from .._follow import Follower, Subscription, Update
from .._ports import Store
from .._wire import Delta, RangeReply, Reply, Snapshot, Trouble
from ._pending import Pending
from ._pump import PUMP, Pump
from ._requests import Refused, Request, Retry, answer_command, answer_range, parse, refuse
from ._snapshot import make_snapshot, read_jobs
from ._tracks import Tracks

_log = logging.getLogger(__name__)

Frame = Snapshot | Delta | RangeReply | Reply | Trouble
Send = Callable[[Mapping[str, Any]], "bool | None"]

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
_MOST_REQUESTS: Final = 256


class Feed:
    """Tells a view what happens to jobs and answers what it asks.

    Every frame leaves from one thread, the pump's. The first change goes out at once; what follows is gathered into at
    most ten frames a second where one job is busy and up to thirty where many are. What waits to be sent is a state,
    not a queue: a slow consumer gets fewer and larger steps, and the last one always.

    Nothing is followed before `begin`, or before the view subscribes.

    Parameters
    ----------
    store, follower
        Where the jobs are and who tells when they change.
    send
        Takes one frame, never blocks. If it returns False, nothing more is sent until `resume` is called.
    job_ids
        The jobs, in the view's order; None means the newest ones of the store and those to come.
    keeps_jobs
        The view cannot change which jobs these are: an empty subscription silences the feed, another one wakes it.
    retry
        Runs a job again and returns the new id; without it a view cannot ask for that.
    origin
        Who asks, as the store notes it beside a cancel.
    on_jobs
        Called with the ids when a retry has added a job to them.
    may_rest
        Asked before each delta while the view has not asked for anything: if there seems to be no view that ever
        will, the feed falls silent until one does.
    """

    def __init__(
        self,
        store: Store,
        follower: Follower,
        send: Send,
        *,
        job_ids: Sequence[str] | None,
        keeps_jobs: bool = False,
        retry: Retry | None = None,
        origin: str = "browser",
        on_jobs: Callable[[list[str]], None] | None = None,
        may_rest: Callable[[], bool] | None = None,
        pump: Pump = PUMP,
    ) -> None:
        self._store = store
        self._follower = follower
        self._send = send
        self._ids = None if job_ids is None else list(dict.fromkeys(job_ids))
        self._keeps_jobs = keeps_jobs
        self._retry = retry
        self._origin = origin
        self._on_jobs = on_jobs
        self._may_rest = may_rest
        self._pump = pump
        self._lock = threading.Lock()
        self._turn_lock = threading.RLock()
        self._pending = Pending()
        self._requests: deque[Request | Refused] = deque()
        self._dropped = 0
        self._tracks = Tracks(store)
        self._subscription: Subscription | None = None
        self._wants_snapshot = False
        self._is_paused = False
        self._is_closed = False
        self._trouble: str | None = None
        self._told_trouble: str | None = None
        self._seq = -1
        self._not_before = 0.0
        self._paced = 0.0
        self._interval = 0.0
        self._load = 1
        self._weight = 0.0
        self._has_queued = False
        self._next_places = 0.0
        pump.add(self)

    # --- the view's side

    def begin(self) -> Snapshot:
        """Follow the jobs from now on and return the state that the first delta goes on from.

        For a view that gets its first state by another way than this feed.
        """
        with self._turn_lock:
            return self._read_all()

    def snapshot(self) -> Snapshot:
        """Read the state as it is now; deltas go on from it, though the first of them may tell it once more."""
        seq = max(0, self._seq)
        return make_snapshot(self._store.store_id, read_jobs(self._store, self._ids), seq)

    def receive(self, frame: object) -> None:
        """Take what a view sent, from any thread; whatever it is, the answer is a frame and never an exception."""
        try:
            request: Request | Refused = parse(frame)
        except Refused as refused:
            request = refused
        self._queue(request)

    def refuse(self, number: int, words: str) -> None:
        """Answer a command that the consumer's own rules forbid."""
        self._queue(Refused("reply", number, "", words))

    def _queue(self, request: Request | Refused) -> None:
        with self._lock:
            if len(self._requests) < _MOST_REQUESTS:
                self._requests.append(request)
            else:
                self._dropped += 1
        self._pump.wake(self)

    def resume(self) -> None:
        """Say that the consumer can take more."""
        self._is_paused = False
        self._pump.wake(self)

    @property
    def backlog(self) -> int:
        """Number of requests that wait for their answer."""
        return len(self._requests)

    @property
    def job_ids(self) -> list[str] | None:
        """The jobs that this feed is about, None where it shows the newest."""
        return None if self._ids is None else list(self._ids)

    def close(self) -> None:
        """End the conversation; when this returns, nothing is sent any more."""
        with self._turn_lock:
            self._is_closed = True
            subscription, self._subscription = self._subscription, None
        if subscription is not None:
            subscription.close()
        self._pump.remove(self)

    # --- the follower's side

    def _hear(self, update: Update) -> None:
        with self._lock:
            self._trouble = update.trouble
            self._pending.add(update)
        self._pump.wake(self)

    # --- the pump's side

    def due(self) -> float | None:
        """Return when the next turn is due (see `Pump`)."""
        if self._is_closed or self._is_paused:
            return None
        with self._lock:
            if self._requests or self._dropped or self._trouble != self._told_trouble:
                return 0.0
            if not self._wants_snapshot and self._pending.is_empty:
                return self._next_places if self._has_queued else None
            load = max(self._load, self._pending.load)
            not_before = self._not_before
            if self._pending.has_output_alone and not self._wants_snapshot:
                not_before = max(not_before, self._pending.output_since + _OUTPUT_DELAY)
        interval = min(_LONGEST_INTERVAL, max(_SHORTEST_INTERVAL, _LONGEST_INTERVAL / load))
        self._interval = max(interval, self._weight, self._pump.shortest_interval())
        return max(not_before, self._paced + self._interval)

    def turn(self) -> None:
        """Send what is due."""
        with self._turn_lock:
            if self._is_closed:
                return
            self._tell_trouble()
            while not self._is_paused and self._answer_one():
                pass
            try:
                self._tell_news()
            except StoreError as error:
                self._begin_again(str(error))
            except Exception:
                self._begin_again(None)
                raise

    def _begin_again(self, words: str | None) -> None:
        # What was taken from the pending changes is lost to this feed: only a snapshot mends that.
        self._not_before = time.monotonic() + _RETRY_INTERVAL
        with self._lock:
            self._wants_snapshot = True
            self._trouble = words or self._trouble

    def _tell_trouble(self) -> None:
        with self._lock:
            trouble, told = self._trouble, self._told_trouble
            self._told_trouble = trouble
        if trouble != told:
            self._emit({"type": "trouble", "error": trouble})

    def _tell_news(self) -> None:
        now = time.monotonic()
        due = self.due()
        if due is None or due > now or self._is_paused:
            return
        with self._lock:
            wants_snapshot, self._wants_snapshot = self._wants_snapshot, False
            pending, self._pending = self._pending, Pending()
        if wants_snapshot:
            self._tell_all()
        elif self._may_rest is not None and self._may_rest():
            self._rest()
        else:
            if self._has_queued and now >= self._next_places:
                pending.places = True
                self._next_places = now + _PLACES_INTERVAL
            self._load = max(1, pending.load)
            delta = self._tracks.delta(pending, self._ids)
            self._has_queued = self._tracks.has_queued
            if delta is not None:
                self._seq += 1
                delta["seq"] = self._seq
                # A dict's repr is about as long as its JSON.
                self._weight = min(_SLOWEST_INTERVAL, len(repr(delta)) / (_JOB_RATE * max(1, self._tracks.running)))
                self._emit(delta)

    def _tell_all(self) -> None:
        snapshot = self._read_all()
        with self._lock:
            self._trouble = None
        self._tell_trouble()
        self._emit(snapshot)

    def _read_all(self) -> Snapshot:
        # Follow first, read then: what happens in between comes twice rather than never, and changes nothing then.
        if self._subscription is None:
            self._subscription = self._follower.subscribe(self._hear, job_ids=self._ids)
        readings = read_jobs(self._store, self._ids)
        self._tracks.begin(readings)
        self._has_queued = self._tracks.has_queued
        self._seq += 1
        return make_snapshot(self._store.store_id, readings, self._seq)

    def _answer_one(self) -> bool:
        with self._lock:
            dropped, self._dropped = self._dropped, 0
            request = self._requests.popleft() if self._requests and not dropped else None
        if dropped:
            self._emit(refuse(0, f"too many requests at once: {dropped} were not answered"))
            return True
        if request is None:
            return False
        self._may_rest = None
        if isinstance(request, Refused):
            self._emit(request.answer())
        elif request["type"] == "subscribe":
            self._subscribe(request["ids"])
        elif request["type"] == "resync":
            self._ask_for_snapshot()
        elif request["type"] == "range":
            self._emit(answer_range(self._store, request))
        else:
            reply = answer_command(self._store, request, self._retry, self._origin)
            if reply["job"] is not None:
                self._adopt(reply["job"]["id"])
            self._emit(reply)
            self._follower.wake()
        return True

    def _subscribe(self, ids: list[str] | None) -> None:
        if not self._keeps_jobs:
            self._follow(ids)
        elif ids == []:
            self._rest()
            return
        self._ask_for_snapshot()

    def _rest(self) -> None:
        """Follow nothing and send nothing until somebody asks for a snapshot."""
        if self._subscription is not None:
            self._subscription.close()
            self._subscription = None
        with self._lock:
            self._pending, self._wants_snapshot = Pending(), False
        self._has_queued = False

    def _ask_for_snapshot(self) -> None:
        with self._lock:
            self._wants_snapshot = True

    def _follow(self, ids: list[str] | None) -> None:
        self._ids = ids
        if self._subscription is not None:
            self._subscription.set_jobs(ids)

    def _adopt(self, job_id: str) -> None:
        """Let a retry's new job appear beside the one it replaces."""
        if self._ids is None or job_id in self._ids:
            return
        ids = [*self._ids, job_id]
        self._follow(ids)
        if self._on_jobs is not None:
            self._on_jobs(ids)

    def _emit(self, frame: Frame) -> None:
        # Paused beforehand: `resume` may come from another thread before `send` has returned.
        self._is_paused = True
        try:
            takes_more = self._send(frame)
        except BaseException:
            self._is_paused = False
            raise
        if takes_more is not False:
            self._is_paused = False
        if frame["type"] in {"delta", "snapshot"}:
            # From when the frame was due, not from when it went out: a job that publishes as often as frames may go
            # would stay behind for good by the largest delay that there ever was. At most one interval is made up for.
            self._paced = max(self._paced + self._interval, time.monotonic() - self._interval)
