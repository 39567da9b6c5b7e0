"""The command ``jobdeck``."""

from __future__ import annotations

from ._commands import main as main
