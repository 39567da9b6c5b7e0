"""One watched job, as the process knows it that watches it."""

from __future__ import annotations

import json
import weakref
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from .._program.preview import preview
from .._records import NewJob, Sighting
from .._status import CancelState, JobStatus, is_final
from .pace import Pace
from .ports import Reading, Watched
from .words import status_of

CANNOT_STOP: Final = "cannot be stopped"
_LONGEST_FACT: Final = 300
_MOST_FACTS: Final = 30
_MOST_CHARACTERS: Final = 20_000

Cancel = tuple[CancelState | None, str | None]


@dataclass
class Told:
    """What the store was told of a job last."""

    status: JobStatus | str | None = None
    facts: Mapping[str, str | float] = field(default_factory=dict)
    source: Mapping[str, Any] | None = None
    progress: tuple[float, float | None, str | None] | None = None
    cancel: Cancel = (None, None)


class Foreign:
    """One job that somebody else runs: its adapter's object, and what is known of it.

    Handles hold it, too, so that they give the result as it is, not its copy from the store.
    """

    def __init__(self, watched: Watched, job_id: str, pace: Pace) -> None:
        self.watched = watched
        self.job_id = job_id
        self.pace = pace
        self.told = Told()
        self.reading: Reading | None = None
        self.trouble: str | None = None
        self.cancel: Cancel = (None, None)
        self.is_busy = False
        """A look is under way, or the result is being fetched."""
        self.is_asked = False
        """A request to stop is under way."""
        self.is_pushed = False
        """There may be news that no look has seen."""
        self.is_attached = False
        """It was told whom to wake."""
        self.is_ended = False
        self.busy_since = 0.0
        self.due = 0.0
        self.failures_of_result = 0
        self._value: tuple[Any] | None = None
        self.exception: BaseException | None = None

    # --- for handles

    def result(self) -> Any:
        """Return the result as its own system gives it; after the job was DONE."""
        if self._value is None:
            self._value = (self.watched.result(),)
        return self._value[0]

    def keep(self, value: Any) -> None:
        """Keep the result for those who have a handle."""
        self._value = (value,)

    # --- for the bridge

    def waker(self, push: Callable[[Foreign], None]) -> Callable[[], None]:
        """Return what the other system may call; it keeps neither the job nor its result alive."""
        here = weakref.ref(self)

        def wake() -> None:
            foreign = here()
            if foreign is not None and not foreign.is_ended:
                push(foreign)

        return wake

    def take_in(self, reading: Reading) -> bool:
        """Take in what a look told; tell whether anything is new."""
        before, self.reading = self.reading, reading
        self.trouble = None
        state = self.cancel[0]
        if not reading.can_cancel and state != "stopping":
            self.cancel = ("unsupported", reading.cancel_note or CANNOT_STOP)
        elif reading.can_cancel and state == "unsupported":
            self.cancel = (None, None)
        return (
            before is None
            or before.status != reading.status
            or dict(before.facts) != dict(reading.facts)
            or before.progress != reading.progress
            or bool(reading.messages or reading.output)
        )

    def news(self) -> Sighting | None:
        """Return what the store does not know yet, and count it as told."""
        told = self.told
        now = Told(told.status, self._facts(), told.source, told.progress, self.cancel)
        times: Mapping[str, float] = {}
        if (reading := self.reading) is not None:
            times = _numbers(reading.times)
            status = status_of(reading.status)
            # One that is over stays as it was until its result is there.
            now.status = told.status if is_final(status) else status
            now.progress = _progress(reading.progress) or told.progress
            if reading.source is not None:
                now.source = _source(reading.source, self.watched)
        if now == told:
            return None
        self.told = now
        return Sighting(
            status=None if now.status == told.status else now.status,
            facts=None if now.facts == told.facts else now.facts,
            source=None if now.source == told.source else now.source,
            progress=None if now.progress == told.progress else now.progress,
            cancel=None if now.cancel == told.cancel else now.cancel,
            times=times,
        )

    def _facts(self) -> dict[str, str | float]:
        facts = {} if self.reading is None else _facts(self.reading.facts)
        if self.trouble is not None:
            facts["trouble"] = self.trouble
        return facts


def new_job(watched: Watched, agent: str, name: str | None, tags: tuple[str, ...], group_id: str | None) -> NewJob:
    """Return what a job's row is made from."""
    brought = tuple(tag for tag in watched.tags if isinstance(tag, str) and tag)
    return NewJob(
        name=name or (watched.name if isinstance(watched.name, str) else None) or f"{watched.system} job",
        engine=watched.system,
        program=b"",
        inputs=b"",
        context=b"",
        backend=watched.backend if isinstance(watched.backend, str) else None,
        tags=tuple(dict.fromkeys([*tags, *brought])),
        group_id=group_id,
        submitted=False,
        source=_source(watched.source, watched),
        agent=agent,
    )


def _source(source: object, watched: Watched) -> dict[str, Any]:
    told = _json(source) if isinstance(source, Mapping) else None
    return {**(told or {}), "system": watched.system, "survives": bool(watched.survives)}


def words_of(error: BaseException) -> str:
    """Return an exception in a few words, whatever its own text does."""
    try:
        text = " ".join(str(error).split())
    except Exception:  # noqa: BLE001 - the exception's own __str__ is anybody's code
        text = ""
    name = type(error).__name__
    text = f"{name}: {text}" if text else name
    return text if len(text) <= _LONGEST_FACT else f"{text[: _LONGEST_FACT - 1]}…"


def _facts(told: object) -> dict[str, str | float]:
    if not isinstance(told, Mapping):
        return {}
    return {str(name): _fact(value) for name, value in list(told.items())[:_MOST_FACTS] if value is not None}


def _fact(value: object) -> str | float:
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return value
    text = value if isinstance(value, str) else preview(value, _LONGEST_FACT)
    return text if len(text) <= _LONGEST_FACT else f"{text[: _LONGEST_FACT - 1]}…"


def _numbers(told: object) -> dict[str, float]:
    if not isinstance(told, Mapping):
        return {}
    return {str(name): float(when) for name, when in told.items() if isinstance(when, (int, float))}


def _progress(told: object) -> tuple[float, float | None, str | None] | None:
    if not isinstance(told, tuple) or len(told) != 3 or not isinstance(told[0], (int, float)):
        return None
    done, total, words = told
    return float(done), float(total) if isinstance(total, (int, float)) else None, None if words is None else str(words)


def _json(source: Mapping[str, Any]) -> dict[str, Any] | None:
    """Return a source as the store gives it back; None for one that JSON cannot hold."""
    try:
        text = json.dumps(dict(source))
    except (TypeError, ValueError, RecursionError):
        return None
    found = json.loads(text)
    return found if len(text) <= _MOST_CHARACTERS and isinstance(found, dict) else None
