"""Jobs: adding, finding and changing their rows."""

from __future__ import annotations

import json
import os
import re
import time
from collections.abc import Collection, Iterable, Sequence
from functools import cache
from typing import Any, Literal

from .._errors import JobError, JobNotFoundError, RuntimeInvalidStateError
from .._records import Changes, JobQuery, JobRecord, Payload, PayloadKeys, Tally
from .._status import FINAL, JobStatus, is_final, may_follow, parse_status
from . import blobs, chains, groups, kept, quotas
from .connection import Link
from .home import OUTPUT, output_path
from .rows import SELECT_JOBS, job_record, json_text, text

Deleted = Literal["deleted", "refused", "missing"]
Tagged = Literal["tagged", "missing"]

_JOB_ID = re.compile(r"([a-z2-7]{6})-[a-z2-7]{12}")
_REMEMBERED = 4_096
"""Numbers of jobs that a connection keeps at hand. A process that lives long meets far more, each for a while."""

FORGOTTEN = "forgotten"
"""The setting that holds the newest change number of a deletion that was forgotten."""

BEHIND = "EXISTS (SELECT 1 FROM gates WHERE before = jobs.number), group_id NOTNULL AND ticket NOTNULL"
"""Whether other jobs wait for this one, and whether it may have the turn of another one of its group."""

FINAL_SQL = "(" + ", ".join(f"'{status.value}'" for status in sorted(FINAL)) + ")"
"""The final statuses as a list in SQL."""


def next_change(link: Link) -> int:
    """Advance the store's change counter. Call it in a write transaction."""
    return int(link.execute("UPDATE counter SET number = number + 1 RETURNING number").fetchall()[0][0])


def change_number(link: Link) -> int:
    return int(link.execute("SELECT number FROM counter").fetchone()[0])


def pulse(link: Link, names: Sequence[str]) -> tuple[int, tuple[str | None, ...]]:
    columns = "".join(", (SELECT value FROM settings WHERE name = ?)" for _ in names)
    number, *values = link.execute(f"SELECT number{columns} FROM counter", tuple(names)).fetchone()
    return number, tuple(values)


def number_of(link: Link, job_id: str) -> int:
    """Return the job's number, which never changes and is never used again."""
    number = link.numbers.get(job_id)
    if number is None:
        row = link.execute("SELECT number FROM jobs WHERE job_id = ?", (job_id,)).fetchone()
        if row is None:
            raise not_found(link, job_id)
        if len(link.numbers) >= _REMEMBERED:
            link.numbers.clear()
        number = link.numbers[job_id] = int(row[0])
    return number


def is_job_id(text: str) -> bool:
    """Tell whether a text has the form of a job's id."""
    return _JOB_ID.fullmatch(text) is not None


def not_found(link: Link, job_id: str) -> JobNotFoundError:
    """Return the error for an id that is not in the store; a group's and one from another home are recognised."""
    if groups.is_group_id(job_id):
        return JobNotFoundError(
            f"{job_id} is the id of a group of jobs, not of a job: use jobdeck.group(), or `jobdeck ls --group`"
        )
    found = _JOB_ID.fullmatch(job_id)
    if found and found[1] != link.store_id:
        return JobNotFoundError(
            f"job {job_id} is of another jobdeck home (its ids begin with {found[1]}, here with {link.store_id}); "
            "look there by setting JOBDECK_HOME or with Deck(home=...)"
        )
    return JobNotFoundError(
        f"there is no job {job_id!r} here, or it was deleted; jobdeck.jobs(), or in a terminal `jobdeck ls`, lists "
        "those there are"
    )


def get(link: Link, job_id: str) -> JobRecord:
    row = link.execute(f"{SELECT_JOBS} WHERE job_id = ?", (job_id,)).fetchone()
    if row is None:
        raise not_found(link, job_id)
    return job_record(row)


def get_all(link: Link, job_ids: Iterable[str]) -> list[JobRecord]:
    """Return those of these jobs that there are, in their order."""
    rows = (link.execute(f"{SELECT_JOBS} WHERE job_id = ?", (job_id,)).fetchone() for job_id in job_ids)
    return [job_record(row) for row in rows if row is not None]


