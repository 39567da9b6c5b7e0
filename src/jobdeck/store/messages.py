"""Interim messages. A message's key is its job's number and its own, so that one job's messages lie side by side."""

from __future__ import annotations

import time
from collections.abc import Collection

from .._errors import RuntimeInvalidStateError
from .._records import MessageRecord
from . import blobs
from .blobs import Blob
from .connection import Link
from .jobs import FINAL_SQL, get, number_of

_SEQ = (1 << 32) - 1

# One statement takes the write lock, finds the next number and inserts: publishers in many threads and processes
# cannot come between. It inserts nothing where the job is gone, has ended, or has its final message.
_NEWEST = "FROM messages WHERE id > :low AND id < :high ORDER BY id DESC LIMIT 1"
_INSERT = f"""
INSERT INTO messages (id, time, final, body, blob)
SELECT coalesce((SELECT id {_NEWEST}), :low) + 1, :time, :final, :body, :blob
WHERE (SELECT status FROM jobs WHERE number = :number) NOT IN {FINAL_SQL} AND (SELECT final {_NEWEST}) IS NOT 1
RETURNING id & {_SEQ}
"""


def add(link: Link, job_id: str, body: str | Blob, final: bool) -> int:
    """Insert a message and return its number; where its body was prepared, call it in a write transaction."""
    number = number_of(link, job_id)
    values = {
        "number": number,
        "low": number << 32,
        "high": (number + 1) << 32,
        "time": time.time(),
        "final": final,
        "body": body if isinstance(body, str) else None,
        "blob": None if isinstance(body, str) else blobs.keep(link, body),
    }
    # Fetched to the end: SQLite commits only then.
    rows = link.execute(_INSERT, values).fetchall()
    if not rows:
        raise _refusal(link, job_id)
    return int(rows[0][0])


def _refusal(link: Link, job_id: str) -> RuntimeInvalidStateError:
    link.numbers.pop(job_id, None)
    record = get(link, job_id)
    why = f"it has ended ({record.status})" if record.ended is not None else "its final message was published"
    return RuntimeInvalidStateError(f"job {job_id} takes no more messages: {why}")


def get_range(link: Link, job_id: str, start: int, stop: int | None) -> list[MessageRecord]:
    low = number_of(link, job_id) << 32
    rows = link.execute(
        "SELECT m.id, m.time, m.final, m.body, b.sha256, b.body FROM messages m LEFT JOIN blobs b ON b.id = m.blob"
        " WHERE m.id > ? AND m.id <= ? ORDER BY m.id",
        (low + max(start, 0), low + (_SEQ if stop is None else max(min(stop, _SEQ), 0))),
    ).fetchall()
    if not rows:
        get(link, job_id)
    return [
        MessageRecord(
            job_id, row[0] - low, row[1], bool(row[2]), row[3] if row[3] is not None else _large(link, row[4], row[5])
        )
        for row in rows
    ]


def _large(link: Link, sha256: str, body: bytes | None) -> str:
    return blobs.body_of(link.home, sha256, body).decode()


def final_message(link: Link, number: int) -> str | None:
    """Return the body of a job's final message; nothing follows one, so that it is the newest."""
    row = link.execute(
        "SELECT m.final, m.body, b.sha256, b.body FROM messages m LEFT JOIN blobs b ON b.id = m.blob"
        " WHERE m.id > ? AND m.id < ? ORDER BY m.id DESC LIMIT 1",
        (number << 32, (number + 1) << 32),
    ).fetchone()
    if row is None or not row[0]:
        return None
    return row[1] if row[1] is not None else _large(link, row[2], row[3])


def last_seqs(link: Link, job_ids: Collection[str]) -> dict[str, int]:
    if not job_ids:
        return {}
    marks = ", ".join("?" * len(job_ids))
    rows = link.execute(
        "SELECT job_id, (SELECT m.id & 4294967295 FROM messages m"
        " WHERE m.id > (jobs.number << 32) AND m.id < ((jobs.number + 1) << 32) AND NOT m.final"
        " ORDER BY m.id DESC LIMIT 1)"
        f" FROM jobs WHERE job_id IN ({marks})",
        tuple(job_ids),
    )
    return {job_id: seq for job_id, seq in rows if seq is not None}
