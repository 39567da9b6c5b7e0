"""The contract: whoever asks what changed since a number learns all of it, once."""

from __future__ import annotations

import threading

import pytest

from jobdeck._errors import JobError
from jobdeck._records import Outcome
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
