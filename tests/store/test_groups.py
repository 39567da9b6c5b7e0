"""The contract: groups of jobs, and jobs that are added many at a time."""

from __future__ import annotations

import dataclasses
import sqlite3
import time

import pytest

from jobdeck._errors import InvalidInputError, JobNotFoundError
from jobdeck._records import GroupQuery, JobQuery, NewGroup, Outcome, Payload
from jobdeck._status import Exit, JobStatus
from jobdeck.store import SQLiteStore

from .conftest import new_job, running


def _add_members(store, count=3, **fields):
    group = store.add_group(NewGroup("map", "scan", total=count))
    new = [new_job(group_id=group.group_id, place=place, inputs=b"input %d" % place) for place in range(count)]
    return group, store.add_jobs([dataclasses.replace(each, **fields) for each in new])


def test_a_group_is_read_back_as_it_was_added(any_store):
    before = time.time()
    new = NewGroup("sweep", "ground state of H₂", ("h2", 'sto"3g'), {"basis": [1, None]}, 300)
    group = any_store.add_group(new)
    assert any_store.group(group.group_id) == group
    assert {name: getattr(group, name) for name in dataclasses.asdict(new)} == dataclasses.asdict(new)
    assert before <= group.created <= time.time()


def test_a_groups_id_begins_with_the_stores_name_and_is_told_from_a_jobs(any_store):
    group, (job, *_) = _add_members(any_store)
    assert group.group_id.startswith(f"{any_store.store_id}-g")
    assert len(group.group_id) == len(job.job_id) + 1
    with pytest.raises(JobNotFoundError, match=r"is the id of a group of jobs, not of a job: use jobdeck.group\(\)"):
        any_store.job(group.group_id)
    with pytest.raises(JobNotFoundError, match=r"is the id of a job, not of a group; jobdeck.job\(\) has it"):
        any_store.group(job.job_id)


def test_a_group_of_another_home_is_recognised(any_store):
    with pytest.raises(JobNotFoundError, match="is of another jobdeck home"):
        any_store.group("aaaaaa-g222222222222")


def test_an_unknown_group_says_where_to_look(any_store):
    for read in (any_store.group, any_store.members, lambda group_id: any_store.update_group(group_id, name="x")):
        with pytest.raises(JobNotFoundError, match=r"there is no group 'nonsense' here.*jobdeck.groups\(\)"):
            read("nonsense")


def test_groups_are_found_by_kind_name_and_tags_the_newest_first(any_store):
    scan = any_store.add_group(NewGroup("sweep", "Scan of H2", ("h2", "slow")))
    fit = any_store.add_group(NewGroup("map", "fit", ("h2",)))
    assert any_store.groups(GroupQuery()) == [fit, scan]
    assert any_store.groups(GroupQuery(descending=False, limit=1)) == [scan]
    assert any_store.groups(GroupQuery(skip=1)) == [scan]
    assert any_store.groups(GroupQuery(kind="map")) == [fit]
    assert any_store.groups(GroupQuery(name="SCAN of")) == [scan]
    assert any_store.groups(GroupQuery(tags=("slow", "h2"))) == [scan]
    assert any_store.groups(GroupQuery(group_ids=(fit.group_id, "nonsense"))) == [fit]


def test_a_group_takes_another_name_and_other_tags_and_keeps_the_rest(any_store):
    group = any_store.add_group(NewGroup("map", "fit", ("a",), {"n": 1}, 3))
    changed = any_store.update_group(group.group_id, name="better fit", tags=[])
    assert changed == dataclasses.replace(group, name="better fit", tags=(), changed=changed.changed)
    assert any_store.update_group(group.group_id, metadata={}, total=4).total == 4
    assert any_store.group(group.group_id).name == "better fit"


def test_jobs_that_are_added_together_are_like_jobs_that_are_added_one_by_one(any_store):
    alone = any_store.add_job(new_job(name="one", tags=("a",), submitted=False))
    first, second = any_store.add_jobs([new_job(name="one", tags=("a",), submitted=False), new_job(inputs=b"others")])
    assert any_store.job(first.job_id) == first
    assert any_store.job(second.job_id) == second
    own = {"number", "job_id", "created", "changed"}
    told, alike = ({k: v for k, v in dataclasses.asdict(job).items() if k not in own} for job in (first, alone))
    assert told == alike
    assert alone.number < first.number < second.number
    assert alone.changed < first.changed < second.changed == any_store.change_number()
    assert second.status is JobStatus.QUEUED
    assert any_store.payload(second.job_id) == Payload(b"a program", b"others", b"{}")


