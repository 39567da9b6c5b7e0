"""What the documentation of ``concurrent.futures`` promises, point by point, where another test does not show it."""

from __future__ import annotations

import gc
import os
import subprocess
import sys
import textwrap
import threading
import time
import weakref
from concurrent.futures import FIRST_EXCEPTION, as_completed, wait
from concurrent.futures import TimeoutError as FuturesTimeoutError

import cloudpickle
import pytest

from jobdeck import Deck, JobExecutor, RuntimeJobFailureError

cloudpickle.register_pickle_by_value(sys.modules[__name__])

PATIENCE = 60


def double(x):
    return 2 * x


def fail(words):
    raise KeyError(words)


class Unsendable(Exception):
    def __init__(self, first, second):
        super().__init__(f"{first} and {second}")


def fail_unsendably():
    raise Unsendable("this", "that")


def wait_for(path):
    while not os.path.exists(path):
        time.sleep(0.01)
    return "went on"


def talk(words):
    print(words)
    print("to stderr", file=sys.stderr)
    os.write(1, b"by the number\n")
    subprocess.run([sys.executable, "-S", "-c", "print('from a child')"], check=True)


def talk_and_fail():
    print("before the end")
    raise KeyError("the end")


def chatter(letter):
    print(letter * 3_000_000)


@pytest.fixture(params=[True, False], ids=["isolated", "shared"], scope="module")
def executor(request, shared_home):
    """One of each kind for all tests: its processes are started once."""
    with JobExecutor(2, isolate=request.param, home=shared_home) as made:
        yield made


@pytest.fixture(scope="module")
def shared(shared_home):
    with JobExecutor(1, isolate=False, home=shared_home) as made:
        yield made


def log_of(future):
    future.job.wait_for_final_state(PATIENCE)
    return future.job.logs()


def wait_until(condition):
    for _ in range(PATIENCE * 100):
        if condition():
            return
        time.sleep(0.01)
    raise TimeoutError


# --- map


def test_map_reads_its_iterables_no_further_ahead_than_it_is_told(executor):
    read = []

    def items():
        for number in range(10):
            read.append(number)
            yield number

    results = executor.map(double, items(), buffersize=2)
    assert read == [0, 1]
    assert next(results) == 0
    assert read == [0, 1]
    assert next(results) == 2
    assert read == [0, 1, 2]
    assert list(results) == [4, 6, 8, 10, 12, 14, 16, 18]
    assert list(executor.map(double, range(5), chunksize=2, buffersize=1)) == [0, 2, 4, 6, 8]


def test_map_refuses_a_wrong_buffersize(executor):
    for wrong, kind in ((0, ValueError), (-1, ValueError), (1.5, TypeError), (True, TypeError)):
        with pytest.raises(kind, match="buffersize"):
            executor.map(double, [1], buffersize=wrong)


def test_map_submits_at_once_and_cancels_the_rest_where_nobody_wants_it(executor, tmp_path):
    go = tmp_path / "go"
    results = executor.map(wait_for, [go] * 8)
    blocked = executor.submit(double, 1)
    assert not blocked.done()
    results.close()
    go.touch()
    assert blocked.result(PATIENCE) == 2
    assert list(executor.map(double, [1], [])) == []


def test_map_times_out_by_the_time_since_its_call(executor, tmp_path):
    results = executor.map(wait_for, [tmp_path / "never"], timeout=0.1)
    with pytest.raises(FuturesTimeoutError):
        next(results)
    (tmp_path / "never").touch()


# --- futures


def test_an_exception_is_one_object_with_the_traceback_of_its_process(executor):
    future = executor.submit(fail, "gone")
    with pytest.raises(KeyError, match="gone") as raised:
        future.result(PATIENCE)
    assert raised.value is future.exception(0)
    assert isinstance(raised.value.__cause__, RuntimeJobFailureError)
    assert "in fail" in raised.value.__cause__.remote_traceback


