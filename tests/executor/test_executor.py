"""The executor does what the documentation of ``concurrent.futures`` says of one, and its calls are in the deck."""

from __future__ import annotations

import asyncio
import functools
import os
import sys
import threading
import time
from concurrent.futures import ALL_COMPLETED, FIRST_COMPLETED, BrokenExecutor, CancelledError, as_completed, wait
from concurrent.futures import TimeoutError as FuturesTimeoutError
from pathlib import Path

import cloudpickle
import pytest

from jobdeck import InvalidInputError, JobError, JobExecutor, RuntimeJobFailureError, StoreError, UnpicklableError
from jobdeck._feed import read_deck
from jobdeck._wire import FIRST_ROWS

cloudpickle.register_pickle_by_value(sys.modules[__name__])

PATIENCE = 60


def add(a, b=0):
    return a + b


def fail():
    raise KeyError("nothing")


def die():
    os._exit(3)


def wait_for(path):
    for _ in range(3_000):
        if os.path.exists(path):
            return "went on"
        time.sleep(0.01)
    raise TimeoutError(path)


READY = "no"
LOADED = []
SCALE = 1


def set_up(value):
    global READY
    READY = value
    LOADED.append(SCALE)


def what_was_set_up(scale=1):
    return READY, LOADED, scale * SCALE


@pytest.fixture(params=[True, False], ids=["isolated", "shared"], scope="module")
def isolate(request):
    return request.param


@pytest.fixture(scope="module")
def executor(shared_home, isolate):
    """One of each kind for all tests: its processes are started once."""
    with JobExecutor(2, isolate=isolate, home=shared_home) as made:
        yield made
        made.shutdown(wait=False, cancel_futures=True)
        made.group.cancel()


def test_a_call_gives_its_result_and_stands_in_the_deck(shared_home, isolate):
    with JobExecutor(2, isolate=isolate, home=shared_home, name="calls", tags=["t"]) as executor:
        future = executor.submit(add, 2, b=3)
        assert future.result(PATIENCE) == 5
        assert future.done()
        assert not future.running()
        job = future.job
        job.wait_for_final_state(PATIENCE)
        assert (job.name, job.tags, job.result()) == ("add", ["t"], 5)
        assert (executor.group.name, executor.group.kind, len(executor.group)) == ("calls", "executor", 1)


def test_an_exception_is_the_calls_own(executor):
    future = executor.submit(fail)
    with pytest.raises(KeyError, match="nothing"):
        future.result(PATIENCE)
    assert isinstance(future.exception(), KeyError)
    future.job.wait_for_final_state(PATIENCE)
    assert "nothing" in future.job.error_message()


def test_map_yields_in_the_order_of_its_items(executor):
    assert list(executor.map(add, range(20), range(20))) == list(range(0, 40, 2))
    assert list(executor.map(add, [1, 2, 3], chunksize=2)) == [1, 2, 3]
    assert list(executor.map(add, [])) == []
    with pytest.raises(ValueError, match="chunksize"):
        executor.map(add, [1], chunksize=0)


def test_map_times_out_and_raises_where_a_call_raised(executor, tmp_path):
    with pytest.raises(FuturesTimeoutError):
        next(executor.map(wait_for, [str(tmp_path / "never")], timeout=0.2))
    (tmp_path / "never").touch()
    results = executor.map(lambda n: 1 / n, [1, 0])
    assert next(results) == 1
    with pytest.raises(ZeroDivisionError):
        next(results)


def test_waiting_works_as_with_any_futures(executor, tmp_path):
    slow = executor.submit(wait_for, str(tmp_path / "go"))
    quick = executor.submit(add, 1)
    done, pending = wait([slow, quick], PATIENCE, FIRST_COMPLETED)
    assert (done, pending) == ({quick}, {slow})
    (tmp_path / "go").touch()
    assert set(as_completed([slow, quick], PATIENCE)) == {slow, quick}
    assert wait([slow, quick], 0, ALL_COMPLETED).not_done == set()


def test_a_callback_is_called_once_it_is_done(executor):
    called = threading.Event()
    executor.submit(add, 1).add_done_callback(lambda _: called.set())
    assert called.wait(PATIENCE)


def test_cancel_keeps_a_call_from_beginning_and_leaves_one_that_runs_alone(executor, tmp_path):
    go = tmp_path / "go"
    running = [executor.submit(wait_for, str(go)) for _ in range(2)]
    while not all(future.running() for future in running):
        time.sleep(0.01)
    mark = tmp_path / "mark"
    # Beyond those that a pool of processes takes from its queue ahead of time.
    waiting = [executor.submit(mark.touch) for _ in range(5)]
    in_the_deck = waiting[-1].job
    assert not running[0].cancel()
    assert waiting[-1].cancel()
    assert waiting[-1].cancelled()
    with pytest.raises(CancelledError):
        waiting[-1].result(PATIENCE)
    in_the_deck.wait_for_final_state(PATIENCE)
    assert in_the_deck.cancelled()
    go.touch()
    assert [future.result(PATIENCE) for future in running] == ["went on"] * 2


def test_what_cannot_be_sent_is_told_by_its_future_and_stops_no_other(executor):
    bad = executor.submit(add, threading.Lock())
    with pytest.raises(UnpicklableError, match=r"argument 1.* is a _thread\.lock"):
        bad.result(PATIENCE)
    with pytest.raises(JobError, match="never came into the deck"):
        _ = bad.job
    assert executor.submit(add, 1).result(PATIENCE) == 1


def test_nothing_is_taken_after_shutdown_and_shutdown_waits(home, isolate, tmp_path):
    executor = JobExecutor(1, isolate=isolate, home=home)
    future = executor.submit(add, 1)
    executor.shutdown()
    assert future.done()
    with pytest.raises(RuntimeError, match="after shutdown"):
        executor.submit(add, 1)
    executor.shutdown()


