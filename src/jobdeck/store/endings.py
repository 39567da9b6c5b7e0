"""How jobs end: what the program left behind, and the verdict."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterable, Mapping
from typing import Final, NamedTuple

from .._errors import JobNotFoundError
from .._plain import size
from .._records import JobRecord, News, Outcome
from .._status import Exit, JobStatus, Report, is_final, judge
from . import blobs, jobs, kept
from .blobs import Blob
from .connection import Link
from .messages import final_message
from .rows import text

_PREVIEW: Final = 200


class Bodies(NamedTuple):
    """An outcome's bodies, prepared."""

    body: Blob | None = None
    exception: Blob | None = None


def set_outcome(link: Link, job_id: str, outcome: Outcome, bodies: Bodies) -> None:
    """Keep an outcome whose bodies were prepared."""
    record = jobs.get(link, job_id)
    jobs.refuse_final(record, "takes no outcome any more")
    keep(link, record.number, outcome, bodies)


def keep(link: Link, number: int, outcome: Outcome, bodies: Bodies) -> bool:
    """Keep an outcome; False where there is one already."""
    if link.execute("SELECT 1 FROM outcomes WHERE job = ?", (number,)).fetchone() is not None:
        return False
    _insert(link, number, outcome, bodies)
    return True


def _insert(link: Link, number: int, outcome: Outcome, bodies: Bodies) -> None:
    body = None if bodies.body is None else blobs.keep(link, bodies.body)
    exception = None if bodies.exception is None else blobs.keep(link, bodies.exception)
    link.execute(
        "INSERT INTO outcomes (job, ok, encoding, preview, exception_type, exception_text, traceback, interrupted,"
        " body, exception, chart, kept) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            number,
            outcome.ok,
            outcome.encoding,
            text(outcome.preview),
            text(outcome.exception_type),
            text(outcome.exception_text),
            text(outcome.traceback),
            outcome.interrupted,
            body,
            exception,
            text(outcome.chart),
            outcome.kept,
        ),
    )


def outcome(link: Link, job_id: str) -> Outcome | None:
    """Return what the program left; a result of None after a final message is that message."""
    row = link.execute(
        "SELECT jobs.number, job, ok, encoding, preview, exception_type, exception_text, outcomes.traceback,"
        " interrupted, body, exception, outcomes.chart, kept"
        " FROM jobs LEFT JOIN outcomes ON job = jobs.number WHERE job_id = ?",
        (job_id,),
    ).fetchone()
    if row is None:
        raise jobs.not_found(link, job_id)
    number, job, ok, encoding, preview, exception_type, exception_text, trace, *others = row
    interrupted, body, exception, chart, kept_size = others
    if job is None:
        return None
    content = None if body is None else blobs.load(link, body)
    if ok and content is None and kept_size is None and (said := final_message(link, number)) is not None:
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
        chart=chart,
        kept=kept_size,
    )


def outcomes(link: Link, job_ids: Iterable[str]) -> dict[str, Outcome]:
    """Return as `outcome` does what each of these programs left, of those that left something."""
    found = {}
    for job_id in job_ids:
        with contextlib.suppress(JobNotFoundError):
            left = outcome(link, job_id)
            if left is not None:
                found[job_id] = left
    return found


def finish(link: Link, ends: Mapping[str, Exit]) -> list[JobRecord]:
    for job_id, end in ends.items():
        job = _living(link, job_id)
        if job is not None:
            _close(link, job, end, outcome(link, job_id))
    return jobs.get_all(link, ends)


def take_in(link: Link, news: News, bodies: Mapping[str, Bodies]) -> None:
    """Write down an agent's news; the outcomes' bodies were prepared."""
    for job_id in news.begun:
        with contextlib.suppress(JobNotFoundError):
            jobs.set_status(link, job_id, JobStatus.RUNNING)
    for job_id in {**news.processes, **news.outcomes, **news.ends}:
        job = _living(link, job_id)
        if job is None:
            continue
        # The first outcome counts.
        left = None if job.has_outcome else news.outcomes.get(job_id)
        if left is not None:
            _insert(link, job.number, left, bodies[job_id])
        pid, pid_started = news.processes.get(job_id, (None, None))
        process = {} if pid is None else {"pid": pid, "pid_started": pid_started}
        if job_id in news.ends:
            if left is None or (left.ok and left.body is None and left.kept is None):
                left = outcome(link, job_id)
            _close(link, job, news.ends[job_id], left, **process)
        elif process:
            jobs.change(link, job_id, **process)


class _Living(NamedTuple):
    number: int
    job_id: str
    status: str
    cancel_asked: float | None
    timeout: float | None
    begun: float
    has_outcome: int
    is_waited_for: int
    has_turn: int


def _living(link: Link, job_id: str) -> _Living | None:
    """Return what an ending is judged by, None for a job that is final or gone."""
    row = link.execute(
        "SELECT number, job_id, status, cancel_asked, timeout, coalesce(started, created),"
        f" EXISTS (SELECT 1 FROM outcomes WHERE job = number), {jobs.BEHIND} FROM jobs WHERE job_id = ?",
        (job_id,),
    ).fetchone()
    return None if row is None or is_final(row[2]) else _Living(*row)


def _close(link: Link, job: _Living, end: Exit, left: Outcome | None, **process: object) -> None:
    report = Report(left.ok, left.exception_type, left.exception_text, left.interrupted) if left else None
    verdict = judge(report, end, cancel_asked=job.cancel_asked is not None, timeout=job.timeout)
    jobs.close(
        link,
        job.job_id,
        (job.is_waited_for, job.has_turn),
        status=verdict.status.value,
        ended=max(time.time(), job.begun),
        error_kind=verdict.error_kind,
        error=text(verdict.error),
        traceback=text(left.traceback) if left else None,
        exit_code=end.code,
        exit_signal=end.signal,
        peak_memory=end.peak_memory,
        cpu_time=end.cpu_time,
        result_encoding=left.encoding if left else None,
        result_preview=text(left.preview) if left else None,
        chart=text(left.chart) if left else None,
        **process,
    )
    if left is not None and left.kept is not None:
        kept.note(link, job.job_id, f"{size(left.kept)}, kept in the cluster")
    if job.cancel_asked is not None:
        link.execute("DELETE FROM commands WHERE job = ?", (job.number,))
