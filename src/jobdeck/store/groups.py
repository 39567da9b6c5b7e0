"""Groups: what is known of jobs that belong together. How a group stands, its jobs tell."""

from __future__ import annotations

import dataclasses
import json
import re
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import pairwise
from typing import Any, Final

from .._errors import JobNotFoundError
from .._records import GroupQuery, GroupRecord, Member, NewGroup
from .._status import parse_status
from . import jobs
from .connection import Link
from .migrations import random_name
from .rows import json_text, text

MARK: Final = "g"
"""Begins the random part of a group's id, which is one character longer than a job's."""

_GROUP_ID: Final = re.compile(rf"([a-z2-7]{{6}})-{MARK}[a-z2-7]{{12}}")
_COLUMNS: Final = tuple(each.name for each in dataclasses.fields(GroupRecord))
_SELECT: Final = f"SELECT {', '.join(_COLUMNS)} FROM groups"
_ABANDONED: Final = 86_400.0
"""Seconds after which a group that never got a job is taken for one that will get none."""


def add(link: Link, new: NewGroup) -> GroupRecord:
    values = {
        "group_id": f"{link.store_id}-{MARK}{random_name(12)}",
        "kind": text(new.kind),
        "name": text(new.name),
        "tags": json_text("tags", new.tags),
        "metadata": json_text("metadata", new.metadata),
        "total": new.total,
        "created": time.time(),
        "changed": jobs.next_change(link),
    }
    link.execute(
        f"INSERT INTO groups ({', '.join(values)}) VALUES ({', '.join(f':{name}' for name in values)})", values
    )
    return _record([values[name] for name in _COLUMNS])


def get(link: Link, group_id: str) -> GroupRecord:
    row = link.execute(f"{_SELECT} WHERE group_id = ?", (group_id,)).fetchone()
    if row is None:
        raise _not_found(link, group_id)
    return _record(row)


def find(link: Link, query: GroupQuery) -> list[GroupRecord]:
    parts, values = ["1"], list[Any]()
    if query.kind is not None:
        parts.append("kind = ?")
        values.append(text(query.kind))
    if query.name is not None:
        parts.append("instr(lower(name), lower(?)) > 0")
        values.append(text(query.name))
    for tag in query.tags:
        parts.append("EXISTS (SELECT 1 FROM json_each(groups.tags) t JOIN json_each(?) w WHERE t.value = w.value)")
        values.append(json_text("tags", [tag]))
    if query.group_ids is not None:
        parts.append(f"group_id IN ({jobs.marks(query.group_ids)})")
        values += query.group_ids
    order = "DESC" if query.descending else "ASC"
    limit = -1 if query.limit is None else max(query.limit, 0)
    rows = link.execute(
        f"{_SELECT} WHERE {' AND '.join(parts)} ORDER BY created {order}, rowid {order} LIMIT ? OFFSET ?",
        (*values, limit, max(query.skip, 0)),
    ).fetchall()
    return list(map(_record, rows))


def update(
    link: Link,
    group_id: str,
    *,
    name: str | None = None,
    tags: Sequence[str] | None = None,
    metadata: Mapping[str, Any] | None = None,
    total: int | None = None,
) -> GroupRecord:
    get(link, group_id)
    values: dict[str, Any] = {
        "name": text(name),
        "tags": None if tags is None else json_text("tags", tags),
        "metadata": None if metadata is None else json_text("metadata", metadata),
        "total": total,
    }
    given = {column: value for column, value in values.items() if value is not None}
    given["changed"] = jobs.next_change(link)
    assignments = ", ".join(f"{column} = :{column}" for column in given)
    link.execute(f"UPDATE groups SET {assignments} WHERE group_id = :group_id", {**given, "group_id": group_id})
    return get(link, group_id)


def members(link: Link, group_id: str) -> list[Member]:
    """Return the group's jobs, the oldest first."""
    rows = link.execute(
        "SELECT number, job_id, status, place FROM jobs WHERE group_id = ? ORDER BY number", (group_id,)
    ).fetchall()
    if not rows:
        get(link, group_id)
    return [Member(number, job_id, parse_status(status), place) for number, job_id, status, place in rows]


