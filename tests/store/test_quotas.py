"""The contract: groups of executors of which at most so many jobs run at a time."""

from __future__ import annotations

import pytest

from jobdeck._records import NewGroup, Outcome
from jobdeck._status import Exit

from .conftest import new_job


@pytest.fixture
def group_id(any_store):
    return any_store.add_group(NewGroup("executor", "calls", metadata={"max_workers": 2})).group_id


def add(store, group_id, count):
    return [record.job_id for record in store.add_jobs([new_job(group_id=group_id)] * count)]


def claim(store, limit=10):
    return [record.job_id for record in store.claim("local", "agent", limit)]


def end(store, *job_ids):
    for job_id in job_ids:
        store.set_outcome(job_id, Outcome(ok=True))
    store.finish({job_id: Exit(code=0) for job_id in job_ids})


def test_no_more_jobs_are_claimed_than_may_run_and_each_that_ends_lets_the_next_one(any_store, group_id):
    ids = add(any_store, group_id, 5)
    assert claim(any_store) == ids[:2]
    assert claim(any_store) == []
    end(any_store, ids[1])
    assert claim(any_store) == [ids[2]]
    end(any_store, ids[0], ids[2])
    assert claim(any_store) == ids[3:]


def test_those_that_come_later_wait_behind_those_that_wait(any_store, group_id):
    first = add(any_store, group_id, 3)
    claim(any_store)
    end(any_store, first[0])
    later = add(any_store, group_id, 2)
    assert claim(any_store) == [first[2]]
    end(any_store, first[1], first[2])
    assert claim(any_store) == later


def test_there_is_room_again_where_all_have_ended(any_store, group_id):
    ids = add(any_store, group_id, 2)
    claim(any_store)
    end(any_store, *ids)
    assert claim(any_store) == []
    assert len(add(any_store, group_id, 3)) == 3
    assert len(claim(any_store)) == 2


def test_one_that_is_cancelled_hands_its_turn_on_and_one_that_waits_has_none(any_store, group_id):
    ids = add(any_store, group_id, 4)
    any_store.ask(ids[2], "cancel", "test")
    assert claim(any_store) == ids[:2]
    any_store.ask(ids[3], "cancel", "test")
    end(any_store, *ids[:2])
    assert claim(any_store) == []
    again = add(any_store, group_id, 3)
    any_store.ask(again[0], "cancel", "test")
    assert claim(any_store) == again[1:]


def test_other_jobs_are_not_held_up(any_store, group_id):
    add(any_store, group_id, 4)
    alone = any_store.add_job(new_job()).job_id
    free = any_store.add_group(NewGroup("executor", "free")).group_id
    named_alike = any_store.add_group(NewGroup("map", "a map", metadata={"max_workers": 1})).group_id
    others = [alone, *add(any_store, free, 3), *add(any_store, named_alike, 3)]
    assert set(others) < set(claim(any_store, 20))


def test_waiting_is_no_place_in_the_queue(any_store, group_id):
    ids = add(any_store, group_id, 3)
    assert [any_store.queue_place(job_id) for job_id in ids] == [1, 2, None]


def test_jobs_that_have_started_are_not_dropped_with_the_others(any_store, group_id):
    ids = add(any_store, group_id, 4)
    claim(any_store, 1)
    assert any_store.drop_jobs([*ids[::-1], "nothing"]) == ids[:0:-1]
    assert [str(any_store.job(job_id).status) for job_id in ids] == ["RUNNING", *["CANCELLED"] * 3]
    assert any_store.job(ids[0]).cancel_state is None
    assert any_store.drop_jobs(ids) == []
