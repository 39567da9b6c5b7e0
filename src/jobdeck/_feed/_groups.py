"""Groups in the shape in which they travel."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from .._ports import Store
from .._records import GroupQuery, GroupRecord, JobRecord
from .._wire import GroupView
from ._views import line, moment

_NAME = 200
_TAG = 80
_MOST_TAGS = 20


def group_view(record: GroupRecord) -> GroupView:
    """Return one group as views need it."""
    return {
        "id": record.group_id,
        "kind": line(record.kind, _TAG),
        "name": line(record.name, _NAME),
        "tags": [line(tag, _TAG) for tag in record.tags[:_MOST_TAGS]],
        "total": record.total,
        "created": moment(record.created),
    }


def groups_of(records: Iterable[JobRecord]) -> set[str]:
    """Return the ids of the groups that these jobs are in."""
    return {record.group_id for record in records if record.group_id is not None}


def read_groups(store: Store, group_ids: Collection[str]) -> list[GroupView]:
    """Read those of these groups that there are, the newest first."""
    if not group_ids:
        return []
    return list(map(group_view, store.groups(GroupQuery(group_ids=tuple(group_ids)))))


def read_group(store: Store, group_id: str) -> GroupView:
    """Read one group. JobNotFoundError if there is none."""
    return group_view(store.group(group_id))
