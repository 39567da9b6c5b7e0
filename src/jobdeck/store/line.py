"""Who writes next: an order in front of SQLite's own lock.

SQLite lets those who wait for its lock look again after a while, up to a tenth of a second, and whoever comes along
meanwhile overtakes them. Among two hundred jobs that publish, the one row that asks for a cancel would wait for many
seconds. So jobs' processes stand in line: one of them at a time goes to SQLite, the others sleep in the kernel, and are
woken in the order in which they came. All others have the right of way: while one of them writes, whose turn
it is in the line waits; and they wait for one message at most. Among themselves they hand on a pen, and look for it
five times in a millisecond: nobody who submits a hundred jobs keeps the agent from its turn.

Nothing but the order depends on this. What is written is protected by SQLite's lock alone, so that a process that knows
nothing of the line does no harm, and one that cannot have these locks goes without them. The locks belong to
open files: the kernel frees those of a process that dies, at whatever moment.
"""

from __future__ import annotations

import errno
import os
import sys
import time
from pathlib import Path
from typing import Final

if sys.platform != "win32":
    import fcntl

    _ALONE: Final = fcntl.LOCK_EX | fcntl.LOCK_NB
    _TOGETHER: Final = fcntl.LOCK_SH | fcntl.LOCK_NB

LINE: Final = "line.lock"
WAY: Final = "way.lock"
PEN: Final = "pen.lock"
_FLAGS: Final = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC
_BUSY: Final = (errno.EWOULDBLOCK, errno.EAGAIN, errno.EACCES)
_TRIES: Final = 25
_PAUSE: Final = 0.0002
"""Seconds between two looks at the right of way."""
_LONGEST_PAUSE: Final = 0.002
_PATIENCE: Final = 2.0
"""Seconds for which the head of the line waits for those with the right of way."""


class Place:
    """One thread's place in front of a store. Only the holder of its link uses it.

    Parameters
    ----------
    home
        The store's home; None where the locks of its file system are slow, which is to do without.
    """

    def __init__(self, home: Path | None) -> None:
        self._home = home
        self._line: int | None = None
        self._way: int | None = None
        self._pen: int | None = None
        self._held: tuple[int | None, ...] = ()
        self._depth = 0

    def queue(self) -> float:
        """Wait for this thread's turn in the line; return the seconds that it took. `leave` has to follow."""
        self._depth += 1
        if self._depth > 1 or not self._is_open():
            # A signal's handler in the middle of another call of this thread has that one's place.
            return 0.0
        self._held = (self._line,)
        if _is_taken(self._line, _ALONE) and self._is_way_free():
            return 0.0
        began = time.monotonic()
        _is_taken(self._line, fcntl.LOCK_EX)
        pause = _PAUSE
        while not self._is_way_free() and time.monotonic() - began < _PATIENCE:
            time.sleep(pause)
            pause = min(2 * pause, _LONGEST_PAUSE)
        return time.monotonic() - began

    def overtake(self) -> None:
        """Take the right of way. `leave` has to follow.

        This never waits for long: a process that was stopped, by a debugger say, is not to stop all others.
        """
        self._depth += 1
        if self._depth > 1 or not self._is_open():
            return
        self._held = self._pen, self._way
        # Of the way, somebody may just look whether it is free. Of the pen, whoever has it writes: SQLite would sleep
        # for 1, 2, 5 and 10 ms before it looks again, in which a kernel that submits is in and out many times.
        for held, kind in ((self._way, _TOGETHER), (self._pen, _ALONE)):
            for _ in range(_TRIES):
                if _is_taken(held, kind):
                    break
                time.sleep(_PAUSE)

    def leave(self) -> None:
        """Let the next one in."""
        self._depth = max(self._depth - 1, 0)
        if self._depth == 0:
            held, self._held = self._held, ()
            for each in held:
                _free(each)

    def close(self) -> None:
        """Let go of the files; the next call opens them again."""
        fds = self._line, self._way, self._pen
        self._line = self._way = self._pen = None
        self._held = ()
        for fd in fds:
            if fd is not None:
                os.close(fd)

    def _is_way_free(self) -> bool:
        # Taken for a moment, as it cannot be while somebody has the right of way.
        try:
            return _is_taken(self._way, _ALONE)
        finally:
            _free(self._way)

    def _is_open(self) -> bool:
        if self._line is not None:
            return True
        if self._home is None or sys.platform == "win32":
            return False
        try:
            self._way = os.open(self._home / WAY, _FLAGS, 0o600)
            self._pen = os.open(self._home / PEN, _FLAGS, 0o600)
            self._line = os.open(self._home / LINE, _FLAGS, 0o600)
        except OSError:
            # No room or no descriptor is left. What comes of it is told by SQLite, which needs more than this.
            self.close()
        return self._line is not None


def _is_taken(fd: int | None, kind: int) -> bool:
    try:
        if fd is not None:
            fcntl.flock(fd, kind)
    except OSError as error:
        # Whatever else it is: the order is lost, and the store works.
        return error.errno not in _BUSY
    return True


def _free(fd: int | None) -> None:
    if fd is not None:
        _is_taken(fd, fcntl.LOCK_UN)
