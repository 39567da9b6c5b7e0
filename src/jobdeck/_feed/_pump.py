"""One thread of a process in which all its feeds send."""

from __future__ import annotations

import logging
import os
import threading
import time
from typing import Final, Protocol

_log = logging.getLogger(__name__)

_MOST_FRAMES: Final = 400
"""Frames a second of all feeds together: a Jupyter server drops what goes beyond 1,000 messages a second."""
_RECENT: Final = 1.0


class Sender(Protocol):
    """What the pump serves."""

    def due(self) -> float | None:
        """The time (monotonic) of the next turn, None if there is nothing to send."""

    def turn(self) -> None:
        """Send what is due."""


class Pump:
    """Serves senders from one daemon thread, which runs while there are any.

    The pump knows which senders have something to send, so that idle ones cost nothing.
    """

    def __init__(self) -> None:
        self._condition = threading.Condition()
        self._senders: set[Sender] = set()
        self._awake: set[Sender] = set()
        self._recent: dict[Sender, float] = {}
        self._complaints: dict[Sender, str] = {}
        self._thread: threading.Thread | None = None
        self._pid = os.getpid()

    def add(self, sender: Sender) -> None:
        """Serve `sender` from now on."""
        with self._condition:
            if os.getpid() != self._pid:
                # The thread and its senders belong to the process that this one was forked from.
                self._senders, self._awake, self._recent = set(), set(), {}
                self._thread, self._pid = None, os.getpid()
            self._senders.add(sender)
            self._awake.add(sender)
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="jobdeck-feeds", daemon=True)
                self._thread.start()
            self._condition.notify()

    def remove(self, sender: Sender) -> None:
        """Serve `sender` no longer; with the last one the thread ends."""
        with self._condition:
            self._senders.discard(sender)
            self._awake.discard(sender)
            self._recent.pop(sender, None)
            self._complaints.pop(sender, None)
            last = self._thread if not self._senders else None
            self._condition.notify()
        if last is not None and last is not threading.current_thread() and os.getpid() == self._pid:
            last.join()

    def wake(self, sender: Sender) -> None:
        """Ask `sender` again when it is due."""
        with self._condition:
            if sender in self._senders and sender not in self._awake:
                self._awake.add(sender)
            self._condition.notify()

    def shortest_interval(self) -> float:
        """Return the seconds that a sender has to leave between frames for all of them to stay within the limit."""
        return len(self._recent) / _MOST_FRAMES

    def _run(self) -> None:
        while True:
            with self._condition:
                ready = self._wait()
                if ready is None:
                    self._thread = None
                    return
            for sender in ready:
                self._let(sender)
                now = time.monotonic()
                with self._condition:
                    if sender in self._senders:
                        self._recent[sender] = now

    def _let(self, sender: Sender) -> None:
        try:
            sender.turn()
        except Exception as error:  # noqa: BLE001 - one feed that fails must not stop the others
            if self._complaints.get(sender) != repr(error):
                self._complaints[sender] = repr(error)
                _log.exception("a feed of jobs failed; it begins again")

    def _wait(self) -> list[Sender] | None:
        """Return the senders that are due, None when there are no senders left. Holds the condition."""
        while self._senders:
            now = time.monotonic()
            self._recent = {sender: at for sender, at in self._recent.items() if now - at < _RECENT}
            ready: list[Sender] = []
            earliest: float | None = None
            for sender in list(self._awake):
                due = sender.due()
                if due is None:
                    self._awake.discard(sender)
                elif due <= now:
                    ready.append(sender)
                elif earliest is None or due < earliest:
                    earliest = due
            if ready:
                return ready
            self._condition.wait(None if earliest is None else earliest - now)
        return None


PUMP: Final = Pump()
"""The process's own; its thread exists only while a feed is open."""
