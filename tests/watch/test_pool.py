"""Calls that do not come back, in real threads."""

from __future__ import annotations

import logging
import threading

import pytest

from jobdeck.watchers.pool import MOST, STUCK, WORKERS, Pool

from .scripted import Clock


class Hanging:
    """A call that does not come back until it is let go."""

    def __init__(self) -> None:
        self.begun = threading.Semaphore(0)
        self.go = threading.Event()

    def __call__(self) -> None:
        self.begun.release()
        self.go.wait(30)


@pytest.fixture
def hang():
    """Lets go of all calls that hang after the test."""
    made = Hanging()
    yield made
    made.go.set()


def test_calls_that_hang_in_one_system_keep_no_other_waiting(hang):
    pool, done = Pool(), threading.Event()
    for _ in range(20):
        pool.run("slow", hang)
    pool.run("quick", done.set)
    assert done.wait(10)


def test_a_call_that_waits_behind_stuck_ones_gets_a_thread_after_a_while_and_their_number_is_bounded(hang):
    clock = Clock()
    pool, done = Pool(clock), threading.Event()
    for _ in range(WORKERS):
        pool.run("slow", hang)
        assert hang.begun.acquire(timeout=10)
    pool.run("slow", done.set)
    pool.relieve()
    assert pool.threads == WORKERS
    assert not done.is_set()
    clock.now += STUCK + 1
    pool.relieve()
    assert done.wait(10)
    for _ in range(3 * MOST):
        pool.run("slow", hang)
        clock.now += STUCK + 1
        pool.relieve()
    assert pool.threads <= MOST


def test_threads_that_are_not_needed_any_more_end(hang, until):
    clock = Clock()
    pool, turns = Pool(clock), threading.Semaphore(0)
    for _ in range(2 * WORKERS):
        pool.run("slow", hang)
        assert hang.begun.acquire(timeout=10)
        clock.now += STUCK + 1
        pool.relieve()
    before = pool.threads
    hang.go.set()
    for _ in range(10):
        pool.run("slow", turns.release)
    for _ in range(10):
        assert turns.acquire(timeout=10)
    until(lambda: pool.threads <= WORKERS < before)
    until(lambda: pool.threads == 0)


def test_a_call_that_raises_after_all_is_logged_and_takes_no_thread_along(caplog, until):
    pool, done = Pool(), threading.Event()

    def fail() -> None:
        raise ValueError("not caught where it should be")

    with caplog.at_level(logging.ERROR):
        pool.run("odd", fail)
        pool.run("odd", done.set)
        assert done.wait(10)
        until(lambda: "not caught where it should be" in caplog.text)
