"""jobdeck and its peers behind one small interface: open a pool of two workers, submit calls, collect their values."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .decks import open_deck

if TYPE_CHECKING:
    from distributed import Client

WORKERS = 2


@dataclass(frozen=True)
class Pool:
    """A place that runs calls in other processes."""

    submit: Callable[..., Any]
    collect: Callable[[Sequence[Any]], list[Any]]


@dataclass(frozen=True)
class Contender:
    """How to open a pool; `slow` ones start an interpreter a job and get fewer jobs to do."""

    name: str
    open: Callable[[], AbstractContextManager[Pool]]
    slow: bool = False


def _results(handles: Sequence[Any]) -> list[Any]:
    return [handle.result() for handle in handles]


@contextmanager
def _jobdeck() -> Iterator[Pool]:
    with open_deck(max_workers=WORKERS) as deck:
        yield Pool(deck.submit, _results)


@contextmanager
def _process_pool() -> Iterator[Pool]:
    with ProcessPoolExecutor(WORKERS) as executor:
        yield Pool(executor.submit, _results)


@contextmanager
def dask_client() -> Iterator[Client]:
    """A client of a local Dask cluster of as many single-threaded processes."""
    from distributed import Client, LocalCluster

    cluster = LocalCluster(
        n_workers=WORKERS, threads_per_worker=1, processes=True, dashboard_address=None, host="127.0.0.1"
    )
    with cluster, Client(cluster) as client:
        yield client


@contextmanager
def _dask() -> Iterator[Pool]:
    with dask_client() as client:
        # pure=False: Dask would otherwise run equal calls once
        yield Pool(lambda function, *args: client.submit(function, *args, pure=False), client.gather)


@contextmanager
def _loky() -> Iterator[Pool]:
    from joblib.externals.loky import ProcessPoolExecutor as LokyExecutor

    with LokyExecutor(WORKERS) as executor:
        yield Pool(executor.submit, _results)


@contextmanager
def _submitit() -> Iterator[Pool]:
    import submitit

    with tempfile.TemporaryDirectory(prefix="jobdeck-bench-") as folder:
        executor = submitit.LocalExecutor(folder=Path(folder))
        yield Pool(executor.submit, _results)


JOBDECK = Contender("jobdeck", _jobdeck)
PEERS = (
    Contender("Dask LocalCluster", _dask),
    Contender("ProcessPoolExecutor", _process_pool),
    Contender("joblib/loky", _loky),
    Contender("submitit local", _submitit, slow=True),
)
