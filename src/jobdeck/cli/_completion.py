"""What a shell offers for an ID or a QUERY."""

from __future__ import annotations

from typing import Final

import click
from click.shell_completion import CompletionItem

from .._errors import JobdeckError
from .._query import Vocabulary
from .._query import complete as complete_query
from .._records import JobQuery, JobRecord
from .._service import JobService
from .._status import is_final

_MOST: Final = 200


def complete(context: click.Context, parameter: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Return what a word of a query may go on with, and where an ID may stand those of jobs under way."""
    jobs = _newest(context)
    found = complete_query(incomplete, len(incomplete), Vocabulary.of(jobs))
    items = [CompletionItem(incomplete[: found.start] + text, help=hint or None) for text, hint in found.options]
    if parameter.name != "what":
        return items
    under_way = [job for job in jobs if not is_final(job.status) and job.job_id.startswith(incomplete)]
    return [*(CompletionItem(job.job_id, help=job.name) for job in under_way), *items]


def complete_id(context: click.Context, _: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Return what an ID may be: those of the newest jobs."""
    jobs = [job for job in _newest(context) if job.job_id.startswith(incomplete)]
    return [CompletionItem(job.job_id, help=f"{job.name}, {job.status}") for job in jobs]


def _newest(context: click.Context) -> list[JobRecord]:
    home = context.find_root().params.get("home")
    try:
        return JobService.of(home).store.jobs(JobQuery(limit=_MOST))
    except JobdeckError:
        return []
