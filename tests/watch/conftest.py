"""A deck for each test that watches, and a bridge whose turns the test takes."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from jobdeck import Deck, Watched
from jobdeck._program import value_of
from jobdeck._records import JobRecord
from jobdeck.engines.lock import WatchLock
from jobdeck.store import SQLiteStore
from jobdeck.watchers import Bridge

from .scripted import CallsAtOnce, Clock


@pytest.fixture
def deck(home: Path) -> Iterator[Deck]:
    """A deck in `home`; what is still watched after the test is not any more."""
    with Deck(home) as opened:
        yield opened
    bridge = opened._service._bridge
    if bridge is not None:
        bridge.close()


class Bench:
    """A bridge on a store, with a clock and calls that the test rules."""

    def __init__(self, store: SQLiteStore, name: str = "one") -> None:
        self.store = store
        self.clock = Clock()
        self.calls = CallsAtOnce()
        self.agent = f"watch@here/{name}"
        self.lock = WatchLock(store.home, f"watch-{name}")
        self.bridge = Bridge(lambda: store, self.agent, self.lock, calls=self.calls, clock=self.clock, threaded=False)

    def watch(self, watched: Watched, **how: Any) -> str:
        record, _ = self.bridge.watch(watched, **how)
        self.turn()
        return record.job_id

    def turn(self, seconds: float = 0.0) -> None:
        """Let time pass, and take turns until there is nothing left to do at that time."""
        self.clock.now += seconds
        while self.bridge.turn() <= 0:
            pass

    def pass_time(self, seconds: float, step: float = 0.1) -> None:
        """Let time pass as the bridge's thread would: a turn whenever it wants one."""
        end = self.clock.now + seconds
        while self.clock.now < end:
            self.turn(step)

    def job(self, job_id: str) -> JobRecord:
        return self.store.job(job_id)

    def result(self, job_id: str) -> Any:
        left = self.store.outcome(job_id)
        assert left is not None
        return value_of(left)


@pytest.fixture
def bench(store: SQLiteStore) -> Iterator[Bench]:
    """A bridge that the test rules."""
    made = Bench(store)
    yield made
    made.bridge.close()
