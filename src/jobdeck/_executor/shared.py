"""Calls that share the processes of a pool, mirrored into the deck in batches.

They are run by a ``ProcessPoolExecutor``; what is in the deck follows some tenths of a second behind, so that ten
thousand small calls take about as long as without a deck.
"""

from __future__ import annotations

import atexit
import contextlib
import logging
import multiprocessing
import os
import threading
import time
from collections import Counter, deque
from collections.abc import Callable, Iterator
from concurrent.futures import BrokenExecutor, Future, ProcessPoolExecutor
from contextvars import Context
from dataclasses import dataclass
from functools import partial
from typing import Any, Final

from .._errors import JobError, JobNotFoundError, RuntimeJobFailureError, StoreError
from .._job import Job
from .._program import exception_of, outcome_of_exception, outcome_of_value
from .._program.pickling import dumps, dumps_named, loads
from .._program.preview import preview
from .._program.reach import Part
from .._records import Command, NewJob, Outcome, Sighting
from .._service import JobService
from .._status import JobStatus, Verdict
from ..engines.lock import WatchLock
from ..engines.marks import agent_id, process_lock
from . import worker
from .call_group import CallGroup
from .task import Arrivals, Call, TaskFuture

_log = logging.getLogger(__name__)

SYSTEM: Final = "pool"
_EVERY: Final = 0.1
_AT_ONCE: Final = 500
_BURST: Final = 10
"""Calls that come within a lull where there is none."""
_LULL: Final = 0.01
_LONGEST_BURST: Final = 100
_PATIENCE: Final = 30.0
_RUNS: Final = "cannot be stopped once it runs: it shares its process with others"


@dataclass
class _Task:
    """A call, and what is to be written down of it."""

    future: TaskFuture[Any]
    inner: Future[worker.Answer]
    submitted: float
    started: float | None = None
    ended: float | None = None
    left: Outcome | None = None
    """How it failed, as its process told it."""
    output: bytes = b""
    is_stopped: bool = False
    """Its process is about to be ended."""
    is_told: bool = False
    """The deck has been told that it runs."""


