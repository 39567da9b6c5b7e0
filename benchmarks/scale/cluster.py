"""One agent with ten thousand workers: the real agent and store, and a cluster that is simulated on a clock of its own.

The clock is the agent's processor time: while the agent works it goes on by what that costs, and where the agent would
wait for an event it jumps to the next one. So what comes faster than one agent can write it down piles up here as it
would there, on however busy a machine this runs.
"""

from __future__ import annotations

import heapq
import itertools
import random
import time
from collections import deque
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from queue import Empty, Queue
from typing import Any, Final, cast

from jobdeck._records import JobQuery
from jobdeck.engines.dask.address import file_name
from jobdeck.engines.dask.agent import DaskAgent
from jobdeck.engines.dask.cluster import GATHER, Cluster, Event
from jobdeck.engines.dask.travel import End, News, Parcel
from jobdeck.engines.local.handing import handed
from jobdeck.engines.lock import AgentLock
from jobdeck.store import open_store

from ..table import quantile
from .filling import AGENT, ENGINE, new_job, outcome_of

_TOPIC_KEEPS: Final = 1_000
"""Events of a topic that a scheduler keeps (``distributed.admin.low-level-log-length``)."""


@dataclass(frozen=True)
class Load:
    """What the workers do.

    Attributes
    ----------
    workers : int
        Each runs one job at a time.
    seconds : float
        For how long a job runs, on average; between half and one and a half times that.
    rate : float
        Messages a second of each job.
    """

    workers: int
    seconds: float
    rate: float

    @property
    def events(self) -> float:
        """Events a second that the workers send."""
        return self.workers * (2 / self.seconds + self.rate)


@dataclass(frozen=True)
class Course:
    """What came of a load, once all workers were busy.

    Attributes
    ----------
    start : float
        Seconds from the first job to the moment at which all workers were known to run one.
    busy : float
        Share of the time in which the agent worked.
    taken : float
        Events a second that it took in.
    grown : float
        Events a second by which those grew that wait.
    delays : tuple of float
        Seconds from an event to the moment at which the agent takes it in hand: the median, and of one in a hundred.
    cancel : float or None
        Seconds until the agent had passed on a cancel, which was asked for in the middle; None if it never came to it.
    memory : float
        Seconds back for which the scheduler's topic holds what an agent that was away has missed.
    """

    start: float
    busy: float
    taken: float
    grown: float
    delays: tuple[float, float]
    cancel: float | None
    memory: float


class Clock:
    """The agent's time: this thread's processor time without what the simulation takes, and leaps where it waits."""

    def __init__(self) -> None:
        self._offset = -time.thread_time()
        self.idle = 0.0

    @property
    def now(self) -> float:
        return self._offset + time.thread_time()

    @contextmanager
    def standing(self) -> Iterator[None]:
        """Do what takes no time there."""
        began = time.thread_time()
        try:
            yield
        finally:
            self._offset -= time.thread_time() - began

    def leap(self, seconds: float) -> None:
        self._offset += seconds
        self.idle += seconds


class Workers:
    """The workers and what they send, in order of time; also the queue from which the agent takes it."""

    def __init__(self, load: Load, clock: Clock) -> None:
        self._load = load
        self._clock = clock
        self._chance = random.Random(7)
        self._count = itertools.count()
        self._free = deque(range(load.workers))
        self._waiting: deque[str] = deque()
        self._coming: list[tuple[float, int, str, str, int]] = []
        self._said: dict[str, int] = {}
        self._ends: dict[str, float] = {}
        self.begun = 0
        self.delays: list[float] = []

    def take(self, job_ids: Iterable[str]) -> None:
        """Give jobs to workers that are free, and keep the others."""
        self._waiting.extend(job_ids)
        self._begin(self._clock.now)

    def _begin(self, now: float) -> None:
        while self._free and self._waiting:
            job_id, worker = self._waiting.popleft(), self._free.popleft()
            # Those that begin first are in the middle already, as if the workers had been busy all the time.
            is_first = self.begun < self._load.workers
            length = self._load.seconds * (self._chance.random() if is_first else 0.5 + self._chance.random())
            self.begun += 1
            self._ends[job_id] = now + length
            self._send(now, "begun", job_id, worker)
            self._send(now + length, "end", job_id, worker)
            if self._load.rate:
                self._send_message(now + self._chance.random() / self._load.rate, job_id, worker)

    def _send_message(self, when: float, job_id: str, worker: int) -> None:
        if when < self._ends[job_id]:
            self._send(when, "message", job_id, worker)

    def _send(self, when: float, kind: str, job_id: str, worker: int) -> None:
        heapq.heappush(self._coming, (when, next(self._count), kind, job_id, worker))

    # --- the queue

    def get(self, timeout: float) -> Event:
        """Return the next event; wait for it on the simulated clock."""
        with self._clock.standing():
            wait = self._coming[0][0] - self._clock.now if self._coming else timeout
            if wait > 0:
                self._clock.leap(min(wait, timeout))
            if wait >= timeout:
                raise Empty
            return self._next()

    def get_nowait(self) -> Event:
        """Return an event that has come by now."""
        with self._clock.standing():
            if not self._coming or self._coming[0][0] > self._clock.now:
                raise Empty
            return self._next()

    def count_due(self) -> int:
        """How many events have come and were not taken."""
        now = self._clock.now
        return sum(
            1 + self._behind(now - when, kind, job_id) for when, _, kind, job_id, _ in self._coming if when <= now
        )

    def _behind(self, late: float, kind: str, job_id: str) -> int:
        """How many messages of a job have come after one that was not taken yet."""
        if kind != "message":
            return 0
        return int(min(late, self._load.seconds) * self._load.rate) if job_id in self._ends else 0

    def _next(self) -> Event:
        when, _, kind, job_id, worker = heapq.heappop(self._coming)
        self.delays.append(self._clock.now - when)
        news: News = {"job": job_id, "run": f"{job_id}-1", "worker": f"tcp://10.0.0.2:{worker}"}
        if kind == "begun":
            news["begun"] = True
        elif kind == "message":
            said = self._said[job_id] = self._said.get(job_id, 0) + 1
            news["messages"] = [(said, False, f'{{"iteration": {said}, "energy": -1.137}}')]
            self._send_message(when + 1 / self._load.rate, job_id, worker)
        else:
            news["end"] = self._end_of(news)
            self._free.append(worker)
            self._begin(when)
        return "news", [news], None

    def _end_of(self, news: News) -> End:
        job_id = news["job"]
        del self._ends[job_id]
        return {
            "run": news["run"],
            "worker": news["worker"],
            "outcome": handed(job_id, outcome_of(1)),
            "exit": {"code": 0},
            "messages": self._said.pop(job_id, 0),
            "log": 0,
        }


