"""A thread that takes turns while there is something to do, and ends when there is nothing."""

from __future__ import annotations

import contextlib
import logging
import os
import threading
from collections.abc import Callable
from typing import Final

from ._errors import StoreError

_log = logging.getLogger(__name__)

_LINGER: Final = 3.0
"""Seconds for which it waits for something to do, so that the next job finds it there."""
_PAUSE: Final = 1.0
"""Seconds after a turn that has failed."""


class Turns:
    """Takes turns in a daemon thread.

    Parameters
    ----------
    turn
        Takes one and returns the seconds until the next; what it raises is logged once and the next is tried.
    is_busy
        Whether there is something to do.
    name
        What the thread is called.
    trouble
        What is logged where a turn has failed.
    """

    def __init__(self, turn: Callable[[], float], is_busy: Callable[[], bool], name: str, trouble: str) -> None:
        self._turn = turn
        self._is_busy = is_busy
        self._name = name
        self._trouble = trouble
        self._lock = threading.Lock()
        # A bare lock as the bell: it costs less than an Event, and a signal's handler may ring it.
        self._bell = threading.Lock()
        self._bell.acquire()
        self._thread: threading.Thread | None = None
        self._is_closed = False
        self._pid = os.getpid()
        self._complaint: str | None = None

    def begin(self) -> None:
        """Start the thread, unless it is there. Call it after there is something to do."""
        with self._lock:
            if self._thread is None and not self._is_closed:
                self._thread = threading.Thread(target=self._run, name=self._name, daemon=True)
                self._thread.start()

    def ring(self) -> None:
        """Take a turn now."""
        with contextlib.suppress(RuntimeError):  # it rings already
            self._bell.release()

    @property
    def are_taken(self) -> bool:
        """Whether there is a thread of this process that takes them."""
        return self._thread is not None and os.getpid() == self._pid

    def close(self) -> None:
        """End the thread for good."""
        with self._lock:
            self._is_closed = True
            thread = self._thread
        self.ring()
        if thread is not None and thread is not threading.current_thread() and os.getpid() == self._pid:
            thread.join()

    def _run(self) -> None:
        is_last_chance = False
        while True:
            with self._lock:
                is_idle = not self._is_busy()
                if self._is_closed or (is_idle and is_last_chance):
                    self._thread = None
                    return
            if is_idle:
                is_last_chance = not self._bell.acquire(timeout=_LINGER)
                continue
            is_last_chance = False
            self._bell.acquire(timeout=self._taken())

    def _taken(self) -> float:
        try:
            pause = self._turn()
        except Exception as error:  # noqa: BLE001 - this thread is all that the jobs have
            if (complaint := repr(error)) != self._complaint and not isinstance(error, StoreError):
                _log.exception("%s; trying again", self._trouble)
            self._complaint = complaint
            return _PAUSE
        self._complaint = None
        return pause
