"""Calls that share the processes of a pool, mirrored into the deck in batches.

They are run by a ``ProcessPoolExecutor``; what is in the deck follows some tenths of a second behind, so that ten
thousand small calls take about as long as without a deck.
"""

from __future__ import annotations

import atexit
import contextlib
import multiprocessing
import threading
import time
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future, ProcessPoolExecutor
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final

from .._errors import JobError, StoreError
from .._job import Job
from .._program import outcome_of_exception, outcome_of_value
from .._program.pickling import dumps, loads
from .._program.preview import preview
from .._records import NewJob, Sighting
from .._service import JobService
from .._status import JobStatus, Verdict
from ..engines.lock import WatchLock
from ..engines.marks import agent_id, process_lock
from .task import Arrivals, Call, TaskFuture

SYSTEM: Final = "pool"
_EVERY: Final = 0.1
_AT_ONCE: Final = 500
_PATIENCE: Final = 30.0
_RUNS: Final = "cannot be stopped once it runs: it shares its process with others"


@dataclass
class _Task:
    """A call, and what is to be written down of it."""

    future: TaskFuture[Any]
    inner: Future[Any]
    submitted: float
    ended: float | None = None
    is_told: bool = False
    """The deck has been told that it runs."""


class SharedPool:
    """Runs calls in a pool of processes.

    Parameters
    ----------
    service
        Of the home.
    group
        Gives the id of the group that the calls belong to, made with the first of them.
    tags
        Of the calls.
    max_workers
        Processes; None means as many as there are cores.
    begin
        What each process calls when it begins, with its arguments.
    """

    def __init__(
        self,
        service: JobService,
        group: Callable[[], str],
        tags: tuple[str, ...],
        max_workers: int | None,
        begin: tuple[Callable[..., object], tuple[Any, ...]] | None,
    ) -> None:
        self._service = service
        self._group = group
        self._tags = tags
        # Not by fork: a kernel has threads, which do not come along, and locks, which do.
        context = multiprocessing.get_context("spawn")
        self._processes = ProcessPoolExecutor(max_workers, context, _begin, (begin and dumps(begin),))
        self._arrivals = Arrivals()
        self._lock = threading.Lock()
        self._new: deque[_Task] = deque()
        self._tasks: dict[str, _Task] = {}
        self._last: tuple[Callable[..., Any] | None, bytes] = (None, b"")
        self._agent = agent_id("watch")
        self._own_lock = WatchLock(service.home, process_lock(self._agent))
        self._wake = threading.Event()
        self._is_closed = False
        self._thread: threading.Thread | None = None

    # --- from any thread

    def submit(self, call: Call) -> TaskFuture[Any]:
        future: TaskFuture[Any] = TaskFuture(self, call)
        try:
            if self._last[0] is not call.function:
                self._last = (call.function, dumps(call.function))
            packed = self._last[1], dumps((call.args, call.kwargs))
        except Exception as error:  # noqa: BLE001 - pickling runs anybody's code; the future tells, as it does elsewhere
            future.settle(error=error)
            return future
        inner = self._processes.submit(_call, *packed)
        task = _Task(future, inner, time.time())
        with self._lock:
            self._new.append(task)
            if self._thread is None:
                self._thread = threading.Thread(target=self._mirror, name="jobdeck-shared", daemon=True)
                self._thread.start()
                atexit.register(self._finish)
        inner.add_done_callback(lambda done: self._settle(task, done))
        return future

    def job_of(self, future: TaskFuture[Any]) -> Job[Any]:
        self._wake.set()
        job_id = future._job_id
        deadline = time.monotonic() + _PATIENCE
        while job_id is None and time.monotonic() < deadline and self._thread is not None:
            # It may have ended long before it is in the deck.
            job_id = self._arrivals.wait_for(future, _EVERY) or future._job_id
            if job_id is None:
                time.sleep(_EVERY / 10)
        if job_id is None:
            raise JobError(f"the call of {future._call.name!r} has no job: it never came into the deck")
        return self._service.job(job_id)

    def cancel(self, future: TaskFuture[Any]) -> bool:
        task = self._task_of(future)
        return task is not None and task.inner.cancel()

    def close(self, *, cancel_futures: bool) -> None:
        self._processes.shutdown(wait=False, cancel_futures=cancel_futures)
        self._is_closed = True
        self._wake.set()

    def join(self) -> None:
        self._processes.shutdown(wait=True)
        thread = self._thread
        if thread is not None:
            thread.join()

    # --- what comes of the calls

    def _task_of(self, future: TaskFuture[Any]) -> _Task | None:
        with self._lock:
            if future._job_id is not None:
                return self._tasks.get(future._job_id)
            return next((task for task in self._new if task.future is future), None)

    def _settle(self, task: _Task, done: Future[Any]) -> None:
        task.ended = time.time()
        if done.cancelled():
            task.future.drop()
            return
        error = done.exception()
        if error is not None:
            task.future.settle(error=error)
            return
        try:
            value = loads(done.result())
        except Exception as problem:  # noqa: BLE001 - opening a pickle runs the value's own code
            task.future.settle(
                error=JobError(f"the result of {task.future._call.name!r} cannot be opened: {problem!r}")
            )
        else:
            task.future.settle(value)

    # --- the deck

    def _mirror(self) -> None:
        """Write down what has come, some times a second, until all has ended and nothing more can come."""
        is_held = False
        while True:
            self._wake.wait(_EVERY)
            self._wake.clear()
            try:
                if not is_held:
                    self._service.store  # noqa: B018 - it makes the home
                    is_held = self._own_lock.take(self._agent)
                self._write()
            except StoreError:
                continue
            with self._lock:
                if self._is_closed and not self._new and not self._tasks:
                    self._thread = None
                    self._own_lock.release()
                    return

    def _write(self) -> None:
        store = self._service.store
        while self._new:
            with self._lock:
                some = [self._new[place] for place in range(min(_AT_ONCE, len(self._new)))]
            records = store.add_jobs([self._row(task) for task in some])
            with self._lock:
                for task, record in zip(some, records, strict=True):
                    self._new.popleft()
                    task.future._job_id = record.job_id
                    self._tasks[record.job_id] = task
            self._arrivals.tell()
        with self._lock:
            tasks = dict(self._tasks)
        seen = {job_id: told for job_id, task in tasks.items() if (told := _sighting(task)) is not None}
        ids = list(seen)
        for begin in range(0, max(len(ids), 1), _AT_ONCE):
            part = {job_id: seen[job_id] for job_id in ids[begin : begin + _AT_ONCE]}
            for command in store.watch_turn(self._agent, part).commands:
                if command.job_id in tasks and tasks[command.job_id].inner.cancel():
                    self._wake.set()
            with self._lock:
                for job_id, told in part.items():
                    tasks[job_id].is_told = True
                    if told.verdict is not None:
                        del self._tasks[job_id]
        if seen:
            self._service.look()

    def _row(self, task: _Task) -> NewJob:
        call = task.future._call
        previews = {str(place): preview(value) for place, value in enumerate(call.args)}
        return NewJob(
            name=call.name,
            engine=SYSTEM,
            program=b"",
            inputs=b"",
            context=b"",
            tags=self._tags,
            inputs_preview={**previews, **{name: preview(value) for name, value in call.kwargs.items()}},
            group_id=self._group(),
            source={"system": SYSTEM, "id": ""},
            agent=self._agent,
        )

    def _finish(self) -> None:
        """At the end of the process: write down what has ended, and let others know that the rest is nobody's."""
        self.close(cancel_futures=True)
        with contextlib.suppress(StoreError):
            if self._thread is not None:
                self._thread.join(2.0)
            self._service.store.abandon_watched(self._agent)


