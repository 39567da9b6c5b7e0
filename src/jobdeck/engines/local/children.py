"""The processes of running jobs, as their parent sees, signals and buries them.

What it tells are the tuples that `events` makes events of.
"""

from __future__ import annotations

import _socket
import os
import select
import sys
import time

from . import signals
from .inherited import LIMIT, NEEDS, PID_SIZE, SHORT, job_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    import resource
    from collections.abc import Callable, Collection
    from typing import Any

    import psutil

_BURIAL = 1.0
"""Seconds that an ended job is held back while something that it left behind is being killed."""
LEAVING_TICK = 0.003
"""Seconds between two looks at what the dead have left."""
_CAN_LEAVE = hasattr(os, "waitid")
"""Whether this system tells of the dead without burying them."""
_SEEN_DEAD = os.WEXITED | os.WNOHANG | os.WNOWAIT if _CAN_LEAVE else 0
LATE = 0.02
"""Seconds for which nothing is told of a new process or an outcome: as a rule the end of the job follows at once."""
_HANDS_OVER = SHORT + 1.0
"""Seconds after its start for which a process may hand over an outcome."""
_MEMORY_UNIT = 1 if sys.platform == "darwin" else 1024
# What prctl() can do.
SET_PDEATHSIG = 1
SET_NAME = 15
SET_CHILD_SUBREAPER = 36


class _Child:
    """A job's process. Made without arguments, and given what it has: what stays as it is here costs nothing."""

    job_id: str
    pid: int
    started: float
    begun: float
    outsiders: dict[int, psutil.Process] | None = None
    """Processes of the job outside its group, kept from the first signal on; None before it."""
    strangers: frozenset[int] = frozenset()
    status: int
    usage: resource.struct_rusage | None = None
    deadline: float
    outcome: bytes | None = None
    handed: float
    is_told = False

    def end(self) -> tuple[Any, ...]:
        """Return what is to be told of its end, once it is reaped."""
        usage = self.usage
        assert usage is not None
        code = os.waitstatus_to_exitcode(self.status)
        return (
            "ended",
            self.job_id,
            self.pid,
            self.started,
            code if code >= 0 else None,
            -code if code < 0 else None,
            usage.ru_maxrss * _MEMORY_UNIT,
            usage.ru_utime + usage.ru_stime,
            self.outcome,
        )


