"""Reaching a scheduler: tried in a thread, while the rows of the jobs say that it does not answer."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from concurrent.futures import Future, wait
from typing import Final

from ..._ports import Store
from .address import scheduler_address
from .cluster import Cluster
from .connection import patience

TELL_AFTER: Final = 2.0
"""Seconds without an answer from which on the jobs say so."""
_TELL_EVERY: Final = 1.0
"""Seconds between looks for jobs that have come, or ended, meanwhile."""


class Reaching:
    """Tries to reach a scheduler until it answers.

    Parameters
    ----------
    store : Store
    engine : str
        Whose jobs say that it does not answer.
    connect
        Makes a connection; EngineError where there is none to be had. It may take long, and is called in a thread.
    """

    def __init__(self, store: Store, engine: str, connect: Callable[[], Cluster]) -> None:
        self._store = store
        self._engine = engine
        self._connect = connect
        self._attempt: Future[Cluster] | None = None
        self._since: float | None = None
        self._clock_since = ""
        self._next_tell = 0.0
        self._patience = patience()

    def cluster(self, timeout: float) -> Cluster | None:
        """Return the connection; None if there is none yet, after so many seconds.

        Raises
        ------
        EngineError
            An attempt has failed; the next call begins another one.
        """
        if self._since is None:
            self._since = time.monotonic()
            self._clock_since = time.strftime("%H:%M:%S")
            self._next_tell = self._since + TELL_AFTER
        if self._attempt is None:
            self._attempt = Future()
            threading.Thread(target=self._try, args=(self._attempt,), name="jobdeck-reaching", daemon=True).start()
        self._tell()
        wait([self._attempt], timeout)
        if not self._attempt.done():
            return None
        attempt, self._attempt = self._attempt, None
        cluster = attempt.result()
        self._since = None
        self._store.note_wait(self._engine, None)
        return cluster

    @property
    def is_given_up(self) -> bool:
        """Whether it has not answered for longer than anybody should wait."""
        return self._since is not None and time.monotonic() - self._since > self._patience

    def _try(self, attempt: Future[Cluster]) -> None:
        try:
            attempt.set_result(self._connect())
        except Exception as error:  # noqa: BLE001 - whoever waits for it gets it
            attempt.set_exception(error)

    def _tell(self) -> None:
        now = time.monotonic()
        if now >= self._next_tell:
            self._next_tell = now + _TELL_EVERY
            place = scheduler_address(self._engine)
            self._store.note_wait(
                self._engine, f"waiting for the scheduler at {place}, which does not answer (since {self._clock_since})"
            )
