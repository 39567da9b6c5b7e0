"""The contract: adding, finding, changing and deleting jobs."""

from __future__ import annotations

import contextlib
import dataclasses
import sqlite3
import time

import pytest

from jobdeck._errors import InvalidInputError, JobError, JobNotFoundError, RuntimeInvalidStateError
from jobdeck._records import JobQuery, Outcome, Payload
from jobdeck._status import Exit, JobStatus

from .conftest import new_job, running


def test_a_job_is_read_back_as_it_was_added(any_store):
    before = time.time()
    new = new_job(
        name="ground state of H₂",
        program_id="program-1",
        backend="aer",
        tags=("h2", 'sto"3g', "\N{SNOWMAN}"),
        metadata={"basis": {"n": [1, 2.5, None]}},
        inputs_preview={"r": "0.74"},
        timeout=2.5,
        retry_of="another",
        group_id="sweep",
    )
    job = any_store.add_job(new)
    assert any_store.job(job.job_id) == job
    told = dataclasses.asdict(job)
    for name, value in dataclasses.asdict(new).items():
        if name in told and name not in {"job_id", "place"}:  # the store chooses them
            assert told[name] == value, name
    assert job.status is JobStatus.QUEUED
    assert before <= job.created == job.queued <= time.time()
    assert job.started is job.ended is job.agent is job.cancel_state is job.error is None
    assert job.interim_count == 0
    assert any_store.payload(job.job_id) == Payload(b"a program", b"its inputs", b"{}")


def test_an_id_begins_with_the_stores_name_and_goes_on_with_twelve_random_characters(any_store):
    ids = [any_store.add_job(new_job()).job_id for _ in range(20)]
    assert len({*ids}) == 20
    for job_id in ids:
        store_id, _, random = job_id.partition("-")
        assert store_id == any_store.store_id
        assert (len(store_id), len(random)) == (6, 12)
        assert set(store_id + random) <= set("abcdefghijklmnopqrstuvwxyz234567")


@pytest.mark.parametrize("text", ["a\ud800z", "nul\0nul", "<img src=x onerror=alert(1)>", "'; DROP TABLE jobs; --", ""])
def test_any_text_can_be_a_name_or_a_tag(any_store, text):
    job = any_store.add_job(new_job(name=text, backend=text, tags=(text,), inputs_preview={text: text}))
    read = any_store.job(job.job_id)
    assert read.tags == (text,)
    assert read.inputs_preview == {text: text}
    assert read.name == read.backend == text.replace("\ud800", "\\ud800")
    assert any_store.jobs(JobQuery(tags=(text,))) == [read]


def test_metadata_that_json_cannot_hold_is_refused_before_anything_is_queued(any_store):
    with pytest.raises(InvalidInputError, match="metadata"):
        any_store.add_job(new_job(metadata={"x": object()}))
    assert any_store.count(JobQuery()) == 0


def test_a_prepared_job_waits_until_it_is_submitted_once(any_store):
    job = any_store.add_job(new_job(submitted=False))
    assert job.status is JobStatus.INITIALIZING
    assert job.queued is None
    assert any_store.claim("local", "agent", 5) == []
    submitted = any_store.submit_job(job.job_id)
    assert submitted.status is JobStatus.QUEUED
    assert submitted.queued >= job.created
    with pytest.raises(JobError, match=f"{job.job_id} was submitted before"):
        any_store.submit_job(job.job_id)


def test_a_job_that_was_added_for_one_agent_is_claimed_by_no_other(any_store):
    free = any_store.add_job(new_job(name="any"))
    bound = any_store.add_job(new_job(name="own", agent="mine"))
    assert [any_store.queue_place(job.job_id) for job in (bound, free)] == [1, 1]
    assert [job.name for job in any_store.claim("local", "other", 5)] == ["any"]
    assert sorted(any_store.owners("local")) == ["mine", "other"]
    assert [job.name for job in any_store.claim("local", "mine", 5)] == ["own"]
    any_store.finish({bound.job_id: Exit(code=0)})
    assert any_store.owners("local") == ["other"]
    assert any_store.owners("dask") == []


