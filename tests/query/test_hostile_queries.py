"""Queries that nobody types on purpose: each is answered or refused, and neither takes long."""

from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jobdeck import QueryError
from jobdeck._query import parse
from jobdeck._query.conditions import LONGEST_PATTERN
from jobdeck._query.fields import FIELDS
from jobdeck._query.parser import DEEPEST
from jobdeck._query.scanner import MOST_CHARACTERS, MOST_WORDS

from .rows import FIXTURES, JOBS, NOW

PIECES = [
    *("status", "tag", "name", "id", "input.r", "value.x", "energy", "started", "took", "memory", "progress", "error"),
    *(":", "<", "<=", ">", ">=", "=", "!=", "==", "!", "(", ")", "-", ",", '"', "'", "\\", "*", "?", " ", " ", " "),
    *("OR", "NOT", "AND", "running", "failed", "bell", "1h", "<1x", "today", "2025-11-20", "1e5", "-1.1", "5m", "1GB"),
    *("\ud800", "\x00", "\u202e", "\u3000", "é", "日", "𝔸", "\n"),
]
QUERIES = st.one_of(st.lists(st.sampled_from(PIECES), max_size=30).map("".join), st.text(max_size=60))


@settings(max_examples=500, deadline=None)
@given(QUERIES)
def test_any_text_is_a_query_or_an_error_that_points_into_it(text: str):
    error: QueryError | None = None
    try:
        query = parse(text)
    except QueryError as refusal:
        error = refusal
    if error is None:
        for record, facts in JOBS.values():
            assert query.matches(record, facts, NOW) in (True, False)
    else:
        assert 0 <= error.start < error.end <= len(text)
        assert error.message
        assert "\n" not in error.message
        assert str(error).encode()


@settings(max_examples=300, deadline=None)
@given(QUERIES, QUERIES)
def test_words_between_queries_mean_what_they_say(one: str, other: str):
    try:
        first, second = parse(one), parse(other)
        both, either, neither = parse(f"({one}) ({other})"), parse(f"({one}) OR ({other})"), parse(f"-({one})")
    except QueryError:
        return
    for record, facts in JOBS.values():
        a, b = first.matches(record, facts, NOW), second.matches(record, facts, NOW)
        assert both.matches(record, facts, NOW) is (a and b)
        assert either.matches(record, facts, NOW) is (a or b)
        assert neither.matches(record, facts, NOW) is not a


@settings(max_examples=300, deadline=None)
@given(st.text(min_size=1, max_size=20))
def test_quotes_make_any_text_a_text(text: str):
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    record, facts = JOBS["a"]
    named = type(record)(**{**vars(record), "name": f"before {text} after"})
    assert parse(f'name:"{escaped}"').matches(named, facts, NOW)
    assert parse(f'"{escaped}"').matches(named, facts, NOW)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("x" * (MOST_CHARACTERS + 1), "at most 10000 characters"),
        ("a " * (MOST_WORDS + 1), "at most 500 words"),
        ("status:" + "done," * MOST_WORDS + "done", "at most 500 words"),
        ("(" * (DEEPEST + 1) + "a" + ")" * (DEEPEST + 1), "at most 50 deep"),
        ("-(" * 4_000, "at most 50 deep"),
        ("(" * 5_000, "at most 50 deep"),
        (")" * 5_000, "never opened"),
        ("name:" + "*a" * LONGEST_PATTERN, "at most 256 characters"),
        ('"' * 9_999, "nothing between these quotes"),
        ("\\" * 9_998 + ' "', "never closed"),
        ("OR " * 3_000, "before it"),
        ("a OR " * 400, "after it"),
        ("<" * 9_000, "there is no"),
        ("n" * 9_000 + ":x", "there is no field"),
        ("energy<" + "1" * 9_000, "is not a number"),
        ("started:<" + "1h" * 4_000, "is no time"),
    ],
    ids=lambda value: value[:20],
)
def test_what_is_too_much_is_refused_in_words(text: str, words: str):
    with pytest.raises(QueryError, match=words) as caught:
        parse(text)
    assert len(str(caught.value)) < 600
    assert 0 <= caught.value.start < caught.value.end <= len(text)


@pytest.mark.parametrize(
    "text",
    [
        "x" * MOST_CHARACTERS,
        "-" * 9_999 + "a",
        "NOT " * 2_000 + "a",
        " ".join(["a"] * MOST_WORDS),
        " OR ".join(["a"] * MOST_WORDS),
        "(" * DEEPEST + "a" + ")" * DEEPEST,
        "name:" + "*a" * (LONGEST_PATTERN // 2),
        "name:" + "a?" * (LONGEST_PATTERN // 2 - 1) + "*",
        "name:*" + "a?" * (LONGEST_PATTERN // 2 - 2) + "b*",
    ],
    ids=lambda value: value[:20],
)
def test_what_is_within_the_bounds_is_answered(text: str):
    record, facts = JOBS["a"]
    query = parse(text)
    assert query.matches(type(record)(**{**vars(record), "name": "a" * 10_000}), facts, NOW) in (True, False)


def test_a_pattern_of_many_stars_takes_no_time_that_grows_with_their_number():
    """A matcher that tries all ways to share a name among the stars would not come back."""
    record, facts = JOBS["a"]
    named = type(record)(**{**vars(record), "name": "a" * 10_000 + "b"})
    assert not parse("name:" + "*a" * 120 + "*c").matches(named, facts, NOW)
    assert parse("name:" + "*a" * 120 + "*b").matches(named, facts, NOW)


def test_every_field_is_in_what_both_languages_are_tested_with():
    texts = " ".join(text.lower() for text, _ in FIXTURES["matches"])
    assert {name for name in FIELDS if not re.search(rf"\b{name} ?[:<>=!]", texts)} == set()
