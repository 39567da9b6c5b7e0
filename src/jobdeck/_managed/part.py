"""A part of a set that a service is to run, watched from before it is submitted: its row shows the wait and ends it."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from .._status import JobStatus
from ..watchers import Reading, Watched
from ..watchers.adapters import adapt
from .job import ManagedJob

_log = logging.getLogger(__name__)


class AwaitedPart(Watched):
    """What there is to tell of a part: until it is submitted what its submission waits for, then what its job tells.

    Parameters
    ----------
    job
        The part.
    backend
        Name of what is to run it.
    system
        The service's word, as long as its job's own is not known.
    place
        Of the part in its set.
    retry_of
        Id of the job that it is submitted again for.
    """

    pace = (0.2, 10.0)

    def __init__(self, job: ManagedJob, backend: str, system: str, place: int, retry_of: str | None = None) -> None:
        self._job = job
        self._inner: Watched | None = None
        self._wake: Callable[[], None] = _nobody
        self.backend = backend
        self.system = system
        self.place = place
        self.retry_of = retry_of

    def attach(self, foreign: Any) -> None:
        """Take in the job that the service has made of it."""
        inner = adapt(foreign)
        self.system, self.survives = inner.system, inner.survives
        self._inner = inner
        inner.on_change(self.ring)
        if self._job.is_withdrawn:
            # The request came while it was on its way; nobody will repeat it.
            try:
                inner.cancel()
            except Exception:  # noqa: BLE001 - the service's own code; the job is there, and goes on
                _log.warning("%s cannot be stopped any more", self._job._label, exc_info=True)
        self.ring()

    def ring(self) -> None:
        """Have it looked at now."""
        self._wake()

    def on_change(self, wake: Callable[[], None]) -> None:
        self._wake = wake

    def read(self) -> Reading:
        if self._inner is not None:
            reading = self._inner.read()
            return reading if reading.source is not None else replace(reading, source=self._inner.source)
        if self._job.submit_error is not None:
            return Reading(JobStatus.ERROR, error=self._job.error_message())
        # Not before it is settled: it may be on its way to the service at this moment.
        if self._job.is_withdrawn and self._job.is_settled:
            return Reading(JobStatus.CANCELLED)
        note = self._job.note
        return Reading(JobStatus.INITIALIZING, {} if note is None else {"status_text": note})

    def result(self) -> Any:
        assert self._inner is not None, "a part is DONE by what its job tells"
        return self._inner.result()

    def cancel(self) -> bool | None:
        if self._inner is not None:
            return self._inner.cancel()
        self._job.withdraw()
        return None

    def close(self) -> None:
        if self._inner is not None:
            self._inner.close()


def _nobody() -> None:
    """Nobody has asked to be told yet."""
