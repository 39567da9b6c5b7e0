"""The line that people see, held to the fixtures that the browser's side is held to."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from jobdeck._codec import decode, display, series

BODIES = json.loads((Path(__file__).parent.parent / "wire" / "bodies.json").read_text("utf-8"))


@pytest.mark.parametrize("case", BODIES, ids=lambda case: case["name"])
def test_a_message_shows_as_the_fixtures_say(case):
    assert display(case["body"]) == case["display"]


@pytest.mark.parametrize("case", BODIES, ids=lambda case: case["name"])
def test_a_message_gives_the_series_that_the_fixtures_say(case):
    expected = decode(json.dumps(case["numbers"]), None if "type" not in case["name"] else json.JSONDecoder)
    found = series(case["body"])
    assert list(found) == list(expected)
    assert [str(float(number)) for number in found.values()] == [str(float(number)) for number in expected.values()]


def test_a_long_line_is_cut():
    assert display(json.dumps("x" * 100), 10) == "x" * 9 + "…"
    assert display(json.dumps("x" * 10), 10) == "x" * 10
