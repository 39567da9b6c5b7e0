"""Results that are not in the store: fetched from where they are kept, when somebody asks for them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import NamedTuple

from .._errors import EngineError, JobError
from .._plain import size
from .._records import Outcome
from .facts import Service


class Fetched(NamedTuple):
    """What programs left, each with its body, and why some of it cannot be had."""

    outcomes: dict[str, Outcome]
    errors: dict[str, JobError]


def whole(service: Service, outcomes: Mapping[str, Outcome], timeout: float | None = None) -> Fetched:
    """Return these outcomes, by the jobs' ids, with the bodies that are kept elsewhere.

    Raises
    ------
    TimeoutError
        They could not be fetched within so many seconds.
    """
    kept = [job_id for job_id, outcome in outcomes.items() if outcome.kept is not None]
    if not kept:
        return Fetched(dict(outcomes), {})
    found = dict(outcomes)
    errors: dict[str, JobError] = {}
    for job_id, body in service.fetch_results(kept, timeout).items():
        if isinstance(body, bytes):
            found[job_id] = replace(found[job_id], body=body, kept=None)
            continue
        told = size(found.pop(job_id).kept or 0)
        record = service.store.job(job_id)
        if isinstance(body, EngineError):
            words = f"cannot be fetched now: {body}; ask again when that is back, or retry() runs it again"
        else:
            # Whoever has told before why it is gone knew more.
            gone = f"{told}, gone: "
            said = str((record.facts or {}).get("result", ""))
            why = said.removeprefix(gone) if said.startswith(gone) else body.words
            service.store.note_result(job_id, gone + why)
            words = f"was kept in {record.engine} and is gone: {why}; retry() runs it again"
        errors[job_id] = JobError(f"the result of job {record.name!r} ({job_id}), {told}, {words}")
    return Fetched(found, errors)
