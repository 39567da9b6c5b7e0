"""What other systems call a status, as one of jobdeck's."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from enum import Enum
from typing import Final

from .._status import JobStatus, foremost, is_final

_S = JobStatus
_WORDS: Final[dict[str, JobStatus]] = {
    **{status.value: status for status in JobStatus},
    **dict.fromkeys(
        ("PENDING", "CREATED", "SUBMITTED", "WAITING", "READY", "SCHEDULED", "PENDING_IN_QUEUE"), _S.QUEUED
    ),
    **dict.fromkeys(("STARTED", "ACTIVE", "EXECUTING", "PROCESSING", "IN_PROGRESS", "CANCELLING"), _S.RUNNING),
    **dict.fromkeys(("COMPLETED", "COMPLETE", "FINISHED", "SUCCESS", "SUCCEEDED", "OK"), _S.DONE),
    **dict.fromkeys(("CANCELED", "ABORTED", "STOPPED"), _S.CANCELLED),
    **dict.fromkeys(("FAILED", "FAILURE", "ERRED", "ERRORED", "CRASHED"), _S.ERROR),
}
_LONGEST: Final = 80


def status_of(said: object) -> JobStatus | str:
    """Return the status that an enum's member, a word, or a list of either means; a word that none is, as it is.

    Of a list, it is the status of the whole: final where all are, and then the worst of them.
    """
    if isinstance(said, JobStatus):
        return said
    if isinstance(said, Enum):
        known = _known(said.name) or (_known(said.value) if isinstance(said.value, str) else None)
        return known or said.name
    if isinstance(said, str):
        return _known(said) or _text(said)
    if isinstance(said, Iterable) and not isinstance(said, (bytes, dict)):
        return _of_all([status_of(each) for each in said])
    return _text(str(said))


def _known(word: str) -> JobStatus | None:
    return _WORDS.get(word.strip().upper().replace(" ", "_").replace("-", "_"))


def _text(word: str) -> str:
    word = " ".join(word.split()) or "unknown"
    return word if len(word) <= _LONGEST else f"{word[: _LONGEST - 1]}…"


def _of_all(statuses: list[JobStatus | str]) -> JobStatus | str:
    if not statuses:
        return "unknown"
    return foremost(Counter(statuses), has_begun=any(map(is_final, statuses)))
