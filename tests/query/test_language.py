"""The query language; js/tests/query.test.ts reads the same fixtures."""

from __future__ import annotations

import pickle
import time
from collections.abc import Iterator

import pytest

from jobdeck import InvalidInputError, QueryError
from jobdeck._query import parse

from .rows import FIXTURES, JOBS, NOW


@pytest.fixture(autouse=True)
def zone(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The local time of the fixtures."""
    with monkeypatch.context() as patch:
        patch.setenv("TZ", FIXTURES["zone"])
        time.tzset()
        yield
    time.tzset()


def found(text: str, now: float = NOW) -> str:
    """Return the letters of the jobs that a query finds."""
    query = parse(text)
    return "".join(letter for letter, (record, facts) in JOBS.items() if query.matches(record, facts, now))


@pytest.mark.parametrize(("text", "letters"), FIXTURES["matches"], ids=ascii)
def test_a_query_finds_the_jobs_that_it_means(text: str, letters: str):
    assert found(text) == letters


@pytest.mark.parametrize(("text", "start", "end", "message"), FIXTURES["errors"], ids=lambda value: ascii(value)[:40])
def test_an_error_points_at_the_bad_word(text: str, start: int, end: int, message: str):
    with pytest.raises(QueryError) as caught:
        parse(text)
    assert (caught.value.start, caught.value.end, caught.value.message) == (start, end, message)
    assert caught.value.text == text


def test_an_error_shows_the_word_in_a_terminal():
    with pytest.raises(QueryError) as caught:
        parse("tag:a nmae:x running")
    assert str(caught.value).splitlines() == [
        'there is no field "nmae"; did you mean name?',
        "  tag:a nmae:x running",
        "        ^^^^",
    ]
    assert isinstance(caught.value, InvalidInputError)
    again = pickle.loads(pickle.dumps(caught.value))
    assert (str(again), again.start, again.end) == (str(caught.value), 6, 10)


def test_an_error_has_no_places_in_the_parser():
    with pytest.raises(QueryError) as caught:
        parse("(a OR (b status:))")
    assert [frame.name for frame in caught.traceback][1:] == ["parse"]


def test_the_caret_stands_under_words_of_any_width():
    with pytest.raises(QueryError) as caught:
        parse("日本 \x1b[1m nmae:x" + " y" * 100)
    _, line, caret = str(caught.value).splitlines()
    assert line.startswith("  日本 \\x1b[1m nmae:x y")
    assert line.endswith("…")
    assert caret == " " * (2 + 4 + 1 + 7 + 1) + "^^^^"


def test_today_begins_at_midnight_by_the_local_clock():
    letters = found("created:today")
    assert "j" in letters
    assert found("created:today", NOW + 86_400) == ""
    assert found("created:yesterday", NOW + 86_400) == letters


def test_a_day_on_which_the_clocks_change_has_an_hour_more_or_less():
    job, facts = JOBS["j"]
    begin = time.mktime((2025, 3, 30, 0, 0, 0, 0, 0, -1))
    for offset, is_that_day in ((-1, False), (0, True), (23 * 3600 - 1, True), (23 * 3600, False)):
        moved = type(job)(**{**vars(job), "created": begin + offset})
        assert parse("created:2025-03-30").matches(moved, facts, NOW) is is_that_day


def test_a_query_tells_whether_time_changes_its_answer():
    for text in ("started:<1h", "created:today", "took:>5m", "bell OR -started:>1d"):
        assert parse(text).depends_on_time, text
    for text in ("", "running", "started:2025-11-20", "started:*", "energy<3", "cpu:>1h"):
        assert not parse(text).depends_on_time, text


def test_a_query_without_a_term_is_empty():
    assert parse(" \u3000\n").is_empty
    assert not parse("a").is_empty
