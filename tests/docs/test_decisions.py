"""The decision records are numbered without gaps, and their index has them all."""

from __future__ import annotations

from .conftest import ROOT, read

RECORDS = sorted(path.name for path in (ROOT / "docs" / "decisions").glob("[0-9]*.md"))


def test_records_are_numbered_one_after_the_other():
    assert [name[:4] for name in RECORDS] == [f"{number:04}" for number in range(1, len(RECORDS) + 1)]


def test_every_record_is_in_the_index():
    index = read("docs/decisions/README.md").text
    assert [name for name in RECORDS if f"({name})" not in index] == []
