"""The executor: jobdeck for code that knows futures."""

from __future__ import annotations

import itertools
import os
import threading
import time
import weakref
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Executor
from functools import partial
from pathlib import Path
from typing import Any, Final, ParamSpec, TypeVar

from .._arguments import checked_count, checked_home, checked_several, checked_start, checked_text, checked_timeout
from .._errors import InvalidInputError
from .._group import JobGroup
from .._options import checked_tags
from .._plain import a_kind
from .._service import JobService
from .call_group import CallGroup
from .isolated import Initialized, IsolatedPool, Once
from .shared import SharedPool
from .task import Call, Pool, TaskFuture

P = ParamSpec("P")
R = TypeVar("R")

_numbers: Final = itertools.count(1)


class JobExecutor(Executor):
    """A ``concurrent.futures.Executor`` whose calls are in the deck.

    Parameters
    ----------
    max_workers
        Calls at a time; None means as many as the engine runs.
    engine
        What runs the jobs: ``"local"``, ``"threads"`` of this process, ``"dask://HOST:PORT"``, or a Dask client or
        cluster. None means the home's default one.
    isolate
        Whether each call is a job with a process of its own, which can be stopped and outlives the kernel. Otherwise
        calls share `max_workers` processes of this kernel, for thousands of small ones; they are in the deck as well.
    initializer, initargs
        Called in each process before its first call.
    name
        What the group of the calls is called in the deck.
    tags
        Words to find them by.
    home
        Folder of the store; None means the default one.

    Raises
    ------
    InvalidInputError, EngineError
        Something of this is not what it must be.
    """

    def __init__(
        self,
        max_workers: int | None = None,
        engine: Any = None,
        isolate: bool = True,
        *,
        initializer: Callable[..., object] | None = None,
        initargs: tuple[Any, ...] = (),
        name: str | None = None,
        tags: Iterable[str] = (),
        home: str | os.PathLike[str] | None = None,
    ) -> None:
        if max_workers is not None and (isinstance(max_workers, bool) or not isinstance(max_workers, int)):
            raise InvalidInputError(f"max_workers is a whole number above 0, not {max_workers!r}")
        if max_workers is not None and max_workers < 1:
            raise InvalidInputError(f"max_workers is a whole number above 0, not {max_workers}")
        if initializer is not None and not callable(initializer):
            raise InvalidInputError(f"initializer is called in each process; {initializer!r} cannot be called")
        if not isolate and engine not in (None, "local"):
            raise InvalidInputError(
                "calls share processes of this machine alone: give either isolate=False or an engine, not both"
            )
        self._service = JobService.of(checked_home(home))
        self._initializer = initializer
        self._initargs = tuple(checked_several("initargs", initargs, "arguments"))
        self._lock = threading.Lock()
        self._is_shut = False
        self._is_isolated = isolate
        self._initialized: Initialized | None = None
        # How many jobs of a group run at a time is up to the store; a pool of processes has its own measure.
        limit = {"max_workers": max_workers} if isolate and max_workers is not None else {}
        self._group = CallGroup(
            self._service, checked_text("name", name) or f"JobExecutor-{next(_numbers)}", checked_tags(tags), limit
        )
        self._pool: Pool
        if isolate:
            where = self._service.engines.chosen(engine, {})
            self._pool = IsolatedPool(self._service, where.name)
            if initializer is not None and where.shares_memory:
                self._initializer = Once(initializer)
        else:
            begin = None if initializer is None else (initializer, self._initargs)
            self._pool = SharedPool(self._service, max_workers, begin)
        # Whoever drops an executor without shutting it down has no more calls for it.
        weakref.finalize(self, _close, self._pool, self._group).atexit = False

    def submit(self, fn: Callable[P, R], /, *args: P.args, **kwargs: P.kwargs) -> TaskFuture[R]:
        """Run ``fn(*args, **kwargs)``, and return its future at once.

        What cannot be sent to another process is told by the future.
        """
        if not callable(fn):
            raise InvalidInputError(f"submit() takes what can be called, not {type(fn).__name__}")
        with self._lock:
            if self._is_shut:
                raise RuntimeError("cannot schedule new futures after shutdown")
            return self._pool.submit(Call(self._with_initializer(fn), self._group, args, kwargs))

    def map(
        self,
        fn: Callable[..., R],
        *iterables: Iterable[Any],
        timeout: float | None = None,
        chunksize: int = 1,
        buffersize: int | None = None,
    ) -> Iterator[R]:
        """Call `fn` with the items of the iterables, and yield the results in their order.

        Parameters
        ----------
        timeout
            Seconds for all of them, from this call on.
        chunksize
            Calls that go into one job.
        buffersize
            Jobs whose results have not been yielded, at most: the iterables are read no further ahead. None reads them
            to their ends before the first result.

        Raises
        ------
        TimeoutError
            From the iterator: a result was not there in time.
        """
        if not callable(fn):
            raise InvalidInputError(f"map() calls its first argument; {a_kind(fn)} cannot be called")
        if checked_start("chunksize", chunksize) < 1:
            raise InvalidInputError("chunksize is a whole number above 0, not 0")
        if checked_count("buffersize", buffersize) == 0:
            raise InvalidInputError("buffersize is a whole number above 0, or None, not 0")
        timeout = checked_timeout(timeout)
        end = None if timeout is None else time.monotonic() + timeout
        items = zip(*iterables, strict=False)
        if chunksize == 1:
            calls: Iterator[Callable[[], TaskFuture[Any]]] = (partial(self.submit, fn, *args) for args in items)
            return _results(calls, buffersize, end)
        chunk = _Chunk(fn)
        chunks: Iterator[Callable[[], TaskFuture[list[R]]]] = (
            partial(self.submit, chunk, some) for some in _chunks(items, chunksize)
        )
        results: Iterator[list[R]] = _results(chunks, buffersize, end)
        return itertools.chain.from_iterable(results)

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """Take no more calls, and wait for those that there are.

        Parameters
        ----------
        wait
            Whether to wait. Without, jobs with processes of their own go on, also when the kernel ends.
        cancel_futures
            Whether those that have not begun are cancelled.
        """
        with self._lock:
            self._is_shut = True
        self._pool.close_group(self._group)
        self._pool.close(cancel_futures=cancel_futures)
        if wait:
            self._pool.join()

    @property
    def group(self) -> JobGroup[Any]:
        """The calls as a group of the deck, made now if there was no call yet."""
        return self._service.group(self._group.group_id)

    @property
    def home(self) -> Path:
        """Folder of the store."""
        return self._service.home

    def _with_initializer(self, fn: Callable[..., Any]) -> Callable[..., Any]:
        if not self._is_isolated or self._initializer is None:
            return fn
        # The same object for the same function, which is then sent once for many calls.
        if self._initialized is None or self._initialized.__wrapped__ is not fn:
            self._initialized = Initialized(fn, self._initializer, self._initargs)
        return self._initialized

    def __reduce__(self) -> str:
        raise TypeError("a JobExecutor cannot be sent to another process; make one there")

    def __repr__(self) -> str:
        return f"<JobExecutor {self._group.name!r}>"


def _close(pool: Pool, group: CallGroup) -> None:
    pool.close_group(group)
    pool.close(cancel_futures=False)


def _results(calls: Iterator[Callable[[], TaskFuture[R]]], buffersize: int | None, end: float | None) -> Iterator[R]:
    """Submit calls now, as many as may be under way, and yield their results in order."""
    futures = deque(call() for call in itertools.islice(calls, buffersize))

    def take() -> Iterator[R]:
        try:
            while futures:
                yield futures[0].result(None if end is None else end - time.monotonic())
                futures.popleft()
                futures.extend(call() for call in itertools.islice(calls, 1))
        finally:
            for future in futures:
                future.cancel()

    return take()


class _Chunk:
    """Calls a function with several sets of arguments."""

    def __init__(self, function: Callable[..., Any]) -> None:
        self._function = function
        self.__name__ = getattr(function, "__name__", type(function).__name__)

    def __call__(self, chunk: list[tuple[Any, ...]]) -> list[Any]:
        return [self._function(*args) for args in chunk]


def _chunks(items: Iterable[tuple[Any, ...]], size: int) -> Iterator[list[tuple[Any, ...]]]:
    remaining = iter(items)
    while chunk := list(itertools.islice(remaining, size)):
        yield chunk
