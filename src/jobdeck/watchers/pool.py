"""Threads for calls into other systems, any of which may never come back."""

from __future__ import annotations

import logging
import threading
import time
from collections import deque
from collections.abc import Callable
from typing import Final

_log = logging.getLogger(__name__)

Task = Callable[[], None]

WORKERS: Final = 4
"""Calls at the same time into one system."""
MOST: Final = 16
"""Threads for one system, those included whose calls do not come back."""
STUCK: Final = 10.0
"""Seconds after which a call has another thread take its place."""
_LINGER: Final = 2.0


class Pool:
    """Runs calls, for each system in threads of its own: one that does not answer keeps nobody else waiting.

    Threads are daemons, start when there is work and end when there is none.

    Parameters
    ----------
    clock
        Seconds that only grow.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lanes: dict[str, _Lane] = {}

    def run(self, system: str, task: Task) -> None:
        """Have `task` called in some thread. It must not raise."""
        lane = self._lanes.get(system)
        if lane is None:
            lane = self._lanes.setdefault(system, _Lane(system, self._clock))
        lane.put(task)

    def relieve(self) -> None:
        """Give calls that wait behind stuck ones another thread; to be called now and then."""
        for lane in list(self._lanes.values()):
            lane.relieve()

    @property
    def threads(self) -> int:
        """How many threads there are."""
        return sum(lane.size for lane in list(self._lanes.values()))


class _Lane:
    def __init__(self, system: str, clock: Callable[[], float]) -> None:
        self._system = system
        self._clock = clock
        self._changed = threading.Condition()
        self._tasks: deque[Task] = deque()
        self._begun: dict[threading.Thread, float] = {}
        self._idle = 0
        self.size = 0

    def put(self, task: Task) -> None:
        with self._changed:
            self._tasks.append(task)
            if self._idle >= len(self._tasks):
                self._changed.notify()
            else:
                self._grow()

    def relieve(self) -> None:
        with self._changed:
            if len(self._tasks) > self._idle:
                self._grow()

    def _grow(self) -> None:
        if self.size >= MOST or self.size - self._stuck() >= WORKERS:
            return
        thread = threading.Thread(target=self._work, name=f"jobdeck-watch-{self._system}", daemon=True)
        self.size += 1
        try:
            thread.start()
        except RuntimeError:
            # The interpreter is ending, or there are too many threads: whoever comes back takes the work.
            self.size -= 1

    def _stuck(self) -> int:
        now = self._clock()
        return sum(now - begun > STUCK for begun in self._begun.values())

    def _work(self) -> None:
        me = threading.current_thread()
        while True:
            with self._changed:
                while not self._tasks:
                    self._idle += 1
                    is_called = self._changed.wait(_LINGER)
                    self._idle -= 1
                    if not is_called and not self._tasks:
                        self.size -= 1
                        return
                task = self._tasks.popleft()
                self._begun[me] = self._clock()
            try:
                task()
            except BaseException:  # noqa: BLE001 - the thread's boundary
                _log.exception("a call into %s could not be finished", self._system)
            del task
            with self._changed:
                del self._begun[me]
                if self.size - self._stuck() > WORKERS:
                    # It was given up, and another thread took its place.
                    self.size -= 1
                    return
