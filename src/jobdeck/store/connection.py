"""SQLite connections to one store: one per thread, none across a fork, all made by one function."""

from __future__ import annotations

import os
import sqlite3
import threading
import weakref
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final, TypeVar

from .._errors import StoreError
from . import faults
from .home import DATABASE, prepare_home
from .migrations import check_version, migrate
from .turnstile import turnstile

T = TypeVar("T")
Connection = sqlite3.Connection

BUSY_TIMEOUT: Final = 30.0
_LARGEST_LOG: Final = 64 << 20

_links: weakref.WeakSet[Link] = weakref.WeakSet()
_registry = threading.Lock()
_held: list[Link] = []


class Link:
    """One thread's connection and what is known through it. Only the holder of `lock` touches it."""

    def __init__(self) -> None:
        self.lock = threading.RLock()
        self.connection: Connection | None = None
        self.identity: tuple[int, int] | None = None
        self.numbers: dict[str, int] = {}
        self.store_id = ""
        self.base = 0
        self.closed = False

    def disconnect(self) -> None:
        if self.connection is not None:
            connection, self.connection = self.connection, None
            self.numbers = {}
            connection.close()

    def __del__(self) -> None:
        # A thread that ends lets go of its link; from Python 3.13 an unclosed connection would complain.
        self.disconnect()


def _before_fork() -> None:
    """Close every connection, and keep all threads from opening one until the fork is over.

    A child may neither use nor close its parent's connections, and even a fresh one of its own is unsafe while
    SQLite believes that this process already holds the locks that the parent holds.
    """
    _registry.acquire()
    for link in list(_links):
        link.lock.acquire()
        _held.append(link)
        if link.connection is not None and not link.connection.in_transaction:
            link.disconnect()


def _after_fork() -> None:
    while _held:
        _held.pop().lock.release()
    _registry.release()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(before=_before_fork, after_in_parent=_after_fork, after_in_child=_after_fork)


class Database:
    """A store's file, reached from any thread.

    Every call of `run`, `read` or `write` is one transaction. SQLite's errors come out as `StoreError`; a file that
    turns out to be damaged is set aside, and the call is made on the new one.
    """

    def __init__(self, home: Path) -> None:
        self.home = home
        self.path = home / DATABASE
        self._name = str(self.path)
        self._local = threading.local()
        self._links: weakref.WeakSet[Link] = weakref.WeakSet()
        self._closed = False
        self._generation = 0

    def run(self, work: Callable[[Link, Connection], T]) -> T:
        """Do work of one single statement."""
        link = self._link()
        with link.lock:
            try:
                return work(link, self._connection(link))
            except sqlite3.Error as error:
                raise faults.in_words(error, self.home) from error

    def read(self, work: Callable[[Link, Connection], T]) -> T:
        """Do work that reads several times and has to see one state."""
        return self.run(lambda link, connection: _transact(link, connection, "BEGIN", work))

    def write(self, work: Callable[[Link, Connection], T]) -> T:
        """Do work that writes: all of it or nothing, with nobody else writing in between."""
        return self.run(lambda link, connection: _transact(link, connection, "BEGIN IMMEDIATE", work))

    def close(self) -> None:
        """Close the connections of all threads."""
        self._closed = True
        with _registry:
            links = list(self._links)
        for link in links:
            with link.lock:
                link.disconnect()

    def _link(self) -> Link:
        try:
            link: Link = self._local.link
        except AttributeError:
            link = Link()
            with _registry:
                _links.add(link)
                self._links.add(link)
            self._local.link = link
        return link

    def _connection(self, link: Link) -> Connection:
        if link.connection is not None:
            try:
                found = os.stat(self._name)
                if link.identity == (found.st_ino, found.st_dev):
                    return link.connection
            except FileNotFoundError:
                pass
            # Somebody has set the file aside: what is written to it is seen by nobody.
            link.disconnect()
        if self._closed:
            raise StoreError(f"the store in {self.home} was closed; open it again with a new Deck")
        self._connect(link)
        assert link.connection is not None
        return link.connection

    def _connect(self, link: Link) -> None:
        prepare_home(self.home)
        with turnstile(self.home, exclusive=False):
            if self.path.exists() and self._open(link):
                return
        with turnstile(self.home, exclusive=True):
            if not self.path.exists():
                os.close(os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600))
            self._open(link, may_migrate=True)

    def _open(self, link: Link, may_migrate: bool = False) -> bool:
        connection = sqlite3.connect(
            self._name, timeout=BUSY_TIMEOUT, isolation_level=None, check_same_thread=False, cached_statements=256
        )
        try:
            if check_version(connection, self._name):
                if not may_migrate:
                    connection.close()
                    return False
                connection.execute("PRAGMA auto_vacuum = INCREMENTAL")
                connection.execute("PRAGMA journal_mode = WAL")
                migrate(connection)
            connection.execute("PRAGMA synchronous = NORMAL")
            connection.execute("PRAGMA foreign_keys = ON")
            connection.execute(f"PRAGMA journal_size_limit = {_LARGEST_LOG}")
            link.store_id = connection.execute("SELECT value FROM settings WHERE name = 'store_id'").fetchone()[0]
        except BaseException:
            connection.close()
            raise
        found = os.stat(self._name)
        link.identity = (found.st_ino, found.st_dev)
        self._generation += 1
        link.base = self._generation << 48
        link.connection = connection
        return True


def _transact(link: Link, connection: Connection, begin: str, work: Callable[[Link, Connection], T]) -> T:
    try:
        connection.execute(begin)
        result = work(link, connection)
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise
    return result


def row_of(connection: Connection, sql: str, parameters: Any = ()) -> Any:
    """Return the only row of a query, None where there is none."""
    return connection.execute(sql, parameters).fetchone()
