"""docs/queries.md describes the language that there is."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from jobdeck import QueryError
from jobdeck._query import parse
from jobdeck._query.fields import CANCEL_STATES, ERROR_KINDS, FIELDS, STATUS_WORDS
from jobdeck._query.parser import DEEPEST
from jobdeck._query.scanner import MOST_CHARACTERS, MOST_WORDS
from jobdeck._values import MOST_VALUES

TEXT = (Path(__file__).parents[2] / "docs" / "queries.md").read_text("utf-8")
ROWS = re.findall(r"^\| (`.+?) \| (.+?) \| (.+?) \|$", TEXT, re.MULTILINE)


def test_every_field_is_in_the_table_and_no_other():
    assert [name for names, _, _ in ROWS for name in re.findall(r"`(\w+)`", names)] == list(FIELDS)


def test_every_status_error_kind_and_state_is_named():
    described = {names: text for names, text, _ in ROWS}
    assert set(re.findall(r"`(\w+)`", described["`status`"])) == STATUS_WORDS.keys()
    assert tuple(re.findall(r"`(\w+)`", described["`error`"])) == ERROR_KINDS
    assert tuple(re.findall(r"`(\w+)`", described["`cancel`"])) == CANCEL_STATES


@pytest.mark.parametrize(
    "query",
    [
        *"".join(re.findall(r"^```query\n(.*?)^```", TEXT, re.DOTALL | re.MULTILINE)).splitlines(),
        *(query for _, _, examples in ROWS for query in re.findall(r"`(.+?)`", examples)),
    ],
)
def test_every_example_is_a_query(query: str):
    assert not parse(query).is_empty


def test_the_error_is_shown_as_it_is():
    with pytest.raises(QueryError) as caught:
        parse("tag:sweep nmae:vqe")
    assert f"```text\n{caught.value}\n```" in TEXT


def test_the_bounds_are_those_that_there_are():
    assert f"{MOST_CHARACTERS:,} characters, {MOST_WORDS} words, and parentheses {DEEPEST} deep" in TEXT
    assert f"at most {MOST_VALUES}" in TEXT
