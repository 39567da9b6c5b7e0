"""What is asked of many jobs at once is done to each of them, and the report tells what each became."""

from __future__ import annotations

from typing import Any

import pytest

from decks import wait_until
from jobdeck import BulkReport, InvalidInputError, JobStatus
from jobdeck._bulk import Bulk, answer_bulk
from jobdeck._errors import StoreError
from jobdeck._records import JobQuery, NewJob
from jobdeck._status import Exit

NOBODY = "aaaaaa-aaaaaaaaaaaa"


def add(store, number=1, *, running=False, ended=False, **more: Any) -> list[str]:
    """Add jobs of an engine that nobody runs."""
    ids = [
        store.add_job(NewJob(name="job", engine="none", program=b"p", inputs=b"i", context=b"{}", **more)).job_id
        for _ in range(number)
    ]
    if running or ended:
        store.claim("none", "agent", 10_000)
    if ended:
        store.finish(dict.fromkeys(ids, Exit(code=1)))
    return ids


def ask(store, command, **parts):
    return answer_bulk(store, {"type": "bulk", "request": 7, "command": command, **parts}, None, "test")


def test_a_thousand_jobs_are_cancelled_by_one_command_and_each_outcome_is_told(store):
    running, ended, queued = add(store, 100, running=True), add(store, 50, ended=True), add(store, 850)
    report = ask(store, "cancel", ids=[*running, NOBODY, *ended, *queued])
    assert report["error"] is None
    assert report["request"] == 7
    assert report["counts"] == {"cancelled": 850, "asked": 100, "ended": 50, "missing": 1}
    assert {report["outcomes"][job_id] for job_id in queued} == {"cancelled"}
    assert {report["outcomes"][job_id] for job_id in running} == {"asked"}
    assert {store.job(job_id).status for job_id in queued} == {JobStatus.CANCELLED}
    assert {store.job(job_id).cancel_state for job_id in running} == {"requested"}
    commands = store.commands("none", "agent")
    assert [(command.job_id, command.kind) for command in commands] == [(job_id, "cancel") for job_id in running]


def test_asking_again_is_told_as_asked_and_asks_nobody_twice(store):
    (job_id,) = add(store, running=True)
    assert [ask(store, "kill", ids=[job_id, job_id])["counts"] for _ in range(2)] == [{"asked": 1}] * 2
    assert [command.kind for command in store.commands("none", "agent")] == ["kill"]


def test_a_query_means_the_jobs_that_it_finds_at_that_moment(store):
    kept, gone = add(store, 3, tags=("keep",)), add(store, 4, tags=("sweep",))
    report = ask(store, "cancel", query="tag:sweep")
    assert report["outcomes"] == dict.fromkeys(gone[::-1], "cancelled")
    assert {store.job(job_id).status for job_id in kept} == {JobStatus.QUEUED}


def test_a_query_that_cannot_be_read_does_nothing_and_says_why(store):
    add(store)
    report = ask(store, "delete", query="status:")
    assert "status" in report["error"]
    assert report["outcomes"] == {}
    assert store.count(JobQuery()) == 1


def test_jobs_under_way_are_not_deleted_and_the_others_leave_nothing(store):
    running, ended, queued = add(store, 2, running=True), add(store, 300, ended=True), add(store, 3)
    for job_id in ended[:3]:
        store.log_path(job_id).parent.mkdir(parents=True, exist_ok=True)
        store.log_path(job_id).write_bytes(b"output")
    paths = [store.log_path(job_id) for job_id in ended[:3]]
    number = store.change_number()
    report = ask(store, "delete", ids=[*running, *ended, *queued, NOBODY])
    assert report["counts"] == {"deleted": 303, "missing": 1, "refused": 2}
    assert [report["reasons"][job_id] for job_id in running] == ["it is under way: cancel it first"] * 2
    assert [record.job_id for record in store.jobs(JobQuery(descending=False))] == running
    assert not any(path.exists() for path in paths)
    assert set(store.changes(number).deleted) == {*ended, *queued}


