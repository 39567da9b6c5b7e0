"""What a worker tells of its jobs: none is overlooked, however short it is and whenever it comes."""

from __future__ import annotations

import threading

from jobdeck._records import NewJob, News
from jobdeck._status import Exit, is_final
from jobdeck.engines.dask.relay import Relay, Watched
from jobdeck.store.sqlite import open_store


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
    with relay.watching("first", first):
        assert between.wait(10)
        with relay.watching("second", second):
            _run(store, "second")
            may_go_on.set()
            assert second.over.wait(10)
            assert is_final(second.record.status)
        _run(store, "first")
        assert first.over.wait(10)
    relay.close()
    store.close()


def _run(store, job_id):
    store.add_job(NewJob(name="job", engine="local", program=b"", inputs=b"", context=b"", job_id=job_id))
    store.turn("local", "agent", 1, News({}, {}, {}))
    store.turn("local", "agent", 0, News({}, {}, {job_id: Exit(code=0)}))
