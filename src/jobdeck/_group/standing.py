"""How a group stands: which jobs count, and what has become of them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from typing import Final

from .._records import Member
from .._status import JobStatus, is_final

_ORDER: Final = ("DONE", "ERROR", "CANCELLED", "RUNNING", "VALIDATING", "QUEUED", "INITIALIZING")


class Standing:
    """The jobs of a group at one moment, in the order of their places.

    A job that was run again is not among them: the newest one of its place stands for it.

    Parameters
    ----------
    members
        All jobs of the group, the oldest first.
    """

    def __init__(self, members: Iterable[Member]) -> None:
        everybody = list(members)
        newest = {(member.number, None) if member.place is None else (0, member.place): member for member in everybody}
        self._members = sorted(newest.values(), key=lambda member: (member.place or 0, member.number))
        self._everybody = everybody

    def __len__(self) -> int:
        return len(self._members)

    def __iter__(self) -> Iterator[Member]:
        return iter(self._members)

    @property
    def job_ids(self) -> list[str]:
        """Their ids."""
        return [member.job_id for member in self._members]

    def ids(self, status: JobStatus) -> list[str]:
        """Return the ids of those of this status."""
        return [member.job_id for member in self._members if member.status == status]

    @property
    def open_ids(self) -> list[str]:
        """Ids of all jobs of the group that have not ended, those first that have not started."""
        waiting = (JobStatus.INITIALIZING, JobStatus.QUEUED)
        found = [member for member in self._everybody if not is_final(member.status)]
        # In this order, no job that is to be cancelled takes the place of one that has just been.
        return [member.job_id for member in sorted(found, key=lambda member: member.status not in waiting)]

    @property
    def ended(self) -> int:
        """How many have ended."""
        return sum(is_final(member.status) for member in self._members)

    @property
    def counts(self) -> Counter[str]:
        """How many there are of each status."""
        return Counter(str(member.status) for member in self._members)

    def counts_of(self, *statuses: JobStatus) -> Counter[str]:
        """How many there are of these statuses."""
        return Counter({status: count for status, count in self.counts.items() if status in statuses})


def words_of(counts: Mapping[str, int]) -> str:
    """Return how many there are of each status, as people read it."""
    order = [*(status for status in _ORDER if status in counts), *sorted(counts.keys() - {*_ORDER})]
    return " · ".join(f"{counts[status]:,} {status.lower()}" for status in order)
