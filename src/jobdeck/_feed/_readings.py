"""What a deck's frames are made of, as it is read from the store: the newest rows, older ones, and what is new."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from dataclasses import replace
from typing import Final, NamedTuple

from .._ports import Store
from .._records import Changes, JobQuery, JobRecord, LastWords
from .._wire import FIRST_ROWS, GROUP_ROWS, MORE_ROWS, GroupView, JobRow
from ._groups import group_view, groups_of, read_groups
from ._rows import read_rows, read_words

_FIRST_BUDGET: Final = 45_000
"""Bytes of a first frame, however long the texts in its rows are: it is a part of what a page needs to paint at all."""
_GROUP_BUDGET: Final = 150_000
_MORE_BUDGET: Final = 1_000_000


class Page(NamedTuple):
    """Rows in the order of their numbers, the newest first; those that come after it have a number under `below`."""

    records: list[JobRecord]
    rows: list[JobRow]
    below: int

    @classmethod
    def read(
        cls,
        store: Store,
        below: int | None,
        limit: int = MORE_ROWS,
        budget: int = _MORE_BUDGET,
        *,
        group_id: str | None = None,
    ) -> Page:
        """Read at most `limit` rows under a number, and about `budget` bytes, but one row if there is any."""
        records = store.jobs(JobQuery(below=below, limit=limit + 1, group_id=group_id))
        rows = read_rows(store, records[:limit])
        spent = 0
        for count, row in enumerate(rows):
            spent += len(json.dumps(row, separators=(",", ":")))
            if spent > budget and count > 0:
                rows = rows[:count]
                break
        rest = records[len(rows) :]
        return cls(records[: len(rows)], rows, rest[0].number + 1 if rest else 0)


class First(NamedTuple):
    """The newest rows of a store or a group, with their groups, and the number from which on to tell what changes."""

    store_id: str
    number: int
    counts: Mapping[str, int]
    page: Page
    groups: list[GroupView]

    @classmethod
    def read(cls, store: Store, group_id: str | None = None) -> First:
        """Read what a first frame tells."""
        # The number first: what changes while the rows are read is told once more rather than never.
        tally = store.tally(group_id)
        limit, budget = (FIRST_ROWS, _FIRST_BUDGET) if group_id is None else (GROUP_ROWS, _GROUP_BUDGET)
        page = Page.read(store, None, limit, budget, group_id=group_id)
        groups = read_groups(store, groups_of(page.records) if group_id is None else {group_id})
        return cls(store.store_id, tally.number, tally.counts, page, groups)


class News(NamedTuple):
    """What happened since a change number.

    Attributes
    ----------
    changes
        As the store tells them.
    rows
        Jobs whose whole rows were read: those that changed, and those that told something and were not known.
    words
        What known jobs have said last.
    unread
        Jobs that told something, left for the next frame.
    groups
        Groups that are new or changed.
    """

    changes: Changes
    rows: list[tuple[JobRecord, JobRow]]
    words: dict[str, LastWords]
    unread: set[str]
    groups: list[GroupView]

    @property
    def has_moved(self) -> bool:
        """Tell whether a row changed or went."""
        return bool(self.changes.jobs or self.changes.deleted)

    @classmethod
    def read(
        cls,
        store: Store,
        since: int,
        talking: Collection[str],
        known: Collection[str],
        group_id: str | None = None,
    ) -> News:
        """Read what changed since a number, and what the jobs have said that are known to have said something."""
        changes = store.changes(since, MORE_ROWS)
        if group_id is not None:
            changes = _within(changes, group_id)
        records = {record.job_id: record for record in changes.jobs}
        told = sorted(set(talking).difference(records, changes.deleted))
        unread, told = set(told[MORE_ROWS:]), told[:MORE_ROWS]
        strangers = tuple(job_id for job_id in told if job_id not in known)
        if strangers:
            found = store.jobs(JobQuery(job_ids=strangers, group_id=group_id))
            records |= {record.job_id: record for record in found}
        rows = read_rows(store, records.values())
        words = read_words(store, [job_id for job_id in told if job_id in known])
        groups = list(map(group_view, changes.groups))
        return cls(changes, list(zip(records.values(), rows, strict=True)), words, unread, groups)


def _within(changes: Changes, group_id: str) -> Changes:
    """Return what of the changes is about a group; a job that is gone may have been of any."""
    return replace(
        changes,
        jobs=tuple(record for record in changes.jobs if record.group_id == group_id),
        groups=tuple(group for group in changes.groups if group.group_id == group_id),
    )
