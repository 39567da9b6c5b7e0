"""Group rows: one program with many inputs, from the call to the last result, and what that costs the caller."""

from __future__ import annotations

import operator
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import ExitStack, contextmanager

from .apart import apart
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
    waits, submits = _costs(rounds, count)
    with ExitStack() as stack:
        runs = [
            (name, stack.enter_context(apart(open_it)))
            for name, open_it in ((JOBDECK.name, _jobdeck), (DASK, _dask), (POOL, _pool))
        ]
        for _, run in runs:
            run.run(_rate, 8)
        for turn in range(rounds):
            for name, run in runs[turn % len(runs) :] + runs[: turn % len(runs)]:
                rates[name].append(run.run(_rate, count))
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


@contextmanager
def _jobdeck() -> Iterator[Run]:
    with open_deck(max_workers=WORKERS) as deck:
        yield lambda count: deck.map(operator.neg, range(count)).results()


@contextmanager
def _dask() -> Iterator[Run]:
    with dask_client() as client:
        yield lambda count: list(client.gather(client.map(operator.neg, range(count), pure=False)))


@contextmanager
def _pool() -> Iterator[Run]:
    with ProcessPoolExecutor(WORKERS) as pool:
        yield lambda count: list(pool.map(operator.neg, range(count)))


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
