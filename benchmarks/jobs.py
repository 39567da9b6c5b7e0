"""Job rows: throughput of trivial jobs, what submitting one costs the caller, and how soon a cold first one starts."""

from __future__ import annotations

import time
from collections import defaultdict
from contextlib import ExitStack

from .apart import apart
from .pools import JOBDECK, PEERS, Contender, Pool
from .programs import clock, nothing
from .table import Budget, Measured, Row, quantile

DASK = PEERS[0].name


def measure(*, quick: bool) -> list[Row]:
    """All job rows."""
    return [*_warm_rows(quick), _cold_row(quick)]


def _warm_rows(quick: bool) -> list[Row]:
    """Every pool stays open and warm; each round gives each of them a turn, and each round another one begins."""
    rounds, count, slow_count = (2, 100, 2) if quick else (5, 400, 6)
    rates: dict[str, list[float]] = defaultdict(list)
    alone: dict[str, list[list[float]]] = defaultdict(list)
    burst: dict[str, list[list[float]]] = defaultdict(list)
    with ExitStack() as stack:
        opened = [(contender, stack.enter_context(apart(contender.open))) for contender in (JOBDECK, *PEERS)]
        for contender, pool in opened:
            pool.run(_throughput, 2 if contender.slow else 8)
        for turn in range(rounds):
            for contender, pool in opened[turn % len(opened) :] + opened[: turn % len(opened)]:
                jobs = slow_count if contender.slow else count
                rate, calls = pool.run(_throughput, jobs)
                rates[contender.name].append(rate)
                burst[contender.name].append(calls)
                alone[contender.name].append(pool.run(_call_times, slow_count if contender.slow else count // 4))

    def in_milliseconds(calls: dict[str, list[list[float]]], who: str, fraction: float) -> Measured:
        return Measured(who, "ms", tuple(1000 * quantile(times, fraction) for times in calls[who]))

    def row(what: str, calls: dict[str, list[list[float]]], fraction: float, limit: float | None) -> Row:
        ours = in_milliseconds(calls, JOBDECK.name, fraction)
        peers = tuple(in_milliseconds(calls, peer.name, fraction) for peer in PEERS)
        return Row("jobs", what, ours, None if limit is None else Budget(limit), peers)

    return [
        Row(
            "jobs",
            f"trivial durable jobs, end to end ({count} at once)",
            Measured(JOBDECK.name, "jobs/s", tuple(rates[JOBDECK.name])),
            Budget(1.0, at_least=True, peer=DASK),
            tuple(Measured(peer.name, "jobs/s", tuple(rates[peer.name])) for peer in PEERS),
        ),
        row("run() returns, agent warm, one job at a time, p50", alone, 0.5, 2.0),
        row("run() returns, agent warm, one job at a time, p99", alone, 0.99, None),
        row("run() returns while earlier jobs run, p50", burst, 0.5, 2.0),
        row("run() returns while earlier jobs run, p99", burst, 0.99, None),
    ]


def _throughput(pool: Pool, count: int) -> tuple[float, list[float]]:
    """Jobs a second from the first submit to the last result, and how long each submit took."""
    calls = []
    began = time.perf_counter()
    handles = []
    for _ in range(count):
        before = time.perf_counter()
        handles.append(pool.submit(nothing))
        calls.append(time.perf_counter() - before)
    pool.collect(handles)
    return count / (time.perf_counter() - began), calls


def _call_times(pool: Pool, count: int) -> list[float]:
    """How long a submit takes while nothing else runs."""
    calls = []
    for _ in range(count):
        before = time.perf_counter()
        handle = pool.submit(nothing)
        calls.append(time.perf_counter() - before)
        pool.collect([handle])
    return calls


def _cold_row(quick: bool) -> Row:
    rounds = 2 if quick else 5
    delays: dict[str, list[float]] = defaultdict(list)
    for _ in range(rounds):
        for contender in (JOBDECK, *PEERS):
            delays[contender.name].append(_cold_start(contender))
    return Row(
        "jobs",
        "a cold first job starts (nothing of the pool runs yet)",
        Measured(JOBDECK.name, "ms", tuple(delays[JOBDECK.name])),
        Budget(300),
        tuple(Measured(peer.name, "ms", tuple(delays[peer.name])) for peer in PEERS),
    )


def _cold_start(contender: Contender) -> float:
    """Milliseconds from opening a pool to the first line of its first program, by the system's clock."""
    began = time.time()
    with contender.open() as pool:
        (started,) = pool.collect([pool.submit(clock)])
    return 1000 * (started - began)
