"""Calls of joblib's ``Parallel``, in the deck."""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import joblib
import pytest
from joblib import Parallel, delayed

import jobdeck
from jobdeck import Deck, JobStatus
from jobdeck.watchers.parallel_calls import next_call

from .contract import AdapterContract, Sample

# loky's own thread may find a process gone that it has just been asked to end.
pytestmark = pytest.mark.filterwarnings(
    "ignore:Exception in thread ExecutorManagerThread:pytest.PytestUnhandledThreadExceptionWarning"
)


@pytest.fixture(autouse=True)
def workers_end_when_told_to() -> Iterator[None]:
    """Workers that are forked from here end by SIGTERM; the tests' own process makes an interrupt of it."""
    before = signal.signal(signal.SIGTERM, signal.SIG_DFL)
    yield
    signal.signal(signal.SIGTERM, before)


class Caller(threading.Thread):
    """Calls a ``Parallel``, and has what it returns or raises."""

    def __init__(self, parallel: Any, tasks: Any) -> None:
        super().__init__(daemon=True)
        self._call = (parallel, tasks)
        self.result: Any = None
        self.error: BaseException | None = None
        self.start()

    def run(self) -> None:
        try:
            parallel, tasks = self._call
            self.result = parallel(tasks)
        except BaseException as error:  # noqa: BLE001 - the test looks at it
            self.error = error
        finally:
            del self._call


class CallSample(Sample):
    system = "joblib"
    value = [41, 41]  # noqa: RUF012 - it is compared, not changed

    def begin(self) -> None:
        self._go = threading.Event()
        self._fails = False
        parallel = Parallel(n_jobs=2, backend="threading")
        self.obj = next_call(parallel)
        self._caller = Caller(parallel, [delayed(self._work)()] * 2)

    def _work(self) -> int:
        assert self._go.wait(30)
        if self._fails:
            raise ValueError("it failed")
        return 41

    def finish(self) -> None:
        self._go.set()

    def fail(self) -> None:
        self._fails = True
        self._go.set()

    def close(self) -> None:
        self._go.set()
        self._caller.join(20)


@pytest.fixture
def sample() -> Iterator[CallSample]:
    """A call that is being made."""
    made = CallSample()
    made.begin()
    yield made
    if made.obj is not None:
        made.close()


class TestCalls(AdapterContract):
    """The contract, over calls."""


def double(number: int) -> int:
    return 2 * number


@pytest.mark.parametrize(
    "how",
    [{"n_jobs": 1}, {"backend": "sequential"}, {"n_jobs": 2, "backend": "threading"}, {"n_jobs": 2}],
    ids=str,
)
def test_the_next_call_is_a_job_with_its_progress_and_its_result(deck: Deck, how):
    parallel = Parallel(**how)
    job = deck.watch(parallel, name="doubling")
    assert deck.watch(parallel) == job
    assert job.status() in (JobStatus.INITIALIZING, JobStatus.QUEUED)
    assert parallel(delayed(double)(number) for number in range(20)) == [2 * number for number in range(20)]
    assert job.result(timeout=20) == [2 * number for number in range(20)]
    row = deck.store.job(job.job_id())
    assert (row.engine, row.name, row.progress_done, row.progress_total) == ("joblib", "doubling", 20, 20)
    assert job.facts["function"] == "double"
    assert job.metrics()["wall_time"] > 0
    # It is as it was, and its next call is another job where that is watched, too.
    assert type(parallel) is Parallel
    assert parallel([delayed(double)(1)]) == [2]
    again = deck.watch(parallel)
    assert again != job
    assert parallel([delayed(double)(3)]) == [6] == again.result(timeout=20)
    assert len(deck.jobs()) == 2


def test_progress_is_told_while_it_runs(deck: Deck, until):
    go = threading.Semaphore(0)
    parallel = Parallel(n_jobs=2, backend="threading")
    job = deck.watch(parallel)
    caller = Caller(parallel, [delayed(go.acquire)(timeout=30)] * 4)
    for done in (1, 2, 3):
        go.release()
        until(lambda done=done: (row := deck.store.job(job.job_id())).progress_done == done and row.progress_total == 4)
        assert job.status() == JobStatus.RUNNING
    go.release()
    assert job.result(timeout=20) == [True] * 4
    caller.join(20)


def test_what_a_task_raises_is_raised_where_the_call_was_made_and_is_the_jobs_error(deck: Deck):
    parallel = Parallel(n_jobs=2, backend="threading")
    job = deck.watch(parallel)
    with pytest.raises(ZeroDivisionError):
        parallel(delayed(divmod)(1, number) for number in (1, 0, 1))
    with pytest.raises(jobdeck.RuntimeJobFailureError, match="ZeroDivisionError"):
        job.result(timeout=20)
    assert type(parallel) is Parallel


def wait_for(path: str) -> None:
    while not Path(path).exists():
        time.sleep(0.01)


