"""Damage: a broken file is set aside as it is, and work goes on in a new one."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
import textwrap
import threading
from pathlib import Path

import pytest

from jobdeck._records import JobQuery
from jobdeck.store import SQLiteStore, StoreWarning, open_store

from .conftest import new_job, running


def _fill(home: Path, jobs: int = 50) -> list[str]:
    store = open_store(home)
    ids = []
    for _ in range(jobs):
        job = running(store, metadata={"text": "x" * 3000})
        store.add_message(job.job_id, "1")
        ids.append(job.job_id)
    store.close()
    return ids


def _overwrite(path: Path, begin: int, length: int) -> bytes:
    content = bytearray(path.read_bytes())
    content[begin : begin + length] = b"\xa5" * len(content[begin : begin + length])
    path.write_bytes(content)
    return bytes(content)


DAMAGE = {
    "header": lambda path: _overwrite(path, 0, 100),
    "first page": lambda path: _overwrite(path, 100, 3900),
    "all but the first page": lambda path: _overwrite(path, 4096, 1 << 30),
    "middle": lambda path: _overwrite(path, path.stat().st_size // 2 // 4096 * 4096, 40960),
    "tail cut off": lambda path: path.write_bytes(path.read_bytes()[: path.stat().st_size // 2]) and path.read_bytes(),
    "not a database": lambda path: path.write_bytes(b"a letter to my aunt\n" * 500) and path.read_bytes(),
}


@pytest.mark.parametrize("damage", DAMAGE)
def test_a_damaged_file_is_found_at_open_and_kept_byte_for_byte(home, damage):
    path = home / "jobdeck.db"
    ids = _fill(home)
    broken = DAMAGE[damage](path)
    with pytest.warns(StoreWarning) as warned:
        store = open_store(home)
    (aside,) = home.glob("jobdeck.db.damaged-*")
    assert aside.read_bytes() == broken
    assert str(path) in str(warned[0].message)
    assert str(aside) in str(warned[0].message)
    assert store.describe()["damaged"] == [str(aside)]
    assert store.jobs(JobQuery()) == []
    job = store.add_job(new_job())
    assert not ids[0].startswith(store.store_id)
    store.close()
    reopened = open_store(home)
    assert reopened.job(job.job_id) == job
    reopened.close()
    assert list(home.glob("jobdeck.db.damaged-*")) == [aside]


def test_damage_that_is_met_at_work_is_set_aside_and_the_call_made_on_the_new_store(home):
    ids = _fill(home)
    idle, working = (
        open_store(home),
        open_store(home),
    )  # the first to open has checked the file, and remembers its pages
    old_id = working.store_id
    broken = DAMAGE["all but the first page"](home / "jobdeck.db")
    with pytest.warns(StoreWarning, match="damaged"):
        job = working.add_job(new_job())
    assert working.store_id != old_id
    assert job.job_id.startswith(working.store_id)
    (aside,) = home.glob("jobdeck.db.damaged-*")
    assert aside.read_bytes() == broken
    # Whoever had the old file open follows to the new one.
    assert idle.store_id == working.store_id
    assert [found.job_id for found in idle.jobs(JobQuery())] == [job.job_id]
    assert idle.add_message(job.job_id, "1") == 1
    assert working.messages(job.job_id)[0].body == "1"
    with pytest.raises(LookupError, match="another jobdeck home"):
        idle.messages(ids[0])
    idle.close()
    working.close()
    assert aside.read_bytes() == broken


def test_the_data_version_moves_when_the_store_is_replaced(home):
    _fill(home)
    watcher, worker = open_store(home), open_store(home)
    version = watcher.data_version()
    number = watcher.change_number()
    DAMAGE["header"](home / "jobdeck.db")
    with pytest.warns(StoreWarning, match="found by a test"):
        worker._db._set_aside("found by a test")
    assert watcher.data_version() > version
    assert watcher.change_number() < number
    watcher.close()
    worker.close()


def test_threads_that_meet_the_damage_at_once_set_it_aside_once(home):
    _fill(home)
    store = open_store(home)
    store.close()
    DAMAGE["middle"](home / "jobdeck.db")
    barrier = threading.Barrier(8)
    ids: list[str] = []

    def work() -> None:
        barrier.wait()
        opened = open_store(home)
        ids.append(opened.add_job(new_job()).job_id)
        opened.close()

    def work_at_once() -> None:
        threads = [threading.Thread(target=work) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    with pytest.warns(StoreWarning) as warned:
        work_at_once()
    assert len(warned) == 1
    assert len(list(home.glob("jobdeck.db.damaged-*"))) == 1
    store = open_store(home)
    assert {job.job_id for job in store.jobs(JobQuery())} == {*ids}
    assert len(ids) == 8
    store.close()


_WORK = textwrap.dedent("""
    import sys
    from pathlib import Path
    from jobdeck._records import NewJob
    from jobdeck.store import open_store
    print("ready", flush=True)
    sys.stdin.readline()
    store = open_store(Path(sys.argv[1]))
    for _ in range(20):
        print(store.add_job(NewJob("n", "local", b"", b"", b"")).job_id, flush=True)
    store.close()
