"""Message streams: callbacks of all jobs of a process, run by a fixed number of threads, each job's in order."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from typing import Any, Final

from .._errors import JobNotFoundError, StoreError
from .._records import MessageRecord
from . import pool

_log = logging.getLogger(__name__)

_BATCH: Final = 100
"""Messages read at one time. After them the other streams have their turn."""
_PAUSE: Final = 0.5

Fetch = Callable[[int, int], list[MessageRecord]]


class Stream:
    """The way of one job's interim messages to a callback: each once, in order, whatever happens.

    Parameters
    ----------
    fetch
        Called with ``start, stop``; returns the messages with ``start < seq <= stop``.
    deliver
        Called with each message in a pool thread.
    on_end
        Called once when the stream is over.
    start
        Number of the last message that is not wanted.
    label
        The job's id, for the log.
    """

    def __init__(
        self,
        fetch: Fetch,
        deliver: Callable[[MessageRecord], Any],
        on_end: Callable[[], None],
        *,
        start: int = 0,
        label: str = "",
    ) -> None:
        self._fetch = fetch
        self._deliver = deliver
        self._on_end = on_end
        self._label = label
        self._position = start
        self._newest = start
        self._is_complete = False
        self._is_cancelled = False
        self._is_scheduled = False
        self._is_over = False
        self._has_failed = False
        self._lock = threading.Lock()

    def begin(self) -> None:
        """Take a share of the pool, which keeps the stream, and what it refers to, until it is over."""
        pool.enter(self)

    def announce(self, newest: int, *, is_complete: bool) -> None:
        """Tell that there are messages up to number `newest`, and whether more can come."""
        with self._lock:
            self._newest = max(self._newest, newest)
            self._is_complete = self._is_complete or is_complete
        self._schedule()

    def cancel(self) -> None:
        """End the stream. A callback that is running comes to its end; no other begins."""
        with self._lock:
            self._is_cancelled = True
        self._schedule()

    def _schedule(self) -> None:
        with self._lock:
            if self._is_scheduled or self._is_over or not self._has_work():
                return
            self._is_scheduled = True
        pool.schedule(self)

    def _has_work(self) -> bool:
        return self._is_cancelled or self._is_complete or self._newest > self._position

    def work(self) -> None:
        """Deliver one batch. Only one pool thread is in here for one stream at any time."""
        pause = self._deliver_batch()
        with self._lock:
            self._is_scheduled = False
            over = self._is_cancelled or (self._is_complete and self._newest <= self._position)
            ends, self._is_over = over and not self._is_over, over
        if ends:
            pool.leave(self)
            self._on_end()
        elif pause:
            timer = threading.Timer(pause, self._schedule)
            timer.daemon = True
            timer.start()
        else:
            self._schedule()

    def _deliver_batch(self) -> float:
        """Return the seconds to wait before the next batch, zero but where the store cannot be read."""
        if self._is_cancelled or self._newest <= self._position:
            return 0.0
        stop = min(self._newest, self._position + _BATCH)
        try:
            messages = self._fetch(self._position, stop)
        except JobNotFoundError:
            self._is_cancelled = True  # deleted: its messages are gone with it
            return 0.0
        except StoreError as error:
            _log.warning("messages of job %s cannot be read (%s); trying again", self._label, error)
            return _PAUSE
        for message in messages:
            if self._is_cancelled:
                return 0.0
            self._position = message.seq
            if not message.final:
                self._call(message)
        self._position = stop
        return 0.0

    def _call(self, message: MessageRecord) -> None:
        try:
            self._deliver(message)
        except BaseException:  # noqa: BLE001 - the person's own code, which may even call sys.exit(); the stream goes on
            if not self._has_failed:
                self._has_failed = True
                _log.exception("the callback of job %s failed; its stream goes on", self._label)
