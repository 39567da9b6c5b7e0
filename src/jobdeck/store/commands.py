"""Requests to stop a job, from whoever asks to the agent that runs it."""

from __future__ import annotations

import time
from collections.abc import Iterable
from typing import Final, Literal

from .._errors import JobNotFoundError, RuntimeInvalidStateError
from .._records import Command, CommandKind, JobRecord
from .._status import JobStatus, is_final
from . import jobs
from .connection import Link
from .rows import text

Asked = Literal["cancelled", "asked", "ended", "missing"]

_NOT_STARTED: Final = (JobStatus.INITIALIZING, JobStatus.QUEUED)
_UNDER_WAY: Final = ("requested", "stopping")
_OPEN: Final = (
    "SELECT commands.number, job_id, kind, origin, asked FROM commands JOIN jobs ON jobs.number = commands.job"
    " WHERE NOT taken AND engine = ? AND agent = ? ORDER BY commands.number"
)


def ask(link: Link, job_id: str, kind: CommandKind, origin: str) -> JobRecord:
    record = jobs.get(link, job_id)
    if is_final(record.status):
        raise RuntimeInvalidStateError(f"job {job_id} has ended ({record.status}); there is nothing to stop")
    now = time.time()
    if record.status in _NOT_STARTED and record.source is None:
        asked = {"cancel_state": "requested", "cancel_asked": now}
        jobs.change(link, job_id, status=JobStatus.CANCELLED.value, ended=max(now, record.created), **asked)
        return jobs.get(link, job_id)
    if record.cancel_state not in _UNDER_WAY:
        # Nobody has asked, or the owner has refused: then asking again is a new request.
        jobs.change(link, job_id, cancel_state="requested", cancel_asked=now, cancel_note=None)
        link.execute("DELETE FROM commands WHERE job = ?", (record.number,))
    same = link.execute("SELECT 1 FROM commands WHERE job = ? AND kind = ?", (record.number, kind)).fetchone()
    if same is None:
        values = (record.number, kind, text(origin), now)
        link.execute("INSERT INTO commands (job, kind, origin, asked) VALUES (?, ?, ?, ?)", values)
        if record.cancel_state in _UNDER_WAY:
            # Its agent looks for commands when a job has changed.
            jobs.change(link, job_id, cancel_state=record.cancel_state)
    return jobs.get(link, job_id)


def ask_many(link: Link, job_ids: Iterable[str], kind: CommandKind, origin: str) -> dict[str, Asked]:
    became: dict[str, Asked] = {}
    for job_id in job_ids:
        try:
            became[job_id] = "cancelled" if is_final(ask(link, job_id, kind, origin).status) else "asked"
        except JobNotFoundError:
            became[job_id] = "missing"
        except RuntimeInvalidStateError:
            became[job_id] = "ended"
    return became


def drop(link: Link, job_ids: Iterable[str]) -> list[str]:
    """Cancel those that have not started; no other is touched."""
    dropped = []
    for job_id in job_ids:
        row = link.execute("SELECT status FROM jobs WHERE job_id = ? AND source IS NULL", (job_id,)).fetchone()
        if row is not None and row[0] in _NOT_STARTED:
            ask(link, job_id, "cancel", "executor")
            dropped.append(job_id)
    return dropped


def are_open(link: Link, engine: str, agent: str) -> bool:
    return link.execute(f"{_OPEN} LIMIT 1", (engine, agent)).fetchone() is not None


def take(link: Link, engine: str, agent: str) -> list[Command]:
    found = [Command(*row) for row in link.execute(_OPEN, (engine, agent)).fetchall()]
    for command in found:
        link.execute("UPDATE commands SET taken = 1 WHERE number = ?", (command.number,))
    return found


def note(link: Link, job_id: str, state: str, words: str | None) -> None:
    if not is_final(jobs.get(link, job_id).status):
        jobs.change(link, job_id, cancel_state=state, cancel_note=text(words))
