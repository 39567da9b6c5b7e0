"""The calls into other systems: made in the pool, with whatever comes of them brought back."""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection
from dataclasses import dataclass, replace
from typing import Any, Protocol

from .._plain import a_kind
from .._program import outcome_of_exception, outcome_of_value
from .._records import Outcome
from .._status import JobStatus
from .foreign import Foreign
from .ports import Reading, Watched
from .words import status_of

_log = logging.getLogger(__name__)


class Calls(Protocol):
    """See :class:`~jobdeck.watchers.pool.Pool`."""

    def run(self, system: str, task: Callable[[], None]) -> None: ...
    def relieve(self) -> None: ...


@dataclass(frozen=True)
class Looked:
    """A look at a job was taken, or could not be."""

    foreign: Foreign
    told: Reading | BaseException
    left: Outcome | None = None


@dataclass(frozen=True)
class Fetched:
    """A job's result came, or could not be had."""

    foreign: Foreign
    value: Any
    error: BaseException | None
    left: Outcome


@dataclass(frozen=True)
class Answered:
    """A job was asked to stop."""

    foreign: Foreign
    answer: object


@dataclass(frozen=True)
class Pushed:
    """Its system says that there is news of a job."""

    foreign: Foreign


Arrival = Looked | Fetched | Answered | Pushed


class Errands:
    """Sends calls into the pool.

    Parameters
    ----------
    calls
        The pool.
    bring
        Takes what came of a call; called from any thread.
    """

    def __init__(self, calls: Calls, bring: Callable[[Arrival], None]) -> None:
        self._calls = calls
        self._bring = bring

    def read(self, foreign: Foreign) -> None:
        """Look at one job."""
        self._calls.run(foreign.watched.system, lambda: self._read(foreign))

    def read_many(self, kind: type[Watched], several: Collection[Foreign]) -> None:
        """Look at several jobs of one kind by one call."""
        self._calls.run(next(iter(several)).watched.system, lambda: self._read_many(kind, several))

    def fetch(self, foreign: Foreign) -> None:
        """Have a result."""
        self._calls.run(foreign.watched.system, lambda: self._fetch(foreign))

    def cancel(self, foreign: Foreign) -> None:
        """Ask a job to stop."""
        self._calls.run(foreign.watched.system, lambda: self._cancel(foreign))

    def close(self, foreign: Foreign) -> None:
        """Let go of a job."""
        self._calls.run(foreign.watched.system, lambda: _close(foreign.watched))

    def relieve(self) -> None:
        """See the pool."""
        self._calls.relieve()

    # --- in the pool, where whatever another system's code raises is its trouble

    def _read(self, foreign: Foreign) -> None:
        try:
            self._attach(foreign)
            told: object = foreign.watched.read()
        except BaseException as error:  # noqa: BLE001 - see above
            told = error
        self._bring_look(foreign, told)

    def _read_many(self, kind: type[Watched], several: Collection[Foreign]) -> None:
        told: Any
        try:
            for foreign in several:
                self._attach(foreign)
            told = kind.read_many([foreign.watched for foreign in several])
        except BaseException as error:  # noqa: BLE001 - see above
            told = dict.fromkeys((foreign.watched for foreign in several), error)
        for foreign in several:
            try:
                one = told.get(foreign.watched)
            except Exception as error:  # noqa: BLE001 - an adapter that returns no mapping
                one = error
            self._bring_look(foreign, ConnectionError("nothing was told of it") if one is None else one)

    def _attach(self, foreign: Foreign) -> None:
        if not foreign.is_attached:
            foreign.is_attached = True
            foreign.watched.on_change(foreign.waker(lambda told: self._bring(Pushed(told))))

    def _bring_look(self, foreign: Foreign, told: object) -> None:
        left: Outcome | None = None
        if isinstance(told, Reading):
            try:
                told = replace(told, status=status_of(told.status))
                if told.status == JobStatus.ERROR and isinstance(told.exception, BaseException):
                    left = outcome_of_exception(told.exception)
            except Exception as error:  # noqa: BLE001 - a status whose own code fails
                told = error
        if isinstance(told, (Reading, BaseException)):
            self._bring(Looked(foreign, told, left))
        else:
            wrong = TypeError(f"its adapter's read() returned {type(told).__name__} where a Reading is wanted")
            self._bring(Looked(foreign, wrong))

    def _fetch(self, foreign: Foreign) -> None:
        try:
            value = foreign.watched.result()
            fetched = Fetched(foreign, value, None, kept_outcome(value))
        except BaseException as error:  # noqa: BLE001 - see above
            fetched = Fetched(foreign, None, error, outcome_of_exception(error))
        self._bring(fetched)

    def _cancel(self, foreign: Foreign) -> None:
        try:
            answer: object = foreign.watched.cancel()
        except BaseException as error:  # noqa: BLE001 - see above
            answer = error
        self._bring(Answered(foreign, answer))


def kept_outcome(value: Any) -> Outcome:
    """Return what the store keeps of a result: a preview, and why, where it cannot keep the value itself."""
    left = outcome_of_value(value)
    if left.ok:
        return left
    words = f"only its preview is kept: {a_kind(value)} cannot be pickled"
    return replace(left, ok=True, exception_type=None, exception_text=words)


def _close(watched: Watched) -> None:
    try:
        watched.close()
    except Exception:  # noqa: BLE001 - the adapter's own affair; the job is over
        _log.warning("what watched a %s job could not be closed", watched.system, exc_info=True)
