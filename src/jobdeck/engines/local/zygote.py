"""A parent of jobs: a single-threaded process that forks one child per job.

A bare one has loaded nothing but what a plain call needs, so that its forks cost little, and tells of each job that
needed more. A warm one has loaded all that jobs need. Neither holds an SQLite connection or opens one. They speak
frames with the agent over a socket:

================================================  ==================================================================
from the agent                                    from the zygote
================================================  ==================================================================
``"keep", key, body``                             ``"ready"`` once
``"place", key, cwd, path, env, sources``         ``"started", job_id, pid, time``
``"forget"``, for all that was kept               ``"noticed", job_id``
``"start", job_id, output, keys or None``         ``"handed", job_id, outcome``
``"signal", job_id, number``                      ``"ended"`` and what :class:`~.events.Ended` has
the end of the stream                             ``"needy", job_id``, of a bare one
================================================  ==================================================================

A job that ends at once has nothing told of it but its end. The keys are those of program, inputs and context among what
was kept; without them the job reads its payload itself. At the end of the stream every job is killed.
"""

from __future__ import annotations

import _socket
import gc
import os
import select
import sys
import time
from operator import is_

from ... import _at_fork
from . import signals
from .assignment import Assignment, Place
from .child import Work, prepare, run_job
from .children import LATE, LEAVING_TICK, SET_PDEATHSIG, Children, prctl_of_libc
from .crowd import Crowd
from .frames import Frames, frame
from .inherited import Handover, Notice
from .rehearsal import ENOUGH, rehearse

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, NoReturn

    from ..._ports import Store

_JOBS_ALONE = (signals.INT, signals.HUP)
"""Blocked here, so that a job's process need not hurry to unblock them."""
_TERM = (signals.TERM,)
_ORPHANS = 0.1
"""Seconds after which to look for orphans that have died."""
_LULL = 0.05
"""Seconds without anything to do after which there is time to warm up."""


def fork_zygote(
    home: str, connect: Callable[[], Store], leave: Callable[[], None], *, is_bare: bool
) -> tuple[int, int]:
    """Fork a zygote from this very process, which must be single-threaded; return its channel and its pid.

    Parameters
    ----------
    home, connect
        Of its jobs, and what opens its store.
    leave
        Called in it: closes what is not its own.
    is_bare
        Whether it is to tell of jobs that had to load more than there is.
    """
    ours, theirs = (end.detach() for end in _socket.socketpair())
    pid = os.fork()
    if pid == 0:
        try:
            os.close(ours)
            leave()
            serve(theirs, home, connect, is_bare=is_bare)
        finally:
            os._exit(70)
    os.close(theirs)
    return ours, pid


def serve(channel: int, home: str, connect: Callable[[], Store], *, is_bare: bool = False) -> NoReturn:
    """Be the zygote at the other end of this channel, for the rest of this process's life."""
    status = 1
    try:
        _Zygote(channel, home, connect, is_bare=is_bare).run()
        status = 0
    except SystemExit:
        status = 0
    except BaseException:  # noqa: BLE001 - the end of this process, told in the agent's log
        import traceback

        traceback.print_exc()
    finally:
        # Never back into the code that called: in a forked process that would be the agent's.
        os._exit(status)