class SimulatedCluster(Cluster):
    """A cluster that no scheduler has: takes jobs, and is told what to stop."""

    is_there = True

    def __init__(self, load: Load, clock: Clock) -> None:
        self.scheduler_id = "simulated"
        self.workers = Workers(load, clock)
        self.events = cast("Queue[Event]", self.workers)
        self._threads = {f"tcp://10.0.0.2:{worker}": 1 for worker in range(load.workers)}
        self.stopped: list[str] = []
        self._clock = clock
        self._last_events = 0.0

    def _gather(self) -> None:
        self._clock.leap(max(0.0, self._last_events + GATHER - self._clock.now))
        self._last_events = self._clock.now

    def submit(self, jobs: Sequence[tuple[Parcel, Mapping[str, Any]]]) -> dict[str, Exception]:
        self.workers.take(parcel["job"] for parcel, _ in jobs)
        return {}

    def ask(self, _worker: str, question: str, job_id: str, *_details: Any) -> None:
        if question == "stop":
            self.stopped.append(job_id)

    def threads(self, _workers: list[str] | None = None) -> dict[str, int]:
        return self._threads

    def known(self, _job_ids: Sequence[str]) -> dict[str, str]:
        return {}

    def adopt(self, _job_ids: Iterable[str]) -> None:
        return

    def earlier(self) -> list[News]:
        return []

    def release(self, _job_id: str, _worker: str | None) -> None:
        return

    def kept_results(self) -> set[str]:
        return set()

    def drop_results(self, _job_ids: Collection[str]) -> None:
        return

    def close(self) -> None:
        return


def simulate(home: Path, load: Load, seconds: float) -> Course:
    """Let an agent serve workers for so many seconds of its own time, from the moment at which all of them are busy."""
    store = open_store(home)
    expected = 3 * load.workers + round(1.5 * load.workers * seconds / load.seconds)
    for first in range(0, expected, 2_000):
        store.add_jobs([new_job(number) for number in range(first, min(expected, first + 2_000))])
    clock = Clock()
    cluster = SimulatedCluster(load, clock)
    lock = AgentLock(home, file_name(ENGINE))
    lock.take(AGENT)
    agent = DaskAgent(store, lock, AGENT, ENGINE, lambda _: cluster)
    workers = cluster.workers
    try:
        while clock.now < 3 * seconds and (workers.begun < load.workers or workers.count_due()):
            agent._turn()
        start, idle, due = clock.now, clock.idle, workers.count_due()
        workers.delays.clear()
        asked: float | None = None
        answered: float | None = None
        while clock.now < start + seconds:
            if asked is None and clock.now > start + seconds / 2:
                with clock.standing():
                    (victim,) = store.jobs(JobQuery(status=("RUNNING",), limit=1))
                    store.ask(victim.job_id, "cancel", "simulation")
                asked = clock.now
            agent._turn()
            if asked is not None and answered is None and cluster.stopped:
                answered = clock.now - asked
        took = clock.now - start
        return Course(
            start=start,
            busy=1 - (clock.idle - idle) / took,
            taken=len(workers.delays) / took,
            grown=(workers.count_due() - due) / took,
            delays=(quantile(workers.delays, 0.5), quantile(workers.delays, 0.99)),
            cancel=answered,
            memory=_TOPIC_KEEPS / load.events,
        )
    finally:
        store.close()
        lock.release()
