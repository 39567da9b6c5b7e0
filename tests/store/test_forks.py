"""Threads, forks and signals: each has its own way to ruin a database connection, and none does."""

from __future__ import annotations

import gc
import os
import signal
import threading
import time
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from jobdeck._errors import StoreError
from jobdeck._records import JobQuery
from jobdeck.store import SQLiteStore, open_store

from .conftest import new_job, running


def _open_files(home: Path) -> list[str]:
    """Files of the home that this process has open."""
    found = []
    for fd in os.listdir("/proc/self/fd"):
        try:
            found.append(os.readlink(f"/proc/self/fd/{fd}"))
        except FileNotFoundError:
            continue
    return sorted(name for name in found if name.startswith(str(home)))


def _in_child(work: Callable[[], object]) -> int:
    child = os.fork()
    if child == 0:
        code = 1
        try:
            work()
            code = 0
        except BaseException:  # noqa: BLE001 - the child must not return into the test
            traceback.print_exc()
        finally:
            os._exit(code)
    return child


def _exit_code(child: int) -> int:
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def test_a_closed_store_leaves_no_file_open(home, connect):
    store = connect(home)
    job = running(store)
    threads = [threading.Thread(target=store.add_message, args=(job.job_id, "1")) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    store.jobs(JobQuery())
    assert _open_files(home)
    store.close()
    assert _open_files(home) == []


def test_a_thread_that_ends_takes_its_connection_with_it(store, home):
    job = running(store)

    def publish_in_threads(count: int) -> list[str]:
        for _ in range(count):
            thread = threading.Thread(target=store.add_message, args=(job.job_id, "1"))
            thread.start()
            thread.join()
        gc.collect()
        return _open_files(home)

    # SQLite itself keeps one descriptor of a closed connection while others hold locks, and uses it for the next one.
    before = publish_in_threads(1)
    assert publish_in_threads(20) == before


def test_a_store_that_is_forgotten_leaves_no_file_open(home):
    store = open_store(home)
    store.add_job(new_job())
    del store
    gc.collect()
    assert [name for name in _open_files(home) if "jobdeck.db" in name] == []


@pytest.mark.parametrize("name", ["jobdeck.db", "presence.lock", "store.lock"])
def test_a_store_that_could_not_be_opened_leaves_no_file_open(home, name):
    open_store(home).close()
    (home / name).unlink()
    (home / name).mkdir()
    with pytest.raises(StoreError, match="could not be used"):
        open_store(home)
    gc.collect()
    assert _open_files(home) == []


def test_a_forked_child_publishes_on_its_own_connection_and_the_parent_goes_on(home, connect):
    store = connect(home)
    job = running(store)
    assert store.add_message(job.job_id, '"parent"') == 1
    child = _in_child(lambda: store.add_message(job.job_id, '"child"'))
    assert _exit_code(child) == 0
    assert store.add_message(job.job_id, '"parent"') == 3
    assert [message.body for message in store.messages(job.job_id)] == ['"parent"', '"child"', '"parent"']
    store.close()


def test_what_a_child_commits_after_its_parent_has_closed_the_store_is_not_lost(home, connect):
    store = connect(home)
    job = running(store)
    told, tell = os.pipe()
    go, let = os.pipe()

    def work() -> None:
        store.add_message(job.job_id, '"first"')
        os.write(tell, b".")
        os.read(go, 1)
        store.add_message(job.job_id, '"second"')
        store.close()

    child = _in_child(work)
    os.read(told, 1)
    store.close()
    other = connect(home)
    other.add_message(job.job_id, '"other"')
    os.write(let, b".")
    assert _exit_code(child) == 0
    assert [message.body for message in other.messages(job.job_id)] == ['"first"', '"other"', '"second"']
    other.close()
    for pipe in (told, tell, go, let):
        os.close(pipe)


def test_a_child_inherits_no_connection(store, home):
    store.add_job(new_job())
    threading.Thread(target=store.jobs, args=(JobQuery(),)).start()

    def work() -> None:
        assert [name for name in _open_files(home) if "jobdeck.db" in name] == []

    assert _exit_code(_in_child(work)) == 0


def test_forks_while_threads_publish_neither_hang_nor_lose(store):
    job = running(store)
    stop = threading.Event()
    counts = [0] * 3

    def publish(which: int) -> None:
        while not stop.is_set():
            store.add_message(job.job_id, f'"thread {which}"')
            counts[which] += 1

    threads = [threading.Thread(target=publish, args=(which,)) for which in range(3)]
    for thread in threads:
        thread.start()
    children = []
    for number in range(15):
        children.append(_in_child(lambda number=number: store.add_message(job.job_id, f'"child {number}"')))
    codes = [_exit_code(child) for child in children]
    stop.set()
    for thread in threads:
        thread.join()
    assert codes == [0] * 15
    messages = store.messages(job.job_id)
    assert [message.seq for message in messages] == list(range(1, len(messages) + 1))
    assert len(messages) == sum(counts) + 15
    assert len({message.body for message in messages if "child" in message.body}) == 15


def test_threads_and_forked_publishers_interleave_without_gaps(store):
    job = running(store)

    def publish_in_threads() -> None:
        threads = [threading.Thread(target=publish) for _ in range(3)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    def publish() -> None:
        for _ in range(50):
            store.add_message(job.job_id, "1")

    children = [_in_child(publish_in_threads) for _ in range(3)]
    publish()
    assert [_exit_code(child) for child in children] == [0, 0, 0]
    assert [message.seq for message in store.messages(job.job_id)] == list(range(1, 501))


@pytest.fixture
def alarm() -> Iterator[Callable[[Callable[[], object]], None]]:
    """Has a function called by a signal every millisecond, wherever the main thread is just then."""
    before = signal.getsignal(signal.SIGALRM)

    def start(work: Callable[[], object]) -> None:
        signal.signal(signal.SIGALRM, lambda number, frame: work())
        signal.setitimer(signal.ITIMER_REAL, 0.001, 0.001)

    yield start
    signal.setitimer(signal.ITIMER_REAL, 0)
    signal.signal(signal.SIGALRM, before)


def test_a_signals_handler_may_publish_in_the_middle_of_another_call(store, alarm):
    job = running(store)
    handled = 0

    def publish() -> None:
        nonlocal handled
        store.add_message(job.job_id, '"handler"')
        handled += 1

    alarm(publish)
    deadline = time.monotonic() + 60
    rounds = 0
    while handled < 200 and time.monotonic() < deadline:
        store.set_progress(job.job_id, rounds, None, None)
        store.add_message(job.job_id, '"main"')
        rounds += 1
    signal.setitimer(signal.ITIMER_REAL, 0)
    assert handled >= 200
    messages = store.messages(job.job_id)
    assert [message.seq for message in messages] == list(range(1, rounds + handled + 1))
    assert sum(message.body == '"handler"' for message in messages) == handled


def test_an_interrupt_in_the_middle_of_a_call_leaves_all_or_nothing(store, home, alarm):
    class Interrupt(BaseException):
        pass

    is_armed = False

    def interrupt() -> None:
        nonlocal is_armed
        if is_armed:
            is_armed = False
            raise Interrupt

    other = open_store(home)
    interrupted = added = 0
    alarm(interrupt)
    deadline = time.monotonic() + 60
    while interrupted < 200 and time.monotonic() < deadline:
        try:
            is_armed = True
            while True:
                store.add_job(new_job(submitted=False))
                added += 1
        except Interrupt:
            interrupted += 1
    signal.setitimer(signal.ITIMER_REAL, 0)
    assert interrupted >= 200
    # Each interrupted call may have committed before it was interrupted; nobody is left waiting for its lock.
    count = other.count(JobQuery())
    assert added <= count <= added + interrupted
    jobs = other.jobs(JobQuery(descending=False))
    assert [other.payload(job.job_id).program for job in jobs[-5:]] == [b"a program"] * 5
    other.set_setting("still", "writable")
    assert store.setting("still") == "writable"
    other.close()


def test_a_fork_in_the_middle_of_a_transaction_leaves_it_to_the_parent(store: SQLiteStore):
    job = running(store)
    children: list[int] = []

    def work(link: object) -> None:
        store.add_message(job.job_id, '"in the transaction"')
        children.append(_in_child(lambda: store.count(JobQuery())))

    store._db.write(work)
    assert [_exit_code(child) for child in children] == [0]
    assert store.add_message(job.job_id, "1") == 2
    assert store.messages(job.job_id)[0].body == '"in the transaction"'
