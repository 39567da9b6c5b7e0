"""The bridge: one thread that mirrors jobs of other systems into the store.

It decides when to look at which job, and it alone writes what was seen. The calls into other systems are made in the
threads of a pool, since any of them may hang; what they bring comes back in a queue. A job is written down as ended
only with what its own system says of its end, and with its result.
"""

from __future__ import annotations

import contextlib
import heapq
import itertools
import logging
import os
import threading
import time
from collections import deque
from collections.abc import Callable, Hashable, Mapping
from dataclasses import replace
from typing import Any, Final, Protocol

from .._codec import RuntimeEncoder, encode
from .._errors import (
    EncodingError,
    EngineError,
    JobCancelledError,
    JobdeckError,
    JobNotFoundError,
    RuntimeInvalidStateError,
    RuntimeJobFailureError,
    StoreError,
)
from .._ports import Store
from .._program import outcome_of_exception, outcome_of_value, preview
from .._records import JobQuery, JobRecord, Outcome, Sighting
from .._status import JobStatus, Verdict, is_final
from .foreign import CANNOT_STOP, Foreign, new_job, words_of
from .memory import Memory
from .pace import Pace
from .pool import STUCK, Pool
from .ports import Reading, Watched
from .reattachment import NotReachable, Reattached
from .words import status_of

_log = logging.getLogger(__name__)

_COMMANDS: Final = 0.1
"""Seconds between looks for requests to stop."""
_LINGER: Final = 3.0
_STORE_PAUSE: Final = 1.0
_STANDBY: Final = 1.0
_AGAIN: Final = 60.0
"""Seconds after which a job that could not be reached is tried again, if somebody asks."""
_MOST_TRIES: Final = 5
"""Of fetching a result, where it is no connection that fails."""


class Lock(Protocol):
    """Held as long as this process lives, so that others know when its jobs are nobody's."""

    def take(self, agent: str) -> bool: ...
    def release(self) -> None: ...
    def forget(self) -> None: ...


