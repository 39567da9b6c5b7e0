"""Calls as jobs of their own: each has its process, its place in the queue and its row, and outlives the kernel."""

from __future__ import annotations

import atexit
import logging
import os
import threading
import time
from collections import Counter
from collections.abc import Callable, Collection, Iterable
from concurrent.futures import BrokenExecutor
from queue import Empty, SimpleQueue
from typing import Any, Final

from .._errors import EngineError, JobCancelledError, JobError, JobNotFoundError, RuntimeJobFailureError, StoreError
from .._follow import Subscription, Update
from .._job import Job, whole
from .._program import Packer, exception_of, value_of
from .._records import JobQuery, JobRecord, NewJob
from .._service import JobService
from .._status import JobStatus, is_final
from .call_group import CallGroup
from .task import Arrivals, Call, TaskFuture

_log = logging.getLogger(__name__)

_AT_ONCE: Final = 500
_BURST: Final = 10
"""Calls that come within a lull where there is none."""
_LULL: Final = 0.001
_LONGEST_BURST: Final = 500
_PATIENCE: Final = 30.0
_PAUSE: Final = 0.5

Event = tuple[str, Any]


class InitializerFailedError(Exception):
    """What a job raises whose initializer raised: no call of this executor can succeed."""


class Initialized:
    """A call of which the initializer is a part: its process is a new one.

    Parameters
    ----------
    function
        What is called.
    initializer, initargs
        What is called before.
    """

    def __init__(self, function: Callable[..., Any], initializer: Callable[..., object], initargs: tuple[Any, ...]):
        self._function = function
        self._initializer = initializer
        self._initargs = initargs
        self.__name__ = getattr(function, "__name__", type(function).__name__)
        self.__wrapped__ = function

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        try:
            self._initializer(*self._initargs)
        except Exception as error:
            raise InitializerFailedError(f"{type(error).__name__}: {error}") from error
        return self._function(*args, **kwargs)


class Once:
    """An initializer of a process that several calls share: it is called before the first of them."""

    def __init__(self, initializer: Callable[..., object]) -> None:
        self._initializer = initializer
        self._lock = threading.Lock()
        self._is_done = False

    def __call__(self, *args: Any) -> None:
        with self._lock:
            if not self._is_done:
                self._initializer(*args)
                self._is_done = True


