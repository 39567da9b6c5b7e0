"""What all tags are made of, and the checks of what is read from one.

A tag's ``__value__`` may carry a ``text``: what a person sees in its place, so that no reader needs to know every tag.
"""

from __future__ import annotations

import base64
import binascii
from typing import Any


class Lossy(dict[str, Any]):
    """A tag that will come back as something simpler than it was made from."""


class NoFormError(TypeError):
    """Nobody here knows a JSON form for a value: its kind is all that there is to say."""


class NotThisTag(Exception):
    """A tag's value is not what that tag holds: it stays the plain dict that it is."""


def tag(name: str, value: Any) -> dict[str, Any]:
    """Return the tagged form."""
    return {"__type__": name, "__value__": value}


def base64_text(data: bytes | bytearray | memoryview) -> str:
    """Return bytes as base64."""
    return base64.b64encode(data).decode("ascii")


def complex_text(value: object) -> str:
    """Return ``1+2j`` as people write it."""
    return str(value).strip("()")


def string(value: Any) -> str:
    """Return a JSON string."""
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
        return base64.b64decode(string(value), validate=True)
    except binascii.Error:
        raise NotThisTag from None
