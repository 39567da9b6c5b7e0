"""Connections to one store's file: one per thread, none across a fork."""

from __future__ import annotations

import os
import sqlite3
import threading
import warnings
import weakref
from collections.abc import Callable
from pathlib import Path
from typing import Concatenate, Final, ParamSpec, TypeVar

from .._errors import StoreError
from . import faults, integrity, opening, reserve
from .home import DATABASE, prepare_home
from .journal import FileSystem, StoreWarning, is_network
from .line import Place
from .turnstile import Presence, turnstile

P = ParamSpec("P")
T = TypeVar("T")

_LONG: Final = 3.0
"""Seconds in the line after which something else than a crowd is the matter."""


class Link:
    """One thread's connection and what is known through it. Only the holder of `lock` uses it.

    Attributes
    ----------
    home : Path
        The store's home.
    execute : callable
        The connection's ``execute``.
    store_id : str
        What the store's job ids begin with.
    numbers : dict of str to int
        The numbers of jobs that were looked up.
    base : int
        What this connection's data versions are counted from.
    place : Place
        Where it stands among those who want to write.
    """

    def __init__(self, home: Path, *, lines_up: bool) -> None:
        self.home = home
        self.place = Place(home if lines_up else None)
        self.lock = threading.RLock()
        self.connection: sqlite3.Connection | None = None
        self.execute: Callable[..., sqlite3.Cursor]
        self.identity: opening.Identity | None = None
        self.store_id = ""
        self.numbers: dict[str, int] = {}
        self.base = 0
        self.depth = 0

    def attach(self, opened: opening.Opened, base: int) -> None:
        self.connection, self.identity, self.store_id = opened
        self.execute = self.connection.execute
        self.base = base

    def disconnect(self) -> None:
        connection, self.connection = self.connection, None
        self.numbers = {}
        self.place.close()
        if connection is not None:
            connection.close()

    def wait_at_most(self, seconds: float) -> None:
        """Wait no longer for others that write."""
        self.execute(f"PRAGMA busy_timeout = {int(seconds * 1000)}")

    def data_version(self) -> int:
        # SQLite's number tells of what others committed, its count of changes of what this connection did. Both only
        # grow, and a new connection starts above all that came before it, so that no sum comes twice.
        assert self.connection is not None
        return self.base + int(self.execute("PRAGMA data_version").fetchone()[0]) + self.connection.total_changes

    def __del__(self) -> None:
        # A thread that ends lets go of its link; from Python 3.13 a connection complains unless it is closed.
        self.disconnect()


_links: weakref.WeakSet[Link] = weakref.WeakSet()
_registry = threading.RLock()
_held: list[Link] = []
_inherited: list[sqlite3.Connection | None] = []


def _before_fork() -> None:
    """Close every connection, and keep all threads from opening one until the fork is over.

    A child may neither use nor close its parent's connections. A fresh one of its own is no way out while it holds a
    copy of theirs: SQLite keeps a list of the locks that the process has on each file, and a child that finds its
    parent's locks there takes none itself. Seen with SQLite 3.40: the parent closes, the WAL goes with it, and what
    the child then commits is lost.
    """
    _registry.acquire()
    # Asked first: going through a set of weak references touches much, and where jobs are forked there are none.
    for link in list(_links) if len(_links) else ():
        link.lock.acquire()
        _held.append(link)
        if not link.depth:
            link.disconnect()


def _after_fork() -> None:
    while _held:
        _held.pop().lock.release()
    _registry.release()


def _after_fork_in_child() -> None:
    for link in _held:
        if link.connection is not None:
            # A signal's handler forked in the middle of a transaction: the connection is the parent's alone.
            _inherited.append(link.connection)
            link.connection, link.depth, link.numbers = None, 0, {}
            link.place.close()
    _after_fork()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(before=_before_fork, after_in_parent=_after_fork, after_in_child=_after_fork_in_child)


