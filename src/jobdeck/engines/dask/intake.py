"""What the workers tell, written into the store: each message once and in order, the output at its place."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final

from ..._errors import EngineError
from ..._ports import Store
from ..._records import CommandKind, JobRecord
from .ledger import Ledger
from .travel import End

_FETCH: Final = 200
"""Messages that a worker is asked for at a time."""
_AT_ONCE: Final = 200
"""Messages that are written down in one transaction."""

Ask = Callable[..., Any]
"""``ask(worker, question, job_id, *details)``. EngineError where the worker does not answer."""


@dataclass
class Away:
    """A job that is with the scheduler.

    Attributes
    ----------
    record
        As it was handed over.
    seen, log
        The number of its last message in the store, and bytes of output there.
    run, worker
        Which of its runs this is, and where.
    over
        Its earlier runs, of which news may come late, from hosts that were cut off for a while.
    before, log_before
        Messages and bytes of earlier runs, which died with their workers.
    restarts
        How many those were.
    wish, withdrawn, ask_again
        What is asked of it, when it was taken back from the scheduler, and when to ask its worker again, which did not
        answer.
    verdict
        Why it counts as lost, whatever else comes.
    """

    record: JobRecord
    seen: int
    log: int
    run: str | None = None
    worker: str | None = None
    before: int = 0
    log_before: int = 0
    restarts: int = 0
    wish: CommandKind | None = None
    withdrawn: float | None = None
    ask_again: float | None = None
    verdict: str | None = None
    over: set[str] = field(default_factory=set)

    @property
    def job_id(self) -> str:
        """The job's id."""
        return self.record.job_id

    def begin(self, run: str, worker: str) -> None:
        """Another run begins, and counts its messages anew."""
        if self.run is not None:
            self.over.add(self.run)
            self.before, self.log_before = self.seen, self.log
        self.run, self.worker = run, worker


class Intake:
    """Writes into a store what workers tell, and asks them for what was not told.

    Messages are collected until `write`, for each transaction costs more than a message.

    Parameters
    ----------
    store : Store
    ledger : Ledger
        Where it is noted which jobs have begun.
    ask : Ask
    """

    def __init__(self, store: Store, ledger: Ledger, ask: Ask) -> None:
        self._store = store
        self._ledger = ledger
        self._ask = ask
        self._messages: list[tuple[str, str, bool]] = []

    def away(self, record: JobRecord) -> Away:
        """Return a job as it stands in the store."""
        path = self._store.log_path(record.job_id)
        return Away(record, record.interim_count, path.stat().st_size if path.exists() else 0)

    def add_messages(self, away: Away, messages: list[tuple[int, bool, str | None]]) -> None:
        """Add messages, of which some may be there already, and some missing before them."""
        for number, final, body in messages:
            seq = away.before + number
            if seq <= away.seen:
                continue
            if seq > away.seen + 1 or body is None:
                self._fetch_messages(away, number)
            else:
                self._add_message(away, body, final=final)

    def add_log(self, away: Away, start: int, piece: bytes) -> None:
        """Add a piece of captured output."""
        at = away.log_before + start
        if at > away.log:
            self._fetch_log(away, start)
        if away.log >= at and at + len(piece) > away.log:
            self._write_log(away, piece[away.log - at :])

    def catch_up(self, away: Away, end: End) -> str | None:
        """Get what has not been told yet; returns what cannot be had any more, in words."""
        try:
            self._fetch_messages(away, end["messages"])
            self._fetch_log(away, end["log"])
        except EngineError as error:
            return f"{end['messages'] - (away.seen - away.before)} messages could not be fetched: {error}"
        return None

    def write(self) -> None:
        """Write down the messages that have come. StoreError if it cannot be done now: they stay here."""
        if self._messages:
            # A job that has said something is RUNNING.
            self._ledger.write_begun()
            self._store.add_messages(self._messages)
            self._messages = []

    def _add_message(self, away: Away, body: str, *, final: bool) -> None:
        self._messages.append((away.job_id, body, final))
        away.seen += 1
        if len(self._messages) >= _AT_ONCE:
            self.write()

    def _fetch_messages(self, away: Away, until: int) -> None:
        """Get messages from the worker that the scheduler has not kept, or that are too large for it."""
        while (start := away.seen - away.before) < until:
            found = self._ask(away.worker, "messages", away.job_id, start, min(start + _FETCH, until))
            for _, final, body in found:
                self._add_message(away, body, final=final)
            if not found:
                return

    def _fetch_log(self, away: Away, until: int) -> None:
        while (start := away.log - away.log_before) < until:
            piece = self._ask(away.worker, "log", away.job_id, start, until)
            if not piece:
                return
            self._write_log(away, piece)

    def _write_log(self, away: Away, piece: bytes) -> None:
        path = self._store.log_path(away.job_id)
        path.parent.mkdir(mode=0o700, exist_ok=True)
        fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            away.log += os.pwrite(fd, piece, away.log)
        finally:
            os.close(fd)
