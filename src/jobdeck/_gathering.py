"""Watching several jobs of other systems at once: a list of them, or what another system holds together."""

from __future__ import annotations

from collections.abc import Iterable
from concurrent.futures import Future
from typing import Any

from ._errors import EngineError, InvalidInputError
from ._group import JobGroup
from ._job import Job, JobList
from ._plain import a_kind
from ._service import JobService
from .watchers import Gathered, Watched, adapt, gather


def own(obj: Any) -> Job[Any] | JobGroup[Any] | JobList | None:
    """Return what is in a deck already, as it is, such as the job of an executor's future; None for anything else."""
    found = getattr(obj, "job", None) if isinstance(obj, Future) else obj
    return found if isinstance(found, (Job, JobGroup, JobList)) else None


def watch_list(
    service: JobService, several: Iterable[Any], name: str | None, tags: tuple[str, ...], group_id: str | None
) -> JobList:
    """Show jobs of other systems, in their order; those that are in a deck already are taken as they are.

    Raises
    ------
    InvalidInputError
        Nobody here knows what one of them is; the text names its place, and none is watched.
    """
    found: list[Job[Any] | Watched] = []
    for place, obj in enumerate(several):
        known = own(obj)
        if isinstance(known, (JobGroup, JobList)) or gather(obj) is not None:
            raise InvalidInputError(f"[{place}]: {a_kind(obj)} is several jobs itself: watch it by itself")
        try:
            found.append(known or adapt(obj))
        except InvalidInputError as error:
            raise InvalidInputError(f"[{place}]: {error}") from None
    return JobList(
        [
            each if isinstance(each, Job) else service.watch(each, name and f"{name}[{place}]", tags, group_id)
            for place, each in enumerate(found)
        ],
        service,
    )


def watch_all(service: JobService, gathered: Gathered, name: str | None, tags: tuple[str, ...]) -> JobGroup[Any]:
    """Show all jobs of what another system calls a group: those that there are, and those to come where it can be told.

    Raises
    ------
    EngineError
        They cannot be listed now.
    """
    kind, key, usual = gathered.group
    try:
        members = gathered.jobs()
    except Exception as error:
        raise EngineError(f"the jobs of {name or usual!r} ({key}) cannot be listed now: {error}") from error
    group_id = service.group_of(kind, key, name or usual)
    for each in members:
        service.watch(adapt(each), tags=tags, group_id=group_id)
    if gathered.follow is not None:
        gathered.follow(lambda each: service.watch(adapt(each), tags=tags, group_id=group_id))
    return service.group(group_id)
