"""Tab completion for ``%job``, ``%jobs`` and ``%cancel``."""

from __future__ import annotations

from typing import Any, Final

from .._errors import JobdeckError
from .._query import STATUS_WORDS
from .._records import JobQuery
from .._service import JobService
from .._status import is_final

_MAGICS: Final = ("%job", "%jobs", "%cancel")
_MOST: Final = 100


def begin(shell: Any) -> None:
    """Complete these magics' lines in a shell."""
    for magic in _MAGICS:
        shell.set_hook("complete_command", complete, str_key=magic)


def complete(_: Any, event: Any) -> list[str]:
    """Return what may stand after the magic: ids of recent jobs, and words of a query."""
    magic = str(event.command)
    try:
        jobs = JobService.of().store.jobs(JobQuery(limit=_MOST))
    except JobdeckError:
        return []
    if magic == "%cancel":
        jobs = [job for job in jobs if not is_final(job.status)]
    ids = [] if magic == "%jobs" else [job.job_id for job in jobs]
    tags = sorted({f"tag:{tag}" for job in jobs for tag in job.tags if " " not in tag})
    return ids if magic == "%job" else [*ids, *sorted(STATUS_WORDS), *tags, "name:"]
