"""Jobs of IBM's service (qiskit-ibm-runtime): watched from any kernel, also after the one that submitted them is gone.

What is used of the client library beyond its documented part are its clients: they alone tell the statuses of many jobs
in one request, and a job that was told to cancel counts as cancelled in the library's own objects before it is.
"""

# mypy: disable-error-code="import-untyped, import-not-found"

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Collection, Mapping
from dataclasses import replace
from functools import partial
from typing import Any, Final
from weakref import WeakValueDictionary

from ..._errors import JobCancelledError, RuntimeInvalidStateError, RuntimeJobFailureError
from ..._status import is_final
from ..ports import Gathered, Reading, Watched
from .service_account import SYSTEM, Place, open_service, place_in, place_of
from .service_line import Line
from .service_session import group_of, is_session, jobs_of
from .service_words import message_in, reading_of
from .session_runs import follow_runs, gather_local

_TRY_AGAIN: Final = 10.0
"""Seconds for which an account that did not work is not tried again."""

_lines: WeakValueDictionary[Place, Line] = WeakValueDictionary()
_failures: dict[Place, tuple[float, Exception]] = {}
_opening = threading.Lock()


def adapt(obj: Any) -> Watched | None:
    """Return a job of the service, ready to be watched; None for anything else, the library's local jobs included."""
    if not _is_service_job(obj) or (place := place_of(obj)) is None:
        return None
    service = getattr(obj, "_service", None)
    with _opening:
        line = _lines.get(place)
        if line is None:
            line = _lines[place] = Line(service, obj._api_client)
        else:
            line.renew(service, obj._api_client)
        _failures.pop(place, None)
    return ServiceJob(line, place, str(obj.job_id()), obj)


def gather(obj: Any) -> Gathered | None:
    """Return the jobs of a session or a batch; None for anything else."""
    if not is_session(obj):
        return gather_local(obj)
    backend = obj.backend()
    group = group_of(obj.session_id, backend if isinstance(backend, str) else None, obj)
    return None if group is None else Gathered(group, lambda: jobs_of(obj), partial(follow_runs, obj))


def reattach(source: Mapping[str, Any]) -> Watched | None:
    """Return a job by what the store kept of it.

    Raises
    ------
    NotReachable
        There is no account for it here.
    OSError
        The service cannot be reached now.
    """
    place = place_in(source)
    if place is None:
        return None
    return ServiceJob(_line(place), place, str(source["id"]))


class ServiceJob(Watched):
    """One job of the service.

    Parameters
    ----------
    job
        The library's own object, where there is one.
    """

    system = SYSTEM
    survives = True
    pace = (1.0, 60.0)

    def __init__(self, line: Line, place: Place, job_id: str, job: Any = None) -> None:
        self._line = line
        self._job = job
        self._job_id = job_id
        self._program = _text(getattr(job, "_program_id", None)) or ""
        self._is_followed = True
        self.source = place.source(job_id)
        self.identity = SYSTEM, job_id
        self.bulk_key = place
        self.name = self._program or None
        # The library's own methods would ask the service for these.
        self.backend = _text(getattr(getattr(job, "_backend", None), "name", None))
        self.tags = tuple(str(tag) for tag in getattr(job, "_tags", None) or ())
        self.group = group_of(_text(getattr(job, "_session_id", None)), self.backend)
        line.follow(job_id)

    def read(self) -> Reading:
        reading = self.read_many([self])[self]
        if isinstance(reading, Exception):
            raise reading
        return reading

    @classmethod
    def read_many(cls, watched: Collection[Watched]) -> Mapping[Watched, Reading | Exception]:
        jobs = [each for each in watched if isinstance(each, ServiceJob)]
        readings: dict[Watched, Reading | Exception] = {}
        for line in {id(each._line): each._line for each in jobs}.values():
            mine = [each for each in jobs if each._line is line]
            told = line.look([each._job_id for each in mine])
            for each in mine:
                known = told[each._job_id]
                if isinstance(known, Exception):
                    readings[each] = _in_words(known)
                    continue
                each._program = each._program or _program_in(known.said)
                try:
                    readings[each] = each._with_messages(
                        reading_of(each._job_id, known.said, known.metrics, known.traceback)
                    )
                except Exception as error:  # noqa: BLE001 - one job's trouble is its own
                    readings[each] = error
        return readings

    def result(self) -> Any:
        try:
            return self._own().result()
        except Exception as error:
            kind = type(error).__name__
            if kind in ("RuntimeJobFailureError", "RuntimeJobMaxTimeoutError"):
                raise RuntimeJobFailureError(message_in(error)) from error
            if kind == "RuntimeInvalidStateError":
                raise JobCancelledError(message_in(error)) from error
            raise _in_words(error) from error

    def cancel(self) -> None:
        from .service_client import status_of_answer

        try:
            self._line.client.job_cancel(self._job_id)
        except Exception as error:
            status = status_of_answer(error)
            if status == 409:
                raise RuntimeInvalidStateError(f"the service refuses: {message_in(error)}") from error
            if status == 404:
                raise RuntimeInvalidStateError("the service does not know this job") from error
            raise _in_words(error) from error

    def close(self) -> None:
        if self._is_followed:
            self._is_followed = False
            self._line.leave(self._job_id)

    def _own(self) -> Any:
        """Return an object of the library for this job that knows that it is done, and uses our connection."""
        from qiskit_ibm_runtime import RuntimeJobV2

        if self._job is not None and not isinstance(self._job, RuntimeJobV2):
            return self._job
        own = RuntimeJobV2(
            backend=None,
            api_client=self._line.client,
            job_id=self._job_id,
            program_id=self._program,
            service=self._line.service,
            result_decoder=getattr(self._job, "_result_decoders", None),
        )
        # Otherwise it would ask for what is known, once for each result.
        own._status = "DONE"
        return own

    def _with_messages(self, reading: Reading) -> Reading:
        """Add the interim results, which jobs of the library's first version tell when they are over."""
        tell = getattr(self._job, "interim_results", None)
        if not is_final(reading.status) or not callable(tell):
            return reading
        told = tell()
        return replace(reading, messages=told if isinstance(told, list) else [] if told is None else [told])


def _line(place: Place) -> Line:
    with _opening:
        line = _lines.get(place)
        if line is not None:
            return line
        failed = _failures.get(place)
        if failed is not None and time.monotonic() < failed[0]:
            raise failed[1]
        try:
            service = open_service(place)
        except Exception as error:
            _failures[place] = time.monotonic() + _TRY_AGAIN, error
            raise
        _failures.pop(place, None)
        line = _lines[place] = Line(service, service._get_api_client(place.instance))
        return line


def _is_service_job(obj: Any) -> bool:
    if "qiskit_ibm_runtime" not in sys.modules:
        return False
    names = {(kind.__module__.partition(".")[0], kind.__name__) for kind in type(obj).__mro__}
    is_known = any(("qiskit_ibm_runtime", name) in names for name in ("RuntimeJobV2", "RuntimeJob", "BaseRuntimeJob"))
    return is_known and hasattr(getattr(obj, "_api_client", None), "jobs_get")


def _in_words(error: Exception) -> Exception:
    from .service_client import lost_connection

    return lost_connection(error) or error


def _program_in(said: Mapping[str, Any]) -> str:
    program = said.get("program")
    return (_text(program.get("id")) if isinstance(program, Mapping) else None) or ""


def _text(value: object) -> str | None:
    return value if isinstance(value, str) and value else None
