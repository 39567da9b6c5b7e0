"""Futures and collections of a Dask cluster, in the deck."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

import jobdeck
from jobdeck import Deck, JobStatus

from .contract import AdapterContract, Sample

distributed = pytest.importorskip("distributed")


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


def test_a_persisted_collection_has_a_bar_and_gives_itself(client: Any, deck: Deck, until):
    import dask

    parts = [dask.delayed(wait_for)("part", value=number) for number in range(3)]
    total = dask.delayed(sum)(parts)
    (persisted,) = dask.persist(total)
    job = deck.watch(persisted, name="graph")
    until(lambda: job.status() == JobStatus.RUNNING)
    assert job.progress is None or job.progress.done == 0
    distributed.Event("part", client=client).set()
    assert job.result(timeout=20) is persisted
    assert persisted.compute() == 3
    assert (deck.store.job(job.job_id()).progress_done, job.facts["parts"]) == (1, 1)


async def test_a_future_of_an_asynchronous_client_is_watched_from_outside_of_its_loop(client: Any, deck: Deck):
    async with distributed.Client(client.scheduler.address, asynchronous=True) as own:
        assert await deck.watch(own.submit(abs, -6, pure=False)) == 6


def test_a_future_whose_client_is_closed_ends_as_its_client_says(client: Any, deck: Deck):
    with distributed.Client(client.scheduler.address, set_as_default=False) as own:
        job = deck.watch(own.submit(wait_for, "never-set", pure=False))
    with pytest.raises((jobdeck.JobCancelledError, jobdeck.RuntimeJobFailureError)):
        job.result(timeout=20)
    distributed.Event("never-set", client=client).set()
