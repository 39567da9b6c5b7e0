"""Settings of a store: names and texts."""

from __future__ import annotations

from .connection import Link


def get(link: Link, name: str) -> str | None:
    row = link.execute("SELECT value FROM settings WHERE name = ?", (name,)).fetchone()
    return None if row is None else str(row[0])


def put(link: Link, name: str, value: str | None) -> None:
    """Set a setting; None removes it."""
    if value is None:
        link.execute("DELETE FROM settings WHERE name = ?", (name,))
    else:
        link.execute("INSERT OR REPLACE INTO settings VALUES (?, ?)", (name, value))
