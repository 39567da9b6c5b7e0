"""Sets as text: how many jobs are where, and what each is doing."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from .._status import JobStatus
from .job import ManagedJob

Statuses = Sequence[JobStatus | str | None]

_PENDING: Final = (JobStatus.INITIALIZING, JobStatus.VALIDATING, JobStatus.QUEUED)
_LINES: Final = (
    ("Successful", (JobStatus.DONE,)),
    ("Failed", (JobStatus.ERROR,)),
    ("Cancelled", (JobStatus.CANCELLED,)),
    ("Running", (JobStatus.RUNNING,)),
    ("Pending", _PENDING),
)


def summary(statuses: Statuses) -> Iterator[str]:
    """Yield how many jobs there are of each kind; those that could not be submitted count as failed."""
    counts = Counter(JobStatus.ERROR if status is None else status for status in statuses)
    yield f"       Total jobs: {len(statuses)}"
    for title, several in _LINES:
        yield f"{title:>12} jobs: {sum(counts.pop(status, 0) for status in several)}"
    for status, number in counts.items():
        yield f"{status:>12} jobs: {number}"


def details(jobs: Iterable[ManagedJob], statuses: Statuses) -> Iterator[str]:
    """Yield a few lines on each job."""
    for place, (part, status) in enumerate(zip(jobs, statuses, strict=True)):
        yield f"  experiments: {part.start_index}-{part.end_index}"
        yield f"    job index: {place}"
        if part.job is None or part.submit_error is not None:
            yield f"    status: {part.error_message() or status}"
            continue
        yield f"    job ID: {part.job.job_id()}"
        yield f"    name: {part.job.name}"
        yield f"    status: {part.note or status or 'unknown'}"
        if status == JobStatus.QUEUED:
            yield f"    queue position: {part.job.queue_position()}"
        elif status == JobStatus.ERROR:
            yield "    error_message:"
            for line in (part.error_message() or "").splitlines():
                yield f"      {line}"
