"""The warm parent: a single-threaded process that has imported what a job needs, and forks one child per job.

It holds no SQLite connection and opens none. It speaks frames with the agent over a socket:

================================================  ==================================================================
from the agent                                    from the zygote
================================================  ==================================================================
``"keep", key, body``                             ``"ready"`` once
``"forget"``, for all that was kept               ``"started", job_id, pid, time``
``"start", job_id, output, keys or None``         ``"noticed", job_id``
``"signal", job_id, number``                      ``"handed", job_id, outcome``
the end of the stream                             ``"ended"`` and what :class:`~.children.Ended` has
================================================  ==================================================================

A job that ends at once has nothing told of it but its end. The keys are those of program, inputs and context among what
was kept; without them the job reads its payload itself.
At the end of the stream every job is killed.
"""

from __future__ import annotations

import contextlib
import gc
import operator
import os
import select
import signal
import socket
import threading
import time
import traceback
from pathlib import Path
from typing import Any, NoReturn

from ... import _at_fork
from ..._ports import Connect
from ..._program import Context
from . import signals
from .child import Assignment, Work, enter_environment, prepare, run_job
from .children import LATE, LEAVING_TICK, Children, Started, die_with_parent
from .crowd import Crowd
from .frames import Frames, frame
from .inherited import Handover, Lines, Notice
from .preloading import has_random_numbers, renew
from .rehearsal import ENOUGH, rehearse

_JOBS_ALONE = (signals.INT, signals.HUP)
"""Blocked here, so that a job's process need not hurry to unblock them."""
_TERM = (signals.TERM,)
_ORPHANS = 0.1
"""Seconds after which to look for orphans that have died."""
_LULL = 0.05
"""Seconds without anything to do after which there is time to warm up."""


def serve(channel: socket.socket, home: Path, connect: Connect) -> NoReturn:
    """Be the zygote at the other end of this channel, for the rest of this process's life."""
    status = 1
    try:
        _Zygote(channel, home, connect).run()
        status = 0
    except SystemExit:
        status = 0
    except BaseException:  # noqa: BLE001 - the end of this process, told in the agent's log
        traceback.print_exc()
    finally:
        # Never back into the code that called: in a forked process that would be the agent's.
        os._exit(status)


class _Zygote:
    def __init__(self, channel: socket.socket, home: Path, connect: Connect) -> None:
        self._channel = channel
        self._home = home
        self._children = Children()
        self._crowd = Crowd.here()
        self._next_balance = 0.0
        lines = Lines(Notice(self._children.notice_fd), Handover(self._children.handover_fd))
        self._work = Work(home, connect, lines)
        self._entered: str | None = None
        """Key of the context whose environment this process has."""
        self._kept: dict[str, bytes] = {}
        self._contexts: dict[str, tuple[Context, list[str]]] = {}
        """Opened, with its import path as a list for a process to take over."""
        self._out = bytearray()
        self._pid = os.getpid()
        self._wake, self._woken = os.pipe()
        for fd in (self._wake, self._woken):
            os.set_blocking(fd, False)
        self._own_fds = channel.fileno(), self._wake, self._woken
        """What a job's process has to close."""
        self._main_thread = threading.main_thread()
        self._has_random = has_random_numbers()

    def run(self) -> None:
        signal.signal(signal.SIGTERM, self._stop)
        # For the wakeup descriptor to be written to there must be a handler. This one does nothing, and is no Python.
        signal.signal(signal.SIGCHLD, operator.is_)
        signals.mask(signals.BLOCK, _JOBS_ALONE)
        signal.set_wakeup_fd(self._woken, warn_on_full_buffer=False)
        # The end of the stream is what counts; this is for an agent whose socket somebody else still holds.
        die_with_parent(signal.SIGTERM)
        # A child that collected this process's garbage would copy all of its pages. What is frozen is never looked at.
        gc.disable()
        prepare()
        self._channel.setblocking(False)
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
        channel, notices = self._channel.fileno(), children.fileno()
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
                    data = self._channel.recv(1 << 16)
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
                for job_id in children.noticed():
                    self._out += frame("noticed", job_id)
            if is_told or not readable or children.leaving:
                for end in children.reap():
                    self._out += frame("ended", *end)
            if children.young and time.monotonic() >= children.next_look:
                for news in children.early_news():
                    self._out += frame("started" if isinstance(news, Started) else "handed", *news)
            if pause is not None and time.monotonic() >= self._next_balance:
                crowd.balance(children.pids)
                self._next_balance = time.monotonic() + pause
            if self._out:
                try:
                    del self._out[: self._channel.send(self._out)]
                except BlockingIOError:
                    continue
                except (BrokenPipeError, ConnectionResetError):
                    return

    def _obey(self, order: tuple[Any, ...]) -> None:
        match order:
            case ["start", job_id, output, None]:
                self._fork(Assignment(job_id, output))
            case ["start", job_id, output, [program, inputs, key]]:
                context, path = self._contexts.get(key) or self._opened(key)
                if self._entered != key:
                    self._enter(key, context)
                kept = self._kept
                is_entered = self._entered is not None
                self._fork(Assignment(job_id, output, kept[program], kept[inputs], context, is_entered, path))
            case ["keep", key, body]:
                self._kept[key] = body
            case ["forget"]:
                self._kept.clear()
                self._contexts.clear()
            case ["signal", job_id, number]:
                if (pid := self._children.pid_of(job_id)) is not None:
                    self._crowd.release(pid)
                self._children.signal(job_id, number)

    def _opened(self, key: str) -> tuple[Context, list[str]]:
        context = Context.from_bytes(self._kept[key])
        self._contexts[key] = opened = context, list(context.sys_path)
        return opened

    def _enter(self, key: str, context: Context) -> None:
        """Take on a context's environment here, and not in each of the processes that are forked for it.

        One whose environment cannot be had is left to the job's own process, which fails with it.
        """
        self._entered = None
        with contextlib.suppress(OSError, ValueError, TypeError):
            enter_environment(context, self._home)
            self._entered = key

    def _fork(self, assignment: Assignment) -> None:
        # The child unblocks it when it is ready to deal with it.
        signals.mask(signals.BLOCK, _TERM)
        gc.freeze()
        started = time.time()
        pid = os.fork()
        if pid == 0:
            try:
                signal.set_wakeup_fd(-1)
                for fd in self._own_fds:
                    os.close(fd)
                _at_fork.is_put_off = False
                # All of what was put off that makes a difference where there is one thread.
                self._main_thread._native_id = os.getpid()  # type: ignore[attr-defined]
                if self._has_random:
                    renew()
                run_job(self._work, assignment, self._pid)
            finally:
                os._exit(70)
        signals.mask(signals.UNBLOCK, _TERM)
        self._children.add(assignment.job_id, pid, started)

    def _stop(self, _number: int, _frame: object) -> NoReturn:
        raise SystemExit(0)
