"""Qiskit's own kinds of job, whoever runs them: ``JobV1`` (simulators, other vendors' devices) and primitives' jobs.

Where a job is a future of this process, the future is looked at rather than the job: ``PrimitiveJob.status()`` of a job
that still waits takes it for failed, and remembers that for good.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from concurrent.futures import CancelledError, Future
from typing import Any, Final

from ..._errors import JobCancelledError, RuntimeJobFailureError
from ..._observables import name_values
from ..._program.preview import preview
from ..._status import JobStatus, is_final
from ..futures import RUNS
from ..ports import Fact, Reading, Watched
from ..words import status_of

_BASES: Final = (("qiskit.providers.job", "JobV1"), ("qiskit.primitives.base.base_primitive_job", "BasePrimitiveJob"))
_WAITING: Final = (JobStatus.INITIALIZING, JobStatus.QUEUED, JobStatus.VALIDATING)
_FUTURES: Final = ("qiskit.primitives.primitive_job", "qiskit_aer.jobs.")
"""Where ``status()`` is what the job's own future says. With others, a future may be of the submission alone."""
_NEVER_ENDS_EARLY: Final = "its system has no way to stop it"


def bases() -> tuple[type, ...]:
    """Return those of Qiskit's job classes that this process has imported."""
    found = (getattr(sys.modules.get(module), name, None) for module, name in _BASES)
    return tuple(kind for kind in found if isinstance(kind, type))


def adapt(obj: Any) -> Watched | None:
    """Watch a job of Qiskit's; None for anything else, jobdeck's own among them."""
    if isinstance(obj, type) or type(obj).__module__.partition(".")[0] == "jobdeck":
        return None
    return QiskitJob(obj) if any(base in type(obj).__mro__ for base in bases()) else None


def future_of(job: Any) -> Future[Any] | None:
    """Return the future that runs a job, where its ``status()`` is what that says; else None."""
    found = getattr(job, "_future", None)
    told_by = getattr(getattr(type(job), "status", None), "__module__", "")
    return found if isinstance(found, Future) and told_by.startswith(_FUTURES) else None


class QiskitJob(Watched):
    """One job.

    Parameters
    ----------
    job
        A JobV1 or a BasePrimitiveJob, whatever it lacks of either.
    """

    def __init__(self, job: Any) -> None:
        self._job = job
        self._id = _text(_ask(job, "job_id")) or ""
        self.system = _system(job)
        self.backend = _backend_name(job)
        self.name = _name(job)
        self.tags = tuple(tag for tag in _ask(job, "tags") or () if isinstance(tag, str))
        self.source = {"id": self._id} if self._id else {}
        self._shape = _shape(job)
        # Two jobs around one future are one job: the runtime's local mode makes such pairs.
        self.identity = self._future

    def read(self) -> Reading:
        future = self._future
        if future is not None:
            return self._read_future(future)
        if self._is_unsent:
            return Reading(JobStatus.INITIALIZING, self._facts(JobStatus.INITIALIZING), self._late_source())
        status = status_of(self._job.status())
        can_cancel = callable(getattr(self._job, "cancel", None))
        return Reading(
            status,
            self._facts(status),
            self._late_source(),
            error=_text(_ask(self._job, "error_message")) if status == JobStatus.ERROR else None,
            can_cancel=can_cancel,
            cancel_note=None if can_cancel else _NEVER_ENDS_EARLY,
        )

    def result(self) -> Any:
        try:
            value = self._job.result()
        except CancelledError as error:
            raise JobCancelledError(f"job {self._id} was cancelled") from error
        except Exception as error:
            if self._future is None:
                # The vendor has said that it is done, so that this may well be an outage.
                raise
            words = _text(_ask(self._job, "error_message")) or f"{type(error).__name__}: {error}"
            raise RuntimeJobFailureError(words) from error
        if getattr(value, "success", True) is False:
            # A backend's job is done when its simulator has said that it failed.
            raise RuntimeJobFailureError(_failure(value))
        name_values(value, _pubs(self._job))
        return value

    def cancel(self) -> bool | None:
        future = self._future
        answer = self._job.cancel() if future is None else future.cancel()
        return answer if isinstance(answer, bool) else None  # others answer with what their service has said

    def on_change(self, wake: Callable[[], None]) -> None:
        if (future := self._future) is not None:
            future.add_done_callback(lambda _: wake())

    @property
    def _future(self) -> Future[Any] | None:
        return future_of(self._job)

    @property
    def _is_unsent(self) -> bool:
        """A primitive's job that nobody has submitted: asked for its status, it raises."""
        job = self._job
        return "_future" in vars(job) and hasattr(job, "_check_submitted") and getattr(job, "_result", None) is None

    def _read_future(self, future: Future[Any]) -> Reading:
        source = self._late_source()
        if future.cancelled():
            return Reading(JobStatus.CANCELLED, self._facts(JobStatus.CANCELLED), source)
        if future.done():
            error = future.exception()
            status = JobStatus.DONE if error is None else JobStatus.ERROR
            return Reading(status, self._facts(status), source, exception=error)
        if future.running():
            facts = self._facts(JobStatus.RUNNING)
            return Reading(JobStatus.RUNNING, facts, source, can_cancel=False, cancel_note=RUNS)
        return Reading(JobStatus.QUEUED, self._facts(JobStatus.QUEUED), source)

    def _facts(self, status: JobStatus | str) -> dict[str, Fact]:
        facts: dict[str, Fact] = dict(self._shape)
        if self._id:
            facts["id"] = self._id
        if status in _WAITING and (place := _place(self._job)) is not None:
            facts["queue_place"] = place
        if is_final(status) and isinstance(usage := _ask(self._job, "usage"), (int, float)):
            facts["usage"] = usage
        return facts

    def _late_source(self) -> dict[str, Any] | None:
        """Return the source with an id that came after the job was submitted."""
        found = _text(_ask(self._job, "job_id"))
        if not found or found == self._id:
            return None
        self._id = found
        self.source = {"id": found}
        return self.source


