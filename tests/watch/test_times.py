"""When watched work began and ended, also where it was over before anybody looked."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import time
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

from jobdeck import Deck
from jobdeck._records import JobRecord


def row_of(deck: Deck, job: Any) -> JobRecord:
    return deck.store.job(job.job_id())


def ran(deck: Deck, job: Any) -> tuple[float, float]:
    """Return when a job began and ended; each has to be known."""
    row = row_of(deck, job)
    assert row.started is not None
    assert row.ended is not None
    return row.started, row.ended


def test_a_future_tells_when_its_executor_began_it_and_not_when_it_was_submitted(deck: Deck, until):
    future: Future[int] = Future()
    job = deck.watch(future)
    until(lambda: row_of(deck, job).queued is not None)
    submitted = time.time()
    future.set_running_or_notify_cancel()
    begun = time.time()
    future.set_result(1)
    ended = time.time()
    assert job.result(timeout=10) == 1
    times = ran(deck, job)
    assert submitted <= times[0] <= begun <= times[1] <= ended


def test_what_a_block_submits_tells_when_it_ran_however_short_it_was(deck: Deck):
    begin = time.time()
    with ThreadPoolExecutor(1) as executor, deck.watching() as block:
        for _ in range(3):
            executor.submit(int).result(10)
    end = time.time()
    several = [ran(deck, job) for job in block.jobs() if job.result(timeout=10) == 0]
    assert len(several) == 3
    assert begin <= several[0][0] <= several[0][1] <= several[1][0] <= several[2][1] <= end


def test_a_future_that_had_ended_before_it_was_watched_tells_no_times_of_its_own(deck: Deck):
    future: Future[int] = Future()
    future.set_result(1)
    job = deck.watch(future)
    assert job.result(timeout=10) == 1
    assert row_of(deck, job).started is None


async def test_a_short_task_tells_when_it_ran(deck: Deck):
    async def work() -> int:
        return 5

    with deck.watching() as block:
        begin = time.time()
        assert await asyncio.create_task(work()) == 5
    (job,) = block.jobs()
    assert await job == 5
    times = ran(deck, job)
    assert begin <= times[0] <= times[1]


def test_a_process_tells_when_it_was_started_not_when_it_was_watched(deck: Deck):
    process = subprocess.Popen([sys.executable, "-S", "-c", "input()"], stdin=subprocess.PIPE)
    started = time.time()
    job = deck.watch(process)
    process.communicate(b"\n")
    job.result(timeout=20)
    assert ran(deck, job)[0] <= started
