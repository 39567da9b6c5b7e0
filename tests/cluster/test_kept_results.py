"""Large results stay in the cluster: fetched when asked for, forgotten with their jobs."""

from __future__ import annotations

import asyncio
import re
import sys
import time
from pathlib import Path

import cloudpickle
import pytest

from jobdeck import JobError, JobTimeoutError
from jobdeck.engines.dask import shelf
from jobdeck.engines.dask.connection import connected

from .conftest import agent_pid, end, until

# Workers do not have the tests.
cloudpickle.register_pickle_by_value(sys.modules[__name__])

pytestmark = pytest.mark.filterwarnings("ignore::ResourceWarning")

MIB = 1 << 20


def make_text(number, mark=None):
    if mark is not None:
        with open(mark, "a") as file:
            file.write("ran\n")
    return "x" * number


class Client:
    """Somebody else's client of the cluster."""

    def __init__(self, address):
        self.address = address

    def __enter__(self):
        self._client = connected(self.address, None)
        return self._client

    def __exit__(self, *_):
        self._client.close()


def kept_in(cluster, deck):
    with Client(cluster.address) as client:
        return shelf.kept(client, f"jobdeck-{deck.store.store_id}")


def traces_of(store_id, dask_scheduler):
    """Return whatever of a home a scheduler has: clients, data and tasks, names of what is kept."""
    found = {
        "clients": [str(name) for name in dask_scheduler.clients],
        "tasks": [str(key) for key in dask_scheduler.tasks],
        "names": [str(key) for kept in dask_scheduler.task_metadata.values() for key in kept],
    }
    return {what: [name for name in names if store_id in name] for what, names in found.items()}


def stored_bytes(deck):
    files = [path for path in deck.home.rglob("*") if path.is_file() and path.suffix != ".log"]
    return sum(path.stat().st_size for path in files)


def test_a_large_result_stays_in_the_cluster_and_comes_when_asked_for(cluster, make_deck):
    deck = make_deck(cluster.engine)
    job = deck.run(make_text, inputs={"number": 8 * MIB})
    job.wait_for_final_state(timeout=60)
    assert job.facts["result"] == "8.4 MB, kept in the cluster"
    assert job.job_id() in kept_in(cluster, deck)
    assert stored_bytes(deck) < 4 * MIB
    text = "x" * 8 * MIB
    assert job.result() == text
    assert job.future.result(timeout=30) == text

    async def awaited():
        return await job

    assert asyncio.run(awaited()) == text
    with pytest.raises(JobTimeoutError, match=r"8\.4 MB\) could not be fetched"):
        job.result(timeout=0)


def test_what_is_kept_is_found_by_the_next_agent_and_forgotten_with_its_job(cluster, make_deck):
    deck = make_deck(cluster.engine)
    kept, removed = (deck.run(make_text, inputs={"number": 2 * MIB}) for _ in range(2))
    for job in (kept, removed):
        job.wait_for_final_state(timeout=60)
    end(agent_pid(deck.home, deck.engine))
    deck.delete_job(removed.job_id())
    until(lambda: removed.job_id() not in kept_in(cluster, deck))
    until(lambda: deck.store.leftovers(deck.engine) == [])
    assert len(kept.result()) == 2 * MIB


def test_the_limit_is_a_setting_or_an_option_of_a_job_and_holds_in_groups_but_not_for_messages(cluster, make_deck):
    def tell(user_messenger):
        user_messenger.publish("y" * 2 * 1048576, final=True)

    deck = make_deck(cluster.engine)
    small = deck.run(make_text, inputs={"number": 1000}, options={"dask": {"result_limit": 100}})
    large = deck.run(make_text, inputs={"number": 2 * MIB}, options={"dask": {"result_limit": None}})
    told = deck.run(tell)
    group = deck.map(make_text, [10, 2 * MIB, 3 * MIB])
    assert large.result(timeout=60) == "x" * 2 * MIB
    assert small.result(timeout=60) == "x" * 1000
    assert told.result(timeout=60) == "y" * 2 * MIB
    assert [len(text) for text in group.results(timeout=60)] == [10, 2 * MIB, 3 * MIB]
    assert [len(text) for text in group.to_frame()["result"]] == [10, 2 * MIB, 3 * MIB]
    assert small.facts["result"] == "1.0 KB, kept in the cluster"
    kept = {job.job_id() for job in [small, *group.jobs()[1:]]}
    assert kept_in(cluster, deck) == kept
    store_id = deck.store.store_id
    with Client(cluster.address) as client:
        # The agent's tasks go a moment after the jobs have ended.
        found = until(lambda: len((now := client.run_on_scheduler(traces_of, store_id))["tasks"]) == len(kept) and now)
        assert found["clients"] == [f"jobdeck-{store_id}"]
        for job_id in kept:
            deck.delete_job(job_id)
        until(lambda: not (now := client.run_on_scheduler(traces_of, store_id))["tasks"] and not now["names"])
        assert client.run_on_scheduler(traces_of, store_id)["clients"] == [f"jobdeck-{store_id}"]


