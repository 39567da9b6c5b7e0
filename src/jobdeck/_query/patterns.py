"""Texts that a query looks for. All of them are compared in lower case."""

from __future__ import annotations

import fnmatch
import re
from collections.abc import Callable
from typing import Final, TypeAlias

from .syntax import Word

LONGEST_PATTERN: Final = 256

TextTest: TypeAlias = Callable[[str], bool]


def is_pattern(word: Word) -> bool:
    return not word.is_quoted and ("*" in word.text or "?" in word.text)


def whole(word: Word) -> TextTest:
    """Return a test of whether a lower-case text is this word, or fits it as a pattern."""
    wanted = word.text.lower()
    if not is_pattern(word):
        return wanted.__eq__
    # As in a shell, but without its character classes: fit[12] is a name. Matching takes no backtracking.
    fits = re.compile(fnmatch.translate(wanted.replace("[", "[[]"))).match
    return lambda text: fits(text) is not None


def part(word: Word) -> TextTest:
    """Return a test of whether a lower-case text has this word in it, or fits it whole as a pattern."""
    if is_pattern(word):
        return whole(word)
    wanted = word.text.lower()
    return lambda text: wanted in text


def any_of(tests: list[TextTest]) -> TextTest:
    if len(tests) == 1:
        return tests[0]
    return lambda text: any(test(text) for test in tests)