def change(link: Link, job_id: str, **values: object) -> int:
    """Set columns of a job's row and stamp it as changed; return the stamp. Call it in a write transaction."""
    values["changed"] = stamp = next_change(link)
    link.execute(_update(tuple(values)), (*values.values(), job_id))
    if values.get("status") in FINAL:
        _let_on(link, job_id, *link.execute(f"SELECT {BEHIND} FROM jobs WHERE job_id = ?", (job_id,)).fetchone())
    return stamp


def close(link: Link, job_id: str, behind: tuple[int, int], **values: object) -> None:
    """Do as `change` does for a job that ends, of which is known in this transaction what `BEHIND` asks."""
    values["changed"] = next_change(link)
    link.execute(_update(tuple(values)), (*values.values(), job_id))
    _let_on(link, job_id, *behind)


def _let_on(link: Link, job_id: str, is_waited_for: int, has_turn: int) -> None:
    """Let those begin who waited for a job that has ended. Nearly none has anybody, and then nothing more is asked."""
    if is_waited_for:
        chains.settle(link, job_id)
    if has_turn:
        quotas.hand_on(link, job_id)


@cache
def _update(columns: tuple[str, ...]) -> str:
    return f"UPDATE jobs SET {', '.join(f'{name} = ?' for name in columns)} WHERE job_id = ?"


def note_result(link: Link, job_id: str, words: str) -> None:
    """Say what has become of a job's result that is kept outside of the store."""
    get(link, job_id)
    kept.note(link, job_id, words)
    change(link, job_id)


def submit(link: Link, job_id: str) -> JobRecord:
    record = get(link, job_id)
    if record.source is not None:
        raise JobError(f"job {job_id} is of another system ({record.engine}), which alone can submit it")
    if record.status != JobStatus.INITIALIZING:
        raise JobError(f"job {job_id} was submitted before (it is {record.status}); retry() makes a new one from it")
    change(link, job_id, status=JobStatus.QUEUED.value, queued=time.time())
    link.execute("UPDATE jobs SET ticket = changed WHERE job_id = ? AND gate IS NULL", (job_id,))
    return get(link, job_id)


def payload(link: Link, job_id: str) -> Payload:
    row = link.execute("SELECT program, inputs, context FROM jobs WHERE job_id = ?", (job_id,)).fetchone()
    if row is None:
        raise not_found(link, job_id)
    return Payload(*(blobs.load(link, blob_id) for blob_id in row))


def payloads(link: Link, job_ids: Iterable[str]) -> dict[str, Payload]:
    """Return the payloads of those of these jobs that there are; what several of them share is one object."""
    bodies: dict[int, bytes] = {}

    def body(blob_id: int) -> bytes:
        if blob_id not in bodies:
            bodies[blob_id] = blobs.load(link, blob_id)
        return bodies[blob_id]

    found = {}
    for job_id in job_ids:
        row = link.execute("SELECT program, inputs, context FROM jobs WHERE job_id = ?", (job_id,)).fetchone()
        if row is not None:
            found[job_id] = Payload(*map(body, row))
    return found


def payload_keys(link: Link, job_ids: Collection[str]) -> dict[str, PayloadKeys]:
    rows = link.execute(
        "SELECT job_id, p.sha256, i.sha256, c.sha256, p.size + i.size + c.size FROM jobs JOIN blobs p ON p.id = program"
        f" JOIN blobs i ON i.id = inputs JOIN blobs c ON c.id = context WHERE job_id IN ({marks(tuple(job_ids))})",
        tuple(job_ids),
    ).fetchall()
    folder = os.path.join(link.home, OUTPUT, "")
    return {row[0]: PayloadKeys(row[1], row[2], row[3], row[4], f"{folder}{row[0]}.log") for row in rows}


def set_status(link: Link, job_id: str, status: JobStatus | str) -> None:
    new = parse_status(str(status))
    if is_final(new):
        raise ValueError(f"{new} is a final status, which only finish() and ask() decide")
    record = get(link, job_id)
    if record.status == new or not may_follow(record.status, new):
        return
    now = time.time()
    values: dict[str, object] = {"status": str(new)}
    if new == JobStatus.QUEUED and record.queued is None:
        values["queued"] = now
    if new == JobStatus.RUNNING and record.started is None:
        values["started"] = now
    change(link, job_id, **values)
    if new == JobStatus.QUEUED:
        link.execute("UPDATE jobs SET ticket = coalesce(ticket, changed) WHERE job_id = ?", (job_id,))


