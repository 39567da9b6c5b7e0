"""Who writes next: those who publish stand in line, all others go first, and nobody's death or pause holds them up."""

from __future__ import annotations

import contextlib
import os
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from jobdeck._records import JobQuery
from jobdeck.store import SQLiteStore, open_store
from jobdeck.store.line import LINE, PEN, WAY, Place

from .conftest import running

Take = Callable[[str], "subprocess.Popen[str]"]

_HOLDER = """
import os, sys
from pathlib import Path
from jobdeck.store.line import Place
place = Place(Path(sys.argv[1]))
getattr(place, sys.argv[2])()
print("held", flush=True)
sys.stdin.read()
"""

# A program that forks in the middle of what it writes, as a signal's handler may, and whose child lives on.
_FORKING = """
import os, sys
from pathlib import Path
from jobdeck.store import open_store
store = open_store(Path(sys.argv[1]))
def fork(link):
    if os.fork() == 0:
        print("forked", flush=True)
    sys.stdin.read()
    os._exit(0)
store._db.write_in_turn(fork)
"""


@pytest.fixture
def hold(home: Path) -> Iterator[Take]:
    """Has another process take a place; it is gone after the test."""
    holders: list[subprocess.Popen[str]] = []

    def held(how: str, script: str = _HOLDER) -> subprocess.Popen[str]:
        command = [sys.executable, "-W", "error", "-c", script, str(home), how]
        holder = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, start_new_session=True
        )
        holders.append(holder)
        assert holder.stdout.readline()
        return holder

    yield held
    for holder in holders:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(holder.pid, signal.SIGKILL)
        holder.wait(30)
        holder.stdin.close()
        holder.stdout.close()


def _begin(work: Callable[[], object]) -> threading.Thread:
    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    return thread


