"""What the operating system knows of processes beyond their parent's view.

Processes are always told apart by pid *and* start time, so that a reused pid is never taken for its former owner.
"""

from __future__ import annotations

import contextlib
import os
import signal
import time
from collections.abc import Container, Iterable
from pathlib import Path
from typing import Final

import psutil

from .marks import AGENT_VARIABLE, JOB_VARIABLE, process_name

_LISTS: Final = Path("/proc/thread-self/children")
_READINGS: Final = 5
"""Times at most that a list of children is read."""
_START_TOLERANCE = 2.0
"""Seconds by which the start time that a process noted of itself may differ from the system's reckoning."""


def descendants(pid: int) -> list[psutil.Process]:
    """All living processes that come from this one."""
    found = []
    left = children(pid)
    while left:
        child = left.pop()
        found.append(child)
        left += children(child.pid)
    return found


def children(pid: int, known: Container[int] = ()) -> list[psutil.Process]:
    """The living children of a process, but for those that are known."""
    pids = _children_by_task(pid)
    try:
        if pids is None:
            return [child for child in psutil.Process(pid).children() if child.pid not in known]
    except psutil.NoSuchProcess:
        return []
    found = []
    for child in pids:
        if child not in known:
            with contextlib.suppress(psutil.NoSuchProcess):
                found.append(psutil.Process(child))
    return found


def _children_by_task(pid: int) -> set[int] | None:
    """Pids of a process's children as Linux lists them, None where it does not.

    To look at each process of the system for its parent takes milliseconds, which the cancel of many jobs would take
    for each of them. A list that is read while one of its processes ends may lack another one, so that it is read until
    nothing changes any more.
    """
    if not _LISTS.exists():
        return None
    seen: set[int] = set()
    last: set[int] | None = None
    for _ in range(_READINGS):
        now: set[int] = set()
        with contextlib.suppress(FileNotFoundError):
            for task in os.listdir(f"/proc/{pid}/task"):
                now.update(_listed(f"/proc/{pid}/task/{task}/children"))
        seen |= now
        if now == last:
            break
        last = now
    return seen


def _listed(path: str) -> list[int]:
    try:
        with open(path, "rb") as listed:
            return list(map(int, listed.read().split()))
    except (FileNotFoundError, ProcessLookupError):
        return []  # That thread has ended, and its children are another one's by now.


def outside_group(processes: Iterable[psutil.Process], group: int) -> list[psutil.Process]:
    """Those that a signal to the process group does not reach."""
    outside = []
    for process in processes:
        with contextlib.suppress(ProcessLookupError):
            if os.getpgid(process.pid) != group:
                outside.append(process)
    return outside


def send(processes: Iterable[psutil.Process], number: int) -> None:
    """Signal each process that still is the one that was seen."""
    for process in processes:
        with contextlib.suppress(psutil.NoSuchProcess, psutil.AccessDenied):
            process.send_signal(number)


def living(processes: Iterable[psutil.Process]) -> list[psutil.Process]:
    """Those that still run; one that waits to be reaped does not."""
    alive = []
    for process in processes:
        with contextlib.suppress(psutil.NoSuchProcess):
            if process.is_running() and process.status() != psutil.STATUS_ZOMBIE:
                alive.append(process)
    return alive


def left_of_job(job_id: str, agent: str, pid: int | None, pid_started: float | None) -> list[psutil.Process]:
    """What is left of a job whose agent is gone: a scan of this user's processes.

    What the job started by exec carries its id in the environment. What it only forked has the environment that the
    agent's processes were started with, and the job's session or name.
    """
    found = []
    for process in psutil.process_iter():
        if process.pid == os.getpid():
            continue
        with contextlib.suppress(psutil.NoSuchProcess, psutil.AccessDenied, psutil.ZombieProcess, OSError):
            environment = process.environ()
            if environment.get(JOB_VARIABLE) == job_id or (
                environment.get(AGENT_VARIABLE) == agent and _is_of_job(process, job_id, pid, pid_started)
            ):
                found.append(process)
    seen = {process.pid: process for process in found}
    for process in found:
        seen.update((child.pid, child) for child in descendants(process.pid))
    return list(seen.values())


def _is_of_job(process: psutil.Process, job_id: str, pid: int | None, pid_started: float | None) -> bool:
    if process.name() == process_name(job_id):
        return True
    if process.pid == pid:
        return pid_started is None or abs(process.create_time() - pid_started) <= _START_TOLERANCE
    return pid is not None and pid in (os.getsid(process.pid), os.getpgid(process.pid))


def kill_all(processes: Iterable[psutil.Process], patience: float = 2.0) -> list[psutil.Process]:
    """Kill these and wait until they are gone. Returns those that are not."""
    left = list(processes)
    deadline = time.monotonic() + patience
    while left and time.monotonic() < deadline:
        send(left, signal.SIGKILL)
        time.sleep(0.005)
        left = living(left)
    return left
