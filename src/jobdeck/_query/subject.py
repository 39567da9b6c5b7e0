"""A job as a query looks at it."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Protocol

from .._records import JobRecord


class JobFacts(Protocol):
    """What a job's record does not tell.

    Attributes
    ----------
    latest
        Its newest interim result as a short text.
    values
        Its numbers by name.
    """

    @property
    def latest(self) -> str: ...
    @property
    def values(self) -> Mapping[str, float]: ...


@dataclass(frozen=True)
class Facts:
    """Facts that are known."""

    latest: str
    values: Mapping[str, float]


class Subject:
    """One job at one time, its texts in lower case."""

    def __init__(self, record: JobRecord, facts: JobFacts, now: float) -> None:
        self.record = record
        self.facts = facts
        self.now = now

    @cached_property
    def name(self) -> str:
        return self.record.name.lower()

    @cached_property
    def tags(self) -> tuple[str, ...]:
        return tuple(tag.lower() for tag in self.record.tags)

    @cached_property
    def latest(self) -> str:
        return self.facts.latest.lower()

    @property
    def percent(self) -> float | None:
        done, total = self.record.progress_done, self.record.progress_total
        if done is None or total is None or not total > 0 or not math.isfinite(total):
            return None
        return min(max(done / total if math.isfinite(done) else 0.0, 0.0), 1.0) * 100

    @property
    def took(self) -> float | None:
        started, ended = self.record.started, self.record.ended
        return None if started is None else max((self.now if ended is None else ended) - started, 0.0)

    @property
    def error_kind(self) -> str | None:
        return self.record.error_kind or (None if self.record.error is None else "exception")

    def value(self, name: str) -> float | None:
        """Return the number of this name, in upper or lower case."""
        values = self.facts.values
        found = values.get(name)
        if found is None:
            lower = name.lower()
            found = next((number for other, number in values.items() if other.lower() == lower), None)
        return found

    def input(self, name: str) -> str | None:
        """Return the text of the input of this name, in upper or lower case."""
        inputs = self.record.inputs_preview
        text = inputs.get(name)
        if text is None:
            lower = name.lower()
            text = next((text for other, text in inputs.items() if other.lower() == lower), None)
        return text


def unquoted(text: str) -> str:
    """Return an input's text without the quotes that Python writes around a string."""
    return text[1:-1] if len(text) >= 2 and text[0] == text[-1] and text[0] in "'\"" else text