class Database:
    """A store's file, reached from any thread.

    Every call of `run`, `read` or `write` is one transaction. SQLite's errors come out as `StoreError`; a file that
    turns out to be damaged is set aside, and the call is made on the new one.
    """

    def __init__(self, home: Path, file_system: FileSystem) -> None:
        self.home = home
        self.path = home / DATABASE
        self._name = str(self.path)
        self._local = threading.local()
        self._links: weakref.WeakSet[Link] = weakref.WeakSet()
        self._closed = False
        self._connections = 0
        prepare_home(home)
        self.file_system = file_system(home)
        self._presence = Presence(home)
        try:
            self._open_first()
        except BaseException:
            self.close()
            raise

    def run(self, work: Callable[Concatenate[Link, P], T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Do work of one single statement."""
        link = self._link()
        with link.lock:
            link.depth += 1
            try:
                self._make_ready(link)
                try:
                    return work(link, *args, **kwargs)
                except sqlite3.DatabaseError as error:
                    if not faults.is_damage(error) or link.depth > 1:
                        raise
                    self._set_aside(str(error))
                    link.disconnect()
                    self._make_ready(link)
                    return work(link, *args, **kwargs)
            except (sqlite3.Error, OSError) as error:
                raise faults.in_words(error, self.home) from error
            finally:
                link.depth -= 1

    def read(self, work: Callable[Concatenate[Link, P], T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Do work that reads several times and has to see one state."""
        return self.run(_transact, "BEGIN", work, *args, **kwargs)

    def write(self, work: Callable[Concatenate[Link, P], T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Do work that writes: all of it or nothing, with nobody else writing in between."""

        def transaction(link: Link) -> T:
            try:
                link.place.overtake()
                return _transact(link, "BEGIN IMMEDIATE", work, *args, **kwargs)
            finally:
                link.place.leave()

        return self.run(transaction)

    def write_even_if_full(self, work: Callable[Concatenate[Link, P], T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Do work as `write` does, on a full disk in the room that is reserved for it."""
        try:
            return self.write(work, *args, **kwargs)
        except StoreError as error:
            if not error.lacks_room or not reserve.give(self.home):
                raise
        return self.write(work, *args, **kwargs)

    def insert(self, work: Callable[Concatenate[Link, P], T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Do work that writes by one single statement, after those who have asked before."""

        def statement(link: Link) -> T:
            return self._in_turn(link, lambda: work(link, *args, **kwargs))

        return self.run(statement)

    def write_in_turn(self, work: Callable[Concatenate[Link, P], T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Do work as `write` does, after those who have asked before; for what comes from many processes at once."""

        def in_turn(link: Link) -> T:
            return self._in_turn(link, lambda: _transact(link, "BEGIN IMMEDIATE", work, *args, **kwargs))

        return self.run(in_turn)

    def _in_turn(self, link: Link, work: Callable[[], T]) -> T:
        is_hurried = False
        try:
            waited = link.place.queue()
            if waited:
                # The store may have been set aside meanwhile.
                self._make_ready(link)
            is_hurried = waited > _LONG
            if is_hurried:
                # Those before have met somebody who keeps the store locked; not each of them waits for all that time.
                link.wait_at_most(max(0.0, opening.BUSY_TIMEOUT - waited))
            return work()
        finally:
            link.place.leave()
            if is_hurried and link.connection is not None:
                link.wait_at_most(opening.BUSY_TIMEOUT)

    def close(self) -> None:
        """Close the connections of all threads."""
        self._closed = True
        with _registry:
            links = list(self._links)
        for link in links:
            with link.lock:
                link.disconnect()
        self._presence.close()

    def _link(self) -> Link:
        try:
            link: Link = self._local.link
        except AttributeError:
            link = Link(self.home, lines_up=not is_network(self.file_system))
            with _registry:
                _links.add(link)
                self._links.add(link)
            self._local.link = link
        return link

    def _make_ready(self, link: Link) -> None:
        """Connect, unless there is a connection to the very file that others find, too."""
        if link.depth > 1:
            # A signal's handler in the middle of another call of this thread, whose connection has to stay as it is.
            if link.connection is None:
                raise StoreError(f"the store in {self.home} is just being opened; a signal's handler cannot use it yet")
            return
        if link.connection is not None:
            if opening.identity_of(self._name) == link.identity:
                return
            # It was set aside: what is written there is seen by nobody.
            link.disconnect()
        if self._closed:
            raise StoreError(f"the store in {self.home} was closed; open it again with Deck(home=...)")
        try:
            opened = self._connect()
        except sqlite3.DatabaseError as error:
            if not faults.is_damage(error):
                raise
            self._set_aside(str(error))
            opened = self._connect()
        self._connections += 1
        link.attach(opened, self._connections << 48)

    def _connect(self) -> opening.Opened:
        prepare_home(self.home)
        wal = not is_network(self.file_system)
        with turnstile(self.home, exclusive=False):
            opened = opening.connect(self.path, wal=wal, alone=False) if self.path.exists() else None
        if opened is None:
            with turnstile(self.home, exclusive=True):
                if not self.path.exists():
                    integrity.rename(self.path)
                    opening.create(self.path)
                opened = opening.connect(self.path, wal=wal, alone=True)
        assert opened is not None
        return opened

    def _open_first(self) -> None:
        """Connect; who opens the store while nobody else has it open looks for damage and tells of a slow journal."""
        if not self._presence.is_alone():
            self._presence.show()
            self.run(_of)
            return
        damage = self.run(lambda link: integrity.quick_check(_of(link)))
        if damage is not None:
            self._set_aside(damage)
        self._presence.show()
        if self.run(lambda link: opening.journal_mode(_of(link))) != "wal":
            where = f"on a {self.file_system} file system" if is_network(self.file_system) else "made without WAL"
            warnings.warn(
                f"the store in {self.home} is {where}: it works, but slower, since readers and writers wait for each "
                "other; a home on a local disk is faster (set JOBDECK_HOME or use Deck(home=...))",
                StoreWarning,
                stacklevel=2,
            )

    def _set_aside(self, damage: str) -> None:
        with turnstile(self.home, exclusive=True):
            aside = integrity.set_aside(self.path)
        if aside is not None:
            words = " ".join(damage.split())
            warnings.warn(
                f"the store {self.path} was damaged ({words}): it is kept as {aside}, and a new one was begun as "
                f"{self.path}, without the jobs of the old",
                StoreWarning,
                stacklevel=2,
            )


def _of(link: Link) -> sqlite3.Connection:
    assert link.connection is not None
    return link.connection


def _transact(
    link: Link, begin: str, work: Callable[Concatenate[Link, P], T], /, *args: P.args, **kwargs: P.kwargs
) -> T:
    connection = _of(link)
    if connection.in_transaction:
        if link.depth > 1:
            # Called by a signal's handler in the middle of another call of this thread: both are committed as one.
            return work(link, *args, **kwargs)
        connection.execute("ROLLBACK")
    try:
        connection.execute(begin)
        result = work(link, *args, **kwargs)
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise
    return result