class Children:
    """A registry of job processes that are children of this process.

    Where the system allows it (Linux), orphans among the jobs' descendants come back to this process, so that none is
    lost sight of, whatever sessions and groups it made for itself.
    """

    def __init__(self) -> None:
        self.adopts = become_subreaper()
        self.running: dict[int, _Child] = {}
        """By pid, those that were not seen dead."""
        self.leaving: list[_Child] = []
        """The dead of whose group something is left: while there are any, :meth:`reap` is to be called every few ms."""
        self._by_job: dict[str, _Child] = {}
        self.young: dict[int, _Child] = {}
        """Those of which nothing was told yet, or that may still hand something over: :meth:`early_news` has them."""
        self.next_look = 0.0
        """When it is time for that. Nobody is woken by what is handed over: it waits for the end of its job."""
        self.has_orphans = False
        """Whether an orphan may have died that nobody has buried."""
        self._notices, self.notice_fd = os.pipe()
        os.set_blocking(self._notices, False)
        self._needy: list[str] = []
        """Jobs that said that they had to load something, and of which that was not told yet."""
        self._outcomes, giver = _socket.socketpair(_socket.AF_UNIX, _socket.SOCK_DGRAM)
        self.handover_fd = giver.detach()
        self._mail = select.poll()
        self._mail.register(self._outcomes, select.POLLIN)
        self._buffer = bytearray(4 * LIMIT)

    def __len__(self) -> int:
        return len(self.running) + len(self.leaving)

    def fileno(self) -> int:
        """Readable when a program has noticed its interrupt."""
        return self._notices

    @property
    def pids(self) -> Collection[int]:
        """The processes that run."""
        return self.running.keys()

    def pid_of(self, job_id: str) -> int | None:
        """Return a job's process, None where it has none any more."""
        child = self._by_job.get(job_id)
        return None if child is None or child.usage is not None else child.pid

    def add(self, job_id: str, pid: int, started: float) -> None:
        """Look after a process, which was started at this time."""
        child = _Child()
        child.job_id, child.pid, child.started = job_id, pid, started
        child.begun = now = time.monotonic()
        if not self.young:
            self.next_look = now + LATE
        self.running[pid] = self._by_job[job_id] = self.young[pid] = child

    def signal(self, job_id: str, number: int) -> None:
        """Signal a job: its process group and its descendants outside the group. Nothing happens if it is gone."""
        child = self._by_job.get(job_id)
        if child is None or child.usage is not None:
            return
        from .. import processes

        if child.outsiders is None:
            child.outsiders = {}
            child.strangers = frozenset(each.pid for each in self._adopted()) if self.adopts else frozenset()
        for process in processes.outside_group(processes.descendants(child.pid), child.pid):
            child.outsiders[process.pid] = process
        try:
            os.killpg(child.pid, number)
        except ProcessLookupError:
            # It has not made its own group yet. It is not reaped, so that the pid is still its own.
            os.kill(child.pid, number)
        processes.send(child.outsiders.values(), number)

    def noticed(self) -> list[tuple[Any, ...]]:
        """Tell of the jobs whose program has seen its interrupt since the last call."""
        try:
            data = os.read(self._notices, 4096)
        except BlockingIOError:
            return []
        words: list[tuple[Any, ...]] = []
        for at in range(0, len(data) - PID_SIZE + 1, PID_SIZE):
            child = self.running.get(int.from_bytes(data[at : at + PID_SIZE], sys.byteorder))
            if child is not None:
                words.append(("noticed", child.job_id))
        return words

    def reap(self) -> list[tuple[Any, ...]]:
        """Bury what has died, and tell of it. A job counts as ended when its process group is empty, too."""
        # Long for the same reason as `child.Work.run`: what a parent touches between two forks it has to copy, too.
        running = self.running
        self.has_orphans = False
        while (pid := _next_dead(running)) is not None:
            child = running.pop(pid, None)
            if child is not None:
                # While the leader is unreaped its group's number cannot be anybody else's.
                _reaches(pid, signals.KILL)
            _, status, usage = os.wait4(pid, 0)
            if child is not None:
                child.status, child.usage = status, usage
                child.deadline = time.monotonic() + _BURIAL
                self.young.pop(pid, None)
                self.leaving.append(child)
            if not running:
                # To ask once more would raise an exception, as a rule.
                self.has_orphans = True
                break
        if not self.leaving:
            return []
        # After the dead were counted: what they said before they died is here by now.
        if self._mail.poll(0):
            self._take_outcomes()
        ended: list[tuple[Any, ...]] = []
        if self._needy:
            ended += [("needy", job_id) for job_id in self._needy]
            self._needy.clear()
        left = []
        for child in self.leaving:
            has_more = (child.outsiders is not None and self._kill_outsiders(child)) or _reaches(child.pid, 0)
            if has_more and time.monotonic() <= child.deadline:
                left.append(child)
            else:
                del self._by_job[child.job_id]
                ended.append(child.end())
        self.leaving = left
        return ended

    def early_news(self) -> list[tuple[Any, ...]]:
        """What is to be told of jobs whose processes take their time to end, each thing once; call it after `reap`."""
        now = time.monotonic()
        if not self.young or now < self.next_look:
            return []
        self.next_look = now + LATE
        if self._mail.poll(0):
            self._take_outcomes()
        news: list[tuple[Any, ...]] = []
        for child in list(self.young.values()):
            age = now - child.begun
            if age >= LATE and not child.is_told:
                child.is_told = True
                news.append(("started", child.job_id, child.pid, child.started))
            if child.outcome is not None:
                if now - child.handed >= LATE:
                    news.append(("handed", child.job_id, child.outcome))
                    child.outcome = None
                    del self.young[child.pid]
            elif age > _HANDS_OVER:
                del self.young[child.pid]
        return news

    def _take_outcomes(self) -> None:
        while True:
            size = self._outcomes.recv_into(self._buffer)
            data = bytes(memoryview(self._buffer)[:size])
            child = self._by_job.get(job_of(data))
            if child is not None and child.outcome is None:
                child.outcome, child.handed = data, time.monotonic()
            elif data.startswith(NEEDS):
                self._needy.append(job_of(data[len(NEEDS) :]))
            if not self._mail.poll(0):
                return

    def kill_everything(self) -> None:
        """Kill all jobs with all that is theirs, and wait for it."""
        for child in list(self.running.values()):
            self.signal(child.job_id, signals.KILL)
        while len(self):
            self.reap()
            time.sleep(0.002)

    def close(self) -> None:
        os.close(self._notices)
        os.close(self.notice_fd)
        self._outcomes.close()
        os.close(self.handover_fd)

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
        processes.send(child.outsiders.values(), signals.KILL)
        return bool(child.outsiders)

    def _adopted(self) -> list[psutil.Process]:
        """Children of this process that it did not start: orphans of jobs."""
        from .. import processes

        return [child for child in processes.children(os.getpid(), self.running) if not _is_zombie(child)]


def _reaches(group: int, number: int) -> bool:
    """Signal a process group; whether there is one, and it can be signalled."""
    try:
        os.killpg(group, number)
    except (ProcessLookupError, PermissionError):
        return False  # What changed its user is out of reach; nothing can be done about it from here.
    return True


def become_subreaper() -> bool:
    """Have orphaned descendants come to this process; True where the system can do that."""
    return _prctl(SET_CHILD_SUBREAPER, 1)


def die_with_parent(number: int) -> bool:
    """Have the system send this process a signal when its parent dies; True where the system can do that."""
    return _prctl(SET_PDEATHSIG, number)


def name_process(name: str) -> bool:
    """Give this process, and what it will fork, a name of at most fifteen bytes; True where the system can do that."""
    return _prctl(SET_NAME, name.encode())


def _prctl(option: int, value: int | bytes) -> bool:
    call = prctl_of_libc()
    return call is not None and call(option, value, 0, 0, 0) == 0


def prctl_of_libc() -> Callable[..., int] | None:
    """Return the function itself, ready to be called; None where the system has none."""
    global _prctl_found  # noqa: PLW0603 - looked for once
    if _prctl_found is None:
        _prctl_found = []
        if sys.platform == "linux":
            try:
                import ctypes

                _prctl_found.append(ctypes.CDLL(None).prctl)
            except (ImportError, OSError, AttributeError):
                pass  # there is none
    return _prctl_found[0] if _prctl_found else None


_prctl_found: list[Callable[..., int]] | None = None


def _is_zombie(process: psutil.Process) -> bool:
    import psutil

    try:
        return process.status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


def _next_dead(known: dict[int, _Child]) -> int | None:
    """The pid of a dead child, still unreaped where the system can leave it so."""
    if _CAN_LEAVE:
        try:
            dead = os.waitid(os.P_ALL, 0, _SEEN_DEAD)
        except ChildProcessError:
            return None
        return dead.si_pid if dead is not None else None
    import psutil

    return next((pid for pid in known if psutil.Process(pid).status() == psutil.STATUS_ZOMBIE), None)
