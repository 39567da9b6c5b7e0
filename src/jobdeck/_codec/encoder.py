"""From Python values to strictly valid JSON text.

What JSON has, it writes as JSON. All else becomes ``{"__type__": tag, "__value__": …}``; a dict of the user's own that
has a ``"__type__"`` key, or keys that are no strings, is written as tagged pairs, so that nothing passes for a tag.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from math import isfinite
from typing import Any, Final

from .._errors import EncodingError
from . import tags
from .forms import Lossy, NoFormError, tag
from .standard import encode_int

MAX_DEPTH: Final = 300
"""Levels of JSON: far more than data has, and few enough for every parser that will read them."""

_SAFE_INT: Final = 2**53
"""Larger integers are tagged: a browser would round them."""

_write: Final[Callable[[Any], str]] = json.JSONEncoder(allow_nan=False, check_circular=False).encode


class _Unencodable(Exception):
    """Carries the reason outwards; each level adds its step to the path."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason
        self.steps: list[str] = []


class _Walk:
    """One encoding: turns a value into what ``json`` can write.

    `exact` is False once something was written that will not come back as it was (a dataclass, say).
    """

    __slots__ = ("default", "exact", "open")

    def __init__(self, default: Callable[[Any], Any]) -> None:
        self.default = default
        self.exact = True
        self.open: set[int] = set()

    def plain(self, value: Any, depth: int) -> Any:
        kind = type(value)
        if kind is str or kind is bool or value is None:
            return value
        if kind is float:
            return value if isfinite(value) else tag("float", str(value))
        if kind is int:
            return value if -_SAFE_INT <= value <= _SAFE_INT else encode_int(value)
        if depth >= MAX_DEPTH:
            raise _Unencodable(f"it is nested more than {MAX_DEPTH} levels deep")
        mark = id(value)
        if mark in self.open:
            raise _Unencodable("it contains itself")
        self.open.add(mark)
        try:
            if kind is list:
                return self._items(value, depth + 1)
            if kind is dict:
                return self._mapping(value, depth)
            if kind is tuple:
                return tag("tuple", self._items(value, depth + 2))
            return self._other(value, depth)
        finally:
            self.open.discard(mark)

    def _items(self, values: Any, depth: int) -> list[Any]:
        done: list[Any] = []
        try:
            for value in values:
                done.append(self.plain(value, depth))
        except _Unencodable as bad:
            bad.steps.append(f"[{len(done)}]")
            raise
        return done

    def _mapping(self, value: dict[Any, Any], depth: int) -> dict[str, Any]:
        if "__type__" in value or not all(type(key) is str for key in value):
            return tag("dict", self._pairs(value, depth + 3))
        return self._fields(value, depth + 1, "[{!r}]")

    def _fields(self, value: dict[str, Any], depth: int, step: str) -> dict[str, Any]:
        done: dict[str, Any] = {}
        key = ""
        try:
            for key, part in list(value.items()):
                done[key] = self.plain(part, depth)
        except _Unencodable as bad:
            bad.steps.append(step.format(key))
            raise
        return done

    def _pairs(self, value: dict[Any, Any], depth: int) -> list[list[Any]]:
        done: list[list[Any]] = []
        for key, part in list(value.items()):
            try:
                written = self.plain(key, depth)
            except _Unencodable as bad:
                bad.steps.append(f".key({_name(key)})")
                raise
            try:
                done.append([written, self.plain(part, depth)])
            except _Unencodable as bad:
                bad.steps.append(f"[{_name(key)}]")
                raise
        return done

    def _other(self, value: Any, depth: int) -> Any:
        try:
            made = self.default(value)
        except NoFormError as exc:
            raise _Unencodable(str(exc)) from None
        except Exception as exc:  # a subclass's default is the user's code: whatever it raises, this value has no form
            raise _Unencodable(str(exc) or type(exc).__name__) from exc
        name = made.get("__type__") if isinstance(made, dict) else None
        if type(name) is not str or name not in tags.KNOWN or isinstance(made, Lossy):
            self.exact = False
        if type(name) is str and all(type(key) is str for key in made):
            return self._tagged(made, depth + 1)
        return self.plain(made, depth + 1)

    def _tagged(self, made: dict[str, Any], depth: int) -> dict[str, Any]:
        """Write a tag that ``default`` made. Its own keys are no part of the path that a person knows."""
        done: dict[str, Any] = {}
        for key, part in made.items():
            if key == "__value__" and type(part) is dict and made["__type__"] in tags.OBJECTS:
                done[key] = {
                    name: self._fields(inner, depth + 2, ".{}") if name == "fields" else self.plain(inner, depth + 2)
                    for name, inner in part.items()
                }
            elif key == "__value__" and type(part) is dict and made["__type__"] in tags.KNOWN:
                done[key] = {name: self.plain(inner, depth + 1) for name, inner in part.items()}
            else:
                done[key] = self.plain(part, depth)
        return done


def _name(key: object) -> str:
    try:
        text = repr(key)
    except Exception:  # noqa: BLE001 - a key's own repr is the user's code; its type says enough
        text = f"<{type(key).__name__}>"
    return text if len(text) <= 60 else text[:59] + "…"


class RuntimeEncoder(json.JSONEncoder):
    """The JSON encoder of published messages and results.

    Use it as any ``json.JSONEncoder``, also as ``json.dumps(value, cls=RuntimeEncoder)``. A subclass that overrides
    :meth:`default` is asked first for each value that JSON has no form for; what it returns is encoded in its turn, and
    a dict with a ``"__type__"`` that it returns is kept as a tag, for a :class:`ResultDecoder` subclass to read.

    Raises
    ------
    EncodingError
        From ``encode`` and ``json.dumps``, with the path of the part that cannot be encoded.
    """

    def default(self, o: Any) -> Any:
        """Return the tagged form of a value that JSON has no form for.

        Raises
        ------
        TypeError
            Where there is none.
        """
        return tags.encode(o)

    def encode(self, o: Any) -> str:
        """Return `o` as JSON text."""
        return self.encode_exactly(o)[0]

    def iterencode(self, o: Any, _one_shot: bool = False) -> Iterator[str]:
        """Yield `o` as JSON text, in one piece."""
        yield self.encode(o)

    def encode_exactly(self, o: Any) -> tuple[str, bool]:
        """Return `o` as JSON text, and whether :class:`ResultDecoder` will give an equal value of the same types."""
        walk = _Walk(self.default)
        try:
            plain = walk.plain(o, 0)
            if self._is_plain_style():
                return _write(plain), walk.exact
            self.allow_nan = False
            return "".join(super().iterencode(plain, _one_shot=True)), walk.exact
        except _Unencodable as bad:
            raise EncodingError(f"{_path(bad)} cannot be encoded: {bad.reason}") from bad.__cause__
        except RecursionError:
            raise EncodingError("message cannot be encoded: it is nested too deeply") from None

    def _is_plain_style(self) -> bool:
        return self.indent is None and not self.sort_keys and self.ensure_ascii and self.item_separator == ", "


def _path(bad: _Unencodable) -> str:
    steps = bad.steps[::-1]
    if len(steps) > 12:
        steps = [*steps[:6], "…", *steps[-6:]]
    return "message" + "".join(steps)
