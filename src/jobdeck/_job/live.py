"""The live half of a job's handle: traits that follow the store, written by one thread."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final

from traitlets import Any as AnyTrait
from traitlets import HasTraits, Instance, Int, Unicode

from .._records import JobRecord
from .._status import JobStatus, is_final

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Progress:
    """How far a program says it is.

    Attributes
    ----------
    done : float
    total : float or None
    message : str or None
    """

    done: float
    total: float | None = None
    message: str | None = None

    @property
    def fraction(self) -> float | None:
        """Part of the work that is done, 0 to 1; None without a total."""
        return None if not self.total else min(self.done / self.total, 1.0)


@dataclass(frozen=True)
class News:
    """What came to a handle at one time.

    Attributes
    ----------
    record : JobRecord
        The job's row as it is now.
    seq : int
        Number of its newest interim message.
    is_gone : bool
        It was deleted.
    """

    record: JobRecord
    seq: int
    is_gone: bool = False

    @property
    def is_last(self) -> bool:
        """Whether nothing can come after this."""
        return self.is_gone or is_final(self.record.status)


Tap = Callable[[News], None]


_BEFORE: Final[dict[str, Any]] = {
    "state": JobStatus.INITIALIZING,
    "progress": None,
    "interim_count": 0,
    "log_size": 0,
    "cancel_state": None,
    "error": None,
    "error_kind": None,
    "queue_place": None,
}


class LiveState(HasTraits):
    """Observable, read-only traits of a job. Observers run in the follower's thread: they must not block.

    Attributes
    ----------
    state : JobStatus or str
    progress : Progress or None
    interim_count : int
        Interim messages so far.
    log_size : int
        Bytes of captured output so far.
    cancel_state : str or None
    error : str or None
        In words, once the job is in ERROR.
    error_kind : str or None
    queue_place : int or None
        1 for the next to start.
    """

    state = AnyTrait(_BEFORE["state"], read_only=True)
    progress = Instance(Progress, allow_none=True, read_only=True)
    interim_count = Int(_BEFORE["interim_count"], read_only=True)
    log_size = Int(_BEFORE["log_size"], read_only=True)
    cancel_state = Unicode(None, allow_none=True, read_only=True)
    error = Unicode(None, allow_none=True, read_only=True)
    error_kind = Unicode(None, allow_none=True, read_only=True)
    queue_place = Int(None, allow_none=True, read_only=True)

    def __init__(self, record: JobRecord) -> None:
        super().__init__()
        self._record = record
        self._seq = record.interim_count
        self._taps: dict[object, Tap] = {}
        self._has_failing_observer = False
        # What the traits say: to ask them costs ten times as much, and most say the same for a job's whole life.
        self._told = dict(_BEFORE)
        self._project()

    @property
    def _is_awaited(self) -> bool:
        """Whether a stream, a future or a call that blocks waits for news."""
        return bool(self._taps)

    @contextmanager
    def _tapped(self, tap: Tap) -> Iterator[None]:
        """Have `tap` called in the follower's thread with whatever comes. It must neither block nor raise."""
        key = object()
        self._taps[key] = tap
        try:
            yield
        finally:
            self._taps.pop(key, None)

    def _take(
        self,
        record: JobRecord | None = None,
        seq: int | None = None,
        log_size: int | None = None,
        *,
        is_gone: bool = False,
    ) -> None:
        """Take in what the follower tells. Traits first, so that whoever is woken finds them up to date."""
        if record is not None and record.changed >= self._record.changed:
            self._record = record
        self._seq = max(self._seq, self._record.interim_count, seq or 0)
        self._project()
        if log_size is not None:
            self._set("log_size", log_size)
        news = News(self._record, self._seq, is_gone)
        for tap in list(self._taps.values()):
            tap(news)

    def _project(self) -> None:
        record = self._record
        done = record.progress_done
        progress = None if done is None else Progress(done, record.progress_total, record.progress_message)
        self._set("progress", progress)
        self._set("interim_count", self._seq)
        self._set("cancel_state", record.cancel_state)
        self._set("error_kind", record.error_kind)
        self._set("error", record.error)
        if record.source is not None:
            place = None if is_final(record.status) else record.facts.get("queue_place")
            self._set("queue_place", place if isinstance(place, int) else None)
        elif record.status != JobStatus.QUEUED:
            self._set("queue_place", None)
        self._set("state", record.status)

    def _set(self, name: str, value: Any) -> None:
        if self._told[name] == value:
            return
        self._told[name] = value
        try:
            self.set_trait(name, value)
        except Exception:  # noqa: BLE001 - an observer's error must not keep the others from the news
            if not self._has_failing_observer:
                self._has_failing_observer = True
                _log.exception("an observer of job %s failed; it is still told of changes", self._record.job_id)
