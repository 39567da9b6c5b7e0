"""joblib's ``Parallel``: a loop whose calls are made by workers, as one job with its progress.

A ``Parallel`` is nothing to wait for before it is called, and its call gives no handle. So that its next call can be
watched, it is of another class until then, which differs in nothing but that.
"""

from __future__ import annotations

import functools
import sys
import threading
import time
import weakref
from collections.abc import Callable, Generator, Iterable, Iterator, Sized
from typing import Any, Final

from .._errors import InvalidInputError, JobCancelledError
from .._status import JobStatus
from .futures import RUNS
from .ports import Fact, Reading, Watched
from .seams import Method, Noting, Seam

_UNCALLED: Final = "it was never called"
_UNWANTED: Final = "nobody asked for its results"
_lock = threading.Lock()
_calls: weakref.WeakKeyDictionary[Any, Call] = weakref.WeakKeyDictionary()
"""The next call of each that is watched, or the one that is being made."""


def adapt(obj: Any) -> Watched | None:
    """Watch the next call of a ``Parallel``, or a call."""
    if isinstance(obj, Call):
        return WatchedCall(obj)
    return WatchedCall(next_call(obj)) if isinstance(obj, sys.modules["joblib"].Parallel) else None


def seams() -> Iterator[Seam]:
    """Where calls are made."""
    yield Seam(sys.modules["joblib"].Parallel, "__call__", _noting_call)


def next_call(parallel: Any) -> Call:
    """Return the call that a ``Parallel`` is making, or will make next.

    Raises
    ------
    InvalidInputError
        It is making a call that nobody has watched from its beginning.
    """
    with _lock:
        call = _calls.get(parallel)
        if call is not None and call.status != JobStatus.CANCELLED:
            return call
        if getattr(parallel, "_running", False):
            raise InvalidInputError(f"{parallel!r} is being called already; watch it before you call it")
        kind: Any = type(parallel) if call is None else call.kind
        call = _calls[parallel] = Call(parallel, kind)
        parallel.__class__ = _recording(kind)
        return call


class Call:
    """One call of a ``Parallel``: the thread that makes it writes it, any other reads it."""

    def __init__(self, parallel: Any, kind: Any) -> None:
        self._parallel = weakref.ref(parallel)
        self.kind = kind
        self.name = repr(parallel)
        self.status = JobStatus.QUEUED
        self.facts: dict[str, Fact] = {}
        self.times: dict[str, float] = {}
        self.error: BaseException | None = None
        self.value: Any = None
        self.wake: Callable[[], None] = lambda: None
        self._outputs: weakref.ref[Any] | None = None
        self._ending = threading.Lock()
        self._batch: Any = None
        self._is_asked = False
        self._is_sequential: bool | None = None
        """None until the first task was taken."""
        self._earlier: str | None = None
        self._total: int | None = None
        self._taken = 0
        self._done = 0

    # --- for whoever watches it

    def look(self) -> None:
        """See whether it will ever go on."""
        if self.status == JobStatus.QUEUED and self._parallel() is None:
            self._end(JobStatus.CANCELLED, note=_UNCALLED)
        if self.status == JobStatus.RUNNING and self._outputs is not None and self._outputs() is None:
            self._end(JobStatus.CANCELLED, note=_UNWANTED)

    @property
    def progress(self) -> tuple[int, int | None]:
        """How many tasks are done, and of how many."""
        parallel = self._parallel()
        if parallel is not None and self.status == JobStatus.RUNNING and self._is_sequential is not None:
            self._done = max(self._done, int(parallel.n_completed_tasks))
        return self._done, self._total

    @property
    def can_be_stopped(self) -> bool:
        """Whether a request to stop has any effect: what a loop without workers has begun goes on to its end."""
        return not (self._is_sequential and self._taken == self._total)

    def stop(self) -> bool:
        """End it with an error for whoever makes it; False if that is too late."""
        self._is_asked = True
        if self.status == JobStatus.QUEUED:
            self._end(JobStatus.CANCELLED)
            return True
        with self._ending:
            parallel = self._parallel()
            if parallel is None or self.status != JobStatus.RUNNING or not self.can_be_stopped:
                return False
            # Before it takes its first task, and without workers: it stops when it takes the next one.
            if self._is_sequential is False:
                self._batch = _abort(parallel, self._stopped())
        return True

    # --- for whoever makes it

    def make(self, parallel: Any, tasks: Iterable[Any], proceed: Callable[[Iterable[Any]], Any]) -> Any:
        """Make the call and return what it returns."""
        if self._is_asked:
            self._release(parallel)
            raise self._stopped()
        self._total = len(tasks) if isinstance(tasks, Sized) else None
        self._earlier = getattr(parallel, "_call_id", None)
        self.times["started"] = time.time()
        self.status = JobStatus.RUNNING
        self.wake()
        try:
            made = proceed(_Tasks(self, tasks) if self._total is None else _CountedTasks(self, tasks, self._total))
        except BaseException as error:
            self._fail(error)
            raise
        if not isinstance(made, Generator):
            self.value = made
            self._end(JobStatus.DONE)
            return made
        handed = self._hand_on(made)
        self._outputs = weakref.ref(handed)
        return handed

    def take(self, task: Any) -> None:
        """Note that a task is taken, to be given to a worker or to be done here."""
        if self._is_asked:
            raise self._stopped()
        if self._is_sequential is None:
            # joblib tells calls by this number, except for those without workers.
            self._is_sequential = getattr(self._parallel(), "_call_id", None) == self._earlier
            self.facts["function"] = str(getattr(task[0], "__qualname__", None) or task[0])[:100]
        self._taken += 1

    def take_last(self) -> None:
        """Note that there are no more tasks."""
        self._total = self._taken

    def _hand_on(self, outputs: Generator[Any, None, None]) -> Generator[Any, None, None]:
        # A generator that nobody runs to its end is closed, which ends the call.
        self.facts["results"] = "handed out one by one"
        try:
            yield from outputs
        except GeneratorExit:
            self._end(JobStatus.CANCELLED, note=_UNWANTED)
            raise
        except BaseException as error:
            self._fail(error)
            raise
        self._end(JobStatus.DONE)

    def _fail(self, error: BaseException) -> None:
        is_stopped = isinstance(error, KeyboardInterrupt) or (self._is_asked and isinstance(error, JobCancelledError))
        self._end(JobStatus.CANCELLED if is_stopped else JobStatus.ERROR, None if is_stopped else error)

    def _end(self, status: JobStatus, error: BaseException | None = None, note: str | None = None) -> None:
        parallel = self._parallel()
        with self._ending:
            self._done, _ = self.progress
            if status == JobStatus.DONE:
                self._done = self._total = self._taken
            if "started" in self.times:
                self.times["ended"] = time.time()
            if note is not None:
                self.facts["ended"] = note
            self.error = error
            self.status = status
            # A Parallel that was told to be sequential has no list of them.
            if parallel is not None and self._batch is not None and self._batch in parallel._jobs:
                # It came too late for this call, and is not for the next.
                parallel._jobs.remove(self._batch)
        if parallel is not None and "started" in self.times:
            self._release(parallel)
        self.wake()

    def _release(self, parallel: Any) -> None:
        """Have a ``Parallel`` be as it was, after its watched call."""
        with _lock:
            if _calls.get(parallel) is self:
                del _calls[parallel]
                parallel.__class__ = self.kind

    def _stopped(self) -> JobCancelledError:
        return JobCancelledError(f"{self.name} was cancelled in the deck")


