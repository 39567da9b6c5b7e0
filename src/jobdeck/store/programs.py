"""Named programs."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from typing import Any

from .._errors import JobNotFoundError
from .._records import ProgramRecord
from . import blobs
from .blobs import Blob
from .connection import Link
from .migrations import random_name
from .rows import json_text

_SELECT = (
    "SELECT program_id, sha256, body, metadata, created, updated FROM programs JOIN blobs ON blobs.id = programs.data"
)


def put(link: Link, data: Blob, metadata: Mapping[str, Any], program_id: str | None) -> tuple[str, list[str]]:
    """Add or replace a program; returns its id and the hashes of blobs whose files may go after the commit."""
    program_id = program_id if program_id is not None else f"program-{random_name(8)}"
    now = time.time()
    old = link.execute("SELECT data FROM programs WHERE program_id = ?", (program_id,)).fetchone()
    link.execute(
        "INSERT INTO programs VALUES (:id, :data, :metadata, :now, :now) ON CONFLICT (program_id) DO UPDATE"
        " SET data = excluded.data, metadata = excluded.metadata, updated = excluded.updated",
        {
            "id": program_id,
            "data": blobs.keep(link, data),
            "metadata": json_text("metadata", metadata),
            "now": now,
        },
    )
    return program_id, blobs.drop_unused(link, old or ())


def get(link: Link, program_id: str) -> ProgramRecord:
    row = link.execute(f"{_SELECT} WHERE program_id = ?", (program_id,)).fetchone()
    if row is None:
        raise not_found(program_id)
    return _record(link, row)


def get_all(link: Link) -> list[ProgramRecord]:
    rows = link.execute(f"{_SELECT} ORDER BY created, program_id").fetchall()
    return [_record(link, row) for row in rows]


def delete(link: Link, program_id: str) -> list[str]:
    """Remove a program; returns the hashes of blobs whose files may go after the commit."""
    row = link.execute("SELECT data FROM programs WHERE program_id = ?", (program_id,)).fetchone()
    if row is None:
        raise not_found(program_id)
    link.execute("DELETE FROM programs WHERE program_id = ?", (program_id,))
    return blobs.drop_unused(link, row)


def not_found(program_id: str) -> JobNotFoundError:
    return JobNotFoundError(f"there is no program {program_id!r}; jobdeck.programs() lists those there are")


def _record(link: Link, row: tuple[str, str, bytes | None, str, float, float]) -> ProgramRecord:
    program_id, sha256, body, metadata, created, updated = row
    return ProgramRecord(program_id, blobs.body_of(link.home, sha256, body), json.loads(metadata), created, updated)
