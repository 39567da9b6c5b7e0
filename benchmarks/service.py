"""Rows about jobs of IBM's service, against the scripted server of the tests in a process of its own."""

from __future__ import annotations

import logging
import multiprocessing
import os
import sys
import time
from collections import defaultdict
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .decks import open_deck
from .table import Budget, Measured, Row

if TYPE_CHECKING:
    from collections.abc import Iterator
    from multiprocessing.connection import Connection


_JOBS = 500
_CUTS = 100
_SCRIPTED = Path(__file__).parents[1] / "tests" / "qiskit"


def measure(*, quick: bool) -> list[Row]:
    """All rows about jobs of the service."""
    rounds, seconds = (2, 20) if quick else (5, 60)
    found: dict[str, list[float]] = defaultdict(list)
    logging.getLogger("qiskit_ibm_runtime").setLevel(logging.ERROR)
    for _ in range(rounds):
        with _server() as (server, service):
            _look(service, found)
            _watch(server, service, seconds, found)
    with _server() as (server, service):
        _cut(server, service, found)

    def measured(key: str, unit: str, who: str = "jobdeck") -> Measured:
        return Measured(who, unit, tuple(found[key]))

    return [
        Row(
            "service",
            f"{_JOBS} jobs of IBM's service: statuses a second, were they asked for without a pause",
            measured("looks", "statuses/s"),
            None,
            (measured("library", "statuses/s", "RuntimeJobV2.status(), one after another"),),
        ),
        Row(
            "service",
            f"{_JOBS} waiting jobs: requests",
            measured("requests", "a second"),
            Budget(1.0),
        ),
        Row("service", f"{_JOBS} waiting jobs: share of a core", measured("share", "%")),
        Row(
            "service",
            f"{_JOBS} jobs end at once: until all of them are DONE with their results",
            measured("ends", "s"),
        ),
        Row(
            "service",
            f"{_JOBS} jobs, the service gone {_CUTS} times: ends that are lost, told twice or with another's result",
            measured("wrong", "jobs"),
            Budget(0),
        ),
    ]


def _look(service: Any, found: dict[str, list[float]]) -> None:
    from jobdeck.watchers.qiskit import service_line

    jobs = _all_jobs(service)
    line = service_line.Line(service, service._get_api_client())
    ids = [job.job_id() for job in jobs]
    paced = service_line.RATE, service_line._FRESH
    service_line.RATE, service_line._FRESH = 1e9, 0.0
    try:
        line.look(ids)
        begun, looks = time.perf_counter(), 0
        while (passed := time.perf_counter() - begun) < 2.0:
            line.look(ids)
            looks += 1
    finally:
        service_line.RATE, service_line._FRESH = paced
    found["looks"].append(looks * len(ids) / passed)
    begun = time.perf_counter()
    for job in jobs[:100]:
        job.status()
    found["library"].append(100 / (time.perf_counter() - begun))


def _watch(server: Connection, service: Any, seconds: float, found: dict[str, list[float]]) -> None:
    with open_deck(max_workers=1) as deck:
        jobs = [deck.watch(job) for job in _all_jobs(service)]
        _wait(lambda: all(job.status() == "QUEUED" for job in jobs))
        time.sleep(10)
        before, cpu = _ask(server, "asked"), time.process_time()
        time.sleep(seconds)
        found["requests"].append((_ask(server, "asked") - before) / seconds)
        found["share"].append(100 * (time.process_time() - cpu) / seconds)
        _ask(server, "finish", 0, _JOBS)
        begun = time.perf_counter()
        _wait(lambda: all(job.done() for job in jobs))
        found["ends"].append(time.perf_counter() - begun)


def _cut(server: Connection, service: Any, found: dict[str, list[float]]) -> None:
    with open_deck(max_workers=1) as deck:
        jobs = [deck.watch(job) for job in _all_jobs(service)]
        ends: dict[str, int] = defaultdict(int)

        def count(change: Any) -> None:
            ends[change["owner"].job_id()] += change["new"] == "DONE"

        for job in jobs:
            job.observe(count, "state")
        share = _JOBS // _CUTS
        for cut in range(_CUTS):
            _ask(server, "go_down")
            _ask(server, "finish", cut * share, (cut + 1) * share)
            time.sleep(0.2)
            _ask(server, "come_back")
            time.sleep(0.8)
        _wait(lambda: all(job.in_final_state() for job in jobs), timeout=300)
        sources = {job.job_id(): deck.store.job(job.job_id()).source or {} for job in jobs}
        told = [ends[job.job_id()] == 1 and job.result() == sources[job.job_id()].get("id") for job in jobs]
        found["wrong"].append(told.count(False))


def _all_jobs(service: Any) -> list[Any]:
    return [job for skip in range(0, _JOBS, 100) for job in service.jobs(limit=100, skip=skip)]


def _wait(look: Any, timeout: float = 120) -> None:
    deadline = time.monotonic() + timeout
    while not look():
        if time.monotonic() > deadline:
            raise TimeoutError(f"not within {timeout:g} s")
        time.sleep(0.02)


@contextmanager
def _server() -> Iterator[tuple[Connection, Any]]:
    """A scripted service with its jobs, and the client library's service for it."""
    from qiskit_ibm_runtime import QiskitRuntimeService

    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(target=_serve, args=(theirs,), daemon=True)
    process.start()
    address, account = ours.recv()
    before = os.environ.get("IAM_URL")
    os.environ["IAM_URL"] = address
    try:
        yield ours, QiskitRuntimeService(**account)
    finally:
        if before is None:
            del os.environ["IAM_URL"]
        else:
            os.environ["IAM_URL"] = before
        ours.send(None)
        process.join(10)


def _ask(server: Connection, *command: Any) -> Any:
    server.send(command)
    return server.recv()


def _serve(pipe: Connection) -> None:
    sys.path.insert(0, str(_SCRIPTED))
    from service.scripted import ScriptedService

    service = ScriptedService()
    made = service.add(_JOBS)
    pipe.send((service.address, service.account))
    while (command := pipe.recv()) is not None:
        name, *rest = command
        if name == "finish":
            for job in made[rest[0] : rest[1]]:
                service.finish(job.job_id, f'"{job.job_id}"')
            pipe.send(None)
        else:
            pipe.send(getattr(service, name)(*rest))
    service.close()
