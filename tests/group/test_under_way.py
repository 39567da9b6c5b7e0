"""Groups whose jobs are under way: waited for, counted and stopped."""

from __future__ import annotations

import os
import signal
import threading
import time
from pathlib import Path

import pytest

from decks import jobdeck_threads, wait_until
from jobdeck import (
    JobCancelledError,
    JobError,
    JobStatus,
    JobTimeoutError,
    Progress,
    StoreError,
)
from jobdeck._records import JobQuery
from programs import Gate, behind

DONE, ERROR, CANCELLED, QUEUED = JobStatus.DONE, JobStatus.ERROR, JobStatus.CANCELLED, JobStatus.QUEUED


def test_a_job_that_is_run_again_while_it_is_waited_for_is_waited_for_too(deck, gate):
    deck.max_workers = 2
    group = deck.map(behind, [0, 5], inputs={"gate": gate})
    gate.reached()
    waiter = threading.Thread(target=group.wait, args=(30,))
    waiter.start()
    second = Gate(Path(gate.here).parent / "second")
    Path(second.here).parent.mkdir()
    wait_until(lambda: group.statuses()[1] == DONE)
    group[1].retry(gate=second, number=0)
    second.reached()
    gate.open()
    wait_until(lambda: group.statuses()[0] == DONE)
    assert waiter.is_alive()
    second.open()
    waiter.join(30)
    assert not waiter.is_alive()
    assert group.results(30) == [0, 0]


def test_a_timeout_is_shared_by_the_whole_group(deck, gate):
    deck.max_workers = 1
    group = deck.map(behind, [0, 1, 2], inputs={"gate": gate})
    gate.reached()
    begin = time.monotonic()
    words = rf"3 of 3 jobs of group 'behind' \({group.group_id}\) have not ended after 0.1 s; they go on: wait for"
    with pytest.raises(JobTimeoutError, match=words):
        group.wait(0.0999999)  # what is left of a timeout that a set shares with the submission of its jobs
    for wait in (group.wait, group.results, lambda timeout: group.results(timeout, partial=True)):
        with pytest.raises(JobTimeoutError, match=words):
            wait(0.1)
    assert time.monotonic() - begin < 5
    gate.open()
    assert group.results(30) == [0, 1, 2]


def test_cancelling_a_group_is_one_command_that_reaches_waiting_and_running_jobs(deck, gate):
    deck.max_workers = 1
    group = deck.map(behind, range(50), inputs={"gate": gate})
    gate.reached()
    before = deck.store.change_number()
    assert group.cancel().counts == {"cancelled": 49, "asked": 1}
    assert deck.store.change_number() - before < 60
    group.wait(30)
    assert set(group.statuses()) == {CANCELLED}
    assert group.cancel().counts == {}
    with pytest.raises(
        JobCancelledError, match=r"of the 50 jobs .* 50 were cancelled, the first of them 'behind\[0\]'"
    ):
        group.results()
    assert group.results(partial=True) == [None] * 50
    assert group.progress == Progress(50, 50, "50 cancelled")


def test_progress_counts_the_jobs_that_have_ended(deck, gate):
    deck.max_workers = 1
    group = deck.map(behind, [3, 0, 1], inputs={"gate": gate})
    gate.reached()
    assert group.progress == Progress(1, 3)
    assert repr(group) == f"<JobGroup 'behind' ({group.group_id}): 3 jobs: 1 done · 1 running · 1 queued>"
    gate.open()
    group.wait(30)
    assert group.progress.fraction == 1.0


def test_a_frame_of_jobs_under_way_has_their_inputs(deck, gate):
    deck.max_workers = 1
    group = deck.map(behind, [0, 1], inputs={"gate": gate})
    gate.reached()
    frame = group.to_frame()
    assert frame["status"].tolist() == ["RUNNING", "QUEUED"]
    assert frame["number"].tolist() == [0, 1]
    assert [type(value) for value in frame["gate"]] == [Gate, Gate]
    gate.open()


def test_waiting_for_many_jobs_needs_one_subscription_and_no_handle_of_any(deck, gate):
    before = set(jobdeck_threads())
    deck.max_workers = 2
    group = deck.map(behind, range(100), inputs={"gate": gate})
    gate.reached()
    waiter = threading.Thread(target=group.wait, args=(60,))
    waiter.start()
    wait_until(lambda: deck.follower.subscriptions)
    assert len(deck.follower.subscriptions) == 1
    assert [thread.name for thread in set(jobdeck_threads()) - before] == ["jobdeck-follower"]
    assert len(deck._service._handles._jobs) == 0
    gate.open()
    waiter.join(60)
    assert not waiter.is_alive()
    assert not deck.follower.subscriptions
    assert deck.store.count(JobQuery(status=("DONE",))) == 100


def test_an_observer_that_waits_for_a_group_is_refused_rather_than_stuck(deck, gate):
    group = deck.map(behind, [0, 1], inputs={"gate": gate})
    job = group[0]
    said = []

    def observe(_):
        with pytest.raises(JobError, match="it cannot wait here") as refused:
            group.wait()
        said.append(refused)

    job.observe(observe, "state")
    gate.open()
    wait_until(lambda: said)
    group.wait(30)


def test_a_store_that_cannot_be_read_for_a_while_ends_no_wait(deck, gate, monkeypatch):
    monkeypatch.setattr("jobdeck._group.waiting._LONGEST_PAUSE", 0.02)
    group = deck.map(behind, [0, 1], inputs={"gate": gate})
    gate.reached()
    members, failed = deck.store.members, []

    def fail_for_a_while(group_id):
        if threading.current_thread() is waiter and len(failed) < 5:
            failed.append(group_id)
            raise StoreError("the disk is away")
        return members(group_id)

    waiter = threading.Thread(target=group.wait, args=(30,))
    waiter.start()
    wait_until(lambda: deck.follower.subscriptions)
    monkeypatch.setattr(deck.store, "members", fail_for_a_while)
    wait_until(lambda: len(failed) == 5)
    assert waiter.is_alive()
    gate.open()
    waiter.join(30)
    assert not waiter.is_alive()


def test_interrupting_a_wait_ends_it_at_once_and_leaves_the_jobs_running(deck, gate):
    group = deck.map(behind, [0, 1], inputs={"gate": gate})
    gate.reached()
    threading.Timer(0.2, lambda: os.kill(os.getpid(), signal.SIGINT)).start()
    begin = time.monotonic()
    with pytest.raises(KeyboardInterrupt):
        group.results()
    assert time.monotonic() - begin < 5
    assert not deck.follower.subscriptions
    gate.open()
    assert group.results(30) == [0, 1]
