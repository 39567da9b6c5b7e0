"""Completion of queries; js/tests/query.test.ts reads the same fixtures."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jobdeck._query import Vocabulary, complete, parse

from .rows import FIXTURES, JOBS
from .test_hostile_queries import QUERIES

WORDS = Vocabulary(**{key: tuple(texts) for key, texts in FIXTURES["vocabulary"].items()})


def unmarked(marked: str) -> tuple[str, int]:
    before, _, after = marked.partition("|")
    return before + after, len(before)


@pytest.mark.parametrize(("marked", "start", "end", "options"), FIXTURES["completions"], ids=ascii)
def test_what_may_stand_there_is_offered(marked: str, start: int, end: int, options: list[str]):
    found = complete(*unmarked(marked), WORDS)
    assert (found.start, found.end, [option.text for option in found.options]) == (start, end, options)


def test_what_is_offered_can_be_read():
    for marked, *_ in FIXTURES["completions"]:
        text, cursor = unmarked(marked)
        found = complete(text, cursor, WORDS)
        for option in found.options:
            if not option.text.endswith((":", "<")):
                parse(text[: found.start] + option.text + text[found.end :] + (")" if "(" in text else ""))


@settings(max_examples=300, deadline=None)
@given(QUERIES, st.data())
def test_any_text_can_be_completed(text: str, data: st.DataObject):
    cursor = data.draw(st.integers(0, len(text)))
    found = complete(text, cursor, WORDS)
    assert 0 <= found.start <= cursor <= found.end <= len(text)


def test_the_words_are_those_of_the_jobs():
    words = Vocabulary.of(record for record, _ in JOBS.values())
    assert words.tags[:3] == ("h2", "sweep", "Sweep")
    assert words.backends == ("fake_manila", "IBM_Torino")
    assert "HELD" in words.statuses
