"""Which jobs are meant by those that another one is to come after."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from .._errors import InvalidInputError
from .._job import Job
from .group import JobGroup

Before = Job[Any] | JobGroup[Any] | str | Iterable[Job[Any] | JobGroup[Any] | str]
"""Jobs, groups, or ids of jobs."""


def ids_before(after: Before) -> tuple[str, ...]:
    """Return the ids of all jobs that are meant, those of a group as it stands now."""
    given: Iterable[Any] = [after] if isinstance(after, (str, Job, JobGroup)) else after
    if not isinstance(given, Iterable):
        raise _refused(given)
    found: dict[str, None] = {}
    for one in given:
        if isinstance(one, JobGroup):
            found.update(dict.fromkeys(one.job_ids()))
        elif isinstance(one, Job):
            found[one.job_id()] = None
        elif isinstance(one, str):
            found[one] = None
        else:
            raise _refused(one)
    return tuple(found)


def _refused(what: object) -> InvalidInputError:
    return InvalidInputError(f"after is a job, a group, an id, or a list of these, not {type(what).__name__}")
