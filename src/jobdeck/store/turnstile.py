"""File locks around the opening of a store.

Opening shares the turnstile; making, migrating and setting aside a store takes it alone, so that nobody meets a set of
files that is half moved. The presence tells whether anybody else has the store open.
"""

from __future__ import annotations

import errno
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from .._errors import StoreError
from . import faults

if sys.platform != "win32":
    import fcntl

_BUSY = (errno.EWOULDBLOCK, errno.EAGAIN, errno.EACCES)


@contextmanager
def turnstile(home: Path, *, exclusive: bool) -> Iterator[None]:
    """Hold the lock of the store in `home`; waits for those who hold it."""
    fd = _open(home / "store.lock")
    try:
        _lock(fd, home, fcntl.LOCK_EX if exclusive else fcntl.LOCK_SH)
        yield
    finally:
        os.close(fd)


class Presence:
    """Shows others that this process has the store open, for as long as it has."""

    def __init__(self, home: Path) -> None:
        self._home = home
        self._fd: int | None = None
        self._fd = _open(home / "presence.lock")

    def is_alone(self) -> bool:
        """Tell whether nobody else has the store open; others who ask have to wait until `show`."""
        return self._fd is not None and _lock(self._fd, self._home, fcntl.LOCK_EX | fcntl.LOCK_NB)

    def show(self) -> None:
        """Be seen from now on."""
        if self._fd is not None:
            _lock(self._fd, self._home, fcntl.LOCK_SH)

    def close(self) -> None:
        """Be gone; harmless to repeat."""
        if self._fd is not None:
            fd, self._fd = self._fd, None
            os.close(fd)

    def __del__(self) -> None:
        self.close()


def _open(path: Path) -> int:
    if sys.platform == "win32":
        raise StoreError("jobdeck's store needs Linux, macOS or another POSIX system")
    try:
        return os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise faults.in_words(error, path.parent) from error


def _lock(fd: int, home: Path, kind: int) -> bool:
    try:
        fcntl.flock(fd, kind)
    except OSError as error:
        if error.errno in _BUSY:
            return False
        raise StoreError(f"file locks do not work in {home} ({error.strerror}); use a home on another disk") from error
    return True