class Calls(Protocol):
    """See `Pool`."""

    def run(self, system: str, task: Callable[[], None]) -> None: ...
    def relieve(self) -> None: ...


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
        look_after: Callable[[], None] | None = None,
        calls: Calls | None = None,
        clock: Callable[[], float] = time.monotonic,
        threaded: bool = True,
    ) -> None:
        self.agent = agent
        self._get_store = store
        self._own_lock = lock
        self._look_after = look_after
        self._calls = calls or Pool()
        self._clock = clock
        self._threaded = threaded
        self._lock = threading.RLock()
        self._foreign: dict[str, Foreign] = {}
        self._standby: dict[str, Foreign] = {}
        self._memory = Memory()
        self._unreachable: dict[str, float] = {}
        self._due: list[tuple[float, int, Foreign]] = []
        self._order = itertools.count()
        self._came: deque[Callable[[], None]] = deque()
        self._unsaid: dict[str, Sighting] = {}
        self._unsent: dict[str, list[str]] = {}
        self._ending: dict[str, Foreign] = {}
        self._bell = threading.Lock()
        self._bell.acquire()
        self._thread: threading.Thread | None = None
        self._is_held = False
        self._is_closed = False
        self._version: int | None = None
        self._next_standby = 0.0
        self._next_relief = 0.0
        self._pid = os.getpid()
        self._complaint: str | None = None

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
                foreign = Foreign(watched, record.job_id, Pace(watched.pace, self._clock()))
                if is_own:
                    self._enter(foreign, record)
                elif not is_final(record.status):
                    self._standby[record.job_id] = foreign
                    self._begin()
            self._memory.keep(watched, foreign)
        self.ring()
        return record, foreign

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
            foreign = Foreign(watched, job_id, Pace(watched.pace, self._clock()))
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

    def _reattach(self, record: JobRecord) -> None:
        foreign = self._standby.pop(record.job_id, None)
        if foreign is None:
            watched = Reattached(record.source or {})
            foreign = Foreign(watched, record.job_id, Pace(watched.pace, self._clock()))
        self._enter(foreign, record)

    def _enter(self, foreign: Foreign, record: JobRecord) -> None:
        told = foreign.told
        told.status, told.facts, told.source = record.status, record.facts, record.source
        told.cancel = foreign.cancel = (record.cancel_state, record.cancel_note)
        self._foreign[record.job_id] = foreign
        self._plan(foreign, self._clock())
        self._begin()

    def ring(self) -> None:
        """Take a turn now."""
        with contextlib.suppress(RuntimeError):  # it rings already
            self._bell.release()

    @property
    def is_busy(self) -> bool:
        """Whether there are jobs that it watches."""
        return bool(self._foreign or self._standby or self._unsaid)

    def close(self) -> None:
        """End the thread and give the lock back. What was watched is not any more."""
        with self._lock:
            self._is_closed = True
            thread = self._thread
        self.ring()
        if thread is not None and thread is not threading.current_thread() and os.getpid() == self._pid:
            thread.join()
        with self._lock:
            if self._is_held:
                self._own_lock.release()
                self._is_held = False

    def forget(self) -> None:
        """In a forked child: leave all to the parent."""
        self._own_lock.forget()

    def _hold(self) -> None:
        if self._is_closed:
            raise EngineError("this bridge was closed")
        if not self._is_held:
            self._get_store()  # which makes the home
            if not self._own_lock.take(self.agent):
                raise EngineError(f"the lock of {self.agent} is taken by somebody else")
            self._is_held = True

    # --- the thread

    def _begin(self) -> None:
        if self._threaded and self._thread is None:
            self._thread = threading.Thread(target=self._run, name="jobdeck-bridge", daemon=True)
            self._thread.start()

    def _run(self) -> None:
        is_last_chance = False
        while True:
            with self._lock:
                is_idle = not (self.is_busy or self._came)
                if self._is_closed or (is_idle and is_last_chance):
                    self._thread = None
                    return
            if is_idle:
                is_last_chance = not self._bell.acquire(timeout=_LINGER)
                continue
            is_last_chance = False
            try:
                pause = self.turn()
                self._complaint = None
            except Exception as error:  # noqa: BLE001 - this thread is all that the jobs have
                if (complaint := repr(error)) != self._complaint and not isinstance(error, StoreError):
                    _log.exception("jobs of other systems could not be looked after; trying again")
                self._complaint = complaint
                pause = _STORE_PAUSE
            self._bell.acquire(timeout=pause)

    def turn(self) -> float:
        """Take in what has come, write it down, take commands, have jobs looked at; return the seconds until the next.

        Raises
        ------
        StoreError
            What was seen cannot be written now; it is kept for the next turn.
        """
        while self._came:
            self._came.popleft()()
        self._tell()
        now = self._clock()
        self._stand_by(now)
        self._look(now)
        if now >= self._next_relief:
            self._next_relief = now + 1.0
            self._calls.relieve()
        if self._came:
            return 0.0
        upcoming = self._due[0][0] - now if self._due else _COMMANDS
        return min(max(upcoming, 0.0), _COMMANDS)

    # --- what the store gets and gives

    def _tell(self) -> None:
        store = self._get_store()
        self._send_messages(store)
        version = store.data_version()
        if not self._unsaid and version == self._version:
            return
        with self._lock:
            mine = dict(self._foreign)
        sightings, self._unsaid = self._unsaid, {}
        try:
            turn = store.watch_turn(self.agent, sightings)
        except BaseException:
            self._unsaid = {**sightings, **self._unsaid}
            raise
        # As it was before the call: what others write meanwhile is seen by the next turn.
        self._version = version
        for job_id in sightings.keys() & self._ending.keys():
            self._drop(self._ending.pop(job_id))
        for job_id in mine.keys() - turn.job_ids:
            # Deleted, or somebody else's by now.
            self._drop(mine[job_id])
        for command in turn.commands:
            if (foreign := self._foreign.get(command.job_id)) is not None:
                self._cancel(foreign)

    def _send_messages(self, store: Store) -> None:
        for job_id in list(self._unsent):
            bodies = self._unsent[job_id]
            while bodies:
                try:
                    store.add_message(job_id, bodies[0])
                except (JobNotFoundError, RuntimeInvalidStateError):
                    bodies.clear()
                    break
                del bodies[0]
            del self._unsent[job_id]

    def _say(self, foreign: Foreign, sighting: Sighting | None) -> None:
        if sighting is None:
            return
        earlier = self._unsaid.get(foreign.job_id)
        self._unsaid[foreign.job_id] = sighting if earlier is None else merged(earlier, sighting)

    def _drop(self, foreign: Foreign) -> None:
        foreign.is_ended = True
        with self._lock:
            if self._foreign.get(foreign.job_id) is foreign:
                del self._foreign[foreign.job_id]
        self._ending.pop(foreign.job_id, None)
        self._unsaid.pop(foreign.job_id, None)
        self._calls.run(foreign.watched.system, lambda: _close(foreign.watched))

    def _stand_by(self, now: float) -> None:
        """See to jobs that this process could watch, and somebody else does."""
        if not self._standby or now < self._next_standby:
            return
        self._next_standby = now + _STANDBY
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

    # --- looking

    def _plan(self, foreign: Foreign, when: float) -> None:
        foreign.due = when
        heapq.heappush(self._due, (when, next(self._order), foreign))

    def push(self, foreign: Foreign) -> None:
        """Look at this job now; from any thread."""
        self._came.append(lambda: self._pushed(foreign))
        self.ring()

    def _pushed(self, foreign: Foreign) -> None:
        foreign.is_pushed = True
        if not foreign.is_busy:
            self._plan(foreign, self._clock())

    def _look(self, now: float) -> None:
        due: list[Foreign] = []
        with self._lock:
            while self._due and self._due[0][0] <= now:
                when, _, foreign = heapq.heappop(self._due)
                # What was planned anew since is further down.
                if when == foreign.due and not foreign.is_ended:
                    due.append(foreign)
            together = {_together(each) for each in due} - {None}
            if together:
                # Whoever is due soon comes along: it costs the system nothing.
                seen = set(map(id, due))
                for each in list(self._foreign.values()):
                    is_soon = each.due - now < each.pace.pause(now) / 2 and not each.is_busy
                    if is_soon and id(each) not in seen and _together(each) in together:
                        due.append(each)
        groups: dict[tuple[type[Watched], Hashable], list[Foreign]] = {}
        for foreign in due:
            if foreign.is_busy:
                self._tell_silence(foreign, now)
                continue
            foreign.is_busy, foreign.is_pushed, foreign.busy_since = True, False, now
            self._plan(foreign, now + STUCK)
            if is_over(foreign):
                self._fetch(foreign)
            elif (key := _together(foreign)) is None:
                self._calls.run(foreign.watched.system, lambda foreign=foreign: self._read(foreign))  # type: ignore[misc]
            else:
                groups.setdefault(key, []).append(foreign)
        for (kind, _), several in groups.items():
            self._calls.run(
                several[0].watched.system,
                lambda kind=kind, several=several: self._read_many(kind, several),  # type: ignore[misc]
            )

    def _tell_silence(self, foreign: Foreign, now: float) -> None:
        waited = now - foreign.busy_since
        foreign.trouble = f"does not answer for {waited:.0f} s; still waiting"
        self._plan(foreign, now + max(STUCK, waited))
        self._say(foreign, foreign.news())

    # --- in the pool

    def _read(self, foreign: Foreign) -> None:
        try:
            self._attach(foreign)
            reading: Any = foreign.watched.read()
        except BaseException as error:  # noqa: BLE001 - whatever another system's code raises is its trouble
            reading = error
        self._bring(foreign, reading)

    def _read_many(self, kind: type[Watched], several: list[Foreign]) -> None:
        try:
            for foreign in several:
                self._attach(foreign)
            readings: Any = kind.read_many([foreign.watched for foreign in several])
        except BaseException as error:  # noqa: BLE001 - as above
            readings = dict.fromkeys((foreign.watched for foreign in several), error)
        for foreign in several:
            try:
                reading = readings.get(foreign.watched)
            except Exception as error:  # noqa: BLE001 - an adapter that returns no mapping
                reading = error
            self._bring(foreign, ConnectionError("it was not among those told of") if reading is None else reading)

    def _attach(self, foreign: Foreign) -> None:
        if not foreign.is_attached:
            foreign.is_attached = True
            foreign.watched.on_change(foreign.waker(self.push))

    def _bring(self, foreign: Foreign, reading: Any) -> None:
        left: Outcome | None = None
        if isinstance(reading, Reading):
            reading = replace(reading, status=status_of(reading.status))
            if reading.status == JobStatus.ERROR and isinstance(reading.exception, BaseException):
                left = outcome_of_exception(reading.exception)
        elif not isinstance(reading, BaseException):
            reading = TypeError(f"its adapter's read() gave {type(reading).__name__} where a Reading is wanted")
        self._came.append(lambda: self._take_in(foreign, reading, left))
        self.ring()

    def _fetch(self, foreign: Foreign) -> None:
        def call() -> None:
            value: Any = None
            error: BaseException | None = None
            left: Outcome | None = None
            try:
                value = foreign.watched.result()
                left = kept_outcome(value)
            except BaseException as raised:  # noqa: BLE001 - as above
                error = raised
                left = outcome_of_exception(raised)
            self._came.append(lambda: self._take_result(foreign, value, error, left))
            self.ring()

        self._calls.run(foreign.watched.system, call)

    def _cancel(self, foreign: Foreign) -> None:
        if foreign.is_asked:
            return
        if foreign.reading is not None and not foreign.reading.can_cancel:
            foreign.told.cancel = (None, None)
            foreign.cancel = ("unsupported", foreign.reading.cancel_note or CANNOT_STOP)
            self._say(foreign, foreign.news())
            return
        foreign.is_asked = True
        foreign.told.cancel = foreign.cancel = ("requested", None)

        def call() -> None:
            try:
                answer: Any = foreign.watched.cancel()
            except BaseException as raised:  # noqa: BLE001 - as above
                answer = raised
            self._came.append(lambda: self._take_answer(foreign, answer))
            self.ring()

        self._calls.run(foreign.watched.system, call)

    # --- what came from the pool

    def _take_in(self, foreign: Foreign, reading: Reading | BaseException, left: Outcome | None) -> None:
        foreign.is_busy = False
        if foreign.is_ended:
            return
        now = self._clock()
        if isinstance(reading, NotReachable):
            self._give_back(foreign, str(reading))
            return
        if isinstance(foreign.watched, Reattached) and foreign.watched.job is not None:
            # From now on it is one of its kind, read together with the others.
            foreign.watched = foreign.watched.job
            foreign.pace = Pace(foreign.watched.pace, now)
        if isinstance(reading, BaseException):
            foreign.pace.failed()
            foreign.trouble = f"cannot be reached ({words_of(reading)}); trying again"
        else:
            foreign.pace.succeeded(now, is_change=foreign.take_in(reading))
            self._take_words(foreign, reading)
            if is_final(reading.status) and reading.status != JobStatus.DONE:
                self._end(foreign, reading, left)
                return
        self._say(foreign, foreign.news())
        if is_over(foreign) and foreign.trouble is None:
            self._plan(foreign, now)
        else:
            self._plan(foreign, now if foreign.is_pushed else now + foreign.pace.pause(now))

    def _take_words(self, foreign: Foreign, reading: Reading) -> None:
        for message in reading.messages:
            self._unsent.setdefault(foreign.job_id, []).append(_body(message))
        if reading.output:
            try:
                with open(self._get_store().log_path(foreign.job_id), "ab") as log:
                    log.write(reading.output)
            except (OSError, JobdeckError) as error:
                _log.warning("what job %s wrote cannot be kept: %s", foreign.job_id, error)

    def _end(self, foreign: Foreign, reading: Reading, left: Outcome | None) -> None:
        foreign.exception = reading.exception
        if reading.status == JobStatus.CANCELLED:
            self._close(foreign, Verdict(JobStatus.CANCELLED), left)
            return
        words = reading.error or (left.exception_text if left else None) or "failed; its system does not say why"
        self._close(foreign, Verdict(JobStatus.ERROR, "exception", words), left)

    def _take_result(self, foreign: Foreign, value: Any, error: BaseException | None, left: Outcome | None) -> None:
        foreign.is_busy = False
        if foreign.is_ended:
            return
        if error is None:
            foreign.keep(value)
            self._close(foreign, Verdict(JobStatus.DONE), left)
        elif isinstance(error, JobCancelledError):
            self._close(foreign, Verdict(JobStatus.CANCELLED), left)
        elif isinstance(error, RuntimeJobFailureError):
            foreign.exception = error.__cause__ or error
            self._close(foreign, Verdict(JobStatus.ERROR, "exception", str(error.args[0])), left)
        else:
            self._have_no_result(foreign, error, left)

    def _have_no_result(self, foreign: Foreign, error: BaseException, left: Outcome | None) -> None:
        foreign.failures_of_result += 0 if isinstance(error, OSError) else 1
        words = words_of(error)
        if foreign.failures_of_result >= _MOST_TRIES:
            foreign.exception = error
            told = f"it ended well, but its result cannot be had: {words}"
            self._close(foreign, Verdict(JobStatus.ERROR, "exception", told), left)
            return
        now = self._clock()
        foreign.pace.failed()
        foreign.trouble = f"has ended, but its result cannot be had ({words}); trying again"
        self._say(foreign, foreign.news())
        self._plan(foreign, now + foreign.pace.pause(now))

    def _close(self, foreign: Foreign, verdict: Verdict, left: Outcome | None) -> None:
        foreign.trouble = None
        if left is not None and left.ok and left.body is None and left.exception_text:
            assert foreign.reading is not None
            facts = {**foreign.reading.facts, "result": left.exception_text}
            foreign.reading = replace(foreign.reading, facts=facts)
        self._say(foreign, foreign.news())
        times = {} if foreign.reading is None else dict(foreign.reading.times)
        self._say(foreign, Sighting(verdict=verdict, outcome=left, times=times))
        self._ending[foreign.job_id] = foreign

    def _take_answer(self, foreign: Foreign, answer: object) -> None:
        foreign.is_asked = False
        if foreign.is_ended or foreign.job_id in self._ending:
            return
        if isinstance(answer, NotImplementedError):
            foreign.cancel = ("unsupported", CANNOT_STOP)
        elif isinstance(answer, BaseException):
            foreign.cancel = ("refused", f"it could not be asked to stop: {words_of(answer)}")
        elif answer is False:
            foreign.cancel = ("refused", "it does not let itself be stopped now")
        else:
            foreign.cancel = ("stopping", "it was asked to stop")
        if foreign.reading is not None and not foreign.reading.can_cancel and foreign.cancel[0] != "stopping":
            foreign.cancel = ("unsupported", foreign.reading.cancel_note or CANNOT_STOP)
        self._say(foreign, foreign.news())
        self._pushed(foreign)

    def _give_back(self, foreign: Foreign, words: str) -> None:
        self._unreachable[foreign.job_id] = self._clock() + _AGAIN
        self._get_store().release_watched(self.agent, {foreign.job_id: {"trouble": words}})
        self._drop(foreign)


