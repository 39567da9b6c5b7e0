"""The follower: one thread that watches a store and tells its listeners what changed.

Jobs' traits, result waiters, message streams and feeds all hang on it, so that a process has one poller however many
jobs it looks at. A listener is told *that* there are new messages, never the messages: it pulls them from the store,
so that nothing can come twice, out of order or not at all.
"""

from __future__ import annotations

import contextlib
import logging
import os
import threading
import time
from collections.abc import Callable, Collection
from typing import Final

from .._errors import StoreError
from .._ports import Store
from .lookout import Interest, Lookout, Update

__all__ = ["Follower", "Subscription", "Update"]

_log = logging.getLogger(__name__)

_OWNER_CHECK: Final = 1.0
_LONGEST_PAUSE: Final = 1.0
_REST: Final = 4.0
"""How many times as long as a look has kept the processor the thread sleeps after it."""

_DROWSY: Final = 2.0
"""How many times as long as otherwise it sleeps while nothing is under way, so that an idle kernel costs little."""
_EAGER: Final = 0.002
_FRESH: Final = 0.1
_FEW: Final = 8
"""Of so few jobs the next end comes soon where one has just begun, or was just submitted, and to look costs little."""

Listener = Callable[[Update], None]


class Subscription:
    """A listener's tie to a follower; see `Follower.subscribe`."""

    def __init__(
        self, follower: Follower, listener: Listener, ids: frozenset[str] | None, prompt: bool, since: int | None
    ) -> None:
        self._follower = follower
        self._listener = listener
        self.prompt = prompt
        self._ids = None if ids is None else set(ids)
        self._untold = None if ids is None else set(ids)
        self._is_new = True
        self._since = since
        self.closed = False
        self._has_failed = False
        self._trouble: str | None = None

    def set_jobs(self, job_ids: Collection[str] | None) -> None:
        """Follow other jobs from now on; None means all. The next update tells the state of those that are new."""
        ids = None if job_ids is None else set(job_ids)
        with self._follower.lock:
            if ids is None or self._untold is None:
                self._untold = None if ids is None else set(ids)
            else:
                known = ids if self._ids is None else self._ids - self._untold
                self._untold = ids - known
            self._ids = ids
        self._follower.wake()

    def add_jobs(self, job_ids: Collection[str]) -> None:
        """Follow these jobs, too; for a subscription to some jobs."""
        with self._follower.lock:
            assert self._ids is not None
            assert self._untold is not None
            self._untold.update(job_id for job_id in job_ids if job_id not in self._ids)
            self._ids.update(job_ids)
            is_asleep = not self._follower.is_quick
        # Who submits a thousand jobs does not have the store looked at after each.
        if is_asleep or not self.prompt:
            self._follower.wake()

    def drop_jobs(self, job_ids: Collection[str]) -> None:
        """Follow these jobs no longer; for a subscription to some jobs."""
        with self._follower.lock:
            assert self._ids is not None
            assert self._untold is not None
            self._ids.difference_update(job_ids)
            self._untold.difference_update(job_ids)

    def close(self) -> None:
        """Stop listening. A call that is under way in the follower's thread may still come to its end."""
        with self._follower.lock:
            self.closed = True
            self._follower.subscriptions.discard(self)
        self._follower.wake()

    def take_interest(self) -> Interest:
        """Say what to look for, and count it as told. The caller holds the follower's lock."""
        ids = None if self._ids is None else frozenset(self._ids)
        untold = None if self._untold is None else frozenset(self._untold)
        interest = Interest(ids, untold, self._is_new, self._since)
        self._untold, self._is_new, self._since = set(), False, None
        return interest

    def restate(self, interest: Interest) -> None:
        """Have the state of all jobs told again, for this was not answered. The caller holds the follower's lock."""
        self._untold = None if self._ids is None else set(self._ids)
        self._since = interest.since

    def is_urgent(self, lookout: Lookout) -> bool:
        """Tell whether to look again soon. The caller holds the follower's lock."""
        return self.prompt and (bool(self._untold) or self._untold is None or lookout.is_moving(self._ids))

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
        Called once a second while a watched job is under way, and after jobs were deleted; closes the jobs of agents
        that died, and has one where there is something to do.
    interval
        Seconds between looks while a prompt subscription has a job that is under way; of a few that have just been
        submitted or begun, fewer.
    lazy_interval
        Seconds between looks otherwise; twice as many while nothing is under way.
    linger
        Seconds for which the thread sleeps on after the last subscription, so that the next one finds it there.

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
        linger: float = 0.0,
    ) -> None:
        self.lock = threading.Lock()
        self.subscriptions: set[Subscription] = set()
        self.is_quick = False
        """Whether the thread looks again within `interval`, woken or not; read and written under the lock."""
        self._check_owners = check_owners
        self._interval = interval
        self._lazy_interval = lazy_interval
        self._linger = linger
        self._store = store
        self._lookout = Lookout(store)
        self._bell = threading.Lock()
        self._bell.acquire()
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
            Called with an `Update`: first with the current state, then with what changes. What happens from the call
            on is told in any case: whoever follows all jobs and reads afterwards which there are misses no end.
        job_ids
            Jobs to follow; None means all, those to come included.
        prompt
            Whether changes have to arrive within milliseconds.

        Raises
        ------
        RuntimeError
            If the follower was closed, or made by the process that this one was forked from.
        StoreError
            If all jobs are to be followed and the store cannot be read.
        """
        if os.getpid() != self._pid:
            # Before the lock, which a thread may have held when this process was forked: nobody would release it here.
            raise RuntimeError("this follower belongs to the process that this one was forked from")
        ids = None if job_ids is None else frozenset(job_ids)
        # The thread may look much later, and the state of all jobs leaves out those that have ended by then.
        since = self._store.change_number() if ids is None else None
        subscription = Subscription(self, listener, ids, prompt, since)
        with self.lock:
            if self._closed:
                raise RuntimeError("this follower was closed")
            self.subscriptions.add(subscription)
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="jobdeck-follower", daemon=True)
                self._thread.start()
        self.wake()
        return subscription

    def wake(self) -> None:
        """Look at the store now rather than at the next turn."""
        # A bare lock as the bell: a hundred waits a second on an Event would cost several times as much.
        with contextlib.suppress(RuntimeError):  # it rings already
            self._bell.release()

    def is_current_thread(self) -> bool:
        """Tell whether this is the thread that calls the listeners."""
        return self._thread is threading.current_thread()

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
        is_last_chance = False
        self._lookout.start_over()
        while True:
            with self.lock:
                subscriptions = list(self.subscriptions)
                self.is_quick = self.is_quick and bool(subscriptions)
                if not subscriptions and (is_last_chance or self._closed):
                    self._thread = None
                    return
            if subscriptions:
                is_last_chance = False
                self._bell.acquire(timeout=self._turn(subscriptions))
            else:
                is_last_chance = not self._bell.acquire(timeout=self._linger)

    def _turn(self, subscriptions: list[Subscription]) -> float:
        """Look once, tell who is concerned, and return the seconds until the next look."""
        with self.lock:
            interests = [subscription.take_interest() for subscription in subscriptions]
        began = time.thread_time()
        try:
            self._look_after_owners()
            told = self._lookout.look(interests)
        except Exception as error:  # noqa: BLE001 - this thread is all that its listeners have
            if not isinstance(error, StoreError):
                _log.exception("the store at %s could not be followed; trying again", self._store.home)
            self._lookout.start_over()
            with self.lock:
                self.is_quick = False
                for subscription, interest in zip(subscriptions, interests, strict=True):
                    subscription.restate(interest)
            for subscription in subscriptions:
                subscription.tell_trouble(str(error))
            self._pause = min(self._pause * 2, _LONGEST_PAUSE)
            return self._pause
        self._pause = self._lazy_interval
        for subscription in subscriptions:
            subscription.tell_trouble(None)
        for subscription, update in zip(subscriptions, told, strict=True):
            if update is not None:
                subscription.tell(update)
        with self.lock:
            self.is_quick = any(subscription.is_urgent(self._lookout) for subscription in subscriptions)
        if not self.is_quick:
            return self._lazy_interval if self._lookout.live else _DROWSY * self._lazy_interval
        # Many jobs that publish make each look dearer: it leaves most of a core to others, and comes a little later.
        rest = max(self._shortest_pause(), _REST * (time.thread_time() - began))
        return min(rest, self._lazy_interval)

    def _shortest_pause(self) -> float:
        is_fresh = time.monotonic() - self._lookout.last_step < _FRESH
        return min(_EAGER, self._interval) if is_fresh and len(self._lookout.live) <= _FEW else self._interval

    def _look_after_owners(self) -> None:
        now = time.monotonic()
        is_due = self._lookout.live or self._lookout.saw_deletions
        if self._check_owners is None or not is_due or now < self._next_owner_check:
            return
        self._next_owner_check = now + _OWNER_CHECK
        self._lookout.saw_deletions = False
        try:
            self._check_owners()
        except Exception as error:  # noqa: BLE001 - following goes on where an agent cannot be looked after
            if (complaint := repr(error)) != self._owner_complaint:
                self._owner_complaint = complaint
                _log.exception("jobs without an agent could not be looked after; trying again every second")
        # What this thread's own connection writes does not move the data version that it reads.
        self._lookout.expect_changes()
