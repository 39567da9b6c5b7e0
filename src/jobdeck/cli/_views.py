"""Jobs on a terminal. Whatever came from a job is shown as text: nothing in it is obeyed, as markup or as an escape."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from typing import Any, Final

from rich.console import Console
from rich.table import Table
from rich.text import Text

from .._group.standing import words_of
from .._job.joblist import status_words
from .._plain import plain, size, span
from .._ports import Store
from .._records import GroupRecord, JobRecord
from .._status import JobStatus, foremost, is_final
from ._doctor import Finding

_STYLES: Final = {
    JobStatus.RUNNING: "blue",
    JobStatus.DONE: "green",
    JobStatus.ERROR: "red",
    JobStatus.CANCELLED: "yellow",
}
_MARKS: Final = {
    JobStatus.INITIALIZING: "○",
    JobStatus.QUEUED: "○",
    JobStatus.RUNNING: "▶",
    JobStatus.DONE: "✓",
    JobStatus.ERROR: "✗",
    JobStatus.CANCELLED: "■",
}
_LAST_LINES: Final = 10
_LOG_END: Final = 16_384
_PIPE_WIDTH: Final = 240


def print_table(records: Sequence[JobRecord]) -> None:
    """Print jobs, a line each."""
    console = _console()
    if not records:
        console.print("no jobs")
        return
    table = Table(box=None, pad_edge=False, header_style="dim")
    for head in ("id", "name", "status", "created", "took", "tags"):
        table.add_column(head, no_wrap=head != "tags", overflow="ellipsis")
    for record in records:
        table.add_row(
            Text(record.job_id),
            Text(plain(record.name, 60)),
            _status(record) + Text(f" {_progress(record)}".rstrip()),
            Text(_short_moment(record.created)),
            Text(_took(record)),
            Text(plain(", ".join(record.tags), 60)),
        )
    console.print(table)


def print_groups(found: Sequence[tuple[GroupRecord, Mapping[str, int]]]) -> None:
    """Print groups, a line each."""
    console = _console()
    if not found:
        console.print("no groups")
        return
    table = Table(box=None, pad_edge=False, header_style="dim")
    for head in ("id", "name", "kind", "jobs", "status", "created", "tags"):
        table.add_column(head, no_wrap=head not in ("tags", "status"), overflow="ellipsis")
    for record, counts in found:
        table.add_row(
            Text(record.group_id),
            Text(plain(record.name, 60)),
            Text(plain(record.kind, 20)),
            Text(f"{sum(counts.values()):,}"),
            _standing(record, counts),
            Text(_short_moment(record.created)),
            Text(plain(", ".join(record.tags), 60)),
        )
    console.print(table)


def print_job(store: Store, record: JobRecord) -> None:
    """Print all that is worth knowing of one job."""
    console = _console()
    facts = Table(box=None, pad_edge=False, show_header=False)
    facts.add_column(style="dim", no_wrap=True)
    facts.add_column(overflow="fold")
    for name, value in _facts(store, record):
        facts.add_row(name, value if isinstance(value, Text) else Text(value))
    console.print(facts)
    if record.traceback:
        _part(console, "traceback", record.traceback.splitlines())
    lines = _last_lines(store, record)
    if lines:
        _part(console, "output (the end of it)", lines)


def print_findings(findings: Iterable[Finding]) -> None:
    """Print what the doctor found."""
    console = _console()
    for finding in findings:
        mark = Text("✗ ", style="red") if finding.is_problem else Text("✓ ", style="green")
        console.print(mark + Text(f"{finding.name}: {finding.text}"))
        if finding.next_step:
            console.print(Text(f"  → {finding.next_step}", style="bold"))


def as_data(record: JobRecord) -> dict[str, Any]:
    """Return a job as JSON has it."""
    return {**asdict(record), "status": str(record.status)}


def _console() -> Console:
    # A pipe is not 80 columns wide.
    width = None if sys.stdout.isatty() else _PIPE_WIDTH
    return Console(markup=False, highlight=False, emoji=False, width=width)


def _facts(store: Store, record: JobRecord) -> list[tuple[str, str | Text]]:
    found: list[tuple[str, str | Text]] = [
        ("id", record.job_id),
        ("name", plain(record.name)),
        ("status", _status(record)),
        ("created", _moment(record.created)),
    ]
    place = store.queue_place(record.job_id)
    optional: list[tuple[str, str | None]] = [
        ("place in the queue", None if place is None else str(place)),
        ("started", None if record.started is None else _moment(record.started)),
        ("ended", None if record.ended is None else _moment(record.ended)),
        ("took", _took(record)),
        ("progress", _progress(record)),
        ("messages", str(record.interim_count) if record.interim_count else None),
        ("program", record.program_id),
        ("backend", record.backend),
        ("group", record.group_id),
        ("tags", ", ".join(record.tags)),
        ("retry of", record.retry_of),
        ("cancel", record.cancel_note),
        ("error", record.error),
        ("result", record.result_preview),
        ("exit code", None if record.exit_code is None else str(record.exit_code)),
        ("peak memory", None if record.peak_memory is None else size(record.peak_memory)),
        ("CPU time", None if record.cpu_time is None else span(record.cpu_time)),
    ]
    found += [(name, plain(value, 2000)) for name, value in optional if value]
    # Whatever else the system tells that runs it.
    found += [(plain(name, 40), plain(str(value), 300)) for name, value in record.facts.items()]
    found += [(f"input {plain(name, 40)}", plain(value, 200)) for name, value in record.inputs_preview.items()]
    return found


def _part(console: Console, title: str, lines: Iterable[str]) -> None:
    console.print()
    console.print(Text(title, style="dim"))
    for line in lines:
        console.print(Text(plain(line)), soft_wrap=True)


def _last_lines(store: Store, record: JobRecord) -> list[str]:
    try:
        with open(store.log_path(record.job_id), "rb") as log:
            log.seek(max(log.seek(0, 2) - _LOG_END, 0))
            text = log.read().decode("utf-8", "replace")
    except FileNotFoundError:
        return []
    # Of a line that a progress bar has written again and again, what stands there in the end.
    return [line.rstrip("\r").rpartition("\r")[2] for line in text.split("\n")][-_LAST_LINES:] if text.strip() else []


def _status(record: JobRecord) -> Text:
    return _marked(record.status, plain(status_words(record)))


def _standing(group: GroupRecord, counts: Mapping[str, int]) -> Text:
    jobs = sum(counts.values())
    begun = any(counts.get(status, 0) for status in (JobStatus.RUNNING, JobStatus.DONE))
    status = foremost(counts, is_whole=jobs >= (group.total or 0), has_begun=begun)
    return _marked(status, plain(words_of(counts), 100)) if jobs else Text("")


def _marked(status: JobStatus | str, words: str) -> Text:
    mark = _MARKS.get(status, "?") if isinstance(status, JobStatus) else "?"
    style = _STYLES.get(status, "") if isinstance(status, JobStatus) else ""
    return Text(f"{mark} {words}", style=style)


def _progress(record: JobRecord) -> str:
    if record.progress_done is None or is_final(record.status):
        return ""
    if record.progress_total:
        return f"{min(record.progress_done / record.progress_total, 1):.0%}"
    return f"{record.progress_done:g}"


def _moment(seconds: float) -> str:
    return time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(seconds))


def _short_moment(seconds: float) -> str:
    is_today = time.localtime(seconds)[:3] == time.localtime()[:3]
    return time.strftime("%H:%M:%S" if is_today else "%Y-%m-%d", time.localtime(seconds))


def _took(record: JobRecord) -> str:
    return "" if record.started is None else span((record.ended or time.time()) - record.started)
