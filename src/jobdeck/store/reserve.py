"""Room that is kept for when the disk is full: to stop what fills it, for a wish to stop a job is a row as well."""

from __future__ import annotations

import contextlib
import os
import shutil
from pathlib import Path
from typing import Final

NAME: Final = "reserve"
SIZE: Final = 1 << 20
"""Bytes: a cancel and the end of the job that it is for take less than a tenth of it."""
_PLENTY: Final = 200 * SIZE
"""Free bytes without which none is taken away."""


def keep(home: Path) -> None:
    """Set room aside where there is plenty, and none is set aside yet."""
    place = home / NAME
    with contextlib.suppress(OSError):  # it is there, or this is no moment for it
        if shutil.disk_usage(home).free < _PLENTY:
            return
        # No zeros, which some file systems keep no room for.
        with os.fdopen(os.open(place, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(os.urandom(SIZE))


def give(home: Path) -> bool:
    """Give that room back; False where there is none."""
    try:
        (home / NAME).unlink()
    except OSError:
        return False
    return True
