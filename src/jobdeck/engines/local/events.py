"""What becomes of jobs' processes, as the agent hears of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final, NamedTuple


class Started(NamedTuple):
    """A job has a process, since the time `started`."""

    job_id: str
    pid: int
    started: float


class Noticed(NamedTuple):
    """A program has seen the interrupt that it was sent."""

    job_id: str


class Handed(NamedTuple):
    """A job handed over what its program left, and its process does not end yet."""

    job_id: str
    outcome: bytes


class Ended(NamedTuple):
    """A job's process is gone, and what it left behind with it."""

    job_id: str
    pid: int | None
    """None where the job was stopped before it had one."""
    started: float
    code: int | None
    signal: int | None
    peak_memory: int
    cpu_time: float
    outcome: bytes | None
    """What it handed over, see `handing`."""


_KINDS: Final[Mapping[str, Any]] = {"started": Started, "noticed": Noticed, "handed": Handed, "ended": Ended}


def event_of(word: Sequence[Any]) -> Started | Noticed | Handed | Ended:
    """Return the event that `children` tells as a plain tuple, its kind first."""
    event: Started | Noticed | Handed | Ended = _KINDS[word[0]](*word[1:])
    return event
