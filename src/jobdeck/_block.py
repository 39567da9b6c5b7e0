"""``with jobdeck.watching():`` shows what a block of code has others run, whoever they are."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterable
from contextvars import ContextVar, Token
from queue import SimpleQueue
from types import TracebackType
from typing import TYPE_CHECKING, Any, Final

from ._errors import JobError
from ._group import JobGroup
from ._job import Job, JobList
from ._records import NewGroup
from .watchers import Method, Noting, Seam, seams

if TYPE_CHECKING:
    from ._deck import Deck

_log = logging.getLogger(__name__)

_PATIENCE: Final = 10.0
_block: ContextVar[Watching | None] = ContextVar("jobdeck_block", default=None)


class Watching:
    """What `Deck.watching` gives; as the value of a cell it shows the jobs that its block has created.

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

    def jobs(self) -> JobList:
        """Return the jobs that the block has created so far, in their order."""
        return JobList(list(self._jobs), self._deck._service)

    def __repr__(self) -> str:
        state = "open" if self._is_open else "ended" if self._token is not None else "not begun"
        jobs = len(self._jobs)
        return f"<Watching{f' {self._name!r}' if self._name else ''}: {state}, {jobs} job{'' if jobs == 1 else 's'}>"

    @property
    def _shown(self) -> JobList | JobGroup[Any]:
        return self.jobs() if self._group_id is None or not self._jobs else self._deck.group(self._group_id)

    def _ipython_display_(self) -> None:
        self._shown._ipython_display_()

    def _repr_mimebundle_(self, **data: Any) -> dict[str, Any]:
        return self._shown._repr_mimebundle_(**data)

    def _display_(self) -> Any:
        return self._shown._display_()

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
        """Show what was created; called where it was, which must not notice."""
        if not self._is_open:
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


class _BlockNoting(Noting):
    """What is created is noted by the block whose code creates it."""

    @property
    def is_wanted(self) -> bool:
        return _block.get() is not None

    def note(self, created: Any, name: str | None = None) -> None:
        block = _block.get()
        if block is not None:
            block.note(created, name)

    def alone(self, method: Method, *args: Any, **kwargs: Any) -> Any:
        token = _block.set(None)
        try:
            return method(*args, **kwargs)
        finally:
            _block.reset(token)


class _Seams:
    """The methods through which other systems create what is watched, replaced for as long as a block is open."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._blocks = 0
        self._replaced: list[tuple[Seam, Method, Method]] = []

    def open(self) -> None:
        with self._lock:
            self._blocks += 1
            for seam in seams():
                self._replace(seam)

    def close(self) -> None:
        with self._lock:
            self._blocks -= 1
            if self._blocks:
                return
            for seam, before, ours in self._replaced:
                # What somebody else has put over it since stays, and calls ours, which then does nothing.
                if vars(seam.kind).get(seam.method) is ours:
                    setattr(seam.kind, seam.method, before)
            self._replaced.clear()

    def _replace(self, seam: Seam) -> None:
        before = vars(seam.kind).get(seam.method)
        if before is None or any((seam.kind, seam.method) == (each.kind, each.method) for each, *_ in self._replaced):
            return
        ours = seam.noting(before, _noting)
        setattr(seam.kind, seam.method, ours)
        self._replaced.append((seam, before, ours))


_noting = _BlockNoting()
_seams = _Seams()
