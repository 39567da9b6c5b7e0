"""The import path that this process was started with, for what jobdeck loads late.

A job's process has its program's import path, on which a file may be called like a module of the standard library. What
jobdeck itself needs is not to be looked for there.
"""

from __future__ import annotations

import sys

_own: list[str] | None = None


def keep() -> None:
    """Take note of the import path as it is now."""
    global _own  # noqa: PLW0603 - a process was started once
    _own = list(sys.path)


class OwnPath:
    """For as long as this is entered, modules are looked for on the path that was kept, if one was."""

    def __enter__(self) -> None:
        self._path = sys.path
        sys.path = self._path if _own is None else _own

    def __exit__(self, *_: object) -> None:
        sys.path = self._path
