"""Jobs as one piece of HTML: no script, no style sheet, nothing that is not escaped."""

from __future__ import annotations

from html import escape
from typing import Final

from .._wire import JobView, LogChunk, MessageRow, Snapshot
from ._words import message_text, moment, plain_lines, printable, status_word, summary

_MESSAGES: Final = 10
_LINES: Final = 20
SHAPES: Final = {
    "INITIALIZING": ("○", "#757575"),
    "QUEUED": ("◌", "#757575"),
    "VALIDATING": ("◍", "#757575"),
    "RUNNING": ("◐", "#1976d2"),
    "CANCELLED": ("⊘", "#b35900"),
    "DONE": ("✓", "#2e7d32"),
    "ERROR": ("✕", "#c62828"),
}
"""Shape and colour of each status; both themes' backgrounds leave these colours readable."""

BOX: Final = (
    "border:1px solid rgba(128,128,128,.4);border-radius:3px;margin:2px 0 6px;font-family:system-ui,sans-serif;"
    "font-size:13px;line-height:1.45"
)
_HEAD: Final = "display:flex;flex-wrap:wrap;align-items:center;gap:8px;padding:6px 10px"
_PART: Final = "border-top:1px solid rgba(128,128,128,.25);padding:6px 10px"
_PRE: Final = (
    "margin:0;padding:0;white-space:pre-wrap;overflow-wrap:anywhere;background:none;color:inherit;"
    "font-family:ui-monospace,monospace;font-size:12px"
)
_LABEL: Final = "opacity:.7;font-size:11px;margin-bottom:2px"
CELL: Final = "text-align:left"
_ROW: Final = "padding:3px 10px 3px 0;text-align:left;vertical-align:top"


def render_html(snapshot: Snapshot, layout: str) -> str:
    """Return the jobs as they stand, as cards or as a table."""
    jobs = snapshot["jobs"]
    if not jobs:
        return f'<div style="{BOX};padding:6px 10px">No jobs.</div>'
    if layout == "list" or len(jobs) > 20:
        return _table(snapshot)
    return "".join(
        _card(job, snapshot["messages"].get(job["id"], []), snapshot["logs"].get(job["id"]), snapshot["now"])
        for job in jobs
    )


def _card(job: JobView, rows: list[MessageRow], log: LogChunk | None, now: float) -> str:
    parts = [_head(job, now), _bar(job)]
    error = job["error"]
    if error is not None:
        parts.append(_part("Error", error["traceback"] or error["text"], colour="#c62828"))
    if job["result"] is not None:
        parts.append(_part("Result", job["result"]))
    if rows:
        shown = rows[-_MESSAGES:]
        text = "\n".join(f"{moment(float(row[1]))}  {message_text(row)}" for row in shown)
        parts.append(_part(_counted("Interim results", len(shown), job["interim_count"]), text))
    if lines := plain_lines(log, _LINES):
        parts.append(_part("Output", "\n".join(lines)))
    if job["inputs"]:
        parts.append(_part("Inputs", "\n".join(f"{name} = {value}" for name, value in job["inputs"].items())))
    return f'<div style="{BOX}">{"".join(parts)}</div>'


def _head(job: JobView, now: float) -> str:
    tags = "".join(f'<span style="opacity:.75;font-size:11px">{_text(tag)}</span>' for tag in job["tags"])
    left = f"{_badge(job)}<strong>{_text(job['name'])}</strong>{tags}"
    when = moment(job["created"], date=True)
    right = " · ".join(part for part in (summary(job, now), when) if part)
    return f'<div style="{_HEAD}">{left}<span style="margin-left:auto;opacity:.7">{_text(right)}</span></div>'


def _badge(job: JobView) -> str:
    return badge(job["status"], status_word(job))


def badge(status: str, word: str) -> str:
    """Return a status as a shape and a word in its colour."""
    shape, colour = SHAPES.get(status, ("?", "#757575"))
    edge = f"border:1px solid {colour};border-radius:10px;padding:0 8px"
    style = f"{edge};color:{colour};font-weight:600;font-size:12px;white-space:nowrap"
    return f'<span style="{style}">{shape} {_text(word)}</span>'


def _bar(job: JobView) -> str:
    progress = job["progress"]
    if progress is None or not progress["total"] or job["status"] == "DONE":
        return ""
    width = max(0.0, min(1.0, progress["done"] / progress["total"])) * 100
    inner = f'<div style="width:{width:.1f}%;height:2px;background:{SHAPES["RUNNING"][1]}"></div>'
    return f'<div style="height:2px;background:rgba(128,128,128,.25)">{inner}</div>'


def _part(label: str, text: str, colour: str = "inherit") -> str:
    return (
        f'<div style="{_PART}"><div style="{_LABEL}">{_text(label)}</div>'
        f'<pre style="{_PRE};color:{colour}">{_text(text)}</pre></div>'
    )


def _counted(label: str, shown: int, count: int) -> str:
    return f"{label}: {count}" if shown >= count else f"{label}: the last {shown} of {count}"


def _table(snapshot: Snapshot) -> str:
    heads = "".join(f'<th style="{_ROW};font-weight:600">{head}</th>' for head in ("Status", "Name", "Time", "Last"))
    rows = "".join(
        f'<tr><td style="{_ROW}">{_badge(job)}</td><td style="{_ROW}">{_text(job["name"])}</td>'
        f'<td style="{_ROW}">{_text(summary(job, snapshot["now"]))}</td>'
        f'<td style="{_ROW}">{_text(_last_word(job, snapshot["messages"].get(job["id"], [])))}</td></tr>'
        for job in snapshot["jobs"]
    )
    return (
        f'<div style="{BOX};padding:4px 10px"><table style="border-collapse:collapse">'
        f"<thead><tr>{heads}</tr></thead><tbody>{rows}</tbody></table></div>"
    )


def _last_word(job: JobView, rows: list[MessageRow]) -> str:
    error = job["error"]
    if error is not None:
        return error["text"].splitlines()[0][:120] if error["text"] else error["kind"]
    if job["result"] is not None:
        return job["result"][:120]
    return message_text(rows[-1])[:120] if rows else ""


def _text(text: str) -> str:
    return escape(printable(text))
