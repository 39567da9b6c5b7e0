"""The journal: WAL where it works, and a word where it does not."""

from __future__ import annotations

import sqlite3
import warnings
from pathlib import Path

import psutil
import pytest

from jobdeck._errors import StoreError
from jobdeck._records import JobQuery
from jobdeck.store import SQLiteStore, StoreWarning, open_store
from jobdeck.store.journal import file_system_type, is_network

from .conftest import new_job, running


def _open_on(home: Path, file_system: str | None) -> SQLiteStore:
    return SQLiteStore(home, file_system=lambda path: file_system)


def _mode_in_file(home: Path) -> str:
    connection = sqlite3.connect(home / "jobdeck.db")
    mode = connection.execute("PRAGMA journal_mode").fetchone()[0]
    connection.close()
    return mode


@pytest.mark.parametrize(
    "kind", ["nfs", "nfs4", "NFS", "cifs", "smb3", "smbfs", "9p", "fuse.sshfs", "lustre", "gpfs", "beegfs", "afs"]
)
def test_file_systems_that_machines_share_are_known(kind):
    assert is_network(kind)


@pytest.mark.parametrize("kind", ["ext4", "xfs", "btrfs", "tmpfs", "overlay", "apfs", "zfs", "fuseblk", "", None])
def test_local_file_systems_are_not_taken_for_shared_ones(kind):
    assert not is_network(kind)


def test_the_file_system_of_a_path_is_that_of_its_nearest_mount(tmp_path):
    mounts = {part.mountpoint: part.fstype for part in psutil.disk_partitions(all=True)}
    assert file_system_type(Path("/proc/self")) == mounts["/proc"] == "proc"
    assert file_system_type(tmp_path / "not there yet") in mounts.values()
    assert file_system_type(Path("/dev/shm")) == mounts["/dev/shm"]


def test_a_local_store_uses_wal_and_says_nothing(home):
    store = open_store(home)
    assert store.describe()["journal_mode"] == "wal"
    assert (home / "jobdeck.db-wal").exists()
    store.close()


def test_a_store_on_a_network_mount_works_without_wal_and_says_so_once(home, recwarn):
    store = _open_on(home, "nfs4")
    job = running(store)
    store.add_message(job.job_id, "1")
    assert store.describe()["journal_mode"] == "truncate"
    assert store.describe()["network_file_system"] is True
    assert not (home / "jobdeck.db-wal").exists()
    assert [warning.category for warning in recwarn] == [StoreWarning]
    assert "nfs4" in str(recwarn[0].message)
    assert "JOBDECK_HOME" in str(recwarn[0].message)
    store.close()


def test_a_store_that_was_made_with_wal_leaves_it_on_a_network_mount_with_nothing_lost(home):
    store = open_store(home)
    job = running(store)
    store.add_message(job.job_id, "1")
    store.close()
    with pytest.warns(StoreWarning, match="nfs"):
        moved = _open_on(home, "nfs")
    assert moved.describe()["journal_mode"] == "truncate"
    assert [message.body for message in moved.messages(job.job_id)] == ["1"]
    assert not (home / "jobdeck.db-shm").exists()
    moved.close()
    assert _mode_in_file(home) == "delete", "which is how SQLite reads any file that is not in WAL"


def test_a_wal_with_messages_that_a_dead_process_left_is_read_on_a_network_mount(home, tmp_path):
    store = open_store(home)
    job = running(store)
    store.add_message(job.job_id, "1")
    copy = tmp_path / "copy"
    copy.mkdir(mode=0o700)
    for name in ("jobdeck.db", "jobdeck.db-wal"):
        (copy / name).write_bytes((home / name).read_bytes())
    store.close()
    with pytest.warns(StoreWarning, match="nfs"):
        moved = _open_on(copy, "nfs")
    assert [message.body for message in moved.messages(job.job_id)] == ["1"]
    moved.close()


def test_a_store_that_others_use_with_wal_is_not_taken_out_of_it(home):
    store = open_store(home)
    job = store.add_job(new_job())
    with pytest.raises(StoreError, match="in WAL mode, which cannot work where it lies, and is in use"):
        _open_on(home, "nfs")
    assert store.job(job.job_id) == job
    assert store.describe()["journal_mode"] == "wal"
    store.close()


def test_a_store_that_was_made_without_wal_stays_so_since_it_may_be_shared_from_elsewhere(home):
    with pytest.warns(StoreWarning):
        _open_on(home, "nfs").close()
    with pytest.warns(StoreWarning, match="made without WAL"):
        store = _open_on(home, "ext4")
    assert store.describe()["journal_mode"] == "truncate"
    store.close()


def test_where_sqlite_itself_refuses_wal_the_store_does_without_it(home, monkeypatch):
    class Refusing(sqlite3.Connection):
        def execute(self, sql, *parameters):  # type: ignore[no-untyped-def]
            if sql == "PRAGMA journal_mode = WAL":
                raise sqlite3.OperationalError("disk I/O error")
            return super().execute(sql, *parameters)

    original = sqlite3.connect
    monkeypatch.setattr(sqlite3, "connect", lambda *args, **kwargs: original(*args, **kwargs, factory=Refusing))
    with pytest.warns(StoreWarning, match="made without WAL"):
        store = _open_on(home, None)
    assert store.describe()["journal_mode"] == "truncate"
    store.add_job(new_job())
    assert store.count(JobQuery()) == 1
    store.close()


def test_a_connection_is_not_warned_about_twice(home):
    with pytest.warns(StoreWarning):
        store = _open_on(home, "nfs")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        store.count(JobQuery())
    store.close()
