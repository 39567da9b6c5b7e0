"""What may stand at a place of a query."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final, NamedTuple

from .._records import JobRecord
from .fields import CANCEL_STATES, ERROR_KINDS, FIELDS, STATUS_WORDS, Field, nearest_status
from .scanner import ENDS, QUOTES, SPACES, is_comparison

_MOST_OPTIONS: Final = 50
_TIMES: Final = ("<1h", "<1d", "<1w", ">1h", ">1d", "today", "yesterday")
_AMOUNTS: Final = {
    "took": (">1m", ">10m", ">1h", "<1m"),
    "cpu": (">1m", ">10m", ">1h", "<1m"),
    "memory": (">100MB", ">1GB", ">10GB"),
    "progress": (">=50", ">=90", "<10"),
}
_SPACE: Final = f"[{re.escape(''.join(sorted(SPACES)))}]"
_QUOTED_VALUE: Final = re.compile(rf"""{_SPACE}|[(),*?]|^["':<>=!]""")
_QUOTED_NAME: Final = re.compile(rf"""{_SPACE}|[(),:<>=!"'*?]|^-""")


@dataclass(frozen=True)
class Vocabulary:
    """The words that jobs have, for completion."""

    statuses: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    names: tuple[str, ...] = ()
    engines: tuple[str, ...] = ()
    backends: tuple[str, ...] = ()
    values: tuple[str, ...] = ()

    @classmethod
    def of(cls, records: Iterable[JobRecord]) -> Vocabulary:
        """Return the words of some jobs, those of the first ones first."""
        records = list(records)

        def each(texts: Iterable[str]) -> tuple[str, ...]:
            return tuple(dict.fromkeys(text for text in texts if text))

        return cls(
            statuses=each(str(record.status) for record in records),
            tags=each(tag for record in records for tag in record.tags),
            names=each(record.name for record in records),
            engines=each(record.engine for record in records),
            backends=each(record.backend or "" for record in records),
        )


class Option(NamedTuple):
    text: str
    hint: str


class Completion(NamedTuple):
    """Options to take the place of the text from `start` to `end`."""

    start: int
    end: int
    options: tuple[Option, ...]


def complete(text: str, cursor: int, vocabulary: Vocabulary) -> Completion:
    """Say what may stand where the cursor is."""
    place = _place(text, cursor)
    wanted = text[place.start + place.is_quoted : cursor].lower()
    name = None if place.name is None else place.name.lower()
    offers: Iterator[_Offer] = iter(())
    if name is None:
        offers = _words(wanted, vocabulary)
    elif name in FIELDS:
        offers = _values(FIELDS[name], vocabulary)
    typed = text[place.start : place.end]
    options: dict[str, Option] = {}
    for offer in offers:
        if len(options) == _MOST_OPTIONS:
            break
        if offer.text != typed and offer.text not in options and offer.plain.lower().startswith(wanted):
            options[offer.text] = Option(offer.text, offer.hint)
    return Completion(place.start, place.end, tuple(options.values()))


class _Place(NamedTuple):
    """The word at a cursor: of which field it is a value, and where it stands."""

    name: str | None
    is_quoted: bool
    start: int
    end: int


def _place(text: str, cursor: int) -> _Place:
    name: str | None = None
    quote = ""
    start = at = 0
    while at < cursor:
        char = text[at]
        if quote:
            if char == "\\":
                at += 1
            elif char == quote:
                quote = ""
        elif char in QUOTES and at == start:
            quote = char
        elif char in SPACES or char in "()":
            name, start = None, at + 1
        elif char == "," or (char == "-" and at == start and name is None):
            start = at + 1
        elif name is None and (char == ":" or is_comparison(text, at)):
            name = text[start:at]
            # After a colon "<1h" is a value to choose, "!=" is not.
            signs = "=!" if char == ":" else "<>=!"
            while at + 1 < cursor and text[at + 1] in signs:
                at += 1
            start = at + 1
        at += 1
    # What begins after the cursor is another word.
    end = cursor if name is None and start >= cursor else _end(text, cursor, quote, is_value=name is not None)
    return _Place(name, start < cursor and text[start] in QUOTES, min(start, cursor), end)


def _end(text: str, cursor: int, quote: str, *, is_value: bool) -> int:
    """Return where the word ends in which the cursor is; of a name, after its colon."""
    at = cursor
    if quote:
        while at < len(text) and text[at] != quote:
            at += 2 if text[at] == "\\" else 1
        return min(at + 1, len(text))
    while at < len(text) and text[at] not in ENDS:
        if not is_value and text[at] == ":":
            return at + 1
        if not is_value and is_comparison(text, at):
            return at
        at += 1
    return at


class _Offer(NamedTuple):
    """An option, and the text by which it is found."""

    text: str
    hint: str
    plain: str


def _words(wanted: str, vocabulary: Vocabulary) -> Iterator[_Offer]:
    yield from (_Offer(f"{field.name}:", field.hint, field.name) for field in FIELDS.values())
    yield from (_Offer(status, "status", status) for status in STATUS_WORDS)
    if wanted:
        yield from (_Offer(f"{_quoted_name(name)}<", "number", name) for name in vocabulary.values)
        yield from (_Offer(f"tag:{_quoted(tag)}", "tag", tag) for tag in vocabulary.tags)
        yield from (_Offer(f"name:{_quoted(name)}", "name", name) for name in vocabulary.names)


def _values(field: Field, vocabulary: Vocabulary) -> Iterator[_Offer]:
    texts: dict[str, Iterable[str]] = {
        "status": STATUS_WORDS,
        "tag": vocabulary.tags,
        "name": vocabulary.names,
        "engine": vocabulary.engines,
        "backend": vocabulary.backends,
        "error": ERROR_KINDS,
        "cancel": CANCEL_STATES,
    }
    yield from (_Offer(_quoted(text), "", text) for text in texts.get(field.name, ()))
    if field.name == "status":
        yield from (_Offer(_quoted_status(status), "", status) for status in map(str.lower, vocabulary.statuses))
    yield from (_Offer(text, "", text) for text in (_TIMES if field.kind == "time" else _AMOUNTS.get(field.name, ())))


def _quoted(text: str) -> str:
    """Return a text as a value, in quotes where it would mean something else without them."""
    return text if text and not _QUOTED_VALUE.search(text) else _in_quotes(text)


def _quoted_status(status: str) -> str:
    """Return another system's word for a status, in quotes where it would be taken for a slip."""
    return _in_quotes(status) if nearest_status(status) else _quoted(status)


def _quoted_name(name: str) -> str:
    """Return a number's name as it stands before a comparison."""
    return _in_quotes(name) if _QUOTED_NAME.search(name) or name.lower() in FIELDS else name


def _in_quotes(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
