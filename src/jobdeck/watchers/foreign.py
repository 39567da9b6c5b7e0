"""One watched job, as the process knows it that watches it."""

from __future__ import annotations

import json
import logging
import math
import weakref
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from .._program.preview import preview
from .._records import JobRecord, NewJob, Outcome, Sighting
from .._status import CancelState, JobStatus, is_final
from .pace import Pace
from .ports import Reading, Watched
from .words import status_of

_log = logging.getLogger(__name__)

CANNOT_STOP: Final = "cannot be stopped"
_LONGEST_FACT: Final = 300
_LONGEST_NAME: Final = 200
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
        self.is_unheard = False
        """A request to stop did not reach it."""
        self.is_attached = False
        """It was told whom to wake."""
        self.is_over = False
        """It has ended, or is not this bridge's any more."""
        self.looks = 0
        self.busy_since = 0.0
        self.due = 0.0
        self.failures_of_result = 0
        self._value: tuple[Any] | None = None
        self._note: str | None = None
        self._cannot = False
        """Its system said by itself that it cannot be stopped, which may change."""
        self.exception: BaseException | None = None

    # --- for handles

    def result(self) -> Any:
        """Return the result as its own system gives it; after the job was DONE."""
        if self._value is None:
            self._value = (self.watched.result(),)
        return self._value[0]

    @property
    def value(self) -> tuple[Any] | None:
        """The result, where it was fetched."""
        return self._value

    def keep(self, value: Any, left: Outcome) -> None:
        """Keep the result for those who have a handle."""
        self._value = (value,)
        if left.body is None and left.exception_text is not None:
            self._note = left.exception_text

    # --- for the bridge

    def waker(self, push: Callable[[Foreign], None]) -> Callable[[], None]:
        """Return what the other system may call; it keeps neither the job nor its result alive."""
        here = weakref.ref(self)

        def wake() -> None:
            foreign = here()
            if foreign is not None and not foreign.is_over:
                push(foreign)

        return wake

    @property
    def is_done(self) -> bool:
        """Whether only its result is missing."""
        return self.reading is not None and self.reading.status == JobStatus.DONE

    def begin(self, record: JobRecord) -> None:
        """Start with what the store knows."""
        self.told = Told(record.status, record.facts, record.source, None, (record.cancel_state, record.cancel_note))
        self.cancel = self.told.cancel

    def fail(self, error: BaseException | None) -> None:
        """Take in that a look has failed."""
        self.pace.failed()
        words = "" if error is None else f" ({words_of(error)})"
        has = "has ended, but its result cannot be had" if self.is_done else "cannot be reached"
        self.trouble = f"{has}{words}; trying again"

    def settle(self) -> None:
        """Take in that it has ended, and that there is no trouble any more."""
        self.trouble = None

    def refuse(self) -> bool:
        """Take in that a request to stop can have no effect, if that is so."""
        if self.reading is None or self.reading.can_cancel:
            return False
        self.cancel, self._cannot = ("unsupported", self.reading.cancel_note or CANNOT_STOP), True
        return True

    def take_in(self, reading: Reading) -> bool:
        """Take in what a look told; tell whether the job has moved. Facts such as its age do not count."""
        before, self.reading = self.reading, reading
        self.trouble = None
        if not reading.can_cancel and self.cancel[0] != "stopping":
            self.cancel, self._cannot = ("unsupported", reading.cancel_note or CANNOT_STOP), True
        elif reading.can_cancel and self._cannot:
            self._cannot = False
            if self.cancel[0] == "unsupported":
                self.cancel = (None, None)
        return (
            before is None
            or before.status != reading.status
            or before.progress != reading.progress
            or bool(reading.messages or reading.output)
        )

    def news(self) -> Sighting | None:
        """Return what the store does not know yet, and count it as told."""
        told = self.told
        now = Told(told.status, self._facts(), told.source, told.progress, self.cancel)
        times: Mapping[str, float] = {}
        if (reading := self.reading) is not None:
            times = finite(reading.times)
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
        if self._note is not None:
            facts["result"] = self._note
        return facts


def new_job(watched: Watched, agent: str, name: str | None, tags: tuple[str, ...], group_id: str | None) -> NewJob:
    """Return what a job's row is made from."""
    tags_brought, own, backend = (_told_by(watched, part) for part in ("tags", "name", "backend"))
    brought = [tag for tag in tags_brought if isinstance(tag, str) and tag] if isinstance(tags_brought, tuple) else []
    return NewJob(
        name=name or (own if isinstance(own, str) and own else f"{watched.system} job")[:_LONGEST_NAME],
        engine=watched.system,
        program=b"",
        inputs=b"",
        context=b"",
        backend=backend if isinstance(backend, str) else None,
        tags=tuple(dict.fromkeys([*tags, *brought])),
        group_id=group_id,
        place=_told_by(watched, "place"),
        retry_of=_told_by(watched, "retry_of"),
        submitted=False,
        source=_source(_told_by(watched, "source"), watched),
        agent=agent,
    )


def _told_by(watched: Watched, part: str) -> Any:
    """Return a part of what an adapter tells of its job; None where that fails, which keeps no job from the deck."""
    try:
        return getattr(watched, part)
    except Exception:  # noqa: BLE001 - an adapter's property is anybody's code
        _log.warning("the %s of a %s job cannot be had", part, watched.system, exc_info=True)
        return None


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


def finite(told: object) -> dict[str, float]:
    """Return times by name, those that are any."""
    if not isinstance(told, Mapping):
        return {}
    return {str(name): float(when) for name, when in told.items() if _is_number(when)}


def _is_number(value: object) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value)


def _progress(told: object) -> tuple[float, float | None, str | None] | None:
    if not isinstance(told, tuple) or len(told) != 3 or not _is_number(told[0]):
        return None
    done, total, words = told
    return float(done), float(total) if _is_number(total) else None, None if words is None else str(words)


def _json(source: Mapping[str, Any]) -> dict[str, Any] | None:
    """Return a source as the store gives it back; None for one that JSON cannot hold."""
    try:
        text = json.dumps(dict(source), allow_nan=False)
    except (TypeError, ValueError, RecursionError):
        return None
    found = json.loads(text)
    return found if len(text) <= _MOST_CHARACTERS and isinstance(found, dict) else None
