"""Waiting for a job and getting what came of it."""

from __future__ import annotations

import json
import threading
from pathlib import Path

import pytest

from decks import ended, wait_until
from jobdeck import (
    Deck,
    JobCancelledError,
    JobError,
    JobNotFoundError,
    JobTimeoutError,
    ResultDecoder,
    RuntimeInvalidStateError,
    RuntimeJobFailureError,
)
from programs import Gate


def test_a_result_is_what_the_program_returned(deck: Deck):
    assert deck.submit(lambda: {"a": [1, (2, 3)]}).result(10) == {"a": [1, (2, 3)]}


def test_none_is_a_result(deck: Deck):
    job = deck.submit(lambda: None)
    assert job.result(10) is None
    assert job.done()


def test_a_final_message_is_the_result_of_a_program_that_returns_nothing(deck: Deck):
    def program(user_messenger):
        user_messenger.publish({"interim": 1})
        user_messenger.publish({"energy": -1.1}, final=True)

    job = deck.run(program)
    assert job.result(10) == {"energy": -1.1}
    assert job.interim_results() == [{"interim": 1}]
    assert job.interim_count == 1


def test_a_custom_decoder_does_not_change_what_the_next_call_returns(deck: Deck):
    class Shouting(ResultDecoder):
        def decode(self, s):
            return json.loads(s) + "!"

    job = deck.submit(lambda: "done")
    assert job.result(10, decoder=Shouting) == "done!"
    assert job.result(10) == "done"
    assert deck.run(lambda: "done", result_decoder=Shouting).result(10) == "done!"


def test_a_failed_job_tells_where_and_why(deck: Deck):
    def fail_in_a_job():
        raise KeyError("no such molecule")

    job = deck.submit(fail_in_a_job)
    with pytest.raises(RuntimeJobFailureError, match="KeyError") as caught:
        job.result(10)
    assert job.job_id() in str(caught.value)
    assert "in fail_in_a_job" in caught.value.remote_traceback
    assert isinstance(caught.value.__cause__, KeyError)
    assert job.errored()
    assert not job.done()
    assert "in fail_in_a_job" in job.error_message()


def test_a_timeout_leaves_the_job_running(deck: Deck, gate: Gate):
    job = deck.submit(gate.wait)
    gate.reached()
    with pytest.raises(JobTimeoutError, match="still RUNNING") as caught:
        job.result(timeout=0.05)
    assert isinstance(caught.value, TimeoutError)
    with pytest.raises(JobTimeoutError):
        job.result(timeout=0)
    with pytest.raises(JobTimeoutError):
        job.wait_for_final_state(timeout=-1)
    assert job.running()
    gate.open()
    assert job.result(10) is None


def test_every_change_is_called_back_and_the_end_once(deck: Deck, gate: Gate):
    job = deck.prepare(gate.wait)
    calls: list[tuple[str, str, object]] = []

    def steer(job_id, status, handle):
        calls.append((job_id, str(status), handle))
        if status == "INITIALIZING" and len(calls) == 1:
            job.submit()
        if status == "RUNNING":
            gate.open()

    job.wait_for_final_state(timeout=15, callback=steer)
    assert [status for _, status, _ in calls if status != "QUEUED"] == ["INITIALIZING", "RUNNING", "DONE"]
    assert all(job_id == job.job_id() and handle is job for job_id, _, handle in calls)
    assert threading.current_thread() is threading.main_thread()


def test_the_callback_is_called_at_least_every_wait_seconds(deck: Deck, gate: Gate):
    job = deck.submit(gate.wait)
    gate.reached()
    statuses: list[str] = []

    def note(job_id, status, handle):
        statuses.append(str(status))
        if len(statuses) == 4:
            gate.open()

    job.wait_for_final_state(timeout=15, wait=0.02, callback=note)
    assert statuses[:3] == ["RUNNING"] * 3
    assert statuses.count("DONE") == 1


