"""Quotas: groups of which at most so many jobs run at a time.

A job has its turn once it has a ticket. Of such a group's jobs only as many have one as may run; those beyond are
QUEUED without, and each job that ends hands its own on to the next of them. So nobody has to be there to start them,
and the kernel that submitted them can go.
"""

from __future__ import annotations

from typing import Final

from . import jobs
from .connection import Link

_LIMIT: Final = "json_extract(groups.metadata, '$.max_workers')"
_WAITING: Final = (
    "SELECT number FROM jobs WHERE group_id = ? AND status = 'QUEUED' AND ticket IS NULL AND gate IS NULL"
    " ORDER BY number LIMIT 1"
)
_UNDER_WAY: Final = (
    "SELECT count(*) FROM jobs WHERE group_id = ? AND status IN ('QUEUED', 'VALIDATING', 'RUNNING') AND ticket NOTNULL"
)


def free(link: Link, group_id: str | None) -> int | None:
    """Return how many more jobs of a group may have their turn, None where it sets no limit."""
    if group_id is None:
        return None
    row = link.execute(f"SELECT {_LIMIT} FROM groups WHERE group_id = ? AND kind = 'executor'", (group_id,)).fetchone()
    if row is None or row[0] is None:
        return None
    if link.execute(_WAITING, (group_id,)).fetchone() is not None:
        # Were there room, it would have its turn. To count those that run costs more, the more there are that wait.
        return 0
    return max(0, int(row[0]) - int(link.execute(_UNDER_WAY, (group_id,)).fetchone()[0]))


def hand_on(link: Link, job_id: str) -> None:
    """Let the next job of its group have the turn of one that has ended."""
    row = link.execute(
        "SELECT group_id FROM jobs JOIN groups USING (group_id)"
        f" WHERE job_id = ? AND ticket NOTNULL AND kind = 'executor' AND {_LIMIT} NOTNULL",
        (job_id,),
    ).fetchone()
    if row is None:
        return
    waiting = link.execute(_WAITING, row).fetchone()
    if waiting is not None:
        stamp = jobs.next_change(link)
        link.execute("UPDATE jobs SET ticket = ?, changed = ? WHERE number = ?", (stamp, stamp, *waiting))
