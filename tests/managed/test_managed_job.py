"""One part of a set by itself, submitted by hand."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from qiskit.providers.basic_provider import BasicSimulator

from jobdeck import Deck, JobTimeoutError, ManagedJob
from programs import Gate, double, fail

from .conftest import circuits


def test_it_is_initializing_until_it_is_submitted(deck: Deck):
    part = ManagedJob(10, 2)
    assert (part.start_index, part.end_index) == (10, 11)
    assert (part.status(), part.job, part.error_message(), part.qobj()) == ("INITIALIZING", None, None, None)
    with pytest.raises(JobTimeoutError, match="experiments 10-11 were not submitted within 0 s"):
        part.result(timeout=0)
    some = circuits(2)
    assert part.submit(some, "bell", BasicSimulator(), job_tags=["t"], deck=deck, shots=5) is None
    assert part.result(60).get_counts(1) == {"11": 5}
    assert (part.status(), part.job.name, part.job.tags) == ("DONE", "bell", ["t"])
    assert [circuit.name for circuit in part.qobj()] == ["ghz-0", "ghz-1"]
    assert part.result() is part.result()
    assert part.result(refresh=True) is not part.result(refresh=True)


def test_it_is_submitted_from_an_executors_thread_under_a_lock(deck: Deck):
    part, lock = ManagedJob(0, 1), threading.Lock()
    with ThreadPoolExecutor(1) as executor:
        with lock:
            part.submit(circuits(1), "late", BasicSimulator(), executor, lock, None, ["t"], deck=deck, shots=5)
            assert part.status() == "INITIALIZING"
        assert part.result(60).get_counts(0) == {"00": 5}


def test_one_that_cannot_be_submitted_has_no_status_and_says_why(deck: Deck):
    part = ManagedJob(0, 1)
    part.submit([threading.Lock()], "bad", BasicSimulator(), deck=deck)
    assert part.status() is None
    assert part.error_message().startswith("it could not be submitted: UnpicklableError: ")
    assert part.result(timeout=5) is None
    assert repr(part).startswith("<ManagedJob of experiments 0-0: it could not be submitted")
    part.cancel()
    assert not deck.jobs()


def test_cancelling_never_raises(deck: Deck, gate: Gate):
    unsubmitted = ManagedJob(0, 1)
    unsubmitted.cancel()
    unsubmitted.submit(circuits(1), "never", BasicSimulator(), deck=deck)
    assert (unsubmitted.status(), unsubmitted.job, unsubmitted.result(1)) == ("CANCELLED", None, None)
    running = ManagedJob(0, 1, deck.run(gate.wait))
    gate.reached()
    for _ in range(2):
        running.cancel()
    assert running.result(timeout=15) is None
    assert running.status() == "CANCELLED"
    running.cancel()
    deck.delete_job(running.job.job_id())
    running.cancel()
    assert running.status() is None


def test_the_result_of_a_job_that_failed_is_none(deck: Deck):
    part = ManagedJob(0, 1, deck.run(fail, inputs={"reason": "no reason"}))
    assert part.result(15) is None
    assert part.result(15, partial=True) is None
    assert part.error_message().endswith("ValueError: no reason\n")
    whole = ManagedJob(0, 1, deck.submit(double, 3))
    assert whole.result(15) == 6
    assert whole.error_message() is None