def test_no_jobs_are_added_if_one_cannot_be(any_store):
    with pytest.raises(InvalidInputError, match="metadata"):
        any_store.add_jobs([new_job(), new_job(metadata={"x": object()})])
    assert any_store.jobs(JobQuery()) == any_store.add_jobs([]) == []


def test_jobs_that_are_added_together_are_claimed_in_their_order(any_store):
    _, jobs = _add_members(any_store, 5)
    claimed = any_store.claim("local", "agent-1", 3) + any_store.claim("local", "agent-1", 3)
    assert [job.job_id for job in claimed] == [job.job_id for job in jobs]
    assert [job.place for job in claimed] == [0, 1, 2, 3, 4]


def test_what_many_jobs_share_is_kept_once(home):
    store = SQLiteStore(home)
    _add_members(store, 1_200, program=b"p" * 1_000, context=b"c" * 2_000_000)
    sizes = store._db.run(lambda link: link.execute("SELECT count(*), sum(size) FROM blobs").fetchone())
    assert sizes == (1_202, 2_001_000 + sum(len(b"input %d" % place) for place in range(1_200)))
    assert len(list((home / "blobs").iterdir())) == 1
    store.close()


def test_the_payloads_of_many_jobs_share_their_program(any_store):
    _, jobs = _add_members(any_store)
    found = any_store.payloads([*(job.job_id for job in jobs), "nonsense"])
    assert [found[job.job_id].inputs for job in jobs] == [b"input 0", b"input 1", b"input 2"]
    assert len({id(payload.program) for payload in found.values()}) == 1


def test_the_outcomes_of_many_jobs_are_those_of_each(any_store):
    _, jobs = _add_members(any_store)
    done, silent, _ = any_store.claim("local", "agent-1", 3)
    any_store.set_outcome(done.job_id, Outcome(ok=True, encoding="json", body=b"1", preview="1"))
    any_store.add_message(silent.job_id, "42", final=True)
    any_store.set_outcome(silent.job_id, Outcome(ok=True))
    found = any_store.outcomes([*(job.job_id for job in jobs), "nonsense"])
    assert found == {job_id: any_store.outcome(job_id) for job_id in (done.job_id, silent.job_id)}
    assert found[silent.job_id].body == b"42"


def test_a_group_knows_its_jobs_and_how_they_stand(any_store):
    group, jobs = _add_members(any_store)
    any_store.add_job(new_job())
    any_store.ask(jobs[1].job_id, "cancel", "api")
    told = [(member.number, member.job_id, member.status, member.place) for member in any_store.members(group.group_id)]
    assert told == [
        (jobs[0].number, jobs[0].job_id, JobStatus.QUEUED, 0),
        (jobs[1].number, jobs[1].job_id, JobStatus.CANCELLED, 1),
        (jobs[2].number, jobs[2].job_id, JobStatus.QUEUED, 2),
    ]
    assert any_store.tally(group.group_id).counts == {"QUEUED": 2, "CANCELLED": 1}
    assert any_store.tally().counts == {"QUEUED": 3, "CANCELLED": 1}


def test_jobs_of_a_group_that_were_run_again_are_not_counted_with_it(any_store):
    group, jobs = _add_members(any_store)
    claimed = any_store.claim("local", "agent-1", 3)
    any_store.finish({job.job_id: Exit(code=1) for job in claimed})
    first, second, _ = (job.job_id for job in jobs)
    again = {"group_id": group.group_id, "place": 0}
    any_store.add_job(new_job(retry_of=first, **again))
    newest = any_store.add_job(new_job(retry_of=first, **again))
    assert any_store.tally(group.group_id).counts == {"ERROR": 2, "QUEUED": 1}
    any_store.ask(newest.job_id, "cancel", "api")
    assert any_store.tally(group.group_id).counts == {"ERROR": 2, "CANCELLED": 1}
    any_store.add_job(new_job(retry_of=newest.job_id, **again))
    any_store.add_job(new_job(retry_of=second, group_id=group.group_id, place=1))
    any_store.delete_job(second)
    assert any_store.tally(group.group_id).counts == {"ERROR": 1, "QUEUED": 2}
    assert any_store.tally().counts == {"ERROR": 2, "QUEUED": 3, "CANCELLED": 1}


def test_a_group_without_jobs_has_no_members(any_store):
    assert any_store.members(any_store.add_group(NewGroup("session", "calibration")).group_id) == []


