"""What IBM's service says of a job, as one reading."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime, timezone
from typing import Any, Final

from ..._status import ErrorKind, JobStatus, is_final
from ..ports import Reading

Said = Mapping[str, Any]
"""A job as the service's interface shows it, alone or in a list."""

RAN_TOO_LONG: Final = 1305
"""The service's reason for cancelling a job by itself; its client library calls such a job failed, too."""
_WORDS: Final = {
    "QUEUED": JobStatus.QUEUED,
    "RUNNING": JobStatus.RUNNING,
    "COMPLETED": JobStatus.DONE,
    "FAILED": JobStatus.ERROR,
    "CANCELLED": JobStatus.CANCELLED,
}
_MESSAGE: Final = re.compile(r'"message"\s*:\s*"((?:[^"\\]|\\.)*)"')


def reading_of(job_id: str, said: Said, metrics: Said, traceback: str | None) -> Reading:
    """Return what the service says of a job.

    Parameters
    ----------
    said
        The job. A status that is not known is shown as it is.
    metrics
        Its metrics, empty where they were not asked for.
    traceback
        What a failed job left in the place of a result.
    """
    status = status_in(said)
    has_begun = status == JobStatus.RUNNING or is_final(status)
    facts: dict[str, str | float] = {"id": job_id}
    for name, value in (
        ("session", said.get("session_id")),
        ("usage", usage_in(said, metrics)),
        ("queue_place", None if has_begun else metrics.get("position_in_queue")),
        ("estimated_start", None if has_begun else _moment(metrics.get("estimated_start_time"))),
        ("estimated_usage", None if is_final(status) else said.get("estimated_running_time_seconds")),
        ("status_text", None if is_final(status) else reason_in(said)),
    ):
        if isinstance(value, (str, int, float)) and value != "":
            facts[name] = value
    error = None
    if status == JobStatus.ERROR:
        error = _words_of_failure(said, traceback)
    times = {
        name: when
        for name, text in (
            ("started", _in(metrics, "timestamps").get("running")),
            ("ended", said.get("ended") or _in(metrics, "timestamps").get("finished")),
        )
        if (when := seconds(text)) is not None
    }
    kind: ErrorKind | None = "timeout" if error is not None and _code_in(said) == RAN_TOO_LONG else None
    return Reading(status, facts, error=error, error_kind=kind, times=times)


def status_in(said: Said) -> JobStatus | str:
    """Return the status of a job; the service's own word, where that is not known."""
    word = _in(said, "state").get("status") or said.get("status")
    if not isinstance(word, str):
        return "unknown"
    known = _WORDS.get(word.strip().upper())
    if known is None:
        known = JobStatus.ERROR if word.upper().startswith("CANCELLED - RAN TOO LONG") else None
    elif known == JobStatus.CANCELLED and _code_in(said) == RAN_TOO_LONG:
        known = JobStatus.ERROR
    return known or word


def reason_in(said: Said) -> str | None:
    """Return the service's reason for a job's status, None where it gives none."""
    reason = _in(said, "state").get("reason")
    return reason if isinstance(reason, str) and reason else None


def usage_in(said: Said, metrics: Said) -> float | None:
    """Return the seconds that the job has had a device for, None while they are not known."""
    told = (
        _in(metrics, "usage").get("qpu_charge_time_seconds"),
        _in(metrics, "usage").get("quantum_seconds"),
        _in(said, "usage").get("quantum_seconds"),
        _in(said, "usage").get("seconds"),
    )
    return next((float(each) for each in told if isinstance(each, (int, float)) and each > 0), None)


def seconds(text: object) -> float | None:
    """Return a time that the service tells, in seconds since 1970."""
    if not isinstance(text, str):
        return None
    try:
        # Python 3.10 reads neither the Z nor fractions of other lengths than 3 or 6 digits.
        when = datetime.fromisoformat(re.sub(r"\.\d+", "", text).replace("Z", "+00:00"))
    except ValueError:
        return None
    fraction = re.search(r"\.\d+", text)
    whole = (when if when.tzinfo else when.replace(tzinfo=timezone.utc)).timestamp()
    return whole + (float(fraction[0]) if fraction else 0.0)


def _moment(text: object) -> str | None:
    """Return a time as a clock on the wall here tells it."""
    when = seconds(text)
    return None if when is None else datetime.fromtimestamp(when).strftime("%Y-%m-%d %H:%M")


def message_in(error: BaseException) -> str:
    """Return what the service itself says in an error of its client library; else the error's first line."""
    text = str(error)
    told = _MESSAGE.search(text)
    if told is not None:
        return told[1].replace('\\"', '"')
    return text.strip("'\"").splitlines()[0][:300] if text.strip("'\"") else type(error).__name__


def _words_of_failure(said: Said, traceback: str | None) -> str:
    reason, code = reason_in(said), _code_in(said)
    if code == RAN_TOO_LONG:
        return f"stopped by the service: it ran longer than its maximum execution time (error code {code})"
    if reason:
        return f"{reason} (error code {code})" if code else reason
    if traceback:
        # The service puts warnings and other output before it.
        return traceback[max(traceback.rfind("Traceback"), 0) :].strip()
    return "failed; the service does not say why"


def _code_in(said: Said) -> int | None:
    state = _in(said, "state")
    code = state.get("reason_code") or state.get("reasonCode")
    return code if isinstance(code, int) else None


def _in(said: Said, name: str) -> Said:
    found = said.get(name)
    return found if isinstance(found, Mapping) else {}
