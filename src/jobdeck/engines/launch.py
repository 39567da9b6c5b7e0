"""Starting an agent as a detached process that outlives whoever starts it."""

from __future__ import annotations

import contextlib
import functools
import os
import select
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from .._errors import EngineError
from .bell import ring
from .lock import AgentLock
from .marks import AGENT_VARIABLE, JOB_VARIABLE, agent_id

BOOT = """
import os, sys
first, *rest = sys.argv.pop(1).split(os.pathsep)
sys.path.insert(0, first)
import jobdeck
del sys.path[0]
sys.path += [place for place in rest if place not in sys.path]
from jobdeck import _at_fork
_at_fork.put_off()
from jobdeck._agent import main
main()
"""
"""Finds jobdeck where the starting process has it, without letting that place shadow any other module."""

PACKAGE_HOME = str(Path(__file__).resolve().parents[2])
READY = b"ready\n"
LOG_LIMIT = 1 << 20
LOG_KEPT = 1 << 16
_PATIENCE = 30.0


def boot_command(interpreter: str, *arguments: str, path: Sequence[str] = ()) -> list[str]:
    """The command line that runs ``jobdeck._agent`` with these arguments in an interpreter.

    `path` is looked through last, for what jobdeck needs and the interpreter does not find by itself.
    """
    places = [PACKAGE_HOME, *(place for place in path if os.pathsep not in place)]
    return [interpreter, "-c", BOOT, os.pathsep.join(places), *arguments]


def ensure_agent(home: Path, engine: str, arguments: Sequence[str] = (), *, role: str | None = None) -> None:
    """Make sure that an agent of this engine is alive and knows that there is work.

    A job that is in the store before this is called is seen by the agent that is found alive here: an agent that
    ends looks into the store once more after it has freed its lock.

    Parameters
    ----------
    home, engine
        Whose agent it is: so its files are called.
    arguments, role
        What ``jobdeck._agent`` is told; the role is called like the engine if it is not given.

    Raises
    ------
    EngineError
        If an agent cannot be started; the message holds the end of its log.
    """
    if not _lock(home, engine).is_taken():
        said = _start(home, engine, arguments, role or engine)
        if said == "":
            # It had no time for a word: somebody killed it. Who asked for a job would take that for their own fault.
            said = _start(home, engine, arguments, role or engine)
        if said is not None:
            raise EngineError(
                f"the {engine} agent ended as soon as it was started; the end of {log_path(home, engine)}:\n"
                + (said or "(nothing: it was killed twice, perhaps by the system because memory ran short)")
            )
    ring(home, engine)


@functools.lru_cache(maxsize=64)
def _lock(home: Path, engine: str) -> AgentLock:
    # Only ever probed. To make its path anew at each submit would cost more than the probe.
    return AgentLock(home, engine)


def log_path(home: Path, engine: str) -> Path:
    """The agent's own log."""
    return home / "agents" / f"{engine}.log"


def trim_log(path: Path) -> None:
    """Keep the end of a log that has grown past its limit. Its writers append, so that they need not know."""
    with contextlib.suppress(FileNotFoundError), open(path, "r+b") as log:
        size = log.seek(0, os.SEEK_END)
        if size > LOG_LIMIT:
            log.seek(size - LOG_KEPT)
            kept = log.read()
            log.seek(0)
            log.write(kept)
            log.truncate()


def _start(home: Path, engine: str, arguments: Sequence[str], role: str) -> str | None:
    """Start an agent and wait until it works: None, or what one that ended before that has said in its log."""
    import subprocess

    path = log_path(home, engine)
    told, tell = os.pipe()
    try:
        path.parent.mkdir(mode=0o700, exist_ok=True)
        trim_log(path)
        log = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            begin = os.fstat(log).st_size
            os.set_inheritable(tell, True)
            command = boot_command(sys.executable, role, "--home", str(home), "--ready", str(tell), *arguments)
            environment = {**os.environ, AGENT_VARIABLE: agent_id(engine)}
            environment.pop(JOB_VARIABLE, None)
            first = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd=home,
                env=environment,
                pass_fds=(tell,),
                start_new_session=True,
            )
        finally:
            os.close(log)
            os.close(tell)
        said = _read_until_end(told, READY)
        # The process started here only forks the agent, so that no front end that kills its kernel's children finds it.
        first.wait()
    except OSError as error:
        raise EngineError(f"the {engine} agent cannot be started: {error}") from error
    finally:
        os.close(told)
    if READY in said:
        return None
    with open(path, "rb") as reader:
        reader.seek(max(begin, reader.seek(0, os.SEEK_END) - 4000))
        return reader.read().decode(errors="replace").strip()


def _read_until_end(pipe: int, word: bytes) -> bytes:
    """What was written until `word` came or all writers were gone."""
    said = b""
    deadline = time.monotonic() + _PATIENCE
    while word not in said:
        left = deadline - time.monotonic()
        if left <= 0 or not select.select([pipe], [], [], left)[0]:
            raise EngineError(
                f"an agent was started, but said nothing for {_PATIENCE:.0f} s; is the machine overloaded?"
            )
        part = os.read(pipe, 64)
        if not part:
            break
        said += part
    return said