def test_an_exception_that_does_not_survive_the_way_is_told_in_words_and_breaks_nothing(executor):
    error = executor.submit(fail_unsendably).exception(PATIENCE)
    assert isinstance(error, RuntimeJobFailureError)
    assert "Unsendable: this and that" in str(error)
    assert executor.submit(double, 1).result(PATIENCE) == 2


def test_waiting_ends_with_the_first_exception_and_as_completed_with_its_timeout(executor, tmp_path):
    slow = executor.submit(wait_for, tmp_path / "go")
    done, pending = wait([slow, executor.submit(fail, "first")], PATIENCE, FIRST_EXCEPTION)
    assert (len(done), pending) == (1, {slow})
    with pytest.raises(FuturesTimeoutError):
        list(as_completed([slow], timeout=0.01))
    (tmp_path / "go").touch()
    assert slow.result(PATIENCE) == "went on"


def test_a_result_that_is_not_there_in_time_is_a_timeout_and_comes_all_the_same(executor, tmp_path):
    future = executor.submit(wait_for, tmp_path / "go")
    for ask in (future.result, future.exception):
        with pytest.raises(FuturesTimeoutError):
            ask(0.01)
    (tmp_path / "go").touch()
    assert future.result(PATIENCE) == "went on"
    assert not future.cancel()


def test_callbacks_are_called_in_order_and_one_that_raises_keeps_no_other_from_it(executor, caplog):
    called, seen = threading.Event(), []
    future = executor.submit(double, 1)
    future.add_done_callback(lambda done: seen.append(done.result()))
    future.add_done_callback(lambda done: 1 / 0)
    future.add_done_callback(lambda done: called.set())
    assert called.wait(PATIENCE)
    assert seen == [2]
    future.add_done_callback(lambda done: seen.append("at once"))
    assert seen == [2, "at once"]


# --- executors


def test_an_executor_is_not_sent_to_its_own_processes(executor):
    error = executor.submit(double, executor).exception(PATIENCE)
    assert "make one there" in f"{error} {error.__cause__}"


def test_leaving_a_block_waits_also_where_an_exception_leaves_it(shared_home):
    futures = []

    def leave():
        with JobExecutor(1, home=shared_home) as executor:
            futures.append(executor.submit(double, 1))
            raise LookupError("out")

    with pytest.raises(LookupError, match="out"):
        leave()
    assert futures[0].done()


def test_one_that_is_shut_down_maps_nothing(shared_home):
    executor = JobExecutor(1, home=shared_home)
    executor.shutdown()
    with pytest.raises(RuntimeError, match="after shutdown"):
        executor.map(double, [1])


def test_shutdown_need_not_wait_and_the_group_has_its_total_then(executor, tmp_path):
    home = executor.home
    other = JobExecutor(1, isolate=executor._is_isolated, home=home, name="brief")
    futures = [other.submit(wait_for, tmp_path / "go") for _ in range(3)]
    group = other.group
    other.shutdown(wait=False)
    assert not futures[0].done()
    (tmp_path / "go").touch()
    assert [future.result(PATIENCE) for future in futures] == ["went on"] * 3
    wait_until(lambda: other._service.store.group(group.group_id).total == 3)


def test_calls_that_are_deleted_before_it_is_shut_down_are_not_waited_for(shared_home):
    other = JobExecutor(1, home=shared_home, name="thinned")
    store = other._service.store
    first, second = (other.submit(double, number).job for number in (1, 2))
    wait_until(lambda: first.in_final_state() and second.in_final_state())
    store.delete_job(first.job_id())
    other.shutdown()
    wait_until(lambda: store.group(other.group.group_id).total == 1)


def test_one_whose_calls_were_all_deleted_leaves_no_thread(shared_home):
    before = set(threading.enumerate())
    other = JobExecutor(1, home=shared_home, name="emptied")
    job = other.submit(double, 3).job
    wait_until(job.in_final_state)
    other._service.store.delete_job(job.job_id())
    other.shutdown()
    wait_until(lambda: not set(threading.enumerate()) - before)


