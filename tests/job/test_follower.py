"""The follower tells every listener what changed in its jobs, whatever happens to the store or to other listeners."""

from __future__ import annotations

import logging
import os
import sys
import threading
from collections.abc import Iterator
from queue import SimpleQueue

import pytest

from decks import jobdeck_threads, wait_until
from jobdeck._follow import Follower, Update
from jobdeck._follow.lookout import Interest, Lookout
from jobdeck._records import JobRecord, NewGroup, NewJob, Outcome
from jobdeck._status import Exit, JobStatus
from jobdeck.store import SQLiteStore, open_store


def followers() -> list[threading.Thread]:
    """The threads of followers: what other tests of this process have left behind ends in its own time."""
    return [thread for thread in jobdeck_threads() if thread.name == "jobdeck-follower"]


@pytest.fixture(autouse=True)
def alone() -> None:
    wait_until(lambda: not followers())


class Ear:
    """A listener that gathers what it is told."""

    def __init__(self) -> None:
        self.updates: SimpleQueue[Update] = SimpleQueue()
        self.rows: dict[str, JobRecord] = {}
        self.seqs: dict[str, int] = {}
        self.sizes: dict[str, int] = {}
        self.deleted: set[str] = set()
        self.troubles: list[str | None] = []

    def __call__(self, update: Update) -> None:
        self.rows.update((row.job_id, row) for row in update.jobs)
        self.seqs.update(update.seqs)
        self.sizes.update(update.log_sizes)
        self.deleted.update(update.deleted)
        if update.trouble is not None or (self.troubles and self.troubles[-1] is not None):
            self.troubles.append(update.trouble)
        self.updates.put(update)


@pytest.fixture
def follower(store: SQLiteStore) -> Iterator[Follower]:
    made = Follower(store)
    yield made
    made.close()
    assert not followers()


def add(store: SQLiteStore, name: str = "job") -> str:
    return store.add_job(NewJob(name=name, engine="none", program=b"p", inputs=b"i", context=b"{}")).job_id


def start(store: SQLiteStore, name: str = "job") -> str:
    job_id = add(store, name)
    store.claim("none", "agent", 10)
    return job_id


def finish(store: SQLiteStore, job_id: str) -> None:
    store.set_outcome(job_id, Outcome(ok=True))
    store.finish({job_id: Exit(code=0)})


def test_the_first_update_tells_the_state_and_later_ones_what_changed(store, follower):
    job_id, other = start(store), start(store)
    store.add_message(job_id, "1")
    ear = Ear()
    follower.subscribe(ear, job_ids=[job_id])
    first = ear.updates.get(timeout=10)
    assert [row.status for row in first.jobs] == [JobStatus.RUNNING]
    assert first.seqs == {job_id: 1}

    second = open_store(store.home)
    second.add_message(other, "1")
    second.add_message(job_id, "2")
    second.close()
    assert ear.updates.get(timeout=10) == Update(seqs={job_id: 2})


def test_the_end_of_a_job_that_has_just_begun_does_not_wait_for_the_usual_look(store, monkeypatch):
    monkeypatch.setattr("jobdeck._follow.follower._FRESH", 60.0)
    follower = Follower(store, interval=60.0, lazy_interval=60.0)
    job_id, ear = start(store), Ear()
    follower.subscribe(ear, job_ids=[job_id])
    assert [row.status for row in ear.updates.get(timeout=10).jobs] == [JobStatus.RUNNING]
    finish(store, job_id)
    wait_until(lambda: ear.rows[job_id].status == JobStatus.DONE)
    follower.close()


def test_nothing_is_read_while_nothing_has_changed_and_nothing_is_under_way(store, monkeypatch):
    monkeypatch.setattr("jobdeck._follow.lookout._LOG_CHECK", 0.0)
    job_id = start(store)
    finish(store, job_id)
    lookout = Lookout(store)
    lookout.look([Interest(frozenset({job_id}), frozenset({job_id}), is_new=True)])
    monkeypatch.setattr(store, "log_sizes", lambda _: pytest.fail("sizes were asked for"))
    assert lookout.look([Interest(frozenset({job_id}))]) == [None]


def test_a_listener_to_nothing_is_told_so(follower):
    ear = Ear()
    follower.subscribe(ear, job_ids=())
    assert ear.updates.get(timeout=10) == Update()


def test_ids_that_the_store_does_not_have_are_told_as_deleted(follower):
    ear = Ear()
    follower.subscribe(ear, job_ids=["aaaaaa-bbbbbbbbbbbb"])
    assert ear.updates.get(timeout=10).deleted == ("aaaaaa-bbbbbbbbbbbb",)


