"""An agent's lock: a file lock that its living process holds, so that it is free the moment the process dies.

Nothing that the file says counts unless the lock is held. The lock is tied to the open file, not to a process id, so
that a reused process id can never look like a living agent.
"""

from __future__ import annotations

import errno
import json
import os
import socket
import sys
import time
from dataclasses import dataclass
from pathlib import Path

from .._errors import EngineError

if sys.platform != "win32":
    import fcntl

_PATIENCE = 5.0
_BUSY = (errno.EWOULDBLOCK, errno.EAGAIN, errno.EACCES)


@dataclass(frozen=True)
class Holder:
    """Who holds an agent's lock. `agent` is None for the instant in which it has not yet said so."""

    agent: str | None
    pid: int | None = None
    host: str | None = None


class AgentLock:
    """The lock of one engine's agent in one home. Taking it is the agent's part, probing is everybody's."""

    def __init__(self, home: Path, engine: str) -> None:
        if sys.platform == "win32":
            raise EngineError("jobdeck's agents need Linux, macOS or another POSIX system; use another engine here")
        self.path = Path(home) / "agents" / f"{engine}.lock"
        self._fd: int | None = None
        self._identity = (0, 0)

    @property
    def held(self) -> bool:
        """Whether this object holds the lock."""
        return self._fd is not None

    def take(self, agent: str) -> bool:
        """Take the lock for `agent`; False where another agent has it.

        A probe shares the lock for some microseconds. A shared lock that can be had therefore means that nothing but
        probes stand in the way, and the exclusive one is tried again; only another agent ends the attempt.
        """
        if self._fd is not None:
            return True
        try:
            self.path.parent.mkdir(mode=0o700, exist_ok=True)
            fd = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise EngineError(f"the agent's lock {self.path} cannot be opened: {error.strerror}") from error
        deadline = time.monotonic() + _PATIENCE
        while not _flock(fd, fcntl.LOCK_EX):
            if not _flock(fd, fcntl.LOCK_SH):
                os.close(fd)
                return False
            fcntl.flock(fd, fcntl.LOCK_UN)
            if time.monotonic() > deadline:
                os.close(fd)
                raise EngineError(f"something other than an agent holds a lock on {self.path}")
            time.sleep(0.001)
        said = json.dumps({"agent": agent, "pid": os.getpid(), "host": socket.gethostname()}).encode()
        os.ftruncate(fd, 0)
        os.pwrite(fd, said, 0)
        here = os.fstat(fd)
        self._fd, self._identity = fd, (here.st_dev, here.st_ino)
        return True

    def release(self) -> None:
        """Free the lock; harmless where it is not held."""
        if self._fd is not None:
            fcntl.flock(self._fd, fcntl.LOCK_UN)
            self.forget()

    def forget(self) -> None:
        """Close this process's copy after a fork, which leaves the lock with the process that took it."""
        if self._fd is not None:
            os.close(self._fd)
            self._fd = None

    def in_place(self) -> bool:
        """Whether the lock that is held is still the one that others find at its path."""
        if self._fd is None:
            return False
        try:
            there = os.stat(self.path)
        except OSError:
            return False
        return (there.st_dev, there.st_ino) == self._identity

    def is_taken(self) -> bool:
        """Whether anybody holds the lock. Takes nothing; costs some microseconds."""
        return self._probe() is not None

    def holder(self) -> Holder | None:
        """Who holds the lock, None if nobody does. Takes nothing; costs some ten microseconds."""
        said = self._probe()
        if said is None:
            return None
        try:
            content = json.loads(said)
            return Holder(str(content["agent"]), int(content["pid"]), str(content["host"]))
        except (ValueError, KeyError, TypeError):
            return Holder(None)

    def _probe(self) -> bytes | None:
        """What the holder says of itself, None if there is no holder."""
        try:
            fd = os.open(self.path, os.O_RDWR | os.O_CLOEXEC)
        except FileNotFoundError:
            return None
        except OSError as error:
            raise EngineError(f"the agent's lock {self.path} cannot be read: {error.strerror}") from error
        try:
            if _flock(fd, fcntl.LOCK_SH):
                # Not left to close(): a fork in another thread may have copied the descriptor, and the lock with it.
                fcntl.flock(fd, fcntl.LOCK_UN)
                return None
            return os.pread(fd, 4096, 0)
        finally:
            os.close(fd)


class WatchLock(AgentLock):
    """The lock of a process that watches jobs of others. No other one ever has its name: its file goes with it."""

    def release(self) -> None:
        """Free the lock and remove its file; harmless where it is not held."""
        if self.held:
            self.path.unlink(missing_ok=True)
        super().release()


def _flock(fd: int, kind: int) -> bool:
    try:
        fcntl.flock(fd, kind | fcntl.LOCK_NB)
    except OSError as error:
        if error.errno in _BUSY:
            return False
        raise EngineError(f"file locks do not work where the agent's lock lies: {error.strerror}") from error
    return True
