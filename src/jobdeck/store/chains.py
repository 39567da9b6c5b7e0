"""Chains: jobs that begin when others are done.

Jobs that were given the same ones to come after wait behind one gate, however many they are. Such a job is QUEUED and
has no ticket, so that nobody claims it. With the last of the jobs before it that is done, its gate opens and it takes a
ticket. If one of them ends in another way, those behind the gate end in ERROR, and those behind them. A job can come
after jobs alone that were there before it, so that no circle can be.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Final, NamedTuple

from .._status import JobStatus, is_final
from . import jobs
from .connection import Link
from .rows import json_text, text

_LONGEST_REASON: Final = 200
_NOT_STARTED: Final = "not started: "
_DELETED: Final = "DELETED"


class _Before(NamedTuple):
    """A job that others wait for."""

    number: int
    job_id: str
    name: str
    status: str
    error: str | None


_SELECT: Final = f"SELECT {', '.join(_Before._fields)} FROM jobs"


class Wait(NamedTuple):
    """What a new job has to wait for: a gate, if anything, or in vain, for the reason that `error` gives."""

    gate: int | None = None
    error: str | None = None
    facts: str | None = None


def wait_for(link: Link, after: Sequence[str], stamp: int) -> Wait:
    """Put up a gate before jobs that are to come after these; `stamp` is a change number of theirs."""
    if not after:
        return Wait()
    before = [_before(link, job_id) for job_id in dict.fromkeys(after)]
    others = f" and {len(before) - 1:,} more" if len(before) > 1 else ""
    facts = json_text("facts", {"after": f"{before[0].name} ({before[0].job_id}){others}"})
    failed = [each for each in before if is_final(each.status) and each.status != JobStatus.DONE]
    if failed:
        return Wait(None, _words(failed[0]), facts)
    waited = [each.number for each in before if each.status != JobStatus.DONE]
    for number in waited:
        link.execute("INSERT INTO gates (gate, before) VALUES (?, ?)", (stamp, number))
    return Wait(stamp if waited else None, None, facts)


def settle(link: Link, job_id: str, *, deleted: bool = False) -> None:
    """Let the jobs begin, or end, that waited for a job which has ended or is about to be deleted."""
    found = link.execute(
        f"{_SELECT} WHERE job_id = ? AND EXISTS (SELECT 1 FROM gates WHERE before = jobs.number)", (job_id,)
    ).fetchone()
    if found is None:
        return
    # A list rather than a recursion: a chain can be thousands of jobs long.
    ended = [_Before(*found)._replace(status=_DELETED) if deleted else _Before(*found)]
    while ended:
        job = ended.pop()
        for (gate,) in link.execute("SELECT gate FROM gates WHERE before = ?", (job.number,)).fetchall():
            if job.status == JobStatus.DONE:
                link.execute("DELETE FROM gates WHERE gate = ? AND before = ?", (gate, job.number))
                if link.execute("SELECT 1 FROM gates WHERE gate = ? LIMIT 1", (gate,)).fetchone() is None:
                    _open(link, gate)
            else:
                link.execute("DELETE FROM gates WHERE gate = ?", (gate,))
                ended += _end(link, gate, _words(job))


def _open(link: Link, gate: int) -> None:
    for number, status in _behind(link, gate):
        stamp = jobs.next_change(link)
        ticket = stamp if status == JobStatus.QUEUED else None
        link.execute("UPDATE jobs SET ticket = ?, changed = ? WHERE number = ?", (ticket, stamp, number))
    link.execute("UPDATE jobs SET gate = NULL WHERE gate = ?", (gate,))


def _end(link: Link, gate: int, words: str) -> list[_Before]:
    """End what waits behind a gate; return what others may wait for."""
    ended = []
    for number, _ in _behind(link, gate):
        link.execute(
            "UPDATE jobs SET status = 'ERROR', error_kind = 'submit', error = ?, ended = max(?, created), changed = ?"
            " WHERE number = ?",
            (text(words), time.time(), jobs.next_change(link), number),
        )
        ended.append(_Before(*link.execute(f"{_SELECT} WHERE number = ?", (number,)).fetchone()))
    link.execute("UPDATE jobs SET gate = NULL WHERE gate = ?", (gate,))
    return ended


def _behind(link: Link, gate: int) -> list[tuple[int, str]]:
    """Return numbers and statuses of the jobs that wait behind a gate, in their order."""
    sql = "SELECT number, status FROM jobs WHERE gate = ? AND status IN ('INITIALIZING', 'QUEUED') ORDER BY number"
    return link.execute(sql, (gate,)).fetchall()


def _before(link: Link, job_id: str) -> _Before:
    row = link.execute(f"{_SELECT} WHERE job_id = ?", (job_id,)).fetchone()
    if row is None:
        raise jobs.not_found(link, job_id)
    return _Before(*row)


def _words(job: _Before) -> str:
    if job.error is not None and job.error.startswith(_NOT_STARTED):
        # Of a chain each job names the one that has failed, rather than all those between.
        return job.error
    reason = "" if not job.error else f": {job.error.splitlines()[0][:_LONGEST_REASON]}"
    became = {JobStatus.CANCELLED: "was cancelled", _DELETED: "was deleted"}.get(job.status, f"failed{reason}")
    before = f"job {job.name!r} ({job.job_id}), which has to be done before it,"
    return f"{_NOT_STARTED}{before} {became}; retry() runs it all the same"