def _wait_for(happened: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 30
    while not happened():
        assert time.monotonic() < deadline
        time.sleep(0.001)


def _waiting(home: Path) -> int:
    """How many wait in the kernel for the line."""
    inode = f":{(home / LINE).stat().st_ino} "
    return sum("->" in row and inode in row for row in Path("/proc/locks").read_text().splitlines())


def _holders(home: Path, name: str) -> int:
    """How many have this lock."""
    inode = f":{(home / name).stat().st_ino} "
    return sum("->" not in row and inode in row for row in Path("/proc/locks").read_text().splitlines())


def _in_line(home: Path, came: list[object], name: object) -> threading.Thread:
    """A thread that queues and notes when it is its turn."""

    def queue() -> None:
        place = Place(home)
        place.queue()
        came.append(name)
        place.leave()
        place.close()

    return _begin(queue)


def test_those_in_line_are_served_in_the_order_in_which_they_came(store, home):
    first = Place(home)
    first.queue()
    came: list[object] = []
    threads = []
    for number in range(5):
        threads.append(_in_line(home, came, number))
        _wait_for(lambda: _waiting(home) == len(threads))
    first.leave()
    for thread in threads:
        thread.join(30)
    assert came == [0, 1, 2, 3, 4]
    first.close()


def test_who_has_the_right_of_way_waits_for_none_of_those_in_line_and_they_wait_for_it(store, home):
    first, urgent, other = Place(home), Place(home), Place(home)
    first.queue()
    came: list[object] = []
    thread = _in_line(home, came, "in line")
    _wait_for(lambda: _waiting(home) == 1)
    urgent.overtake()
    other.overtake()
    first.leave()
    came.append("urgent")
    urgent.leave()
    came.append("other")
    other.leave()
    thread.join(30)
    assert came == ["urgent", "other", "in line"]
    for place in (first, urgent, other):
        place.close()


def test_those_with_the_right_of_way_hand_on_the_pen(home, monkeypatch):
    monkeypatch.setattr("jobdeck.store.line._TRIES", 100_000)
    home.mkdir()
    writing, other = Place(home), Place(home)
    writing.overtake()
    came: list[object] = []
    thread = _begin(lambda: (other.overtake(), came.append("other"), other.leave()))
    _wait_for(lambda: _holders(home, WAY) == 2)
    came.append("writing")
    writing.leave()
    thread.join(30)
    assert came == ["writing", "other"]
    assert _holders(home, PEN) == 0
    for place in (writing, other):
        place.close()


def test_a_cancel_goes_before_the_messages_that_wait(store, home, hold):
    asked, publishing = running(store), running(store)
    holder = hold("queue")
    threads = [_begin(lambda: store.add_message(publishing.job_id, "1")) for _ in range(4)]
    _wait_for(lambda: _waiting(home) == 4)
    assert store.ask(asked.job_id, "cancel", "test").cancel_state == "requested"
    assert store.last_seqs([publishing.job_id]) == {}
    holder.stdin.close()
    for thread in threads:
        thread.join(30)
    assert store.last_seqs([publishing.job_id]) == {publishing.job_id: 4}


@pytest.mark.parametrize("how", ["queue", "overtake"])
def test_a_process_that_is_killed_frees_its_place(store, hold, how):
    job = running(store)
    holder = hold(how)
    thread = _begin(lambda: store.add_message(job.job_id, "1"))
    os.kill(holder.pid, signal.SIGKILL)
    thread.join(30)
    assert store.last_seqs([job.job_id]) == {job.job_id: 1}


def test_a_process_that_is_stopped_in_the_line_does_not_hold_up_a_cancel(store, hold):
    job = running(store)
    holder = hold("queue")
    os.kill(holder.pid, signal.SIGSTOP)
    assert store.ask(job.job_id, "cancel", "test").cancel_state == "requested"
    assert store.set_setting("max_workers", "3") is None


def test_a_process_that_is_stopped_with_the_right_of_way_does_not_keep_others_from_writing(store, hold):
    job = running(store)
    holder = hold("overtake")
    os.kill(holder.pid, signal.SIGSTOP)
    assert store.add_message(job.job_id, "1") == 1
    assert store.ask(job.job_id, "cancel", "test").cancel_state == "requested"


def test_a_child_that_was_forked_in_the_middle_of_a_write_holds_no_place_when_its_parent_is_killed(store, hold):
    job = running(store)
    parent = hold("", _FORKING)
    os.kill(parent.pid, signal.SIGKILL)
    parent.wait(30)
    assert store.add_message(job.job_id, "1") == 1


def test_two_threads_of_a_process_are_never_served_at_once(store, home):
    inside: list[int] = []
    most: list[int] = []

    def work() -> None:
        place = Place(home)
        for _ in range(200):
            place.queue()
            inside.append(1)
            most.append(len(inside))
            inside.pop()
            place.leave()
        place.close()

    threads = [_begin(work) for _ in range(4)]
    for thread in threads:
        thread.join(30)
    assert len(most) == 800
    assert set(most) == {1}


def test_an_interrupt_reaches_who_waits_in_the_line(store, home, hold):
    job = running(store)
    holder = hold("queue")

    def interrupt() -> None:
        _wait_for(lambda: _waiting(home) == 1)
        signal.pthread_kill(threading.main_thread().ident, signal.SIGINT)

    thread = _begin(interrupt)
    with pytest.raises(KeyboardInterrupt):
        store.add_message(job.job_id, "1")
    thread.join(30)
    holder.stdin.close()
    holder.wait(30)
    # It has left the line, too.
    assert store.add_message(job.job_id, "1") == 1


def test_a_signals_handler_publishes_in_the_middle_of_a_message(store):
    job = running(store)
    seqs: list[int] = []

    def handle(number: int, frame: object) -> None:
        seqs.append(store.add_message(job.job_id, '"handler"'))

    def work(link: object) -> None:
        os.kill(os.getpid(), signal.SIGUSR1)

    before = signal.signal(signal.SIGUSR1, handle)
    try:
        store._db.write_in_turn(work)
    finally:
        signal.signal(signal.SIGUSR1, before)
    assert seqs == [1]
    assert store.add_message(job.job_id, '"after"') == 2


@pytest.mark.parametrize("name", [LINE, WAY])
def test_a_store_whose_line_cannot_be_opened_works_without_one(home, name):
    (home / name).mkdir(mode=0o700, parents=True)
    home.chmod(0o700)
    store = open_store(home)
    job = running(store)
    assert store.add_message(job.job_id, "1") == 1
    assert store.ask(job.job_id, "cancel", "test").cancel_state == "requested"
    store.close()


def test_who_knows_nothing_of_the_line_still_waits_for_the_one_whose_turn_it_is(store, home):
    job = running(store)
    old = sqlite3.connect(home / "jobdeck.db", isolation_level=None, timeout=0)

    def work(link: object) -> None:
        with pytest.raises(sqlite3.OperationalError, match="locked"):
            old.execute("BEGIN IMMEDIATE")

    store._db.write_in_turn(work)
    old.execute("BEGIN IMMEDIATE")
    thread = _begin(lambda: store.add_message(job.job_id, "1"))
    old.execute("ROLLBACK")
    thread.join(30)
    assert store.last_seqs([job.job_id]) == {job.job_id: 1}
    old.close()


def test_on_a_network_file_system_there_is_no_line(connect, home):
    store = connect(home)
    job = running(store)
    store.add_message(job.job_id, "1")
    assert (home / LINE).exists() == (store._db.file_system == "ext4")
    assert store.count(JobQuery()) == 1
    store.close()


def test_a_line_leaves_no_file_open(home):
    store: SQLiteStore = open_store(home)
    job = running(store)
    store.add_message(job.job_id, "1")
    store.close()
    links = (f"/proc/self/fd/{fd}" for fd in os.listdir("/proc/self/fd"))
    assert not [link for link in links if os.path.exists(link) and os.readlink(link).startswith(str(home))]
