"""Results that are kept in a cluster: what their jobs' rows say of them, and which of them nobody can ask for."""

from __future__ import annotations

import json
from collections.abc import Collection

from .connection import Link


def note(link: Link, job_id: str, words: str) -> None:
    """Say on a job's row what there is of its result, beside what else is told there."""
    link.execute(
        "UPDATE jobs SET facts = json_patch(coalesce(facts, '{}'), ?) WHERE job_id = ?",
        (json.dumps({"result": words}), job_id),
    )


def leave(link: Link, number: int) -> None:
    """Remember of a job that is about to be removed that its cluster is to forget its result."""
    link.execute(
        "INSERT OR IGNORE INTO leftovers SELECT job_id, engine FROM jobs JOIN outcomes ON job = number"
        " WHERE number = ? AND kept IS NOT NULL",
        (number,),
    )


def leftovers(link: Link, engine: str) -> list[str]:
    return [job_id for (job_id,) in link.execute("SELECT job_id FROM leftovers WHERE engine = ?", (engine,)).fetchall()]


def drop_leftovers(link: Link, job_ids: Collection[str]) -> None:
    for job_id in job_ids:
        link.execute("DELETE FROM leftovers WHERE job_id = ?", (job_id,))
