"""Calls that do not come back, in real threads."""

from __future__ import annotations

import logging
import threading

import pytest

from jobdeck.watchers.pool import MOST, STUCK, WORKERS, Pool

from .scripted import Clock


@pytest.fixture
def release():
    """Lets go of all calls that hang."""
    event = threading.Event()
    yield event
    event.set()


def test_calls_that_hang_in_one_system_keep_no_other_waiting(release):
    pool, done = Pool(), threading.Event()
    for _ in range(20):
        pool.run("slow", lambda: release.wait(30))
    pool.run("quick", done.set)
    assert done.wait(10)


def test_a_call_that_waits_behind_stuck_ones_gets_a_thread_after_a_while_and_their_number_is_bounded(release):
    clock = Clock()
    pool, done = Pool(clock), threading.Event()
    for _ in range(WORKERS):
        pool.run("slow", lambda: release.wait(30))
    pool.run("slow", done.set)
    pool.relieve()
    assert pool.threads == WORKERS
    assert not done.is_set()
    clock.now += STUCK + 1
    pool.relieve()
    assert done.wait(10)
    for _ in range(3 * MOST):
        pool.run("slow", lambda: release.wait(30))
        clock.now += STUCK + 1
        pool.relieve()
    assert pool.threads <= MOST


def test_threads_that_are_not_needed_any_more_end(release, until):
    clock = Clock()
    pool, turns = Pool(clock), threading.Semaphore(0)
    for _ in range(2 * WORKERS):
        pool.run("slow", lambda: release.wait(30))
        clock.now += STUCK + 1
        pool.relieve()
    before = pool.threads
    release.set()
    for _ in range(10):
        pool.run("slow", turns.release)
    for _ in range(10):
        assert turns.acquire(timeout=10)
    until(lambda: pool.threads <= WORKERS < before)
    until(lambda: pool.threads == 0)


def test_a_call_that_raises_after_all_is_logged_and_takes_no_thread_along(caplog):
    pool, done = Pool(), threading.Event()

    def fail() -> None:
        raise ValueError("not caught where it should be")

    with caplog.at_level(logging.ERROR):
        pool.run("odd", fail)
        pool.run("odd", done.set)
        assert done.wait(10)
    assert "not caught where it should be" in caplog.text