def count(link: Link, group_id: str) -> dict[str, int]:
    """Count the group's jobs of each status, of each place the newest job alone."""
    sql = "SELECT status, jobs FROM tallies WHERE group_id = ?"
    counts = Counter(dict(link.execute(sql, (group_id,)).fetchall()))
    # Those that were run again are few as a rule: they are found by what repeats them, and taken off.
    rows = link.execute(
        "SELECT place, number, status FROM jobs INDEXED BY jobs_retries"
        " WHERE group_id = :group AND retry_of IS NOT NULL"
        " UNION SELECT o.place, o.number, o.status FROM jobs r INDEXED BY jobs_retries"
        " JOIN jobs o ON o.job_id = r.retry_of"
        " WHERE r.group_id = :group AND r.retry_of IS NOT NULL AND o.group_id = :group ORDER BY 1, 2",
        {"group": group_id},
    ).fetchall()
    for (place, _, status), (next_place, *_) in pairwise(rows):
        if place == next_place:
            counts[status] -= 1
    return {status: number for status, number in counts.items() if number}


@contextmanager
def counted_down(link: Link, numbers: Iterable[int]) -> Iterator[None]:
    """Have groups expect so many jobs less as are removed of them within the block.

    A job that was run again has left its place to the newer one: the place is gone with the last of them.
    """
    of_job = "SELECT group_id FROM jobs JOIN groups USING (group_id) WHERE number = ? AND total IS NOT NULL"
    found = (link.execute(of_job, (number,)).fetchone() for number in numbers)
    before = {group_id: sum(count(link, group_id).values()) for group_id in {row[0] for row in found if row}}
    yield
    for group_id, places in before.items():
        gone = places - sum(count(link, group_id).values())
        if gone > 0:
            link.execute(
                "UPDATE groups SET total = max(total - ?, 0), changed = ? WHERE group_id = ?",
                (gone, jobs.next_change(link), group_id),
            )


def changed(link: Link, since: int, most: int) -> list[GroupRecord]:
    """Return at most so many groups that changed after a change number, the earliest first; -1 sets no limit."""
    rows = link.execute(f"{_SELECT} WHERE changed > ? ORDER BY changed LIMIT ?", (since, most)).fetchall()
    return list(map(_record, rows))


def is_group_id(text: str) -> bool:
    """Tell whether a text has the form of a group's id."""
    return _GROUP_ID.fullmatch(text) is not None


def drop_if_empty(link: Link, group_id: str) -> None:
    """Remove a group whose last job is gone."""
    link.execute(
        "DELETE FROM groups WHERE group_id = ? AND NOT EXISTS (SELECT 1 FROM jobs WHERE group_id = groups.group_id)",
        (group_id,),
    )


def drop_abandoned(link: Link, now: float) -> None:
    """Remove groups that were made long ago and have no job."""
    link.execute(
        "DELETE FROM groups WHERE created < ? AND NOT EXISTS (SELECT 1 FROM jobs WHERE group_id = groups.group_id)",
        (now - _ABANDONED,),
    )


def _record(row: Sequence[Any]) -> GroupRecord:
    values = dict(zip(_COLUMNS, row, strict=True))
    values["tags"] = tuple(json.loads(values["tags"]))
    values["metadata"] = json.loads(values["metadata"])
    return GroupRecord(**values)


def _not_found(link: Link, group_id: str) -> JobNotFoundError:
    if jobs.is_job_id(group_id):
        return JobNotFoundError(f"{group_id} is the id of a job, not of a group; jobdeck.job() has it")
    found = _GROUP_ID.fullmatch(group_id)
    if found and found[1] != link.store_id:
        return JobNotFoundError(
            f"group {group_id} is of another jobdeck home (its ids begin with {found[1]}, here with {link.store_id}); "
            "look there by setting JOBDECK_HOME or with Deck(home=...)"
        )
    words = "or its last job was deleted; jobdeck.groups(), or in a terminal `jobdeck groups`, lists those there are"
    return JobNotFoundError(f"there is no group {group_id!r} here, {words}")
