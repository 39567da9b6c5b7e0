"""The deck as it stood at one moment: its newest rows as a table, with how many jobs there are."""

from __future__ import annotations

from html import escape
from typing import Final, cast

from .._status import FINAL
from .._wire import JobRow, JobView, Rows
from ._html import BOX, CELL, SHAPES
from ._words import STATUS_NAMES, moment, printable, status_word, summary

_HEAD: Final = ("Status", "Name", "Engine", "Time", "Last", "Created")
_LAST: Final = 120
_LONGEST_TABLE: Final = 62_000
"""Characters of the rows as HTML; with all else that a page gets of a deck they stay well within its budget."""
_LINES: Final = 20
"""Rows as plain text, which is shown where there is nothing better, and to people who search a notebook's file."""
_NOTHING: Final[dict[str, object]] = {
    "tags": [],
    "backend": None,
    "started": None,
    "ended": None,
    "queue_place": None,
    "cancel_state": None,
    "cancel_note": None,
    "progress": None,
    "result": None,
    "error": None,
}


def render_deck_html(deck: Rows) -> str:
    """Return the newest rows as HTML: no script, no style sheet, nothing that is not escaped."""
    head = f'<div style="padding:4px 0">{escape(printable(told_counts(deck)))}</div>'
    return f'<div style="{BOX};padding:4px 10px">{head}{rows_table(deck, "older")}</div>'


def rows_table(deck: Rows, others: str) -> str:
    """Return a frame's rows as a table, with how many `others` there are beside them."""
    body = ""
    shown = 0
    for row in deck.get("rows", []):
        text = _row(row, deck["now"])
        if len(body) + len(text) > _LONGEST_TABLE:
            break
        body += text
        shown += 1
    heads = "".join(f'<th style="{CELL}">{name}</th>' for name in _HEAD)
    table = f'<table cellpadding="3"><thead><tr>{heads}</tr></thead><tbody>{body}</tbody></table>' if body else ""
    left = _left(deck, shown, others)
    return table + (f'<div style="padding:4px 0;opacity:.7">{_text(left)}</div>' if left else "")


def render_deck_text(deck: Rows) -> str:
    """Return how many jobs there are and the newest of them, a line each."""
    return "\n".join([told_counts(deck), *rows_lines(deck, "older")])


def rows_lines(deck: Rows, others: str) -> list[str]:
    """Return a line for each of a frame's first rows, and one with how many `others` there are."""
    rows = deck.get("rows", [])[:_LINES]
    lines = [*(_line(row, deck["now"]) for row in rows), _left(deck, len(rows), others)]
    return [line for line in lines if line]


def _row(row: JobRow, now: float) -> str:
    job = _filled(row)
    shape, colour = SHAPES.get(job["status"], ("?", "#757575"))
    style = f"color:{colour};font-weight:600;white-space:nowrap"
    badge = f'<span style="{style}">{shape} {_text(status_word(job))}</span>'
    created = moment(row["created"], date=True)
    others = (row["name"][:_LAST], row["engine"], summary(job, now), _last_word(row), created)
    cells = (badge, *map(_text, others))
    return "<tr>" + "".join(f'<td style="{CELL}">{cell}</td>' for cell in cells) + "</tr>"


def _line(row: JobRow, now: float) -> str:
    job = _filled(row)
    told = " · ".join(part for part in (status_word(job), summary(job, now), _last_word(row)) if part)
    return printable(f"{row['name']} ({row['id']}): {told}")


def told_counts(deck: Rows) -> str:
    """Return how many jobs there are, in all and of each status."""
    total = deck["total"]
    if not total:
        return "no jobs"
    counts = deck["counts"]
    known = [status for status in STATUS_NAMES if status in counts]
    each = [f"{counts[s]:,} {STATUS_NAMES.get(s, s).lower()}" for s in (*known, *sorted(counts.keys() - {*known}))]
    return f"{total:,} {'job' if total == 1 else 'jobs'}: {' · '.join(each)}"


def _left(deck: Rows, shown: int, others: str) -> str:
    left = deck["total"] - shown
    return f"and {left:,} {others} {'job' if left == 1 else 'jobs'}" if left > 0 else ""


def _last_word(row: JobRow) -> str:
    error = row.get("error")
    if error is not None:
        return (error["text"].splitlines() or [error["kind"]])[0][:_LAST]
    return (row.get("latest") or row.get("result") or "").replace("\n", " ")[:_LAST]


def _filled(row: JobRow) -> JobView:
    """Return a row with the values that say nothing, as the words for a job need it."""
    return cast("JobView", _NOTHING | {"final": row["status"] in FINAL} | cast("dict[str, object]", row))


def _text(text: str) -> str:
    return escape(printable(text))
