"""Starting jobs by fork from zygotes: a warm one for each interpreter and startup environment, and a bare one.

A fork of the bare one costs less, since it has loaded next to nothing. It gets the jobs of programs that travel as
their names, until one of a program has shown that it needs more.
"""

from __future__ import annotations

import contextlib
import os
import socket
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from ..._program import Context, is_plain_call
from ..launch import boot_command
from .events import Ended, event_of
from .frames import Frames, frame
from .launcher import Event, Lost, Parcel, Startup

if TYPE_CHECKING:
    import subprocess

KEEP = 60.0
"""Seconds for which a zygote of another interpreter is kept warm without a job."""
_BY_VALUE = b"cloudpickle"
"""In the pickle of a program that travels as its code. Such a one is of a notebook, and most of those publish."""
_MOST_NEEDY = 1000
_KEPT_BODIES = 500
_KEPT_BYTES = 8 << 20


class ForkLauncher:
    """See `Launcher`.

    Parameters
    ----------
    home, agent
        The store's home, and the agent's id.
    warm, bare : Zygote
        For jobs of this process's own interpreter and environment.
    """

    def __init__(self, home: Path, agent: str, warm: Zygote, bare: Zygote) -> None:
        self._home = home
        self._agent = agent
        self._own = Startup.own()
        self._bare: Zygote | None = bare
        self._zygotes = {self._own: warm}
        self._needy: set[str] = set()
        """Keys of programs whose jobs need more than the bare one has."""

    @property
    def restless(self) -> bool:
        return any(zygote.has_dropped for zygote in self._all())

    def filenos(self) -> list[int]:
        return [zygote.channel.fileno() for zygote in self._all()]

    def _all(self) -> list[Zygote]:
        return [*self._zygotes.values(), *([] if self._bare is None else [self._bare])]

    def start(self, parcel: Parcel, startup: Startup, path: Sequence[str]) -> None:
        zygote = self._bare if startup == self._own and self._is_plain(parcel) else None
        zygote = zygote or self._zygotes.get(startup)
        if zygote is None:
            zygote = self._zygotes[startup] = Zygote.spawned(self._home, startup, self._agent, path)
        # It has the job even if it is dead by now: then its death is told, and with it the loss.
        zygote.start(parcel)

    def _is_plain(self, parcel: Parcel) -> bool:
        """Whether a job is worth being tried without all that others need."""
        if parcel.keys is None or parcel.keys[0] in self._needy:
            return False
        program, inputs, _ = parcel.bodies
        return is_plain_call(inputs) and _BY_VALUE not in program

    def signal(self, job_id: str, number: int) -> None:
        for zygote in self._all():
            if job_id in zygote.jobs:
                zygote.signal(job_id, number)

    def events(self) -> list[Event]:
        now = time.monotonic()
        events: list[Event] = []
        for startup, zygote in list(self._zygotes.items()):
            events += zygote.events()
            if zygote.is_gone:
                del self._zygotes[startup]
            elif startup != self._own and not zygote.jobs and now - zygote.last_used > KEEP:
                del self._zygotes[startup]
                zygote.close()
        if self._bare is not None:
            events += self._bare.events()
            self._needy |= self._bare.needy
            self._bare.needy.clear()
            if len(self._needy) > _MOST_NEEDY:
                self._needy.clear()
            if self._bare.is_gone:
                # All that it did the others can do, too.
                self._bare = None
        return events

    def close(self) -> None:
        for zygote in self._all():
            zygote.close()


