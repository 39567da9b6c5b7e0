"""How much of the processor a crowd of jobs gets where Linux shares it among sessions.

Each job has a session of its own, and wherever no control group says otherwise (`sched_autogroup`) each session has the
same share, whatever its processes' priorities are: a page among two hundred jobs would be one of two hundred and one.
Where more jobs compute at a time than there are cores, each of those gets less, so that together they weigh as much as
one session a core. One that mostly sleeps keeps its share: with less of it, whoever waits for what it holds would wait.
A job that is told to stop has its whole share again, for it has to clean up, and somebody waits for it.
"""

from __future__ import annotations

import os
import time

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Collection
    from typing import Final

_PERIOD: Final = 0.5
"""Seconds between two looks at a crowd."""
_REFUSED: Final = 0.1
"""The same where the system has refused to change more of them at once: Linux lets users do so ten times a second."""
_STEP: Final = 1.25
"""By how much a session's weight falls with each step of its niceness."""
_LOWEST: Final = 19
_BUSY: Final = 0.5
"""Share of the time that a process runs or could run, from which on it counts as one that computes."""
_IDLE: Final = 0.25
"""The same, below which it does not any more."""
_NEAR: Final = 2
"""Steps that are not worth a change."""


def niceness(jobs: int, cores: int) -> int:
    """Return how nice each of so many sessions has to be for all of them to weigh as much as one for each core."""
    import math

    return min(_LOWEST, round(math.log(max(1.0, jobs / cores), _STEP)))


class Crowd:
    """The sessions of the jobs that run, by the pid of the process that leads each.

    Parameters
    ----------
    cores
        How many jobs do not make a crowd.
    demand
        Returns the seconds for which a process has run or could have run so far; OSError where that is not known.
    set_niceness
        Sets that of a session. BlockingIOError where the system takes no more changes just now.
    clock
        Seconds; never goes back.
    """

    def __init__(
        self,
        cores: int,
        demand: Callable[[int], float],
        set_niceness: Callable[[int, int], None],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.cores = cores
        self._demand = demand
        self._set = set_niceness
        self._clock = clock
        self._seen: dict[int, tuple[float, float]] = {}
        self._computing: set[int] = set()
        self.given: dict[int, int] = {}
        """How nice each session is that does not have its whole share."""
        self._stopping: set[int] = set()
        self._pause = _PERIOD

    @classmethod
    def here(cls) -> Crowd:
        """Return one for this machine's cores."""
        cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
        return cls(cores, _demand, _set_niceness)

    def pause(self, jobs: int) -> float | None:
        """Return the seconds after which so many jobs have to be looked at again, None if there is no need."""
        return self._pause if jobs > self.cores or self.given else None

    def balance(self, pids: Collection[int]) -> None:
        """Share among these, which are all that run. What the system refuses is done at a later look."""
        self.given = {pid: given for pid, given in self.given.items() if pid in pids}
        self._stopping.intersection_update(pids)
        self._look(pids)
        wanted = niceness(len(self._computing), self.cores)
        changes = {pid: 0 for pid in self._stopping if pid in self.given}
        for pid in pids:
            own = wanted if pid in self._computing else 0
            away = abs(own - self.given.get(pid, 0))
            if pid not in self._stopping and away >= (_NEAR if own else 1):
                changes[pid] = own
        is_done = all(self._give(pid, own) for pid, own in changes.items())
        self._pause = _PERIOD if is_done else _REFUSED

    def _look(self, pids: Collection[int]) -> None:
        """Tell who computes from what each has wanted since the last look."""
        now = self._clock()
        seen, self._seen = self._seen, {}
        computing, self._computing = self._computing, set()
        for pid in pids:
            try:
                demand = self._demand(pid)
            except OSError:
                continue
            since, before = seen.get(pid, (now, demand))
            if now - since < _REFUSED / 2:
                share = None
                self._seen[pid] = since, before
            else:
                share = (demand - before) / (now - since)
                self._seen[pid] = now, demand
            was = pid in computing
            if was if share is None else share >= (_IDLE if was else _BUSY):
                self._computing.add(pid)

    def release(self, pid: int) -> None:
        """Give a job that is to stop its whole share, until it has ended."""
        self._stopping.add(pid)
        if pid in self.given:
            self._give(pid, 0)

    def _give(self, pid: int, wanted: int) -> bool:
        """Set one; False where the system does not take any more of these just now."""
        try:
            self._set(pid, wanted)
        except BlockingIOError:
            return False
        except OSError:
            # It has ended, or this system has no such thing.
            self.given.pop(pid, None)
            return True
        if wanted:
            self.given[pid] = wanted
        else:
            self.given.pop(pid, None)
        return True


def _demand(pid: int) -> float:
    """Seconds that the main thread of a process has run or waited for a core."""
    with open(f"/proc/{pid}/schedstat", "rb") as file:
        ran, waited, _ = file.read().split()
    return (int(ran) + int(waited)) / 1e9


def _set_niceness(pid: int, niceness: int) -> None:
    file = os.open(f"/proc/{pid}/autogroup", os.O_WRONLY | os.O_CLOEXEC)
    try:
        os.write(file, str(niceness).encode())
    finally:
        os.close(file)