def _sighting(task: _Task) -> Sighting | None:
    """Return what there is to tell of a call, None where nothing is new."""
    future = task.future
    if task.ended is None or not future.done():
        if task.is_told or not task.inner.running():
            return None
        future._began = True
        return Sighting(status=JobStatus.RUNNING, cancel=("unsupported", _RUNS))
    times = {"started": task.submitted, "ended": task.ended}
    if future.cancelled():
        return Sighting(verdict=Verdict(JobStatus.CANCELLED), times=times)
    error = future.exception()
    if error is None:
        return Sighting(verdict=Verdict(JobStatus.DONE), outcome=outcome_of_value(future.result()), times=times)
    left = outcome_of_exception(error)
    return Sighting(verdict=Verdict(JobStatus.ERROR, "exception", left.exception_text), outcome=left, times=times)


# --- in the processes


def _begin(packed: bytes | None) -> None:
    if packed is not None:
        initializer, initargs = loads(packed)
        initializer(*initargs)


def _call(function: bytes, arguments: bytes) -> bytes:
    args, kwargs = loads(arguments)
    return dumps(_opened(function)(*args, **kwargs))


@lru_cache(maxsize=8)
def _opened(function: bytes) -> Callable[..., Any]:
    opened: Callable[..., Any] = loads(function)
    return opened
