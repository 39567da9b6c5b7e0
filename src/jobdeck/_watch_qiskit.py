"""``watch_qiskit()``: every job of Qiskit's that this process creates shows up in the deck by itself.

A job is noticed where it is born, in ``JobV1.__init__`` and ``BasePrimitiveJob.__init__``, which all kinds of jobs
call. That takes a microsecond: it is put in a queue, from which a thread puts it into the deck. While more and more
jobs come, the thread takes a small share of the processor alone; the rest is caught up with in the next moment's peace.
"""

# mypy: disable-error-code="import-untyped, import-not-found"

from __future__ import annotations

import atexit
import functools
import logging
import os
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable
from types import TracebackType
from typing import TYPE_CHECKING, Any, Final

from ._arguments import checked_timeout, shown
from ._errors import InvalidInputError, StoreError
from ._options import checked_tags
from .watchers import Watched, adapt
from .watchers.qiskit.jobs import future_of

if TYPE_CHECKING:
    from ._deck import Deck

_log = logging.getLogger(__name__)

_SETTLED: Final = 0.05
"""Seconds until a job that was just born is looked at: its maker goes on with it first."""
_PEACE: Final = 0.25
"""Seconds without a new job after which there is time for all that wait."""
_SHARE: Final = 20
"""Jobs a second that are put into the deck while new ones keep coming."""
_AT_ONCE: Final = 200
_MOST: Final = 5_000
"""Jobs that may wait; with more, the thread takes the time that it needs."""
_KEPT: Final = 20_000
"""Jobs that are held at most while the store cannot be written; beyond them the oldest do not show."""
_NEIGHBOURS: Final = 16
"""Later jobs among which one is looked for that stands for the same simulation."""
_STORE_PAUSE: Final = 1.0
_OURS: Final = "jobdeck-"
"""How the names of jobdeck's own threads begin."""
_FIRST_LOOKS: Final = 2.0
"""Seconds for which the end waits until each job was asked how it is, so that finished ones are listed as that."""
_LAST: Final = 3.0
"""Seconds for which the end of the process waits for jobs that are not in the deck yet."""


