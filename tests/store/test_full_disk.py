"""A disk that is full or fails: a clear word, nothing half-written, and work goes on once there is room."""

from __future__ import annotations

import errno
import os
import resource
import shutil
import sqlite3
import traceback
from collections.abc import Callable

import pytest

from jobdeck._errors import StoreError
from jobdeck._records import JobQuery, Outcome
from jobdeck._status import Exit
from jobdeck.store import SQLiteStore, commands, open_store, reserve, retention

from .conftest import new_job, running

FULL = r"disk is full.*free some room.*jobdeck prune"


def _fill_disk(store: SQLiteStore) -> None:
    """Let the database not grow any more, as far as this thread's connection goes."""
    store._db.run(lambda link: link.execute("PRAGMA max_page_count = 1").fetchall())


def _make_room(store: SQLiteStore) -> None:
    store._db.run(lambda link: link.execute("PRAGMA max_page_count = 1000000").fetchall())


def _until_refused(work: Callable[[], object], words: str = FULL) -> int:
    """How often something could be done before the disk was full."""
    done = 0

    def work_on() -> None:
        nonlocal done
        while True:
            work()
            done += 1

    with pytest.raises(StoreError, match=words):
        work_on()
    return done


def test_a_full_disk_is_told_in_words_and_nothing_is_half_written(home, connect):
    store = connect(home)
    job = running(store)
    _fill_disk(store)
    published = _until_refused(lambda: store.add_message(job.job_id, '"' + "x" * 1000 + '"'))
    added = _until_refused(lambda: store.add_job(new_job(inputs=os.urandom(5000))))
    number = store.change_number()
    with pytest.raises(StoreError, match=FULL):
        store.set_outcome(job.job_id, Outcome(True, "json", b"1" * 100_000))
    assert store.change_number() == number
    assert store.outcome(job.job_id) is None
    assert len(store.messages(job.job_id)) == published
    assert store.count(JobQuery()) == added + 1
    assert all(store.payload(found.job_id).context == b"{}" for found in store.jobs(JobQuery()))

    _make_room(store)
    assert store.add_message(job.job_id, "1") == published + 1
    store.set_outcome(job.job_id, Outcome(True, "json", b"1" * 100_000))
    assert store.finish({job.job_id: Exit(code=0)})[0].status == "DONE"
    assert not list(home.glob("*damaged*"))
    store.close()


def _with_file_size_limit(limit: int, work: Callable[[], object]) -> int:
    """The exit code of a child in which no file may grow past a limit, as on a disk that fails to write."""
    child = os.fork()
    if child == 0:
        code = 1
        try:
            resource.setrlimit(resource.RLIMIT_FSIZE, (limit, resource.RLIM_INFINITY))
            work()
            code = 0
        except BaseException:  # noqa: BLE001 - the child must not return into the test
            traceback.print_exc()
        finally:
            os._exit(code)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def test_a_write_that_fails_midway_leaves_the_store_usable(home, connect):
    store = connect(home)
    job = running(store)

    def work() -> None:
        body = '"' + "x" * 100_000 + '"'
        words = "disk fails or is full|disk is full|size limit"
        published = _until_refused(lambda: store.add_message(job.job_id, body), words)
        assert len(store.messages(job.job_id)) == published
        with pytest.raises(StoreError, match="size limit of this process"):
            store.add_message(job.job_id, '"' + "x" * 5_000_000 + '"')
        resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
        assert store.add_message(job.job_id, body) == published + 1
        assert store.add_message(job.job_id, '"' + "x" * 5_000_000 + '"') == published + 2

    assert _with_file_size_limit(3_000_000, work) == 0
    bodies = [message.body for message in store.messages(job.job_id)]
    assert bodies[-1] == '"' + "x" * 5_000_000 + '"'
    assert set(bodies[:-1]) == {'"' + "x" * 100_000 + '"'}
    assert len(list((home / "blobs").iterdir())) == 1, "what was half written is gone"
    assert not list(home.glob("*damaged*"))
    store.close()


