"""What all jobs of an engine wait for, as their rows say it."""

from __future__ import annotations

import json
from typing import Final

from .._status import is_final
from . import jobs
from .connection import Link
from .rows import text

_AT_ONCE: Final = 500


def unsaid(link: Link, engine: str, words: str | None) -> list[str]:
    """Return jobs, a transaction's worth, that say something else than these words, or anything though they ended."""
    rows = link.execute(
        "SELECT job_id FROM jobs WHERE engine = ? AND json_extract(facts, '$.status_text') IS NOT"
        " CASE WHEN status IN ('QUEUED', 'VALIDATING', 'RUNNING') THEN ? END LIMIT ?",
        (engine, text(words), _AT_ONCE),
    )
    return [job_id for (job_id,) in rows.fetchall()]


def note(link: Link, engine: str, words: str | None) -> None:
    """Say it of those that `unsaid` finds."""
    for job_id in unsaid(link, engine, words):
        ended = is_final(jobs.get(link, job_id).status)
        patch = json.dumps({"status_text": None if ended else text(words)})
        link.execute("UPDATE jobs SET facts = json_patch(coalesce(facts, '{}'), ?) WHERE job_id = ?", (patch, job_id))
        jobs.change(link, job_id)
