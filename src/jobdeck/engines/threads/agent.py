"""The engine's agent: a thread of this process that starts its jobs, first come first served, and obeys commands."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from ..._errors import JobError, JobNotFoundError
from ..._ports import Store
from ..._records import JobQuery, JobRecord, News, Outcome
from ..._status import Exit, JobStatus
from ..._turns import Turns
from ..workers import max_workers
from .work import Work

_TICK: Final = 0.02
"""Seconds between looks at the store while a job runs: a cancel may come from any process."""
_IDLE_TICK: Final = 0.2
_DEAF_AFTER: Final = 2.0
"""Seconds after which a thread that has not heard an interrupt is said not to."""
_GOES_ON_AFTER: Final = 10.0
"""Seconds after which one that has heard it is said to go on."""
_SWEEP: Final = 0.05
"""Seconds between looks at jobs that wait, and the same again for each hundred of them."""
_REMEMBERED: Final = 1000

_SENT: Final = "interrupt sent"
_DEAF: Final = (
    "its thread does not hear the interrupt: what runs there is not Python, and cannot be stopped from outside; "
    "it stops when that returns, or with the kernel"
)
_CLEANS_UP: Final = "cleaning up"
_GOES_ON: Final = "it has heard the interrupt and goes on; only the end of the kernel stops it"


@dataclass
class _Running:
    work: Work
    deadline: float | None
    asked: float | None = None
    is_sent: bool = False
    timed_out: bool = False
    note: str | None = None


class ThreadsAgent:
    """Runs the jobs of this process.

    Parameters
    ----------
    engine, agent
        What the rows call the engine, and this.
    store
        Gives the store.
    written
        Called when something was written down.
    rest
        Called when there is nothing to do, and nobody who could come with something.
    """

    def __init__(
        self,
        engine: str,
        agent: str,
        store: Callable[[], Store],
        written: Callable[[], None],
        rest: Callable[[], None],
    ) -> None:
        self._engine = engine
        self._agent = agent
        self._get_store = store
        self._tell_written = written
        self._rest = rest
        self.may_rest = False
        """Whether no deck is open any more, from which another process could have a job run again."""
        self._lock = threading.Lock()
        self._claiming = threading.Lock()
        """Held while what was claimed is in no list yet."""
        self._waiting: dict[str, Work] = {}
        self._running: dict[str, _Running] = {}
        self._claimed: deque[JobRecord] = deque()
        self._ended: deque[tuple[str, Outcome, Exit]] = deque()
        self._remembered: deque[Work] = deque(maxlen=_REMEMBERED)
        """Those that somebody may want to run again, or whose results are nowhere else."""
        self._room = 1
        self._seen_version: int | None = None
        self._seen: tuple[int, tuple[str | None, ...]] | None = None
        self._look_again = True
        self._next_sweep = 0.0
        trouble = "jobs in threads of this process could not be looked after"
        self._turns = Turns(self.turn, lambda: self.is_busy or not self.may_rest, "jobdeck-threads", trouble)

    # --- from any thread

    def keep(self, work: Work) -> None:
        """Keep what a job needs until it is its turn."""
        with self._lock:
            if work.job_id not in self._running:
                self._waiting.setdefault(work.job_id, work)
        self._turns.begin()
        self.ring()

    def ring(self) -> None:
        """Take a turn now."""
        self._look_again = True
        self._turns.ring()

    @property
    def is_busy(self) -> bool:
        """Whether there are jobs that wait or run here, or something that was not written down."""
        return bool(self._waiting or self._running or self._claimed or self._ended)

    def close(self) -> None:
        """End the thread; those of jobs go on by themselves."""
        self._turns.close()

    # --- in the thread

    def turn(self) -> float:
        """Write down what has ended, take requests, start what may run; return the seconds until the next turn."""
        store = self._get_store()
        self._start(store)
        self._look(store)
        self._start(store)
        self._press(store)
        if time.monotonic() >= self._next_sweep:
            self.sweep()
        if self.may_rest and not self.is_busy:
            self._rest()
        return _TICK if self._running or self._ended or self._look_again else _IDLE_TICK

    def _look(self, store: Store) -> None:
        """Tell the store what happened, and read what changed there: commands, settings, the queue."""
        version = store.data_version()
        if version != self._seen_version:
            self._seen_version = version
            seen = store.pulse("max_workers")
            if seen != self._seen:
                self._seen = seen
                self._room = max_workers(*seen[1])
                self._look_again = True
        ended = list(self._ended)
        if not (self._look_again or ended):
            return
        self._look_again = False
        for command in store.commands(self._engine, self._agent):
            running = self._running.get(command.job_id)
            if running is not None and (running.asked is None or command.kind == "kill"):
                self._ask(running)
        news = News(
            outcomes={job_id: outcome for job_id, outcome, _ in ended}, ends={job_id: end for job_id, _, end in ended}
        )
        room = max(0, self._room - len(self._running) - len(self._claimed))
        with self._claiming:
            self._claimed += store.turn(self._engine, self._agent, room, news)
        for _ in ended:
            self._ended.popleft()
        if ended:
            self._tell_written()

    def _start(self, store: Store) -> None:
        while self._claimed:
            record = self._claimed[0]
            with self._lock:
                work = self._waiting.get(record.job_id)
            try:
                work = work or Work(record.job_id, store.payload(record.job_id))
            except (JobError, JobNotFoundError) as error:
                self._refuse(record, str(error))
            else:
                deadline = None if record.timeout is None else time.monotonic() + record.timeout
                with self._lock:
                    self._running[record.job_id] = _Running(work, deadline)
                work.begin(store, self._take_in)
            with self._lock:
                self._waiting.pop(record.job_id, None)
            self._claimed.popleft()

    def _refuse(self, record: JobRecord, words: str) -> None:
        text = f"EngineError: job {record.job_id} could not be started: {words}"
        self._ended.append((record.job_id, Outcome(False, exception_type="EngineError", exception_text=text), Exit()))

    def _take_in(self, work: Work) -> None:
        """In the job's own thread: it is over."""
        timed_out = self._running[work.job_id].timed_out
        assert work.outcome is not None
        if not work.outcome.ok or work.has_kept:
            self._remembered.append(work)
        # In this order, so that it is at no moment as if there were nothing left to do.
        self._ended.append((work.job_id, work.outcome, work.exit(timed_out=timed_out)))
        with self._lock:
            del self._running[work.job_id]
        self.ring()

    # --- stopping

    def _ask(self, running: _Running) -> None:
        running.asked = time.monotonic()
        running.is_sent = False
        running.note = None
        running.work.has_heard = False

    def _press(self, store: Store) -> None:
        now = time.monotonic()
        with self._lock:
            all_running = list(self._running.values())
        for running in all_running:
            if running.deadline is not None and now >= running.deadline and running.asked is None:
                running.timed_out = True
                self._ask(running)
            if running.asked is None:
                continue
            if not running.is_sent:
                running.is_sent = running.work.interrupt()
            note = _note(running, now)
            if running.is_sent and note != running.note:
                running.note = note
                store.note_cancel(running.work.job_id, "stopping", note)
                self._tell_written()

    def sweep(self) -> None:
        """Let go of what was cancelled or deleted while it waited. Safe from any thread."""
        if not self._waiting:
            return
        store = self._get_store()
        self._next_sweep = time.monotonic() + _SWEEP * (1 + len(self._waiting) / 100)
        with self._lock:
            known = set(self._waiting)
        status = (JobStatus.INITIALIZING.value, JobStatus.QUEUED.value)
        with self._claiming:
            there = {record.job_id for record in store.jobs(JobQuery(engine=self._engine, status=status))}
            there.update(record.job_id for record in list(self._claimed))
        with self._lock:
            for job_id in known - there:
                self._waiting.pop(job_id, None)


def _note(running: _Running, now: float) -> str:
    assert running.asked is not None
    waited = now - running.asked
    if running.work.has_heard:
        return _GOES_ON if waited > _GOES_ON_AFTER else _CLEANS_UP
    return _DEAF if waited > _DEAF_AFTER else _SENT
