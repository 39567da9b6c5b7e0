"""What becomes of jobs that an earlier agent, or an earlier connection, had taken from the queue for a scheduler."""

from __future__ import annotations

from enum import Enum, auto
from typing import Final

from ..._ports import Store
from ..._records import JobRecord
from ..._status import JobStatus
from .options import checked_options

_OVER: Final = ("memory", "erred")
"""A task's states, in Dask's words, in which there is nothing left to stop."""
WAITING: Final = ("released", "waiting", "queued", "no-worker")
"""Its states in which no worker has it."""


class Fate(Enum):
    """What is to be done about such a job."""

    FOLLOW = auto()
    STOP = auto()
    AGAIN = auto()
    CANCELLED = auto()
    LOST = auto()


def fate(record: JobRecord, state: str | None, *, was_heard: bool, is_new: bool) -> Fate:
    """Tell what is to be done about a job.

    Parameters
    ----------
    record
        The job, as it is in the store.
    state
        Of its task, as the scheduler that is there calls it; None if it has none.
    was_heard
        Whether a worker has told of it.
    is_new
        Whether this is another scheduler than the one that it was taken for.
    """
    may_repeat = checked_options(record.metadata).get("retries", 0) > 0
    if state in WAITING and record.status == JobStatus.RUNNING and not may_repeat:
        # The worker that ran it is gone, and another one would only be told not to begin it.
        return Fate.LOST
    if state is not None:
        return Fate.STOP if record.cancel_state is not None and state not in _OVER else Fate.FOLLOW
    if record.status == JobStatus.RUNNING or was_heard:
        return Fate.LOST
    if record.cancel_state is not None:
        return Fate.CANCELLED
    if is_new and not may_repeat:
        # It may have begun with the one that is gone, and nobody has heard of it.
        return Fate.LOST
    # Its agent ended before it had handed it over.
    return Fate.AGAIN


def recall(store: Store, engine: str) -> str | None:
    """Return the id of the scheduler that an engine's jobs were handed to last, None where there are none any more."""
    return store.setting(_name(engine))


def remember(store: Store, engine: str, scheduler_id: str | None) -> None:
    """Keep that for the next agent."""
    if recall(store, engine) != scheduler_id:
        store.set_setting(_name(engine), scheduler_id)


def _name(engine: str) -> str:
    return f"scheduler of {engine}"
