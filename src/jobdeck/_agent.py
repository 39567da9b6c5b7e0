"""The agents' processes: ``python -m jobdeck._agent ROLE …``. Wires the store into the engines.

Roles: ``local`` is the local engine's agent, ``dask`` that of a scheduler; ``zygote`` and ``child`` are
what the local one starts in other interpreters;
``keep`` stores the outcome of a job whose own process has lost its connection. Options come in pairs:

======================  ==================================================================
``--home``              the store's home, for all of them
``--ready``             ``local``, ``dask``: descriptor on which to say that the agent is up
``--engine``            ``dask``: the engine's name
``--launcher``          ``local``: ``fork`` or ``spawn``
``--channel``           ``zygote``: descriptor of its socket
``--libraries, --path`` ``zygote``: what to import before any job, and the import path for that
``--job``               ``child``, ``keep``: the job
``--notice, --parent``  ``child``: where to say that an interrupt was seen, and to whom
======================  ==================================================================
"""

from __future__ import annotations

import contextlib
import os
import pickle
import signal
import socket
import sys
from pathlib import Path
from typing import NoReturn

from . import _at_fork
from .engines.launch import READY, boot_command
from .engines.local.launcher import Launcher
from .engines.lock import AgentLock
from .engines.marks import AGENT_VARIABLE, agent_id


def main(arguments: list[str] | None = None) -> None:
    """Run one of the roles in this process."""
    # Not by argparse: what it imports would be in each process that jobs are forked from.
    role, *options = sys.argv[1:] if arguments is None else arguments
    given = {name.removeprefix("--"): value for name, value in zip(options[::2], options[1::2], strict=True)}
    home = Path(given["home"])
    if role not in ("local", "zygote"):
        _at_fork.resume()
    if role == "local":
        ready = int(given["ready"]) if "ready" in given else None
        _local(home, ready, given.get("launcher", _best_launcher()))
    elif role == "dask":
        _dask(home, int(given["ready"]) if "ready" in given else None, given["engine"])
    elif role == "zygote":
        from .engines.local.zygote import serve
        from .store import open_store

        channel = int(given["channel"])
        if "libraries" in given:
            from .engines.local.preloading import preload

            if not preload(given["libraries"].split(","), given["path"].split(os.pathsep)):
                _begin_again(["zygote", "--home", str(home), "--channel", str(channel)])
        os.set_inheritable(channel, False)
        serve(socket.socket(fileno=channel), home, open_store)
    elif role == "keep":
        from .store import open_store

        open_store(home).set_outcome(given["job"], pickle.load(sys.stdin.buffer))
    elif role == "child":
        from .engines.local.child import Assignment, Work, prepare, run_job
        from .engines.local.inherited import Lines, Notice
        from .store import open_store

        notice = int(given["notice"])
        os.set_inheritable(notice, False)
        prepare()
        run_job(Work(home, open_store, Lines(Notice(notice))), Assignment(given["job"]), int(given["parent"]))
    else:
        sys.exit(f"jobdeck._agent: there is no role {role!r}")


def _begin_again(arguments: list[str]) -> NoReturn:
    """Be a new process in the place of this one, without what it has imported."""
    print("jobdeck: a library has left threads behind; jobs are not forked from it", file=sys.stderr)
    os.execv(sys.executable, boot_command(sys.executable, *arguments, path=sys.path))


def _best_launcher() -> str:
    return "fork" if sys.platform == "linux" else "spawn"


def _local(home: Path, ready: int | None, kind: str) -> None:
    _detach(ready)
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
    _at_fork.resume()

    from .engines.local.agent import LocalAgent

    served = LocalAgent(open_store(home), lock, agent, launcher)
    signal.signal(signal.SIGTERM, lambda *_: served.stop())
    _say_ready(ready)
    served.run()


def _dask(home: Path, ready: int | None, engine: str) -> None:
    from .engines.dask.address import file_name, kept_security, scheduler_address
    from .engines.dask.agent import DaskAgent
    from .engines.dask.cluster import Cluster
    from .store import open_store

    _detach(ready)
    agent = os.environ.get(AGENT_VARIABLE) or agent_id(file_name(engine))
    lock = AgentLock(home, file_name(engine))
    if not lock.take(agent):
        _say_ready(ready)
        return
    address = scheduler_address(engine)
    served = DaskAgent(
        open_store(home), lock, agent, engine, lambda topic: Cluster(address, topic, kept_security(home, engine))
    )
    signal.signal(signal.SIGTERM, lambda *_: served.stop())
    _say_ready(ready)
    served.run()


def _detach(ready: int | None) -> None:
    """Become nobody's child, and deaf to what ends a terminal's processes."""
    if ready is not None:
        os.set_inheritable(ready, False)
        # Its starter has started it for others, too: who ends a kernel's children must not find it among them.
        if os.fork():
            os._exit(0)
    for number in (signal.SIGINT, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)


def _say_ready(ready: int | None) -> None:
    if ready is not None:
        # Who started the agent may not have waited for it.
        with contextlib.suppress(BrokenPipeError):
            os.write(ready, READY)
        os.close(ready)


if __name__ == "__main__":
    main()