def test_a_job_that_is_deleted_while_it_is_waited_for_ends_the_wait(deck: Deck):
    job = deck.prepare(lambda: 1)
    caught: list[BaseException] = []

    def wait():
        try:
            job.result(10)
        except JobNotFoundError as error:
            caught.append(error)

    waiter = threading.Thread(target=wait)
    waiter.start()
    wait_until(lambda: job._taps)
    deck.delete_job(job.job_id())
    waiter.join(10)
    assert caught


def test_many_threads_may_wait_for_one_job(deck: Deck, gate: Gate):
    job = deck.submit(lambda: gate.wait() or 7)
    got: list[int] = []
    waiters = [threading.Thread(target=lambda: got.append(job.result(15))) for _ in range(20)]
    for waiter in waiters:
        waiter.start()
    gate.open()
    for waiter in waiters:
        waiter.join(15)
    assert got == [7] * 20
    assert not job._taps


def test_waiting_in_an_observer_is_refused_rather_than_stuck(deck: Deck, gate: Gate, caplog):
    def report(user_messenger):
        user_messenger.progress(1, 2)
        gate.wait()

    job = deck.prepare(report)
    job.observe(lambda change: job.result(10), "progress")
    job.submit()
    wait_until(lambda: "cannot wait here" in caplog.text)
    gate.open()
    ended(job)


def test_a_result_that_cannot_be_opened_here_is_an_error_that_says_so(deck: Deck):
    def make():
        import os

        class OnlyThere:
            def __init__(self, pid):
                self.pid = pid

            def __reduce__(self):
                return eval, (f"1 if __import__('os').getpid() == {self.pid} else 1 / 0",)

        return OnlyThere(os.getpid())

    job = deck.submit(make)
    with pytest.raises(JobError, match=r"cannot be opened here.*ZeroDivisionError") as caught:
        job.result(10)
    assert not isinstance(caught.value, RuntimeJobFailureError)
    assert job.done()


# --- cancelling


def test_a_job_that_waits_in_the_queue_is_cancelled_at_once(deck: Deck, gate: Gate, tmp_path: Path):
    deck.max_workers = 1
    first = deck.submit(gate.wait)
    gate.reached()
    trace = tmp_path / "ran"
    second = deck.submit(trace.touch)
    assert second.queue_position() == 1
    second.cancel()
    assert second.cancelled()
    assert second.queue_position() is None
    gate.open()
    ended(first)
    with pytest.raises(JobCancelledError):
        second.result(10)
    assert not trace.exists()


def test_a_prepared_job_can_be_cancelled(deck: Deck):
    job = deck.prepare(lambda: 1)
    job.cancel()
    assert job.cancelled()
    wait_until(lambda: job.state == "CANCELLED")


def test_a_running_job_is_cancelled_when_it_has_stopped(deck: Deck, gate: Gate):
    job = deck.submit(gate.wait)
    gate.reached()
    assert job.cancel() is None
    job.cancel()
    with pytest.raises(JobCancelledError, match=job.job_id()):
        job.result(10)
    with pytest.raises(RuntimeInvalidStateError):
        job.cancel()


def test_cancelling_a_job_that_is_done_is_an_error(deck: Deck):
    job = ended(deck.submit(lambda: 1))
    with pytest.raises(RuntimeInvalidStateError, match=job.job_id()):
        job.cancel()
    assert job.done()


def test_a_program_that_finishes_in_spite_of_a_cancel_is_done(deck: Deck, gate: Gate):
    def finish_early():
        try:
            gate.wait()
        except KeyboardInterrupt:
            return "what there was"

    job = deck.submit(finish_early)
    gate.reached()
    job.cancel()
    assert job.result(10) == "what there was"
    assert job.done()


def test_many_threads_may_cancel_one_job(deck: Deck, gate: Gate):
    job = deck.submit(gate.wait)
    gate.reached()
    errors: list[BaseException] = []

    def cancel():
        try:
            job.cancel()
        except RuntimeInvalidStateError:
            pass
        except BaseException as error:  # noqa: BLE001
            errors.append(error)

    threads = [threading.Thread(target=cancel) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)
    assert not errors
    assert ended(job).cancelled()
