"""The Dask engine's agent: hands queued jobs to a scheduler, writes down what the workers tell, and obeys commands.

Everything that it knows is in the store or with the scheduler, so that a new agent can take over at any moment.

Longer than others, since each part of its turn changes what is known of the jobs that are away.
"""

from __future__ import annotations

import contextlib
import os
import sys
import time
from collections.abc import Callable, Collection
from itertools import islice
from typing import Any, Final, cast

from ..._errors import EngineError, RuntimeInvalidStateError, StoreError
from ..._ports import Store
from ..._records import JobQuery, JobRecord, Outcome
from ..._status import FINAL, Exit, JobStatus
from ..launch import log_path, trim_log
from ..local.handing import outcome_of
from ..lock import AgentLock
from ..workers import first_number
from . import takeover
from .address import file_name
from .cluster import SILENCE, Cluster, Event, Result
from .endings import died, lost, reason
from .handover import hand_over, refusal
from .intake import Away, Intake
from .ledger import Ledger
from .leftovers import Leftovers
from .options import RESULT_LIMIT, checked_options, result_limit, total_limit
from .reaching import Reaching
from .stopping import Stopping
from .takeover import Fate
from .travel import End, News

BUSY_TICK: Final = 0.01
IDLE_TICK: Final = 0.1
IDLE_END: Final = 60.0
AHEAD: Final = 3
"""Jobs for each thread of the workers that are with the scheduler at a time; the others wait in the store."""
LEAST_AHEAD: Final = 8
"""So many at least, for clusters that have workers only where there is work."""
HAND_OVER_EVERY: Final = 0.1
"""Seconds for which free room is collected, so that many jobs go at a time.

Half of the room is filled at once, and so is any while there are fewer jobs than threads.
"""
_CHECK: Final = 1.0
_LEFT_BEHIND: Final = 200
"""Jobs that ended last, of which an earlier agent may have died before it told the scheduler."""
_MOST_EVENTS: Final = 1_000
_CANCEL_GRACE: Final = 0.5
"""Seconds for which a job that was taken back may still turn out to have started."""