def test_an_agent_without_a_free_place_waits_for_nobody_who_writes(any_store):
    any_store.add_job(new_job())
    with contextlib.closing(sqlite3.connect(any_store.home / "jobdeck.db", isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        assert any_store.claim("local", "agent", 0) == []


def test_what_a_claim_tells_is_what_is_in_the_store(any_store):
    any_store.add_job(new_job(tags=("h2",), metadata={"n": 1}))
    (claimed,) = any_store.claim("local", "agent", 1)
    assert claimed == any_store.job(claimed.job_id)
    assert claimed.status is JobStatus.RUNNING


def test_claims_take_what_was_submitted_first_of_their_engine_alone(any_store):
    late = any_store.add_job(new_job(submitted=False))
    first, second, third = (any_store.add_job(new_job()) for _ in range(3))
    foreign = any_store.add_job(new_job(engine="dask"))
    any_store.submit_job(late.job_id)
    assert [any_store.queue_place(job.job_id) for job in (first, second, third, late)] == [1, 2, 3, 4]
    assert any_store.queue_place(foreign.job_id) == 1

    claimed = any_store.claim("local", "agent", 2)
    assert [job.job_id for job in claimed] == [first.job_id, second.job_id]
    assert {(job.status, job.agent) for job in claimed} == {(JobStatus.RUNNING, "agent")}
    assert all(job.started >= job.queued for job in claimed)
    assert [any_store.queue_place(job.job_id) for job in (first, second, third, late)] == [None, None, 1, 2]
    assert [job.job_id for job in any_store.claim("local", "other", 5)] == [third.job_id, late.job_id]
    assert any_store.claim("local", "other", 5) == []
    assert any_store.claim("dask", "other", 0) == []
    assert [job.job_id for job in any_store.claim("dask", "other", 1)] == [foreign.job_id]


def test_queries_narrow_by_every_field_and_page_in_either_order(any_store):
    a = any_store.add_job(new_job(name="Alpha 100%", tags=("x", "y"), group_id="g"))
    b = any_store.add_job(new_job(name="beta", tags=("x",), program_id="p"))
    c = any_store.add_job(new_job(name="gamma", tags=('x"y',), engine="dask", submitted=False))

    def found(**narrowing: object) -> list[str]:
        query = JobQuery(**narrowing)  # type: ignore[arg-type]
        jobs = [job.job_id for job in any_store.jobs(query)]
        assert any_store.count(query) == len(jobs)
        return [{a.job_id: "a", b.job_id: "b", c.job_id: "c"}[job_id] for job_id in jobs]

    assert found() == ["c", "b", "a"]
    assert found(descending=False) == ["a", "b", "c"]
    assert found(tags=("x",)) == ["b", "a"]
    assert found(tags=("x", "y")) == ["a"]
    assert found(tags=('x"y',)) == ["c"]
    assert found(tags=("z",)) == []
    assert found(name="ALPHA") == found(name="100%") == ["a"]
    assert found(name="a_p") == []
    assert found(status=("QUEUED",)) == ["b", "a"]
    assert found(status=(JobStatus.QUEUED, JobStatus.INITIALIZING)) == ["c", "b", "a"]
    assert found(status=()) == found(job_ids=()) == []
    assert found(program_id="p") == ["b"]
    assert found(engine="dask") == found(engine="DASK", ignore_case=True) == ["c"]
    assert found(engine="DASK") == found(tags=("X",)) == []
    assert found(tags=("X", "Y"), ignore_case=True) == ["a"]
    assert found(group_id="g") == ["a"]
    assert found(created_after=a.created, created_before=c.created) == ["b"]
    assert found(job_ids=(a.job_id, c.job_id, "no such")) == ["c", "a"]
    assert [job.job_id for job in any_store.jobs(JobQuery(limit=1, skip=1))] == [b.job_id]
    assert any_store.jobs(JobQuery(limit=0)) == []
    assert any_store.count(JobQuery(limit=1)) == 3


def test_ten_thousand_ids_can_be_asked_for_at_once(any_store):
    job = any_store.add_job(new_job())
    ids = (*(f"{any_store.store_id}-{number:012}" for number in range(9_999)), job.job_id)
    assert any_store.jobs(JobQuery(job_ids=ids)) == [job]


def test_tags_process_and_progress_can_change(any_store):
    job = running(any_store)
    any_store.update_tags(job.job_id, ["new", "tags"])
    any_store.set_process(job.job_id, 4321, 1.5)
    any_store.set_progress(job.job_id, 2, 8, "iterating \ud800")
    read = any_store.job(job.job_id)
    assert read.tags == ("new", "tags")
    assert (read.pid, read.pid_started) == (4321, 1.5)
    assert (read.progress_done, read.progress_total, read.progress_message) == (2, 8, "iterating \\ud800")
    any_store.finish({job.job_id: Exit(code=0)})
    any_store.update_tags(job.job_id, ["also", "later"])
    with pytest.raises(RuntimeInvalidStateError, match=job.job_id):
        any_store.set_progress(job.job_id, 3, None, None)


def test_a_foreign_status_follows_the_table_and_never_ends_a_job(any_store):
    job = any_store.add_job(new_job(submitted=False, engine="foreign"))
    any_store.set_status(job.job_id, "held by the operator")
    assert any_store.job(job.job_id).status == "held by the operator"
    for status in (JobStatus.QUEUED, JobStatus.VALIDATING, "RUNNING", JobStatus.QUEUED, JobStatus.RUNNING):
        any_store.set_status(job.job_id, status)
        assert any_store.job(job.job_id).status is JobStatus(status)
    read = any_store.job(job.job_id)
    assert None not in (read.queued, read.started)
    any_store.set_status(job.job_id, JobStatus.INITIALIZING)
    assert any_store.job(job.job_id) == read
    with pytest.raises(ValueError, match="final"):
        any_store.set_status(job.job_id, "DONE")
    any_store.finish({job.job_id: Exit(code=1)})
    ended = any_store.job(job.job_id)
    any_store.set_status(job.job_id, JobStatus.RUNNING)
    any_store.set_status(job.job_id, "odd")
    assert any_store.job(job.job_id) == ended


def test_deleting_a_job_takes_all_that_it_left_and_no_job_that_runs(any_store):
    job = running(any_store)
    with pytest.raises(RuntimeInvalidStateError, match="cancel it first"):
        any_store.delete_job(job.job_id)
    any_store.add_message(job.job_id, "1")
    output = any_store.log_path(job.job_id)
    output.write_text("said")
    any_store.finish({job.job_id: Exit(code=0)})
    any_store.delete_job(job.job_id)
    assert not output.exists()
    assert any_store.jobs(JobQuery()) == []
    for submitted in (True, False):
        never_started = any_store.add_job(new_job(submitted=submitted))
        any_store.delete_job(never_started.job_id)
    assert any_store.count(JobQuery()) == 0


@pytest.mark.parametrize(
    "call",
    [
        lambda store, job_id: store.job(job_id),
        lambda store, job_id: store.payload(job_id),
        lambda store, job_id: store.submit_job(job_id),
        lambda store, job_id: store.ask(job_id, "cancel", "test"),
        lambda store, job_id: store.delete_job(job_id),
        lambda store, job_id: store.update_tags(job_id, []),
        lambda store, job_id: store.set_process(job_id, 1, 1.0),
        lambda store, job_id: store.set_outcome(job_id, Outcome(True)),
        lambda store, job_id: store.note_cancel(job_id, "stopping", None),
        lambda store, job_id: store.set_status(job_id, "RUNNING"),
        lambda store, job_id: store.queue_place(job_id),
        lambda store, job_id: store.outcome(job_id),
        lambda store, job_id: store.messages(job_id),
        lambda store, job_id: store.add_message(job_id, "1"),
        lambda store, job_id: store.add_message(job_id, '"' + "x" * 2_000_000 + '"'),
        lambda store, job_id: store.set_progress(job_id, 1, None, None),
        lambda store, job_id: store.log_path(job_id),
    ],
)
def test_an_id_that_is_not_here_is_refused_by_every_method_that_takes_one(any_store, call):
    deleted = any_store.add_job(new_job())
    any_store.log_path(deleted.job_id)
    any_store.delete_job(deleted.job_id)
    for job_id in (deleted.job_id, "no such job", "../../etc/passwd", ""):
        with pytest.raises(JobNotFoundError, match=r"there is no job .*jobdeck\.jobs\(\)"):
            call(any_store, job_id)
    other = f"{'b' if any_store.store_id[0] == 'a' else 'a'}{any_store.store_id[1:]}-abcdefghijkl"
    with pytest.raises(JobNotFoundError, match=r"another jobdeck home.*JOBDECK_HOME"):
        call(any_store, other)
    assert not list((any_store.home / "blobs").iterdir())


def test_settings_are_kept_until_they_are_removed(any_store):
    assert any_store.setting("max_workers") is None
    any_store.set_setting("max_workers", "4")
    any_store.set_setting("max_workers", "2")
    assert any_store.setting("max_workers") == "2"
    any_store.set_setting("max_workers", None)
    assert any_store.setting("max_workers") is None


def test_a_closed_store_says_so(any_store):
    any_store.close()
    any_store.close()
    with pytest.raises(Exception, match="was closed; open it again"):
        any_store.jobs(JobQuery())


def test_a_pulse_is_the_change_number_with_the_settings_asked_for(any_store):
    any_store.set_setting("max_workers", "3")
    job = any_store.add_job(new_job())
    assert any_store.pulse("max_workers", "idle_end") == (job.changed, ("3", None))
    assert any_store.pulse() == (any_store.change_number(), ())