def test_tags_are_added_and_taken_away_and_what_has_them_already_does_not_change(store):
    plain, tagged = add(store, 2), add(store, 1, tags=("sweep", "kept"))
    number = store.change_number()
    report = ask(store, "tag", ids=[*plain, *tagged, NOBODY], add=["kept", "<b>"], remove=["sweep"])
    assert report["counts"] == {"tagged": 3, "missing": 1}
    assert [store.job(job_id).tags for job_id in plain] == [("kept", "<b>")] * 2
    assert store.job(tagged[0]).tags == ("kept", "<b>")
    changed = store.changes(number).number
    ask(store, "tag", ids=plain, add=["kept"])
    assert store.change_number() == changed


def test_what_cannot_be_run_again_is_refused_with_its_reason_and_the_rest_is(store):
    first, second = add(store, 2, ended=True)

    def retry(job_id, inputs):
        if job_id == first:
            raise InvalidInputError("its program is gone")
        return f"again-{job_id}"

    request = {"type": "bulk", "request": 1, "command": "retry", "ids": [first, second]}
    report = answer_bulk(store, request, retry, "test")
    assert report["outcomes"] == {first: "refused", second: "retried"}
    assert report["made"] == {second: f"again-{second}"}
    assert report["reasons"] == {first: "its program is gone"}


def test_a_store_that_fails_midway_leaves_the_rest_undone_and_says_so(store, monkeypatch):
    ids = add(store, 500)
    bulk = Bulk(store, "cancel", ids, origin="test")
    bulk.advance()

    def fail(*_):
        raise StoreError("the disk is full")

    monkeypatch.setattr(store, "ask_many", fail)
    report = bulk.finish()
    assert report.counts == {"cancelled": 200, "refused": 300}
    assert set(report.reasons.values()) == {"the disk is full"}


def test_a_report_reads_as_a_sentence():
    outcomes = {
        **{f"a{number}": "cancelled" for number in range(312)},
        **{f"b{number}": "asked" for number in range(8)},
        **{f"c{number}": "ended" for number in range(3)},
    }
    assert repr(BulkReport(outcomes)) == "312 cancelled, 8 asked to stop, 3 had ended before"
    assert repr(BulkReport()) == "no jobs"
    assert repr(BulkReport({"a": "refused"}, reasons={"a": "it runs"})) == "1 refused (it runs)"
    assert BulkReport(outcomes).ids("ended") == ["c0", "c1", "c2"]


def test_jobs_that_run_and_jobs_that_wait_stop_by_one_call(deck, gate):
    deck.max_workers = 2
    jobs = [deck.run(gate.wait, name="held", tags=["sweep"]) for _ in range(60)]
    wait_until(lambda: sum(job.status() == "RUNNING" for job in jobs) == 2)
    report = deck.cancel_jobs("tag:sweep")
    assert set(report.outcomes) == {job.job_id() for job in jobs}
    assert report.counts["cancelled"] >= 57
    assert set(report.counts) <= {"cancelled", "asked"}
    for job in jobs:
        job.wait_for_final_state(20)
    assert {job.status() for job in jobs} == {JobStatus.CANCELLED}
    assert deck.cancel_jobs(jobs).counts == {"ended": 60}


def test_jobs_are_run_again_tagged_and_deleted_by_one_call_each(deck):
    jobs = [deck.submit(pow, 2, number) for number in range(3)]
    for job in jobs:
        job.result(timeout=30)
    report = deck.retry_jobs(jobs)
    again = [deck.job(new) for new in report.made.values()]
    assert sorted(job.result(timeout=30) for job in again) == [1, 2, 4]
    assert deck.tag_jobs([job.job_id() for job in again], add=["again"]).counts == {"tagged": 3}
    assert len(deck.jobs(tags=["again"])) == 3
    assert deck.delete_jobs("tag:again").counts == {"deleted": 3}
    assert {job.job_id() for job in deck.jobs()} == {job.job_id() for job in jobs}


@pytest.mark.parametrize("jobs", ["", "  ", [7], [None], "energy<<3"])
def test_what_does_not_say_which_jobs_is_refused_before_anything_is_done(deck, jobs):
    with pytest.raises(InvalidInputError):
        deck.delete_jobs(jobs)


def test_tagging_with_nothing_is_refused(deck):
    with pytest.raises(InvalidInputError, match="which tags"):
        deck.tag_jobs("active")
