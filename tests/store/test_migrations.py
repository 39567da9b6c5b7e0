"""Schema versions: an older store is brought up to date, a newer one is left alone."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from jobdeck._errors import StoreError
from jobdeck._records import JobQuery
from jobdeck.store import migrations, open_store

from .conftest import new_job


def _files(home: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in home.glob("jobdeck.db*")}


def _add_column(connection: sqlite3.Connection) -> None:
    connection.execute("ALTER TABLE jobs ADD COLUMN added TEXT NOT NULL DEFAULT 'then'")


def test_a_new_store_is_at_the_newest_version_with_a_record_of_each_step(store):
    described = store.describe()
    assert described["schema_version"] == described["newest_schema_version"] == len(migrations.MIGRATIONS)
    versions = store._db.run(lambda link: link.execute("SELECT version FROM migrations").fetchall())
    assert versions == [(number + 1,) for number in range(len(migrations.MIGRATIONS))]


def test_a_store_of_a_newer_version_is_refused_untouched_with_both_versions_named(home):
    open_store(home).close()
    connection = sqlite3.connect(home / "jobdeck.db", isolation_level=None)
    connection.execute("PRAGMA user_version = 987")
    connection.close()
    before = _files(home)
    with pytest.raises(StoreError, match=rf"version 987.*up to {len(migrations.MIGRATIONS)}.*upgrade jobdeck"):
        open_store(home)
    assert _files(home) == before


def test_an_older_store_is_brought_up_to_date_and_keeps_its_jobs(home, monkeypatch):
    store = open_store(home)
    job = store.add_job(new_job())
    store.close()
    monkeypatch.setattr(migrations, "MIGRATIONS", (*migrations.MIGRATIONS, _add_column))
    store = open_store(home)
    assert store.job(job.job_id) == job
    assert store._db.run(lambda link: link.execute("SELECT added FROM jobs").fetchall()) == [("then",)]
    assert store.describe()["schema_version"] == len(migrations.MIGRATIONS)
    store.close()


def test_a_step_that_fails_leaves_the_store_at_the_version_before(home, monkeypatch):
    store = open_store(home)
    job = store.add_job(new_job())
    store.close()

    def fail(connection: sqlite3.Connection) -> None:
        _add_column(connection)
        raise sqlite3.OperationalError("database or disk is full")

    released = migrations.MIGRATIONS
    monkeypatch.setattr(migrations, "MIGRATIONS", (*released, fail))
    with pytest.raises(StoreError, match="full"):
        open_store(home)
    monkeypatch.setattr(migrations, "MIGRATIONS", released)
    store = open_store(home)
    assert store.job(job.job_id) == job
    columns = store._db.run(lambda link: [row[1] for row in link.execute("PRAGMA table_info(jobs)")])
    assert "added" not in columns
    store.close()


def test_another_programs_database_is_refused_untouched(home):
    home.mkdir(mode=0o700)
    connection = sqlite3.connect(home / "jobdeck.db")
    connection.execute("CREATE TABLE recipes (name)")
    connection.commit()
    connection.close()
    before = _files(home)
    with pytest.raises(StoreError, match="no store of jobdeck's"):
        open_store(home)
    assert _files(home) == before


_OPEN = textwrap.dedent("""
    import sys
    from pathlib import Path
    from jobdeck.store import migrations, open_store

    def add_column(connection):
        connection.execute("ALTER TABLE jobs ADD COLUMN added TEXT")

    if sys.argv[2] == "migrate":
        migrations.MIGRATIONS = (*migrations.MIGRATIONS, add_column)
    print("ready", flush=True)
    sys.stdin.readline()
    store = open_store(Path(sys.argv[1]))
    print(store.store_id, store.describe()["schema_version"], flush=True)
    store.close()
""")


@pytest.mark.parametrize("step", ["create", "migrate"])
def test_processes_that_open_at_once_make_or_migrate_one_store_once(home, step):
    if step == "migrate":
        open_store(home).close()
    openers = [
        subprocess.Popen(
            [sys.executable, "-W", "error", "-c", _OPEN, str(home), step],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for _ in range(6)
    ]
    assert [opener.stdout.readline() for opener in openers] == ["ready\n"] * 6
    for opener in openers:
        opener.stdin.write("go\n")
        opener.stdin.flush()
    said = {opener.communicate(timeout=60)[0] for opener in openers}
    assert [opener.returncode for opener in openers] == [0] * 6
    assert len(said) == 1
    assert said.pop().split()[1] == str(len(migrations.MIGRATIONS) + (step == "migrate"))
    assert not list(home.glob("*damaged*"))


def test_a_store_from_before_a_crash_in_its_making_is_made_again(home):
    home.mkdir(mode=0o700)
    (home / "jobdeck.db").touch(0o600)
    store = open_store(home)
    assert store.count(JobQuery()) == 0
    store.close()
