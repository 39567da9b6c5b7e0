"""The built front end, as the wheel carries it."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Final

from .._errors import JobdeckError

STATIC: Final = Path(__file__).parent / "static"


class FrontEndMissingError(JobdeckError):
    """The package was installed from a tree in which the front end was not built."""


@cache
def source(name: str) -> str:
    """Return the text of one built file: ``card.js`` or ``deck.js``, or the style sheet of either."""
    try:
        return (STATIC / name).read_text(encoding="utf-8")
    except FileNotFoundError:
        words = (
            f"jobdeck's front end is not there ({STATIC / name}): this is a tree in which it was not built. "
            "Run `npm ci && npm run build` in its js/ folder, or install a wheel"
        )
        raise FrontEndMissingError(words) from None