""")


@pytest.mark.parametrize("damage", ["header", "middle", "not a database"])
def test_processes_that_meet_the_damage_at_once_set_it_aside_once(home, damage):
    _fill(home)
    DAMAGE[damage](home / "jobdeck.db")
    workers = [
        subprocess.Popen(
            [sys.executable, "-c", _WORK, str(home)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for _ in range(5)
    ]
    assert [worker.stdout.readline() for worker in workers] == ["ready\n"] * 5
    for worker in workers:
        worker.stdin.write("go\n")
        worker.stdin.flush()
    said = [worker.communicate(timeout=60) for worker in workers]
    assert [worker.returncode for worker in workers] == [0] * 5, said
    assert sum("StoreWarning" in errors for _, errors in said) == 1
    assert len(list(home.glob("jobdeck.db.damaged-*"))) == 1
    store = open_store(home)
    added = {job_id for output, _ in said for job_id in output.split()}
    assert len(added) == 100
    assert {job.job_id for job in store.jobs(JobQuery())} == added
    store.close()


def test_a_leftover_wal_without_its_database_is_not_taken_for_the_new_ones(home):
    home.mkdir(mode=0o700)
    (home / "jobdeck.db-wal").write_bytes(b"left over" * 1000)
    store = open_store(home)
    job = store.add_job(new_job())
    assert store.job(job.job_id) == job
    store.close()
    (aside,) = home.glob("jobdeck.db.damaged-*-wal")
    assert aside.read_bytes() == b"left over" * 1000


def test_damage_that_comes_twice_in_a_second_keeps_both_files(home):
    for _ in range(2):
        open_store(home).close()
        (home / "jobdeck.db").write_bytes(b"broken" * 1000)
        with pytest.warns(StoreWarning):
            open_store(home).close()
    assert len(list(home.glob("jobdeck.db.damaged-*"))) == 2


def test_a_file_that_cannot_be_looked_at_is_not_taken_for_damaged(home):
    with pytest.warns(StoreWarning, match="nfs"):
        store = SQLiteStore(home, file_system=lambda path: "nfs")
    job = store.add_job(new_job())
    holder = sqlite3.connect(home / "jobdeck.db", isolation_level=None)
    holder.execute("BEGIN EXCLUSIVE")
    with pytest.raises(sqlite3.OperationalError, match="locked"):
        store._db._set_aside("a false alarm")
    holder.execute("ROLLBACK")
    holder.close()
    assert store.job(job.job_id) == job
    assert store.describe()["damaged"] == []
    store.close()


def test_a_sound_store_is_never_set_aside(home):
    ids = _fill(home)
    store = open_store(home)
    store._db._set_aside("a false alarm")
    assert store.count(JobQuery()) == len(ids)
    assert store.describe()["damaged"] == []
    store.close()
