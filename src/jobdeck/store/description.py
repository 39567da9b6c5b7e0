"""What ``jobdeck doctor`` tells of a store."""

from __future__ import annotations

import os
import sqlite3
from pathlib import Path

from . import integrity, migrations, opening, retention, settings
from .connection import Database, Link
from .home import BLOBS, OUTPUT, size_of
from .journal import is_network


def describe(db: Database) -> dict[str, object]:
    """Return a store's state by the names of what it tells; sizes are bytes."""
    return {
        "home": str(db.home),
        "file_system": db.file_system,
        "network_file_system": is_network(db.file_system),
        "sqlite": sqlite3.sqlite_version,
        **db.read(_content),
        "sizes": {
            "database": size_of(db.path),
            "journal": size_of(db.path.with_name(f"{db.path.name}-wal")),
            "output": _total(db.home / OUTPUT),
            "blobs": _total(db.home / BLOBS),
        },
        "damaged": [str(path) for path in integrity.found_aside(db.path)],
    }


def _content(link: Link) -> dict[str, object]:
    connection = link.connection
    assert connection is not None
    return {
        "store_id": link.store_id,
        "schema_version": migrations.schema_version(connection),
        "newest_schema_version": len(migrations.MIGRATIONS),
        "journal_mode": opening.journal_mode(connection),
        "jobs": dict(link.execute("SELECT status, count(*) FROM jobs GROUP BY status ORDER BY status").fetchall()),
        "messages": link.execute("SELECT count(*) FROM messages").fetchone()[0],
        "retention": {name: settings.get(link, name) or default for name, default in retention.DEFAULTS.items()},
    }


def _total(folder: Path) -> int:
    return sum(size_of(folder / name) for name in os.listdir(folder))
