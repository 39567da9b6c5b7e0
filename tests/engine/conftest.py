from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from jobdeck._program import pack
from jobdeck._records import JobRecord, NewJob
from jobdeck._status import is_final
from jobdeck.engines.launch import ensure_agent
from jobdeck.engines.local.engine import LocalEngine
from jobdeck.engines.lock import AgentLock
from jobdeck.store import open_store

from . import programs


def processes_of(home: Path) -> list[psutil.Process]:
    """All processes that work for this home: its agent, its zygotes, its jobs and what they started."""
    found = []
    for process in psutil.process_iter():
        try:
            words = process.cmdline()
            mine = str(home) in words or process.environ().get("JOBDECK_HOME") == str(home)
            if mine and process.pid != os.getpid() and process.status() != psutil.STATUS_ZOMBIE:
                found.append(process)
        except (psutil.NoSuchProcess, psutil.AccessDenied, psutil.ZombieProcess):
            continue
    return found


def until(condition: Callable[[], Any], seconds: float = 15.0) -> Any:
    """Wait for a condition; returns what it gave."""
    deadline = time.monotonic() + seconds
    while not (value := condition()):
        assert time.monotonic() < deadline, f"not within {seconds} s: {condition}"
        time.sleep(0.005)
    return value


class Bench:
    """A home with a store and the engine, to run programs on."""

    def __init__(self, home: Path, launcher: str) -> None:
        self.home = home
        self.launcher = launcher
        self.store = open_store(home)
        self.engine = LocalEngine(home)
        self.lock = AgentLock(home, "local")

    def insert(self, program: Any, /, *, timeout: float | None = None, **inputs: Any) -> JobRecord:
        packed = pack(program, inputs)
        return self.store.add_job(
            NewJob(
                name=packed.name,
                engine="local",
                program=packed.program,
                inputs=packed.inputs,
                context=packed.context,
                inputs_preview=packed.inputs_preview,
                timeout=timeout,
            )
        )

    def ensure_agent(self) -> None:
        ensure_agent(self.home, "local", ["--launcher", self.launcher])

    def submit(self, program: Any, /, **options: Any) -> JobRecord:
        job = self.insert(program, **options)
        self.ensure_agent()
        return job

    def end(self, job: JobRecord, seconds: float = 15.0) -> JobRecord:
        """The job's record once it is final."""

        def ended() -> JobRecord | None:
            now = self.store.job(job.job_id)
            return now if is_final(now.status) else None

        return until(ended, seconds)

    def run(self, program: Any, /, **options: Any) -> JobRecord:
        return self.end(self.submit(program, **options))

    def value(self, job: JobRecord) -> Any:
        from jobdeck._program import value_of

        outcome = self.store.outcome(job.job_id)
        assert outcome is not None
        assert outcome.ok, outcome.traceback
        return value_of(outcome)

    def output(self, job: JobRecord) -> str:
        return self.store.log_path(job.job_id).read_text()

    def agent_log(self) -> str:
        return (self.home / "agents" / "local.log").read_text()

    def agent_pid(self) -> int:
        holder = self.lock.holder()
        assert holder is not None
        assert holder.pid is not None
        return holder.pid

    def stop_agent(self) -> None:
        holder = self.lock.holder()
        if holder is not None and holder.pid is not None:
            os.kill(holder.pid, signal.SIGTERM)
        until(lambda: self.lock.holder() is None)

    def close(self) -> None:
        self.stop_agent()
        self.store.close()
        try:
            until(lambda: not processes_of(self.home), 5.0)
        except AssertionError:
            left = processes_of(self.home)
            for process in left:
                process.kill()
            raise AssertionError(f"left behind: {left}") from None


@pytest.fixture(params=["fork", "spawn"])
def own_bench(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Bench]:
    """Over both ways to start a job."""
    made = Bench(tmp_path / "home", request.param)
    yield made
    made.close()


@pytest.fixture
def bench(own_bench: Bench) -> Bench:
    """A test's own, except in files that say otherwise."""
    return own_bench


@pytest.fixture(scope="module", params=["fork", "spawn"])
def shared_bench(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:
    """Over both ways to start a job, with one agent for all tests of a file that only run programs."""
    made = Bench(tmp_path_factory.mktemp("bench") / "home", request.param)
    yield made
    made.close()


@pytest.fixture
def forking(tmp_path: Path) -> Iterator[Bench]:
    """Over the way of this platform alone, for what does not depend on it."""
    made = Bench(tmp_path / "home", "fork")
    yield made
    made.close()


@pytest.fixture
def descriptors() -> Iterator[None]:
    """Count this process's open descriptors before and after."""
    before = len(os.listdir("/proc/self/fd"))
    yield
    assert len(os.listdir("/proc/self/fd")) == before


__all__ = ["Bench", "programs"]
