"""A scheduler and workers as processes of their own, as a cluster has them, each to be killed at will."""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import psutil
import pytest

import jobdeck
from jobdeck.engines.dask.address import file_name
from jobdeck.engines.lock import AgentLock

from .nursery import Nursery


def until(condition: Callable[[], Any], seconds: float = 30.0) -> Any:
    """Wait for a condition; returns what it gave."""
    deadline = time.monotonic() + seconds
    while not (found := condition()):
        assert time.monotonic() < deadline, f"{condition} did not come true within {seconds:g} s"
        time.sleep(0.01)
    return found


class Cluster:
    """A scheduler with its workers.

    Parameters
    ----------
    folder : Path
        For their files.
    nursery : Nursery
        Where its processes come from.
    """

    def __init__(self, folder: Path, nursery: Nursery) -> None:
        self._folder = folder
        folder.mkdir(parents=True)
        self._file = folder / "scheduler.json"
        self._nursery = nursery
        self._processes: list[psutil.Process] = []
        # Its own memory of events is short, so that what nobody heard has to be fetched.
        self.scheduler = self._start(
            "scheduler", "--host", "127.0.0.1", "--port", "0", "--scheduler-file", str(self._file), "--no-dashboard"
        )
        until(self._file.exists)
        import json

        self.address = until(lambda: json.loads(self._file.read_text() or "{}").get("address"))
        self.engine = self.address.replace("tcp://", "dask://")

    def add_worker(self, *arguments: str, **environment: str) -> psutil.Process:
        """Start a worker of two threads."""
        return self._start(
            "worker",
            self.address,
            "--nthreads",
            "2",
            "--no-nanny",
            "--no-dashboard",
            "--death-timeout",
            "60",
            "--host",
            "127.0.0.1",
            "--local-directory",
            str(self._folder),
            *arguments,
            **environment,
        )

    def _start(self, what: str, *arguments: str, **environment: str) -> psutil.Process:
        environment = {**os.environ, "DASK_DISTRIBUTED__ADMIN__LOW_LEVEL_LOG_LENGTH": "20", **environment}
        module = f"distributed.cli.dask_{what}"
        if environment.get("PYTHONPATH") == os.environ.get("PYTHONPATH"):
            process = self._nursery.start(module, arguments, environment, self._folder / "log")
        else:  # it is to find other modules, and so has to begin by itself
            with (self._folder / "log").open("ab") as log:
                command = [sys.executable, "-m", module, *arguments]
                process = psutil.Popen(command, stdout=log, stderr=log, env=environment)
        self._processes.append(process)
        return process

    def close(self) -> None:
        """End all processes and wait for them."""
        for process in reversed(self._processes):
            with suppress(psutil.NoSuchProcess):  # a test has ended it
                process.kill()
            process.wait(30)


@pytest.fixture(scope="package")
def nursery() -> Iterator[Nursery]:
    """What the processes of all clusters are forked from."""
    made = Nursery()
    yield made
    made.close()


@pytest.fixture(scope="module")
def cluster(tmp_path_factory, nursery) -> Iterator[Cluster]:
    """One scheduler with two workers for the tests that leave them alive."""
    made = Cluster(tmp_path_factory.mktemp("cluster") / "dask", nursery)
    made.add_worker("--resources", "QPU=1")
    made.add_worker()
    yield made
    made.close()


@pytest.fixture
def own_cluster(tmp_path, nursery) -> Iterator[Cluster]:
    """A scheduler without workers for a test that kills."""
    made = Cluster(tmp_path / "dask", nursery)
    yield made
    made.close()


@pytest.fixture
def make_deck(tmp_path, monkeypatch) -> Iterator[Callable[[Any], jobdeck.Deck]]:
    """Decks on a home of the test's own, whose agents are ended with it."""
    home = tmp_path / "home"
    monkeypatch.setenv("JOBDECK_DASK_PATIENCE", "2")
    made: list[jobdeck.Deck] = []
    engines: set[str] = set()

    def make(engine: Any) -> jobdeck.Deck:
        deck = jobdeck.Deck(home, engine=engine)
        made.append(deck)
        engines.add(deck.engine)
        return deck

    yield make
    for deck in made:
        deck.close()
    for engine in engines:
        if (pid := agent_pid(home, engine)) is not None:
            end(pid)


def agent_pid(home: Path, engine: str) -> int | None:
    """Return the process id of the engine's living agent."""
    holder = AgentLock(home, file_name(engine)).holder()
    return None if holder is None else holder.pid


def end(pid: int) -> None:
    """Kill a process and wait until it is gone."""
    process = psutil.Process(pid)
    os.kill(pid, signal.SIGKILL)
    process.wait(10)
