"""Whether a store's file is sound, and what is done with one that is not."""

from __future__ import annotations

import os
import sqlite3
import time
from pathlib import Path
from typing import Final

from . import faults
from .home import size_of

_SUFFIXES: Final = ("-wal", "-shm", "-journal", "")
"""The database itself comes last: until it is gone nobody begins a new one beside what is left of the old."""
_STEPS: Final = 10_000
_QUICK: Final = 0.25
_THOROUGH: Final = 10.0


def quick_check(connection: sqlite3.Connection, seconds: float = _QUICK) -> str | None:
    """Look for damage for so many seconds, which is enough for some hundred megabytes; return what was found."""
    return _check(connection, "PRAGMA quick_check(1)", seconds)


def _check(connection: sqlite3.Connection, pragma: str, seconds: float) -> str | None:
    deadline = time.monotonic() + seconds
    connection.set_progress_handler(lambda: time.monotonic() > deadline, _STEPS)
    try:
        said = str(connection.execute(pragma).fetchone()[0])
    except sqlite3.DatabaseError as error:
        if faults.is_damage(error):
            return str(error)
        if "interrupted" in str(error):
            return None
        raise
    finally:
        connection.set_progress_handler(None, 0)
    return None if said == "ok" else said


def set_aside(path: Path) -> Path | None:
    """Rename the files of a damaged store; the caller holds the turnstile alone.

    Returns
    -------
    Path or None
        The database's new name; None if the file at `path` is sound, since somebody else has already begun a new one.
    """
    if not path.exists():
        return None
    connection = sqlite3.connect(path, isolation_level=None)
    try:
        # What cannot be looked at (locked, a failing disk) is not damaged: such an error goes to the caller.
        if _check(connection, "PRAGMA integrity_check(1)", _THOROUGH) is None:
            return None
        # Renamed while it is open: SQLite then leaves it as it is, where a close might first write to it.
        return rename(path)
    finally:
        connection.close()


def rename(path: Path) -> Path:
    """Give whatever there is of a database and the files beside it a name that tells when they were found damaged."""
    stamp = time.strftime("%Y%m%dT%H%M%S")
    name = base = f"{path.name}.damaged-{stamp}"
    count = 1
    while any(os.path.lexists(path.with_name(name + suffix)) for suffix in _SUFFIXES):
        count += 1
        name = f"{base}-{count}"
    has_log = size_of(path.with_name(f"{path.name}-wal")) > 0
    for suffix in _SUFFIXES:
        source = path.with_name(path.name + suffix)
        if suffix in ("-wal", "-shm") and not has_log:
            # Empty, and only there because the file was opened to look at it.
            source.unlink(missing_ok=True)
        elif source.exists():
            source.rename(path.with_name(name + suffix))
    return path.with_name(name)


def found_aside(path: Path) -> list[Path]:
    """Return the databases that were set aside, oldest first."""
    names = path.parent.glob(f"{path.name}.damaged-*")
    return sorted(name for name in names if not name.name.endswith(_SUFFIXES[:-1]))
