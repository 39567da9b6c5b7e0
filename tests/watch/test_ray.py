"""Ray's references, in the deck; against Ray itself, where that is installed."""

from __future__ import annotations

import importlib.util
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import jobdeck
from jobdeck import Deck, JobStatus

from .contract import AdapterContract, Sample

pytestmark = [
    pytest.mark.skipif(importlib.util.find_spec("ray") is None, reason="Ray, 240 MB, is not among what the tests need"),
    # Ray's own: its log files and sockets are closed by the interpreter's end.
    pytest.mark.filterwarnings("ignore:unclosed:ResourceWarning"),
]


@pytest.fixture(scope="module")
def ray() -> Iterator[Any]:
    """Ray, with a worker."""
    import ray

    ray.init(num_cpus=1, include_dashboard=False, log_to_driver=False, logging_level="ERROR")
    yield ray
    ray.shutdown()


def follow(folder: str) -> int:
    """Wait for a file, and do as it says."""
    while True:
        if Path(folder, "well").exists():
            return 41
        if Path(folder, "badly").exists():
            raise ValueError("it failed")
        time.sleep(0.01)


def die() -> None:
    import os

    os._exit(7)


def double(number: int) -> int:
    return 2 * number


# Workers do not find this module: what seems to be typed in a notebook travels as code.
follow.__module__ = die.__module__ = double.__module__ = "__main__"


class RaySample(Sample):
    system = "ray"
    kept_by = "an ObjectRef cannot be referred to weakly"

    def __init__(self, ray: Any, folder: Path) -> None:
        super().__init__()
        self._ray = ray
        self._folder = folder

    def begin(self) -> None:
        self.obj = self._ray.remote(follow).remote(str(self._folder))

    def finish(self) -> None:
        (self._folder / "well").touch()

    def fail(self) -> None:
        (self._folder / "badly").touch()

    def close(self) -> None:
        self.finish()


@pytest.fixture
def sample(ray: Any, tmp_path: Path) -> Iterator[RaySample]:
    """A task that runs."""
    made = RaySample(ray, tmp_path)
    made.begin()
    yield made
    made.close()


class TestRay(AdapterContract):
    """The contract, over tasks."""


def test_what_a_task_raised_is_the_cause_with_where_it_was_raised(ray: Any, deck: Deck):
    def divide(number: int) -> float:
        return 1 / number

    job = deck.watch(ray.remote(divide).remote(0))
    with pytest.raises(jobdeck.RuntimeJobFailureError, match="ZeroDivisionError") as failure:
        job.result(timeout=30)
    assert isinstance(failure.value.__cause__, ZeroDivisionError)
    assert "ray::" in str(failure.value.__cause__.__cause__)


def test_a_task_whose_worker_dies_says_so(ray: Any, deck: Deck):
    job = deck.watch(ray.remote(max_retries=0)(die).remote())
    with pytest.raises(jobdeck.RuntimeJobFailureError, match="the worker or actor that ran it died"):
        job.result(timeout=30)
    assert job.error_kind == "lost"


def test_a_task_that_waits_is_cancelled_and_one_that_does_not_mind_is_ended_when_asked_again(
    ray: Any, deck: Deck, tmp_path: Path, until
):
    def stubborn(folder: str) -> None:
        while True:
            try:
                Path(folder, "on").touch()
                time.sleep(0.01)
            except KeyboardInterrupt:
                Path(folder, "no").touch()

    running = deck.watch(ray.remote(max_retries=0)(stubborn).remote(str(tmp_path)))
    until((tmp_path / "on").exists, timeout=20)
    waiting = deck.watch(ray.remote(double).remote(1))
    waiting.cancel()
    until(waiting.cancelled, timeout=20)
    running.cancel()
    until((tmp_path / "no").exists, timeout=20)
    assert running.status() == JobStatus.RUNNING
    deck.cancel_jobs([running], kill=True)
    until(running.cancelled, timeout=20)


def test_methods_of_actors_and_tasks_of_a_block_are_shown_by_name(ray: Any, deck: Deck):
    class Counter:
        def add(self, number: int) -> int:
            return number + 1

    with deck.watching() as block:
        counter = ray.remote(num_cpus=0)(Counter).remote()
        references = [counter.add.remote(1), ray.remote(double).remote(2)]
    # A list gives the list of their jobs, which are these.
    assert sorted(job.job_id() for job in deck.watch(references)) == sorted(job.job_id() for job in block.jobs())
    assert [(job.name, job.result(timeout=30)) for job in block.jobs()] == [("add", 2), ("double", 4)]


def test_a_task_of_a_ray_that_was_shut_down_is_lost_and_no_other_one_is_started(
    ray: Any, deck: Deck, tmp_path: Path, until
):
    job = deck.watch(ray.remote(follow).remote(str(tmp_path)))
    until(lambda: job.status() == JobStatus.RUNNING)
    ray.shutdown()
    until(job.errored, timeout=20)
    assert job.error_message() == "lost: Ray was shut down before it had ended"
    assert not ray.is_initialized()
