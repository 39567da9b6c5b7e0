"""Finding jobs in a store: the same jobs as looking at all of them, with fewer looks."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence

import pytest

from jobdeck import Deck, InvalidInputError, QueryError
from jobdeck._codec import encode
from jobdeck._ports import Store
from jobdeck._query import JobFacts, parse, resolve
from jobdeck._query.facts import read_facts
from jobdeck._records import JobQuery, JobRecord, NewJob, Outcome
from jobdeck._status import Exit
from jobdeck.store import SQLiteStore

FAST = NewJob(name="vqe-h2", engine="local", program=b"p", inputs=b"i", context=b"{}")


def add(store: SQLiteStore, name: str = "vqe-h2", **parts: object) -> str:
    return store.add_job(NewJob(**{**vars(FAST), "name": name, **parts})).job_id


def finish(store: SQLiteStore, job_id: str, value: object) -> None:
    store.set_outcome(job_id, Outcome(ok=True, encoding="json", body=encode(value).encode(), preview=repr(value)))
    store.finish({job_id: Exit(code=0)})


@pytest.fixture
def jobs(store: SQLiteStore) -> list[str]:
    """Ids of jobs of many kinds, in the order of their creation."""
    ids = [
        add(store, tags=("sweep",), inputs_preview={"r": "0.7"}),
        add(store, "vqe-lih", tags=("Sweep", "Größe"), engine="dask"),
        add(store, "Ünïcode", tags=("größe",), submitted=False),
        add(store, "bell", tags=("k\u212a",), group_id="g1"),
        add(store, "held", engine="qiskit", group_id="k3v9qa-gbcdefghijklm"),
        add(store, "waits", engine="qiskit"),
    ]
    store.claim("local", "agent", 10)
    store.add_message(ids[0], encode({"iteration": 1, "energy": -0.5}))
    store.add_message(ids[0], encode({"iteration": 2, "energy": -1.2}))
    store.add_message(ids[3], encode("measuring"))
    finish(store, ids[3], {"counts": {"00": 512}})
    store.set_status(ids[4], "HELD")
    store.ask(ids[1], "cancel", "test")
    return ids


QUERIES = [
    "",
    "running",
    "active",
    "active -running",
    "waiting active",
    "done active",
    "status:active",
    "status:held",
    "status:queued,held",
    "status!=done",
    "NOT active",
    "tag:sweep",
    "tag:SWEEP running",
    "tag:größe",
    "tag:GRÖßE",
    "tag:k*",
    "name:VQE",
    "name:ünï",
    "name:vqe OR bell",
    "engine:DASK",
    "engine:dask,qiskit -held",
    "group:g1",
    "group:K3V9QA-GBCDEFGHIJKLM",
    "group:k3v9qa-gbcdefghijklm -running",
    "created:<1h",
    "created:>1h",
    "created:<=today",
    "created:>yesterday",
    "created:<2099-01-01",
    "created!=today",
    "energy<-1",
    "energy<-1 OR counts.00>500",
    "counts.00=512 done",
    "r<1",
    "latest:energy",
    "measuring",
    "-measuring",
    "input.r:0.7",
    "cancelled",
    "progress:*",
]


@pytest.mark.parametrize("text", QUERIES)
def test_the_store_is_asked_for_less_and_finds_the_same(store: SQLiteStore, jobs: list[str], text: str):
    query = parse(text)
    records = store.jobs(JobQuery())
    facts = read_facts(store, records)
    now = time.time()
    wanted = [record.job_id for record in records if query.matches(record, facts[record.job_id], now)]
    found = [record.job_id for record in query.find(store, now=now)]
    assert found == wanted
    assert [record.job_id for record in query.find(store, 2, now=now)] == wanted[:2]
    paged = JobQuery(skip=1, limit=2, descending=False)
    assert [record.job_id for record in query.find(store, within=paged, now=now)] == wanted[::-1][1:3]


@pytest.mark.parametrize("text", QUERIES)
@pytest.mark.parametrize(
    "within",
    [
        JobQuery(status=("RUNNING", "DONE")),
        JobQuery(tags=("sweep",)),
        JobQuery(name="vqe"),
        JobQuery(engine="local"),
        JobQuery(created_after=4e9),
        JobQuery(created_before=4e9),
    ],
    ids=lambda query: repr(query)[:0] or str([value for value in vars(query).values() if value]),
)
def test_a_query_and_what_is_given_beside_it_both_hold(
    store: SQLiteStore, jobs: list[str], text: str, within: JobQuery
):
    those = {record.job_id for record in store.jobs(within)}
    alone = [record.job_id for record in parse(text).find(store)]
    assert [record.job_id for record in parse(text).find(store, within=within)] == [
        job_id for job_id in alone if job_id in those
    ]


def test_facts_are_read_only_of_jobs_that_the_rest_of_the_query_means(store: SQLiteStore, jobs: list[str]):
    read: list[str] = []

    def reading(asked: Store, records: Sequence[JobRecord]) -> Mapping[str, JobFacts]:
        read.extend(record.job_id for record in records)
        return read_facts(asked, records)

    for text, wanted in (
        ("energy<-1 running", [jobs[0]]),
        ("energy<-1 tag:sweep name:h2", [jobs[0]]),
        ("bell OR tag:sweep OR held OR waits", [jobs[5], jobs[4], jobs[2]]),
        ("tag:sweep OR name:bell", []),
        ("nothing id:" + jobs[5], [jobs[5]]),
    ):
        read.clear()
        parse(text).find(store, facts=reading)
        assert read == wanted, text


def test_numbers_come_from_inputs_messages_and_results_and_not_from_pickles(store: SQLiteStore, jobs: list[str]):
    store.set_outcome(jobs[0], Outcome(ok=True, encoding="pickle", body=b"cos\nsystem\n(S'false'\ntR.", preview="?"))
    store.finish({jobs[0]: Exit(code=0)})
    facts = read_facts(store, store.jobs(JobQuery()))
    assert facts[jobs[0]].values == {"r": 0.7, "iteration": 2.0, "energy": -1.2}
    assert facts[jobs[0]].latest == "energy -1.2"
    assert facts[jobs[3]].values == {"counts.00": 512.0}
    assert facts[jobs[3]].latest == "measuring"


def test_a_job_that_is_deleted_while_it_is_looked_at_is_no_trouble(store: SQLiteStore, jobs: list[str]):
    records = store.jobs(JobQuery())
    store.delete_job(jobs[3])
    assert read_facts(store, records)[jobs[3]].values == {}


def test_a_deck_finds_jobs_by_a_query_among_others(deck: Deck):
    def nothing() -> None: ...

    for number in range(4):
        deck.prepare(nothing, name=f"job-{number}", tags=["even" if number % 2 == 0 else "odd"])
    assert [job.name for job in deck.jobs(query="tag:even")] == ["job-2", "job-0"]
    assert [job.name for job in deck.jobs(query="name:job-*", tags=["odd"], descending=False)] == ["job-1", "job-3"]
    assert [job.name for job in deck.jobs(limit=1, skip=1, query="job")] == ["job-2"]
    assert len(deck.jobs(query="")) == 4
    with pytest.raises(QueryError, match="did you mean name"):
        deck.jobs(query="nmae:x")
    with pytest.raises(InvalidInputError, match="a query is a text"):
        deck.jobs(query=["running"])  # type: ignore[arg-type]


def test_an_id_is_resolved_from_either_end(store: SQLiteStore, jobs: list[str]):
    own = jobs[0].partition("-")[2]
    for part in (jobs[0], jobs[0][:12], own[:8], own[-8:]):
        assert resolve(store, part).job_id == jobs[0]
