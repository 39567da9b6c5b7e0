"""Futures of executors, in the deck."""

from __future__ import annotations

import gc
import threading
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import pytest

import jobdeck
from jobdeck import JobStatus


def test_a_future_shows_how_it_is_and_gives_its_result_as_it_is(deck, until):
    future: Future[object] = Future()
    job = deck.watch(future, name="mine", tags=["a"])
    until(lambda: job.status() == JobStatus.QUEUED)
    future.set_running_or_notify_cancel()
    until(lambda: job.status() == JobStatus.RUNNING)
    value = object()
    future.set_result([value])
    assert job.result(timeout=10)[0] is value
    assert (job.name, job.tags, job.engine, job.status()) == ("mine", ["a"], "futures", JobStatus.DONE)


def test_what_a_future_raised_is_the_cause_of_the_failure(deck):
    with ThreadPoolExecutor(1) as executor:
        future = executor.submit(lambda: 1 / 0)
        job = deck.watch(future)
        with pytest.raises(jobdeck.RuntimeJobFailureError, match="division by zero") as failure:
            job.result(timeout=10)
    assert failure.value.__cause__ is future.exception()
    assert "ZeroDivisionError" in job.error_message()


def test_a_future_is_cancelled_until_it_runs_and_says_so_once_it_does(deck, until):
    begun, go_on = threading.Event(), threading.Event()
    with ThreadPoolExecutor(1) as executor:

        def work():
            begun.set()
            return go_on.wait(30)

        running, waiting = deck.watch(executor.submit(work)), deck.watch(executor.submit(int))
        assert begun.wait(10)
        until(lambda: running.status() == JobStatus.RUNNING)
        waiting.cancel()
        until(waiting.cancelled)
        running.cancel()
        record = until(lambda: (row := deck.store.job(running.job_id())).cancel_state == "unsupported" and row)
        assert record.cancel_note == "cannot be stopped once it runs"
        assert running.status() == JobStatus.RUNNING
        go_on.set()
        assert running.result(timeout=10) is True


def test_the_same_future_is_one_job_for_as_long_as_it_lives(deck):
    future: Future[int] = Future()
    job_id = deck.watch(future).job_id()
    assert deck.watch(future).job_id() == job_id
    future.set_result(1)
    assert deck.job(job_id).result(timeout=10) == 1
    gc.collect()
    assert deck.watch(future).job_id() == job_id
    assert len(deck.jobs()) == 1


def test_a_result_that_cannot_be_kept_is_there_for_this_process_and_a_preview_for_others(deck, home: Path):
    future: Future[object] = Future()
    lock = threading.Lock()
    job = deck.watch(future)
    future.set_result(lock)
    assert job.result(timeout=10) is lock
    assert "cannot be pickled" in job.facts["result"]
    job_id = job.job_id()
    del job
    gc.collect()
    with pytest.raises(jobdeck.JobError, match="cannot be had any more"):
        deck.job(job_id).result(timeout=0)
    assert deck.watch(future).result(timeout=0) is lock


def test_a_result_of_none_is_a_result(deck):
    future: Future[None] = Future()
    job = deck.watch(future)
    future.set_result(None)
    assert job.result(timeout=10) is None
    job_id = job.job_id()
    del job
    gc.collect()
    assert deck.job(job_id).result(timeout=0) is None


def test_a_watched_job_is_not_run_again_from_here(deck):
    future: Future[int] = Future()
    job = deck.watch(future)
    future.set_result(1)
    job.result(timeout=10)
    with pytest.raises(jobdeck.JobError, match="only watched"):
        job.retry()
    assert deck.retry_jobs([job]).counts == {"refused": 1}
    assert job.inputs == {}


def test_what_is_no_job_is_refused_with_what_could_be_watched(deck):
    with pytest.raises(jobdeck.InvalidInputError, match=r"int.*concurrent.futures.Future.*jobdeck.Watched"):
        deck.watch(3)
    assert deck.jobs() == []
