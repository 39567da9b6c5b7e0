"""Retention: which jobs that have ended are removed, and all that they left with them.

Two settings of the store say what agents remove by themselves: ``keep_days`` (default 90: what ended longer ago goes)
and ``keep_jobs`` (default 10,000: of what has ended, only so many of the newest stay). ``off`` lifts a limit.
Jobs that have not ended are never removed, nor those of a group in which one has not.
"""

from __future__ import annotations

import contextlib
import os
import time
from pathlib import Path
from typing import Final, NamedTuple

from .._errors import StoreError
from .._records import Pruned
from . import blobs, groups, jobs, reserve, settings
from .connection import Database, Link
from .home import BLOBS, OUTPUT, output_path, size_of
from .jobs import FINAL_SQL

DEFAULTS: Final = {"keep_days": "90", "keep_jobs": "10000"}
OFF: Final = "off"

_DAY: Final = 86_400.0
_BATCH: Final = 200
_PAGES: Final = 2_000
_TOMBSTONES: Final = 90 * _DAY
_LEFT_ALONE: Final = 3_600.0
"""Files younger than this may belong to a transaction that is not committed yet."""


def prune(db: Database, older_than: float | None, keep: int | None, *, dry_run: bool) -> Pruned:
    """See `SQLiteStore.prune`."""
    now = time.time()
    ended_before = None if older_than is None else now - older_than
    pruned = db.read(_measure, ended_before, keep)
    if dry_run:
        return pruned
    victims = db.run(_victims, ended_before, keep)
    for at in range(0, len(victims), _BATCH):
        batch = victims[at : at + _BATCH]
        written_by = [job_id for _, job_id in batch]
        try:
            unused = db.write_in_turn(_remove, batch)
        except StoreError as error:
            if not error.lacks_room:
                raise
            # What they have printed may be what has filled the disk, where the database finds no room to forget them.
            reserve.give(db.home)
            db.run(jobs.unlink_outputs, written_by)
            unused = db.write_in_turn(_remove, batch)
        db.write_in_turn(blobs.unlink_unused, unused)
        db.run(jobs.unlink_outputs, written_by)
    db.write_in_turn(groups.drop_abandoned, now)
    db.write_in_turn(_forget_tombstones, now - _TOMBSTONES)
    # Found without the write lock, for there may be as many files as jobs.
    db.write_in_turn(_sweep, db.run(_strays, now - _LEFT_ALONE))
    while db.insert(_give_back_pages):
        pass
    reserve.keep(db.home)
    return pruned


def prune_by_settings(db: Database, *, dry_run: bool) -> Pruned:
    """See `SQLiteStore.prune_by_settings`."""
    days, count = (_limit(name, db.run(settings.get, name) or default) for name, default in DEFAULTS.items())
    older_than = None if days is None else days * _DAY
    return prune(db, older_than, None if count is None else int(count), dry_run=dry_run)


def _limit(name: str, value: str) -> float | None:
    if value == OFF:
        return None
    try:
        limit = float(value)
    except ValueError:
        limit = -1.0
    if not limit >= 0:
        raise StoreError(f"the setting {name} is {value!r}; it has to be a number from 0 on, or {OFF!r}")
    return limit


def _victims(link: Link, ended_before: float | None, keep: int | None) -> list[tuple[int, str]]:
    if ended_before is None and keep is None:
        return []
    # A large group would lose its first results while its last jobs run.
    open_groups = f"SELECT group_id FROM tallies WHERE group_id <> '' AND jobs > 0 AND status NOT IN {FINAL_SQL}"
    sql = (
        "SELECT number, job_id FROM"
        " (SELECT number, job_id, group_id, ended, row_number() OVER (ORDER BY number DESC) AS age FROM jobs"
        f" WHERE status IN {FINAL_SQL})"
        " WHERE (ended < :before OR age > :keep)"
        f" AND (group_id IS NULL OR group_id NOT IN ({open_groups})) ORDER BY number"
    )
    return link.execute(sql, {"before": ended_before, "keep": keep}).fetchall()


