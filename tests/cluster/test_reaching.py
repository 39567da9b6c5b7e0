"""A scheduler that does not answer: its jobs say so from the first seconds on, and only for as long as it is so."""

from __future__ import annotations

import re
import threading

import pytest

from jobdeck import EngineError, JobStatus
from jobdeck._records import JobQuery, NewJob
from jobdeck.engines.dask import reaching
from jobdeck.engines.dask.address import file_name
from jobdeck.engines.dask.agent import DaskAgent
from jobdeck.engines.dask.reaching import Reaching
from jobdeck.engines.lock import AgentLock
from jobdeck.store.sqlite import open_store

ENGINE = "dask://nowhere:8786"
WAITING = r"waiting for the scheduler at tcp://nowhere:8786, which does not answer \(since \d\d:\d\d:\d\d\)"


@pytest.fixture
def store(tmp_path):
    opened = open_store(tmp_path)
    yield opened
    opened.close()


@pytest.fixture(autouse=True)
def at_once(monkeypatch):
    monkeypatch.setattr(reaching, "TELL_AFTER", 0.0)
    monkeypatch.setattr(reaching, "_TELL_EVERY", 0.0)


def add(store, engine=ENGINE):
    return store.add_job(NewJob(name="job", engine=engine, program=b"", inputs=b"", context=b"")).job_id


def turn_until_it_fails(agent):
    for _ in range(100):
        agent._turn()


def said(store):
    return {record.job_id: record.facts.get("status_text") for record in store.jobs(JobQuery())}


def test_all_jobs_under_way_say_what_they_wait_for_until_they_end_or_it_answers(store):
    may_answer, connection = threading.Event(), object()

    def connect():
        assert may_answer.wait(10)
        return connection

    elsewhere, handed = add(store, "local"), add(store)
    store.claim(ENGINE, "agent", 1, JobStatus.VALIDATING)
    cancelled = add(store)
    trying = Reaching(store, ENGINE, connect)
    assert trying.cluster(0.0) is None
    later = add(store)
    assert trying.cluster(0.0) is None
    (words,) = {said(store)[job_id] for job_id in (handed, cancelled, later)}
    assert re.fullmatch(WAITING, words)
    assert said(store)[elsewhere] is None
    before = store.change_number()
    assert trying.cluster(0.0) is None
    assert store.change_number() == before
    store.ask(cancelled, "cancel", "test")
    assert trying.cluster(0.0) is None
    assert said(store) == {elsewhere: None, handed: words, cancelled: None, later: words}
    may_answer.set()
    assert trying.cluster(10.0) is connection
    assert set(said(store).values()) == {None}


def test_a_scheduler_that_never_answers_is_given_up_and_its_jobs_say_why_and_wait_no_longer(
    tmp_path, store, monkeypatch
):
    monkeypatch.setenv("JOBDECK_DASK_PATIENCE", "0.000001")
    may_fail = threading.Event()

    def connect(_topic):
        assert may_fail.wait(10)
        raise EngineError("nobody is there")

    lock = AgentLock(tmp_path, file_name(ENGINE))
    lock.take("agent")
    job_id = add(store)
    agent = DaskAgent(store, lock, "agent", ENGINE, connect)
    agent._turn()
    assert store.job(job_id).status == JobStatus.QUEUED
    assert said(store)[job_id] is not None
    may_fail.set()
    with pytest.raises(EngineError, match="nobody is there"):
        turn_until_it_fails(agent)
    record = store.job(job_id)
    assert record.status == JobStatus.ERROR
    assert f"its scheduler, {ENGINE}, cannot be reached (nobody is there)" in record.error
    assert said(store)[job_id] is None
    lock.release()
