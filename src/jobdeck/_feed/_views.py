"""Rows of the store in the shape in which they travel, with every text and number made fit for JSON."""

from __future__ import annotations

import json
import math
import os
from collections.abc import Iterable
from pathlib import Path
from typing import Final, cast

from .._ports import Store
from .._records import JobRecord, MessageRecord
from .._status import is_final
from .._wire import MAX_BODY, ErrorView, JobView, LogChunk, MessageRow, ProgressView

_LONGEST_LINE: Final = 1_000
"""Characters of a name, a tag, a note or an input's value."""
_LONGEST_TEXT: Final = 16_384
"""Characters of an error, a traceback (its end) or a result's preview."""
_MOST_ENTRIES: Final = 100
"""Tags and inputs of one job."""
_BATCHES: Final = (4, 16, 60, 120)
"""Messages read at a time, newest first, so that a few huge ones are not all held in memory at once."""
_SHORTEST_BODY: Final = 500


def job_view(record: JobRecord, queue_place: int | str | None, log_size: int) -> JobView:
    """Return one job as views need it."""
    final = is_final(record.status)
    return {
        "id": record.job_id,
        "name": line(record.name),
        "tags": [line(tag) for tag in record.tags[:_MOST_ENTRIES]],
        "engine": line(record.engine),
        "backend": None if record.backend is None else line(record.backend),
        "status": line(str(record.status)),
        "final": final,
        "created": moment(record.created),
        "started": _moment_or_none(record.started),
        "ended": _moment_or_none(record.ended),
        "queue_place": queue_place if record.source is None or final else record.facts.get("queue_place"),
        "cancel_state": record.cancel_state,
        "cancel_asked": _moment_or_none(record.cancel_asked),
        "cancel_note": None if record.cancel_note is None else line(record.cancel_note),
        "can_cancel": not final and record.cancel_state not in {"refused", "unsupported"},
        "progress": progress_view(record),
        "interim_count": record.interim_count,
        "log_size": log_size,
        "inputs": {line(k): line(v) for k, v in list(record.inputs_preview.items())[:_MOST_ENTRIES]},
        "result": None if record.result_preview is None else clean(record.result_preview[:_LONGEST_TEXT]),
        "error": error_view(record),
        "exit_code": record.exit_code,
        "peak_memory": record.peak_memory,
        "cpu_time": record.cpu_time,
        "retry_of": record.retry_of,
        "watched": record.source is not None,
        "facts": {line(k): _fact(v) for k, v in list(record.facts.items())[:_MOST_ENTRIES]},
        "chart": None if record.chart is None else json.loads(record.chart),
        "group": record.group_id,
    }


def _fact(value: object) -> str | float:
    is_number = isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value)
    return cast("float", value) if is_number else line(str(value))


def message_row(message: MessageRecord) -> MessageRow:
    """Return one message as it travels."""
    row: MessageRow = [message.seq, moment(message.time), clean(message.body)]
    if message.length is not None:
        row.append(message.length)
    return row


def newest_rows(
    store: Store, job_id: str, after: int, newest: int, *, limit: int, budget: int
) -> tuple[list[MessageRow], int]:
    """Read the newest interim messages with ``after < seq <= newest``: at most `limit`, about `budget` characters.

    Returns
    -------
    rows : list of MessageRow
        In order; at least the newest one, if there is any.
    seen : int
        Number of the newest message read, a final one included: from there to go on.
    """
    longest = max(_SHORTEST_BODY, min(MAX_BODY, budget))
    rows: list[MessageRow] = []
    seen, stop, spent = after, newest, 0
    for batch in _BATCHES:
        start = max(after, stop - min(batch, limit - len(rows)))
        if start >= stop:
            break
        for message in reversed(store.messages(job_id, start, stop, longest=longest)):
            seen = max(seen, message.seq)
            if message.final:
                continue
            row = message_row(message)
            spent += len(str(row[2]))
            if rows and spent > budget:
                return rows[::-1], seen
            rows.append(row)
        stop = start
    return rows[::-1], seen


def log_size(path: Path) -> int:
    """Return the size of a job's captured output, 0 while there is none."""
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return 0


def read_log(path: Path, start: int, stop: int, *, final: bool) -> LogChunk:
    """Read captured output from byte `start` to byte `stop`, without cutting a character in two.

    The chunk may start up to three bytes later than asked for and end up to three bytes earlier. With `final`, what is
    left of a character at the very end of the file is not waited for.
    """
    try:
        with path.open("rb") as file:
            size = os.fstat(file.fileno()).st_size
            # Beyond what a file system could hold, there is no place to go to.
            file.seek(min(start, size))
            data = file.read(max(0, min(stop, size) - start))
    except FileNotFoundError:
        data, size = b"", 0
    if not data:
        return {"start": start, "end": start, "text": ""}
    skip = _leading_continuation(data) if start > 0 else 0
    keep = len(data) if final and start + len(data) >= size else len(data) - _open_character(data)
    keep = max(keep, skip)
    return {"start": start + skip, "end": start + keep, "text": data[skip:keep].decode("utf-8", "replace")}


def _leading_continuation(data: bytes) -> int:
    """Return how many bytes at the start belong to a character that began before."""
    count = 0
    while count < min(3, len(data)) and data[count] & 0xC0 == 0x80:
        count += 1
    return count


def _open_character(data: bytes) -> int:
    """Return how many bytes at the end are the beginning of a character whose rest has not come."""
    for back in range(1, min(4, len(data) + 1)):
        byte = data[-back]
        if byte & 0xC0 == 0x80:
            continue
        length = 4 if byte >= 0xF0 else 3 if byte >= 0xE0 else 2 if byte >= 0xC0 else 1
        return back if length > back else 0
    return 0


def progress_view(record: JobRecord, longest: int = _LONGEST_LINE) -> ProgressView | None:
    """Return how far a job says it is, its words cut where they are longer than `longest` characters."""
    if record.progress_done is None:
        return None
    done, total = record.progress_done, record.progress_total
    return {
        "done": done if math.isfinite(done) else 0.0,
        "total": total if total is not None and math.isfinite(total) else None,
        "message": None if record.progress_message is None else line(record.progress_message, longest),
    }


def error_view(record: JobRecord, longest: int = _LONGEST_TEXT, *, traceback: bool = True) -> ErrorView | None:
    """Return what went wrong, its texts cut where they are longer than `longest` characters."""
    if record.error_kind is None and record.error is None:
        return None
    told = record.traceback if traceback else None
    return {
        "kind": record.error_kind or "exception",
        "text": clean((record.error or "")[:longest]),
        "traceback": None if told is None else clean(told[-longest:]),
    }


def moment(seconds: float) -> float:
    """Milliseconds are enough for a view, and six digits fewer on the wire."""
    return round(seconds, 3)


def _moment_or_none(seconds: float | None) -> float | None:
    return None if seconds is None else round(seconds, 3)


def line(text: str, longest: int = _LONGEST_LINE) -> str:
    """Return a text of at most `longest` characters, fit to travel."""
    return clean(text if len(text) <= longest else text[: longest - 1] + "…")


def clean(text: str) -> str:
    """Replace lone surrogates, which neither UTF-8 nor a kernel's session can carry."""
    return text if text.isascii() else text.encode("utf-8", "replace").decode("utf-8")


def changed_keys(old: JobView, new: JobView, implied: Iterable[str]) -> dict[str, object]:
    """Return the entries of `new` that differ from `old`, except those that other parts of a frame imply."""
    left_out = frozenset(implied)
    before: dict[str, object] = {**old}
    return {key: value for key, value in new.items() if key not in left_out and before[key] != value}
