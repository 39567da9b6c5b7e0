"""Watching what another system holds together, such as the jobs of a session, as a group."""

from __future__ import annotations

from typing import Any

from ._errors import EngineError
from ._group import JobGroup
from ._service import JobService
from .watchers import Gathered, adapt


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
