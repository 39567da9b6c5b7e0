"""Jobs that begin when others are done."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from decks import ended, stop_agent
from jobdeck import Deck, InvalidInputError, JobNotFoundError, JobStatus, RuntimeJobFailureError
from jobdeck._records import JobQuery
from programs import behind, double, fail, half


def test_a_job_begins_when_the_one_before_it_is_done(deck, gate):
    first = deck.run(behind, inputs={"gate": gate, "number": 0})
    second = deck.run(double, inputs={"x": 2}, after=first)
    gate.reached()
    assert second.status() == JobStatus.QUEUED
    assert second.queue_position() is None
    gate.open()
    assert second.result(30) == 4
    assert second.metrics()["started"] >= first.metrics()["ended"]


def test_a_failed_job_tells_those_behind_it(deck):
    first = deck.run(fail, inputs={"reason": "no luck"}, name="fit")
    second = deck.run(double, inputs={"x": 2}, after=[first.job_id()])
    with pytest.raises(RuntimeJobFailureError, match=r"not started: job 'fit' .* failed: ValueError: no luck"):
        second.result(30)
    assert second.error_kind == "submit"
    assert second.retry().result(30) == 4


def test_a_group_comes_after_a_group(deck):
    first = deck.map(half, [0, 2, 4])
    second = deck.map(double, range(3), after=first)
    assert second.results(30) == [0, 2, 4]
    began = min(job.metrics()["started"] for job in second)
    assert began >= max(job.metrics()["ended"] for job in first)
    third = deck.sweep(double, {"x": [1]}, after=[first, *second])
    assert third.results(30) == [2]


def test_a_job_that_waits_outlives_its_kernel_and_its_agent(deck, gate):
    first = deck.prepare(double, inputs={"x": 1})
    second = deck.run(double, inputs={"x": 2}, after=first)
    stop_agent(deck.home)
    deck.close()
    with Deck(deck.home) as other:
        other.job(first.job_id()).submit()
        assert other.job(second.job_id()).result(30) == 4


def test_what_cannot_come_before_a_job_is_refused_before_anything_is_queued(deck):
    with pytest.raises(InvalidInputError, match="after is a job, a group, an id, or a list of these, not float"):
        deck.run(double, inputs={"x": 1}, after=[1.5])
    with pytest.raises(InvalidInputError, match="not int"):
        deck.run(double, inputs={"x": 1}, after=1)
    for start in (
        lambda: deck.run(double, inputs={"x": 1}, after="nonsense"),
        lambda: deck.map(double, [1], after="no"),
    ):
        with pytest.raises(JobNotFoundError):
            start()
    assert deck.store.count(JobQuery()) == 0
    assert deck.groups() == []


def test_a_job_that_is_run_behind_one_of_another_kernel_waits_for_it(deck, gate):
    first = deck.run(behind, inputs={"gate": gate})
    gate.reached()
    program = (
        "import sys, jobdeck; from programs import double\n"
        f"print(jobdeck.run(double, inputs={{'x': 5}}, after={first.job_id()!r}).job_id())"
    )
    env = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    said = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True, env=env, timeout=60
    )
    second = deck.job(said.stdout.strip())
    assert second.status() == JobStatus.QUEUED
    gate.open()
    assert ended(second, 30).result() == 10
