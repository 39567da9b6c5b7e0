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

import os
import sys

from . import _at_fork, _own_path

TYPE_CHECKING = False
if TYPE_CHECKING:
    # At run time nothing is loaded before the process that jobs are forked from exists, for it would have it all.
    from typing import Final, NoReturn

    from ._ports import Store
    from .engines.local.launcher import Launcher

_OF_JOBS: Final = (
    "cloudpickle",
    "jobdeck._program",
    "jobdeck.engines.bell",
    "jobdeck.engines.ending",
    "jobdeck.engines.local.handing",
    "jobdeck.engines.local.keeping",
)
"""What most jobs need, beside the store: a warm process that they are forked from has loaded it."""


def main(arguments: list[str] | None = None) -> None:
    """Run one of the roles in this process."""
    # Not by argparse: what it imports would be in each process that jobs are forked from.
    role, *options = sys.argv[1:] if arguments is None else arguments
    given = {name.removeprefix("--"): value for name, value in zip(options[::2], options[1::2], strict=True)}
    _own_path.keep()
    if role not in ("local", "zygote"):
        _at_fork.resume()
    if role == "local":
        _local(given["home"], _ready(given), given.get("launcher", _best_launcher()))
    elif role == "dask":
        _dask(given["home"], _ready(given), given["engine"])
    elif role == "zygote":
        _zygote(given)
    elif role == "keep":
        import pickle

        _store(given["home"]).set_outcome(given["job"], pickle.load(sys.stdin.buffer))
    elif role == "child":
        from .engines.local.assignment import Assignment
        from .engines.local.child import Work, prepare, run_job
        from .engines.local.inherited import Notice

        notice, home = int(given["notice"]), given["home"]
        os.set_inheritable(notice, False)
        prepare()
        run_job(Work(home, lambda: _store(home), Notice(notice)), Assignment(given["job"]), int(given["parent"]))
    else:
        sys.exit(f"jobdeck._agent: there is no role {role!r}")


def _ready(given: dict[str, str]) -> int | None:
    return int(given["ready"]) if "ready" in given else None


def _store(home: str) -> Store:
    from pathlib import Path

    from .store import open_store

    return open_store(Path(home))


def _zygote(given: dict[str, str]) -> NoReturn:
    from .engines.local.zygote import serve

    channel, home = int(given["channel"]), given["home"]
    # Before the import path is a kernel's, on which a file may be called like a module of the standard library.
    _warm_up()
    if "libraries" in given:
        from .engines.local.preloading import preload

        if not preload(given["libraries"].split(","), given["path"].split(os.pathsep)):
            _begin_again(["zygote", "--home", home, "--channel", str(channel)])
    os.set_inheritable(channel, False)
    serve(channel, home, lambda: _store(home))


def _warm_up() -> None:
    """Load what jobs need, so that those which are forked from this process find it there."""
    import atexit
    import logging
    from importlib import import_module

    from . import store  # noqa: F401 - for the jobs

    for name in _OF_JOBS:
        import_module(name)
    # A job's process does it at its end, where there is anything to do.
    atexit.unregister(logging.shutdown)


def _begin_again(arguments: list[str]) -> NoReturn:
    """Be a new process in the place of this one, without what it has imported."""
    from .engines.launch import boot_command

    print("jobdeck: a library has left threads behind; jobs are not forked from it", file=sys.stderr)
    os.execv(sys.executable, boot_command(sys.executable, *arguments, path=sys.path))


def _best_launcher() -> str:
    return "fork" if sys.platform == "linux" else "spawn"


def _local(home: str, ready: int | None, kind: str) -> None:
    _detach(ready)
    bare = None
    if kind == "fork":
        from .engines.local.zygote import fork_zygote

        # Before anything else is loaded or opened; without the lock it ends as soon as this process does.
        bare = fork_zygote(home, lambda: _store(home), lambda: _close(ready), is_bare=True)

    import signal
    from pathlib import Path

    from .engines.lock import AgentLock
    from .engines.marks import AGENT_VARIABLE, agent_id

    agent = os.environ.get(AGENT_VARIABLE) or agent_id("local")
    lock = AgentLock(Path(home), "local")
    if not lock.take(agent):
        _say_ready(ready)
        return
    launcher: Launcher
    if bare is not None:
        from .engines.local.forking import ForkLauncher, Zygote

        def leave() -> None:
            _close(ready, bare[0])
            lock.forget()

        # Before anything is opened, so that a cold start pays for one interpreter only.
        _warm_up()
        warm = fork_zygote(home, lambda: _store(home), leave, is_bare=False)
        launcher = ForkLauncher(Path(home), agent, Zygote.forked(*warm), Zygote.forked(*bare))
    else:
        from .engines.local.spawning import SpawnLauncher

        launcher = SpawnLauncher(Path(home), agent)
    _at_fork.resume()

    from .engines.local.agent import LocalAgent

    served = LocalAgent(_store(home), lock, agent, launcher)
    signal.signal(signal.SIGTERM, lambda *_: served.stop())
    _say_ready(ready)
    served.run()


def _dask(home: str, ready: int | None, engine: str) -> None:
    import signal
    from pathlib import Path

    from .engines.dask.address import file_name, kept_security, scheduler_address
    from .engines.dask.agent import DaskAgent
    from .engines.dask.cluster import Cluster
    from .engines.lock import AgentLock
    from .engines.marks import AGENT_VARIABLE, agent_id

    _detach(ready)
    agent = os.environ.get(AGENT_VARIABLE) or agent_id(file_name(engine))
    lock = AgentLock(Path(home), file_name(engine))
    if not lock.take(agent):
        _say_ready(ready)
        return
    address = scheduler_address(engine)
    served = DaskAgent(
        _store(home), lock, agent, engine, lambda topic: Cluster(address, topic, kept_security(Path(home), engine))
    )
    signal.signal(signal.SIGTERM, lambda *_: served.stop())
    _say_ready(ready)
    served.run()


def _detach(ready: int | None) -> None:
    """Become nobody's child, and deaf to what ends a terminal's processes."""
    from .engines.local import signals

    if ready is not None:
        os.set_inheritable(ready, False)
        # Its starter has started it for others, too: who ends a kernel's children must not find it among them.
        if os.fork():
            os._exit(0)
    for number in (signals.INT, signals.HUP):
        signals.handle(number, signals.IGNORE)


def _close(*fds: int | None) -> None:
    for fd in fds:
        if fd is not None:
            os.close(fd)


def _say_ready(ready: int | None) -> None:
    if ready is not None:
        from .engines.launch import READY

        # Who started the agent may not have waited for it.
        try:  # noqa: SIM105 - as in all of this file, nothing is loaded without need
            os.write(ready, READY)
        except BrokenPipeError:
            pass
        os.close(ready)


if __name__ == "__main__":
    main()
