"""Jobs as they stood at one moment: for a saved notebook, for a page without script, for a terminal."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final, Literal

from .._version import __version__
from .._wire import MIME_TYPE, PROTOCOL, Bundle, GroupView, Rows, Snapshot
from ._deck import render_deck_html, render_deck_text
from ._group import render_group_html, render_group_text
from ._html import render_html
from ._text import render_text

__all__ = [
    "WIDGET_VIEW",
    "make_bundle",
    "render_deck_html",
    "render_deck_text",
    "render_group_html",
    "render_group_text",
    "render_html",
    "render_text",
]

WIDGET_VIEW: Final = "application/vnd.jupyter.widget-view+json"


def make_bundle(
    snapshot: Snapshot,
    job_ids: Sequence[str],
    layout: Literal["card", "list", "deck", "group"],
    *,
    deck: Rows | None = None,
    group: GroupView | None = None,
    model_id: str | None = None,
) -> dict[str, Any]:
    """Return a cell's output: the same jobs in every form, for whoever can show which.

    Parameters
    ----------
    snapshot
        The jobs as they are now.
    job_ids
        What the output is about.
    layout
        ``"card"``, ``"list"``, ``"group"``, or ``"deck"`` for all jobs of the store.
    deck
        The deck's first frame, with the layouts ``"deck"`` and ``"group"``.
    group
        What the output is about, with the layout ``"group"``.
    model_id
        The widget that keeps the output alive, if there is one.
    """
    bundle: Bundle = {
        "protocol": PROTOCOL,
        "version": __version__,
        "store_id": snapshot["store_id"],
        "ids": list(job_ids),
        "layout": layout,
        "snapshot": snapshot,
        "deck": deck,
        "group": group,
    }
    forms: dict[str, Any] = {
        MIME_TYPE: bundle,
        "text/html": _html(snapshot, layout, deck, group),
        "text/plain": _text(snapshot, deck, group),
    }
    if model_id is not None:
        forms[WIDGET_VIEW] = {"version_major": 2, "version_minor": 0, "model_id": model_id}
    return forms


def _html(snapshot: Snapshot, layout: str, deck: Rows | None, group: GroupView | None) -> str:
    if deck is None:
        return render_html(snapshot, layout)
    return render_deck_html(deck) if group is None else render_group_html(group, deck)


def _text(snapshot: Snapshot, deck: Rows | None, group: GroupView | None) -> str:
    if deck is None:
        return render_text(snapshot)
    return render_deck_text(deck) if group is None else render_group_text(group, deck)
