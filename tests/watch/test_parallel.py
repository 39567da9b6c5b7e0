"""ipyparallel's results, in the deck; where ipyparallel is installed."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from jobdeck import Deck, RuntimeJobFailureError

ipyparallel = pytest.importorskip("ipyparallel")


@pytest.fixture(scope="module")
def engines() -> Iterator[Any]:
    """A view of one engine."""
    with ipyparallel.Cluster(n=1, log_level=40) as client:
        yield client.load_balanced_view()


def tell(number: int) -> int:
    import time

    print("told", number, flush=True)
    time.sleep(0.5)
    return number + 1


def fail() -> float:
    return 1 / 0


# Engines do not find this module: what seems to be typed in a notebook travels as code.
tell.__module__ = fail.__module__ = "__main__"


def test_tasks_on_engines_are_one_job_with_their_output_and_progress(engines: Any, deck: Deck):
    job = deck.watch(engines.map_async(tell, [1, 2, 3]))
    assert job.result(timeout=30) == [2, 3, 4]
    assert job.logs() == "told 1\ntold 2\ntold 3\n"
    assert (job.engine, job.name, job.facts["tasks"]) == ("ipyparallel", "tell", 3)
    assert deck.store.job(job.job_id()).progress_done == 3


def test_a_task_that_fails_on_its_engine_tells_why(engines: Any, deck: Deck):
    with pytest.raises(RuntimeJobFailureError, match="division by zero"):
        deck.watch(engines.apply_async(fail)).result(timeout=30)


def test_a_task_that_no_engine_has_begun_is_cancelled(engines: Any, deck: Deck, until):
    running = [engines.apply_async(tell, number) for number in range(4)]
    job = deck.watch(engines.apply_async(tell, 9))
    job.cancel()
    until(job.cancelled, timeout=30)
    assert [each.get(timeout=30) for each in running] == [1, 2, 3, 4]
