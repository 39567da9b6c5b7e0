"""The contract: jobs that begin when others are done."""

from __future__ import annotations

import pytest

from jobdeck._errors import JobNotFoundError
from jobdeck._records import JobQuery, NewGroup, News, Outcome
from jobdeck._status import Exit, JobStatus

from .conftest import new_job

DONE, ERROR, CANCELLED, QUEUED = JobStatus.DONE, JobStatus.ERROR, JobStatus.CANCELLED, JobStatus.QUEUED


@pytest.fixture
def add(any_store):
    """Add a job that comes after others and return its id."""

    def add_one(*after, **more):
        return any_store.add_job(new_job(after=after, **more)).job_id

    return add_one


@pytest.fixture
def end(any_store):
    """End a job that has been claimed."""

    def end_one(job_id, code=0):
        any_store.set_outcome(job_id, _outcome(ok=code == 0))
        any_store.finish({job_id: Exit(code=code)})

    return end_one


def _outcome(*, ok):
    return (
        Outcome(ok=ok) if ok else Outcome(ok=False, exception_type="ValueError", exception_text="ValueError: seven\nx")
    )


def claim(store, limit=10):
    return [record.job_id for record in store.claim("local", "agent", limit)]


def status(store, job_id):
    return store.job(job_id).status


def test_a_job_waits_for_the_one_before_it_and_is_in_nobodys_line_meanwhile(any_store, add, end):
    first = add(name="first")
    second = add(first)
    third = add()
    assert status(any_store, second) == QUEUED
    assert [any_store.queue_place(job_id) for job_id in (first, second, third)] == [1, None, 2]
    assert claim(any_store) == [first, third]
    assert claim(any_store) == []
    end(first)
    assert any_store.queue_place(second) == 1
    assert claim(any_store) == [second]
    assert any_store.job(second).facts == {"after": f"first ({first})"}


def test_with_several_before_it_a_job_waits_for_the_last_of_them(any_store, add, end):
    before = [add(name=f"b{n}") for n in range(3)]
    last = add(*before)
    assert any_store.job(last).facts == {"after": f"b0 ({before[0]}) and 2 more"}
    claim(any_store)
    for job_id in before:
        assert claim(any_store) == []
        end(job_id)
    assert claim(any_store) == [last]


def test_jobs_that_were_done_before_are_not_waited_for(any_store, add, end):
    first = add()
    claim(any_store)
    end(first)
    assert claim(any_store) == []
    assert add(first) in claim(any_store)


def test_news_of_an_agent_end_a_job_and_hand_out_the_next_in_one_transaction(any_store, add):
    first = add()
    second = add(first)
    claim(any_store)
    news = News(outcomes={first: _outcome(ok=True)}, ends={first: Exit(code=0)})
    assert [record.job_id for record in any_store.turn("local", "agent", 1, news)] == [second]


def test_a_job_that_fails_ends_all_behind_it_in_words_that_name_it(any_store, add, end):
    first = add(name="fit")
    second = add(first, name="plot")
    third, fourth = add(second), add(second, submitted=False)
    before = any_store.change_number()
    claim(any_store)
    end(first, code=1)
    record = any_store.job(second)
    assert (record.status, record.error_kind) == (ERROR, "submit")
    words = f"not started: job 'fit' ({first}), which has to be done before it, failed: ValueError: seven; retry()"
    assert record.error.startswith(words)
    assert record.started is None
    assert record.ended >= record.created
    for job_id in (third, fourth):
        assert status(any_store, job_id) == ERROR
        assert any_store.job(job_id).error == record.error, "of a long chain, too, each names the one that failed"
    assert {job.job_id for job in any_store.changes(before).jobs} == {first, second, third, fourth}
    assert any_store.job(add(third)).error == record.error


@pytest.mark.parametrize(("how", "word"), [("cancel", "was cancelled"), ("delete", "was deleted")])
def test_a_job_that_is_cancelled_or_deleted_ends_those_behind_it(any_store, add, how, word):
    first = add(name="fit")
    second = add(first)
    if how == "cancel":
        any_store.ask(first, "cancel", "api")
    else:
        any_store.delete_job(first)
    assert status(any_store, second) == ERROR
    assert f"job 'fit' ({first}), which has to be done before it, {word}" in any_store.job(second).error


def test_a_job_behind_one_that_has_failed_already_ends_as_it_is_added(any_store, add):
    first = add(name="fit")
    any_store.ask(first, "cancel", "api")
    job = any_store.add_job(new_job(after=(first,)))
    assert any_store.job(job.job_id) == job
    assert (job.status, job.error_kind) == (ERROR, "submit")
    assert "was cancelled" in job.error
    assert claim(any_store) == []


def test_a_job_behind_one_that_is_not_there_is_refused(any_store, add):
    with pytest.raises(JobNotFoundError):
        add("nonsense")
    assert any_store.jobs(JobQuery()) == []


def test_a_job_that_waits_can_be_cancelled_and_stays_so(any_store, add, end):
    first = add()
    second = add(first)
    any_store.ask(second, "cancel", "api")
    claim(any_store)
    end(first)
    assert status(any_store, second) == CANCELLED
    assert claim(any_store) == []


def test_a_prepared_job_takes_its_place_in_line_when_it_is_submitted_and_the_one_before_it_is_done(any_store, add, end):
    first = add()
    early, late = add(first, submitted=False), add(first, submitted=False)
    any_store.submit_job(early)
    claim(any_store)
    assert claim(any_store) == []
    end(first)
    assert claim(any_store) == [early]
    any_store.submit_job(late)
    assert claim(any_store) == [late]


def test_many_jobs_behind_many_others_begin_in_their_order(any_store, end):
    group = any_store.add_group(NewGroup("map", "fit"))
    before = [job.job_id for job in any_store.add_jobs([new_job(group_id=group.group_id) for _ in range(50)])]
    after = [job.job_id for job in any_store.add_jobs([new_job(after=tuple(before)) for _ in range(50)])]
    assert claim(any_store, 200) == before
    for job_id in before[::-1]:
        end(job_id)
    assert claim(any_store, 200) == after


def test_a_chain_of_a_thousand_jobs_ends_at_one_go(any_store, add):
    chain = [add(name="0")]
    for number in range(1, 1_000):
        chain.append(add(chain[-1], name=str(number)))
    any_store.ask(chain[0], "cancel", "api")
    assert any_store.tally().counts == {"CANCELLED": 1, "ERROR": 999}
    assert "job '0'" in any_store.job(chain[-1]).error


def test_two_jobs_behind_the_same_two_are_not_ended_twice(any_store, add, end):
    one, other = add(), add()
    last = add(one, other)
    claim(any_store)
    end(one, code=1)
    ended = any_store.job(last)
    end(other, code=1)
    assert any_store.job(last) == ended


def test_nothing_of_a_chain_is_left_when_its_jobs_have_ended(store):
    first = store.add_job(new_job()).job_id
    behind = [store.add_job(new_job(after=(first,))).job_id for _ in range(3)]
    store.ask(behind[0], "cancel", "api")
    store.ask(first, "cancel", "api")
    left = "SELECT (SELECT count(*) FROM gates), (SELECT count(*) FROM jobs WHERE gate IS NOT NULL)"
    assert store._db.run(lambda link: link.execute(left).fetchone()) == (0, 0)
