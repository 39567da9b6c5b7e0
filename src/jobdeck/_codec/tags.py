"""The tags of the standard library's types, and the way to those of other packages.

A tag's ``__value__`` may carry a ``text``: what a person sees in its place, so that no reader needs to know every tag.
"""

from __future__ import annotations

import base64
import binascii
import dataclasses
import datetime as dt
import enum
import uuid
from collections import deque
from collections.abc import Callable, Mapping
from decimal import Decimal
from fractions import Fraction
from importlib import import_module
from pathlib import Path, PurePath
from types import SimpleNamespace
from typing import Any, Final, NamedTuple


class Lossy(NamedTuple):
    """What to write for a value that will come back as something simpler."""

    written: Any


class NotThisTag(Exception):
    """A tag's value is not what that tag holds: it stays the plain dict that it is."""


def tag(name: str, value: Any) -> dict[str, Any]:
    """Return the tagged form."""
    return {"__type__": name, "__value__": value}


# --- encoding


def encode_int(value: int) -> dict[str, Any]:
    """Return a large integer's tag: decimal digits, or hexadecimal past what Python turns into decimal digits."""
    return tag("int", str(value) if value.bit_length() <= 2000 else hex(value))


def base64_text(data: bytes | bytearray | memoryview) -> str:
    """Return bytes as base64."""
    return base64.b64encode(data).decode("ascii")


def complex_text(value: complex) -> str:
    """Return ``1+2j`` as people write it."""
    return str(value).strip("()")


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