def _together(foreign: Foreign) -> tuple[type[Watched], Hashable] | None:
    """Return what jobs have in common that are read together; None for one that is read alone."""
    key = foreign.watched.bulk_key
    return None if key is None else (type(foreign.watched), key)


def is_over(foreign: Foreign) -> bool:
    """Tell whether only the result is missing."""
    return foreign.reading is not None and foreign.reading.status == JobStatus.DONE


def kept_outcome(value: Any) -> Outcome:
    """Return what the store keeps of a result: a preview, and why, where it cannot keep the value itself."""
    left = outcome_of_value(value)
    if left.ok:
        return left
    words = f"only its preview is kept: a {type(value).__name__} cannot be pickled"
    return replace(left, ok=True, exception_type=None, exception_text=words)


def merged(earlier: Sighting, later: Sighting) -> Sighting:
    """Return two sightings of one job as one."""
    told: Mapping[str, Any] = {
        name: getattr(later, name) if getattr(later, name) is not None else getattr(earlier, name)
        for name in ("status", "facts", "source", "progress", "cancel", "verdict", "outcome")
    }
    return Sighting(**told, times={**earlier.times, **later.times})


def _body(message: Any) -> str:
    try:
        return encode(message, RuntimeEncoder)
    except EncodingError:
        return encode(preview(message), RuntimeEncoder)


def _close(watched: Watched) -> None:
    try:
        watched.close()
    except Exception:  # noqa: BLE001 - the adapter's own affair; the job is over
        _log.warning("what watched a %s job could not be closed", watched.system, exc_info=True)
