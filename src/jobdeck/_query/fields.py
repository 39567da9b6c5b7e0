"""The names that a query knows, and what kind of thing each of them is."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final, Literal

from .._status import FINAL, JobStatus

Kind = Literal["status", "word", "text", "id", "error", "input", "number", "value", "duration", "size", "time"]


@dataclass(frozen=True)
class Field:
    """One name before a colon; `hint` tells people what it is, with an example."""

    name: str
    kind: Kind
    hint: str


FIELDS: Final[dict[str, Field]] = {
    field.name: field
    for field in (
        Field("status", "status", "running, done, failed, waiting, active, ended …"),
        Field("tag", "word", "one of its tags: tag:sweep, tag:run-*"),
        Field("name", "text", "part of its name, or a pattern: name:vqe*"),
        Field("id", "id", "its id, or how it begins or ends"),
        Field("engine", "word", "what runs it: engine:dask"),
        Field("backend", "word", "what it runs on"),
        Field("error", "error", "why it failed: error:memory, error:ValueError"),
        Field("result", "text", "part of its result's text"),
        Field("latest", "text", "part of its newest interim result"),
        Field("input", "input", "an input: input:sto-3g, input.r:0.7, input.r>1"),
        Field("progress", "number", "in percent: progress>=50"),
        Field("messages", "number", "how many interim results: messages>100"),
        Field("exit", "number", "its process's exit code: exit!=0"),
        Field("created", "time", "created:today, created:2025-11-20"),
        Field("started", "time", "started:<1h is less than an hour ago"),
        Field("ended", "time", "ended:yesterday, ended:>2d"),
        Field("took", "duration", "how long it ran: took:>5m"),
        Field("memory", "size", "the most that it used: memory:>1GB"),
        Field("cpu", "duration", "CPU time that it used: cpu:>1h"),
        Field("cancel", "word", "what became of a cancel: requested, stopping, refused"),
        Field("retry_of", "id", "the job that it is a retry of"),
        Field("group", "word", "the set of jobs that it belongs to"),
    )
}

INPUT: Final = "input."
"""Before an input's name."""
VALUE: Final = "value."
"""Before a number's name that is a field's, too."""

ACTIVE: Final = "active"
STATUS_WORDS: Final[dict[str, tuple[str, ...]]] = {
    **{status.value.lower(): (status.value,) for status in JobStatus},
    "failed": ("ERROR",),
    "canceled": ("CANCELLED",),
    "waiting": ("QUEUED",),
    ACTIVE: tuple(status.value for status in JobStatus if status not in FINAL),
    "ended": tuple(sorted(status.value for status in FINAL)),
}
"""Words for statuses. ``active`` is every status that is not final, those of foreign systems included."""

ERROR_KINDS: Final = ("exception", "exit", "signal", "memory", "timeout", "lost", "submit")
CANCEL_STATES: Final = ("requested", "stopping", "refused", "unsupported")

GRAMMAR: Final = (
    "words that all have to hold: a status (running, done, failed, active, ended …), FIELD:VALUE such as tag:sweep, "
    "name:vqe*, started:<1h or took:>5m, a number as in energy<-1.1, or part of a name; "
    'also OR, NOT or a leading -, (…), alternatives as in status:error,cancelled, and "quoted text"'
)
"""The language in a sentence, for help texts; docs/queries.md has it whole."""


def nearest(name: str) -> str | None:
    """Return the field that was perhaps meant, at most two slips away."""
    best, slips = _nearest(name, FIELDS)
    return best if slips <= min(2, len(best) - 2) else None


def nearest_status(word: str) -> str | None:
    """Return the word for a status that was perhaps meant: a slip away, or two of a longer one.

    Other systems have short words of their own, which are not to be taken for it.
    """
    best, slips = _nearest(word, STATUS_WORDS)
    return best if 0 < slips <= min(2, len(best) // 3) else None


def _nearest(word: str, known: Iterable[str]) -> tuple[str, int]:
    lower = word.lower()[:20]
    slips = {each: _slips(lower, each) for each in known}
    best = min(slips, key=lambda each: slips[each])
    return best, slips[best]


def _slips(one: str, other: str) -> int:
    """Count characters that were typed wrong, left out, typed twice, or swapped with the next."""
    before: list[int] = []
    row = list(range(len(other) + 1))
    for i, a in enumerate(one, 1):
        last, before, row = before, row, [i]
        for j, b in enumerate(other, 1):
            cost = min(before[j] + 1, row[j - 1] + 1, before[j - 1] + (a != b))
            if i > 1 and j > 1 and a == other[j - 2] and one[i - 2] == b:
                cost = min(cost, last[j - 2] + 1)
            row.append(cost)
    return row[-1]
