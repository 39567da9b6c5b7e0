"""Finding jobs by what a person types: an id or part of one, or words."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fnmatch import fnmatch
from typing import Final

from ._errors import InvalidInputError, JobNotFoundError
from ._plain import plain
from ._ports import Store
from ._records import JobQuery, JobRecord
from ._status import FINAL, JobStatus

_ALL: Final = tuple(status.value for status in JobStatus)
STATUS_WORDS: Final[dict[str, tuple[str, ...]]] = {
    **{status.value.lower(): (status.value,) for status in JobStatus},
    "failed": ("ERROR",),
    "canceled": ("CANCELLED",),
    "waiting": ("QUEUED",),
    "active": tuple(status.value for status in JobStatus if status not in FINAL),
    "ended": tuple(sorted(status.value for status in FINAL)),
}
_KEYS: Final = ("name", "status", "tag")
_SHOWN: Final = 5

GRAMMAR: Final = "words of: a status (running, done, failed, active, ended …), tag:TAG, name:PATTERN, or part of a name"


@dataclass(frozen=True)
class Wanted:
    """What a query asks for. All of it has to hold; of several statuses, one."""

    statuses: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    patterns: tuple[str, ...] = ()
    words: tuple[str, ...] = ()

    def find(self, store: Store, limit: int | None = None) -> list[JobRecord]:
        """Return the jobs, the newest first."""
        exact = not self.patterns and not self.words
        records = store.jobs(JobQuery(status=self.statuses or None, tags=self.tags, limit=limit if exact else None))
        return [record for record in records if self._matches(record)][:limit]

    def _matches(self, record: JobRecord) -> bool:
        name = record.name.lower()
        return all(fnmatch(name, pattern) for pattern in self.patterns) and all(
            word in name or word in record.job_id for word in self.words
        )


def parse_query(words: Sequence[str]) -> Wanted:
    """Read a query. InvalidInputError names a word that is none."""
    statuses: list[str] = []
    tags: list[str] = []
    patterns: list[str] = []
    free: list[str] = []
    for word in words:
        key, colon, value = word.partition(":")
        if colon and key.lower() in _KEYS:
            if not value:
                raise InvalidInputError(f"{plain(word)!r} lacks what comes after the colon")
            if key.lower() == "status":
                statuses += _status(value)
            else:
                (tags if key.lower() == "tag" else patterns).append(value if key.lower() == "tag" else value.lower())
        elif colon and key.isidentifier():
            raise InvalidInputError(f"there is no {plain(key)!r} to ask for; there are {', '.join(_KEYS)}")
        elif word.lower() in STATUS_WORDS:
            statuses += STATUS_WORDS[word.lower()]
        else:
            free.append(word.lower())
    return Wanted(tuple(dict.fromkeys(statuses)), tuple(tags), tuple(patterns), tuple(free))


def resolve(store: Store, job_id: str) -> JobRecord:
    """Return the job of this id, or of the only id that begins or ends with it. JobNotFoundError if there is none."""
    try:
        return store.job(job_id)
    except JobNotFoundError as error:
        unknown = error
    found = [record for record in store.jobs(JobQuery()) if _abbreviates(job_id, record.job_id)]
    if len(found) == 1:
        return found[0]
    if not found:
        raise unknown
    some = ", ".join(record.job_id for record in found[:_SHOWN])
    more = f" and {len(found) - _SHOWN} more" if len(found) > _SHOWN else ""
    raise JobNotFoundError(f"{plain(job_id)!r} could be any of {len(found)} jobs: {some}{more}; give more of the id")


def _abbreviates(part: str, job_id: str) -> bool:
    own = job_id.partition("-")[2]
    return bool(part) and (job_id.startswith(part) or own.startswith(part) or own.endswith(part))


def _status(word: str) -> tuple[str, ...]:
    # A foreign system may have words of its own.
    return STATUS_WORDS.get(word.lower(), (word,))
