"""The queue: whose turn it is, and who has taken which job."""

from __future__ import annotations

import time
from collections.abc import Collection
from dataclasses import replace

from .._records import JobRecord
from .._status import JobStatus
from .connection import Link
from .jobs import FINAL_SQL, change, marks, number_of
from .rows import JOB_ID, SELECT_JOBS, job_record

_CLAIMABLE = "WHERE engine = ? AND status = 'QUEUED' AND ticket IS NOT NULL AND (agent IS NULL OR agent = ?)"
"""One that waits for others, or for room in its group, has no ticket; one with an agent is for that agent alone."""


def claim(link: Link, engine: str, agent: str, limit: int, status: JobStatus = JobStatus.RUNNING) -> list[JobRecord]:
    """Take the queued jobs that have waited longest; what is submitted first is first, whenever it was prepared."""
    rows = link.execute(
        f"{SELECT_JOBS} {_CLAIMABLE} ORDER BY ticket LIMIT ?", (engine, agent, max(limit, 0))
    ).fetchall()
    claimed = []
    for row in rows:
        now = {"status": status.value, "started": time.time() if status == JobStatus.RUNNING else None, "agent": agent}
        changed = change(link, row[JOB_ID], **now)
        claimed.append(job_record(row, {**now, "changed": changed}))
    return claimed


def inherit(link: Link, engine: str, agent: str) -> list[JobRecord]:
    """Make an agent the owner of all jobs of its engine that were claimed and have not ended."""
    rows = link.execute(
        f"{SELECT_JOBS} WHERE engine = ? AND agent IS NOT NULL AND status NOT IN {FINAL_SQL} ORDER BY number", (engine,)
    ).fetchall()
    taken = []
    for record in map(job_record, rows):
        if record.agent != agent:
            record = replace(record, agent=agent, changed=change(link, record.job_id, agent=agent))  # noqa: PLW2901
        taken.append(record)
    return taken


def busy_engines(link: Link) -> list[str]:
    rows = link.execute(
        "SELECT engine FROM jobs WHERE status IN ('QUEUED', 'VALIDATING', 'RUNNING') AND source IS NULL"
        " UNION SELECT engine FROM leftovers"
    ).fetchall()
    return [engine for (engine,) in rows]


def owners(link: Link, engine: str) -> list[str]:
    rows = link.execute(
        "SELECT DISTINCT agent FROM jobs WHERE status IN ('INITIALIZING', 'QUEUED', 'VALIDATING', 'RUNNING')"
        " AND engine = ? AND agent IS NOT NULL AND source IS NULL",
        (engine,),
    ).fetchall()
    return [agent for (agent,) in rows]


def is_queued(link: Link, engine: str, agent: str) -> bool:
    return link.execute(f"SELECT 1 FROM jobs {_CLAIMABLE} LIMIT 1", (engine, agent)).fetchone() is not None


def queue_place(link: Link, job_id: str) -> int | None:
    number_of(link, job_id)
    return queue_places(link, [job_id]).get(job_id)


def queue_places(link: Link, job_ids: Collection[str]) -> dict[str, int]:
    rows = link.execute(
        "SELECT job_id, (SELECT count(*) FROM jobs q"
        " WHERE q.engine = j.engine AND q.status = 'QUEUED' AND q.ticket <= j.ticket"
        " AND (j.agent IS NULL OR q.agent = j.agent))"
        f" FROM jobs j WHERE job_id IN ({marks(tuple(job_ids))})"
        " AND j.status = 'QUEUED' AND j.source IS NULL AND j.ticket IS NOT NULL",
        tuple(job_ids),
    )
    return dict(rows.fetchall())
