"""Numbers, lengths of time, sizes and points in time as people write them. What is none reads as None."""

from __future__ import annotations

import math
import re
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from typing import Final, TypeAlias

_NUMBER: Final = r"(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?"
_SIGNED: Final = re.compile(rf"[+-]?{_NUMBER}", re.ASCII)
_WRITTEN: Final = re.compile(rf"(?:np\.\w+\()?([+-]?{_NUMBER})\)?", re.ASCII | re.IGNORECASE)
_SECONDS: Final = {"ms": 0.001, "s": 1.0, "m": 60.0, "min": 60.0, "h": 3600.0, "d": 86400.0, "w": 604800.0}
_LENGTH: Final = re.compile(r"(\d+\.?\d*|\.\d+)(ms|min|[smhdw])", re.ASCII)
_LENGTHS: Final = re.compile(rf"(?:{_LENGTH.pattern})+", re.ASCII)
_SIZE: Final = re.compile(rf"({_NUMBER}) ?(?:([kmgtp]?)(i?)b?)", re.ASCII)
_DATE: Final = re.compile(
    r"(\d{4})-(\d\d)(?:-(\d\d)(?:[t ](\d\d):(\d\d)(?::(\d\d)(\.\d{1,6})?)?(z|[+-]\d\d:?\d\d)?)?)?", re.ASCII
)
_LONGEST: Final = 60


def number_of(text: str) -> float | None:
    return _finite(text) if len(text) <= _LONGEST and _SIGNED.fullmatch(text.lower()) else None


def written_number(text: str) -> float | None:
    """Return the number that an input's text is, as Python writes it."""
    match = _WRITTEN.fullmatch(text) if len(text) <= _LONGEST else None
    return None if match is None else _finite(match[1])


def percent_of(text: str) -> float | None:
    return number_of(text.removesuffix("%"))


def duration_of(text: str) -> float | None:
    """Return seconds: ``90``, ``1.5h``, ``1h30m``, ``200ms``."""
    lower = text.lower()
    if len(lower) > _LONGEST:
        return None
    if not _LENGTHS.fullmatch(lower):
        seconds = number_of(lower)
        return seconds if seconds is not None and seconds >= 0 else None
    return sum(float(amount) * _SECONDS[unit] for amount, unit in _LENGTH.findall(lower))


def size_of(text: str) -> float | None:
    """Return bytes: ``512``, ``1GB`` is 1000 MB, ``1GiB`` is 1024 MiB."""
    match = _SIZE.fullmatch(text.lower()) if len(text) <= _LONGEST else None
    if match is None or (match[3] and not match[2]):
        return None
    amount = _finite(match[1])
    base = 1024.0 if match[3] else 1000.0
    return None if amount is None else amount * base ** (" kmgtp".index(match[2]) if match[2] else 0)


@dataclass(frozen=True)
class Age:
    """How long ago something was, in seconds."""

    seconds: float


@dataclass(frozen=True)
class Span:
    """A stretch of time: from `start` until before `end`, in seconds since the epoch."""

    start: float
    end: float


@dataclass(frozen=True)
class Day:
    """A day counted from today by the local clock: 0 is today, 1 was yesterday."""

    ago: int

    def span(self, now: float) -> Span:
        local = time.localtime(now)
        return Span(_midnight(local, -self.ago), _midnight(local, 1 - self.ago))


Moment: TypeAlias = Age | Span | Day


def moment_of(text: str) -> Moment | None:
    """Return what a text says of a time: an age such as ``1h``, ``today``, or a date with or without a time of day."""
    lower = text.lower()
    if lower in ("today", "yesterday"):
        return Day(0 if lower == "today" else 1)
    if len(lower) <= _LONGEST and _LENGTHS.fullmatch(lower):
        seconds = duration_of(lower)
        return None if seconds is None else Age(seconds)
    match = _DATE.fullmatch(lower)
    return None if match is None else _span(match)


def _span(match: re.Match[str]) -> Span | None:
    year, month, day, hour, minute, second = (None if part is None else int(part) for part in match.groups()[:6])
    if year is None or month is None or not 1970 <= year < 3000:
        return None
    try:
        first = datetime(year, month, day or 1, hour or 0, minute or 0, second or 0, tzinfo=_zone(match[8]))
        start = first.timestamp()
        if day is None:
            return Span(start, datetime(year + month // 12, month % 12 + 1, 1).timestamp())
        if hour is None:
            return Span(start, datetime(*(first + timedelta(days=1)).timetuple()[:3]).timestamp())
    except (ValueError, OverflowError, OSError):
        return None
    if match[7]:
        start += float(match[7])
        return Span(start, start + 0.001)
    return Span(start, start + (60.0 if second is None else 1.0))


def _zone(text: str | None) -> timezone | None:
    if text is None or text == "z":
        return None if text is None else timezone.utc
    hours, minutes = int(text[1:3]), int(text[-2:])
    if minutes > 59:
        raise ValueError(text)
    offset = timedelta(hours=hours, minutes=minutes)
    return timezone(-offset if text[0] == "-" else offset)


def _midnight(day: time.struct_time, later: int) -> float:
    return time.mktime((day.tm_year, day.tm_mon, day.tm_mday + later, 0, 0, 0, 0, 0, -1))


def _finite(text: str) -> float | None:
    number = float(text)
    return number if math.isfinite(number) else None


FORMS: Final[dict[str, tuple[Callable[[str], float | None], str]]] = {
    "number": (number_of, "a number"),
    "percent": (percent_of, "a number of percent"),
    "duration": (duration_of, "a length of time such as 90s, 5m or 1h30m"),
    "size": (size_of, "a size such as 500MB or 2GiB"),
}