class QiskitWatch:
    """What `watch_qiskit` gives: it goes on until `stop`, or to the end of a ``with`` block."""

    def __init__(self, deck: Deck, tags: Iterable[str]) -> None:
        self._deck = deck
        self._tags = checked_tags(tags)
        self._born: deque[tuple[float, Any]] = deque(maxlen=_KEPT)
        self._last = 0.0
        self._bell = threading.Event()
        self._caught_up = threading.Event()
        self._caught_up.set()
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None
        self._is_on = False
        self._complaint: str | None = None

    def __repr__(self) -> str:
        return f"<QiskitWatch: {'on, until jobdeck.unwatch_qiskit()' if self._is_on else 'ended'}>"

    def __enter__(self) -> QiskitWatch:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    @property
    def is_on(self) -> bool:
        """Whether jobs that are created now show up."""
        return self._is_on

    def stop(self, timeout: float | None = 10.0) -> None:
        """End it, and give Qiskit's classes back what was theirs. Jobs that were created before are still shown.

        Parameters
        ----------
        timeout
            Seconds to wait until those are in the deck, and at most two more until it is known how each of them is.
        """
        self._is_on = False
        atexit.unregister(self.stop)
        _births.leave(self)
        thread = self._thread
        has_caught_up = self.catch_up(timeout)
        self._deck._service.wait_for_first_looks(_FIRST_LOOKS if timeout is None else min(timeout, _FIRST_LOOKS))
        if has_caught_up and thread is not None and thread is not threading.current_thread():
            thread.join(timeout)

    def catch_up(self, timeout: float | None = 10.0) -> bool:
        """Wait until all jobs that were created so far are in the deck; False where that takes longer."""
        self._last = 0.0
        self._bell.set()
        return self._caught_up.wait(timeout)

    # --- called where a job is born, which must not notice

    def note(self, job: Any) -> None:
        """Take note of a new job, unless it is one that jobdeck makes itself and shows anyway."""
        if threading.current_thread().name.startswith(_OURS):
            return
        self._last = now = time.monotonic()
        self._born.append((now, job))
        if self._caught_up.is_set():
            with self._lock:
                self._caught_up.clear()
                if self._thread is None:
                    self._thread = threading.Thread(target=self._run, name="jobdeck-qiskit", daemon=True)
                    self._thread.start()
            self._bell.set()

    def begin_afresh(self) -> None:
        """In a forked child: neither the thread nor what it held is there."""
        self._is_on = False
        self._lock, self._bell, self._caught_up = threading.Lock(), threading.Event(), threading.Event()
        self._caught_up.set()
        self._thread = None
        self._born.clear()

    # --- the thread

    def _run(self) -> None:
        while True:
            self._bell.wait()
            self._bell.clear()
            while self._born:
                some = self._take()
                if not some:
                    continue
                try:
                    self._show(some)
                except StoreError:
                    # They are there for the next time.
                    self._born.extendleft(reversed([(0.0, job) for job in some]))
                    self._bell.wait(_STORE_PAUSE)
            with self._lock:
                self._caught_up.set()
                if self._born:
                    # It came between the last look and the line above, and rang for nobody.
                    self._caught_up.clear()
                    self._bell.set()
                elif not self._is_on:
                    self._thread = None
                    return

    def _take(self) -> list[Any]:
        """Return the jobs that are put into the deck now, after a pause."""
        is_busy = time.monotonic() - self._last < _PEACE and len(self._born) < _MOST
        self._bell.wait(1 / _SHARE if is_busy else 0.001)
        self._bell.clear()
        settled = time.monotonic() - _SETTLED
        taken: list[Any] = []
        while self._born and self._born[0][0] <= settled and len(taken) < (1 if is_busy else _AT_ONCE):
            taken.append(self._born.popleft()[1])
        if not taken and not is_busy:
            time.sleep(_SETTLED / 5)
        return taken

    def _show(self, jobs: list[Any]) -> None:
        found: list[tuple[Watched, tuple[str, ...]]] = []
        for job in self._apart(jobs):
            if _is_an_old_one(job):
                continue
            try:
                found.append((adapt(job), self._tags))
            except Exception as error:  # noqa: BLE001 - what cannot be shown runs all the same
                self._complain(error)
        try:
            self._enter(found)
        except StoreError:
            raise
        except Exception:  # noqa: BLE001 - one of them is the trouble, and the others have none
            for each in found:
                try:
                    self._enter([each])
                except StoreError:
                    raise
                except Exception as error:  # noqa: BLE001 - see above
                    self._complain(error)

    def _enter(self, found: list[tuple[Watched, tuple[str, ...]]]) -> None:
        if found:
            self._deck._service.watch_many(found)

    def _apart(self, jobs: list[Any]) -> list[Any]:
        """Return each job once, and of several that stand for one simulation the last, which is its caller's.

        The runtime's local mode makes a job around the future of another one; a class with both of Qiskit's bases is
        noted by both.
        """
        near = [self._born[place][1] for place in range(min(_NEIGHBOURS, len(self._born)))]
        last = {_simulation(job): job for job in (*jobs, *near)}
        return list({id(job): job for job in jobs if last[_simulation(job)] is job}.values())

    def _complain(self, error: Exception) -> None:
        if (complaint := repr(error)) != self._complaint:
            self._complaint = complaint
            _log.warning("a Qiskit job cannot be shown: %s", complaint)


def _simulation(job: Any) -> int:
    """Return what tells apart what jobs stand for: the future that runs one, or the job itself."""
    future = future_of(job)
    return id(job if future is None else future)


def _is_an_old_one(job: Any) -> bool:
    """Tell whether a job of IBM's service was only looked up: it brings when it was made."""
    return getattr(job, "_creation_date", None) is not None and hasattr(job, "_api_client")


