"""Counts that are kept rather than taken, and looks that cost the same however much there is."""

from __future__ import annotations

import random
import sqlite3
from collections import Counter
from functools import partial

from jobdeck._records import JobQuery, NewGroup
from jobdeck._status import Exit, JobStatus
from jobdeck.store import SQLiteStore, migrations

from .conftest import new_job


def _counted(store, group_id=None):
    return dict(Counter(str(job.status) for job in store.jobs(JobQuery(group_id=group_id))))


def _kept(store):
    connection = sqlite3.connect(store.home / "jobdeck.db")
    rows = connection.execute("SELECT DISTINCT group_id FROM tallies").fetchall()
    connection.close()
    return {group_id for (group_id,) in rows}


def _steps(store, look):
    """Count the steps of SQLite's machine that a look takes, in tens."""
    steps = []
    connection = store._db.run(lambda link: link.connection)
    connection.set_progress_handler(lambda: steps.append(None), 10)
    look()
    connection.set_progress_handler(None, 0)
    return len(steps)


def test_whatever_happens_to_jobs_the_counts_are_those_of_the_rows(any_store):
    chance = random.Random(5)
    groups = [any_store.add_group(NewGroup("map", f"group {number}")).group_id for number in range(3)]
    for _ in range(60):
        waiting = any_store.jobs(JobQuery(status=("INITIALIZING", "QUEUED")))
        under_way = any_store.jobs(JobQuery(status=("VALIDATING", "RUNNING")))
        match chance.randrange(6):
            case 0 | 1:
                many = [new_job(group_id=chance.choice([None, *groups]), submitted=chance.random() < 0.8)] * 4
                any_store.add_jobs(many)
            case 2:
                any_store.claim("local", "agent", 3, chance.choice([JobStatus.RUNNING, JobStatus.VALIDATING]))
            case 3 if under_way:
                any_store.finish({chance.choice(under_way).job_id: Exit(code=chance.choice([0, 1]))})
            case 4 if waiting:
                any_store.ask(chance.choice(waiting).job_id, "cancel", "test")
            case 5 if waiting:
                any_store.delete_job(chance.choice(waiting).job_id)
        assert dict(any_store.tally().counts) == _counted(any_store)
    there = [group_id for group_id in groups if _counted(any_store, group_id)]
    assert there
    for group_id in there:
        assert dict(any_store.tally(group_id).counts) == _counted(any_store, group_id)
    any_store.delete_many([job.job_id for job in any_store.jobs(JobQuery(group_id=there[0]))])
    left = any_store.jobs(JobQuery(group_id=there[0]))
    any_store.finish({job.job_id: Exit(code=0) for job in left})
    any_store.delete_many([job.job_id for job in left])
    assert there[0] not in _kept(any_store)


def test_a_store_of_the_version_before_is_counted_when_it_is_opened(home, monkeypatch):
    newest = migrations.MIGRATIONS
    monkeypatch.setattr(migrations, "MIGRATIONS", newest[: newest.index(migrations._keep_tallies)])
    store = SQLiteStore(home)
    group = store.add_group(NewGroup("map", "scan")).group_id
    store.add_jobs([new_job(group_id=group), new_job(group_id=group, submitted=False), new_job()])
    store.close()
    monkeypatch.setattr(migrations, "MIGRATIONS", newest)
    store = SQLiteStore(home)
    assert dict(store.tally().counts) == {"QUEUED": 2, "INITIALIZING": 1}
    assert dict(store.tally(group).counts) == {"QUEUED": 1, "INITIALIZING": 1}
    store.close()


def test_counts_and_a_groups_newest_jobs_cost_the_same_in_a_group_ten_times_as_large(store):
    costs = []
    for count in (100, 1_000):
        group = store.add_group(NewGroup("map", "scan", total=count)).group_id
        store.add_jobs([new_job(group_id=group, place=place) for place in range(count)])
        newest = partial(store.jobs, JobQuery(group_id=group, limit=20))
        costs.append([_steps(store, look) for look in (newest, partial(store.tally, group), store.tally)])
    assert all(large <= small + 5 for small, large in zip(*costs, strict=True)), costs
