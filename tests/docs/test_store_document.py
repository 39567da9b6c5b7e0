"""docs/store.md describes the schema that there is."""

from __future__ import annotations

import re
import sqlite3

from jobdeck.store import open_store

from .conftest import read


def test_every_table_of_the_store_is_described_and_no_other(tmp_path):
    open_store(tmp_path / "home").close()
    connection = sqlite3.connect(tmp_path / "home" / "jobdeck.db")
    found = connection.execute("SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'")
    tables = {name for (name,) in found}
    connection.close()
    described = read("docs/store.md").text.partition("## What is in it")[2].partition("\n\n**")[0]
    assert set(re.findall(r"^\| `(\w+)` \|", described, re.MULTILINE)) == tables
