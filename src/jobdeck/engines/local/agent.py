"""The agent: claims queued jobs, has them run, obeys commands, and ends itself when there is nothing to do.

One thread, one loop. Everything that it knows is in the store, so that a new agent can take over at any moment.
"""

from __future__ import annotations

import contextlib
import os
import select
import signal
import sys
import threading
import time
import traceback
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial

from ..._errors import JobNotFoundError, StoreError
from ..._ports import Store
from ..._records import JobQuery, JobRecord, News, Outcome, PayloadKeys
from ..._status import Exit, JobStatus
from .. import workers
from ..bell import ENDS, Bell, ring
from ..launch import log_path, trim_log
from ..lock import AgentLock
from ..lost import close_lost, kill_processes
from .escalation import Escalation
from .events import Ended, Handed, Noticed, Started
from .handing import outcome_of
from .launcher import Launcher, Lost
from .memory import OutOfMemoryCount
from .parcels import Parcels

LEASH = "leash"
"""A lock beside the agent's own. Where there is one, the agent ends, and its jobs with it, when nobody holds it."""
BUSY_TICK = 0.008
"""Seconds between looks at the store while a job runs."""
IDLE_TICK = 0.05
RUNG_TICK = 0.1
"""The same for an agent that a bell wakes at once: an idle one, and a busy one where whoever asks for a stop rings."""
IDLE_END = 60.0
"""Seconds without a job after which the agent ends; setting ``idle_end``, else ``JOBDECK_IDLE_END``."""
_CHECK = 1.0
_RESTLESS_TICK = 0.003
_RETRY = 0.25
_OOM_FRESH = 0.25
"""Seconds for which a count of out-of-memory kills serves as the one before a job: reading it costs much."""
_PRUNE_EVERY = 86_400.0
_PRUNE_WAITS = 60.0
"""Seconds for which pruning waits for a moment without jobs."""


@dataclass
class _Running:
    """A job that has been handed to a launcher."""

    job: JobRecord
    deadline: float | None
    oom_kills: int
    escalation: Escalation | None = None
    timed_out: bool = False
    killed: bool = False

    def is_quiet(self) -> bool:
        """Whether nothing is to be done about it by the clock."""
        return self.deadline is None and self.escalation is None


