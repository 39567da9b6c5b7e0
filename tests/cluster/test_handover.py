"""What of a job travels to a cluster."""

from __future__ import annotations

import json

import pytest

from jobdeck import JobStatus
from jobdeck._records import NewJob
from jobdeck.engines.dask.handover import hand_over
from jobdeck.engines.dask.travel import packed, unpacked
from jobdeck.store.sqlite import open_store

ENGINE = "dask://nowhere:1"


class Scheduler:
    """Takes all that it is given."""

    def __init__(self):
        self.parcels = []

    def submit(self, jobs):
        self.parcels += [unpacked(packed(parcel)) for parcel, _ in jobs]
        return {}


@pytest.fixture
def store(tmp_path):
    opened = open_store(tmp_path)
    yield opened
    opened.close()


def handed(store, *contexts):
    """Hand over a job with each of these contexts; what became of them, and what the scheduler got."""
    for context in contexts:
        store.add_job(NewJob(name="job", engine=ENGINE, program=b"p", inputs=b"i", context=context))
    scheduler = Scheduler()
    records = store.claim(ENGINE, "agent", len(contexts), JobStatus.VALIDATING)
    return hand_over(store, scheduler, "topic", None, records), scheduler.parcels


def test_of_a_kernels_context_its_source_texts_travel_and_nothing_else(store):
    sources = {"<ipython-input-1>": "def relax():\n    return 1 / 0\n"}
    context = json.dumps({"env": {"TOKEN": "secret"}, "sources": sources}).encode()
    plain = json.dumps({"env": {"TOKEN": "secret"}, "sources": {}}).encode()
    became, parcels = handed(store, context, plain)
    assert (became.refused, became.gone) == ({}, [])
    assert [parcel["sources"] and json.loads(parcel["sources"]) for parcel in parcels] == [sources, b""]
    assert b"secret" not in packed(parcels[0]) + packed(parcels[1])


def test_a_job_whose_context_cannot_be_read_is_refused_and_holds_up_no_other(store):
    became, parcels = handed(store, b"{", b'{"sources": {}}')
    assert [words.partition(":")[0] for words in became.refused.values()] == ["its context cannot be read"]
    assert [parcel["program"] for parcel in parcels] == [b"p"]
    assert parcels[0]["job"] not in became.refused
