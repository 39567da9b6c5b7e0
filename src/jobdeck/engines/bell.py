"""A named pipe that wakes whoever waits at once. Nothing depends on it: who misses a ring looks by himself."""

from __future__ import annotations

import contextlib
import functools
import os
from collections.abc import Callable
from pathlib import Path
from typing import Final

NEWS: Final = "news"
"""The bell of whoever wants to know at once what jobs of the local engine say."""
ENDS: Final = "ends"
"""The bell of whoever wants to know at once that jobs of the local engine have ended."""


@functools.lru_cache(maxsize=64)
def _path(home: Path, engine: str) -> str:
    return os.path.join(home, "agents", f"{engine}.bell")


def ring(home: Path, engine: str) -> None:
    """Wake the engine's agent, if there is one that can hear."""
    # Opening fails where nobody listens; a full pipe means that the agent has been rung for already.
    with contextlib.suppress(OSError):
        fd = os.open(_path(home, engine), os.O_WRONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        try:
            os.write(fd, b"!")
        finally:
            os.close(fd)


def ringing(home: Path, engine: str) -> Callable[[], None] | None:
    """Return what rings, for who is to do it often; None where there is no bell."""
    return functools.partial(ring, home, engine) if os.path.exists(_path(home, engine)) else None


class Bell:
    """The agent's end. `fileno` is None on file systems without named pipes."""

    def __init__(self, home: Path, engine: str) -> None:
        self._fd: int | None = None
        with contextlib.suppress(OSError):
            path = Path(_path(home, engine))
            if not path.is_fifo():
                path.unlink(missing_ok=True)
                os.mkfifo(path, 0o600)
            # Open for writing as well, so that it never reads as closed.
            self._fd = os.open(path, os.O_RDWR | os.O_NONBLOCK | os.O_CLOEXEC)

    def fileno(self) -> int | None:
        return self._fd

    def silence(self) -> None:
        """Take note of all rings so far."""
        if self._fd is not None:
            with contextlib.suppress(BlockingIOError):
                while len(os.read(self._fd, 4096)) == 4096:
                    pass

    def close(self) -> None:
        if self._fd is not None:
            os.close(self._fd)
            self._fd = None
