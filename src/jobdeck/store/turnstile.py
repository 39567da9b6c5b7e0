"""The lock through which everybody passes who opens the store.

Opening shares it; making, migrating and setting aside a store takes it alone, so that nobody meets a set of files that
is half moved.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from .._errors import StoreError

if sys.platform != "win32":
    import fcntl


@contextmanager
def turnstile(home: Path, *, exclusive: bool) -> Iterator[None]:
    """Hold the lock of the store in `home`; waits for those who hold it."""
    if sys.platform == "win32":
        raise StoreError("jobdeck's store needs Linux, macOS or another POSIX system")
    path = home / "store.lock"
    fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        try:
            fcntl.flock(fd, fcntl.LOCK_EX if exclusive else fcntl.LOCK_SH)
        except OSError as error:
            raise StoreError(f"file locks do not work in {home} ({error.strerror}); use a home on another disk") from error
        yield
    finally:
        os.close(fd)
