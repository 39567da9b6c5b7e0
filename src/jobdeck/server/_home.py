"""The one home that a server serves, opened when it is first asked for."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from .._feed import Conversation, obey
from .._ports import Store
from .._wire import CommandRequest, JobView

if TYPE_CHECKING:
    from .._service import JobService


class ServedHome:
    """The home's store for handlers, and the feeds that they have open.

    Opening may read the disk: call these methods off the event loop's thread. A home that cannot be opened raises
    StoreError at each call, until it can.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._feeds: set[Conversation] = set()
        self._service: JobService | None = None

    @property
    def store(self) -> Store:
        """The store, opened if need be."""
        return self._opened().store

    def obey(self, request: CommandRequest) -> JobView | None:
        """Do what was asked for; return the new job of a retry."""
        return obey(self.store, request, self.retry, "server")

    def open_feed(self, send: Callable[[Mapping[str, Any]], bool | None]) -> Conversation:
        """Open a feed about no jobs yet."""
        service = self._opened()
        feed = Conversation(service.store, service.follower, send, retry=self.retry, origin="server")
        with self._lock:
            self._feeds.add(feed)
        return feed

    def close_feed(self, feed: Conversation) -> None:
        """Close one feed; with the last one its thread and the follower's end."""
        with self._lock:
            self._feeds.discard(feed)
        feed.close()

    @property
    def open_feeds(self) -> int:
        """Number of feeds that are open."""
        return len(self._feeds)

    def close(self) -> None:
        """Close all feeds and what this server has open of the home."""
        with self._lock:
            feeds, self._feeds = list(self._feeds), set()
            service, self._service = self._service, None
        for feed in feeds:
            feed.close()
        if service is not None:
            service.release()

    def _opened(self) -> JobService:
        # Here, so that a server that nobody asks for jobs does not load what runs them.
        from .._service import JobService

        with self._lock:
            if self._service is None:
                service = JobService.of()
                _ = service.store
                service.retain()
                self._service = service
            return self._service

    def retry(self, job_id: str, inputs: Mapping[str, str]) -> str:
        """Run a job again, with the texts of changed inputs by name; return the new job's id."""
        return self._opened().retry_job(job_id, inputs)