class DaskAgent:
    """The agent of one scheduler.

    Parameters
    ----------
    store : Store
        Opened by this process.
    lock : AgentLock
        Held.
    agent : str
        This agent's id.
    engine : str
        The engine's name.
    connect
        Makes the connection to the scheduler. EngineError where that cannot be reached.
    """

    def __init__(
        self, store: Store, lock: AgentLock, agent: str, engine: str, connect: Callable[[str], Cluster]
    ) -> None:
        self._store = store
        self._lock = lock
        self._agent = agent
        self._engine = engine
        self._reaching = Reaching(store, engine, lambda: connect(self.topic))
        self._cluster: Cluster | None = None
        self._ledger = Ledger(store, engine, agent)
        self._intake = Intake(store, self._ledger, self._ask)
        self._away: dict[str, Away] = {}
        self._ended: dict[str, Result] = {}
        self._incomplete: dict[str, tuple[float, End]] = {}
        """Ends of which something is still with a worker that does not answer, and when to ask it again."""
        self._leftovers = Leftovers(store, engine)
        self._stopping = Stopping(store, engine, self._ask, self.say)
        self._to_stop: set[str] = set()
        """To look through all jobs that are away takes long where those are thousands."""
        self._stopped = False
        self._last_busy = time.monotonic()
        self._next_check = 0.0
        self._next_hand_over = 0.0
        self._threads, self._room = 0, LEAST_AHEAD
        self._result_limit: int | None = RESULT_LIMIT
        self._trouble: str | None = None
        self._idle_end = first_number(None, os.environ.get("JOBDECK_IDLE_END"), IDLE_END)

    @property
    def topic(self) -> str:
        """Under which the workers tell of this home's jobs."""
        return f"jobdeck-{self._store.store_id}"

    def stop(self) -> None:
        """End soon; the jobs go on in the cluster. Safe in a signal handler."""
        self._stopped = True

    def run(self) -> None:
        """Serve until idle for long enough, or stopped."""
        try:
            while not self._stopped and self._lock.in_place():
                self._attempt(self._turn)
                if self._may_end() and self._end():
                    return
        finally:
            if self._cluster is not None:
                self._cluster.close()
            self._store.close()
            self._lock.release()

    def say(self, words: str) -> None:
        """A line for the agent's log, where there is room for one."""
        with contextlib.suppress(OSError):
            print(time.strftime("%Y-%m-%d %H:%M:%S"), words, file=sys.stderr, flush=True)

    # --- the loop

    def _attempt(self, step: Callable[[], None]) -> None:
        """Do a turn; where store or scheduler fail, say so once and try again."""
        try:
            step()
        except (StoreError, EngineError) as error:
            if str(error) != self._trouble:
                self._trouble = str(error)
                self.say(f"not possible now, trying again: {error}")
            time.sleep(0.25)
        else:
            self._trouble = None

    def _turn(self) -> None:
        now = time.monotonic()
        if self._cluster is None or (now >= self._next_check and not self._cluster.is_there):
            self._reach()
            return
        if now >= self._next_check:
            self._next_check = now + _CHECK
            threads = self._cluster.threads()
            self._threads = sum(threads.values())
            self._room = max(AHEAD * self._threads, LEAST_AHEAD)
            self._look_for_stranded(self._cluster, threads)
            self._result_limit = result_limit(self._store.setting("dask_result_limit"))
            trim_log(log_path(self._store.home, file_name(self._engine)))
            self._leftovers.keep_within(total_limit(self._store.setting("dask_results_total")))
            self._leftovers.forget(self._cluster)
        # However much comes, commands are heard in between.
        for event in islice(self._cluster.next_events(BUSY_TICK if self._away else IDLE_TICK), _MOST_EVENTS):
            self._take_in(event)
        self._settle()
        self._obey()
        self._write_ends()
        self._hand_over(now)

    # --- the scheduler

    def _reach(self) -> None:
        """Reach the scheduler, for the first time or again, and take up what is there."""
        # What is missing is counted by what the store has, and who has begun is read there.
        self._ledger.write_begun()
        self._intake.write()
        if self._cluster is not None:
            self._leave(self._cluster)
        try:
            cluster = self._reaching.cluster(IDLE_TICK)
        except EngineError as error:
            if self._reaching.is_given_up:
                self._give_up(f"its scheduler, {self._engine}, cannot be reached ({error.__cause__ or error})")
            raise
        if cluster is None:
            return
        self._cluster = cluster
        self._away, self._ended, self._incomplete = {}, {}, {}
        self._adopt(cluster)

    def _ask(self, worker: str, question: str, job_id: str, *details: Any) -> Any:
        if self._cluster is None:
            raise EngineError(f"{self._engine} is not reached just now")
        return self._cluster.ask(worker, question, job_id, *details)

    def _adopt(self, cluster: Cluster) -> None:
        """Take up the jobs that an earlier agent, or an earlier connection, has handed over."""
        records = self._store.inherit_jobs(self._engine, self._agent)
        kept = cluster.known([record.job_id for record in records])
        earlier = cluster.earlier()
        told = {news["job"] for news in earlier}
        before = takeover.recall(self._store, self._engine)
        is_new = before not in (None, cluster.scheduler_id)
        if is_new:
            self.say("another scheduler answers at this address now")
        again, to_stop = [], []
        for record in records:
            job_id = record.job_id
            away = self._away[job_id] = self._intake.away(record)
            match takeover.fate(record, kept.get(job_id), was_heard=job_id in told, is_new=is_new):
                case Fate.STOP:
                    away.wish = "cancel"
                    to_stop.append(away)
                case Fate.AGAIN:
                    again.append(record)
                case Fate.CANCELLED:
                    self._close(job_id, Exit())
                case Fate.LOST if job_id in kept:
                    self._close(job_id, Exit(lost=True, words=lost("the worker that ran it died")))
                case Fate.LOST:
                    self._close(job_id, Exit(lost=True, words=lost(f"{self._engine} does not know it any more")))
        self._write_ends()
        takeover.remember(self._store, self._engine, cluster.scheduler_id)
        cluster.adopt([job_id for job_id in kept if job_id in self._away])
        self._submit(cluster, again)
        for news in earlier:
            if news["job"] in self._away:
                self._hear(news)
        for away in to_stop:
            if away.job_id not in self._to_stop:
                self._stop(away)
        self._leftovers.compare(cluster.kept_results())
        self._write_ends()
        self._forget_ended(cluster)

    def _forget_ended(self, cluster: Cluster) -> None:
        """Have the scheduler forget jobs that have ended, and of which an earlier agent could not tell it any more."""
        final = tuple(status.value for status in FINAL)
        newest = self._store.jobs(JobQuery(engine=self._engine, status=final, limit=_LEFT_BEHIND))
        for job_id in cluster.known([record.job_id for record in newest]):
            cluster.release(job_id, None)

    def _give_up(self, words: str) -> None:
        """Nobody can tell any more what became of the jobs."""
        self._store.note_wait(self._engine, None)
        for record in self._store.inherit_jobs(self._engine, self._agent):
            self._close(record.job_id, Exit(lost=True, words=lost(words)))
        self._write_ends()
        query = JobQuery(engine=self._engine, status=(JobStatus.QUEUED.value,))
        for record in self._store.jobs(query):
            self._refuse(record.job_id, words)
        self._write_ends()
        self._leftovers.give_up()
        takeover.remember(self._store, self._engine, None)

    # --- to the scheduler

    def _hand_over(self, now: float) -> None:
        assert self._cluster is not None
        room = self._room - len(self._away)
        is_urgent = room * 2 >= self._room or len(self._away) <= self._threads
        if room <= 0 or (now < self._next_hand_over and not is_urgent):
            return
        records = self._store.claim(self._engine, self._agent, room, JobStatus.VALIDATING)
        if not records:
            return
        self._next_hand_over = now + HAND_OVER_EVERY
        for record in records:
            self._away[record.job_id] = self._intake.away(record)
        self._submit(self._cluster, records)
        self._write_ends()

    def _submit(self, cluster: Cluster, records: list[JobRecord]) -> None:
        try:
            handed = hand_over(self._store, cluster, self.topic, self._result_limit, records)
        except EngineError:
            # What it has of these jobs is found out with the next connection.
            self._leave(cluster)
            raise
        for job_id in handed.gone:
            self._away.pop(job_id, None)
        for job_id, words in handed.refused.items():
            self._refuse(job_id, words)

    def _leave(self, cluster: Cluster) -> None:
        cluster.close()
        self._cluster = None

    def _refuse(self, job_id: str, words: str) -> None:
        self._close(job_id, Exit(), refusal(job_id, words))

    # --- commands

    def _obey(self) -> None:
        for command in self._store.commands(self._engine, self._agent):
            away = self._away.get(command.job_id)
            if away is not None:
                away.wish = command.kind
                self._stop(away)
        now = time.monotonic()
        for job_id in list(self._to_stop):
            away = self._away.get(job_id)
            if away is None:
                self._to_stop.discard(job_id)
            elif away.withdrawn is not None and now - away.withdrawn > _CANCEL_GRACE:
                self._close(job_id, Exit())
            elif away.ask_again is not None and now >= away.ask_again:
                self._stop(away)

    def _stop(self, away: Away) -> None:
        assert self._cluster is not None
        self._to_stop.add(away.job_id)
        self._stopping.stop(self._cluster, away)

    # --- from the workers

    def _take_in(self, event: Event) -> None:
        kind, what, came = event
        if kind == "news":
            for news in cast("list[News]", what):
                self._hear(news)
        elif what not in self._away or what in self._ledger or what in self._incomplete:
            return
        elif kind == "result":
            self._ended[what] = came
        elif self._cluster is not None:
            self._cluster.fetch(what, came)

    def _hear(self, news: News) -> None:
        job_id = news["job"]
        away = self._away.get(job_id)
        if away is None:
            if "begun" in news:
                self._stopping.refuse_repetition(job_id, news["worker"])
            return
        if news["run"] in away.over:
            return
        if away.run != news["run"] and not self._begin_run(job_id, away, news):
            return
        if "note" in news:
            self._stopping.note(job_id, news["note"])
        if "progress" in news:
            with contextlib.suppress(RuntimeInvalidStateError):
                self._store.set_progress(job_id, *news["progress"])
        if "messages" in news:
            self._intake.add_messages(away, news["messages"])
        if "log" in news:
            self._intake.add_log(away, *news["log"])
        if "end" in news:
            self._settle_one(job_id, away, news["end"], None, "finished")

    def _begin_run(self, job_id: str, away: Away, news: News) -> bool:
        """A job begins on a worker; False where it must not."""
        if away.run is not None:
            away.restarts += 1
            allowed = checked_options(away.record.metadata).get("retries", 0)
            words = died(away)
            if away.restarts > allowed:
                away.over.add(away.run)
                away.run, away.worker, away.wish = news["run"], news["worker"], "kill"
                away.verdict = lost(words)
                self._stop(away)
                return False
            self.say(f"job {job_id}: {words}; it runs again on {news['worker']}")
            if self._incomplete.pop(job_id, None) is not None and self._cluster is not None:
                # It had ended there, and its end is not one any more.
                self._cluster.adopt([job_id])
        away.begin(news["run"], news["worker"])
        self._ledger.begin(job_id)
        if away.wish is not None:
            away.withdrawn = None
            self._stop(away)
        return True

    def _look_for_stranded(self, cluster: Cluster, workers: Collection[str]) -> None:
        """Find jobs whose workers are gone where no other worker begins them, and would so learn of it."""
        stranded = {
            job_id: away
            for job_id, away in self._away.items()
            if away.run is not None and away.worker not in workers and job_id not in self._ledger
        }
        if not stranded:
            return
        for job_id, state in cluster.known(list(stranded)).items():
            away = stranded[job_id]
            if state not in takeover.WAITING or job_id in self._incomplete:
                continue
            if away.restarts >= checked_options(away.record.metadata).get("retries", 0):
                self._close(job_id, Exit(lost=True, words=lost(died(away))))
            elif away.wish is not None and away.withdrawn is None:
                away.worker = None
                self._stop(away)

    # --- ends

    def _settle(self) -> None:
        """Write down how jobs ended whose tasks are over."""
        now = time.monotonic()
        for job_id, (due, end) in list(self._incomplete.items()):
            if due <= now and self._incomplete.pop(job_id, None) is not None:
                self._ended[job_id] = Result(end, None, "finished")
        for job_id in list(self._ended):
            away = self._away.get(job_id)
            if away is not None:
                self._settle_one(job_id, away, *self._ended[job_id])
            del self._ended[job_id]

    def _settle_one(self, job_id: str, away: Away, end: End | None, error: BaseException | None, status: str) -> None:
        if away.verdict is not None:
            self._leftovers.add(job_id)
            self._close(job_id, Exit(lost=True, words=away.verdict))
        elif end is not None:
            if end["run"] != away.run:
                away.begin(end["run"], end["worker"])
            missing = self._intake.catch_up(away, end)
            if missing and self._cluster is not None and self._cluster.has(away.worker):
                self._incomplete[job_id] = (time.monotonic() + SILENCE, end)
                return
            if missing:
                self.say(f"job {job_id}: {missing}")
            outcome = None if end["outcome"] is None else outcome_of(end["outcome"])
            self._close(job_id, Exit(**end["exit"]), outcome)
        elif status in {"cancelled", "lost"} and away.wish is not None:
            away.withdrawn = away.withdrawn or time.monotonic()
            self._to_stop.add(job_id)
        elif status in {"cancelled", "lost"}:
            self._check_lost(job_id)
        else:
            self._close(job_id, Exit(lost=True, words=reason(error, away.worker)))

    def _check_lost(self, job_id: str) -> None:
        """Dask has dropped a future: as the connection broke, or since somebody cancelled the task there."""
        if self._cluster is None or not self._cluster.is_there:
            self._next_check = 0.0
        elif self._cluster.known([job_id]):
            self._cluster.adopt([job_id])
        else:
            self._close(job_id, Exit(lost=True, words=lost("somebody took it from the scheduler")))

    def _close(self, job_id: str, end: Exit, outcome: Outcome | None = None) -> None:
        self._ledger.add(job_id, end, outcome)

    def _write_ends(self) -> None:
        # All messages of a job are there before its end is.
        self._intake.write()
        written = self._ledger.write()
        if not written:
            return
        self._last_busy = time.monotonic()
        for job_id, _ in written:
            away = self._away.pop(job_id, None)
            if self._cluster is not None:
                self._cluster.release(job_id, None if away is None else away.worker)
        self._leftovers.compare([job_id for job_id, left in written if left is not None and left.kept is not None])

    # --- the end

    def _may_end(self) -> bool:
        if self._away or self._ledger:
            self._last_busy = time.monotonic()
        return time.monotonic() - self._last_busy >= self._idle_end

    def _end(self) -> bool:
        """Give up the lock; False where a job turned up in time. See `LocalAgent._end`."""
        takeover.remember(self._store, self._engine, None)
        self._lock.release()
        queued = self._store.count(JobQuery(engine=self._engine, status=(JobStatus.QUEUED.value,)))
        if queued and self._lock.take(self._agent):
            self._last_busy = time.monotonic()
            if self._cluster is not None:
                # Another agent may have had the lock meanwhile: with a new connection its jobs are taken over.
                self._leave(self._cluster)
            return False
        return True