@pytest.mark.parametrize("backend", ["loky", "multiprocessing", "threading"])
def test_a_cancelled_call_ends_with_an_error_where_it_was_made_and_its_workers_end(
    deck: Deck, tmp_path: Path, until, backend
):
    parallel = Parallel(n_jobs=2, backend=backend)
    job = deck.watch(parallel)
    caller = Caller(parallel, [delayed(wait_for)(str(tmp_path / "never"))] * 3)
    until(lambda: job.status() == JobStatus.RUNNING and deck.store.job(job.job_id()).facts.get("function"))
    job.cancel()
    caller.join(30)
    assert isinstance(caller.error, jobdeck.JobCancelledError)
    until(job.cancelled, timeout=20)
    (tmp_path / "never").touch()
    assert parallel(delayed(double)(number) for number in range(3)) == [0, 2, 4]


def test_without_workers_a_cancelled_call_ends_before_its_next_task_and_its_last_one_says_that_it_cannot_be_stopped(
    deck: Deck, until
):
    go = [threading.Event(), threading.Event()]
    for is_last in (False, True):
        parallel = Parallel(n_jobs=1)
        job = deck.watch(parallel)
        caller = Caller(parallel, [delayed(go[is_last].wait)(30)] * (1 if is_last else 2))
        until(lambda job=job: deck.store.job(job.job_id()).facts.get("function"))
        if is_last:
            until(lambda job=job: job.cancel_state == "unsupported")
            assert deck.store.job(job.job_id()).cancel_note == "cannot be stopped once it runs"
        else:
            job.cancel()
            until(lambda job=job: job.cancel_state == "stopping")
        go[is_last].set()
        caller.join(20)
        if is_last:
            assert job.result(timeout=20) == caller.result == [True]
        else:
            assert isinstance(caller.error, jobdeck.JobCancelledError)
            until(job.cancelled)


def test_a_call_that_is_cancelled_before_it_is_made_is_not_made_and_one_that_never_comes_is_cancelled(
    deck: Deck, until
):
    parallel = Parallel(n_jobs=2, backend="threading")
    job = deck.watch(parallel)
    job.cancel()
    until(job.cancelled)
    with pytest.raises(jobdeck.JobCancelledError, match="was cancelled in the deck"):
        parallel([delayed(double)(1)])
    assert parallel([delayed(double)(1)]) == [2]
    dropped = deck.watch(Parallel(n_jobs=2))
    until(dropped.cancelled)
    assert dropped.facts["ended"] == "it was never called"


def test_a_call_whose_results_are_handed_out_one_by_one_ends_with_the_last_or_when_nobody_asks_for_more(
    deck: Deck, until
):
    parallel = Parallel(n_jobs=2, backend="threading", return_as="generator")
    job = deck.watch(parallel)
    assert list(parallel(delayed(double)(number) for number in range(5))) == [0, 2, 4, 6, 8]
    assert job.result(timeout=20) is None
    row = deck.store.job(job.job_id())
    assert (row.progress_done, row.facts["results"]) == (5, "handed out one by one")
    go = threading.Event()
    job = deck.watch(parallel)
    outputs = parallel([delayed(double)(0), delayed(go.wait)(30)])
    assert next(outputs) == 0
    with pytest.warns(UserWarning, match="have been cancelled"):
        outputs.close()
    go.set()
    until(job.cancelled)
    assert job.facts["ended"] == "nobody asked for its results"


def test_a_parallel_that_is_being_called_is_watched_before_or_not_at_all(deck: Deck, until):
    go = threading.Event()
    parallel = Parallel(n_jobs=2, backend="threading")
    caller = Caller(parallel, [delayed(go.wait)(30)])
    until(lambda: parallel._running)
    with pytest.raises(jobdeck.InvalidInputError, match="watch it before you call it"):
        deck.watch(parallel)
    go.set()
    caller.join(20)


def test_a_block_shows_each_call_once_also_those_of_a_library(deck: Deck):
    class Own(Parallel):
        """What a library makes of it, as scikit-learn does."""

        def __call__(self, iterable):
            return super().__call__(list(iterable))

    before = Parallel.__call__
    with deck.watching() as block:
        Parallel(n_jobs=1)(delayed(double)(number) for number in range(3))
        own = Own(n_jobs=2, backend="threading")
        watched = deck.watch(own, name="watched")
        own(delayed(double)(number) for number in range(4))
        own(delayed(double)(number) for number in range(5))
    assert Parallel.__call__ is before
    assert [job.result(timeout=20) for job in block.jobs()] == [[0, 2, 4], [0, 2, 4, 6, 8]]
    assert watched.result(timeout=20) == [0, 2, 4, 6]
    assert len(deck.jobs()) == 3
    assert joblib.Parallel(n_jobs=1)([delayed(double)(1)]) == [2]
    assert len(deck.jobs()) == 3
