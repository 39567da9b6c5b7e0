"""What SQLite's and the file system's errors mean, in words on what to do."""

from __future__ import annotations

import sqlite3
from pathlib import Path

from .._errors import StoreError

_DAMAGE = ("image is malformed", "malformed database schema", "not a database", "unsupported file format")


def is_damage(error: sqlite3.Error) -> bool:
    """Tell whether the error says that the file's content is broken."""
    return isinstance(error, sqlite3.DatabaseError) and any(words in str(error) for words in _DAMAGE)


def in_words(error: sqlite3.Error | OSError, home: Path) -> StoreError:
    """Return the error to raise in the place of this one."""
    said = error.strerror or str(error) if isinstance(error, OSError) else str(error)
    is_full = "full" in said or "No space" in said
    is_used_up = "quota" in said.lower()
    if is_full:
        advice = "its disk is full. Nothing was half-written; free some room (`jobdeck prune` may help) and try again"
    elif is_used_up:
        advice = "your quota on its disk is used up. Free some room (`jobdeck prune` may help) and try again"
    elif "File too large" in said:
        advice = "a file would grow past the size limit of this process (ulimit -f). Raise the limit and try again"
    elif "locked" in said or "busy" in said:
        advice = "another process kept it locked for too long. Try again; `jobdeck doctor` tells who uses it"
    elif "readonly" in said or "read-only" in said.lower() or "Permission" in said:
        advice = "it is read-only. Make it writable for you, or use another home with JOBDECK_HOME or Deck(home=...)"
    elif "I/O error" in said or "Input/output error" in said:
        advice = "its disk fails or is full. Nothing was half-written; look at the disk and try again"
    elif "unable to open" in said:
        advice = "its file cannot be opened. See that the directory exists and is yours, then try again"
    else:
        advice = "SQLite cannot work with it; `jobdeck doctor` tells more"
    told = StoreError(f"the store in {home} could not be used ({said}): {advice}")
    told.lacks_room = is_full or is_used_up
    return told