class _Zygote:
    def __init__(self, channel: int, home: str, connect: Callable[[], Store], *, is_bare: bool) -> None:
        self._channel = channel
        self._home = home
        self._children = Children()
        self._crowd = Crowd.here()
        self._next_balance = 0.0
        notice, handover = Notice(self._children.notice_fd), Handover(self._children.handover_fd)
        self._work = Work(home, connect, notice, handover, tells_of_needs=is_bare)
        self._entered: str | None = None
        """Key of the place whose environment this process has."""
        self._kept: dict[str, bytes] = {}
        self._places: dict[str, Place] = {}
        self._out = bytearray()
        self._pid = os.getpid()
        self._wake, self._woken = os.pipe()
        for fd in (channel, self._wake, self._woken):
            os.set_blocking(fd, False)
        self._own_fds = channel, self._wake, self._woken
        """What a job's process has to close."""
        self._has_random = "numpy.random" in sys.modules
        threading = sys.modules.get("threading")
        self._main_thread = None if threading is None else threading.main_thread()

    def run(self) -> None:
        signals.handle(signals.TERM, self._stop)
        # For the wakeup descriptor to be written to there must be a handler. This one does nothing, and is no Python.
        signals.handle(signals.CHLD, is_)
        signals.mask(signals.BLOCK, _JOBS_ALONE)
        signals.wake(self._woken, warn_on_full_buffer=False)
        prctl = prctl_of_libc()
        if prctl is not None:
            # The end of the stream is what counts; this is for an agent whose socket somebody else still holds.
            prctl(SET_PDEATHSIG, signals.TERM, 0, 0, 0)
        # A child that collected this process's garbage would copy all of its pages. What is frozen is never looked at.
        gc.disable()
        prepare()
        self._out += frame("ready")
        try:
            self._loop()
        finally:
            if os.getpid() == self._pid:
                self._children.kill_everything()

    def _loop(self) -> None:
        # What this process touches between two forks it has to copy, as its children have: so as little as can be.
        frames = Frames()
        rehearsals = 0
        children, crowd = self._children, self._crowd
        channel, notices = self._channel, children.fileno()
        watched = [channel, self._wake, notices]
        while True:
            count = len(children.running) + len(children.leaving)
            if children.leaving:
                tick: float | None = LEAVING_TICK
            else:
                tick = LATE if children.young else _ORPHANS if children.has_orphans else None
            has_time = rehearsals < ENOUGH and not count
            if has_time:
                # Not before the first job, which somebody waits for; then one by one, for the next may come any time.
                tick = 0.0 if rehearsals else _LULL
            pause = crowd.pause(count) if count > crowd.cores or crowd.given else None
            if pause is not None:
                tick = pause if tick is None else min(tick, pause)
            # The channel never blocks, so that it is always read: an agent that sends much could otherwise never end.
            readable, _, _ = select.select(watched, [channel] if self._out else [], [], tick)
            if has_time and not readable:
                rehearse(self._work)
                rehearsals += 1
                if rehearsals == ENOUGH:
                    gc.collect()
            if channel in readable:
                try:
                    data = os.read(channel, 1 << 16)
                except ConnectionError:
                    return
                if not data:
                    return
                for order in frames.feed(data):
                    self._obey(order)
            is_told = self._wake in readable
            if is_told:
                os.read(self._wake, 4096)
            if notices in readable:
                for word in children.noticed():
                    self._out += frame(*word)
            if is_told or not readable or children.leaving:
                for word in children.reap():
                    self._out += frame(*word)
            if children.young and time.monotonic() >= children.next_look:
                for word in children.early_news():
                    self._out += frame(*word)
            if pause is not None and time.monotonic() >= self._next_balance:
                crowd.balance(children.pids)
                self._next_balance = time.monotonic() + pause
            if self._out:
                try:
                    del self._out[: os.write(channel, self._out)]
                except BlockingIOError:
                    continue
                except (BrokenPipeError, ConnectionResetError):
                    return

    def _obey(self, order: tuple[Any, ...]) -> None:
        match order:
            case ["start", job_id, output, None]:
                self._fork(Assignment(job_id, output))
            case ["start", job_id, output, [program, inputs, key]]:
                place = self._places[key]
                if self._entered != key:
                    self._enter(key, place)
                kept = self._kept
                is_entered = self._entered is not None
                self._fork(Assignment(job_id, output, (kept[program], kept[inputs]), place, is_entered=is_entered))
            case ["keep", key, body]:
                self._kept[key] = body
            case ["place", key, cwd, path, env, sources]:
                self._places[key] = Place(cwd, path, env, sources)
            case ["forget"]:
                self._kept.clear()
                self._places.clear()
            case ["signal", job_id, number]:
                if (pid := self._children.pid_of(job_id)) is not None:
                    self._crowd.release(pid)
                self._children.signal(job_id, number)

    def _enter(self, key: str, place: Place) -> None:
        """Take on a place's environment here, and not in each of the processes that are forked for it.

        One that cannot be had is left to the job's own process, which fails with it.
        """
        self._entered = None
        try:
            place.enter_environment(self._home)
        except (OSError, ValueError, TypeError):
            return
        self._entered = key

    def _fork(self, assignment: Assignment) -> None:
        # The child unblocks it when it is ready to deal with it.
        signals.mask(signals.BLOCK, _TERM)
        gc.freeze()
        started = time.time()
        pid = os.fork()
        if pid == 0:
            try:
                signals.wake(-1)
                for fd in self._own_fds:
                    os.close(fd)
                _at_fork.is_put_off = False
                if self._main_thread is not None:
                    # All of what was put off that makes a difference where there is one thread.
                    self._main_thread._native_id = os.getpid()
                if self._has_random:
                    from .preloading import renew

                    renew()
                run_job(self._work, assignment, self._pid)
            finally:
                os._exit(70)
        signals.mask(signals.UNBLOCK, _TERM)
        self._children.add(assignment.job_id, pid, started)

    def _stop(self, _number: int, _frame: object) -> NoReturn:
        raise SystemExit(0)
