"""The processes of running jobs, as their parent sees, signals and buries them."""

from __future__ import annotations

import functools
import os
import signal
import socket
import sys
import time
from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from .inherited import LIMIT, PID, SHORT, job_of

if TYPE_CHECKING:
    import resource

    import psutil

_BURIAL = 1.0
"""Seconds that an ended job is held back while something that it left behind is being killed."""
_LEAVING_TICK = 0.003
_LATE = 0.02
"""Seconds for which nothing is told of a new process or an outcome: as a rule the end of the job follows at once."""
_HANDS_OVER = SHORT + 1.0
"""Seconds after its start for which a process may hand over an outcome."""
_MEMORY_UNIT = 1 if sys.platform == "darwin" else 1024
_PR_SET_PDEATHSIG = 1
_PR_SET_NAME = 15
_PR_SET_CHILD_SUBREAPER = 36


class Started(NamedTuple):
    """A job has a process, since the time `started`."""

    job_id: str
    pid: int
    started: float


class Handed(NamedTuple):
    """A job handed over what its program left, and its process does not end yet."""

    job_id: str
    outcome: bytes


class Ended(NamedTuple):
    """A job's process is gone, and what it left behind with it."""

    job_id: str
    pid: int | None
    """None where the job was stopped before it had one."""
    started: float
    code: int | None
    signal: int | None
    peak_memory: int
    cpu_time: float
    outcome: bytes | None
    """What it handed over, see `inherited`."""


@dataclass
class _Child:
    job_id: str
    pid: int
    started: float
    begun: float
    outsiders: dict[int, psutil.Process] | None = None
    """Processes of the job outside its group, kept from the first signal on; None before it."""
    strangers: set[int] = field(default_factory=set)
    status: int = 0
    usage: resource.struct_rusage | None = None
    deadline: float = 0.0
    outcome: bytes | None = None
    handed: float = 0.0

    def end(self) -> Ended:
        """Return what is to be told of its end, once it is reaped."""
        assert self.usage is not None
        return Ended(
            self.job_id,
            self.pid,
            self.started,
            os.WEXITSTATUS(self.status) if os.WIFEXITED(self.status) else None,
            os.WTERMSIG(self.status) if os.WIFSIGNALED(self.status) else None,
            self.usage.ru_maxrss * _MEMORY_UNIT,
            self.usage.ru_utime + self.usage.ru_stime,
            self.outcome,
        )


