"""Interim messages reach a callback each once and in order, from a constant number of threads."""

from __future__ import annotations

import logging
import sys
import threading

import pytest

from decks import ended, wait_until
from jobdeck import Deck, ResultDecoder, RuntimeInvalidStateError
from jobdeck._job.pool import THREADS
from programs import Gate, count_to


def streams() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name == "jobdeck-stream"]


def test_the_callback_of_run_gets_every_interim_message_once_in_order(deck: Deck):
    got: list[tuple[str, int]] = []
    job = deck.run(count_to, inputs={"number": 3000}, callback=lambda *message: got.append(message))
    ended(job)
    wait_until(lambda: not streams())
    assert got == [(job.job_id(), i) for i in range(3000)]
    assert job.interim_results() == list(range(3000))
    assert job.interim_results(start=2998) == [2998, 2999]


def test_a_stream_begins_with_the_first_message_unless_it_is_told_not_to(deck: Deck, gate: Gate):
    job = deck.run(count_to, inputs={"number": 20, "gate": gate, "first": 10})
    gate.reached()
    wait_until(lambda: job.interim_count == 10)
    news: list[int] = []
    job.stream_results(lambda job_id, message: news.append(message), replay=False)
    gate.open()
    ended(job)
    wait_until(lambda: not streams())
    assert news == list(range(10, 20))


def test_only_one_stream_at_a_time_and_none_on_a_job_that_has_ended(deck: Deck, gate: Gate):
    job = deck.run(count_to, inputs={"number": 20, "gate": gate, "first": 10})
    gate.reached()
    old: list[int] = []
    job.stream_results(lambda job_id, message: old.append(message))
    with pytest.raises(RuntimeInvalidStateError, match="streams already"):
        job.stream_results(print)
    wait_until(lambda: len(old) == 10)
    for _ in range(3):
        job.cancel_result_streaming()
    wait_until(lambda: not streams())
    new: list[int] = []
    job.stream_results(lambda job_id, message: new.append(message))
    gate.open()
    ended(job)
    wait_until(lambda: not streams())
    assert old == list(range(10))
    assert new == list(range(20))
    with pytest.raises(RuntimeInvalidStateError, match="interim_results"):
        job.stream_results(print)
    job.cancel_result_streaming()


def test_an_error_in_the_callback_is_logged_once_and_the_stream_goes_on(deck: Deck, caplog):
    got: list[int] = []

    def fail(job_id, message):
        got.append(message)
        if message == 5:
            sys.exit(3)
        raise ValueError("my callback failed")

    with caplog.at_level(logging.ERROR):
        ended(deck.run(count_to, inputs={"number": 20}, callback=fail))
        wait_until(lambda: not streams())
    assert got == list(range(20))
    assert caplog.text.count("ValueError: my callback failed") == 1


def test_a_decoder_is_used_for_the_messages(deck: Deck):
    class Negative(ResultDecoder):
        def decode(self, s):
            return -int(s)

    got: list[int] = []
    job = deck.run(count_to, inputs={"number": 3}, callback=lambda i, m: got.append(m), result_decoder=Negative)
    assert ended(job).result() == -3
    wait_until(lambda: not streams())
    assert got == [0, -1, -2]


def test_a_hundred_streams_share_a_few_threads(deck: Deck, gate: Gate):
    job = deck.run(count_to, inputs={"number": 20, "gate": gate, "first": 10})
    gate.reached()
    # A hundred handles on a hundred jobs would need a hundred processes; prepared jobs stream as well.
    prepared = [deck.prepare(count_to, inputs={"number": 3}) for _ in range(100)]
    before = threading.active_count()
    got: dict[str, list[int]] = {handle.job_id(): [] for handle in prepared}
    for handle in prepared:
        handle.stream_results(lambda job_id, message: got[job_id].append(message))
    assert threading.active_count() <= before + THREADS
    deck.max_workers = 4
    for handle in prepared:
        handle.submit()
    for handle in prepared:
        ended(handle, 60)
        assert threading.active_count() <= before + THREADS
    wait_until(lambda: not streams())
    assert all(messages == [0, 1, 2] for messages in got.values())
    gate.open()
    ended(job)


def test_a_slow_callback_holds_up_no_other_job(deck: Deck, gate: Gate):
    release = threading.Event()
    slow = deck.run(count_to, inputs={"number": 3}, callback=lambda i, m: release.wait(20))
    quick: list[int] = []
    ended(deck.run(count_to, inputs={"number": 300}, callback=lambda i, m: quick.append(m)))
    wait_until(lambda: len(quick) == 300)
    release.set()
    ended(slow)
    wait_until(lambda: not streams())


def test_a_stream_ends_when_its_job_is_deleted(deck: Deck):
    job = deck.prepare(count_to, inputs={"number": 3})
    job.stream_results(print)
    assert streams()
    deck.delete_job(job.job_id())
    wait_until(lambda: not streams())


def test_the_stream_goes_on_when_nobody_keeps_the_handle(deck: Deck, gate: Gate):
    import gc

    got: list[int] = []
    deck.run(count_to, inputs={"number": 20, "gate": gate, "first": 10}, callback=lambda i, m: got.append(m))
    gate.reached()
    gc.collect()
    gate.open()
    wait_until(lambda: got == list(range(20)))
    wait_until(lambda: not streams())
