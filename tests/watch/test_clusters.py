"""Futures and collections of a Dask cluster, in the deck."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import dask.bag
import distributed
import pytest

import dask
import jobdeck
from jobdeck import Deck, JobStatus

from .contract import AdapterContract, Sample


@pytest.fixture(scope="module")
def client() -> Iterator[Any]:
    """A client of a cluster of one worker with two threads, in this process."""
    with (
        distributed.LocalCluster(
            n_workers=1, threads_per_worker=2, processes=False, dashboard_address="127.0.0.1:0", protocol="inproc://"
        ) as cluster,
        distributed.Client(cluster) as opened,
    ):
        yield opened


def follow(event: str, value: int) -> int:
    return wait_for(event, value=value)


def wait_for(event: str, fails: bool = False, value: int = 41) -> int:
    distributed.Event(event).wait(30)
    if fails:
        raise ValueError("it failed")
    return value


class DaskSample(Sample):
    system = "distributed"

    def __init__(self, client: Any, name: str) -> None:
        super().__init__()
        self._client = client
        self._events = [f"{name}-{kind}" for kind in ("well", "badly")]

    def begin(self) -> None:
        self.obj = self._client.submit(_follow, *self._events, pure=False)

    def finish(self) -> None:
        distributed.Event(self._events[0], client=self._client).set()

    def fail(self) -> None:
        distributed.Event(self._events[1], client=self._client).set()
        self.finish()

    def close(self) -> None:
        self.finish()


def _follow(well: str, badly: str) -> int:
    distributed.Event(well).wait(30)
    if distributed.Event(badly).is_set():
        raise ValueError("it failed")
    return 41


@pytest.fixture
def sample(client: Any, request: pytest.FixtureRequest) -> Iterator[DaskSample]:
    """A running future."""
    made = DaskSample(client, request.node.name)
    made.begin()
    yield made
    made.close()


class TestDaskFutures(AdapterContract):
    """The contract, over futures of a cluster."""


def test_a_future_that_waits_for_a_worker_is_queued_and_keeps_its_name(client: Any, deck: Deck, until):
    blockers = [client.submit(wait_for, "gate", pure=False) for _ in range(2)]
    waiting = client.submit(wait_for, "gate", pure=False, value=7)
    jobs = [deck.watch(each) for each in (*blockers, waiting)]
    until(lambda: [job.status() for job in jobs].count(JobStatus.RUNNING) >= 2)
    assert {job.name for job in jobs} == {"wait_for"}
    distributed.Event("gate", client=client).set()
    assert jobs[-1].result(timeout=20) == 7


def test_a_persisted_collection_has_its_graphs_progress_and_gives_itself(client: Any, deck: Deck, until):
    first = [dask.delayed(wait_for)("first", value=number, dask_key_name=f"first-{number}") for number in range(3)]
    second = [dask.delayed(follow)("second", each) for each in first]
    (persisted,) = dask.persist(dask.delayed(sum)(second))
    job = deck.watch(persisted, name="graph")

    def told() -> tuple[float | None, float | None]:
        row = deck.store.job(job.job_id())
        return row.progress_done, row.progress_total

    until(lambda: told() == (0, 7))
    distributed.Event("first", client=client).set()
    until(lambda: told() == (3, 7))
    distributed.Event("second", client=client).set()
    assert job.result(timeout=20) is persisted
    assert persisted.compute() == 3
    assert (told(), job.facts) == ((7, 7), {"parts": 1, "tasks": 7})


def test_a_large_graph_has_the_progress_of_its_parts(client: Any, deck: Deck, monkeypatch, until):
    monkeypatch.setattr("jobdeck.watchers.dask_graph._MOST_TASKS", 1)
    # No more than there are threads: each waits for its own event.
    parts = [dask.delayed(wait_for)(f"part-{number}", value=number) for number in range(2)]
    bag = dask.bag.from_delayed([dask.delayed(lambda value: [value])(part) for part in parts]).persist()
    job = deck.watch(bag)
    distributed.Event("part-0", client=client).set()
    until(lambda: (row := deck.store.job(job.job_id())).progress_done == 1 and row.progress_total == 2)
    distributed.Event("part-1", client=client).set()
    assert job.result(timeout=20) is bag
    assert job.facts == {"parts": 2}


def test_what_a_client_is_given_in_a_block_is_shown_once(client: Any, deck: Deck):
    before = distributed.Client.submit
    with deck.watching() as block:
        one = client.submit(abs, -1, pure=False)
        several = client.map(abs, [-2, -3], pure=False)
        whole = client.persist(dask.delayed(abs)(-4))
        with client.get_executor(pure=False) as executor:
            assert executor.submit(abs, -5).result(20) == 5
    assert distributed.Client.submit is before
    assert [future.result() for future in (one, *several)] == [1, 2, 3]
    results = [job.result(timeout=20) for job in block.jobs()]
    assert results[:3] == [1, 2, 3]
    assert results[3] is whole
    assert results[4:] == [5]


async def test_a_future_of_an_asynchronous_client_is_watched_from_outside_of_its_loop(client: Any, deck: Deck):
    async with distributed.Client(client.scheduler.address, asynchronous=True) as own:
        assert await deck.watch(own.submit(abs, -6, pure=False)) == 6


def test_a_future_whose_client_is_closed_ends_as_its_client_says(client: Any, deck: Deck):
    with distributed.Client(client.scheduler.address, set_as_default=False) as own:
        job = deck.watch(own.submit(wait_for, "never-set", pure=False))
    with pytest.raises((jobdeck.JobCancelledError, jobdeck.RuntimeJobFailureError)):
        job.result(timeout=20)
    distributed.Event("never-set", client=client).set()
