"""How jobs end: what the program left behind, requests to stop, and the verdict."""

from __future__ import annotations

import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from .._errors import RuntimeInvalidStateError
from .._records import Command, CommandKind, JobRecord, Outcome
from .._status import Exit, JobStatus, Report, is_final, judge
from . import blobs, jobs
from .blobs import Blob
from .connection import Connection, Link
from .messages import final_message
from .rows import text

_PREVIEW: Final = 200
_NOT_STARTED: Final = (JobStatus.INITIALIZING, JobStatus.QUEUED)
_UNDER_WAY: Final = ("requested", "stopping")


def ask(link: Link, connection: Connection, job_id: str, kind: CommandKind, origin: str) -> JobRecord:
    record = jobs.get(link, connection, job_id)
    if is_final(record.status):
        raise RuntimeInvalidStateError(f"job {job_id} has ended ({record.status}); there is nothing to stop")
    now = time.time()
    if record.status in _NOT_STARTED:
        jobs.change(
            connection,
            job_id,
            status=JobStatus.CANCELLED.value,
            ended=max(now, record.created),
            cancel_state="requested",
            cancel_asked=now,
        )
        return jobs.get(link, connection, job_id)
    if record.cancel_state not in _UNDER_WAY:
        asked = record.cancel_asked if record.cancel_asked is not None else now
        jobs.change(connection, job_id, cancel_state="requested", cancel_asked=asked, cancel_note=None)
        connection.execute("DELETE FROM commands WHERE job = ?", (record.number,))
    values = (record.number, kind)
    if connection.execute("SELECT 1 FROM commands WHERE job = ? AND kind = ?", values).fetchone() is None:
        connection.execute(
            "INSERT INTO commands (job, kind, origin, asked) VALUES (?, ?, ?, ?)", (*values, text(origin), now)
        )
    return jobs.get(link, connection, job_id)


_OPEN: Final = (
    "SELECT commands.number, job_id, kind, origin, asked FROM commands JOIN jobs ON jobs.number = commands.job"
    " WHERE NOT taken AND engine = ? AND agent = ? ORDER BY commands.number"
)


def are_open(connection: Connection, engine: str, agent: str) -> bool:
    return connection.execute(f"{_OPEN} LIMIT 1", (engine, agent)).fetchone() is not None


def take_commands(connection: Connection, engine: str, agent: str) -> list[Command]:
    found = [Command(*row) for row in connection.execute(_OPEN, (engine, agent)).fetchall()]
    for command in found:
        connection.execute("UPDATE commands SET taken = 1 WHERE number = ?", (command.number,))
    return found


def note_cancel(link: Link, connection: Connection, job_id: str, state: str, note: str | None) -> None:
    if not is_final(jobs.get(link, connection, job_id).status):
        jobs.change(connection, job_id, cancel_state=state, cancel_note=text(note))


def set_outcome(
    link: Link, connection: Connection, home: Path, job_id: str, outcome: Outcome, body: Blob | None, exception: Blob | None
) -> None:
    record = jobs.get(link, connection, job_id)
    jobs.refuse_final(record, "takes no outcome any more")
    if connection.execute("SELECT 1 FROM outcomes WHERE job = ?", (record.number,)).fetchone() is not None:
        return
    values: tuple[Any, ...] = (
        record.number,
        outcome.ok,
        outcome.encoding,
        text(outcome.preview),
        text(outcome.exception_type),
        text(outcome.exception_text),
        text(outcome.traceback),
        outcome.interrupted,
        None if body is None else blobs.keep(connection, home, body),
        None if exception is None else blobs.keep(connection, home, exception),
    )
    connection.execute(f"INSERT INTO outcomes VALUES ({', '.join('?' * len(values))})", values)


def outcome(link: Link, connection: Connection, home: Path, job_id: str) -> Outcome | None:
    number = jobs.number_of(link, connection, job_id)
    found = _outcome(connection, home, number)
    if found is None:
        jobs.get(link, connection, job_id)
    return found


def _outcome(connection: Connection, home: Path, number: int) -> Outcome | None:
    row = connection.execute(
        "SELECT ok, encoding, preview, exception_type, exception_text, traceback, interrupted, body, exception"
        " FROM outcomes WHERE job = ?",
        (number,),
    ).fetchone()
    if row is None:
        return None
    ok, encoding, preview, exception_type, exception_text, trace, interrupted, body, exception = row
    content = None if body is None else blobs.load(connection, home, body)
    if ok and content is None and (said := final_message(connection, home, number)) is not None:
        encoding, content = "json", said.encode()
        preview = said if len(said) <= _PREVIEW else f"{said[: _PREVIEW - 1]}…"
    return Outcome(
        ok=bool(ok),
        encoding=encoding,
        body=content,
        preview=preview,
        exception_type=exception_type,
        exception_text=exception_text,
        traceback=trace,
        exception=None if exception is None else blobs.load(connection, home, exception),
        interrupted=bool(interrupted),
    )


def finish(link: Link, connection: Connection, home: Path, ends: Mapping[str, Exit]) -> list[JobRecord]:
    closed = []
    for job_id, end in ends.items():
        record = jobs.get(link, connection, job_id)
        if not is_final(record.status):
            _close(connection, home, record, end)
            record = jobs.get(link, connection, job_id)
        closed.append(record)
    return closed


def _close(connection: Connection, home: Path, record: JobRecord, end: Exit) -> None:
    left = _outcome(connection, home, record.number)
    report = left and Report(left.ok, left.exception_type, left.exception_text, left.interrupted)
    verdict = judge(report, end, cancel_asked=record.cancel_asked is not None, timeout=record.timeout)
    jobs.change(
        connection,
        record.job_id,
        status=verdict.status.value,
        ended=max(time.time(), record.started or record.created),
        error_kind=verdict.error_kind,
        error=text(verdict.error),
        traceback=left.traceback if left else None,
        exit_code=end.code,
        exit_signal=end.signal,
        peak_memory=end.peak_memory,
        cpu_time=end.cpu_time,
        result_encoding=left.encoding if left else None,
        result_preview=left.preview if left else None,
    )
    connection.execute("DELETE FROM commands WHERE job = ?", (record.number,))
