"""Interim messages. A message's key is its job's number and its own, so that one job's messages lie side by side."""

from __future__ import annotations

import contextlib
import json
import time
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

from .._errors import JobNotFoundError, RuntimeInvalidStateError
from .._records import LastWords, MessageRecord
from . import blobs
from .blobs import Blob
from .connection import Link
from .jobs import FINAL_SQL, get, number_of

_SEQ = (1 << 32) - 1
_WHOLE = (1 << 31) - 1
"""More characters than SQLite can hold in one value."""

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


def add_many(link: Link, several: Iterable[tuple[str, str | Blob, bool]]) -> None:
    """Insert messages; those of jobs that take none any more, or are gone, are passed over."""
    for job_id, body, final in several:
        with contextlib.suppress(RuntimeInvalidStateError, JobNotFoundError):
            add(link, job_id, body, final)


def _refusal(link: Link, job_id: str) -> RuntimeInvalidStateError:
    link.numbers.pop(job_id, None)
    record = get(link, job_id)
    why = f"it has ended ({record.status})" if record.ended is not None else "its final message was published"
    return RuntimeInvalidStateError(f"job {job_id} takes no more messages: {why}")


def get_range(link: Link, job_id: str, start: int, stop: int | None, longest: int | None) -> list[MessageRecord]:
    low = number_of(link, job_id) << 32
    rows = link.execute(
        "SELECT m.id, m.time, m.final, substr(m.body, 1, :longest), length(m.body), b.sha256, b.body"
        " FROM messages m LEFT JOIN blobs b ON b.id = m.blob WHERE m.id > :low AND m.id <= :high ORDER BY m.id",
        {
            "low": low + max(start, 0),
            "high": low + (_SEQ if stop is None else max(min(stop, _SEQ), 0)),
            "longest": _WHOLE if longest is None else longest,
        },
    ).fetchall()
    if not rows:
        get(link, job_id)
    return [_record(link, job_id, row, longest) for row in rows]


def get_after(link: Link, seen: Mapping[str, int], limit: int, longest: int) -> dict[str, list[MessageRecord]]:
    """Return what came after those messages of these jobs, all of them by one statement."""
    rows = link.execute(
        "SELECT j.job_id, m.id, m.time, m.final, substr(m.body, 1, :longest), length(m.body), b.sha256, b.body"
        " FROM json_each(:seen) s CROSS JOIN jobs j ON j.job_id = s.key"
        " CROSS JOIN messages m ON m.id > (j.number << 32) + s.value AND m.id < ((j.number + 1) << 32)"
        " LEFT JOIN blobs b ON b.id = m.blob LIMIT :limit",
        {"seen": json.dumps(dict(seen)), "longest": longest, "limit": limit},
    ).fetchall()
    found: dict[str, list[MessageRecord]] = {}
    for job_id, *columns in rows:
        found.setdefault(job_id, []).append(_record(link, job_id, columns, longest))
    return found


def _record(link: Link, job_id: str, row: Sequence[Any], longest: int | None) -> MessageRecord:
    number, when, final, text, length, sha256, blob = row
    body = _text(link, text, sha256, blob, longest)
    whole = length
    if text is None and longest is not None and len(body) >= longest:
        whole = blobs.length_of(link.home, sha256, blob)
    cut = whole if whole is not None and whole > len(body) else None
    return MessageRecord(job_id, number & _SEQ, when, bool(final), body, cut)


def _text(link: Link, text: str | None, sha256: str, blob: bytes | None, longest: int | None = None) -> str:
    """Return a body, or its first characters, from the columns of its message or of its blob."""
    if text is not None:
        return text
    if longest is None:
        return blobs.body_of(link.home, sha256, blob).decode()
    return blobs.head_of(link.home, sha256, blob, longest)


_NEWEST_OF = "SELECT id FROM messages WHERE id > (j.number << 32) AND id < ((j.number + 1) << 32)"
_LAST_WORDS = f"""
SELECT j.job_id, m.id & {_SEQ}, substr(m.body, 1, :longest), b.sha256, b.body,
  r.sha256, substr(r.body, 1, :longest), substr(f.body, 1, :longest), fb.sha256, fb.body
FROM jobs j
LEFT JOIN messages m ON m.id = ({_NEWEST_OF} AND NOT final ORDER BY id DESC LIMIT 1)
LEFT JOIN blobs b ON b.id = m.blob
LEFT JOIN outcomes o ON o.job = j.number AND o.ok
LEFT JOIN blobs r ON r.id = o.body AND o.encoding = 'json'
LEFT JOIN messages f ON o.job IS NOT NULL AND o.body IS NULL AND f.id = ({_NEWEST_OF} ORDER BY id DESC LIMIT 1)
  AND f.final
LEFT JOIN blobs fb ON fb.id = f.blob
WHERE j.job_id IN (SELECT value FROM json_each(:ids))
"""


def last_words(link: Link, job_ids: Collection[str], longest: int) -> dict[str, LastWords]:
    rows = link.execute(_LAST_WORDS, {"ids": json.dumps(list(job_ids)), "longest": longest})
    words = {}
    for job_id, seq, said, said_sha, said_blob, result_sha, result_blob, final, final_sha, final_blob in rows:
        message = None if seq is None else _text(link, said, said_sha, said_blob, longest)
        result: str | None = None
        if result_sha is not None:
            result = _text(link, None, result_sha, result_blob, longest)
        elif final is not None or final_sha is not None:
            result = _text(link, final, final_sha, final_blob, longest)
        words[job_id] = LastWords(seq or 0, message, result)
    return words


def final_message(link: Link, number: int) -> str | None:
    """Return the body of a job's final message; nothing follows one, so that it is the newest."""
    row = link.execute(
        "SELECT m.final, m.body, b.sha256, b.body FROM messages m LEFT JOIN blobs b ON b.id = m.blob"
        " WHERE m.id > ? AND m.id < ? ORDER BY m.id DESC LIMIT 1",
        (number << 32, (number + 1) << 32),
    ).fetchone()
    return _text(link, *row[1:]) if row is not None and row[0] else None


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
