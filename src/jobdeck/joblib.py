"""A backend for joblib, and so for scikit-learn, whose tasks are in the deck.

Importing this module is enough: ``joblib.parallel_config(backend="jobdeck")`` then means it. Each call of
``joblib.Parallel`` is one group in the deck. Its tasks share processes of this kernel, unless ``isolate=True`` gives
each of them one of its own.
"""

from __future__ import annotations

import itertools
import os
import threading
import weakref
from collections.abc import Callable, Iterable
from concurrent.futures import Future
from typing import Any, Final

from joblib import cpu_count, register_parallel_backend  # type: ignore[import-untyped]  # it ships no types
from joblib.parallel import AutoBatchingMixin, ParallelBackendBase  # type: ignore[import-untyped]  # it ships no types

from ._errors import InvalidInputError
from ._executor import Call, CallGroup, IsolatedPool, SharedPool, TaskFuture
from ._options import checked_tags
from ._service import JobService

__all__ = ["JobdeckBackend"]

_numbers: Final = itertools.count(1)


class JobdeckBackend(AutoBatchingMixin, ParallelBackendBase):  # type: ignore[misc]  # joblib has no types
    """Runs what ``joblib.Parallel`` is given as jobs; made by ``joblib.parallel_config(backend="jobdeck", ...)``.

    Parameters
    ----------
    isolate
        Whether each batch of tasks is a job with a process of its own, which can be stopped by itself. Otherwise
        batches share the processes of this kernel: a request to stop one that runs stops the whole call.
    engine
        What runs isolated jobs; see `Deck`. None leaves it to ``JOBDECK_ENGINE`` and the home's setting ``engine``.
    name
        What the groups are called in the deck; None calls them by number.
    tags
        Words to find them by.
    home
        Folder of the store; None means the default one.

    Raises
    ------
    InvalidInputError, EngineError
        Something of this is not what it must be.
    """

    supports_retrieve_callback = True
    supports_inner_max_num_threads = True
    default_n_jobs = -1

    def __init__(
        self,
        *,
        isolate: bool = False,
        engine: Any = None,
        name: str | None = None,
        tags: Iterable[str] = (),
        home: str | os.PathLike[str] | None = None,
        nesting_level: int | None = None,
        inner_max_num_threads: int | None = None,
    ) -> None:
        super().__init__(nesting_level=nesting_level, inner_max_num_threads=inner_max_num_threads)
        if not isolate and engine not in (None, "local"):
            raise InvalidInputError("tasks share processes of this machine alone: give isolate=True with an engine")
        self._service = JobService.of(home)
        self._engine = self._service.engines.chosen(engine, {}).name if isolate else None
        self._name = name
        self._tags = checked_tags(tags)
        self._lock = threading.Lock()
        self._pool: SharedPool | IsolatedPool | None = None
        self._workers = 0
        self._group: CallGroup | None = None
        self._futures: dict[Future[Any], TaskFuture[Any]] = {}

    # --- what joblib asks

    def effective_n_jobs(self, n_jobs: int | None) -> int:
        """Return how many tasks run at a time."""
        if n_jobs == 0:
            raise ValueError("n_jobs == 0 in Parallel has no meaning")
        if n_jobs is None:
            return 1
        return max(cpu_count() + 1 + n_jobs, 1) if n_jobs < 0 else n_jobs

    def configure(self, n_jobs: int = 1, parallel: Any = None, **_: Any) -> int:
        """Get ready for a call; processes that are there from the last one are used again."""
        workers = self.effective_n_jobs(n_jobs)
        # A call has its backend; were it the other way round as well, the processes would stay until the garbage
        # collector finds the two.
        self.parallel = None if parallel is None else weakref.proxy(parallel)
        if self._pool is None or workers != self._workers:
            self._leave()
            self._pool, self._workers = self._new_pool(workers), workers
            # joblib does not tell when a backend is not needed any more.
            self._finalizer = weakref.finalize(self, _close, self._pool)
            self._finalizer.atexit = False
        return workers

    def start_call(self) -> None:
        """Begin a group for the calls to come."""
        self._group = self._new_group()

    def stop_call(self) -> None:
        """Close the group: no more calls come."""
        if self._group is not None and self._pool is not None:
            self._pool.close_group(self._group)
        self._group = None

    def submit(self, func: Any, callback: Callable[[Future[Any]], object] | None = None) -> TaskFuture[Any]:
        """Run a batch of tasks."""
        if self._pool is None:
            raise RuntimeError("this backend was not configured: joblib.Parallel does that")
        if self._group is None:
            self._group = self._new_group()
        call = Call(_run, self._group, (func,), title=_title(func))
        future = self._pool.submit(call)
        with self._lock:
            self._futures[future] = future
        future.add_done_callback(_Once(self._forget))
        if callback is not None:
            future.add_done_callback(_Once(callback))
        return future

    apply_async = submit
    """What `submit` was called before joblib 1.5."""

    def retrieve_result_callback(self, out: Future[Any]) -> Any:
        """Return the results of a batch that has ended, or raise what it raised."""
        return out.result()

    def abort_everything(self, ensure_ready: bool = True) -> None:  # noqa: ARG002 - it is ready either way
        """Stop what runs and cancel the rest: a task has failed, or the person has interrupted."""
        if isinstance(self._pool, SharedPool):
            self._pool.stop()
        with self._lock:
            left = list(self._futures.values())
        for future in left:
            if not future.cancel() and not future.done() and self._engine is not None:
                future.job.cancel()

    def terminate(self) -> None:
        """End a call or a block of calls. The processes stay for the next one, until the backend is dropped."""
        self.reset_batch_stats()

    def shutdown(self) -> None:
        """End the processes once they have nothing to do, and wait for that; a call after it begins new ones."""
        pool = self._pool
        self._leave()
        self._pool = None
        if pool is not None:
            pool.join()

    def __reduce__(self) -> tuple[Callable[..., Any], tuple[Any, ...]]:
        # Tasks within tasks run in threads (joblib's own choice), so that only its kind matters in another process.
        return JobdeckBackend, ()

    # --- inside

    def _new_pool(self, workers: int) -> SharedPool | IsolatedPool:
        if self._engine is not None:
            return IsolatedPool(self._service, self._engine)
        return SharedPool(self._service, workers, (_set_up, (self._prepare_worker_env(workers),)), is_one=True)

    def _new_group(self) -> CallGroup:
        limit = {} if self._engine is None else {"max_workers": self._workers}
        return CallGroup(self._service, self._name or f"joblib-{next(_numbers)}", self._tags, limit)

    def _forget(self, future: Future[Any]) -> None:
        with self._lock:
            self._futures.pop(future, None)

    def _leave(self) -> None:
        if self._pool is not None:
            self._finalizer.detach()
            self._pool.close(cancel_futures=False)


class _Once:
    """Calls a function once, and lets go of it: a future keeps its callbacks, and joblib's keep the future."""

    def __init__(self, function: Callable[[Future[Any]], object]) -> None:
        self._function: Callable[[Future[Any]], object] | None = function

    def __call__(self, future: Future[Any]) -> None:
        function, self._function = self._function, None
        if function is not None:
            function(future)


def _close(pool: SharedPool | IsolatedPool) -> None:
    pool.close(cancel_futures=False)


def _set_up(environment: dict[str, str]) -> None:
    os.environ.update(environment)


def _run(batch: Callable[[], Any]) -> Any:
    return batch()


def _title(batch: Any) -> str:
    """Call a batch by its function, and say how many times that is called in it."""
    items = getattr(batch, "items", ())
    if not items:
        return type(batch).__name__
    function = items[0][0]
    name = getattr(function, "__name__", None) or type(function).__name__
    return name if len(items) == 1 else f"{name} × {len(items)}"


register_parallel_backend("jobdeck", JobdeckBackend)
