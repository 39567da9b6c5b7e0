"""Jobs that others run: who watches them, and what is seen of them."""

from __future__ import annotations

import json
import time
from collections.abc import Collection, Mapping
from typing import Any, Final

from .._records import Command, JobRecord, NewJob, Sighting, WatchTurn
from .._status import JobStatus, Verdict, is_final, may_follow, parse_status
from . import adding, endings, jobs
from .blobs import Blob
from .connection import Link
from .endings import Bodies
from .rows import SELECT_JOBS, job_record, json_text, text

_UNDER_WAY: Final = "source IS NOT NULL AND status NOT IN ('DONE', 'CANCELLED', 'ERROR')"
"""In the words of the index."""
_OPEN: Final = (
    "SELECT commands.number, job_id, kind, origin, asked FROM commands JOIN jobs ON jobs.number = commands.job"
    " WHERE NOT taken AND source IS NOT NULL AND agent = ? ORDER BY commands.number"
)
_LOST: Final = Verdict(
    JobStatus.ERROR, "lost", "lost: the kernel that ran it is gone, and with it the job; run it again there"
)
_NOBODY: Final = "waits until a kernel that can reach the job tells it"


def add(link: Link, new: NewJob, bodies: Mapping[bytes, Blob]) -> tuple[JobRecord, bool]:
    known = _same(link, new.source or {})
    if known is None:
        return adding.add(link, [new], bodies)[0], True
    if known.agent is None and not is_final(known.status):
        jobs.change(link, known.job_id, agent=new.agent)
        return jobs.get(link, known.job_id), True
    return known, known.agent == new.agent and not is_final(known.status)


def _same(link: Link, source: Mapping[str, Any]) -> JobRecord | None:
    """Return the row of a job that survives its kernels, which has to be there but once."""
    if not source.get("survives") or not source.get("id"):
        return None
    where = "source IS NOT NULL AND json_extract(source, '$.id') = ? AND json_extract(source, '$.system') = ?"
    row = link.execute(
        f"{SELECT_JOBS} WHERE {where} ORDER BY number LIMIT 1", (source["id"], source.get("system"))
    ).fetchone()
    return None if row is None else job_record(row)


def open_commands(link: Link, agent: str) -> list[Command]:
    return [Command(*row) for row in link.execute(_OPEN, (agent,)).fetchall()]


def own(link: Link, agent: str) -> frozenset[str]:
    rows = link.execute(f"SELECT job_id FROM jobs WHERE {_UNDER_WAY} AND agent = ?", (agent,)).fetchall()
    return frozenset(row[0] for row in rows)


def look(link: Link, agent: str, with_jobs: bool) -> WatchTurn:
    return WatchTurn(tuple(open_commands(link, agent)), own(link, agent) if with_jobs else None)


def turn(
    link: Link, agent: str, sightings: Mapping[str, Sighting], bodies: Mapping[str, Bodies], with_jobs: bool
) -> WatchTurn:
    """Write down what was seen; the outcomes' bodies were prepared."""
    for job_id, seen in sightings.items():
        row = link.execute(f"{SELECT_JOBS} WHERE job_id = ?", (job_id,)).fetchone()
        record = None if row is None else job_record(row)
        if record is not None and record.agent == agent and not is_final(record.status):
            _take_in(link, record, seen, bodies.get(job_id, Bodies()))
    commands = open_commands(link, agent)
    for command in commands:
        link.execute("UPDATE commands SET taken = 1 WHERE number = ?", (command.number,))
    return WatchTurn(tuple(commands), own(link, agent) if with_jobs else None)


