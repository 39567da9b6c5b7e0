"""Jobs as rows of the deck: short, with the newest that they have told."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final, cast

from .._ports import Store
from .._records import JobRecord, LastWords
from .._status import is_final
from .._values import LONGEST_BODY, latest_text, numbers_of
from .._wire import JobRow
from ._views import error_view, line, moment, progress_view

_NAME: Final = 200
_WORD: Final = 80
"""Characters of a tag, an input's name or value, an engine, a backend, a note."""
_TEXT: Final = 160
"""Characters of a result or an error."""
_MOST_TAGS: Final = 20
_MOST_INPUTS: Final = 16
_IDS_AT_ONCE: Final = 200
"""Jobs whose last words are read at a time, so that a few hundred large ones are not all held in memory at once."""


def read_rows(store: Store, records: Iterable[JobRecord]) -> list[JobRow]:
    """Return the jobs' rows in their order."""
    records = list(records)
    rows = []
    for begin in range(0, len(records), _IDS_AT_ONCE):
        some = records[begin : begin + _IDS_AT_ONCE]
        words = read_words(store, [record.job_id for record in some if may_have_words(record)])
        rows += [job_row(record, words.get(record.job_id, _NOTHING)) for record in some]
    return rows


def read_words(store: Store, job_ids: list[str]) -> dict[str, LastWords]:
    """Read what these jobs have said last, as far as a row shows it."""
    return store.last_words(job_ids, LONGEST_BODY + 1) if job_ids else {}


def may_have_words(record: JobRecord) -> bool:
    """Tell whether there can be a message or a result at all."""
    return record.interim_count > 0 or record.result_encoding == "json"


_NOTHING: Final = LastWords()


def job_row(record: JobRecord, words: LastWords) -> JobRow:
    """Return one job's row, without the values that say nothing."""
    final = is_final(record.status)
    row: dict[str, Any] = {
        "id": record.job_id,
        "number": record.number,
        "name": line(record.name, _NAME),
        "engine": line(record.engine, _WORD),
        "status": line(str(record.status), _WORD),
        "created": moment(record.created),
    }
    told: dict[str, Any] = {
        "tags": [line(tag, _WORD) for tag in record.tags[:_MOST_TAGS]],
        "backend": record.backend and line(record.backend, _WORD),
        "started": record.started and moment(record.started),
        "ended": record.ended and moment(record.ended),
        "cancel_state": record.cancel_state,
        "cancel_asked": record.cancel_asked and moment(record.cancel_asked),
        "cancel_note": record.cancel_note and line(record.cancel_note, _WORD),
        "progress": progress_view(record, _WORD),
        "inputs": {line(k, _WORD): line(v, _WORD) for k, v in list(record.inputs_preview.items())[:_MOST_INPUTS]},
        "result": record.result_preview and line(record.result_preview, _TEXT),
        "error": error_view(record, _TEXT, traceback=False),
        "exit_code": record.exit_code,
        "peak_memory": record.peak_memory,
        "cpu_time": record.cpu_time and round(record.cpu_time, 3),
        "retry_of": record.retry_of,
        "watched": record.source is not None,
        "group": record.group_id,
    }
    row |= {key: value for key, value in told.items() if value}
    if not final and record.cancel_state in {"refused", "unsupported"}:
        row["can_cancel"] = False
    row |= word_keys(record.inputs_preview, record.interim_count, words)
    return cast("JobRow", row)


def word_keys(inputs_preview: Mapping[str, str], interim_count: int, words: LastWords) -> dict[str, Any]:
    """Return the part of a row that changes with a message: how many there are, the newest one, and the numbers."""
    keys: dict[str, Any] = {
        "interim_count": max(interim_count, words.seq),
        "latest": None if words.message is None else latest_text(words.message),
        "values": numbers_of(inputs_preview, words.message, words.result),
    }
    return {key: value for key, value in keys.items() if value}


def row_changes(old: JobRow, new: JobRow) -> dict[str, object]:
    """Return the entries of `new` that differ from `old`, with None for those that are gone."""
    before, after = cast("dict[str, object]", old), cast("dict[str, object]", new)
    changes = {key: value for key, value in after.items() if before.get(key) != value}
    return changes | dict.fromkeys(before.keys() - after.keys())