def test_all_jobs_are_followed_those_to_come_included(store, follower):
    old = add(store)
    ear = Ear()
    follower.subscribe(ear, job_ids=None)
    assert [row.job_id for row in ear.updates.get(timeout=10).jobs] == [old]
    new = add(store)
    wait_until(lambda: new in ear.rows)
    store.delete_job(old)
    wait_until(lambda: old in ear.deleted)


def test_who_follows_all_jobs_is_told_at_first_of_those_that_have_not_ended(store, follower):
    ended, waiting = start(store), add(store)
    finish(store, ended)
    ear = Ear()
    follower.subscribe(ear, job_ids=None)
    assert [row.job_id for row in ear.updates.get(timeout=10).jobs] == [waiting]
    store.update_tags(ended, ["changed"])
    wait_until(lambda: ended in ear.rows)


def test_who_follows_all_jobs_is_told_what_ends_before_the_followers_next_look(store):
    """The look is under way, or has not begun: whoever asks meanwhile is answered at the next one."""
    looking, go_on = threading.Event(), threading.Event()

    def hold_up() -> None:
        looking.set()
        assert go_on.wait(30)

    running, ending, going = start(store), start(store), add(store)
    store.add_message(ending, "1")
    follower = Follower(store, check_owners=hold_up)
    follower.subscribe(lambda update: None, job_ids=[running])
    assert looking.wait(10)
    ear = Ear()
    follower.subscribe(ear, job_ids=None)
    finish(store, ending)
    store.delete_job(going)
    group = store.add_group(NewGroup("sweep", "meanwhile"))
    go_on.set()
    first = ear.updates.get(timeout=10)
    assert {row.job_id: row.status for row in first.jobs} == {running: JobStatus.RUNNING, ending: JobStatus.DONE}
    assert (first.seqs[ending], first.deleted) == (1, (going,))
    assert [record.group_id for record in first.groups] == [group.group_id]
    follower.close()


def test_with_the_row_of_a_job_that_has_ended_come_all_its_messages(store, follower):
    job_id = start(store)
    seen: list[tuple[str, int]] = []
    ear = Ear()

    def listen(update: Update) -> None:
        ear(update)
        seen.extend((str(row.status), ear.seqs.get(row.job_id, 0)) for row in update.jobs)

    follower.subscribe(listen, job_ids=[job_id])
    ear.updates.get(timeout=10)
    for number in range(500):
        store.add_message(job_id, str(number))
    finish(store, job_id)
    wait_until(lambda: ear.rows[job_id].status == JobStatus.DONE)
    assert seen[-1] == ("DONE", 500)


def test_captured_output_is_told_as_it_grows(store, follower):
    job_id = start(store)
    ear = Ear()
    follower.subscribe(ear, job_ids=[job_id])
    path = store.log_path(job_id)
    path.write_text("12345")
    wait_until(lambda: ear.sizes.get(job_id) == 5)
    path.write_text("1234567")
    finish(store, job_id)
    wait_until(lambda: ear.rows[job_id].status == JobStatus.DONE)
    assert ear.sizes[job_id] == 7


def test_jobs_that_are_asked_for_later_are_told_whole(store, follower):
    first, second = start(store), start(store)
    store.add_message(second, "1")
    ear = Ear()
    subscription = follower.subscribe(ear, job_ids=[first])
    ear.updates.get(timeout=10)
    subscription.set_jobs([second])
    wait_until(lambda: second in ear.rows)
    assert ear.seqs == {second: 1}
    store.update_tags(first, ["x"])
    store.update_tags(second, ["y"])
    wait_until(lambda: ear.rows[second].tags == ("y",))
    assert ear.rows[first].tags == ()


def test_jobs_are_added_and_dropped_one_by_one(store, follower):
    first, second = start(store), start(store)
    store.add_message(second, "1")
    ear = Ear()
    subscription = follower.subscribe(ear, job_ids=[first])
    ear.updates.get(timeout=10)
    subscription.add_jobs([second])
    wait_until(lambda: second in ear.rows)
    assert ear.seqs == {second: 1}
    subscription.drop_jobs([first])
    store.update_tags(first, ["x"])
    store.update_tags(second, ["y"])
    wait_until(lambda: ear.rows[second].tags == ("y",))
    assert ear.rows[first].tags == ()


def test_an_added_job_is_told_of_whether_or_not_others_are_under_way(store, follower):
    """The thread sleeps long where nothing is under way, and is not woken for each job where it looks often anyway."""
    ear = Ear()
    subscription = follower.subscribe(ear, job_ids=())
    ear.updates.get(timeout=10)
    added = []
    for number in range(200):
        added.append(add(store, str(number)))
        subscription.add_jobs(added[-1:])
    wait_until(lambda: ear.rows.keys() == {*added})
    store.claim("none", "agent", len(added))
    wait_until(lambda: all(row.status == JobStatus.RUNNING for row in ear.rows.values()))


