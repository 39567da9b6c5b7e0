"""What a worker tells of its jobs: none is overlooked, however short it is and whenever it comes."""

from __future__ import annotations

import os
import threading

import pytest

from jobdeck._errors import StoreError
from jobdeck._records import NewJob, News
from jobdeck._status import Exit, is_final
from jobdeck.engines.bell import ENDS, NEWS, ring
from jobdeck.engines.dask import relay as relay_module
from jobdeck.engines.dask.relay import Relay, Watched
from jobdeck.engines.dask.travel import EVENT_BODY, unpacked
from jobdeck.store.sqlite import open_store

from .conftest import until


def test_a_job_that_comes_and_ends_between_two_steps_of_a_look_is_told(tmp_path):
    store = open_store(tmp_path)
    between = threading.Event()
    may_go_on = threading.Event()

    class Slow:
        """The store, as it is when the thread that looks is held up before it reads the changes."""

        def __getattr__(self, name):
            return getattr(store, name)

        def data_version(self):
            if not between.is_set():
                between.set()
                may_go_on.wait(10)
            return store.data_version()

    relay = Relay(Slow(), lambda topic, news: None, "tcp://127.0.0.1:1")
    first, second = Watched("topic", "run 1"), Watched("topic", "run 2")
    with relay.watching("first", first, _nothing):
        assert between.wait(10)
        with relay.watching("second", second, _nothing):
            _run(store, "second")
            may_go_on.set()
            assert second.over.result(10) is None
            assert is_final(second.record.status)
        _run(store, "first")
        assert first.over.result(10) is None
    relay.close()
    store.close()


def test_what_several_jobs_say_while_they_run_is_told_once_and_in_order_however_much_it_is(tmp_path, monkeypatch):
    monkeypatch.setattr(relay_module, "_AT_ONCE", 3)
    monkeypatch.setattr(relay_module, "_ROUNDS", 2)
    store = open_store(tmp_path)
    told, heard = {"first": [], "second": []}, threading.Condition()

    def tell(_topic, event):
        with heard:
            for news in unpacked(event):
                told[news["job"]] += news.get("messages", ())
            heard.notify_all()

    def wait_for(first, second):
        with heard:
            assert heard.wait_for(lambda: (len(told["first"]), len(told["second"])) == (first, second), 10), told

    relay = Relay(store, tell, "tcp://127.0.0.1:1")
    first, second = Watched("topic", "run 1"), Watched("topic", "run 2")
    with relay.watching("first", first, _nothing), relay.watching("second", second, _nothing):
        _begin(store, "first")
        _begin(store, "second")
        store.add_messages([("first", str(number), False) for number in range(1, 31)] + [("second", "1", False)])
        wait_for(30, 1)
        store.add_messages([("second", "x" * (EVENT_BODY + 1), False), ("second", "y" * EVENT_BODY, True)])
        wait_for(30, 3)
        store.add_message("first", "31")
        _end(store, "first")
        _end(store, "second")
        assert first.over.result(10) is None
        assert second.over.result(10) is None
    relay.close()
    assert told["first"] == [(number, False, str(number)) for number in range(1, 32)]
    assert told["second"] == [(1, False, "1"), (2, False, None), (3, True, "y" * EVENT_BODY)]
    assert (first.seen, second.seen) == (31, 3)
    store.close()


def test_what_a_job_says_and_its_end_are_heard_by_their_bells_and_not_looked_for(tmp_path, monkeypatch):
    monkeypatch.setattr(relay_module, "_LOG_EVERY", 1000.0)
    store = open_store(tmp_path)
    said = threading.Semaphore(0)
    relay = Relay(store, lambda topic, news: said.release(), "tcp://127.0.0.1:1")
    job = Watched("topic", "run 1")
    with relay.watching("job", job, lambda: _begin(store, "job")):
        until(lambda: store.payload_keys(["job"]))
        for number in range(3):
            store.add_message("job", str(number))
            ring(tmp_path, NEWS)
            assert said.acquire(timeout=10)
        _end(store, "job")
        ring(tmp_path, ENDS)
        assert job.over.result(10) is None
    assert job.seen == 3
    relay.close()
    store.close()


def test_a_job_that_cannot_begin_is_over_with_the_reason_and_holds_up_no_other(tmp_path):
    store = open_store(tmp_path)
    relay = Relay(store, lambda topic, news: None, "tcp://127.0.0.1:1")
    first, second = Watched("topic", "run 1"), Watched("topic", "run 2")

    def fail():
        raise StoreError("the disk is full")

    with relay.watching("first", first, fail), relay.watching("second", second, lambda: _run(store, "second")):
        with pytest.raises(StoreError, match="the disk is full"):
            first.over.result(10)
        assert second.over.result(10) is None
    relay.close()
    store.close()


def test_a_relay_that_is_closed_leaves_nothing_open(tmp_path):
    store = open_store(tmp_path)
    before = len(os.listdir("/proc/self/fd")), threading.active_count()
    Relay(store, lambda topic, news: None, "tcp://127.0.0.1:1").close()
    assert (len(os.listdir("/proc/self/fd")), threading.active_count()) == before
    store.close()


def _nothing():
    """Begin nothing: the test puts the job into the store."""


def _run(store, job_id):
    _begin(store, job_id)
    _end(store, job_id)


def _begin(store, job_id):
    store.add_job(NewJob(name="job", engine="local", program=b"", inputs=b"", context=b"", job_id=job_id))
    store.turn("local", "agent", 1, News({}, {}, {}))


def _end(store, job_id):
    store.turn("local", "agent", 0, News({}, {}, {job_id: Exit(code=0)}))
