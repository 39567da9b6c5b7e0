"""The contract: whoever asks what changed since a number learns all of it, once."""

from __future__ import annotations

import threading

import pytest

from jobdeck._errors import JobError
from jobdeck._records import JobQuery, Outcome, Tally
from jobdeck._status import Exit

from .conftest import new_job, running


def test_every_change_of_a_row_is_told_after_the_number_before_it(any_store):
    assert any_store.changes(0) == any_store.changes(any_store.change_number())
    number = any_store.change_number()
    job = any_store.add_job(new_job())

    def told() -> list[str]:
        nonlocal number
        changes = any_store.changes(number)
        assert changes.number > number
        number = changes.number
        assert number == any_store.change_number()
        assert [record.changed <= number for record in changes.jobs] == [True] * len(changes.jobs)
        return [record.status for record in changes.jobs]

    assert told() == ["QUEUED"]
    any_store.claim("local", "agent", 1)
    assert told() == ["RUNNING"]
    any_store.set_process(job.job_id, 1, 1.0)
    any_store.set_progress(job.job_id, 1, 2, None)
    any_store.update_tags(job.job_id, ["a"])
    any_store.ask(job.job_id, "cancel", "kernel")
    any_store.note_cancel(job.job_id, "stopping", None)
    assert told() == ["RUNNING"]
    any_store.finish({job.job_id: Exit(signal=9)})
    assert told() == ["CANCELLED"]
    any_store.delete_job(job.job_id)
    deletion = any_store.changes(number)
    assert (deletion.jobs, deletion.deleted) == ((), (job.job_id,))
    assert any_store.changes(deletion.number).deleted == ()


def test_messages_outcomes_and_settings_are_no_change_of_a_row(any_store):
    job = running(any_store)
    number = any_store.change_number()
    any_store.add_message(job.job_id, "1")
    any_store.set_outcome(job.job_id, Outcome(True))
    any_store.set_setting("a", "b")
    any_store.commands("local", "agent-1")
    assert any_store.change_number() == number


def test_a_refused_call_changes_nothing(any_store):
    job = any_store.add_job(new_job())
    version, number = any_store.data_version(), any_store.change_number()
    with pytest.raises(JobError):
        any_store.submit_job(job.job_id)
    assert any_store.change_number() == number
    assert any_store.data_version() == version


def test_the_data_version_differs_after_commits_of_this_thread_and_of_others(any_store, connect, home):
    versions = [any_store.data_version()]

    def moved() -> bool:
        versions.append(any_store.data_version())
        return versions[-1] != versions[-2]

    assert not moved()
    job = any_store.add_job(new_job())
    assert moved()
    assert not moved()
    thread = threading.Thread(target=any_store.add_message, args=(job.job_id, "1"))
    thread.start()
    thread.join()
    assert moved()
    other = connect(home)
    other.add_message(job.job_id, "2")
    other.close()
    assert moved()
    any_store.jobs
    any_store.job(job.job_id)
    assert not moved()
    assert versions == sorted(versions)


def test_many_changes_are_told_in_parts_that_make_up_the_whole(any_store):
    ids = [any_store.add_job(new_job()).job_id for _ in range(10)]
    any_store.delete_many(ids[:3])
    any_store.update_tags(ids[5], ["last"])
    number, jobs, deleted, parts = 0, [], [], 0
    while True:
        changes = any_store.changes(number, 2)
        assert len(changes.jobs) <= 2
        assert len(changes.deleted) <= 2
        assert all(number < record.changed <= changes.number for record in changes.jobs)
        jobs += [record.job_id for record in changes.jobs]
        deleted += changes.deleted
        number, parts = changes.number, parts + 1
        if not changes.more:
            break
    assert number == any_store.change_number()
    assert jobs == [ids[3], ids[4], *ids[6:], ids[5]]
    assert deleted == ids[:3]
    assert parts > 3


def test_who_asks_from_before_a_deletion_that_was_forgotten_is_told_so(any_store, monkeypatch):
    first, second = (any_store.add_job(new_job()).job_id for _ in range(2))
    before = any_store.change_number()
    any_store.delete_job(first)
    known = any_store.change_number()
    any_store.delete_job(second)
    assert any_store.changes(before).complete
    monkeypatch.setattr("jobdeck.store.retention._TOMBSTONES", -1.0)
    any_store.prune(None, 10)
    after = any_store.change_number()
    assert [any_store.changes(number).complete for number in (0, before, known, after)] == [False, False, False, True]


def test_a_tally_counts_the_jobs_of_each_status_at_a_change_number(any_store):
    assert any_store.tally() == Tally(any_store.change_number(), {})
    for _ in range(2):
        any_store.add_job(new_job())
    running(any_store, engine="other")
    assert any_store.tally() == Tally(any_store.change_number(), {"QUEUED": 2, "RUNNING": 1})


def test_jobs_are_found_by_the_statuses_that_they_have_not_and_the_numbers_below(any_store):
    ids = [any_store.add_job(new_job()).job_id for _ in range(4)]
    any_store.ask(ids[1], "cancel", "test")
    found = any_store.jobs(JobQuery(without=("CANCELLED", "DONE"), below=4))
    assert [record.job_id for record in found] == [ids[2], ids[0]]
