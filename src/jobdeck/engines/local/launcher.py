"""How the agent starts jobs: from a warm parent where forking is sound (Linux), else one new process per job."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from ..._ports import Connect
from ..launch import boot_command
from ..lock import AgentLock
from ..marks import AGENT_VARIABLE, JOB_VARIABLE
from .children import Children, Ended

_STARTUP_PREFIXES = ("PYTHON", "LD_", "DYLD_", "LC_", "MALLOC_", "GLIBC_")
_STARTUP_NAMES = ("LANG", "LANGUAGE")


@dataclass(frozen=True)
class Noticed:
    """A program has seen the interrupt that it was sent."""

    job_id: str


@dataclass(frozen=True)
class Gone:
    """The launcher itself has died, and with it all jobs that it had."""

    words: str


Event = Noticed | Ended | Gone


class Launcher(Protocol):
    """Starts jobs of one interpreter, signals them, and tells what becomes of them."""

    def fileno(self) -> int:
        """Readable when :meth:`events` may have something to tell."""

    @property
    def restless(self) -> bool:
        """Whether :meth:`events` should be asked again soon, readable or not."""

    def start(self, job_ids: Sequence[str]) -> None:
        """Start these jobs. OSError if that cannot be done."""

    def signal(self, job_id: str, number: int) -> None:
        """Signal a job's processes; harmless if it is gone."""

    def events(self) -> list[Event]:
        """What happened since the last call, in order."""

    def close(self) -> None:
        """Kill all jobs and end."""


@dataclass(frozen=True)
class Startup:
    """What of a kernel's context must be there before its interpreter starts."""

    interpreter: str
    environment: tuple[tuple[str, str], ...]

    @classmethod
    def of(cls, interpreter: str, environment: Mapping[str, str]) -> Startup:
        relevant = {
            name: value
            for name, value in environment.items()
            if name.startswith(_STARTUP_PREFIXES) or name in _STARTUP_NAMES
        }
        return cls(interpreter, tuple(sorted(relevant.items())))

    @classmethod
    def own(cls) -> Startup:
        """Return this process's own."""
        return cls.of(sys.executable, os.environ)

    def full_environment(self, agent: str) -> dict[str, str]:
        """The environment to start the interpreter in: the agent's, but for what the kernel has otherwise."""
        rest = {name: value for name, value in os.environ.items() if name != JOB_VARIABLE}
        for name, _ in Startup.of("", os.environ).environment:
            del rest[name]
        return {**rest, **dict(self.environment), AGENT_VARIABLE: agent}


