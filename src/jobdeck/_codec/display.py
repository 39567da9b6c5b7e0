"""How a message's text is shown to people: one line, like JSON, with tagged values as themselves.

``js/src/model`` does the same; ``tests/wire/bodies.json`` holds both to it.

=========================  =====================================================================
value                      shown as
=========================  =====================================================================
string, alone              itself
string, inside             as in JSON
number                     as JavaScript shows it: ``1``, ``0.1``, ``1e-7``, ``NaN``, ``Infinity``
null, true, false          as in JSON
list, dict                 ``[1, 2]``, ``{"a": 1}``; with other keys than strings ``{1: 2}``
tuple, set                 ``(1, 2)``, ``(1,)``, ``{1, 2}``
object (a dataclass)       ``Point(x=1, y=2)``
numpy scalar               its value
a tag with a text string   that string: a date, a path, a large integer
a tag that has a ``text``  that text: ``1+2j``, ``<5 bytes>``, ``<image 640×480>``
any other tag              its JSON
=========================  =====================================================================

A surrogate without its partner shows as ``�``.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from typing import Any, Final

_FLOATS: Final = {"nan": "NaN", "inf": "Infinity", "-inf": "-Infinity"}
_PLAIN_TEXT: Final = frozenset({"int", "datetime", "date", "time", "decimal", "fraction", "path", "uuid"})


def display(body: str, limit: int | None = None) -> str:
    """Return the one line that a person sees of a message.

    Parameters
    ----------
    body
        The text that an encoder wrote. A text that is no JSON is shown as it is.
    limit
        Cut the line to so many characters, the last of them ``…``.
    """
    try:
        value = json.loads(body)
    except (ValueError, RecursionError):
        value = body
    try:
        text = value if isinstance(value, str) else _show(value)
    except RecursionError:
        text = body
    text = text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return text if limit is None or len(text) <= limit else text[: limit - 1] + "…"


def series(body: str) -> dict[str, float]:
    """Return the numbers that a plot takes from a message, by the name of their series.

    They are those of a dict or dataclass, in the dicts inside it under ``outer.inner``; a number alone is ``value``.
    """
    try:
        value = json.loads(body)
    except (ValueError, RecursionError):
        return {}
    alone = _number(value)
    if alone is not None:
        return {"value": alone}
    found: dict[str, float] = {}
    _collect(value, "", found)
    return found


def _collect(value: Any, prefix: str, found: dict[str, float]) -> None:
    fields = _fields(value)
    for name, part in fields.items():
        number = _number(part)
        if number is not None:
            found[prefix + name] = number
        else:
            _collect(part, f"{prefix}{name}.", found)


def _fields(value: Any) -> dict[str, Any]:
    if not isinstance(value, dict):
        return {}
    name, inner = _tag(value)
    if name is None:
        return value
    if name == "object" and isinstance(inner, dict) and isinstance(inner.get("fields"), dict):
        fields: dict[str, Any] = inner["fields"]
        return fields
    return {}


def _number(value: Any) -> float | None:
    if isinstance(value, (int, float)):
        return None if isinstance(value, bool) else value
    name, inner = _tag(value)
    if name == "numpy" and isinstance(inner, dict):
        return _number(inner.get("value"))
    if name == "float" and isinstance(inner, str) and inner in _FLOATS:
        return float(inner)
    if name == "int" and isinstance(inner, str):
        try:
            return float(int(inner, 0))
        except (ValueError, OverflowError):
            return None
    return None


def _tag(value: Any) -> tuple[str | None, Any]:
    if isinstance(value, dict) and isinstance(value.get("__type__"), str) and "__value__" in value:
        return value["__type__"], value["__value__"]
    return None, None


def _show(value: Any) -> str:
    if value is None or isinstance(value, (bool, str)):
        return json.dumps(value, ensure_ascii=False)
    if isinstance(value, int):
        return str(value)
    if isinstance(value, float):
        return _number_text(value)
    if isinstance(value, list):
        return f"[{_list(value)}]"
    name, inner = _tag(value)
    if name is not None:
        text = _tagged(name, inner)
        if text is not None:
            return text
    return "{" + ", ".join(f"{_show(key)}: {_show(part)}" for key, part in value.items()) + "}"


def _tagged(name: str, value: Any) -> str | None:
    if name == "float" and isinstance(value, str):
        return _FLOATS.get(value)
    if name in _PLAIN_TEXT and isinstance(value, str):
        return value
    shape = _SHAPES.get(name)
    if shape is not None and isinstance(value, list):
        return shape(value)
    if isinstance(value, dict):
        if name == "object" and isinstance(value.get("class"), str) and isinstance(value.get("fields"), dict):
            return f"{value['class']}({', '.join(f'{key}={_show(part)}' for key, part in value['fields'].items())})"
        if name == "numpy" and "value" in value:
            return _show(value["value"])
        if isinstance(value.get("text"), str):
            return str(value["text"])
    return None


def _list(values: list[Any]) -> str:
    return ", ".join(map(_show, values))


def _tuple(values: list[Any]) -> str:
    return f"({_list(values)},)" if len(values) == 1 else f"({_list(values)})"


def _pairs(values: list[Any]) -> str | None:
    if not all(isinstance(pair, list) and len(pair) == 2 for pair in values):
        return None
    return "{" + ", ".join(f"{_show(key)}: {_show(part)}" for key, part in values) + "}"


_SHAPES: Final[dict[str, Callable[[list[Any]], str | None]]] = {
    "tuple": _tuple,
    "set": lambda values: "{" + _list(values) + "}",
    "frozenset": lambda values: "{" + _list(values) + "}",
    "dict": _pairs,
}


def _number_text(value: float) -> str:
    """Return a float as JavaScript's ``String(number)`` does: the same digits, other rules for the exponent."""
    if not math.isfinite(value):
        return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"
    if value == 0:
        return "0"
    mantissa, _, exponent = repr(abs(value)).partition("e")
    sign = "-" if value < 0 else ""
    whole, _, fraction = mantissa.partition(".")
    digits = (whole + fraction).lstrip("0")
    point = len(whole) + int(exponent or 0) - (len(whole + fraction) - len(digits))
    digits = digits.rstrip("0")
    if 0 < point <= 21:
        if point >= len(digits):
            return sign + digits.ljust(point, "0")
        return f"{sign}{digits[:point]}.{digits[point:]}"
    if -6 < point <= 0:
        return f"{sign}0.{'0' * -point}{digits}"
    power = point - 1
    tail = f".{digits[1:]}" if len(digits) > 1 else ""
    return f"{sign}{digits[0]}{tail}e{'+' if power > 0 else '-'}{abs(power)}"