def set_progress(link: Link, job_id: str, done: float, total: float | None, message: str | None) -> None:
    refuse_final(get(link, job_id), "takes no more progress")
    amounts = {"progress_done": float(done), "progress_total": None if total is None else float(total)}
    change(link, job_id, progress_message=text(message), **amounts)


def refuse_final(record: JobRecord, words: str) -> None:
    if is_final(record.status):
        raise RuntimeInvalidStateError(f"job {record.job_id} has ended ({record.status}) and {words}")


def set_process(link: Link, job_id: str, pid: int, pid_started: float) -> None:
    get(link, job_id)
    change(link, job_id, pid=pid, pid_started=pid_started)


def update_tags(link: Link, job_id: str, tags: Sequence[str]) -> None:
    get(link, job_id)
    change(link, job_id, tags=json_text("tags", tags))


def edit_tags(link: Link, job_ids: Iterable[str], add: Sequence[str], remove: Collection[str]) -> dict[str, Tagged]:
    became: dict[str, Tagged] = {}
    for job_id in job_ids:
        row = link.execute("SELECT tags FROM jobs WHERE job_id = ?", (job_id,)).fetchone()
        became[job_id] = "missing" if row is None else "tagged"
        if row is None:
            continue
        before = json.loads(row[0])
        after = [tag for tag in dict.fromkeys([*before, *add]) if tag not in remove]
        if after != before:
            change(link, job_id, tags=json_text("tags", after))
    return became


def changes(link: Link, since: int, limit: int | None) -> Changes:
    number, (forgotten,) = pulse(link, [FORGOTTEN])
    most = -1 if limit is None else limit + 1
    rows = link.execute(f"{SELECT_JOBS} WHERE changed > ? ORDER BY changed LIMIT ?", (since, most)).fetchall()
    gone = link.execute(
        "SELECT job_id, changed FROM deleted WHERE changed > ? ORDER BY changed LIMIT ?", (since, most)
    ).fetchall()
    found = list(map(job_record, rows))
    moved = groups.changed(link, since, most)
    more = limit is not None and max(len(found), len(gone), len(moved)) > limit
    if more:
        # No two rows have the same number: each change takes its own.
        ends = [changed for _, changed in gone[limit:]]
        ends += [record.changed for record in found[limit:]] + [record.changed for record in moved[limit:]]
        number = min(ends) - 1
        moved = [record for record in moved if record.changed <= number]
        found = [record for record in found if record.changed <= number]
        gone = [row for row in gone if row[1] <= number]
    deleted = tuple(row[0] for row in gone)
    return Changes(number, tuple(found), deleted, more, since >= int(forgotten or 0), tuple(moved))


def tally(link: Link, group_id: str | None) -> Tally:
    """Count the jobs of each status, all of the store's or those that stand for a group's places."""
    if group_id is not None:
        return Tally(change_number(link), groups.count(link, group_id))
    # Triggers keep count; to count a million jobs here takes as long as a frame of the deck may.
    counts = link.execute("SELECT status, jobs FROM tallies WHERE group_id = '' AND jobs > 0").fetchall()
    return Tally(change_number(link), dict(counts))


def find(link: Link, query: JobQuery) -> list[JobRecord]:
    where, values = _conditions(query)
    order = "DESC" if query.descending else "ASC"
    limit = -1 if query.limit is None else max(query.limit, 0)
    rows = link.execute(
        f"{SELECT_JOBS} WHERE {where} ORDER BY number {order} LIMIT ? OFFSET ?", (*values, limit, max(query.skip, 0))
    ).fetchall()
    return list(map(job_record, rows))


def count(link: Link, query: JobQuery) -> int:
    """Count what `find` would find without a limit."""
    where, values = _conditions(query)
    return int(link.execute(f"SELECT count(*) FROM jobs WHERE {where}", values).fetchone()[0])