def test_shutdown_cancels_what_has_not_begun_if_it_is_told_to(home, isolate, tmp_path):
    executor = JobExecutor(1, isolate=isolate, home=home)
    go = tmp_path / "go"
    first = executor.submit(wait_for, str(go))
    while not first.running():
        time.sleep(0.01)
    others = [executor.submit(add, 1) for _ in range(10)]
    closing = threading.Thread(target=executor.shutdown, kwargs={"wait": True, "cancel_futures": True})
    closing.start()
    wait(others[-1:], PATIENCE)
    go.touch()
    assert others[-1].cancelled()
    assert first.result(PATIENCE) == "went on"
    closing.join(PATIENCE)
    assert not closing.is_alive()
    assert all(future.done() for future in others)


def test_trouble_with_the_store_is_told_once_and_forgets_no_call_and_no_wish(home, monkeypatch, caplog, tmp_path):
    monkeypatch.setattr("jobdeck._executor.isolated._PAUSE", 0.01)
    executor = JobExecutor(1, home=home)
    troubles = [StoreError("no room")] * 6

    def troubled(method, spared):
        def call(*args):
            if len(troubles) > spared:
                raise troubles.pop()
            return method(*args)

        return call

    store = executor._service.store
    monkeypatch.setattr(store, "add_jobs", troubled(store.add_jobs, 3))
    monkeypatch.setattr(store, "drop_jobs", troubled(store.drop_jobs, 0))
    assert executor.submit(add, 1).result(PATIENCE) == 1
    assert [record.message for record in caplog.records] == [
        "the jobs of an executor cannot be looked after (no room); trying again"
    ]
    go = tmp_path / "go"
    calls = [executor.submit(wait_for, str(go)), executor.submit(add, 1)]
    assert all(future.job for future in calls)
    executor.shutdown(wait=False, cancel_futures=True)
    wait(calls[1:], PATIENCE)
    go.touch()
    executor.shutdown()
    assert troubles == []
    assert calls[1].cancelled()
    assert len(caplog.records) == 2


def test_an_initializer_runs_before_the_calls_and_a_failing_one_breaks_the_executor(home, isolate):
    with JobExecutor(1, isolate=isolate, home=home, initializer=set_up, initargs=("yes",)) as executor:
        assert executor.submit(what_was_set_up).result(PATIENCE) == ("yes", [1], 1)
        assert executor.submit(functools.partial(what_was_set_up, 3)).result(PATIENCE) == ("yes", [1], 3)
    broken = JobExecutor(1, isolate=isolate, home=home, initializer=fail)
    with pytest.raises(BrokenExecutor):
        broken.submit(add, 1).result(PATIENCE)
    with pytest.raises(BrokenExecutor):
        broken.submit(add, 1).result(PATIENCE)
    broken.shutdown()


@pytest.mark.asyncio
async def test_an_event_loop_runs_its_calls_in_it(executor):
    loop = asyncio.get_running_loop()
    assert await asyncio.gather(*(loop.run_in_executor(executor, add, n, 1) for n in range(5))) == [1, 2, 3, 4, 5]


def test_a_process_that_dies_takes_no_other_call_with_it(home):
    with JobExecutor(2, home=home) as executor:
        bad, good = executor.submit(die), executor.submit(add, 1)
        with pytest.raises(RuntimeJobFailureError, match="exit code 3"):
            bad.result(PATIENCE)
        assert good.result(PATIENCE) == 1


def test_at_most_max_workers_run_at_a_time_though_the_home_would_run_more(home, tmp_path):
    def count_at_once(folder):
        mine = Path(folder, str(os.getpid()))
        mine.touch()
        time.sleep(0.05)
        seen = len(list(Path(folder).iterdir()))
        mine.unlink()
        return seen

    marks = tmp_path / "marks"
    marks.mkdir()
    with JobExecutor(1, home=home) as executor:
        assert list(executor.map(count_at_once, [str(marks)] * 5)) == [1] * 5


def test_a_running_call_is_really_stopped_through_its_job(home, tmp_path):
    with JobExecutor(home=home) as executor:
        future = executor.submit(wait_for, str(tmp_path / "never"))
        while not future.running():
            time.sleep(0.01)
        future.job.cancel()
        with pytest.raises(CancelledError):
            future.result(PATIENCE)


def test_two_thousand_small_calls_share_processes_and_stand_in_the_deck_as_one_group(home):
    with JobExecutor(2, isolate=False, home=home) as executor:
        assert list(executor.map(add, range(2_000))) == list(range(2_000))
    group_id = executor.group.group_id
    assert executor.group.progress.done == 2_000
    assert set(map(str, executor.group.statuses())) == {"DONE"}
    frame = read_deck(executor._service.store)
    assert [(group["id"], group["kind"], group["total"]) for group in frame["groups"]] == [
        (group_id, "executor", 2_000)
    ]
    assert {row["group"] for row in frame["rows"]} == {group_id}
    assert (frame["total"], len(frame["rows"])) == (2_000, FIRST_ROWS), "what is below comes when a page asks for it"


def test_wrong_arguments_are_named(home):
    for wrong in (0, -1, 1.5, True, "2"):
        with pytest.raises(InvalidInputError, match="max_workers"):
            JobExecutor(wrong, home=home)
    with pytest.raises(InvalidInputError, match="initializer"):
        JobExecutor(initializer=3, home=home)
    with pytest.raises(InvalidInputError, match="isolate=False"):
        JobExecutor(engine="dask://127.0.0.1:1", isolate=False, home=home)
    with JobExecutor(home=home) as executor, pytest.raises(TypeError, match="can be called"):
        executor.submit(3)
