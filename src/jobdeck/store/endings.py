"""How jobs end: what the program left behind, and the verdict."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Final

from .._records import JobRecord, Outcome
from .._status import Exit, Report, is_final, judge
from . import blobs, jobs
from .blobs import Blob
from .connection import Link
from .messages import final_message
from .rows import text

_PREVIEW: Final = 200


def set_outcome(link: Link, job_id: str, outcome: Outcome, body: Blob | None, exception: Blob | None) -> None:
    """Keep an outcome whose bodies were prepared."""
    record = jobs.get(link, job_id)
    jobs.refuse_final(record, "takes no outcome any more")
    if link.execute("SELECT 1 FROM outcomes WHERE job = ?", (record.number,)).fetchone() is not None:
        return
    values = {
        "job": record.number,
        "ok": outcome.ok,
        "encoding": outcome.encoding,
        "preview": text(outcome.preview),
        "exception_type": text(outcome.exception_type),
        "exception_text": text(outcome.exception_text),
        "traceback": text(outcome.traceback),
        "interrupted": outcome.interrupted,
        "body": None if body is None else blobs.keep(link, body),
        "exception": None if exception is None else blobs.keep(link, exception),
    }
    link.execute(
        f"INSERT INTO outcomes ({', '.join(values)}) VALUES ({', '.join(f':{name}' for name in values)})", values
    )


def outcome(link: Link, job_id: str) -> Outcome | None:
    """Return what the program left; a result of None after a final message is that message."""
    row = link.execute(
        "SELECT jobs.number, job, ok, encoding, preview, exception_type, exception_text, outcomes.traceback,"
        " interrupted, body, exception FROM jobs LEFT JOIN outcomes ON job = jobs.number WHERE job_id = ?",
        (job_id,),
    ).fetchone()
    if row is None:
        raise jobs.not_found(link, job_id)
    number, job, ok, encoding, preview, exception_type, exception_text, trace, interrupted, body, exception = row
    if job is None:
        return None
    content = None if body is None else blobs.load(link, body)
    if ok and content is None and (said := final_message(link, number)) is not None:
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
        exception=None if exception is None else blobs.load(link, exception),
        interrupted=bool(interrupted),
    )


def finish(link: Link, ends: Mapping[str, Exit]) -> list[JobRecord]:
    closed = []
    for record in jobs.get_all(link, ends):
        if is_final(record.status):
            closed.append(record)
        else:
            _close(link, record, ends[record.job_id])
            closed.append(jobs.get(link, record.job_id))
    return closed


def _close(link: Link, record: JobRecord, end: Exit) -> None:
    left = outcome(link, record.job_id)
    report = Report(left.ok, left.exception_type, left.exception_text, left.interrupted) if left else None
    verdict = judge(report, end, cancel_asked=record.cancel_asked is not None, timeout=record.timeout)
    jobs.change(
        link,
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
    link.execute("DELETE FROM commands WHERE job = ?", (record.number,))
