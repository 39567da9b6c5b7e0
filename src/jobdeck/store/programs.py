"""Named programs."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from .._errors import JobNotFoundError
from .._records import ProgramRecord
from . import blobs
from .blobs import Blob
from .connection import Connection
from .migrations import random_name
from .rows import json_text

_SELECT = "SELECT program_id, sha256, body, metadata, created, updated FROM programs JOIN blobs ON blobs.id = programs.data"


def put(
    connection: Connection, home: Path, data: Blob, metadata: Mapping[str, Any], program_id: str | None
) -> tuple[str, list[str]]:
    """Add or replace a program; returns its id and the hashes of blobs whose files may go after the commit."""
    program_id = program_id if program_id is not None else f"program-{random_name(8)}"
    now = time.time()
    old = connection.execute("SELECT data FROM programs WHERE program_id = ?", (program_id,)).fetchone()
    connection.execute(
        "INSERT INTO programs VALUES (:id, :data, :metadata, :now, :now) ON CONFLICT (program_id) DO UPDATE"
        " SET data = excluded.data, metadata = excluded.metadata, updated = excluded.updated",
        {
            "id": program_id,
            "data": blobs.keep(connection, home, data),
            "metadata": json_text("metadata", metadata),
            "now": now,
        },
    )
    return program_id, blobs.drop_unused(connection, old or ())


def get(connection: Connection, home: Path, program_id: str) -> ProgramRecord:
    row = connection.execute(f"{_SELECT} WHERE program_id = ?", (program_id,)).fetchone()
    if row is None:
        raise not_found(program_id)
    return _record(home, row)


def get_all(connection: Connection, home: Path) -> list[ProgramRecord]:
    rows = connection.execute(f"{_SELECT} ORDER BY created, program_id").fetchall()
    return [_record(home, row) for row in rows]


def delete(connection: Connection, program_id: str) -> list[str]:
    """Remove a program; returns the hashes of blobs whose files may go after the commit."""
    row = connection.execute("SELECT data FROM programs WHERE program_id = ?", (program_id,)).fetchone()
    if row is None:
        raise not_found(program_id)
    connection.execute("DELETE FROM programs WHERE program_id = ?", (program_id,))
    return blobs.drop_unused(connection, row)


def not_found(program_id: str) -> JobNotFoundError:
    return JobNotFoundError(f"there is no program {program_id!r}; jobdeck.programs() lists those there are")


def _record(home: Path, row: tuple[str, str, bytes | None, str, float, float]) -> ProgramRecord:
    program_id, sha256, body, metadata, created, updated = row
    return ProgramRecord(program_id, blobs.body_of(home, sha256, body), json.loads(metadata), created, updated)