_ENCODERS: Final[dict[type, Callable[[Any], Any]]] = {
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

_BASES: Final[tuple[tuple[type, Callable[[Any], Any]], ...]] = (
    (enum.Enum, lambda value: Lossy(value.value)),
    (str, lambda value: Lossy(str.__str__(value))),
    (int, lambda value: Lossy(int(value))),
    (float, lambda value: Lossy(float(value))),
    (tuple, lambda value: Lossy(tuple(value))),
    (list, lambda value: Lossy(list(value))),
    (dict, lambda value: Lossy(dict(value))),
    (set, lambda value: Lossy(set(value))),
    (frozenset, lambda value: Lossy(frozenset(value))),
    (bytes, lambda value: Lossy(bytes(value))),
    (deque, lambda value: Lossy(list(value))),
    (Mapping, lambda value: Lossy(dict(value))),
    (complex, lambda value: Lossy(complex(value))),
    (dt.datetime, lambda value: Lossy(_datetime(value))),
    (dt.date, lambda value: Lossy(tag("date", value.isoformat()))),
    (dt.timedelta, lambda value: Lossy(_timedelta(value))),
)


def encode(value: Any) -> Any:
    """Return the tagged form of a value, wrapped in :class:`Lossy` where it will not come back as it is.

    Raises
    ------
    TypeError
        Where there is none.
    """
    kind = type(value)
    encoder = _ENCODERS.get(kind)
    if encoder is not None:
        return encoder(value)
    if isinstance(value, PurePath):
        written = tag("path", str(value))
        return written if kind is type(Path()) else Lossy(written)
    foreign = _foreign_encoder(kind)
    if foreign is not None:
        made = foreign(value)
        if made is not None:
            return made
    if dataclasses.is_dataclass(kind):
        return _dataclass(value)
    for base, encoder in _BASES:
        if isinstance(value, base):
            return encoder(value)
    raise TypeError(f"{kind.__module__}.{kind.__qualname__} has no JSON form".replace("builtins.", ""))


_PACKAGES: Final = {
    "numpy": "arrays",
    "pandas": "frames",
    "matplotlib": "pictures",
    "PIL": "pictures",
    "jobdeck": "pictures",
    "qiskit": "qiskit",
}
"""Top package of a type to the module here that writes it. Nothing is imported that the program has not imported."""


def _foreign_encoder(kind: type) -> Callable[[Any], Any] | None:
    for base in kind.__mro__:
        module = _PACKAGES.get(base.__module__.partition(".")[0])
        if module is not None:
            encoder: Callable[[Any], Any] = import_module(f"{__package__}.{module}").encode
            return encoder
    return None


# --- decoding


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise NotThisTag
    return value


def whole(value: Any) -> int:
    """Return a JSON integer."""
    if type(value) is not int:
        raise NotThisTag
    return value


def members(value: Any, *names: str) -> list[Any]:
    """Return the values of these keys of an object that has them all."""
    if type(value) is not dict or not all(name in value for name in names):
        raise NotThisTag
    return [value[name] for name in names]


def items(value: Any) -> list[Any]:
    """Return a JSON array."""
    if type(value) is not list:
        raise NotThisTag
    return value


def data(value: Any) -> bytes:
    """Return the bytes of a base64 text."""
    try:
        return base64.b64decode(_text(value), validate=True)
    except binascii.Error:
        raise NotThisTag from None


def _decode_float(value: Any) -> float:
    if value not in ("nan", "inf", "-inf"):
        raise NotThisTag
    return float(value)


def _decode_int(value: Any) -> int:
    text = _text(value)
    return int(text, 16 if "x" in text else 10)


def _decode_complex(value: Any) -> complex:
    real, imag = members(value, "real", "imag")
    if type(real) not in (int, float) or type(imag) not in (int, float):
        raise NotThisTag
    return complex(real, imag)


def _decode_clock(kind: type[dt.datetime] | type[dt.time], value: Any) -> dt.datetime | dt.time:
    iso, fold = members(value, "iso", "fold") if isinstance(value, dict) else (value, 0)
    return kind.fromisoformat(_text(iso)).replace(fold=whole(fold))


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
    numerator, slash, denominator = _text(value).partition("/")
    if not slash:
        raise NotThisTag
    return Fraction(int(numerator), int(denominator))


_DECODERS: Final[dict[str, Callable[[Any], Any]]] = {
    "float": _decode_float,
    "int": _decode_int,
    "complex": _decode_complex,
    "datetime": lambda value: _decode_clock(dt.datetime, value),
    "date": lambda value: dt.date.fromisoformat(_text(value)),
    "time": lambda value: _decode_clock(dt.time, value),
    "timedelta": _decode_timedelta,
    "bytes": lambda value: data(*members(value, "data")),
    "bytearray": lambda value: bytearray(data(*members(value, "data"))),
    "tuple": lambda value: tuple(items(value)),
    "set": lambda value: set(items(value)),
    "frozenset": lambda value: frozenset(items(value)),
    "dict": _decode_dict,
    "decimal": lambda value: Decimal(_text(value)),
    "fraction": _decode_fraction,
    "path": lambda value: Path(_text(value)),
    "uuid": lambda value: uuid.UUID(_text(value)),
    "range": lambda value: range(*map(whole, members(value, "start", "stop", "step"))),
    "slice": lambda value: slice(*members(value, "start", "stop", "step")),
    "object": _decode_object,
}

_FOREIGN: Final = {
    "ndarray": "arrays",
    "numpy": "arrays",
    "dataframe": "frames",
    "series": "frames",
    "index": "frames",
    "pandas": "frames",
    "image": "pictures",
    "qiskit": "qiskit",
}
"""Tag to the module here that reads it: a fixed table, so that no name found in data is ever imported."""

KNOWN: Final = frozenset(_DECODERS) | frozenset(_FOREIGN)
OBJECTS: Final = frozenset({"object"})
"""Tags whose ``fields`` are attributes, named so in the path of an error."""


def decode(name: str, value: Any) -> Any:
    """Return the value of a tag whose inner tags are decoded.

    Raises
    ------
    NotThisTag
        Where the tag is unknown, or its value is not what that tag holds.
    """
    decoder = _DECODERS.get(name)
    try:
        if decoder is not None:
            return decoder(value)
        if name in _FOREIGN:
            return import_module(f"{__package__}.{_FOREIGN[name]}").decode(name, value)
    except Exception as exc:  # libraries raise errors of any kind for data that is not theirs
        raise NotThisTag(f"{name}: {exc}") from exc
    raise NotThisTag(name)