class _Births:
    """The constructors that all jobs of Qiskit's call, replaced for as long as somebody watches."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._watching: tuple[QiskitWatch, ...] = ()
        self._replaced: list[tuple[type, Callable[..., None], Callable[..., None]]] = []

    @property
    def current(self) -> tuple[QiskitWatch, ...]:
        """Those who watch now."""
        return self._watching

    def enter(self, watch: QiskitWatch, kinds: Iterable[type]) -> None:
        with self._lock:
            self._watching = (*self._watching, watch)
            for kind in kinds:
                if not any(kind is each for each, *_ in self._replaced):
                    before = vars(kind)["__init__"]
                    ours = self._noting(before)
                    type.__setattr__(kind, "__init__", ours)
                    self._replaced.append((kind, before, ours))

    def leave(self, watch: QiskitWatch) -> None:
        with self._lock:
            self._watching = tuple(each for each in self._watching if each is not watch)
            if self._watching:
                return
            for kind, before, ours in self._replaced:
                # What somebody else has put over it since stays, and calls ours, which then does nothing.
                if vars(kind).get("__init__") is ours:
                    type.__setattr__(kind, "__init__", before)
            self._replaced.clear()

    def _noting(self, before: Callable[..., None]) -> Callable[..., None]:
        @functools.wraps(before)
        def __init__(job: Any, *args: Any, **kwargs: Any) -> None:
            before(job, *args, **kwargs)
            for watch in self._watching:
                try:
                    watch.note(job)
                except Exception:  # noqa: BLE001 - whatever is wrong here is nothing to whoever makes a job
                    _log.debug("a Qiskit job was not noticed", exc_info=True)

        return __init__

    def begin_afresh(self) -> None:
        """In a forked child: its jobs are not this deck's, and the thread is not there."""
        self._lock = threading.Lock()
        for watch in self._watching:
            watch.begin_afresh()
        self._watching = ()
        for kind, before, ours in self._replaced:
            if vars(kind).get("__init__") is ours:
                type.__setattr__(kind, "__init__", before)
        self._replaced.clear()


_births = _Births()
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_births.begin_afresh)


def watch_qiskit(deck: Deck | None = None, *, tags: Iterable[str] = ()) -> QiskitWatch:
    """Show every Qiskit job that this process creates from now on, without a change to the code that creates it.

    Jobs that an algorithm or a primitive makes within are shown, too. Called again for the same deck, it returns what
    there is.

    Parameters
    ----------
    deck
        Where they show; None means the default one.
    tags
        Words to find them by.

    Returns
    -------
    QiskitWatch
        Its ``stop()`` ends it, and so do the end of a ``with`` block and `unwatch_qiskit`.

    Raises
    ------
    InvalidInputError
        There is no Qiskit.
    """
    from ._deck import Deck

    if deck is None:
        from ._toplevel import default_deck

        deck = default_deck()
    if not isinstance(deck, Deck):
        raise InvalidInputError(f"deck is a Deck or None, not {shown(deck)}")
    try:
        from qiskit.primitives import BasePrimitiveJob
        from qiskit.providers import JobV1
    except ImportError as error:
        raise InvalidInputError(f"watch_qiskit needs Qiskit ({error}): pip install 'jobdeck[qiskit]'") from error
    for there in _births.current:
        if there._deck._service is deck._service and there._tags == checked_tags(tags):
            return there
    watch = QiskitWatch(deck, tags)
    watch._is_on = True
    # The bridge is made first, for what is registered last goes first at the end: it writes down what these bring it.
    _ = deck._service.bridge
    atexit.register(watch.stop, _LAST)
    _births.enter(watch, (JobV1, BasePrimitiveJob))
    return watch


def unwatch_qiskit(timeout: float | None = 10.0) -> None:
    """End what `watch_qiskit` began, for all decks; harmless where nothing is watched.

    Parameters
    ----------
    timeout
        Seconds to wait until the jobs that were created before are in the deck.
    """
    timeout = checked_timeout(timeout)
    for watch in _births.current:
        watch.stop(timeout)
