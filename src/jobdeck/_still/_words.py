"""The words in which a job's state is told, the same in every still form."""

from __future__ import annotations

import json
import re
from datetime import datetime
from typing import Final

from .._codec import display
from .._wire import JobView, LogChunk, MessageRow

_SHORT: Final = 300
_ESCAPES: Final = re.compile(r"\x1b(?:\[[0-9;:?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)?|[@-Z\\^_])")
_CONTROLS: Final = re.compile(r"[\x00-\x08\x0b-\x1f\x7f]")
STATUS_NAMES: Final = {
    "INITIALIZING": "Not submitted",
    "QUEUED": "Queued",
    "VALIDATING": "Validating",
    "RUNNING": "Running",
    "CANCELLED": "Cancelled",
    "DONE": "Done",
    "ERROR": "Error",
}


def status_word(job: JobView) -> str:
    """Return the job's status as a word; one that jobdeck does not know stands as it is."""
    if not job["final"] and job["cancel_state"] in {"requested", "stopping"}:
        return "Cancelling…"
    return STATUS_NAMES.get(job["status"], job["status"])


def summary(job: JobView, now: float) -> str:
    """Return how far the job is, how long it takes or took, and what became of a cancel."""
    parts: list[str] = []
    if job["queue_place"] is not None:
        parts.append(f"number {job['queue_place']} in line")
    progress = job["progress"]
    if progress is not None and not job["final"]:
        total = progress["total"]
        parts.append(f"{progress['done']:g}" + (f" / {total:g}" if total else ""))
        if progress["message"]:
            parts.append(progress["message"])
    if job["started"] is not None:
        ran = (job["ended"] or now) - job["started"]
        took = _took(ran) if job["final"] else duration(ran)
        verb = {"DONE": "took", "ERROR": "failed after", "CANCELLED": "stopped after"}.get(job["status"])
        parts.append(f"{verb} {took}" if verb else f"{took} elapsed")
    if job["cancel_note"] and not job["final"]:
        parts.append(job["cancel_note"])
    return " · ".join(parts)


def duration(seconds: float) -> str:
    """Return a length of time as m:ss, or h:mm:ss."""
    whole = max(0, int(seconds))
    hours, minutes = divmod(whole // 60, 60)
    return f"{hours}:{minutes:02}:{whole % 60:02}" if hours else f"{minutes}:{whole % 60:02}"


def _took(seconds: float) -> str:
    """Return how long something took that is over: below a second in tenths or hundredths of it."""
    if seconds >= 1:
        return duration(seconds)
    return f"{max(seconds, 0.01):.2f} s" if seconds < 0.1 else f"{min(seconds, 0.9):.1f} s"


def moment(seconds: float, *, date: bool = False) -> str:
    """Return a time in the local zone."""
    time = datetime.fromtimestamp(seconds).astimezone()
    return time.strftime("%Y-%m-%d %H:%M:%S" if date else "%H:%M:%S")


def message_text(row: MessageRow) -> str:
    """Return one message in a line's length."""
    body = str(row[2])
    if len(row) > 3:
        return f"{body[:_SHORT]}… ({row[3]} characters)"
    try:
        return display(body, _SHORT)
    except (json.JSONDecodeError, RecursionError):
        return body[:_SHORT]


def plain_lines(log: LogChunk | None, most: int) -> list[str]:
    """Return the last lines of captured output without colours, as they stood after all carriage returns."""
    if log is None or not log["text"]:
        return []
    lines = _ESCAPES.sub("", log["text"]).replace("\r\n", "\n").removesuffix("\n").split("\n")
    # A terminal shows what was written last after a carriage return.
    settled = (line.rstrip("\r").rsplit("\r", 1)[-1] for line in lines[-most:])
    return [printable(line) for line in settled]


def printable(text: str) -> str:
    """Return text without the control characters that no page can show."""
    return _CONTROLS.sub("\ufffd", text)
