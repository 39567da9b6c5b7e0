"""What a row of the deck tells of a job's data: its numbers by name, and its newest interim result in a few words."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from ._codec import display, series

MOST_VALUES: Final = 32
LONGEST_NAME: Final = 80
LONGEST_LATEST: Final = 160
LONGEST_BODY: Final = 65_536
"""Characters of a message or result that is read for its numbers; a longer one is data rather than a report."""

_NUMBER: Final = re.compile(r"(?:np\.\w+\()?([+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)\)?", re.ASCII)
_IMAGE: Final = re.compile(r'\{"__type__": ?"image"')
_BREAKS: Final = re.compile(r"\s*[\r\n]\s*")
_AXES: Final = frozenset({"iteration", "step", "epoch", "iter", "it", "generation", "evaluation"})
"""Names that tell how far a program is rather than what came out."""


def numbers_of(inputs_preview: Mapping[str, str], latest_body: str | None, result_text: str | None) -> dict[str, float]:
    """Return the numbers of a job by name, for queries and columns.

    They are those of the inputs, of the newest interim message and of the result; where names are equal, the later one
    of these counts, and beyond `MOST_VALUES` the earlier ones go first. Dicts inside dicts give ``outer.inner``; a
    message that is a number alone is ``value``, such a result ``result``. What is not finite is left out.

    Parameters
    ----------
    inputs_preview
        Texts of the inputs' values, as the record has them.
    latest_body
        JSON text of the newest interim message.
    result_text
        JSON text of the result; None for a result that is kept as a pickle, which is never opened here.
    """
    found: dict[str, float] = {}
    for name, number in (
        *_of_body(result_text, "result"),
        *_of_body(latest_body, "value"),
        *_of_texts(inputs_preview),
    ):
        if len(found) == MOST_VALUES:
            break
        if name and len(name) <= LONGEST_NAME:
            found.setdefault(_clean(name), number)
    return found


def latest_text(body: str) -> str:
    """Return a message as at most `LONGEST_LATEST` characters in one line.

    A flat dict reads as ``energy -1.1369, basis sto-3g``, without the step it was at and without arrays; anything else
    shows as on the card.
    """
    if len(body) > LONGEST_BODY:
        text = "<image>" if _IMAGE.match(body) else body[: LONGEST_LATEST + 1]
    else:
        text = _pairs(body) or display(body)
    line = _BREAKS.sub(" ⏎ ", _clean(text[: 4 * LONGEST_LATEST]))
    return line if len(line) <= LONGEST_LATEST else line[: LONGEST_LATEST - 1] + "…"


def _of_texts(texts: Mapping[str, str]) -> Iterator[tuple[str, float]]:
    for name, text in texts.items():
        match = _NUMBER.fullmatch(text)
        if match is not None and math.isfinite(number := float(match[1])):
            yield name, number


def _of_body(body: str | None, alone: str) -> Iterator[tuple[str, float]]:
    if body is None or len(body) > LONGEST_BODY:
        return
    try:
        numbers = series(body)
    except RecursionError:  # dicts in dicts beyond what a stack holds name nothing that anybody would ask for
        return
    is_alone = not body.lstrip().startswith("{") or (numbers.keys() == {"value"} and _is_tagged(body))
    for name, number in numbers.items():
        try:
            value = float(number)
        except OverflowError:
            continue
        if math.isfinite(value):
            yield (alone if is_alone else name), value


def _is_tagged(body: str) -> bool:
    value = json.loads(body)
    return isinstance(value, dict) and "__type__" in value


def _pairs(body: str) -> str | None:
    """Return a flat dict of which a part is a number as names and values, None for what is none."""
    if not body.lstrip().startswith("{"):
        return None
    try:
        value = json.loads(body)
    except (ValueError, RecursionError):
        return None
    if not isinstance(value, dict) or "__type__" in value:
        return None
    value = {name: part for name, part in value.items() if not _is_array(part)}
    if any(isinstance(part, (dict, list)) for part in value.values()):
        return None
    is_number = {name: isinstance(part, (int, float)) and not isinstance(part, bool) for name, part in value.items()}
    told = [name for name in value if not (is_number[name] and name.lower() in _AXES)]
    if not any(is_number.values()):
        return None
    return ", ".join(f"{name} {_short(value[name])}" for name in told or value)


def _is_array(part: Any) -> bool:
    return isinstance(part, dict) and part.get("__type__") == "ndarray"


def _short(part: Any) -> str:
    if isinstance(part, float):
        part = float(f"{part:.6g}")
    return part if isinstance(part, str) else display(json.dumps(part))


def _clean(text: str) -> str:
    """Replace lone surrogates, which neither UTF-8 nor a kernel's session can carry."""
    return text if text.isascii() else text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