def test_a_listener_that_fails_is_logged_once_and_told_on(store, follower, caplog):
    job_id = start(store)
    good = Ear()
    calls: list[Update] = []

    def fail(update: Update) -> None:
        calls.append(update)
        raise ValueError("listener's own error")

    with caplog.at_level(logging.ERROR):
        follower.subscribe(fail, job_ids=[job_id])
        follower.subscribe(good, job_ids=[job_id])
        good.updates.get(timeout=10)
        for tag in "abc":
            store.update_tags(job_id, [tag])
            wait_until(lambda tag=tag: good.rows[job_id].tags == (tag,))
        wait_until(lambda: len(calls) >= 4)
    assert caplog.text.count("ValueError: listener's own error") == 1
    assert "Traceback" in caplog.text


def test_the_thread_lives_as_long_as_there_are_subscriptions(store, follower):
    assert not followers()
    one, two = (follower.subscribe(Ear(), job_ids=()) for _ in range(2))
    assert len(followers()) == 1
    one.close()
    assert len(followers()) == 1
    two.close()
    wait_until(lambda: not followers())
    ear = Ear()
    three = follower.subscribe(ear, job_ids=None)
    ear.updates.get(timeout=10)
    three.close()
    wait_until(lambda: not followers())


def test_a_lingering_thread_takes_the_next_subscription(store):
    follower = Follower(store, linger=60)
    first = follower.subscribe(Ear(), job_ids=())
    (thread,) = followers()
    first.close()
    ear = Ear()
    second = follower.subscribe(ear, job_ids=None)
    assert ear.updates.get(timeout=10) == Update()
    assert followers() == [thread]
    second.close()
    follower.close()
    assert not thread.is_alive()


def test_a_store_that_cannot_be_read_is_trouble_until_it_can(store, follower):
    job_id = start(store)
    ear = Ear()
    follower.subscribe(ear, job_ids=[job_id])
    ear.updates.get(timeout=10)
    aside = store.home.with_name("aside")
    store.home.rename(aside)
    store.home.write_text("in the way")
    wait_until(lambda: ear.troubles)
    assert str(store.home) in ear.troubles[0]
    late = Ear()
    follower.subscribe(late, job_ids=[job_id])
    wait_until(lambda: late.troubles)

    store.home.unlink()
    aside.rename(store.home)
    store.update_tags(job_id, ["back"])
    wait_until(lambda: ear.rows[job_id].tags == ("back",) and late.rows)
    assert ear.troubles == [ear.troubles[0], None]


def test_a_store_that_was_replaced_is_read_afresh(store, follower):
    job_id = start(store)
    ear = Ear()
    follower.subscribe(ear, job_ids=[job_id])
    ear.updates.get(timeout=10)
    for path in store.home.glob("jobdeck.db*"):
        path.unlink(missing_ok=True)  # the follower may have closed what it had
    wait_until(lambda: job_id in ear.deleted)


def test_owners_are_looked_after_while_something_runs(store):
    calls: list[int] = []

    def check() -> None:
        calls.append(1)
        finish(store, job_id)

    follower = Follower(store, check_owners=check)
    ear = Ear()
    follower.subscribe(ear, job_ids=None)
    ear.updates.get(timeout=10)
    assert not calls
    job_id = start(store)
    wait_until(lambda: job_id in ear.rows and ear.rows[job_id].status == JobStatus.DONE)
    assert len(calls) == 1
    follower.close()


def test_an_error_in_looking_after_owners_is_logged_once(store, caplog):
    calls: list[int] = []

    def fail() -> None:
        calls.append(1)
        raise OSError("no agent to be had")

    follower = Follower(store, check_owners=fail)
    follower.subscribe(Ear(), job_ids=[start(store)])
    with caplog.at_level(logging.ERROR):
        wait_until(lambda: len(calls) >= 2)
    follower.close()
    assert caplog.text.count("OSError: no agent to be had") == 1


def test_closing_from_within_a_listener_ends_the_thread(store):
    follower = Follower(store)
    follower.subscribe(lambda update: follower.close(), job_ids=())
    wait_until(lambda: not followers())
    with pytest.raises(RuntimeError, match="closed"):
        follower.subscribe(Ear(), job_ids=())


@pytest.mark.skipif(sys.platform == "win32", reason="there is no fork")
def test_a_forked_child_is_refused_even_if_the_lock_was_held_meanwhile(follower):
    follower.subscribe(Ear(), job_ids=())
    with follower.lock:
        child = os.fork()
        if child == 0:
            try:
                follower.subscribe(Ear(), job_ids=())
            except RuntimeError:
                os._exit(7)
            os._exit(0)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 7
