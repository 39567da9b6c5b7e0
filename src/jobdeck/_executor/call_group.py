"""The group of the deck that an executor's calls are in."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Mapping
from typing import Any

from .._errors import JobNotFoundError
from .._records import NewGroup
from .._service import JobService


class CallGroup:
    """Calls that are one line in the deck; the group is made with the first of them.

    How many calls there will be is known when it is closed. Until then its total stays open, so that nobody takes a
    pause between two calls for its end.

    Parameters
    ----------
    service
        Of the home.
    name
        What it is called in the deck.
    tags
        Words to find it by.
    metadata
        Of the group; ``max_workers`` is how many of its jobs run at a time (see ``store/quotas``).
    """

    def __init__(
        self, service: JobService, name: str, tags: tuple[str, ...] = (), metadata: Mapping[str, Any] | None = None
    ) -> None:
        self.name = name
        self.tags = tags
        self._service = service
        self._metadata = metadata or {}
        self._lock = threading.Lock()
        self._group_id: str | None = None
        self._expected = 0
        self._jobs = 0
        self._is_closed = False
        self._is_told = False

    @property
    def group_id(self) -> str:
        """Its id; makes the group if there was no call yet."""
        with self._lock:
            if self._group_id is None:
                new = NewGroup("executor", self.name, self.tags, self._metadata)
                self._group_id = self._service.store.add_group(new).group_id
            return self._group_id

    def expect(self) -> None:
        """Count a call that is on its way into the deck."""
        with self._lock:
            self._expected += 1

    def take(self, calls: int, jobs: int) -> None:
        """Count `calls` as no longer on their way: so many `jobs` of them came into the deck."""
        with self._lock:
            self._expected -= calls
            self._jobs += jobs

    def close(self) -> None:
        """Take no more calls."""
        with self._lock:
            self._is_closed = True

    def settle(self) -> bool:
        """Write down how many jobs it has, once that is known; True if there is nothing more to do.

        Raises
        ------
        StoreError
            It could not be written.
        """
        with self._lock:
            if not self._is_closed or self._expected:
                return False
            if self._group_id is None or self._is_told or not self._jobs:
                return True
            group_id = self._group_id
        # Calls that have ended may have been deleted meanwhile, and the group with the last of them.
        jobs = sum(self._service.store.tally(group_id).counts.values())
        with contextlib.suppress(JobNotFoundError):
            self._service.store.update_group(group_id, total=jobs)
        with self._lock:
            self._is_told = True
        return True
