"""A group as it stood at one moment: how many of its jobs have ended, and a table of the newest."""

from __future__ import annotations

from html import escape

from .._status import foremost, is_final
from .._wire import GroupView, Rows
from ._deck import rows_lines, rows_table, told_counts
from ._html import BOX, SHAPES, badge
from ._words import STATUS_NAMES, moment, printable


def render_group_html(group: GroupView, deck: Rows) -> str:
    """Return a group as HTML: no script, no style sheet, nothing that is not escaped."""
    ended, total = _ended(deck), _total(group, deck)
    tags = "".join(f'<span style="opacity:.75;font-size:11px">{_text(tag)}</span>' for tag in group["tags"])
    when = moment(group["created"], date=True)
    right = f"{ended:,} / {total:,} · {when}"
    head = (
        '<div style="display:flex;flex-wrap:wrap;align-items:center;gap:8px;padding:4px 0">'
        f"{_badge(group, deck)}<strong>{_text(group['name'])}</strong>{tags}"
        f'<span style="margin-left:auto;opacity:.7">{_text(right)}</span></div>'
    )
    bar = f'<div style="display:flex;height:2px;background:rgba(128,128,128,.25)">{_parts(deck, total)}</div>'
    counts = f'<div style="padding:4px 0">{_text(told_counts(deck))}</div>'
    return f'<div style="{BOX};padding:4px 10px">{head}{bar}{counts}{rows_table(deck, "more")}</div>'


def render_group_text(group: GroupView, deck: Rows) -> str:
    """Return what the group is called, how many jobs there are, and some of them, a line each."""
    head = printable(f"{group['name']} ({group['id']}): {told_counts(deck)}")
    return "\n".join([head, *rows_lines(deck, "more")])


def _badge(group: GroupView, deck: Rows) -> str:
    """Return the status that says most about the group."""
    if not deck["total"]:
        return ""
    has_begun = any(row.get("started") is not None for row in deck.get("rows", []))
    status = foremost(deck["counts"], is_whole=deck["total"] >= _total(group, deck), has_begun=has_begun)
    return badge(status, STATUS_NAMES.get(status, status))


def _parts(deck: Rows, total: int) -> str:
    """Return the bar's parts: one for each status in which jobs have ended, in its colour."""
    return "".join(
        f'<div style="width:{100 * count / total:.1f}%;height:2px;background:{SHAPES[status][1]}"></div>'
        for status in ("DONE", "ERROR", "CANCELLED")
        if (count := deck["counts"].get(status))
    )


def _ended(deck: Rows) -> int:
    return sum(count for status, count in deck["counts"].items() if is_final(status))


def _total(group: GroupView, deck: Rows) -> int:
    return max(group["total"] or 0, deck["total"])


def _text(text: str) -> str:
    return escape(printable(text))
