"""What an agent does about jobs that an earlier one had taken from the queue."""

from __future__ import annotations

import dataclasses

import pytest

from jobdeck import JobStatus
from jobdeck._records import NewJob
from jobdeck.engines.dask.takeover import Fate, fate, recall, remember
from jobdeck.store.sqlite import open_store

ENGINE = "dask://nowhere:1"


@pytest.fixture
def store(tmp_path):
    opened = open_store(tmp_path)
    yield opened
    opened.close()


def taken(store, *, retries=0, cancelled=False, status=JobStatus.VALIDATING):
    options = {"dask": {"retries": retries}} if retries else {}
    store.add_job(NewJob(name="job", engine=ENGINE, program=b"", inputs=b"", context=b"", metadata=options))
    (record,) = store.claim(ENGINE, "agent", 1, JobStatus.VALIDATING)
    return dataclasses.replace(record, status=status, cancel_state="stopping" if cancelled else None)


@pytest.mark.parametrize(
    ("job", "state", "was_heard", "is_new", "expected"),
    [
        ({}, "processing", False, False, Fate.FOLLOW),
        ({"cancelled": True}, "processing", True, False, Fate.STOP),
        ({"cancelled": True}, "memory", True, False, Fate.FOLLOW),
        ({}, None, False, False, Fate.AGAIN),
        ({}, None, True, False, Fate.LOST),
        ({"status": JobStatus.RUNNING}, None, False, False, Fate.LOST),
        ({"status": JobStatus.RUNNING}, "no-worker", False, False, Fate.LOST),
        ({"status": JobStatus.RUNNING, "retries": 1}, "no-worker", False, False, Fate.FOLLOW),
        ({"cancelled": True}, None, False, False, Fate.CANCELLED),
        ({}, None, False, True, Fate.LOST),
        ({"retries": 1}, None, False, True, Fate.AGAIN),
    ],
)
def test_a_job_is_followed_stopped_handed_over_again_or_closed(store, job, state, was_heard, is_new, expected):
    assert fate(taken(store, **job), state, was_heard=was_heard, is_new=is_new) is expected


def test_the_scheduler_that_has_the_jobs_is_known_to_the_next_agent(store):
    assert recall(store, ENGINE) is None
    remember(store, ENGINE, "Scheduler-1")
    assert recall(store, ENGINE) == "Scheduler-1"
    assert recall(store, "dask://elsewhere:1") is None
    remember(store, ENGINE, None)
    assert recall(store, ENGINE) is None
