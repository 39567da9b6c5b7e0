"""What an agent learns in a turn: written at once, in the order in which it came about."""

from __future__ import annotations

import pytest

from jobdeck import JobStatus
from jobdeck._records import NewJob, Outcome
from jobdeck._status import Exit
from jobdeck.engines.dask.intake import Intake
from jobdeck.engines.dask.ledger import Ledger
from jobdeck.engines.dask.travel import packed, unpacked
from jobdeck.store.sqlite import open_store

ENGINE = "dask://nowhere:1"


@pytest.fixture
def store(tmp_path):
    opened = open_store(tmp_path)
    yield opened
    opened.close()


def taken(store):
    store.add_job(NewJob(name="job", engine=ENGINE, program=b"", inputs=b"", context=b""))
    (record,) = store.claim(ENGINE, "agent", 1, JobStatus.VALIDATING)
    return record


def test_jobs_that_begin_and_end_in_a_turn_are_written_together_and_have_both_times(store):
    first, second, third = (taken(store).job_id for _ in range(3))
    ledger = Ledger(store, ENGINE, "agent")
    for job_id in (first, second):
        ledger.begin(job_id)
    ledger.add(first, Exit(code=0), Outcome(True))
    ledger.add(first, Exit(lost=True))
    store.delete_many([third])
    ledger.begin(third)
    before = store.data_version()
    assert [job_id for job_id, _ in ledger.write()] == [first]
    assert store.data_version() != before
    done, running = store.job(first), store.job(second)
    assert (done.status, running.status) == (JobStatus.DONE, JobStatus.RUNNING)
    assert done.created <= done.started <= done.ended
    after = store.data_version()
    assert ledger.write() == []
    assert store.data_version() == after


def test_a_job_that_has_said_something_is_running(store):
    record = taken(store)
    ledger = Ledger(store, ENGINE, "agent")
    intake = Intake(store, ledger, ask=lambda *_: None)
    away = intake.away(record)
    ledger.begin(record.job_id)
    intake.add_messages(away, [(1, False, "1")])
    intake.write()
    assert store.job(record.job_id).status == JobStatus.RUNNING
    assert [message.body for message in store.messages(record.job_id)] == ["1"]


def test_what_is_told_comes_as_it_was_whatever_is_in_it():
    news = [
        {"job": "a", "messages": ((1, False, "\ud800 \x00 é"), (2, True, None)), "progress": (0.5, None, "half")},
        {"job": "b", "log": (1 << 40, b"\xff\x00"), "begun": True},
        {"job": "c", "end": {"outcome": None, "exit": {"code": -9, "cpu_time": 1e-9, "words": "wörd"}, "messages": 0}},
    ]
    assert unpacked(packed(news)) == tuple(news)
