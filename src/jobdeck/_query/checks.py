"""The checks that conditions are made of, each about one thing that a job has."""

from __future__ import annotations

import operator
from collections.abc import Callable, Sequence
from typing import Final, TypeAlias

from .._status import is_final
from .fields import ACTIVE, STATUS_WORDS
from .patterns import TextTest, is_pattern, whole
from .quantities import Age, Day, Moment, Span
from .subject import Subject
from .syntax import Word

Check: TypeAlias = Callable[[Subject], bool]
Measure: TypeAlias = Callable[[Subject], float | None]

COMPARED: Final[dict[str, Callable[[float, float], bool]]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}
MEASURES: Final[dict[str, Measure]] = {
    "progress": lambda job: job.percent,
    "messages": lambda job: job.record.interim_count,
    "exit": lambda job: job.record.exit_code,
    "took": lambda job: job.took,
    "cpu": lambda job: job.record.cpu_time,
    "memory": lambda job: job.record.peak_memory,
    "created": lambda job: job.record.created,
    "started": lambda job: job.record.started,
    "ended": lambda job: job.record.ended,
}
TEXTS: Final[dict[str, Callable[[Subject], str | None]]] = {
    "name": lambda job: job.record.name,
    "engine": lambda job: job.record.engine,
    "backend": lambda job: job.record.backend,
    "result": lambda job: job.record.result_preview,
    "latest": lambda job: job.facts.latest or None,
    "cancel": lambda job: job.record.cancel_state,
    "group": lambda job: job.record.group_id,
    "id": lambda job: job.record.job_id,
    "retry_of": lambda job: job.record.retry_of,
}


def all_hold(checks: Sequence[Check]) -> Check:
    return lambda job: all(check(job) for check in checks)


def any_holds(checks: Sequence[Check]) -> Check:
    return checks[0] if len(checks) == 1 else lambda job: any(check(job) for check in checks)


def opposite(check: Check) -> Check:
    return lambda job: not check(job)


def has_status(words: Sequence[Word]) -> Check:
    """Check for any of some statuses: those that status words mean, and those of foreign systems."""
    names: set[str] = set()
    others: list[TextTest] = []
    takes_active = False
    for word in words:
        lower = word.text.lower()
        takes_active = takes_active or lower == ACTIVE
        if lower in STATUS_WORDS:
            names.update(STATUS_WORDS[lower])
        else:
            others.append(whole(word))

    def check(job: Subject) -> bool:
        status = str(job.record.status)
        return (
            status in names
            or (takes_active and not is_final(job.record.status))
            or any(other(status.lower()) for other in others)
        )

    return check


def abbreviation(word: Word) -> TextTest:
    """Return a test of whether an id begins or ends with a word, or fits it as a pattern."""
    if is_pattern(word):
        return whole(word)
    wanted = word.text.lower()
    return lambda job_id: abbreviates(wanted, job_id)


def abbreviates(part_of_id: str, job_id: str) -> bool:
    """Tell whether an id begins or ends with this text, or its own part, after the store's, does."""
    own = job_id.partition("-")[2]
    is_part = job_id.startswith(part_of_id) or own.startswith(part_of_id) or own.endswith(part_of_id)
    return bool(part_of_id) and (is_part or job_id == part_of_id)


def time_check(moment: Moment, sign: str) -> Callable[[float, float], bool]:
    """Return a check of a time at some present time. ``started:<1h`` is less than an hour ago."""
    if isinstance(moment, Age):
        seconds = moment.seconds
        compare = COMPARED["<" if sign == ":" else sign]
        return lambda found, now: compare(now - found, seconds)
    if isinstance(moment, Day):
        return lambda found, now: _is_in(found, moment.span(now), sign)
    return lambda found, _: _is_in(found, moment, sign)


def _is_in(found: float, span: Span, sign: str) -> bool:
    match sign:
        case "<":
            return found < span.start
        case "<=":
            return found < span.end
        case ">":
            return found >= span.end
        case ">=":
            return found >= span.start
    return span.start <= found < span.end
