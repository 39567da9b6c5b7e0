"""ipyparallel's results, in the deck: what their engines print and publish, and how they end."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import ipyparallel
import pytest

from jobdeck import Deck, JobStatus, RuntimeJobFailureError

from .contract import AdapterContract, Sample


@pytest.fixture(scope="module")
def client() -> Iterator[Any]:
    """A client of two engines."""
    with ipyparallel.Cluster(n=2, log_level=40) as opened:
        yield opened


@pytest.fixture
def engines(client: Any) -> Any:
    """A view that gives a task to whichever engine is free."""
    return client.load_balanced_view()


def step(number: int, folder: str) -> int:
    """Tell three times, and wait for a file after the first."""
    import os
    import time

    from ipyparallel.datapub import publish_data

    for at in range(3):
        while at and not os.path.exists(os.path.join(folder, "go")):
            time.sleep(0.01)
        publish_data({"at": at, "number": number})
        print("at", at, end="\r" if at < 2 else "\n", flush=True)
    return number + 1


def follow(folder: str) -> int:
    """Wait for a file, and do as it says."""
    import os
    import time

    while True:
        if os.path.exists(os.path.join(folder, "well")):
            return 41
        if os.path.exists(os.path.join(folder, "badly")):
            raise ValueError("it failed")
        time.sleep(0.01)


def show() -> None:
    """Display a picture of one pixel."""
    from base64 import b64decode

    from IPython.display import Image, display

    pixel = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
    display(Image(data=b64decode(pixel)))


# Engines do not find this module: what seems to be typed in a notebook travels as code.
step.__module__ = follow.__module__ = show.__module__ = "__main__"


class EngineSample(Sample):
    system = "ipyparallel"
    can_be_stopped = False

    def __init__(self, view: Any, folder: Path) -> None:
        super().__init__()
        self._view = view
        self._folder = folder

    def begin(self) -> None:
        self.obj = self._view.apply_async(follow, str(self._folder))

    def finish(self) -> None:
        (self._folder / "well").touch()

    def fail(self) -> None:
        (self._folder / "badly").touch()

    def close(self) -> None:
        self.finish()
        self.obj.wait(20)


@pytest.fixture
def sample(engines: Any, tmp_path: Path) -> Iterator[EngineSample]:
    """A task that runs on an engine."""
    made = EngineSample(engines, tmp_path)
    made.begin()
    yield made
    if made.obj is not None:
        made.close()


class TestEngines(AdapterContract):
    """The contract, over tasks of engines."""


def test_what_a_task_publishes_are_interim_results_and_what_it_prints_is_the_log_while_it_runs(
    engines: Any, deck: Deck, tmp_path: Path, until
):
    job = deck.watch(engines.apply_async(step, 6, str(tmp_path)))
    until(lambda: job.interim_results() and job.logs() == "at 0\r", timeout=20)
    assert job.status() == JobStatus.RUNNING
    (tmp_path / "go").touch()
    assert job.result(timeout=20) == 7
    assert job.interim_results() == [{"at": at, "number": 6} for at in range(3)]
    assert job.logs() == "at 0\rat 1\rat 2\n"
    assert (job.engine, job.name) == ("ipyparallel", "step")
    ran = job.metrics()
    assert ran["started"] <= ran["ended"]


def test_a_task_says_that_it_cannot_be_stopped_once_an_engine_has_begun_it(engines: Any, deck: Deck, tmp_path, until):
    job = deck.watch(engines.apply_async(follow, str(tmp_path)))
    until(lambda: job.cancel_state == "unsupported")
    assert deck.store.job(job.job_id()).cancel_note == "cannot be stopped once it runs"
    (tmp_path / "well").touch()
    assert job.result(timeout=20) == 41


def test_of_several_tasks_each_word_says_whose_it_is_and_none_is_lost_or_comes_twice(
    engines: Any, deck: Deck, tmp_path: Path
):
    job = deck.watch(engines.map_async(step, range(4), [str(tmp_path)] * 4, chunksize=1))
    (tmp_path / "go").touch()
    assert job.result(timeout=20) == [1, 2, 3, 4]
    told = job.interim_results()
    assert sorted((each["task"], each["number"], each["at"]) for each in told) == [
        (number, number, at) for number in range(4) for at in range(3)
    ]
    ran_on = {each["task"]: each["engine"] for each in told}
    said = sorted(line for line in job.logs().replace("\r", "\n").splitlines() if line)
    assert said == sorted(f"[engine {engine}] at {at}" for engine in ran_on.values() for at in range(3))
    assert (job.facts["tasks"], deck.store.job(job.job_id()).progress_done) == (4, 4)


def test_what_a_task_displays_is_a_picture_among_its_interim_results(engines: Any, deck: Deck):
    job = deck.watch(engines.apply_async(show))
    assert job.result(timeout=20) is None
    (picture,) = job.interim_results()
    assert (picture.width, picture.height) == (1, 1)
    assert "Image" in job.logs()


def test_what_came_before_it_was_watched_is_there_once(engines: Any, deck: Deck, tmp_path: Path, until):
    result = engines.apply_async(step, 1, str(tmp_path))
    until(lambda: result.stdout, timeout=20)
    (tmp_path / "go").touch()
    assert result.wait_for_output(20)
    job = deck.watch(result)
    assert job.result(timeout=20) == 2
    # Of data that are over, ipyparallel keeps the last of each name.
    assert job.interim_results() == [{"at": 2, "number": 1}]
    assert job.logs().split("\r")[-1] == "at 2\n"


def test_a_result_that_another_client_has_submitted_is_asked_for_at_the_hub(
    client: Any, engines: Any, deck: Deck, tmp_path: Path, until
):
    ours = engines.apply_async(step, 2, str(tmp_path))

    def known() -> Any:
        with contextlib.suppress(ipyparallel.RemoteError):  # the hub has not heard of it yet
            return other.get_result(ours.msg_ids, owner=False)

    with ipyparallel.Client(cluster_id=client.cluster.cluster_id) as other:
        job = deck.watch(until(known))
        (tmp_path / "go").touch()
        assert job.result(timeout=30) == [3]
        # What its hub has by then: a busy one has the result before the last of the text.
        assert job.logs().startswith("at 0")


def test_several_tasks_of_which_some_fail_tell_why(engines: Any, deck: Deck):
    with pytest.raises(RuntimeJobFailureError, match="invalid literal"):
        deck.watch(engines.map_async(int, ["1", "two"])).result(timeout=30)


def test_results_of_a_block_are_shown_once_whatever_view_they_are_of(client: Any, engines: Any, deck: Deck):
    before = ipyparallel.AsyncResult.__init__
    with deck.watching() as block:
        mapped = engines.map_async(abs, [-1, -2])
        ipyparallel.AsyncResult.wait(mapped, 20, return_when="FIRST_EXCEPTION")
        each = client[:].apply_async(abs, -3)
        assert engines.apply_sync(abs, -4) == 4
    assert ipyparallel.AsyncResult.__init__ is before
    assert [job.result(timeout=20) for job in block.jobs()] == [[1, 2], [3, 3], 4]
    assert each.get(timeout=20) == [3, 3]


def test_tasks_that_no_engine_has_begun_are_cancelled(engines: Any, deck: Deck, tmp_path: Path, until):
    running = [engines.apply_async(follow, str(tmp_path)) for _ in range(6)]
    one = deck.watch(engines.apply_async(step, 9, str(tmp_path)))
    several = deck.watch(engines.map_async(step, [1, 2], [str(tmp_path)] * 2))
    one.cancel()
    several.cancel()
    for job in (one, several):
        until(lambda job=job: job.cancel_state == "stopping", timeout=20)
    (tmp_path / "well").touch()
    until(lambda: one.cancelled() and several.cancelled(), timeout=30)
    assert [each.get(timeout=30) for each in running] == [41] * 6
