"""Decks of the benchmarks' own, in a folder that is gone afterwards, with the agent that ran there ended."""

from __future__ import annotations

import os
import signal
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil

from jobdeck import Deck
from jobdeck.engines.dask.address import file_name
from jobdeck.engines.lock import AgentLock

_PATIENCE = 60.0


@contextmanager
def open_deck(max_workers: int = 2, engine: str = "local") -> Iterator[Deck]:
    """A deck in a new home; when it is left, its jobs are cancelled and its agent is gone."""
    before = os.environ.get("JOBDECK_MAX_WORKERS")
    os.environ["JOBDECK_MAX_WORKERS"] = str(max_workers)
    try:
        with tempfile.TemporaryDirectory(prefix="jobdeck-bench-") as folder:
            deck = Deck(Path(folder) / "home", engine=engine)
            try:
                yield deck
                cancel_all(deck)
            finally:
                _end_agent(deck.home, engine)
                deck.close()
    finally:
        if before is None:
            del os.environ["JOBDECK_MAX_WORKERS"]
        else:
            os.environ["JOBDECK_MAX_WORKERS"] = before


def cancel_all(deck: Deck) -> None:
    """Cancel what has not ended, and wait until it has."""
    live = [job for job in deck.jobs(limit=None) if not job.in_final_state()]
    for job in live:
        if not job.in_final_state():
            job.cancel()
    for job in live:
        job.wait_for_final_state(timeout=_PATIENCE)


def wait_until_running(deck: Deck, count: int) -> None:
    """Return once so many jobs run."""
    _until(lambda: len(deck.jobs(limit=None, status="RUNNING")) >= count, f"{count} jobs do not run")


def _end_agent(home: Path, engine: str) -> None:
    lock = AgentLock(home, file_name(engine))
    holder = lock.holder()
    if holder is None or holder.pid is None:
        return
    agent = psutil.Process(holder.pid)
    agent.send_signal(signal.SIGTERM)
    agent.wait(_PATIENCE)


def _until(happened: Callable[[], bool], otherwise: str) -> None:
    deadline = time.monotonic() + _PATIENCE
    while not happened():
        if time.monotonic() > deadline:
            raise TimeoutError(f"after {_PATIENCE:g} s {otherwise}")
        time.sleep(0.05)