def test_a_store_cannot_be_made_without_room_and_can_once_there_is(home):
    def work() -> None:
        with pytest.raises(StoreError, match="could not be used"):
            open_store(home)

    assert _with_file_size_limit(4096, work) == 0
    store = open_store(home)
    assert store.count(JobQuery()) == 0
    store.add_job(new_job())
    store.close()


def test_pruning_a_full_disk_begins_with_what_jobs_have_printed(store, monkeypatch):
    job = running(store)
    store.log_path(job.job_id).write_bytes(b"x" * 100)
    store.set_outcome(job.job_id, Outcome(True, "json", b"1"))
    store.finish({job.job_id: Exit(code=0)})
    remove = retention._remove

    def remove_where_there_is_room(link, victims):
        if store.log_path(job.job_id).exists():
            raise sqlite3.OperationalError("database or disk is full")
        return remove(link, victims)

    monkeypatch.setattr(retention, "_remove", remove_where_there_is_room)
    assert store.prune(None, 0).jobs == 1
    assert store.count(JobQuery()) == 0


def test_a_job_can_be_stopped_on_a_full_disk_in_the_room_that_is_reserved_for_it(store, home, monkeypatch):
    store.prune_by_settings()
    kept = home / reserve.NAME
    assert (kept.stat().st_size, kept.stat().st_mode & 0o777) == (reserve.SIZE, 0o600)
    job = running(store)
    ask = commands.ask

    def ask_where_there_is_room(*args):
        if kept.exists():
            raise sqlite3.OperationalError("database or disk is full")
        return ask(*args)

    monkeypatch.setattr(commands, "ask", ask_where_there_is_room)
    assert store.ask(job.job_id, "cancel", "test").cancel_state == "requested"
    store.prune_by_settings()
    assert store.ask_many([job.job_id], "kill", "test") == {job.job_id: "asked"}
    assert not kept.exists(), "room that was given back is not there twice"

    def ask_where_there_is_none(*_):
        raise sqlite3.OperationalError("database or disk is full")

    monkeypatch.setattr(commands, "ask", ask_where_there_is_none)
    with pytest.raises(StoreError, match=FULL):
        store.ask(job.job_id, "cancel", "test")


def test_no_room_is_reserved_where_there_is_little(store, home, monkeypatch):
    usage = shutil.disk_usage(home)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage._replace(free=20 * reserve.SIZE))
    store.prune_by_settings()
    assert not (home / reserve.NAME).exists()


def test_a_large_body_that_finds_no_room_leaves_nothing_behind(store, home, monkeypatch):
    job = running(store)

    def full(fd: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", full)
        with pytest.raises(StoreError, match=FULL):
            store.set_outcome(job.job_id, Outcome(True, "pickle", bytes(2_000_000)))
    assert not list((home / "blobs").iterdir())
    store.set_outcome(job.job_id, Outcome(True, "pickle", bytes(2_000_000)))
    assert store.outcome(job.job_id).body == bytes(2_000_000)


def test_a_large_body_whose_file_is_gone_is_told_by_its_name(store, home):
    job = running(store)
    store.add_message(job.job_id, '"' + "x" * 2_000_000 + '"')
    (file,) = (home / "blobs").iterdir()
    file.unlink()
    with pytest.raises(StoreError, match=file.name):
        store.messages(job.job_id)


def test_a_store_that_another_process_keeps_locked_is_told_in_words(store, home, monkeypatch):
    job = running(store)
    store._db.run(lambda link: link.wait_at_most(0.05))
    holder = sqlite3.connect(home / "jobdeck.db", isolation_level=None)
    holder.execute("BEGIN IMMEDIATE")
    with pytest.raises(StoreError, match="kept it locked for too long"):
        store.add_message(job.job_id, "1")
    holder.execute("ROLLBACK")
    assert store.add_message(job.job_id, "1") == 1
    holder.close()
