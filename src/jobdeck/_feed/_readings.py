"""What a deck's frames are made of, as it is read from the store: the newest rows, older ones, and what is new."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from typing import Final, NamedTuple

from .._ports import Store
from .._records import Changes, JobQuery, JobRecord, LastWords
from .._wire import FIRST_ROWS, MORE_ROWS, JobRow
from ._rows import read_rows, read_words

_FIRST_BUDGET: Final = 45_000
"""Bytes of a first frame, however long the texts in its rows are: it is a part of what a page needs to paint at all."""
_MORE_BUDGET: Final = 1_000_000


class Page(NamedTuple):
    """Rows in the order of their numbers, the newest first; those that come after it have a number under `below`."""

    records: list[JobRecord]
    rows: list[JobRow]
    below: int

    @classmethod
    def read(cls, store: Store, below: int | None, limit: int = MORE_ROWS, budget: int = _MORE_BUDGET) -> Page:
        """Read at most `limit` rows under a number, and about `budget` bytes, but one row if there is any."""
        records = store.jobs(JobQuery(below=below, limit=limit + 1))
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
    """The newest rows of a store, and the number from which on to tell what changes."""

    store_id: str
    number: int
    counts: Mapping[str, int]
    page: Page

    @classmethod
    def read(cls, store: Store) -> First:
        """Read what a first frame tells."""
        # The number first: what changes while the rows are read is told once more rather than never.
        tally = store.tally()
        page = Page.read(store, None, FIRST_ROWS, _FIRST_BUDGET)
        return cls(store.store_id, tally.number, tally.counts, page)


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
    """

    changes: Changes
    rows: list[tuple[JobRecord, JobRow]]
    words: dict[str, LastWords]
    unread: set[str]

    @property
    def has_moved(self) -> bool:
        """Tell whether a row changed or went."""
        return bool(self.changes.jobs or self.changes.deleted)

    @classmethod
    def read(cls, store: Store, since: int, talking: Collection[str], known: Collection[str]) -> News:
        """Read what changed since a number, and what the jobs have said that are known to have said something."""
        changes = store.changes(since, MORE_ROWS)
        records = {record.job_id: record for record in changes.jobs}
        told = sorted(set(talking).difference(records, changes.deleted))
        unread, told = set(told[MORE_ROWS:]), told[:MORE_ROWS]
        strangers = tuple(job_id for job_id in told if job_id not in known)
        if strangers:
            records |= {record.job_id: record for record in store.jobs(JobQuery(job_ids=strangers))}
        rows = read_rows(store, records.values())
        words = read_words(store, [job_id for job_id in told if job_id in known])
        return cls(changes, list(zip(records.values(), rows, strict=True)), words, unread)
