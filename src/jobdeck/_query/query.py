"""A query: what a person types to say which jobs are meant."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import islice
from typing import Final, TypeAlias

from .._errors import QueryError
from .._ports import Store
from .._records import JobQuery, JobRecord
from .conditions import Condition, condition_of
from .facts import AT_ONCE, UNREAD, FactsWanted, read_facts
from .narrowing import narrowed
from .parser import tree_of
from .subject import JobFacts, Subject
from .syntax import Node

ReadFacts: TypeAlias = Callable[[Store, Sequence[JobRecord]], Mapping[str, JobFacts]]

_EVERYTHING: Final = JobQuery()
_FIRST_PAGE: Final = 200
_LARGEST_PAGE: Final = 3_200


@dataclass(frozen=True)
class Query:
    """A query that was read; `parse` makes one. docs/queries.md has the language."""

    text: str
    _tree: Node | None = field(repr=False)
    _condition: Condition | None = field(repr=False, compare=False)

    @property
    def is_empty(self) -> bool:
        """Whether it has no term, so that it means every job."""
        return self._condition is None

    @property
    def depends_on_time(self) -> bool:
        """Whether the answer about a job may change with nothing but time."""
        return self._condition is not None and self._condition.is_timely

    @property
    def asks_facts(self) -> bool:
        """Whether the answer may need more than a job's record."""
        return self._condition is not None and self._condition.asks_facts

    def matches(self, record: JobRecord, facts: JobFacts, now: float | None = None) -> bool:
        """Tell whether a job is meant."""
        if self._condition is None:
            return True
        return self._condition.check(Subject(record, facts, time.time() if now is None else now))

    def find(
        self,
        store: Store,
        limit: int | None = None,
        *,
        within: JobQuery = _EVERYTHING,
        facts: ReadFacts = read_facts,
        now: float | None = None,
    ) -> list[JobRecord]:
        """Return the jobs that are meant, the newest first.

        Parameters
        ----------
        limit
            At most so many.
        within
            Only jobs of this query, and in its order; its own limit and skip count among those found.
        facts
            Reads facts of jobs about which their records alone do not decide.
        now
            The present time; None means what the clock says.
        """
        now = time.time() if now is None else now
        limits = [number for number in (limit, within.limit) if number is not None]
        most = min(limits) if limits else None
        asked = narrowed(self._tree, replace(within, limit=None, skip=0), now)
        if asked.is_exact:
            return store.jobs(replace(asked.query, limit=most, skip=within.skip))
        pages = [store.jobs(asked.query)] if most is None else _pages(store, asked.query)
        parts = (page[start : start + AT_ONCE] for page in pages for start in range(0, len(page), AT_ONCE))
        found = (record for part in parts for record in self._matching(store, part, facts, now))
        return list(islice(found, within.skip, None if most is None else within.skip + most))

    def _matching(self, store: Store, records: list[JobRecord], read: ReadFacts, now: float) -> list[JobRecord]:
        answers: dict[str, bool] = {}
        undecided: list[JobRecord] = []
        for record in records:
            try:
                answers[record.job_id] = self.matches(record, UNREAD, now)
            except FactsWanted:
                undecided.append(record)
        if undecided:
            known = read(store, undecided)
            answers |= {each.job_id: self.matches(each, known[each.job_id], now) for each in undecided}
        return [record for record in records if answers[record.job_id]]

    def __str__(self) -> str:
        return self.text


def _pages(store: Store, query: JobQuery) -> Iterator[list[JobRecord]]:
    """Read what a query finds page by page, since the first few may be all that is wanted."""
    if not query.descending:
        yield store.jobs(query)
        return
    size, below = _FIRST_PAGE, query.below
    while True:
        page = store.jobs(replace(query, limit=size, below=below))
        yield page
        if len(page) < size:
            return
        size, below = min(size * 4, _LARGEST_PAGE), page[-1].number


def parse(text: str) -> Query:
    """Read a query. QueryError says what is wrong with which word."""
    try:
        tree = tree_of(text)
        return Query(text, tree, None if tree is None else condition_of(tree, text))
    except QueryError as error:
        # The error points at the place in the text; the places in the parser tell nobody anything.
        raise error.with_traceback(None) from None