def _measure(link: Link, ended_before: float | None, keep: int | None) -> Pruned:
    victims = _victims(link, ended_before, keep)
    link.execute("CREATE TEMP TABLE IF NOT EXISTS victims (number INTEGER PRIMARY KEY)")
    link.execute("DELETE FROM victims")
    connection = link.connection
    assert connection is not None
    connection.executemany("INSERT INTO victims VALUES (?)", [(number,) for number, _ in victims])
    used = (
        "SELECT program AS blob, number AS job FROM jobs UNION ALL SELECT inputs, number FROM jobs"
        " UNION ALL SELECT context, number FROM jobs UNION ALL SELECT body, job FROM outcomes"
        " UNION ALL SELECT exception, job FROM outcomes UNION ALL SELECT data, NULL FROM programs"
        " UNION ALL SELECT blob, id >> 32 FROM messages WHERE blob IS NOT NULL"
    )
    bodies = link.execute(
        f"WITH used AS ({used}), kept AS (SELECT blob FROM used WHERE blob IS NOT NULL AND"
        " (job IS NULL OR job NOT IN (SELECT number FROM victims)))"
        " SELECT coalesce(sum(size), 0) FROM blobs WHERE id NOT IN (SELECT blob FROM kept)"
    ).fetchone()[0]
    texts = link.execute(
        "SELECT coalesce(sum(length(CAST(body AS BLOB))), 0) FROM victims JOIN messages"
        " ON id > (number << 32) AND id < ((number + 1) << 32)"
    ).fetchone()[0]
    outputs = sum(size_of(output_path(link.home, job_id)) for _, job_id in victims)
    link.execute("DELETE FROM victims")
    return Pruned(jobs=len(victims), bytes=bodies + texts + outputs)


def _remove(link: Link, victims: list[tuple[int, str]]) -> list[str]:
    # Somebody else may have pruned in the meantime.
    there = [each for each in victims if link.execute("SELECT 1 FROM jobs WHERE number = ?", each[:1]).fetchone()]
    return jobs.remove(link, there)


def _forget_tombstones(link: Link, before: float) -> None:
    newest = link.execute("SELECT max(changed) FROM deleted WHERE time < ?", (before,)).fetchone()[0]
    if newest is not None:
        link.execute("DELETE FROM deleted WHERE time < ?", (before,))
        settings.put(link, jobs.FORGOTTEN, str(max(newest, int(settings.get(link, jobs.FORGOTTEN) or 0))))


class _Strays(NamedTuple):
    """Names of files that a process left which ended between a commit and the removal of what it freed."""

    blobs: list[str]
    outputs: list[str]


def _strays(link: Link, before: float) -> _Strays:
    """Find files that belong to nothing in the store.

    What is older than the store belongs to one that was set aside, and stays with it.
    """
    begun = link.execute("SELECT applied FROM migrations WHERE version = 1").fetchone()[0]
    own = f"{link.store_id}-"
    outputs = (name.removesuffix(".log") for name in _files(link.home / OUTPUT, begun, before) if name.startswith(own))
    return _still_strays(link, _Strays(_files(link.home / BLOBS, begun, before), list(outputs)))


def _still_strays(link: Link, strays: _Strays) -> _Strays:
    def has(sql: str, name: str) -> bool:
        return link.execute(sql, (name,)).fetchone() is not None

    return _Strays(
        [name for name in strays.blobs if not has("SELECT 1 FROM blobs WHERE sha256 = ?", name)],
        [name for name in strays.outputs if not has("SELECT 1 FROM jobs WHERE job_id = ?", name)],
    )


def _sweep(link: Link, found: _Strays) -> None:
    """Remove strays, unless they were taken up since they were found."""
    strays = _still_strays(link, found)
    for name in strays.blobs:
        (link.home / BLOBS / name).unlink(missing_ok=True)
    jobs.unlink_outputs(link, strays.outputs)


def _files(folder: Path, after: float, before: float) -> list[str]:
    found = []
    for name in os.listdir(folder):
        with contextlib.suppress(FileNotFoundError):  # a large body on its way has got its name in the meantime
            if after <= os.stat(folder / name).st_mtime < before:
                found.append(name)
    return found


def _give_back_pages(link: Link) -> bool:
    """Return some free pages to the file system, not all at once, so that writers do not wait for long."""
    # Each row that is fetched frees one page.
    link.execute(f"PRAGMA incremental_vacuum({_PAGES})").fetchall()
    return int(link.execute("PRAGMA freelist_count").fetchone()[0]) > 0