def _conditions(query: JobQuery) -> tuple[str, list[Any]]:
    parts = ["1"]
    values: list[Any] = []

    def add(sql: str, *bound: object) -> None:
        parts.append(sql)
        values.extend(bound)

    collation = " COLLATE NOCASE" if query.ignore_case else ""
    if query.status is not None:
        add(f"status IN ({marks(query.status)})", *map(str, query.status))
    if query.without:
        add(f"status NOT IN ({marks(query.without)})", *map(str, query.without))
    if query.below is not None:
        add("number < ?", query.below)
    for tag in query.tags:
        # Compared as JSON, in which tags are stored: their escapes hold what SQLite's own text cannot.
        in_both = "EXISTS (SELECT 1 FROM json_each(jobs.tags) t JOIN json_each(?) w WHERE t.value = w.value%s)"
        add(in_both % collation, json_text("tags", [tag]))
    if query.name is not None:
        add("instr(lower(name), lower(?)) > 0", text(query.name))
    for column in ("program_id", "engine", "group_id"):
        if (wanted := getattr(query, column)) is not None:
            add(f"{column} = ?{collation if column == 'engine' else ''}", wanted)
    if query.created_after is not None:
        add("created > ?", query.created_after)
    if query.created_before is not None:
        add("created < ?", query.created_before)
    if query.id_part is not None:
        # Ids alone are read for it, not all rows.
        add("number IN (SELECT number FROM jobs WHERE instr(job_id, ?) > 0)", query.id_part)
    if query.job_ids is not None:
        add(f"job_id IN ({marks(query.job_ids)})", *query.job_ids)
    return " AND ".join(parts), values


def marks(values: tuple[str, ...]) -> str:
    return ", ".join("?" * len(values))


def unlink_outputs(link: Link, job_ids: Iterable[str]) -> None:
    """Remove what was captured of these jobs."""
    for job_id in job_ids:
        output_path(link.home, job_id).unlink(missing_ok=True)


def delete(link: Link, job_id: str) -> list[str]:
    """Remove a job; returns the hashes of blobs whose files may go after the commit."""
    return remove(link, [_removable(link, job_id)])


def delete_many(link: Link, job_ids: Iterable[str]) -> tuple[dict[str, Deleted], list[str]]:
    """Remove those that may be removed; returns what became of each, and hashes as `delete` does."""
    became: dict[str, Deleted] = {}
    victims: list[tuple[int, str]] = []
    for job_id in dict.fromkeys(job_ids):
        try:
            victims.append(_removable(link, job_id))
        except JobNotFoundError:
            became[job_id] = "missing"
        except RuntimeInvalidStateError:
            became[job_id] = "refused"
        else:
            became[job_id] = "deleted"
    return became, remove(link, victims)


def _removable(link: Link, job_id: str) -> tuple[int, str]:
    record = get(link, job_id)
    never_started = record.status in (JobStatus.INITIALIZING, JobStatus.QUEUED)
    if record.source is not None:
        # Whoever watches it would have it back at once; one that nobody can reach any more may go.
        never_started = record.agent is None
    if not (never_started or is_final(record.status)):
        raise RuntimeInvalidStateError(f"job {job_id} is {record.status}; cancel it first, then delete it")
    return record.number, job_id


def remove(link: Link, victims: Sequence[tuple[int, str]]) -> list[str]:
    """Remove jobs, given as numbers and ids, with all their rows; returns as `delete` does."""
    with groups.counted_down(link, [number for number, _ in victims]):
        return [unused for number, job_id in victims for unused in _remove(link, number, job_id)]


def _remove(link: Link, number: int, job_id: str) -> list[str]:
    """Remove all rows of a job and leave a tombstone."""
    link.numbers.pop(job_id, None)
    chains.settle(link, job_id, deleted=True)
    low, high = number << 32, (number + 1) << 32
    used = link.execute(
        "SELECT program FROM jobs WHERE number = :n UNION SELECT inputs FROM jobs WHERE number = :n"
        " UNION SELECT context FROM jobs WHERE number = :n"
        " UNION SELECT body FROM outcomes WHERE job = :n UNION SELECT exception FROM outcomes WHERE job = :n"
        " UNION SELECT blob FROM messages WHERE id > :low AND id < :high AND blob IS NOT NULL",
        {"n": number, "low": low, "high": high},
    ).fetchall()
    link.execute("DELETE FROM messages WHERE id > ? AND id < ?", (low, high))
    kept.leave(link, number)
    (group_id,) = link.execute("SELECT group_id FROM jobs WHERE number = ?", (number,)).fetchone()
    link.execute("DELETE FROM jobs WHERE number = ?", (number,))
    if group_id is not None:
        groups.drop_if_empty(link, group_id)
    link.execute("INSERT INTO deleted VALUES (?, ?, ?)", (next_change(link), job_id, time.time()))
    return blobs.drop_unused(link, [row[0] for row in used if row[0] is not None])
