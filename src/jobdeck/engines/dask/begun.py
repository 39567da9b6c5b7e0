"""Which jobs have begun, written where all workers look before they begin one: with the scheduler.

Dask runs a task again, and says nothing, where a worker died with it or with its result. While an agent listens, it
stops that; these marks are for when there is none. They cost a question to the scheduler, so that a worker asks only
where it has not heard of an agent for a while, and marks the others late, once nobody has come for them.
"""

# mypy: disable-error-code="no-untyped-call"
# Most of Dask's client has no types.

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable, Collection, Iterable
from typing import Any, Final

from .connection import unpublish

_PREFIX: Final = "jobdeck-begun/"
QUIET: Final = 3.0
"""Seconds after which an agent that has not been heard of may be dead."""


class Begun:
    """What one worker has begun.

    Parameters
    ----------
    address
        The worker's.
    connect
        Returns the worker's own client, in a thread that runs a task.
    stop
        Ends a job that has begun although it must not.
    """

    def __init__(self, address: str, connect: Callable[[], Any], stop: Callable[[str], None]) -> None:
        self._address = address
        self._connect = connect
        self._stop = stop
        self._heard = float("-inf")
        self._marked: set[str] = set()
        self._late: dict[str, tuple[float, int]] = {}
        self._changed = threading.Condition()
        self._client: Any = None
        self._thread: threading.Thread | None = None
        self._closed = False

    def close(self) -> None:
        """Mark nothing any more; what is marked stays so."""
        with self._changed:
            self._closed = True
            self._changed.notify()
        if self._thread is not None:
            self._thread.join()

    def hear(self) -> None:
        """The agent has asked something: it is alive."""
        self._heard = time.monotonic()

    def begin(self, job_id: str, retries: int) -> str | None:
        """Begin a job; where it must not begin, return the address of the worker that had it before.

        Parameters
        ----------
        retries
            How often it may begin again.
        """
        if self._client is not None and time.monotonic() - self._heard < QUIET:
            with self._changed:
                self._late[job_id] = (time.monotonic() + QUIET, retries)
                if self._thread is None:
                    self._thread = threading.Thread(target=self._mark_late, name="jobdeck-begun", daemon=True)
                    self._thread.start()
                self._changed.notify()
            return None
        if self._client is None:
            self._client = self._connect()
        with self._changed:
            self._marked.add(job_id)
        return mark(self._client, job_id, retries, self._address)

    def forget(self, job_ids: Collection[str]) -> list[str]:
        """The agent has these jobs' ends. Returns those that have a mark, which is for it to remove."""
        with self._changed:
            for job_id in job_ids:
                self._late.pop(job_id, None)
            found = [job_id for job_id in job_ids if job_id in self._marked]
            self._marked.difference_update(found)
        return found

    def _mark_late(self) -> None:
        while True:
            with self._changed:
                if self._closed:
                    return
                now = time.monotonic()
                due = {job_id: retries for job_id, (when, retries) in self._late.items() if when <= now}
                if not due:
                    nearest = min((when for when, _ in self._late.values()), default=None)
                    self._changed.wait(None if nearest is None else nearest - now)
                    continue
                for job_id in due:
                    del self._late[job_id]
                self._marked.update(due)
            for job_id, retries in due.items():
                # A scheduler that does not answer has given up this worker with all that it runs, or is gone itself.
                with contextlib.suppress(OSError, TimeoutError):
                    if mark(self._client, job_id, retries, self._address) is not None:
                        self._stop(job_id)


def mark(client: Any, job_id: str, retries: int, worker: str) -> str | None:
    """Mark that a job begins on a worker; where it has begun too often, return the worker that had it before."""
    try:
        client.publish_dataset((1, worker), name=_name(job_id))
    except KeyError:
        times, before = client.get_dataset(_name(job_id), default=(0, worker))
        if times > retries:
            return str(before)
        client.publish_dataset((times + 1, worker), name=_name(job_id), override=True)
    return None


def marked(client: Any) -> set[str]:
    """Return the jobs that have a mark."""
    return {str(name).removeprefix(_PREFIX) for name in client.list_datasets() if str(name).startswith(_PREFIX)}


def unmark(client: Any, job_ids: Iterable[str]) -> None:
    """Remove the marks of jobs that have ended."""
    unpublish(client, map(_name, job_ids))


def _name(job_id: str) -> str:
    return f"{_PREFIX}{job_id}"
