"""A conversation with a view: what it asks is answered, and it is told of its cards and of the deck."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from .._bulk import Bulk, BulkReport, begin_bulk, report_of
from .._errors import JobdeckError, StoreError
from .._follow import Follower
from .._ports import Retry, Store
from .._wire import BulkRequest, DeckRequest, Delta, RangeReply, Reply, Report, Rows, Snapshot, Trouble
from ._feed import Feed
from ._pump import PUMP, Pump
from ._requests import Answer, Refused, Request, answer_command, answer_range, parse, refuse
from ._table import Table

Frame = Snapshot | Delta | Rows | RangeReply | Reply | Report | Trouble
Send = Callable[[Mapping[str, Any]], "bool | None"]

_MOST_REQUESTS: Final = 256
_BULK_TURN: Final = 0.05
"""Seconds for which other views wait while something is done to many jobs."""


class Conversation:
    """One view's conversation with a store; it is the same over a widget's comm and over a WebSocket.

    It carries the frames about the jobs that the view shows as cards (`Feed`), those about the whole deck (`Table`),
    and the answers to what the view asks. Every frame leaves from one thread, the pump's. Nothing is followed before
    `begin`, `begin_deck`, or before the view asks for something.

    Parameters
    ----------
    store, follower
        Where the jobs are and who tells when they change.
    send
        Takes one frame, never blocks. If it returns False, nothing more is sent until `resume` is called.
    job_ids
        The jobs of the cards, in the view's order.
    keeps_jobs
        The view cannot change which jobs these are: an empty subscription silences the feed if no view has asked for
        anything so far, another one wakes it.
    retry
        Runs a job again and returns the new id; without it a view cannot ask for that.
    origin
        Who asks, as the store notes it beside a cancel.
    on_jobs
        Called with the ids when a retry has added a job to them.
    is_ready
        Whether frames can be sent from now on, rather than from the first `resume` on.
    may_rest
        Asked before each frame while the view has not asked for anything: if there seems to be no view that ever
        will, the conversation falls silent until one does.
    """

    def __init__(
        self,
        store: Store,
        follower: Follower,
        send: Send,
        *,
        job_ids: Sequence[str] = (),
        keeps_jobs: bool = False,
        retry: Retry | None = None,
        origin: str = "browser",
        on_jobs: Callable[[list[str]], None] | None = None,
        may_rest: Callable[[], bool] | None = None,
        is_ready: bool = True,
        pump: Pump = PUMP,
    ) -> None:
        self._store = store
        self._follower = follower
        self._send = send
        self._keeps_jobs = keeps_jobs
        self._retry = retry
        self._origin = origin
        self._on_jobs = on_jobs
        self._may_rest = may_rest
        self._is_wanted = False
        self._pump = pump
        self._feed = Feed(store, follower, job_ids, self._wake, pump.shortest_interval)
        self._table = Table(store, follower, self._wake, pump.shortest_interval)
        self._lock = threading.Lock()
        self._turn_lock = threading.RLock()
        self._requests: deque[Request | Refused] = deque()
        self._dropped = 0
        self._bulks: list[tuple[int, Bulk]] = []
        self._is_paused = not is_ready
        self._is_closed = False
        self._told_trouble: str | None = None
        pump.add(self)

    # --- the view's side

    def begin(self) -> Snapshot:
        """Follow the jobs from now on and return the state that the first delta goes on from.

        For a view that gets its first state by another way than this conversation.
        """
        with self._turn_lock:
            return self._feed.begin()

    def begin_deck(self, group_id: str | None = None) -> Rows:
        """Follow the deck, or a group's part of it, from now on and return its first frame.

        The older rows follow when the view asks.
        """
        with self._turn_lock:
            return self._table.begin(group_id)

    def snapshot(self) -> Snapshot:
        """Read the jobs as they are now; deltas go on from it, though the first of them may tell it once more."""
        return self._feed.snapshot()

    def deck(self) -> Rows:
        """Read the deck's first frame as it is now; as with `snapshot`, what changes goes on from it."""
        return self._table.first()

    def receive(self, frame: object) -> None:
        """Take what a view sent, from any thread; whatever it is, the answer is a frame and never an exception."""
        try:
            request: Request | Refused = parse(frame)
        except Refused as refused:
            request = refused
        self._queue(request)

    def refuse(self, answer: Answer, number: int, words: str) -> None:
        """Answer a request that the consumer's own rules forbid."""
        self._queue(Refused(answer, number, "", words))

    def resume(self) -> None:
        """Say that the consumer can take more."""
        self._is_paused = False
        self._wake()

    @property
    def backlog(self) -> int:
        """Number of requests that wait for their answer."""
        return len(self._requests)

    @property
    def job_ids(self) -> list[str]:
        """The jobs that are shown as cards."""
        return self._feed.job_ids

    def close(self) -> None:
        """End the conversation; when this returns, nothing is sent any more."""
        with self._turn_lock:
            self._is_closed = True
            self._rest()
        self._pump.remove(self)

    def _queue(self, request: Request | Refused) -> None:
        with self._lock:
            if len(self._requests) < _MOST_REQUESTS:
                self._requests.append(request)
            else:
                self._dropped += 1
        self._wake()

    def _wake(self) -> None:
        self._pump.wake(self)

    # --- the pump's side

    def due(self) -> float | None:
        """Return when the next turn is due (see `Pump`)."""
        if self._is_closed or self._is_paused:
            return None
        if self._requests or self._dropped or self._bulks or self._trouble != self._told_trouble:
            return 0.0
        return min((due for part in self._parts if (due := part.due()) is not None), default=None)

    def turn(self) -> None:
        """Send what is due."""
        with self._turn_lock:
            if self._is_closed:
                return
            self._tell_trouble()
            while not self._is_paused and self._answer_one():
                pass
            if self._bulks:
                self._advance_bulk()
            # What has waited longest goes first, so that neither keeps the other from a slow consumer.
            waiting = [(due, part) for part in self._parts if (due := part.due()) is not None]
            for _, part in sorted(waiting, key=lambda each: each[0]):
                self._let(part)

    @property
    def _parts(self) -> tuple[Feed, Table]:
        return self._feed, self._table

    @property
    def _trouble(self) -> str | None:
        return self._feed.trouble or self._table.trouble

    def _let(self, part: Feed | Table) -> None:
        due = part.due()
        if due is None or due > time.monotonic() or self._is_paused:
            return
        if self._may_rest is not None and self._may_rest():
            self._rest()
            return
        try:
            try:
                frame = part.step()
            except StoreError as error:
                part.begin_again(str(error))
                return
            self._tell_trouble()
            if frame is not None:
                self._emit(frame)
        except Exception:
            # A consumer may read the store for what it makes of a frame: it gets another one, not only the view words.
            part.begin_again(None)
            raise

    def _rest(self) -> None:
        for part in self._parts:
            part.rest()

    def _tell_trouble(self) -> None:
        trouble, told = self._trouble, self._told_trouble
        self._told_trouble = trouble
        if trouble != told:
            self._emit({"type": "trouble", "error": trouble})

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
            self._feed.ask()
        elif request["type"] == "deck":
            self._follow_deck(request)
        elif request["type"] == "range":
            self._emit(answer_range(self._store, request))
        elif request["type"] == "bulk":
            self._begin_bulk(request)
        else:
            reply = answer_command(self._store, request, self._retry, self._origin)
            if reply["job"] is not None and request["id"] in self._feed.job_ids:
                self._adopt(reply["job"]["id"])
            self._emit(reply)
            self._follower.wake()
        return True

    def _begin_bulk(self, request: BulkRequest) -> None:
        try:
            bulk = begin_bulk(self._store, request, self._retry, self._origin)
        except JobdeckError as error:
            self._emit(report_of(request["request"], BulkReport(), str(error)))
        else:
            self._bulks.append((request["request"], bulk))

    def _advance_bulk(self) -> None:
        """Go on with the first bulk request for a while: then others have their turn."""
        number, bulk = self._bulks[0]
        until = time.monotonic() + _BULK_TURN
        while not bulk.is_over and time.monotonic() < until:
            try:
                bulk.advance()
            except StoreError as error:
                bulk.give_up(str(error))
        self._follower.wake()
        if bulk.is_over and not self._is_paused:
            del self._bulks[0]
            self._emit(report_of(number, bulk.report))

    def _subscribe(self, ids: list[str] | None) -> None:
        if ids == [] and not self._is_wanted:
            self._rest()
            return
        self._is_wanted = True
        if self._keeps_jobs:
            if ids == []:
                # One page does without: another one on this kernel may not, and is not told that it has to ask anew.
                return
        else:
            if ids is None:
                self._emit(refuse(0, "`ids` has to be a list of job ids: this view has no jobs of its own"))
                return
            self._feed.follow(ids)
        self._feed.ask()

    def _follow_deck(self, request: DeckRequest) -> None:
        if request["on"]:
            self._is_wanted = True
            self._table.ask(request.get("store_id"), request.get("since"), request.get("group"))
        else:
            self._table.rest()

    def _adopt(self, job_id: str) -> None:
        """Let a retry's new job appear beside the one it replaces."""
        ids = [*self._feed.job_ids, job_id]
        self._feed.follow(ids)
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