@pytest.mark.parametrize("how", ["one by one", "many at once", "pruned"])
def test_a_group_does_not_wait_for_jobs_that_were_deleted(any_store, how):
    group, jobs = _add_members(any_store, count=5)
    first, second, *_ = ids = [job.job_id for job in jobs]
    any_store.ask_many(ids, "cancel", "api")
    again = any_store.add_job(new_job(retry_of=first, group_id=group.group_id, place=0))
    before = any_store.change_number()
    if how == "one by one":
        any_store.delete_job(first)
        any_store.delete_job(second)
    elif how == "many at once":
        any_store.delete_many([first, second, second, "nonsense"])
    else:
        any_store.ask(again.job_id, "cancel", "api")
        any_store.prune(None, 4)
    assert any_store.group(group.group_id).total == 4, "the newer run has the first one's place"
    assert list(any_store.changes(before).groups) == [any_store.group(group.group_id)], "and whoever looks is told so"


@pytest.mark.parametrize("how", ["one by one", "many at once", "pruned"])
def test_a_group_goes_with_its_last_job(any_store, how):
    group, jobs = _add_members(any_store)
    ids = [job.job_id for job in jobs]
    any_store.ask_many(ids, "cancel", "api")
    any_store.delete_job(ids[0])
    assert any_store.group(group.group_id).name == group.name
    if how == "one by one":
        for job_id in ids[1:]:
            any_store.delete_job(job_id)
    elif how == "many at once":
        any_store.delete_many(ids[1:])
    else:
        any_store.prune(None, 0)
    with pytest.raises(JobNotFoundError, match="or its last job was deleted"):
        any_store.group(group.group_id)


def test_pruning_removes_groups_that_never_got_a_job_but_none_that_may_still_get_one(any_store, monkeypatch):
    group = any_store.add_group(NewGroup("session", "calibration"))
    any_store.prune(None, 0)
    assert any_store.groups(GroupQuery()) == [group]
    later = time.time() + 90_000
    monkeypatch.setattr(time, "time", lambda: later)
    any_store.prune(None, 0)
    assert any_store.groups(GroupQuery()) == []


def test_pruning_leaves_a_group_whole_while_one_of_its_jobs_has_not_ended(any_store):
    group, _ = _add_members(any_store)
    claimed = any_store.claim("local", "agent-1", 3)
    any_store.finish({job.job_id: Exit(code=0) for job in claimed[:2]})
    assert any_store.prune(0, 0, dry_run=True).jobs == any_store.prune(0, 0).jobs == 0
    any_store.finish({claimed[2].job_id: Exit(code=0)})
    assert any_store.prune(None, 0).jobs == 3
    assert any_store.groups(GroupQuery(group_ids=(group.group_id,))) == []


def test_followers_hear_of_new_and_changed_groups(any_store):
    before = any_store.change_number()
    group = any_store.add_group(NewGroup("map", "fit"))
    told = any_store.changes(before)
    assert (told.groups, told.jobs, told.number) == ((group,), (), group.changed)
    changed = any_store.update_group(group.group_id, name="other")
    assert any_store.changes(told.number).groups == (changed,)
    assert any_store.changes(changed.changed).groups == ()


def test_of_many_changes_groups_and_jobs_come_in_their_order_and_none_is_left_out(any_store):
    before = any_store.change_number()
    groups, jobs = [], []
    for _ in range(5):
        groups.append(any_store.add_group(NewGroup("map", "fit")))
        jobs += [any_store.add_job(new_job()), running(any_store)]
    told_groups, told_jobs, more = [], [], True
    while more:
        told = any_store.changes(before, 2)
        assert max(len(told.groups), len(told.jobs)) <= 2
        before, more = told.number, told.more
        told_groups += told.groups
        told_jobs += [job.job_id for job in told.jobs]
    assert told_groups == groups
    assert told_jobs == [job.job_id for job in jobs]


def test_a_store_of_the_version_before_groups_had_places_keeps_its_jobs(home, monkeypatch):
    from jobdeck.store import migrations

    newest = migrations.MIGRATIONS
    monkeypatch.setattr(migrations, "MIGRATIONS", newest[:2])
    SQLiteStore(home).close()
    connection = sqlite3.connect(home / "jobdeck.db", isolation_level=None)
    (columns,) = connection.execute("SELECT group_concat(name) FROM pragma_table_info('jobs')").fetchone()
    assert "place" not in columns.split(",")
    connection.close()
    monkeypatch.setattr(migrations, "MIGRATIONS", newest)
    store = SQLiteStore(home)
    assert _add_members(store)[1][2].place == 2
    store.close()
