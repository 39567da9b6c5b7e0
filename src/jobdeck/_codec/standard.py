"""The tags of the standard library's types."""

from __future__ import annotations

import dataclasses
import datetime as dt
import enum
import uuid
from collections import deque
from collections.abc import Callable, Mapping
from decimal import Decimal
from fractions import Fraction
from pathlib import Path, PurePath
from types import SimpleNamespace
from typing import Any, Final

from .forms import Lossy, NoFormError, NotThisTag, base64_text, complex_text, data, items, members, string, tag, whole


def encode_int(value: int) -> dict[str, Any]:
    """Return a large integer's tag: decimal digits, or hexadecimal past what Python turns into decimal digits."""
    return tag("int", str(value) if value.bit_length() <= 2000 else hex(value))


def _duration_text(value: dt.timedelta) -> str:
    text = str(value)
    return text.rstrip("0") if "." in text else text


def _complex(value: complex) -> Any:
    return tag("complex", {"real": value.real, "imag": value.imag, "text": complex_text(value)})


def _datetime(value: dt.datetime) -> Any:
    written = _clock("datetime", value)
    # A named zone comes back as the fixed offset that it had then: the same moment, but not the same zone.
    return written if value.tzinfo is None or type(value.tzinfo) is dt.timezone else Lossy(written)


def _time(value: dt.time) -> Any:
    written = _clock("time", value)
    return written if value.tzinfo is None else Lossy(written)


def _clock(name: str, value: dt.datetime | dt.time) -> dict[str, Any]:
    iso = value.isoformat()
    return tag(name, {"iso": iso, "fold": 1, "text": iso} if value.fold else iso)


def _timedelta(value: dt.timedelta) -> Any:
    parts = {"days": value.days, "seconds": value.seconds, "microseconds": value.microseconds}
    return tag("timedelta", {**parts, "text": _duration_text(value)})


def _bytes(value: bytes) -> Any:
    return tag("bytes", {"data": base64_text(value), "text": f"<{len(value)} bytes>"})


def _range(value: range) -> Any:
    return tag("range", {"start": value.start, "stop": value.stop, "step": value.step, "text": repr(value)})


def _slice(value: slice) -> Any:
    return tag("slice", {"start": value.start, "stop": value.stop, "step": value.step, "text": repr(value)})


def _dataclass(value: Any) -> Any:
    fields = {field.name: getattr(value, field.name) for field in dataclasses.fields(value)}
    return Lossy(tag("object", {"class": type(value).__name__, "fields": fields}))


def _path(value: PurePath) -> Any:
    written = tag("path", str(value))
    return written if type(value) is type(Path()) else Lossy(written)


def _plain_dict(value: Mapping[Any, Any]) -> Any:
    # What has the look of a tag would be taken for one that an encoder made.
    plain = dict(value)
    return Lossy(tag("dict", [list(pair) for pair in plain.items()])) if "__type__" in plain else plain


def _enum(value: enum.Enum) -> Any:
    return _plain_dict(value.value) if isinstance(value.value, dict) else value.value


ENCODERS: Final[dict[type, Callable[[Any], Any]]] = {
    complex: _complex,
    dt.datetime: _datetime,
    dt.date: lambda value: tag("date", value.isoformat()),
    dt.time: _time,
    dt.timedelta: _timedelta,
    bytes: _bytes,
    bytearray: lambda value: tag("bytearray", _bytes(value)["__value__"]),
    memoryview: lambda value: Lossy(_bytes(value.tobytes())),
    set: lambda value: tag("set", list(value)),
    frozenset: lambda value: tag("frozenset", list(value)),
    Decimal: lambda value: tag("decimal", str(value)),
    Fraction: lambda value: tag("fraction", f"{value.numerator}/{value.denominator}"),
    uuid.UUID: lambda value: tag("uuid", str(value)),
    range: _range,
    slice: _slice,
    SimpleNamespace: lambda value: tag("object", {"class": "namespace", "fields": dict(vars(value))}),
}
"""A type to its writer; the values of exactly that type come back as they were, but for a :class:`Lossy` tag."""

