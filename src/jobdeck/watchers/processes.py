"""Processes that were started with ``subprocess.Popen``."""

from __future__ import annotations

import contextlib
import functools
import os
import shlex
import signal
import stat
import subprocess
import sys
import threading
import time
from typing import IO, Any, Final

from .._program.preview import preview
from .._status import JobStatus
from .ports import Reading, Watched

_AT_ONCE: Final = 1 << 20
_APPENDS: Final = getattr(os, "O_APPEND", 0)


def adapt(obj: Any) -> Watched | None:
    """Watch a process. Its pipes are left to whoever made them; what it writes to a file is its log."""
    return WatchedProcess(obj) if isinstance(obj, subprocess.Popen) else None


class WatchedProcess(Watched):
    """A process, whose result is its exit code 0. Cancelling terminates it; asked once more, it is killed.

    Parameters
    ----------
    process
        The process.
    read_pipes : bool
        Whether its pipes are read, for the log. Then nobody else may read them, by ``communicate()`` or otherwise.
    """

    system = "process"
    pace = (0.05, 1.0)

    def __init__(self, process: subprocess.Popen[Any], *, read_pipes: bool = False) -> None:
        self._process = process
        self._is_asked = False
        self._reading = threading.Lock()
        self._times = _times(process)
        self.name = _name(process.args)
        self.source = {"id": str(process.pid)}
        pipes = [pipe for pipe in (process.stdout, process.stderr) if pipe is not None] if read_pipes else []
        self._pipes = [_unblocked(pipe) for pipe in pipes]
        self._files = _files_of(process)
        if self._pipes:
            self.pace = (0.05, 0.2)

    def read(self) -> Reading:
        code = self._process.poll()
        output = self._output()
        facts = {"id": self._process.pid}
        if code is None:
            return Reading(JobStatus.RUNNING, facts, output=output, times=self._times)
        if self._times:
            self._times.setdefault("ended", time.time())
        told = functools.partial(Reading, facts=facts, output=output, times=self._times)
        if code == 0:
            return told(JobStatus.DONE)
        facts["exit_code"] = code
        if self._is_asked:
            return told(JobStatus.CANCELLED)
        if code < 0:
            return told(JobStatus.ERROR, error=_signal_words(-code), error_kind="signal")
        return told(JobStatus.ERROR, error=f"ended with exit code {code}", error_kind="exit")

    def result(self) -> int:
        return int(self._process.returncode)

    def cancel(self) -> bool | None:
        if self._process.poll() is not None:
            return None
        # Before the signal, since the process may be gone and looked at before the next line.
        was_asked, self._is_asked = self._is_asked, True
        if was_asked:
            self._process.kill()
        else:
            self._process.terminate()
        return None

    def close(self) -> None:
        with self._reading:
            for file in self._files:
                os.close(file)
            self._files = []

    def _output(self) -> bytes:
        with self._reading:
            parts = [_read(file) for file in (*self._files, *self._pipes)]
        return b"".join(parts)


def _times(process: subprocess.Popen[Any]) -> dict[str, float]:
    """Return when a process that runs was started; of one that has ended, nobody can tell when it did."""
    if process.returncode is not None:
        return {}
    import psutil

    try:
        there = psutil.Process(process.pid)
        return {} if there.status() == psutil.STATUS_ZOMBIE else {"started": min(there.create_time(), time.time())}
    except psutil.Error:
        return {}


def _read(file: int) -> bytes:
    parts: list[bytes] = []
    while sum(map(len, parts)) < _AT_ONCE:
        try:
            part = os.read(file, 1 << 16)
        except OSError:  # nothing there now, or closed by whoever owns the pipe
            break
        if not part:
            break
        parts.append(part)
    return b"".join(parts)


def _unblocked(pipe: IO[Any]) -> int:
    os.set_blocking(pipe.fileno(), False)
    return pipe.fileno()


def _files_of(process: subprocess.Popen[Any]) -> list[int]:
    """Open the regular files that a process writes to, where the system tells them (Linux).

    Those that it has inherited are this process's, with what others write.
    """
    files: dict[tuple[int, int], int] = {}
    if sys.platform != "linux":
        return []
    own = {(there.st_dev, there.st_ino) for there in map(_status_of, (1, 2)) if there is not None}
    for number in (1, 2):
        path = f"/proc/{process.pid}/fd/{number}"
        with contextlib.suppress(OSError):  # it has ended, or is another user's
            there = os.stat(path)
            if not stat.S_ISREG(there.st_mode) or (there.st_dev, there.st_ino) in own | files.keys():
                continue
            file = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
            files[there.st_dev, there.st_ino] = file
            if _appends(process.pid, number):
                # What was in it before may be another one's.
                os.lseek(file, 0, os.SEEK_END)
    return list(files.values())


def _status_of(descriptor: int) -> os.stat_result | None:
    try:
        return os.fstat(descriptor)
    except OSError:  # it is closed
        return None


def _appends(pid: int, number: int) -> bool:
    with open(f"/proc/{pid}/fdinfo/{number}") as told:
        flags = next((line.split()[1] for line in told if line.startswith("flags:")), "0")
    return bool(int(flags, 8) & _APPENDS)


def _name(arguments: Any) -> str:
    if isinstance(arguments, str):
        return arguments
    if isinstance(arguments, (list, tuple)):
        words = (os.fsdecode(each) if isinstance(each, (str, bytes, os.PathLike)) else "?" for each in arguments)
        return shlex.join(words)
    return preview(arguments)


def _signal_words(number: int) -> str:
    try:
        return f"ended by signal {signal.Signals(number).name}"
    except ValueError:
        return f"ended by signal {number}"
