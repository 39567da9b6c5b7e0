"""Jobs as plain text, a line each, with what went wrong beneath."""

from __future__ import annotations

from .._wire import JobView, Snapshot
from ._words import printable, status_word, summary


def render_text(snapshot: Snapshot) -> str:
    """Return the jobs as they stand."""
    if not snapshot["jobs"]:
        return "no jobs"
    return "\n".join(_job(job, snapshot["now"]) for job in snapshot["jobs"])


def _job(job: JobView, now: float) -> str:
    told = " · ".join(part for part in (status_word(job), summary(job, now)) if part)
    line = printable(f"{job['name']} ({job['id']}): {told}")
    error = job["error"]
    if error is not None and error["text"]:
        return f"{line}\n  {printable(error['text'].splitlines()[0])}"
    if job["result"] is not None:
        return f"{line} · {printable(job['result'].splitlines()[0][:80]) if job['result'] else ''}"
    return line
