"""New jobs: their rows, and the bodies that they share."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

from .._records import JobRecord, NewJob
from .._status import JobStatus
from . import blobs, chains, quotas
from .blobs import Blob
from .connection import Link
from .migrations import random_name
from .rows import json_text, new_job_record, text


def add(link: Link, several: Sequence[NewJob], blob_of: Mapping[bytes, Blob]) -> list[JobRecord]:
    """Insert jobs whose bodies were prepared; each distinct body is looked up once."""
    now = time.time()
    first = int(
        link.execute("UPDATE counter SET number = number + ? RETURNING number", (len(several),)).fetchall()[0][0]
    )
    ids = dict(zip(blob_of, blobs.keep_all(link, list(blob_of.values())), strict=True))
    records = []
    waits: dict[tuple[str, ...], chains.Wait] = {}
    free = {group_id: quotas.free(link, group_id) for group_id in {new.group_id for new in several}}
    for change, new in enumerate(several, first - len(several) + 1):
        if new.after not in waits:
            waits[new.after] = chains.wait_for(link, new.after, change)
        columns = _columns(link, new, now, change, waits[new.after])
        left = free[new.group_id]
        if left is not None and columns["ticket"] is not None:
            columns["ticket"] = change if left else None
            free[new.group_id] = max(0, left - 1)
        values = {
            **columns,
            "program": ids[new.program],
            "inputs": ids[new.inputs],
            "context": ids[new.context],
        }
        values["number"] = link.execute(_insert(tuple(values)), tuple(values.values())).lastrowid
        records.append(new_job_record(values))
    return records


@cache
def _insert(columns: tuple[str, ...]) -> str:
    return f"INSERT INTO jobs ({', '.join(columns)}) VALUES ({', '.join('?' * len(columns))})"


def _columns(link: Link, new: NewJob, now: float, change: int, wait: chains.Wait) -> dict[str, Any]:
    """Return a new job's row without its number and its bodies."""
    status = JobStatus.QUEUED if new.submitted else JobStatus.INITIALIZING
    if wait.error is not None:
        status = JobStatus.ERROR
    return {
        "job_id": new.job_id or f"{link.store_id}-{random_name(12)}",
        "name": text(new.name),
        "status": status.value,
        "engine": new.engine,
        "program_id": new.program_id,
        "backend": text(new.backend),
        "tags": json_text("tags", new.tags),
        "metadata": json_text("metadata", new.metadata),
        "inputs_preview": json_text("inputs_preview", new.inputs_preview),
        "timeout": new.timeout,
        "retry_of": new.retry_of,
        "group_id": new.group_id,
        # Later than all that were given a place, and in the order in which they came.
        "place": change if new.place is None and new.group_id is not None else new.place,
        "created": now,
        "queued": now if status == JobStatus.QUEUED else None,
        "ended": now if status == JobStatus.ERROR else None,
        "error_kind": None if wait.error is None else "submit",
        "error": text(wait.error),
        "facts": wait.facts,
        "gate": wait.gate,
        "ticket": change if status == JobStatus.QUEUED and wait.gate is None else None,
        "changed": change,
        "source": None if new.source is None else json_text("source", new.source),
        "agent": new.agent,
        "cancel_state": new.cancel_state,
        "cancel_note": text(new.cancel_note),
    }