class LocalAgent:
    """The local engine's agent.

    Parameters
    ----------
    store : Store
        Opened by this process, after `launcher` was made.
    lock : AgentLock
        Held.
    agent : str
        This agent's id.
    launcher : Launcher
        Starts the jobs.
    """

    def __init__(self, store: Store, lock: AgentLock, agent: str, launcher: Launcher) -> None:
        self._store = store
        self._lock = lock
        self._agent = agent
        self._launcher = launcher
        self._running: dict[str, _Running] = {}
        self._ends: dict[str, Exit] = {}
        self._outcomes: dict[str, Outcome] = {}
        self._processes: dict[str, tuple[int, float]] = {}
        self._next_prune = time.monotonic()
        self._pruning: threading.Thread | None = None
        self._claimed: list[JobRecord] = []
        self._payloads: dict[str, PayloadKeys] = {}
        """Of the jobs that were claimed, and have not been handed to the launcher."""
        self._parcels = Parcels(store)
        self._oom = OutOfMemoryCount()
        self._oom_kills = 0
        self._oom_read = float("-inf")
        self._bell = Bell(store.home, "local")
        self._leash = AgentLock(store.home, LEASH)
        self._is_led = self._leash.path.exists()
        """Whether all that is asked here comes from whoever holds the leash, who rings."""
        self._is_glance_due = False
        self._stopped = False
        self._seen_version: int | None = None
        self._seen: tuple[int, tuple[str | None, ...]] | None = None
        self._look_again = True
        self._last_busy = time.monotonic()
        self._next_check = 0.0
        self._has_reserve = False
        self._next_glance = 0.0
        self._troubles: dict[str, float] = {}
        self._max_workers = 1
        self._idle_end = IDLE_END

    def stop(self) -> None:
        """End soon; what runs is killed. Safe in a signal handler."""
        self._stopped = True

    def run(self) -> None:
        """Serve until idle for long enough, or stopped."""
        try:
            while not self._stopped and not self._attempt("closing jobs of earlier agents", self._adopt):
                time.sleep(_RETRY)
            while not self._stopped:
                told = self._wait()
                now = time.monotonic()
                if told or now >= self._next_check:
                    self._hear(now)
                if not self._lock.in_place():
                    # Each time before the store is asked for jobs: one in the same place is another agent's by now.
                    self.say("the lock was moved or deleted, and with it the home: ending")
                    return
                self._attempt("working with the store", self._look)
                self._escalate(now)
                if now >= self._next_check:
                    if self._next_check and not self._has_reserve:
                        # Not beside the first job, which somebody waits for, nor as late as pruning may be.
                        self._has_reserve = True
                        self._store.keep_reserve()
                    self._next_check = now + _CHECK
                    if now >= self._next_prune + (_PRUNE_WAITS if self._running else 0.0):
                        self._next_prune = now + _PRUNE_EVERY
                        # Beside all else: of a million jobs it takes minutes.
                        self._pruning = threading.Thread(target=self._prune, name="jobdeck-prune", daemon=True)
                        self._pruning.start()
                    trim_log(log_path(self._store.home, "local"))
                    self._is_led = self._leash.path.exists()
                    if self._is_led and not self._leash.is_taken():
                        self.say("whoever held the leash is gone: ending")
                        return
                if self._may_end(now) and self._end():
                    return
            self.say("told to end")
        finally:
            self._close()

    def say(self, words: str) -> None:
        """A line for the agent's log, where there is room for one."""
        with contextlib.suppress(OSError):
            print(time.strftime("%Y-%m-%d %H:%M:%S"), words, file=sys.stderr, flush=True)

    # --- the loop's parts

    def _wait(self) -> bool:
        """Sleep until there may be something to do; whether the launcher may have something to tell."""
        fds = self._launcher.filenos()
        bell = self._bell.fileno()
        # Without a free place a new job changes nothing; the bell is still heard when there is one again.
        if bell is not None and len(self._running) < self._max_workers:
            fds.append(bell)
        readable, _, _ = select.select(fds, [], [], self._tick(is_rung=bell in fds))
        if bell in readable:
            self._bell.silence()
        return bool(readable) or self._launcher.restless

    def _tick(self, *, is_rung: bool) -> float:
        """Return after how many seconds to look by itself."""
        if self._launcher.restless:
            return _RESTLESS_TICK
        if self._ends or self._outcomes or self._claimed or self._look_again or self._is_glance_due:
            return BUSY_TICK
        if self._running and not (is_rung and self._is_led and all(map(_Running.is_quiet, self._running.values()))):
            return BUSY_TICK
        return min(RUNG_TICK if is_rung else IDLE_TICK, self._idle_end)

    def _attempt(self, what: str, step: Callable[[], None]) -> bool:
        """Do something with the store. Where it fails, say so once, and leave it alone for a while; False then."""
        now = time.monotonic()
        if now < self._troubles.get(what, 0.0):
            return False
        try:
            step()
        except StoreError as error:
            if what not in self._troubles:
                self.say(f"{what} is not possible now, trying again: {error}")
            self._troubles[what] = now + _RETRY
            return False
        if self._troubles.pop(what, None) is not None:
            self.say(f"{what} is possible again")
        return True

    def _adopt(self) -> None:
        """Close what earlier agents left."""
        for job in close_lost(self._store, "local"):
            self.say(f"closed job {job.job_id} of an agent that is gone: {job.status}")

    def _prune(self) -> None:
        """Remove old jobs, as the home's settings say."""
        try:
            pruned = self._store.prune_by_settings()
        except StoreError as error:
            self.say(f"old jobs were not removed: {error}")
            return
        if pruned.jobs:
            self.say(f"removed {pruned.jobs} old jobs, {pruned.bytes} bytes, as the settings say")

    def _hear(self, now: float) -> None:
        """Take in what the launcher tells."""
        for event in self._launcher.events():
            match event:
                case Started(job_id, pid, started):
                    self._processes[job_id] = (pid, started)
                case Handed(job_id, outcome):
                    self._note_outcome(job_id, outcome)
                case Noticed(job_id):
                    running = self._running.get(job_id)
                    if running is not None and running.escalation is not None:
                        running.escalation.notice(now)
                case Ended():
                    self._note_end(event)
                case Lost(job_ids, words):
                    self._lose(job_ids, words)

    def _note_end(self, end: Ended) -> None:
        running = self._running.pop(end.job_id, None)
        if running is None:
            return
        if end.pid is None:
            self._ends[end.job_id] = Exit(signal=end.signal, timed_out=running.timed_out)
            return
        self._processes[end.job_id] = (end.pid, end.started)
        if end.outcome is not None:
            self._note_outcome(end.job_id, end.outcome)
        shot = end.signal == signal.SIGKILL and not running.killed
        self._ends[end.job_id] = Exit(
            code=end.code,
            signal=end.signal,
            peak_memory=end.peak_memory,
            cpu_time=end.cpu_time,
            timed_out=running.timed_out,
            out_of_memory=shot and self._oom.read() > running.oom_kills,
        )

    def _lose(self, job_ids: Iterable[str], words: str) -> None:
        """What had started these jobs died, and they with it, but for what had left their groups."""
        self.say(words)
        mine = [running for job_id in job_ids if (running := self._running.pop(job_id, None)) is not None]
        try:
            kill_processes([self._store.job(running.job.job_id) for running in mine])
        except (StoreError, JobNotFoundError) as error:
            self.say(f"what is left of {len(mine)} jobs could not be looked up: {error}")
        for running in mine:
            self._ends[running.job.job_id] = Exit(lost=True, timed_out=running.timed_out)

    def _note_outcome(self, job_id: str, data: bytes) -> None:
        try:
            self._outcomes.setdefault(job_id, outcome_of(data))
        except (ValueError, TypeError) as error:
            self.say(f"what job {job_id} handed over cannot be read: {error}")

    def _look(self) -> None:
        """Tell the store what happened, and read what changed there: commands, settings, the queue."""
        self._start()
        news = News(self._processes, self._outcomes, self._ends)
        now = time.monotonic()
        # While jobs end one after another, what others write is read as often as while they run, not at each end.
        self._is_glance_due = bool(news) and now < self._next_glance
        if not self._is_glance_due:
            self._next_glance = now + BUSY_TICK
            self._glance()
        if not (self._look_again or news):
            return
        room = max(0, self._max_workers - len(self._running))
        claimed, payloads = self._store.turn_with_payloads("local", self._agent, room, news)
        if self._ends:
            self._last_busy = time.monotonic()
            ring(self._store.home, ENDS)
        self._look_again = False
        self._processes, self._outcomes, self._ends = {}, {}, {}
        self._claimed += claimed
        self._payloads |= payloads
        self._start()

    def _glance(self) -> None:
        """Read settings and commands where anything has changed."""
        version = self._store.data_version()
        if version != self._seen_version:
            self._seen_version = version
            # Messages commit, too, but change no row that matters here; settings are rows of no job.
            seen = self._store.pulse("max_workers", "idle_end")
            if seen != self._seen:
                if self._seen is None or seen[1] != self._seen[1]:
                    self._apply_settings(*seen[1])
                self._seen = seen
                self._look_again = True
        if self._look_again:
            for command in self._store.commands("local", self._agent):
                self._stop_job(command.job_id, kill=command.kind == "kill")

    def _apply_settings(self, max_workers: str | None, idle_end: str | None) -> None:
        self._max_workers = workers.max_workers(max_workers)
        self._idle_end = workers.first_number(idle_end, os.environ.get("JOBDECK_IDLE_END"), IDLE_END)

    def _start(self) -> None:
        """Hand what was claimed to the launcher. It stays on the list until that is done, whatever the store does."""
        if not self._claimed:
            return
        now = time.monotonic()
        if now - self._oom_read > _OOM_FRESH:
            self._oom_read, self._oom_kills = now, self._oom.read()
        parcels = self._parcels.of(self._payloads)
        while self._claimed:
            job = self._claimed.pop(0)
            match parcels.get(job.job_id, "it is not in the store any more"):
                case str(words):
                    self._refuse(job, words)
                case (parcel, startup, path):
                    try:
                        self._launcher.start(parcel, startup, path)
                    except OSError as error:
                        self._refuse(job, f"the interpreter {startup.interpreter} cannot be started: {error}")
                        continue
                    deadline = None if job.timeout is None else now + job.timeout
                    self._running[job.job_id] = _Running(job, deadline, self._oom_kills)
        self._payloads = {}

    def _refuse(self, job: JobRecord, words: str) -> None:
        """A job that cannot even be started ends in ERROR with these words."""
        self.say(f"job {job.job_id}: {words}")
        text = f"EngineError: job {job.job_id} could not be started: {words}"
        self._outcomes[job.job_id] = Outcome(False, exception_type="EngineError", exception_text=text)
        self._ends[job.job_id] = Exit()

    def _stop_job(self, job_id: str, *, kill: bool, timed_out: bool = False) -> None:
        running = self._running.get(job_id)
        if running is None:
            return
        now = time.monotonic()
        if running.escalation is None:
            running.escalation = Escalation(now, kill=kill)
            running.timed_out = timed_out
        elif kill:
            running.escalation.kill(now)

    def _escalate(self, now: float) -> None:
        for job_id, running in self._running.items():
            if running.deadline is not None and now >= running.deadline and running.escalation is None:
                self._stop_job(job_id, kill=False, timed_out=True)
            if running.escalation is None:
                continue
            for step in running.escalation.steps(now):
                if step.signal is not None:
                    self._launcher.signal(job_id, step.signal)
                    running.killed = running.killed or step.signal == signal.SIGKILL
                if not running.timed_out:
                    tell = partial(self._store.note_cancel, job_id, "stopping", step.note)
                    self._attempt("telling of a cancel", tell)

    # --- the end

    def _may_end(self, now: float) -> bool:
        is_pruning = self._pruning is not None and self._pruning.is_alive()
        if self._running or self._ends or self._claimed or self._troubles or is_pruning:
            self._last_busy = now
        return now - self._last_busy >= self._idle_end

    def _end(self) -> bool:
        """Give up the lock; False where a job turned up in time.

        A kernel inserts its job before it probes the lock. If it found the lock held, its job is there when the store
        is looked into after the release; if it found it free, it has started another agent.
        """
        self._look_again = True
        if not self._attempt("working with the store", self._look) or self._running or self._ends or self._claimed:
            return False
        self._lock.release()
        queued = self._store.count(JobQuery(engine="local", status=(JobStatus.QUEUED.value,)))
        if queued and self._lock.take(self._agent):
            self._look_again = True
            self._last_busy = time.monotonic()
            return False
        return True

    def _close(self) -> None:
        self._launcher.close()
        try:
            if self._running or self._ends or self._claimed:
                lost = {job_id: Exit(lost=True) for job_id in (*self._running, *(job.job_id for job in self._claimed))}
                self._store.turn("local", self._agent, 0, News(self._processes, self._outcomes, {**lost, **self._ends}))
        except StoreError:
            # Whoever looks next closes them.
            traceback.print_exc()
        self._bell.close()
        self._store.close()
        self._lock.release()