class _Tasks:
    """The tasks of a call, with each taking of one noted."""

    def __init__(self, call: Call, tasks: Iterable[Any]) -> None:
        self._call = call
        self._tasks = tasks

    def __iter__(self) -> Iterator[Any]:
        for task in self._tasks:
            self._call.take(task)
            yield task
        self._call.take_last()


class _CountedTasks(_Tasks):
    def __init__(self, call: Call, tasks: Iterable[Any], total: int) -> None:
        super().__init__(call, tasks)
        self._total = total

    def __len__(self) -> int:
        return self._total


class WatchedCall(Watched):
    """One call. Cancelling ends it with an error where it was made, and the processes that work for it."""

    system = "joblib"
    pace = (0.1, 1.0)

    def __init__(self, call: Call) -> None:
        self._call = call
        self.origin = call
        self.name = call.name

    def read(self) -> Reading:
        call = self._call
        call.look()
        # The end is written last.
        status = call.status
        done, total = call.progress
        is_running = status == JobStatus.RUNNING
        can_cancel = not is_running or call.can_be_stopped
        return Reading(
            status,
            dict(call.facts),
            progress=None if status == JobStatus.QUEUED else (done, total, None),
            exception=call.error,
            can_cancel=can_cancel,
            cancel_note=None if can_cancel else RUNS,
            times=dict(call.times),
        )

    def result(self) -> Any:
        return self._call.value

    def cancel(self) -> bool:
        return self._call.stop()

    def on_change(self, wake: Callable[[], None]) -> None:
        self._call.wake = wake
        if self._call.status in (JobStatus.DONE, JobStatus.ERROR, JobStatus.CANCELLED):
            wake()


def _abort(parallel: Any, error: BaseException) -> Any:
    """End a call as joblib does where the iterable of its tasks raises in another thread; return what ends it."""
    module = sys.modules["joblib.parallel"]
    batch = module.BatchCompletionCallBack(0, 0, parallel)
    with parallel._lock:
        # joblib 1.3 has but the one way of keeping them.
        getattr(parallel, "_register_new_job", parallel._jobs.append)(batch)
    batch._register_outcome({"result": error, "status": module.TASK_ERROR})
    return batch


@functools.cache
def _recording(kind: Any) -> Any:
    """Return the class that a ``Parallel`` of some class is of until its next call."""
    parallel_class = sys.modules["joblib"].Parallel

    def __call__(self: Any, iterable: Iterable[Any]) -> Any:
        proceed = functools.partial(parallel_class.__call__, self)
        with _lock:
            call = _calls.get(self)
        if call is None:
            return proceed(iterable)
        return call.make(self, iterable, proceed)

    # Just before joblib's own: what a subclass does before that call is no part of it.
    inner = type(parallel_class.__name__, (parallel_class,), {"__call__": __call__, "__module__": __name__})
    bases = (inner,) if kind is parallel_class else (kind, inner)
    return type(kind.__name__, bases, {"__module__": kind.__module__, "__doc__": kind.__doc__})


def _noting_call(call_method: Method, noted: Noting) -> Method:
    @functools.wraps(call_method)
    def __call__(self: Any, iterable: Iterable[Any]) -> Any:
        is_ours = type(getattr(self, "_backend", None)).__module__.startswith("jobdeck.")
        with _lock:
            is_watched = self in _calls
            if is_watched or is_ours or not noted.is_wanted:
                call = None
            else:
                call = _calls[self] = Call(self, type(self))
        if call is None:
            return call_method(self, iterable)
        noted.note(WatchedCall(call))
        return call.make(self, iterable, functools.partial(noted.alone, call_method, self))

    return __call__
