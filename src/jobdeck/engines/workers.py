"""How many jobs an engine runs at a time."""

from __future__ import annotations

import os


def max_workers(kept: str | None) -> int:
    """Return what the home's setting says, else ``JOBDECK_MAX_WORKERS``, else the number of cores."""
    return max(1, int(first_number(kept, os.environ.get("JOBDECK_MAX_WORKERS"), os.cpu_count() or 1)))


def first_number(stored: str | None, variable: str | None, default: float) -> float:
    """Return the first of the three that is a positive number."""
    for text in (stored, variable):
        try:
            if text is not None and float(text) > 0:
                return float(text)
        except ValueError:
            continue
    return default