class ForkLauncher:
    """Starts jobs by fork from a zygote, its child process."""

    def __init__(self, channel: socket.socket, pid: int, process: subprocess.Popen[bytes] | None = None) -> None:
        self._channel = channel
        self._pid = pid
        self._process = process
        self._rest = b""
        self._gone = False

    @classmethod
    def by_fork(cls, home: Path, connect: Connect, lock: AgentLock, close: Sequence[int]) -> ForkLauncher:
        """A zygote forked from this very process, which must be single-threaded and hold no store.

        Parameters
        ----------
        lock, close
            The agent's lock and descriptors, which the zygote must not keep.
        """
        from .zygote import serve

        ours, theirs = socket.socketpair()
        pid = os.fork()
        if pid == 0:
            try:
                lock.forget()
                ours.close()
                for fd in close:
                    os.close(fd)
                serve(theirs, home, connect)
            finally:
                os._exit(70)
        theirs.close()
        return cls(ours, pid)

    @classmethod
    def by_spawn(cls, home: Path, startup: Startup, agent: str) -> ForkLauncher:
        """A zygote in another interpreter or environment. OSError if it cannot be started."""
        ours, theirs = socket.socketpair()
        with theirs:
            command = boot_command(
                startup.interpreter, "zygote", "--home", str(home), "--channel", str(theirs.fileno())
            )
            try:
                process = subprocess.Popen(
                    command,
                    stdin=subprocess.DEVNULL,
                    pass_fds=(theirs.fileno(),),
                    env=startup.full_environment(agent),
                    cwd=home,
                )
            except OSError:
                ours.close()
                raise
        return cls(ours, process.pid, process)

    @property
    def restless(self) -> bool:
        return False

    def fileno(self) -> int:
        return self._channel.fileno()

    def start(self, job_ids: Sequence[str]) -> None:
        self._say(*(["start", job_id] for job_id in job_ids))

    def signal(self, job_id: str, number: int) -> None:
        try:
            self._say(["signal", job_id, number])
        except OSError:
            return  # Its death is told by events().

    def events(self) -> list[Event]:
        if self._gone:
            return []
        try:
            data = self._channel.recv(1 << 16, socket.MSG_DONTWAIT)
        except BlockingIOError:
            return []
        except ConnectionError:
            data = b""
        if not data:
            self._gone = True
            return [Gone(f"the process that starts jobs {self._bury()}")]
        *lines, self._rest = (self._rest + data).split(b"\n")
        events: list[Event] = []
        for line in lines:
            match json.loads(line):
                case ["noticed", job_id]:
                    events.append(Noticed(job_id))
                case ["ended", *end]:
                    events.append(Ended(*end))
        return events

    def close(self) -> None:
        self._channel.close()
        if not self._gone:
            self._gone = True
            self._bury()

    def _say(self, *orders: Sequence[str | int]) -> None:
        self._channel.sendall(b"".join(json.dumps(order).encode() + b"\n" for order in orders))

    def _bury(self) -> str:
        if self._process is not None:
            code = self._process.wait()
        else:
            code = os.waitstatus_to_exitcode(os.waitpid(self._pid, 0)[1])
        return f"was ended by signal {-code}" if code < 0 else f"ended with exit code {code}"


class SpawnLauncher:
    """Starts a new interpreter for each job, where forking a warm one is not sound."""

    def __init__(self, home: Path, startup: Startup, agent: str) -> None:
        self._home = home
        self._startup = startup
        self._agent = agent
        self._children = Children()
        self._wake, self._woken = os.pipe()
        for fd in (self._wake, self._woken):
            os.set_blocking(fd, False)
        self._old_handler = signal.signal(signal.SIGCHLD, _ignore)
        self._old_wakeup = signal.set_wakeup_fd(self._woken, warn_on_full_buffer=False)

    @property
    def restless(self) -> bool:
        return len(self._children) > 0

    def fileno(self) -> int:
        return self._wake

    def start(self, job_ids: Sequence[str]) -> None:
        for job_id in job_ids:
            notice = self._children.notice_fd
            arguments = ("--home", str(self._home), "--job", job_id, "--notice", str(notice))
            process = subprocess.Popen(
                boot_command(self._startup.interpreter, "child", *arguments, "--parent", str(os.getpid())),
                stdin=subprocess.DEVNULL,
                pass_fds=(notice,),
                env=self._startup.full_environment(self._agent),
                cwd=self._home,
                start_new_session=True,
            )
            self._children.add(job_id, process.pid)
            process.returncode = 0  # `_children` buries it; Popen is not to wait for it, nor to warn.

    def signal(self, job_id: str, number: int) -> None:
        self._children.signal(job_id, number)

    def events(self) -> list[Event]:
        with contextlib.suppress(BlockingIOError):
            os.read(self._wake, 4096)
        noticed: list[Event] = [Noticed(job_id) for job_id in self._children.noticed()]
        return noticed + list(self._children.reap())

    def close(self) -> None:
        self._children.kill_everything()
        signal.set_wakeup_fd(self._old_wakeup)
        signal.signal(signal.SIGCHLD, self._old_handler)
        self._children.close()
        os.close(self._wake)
        os.close(self._woken)


def _ignore(_number: int, _frame: object) -> None:
    """Wake the agent: a handler must exist for the wakeup descriptor to be written to."""
