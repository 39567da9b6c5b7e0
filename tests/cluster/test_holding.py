"""What an agent has in memory: it grows with the jobs that are away, and not with those that were."""

from __future__ import annotations

import gc
from collections import deque

import pytest
from benchmarks.scale.cluster import Clock, Load, SimulatedCluster
from benchmarks.scale.filling import AGENT, ENGINE, new_job

from jobdeck._records import JobQuery
from jobdeck.engines.dask.address import file_name
from jobdeck.engines.dask.agent import DaskAgent
from jobdeck.engines.lock import AgentLock
from jobdeck.store import jobs, open_store

JOBS, AT_HAND = 150, 40


def entries(agent):
    """Count what is in all containers that an agent and its parts have."""
    seen, todo, count = set(), [agent], 0
    while todo:
        each = todo.pop()
        is_container = isinstance(each, (dict, list, set, tuple, deque))
        if id(each) in seen or not (is_container or type(each).__module__.startswith("jobdeck.engines.dask")):
            continue
        seen.add(id(each))
        count += len(each) if is_container else 0
        todo += gc.get_referents(each)
    return count


@pytest.fixture
def store(tmp_path, monkeypatch):
    monkeypatch.setattr(jobs, "_REMEMBERED", AT_HAND)
    opened = open_store(tmp_path)
    yield opened
    opened.close()


def test_an_agent_holds_nothing_of_jobs_that_are_over(tmp_path, store):
    lock = AgentLock(tmp_path, file_name(ENGINE))
    lock.take(AGENT)
    agent = DaskAgent(store, lock, AGENT, ENGINE, lambda _: SimulatedCluster(Load(20, 0.05, 40.0), Clock()))
    most = 0
    for first in range(0, 3 * JOBS, JOBS):
        store.add_jobs([new_job(number) for number in range(first, first + JOBS)])
        while store.count(JobQuery(status=("DONE",))) < first + JOBS:
            agent._turn()
            most = max(most, entries(agent))
        assert entries(agent) == 0
    assert most >= 20  # workers, each with a job
    links = list(store._db._links)
    assert any(link.numbers for link in links)
    assert all(len(link.numbers) <= AT_HAND for link in links)
    lock.release()
