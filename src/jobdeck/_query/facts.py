"""Facts about jobs that their records do not tell, read from the store where a query asks for them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Final, NoReturn

from .._errors import JobNotFoundError
from .._ports import Store
from .._records import JobRecord
from .._values import latest_text, numbers_of
from .subject import Facts

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


def read_facts(store: Store, records: Sequence[JobRecord]) -> Mapping[str, Facts]:
    """Return the facts of some jobs by id. One that was deleted meanwhile has those of its inputs alone."""
    return {record.job_id: _facts(store, record) for record in records}


def _facts(store: Store, record: JobRecord) -> Facts:
    message = result = None
    with suppress(JobNotFoundError):
        if record.interim_count > 0:
            newest = store.messages(record.job_id, record.interim_count - 1, record.interim_count)
            message = newest[0].body if newest else None
        if record.result_encoding == "json":
            outcome = store.outcome(record.job_id)
            result = outcome.body.decode() if outcome is not None and outcome.body is not None else None
    latest = "" if message is None else latest_text(message)
    return Facts(latest, numbers_of(record.inputs_preview, message, result))
