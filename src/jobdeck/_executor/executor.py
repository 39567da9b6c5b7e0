"""The executor: jobdeck for code that knows futures."""

from __future__ import annotations

import itertools
import os
import threading
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Executor
from pathlib import Path
from typing import Any, Final, ParamSpec, TypeVar

from .._errors import InvalidInputError
from .._group import JobGroup
from .._options import checked_tags
from .._records import NewGroup
from .._service import JobService
from .isolated import Initialized, IsolatedPool
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
        What runs the jobs: ``"local"`` (None), ``"threads"`` of this process, ``"dask://HOST:PORT"``, or a Dask client
        or cluster.
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
            raise InvalidInputError("calls share processes of this machine alone: give isolate=False or an engine")
        self._service = JobService.of(home)
        self._name = name or f"JobExecutor-{next(_numbers)}"
        self._tags = checked_tags(tags)
        self._initializer = initializer
        self._initargs = tuple(initargs)
        self._lock = threading.Lock()
        self._group_id: str | None = None
        self._is_shut = False
        self._pool: Pool
        if isolate:
            name_of_engine = self._service.engine_for("local" if engine is None else engine, {})
            self._pool = IsolatedPool(self._service, name_of_engine, self._get_group, self._tags, max_workers)
        else:
            begin = None if initializer is None else (initializer, self._initargs)
            self._pool = SharedPool(self._service, self._get_group, self._tags, max_workers, begin)
        self._is_isolated = isolate

    def submit(self, fn: Callable[P, R], /, *args: P.args, **kwargs: P.kwargs) -> TaskFuture[R]:
        """Run ``fn(*args, **kwargs)``, and return its future at once.

        What cannot be sent to another process is told by the future.
        """
        if not callable(fn):
            raise TypeError(f"submit() takes what can be called, not {type(fn).__name__}")
        with self._lock:
            if self._is_shut:
                raise RuntimeError("cannot schedule new futures after shutdown")
            called: Callable[..., Any] = fn
            if self._is_isolated and self._initializer is not None:
                called = Initialized(fn, self._initializer, self._initargs)
            return self._pool.submit(Call(called, args, kwargs))

    def map(
        self, fn: Callable[..., R], *iterables: Iterable[Any], timeout: float | None = None, chunksize: int = 1
    ) -> Iterator[R]:
        """Call `fn` with the items of the iterables, and yield the results in their order.

        Parameters
        ----------
        timeout
            Seconds for all of them, from this call on.
        chunksize
            Calls that go into one job.

        Raises
        ------
        TimeoutError
            From the iterator: a result was not there in time.
        """
        if chunksize < 1:
            raise ValueError("chunksize must be >= 1.")
        if chunksize == 1:
            return super().map(fn, *iterables, timeout=timeout)
        chunks = super().map(_Chunk(fn), _chunks(zip(*iterables, strict=False), chunksize), timeout=timeout)
        return itertools.chain.from_iterable(chunks)

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
        self._pool.close(cancel_futures=cancel_futures)
        if wait:
            self._pool.join()

    @property
    def group(self) -> JobGroup[Any]:
        """The calls as a group of the deck, made now if there was no call yet."""
        return self._service.group(self._get_group())

    @property
    def home(self) -> Path:
        """Folder of the store."""
        return self._service.home

    def _get_group(self) -> str:
        if self._group_id is None:
            # Only the pool's thread and whoever asks for the group come here: at worst one group stays empty, and goes.
            self._group_id = self._service.store.add_group(NewGroup("executor", self._name, self._tags)).group_id
        return self._group_id

    def __repr__(self) -> str:
        return f"<JobExecutor {self._name!r}>"


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