class SharedPool:
    """Runs calls in a pool of processes.

    Parameters
    ----------
    service
        Of the home.
    max_workers
        Processes; None means as many as there are cores.
    begin
        What each process calls when it begins, with its arguments.
    is_one
        Whether the calls stand and fall together, so that a request to stop one that runs stops them all.
    """

    def __init__(
        self,
        service: JobService,
        max_workers: int | None,
        begin: tuple[Callable[..., object], tuple[Any, ...]] | None = None,
        *,
        is_one: bool = False,
    ) -> None:
        self._service = service
        self._max_workers = max_workers
        self._begin = begin
        self._is_one = is_one
        self._processes = self._new_processes()
        self._stopping = threading.Lock()
        self._arrivals = Arrivals()
        self._lock = threading.Lock()
        self._new: deque[_Task] = deque()
        self._tasks: dict[str, _Task] = {}
        self._closing: deque[CallGroup] = deque()
        self._last: tuple[Callable[..., Any] | None, bytes] = (None, b"")
        self._agent = agent_id("watch")
        self._own_lock = WatchLock(service.home, process_lock(self._agent))
        self._wake = threading.Event()
        self._is_left = False
        self._is_closed = False
        self._is_dropping = False
        self._thread: threading.Thread | None = None
        self._pid = os.getpid()

    def _new_processes(self) -> ProcessPoolExecutor:
        # Not by fork: a kernel has threads, which do not come along, and locks, which do.
        context = multiprocessing.get_context("spawn")
        return ProcessPoolExecutor(self._max_workers, context, worker.begin, (self._begin and dumps(self._begin),))

    # --- from any thread

    def submit(self, call: Call) -> TaskFuture[Any]:
        future: TaskFuture[Any] = TaskFuture(self, call)
        try:
            if self._last[0] is not call.function:
                sent = (self._begin and self._begin[0], call.function)
                self._last = (call.function, dumps_named(sent, (Part(f"function {call.name!r}", call.function),)))
            packed = self._last[1], dumps_named((call.args, call.kwargs), _arguments_of(call))
        except Exception as error:  # noqa: BLE001 - pickling runs anybody's code; the future tells, as it does elsewhere
            future.settle(error=error)
            return future
        with self._lock:
            # Within the lock, so that who stops the processes knows of all that they were given.
            # In a context of its own: a block that watches what its code has others run sees the call, not its way.
            inner = Context().run(partial(self._processes.submit, worker.call, *packed))
            task = _Task(future, inner, time.time())
            call.group.expect()
            self._new.append(task)
            if self._thread is None:
                self._thread = threading.Thread(target=self._mirror, name="jobdeck-shared", daemon=True)
                self._thread.start()
                atexit.register(self._finish)
        inner.add_done_callback(lambda done: self._settle(task, done))
        return future

    def job_of(self, future: TaskFuture[Any]) -> Job[Any]:
        self._wake.set()
        # It may have ended long before it is in the deck.
        self._arrivals.wait_for(lambda: future._job_id is not None or self._task_of(future) is None, _PATIENCE)
        return self._service.job(future.job_id)

    def cancel(self, future: TaskFuture[Any]) -> bool:
        task = self._task_of(future)
        return task is not None and task.inner.cancel()

    def stop(self) -> None:
        """End the processes with whatever they run, and cancel all calls; the next call begins new processes."""
        # A request in the deck and an exception in the caller may come at the same time.
        with self._stopping:
            with self._lock:
                stopped = [task for task in (*self._new, *self._tasks.values()) if not task.inner.done()]
                if not stopped:
                    return
                old, self._processes = self._processes, self._new_processes()
                for task in stopped:
                    task.is_stopped = True
            _kill(old)
        self._wake.set()

    def close_group(self, group: CallGroup) -> None:
        self._closing.append(group)

    def close(self, *, cancel_futures: bool) -> None:
        # A garbage collection may come here within any other call, so that no lock is taken: the thread does the rest.
        self._is_left = True
        if cancel_futures:
            self._is_dropping = True
            self._processes.shutdown(wait=False, cancel_futures=True)

    def join(self) -> None:
        self._processes.shutdown(wait=True, cancel_futures=self._is_dropping)
        self._is_left = True
        self._wake.set()
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
        if isinstance(error, BrokenExecutor) and task.is_stopped:
            task.future.drop()
        elif error is not None:
            task.future.settle(error=error)
        else:
            self._take_answer(task, done.result())

    def _take_answer(self, task: _Task, answer: worker.Answer) -> None:
        future, name = task.future, task.future._call.name
        task.started, task.ended, task.output, task.left = answer.started, answer.ended, answer.output, answer.failure
        if answer.failure is not None:
            told = RuntimeJobFailureError(
                f"call {name!r} failed: {answer.failure.exception_text}", answer.failure.traceback
            )
            error = exception_of(answer.failure)
            if error is not None:
                error.__cause__ = told
            future.settle(error=error or told)
            return
        try:
            value = loads(answer.value or b"")
        except Exception as problem:  # noqa: BLE001 - opening a pickle runs the value's own code
            future.settle(error=JobError(f"the result of {name!r} cannot be opened: {problem!r}"))
        else:
            future.settle(value)

    # --- the deck

    def _mirror(self) -> None:
        """Write down what has come, some times a second, until all has ended and nothing more can come."""
        is_held = False
        while True:
            self._wake.wait(_EVERY)
            self._wake.clear()
            self._let_come()
            if self._is_left and not self._is_closed:
                self._is_closed = True
                # What Python's pool is told last counts, and it may not have come to what it was told before.
                self._processes.shutdown(wait=False, cancel_futures=self._is_dropping)
            try:
                if not is_held:
                    self._service.store  # noqa: B018 - it makes the home
                    is_held = self._own_lock.take(self._agent)
                self._write()
                self._close_groups()
            except StoreError:
                continue
            with self._lock:
                if not (self._is_closed and not self._new and not self._tasks and not self._closing):
                    continue
                self._thread = None
            self._own_lock.release()
            atexit.unregister(self._finish)
            return

    def _let_come(self) -> None:
        """Let a burst of calls come: writing the first ones down beside it would slow down whoever submits."""
        for _ in range(_LONGEST_BURST):
            there = len(self._new)
            if there < _AT_ONCE:
                return
            time.sleep(_LULL)
            if len(self._new) - there < _BURST:
                return

    def _close_groups(self) -> None:
        while self._closing:
            self._closing[0].close()
            if not self._closing[0].settle():
                return
            self._closing.popleft()

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
            for group, calls in Counter(task.future._call.group for task in some).items():
                group.take(calls, calls)
            self._arrivals.tell()
        with self._lock:
            tasks = dict(self._tasks)
        seen = {job_id: told for job_id, task in tasks.items() if (told := self._sighting(task)) is not None}
        ids = list(seen)
        for begin in range(0, max(len(ids), 1), _AT_ONCE):
            part = {job_id: seen[job_id] for job_id in ids[begin : begin + _AT_ONCE]}
            for job_id in part:
                self._keep_output(job_id, tasks[job_id])
            self._obey(store.watch_turn(self._agent, part, with_jobs=False).commands, tasks)
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
            tags=call.group.tags,
            inputs_preview={**previews, **{name: preview(value) for name, value in call.kwargs.items()}},
            group_id=call.group.group_id,
            source={"system": SYSTEM, "id": ""},
            agent=self._agent,
        )

    def _sighting(self, task: _Task) -> Sighting | None:
        """Return what there is to tell of a call, None where nothing is new."""
        future = task.future
        if task.ended is None or not future.done():
            if task.is_told or not task.inner.running():
                return None
            future._began = True
            return Sighting(status=JobStatus.RUNNING, cancel=None if self._is_one else ("unsupported", _RUNS))
        times = {"started": task.started or task.submitted, "ended": task.ended}
        if future.cancelled():
            return Sighting(verdict=Verdict(JobStatus.CANCELLED), times=times)
        error = future.exception()
        if error is None:
            return Sighting(verdict=Verdict(JobStatus.DONE), outcome=outcome_of_value(future.result()), times=times)
        left = task.left or outcome_of_exception(error)
        return Sighting(verdict=Verdict(JobStatus.ERROR, "exception", left.exception_text), outcome=left, times=times)

    def _keep_output(self, job_id: str, task: _Task) -> None:
        """Write what a call printed before its end is told: with the end of a job come its last words."""
        output, task.output = task.output, b""
        if not output:
            return
        try:
            with open(self._service.store.log_path(job_id), "ab") as log:
                log.write(output)
        except (OSError, JobNotFoundError) as error:
            _log.warning("what job %s wrote cannot be kept: %s", job_id, error)

    def _obey(self, commands: tuple[Command, ...], tasks: dict[str, _Task]) -> None:
        asked = [tasks[command.job_id] for command in commands if command.job_id in tasks]
        running = [task for task in asked if not task.inner.cancel() and not task.inner.done()]
        if self._is_one and running:
            self.stop()
        for task in running:
            # Whoever asked is told once more that it cannot be.
            task.is_told = False
        if asked:
            self._wake.set()

    def _finish(self) -> None:
        """At the end of the process: write down what has ended, and let others know that the rest is nobody's.

        Python itself has waited for the calls by now, as it does for those of any pool of processes.
        """
        if os.getpid() != self._pid:
            return
        self._is_left = True
        self._wake.set()
        with contextlib.suppress(StoreError):
            if self._thread is not None:
                self._thread.join(2.0)
            self._service.store.abandon_watched(self._agent)


def _arguments_of(call: Call) -> Iterator[Part]:
    """Name what a call is given, for the error where one of it cannot be pickled."""
    yield from (Part(f"argument {place + 1} of {call.name!r}", value) for place, value in enumerate(call.args))
    yield from (Part(f"argument {name!r} of {call.name!r}", value) for name, value in call.kwargs.items())


def _kill(processes: ProcessPoolExecutor) -> None:
    """Cancel what has not begun, and kill what runs it."""
    # There is no public way to the processes before Python 3.14, and none at all once the pool is shut down.
    there = dict(processes._processes or {})
    manager: threading.Thread | None = processes._executor_manager_thread  # type: ignore[assignment]  # typeshed errs
    # Of a pool that is killed while it still has cancelled calls in its books, Python 3.11 loses the others. It has
    # cleared its books once a last call is cancelled, or taken.
    with contextlib.suppress(RuntimeError):  # it is broken already
        last = processes.submit(os.getpid)
        processes.shutdown(wait=False, cancel_futures=True)
        while not (last.running() or last.done()):
            time.sleep(_EVERY / 100)
    for process in there.values():
        process.kill()
    if manager is not None:
        manager.join()
