"""Waiting for something outside the page, without guessing how long it takes."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")

GENEROUS = 30.0
"""Seconds. Nothing is measured by it: a test that gets here has failed."""

PATIENCE = GENEROUS * 1000
"""The same in Playwright's milliseconds."""


def until(look: Callable[[], T], what: str, within: float = GENEROUS) -> T:
    """Call `look` until it gives something true, and return that."""
    deadline = time.monotonic() + within
    while True:
        seen = look()
        if seen:
            return seen
        if time.monotonic() > deadline:
            raise AssertionError(f"waited {within:g} s for {what}; last seen: {seen!r}")
        time.sleep(0.02)