class Children:
    """A registry of job processes that are children of this process.

    Where the system allows it (Linux), orphans among the jobs' descendants come back to this process, so that none is
    lost sight of, whatever sessions and groups it made for itself.
    """

    def __init__(self) -> None:
        self.adopts = become_subreaper()
        self._by_pid: dict[int, _Child] = {}
        self._by_job: dict[str, _Child] = {}
        self._leaving: list[_Child] = []
        self._notices, self.notice_fd = os.pipe()
        os.set_blocking(self._notices, False)
        self._outcomes, giver = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._outcomes.setblocking(False)
        self.handover_fd = giver.detach()
        self._untold: dict[int, _Child] = {}
        """Those of which nothing was told yet."""
        self._young: dict[int, _Child] = {}
        """Those that may still hand something over."""
        self._next_early = 0.0

    def __len__(self) -> int:
        return len(self._by_pid) + len(self._leaving)

    @property
    def restless(self) -> bool:
        """Whether :meth:`reap` should be called again soon, signal or no signal."""
        return bool(self._leaving)

    @property
    def tick(self) -> float | None:
        """Seconds after which to look again, whatever is readable by then; None if there is no need."""
        # Nobody is woken by what is handed over: it waits for the end of its job, or for the next look.
        if self._leaving:
            return _LEAVING_TICK
        return max(self._next_early - time.monotonic(), 0.001) if self._young else None

    def fileno(self) -> int:
        """Readable when a program has noticed its interrupt."""
        return self._notices

    @property
    def pids(self) -> Collection[int]:
        """The processes that run."""
        return self._by_pid.keys()

    def pid_of(self, job_id: str) -> int | None:
        """Return a job's process, None where it has none any more."""
        child = self._by_job.get(job_id)
        return None if child is None or child.usage is not None else child.pid

    def add(self, job_id: str, pid: int, started: float) -> None:
        """Look after a process, which was started at this time."""
        child = _Child(job_id, pid, started, time.monotonic())
        if not self._young:
            self._next_early = child.begun + _LATE
        self._by_pid[pid] = self._by_job[job_id] = self._untold[pid] = self._young[pid] = child

    def signal(self, job_id: str, number: int) -> None:
        """Signal a job: its process group and its descendants outside the group. Nothing happens if it is gone."""
        child = self._by_job.get(job_id)
        if child is None or child.usage is not None:
            return
        from .. import processes

        if child.outsiders is None:
            child.outsiders = {}
            child.strangers = {process.pid for process in self._adopted()} if self.adopts else set()
        for process in processes.outside_group(processes.descendants(child.pid), child.pid):
            child.outsiders[process.pid] = process
        try:
            os.killpg(child.pid, number)
        except ProcessLookupError:
            # It has not made its own group yet. It is not reaped, so that the pid is still its own.
            os.kill(child.pid, number)
        processes.send(child.outsiders.values(), number)

    def noticed(self) -> list[str]:
        """Jobs whose program has seen its interrupt since the last call."""
        try:
            data = os.read(self._notices, 4096)
        except BlockingIOError:
            return []
        jobs = []
        for (pid,) in PID.iter_unpack(data[: len(data) // PID.size * PID.size]):
            if pid in self._by_pid:
                jobs.append(self._by_pid[pid].job_id)
        return jobs

    def reap(self) -> list[Ended]:
        """Bury what has died. A job counts as ended when its process group is empty, too."""
        while (pid := _next_dead(self._by_pid)) is not None:
            child = self._by_pid.pop(pid, None)
            if child is not None:
                # While the leader is unreaped its group's number cannot be anybody else's.
                _reaches(pid, signal.SIGKILL)
            _, status, usage = os.wait4(pid, 0)
            if child is not None:
                child.status, child.usage = status, usage
                child.deadline = time.monotonic() + _BURIAL
                self._untold.pop(pid, None)
                self._young.pop(pid, None)
                self._leaving.append(child)
        if not self._leaving:
            return []
        # After the dead were counted: what they said before they died is here by now.
        self._take_outcomes()
        ended = []
        for child in list(self._leaving):
            if self._is_gone(child) or time.monotonic() > child.deadline:
                self._leaving.remove(child)
                del self._by_job[child.job_id]
                ended.append(child.end())
        return ended

    def early_news(self) -> list[Started | Handed]:
        """What is to be told of jobs whose processes take their time to end, each thing once; call it after `reap`."""
        now = time.monotonic()
        if not self._young or now < self._next_early:
            return []
        self._next_early = now + _LATE
        self._take_outcomes()
        news: list[Started | Handed] = []
        for child in list(self._young.values()):
            age = now - child.begun
            if age >= _LATE and self._untold.pop(child.pid, None) is not None:
                news.append(Started(child.job_id, child.pid, child.started))
            if child.outcome is not None:
                if now - child.handed >= _LATE:
                    news.append(Handed(child.job_id, child.outcome))
                    child.outcome = None
                    del self._young[child.pid]
            elif age > _HANDS_OVER:
                del self._young[child.pid]
        return news

    def _take_outcomes(self) -> None:
        while True:
            try:
                data = self._outcomes.recv(4 * LIMIT)
            except BlockingIOError:
                return
            child = self._by_job.get(job_of(data))
            if child is not None and child.outcome is None:
                child.outcome, child.handed = data, time.monotonic()

    def kill_everything(self) -> None:
        """Kill all jobs with all that is theirs, and wait for it."""
        for child in list(self._by_pid.values()):
            self.signal(child.job_id, signal.SIGKILL)
        while len(self):
            self.reap()
            time.sleep(0.002)

    def close(self) -> None:
        os.close(self._notices)
        os.close(self.notice_fd)
        self._outcomes.close()
        os.close(self.handover_fd)

    def _is_gone(self, child: _Child) -> bool:
        if child.outsiders is not None and self._kill_outsiders(child):
            return False
        return not _reaches(child.pid, 0)

    def _kill_outsiders(self, child: _Child) -> bool:
        """Kill what a stopped job has outside its group; False once there is nothing more."""
        from .. import processes

        assert child.outsiders is not None
        if self.adopts:
            for orphan in self._adopted():
                if orphan.pid not in child.strangers:
                    child.outsiders[orphan.pid] = orphan
                    child.outsiders.update((p.pid, p) for p in processes.descendants(orphan.pid))
        else:
            left = processes.left_of_job(child.job_id, "", None, None)
            child.outsiders.update((p.pid, p) for p in left)
        child.outsiders = {p.pid: p for p in processes.living(child.outsiders.values())}
        processes.send(child.outsiders.values(), signal.SIGKILL)
        return bool(child.outsiders)

    def _adopted(self) -> list[psutil.Process]:
        """Children of this process that it did not start: orphans of jobs."""
        from .. import processes

        return [child for child in processes.children(os.getpid(), self._by_pid) if not _is_zombie(child)]


def _reaches(group: int, number: int) -> bool:
    """Signal a process group; whether there is one, and it can be signalled."""
    try:
        os.killpg(group, number)
    except (ProcessLookupError, PermissionError):
        return False  # What changed its user is out of reach; nothing can be done about it from here.
    return True


def become_subreaper() -> bool:
    """Have orphaned descendants come to this process; True where the system can do that."""
    return _prctl(_PR_SET_CHILD_SUBREAPER, 1)


def die_with_parent(number: int) -> bool:
    """Have the system send this process a signal when its parent dies; True where the system can do that."""
    return _prctl(_PR_SET_PDEATHSIG, number)


def name_process(name: str) -> bool:
    """Give this process, and what it will fork, a name of at most fifteen bytes; True where the system can do that."""
    return _prctl(_PR_SET_NAME, name.encode())


def _prctl(option: int, value: int | bytes) -> bool:
    call = _prctl_of_libc()
    return call is not None and call(option, value, 0, 0, 0) == 0


@functools.cache
def _prctl_of_libc() -> Callable[..., int] | None:
    """The function itself; kept, since a job's process inherits it ready to be called."""
    if sys.platform != "linux":
        return None
    try:
        import ctypes

        found: Callable[..., int] = ctypes.CDLL(None).prctl
    except (ImportError, OSError, AttributeError):
        return None
    return found


def _is_zombie(process: psutil.Process) -> bool:
    import psutil

    try:
        return process.status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


def _next_dead(known: dict[int, _Child]) -> int | None:
    """The pid of a dead child, still unreaped where the system can leave it so."""
    if hasattr(os, "waitid"):
        try:
            dead = os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT)
        except ChildProcessError:
            return None
        return dead.si_pid if dead is not None else None
    import psutil

    return next((pid for pid in known if psutil.Process(pid).status() == psutil.STATUS_ZOMBIE), None)
