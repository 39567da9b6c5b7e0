"""Jobs in asyncio and in concurrent.futures."""

from __future__ import annotations

import asyncio
import concurrent.futures
import sys
import threading

import pytest

from decks import ended, wait_until
from jobdeck import Deck, JobCancelledError, JobNotFoundError, RuntimeJobFailureError
from programs import Gate, count_to


def test_a_job_can_be_awaited(deck: Deck):
    async def main():
        jobs = [deck.run(count_to, inputs={"number": number}) for number in range(5)]
        return await asyncio.gather(*jobs)

    assert asyncio.run(main()) == [0, 1, 2, 3, 4]


def test_awaiting_raises_what_result_raises(deck: Deck, gate: Gate):
    def fail():
        raise ValueError("in the job")

    async def failed():
        await deck.submit(fail)

    async def cancelled():
        job = deck.submit(gate.wait)
        job.cancel()
        await job

    with pytest.raises(RuntimeJobFailureError, match="in the job"):
        asyncio.run(failed())
    with pytest.raises(JobCancelledError):
        asyncio.run(cancelled())


def test_giving_up_waiting_leaves_the_job_running(deck: Deck, gate: Gate):
    async def main():
        job = deck.submit(lambda: gate.wait() or 5)
        with pytest.raises(asyncio.TimeoutError):
            await asyncio.wait_for(asyncio.shield(_wait(job)), 0.05)
        assert not job.in_final_state()
        gate.open()
        return await job

    async def _wait(job):
        return await job

    assert asyncio.run(main()) == 5


def test_messages_come_each_once_in_order_to_any_number_of_readers(deck: Deck, gate: Gate):
    async def read(job):
        return [message async for message in job.messages()]

    async def main():
        job = deck.run(count_to, inputs={"number": 500, "gate": gate})
        readers = [asyncio.ensure_future(read(job)) for _ in range(3)]
        await asyncio.to_thread(gate.reached)
        gate.open()
        return await asyncio.gather(*readers), [message async for message in job.messages(start=498)]

    read_by_all, late = asyncio.run(main())
    assert read_by_all == [list(range(500))] * 3
    assert late == [498, 499]


def test_a_future_is_a_real_one(deck: Deck):
    jobs = [deck.run(count_to, inputs={"number": number}) for number in range(4)]
    futures = [job.future for job in jobs]
    assert [future.job for future in futures] == jobs
    assert all(isinstance(future, concurrent.futures.Future) for future in futures)
    assert jobs[0].future is futures[0]
    assert {future.result() for future in concurrent.futures.as_completed(futures, timeout=15)} == {0, 1, 2, 3}
    assert ended(jobs[0]).future.done()


def test_a_futures_exception_is_the_one_that_result_raises(deck: Deck):
    def fail():
        raise ValueError("in the job")

    future = deck.submit(fail).future
    error = future.exception(timeout=15)
    assert isinstance(error, RuntimeJobFailureError)
    assert isinstance(error.__cause__, ValueError)


def test_cancelling_a_future_asks_the_job(deck: Deck, gate: Gate):
    deck.max_workers = 1
    running, queued = deck.submit(gate.wait), deck.submit(pow, 2, 3)
    gate.reached()
    assert running.future.running()
    assert not running.future.cancel()
    assert queued.future.cancel()
    assert queued.future.cancelled()
    done, _ = concurrent.futures.wait([running.future, queued.future], timeout=15)
    assert len(done) == 2
    assert running.future.cancelled()
    assert running.cancelled()
    assert not running.future.cancel() or running.future.cancelled()
    with pytest.raises(concurrent.futures.CancelledError):
        running.future.result()


def test_a_future_in_an_event_loop(deck: Deck):
    async def main():
        return await asyncio.wrap_future(deck.run(count_to, inputs={"number": 3}).future)

    assert asyncio.run(main()) == 3


def test_callbacks_of_a_future_run_though_nobody_keeps_it(deck: Deck, gate: Gate):
    import gc

    got: list[int] = []
    deck.submit(lambda: gate.wait() or 3).future.add_done_callback(lambda future: got.append(future.result()))
    gc.collect()
    gate.open()
    wait_until(lambda: got == [3])
    wait_until(lambda: not [thread for thread in threading.enumerate() if thread.name == "jobdeck-stream"])


def test_a_callback_that_exits_takes_no_thread_from_the_others(deck: Deck, caplog):
    first = deck.submit(pow, 2, 2)
    first.future.add_done_callback(lambda future: sys.exit(1))
    wait_until(lambda: "SystemExit" in caplog.text)
    assert [deck.submit(pow, 2, 3).future.result(15) for _ in range(5)] == [8] * 5


def test_the_future_of_a_deleted_job_fails(deck: Deck):
    job = deck.prepare(lambda: 1)
    future = job.future
    deck.delete_job(job.job_id())
    assert isinstance(future.exception(timeout=10), JobNotFoundError)
