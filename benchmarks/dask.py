"""Dask rows: jobs through a cluster beside its own tasks, how soon their messages are in the store, and what stays."""

from __future__ import annotations

import json
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Final

import psutil

from jobdeck import Deck
from jobdeck.engines.dask.address import engine_of, file_name
from jobdeck.engines.lock import AgentLock

from .decks import open_deck, wait_until_running
from .programs import nap, steady
from .table import Budget, Measured, Row, quantile

if TYPE_CHECKING:
    from distributed import Client

JOBDECK: Final = "jobdeck"
DASK: Final = "Dask client.map"
NAP: Final = 0.1
JOBS: Final = 200
RATE: Final = 10.0
_AT_A_TIME: Final = 500
_WARM_UP: Final = 2_000
"""Jobs after which most of an agent's caches are full. All of them are after 20,000."""


def measure(*, quick: bool) -> list[Row]:
    """All Dask rows."""
    rounds, count = (2, 200) if quick else (5, 400)
    shapes = [(8, 1), (2, 4)]
    return [
        *(_map_row(rounds, count, *shape) for shape in shapes),
        *_message_rows(10.0 if quick else 30.0),
        *(_memory_rows(_WARM_UP, 1_000) if quick else _memory_rows(20_000, 20_000)),
    ]


def _map_row(rounds: int, count: int, workers: int, threads: int) -> Row:
    """The same short sleeps as jobs and as tasks, by turns."""
    took: dict[str, list[float]] = defaultdict(list)
    with _opened(workers, threads) as (client, deck):
        runs: list[tuple[str, Callable[[int], list[int]]]] = [
            (JOBDECK, lambda n: deck.map(nap, [{"number": i, "seconds": NAP} for i in range(n)]).results()),
            (DASK, lambda n: client.gather(client.map(nap, range(n), [NAP] * n, pure=False))),
        ]
        for _, run in runs:
            run(2 * workers * threads)
        for turn in range(rounds):
            for name, run in runs[:: 1 if turn % 2 else -1]:
                began = time.perf_counter()
                found = run(count)
                took[name].append(time.perf_counter() - began)
                if list(found) != list(range(count)):
                    raise AssertionError("the results are not those of the inputs")
    return Row(
        "dask",
        f"{count} jobs of {1000 * NAP:.0f} ms, {workers} workers of {threads} threads",
        Measured(JOBDECK, "s", tuple(took[JOBDECK])),
        Budget(1.3, peer=DASK),
        (Measured(DASK, "s", tuple(took[DASK])),),
    )


def _message_rows(seconds: float) -> list[Row]:
    """Many jobs that publish steadily; what is told while all of them run is measured, and everything counted."""
    # Dask's own profiler looks at each of a worker's threads a hundred times a second: half of what a worker does here.
    with _opened(workers=4, threads=JOBS // 4, profiled=False) as (_, deck):
        deck.map(abs, range(8)).results()
        group = deck.map(steady, [{"seconds": seconds + 20.0, "rate": RATE}] * JOBS)
        wait_until_running(deck, JOBS)
        begin = time.time() + 2.0
        # The way into the store is measured, with nobody who reads it.
        time.sleep(seconds + 20.0)
        group.wait()
        store = deck._service.store
        delays, lost = [], 0
        for job in group.jobs():
            numbers = []
            for message in store.messages(job.job_id()):
                body = json.loads(message.body)
                numbers.append(body["number"])
                if begin <= body["sent"] <= begin + seconds:
                    delays.append(1000 * (message.time - body["sent"]))
            wanted = range(round((seconds + 20.0) * RATE))
            lost += len(set(wanted) - set(numbers)) + sum(a >= b for a, b in pairwise(numbers))
    what = f"{JOBS} jobs on 4 workers, {RATE:.0f} messages/s each"
    return [
        Row("dask", f"{what}: publish → store, p50", Measured(JOBDECK, "ms", (quantile(delays, 0.5),)), Budget(20)),
        Row("dask", f"{what}: publish → store, p99", Measured(JOBDECK, "ms", (quantile(delays, 0.99),))),
        Row("dask", f"{what}: lost, doubled or out of order", Measured(JOBDECK, "messages", (float(lost),)), Budget(0)),
    ]


def _memory_rows(before: int, count: int) -> list[Row]:
    """What trivial jobs leave in the processes that all of them pass through, after so many that went before."""
    # What Dask's profiler remembers grows by the second, for an hour.
    with _opened(workers=2, threads=2, profiled=False) as (client, deck):
        _pass(deck, before)
        at_first, kept_at_first = _memory(deck, client), client.run_on_scheduler(_kept)
        _pass(deck, count)
        after, kept = _memory(deck, client), client.run_on_scheduler(_kept)

    def grown(who: str) -> Measured:
        return Measured(JOBDECK, "KB", ((after[who] - at_first[who]) / 1000,))

    return [
        Row("dask", f"{count:,} trivial jobs: memory that the agent has gained", grown("agent"), Budget(2_000)),
        Row("dask", f"{count:,} trivial jobs: memory that the workers have gained", grown("workers")),
        Row(
            "dask",
            f"{count:,} trivial jobs: tasks, clients and kinds that the scheduler has gained",
            Measured(JOBDECK, "things", (float(kept - kept_at_first),)),
            Budget(0),
        ),
    ]


def _pass(deck: Deck, count: int) -> None:
    for first in range(0, count, _AT_A_TIME):
        numbers = range(first, min(count, first + _AT_A_TIME))
        if deck.map(abs, numbers).results() != list(numbers):
            raise AssertionError("the results are not those of the inputs")
    # Workers are told once a second what they can forget.
    time.sleep(3.0)


def _memory(deck: Deck, client: Client) -> dict[str, float]:
    """Bytes that the agent, and all workers, have for themselves."""
    holder = AgentLock(deck.home, file_name(deck._engine)).holder()
    assert holder is not None
    assert holder.pid is not None
    return {
        "agent": psutil.Process(holder.pid).memory_full_info().uss,
        "workers": sum(client.run(_own_memory).values()),
    }


def _own_memory() -> float:
    return float(psutil.Process().memory_full_info().uss)


def _kept(dask_scheduler: Any) -> int:
    """What a scheduler keeps for ever, or until somebody lets go of it."""
    return len(dask_scheduler.tasks) + len(dask_scheduler.clients) + len(dask_scheduler.task_prefixes)


@contextmanager
def _opened(workers: int, threads: int, *, profiled: bool = True) -> Iterator[tuple[Client, Deck]]:
    """A cluster whose scheduler and workers are processes, its client, and a deck whose jobs run there."""
    from distributed import Client, SubprocessCluster

    cluster = SubprocessCluster(
        n_workers=workers,
        threads_per_worker=threads,
        dashboard_address=None,
        host="127.0.0.1",
        # Not as a variable of the environment: a nanny gives its workers its own configuration.
        worker_kwargs={"dashboard": False, "config": {"distributed.worker.profile.enabled": profiled}},
    )
    with cluster, Client(cluster) as client:
        client.wait_for_workers(workers)
        engine = engine_of(client)
        assert engine is not None
        with open_deck(engine=engine) as deck:
            yield client, deck
