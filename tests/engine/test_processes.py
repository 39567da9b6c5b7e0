"""What comes of a process is found, whichever of its threads has started it."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from jobdeck.engines import processes

_FAMILY = """
import subprocess, sys, threading
started = []
def start(*command):
    started.append(subprocess.Popen([sys.executable, "-c", *command], stdin=subprocess.PIPE, stdout=subprocess.PIPE))
    started[-1].stdout.readline()
leaf = "print(flush=True); import sys; sys.stdin.read()"
branch = "import subprocess, sys; p = subprocess.Popen([sys.executable, '-c', sys.argv[1]]); p.wait()"
start(leaf)
thread = threading.Thread(target=start, args=(branch, leaf))
thread.start()
thread.join()
print("ready", flush=True)
sys.stdin.read()
"""


@pytest.fixture
def family() -> Iterator[subprocess.Popen[bytes]]:
    """A process with a child, and another one from a thread, which has a child, too."""
    head = subprocess.Popen([sys.executable, "-c", _FAMILY], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert head.stdout is not None
    assert head.stdin is not None
    assert head.stdout.readline() == b"ready\n"
    yield head
    left = processes.descendants(head.pid)
    head.kill()
    head.wait(30)
    assert processes.kill_all(left) == []
    head.stdin.close()
    head.stdout.close()


@pytest.fixture(params=["by the system's lists", "by looking at all processes"])
def how(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The two ways in which children are found; not every system has the lists."""
    if request.param == "by looking at all processes":
        monkeypatch.setattr(processes, "_LISTS", tmp_path / "no-such-file")
    elif not processes._LISTS.exists():
        pytest.skip("lists of children are Linux's")


@pytest.mark.usefixtures("how")
def test_all_that_comes_of_a_process_is_found(family: subprocess.Popen[bytes]) -> None:
    children = {child.pid for child in processes.children(family.pid)}
    found = {process.pid: process.ppid() for process in processes.descendants(family.pid)}
    assert len(children) == 2
    assert len(found) == 3
    assert children < found.keys()
    assert [parent in children for pid, parent in found.items() if pid not in children] == [True]
    known = min(children)
    assert {child.pid for child in processes.children(family.pid, [known])} == children - {known}
    assert family.pid in {child.pid for child in processes.children(os.getpid())}


@pytest.mark.usefixtures("how")
def test_nothing_comes_of_a_process_that_is_gone(family: subprocess.Popen[bytes]) -> None:
    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait(30)
    assert processes.children(gone.pid) == processes.descendants(gone.pid) == []
