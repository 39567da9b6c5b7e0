"""Jobs as they stood at one moment: for a saved notebook, for a page without script, for a terminal."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from .._wire import MIME_TYPE, PROTOCOL, Bundle, Snapshot
from ._html import render_html
from ._text import render_text

__all__ = ["WIDGET_VIEW", "make_bundle", "render_html", "render_text"]

WIDGET_VIEW: Final = "application/vnd.jupyter.widget-view+json"


def make_bundle(
    snapshot: Snapshot, job_ids: Sequence[str] | None, layout: str, *, model_id: str | None = None
) -> dict[str, Any]:
    """Return a cell's output: the same jobs in every form, for whoever can show which.

    Parameters
    ----------
    snapshot
        The jobs as they are now.
    job_ids
        What the output is about; None means all jobs of the store, of which the snapshot has the newest.
    layout
        ``"card"`` or ``"list"``.
    model_id
        The widget that keeps the output alive, if there is one.
    """
    ids = [view["id"] for view in snapshot["jobs"]] if job_ids is None else list(job_ids)
    bundle: Bundle = {
        "protocol": PROTOCOL,
        "store_id": snapshot["store_id"],
        "ids": ids,
        "whole": job_ids is None,
        "layout": "card" if layout == "card" else "list",
        "snapshot": snapshot,
    }
    forms: dict[str, Any] = {
        MIME_TYPE: bundle,
        "text/html": render_html(snapshot, layout),
        "text/plain": render_text(snapshot),
    }
    if model_id is not None:
        forms[WIDGET_VIEW] = {"version_major": 2, "version_minor": 0, "model_id": model_id}
    return forms
