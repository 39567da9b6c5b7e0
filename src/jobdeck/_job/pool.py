"""A few threads for the callbacks of all jobs of a process."""

from __future__ import annotations

import logging
import os
import threading
from queue import SimpleQueue
from typing import Final, Protocol

_log = logging.getLogger(__name__)

THREADS: Final = 4
"""So many threads run callbacks, however many jobs have some."""


class Worker(Protocol):
    """What the pool's threads work for."""

    def work(self) -> None:
        """Do what is to be done now. It does not raise."""


class _Pool:
    """Daemon threads that are there while somebody needs them."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._work: SimpleQueue[Worker | None] = SimpleQueue()
        self._workers: set[Worker] = set()
        self._threads = 0

    def enter(self, worker: Worker) -> None:
        with self._lock:
            self._workers.add(worker)
            while self._threads < min(THREADS, len(self._workers)):
                self._threads += 1
                threading.Thread(target=self._run, name="jobdeck-stream", daemon=True).start()

    def leave(self, worker: Worker) -> None:
        with self._lock:
            self._workers.discard(worker)
            surplus = self._threads - min(THREADS, len(self._workers))
            self._threads -= surplus
        for _ in range(surplus):
            self._work.put(None)

    def put(self, worker: Worker) -> None:
        self._work.put(worker)

    def _run(self) -> None:
        while (worker := self._work.get()) is not None:
            try:
                worker.work()
            except BaseException:  # noqa: BLE001 - such as sys.exit() in a future's callback; the thread is everybody's
                _log.exception("a callback ended with an error")


_pool = _Pool()


def enter(worker: Worker) -> None:
    """Give somebody a share of the pool. It keeps them, and what they refer to, until they leave."""
    _pool.enter(worker)


def schedule(worker: Worker) -> None:
    """Have a pool thread call ``worker.work()`` once."""
    _pool.put(worker)


def leave(worker: Worker) -> None:
    """Give the share back; harmless if it was before."""
    _pool.leave(worker)


def _renew_pool() -> None:
    global _pool  # noqa: PLW0603 - the threads of the parent are not in a forked child
    _pool = _Pool()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_renew_pool)