def test_one_that_nobody_has_any_more_finishes_its_calls_and_leaves_no_thread(executor, tmp_path):
    before = set(threading.enumerate())
    other = JobExecutor(1, isolate=executor._is_isolated, home=executor.home, name="dropped")
    futures = [other.submit(wait_for, tmp_path / "go") for _ in range(2)]
    is_there = weakref.ref(other)
    del other
    gc.collect()
    assert is_there() is None
    (tmp_path / "go").touch()
    assert [future.result(PATIENCE) for future in futures] == ["went on"] * 2
    # The follower and what Python's pools keep for their queues are the process's own.
    names = ("jobdeck-executor", "jobdeck-shared")
    wait_until(lambda: not [each for each in set(threading.enumerate()) - before if each.name in names])


LEAVING = """
    import os, sys
    from jobdeck import JobExecutor

    def note(number):
        print("call", number)
        return number

    if __name__ == "__main__":
        home, kind = sys.argv[1:]
        executor = JobExecutor(1, isolate=kind == "isolated", home=home, name="left")
        for number in range(4):
            executor.submit(note, number)
        child = os.fork()
        if not child:
            sys.exit(0)  # with all that Python does at an exit
        assert os.waitpid(child, 0)[1] == 0
"""


@pytest.mark.parametrize("kind", ["isolated", "shared"])
def test_calls_left_at_the_end_of_the_process_are_made_and_a_forked_child_holds_up_nothing(kind, home, tmp_path):
    script = tmp_path / "leaving.py"
    script.write_text(textwrap.dedent(LEAVING))
    leaving = [sys.executable, "-W", "ignore::DeprecationWarning", script, home, kind]
    subprocess.run(leaving, check=True, timeout=PATIENCE)
    with Deck(home=home) as deck:
        (group,) = deck.groups(name="left")
        group.wait(PATIENCE)
        assert [(str(job.status()), job.result(), job.logs()) for job in group.jobs()] == [
            ("DONE", number, f"call {number}\n") for number in range(4)
        ]


def test_a_block_that_watches_counts_its_calls_once(executor):
    with Deck(home=executor.home) as deck, deck.watching() as block:
        assert executor.submit(double, 1).result(PATIENCE) == 2
    assert block.jobs() == []


# --- what calls print


def test_what_a_call_prints_is_in_its_log_and_in_no_other(executor):
    first, second = executor.submit(talk, "one"), executor.submit(talk, "two")
    rest = ["by the number", "from a child", "to stderr"]
    assert sorted(log_of(first).split("\n")) == ["", *rest[:2], "one", rest[2]]
    assert sorted(log_of(second).split("\n")) == ["", *rest, "two"]
    assert not log_of(executor.submit(double, 1))


def test_what_a_call_printed_before_it_failed_is_in_its_log(executor):
    assert "before the end\n" in log_of(executor.submit(talk_and_fail))


def test_of_much_output_of_a_shared_call_the_end_is_kept(shared):
    log = log_of(shared.submit(chatter, "x"))
    assert log.startswith("[1951425 bytes before this were left out]\nx")
    assert log.endswith("x\n")
    assert log_of(shared.submit(chatter, "y")).count("x") == 0


def test_who_asks_for_a_shared_call_to_stop_that_runs_is_told_that_it_cannot_be(shared, tmp_path):
    future = shared.submit(wait_for, tmp_path / "go")
    job = future.job
    for _ in range(2):
        wait_until(lambda: job.cancel_state == "unsupported")
        job.cancel()
        # What was asked is a change of the row, and so is the answer.
        wait_until(lambda: shared._service.store.job(job.job_id()).cancel_state == "unsupported")
    assert "cannot be stopped" in shared._service.store.job(job.job_id()).cancel_note
    (tmp_path / "go").touch()
    assert future.result(PATIENCE) == "went on"
    job.wait_for_final_state(PATIENCE)
    assert job.done()
