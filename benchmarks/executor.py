"""Executor rows: ten thousand tiny calls through ``JobExecutor``, each with a process of its own or in shared ones."""

from __future__ import annotations

import operator
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from concurrent.futures import Executor, Future, ProcessPoolExecutor, wait
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path

import joblib  # type: ignore[import-untyped]  # it ships no types

import jobdeck.joblib
from jobdeck import JobExecutor

from .apart import apart
from .decks import open_deck
from .pools import WORKERS, dask_client
from .table import Budget, Measured, Row

SHARED = "jobdeck, shared"
ISOLATED = "jobdeck, isolated"
POOL = "ProcessPoolExecutor"
DASK = "Dask LocalCluster"
JOBLIB = "joblib on jobdeck"
LOKY = "joblib on loky"

Run = Callable[[int], "list[int]"]


def measure(*, quick: bool) -> list[Row]:
    """All executor rows."""
    rounds, count, few = (2, 10_000, 600) if quick else (5, 10_000, 10_000)
    with ExitStack() as stack:
        home = stack.enter_context(open_deck(max_workers=WORKERS)).home
        submits, lags = _submitted(home, rounds, count)
        shared = stack.enter_context(JobExecutor(WORKERS, isolate=False, home=home))
        pool = stack.enter_context(ProcessPoolExecutor(WORKERS))
        tiny = _rates([(SHARED, _on(shared)), (POOL, _on(pool))], rounds, count, settle=lambda: _settle(shared))
        backend = jobdeck.joblib.JobdeckBackend(home=home)
        stack.callback(backend.shutdown)
        loops = _rates([(JOBLIB, _looped(backend)), (LOKY, _looped("loky"))], rounds, count)
    with apart(_isolated) as isolated, apart(_dask) as on_dask:
        runs = [(ISOLATED, partial(isolated.run, _called)), (DASK, partial(on_dask.run, _called))]
        alone = _rates(runs, rounds, few)
    return [
        _row(f"{count:,} tiny calls in shared processes, end to end", tiny, Budget(1 / 3, at_least=True, peer=POOL)),
        _row(f"{few:,} calls with a process each, end to end", alone, Budget(1.0, at_least=True, peer=DASK)),
        _row(f"{count:,} tiny tasks of joblib.Parallel, end to end", loops, None),
        *(
            Row("executor", f"submit of {count:,}, {kind}", Measured(kind, "s", tuple(took)), Budget(2.0))
            for kind, took in submits.items()
        ),
        Row(
            "executor",
            f"after the last of {count:,} shared calls: until all stand in the deck, ended",
            Measured(SHARED, "s", tuple(lags)),
        ),
    ]


def _row(what: str, rates: dict[str, list[float]], budget: Budget | None) -> Row:
    ours, *peers = (Measured(name, "calls/s", tuple(each)) for name, each in rates.items())
    return Row("executor", what, ours, budget, tuple(peers))


def _settle(executor: JobExecutor) -> None:
    """Wait until the deck is told of the end of all calls, which nobody else should pay for."""
    executor.submit(int).job.wait_for_final_state()
    executor.group.wait()


def _rates(
    runs: list[tuple[str, Run]], rounds: int, count: int, settle: Callable[[], None] = lambda: None
) -> dict[str, list[float]]:
    """Calls a second from the first submit to the last result, which have to be right; each has its turn first."""
    rates: dict[str, list[float]] = defaultdict(list, {name: [] for name, _ in runs})
    for _, run in runs:
        run(2 * WORKERS)
    for turn in range(rounds):
        for name, run in runs[turn % len(runs) :] + runs[: turn % len(runs)]:
            began = time.perf_counter()
            found = run(count)
            rates[name].append(count / (time.perf_counter() - began))
            if found != [-number for number in range(count)]:
                raise AssertionError(f"the results of {name} are not those of the calls")
            settle()
    return rates


def _on(executor: Executor) -> Run:
    def run(count: int) -> list[int]:
        futures = [executor.submit(operator.neg, number) for number in range(count)]
        return [future.result() for future in futures]

    return run


@contextmanager
def _isolated() -> Iterator[Run]:
    with open_deck(max_workers=WORKERS) as deck, JobExecutor(WORKERS, home=deck.home) as executor:
        yield _on(executor)


@contextmanager
def _dask() -> Iterator[Run]:
    with dask_client() as client:
        # pure=False: Dask would otherwise run equal calls once
        yield lambda count: list(
            client.gather([client.submit(operator.neg, number, pure=False) for number in range(count)])
        )


def _called(run: Run, count: int) -> list[int]:
    return run(count)


def _looped(backend: object) -> Run:
    def run(count: int) -> list[int]:
        with joblib.parallel_config(backend=backend, n_jobs=WORKERS):
            return list(joblib.Parallel()(joblib.delayed(operator.neg)(number) for number in range(count)))

    return run


def _submitted(home: Path, rounds: int, count: int) -> tuple[dict[str, list[float]], list[float]]:
    """Seconds that submitting takes; and those after the last result until the deck shows all of a shared executor."""
    submits: dict[str, list[float]] = {SHARED: [], ISOLATED: []}
    lags = []
    for _ in range(rounds):
        with JobExecutor(WORKERS, isolate=False, home=home) as shared:
            shared.submit(int).result()
            futures = _timed_submits(shared, count, submits[SHARED])
            wait(futures)
            ended = time.perf_counter()
            while shared.group.progress.done <= count:
                time.sleep(0.01)
            lags.append(time.perf_counter() - ended)
        isolated = JobExecutor(WORKERS, home=home)
        isolated.submit(int).result()
        _timed_submits(isolated, count, submits[ISOLATED])
        isolated.shutdown(cancel_futures=True)
    return submits, lags


def _timed_submits(executor: Executor, count: int, took: list[float]) -> list[Future[int]]:
    began = time.perf_counter()
    futures = [executor.submit(operator.neg, number) for number in range(count)]
    took.append(time.perf_counter() - began)
    return futures
