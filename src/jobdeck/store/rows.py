"""Rows of the store to frozen records, and texts and values to what a row can hold."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping, Sequence
from typing import Any, Final, overload

from .._errors import InvalidInputError
from .._records import JobRecord
from .._status import parse_status

_PARTS: Final = {
    # The newest message is the only one that can be final, so that the count costs one look into the index.
    "interim_count": (
        "coalesce((SELECT (m.id & 4294967295) - m.final FROM messages m"
        " WHERE m.id > (jobs.number << 32) AND m.id < ((jobs.number + 1) << 32) ORDER BY m.id DESC LIMIT 1), 0)"
    )
}
_NAMES: Final = tuple(each.name for each in dataclasses.fields(JobRecord))
_STATUS, _TAGS, _METADATA, _PREVIEW, _SOURCE, _FACTS = map(
    _NAMES.index, ("status", "tags", "metadata", "inputs_preview", "source", "facts")
)

_INDEX: Final = {name: at for at, name in enumerate(_NAMES)}
JOB_ID: Final = _INDEX["job_id"]
"""Where a row that `SELECT_JOBS` found has the job's id."""

SELECT_JOBS: Final = f"SELECT {', '.join(_PARTS.get(name, f'jobs.{name}') for name in _NAMES)} FROM jobs"
"""Selects what `job_record` reads."""


def job_record(row: Sequence[Any], changes: Mapping[str, Any] | None = None) -> JobRecord:
    """Return the job of a row that `SELECT_JOBS` found, with what was written to some of its columns since."""
    values = list(row)
    if changes is not None:
        for name, value in changes.items():
            values[_INDEX[name]] = value
    values[_STATUS] = parse_status(values[_STATUS])
    # Most jobs have none of these, and all jobs that change are read, by every process that follows.
    values[_TAGS] = () if values[_TAGS] == "[]" else tuple(json.loads(values[_TAGS]))
    values[_METADATA] = {} if values[_METADATA] == "{}" else json.loads(values[_METADATA])
    values[_PREVIEW] = {} if values[_PREVIEW] == "{}" else json.loads(values[_PREVIEW])
    values[_SOURCE] = None if values[_SOURCE] is None else json.loads(values[_SOURCE])
    values[_FACTS] = {} if values[_FACTS] is None else json.loads(values[_FACTS])
    # As `JobRecord(*values)`, which would set forty attributes by a call each, past the class's refusal to set any.
    record = object.__new__(JobRecord)
    vars(record).update(zip(_NAMES, values, strict=True))
    return record


def new_job_record(values: Mapping[str, Any]) -> JobRecord:
    """Return the job of a row that was inserted with these columns, without reading it back."""
    return job_record(list(map(values.get, _NAMES)), {"interim_count": 0})


@overload
def text(value: str) -> str: ...
@overload
def text(value: None) -> None: ...
@overload
def text(value: str | None) -> str | None: ...
def text(value: str | None) -> str | None:
    r"""Return a text that SQLite can hold: lone surrogates become their escapes (``\ud800``).

    In a JSON document such an escape reads back as the surrogate, so that nothing is lost there.
    """
    if value is None or value.isascii():
        return value
    return value.encode("utf-8", "backslashreplace").decode()


def json_text(what: str, value: Mapping[str, Any] | Sequence[str]) -> str:
    """Return a value as JSON in ASCII; `what` names it in the error."""
    if not value:
        return "{}" if isinstance(value, Mapping) else "[]"
    try:
        return json.dumps(dict(value) if isinstance(value, Mapping) else list(value))
    except (TypeError, ValueError, RecursionError) as error:
        raise InvalidInputError(f"{what} must be made of what JSON can hold: {error}") from error