# --- what jobs tell of themselves


def _ask(obj: Any, name: str) -> Any:
    """Return what an object tells of itself; None where it cannot."""
    try:
        found = getattr(obj, name)
        return found() if callable(found) else found
    except Exception:  # noqa: BLE001 - a method that a vendor has left out, or that needs what is not there
        return None


def _text(value: Any) -> str | None:
    return str(value) if isinstance(value, (str, int)) and not isinstance(value, bool) and str(value) else None


def _system(job: Any) -> str:
    package = type(job).__module__.partition(".")[0]
    return package.removeprefix("qiskit_") or "qiskit"


def _owner(job: Any) -> Any:
    """Return the primitive that a job is of."""
    return getattr(getattr(job, "_function", None), "__self__", None)


def _backend_name(job: Any) -> str | None:
    backend = _ask(job, "backend")
    if backend is None:
        backend = _ask(_owner(job), "backend")
    name = _ask(backend, "name")
    return name if isinstance(name, str) and name else None


def _name(job: Any) -> str:
    circuits = _circuits(job)
    names = [name for name in (_ask(circuit, "name") for circuit in circuits[:1]) if isinstance(name, str)]
    if not circuits:
        circuits = _answered(job)
        names = [name for name in (_header(answer).get("name") for answer in circuits[:1]) if isinstance(name, str)]
    what = names[0] if len(circuits) == 1 and names else f"{len(circuits)} circuits" if circuits else ""
    owner = _owner(job)
    kind = _text(getattr(job, "_primitive", None)) or (type(owner).__name__ if owner is not None else "")
    return " · ".join(part for part in (kind, what) if part) or type(job).__name__


def _circuits(job: Any) -> list[Any]:
    given = _ask(job, "circuits") if hasattr(job, "circuits") else None
    if given is None:
        given = [getattr(pub, "circuit", None) for pub in _pubs(job)]
    if not isinstance(given, (list, tuple)):
        given = [given]
    return [circuit for circuit in given if circuit is not None]


def _answered(job: Any) -> list[Any]:
    """Return what a simulator that answers at once, and keeps no circuits, tells of them in its result."""
    answers = getattr(getattr(job, "_result", None), "results", None)
    return answers if isinstance(answers, list) else []


def _header(answer: Any) -> dict[str, Any]:
    header = getattr(answer, "header", None)
    return header if isinstance(header, dict) else {}


def _pubs(job: Any) -> list[Any]:
    inputs = getattr(job, "_inputs", None)
    pubs = inputs.get("pubs") if isinstance(inputs, dict) else None
    if pubs is None:
        arguments = getattr(job, "_args", None)
        pubs = arguments[0] if isinstance(arguments, tuple) and arguments else None
    # What can be gone through only once is left to the job.
    return [pub for pub in pubs if hasattr(pub, "circuit")] if isinstance(pubs, (list, tuple)) else []


def _shape(job: Any) -> dict[str, Fact]:
    """Return how large a job is: circuits, shots or precision."""
    facts: dict[str, Fact] = {}
    pubs = _pubs(job)
    answers = _answered(job)
    if count := len(pubs) or len(_circuits(job)) or len(answers):
        facts["circuits"] = count
    options = getattr(job, "_run_options", None)
    shots = options.get("shots") if isinstance(options, dict) else getattr(options, "shots", None)
    if shots is None and answers:
        shots = getattr(answers[0], "shots", None)
    for name, value in (("shots", shots), *((part, getattr(pubs[0], part, None)) for part in _OF_PUBS if pubs)):
        if isinstance(value, (int, float)) and not isinstance(value, bool) and value:
            facts[name] = value
    return facts


_OF_PUBS: Final = ("shots", "precision")


def _place(job: Any) -> Fact | None:
    """Return a place in line: a number, a text such as ``>2000``, or what an object tells as its position."""
    told = _ask(job, "queue_position")
    if told is None:
        told = getattr(_ask(job, "queue_info"), "position", None)
    told = getattr(told, "position", told)
    if told is None or isinstance(told, (int, float, str)):
        return told
    return preview(told)


def _failure(result: Any) -> str:
    status = getattr(result, "status", None)
    told = [str(status)] if status and str(status) not in ("COMPLETED", "DONE") else []
    for place, experiment in enumerate(getattr(result, "results", None) or ()):
        if getattr(experiment, "success", True) is False:
            told.append(f"experiment {place}: {getattr(experiment, 'status', 'failed')}")
    return "; ".join(told[:5]) or "the backend says that it failed"
