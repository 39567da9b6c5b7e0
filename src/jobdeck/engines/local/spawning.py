"""Starting each job in a new interpreter, where forking a warm one is not sound."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import time
from collections.abc import Sequence
from pathlib import Path

from ..launch import boot_command
from ..marks import JOB_VARIABLE
from .children import Children
from .events import event_of
from .launcher import Event, Parcel, Startup


class SpawnLauncher:
    """See `Launcher`. The jobs are children of this process; there can be one such launcher in it.

    Parameters
    ----------
    home, agent
        The store's home, and the agent's id.
    """

    def __init__(self, home: Path, agent: str) -> None:
        self._home = home
        self._agent = agent
        self._children = Children()
        self._wake, self._woken = os.pipe()
        for fd in (self._wake, self._woken):
            os.set_blocking(fd, False)
        self._old_handler = signal.signal(signal.SIGCHLD, _ignore)
        self._old_wakeup = signal.set_wakeup_fd(self._woken, warn_on_full_buffer=False)

    @property
    def restless(self) -> bool:
        return bool(self._children.leaving)

    def filenos(self) -> list[int]:
        return [self._wake, self._children.fileno()]

    def start(self, parcel: Parcel, startup: Startup, path: Sequence[str]) -> None:
        job_id = parcel.job_id
        notice = self._children.notice_fd
        arguments = ("child", "--home", str(self._home), "--job", job_id, "--notice", str(notice))
        started = time.time()
        process = subprocess.Popen(
            boot_command(startup.interpreter, *arguments, "--parent", str(os.getpid()), path=path),
            stdin=subprocess.DEVNULL,
            pass_fds=(notice,),
            env={**startup.full_environment(self._agent), JOB_VARIABLE: job_id},
            cwd=self._home,
            start_new_session=True,
        )
        self._children.add(job_id, process.pid, started)
        process.returncode = 0  # `_children` buries it; Popen is neither to wait for it nor to warn.

    def signal(self, job_id: str, number: int) -> None:
        self._children.signal(job_id, number)

    def events(self) -> list[Event]:
        with contextlib.suppress(BlockingIOError):
            os.read(self._wake, 4096)
        children = self._children
        return [event_of(word) for word in (*children.noticed(), *children.reap(), *children.early_news())]

    def close(self) -> None:
        self._children.kill_everything()
        signal.set_wakeup_fd(self._old_wakeup)
        signal.signal(signal.SIGCHLD, self._old_handler)
        self._children.close()
        os.close(self._wake)
        os.close(self._woken)


def _ignore(_number: int, _frame: object) -> None:
    """Wake the agent: a handler must exist for the wakeup descriptor to be written to."""
