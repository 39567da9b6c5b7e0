"""The agents' processes: ``python -m jobdeck._agent ROLE …``. Wires the store into the engines.

Roles: ``local`` is the local engine's agent; ``zygote`` and ``child`` are what it starts in other interpreters;
``keep`` stores the outcome of a job whose own process has lost its connection.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import pickle
import signal
import socket
import sys
from pathlib import Path

from .engines.launch import READY
from .engines.local.launcher import Launcher
from .engines.lock import AgentLock
from .engines.marks import AGENT_VARIABLE, agent_id


def main(arguments: list[str] | None = None) -> None:
    """Run one of the roles in this process."""
    parser = argparse.ArgumentParser(prog="jobdeck._agent")
    roles = parser.add_subparsers(dest="role", required=True)
    local = roles.add_parser("local")
    local.add_argument("--ready", type=int, help="descriptor on which to say that the agent is up")
    local.add_argument("--launcher", choices=("fork", "spawn"), default=_best_launcher())
    zygote = roles.add_parser("zygote")
    zygote.add_argument("--channel", type=int, required=True)
    child = roles.add_parser("child")
    child.add_argument("--job", required=True)
    child.add_argument("--notice", type=int, required=True)
    child.add_argument("--parent", type=int, required=True)
    keep = roles.add_parser("keep")
    keep.add_argument("--job", required=True)
    for role in (local, zygote, child, keep):
        role.add_argument("--home", type=Path, required=True)
    given = parser.parse_args(arguments)
    if given.role == "local":
        _local(given.home, given.ready, given.launcher)
    elif given.role == "zygote":
        from .engines.local.zygote import serve
        from .store import open_store

        os.set_inheritable(given.channel, False)
        serve(socket.socket(fileno=given.channel), given.home, open_store)
    elif given.role == "keep":
        from .store import open_store

        open_store(given.home).set_outcome(given.job, pickle.load(sys.stdin.buffer))
    else:
        from .engines.local.child import Assignment, run_job
        from .store import open_store

        os.set_inheritable(given.notice, False)
        run_job(Assignment(given.job), given.home, open_store, (given.notice, None), given.parent)


def _best_launcher() -> str:
    return "fork" if sys.platform == "linux" else "spawn"


def _local(home: Path, ready: int | None, kind: str) -> None:
    if ready is not None:
        os.set_inheritable(ready, False)
        # Its starter has started it for others, too: who ends a kernel's children must not find it among them.
        if os.fork():
            os._exit(0)
    for number in (signal.SIGINT, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    agent = os.environ.get(AGENT_VARIABLE) or agent_id("local")
    lock = AgentLock(home, "local")
    if not lock.take(agent):
        _say_ready(ready)
        return

    from .store import open_store

    launcher: Launcher
    if kind == "fork":
        from .engines.local.forking import ForkLauncher, Zygote

        # Before anything is opened, so that a cold start pays for one interpreter only.
        first = Zygote.forked(home, open_store, lock, close=[] if ready is None else [ready])
        launcher = ForkLauncher(home, agent, first)
    else:
        from .engines.local.spawning import SpawnLauncher

        launcher = SpawnLauncher(home, agent)

    from .engines.local.agent import LocalAgent

    served = LocalAgent(open_store(home), lock, agent, launcher)
    signal.signal(signal.SIGTERM, lambda *_: served.stop())
    _say_ready(ready)
    served.run()


def _say_ready(ready: int | None) -> None:
    if ready is not None:
        # Who started the agent may not have waited for it.
        with contextlib.suppress(BrokenPipeError):
            os.write(ready, READY)
        os.close(ready)


if __name__ == "__main__":
    main()
