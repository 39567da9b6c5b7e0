"""Text of unknown origin, made fit for a line in a terminal."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Sequence
from typing import Final

_UNSAFE: Final = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})


def plain(text: str, limit: int | None = None) -> str:
    r"""Return text in one line, with what a terminal would obey or hide (escapes, direction marks) as ``\x1b``."""
    shown = "".join(map(_visible, text if limit is None else text[: limit + 1]))
    return shown if limit is None or len(shown) <= limit else shown[: max(limit - 1, 0)] + "…"


def _visible(character: str) -> str:
    if character.isascii():
        return character if character.isprintable() else ascii(character)[1:-1]
    unsafe = unicodedata.category(character) in _UNSAFE
    return character.encode("ascii", "backslashreplace").decode() if unsafe else character


def a_kind(value: object) -> str:
    """Return what kind of thing a value is, with its article: ``an int``; None is ``None``."""
    kind = type(value)
    # People know jobdeck's own by their names alone; the modules that they are in are nobody's business.
    is_known = kind.__module__.partition(".")[0] in ("builtins", "jobdeck")
    name = kind.__qualname__ if is_known else f"{kind.__module__}.{kind.__qualname__}"
    return "None" if value is None else f"{'an' if name[:1] in 'aeiouAEIOU' else 'a'} {name}"


def near(word: str, known: Iterable[str]) -> list[str]:
    """Return those of some words that were perhaps meant by another one, whatever its case, the likeliest first."""
    import difflib

    folded = {each.casefold(): each for each in known}
    return [folded[each] for each in difflib.get_close_matches(word.casefold(), folded, n=3, cutoff=0.6)]


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return rows as aligned columns."""
    lines = [tuple(head), *(tuple(map(plain, row)) for row in rows)]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip() for line in lines
    )


def size(count: float) -> str:
    """Return a number of bytes for people, such as ``38.1 MB``."""
    for unit in ("bytes", "KB", "MB", "GB"):
        if count < 1000:
            return f"{count:.0f} {unit}" if unit == "bytes" else f"{count:.1f} {unit}"
        count /= 1000
    return f"{count:.1f} TB"


def span(seconds: float) -> str:
    """Return a length of time in its two largest units, such as ``3 min 20 s``."""
    if seconds < 10:
        return f"{max(seconds, 0):.1f} s"
    whole = round(seconds)
    for size, unit, smaller, part in ((86400, "d", 3600, "h"), (3600, "h", 60, "min"), (60, "min", 1, "s")):
        if whole >= size:
            return f"{whole // size} {unit} {whole % size // smaller} {part}"
    return f"{whole} s"