_BASES: Final[tuple[tuple[type, Callable[[Any], Any]], ...]] = (
    (enum.Enum, _enum),
    (PurePath, _path),
    (str, str.__str__),
    (int, int),
    (float, float),
    (tuple, tuple),
    (list, list),
    (dict, _plain_dict),
    (set, set),
    (frozenset, frozenset),
    (bytes, bytes),
    (deque, list),
    (Mapping, _plain_dict),
    (complex, complex),
    (dt.datetime, lambda value: Lossy(_datetime(value))),
    (dt.date, lambda value: Lossy(tag("date", value.isoformat()))),
    (dt.timedelta, lambda value: Lossy(_timedelta(value))),
)


def simplify(value: Any) -> Any:
    """Return a dataclass, or an instance of a subclass of a type that has a form, as what it will come back as.

    Raises
    ------
    TypeError
        It is neither.
    """
    kind = type(value)
    if dataclasses.is_dataclass(kind):
        return _dataclass(value)
    for base, plain in _BASES:
        if isinstance(value, base):
            return plain(value)
    raise NoFormError(f"{kind.__module__}.{kind.__qualname__} has no JSON form".removeprefix("builtins."))


def _decode_float(value: Any) -> float:
    if value not in ("nan", "inf", "-inf"):
        raise NotThisTag
    return float(value)


def _decode_int(value: Any) -> int:
    text = string(value)
    return int(text, 16 if "x" in text else 10)


def _decode_complex(value: Any) -> complex:
    real, imag = members(value, "real", "imag")
    if type(real) not in (int, float) or type(imag) not in (int, float):
        raise NotThisTag
    return complex(real, imag)


def _decode_clock(kind: type[dt.datetime] | type[dt.time], value: Any) -> dt.datetime | dt.time:
    iso, fold = members(value, "iso", "fold") if isinstance(value, dict) else (value, 0)
    return kind.fromisoformat(string(iso)).replace(fold=whole(fold))


def _decode_timedelta(value: Any) -> dt.timedelta:
    days, seconds, microseconds = members(value, "days", "seconds", "microseconds")
    return dt.timedelta(whole(days), whole(seconds), whole(microseconds))


def _decode_object(value: Any) -> SimpleNamespace:
    _, fields = members(value, "class", "fields")
    if type(fields) is not dict:
        raise NotThisTag
    return SimpleNamespace(**fields)


def _decode_dict(value: Any) -> dict[Any, Any]:
    pairs = items(value)
    if not all(type(pair) is list and len(pair) == 2 for pair in pairs):
        raise NotThisTag
    return dict(pairs)


def _decode_fraction(value: Any) -> Fraction:
    numerator, slash, denominator = string(value).partition("/")
    if not slash:
        raise NotThisTag
    return Fraction(int(numerator), int(denominator))


DECODERS: Final[dict[str, Callable[[Any], Any]]] = {
    "float": _decode_float,
    "int": _decode_int,
    "complex": _decode_complex,
    "datetime": lambda value: _decode_clock(dt.datetime, value),
    "date": lambda value: dt.date.fromisoformat(string(value)),
    "time": lambda value: _decode_clock(dt.time, value),
    "timedelta": _decode_timedelta,
    "bytes": lambda value: data(*members(value, "data")),
    "bytearray": lambda value: bytearray(data(*members(value, "data"))),
    "tuple": lambda value: tuple(items(value)),
    "set": lambda value: set(items(value)),
    "frozenset": lambda value: frozenset(items(value)),
    "dict": _decode_dict,
    "decimal": lambda value: Decimal(string(value)),
    "fraction": _decode_fraction,
    "path": lambda value: Path(string(value)),
    "uuid": lambda value: uuid.UUID(string(value)),
    "range": lambda value: range(*map(whole, members(value, "start", "stop", "step"))),
    "slice": lambda value: slice(*members(value, "start", "stop", "step")),
    "object": _decode_object,
}
