"""The lock by which an agent is known to be alive."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from jobdeck._errors import EngineError
from jobdeck.engines.lock import AgentLock

HOLD = """
import sys, pathlib
from jobdeck.engines.lock import AgentLock
lock = AgentLock(pathlib.Path(sys.argv[1]), "local")
print(lock.take("first"), flush=True)
sys.stdin.read()
"""


@pytest.fixture
def holder(tmp_path: Path):
    process = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(tmp_path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout.readline() == "True\n"
    yield process
    process.kill()
    process.communicate()


def test_nobody_holds_a_lock_that_was_never_taken(tmp_path: Path) -> None:
    assert AgentLock(tmp_path, "local").holder() is None


def test_the_holder_is_told_and_a_second_agent_is_refused(tmp_path: Path, holder, descriptors) -> None:
    lock = AgentLock(tmp_path, "local")
    found = lock.holder()
    assert found.agent == "first"
    assert found.pid == holder.pid
    assert not lock.take("second")
    assert lock.holder().agent == "first"


def test_the_lock_is_free_once_its_holder_was_killed(tmp_path: Path, holder, descriptors) -> None:
    holder.send_signal(signal.SIGKILL)
    holder.wait()
    lock = AgentLock(tmp_path, "local")
    assert lock.holder() is None
    assert lock.take("second")
    lock.release()


def test_each_engine_has_its_own(tmp_path: Path, holder) -> None:
    other = AgentLock(tmp_path, "dask")
    assert other.take("other")
    other.release()


def test_a_fork_leaves_the_lock_with_the_process_that_took_it(tmp_path: Path) -> None:
    lock = AgentLock(tmp_path, "local")
    assert lock.take("parent")
    pid = os.fork()
    if pid == 0:
        lock.forget()
        os._exit(0)
    os.waitpid(pid, 0)
    assert AgentLock(tmp_path, "local").holder().agent == "parent"
    lock.release()
    assert AgentLock(tmp_path, "local").holder() is None


def test_probes_never_keep_an_agent_from_its_lock(tmp_path: Path) -> None:
    done = threading.Event()

    def probe() -> None:
        mine = AgentLock(tmp_path, "local")
        while not done.is_set():
            mine.holder()

    probes = [threading.Thread(target=probe) for _ in range(4)]
    for thread in probes:
        thread.start()
    try:
        lock = AgentLock(tmp_path, "local")
        for _ in range(200):
            assert lock.take("agent")
            lock.release()
    finally:
        done.set()
        for thread in probes:
            thread.join()


def test_a_holder_that_has_not_yet_said_its_name_counts_as_alive(tmp_path: Path, holder) -> None:
    (tmp_path / "agents" / "local.lock").write_text("")
    assert AgentLock(tmp_path, "local").holder().agent is None


def test_a_lock_that_was_deleted_is_seen_as_out_of_place(tmp_path: Path) -> None:
    lock = AgentLock(tmp_path, "local")
    assert lock.take("agent")
    assert lock.in_place()
    lock.path.unlink()
    assert not lock.in_place()
    lock.release()


def test_a_home_that_cannot_be_written_is_an_engine_error(tmp_path: Path) -> None:
    (tmp_path / "agents").write_text("a file where a folder should be")
    with pytest.raises(EngineError, match="cannot be opened"):
        AgentLock(tmp_path, "local").take("agent")
