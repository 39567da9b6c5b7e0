"""The jobs and queries that both languages' tests read, as records and facts."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Any

from jobdeck._query import Facts
from jobdeck._records import JobRecord
from jobdeck._status import parse_status

FIXTURES: dict[str, Any] = json.loads((Path(__file__).parents[1] / "wire" / "queries.json").read_text("utf-8"))

_EMPTY: dict[str, Any] = {each.name: None for each in dataclasses.fields(JobRecord)}


def record_of(row: dict[str, Any]) -> JobRecord:
    """Return the job of which a row tells."""
    progress, error = row.get("progress") or {}, row.get("error") or {}
    told = {
        "job_id": row["id"],
        "tags": tuple(row.get("tags", ())),
        "metadata": {},
        "status": parse_status(row["status"]),
        "inputs_preview": row.get("inputs", {}),
        "interim_count": row.get("interim_count", 0),
        "result_preview": row.get("result"),
        "error_kind": error.get("kind"),
        "error": error.get("text"),
        "group_id": row.get("group"),
        "progress_done": progress.get("done"),
        "progress_total": progress.get("total"),
        "changed": row["number"],
    }
    return JobRecord(**{**_EMPTY, **{key: row[key] for key in row.keys() & _EMPTY.keys()}, **told})


def facts_of(row: dict[str, Any]) -> Facts:
    return Facts(row.get("latest", ""), row.get("values", {}))


JOBS = {letter: (record_of(row), facts_of(row)) for letter, row in FIXTURES["rows"].items()}
NOW: float = FIXTURES["now"]