def test_of_more_than_all_results_may_be_the_oldest_are_forgotten_and_say_so(cluster, make_deck):
    deck = make_deck(cluster.engine)
    deck.settings["dask_results_total"] = 5 * MIB
    jobs = []
    for _ in range(3):
        jobs.append(deck.run(make_text, inputs={"number": 2 * MIB}))
        jobs[-1].wait_for_final_state(timeout=60)
    oldest, *others = jobs
    until(lambda: oldest.job_id() not in kept_in(cluster, deck))
    assert [len(job.result()) for job in others] == [2 * MIB] * 2
    for _ in range(2):
        with pytest.raises(JobError, match=r"2\.1 MB, was kept in .* is gone: forgotten to make room for newer ones"):
            oldest.result()
    assert oldest.facts["result"].startswith("2.1 MB, gone: forgotten to make room")
    deck.delete_job(others[0].job_id())
    until(lambda: kept_in(cluster, deck) & {job.job_id() for job in jobs} == {others[1].job_id()})


def test_a_worker_dies_with_a_result_which_is_gone_and_the_job_does_not_run_again(
    own_cluster, make_deck, tmp_path, monkeypatch
):
    worker = own_cluster.add_worker()
    deck = make_deck(own_cluster.engine)
    mark = tmp_path / "mark"
    group = deck.map(make_text, [{"number": 2 * MIB, "mark": str(mark)}, {"number": 5}])
    group.wait(timeout=60)
    job, other = group.jobs()
    worker.kill()
    own_cluster.add_worker()
    with pytest.raises(JobError, match=r"2\.1 MB, was kept in .* is gone: the worker .* died; retry\(\) runs it again"):
        job.result(timeout=60)
    assert job.facts["result"] == "2.1 MB, gone: the worker that kept it has died"
    assert other.result() == "xxxxx"
    assert group.results(partial=True) == [None, "xxxxx"]
    assert mark.read_text() == "ran\n"
    again = job.retry()
    assert len(again.result(timeout=60)) == 2 * MIB
    assert mark.read_text() == "ran\n" * 2
    own_cluster.scheduler.kill()
    own_cluster.scheduler.wait()
    monkeypatch.setattr(shelf, "CONNECT", 1.0)
    with pytest.raises(JobError, match=r"cannot be fetched now: the Dask scheduler at .* cannot be reached"):
        again.result()


def test_a_worker_dies_with_an_end_that_no_agent_has_taken_and_the_job_does_not_begin_again(
    own_cluster, make_deck, tmp_path
):
    worker = own_cluster.add_worker()
    deck = make_deck(own_cluster.engine)
    mark, go = tmp_path / "mark", tmp_path / "go"
    jobs = [
        deck.run(make_text_then, inputs={"mark": str(mark), "go": str(go)}, options={"dask": {"retries": retries}})
        for retries in (0, 1)
    ]
    until(lambda: all(job.interim_results() for job in jobs))
    home = deck.home
    deck.close()  # so that nobody starts another agent
    end(agent_pid(home, own_cluster.engine))
    go.touch()
    with Client(own_cluster.address) as client:
        before = until(lambda: len(found := client.run_on_scheduler(ends_kept)) == 2 and found)
        worker.kill()
        own_cluster.add_worker()
        until(lambda: len(found := client.run_on_scheduler(ends_kept)) == 2 and not {*found} & {*before})
    assert mark.read_text() == "ran\n" * 3
    once, again = (make_deck(own_cluster.engine).job(job.job_id()) for job in jobs)
    assert len(again.result(timeout=60)) == 100_000
    once.wait_for_final_state(timeout=60)
    assert re.search(r"lost: the worker at tcp://\S+ died while it ran there; retry\(\) runs", once.error_message())


def make_text_then(mark, go, user_messenger):
    with open(mark, "a") as file:
        file.write("ran\n")
    user_messenger.publish("begun")
    while not Path(go).exists():
        time.sleep(0.01)
    return "x" * 100_000  # more than an event carries


def ends_kept(dask_scheduler):
    tasks = [task for key, task in dask_scheduler.tasks.items() if str(key).startswith("jobdeck-job")]
    return [worker.address for task in tasks for worker in task.who_has or ()]