def _take_in(link: Link, record: JobRecord, seen: Sighting, bodies: Bodies) -> None:
    values: dict[str, object] = {}
    if seen.status is not None:
        values |= _status_values(record, seen)
    if seen.facts is not None:
        values["facts"] = json_text("facts", seen.facts)
    if seen.source is not None:
        values["source"] = json_text("source", seen.source)
    if seen.progress is not None:
        done, total, words = seen.progress
        values |= {"progress_done": done, "progress_total": total, "progress_message": text(words)}
    if seen.cancel is not None:
        state, words = seen.cancel
        values |= {"cancel_state": state, "cancel_note": text(words)}
    if seen.verdict is not None:
        values |= _ending(record, seen.verdict, seen.times)
        if (left := seen.outcome) is not None:
            endings.keep(link, record.number, left, bodies)
            values |= {
                "traceback": text(left.traceback),
                "result_encoding": left.encoding,
                "result_preview": text(left.preview),
                "chart": text(left.chart),
            }
        link.execute("DELETE FROM commands WHERE job = ?", (record.number,))
    if values:
        jobs.change(link, record.job_id, **values)


def _status_values(record: JobRecord, seen: Sighting) -> dict[str, object]:
    new = parse_status(str(seen.status))
    if is_final(new):
        raise ValueError(f"{new} is a final status, for which a verdict is needed")
    if not may_follow(record.status, new):
        return {}
    now = time.time()
    values: dict[str, object] = {"status": str(new)}
    if new == JobStatus.QUEUED and record.queued is None:
        values["queued"] = now
    if new == JobStatus.RUNNING and record.started is None:
        values["started"] = seen.times.get("started", now)
    return values


def _ending(record: JobRecord, verdict: Verdict, times: Mapping[str, float]) -> dict[str, object]:
    started = times.get("started", record.started)
    ended = times.get("ended", time.time())
    return {
        "status": verdict.status.value,
        "started": started,
        "ended": max(ended, record.created if started is None else started),
        "error_kind": verdict.error_kind,
        "error": text(verdict.error),
    }


def watchers(link: Link) -> list[str]:
    rows = link.execute(f"SELECT DISTINCT agent FROM jobs WHERE {_UNDER_WAY} AND agent IS NOT NULL").fetchall()
    return [row[0] for row in rows]


def abandon(link: Link, agent: str) -> list[JobRecord]:
    rows = link.execute(f"{SELECT_JOBS} WHERE {_UNDER_WAY} AND agent = ?", (agent,)).fetchall()
    lost = []
    for record in map(job_record, rows):
        if (record.source or {}).get("survives"):
            _release(link, record)
        else:
            _take_in(link, record, Sighting(verdict=_LOST), Bodies())
            lost.append(record.job_id)
    return jobs.get_all(link, lost)


def _release(link: Link, record: JobRecord) -> None:
    waits = record.cancel_state in ("requested", "stopping")
    words = {"cancel_state": "requested", "cancel_note": _NOBODY} if waits else {}
    if waits:
        # Whoever takes the job over has to hear of it, too.
        link.execute("UPDATE commands SET taken = 0 WHERE job = ?", (record.number,))
    jobs.change(link, record.job_id, agent=None, **words)


def take_over(link: Link, agent: str, job_ids: Collection[str] | None) -> list[JobRecord]:
    rows = link.execute(f"{SELECT_JOBS} WHERE {_UNDER_WAY} AND agent IS NULL").fetchall()
    taken = []
    for record in map(job_record, rows):
        if (record.source or {}).get("survives") and (job_ids is None or record.job_id in job_ids):
            jobs.change(link, record.job_id, agent=agent)
            taken.append(record.job_id)
    return jobs.get_all(link, taken)


def unwatched(link: Link) -> list[str]:
    rows = link.execute(f"SELECT job_id, source FROM jobs WHERE {_UNDER_WAY} AND agent IS NULL").fetchall()
    return [job_id for job_id, source in rows if json.loads(source).get("survives")]


def release(link: Link, agent: str, facts: Mapping[str, Mapping[str, str | float]]) -> None:
    for job_id, told in facts.items():
        row = link.execute(f"{SELECT_JOBS} WHERE job_id = ? AND agent = ?", (job_id, agent)).fetchone()
        if row is not None and not is_final((record := job_record(row)).status):
            _release(link, record)
            merged = {**record.facts, **told}
            if json.dumps(merged) != json.dumps(dict(record.facts)):
                jobs.change(link, job_id, facts=json_text("facts", merged))
