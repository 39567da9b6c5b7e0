"""Whatever has a job's methods: ``job_id``, ``status`` and ``result``, and ``cancel`` where it has one."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from .._errors import RuntimeJobFailureError
from .._program import preview
from .._status import JobStatus
from .ports import Fact, Reading, Watched
from .words import status_of


def adapt(obj: Any) -> Watched | None:
    """Watch an object that looks like a job."""
    if isinstance(obj, type) or not all(_method(obj, name) for name in ("status", "result")):
        return None
    return DuckJob(obj) if getattr(type(obj), "job_id", None) is not None or hasattr(obj, "job_id") else None


class DuckJob(Watched):
    """A job whose class nobody here knows.

    Its status may be an enum's member, a word or a list of either. Of what else it may have, ``queue_position()``,
    ``backend()``, ``name()`` and ``error_message()`` are asked, methods and plain attributes alike.
    """

    def __init__(self, job: Any) -> None:
        self._job = job
        self.system = type(job).__module__.partition(".")[0] or "foreign"
        self.name = _text(_ask(job, "name")) or type(job).__name__
        self.backend = _text(_ask(job, "backend"))
        self._id = _text(_ask(job, "job_id"))

    @property
    def source(self) -> dict[str, Any]:  # type: ignore[override]
        return {"id": self._id} if self._id else {}

    def read(self) -> Reading:
        status = status_of(_call(self._job, "status"))
        facts: dict[str, Fact] = {}
        if status in (JobStatus.QUEUED, JobStatus.INITIALIZING, JobStatus.VALIDATING):
            place = _ask(self._job, "queue_position")
            if place is not None:
                facts["queue_place"] = place if isinstance(place, (int, float, str)) else preview(place)
        source = None
        if not self._id:
            self._id = _text(_ask(self._job, "job_id"))
        if self._id:
            facts["id"] = self._id
            source = self.source | {"system": self.system}
        error = _text(_ask(self._job, "error_message")) if status == JobStatus.ERROR else None
        return Reading(
            status,
            facts,
            source,
            error=error,
            can_cancel=_method(self._job, "cancel") is not None,
        )

    def result(self) -> Any:
        try:
            return _call(self._job, "result")
        except OSError:
            raise
        except Exception as error:
            raise RuntimeJobFailureError(f"{type(error).__name__}: {error}") from error

    def cancel(self) -> bool | None:
        cancel = _method(self._job, "cancel")
        if cancel is None:
            raise NotImplementedError
        answer = cancel()
        return None if answer is None else bool(answer)


def _method(obj: Any, name: str) -> Callable[[], Any] | None:
    found = getattr(obj, name, None)
    return found if callable(found) else None


def _call(obj: Any, name: str) -> Any:
    found = getattr(obj, name)
    return found() if callable(found) else found


def _ask(obj: Any, name: str) -> Any:
    """Return what an object tells of itself; None where it cannot."""
    try:
        return _call(obj, name)
    except Exception:  # noqa: BLE001 - a method that another version does not have, or that needs what is not there
        return None


def _text(value: Any) -> str | None:
    if value is None or value == "":
        return None
    if not isinstance(value, str):
        name = _ask(value, "name")
        value = name if isinstance(name, str) else preview(value)
    return value or None
