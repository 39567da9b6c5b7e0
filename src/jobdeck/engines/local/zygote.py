"""The warm parent: a single-threaded process that has imported what a job needs, and forks one child per job.

It holds no SQLite connection and opens none. It speaks lines of JSON with the agent over a socket:

=========================================  ==========================================================
from the agent                             from the zygote
=========================================  ==========================================================
``["start", job_id]``                      ``["ready"]`` once
``["signal", job_id, number]``             ``["noticed", job_id]``
the end of the stream                      ``["ended", job_id, code, signal, peak_memory, cpu_time]``
=========================================  ==========================================================

At the end of the stream every job is killed.
"""

from __future__ import annotations

import contextlib
import gc
import hashlib
import json
import os
import select
import signal
import socket
import sqlite3
import traceback
from dataclasses import astuple
from pathlib import Path
from typing import Any, NoReturn

from ..._messenger import PrintingMessenger
from ..._ports import Connect
from ..._program import open_payload, outcome_of_value, pack
from ..._records import Payload
from .child import run_job
from .children import Children, die_with_parent

_BLOCKED = {signal.SIGINT, signal.SIGTERM}
_TICK = 0.003
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
        self._pid = os.getpid()
        self._wake, self._woken = os.pipe()
        for fd in (self._wake, self._woken):
            os.set_blocking(fd, False)

    def run(self) -> None:
        ended_by = {signal.SIGTERM: self._stop, signal.SIGCHLD: _ignore}
        for number, handler in ended_by.items():
            signal.signal(number, handler)
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        signal.set_wakeup_fd(self._woken, warn_on_full_buffer=False)
        # The end of the stream is what counts; this is for an agent whose socket somebody else still holds.
        die_with_parent(signal.SIGTERM)
        gc.freeze()
        self._say(["ready"])
        try:
            self._loop()
        finally:
            if os.getpid() == self._pid:
                self._children.kill_everything()

    def _loop(self) -> None:
        rest = b""
        is_warm = False
        watched = [self._channel.fileno(), self._wake, self._children.fileno()]
        while True:
            tick = _TICK if self._children.restless else None if is_warm else _LULL
            readable, _, _ = select.select(watched, [], [], tick)
            if not readable and not is_warm and not self._children.restless:
                # Not before the first job, which somebody waits for.
                self._warm_up()
                is_warm = True
            if self._channel.fileno() in readable:
                try:
                    data = self._channel.recv(1 << 16)
                except ConnectionError:
                    return
                if not data:
                    return
                *lines, rest = (rest + data).split(b"\n")
                for line in lines:
                    self._obey(json.loads(line))
            if self._wake in readable:
                with contextlib.suppress(BlockingIOError):
                    os.read(self._wake, 4096)
            told: list[list[Any]] = [["noticed", job_id] for job_id in self._children.noticed()]
            told += [["ended", *astuple(end)] for end in self._children.reap()]
            if told and not self._say(*told):
                return

    def _warm_up(self) -> None:
        """Go a job's way once, so that no child has to load a library or specialise code that all of them need."""
        packed = pack(_nothing)
        payload = Payload(packed.program, packed.inputs, packed.context)
        for _ in range(4):
            outcome_of_value(open_payload(payload).run(PrintingMessenger()))
            connection = sqlite3.connect(":memory:", isolation_level=None)
            connection.execute("CREATE TABLE warm (up)")
            connection.execute("BEGIN IMMEDIATE")
            connection.execute("INSERT INTO warm VALUES (?)", (hashlib.sha256(b"").hexdigest(),))
            connection.execute("COMMIT")
            connection.close()
        # What is frozen is never looked at by a child's garbage collection, which would copy all of its pages.
        gc.collect()
        gc.freeze()

    def _obey(self, order: list[Any]) -> None:
        match order:
            case ["start", job_id]:
                self._fork(job_id)
            case ["signal", job_id, number]:
                self._children.signal(job_id, number)

    def _fork(self, job_id: str) -> None:
        # The child unblocks them when it is ready to deal with them.
        signal.pthread_sigmask(signal.SIG_BLOCK, _BLOCKED)
        pid = os.fork()
        if pid == 0:
            try:
                signal.set_wakeup_fd(-1)
                self._channel.close()
                os.close(self._wake)
                os.close(self._woken)
                run_job(job_id, self._home, self._connect, self._children.notice_fd, self._pid)
            finally:
                os._exit(70)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, _BLOCKED)
        self._children.add(job_id, pid)

    def _say(self, *lines: list[Any]) -> bool:
        try:
            self._channel.sendall(b"".join(json.dumps(line).encode() + b"\n" for line in lines))
        except (BrokenPipeError, ConnectionResetError):
            return False
        return True

    def _stop(self, _number: int, _frame: object) -> NoReturn:
        raise SystemExit(0)


def _nothing() -> dict[str, float]:
    """A program like any other."""
    return {"value": 1.5}


def _ignore(_number: int, _frame: object) -> None:
    """Wake the loop: a handler must exist for the wakeup descriptor to be written to."""
