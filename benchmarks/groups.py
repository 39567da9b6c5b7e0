"""Group rows: one program with many inputs, from the call to the last result, and what that costs the caller."""

from __future__ import annotations

import operator
import time
from collections import defaultdict
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from contextlib import ExitStack

from .decks import open_deck
from .pools import JOBDECK, WORKERS, dask_client
from .table import Budget, Measured, Row

DASK = "Dask client.map"
POOL = "ProcessPoolExecutor.map"
MANY = 10_000

Run = Callable[[int], "list[int]"]


def measure(*, quick: bool) -> list[Row]:
    """All group rows."""
    rounds, count = (2, 500) if quick else (5, 2_000)
    rates: dict[str, list[float]] = defaultdict(list)
    # Alone, since the scheduler of a local Dask cluster lives in this process.
    waits, submits = _costs(rounds, count)
    with ExitStack() as stack:
        deck = stack.enter_context(open_deck(max_workers=WORKERS))
        client = stack.enter_context(dask_client())
        pool = stack.enter_context(ProcessPoolExecutor(WORKERS))
        runs: list[tuple[str, Run]] = [
            (JOBDECK.name, lambda n: deck.map(operator.neg, range(n)).results()),
            (DASK, lambda n: client.gather(client.map(operator.neg, range(n), pure=False))),
            (POOL, lambda n: list(pool.map(operator.neg, range(n)))),
        ]
        for _, run in runs:
            run(8)
        for turn in range(rounds):
            for name, run in runs[turn % len(runs) :] + runs[: turn % len(runs)]:
                rates[name].append(_rate(run, count))
    return [
        Row(
            "groups",
            f"map of trivial durable jobs, end to end ({count:,} at once)",
            Measured(JOBDECK.name, "jobs/s", tuple(rates[JOBDECK.name])),
            Budget(1.0, at_least=True, peer=DASK),
            tuple(Measured(name, "jobs/s", tuple(rates[name])) for name in (DASK, POOL)),
        ),
        Row("groups", f"map of {MANY:,} jobs returns", Measured(JOBDECK.name, "s", tuple(submits)), Budget(2.0)),
        Row(
            "groups",
            "CPU time of the kernel a job while it maps and waits, all threads",
            Measured(JOBDECK.name, "ms", tuple(waits)),
        ),
    ]


def _costs(rounds: int, count: int) -> tuple[list[float], list[float]]:
    """CPU time a job of mapping and waiting, in milliseconds, and seconds until a large map returns."""
    waits, submits = [], []
    with open_deck(max_workers=WORKERS) as deck:
        deck.map(operator.neg, range(8)).wait()
        for _ in range(rounds):
            before = time.process_time()
            deck.map(operator.neg, range(count)).wait()
            waits.append((time.process_time() - before) / count * 1000)
            began = time.perf_counter()
            group = deck.map(operator.neg, range(MANY))
            submits.append(time.perf_counter() - began)
            group.cancel()
            group.wait()
    return waits, submits


def _rate(run: Run, count: int) -> float:
    """Jobs a second from the call to the last result, which have to be right."""
    began = time.perf_counter()
    found = run(count)
    took = time.perf_counter() - began
    if list(found) != [-number for number in range(count)]:
        raise AssertionError("the results are not those of the inputs")
    return count / took
