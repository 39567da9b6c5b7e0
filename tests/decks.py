"""Decks for tests: each on a home of its own, with nothing left once the test is over."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest

from jobdeck import Deck, Job, RuntimeInvalidStateError
from jobdeck._service import JobService
from jobdeck.engines.lock import AgentLock
from programs import Gate


def stop_agent(home: Path) -> None:
    """End the home's agent, and wait until it is gone."""
    lock = AgentLock(home, "local")
    told = False

    def is_gone() -> bool:
        nonlocal told
        holder = lock.holder()
        # One that has only just begun has the lock a moment before it says who it is.
        if not told and holder is not None and holder.pid is not None:
            os.kill(holder.pid, signal.SIGTERM)
            told = True
        return holder is None

    wait_until(is_gone)


def wait_until(look: Callable[[], Any], timeout: float = 15.0) -> Any:
    deadline = time.monotonic() + timeout
    while not (seen := look()):
        assert time.monotonic() < deadline, f"still {seen!r} after {timeout:g} s"
        time.sleep(0.005)
    return seen


def jobdeck_threads() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name.startswith("jobdeck-")]


@contextmanager
def no_thread_left(timeout: float = 15.0) -> Iterator[None]:
    """Wait at the end for the threads that jobdeck has begun meanwhile; what other files have left is theirs."""
    before = set(jobdeck_threads())
    yield
    deadline = time.monotonic() + timeout
    while left := set(jobdeck_threads()) - before:
        assert time.monotonic() < deadline, f"still there after {timeout:g} s: {left}"
        time.sleep(0.005)


def close_all() -> None:
    """Close what the test has opened by way of jobdeck's functions."""
    for service in JobService._shared.values():
        service._decks = 1
        service.release()
    JobService._shared.clear()


@pytest.fixture
def deck(home: Path) -> Iterator[Deck]:
    """A deck on the test's own home. Afterwards, no agent and no thread that jobdeck began meanwhile is left."""
    with no_thread_left():
        opened = Deck(home)
        yield opened
        for job in opened.jobs(status=["INITIALIZING", "QUEUED", "RUNNING"]):
            with suppress(RuntimeInvalidStateError):
                job.cancel()
            job.wait_for_final_state(10)
        opened.close()
        close_all()
        stop_agent(home)


@pytest.fixture
def gate(tmp_path: Path) -> Gate:
    return Gate(tmp_path)


def ended(job: Job[Any], timeout: float = 15.0) -> Job[Any]:
    """Wait for a job and return it."""
    job.wait_for_final_state(timeout)
    return job
