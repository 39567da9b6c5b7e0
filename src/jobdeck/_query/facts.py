"""Facts about jobs that their records do not tell, read from the store where a query asks for them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Final, NoReturn

from .._ports import Store
from .._records import JobRecord, LastWords
from .._values import LONGEST_BODY, latest_text, numbers_of

AT_ONCE: Final = 200
"""Jobs whose facts are read at a time, so that a few hundred large messages are not all held in memory at once."""


class FactsWanted(Exception):
    """A condition asked for facts that were not read yet."""


class Unread:
    """Stands for facts that were not read yet: to ask for them raises FactsWanted."""

    @property
    def latest(self) -> NoReturn:
        raise FactsWanted

    @property
    def values(self) -> NoReturn:
        raise FactsWanted


UNREAD: Final = Unread()


class StoredFacts:
    """Facts made from what the store has, each when it is asked for."""

    def __init__(self, record: JobRecord, words: LastWords) -> None:
        self._record = record
        self._words = words

    @cached_property
    def latest(self) -> str:
        return "" if self._words.message is None else latest_text(self._words.message)

    @cached_property
    def values(self) -> Mapping[str, float]:
        return numbers_of(self._record.inputs_preview, self._words.message, self._words.result)


def read_facts(store: Store, records: Sequence[JobRecord]) -> Mapping[str, StoredFacts]:
    """Return the facts of some jobs by id. One that was deleted meanwhile has those of its inputs alone."""
    ids = [record.job_id for record in records if record.interim_count > 0 or record.result_encoding == "json"]
    told = store.last_words(ids, LONGEST_BODY + 1) if ids else {}
    return {record.job_id: StoredFacts(record, told.get(record.job_id, LastWords())) for record in records}