class Zygote:
    """The agent's end of one zygote.

    While it imports libraries it hears nothing: its jobs are held back here, where they can be stopped.
    """

    def __init__(
        self,
        channel: socket.socket,
        pid: int,
        process: subprocess.Popen[bytes] | None = None,
        *,
        is_importing: bool = False,
    ) -> None:
        self.channel = channel
        self.jobs: dict[str, str | None] = {}
        """The key of each one's program."""
        self.needy: set[str] = set()
        """Keys of programs whose jobs had to load what another zygote has."""
        self.last_used = time.monotonic()
        self.is_gone = False
        self._pid = pid
        self._process = process
        self._frames = Frames()
        self._held: dict[str, Parcel] | None = {} if is_importing else None
        self._dropped: list[Ended] = []
        self._kept: set[str] = set()
        self._kept_bytes = 0

    @classmethod
    def forked(cls, channel: int, pid: int) -> Zygote:
        """Return the agent's end of one that `fork_zygote` made."""
        return cls(socket.socket(fileno=channel), pid)

    @classmethod
    def spawned(cls, home: Path, startup: Startup, agent: str, path: Sequence[str]) -> Zygote:
        """Start one in another interpreter or environment. OSError if that cannot be done."""
        import subprocess

        ours, theirs = socket.socketpair()
        with theirs:
            arguments = ["zygote", "--home", str(home), "--channel", str(theirs.fileno())]
            if startup.libraries:
                arguments += ["--libraries", ",".join(startup.libraries), "--path", os.pathsep.join(startup.path)]
            try:
                process = subprocess.Popen(
                    boot_command(startup.interpreter, *arguments, path=path),
                    stdin=subprocess.DEVNULL,
                    pass_fds=(theirs.fileno(),),
                    env=startup.full_environment(agent),
                    cwd=home,
                )
            except OSError:
                ours.close()
                raise
        return cls(ours, process.pid, process, is_importing=bool(startup.libraries))

    @property
    def has_dropped(self) -> bool:
        """Whether there are jobs of which is to be told that they never had a process."""
        return bool(self._dropped)

    def start(self, parcel: Parcel) -> None:
        """Have a job started."""
        self.jobs[parcel.job_id] = parcel.keys and parcel.keys[0]
        if self._held is None:
            self._send(parcel)
        else:
            self._held[parcel.job_id] = parcel

    def signal(self, job_id: str, number: int) -> None:
        """Signal a job; one that is held back ends by that."""
        if self._held is None or self._held.pop(job_id, None) is None:
            self.say(frame("signal", job_id, number))
            return
        self.jobs.pop(job_id, None)
        self._dropped.append(Ended(job_id, None, time.time(), None, number, 0, 0.0, None))

    def _send(self, parcel: Parcel) -> None:
        """Have a job started now. What many jobs have in common is sent once."""
        if parcel.keys is None:
            self.say(frame("start", parcel.job_id, parcel.output, None))
            return
        words = []
        if len(self._kept) > _KEPT_BODIES or self._kept_bytes > _KEPT_BYTES:
            words.append(frame("forget"))
            self._kept.clear()
            self._kept_bytes = 0
        for key, body in zip(parcel.keys, parcel.bodies, strict=True):
            if key not in self._kept:
                self._kept.add(key)
                self._kept_bytes += len(body)
                words.append(frame("keep", key, body) if key != parcel.keys[2] else _place(key, body))
        words.append(frame("start", parcel.job_id, parcel.output, parcel.keys))
        self.say(b"".join(words))

    def say(self, order: bytes) -> None:
        """Give an order. Where nobody hears it, :meth:`events` tells of the death."""
        self.last_used = time.monotonic()
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            self.channel.sendall(order)

    def events(self) -> list[Event]:
        events: list[Event] = [*self._dropped]
        self._dropped.clear()
        return events + self._heard()

    def _heard(self) -> list[Event]:
        try:
            data = self.channel.recv(1 << 18, socket.MSG_DONTWAIT)
        except BlockingIOError:
            return []
        except ConnectionError:
            data = b""
        if not data:
            words = f"the process that starts jobs {self._bury()}"
            return [Lost(tuple(self.jobs), words)]
        events: list[Event] = []
        for word in self._frames.feed(data):
            match word:
                case ["ready"]:
                    held, self._held = self._held or {}, None
                    for parcel in held.values():
                        self._send(parcel)
                case ["needy", job_id]:
                    if (key := self.jobs.get(job_id)) is not None:
                        self.needy.add(key)
                case ["ended", job_id, *_]:
                    self.jobs.pop(job_id, None)
                    self.last_used = time.monotonic()
                    events.append(event_of(word))
                case _:
                    events.append(event_of(word))
        return events

    def close(self) -> None:
        """End it; it kills its jobs first."""
        if not self.is_gone:
            with contextlib.suppress(OSError):
                self.channel.shutdown(socket.SHUT_WR)
            # Read to the end, or its last words would keep it waiting.
            with contextlib.suppress(ConnectionError):
                while self.channel.recv(1 << 16):
                    pass
            self._bury()

    def _bury(self) -> str:
        self.is_gone = True
        self.channel.close()
        if self._process is not None:
            code = self._process.wait()
        else:
            code = os.waitstatus_to_exitcode(os.waitpid(self._pid, 0)[1])
        return f"was ended by signal {-code}" if code < 0 else f"ended with exit code {code}"


def _place(key: str, context: bytes) -> bytes:
    """Return the order to keep what a zygote needs of a context."""
    opened = Context.from_bytes(context)
    return frame("place", key, opened.cwd, list(opened.sys_path), dict(opened.env), dict(opened.sources))
