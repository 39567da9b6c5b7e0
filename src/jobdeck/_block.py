"""``with jobdeck.watching():`` shows what a block of code has others run: futures of executors, and asyncio's tasks."""

from __future__ import annotations

import asyncio
import functools
import logging
import threading
from collections.abc import Callable, Iterable
from concurrent.futures import Executor
from contextvars import ContextVar, Token
from queue import SimpleQueue
from types import TracebackType
from typing import TYPE_CHECKING, Any, Final

from ._errors import JobError
from ._job import Job, JobList
from ._records import NewGroup

if TYPE_CHECKING:
    from ._deck import Deck

_log = logging.getLogger(__name__)

_PATIENCE: Final = 10.0
_block: ContextVar[Watching | None] = ContextVar("jobdeck_block", default=None)


class Watching:
    """What `Deck.watching` gives.

    What counts as created by the block is what its own code and the tasks that it starts submit, not what other threads
    do meanwhile. Submitting takes no longer for it: a thread puts what was created into the deck, in its order.
    """

    def __init__(self, deck: Deck, name: str | None, tags: Iterable[str]) -> None:
        self._deck = deck
        self._name = name
        self._tags = tuple(tags)
        self._created: SimpleQueue[tuple[Any, str | None] | None] = SimpleQueue()
        self._jobs: list[Job[Any]] = []
        self._group_id: str | None = None
        self._thread: threading.Thread | None = None
        self._token: Token[Watching | None] | None = None
        self._lock = threading.Lock()
        self._is_open = False

    def jobs(self) -> list[Job[Any]]:
        """Return the jobs that the block has created so far, in their order."""
        return JobList(list(self._jobs), self._deck._service)

    def __enter__(self) -> Watching:
        if self._is_open or self._thread is not None:
            raise JobError("this block was used before; call jobdeck.watching() again")
        if self._name is not None:
            group = NewGroup(kind="block", name=self._name, tags=self._tags)
            self._group_id = self._deck.store.add_group(group).group_id
        _seams.open()
        self._is_open = True
        self._token = _block.set(self)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._is_open = False
        if self._token is not None:
            _block.reset(self._token)
        _seams.close()
        with self._lock:
            thread = self._thread
        if thread is not None:
            self._created.put(None)
            thread.join(_PATIENCE)

    def note(self, created: Any, name: str | None) -> None:
        """Show a future or a task; called where it was created, which must not notice."""
        if not self._is_open or getattr(created, "job", None) is not None:
            return
        self._created.put((created, name))
        with self._lock:
            if self._thread is None:
                self._thread = threading.Thread(target=self._show, name="jobdeck-block", daemon=True)
                self._thread.start()

    def _show(self) -> None:
        has_failed = False
        while (noted := self._created.get()) is not None:
            try:
                created, name = noted
                self._jobs.append(self._deck.watch(created, name=name, tags=self._tags, group=self._group_id))
            except Exception:  # noqa: BLE001 - what cannot be shown runs all the same
                if not has_failed:
                    has_failed = True
                    _log.exception("what a block has others run cannot be shown")


def created(future: Any, name: str | None) -> None:
    """Say that something was created; it is shown if that was in an open block."""
    block = _block.get()
    if block is not None:
        block.note(future, name)


class _Seams:
    """The methods through which futures and tasks are created, replaced for as long as a block is open."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._blocks = 0
        self._replaced: list[tuple[type, str, Callable[..., Any], Callable[..., Any]]] = []

    def open(self) -> None:
        with self._lock:
            self._blocks += 1
            for kind in _kinds_of_executor(Executor):
                self._replace(kind, "submit", _noting_submit)
            self._replace(asyncio.BaseEventLoop, "create_task", _noting_task)

    def close(self) -> None:
        with self._lock:
            self._blocks -= 1
            if self._blocks:
                return
            for kind, name, before, ours in self._replaced:
                # What somebody else has put over it since stays, and calls ours, which then does nothing.
                if vars(kind).get(name) is ours:
                    setattr(kind, name, before)
            self._replaced.clear()

    def _replace(self, kind: type, name: str, noting: Callable[[Callable[..., Any]], Callable[..., Any]]) -> None:
        before = vars(kind).get(name)
        if before is None or any(kind is each for each, *_ in self._replaced):
            return
        ours = noting(before)
        setattr(kind, name, ours)
        self._replaced.append((kind, name, before, ours))


_seams = _Seams()


def _kinds_of_executor(kind: type[Executor]) -> Iterable[type[Executor]]:
    for inner in kind.__subclasses__():
        if not inner.__module__.startswith("jobdeck."):
            yield inner
            yield from _kinds_of_executor(inner)


def _noting_submit(submit: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(submit)
    def call(*args: Any, **kwargs: Any) -> Any:
        future = submit(*args, **kwargs)
        # args: the executor, and what it is to call
        created(future, getattr(args[1], "__qualname__", None) if len(args) > 1 else None)
        return future

    return call


def _noting_task(create_task: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(create_task)
    def call(*args: Any, **kwargs: Any) -> Any:
        task = create_task(*args, **kwargs)
        created(task, None)
        return task

    return call
