"""A short text of any value, for people."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable
from itertools import islice
from typing import Any, Final

_MAX_ITEMS: Final = 12
_MAX_DEPTH: Final = 4
_PLACE_IN_MEMORY: Final[Any] = object.__repr__
"""It tells nobody anything, and is another one each time."""


def preview(value: Any, limit: int = 200) -> str:
    """Return a text like ``repr`` of at most `limit` characters.

    It never raises, and of a large container it looks at the first few items alone.
    """
    text = _text(value, limit, _MAX_DEPTH).encode("utf-8", "replace").decode("utf-8")
    return text if len(text) <= limit else text[: limit - 1] + "…"


def _text(value: Any, limit: int, depth: int) -> str:
    kind = type(value)
    if kind is str or kind is bytes:
        return repr(value) if len(value) <= limit else repr(value[:limit])
    if kind is int and value.bit_length() > 4 * limit:
        return f"<integer of {value.bit_length()} bits>"
    if kind is int or kind is float or kind is bool:
        return repr(value)
    if kind in (list, tuple, set, frozenset, dict):
        return _container(value, limit, depth)
    try:
        shape = getattr(value, "shape", None)
        if shape == () and kind.__module__ == "numpy" and callable(getattr(value, "item", None)):
            # As the number that it is: a value of numpy.linspace reads, sorts and plots as any other.
            return _plain_text(value.item(), value, limit)
        if kind.__module__.partition(".")[0] in ("numpy", "pandas") and type(shape) is tuple and shape:
            size = "×".join(map(str, shape))
            return f"<{kind.__name__} {size} {value.dtype}>" if hasattr(value, "dtype") else f"<{kind.__name__} {size}>"
        if dataclasses.is_dataclass(kind) and kind.__repr__.__module__ == kind.__module__:
            fields = [field for field in dataclasses.fields(value) if field.repr]
            return kind.__name__ + _join(
                "(", [f"{f.name}={_text(getattr(value, f.name), limit, depth - 1)}" for f in fields], ")"
            )
        if isinstance(value, type) or (callable(value) and hasattr(value, "__qualname__")):
            return str(value.__qualname__)
        if kind.__repr__ is _PLACE_IN_MEMORY:
            return f"<{kind.__name__}>"
        return repr(value)
    except Exception as exc:  # noqa: BLE001 - the value's own repr is anybody's code; a preview must not break a job
        return f"<{kind.__name__}: its repr failed with {type(exc).__name__}>"


def _plain_text(item: Any, value: Any, limit: int) -> str:
    return _text(item, limit, 0) if type(item) in (int, float, bool, complex, str) else repr(value)


def _container(value: Any, limit: int, depth: int) -> str:
    kind = type(value)
    opening, closing = "[]" if kind is list else "()" if kind is tuple else "{}"
    if not value:
        return repr(value)
    if depth <= 0:
        return f"{opening}…{closing}"
    if kind is dict:
        some: Iterable[Any] = _some(value.items())
        texts = [f"{_text(key, limit, depth - 1)}: {_text(part, limit, depth - 1)}" for key, part in some]
    else:
        texts = [_text(part, limit, depth - 1) for part in _some(value)]
    if len(value) > _MAX_ITEMS:
        texts.append(f"… {len(value) - _MAX_ITEMS} more")
    if kind is tuple and len(value) == 1:
        closing = ",)"
    text = _join(opening, texts, closing)
    return f"frozenset({text})" if kind is frozenset else text


def _some(values: Iterable[Any]) -> list[Any]:
    try:
        return list(islice(values, _MAX_ITEMS))
    except RuntimeError:  # another thread is changing it
        return []


def _join(opening: str, texts: list[str], closing: str) -> str:
    return opening + ", ".join(texts) + closing
