"""The one place where a connection to a store's file is made."""

from __future__ import annotations

import os
import sqlite3
import stat
from pathlib import Path
from typing import Final, NamedTuple

from .._errors import StoreError
from .migrations import is_current, migrate, schema_version

BUSY_TIMEOUT: Final = 30.0
"""Seconds to wait for others that write."""
_TAKEOVER_TIMEOUT: Final = 3.0
_LARGEST_LOG: Final = 64 << 20
_CHECKPOINT_PAGES: Final = 4000
_OLDEST_SQLITE: Final = (3, 35)

Identity = tuple[int, int]


class Opened(NamedTuple):
    """A new connection, what tells its file from others of the same name, and the id of the store in it."""

    connection: sqlite3.Connection
    identity: Identity | None
    store_id: str


def identity_of(path: str) -> Identity | None:
    """Return what tells this file from another one of the same name, None where there is none."""
    try:
        found = os.stat(path)
    except FileNotFoundError:
        return None
    return found.st_dev, found.st_ino


def create(path: Path) -> None:
    """Make an empty file for its owner alone; SQLite gives the files beside it the same mode."""
    os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600))


def connect(path: Path, *, wal: bool, alone: bool) -> Opened | None:
    """Open the file, which must exist; the caller is in the turnstile.

    Parameters
    ----------
    path
        The database.
    wal
        Whether WAL may be used where the file lies.
    alone
        Whether nobody else opens it just now, so that its schema and journal may be brought up to date.

    Returns
    -------
    Opened or None
        None if it has to be opened alone.
    """
    if sqlite3.sqlite_version_info < _OLDEST_SQLITE:
        raise StoreError(
            f"jobdeck needs SQLite 3.35 or newer, this Python has {sqlite3.sqlite_version}; upgrade Python"
        )
    if stat.S_IMODE(os.stat(path).st_mode) & 0o077:
        os.chmod(path, 0o600)
    connection = sqlite3.connect(
        path, timeout=BUSY_TIMEOUT, isolation_level=None, check_same_thread=False, cached_statements=256
    )
    try:
        if not wal:
            _leave_wal(connection, path, alone)
        if not is_current(connection, path):
            if not alone:
                connection.close()
                return None
            if schema_version(connection) == 0:
                connection.execute("PRAGMA auto_vacuum = INCREMENTAL")
                if wal:
                    _enter_wal(connection)
            migrate(connection)
        if journal_mode(connection) == "wal":
            connection.execute("PRAGMA synchronous = NORMAL")
            connection.execute(f"PRAGMA wal_autocheckpoint = {_CHECKPOINT_PAGES}")
        else:
            connection.execute("PRAGMA journal_mode = TRUNCATE")
            connection.execute("PRAGMA synchronous = FULL")
        connection.execute("PRAGMA foreign_keys = ON")
        connection.execute(f"PRAGMA journal_size_limit = {_LARGEST_LOG}")
        store_id = connection.execute("SELECT value FROM settings WHERE name = 'store_id'").fetchone()[0]
    except _MustBeAlone:
        connection.close()
        return None
    except BaseException:
        connection.close()
        raise
    return Opened(connection, identity_of(str(path)), store_id)


def journal_mode(connection: sqlite3.Connection) -> str:
    """Return the journal mode in SQLite's words."""
    return str(connection.execute("PRAGMA journal_mode").fetchone()[0])


class _MustBeAlone(Exception):
    pass


def _enter_wal(connection: sqlite3.Connection) -> None:
    try:
        connection.execute("PRAGMA journal_mode = WAL")
    except sqlite3.OperationalError:
        # A file system without shared memory. If something worse is the matter, the next statement fails as well.
        connection.execute("PRAGMA journal_mode = TRUNCATE")


def _leave_wal(connection: sqlite3.Connection, path: Path, alone: bool) -> None:
    """Take a store that came from elsewhere out of WAL, without the shared memory that this place does not give."""
    connection.execute("PRAGMA locking_mode = EXCLUSIVE")
    has_log = path.with_name(f"{path.name}-wal").exists()
    if has_log:
        connection.execute(f"PRAGMA busy_timeout = {int(_TAKEOVER_TIMEOUT * 1000)}")
    try:
        if journal_mode(connection) == "wal":
            if not alone:
                raise _MustBeAlone
            connection.execute("PRAGMA journal_mode = TRUNCATE")
    except sqlite3.OperationalError as error:
        if not (has_log and "locked" in str(error)):
            raise
        raise StoreError(
            f"the store {path} is in WAL mode, which cannot work where it lies, and is in use; "
            "end the kernels and agents that use it, then try again"
        ) from error
    connection.execute("PRAGMA locking_mode = NORMAL")
    connection.execute(f"PRAGMA busy_timeout = {int(BUSY_TIMEOUT * 1000)}")
    # The exclusive lock is given back by the next statement that reads.
    schema_version(connection)
