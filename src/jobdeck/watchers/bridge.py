"""The bridge: one thread that mirrors jobs of other systems into the store.

It decides when to look at which job, and it alone writes what was seen. The calls into other systems are made in the
threads of a pool, since any of them may hang; what comes of them is put in a queue. A job is written down as ended only
with what its own system says of its end, and with its result.

One class, for all of it is the state of one thread; what it decides with is in the modules beside it.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from typing import Final, Protocol

from .._errors import EngineError, JobNotFoundError, StoreError
from .._ports import Store
from .._records import JobQuery, JobRecord
from .._status import is_final
from .._turns import Turns
from .agenda import Agenda, Kind, companions, kind_of
from .errands import Answered, Arrival, Calls, Errands, Fetched, Looked, Pushed
from .foreign import Foreign, new_job
from .judgement import answered, ending_of, ending_of_result
from .ledger import Ledger
from .memory import Memory
from .pace import Pace
from .pool import STUCK, Pool
from .ports import Reading, Watched
from .reattachment import NotReachable, Reattached

_COMMANDS: Final = 0.1
"""Seconds between looks for requests to stop."""
_MOST_LOOKS: Final = 1000
"""Looks in a second at jobs that are read one by one: about 4 % of a core."""
_STORE_PAUSE: Final = 1.0
_STANDBY: Final = 1.0
_AGAIN: Final = 60.0
"""Seconds after which a job that nothing here reached is tried again, if somebody asks."""


class Lock(Protocol):
    """Held as long as this process lives, so that others know when its jobs are nobody's."""

    def take(self, agent: str) -> bool: ...
    def release(self) -> None: ...
    def forget(self) -> None: ...


