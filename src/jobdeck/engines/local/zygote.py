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
import os
import select
import signal
import socket
import time
import traceback
from pathlib import Path
from typing import Any, NoReturn

from ... import _at_fork
from ..._ports import Connect
from ..._program import Context
from ..._records import Payload
from . import signals
from .child import Assignment, enter_environment, prepare, run_job
from .children import Children, Started, die_with_parent
from .crowd import Crowd
from .frames import Frames, frame
from .inherited import Handover, Lines, Notice
from .preloading import renew
from .rehearsal import ENOUGH, rehearse

_JOBS_ALONE = (signals.INT, signals.HUP)
"""Blocked here, so that a job's process need not hurry to unblock them."""
_TERM = (signals.TERM,)
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
        self._connect = connect
        self._children = Children()
        self._crowd = Crowd.here()
        self._next_balance = 0.0
        self._lines = Lines(Notice(self._children.notice_fd), Handover(self._children.handover_fd))
        self._entered: str | None = None
        """Key of the context whose environment this process has."""
        self._kept: dict[str, bytes] = {}
        self._contexts: dict[str, Context] = {}
        self._out = bytearray()
        self._pid = os.getpid()
        self._wake, self._woken = os.pipe()
        for fd in (self._wake, self._woken):
            os.set_blocking(fd, False)

    def run(self) -> None:
        ended_by = {signal.SIGTERM: self._stop, signal.SIGCHLD: _ignore}
        for number, handler in ended_by.items():
            signal.signal(number, handler)
        signals.block(_JOBS_ALONE)
        signal.set_wakeup_fd(self._woken, warn_on_full_buffer=False)
        # The end of the stream is what counts; this is for an agent whose socket somebody else still holds.
        die_with_parent(signal.SIGTERM)
        # A child that collected this process's garbage would copy all of its pages. What is frozen is never looked at.
        gc.disable()
        prepare()
        self._channel.setblocking(False)
        self._say("ready")
        try:
            self._loop()
        finally:
            if os.getpid() == self._pid:
                self._children.kill_everything()

    def _loop(self) -> None:
        frames = Frames()
        rehearsals = 0
        channel, notices = self._channel.fileno(), self._children.fileno()
        watched = [channel, self._wake, notices]
        while True:
            tick = self._children.tick
            has_time = rehearsals < ENOUGH and not len(self._children)
            if has_time:
                # Not before the first job, which somebody waits for; then one by one, for the next may come any time.
                tick = 0.0 if rehearsals else _LULL
            pause = self._crowd.pause(len(self._children))
            if pause is not None:
                tick = pause if tick is None else min(tick, pause)
            # The channel never blocks, so that it is always read: an agent that sends much could otherwise never end.
            readable, _, _ = select.select(watched, [channel] if self._out else [], [], tick)
            if has_time and not readable:
                rehearse(self._home, self._connect, self._lines)
                rehearsals += 1
                if rehearsals == ENOUGH:
                    gc.collect()
            if channel in readable:
                try:
                    data = self._channel.recv(1 << 18)
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
                for job_id in self._children.noticed():
                    self._say("noticed", job_id)
            if is_told or not readable or self._children.restless:
                for end in self._children.reap():
                    self._say("ended", *end)
            for news in self._children.early_news():
                self._say("started" if isinstance(news, Started) else "handed", *news)
            if pause is not None and time.monotonic() >= self._next_balance:
                self._crowd.balance(self._children.pids)
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
            case ["keep", key, body]:
                self._kept[key] = body
            case ["forget"]:
                self._kept.clear()
                self._contexts.clear()
            case ["start", job_id, output, keys]:
                self._fork(self._assignment(job_id, output, keys))
            case ["signal", job_id, number]:
                if (pid := self._children.pid_of(job_id)) is not None:
                    self._crowd.release(pid)
                self._children.signal(job_id, number)

    def _assignment(self, job_id: str, output: str, keys: tuple[str, str, str] | None) -> Assignment:
        if keys is None:
            return Assignment(job_id, output)
        program, inputs, context = (self._kept[key] for key in keys)
        opened = self._contexts.get(keys[2])
        if opened is None:
            opened = self._contexts[keys[2]] = Context.from_bytes(context)
        if self._entered != keys[2]:
            # Here and not in each of the processes that are forked for this context. One whose environment cannot be
            # had is left to the job's own process, which fails with it.
            self._entered = None
            with contextlib.suppress(OSError, ValueError, TypeError):
                enter_environment(opened, self._home)
                self._entered = keys[2]
        is_entered = self._entered is not None
        return Assignment(job_id, output, Payload(program, inputs, context), opened, is_entered)

    def _fork(self, assignment: Assignment) -> None:
        # The child unblocks it when it is ready to deal with it.
        signals.block(_TERM)
        gc.freeze()
        started = time.time()
        pid = os.fork()
        if pid == 0:
            try:
                signal.set_wakeup_fd(-1)
                for fd in (self._channel.fileno(), self._wake, self._woken):
                    os.close(fd)
                _at_fork.resume_in_child()
                renew()
                run_job(assignment, self._home, self._connect, self._lines, self._pid)
            finally:
                os._exit(70)
        signals.unblock(_TERM)
        self._children.add(assignment.job_id, pid, started)

    def _say(self, *word: Any) -> None:
        self._out += frame(*word)

    def _stop(self, _number: int, _frame: object) -> NoReturn:
        raise SystemExit(0)


def _ignore(_number: int, _frame: object) -> None:
    """Wake the loop: a handler must exist for the wakeup descriptor to be written to."""