class IsolatedPool:
    """Runs each call as a job.

    Parameters
    ----------
    service
        Of the home.
    engine
        Name of the engine.
    """

    def __init__(self, service: JobService, engine: str) -> None:
        self._service = service
        self._engine = engine
        self._by_reference = service.engines.named(engine).shares_memory
        self._events: SimpleQueue[Event] = SimpleQueue()
        self._arrivals = Arrivals()
        self._lock = threading.Lock()
        self._futures: dict[str, TaskFuture[Any]] = {}
        self._unsent = 0
        self._groups: Counter[CallGroup] = Counter()
        """How many futures of each group have not ended, of those groups too that may get more."""
        self._group_ids: frozenset[str] = frozenset()
        self._pid = os.getpid()
        self._is_closed = False
        self._broken: str | None = None
        self._subscription: Subscription | None = None
        self._thread: threading.Thread | None = None
        self._idle = threading.Condition(self._lock)

    # --- from any thread

    def submit(self, call: Call) -> TaskFuture[Any]:
        future: TaskFuture[Any] = TaskFuture(self, call)
        with self._lock:
            if self._broken is not None:
                raise BrokenExecutor(self._broken)
            self._unsent += 1
            call.group.expect()
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="jobdeck-executor", daemon=True)
                self._thread.start()
                atexit.register(self._finish)
        self._events.put(("call", future))
        return future

    def job_of(self, future: TaskFuture[Any]) -> Job[Any]:
        self._arrivals.wait_for(lambda: future._job_id is not None or future.done(), _PATIENCE)
        return self._service.job(future.job_id)

    def cancel(self, future: TaskFuture[Any]) -> bool:
        with self._lock:
            job_id = future._job_id
            if job_id is None:
                return future.drop()
        if not self._service.store.drop_jobs([job_id]):
            return False
        self._service.look()
        return future.drop()

    def close_group(self, group: CallGroup) -> None:
        self._events.put(("close", group))

    def close(self, *, cancel_futures: bool) -> None:
        # By the queue alone, which a garbage collection may use within any other call.
        self._events.put(("leave", cancel_futures))

    def join(self) -> None:
        with self._idle:
            self._idle.wait_for(lambda: not (self._futures or self._unsent))

    def _finish(self) -> None:
        """At the end of the process: let the calls that are on their way come into the deck, where they go on."""
        if os.getpid() == self._pid:
            with self._idle:
                self._idle.wait_for(lambda: not self._unsent, _PATIENCE)

    # --- the thread

    def _run(self) -> None:
        told = ""
        while True:
            try:
                if self._turn():
                    return
                told = ""
            except StoreError as error:
                # Once: a disk may be full all night, and this goes into the notebook.
                if str(error) != told:
                    told = str(error)
                    _log.warning("the jobs of an executor cannot be looked after (%s); trying again", error)
                threading.Event().wait(_PAUSE)
                self._events.put(("reread", None))

    def _turn(self) -> bool:
        """Take in what has come; True where there is nothing more to come."""
        calls: list[TaskFuture[Any]] = []
        news: dict[str, JobRecord] = {}
        gone: set[str] = set()
        is_dropping = False
        for kind, what in self._take():
            match kind:
                case "call":
                    calls.append(what)
                case "news":
                    news.update((record.job_id, record) for record in what)
                case "gone":
                    gone.update(what)
                case "close":
                    what.close()
                case "leave":
                    self._is_closed = True
                    is_dropping = is_dropping or what
                case "reread":
                    news.update(self._read(self._futures))
        if is_dropping:
            for future in calls:
                future.drop()
        try:
            self._send(calls)
            self._take_in(news, gone)
            if is_dropping:
                self._drop_all()
        except StoreError:
            for future in calls:
                if future._job_id is None:
                    self._events.put(("call", future))
            self._events.put(("news", list(news.values())))
            if is_dropping:
                self._events.put(("leave", True))
            raise
        for group in [group for group, left in self._groups.items() if group.settle() and not left]:
            del self._groups[group]
            self._group_ids -= {group.group_id}
        with self._idle:
            # Those that wait in the queue are counted, too.
            if self._unsent:
                return False
            self._idle.notify_all()
            if self._futures or not self._is_closed:
                return False
            self._thread = None
        atexit.unregister(self._finish)
        if self._subscription is not None:
            self._subscription.close()
            self._subscription = None
        return True

    def _take(self) -> Iterable[Event]:
        """Wait for an event, and take those that came with it."""
        event = self._events.get()
        self._let_come()
        for _ in range(_AT_ONCE):
            yield event
            try:
                event = self._events.get_nowait()
            except Empty:
                return
        yield event

    def _let_come(self) -> None:
        """Let a burst of calls come: packing the first ones beside it would slow down whoever submits."""
        for _ in range(_LONGEST_BURST):
            there = self._events.qsize()
            if not there:
                return
            time.sleep(_LULL)
            if self._events.qsize() - there < _BURST:
                return

    # --- calls

    def _send(self, futures: list[TaskFuture[Any]]) -> None:
        if not futures:
            return
        wanted = [future for future in futures if not future.done()]
        new: list[NewJob] = []
        sent: list[TaskFuture[Any]] = []
        packers: dict[int, Packer] = {}
        for future in wanted:
            call = future._call
            try:
                packer = packers.get(id(call.function)) or packers.setdefault(
                    id(call.function), Packer(call.function, by_reference=self._by_reference)
                )
                packed = packer.pack(None, args=call.args, kwargs=call.kwargs)
            except Exception as error:  # noqa: BLE001 - whatever it is, it is this call's, and its future has it
                future.settle(error=error)
                continue
            sent.append(future)
            new.append(
                NewJob(
                    name=call.name,
                    engine=self._engine,
                    program=packed.program,
                    inputs=packed.inputs,
                    context=packed.context,
                    tags=call.group.tags,
                    inputs_preview=packed.inputs_preview,
                    group_id=call.group.group_id,
                    held=packed.held,
                )
            )
        if new:
            self._group_ids |= {each.group_id for each in new if each.group_id is not None}
            if self._subscription is None:
                self._subscription = self._service.follower.subscribe(self._hear, job_ids=None)
            # A future that is cancelled by now is so in the store as well, a moment later.
            records = self._add(new)
            with self._lock:
                for future, record in zip(sent, records, strict=True):
                    future._job_id = record.job_id
                    self._futures[record.job_id] = future
        with self._lock:
            self._unsent -= len(futures)
        came = Counter(future._call.group for future in sent)
        self._groups.update(came)
        for group, calls in Counter(future._call.group for future in futures).items():
            group.take(calls, came[group])
        self._arrivals.tell()
        late = [future._job_id for future in sent if future.cancelled() and future._job_id is not None]
        if late:
            self._service.store.ask_many(late, "cancel", "executor")
        self._service.look()

    def _drop_all(self) -> None:
        """Cancel all that have not begun, those first that would begin last."""
        job_ids = list(self._futures)[::-1]
        for begin in range(0, len(job_ids), _AT_ONCE):
            for job_id in self._service.store.drop_jobs(job_ids[begin : begin + _AT_ONCE]):
                self._futures[job_id].drop()
        self._service.look()

    def _add(self, new: list[NewJob]) -> list[JobRecord]:
        if self._by_reference:
            return self._service.add_jobs(new)
        records = self._service.store.add_jobs(new)
        try:
            self._service.engines.named(self._engine).ensure_agent()
        except EngineError as error:
            # The jobs are queued, and their futures have to know them; the follower tries again every second.
            _log.warning("the jobs of an executor are queued, but nothing runs them yet: %s", error)
        return records

    # --- news

    def _hear(self, update: Update) -> None:
        own = [record for record in update.jobs if record.group_id in self._group_ids]
        if own:
            self._events.put(("news", own))
        if update.deleted:
            self._events.put(("gone", update.deleted))

    def _read(self, known: Collection[str]) -> dict[str, JobRecord]:
        return {
            record.job_id: record
            for group_id in self._group_ids
            for record in self._service.store.jobs(JobQuery(group_id=group_id))
            if record.job_id in known
        }

    def _take_in(self, news: dict[str, JobRecord], gone: set[str]) -> None:
        ended = []
        for job_id, record in news.items():
            future = self._futures.get(job_id)
            if future is None:
                continue
            if is_final(record.status):
                ended.append(record)
            elif record.status == JobStatus.RUNNING:
                future._began = True
        outcomes, errors = whole(self._service, self._service.store.outcomes([record.job_id for record in ended]))
        for record in ended:
            future = self._futures[record.job_id]
            if record.status == JobStatus.CANCELLED:
                future.drop()
            elif record.job_id in errors:
                future.settle(error=errors[record.job_id])
            elif record.status == JobStatus.DONE:
                self._settle_well(future, outcomes.get(record.job_id))
            else:
                self._settle_failed(future, record, outcomes.get(record.job_id))
            self._forget(record.job_id)
        for job_id in gone & self._futures.keys():
            self._futures[job_id].settle(error=JobNotFoundError(f"job {job_id} was deleted while it was waited for"))
            self._forget(job_id)

    def _settle_well(self, future: TaskFuture[Any], outcome: Any) -> None:
        try:
            value = None if outcome is None else value_of(outcome)
        except Exception as error:  # noqa: BLE001 - opening a pickle runs the value's own code
            future.settle(error=JobError(f"the result of job {future._job_id} cannot be opened here: {error!r}"))
        else:
            future.settle(value)

    def _settle_failed(self, future: TaskFuture[Any], record: JobRecord, outcome: Any) -> None:
        told = RuntimeJobFailureError(f"job {record.name!r} ({record.job_id}) failed: {record.error}", record.traceback)
        error = None if outcome is None else exception_of(outcome)
        if isinstance(error, InitializerFailedError):
            self._break(f"the initializer of this executor failed: {error}")
            error = BrokenExecutor(self._broken)
        if isinstance(error, JobCancelledError) or error is None:
            future.settle(error=told)
            return
        error.__cause__ = told
        future.settle(error=error)

    def _break(self, words: str) -> None:
        with self._lock:
            if self._broken is not None:
                return
            self._broken = words
        self._drop_all()

    def _forget(self, job_id: str) -> None:
        with self._lock:
            future = self._futures.pop(job_id, None)
        if future is not None:
            self._groups[future._call.group] -= 1