class Bridge:
    """Watches jobs of other systems for one home; there is one in a process.

    Parameters
    ----------
    store
        Gives the store.
    agent
        Under which name the rows have this bridge.
    lock
        Taken before the first job is.
    written
        Called when something was written down.
    look_after
        Parts watchers that are gone from their jobs.
    calls
        Makes the calls into other systems.
    clock
        Seconds that only grow.
    threaded
        Whether a thread takes the turns; otherwise somebody calls `turn`.
    """

    def __init__(
        self,
        store: Callable[[], Store],
        agent: str,
        lock: Lock,
        *,
        written: Callable[[], None] = lambda: None,
        look_after: Callable[[], None] | None = None,
        calls: Calls | None = None,
        clock: Callable[[], float] = time.monotonic,
        threaded: bool = True,
    ) -> None:
        self.agent = agent
        self._get_store = store
        self._own_lock = lock
        self._tell_written = written
        self._look_after = look_after
        self._clock = clock
        self._threaded = threaded
        self._lock = threading.RLock()
        self._foreign: dict[str, Foreign] = {}
        self._standby: dict[str, Foreign] = {}
        self._memory = Memory()
        self._unreachable: dict[str, float] = {}
        self._new: deque[Foreign] = deque()
        self._came: deque[Arrival] = deque()
        self._agenda = Agenda()
        self._errands = Errands(calls or Pool(), self._bring)
        self._ledger = Ledger(store, agent, clock)
        trouble = "jobs of other systems could not be looked after"
        self._turns = Turns(self.turn, lambda: self.is_busy or bool(self._came), "jobdeck-bridge", trouble)
        self._is_held = False
        self._is_closed = False
        self._next_round = 0.0

    # --- from any thread

    def watch(
        self, watched: Watched, name: str | None = None, tags: tuple[str, ...] = (), group_id: str | None = None
    ) -> tuple[JobRecord, Foreign]:
        """Watch a job from now on, unless it is watched; one insert, and whatever else it takes comes later."""
        with self._lock:
            known = self._known(watched)
            if known is not None:
                return known
            self._hold()
            record, is_own = self._get_store().watch_job(new_job(watched, self.agent, name, tags, group_id))
            foreign = self._foreign.get(record.job_id)
            if foreign is None:
                foreign = Foreign(watched, record.job_id, self._pace(watched))
                if is_own:
                    self._enter(foreign, record)
                elif not is_final(record.status):
                    self._standby[record.job_id] = foreign
                    self._begin()
            self._memory.keep(watched, foreign)
        self.ring()
        return record, foreign

    def watch_many(self, several: Sequence[tuple[Watched, tuple[str, ...]]]) -> None:
        """Watch jobs that live in this process, with their tags; one transaction for all that are not watched yet."""
        with self._lock:
            # Each object once, in its order.
            fresh = list(
                {
                    id(each[0] if each[0].origin is None else each[0].origin): each
                    for each in several
                    if self._known(each[0]) is None
                }.values()
            )
            if not fresh:
                return
            self._hold()
            new = [new_job(watched, self.agent, None, tags, None) for watched, tags in fresh]
            for (watched, _), record in zip(fresh, self._get_store().add_jobs(new), strict=True):
                foreign = Foreign(watched, record.job_id, self._pace(watched))
                self._enter(foreign, record)
                self._memory.keep(watched, foreign)
        self.ring()

    def _known(self, watched: Watched) -> tuple[JobRecord, Foreign] | None:
        """Return the job that this is, if it was watched before."""
        job_id = self._memory.job_of(watched)
        if job_id is None:
            return None
        try:
            record = self._get_store().job(job_id)
        except JobNotFoundError:
            return None
        foreign = self.foreign(job_id) or self._memory.foreign(job_id)
        if foreign is None and is_final(record.status):
            foreign = Foreign(watched, job_id, self._pace(watched))
        return None if foreign is None else (record, foreign)

    def foreign(self, job_id: str) -> Foreign | None:
        """Return what this process has of a job that it watches."""
        return self._foreign.get(job_id) or self._standby.get(job_id)

    def take_over(self) -> None:
        """Take the jobs that have survived their kernel, and that nobody watches; reaching them comes later."""
        store = self._get_store()
        now = self._clock()
        with self._lock:
            tried = {job_id for job_id, again in self._unreachable.items() if again > now}
            free = [job_id for job_id in store.unwatched() if job_id not in tried]
            if not free:
                return
            self._hold()
            for record in store.take_over(self.agent, free):
                self._reattach(record)
        self.ring()

    def ring(self) -> None:
        """Take a turn now."""
        self._turns.ring()

    @property
    def is_busy(self) -> bool:
        """Whether there are jobs that it watches, or something that was not written down."""
        return bool(self._foreign or self._standby or not self._ledger.is_empty)

    def close(self, patience: float = 0.0) -> None:
        """End the thread and give the lock back; jobs that have ended within `patience` seconds are written down so."""
        deadline = self._clock() + patience
        if patience:
            self._take_last_looks(deadline)
        with self._lock:
            self._is_closed = True
        self._turns.close()
        with self._lock:
            if self._is_held:
                self._own_lock.release()
                self._is_held = False

    def _take_last_looks(self, deadline: float) -> None:
        with self._lock:
            # A look that is under way may have begun before the job had ended.
            wanted = [(each, each.looks + (2 if each.is_busy else 1)) for each in self._foreign.values()]
        for foreign, _ in wanted:
            self._bring(Pushed(foreign))
        self._wait_for_looks(wanted, deadline)

    def wait_for_first_looks(self, timeout: float) -> None:
        """Wait until every job has been looked at once, and the results are there of those that had ended by then."""
        with self._lock:
            wanted = [(each, 1) for each in self._foreign.values()]
        self._wait_for_looks(wanted, self._clock() + timeout)

    def _wait_for_looks(self, wanted: Sequence[tuple[Foreign, int]], deadline: float) -> None:
        while self._turns.are_taken and (left := deadline - self._clock()) > 0:
            is_open = any(not each.is_over and (each.is_done or each.looks < looks) for each, looks in wanted)
            if not is_open and self._ledger.is_empty:
                return
            self.ring()
            time.sleep(min(left, 0.005))

    def forget(self) -> None:
        """In a forked child: leave all to the parent."""
        self._own_lock.forget()

    # --- with the lock held

    def _hold(self) -> None:
        if self._is_closed:
            raise EngineError("this bridge was closed")
        if not self._is_held:
            self._get_store()  # which makes the home
            if not self._own_lock.take(self.agent):
                raise EngineError(f"the lock of {self.agent} is taken by somebody else")
            self._is_held = True

    def _pace(self, watched: Watched) -> Pace:
        return Pace(watched.pace, self._clock())

    def _enter(self, foreign: Foreign, record: JobRecord) -> None:
        foreign.begin(record)
        self._foreign[record.job_id] = foreign
        self._new.append(foreign)
        self._begin()

    def _reattach(self, record: JobRecord) -> None:
        foreign = self._standby.pop(record.job_id, None)
        if foreign is None:
            watched = Reattached(record.source or {})
            foreign = Foreign(watched, record.job_id, self._pace(watched))
        self._enter(foreign, record)

    def _begin(self) -> None:
        if self._threaded:
            self._turns.begin()

    # --- in the thread

    def turn(self) -> float:
        """Take in what has come, write it down, take requests, have jobs looked at; return the seconds until the next.

        Raises
        ------
        StoreError
            What was seen cannot be written now; it is kept for the next turn.
        """
        while self._new:
            self._agenda.plan(self._new.popleft(), self._clock())
        while self._came:
            self._take_in(self._came.popleft())
        self._write()
        now = self._clock()
        if now >= self._next_round:
            self._next_round = now + _STANDBY
            self._errands.relieve()
            self._stand_by()
        self._look(now)
        if self._came or self._new:
            return 0.0
        pause = self._agenda.pause(now)
        return _COMMANDS if pause is None else min(pause, _COMMANDS)

    def _bring(self, arrival: Arrival) -> None:
        self._came.append(arrival)
        self.ring()

    def _write(self) -> None:
        with self._lock:
            mine = dict(self._foreign)
        written, commands = self._ledger.write()
        if written:
            self._tell_written()
        for job_id in written:
            if job_id in mine and mine[job_id].is_over:
                self._drop(mine[job_id])
        if self._ledger.job_ids is not None:
            for job_id in mine.keys() - self._ledger.job_ids:
                # Deleted, or somebody else's by now.
                self._drop(mine[job_id])
        for command in commands:
            foreign = self._foreign.get(command.job_id)
            if foreign is not None and not foreign.is_over:
                self._ask(foreign)

    def _drop(self, foreign: Foreign) -> None:
        with self._lock:
            if self._foreign.get(foreign.job_id) is not foreign:
                return
            del self._foreign[foreign.job_id]
        foreign.is_over = True
        self._ledger.forget(foreign)
        self._errands.close(foreign)

    def _stand_by(self) -> None:
        """See to jobs that this process could watch, and somebody else does."""
        if not self._standby:
            return
        if self._look_after is not None:
            self._look_after()
        store = self._get_store()
        with self._lock:
            waiting = tuple(self._standby)
            for record in store.take_over(self.agent, waiting):
                self._reattach(record)
            there = {record.job_id: record for record in store.jobs(JobQuery(job_ids=waiting))}
            for job_id in waiting:
                if job_id not in there or is_final(there[job_id].status):
                    self._standby.pop(job_id, None)

    def _look(self, now: float) -> None:
        due = self._agenda.take_due(now)
        if not due:
            return
        with self._lock:
            due += companions(due, self._foreign.values(), now)
        together: dict[Kind, list[Foreign]] = {}
        for foreign in due:
            if foreign.is_busy:
                foreign.trouble = f"does not answer for {now - foreign.busy_since:.0f} s; still waiting"
                self._agenda.plan(foreign, now + max(STUCK, now - foreign.busy_since))
                self._ledger.say(foreign, foreign.news())
                continue
            foreign.is_busy, foreign.is_pushed, foreign.busy_since = True, False, now
            self._agenda.plan(foreign, now + STUCK)
            if foreign.is_done:
                self._errands.fetch(foreign)
            elif (kind := kind_of(foreign)) is None:
                self._errands.read(foreign)
            else:
                together.setdefault(kind, []).append(foreign)
        for (kind_class, _), several in together.items():
            self._errands.read_many(kind_class, several)

    def _ask(self, foreign: Foreign) -> None:
        """Hand on a request to stop."""
        if foreign.is_asked:
            return
        foreign.told.cancel = foreign.cancel = ("requested", None)
        if foreign.refuse():
            self._ledger.say(foreign, foreign.news())
            return
        foreign.is_asked = True
        self._errands.cancel(foreign)

    # --- what came from the pool

    def _take_in(self, arrival: Arrival) -> None:
        foreign = arrival.foreign
        if isinstance(arrival, Answered):
            foreign.is_asked = False
        elif not isinstance(arrival, Pushed):
            foreign.is_busy = False
            foreign.looks += 1
        if foreign.is_over:
            return
        match arrival:
            case Pushed():
                self._take_push(foreign)
            case Answered():
                foreign.cancel = answered(foreign, arrival.answer)
                self._ledger.say(foreign, foreign.news())
                self._take_push(foreign)
            case Fetched():
                self._take_result(arrival)
            case Looked(told=Reading() as reading):
                self._take_reading(foreign, reading, arrival)
            case Looked(told=NotReachable() as error):
                self._give_back(foreign, str(error))
            case Looked(told=BaseException() as error):
                self._take_trouble(foreign, error)

    def _take_push(self, foreign: Foreign) -> None:
        foreign.is_pushed = True
        if not foreign.is_busy:
            self._agenda.plan(foreign, self._clock())

    def _take_reading(self, foreign: Foreign, reading: Reading, looked: Looked) -> None:
        now = self._clock()
        if isinstance(foreign.watched, Reattached) and foreign.watched.job is not None:
            # From now on it is one of its kind, read together with the others.
            foreign.watched = foreign.watched.job
            foreign.pace = self._pace(foreign.watched)
        foreign.pace.succeeded(now, is_change=foreign.take_in(reading))
        self._ledger.say_words(foreign, reading)
        self._ledger.say(foreign, foreign.news())
        if (ending := ending_of(reading, looked.left)) is not None:
            foreign.exception = reading.exception
            self._ledger.say(foreign, ending)
            foreign.is_over = True
            return
        if foreign.is_unheard and not foreign.is_done:
            # It could not be reached when it was asked to stop.
            foreign.is_unheard = False
            self._ask(foreign)
        at_once = foreign.is_done or foreign.is_pushed
        self._agenda.plan(foreign, now if at_once else now + self._pause(foreign, now))

    def _pause(self, foreign: Foreign, now: float) -> float:
        """Return the seconds until the next look; thousands of jobs share what looks may cost."""
        share = len(self._foreign) / _MOST_LOOKS if kind_of(foreign) is None else 0.0
        return max(foreign.pace.pause(now), share)

    def _take_trouble(self, foreign: Foreign, error: BaseException) -> None:
        now = self._clock()
        foreign.fail(error)
        self._ledger.say(foreign, foreign.news())
        self._agenda.plan(foreign, now if foreign.is_pushed else now + self._pause(foreign, now))

    def _take_result(self, fetched: Fetched) -> None:
        foreign = fetched.foreign
        ending = ending_of_result(fetched)
        if ending is None:
            now = self._clock()
            foreign.fail(fetched.error)
            self._ledger.say(foreign, foreign.news())
            self._agenda.plan(foreign, now + self._pause(foreign, now))
            return
        foreign.settle()
        self._ledger.say(foreign, foreign.news())
        self._ledger.say(foreign, ending)
        foreign.is_over = True

    def _give_back(self, foreign: Foreign, words: str) -> None:
        """Leave a job to whoever else can reach it."""
        self._unreachable[foreign.job_id] = self._clock() + _AGAIN
        try:
            self._get_store().release_watched(self.agent, {foreign.job_id: {"trouble": words}})
        except StoreError:
            self._agenda.plan(foreign, self._clock() + _STORE_PAUSE)
            raise
        self._drop(foreign)
