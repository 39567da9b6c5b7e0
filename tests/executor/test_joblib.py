"""``joblib.parallel_config(backend="jobdeck")``: what joblib and scikit-learn run in parallel is in the deck."""

from __future__ import annotations

import _thread
import gc
import multiprocessing
import os
import sys
import threading
import time
from concurrent.futures import CancelledError

import cloudpickle
import joblib
import numpy as np
import pytest
from joblib import Parallel, delayed
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV, cross_val_score

import jobdeck
import jobdeck.joblib
from jobdeck import Deck, InvalidInputError, RuntimeJobFailureError

cloudpickle.register_pickle_by_value(sys.modules[__name__])

PATIENCE = 60


@pytest.fixture(scope="module")
def shared(shared_home):
    """One backend for the whole module: its processes are started once."""
    made = jobdeck.joblib.JobdeckBackend(home=shared_home, tags=["t"])
    yield made
    made.shutdown()


@pytest.fixture
def backend(shared, request):
    shared._name = request.node.name
    with joblib.parallel_config(backend=shared, n_jobs=2):
        yield request.node.name


@pytest.fixture
def deck(shared_home):
    with Deck(home=shared_home) as made:
        yield made


def square(x):
    return x * x


def fail_at_three(x):
    if x == 3:
        raise KeyError("three")
    return x


def threads_allowed(_):
    return os.environ["OMP_NUM_THREADS"]


def backend_within(_):
    return Parallel(n_jobs=2)(delayed(square)(n) for n in range(3)), type(
        joblib.parallel.get_active_backend()[0]
    ).__name__


def wait_for_ever(folder, number):
    folder.joinpath(str(number)).touch()
    while True:
        time.sleep(0.01)


def wait_until(condition):
    for _ in range(PATIENCE * 100):
        found = condition()
        if found:
            return found
        time.sleep(0.01)
    raise TimeoutError


def group_of(deck, name, count=1):
    """Return the newest group of this name, once it and those before it are closed and have ended."""

    def closed():
        groups = deck.groups(name=name)
        are_closed = all(deck._service.store.group(group.group_id).total is not None for group in groups)
        return groups if len(groups) == count and are_closed else None

    group = wait_until(closed)[0]
    group.wait(PATIENCE)
    return group


def is_running(deck, name):
    return any(job.running() for group in deck.groups(name=name) for job in group.jobs())


def test_a_call_is_one_group_with_its_total_in_the_deck(backend, deck):
    assert Parallel()(delayed(square)(n) for n in range(40)) == [n * n for n in range(40)]
    group = group_of(deck, backend)
    assert (group.name, group.kind, group.tags) == (backend, "executor", ["t"])
    assert group.progress.done == group.progress.total == len(group.jobs())
    assert set(map(str, group.statuses())) == {"DONE"}
    assert all(job.name.startswith("square") for job in group.jobs())
    assert Parallel()(delayed(square)(n) for n in range(3)) == [0, 1, 4]
    assert group_of(deck, backend, 2).group_id != group.group_id


def test_results_come_as_a_generator_in_either_order(backend):
    assert list(Parallel(return_as="generator")(delayed(square)(n) for n in range(6))) == [0, 1, 4, 9, 16, 25]
    unordered = Parallel(return_as="generator_unordered")(delayed(square)(n) for n in range(6))
    assert sorted(unordered) == [0, 1, 4, 9, 16, 25]


def test_an_exception_comes_through_with_the_traceback_of_its_process(backend, deck):
    with pytest.raises(KeyError, match="three") as raised:
        Parallel()(delayed(fail_at_three)(n) for n in range(4))
    assert isinstance(raised.value.__cause__, RuntimeJobFailureError)
    assert "fail_at_three" in str(raised.value.__cause__)
    assert "ERROR" in set(map(str, group_of(deck, backend).statuses()))


def test_a_timeout_stops_what_runs_and_the_next_call_works(backend, deck, tmp_path):
    with pytest.raises(multiprocessing.TimeoutError):
        Parallel(timeout=0.3)(delayed(wait_for_ever)(tmp_path, n) for n in range(3))
    assert set(map(str, group_of(deck, backend).statuses())) == {"CANCELLED"}
    assert Parallel()(delayed(square)(n) for n in range(3)) == [0, 1, 4]


def test_cancelling_the_group_in_the_deck_stops_the_call(backend, deck, tmp_path):
    def cancel():
        wait_until(lambda: is_running(deck, backend))
        deck.groups(name=backend)[0].cancel()

    canceller = threading.Thread(target=cancel)
    canceller.start()
    with pytest.raises(CancelledError):
        Parallel()(delayed(wait_for_ever)(tmp_path, n) for n in range(4))
    canceller.join()
    assert set(map(str, group_of(deck, backend).statuses())) == {"CANCELLED"}


def test_an_interrupt_stops_the_call(backend, deck, tmp_path):
    def interrupt():
        wait_until(lambda: list(tmp_path.iterdir()))
        _thread.interrupt_main()

    interrupter = threading.Thread(target=interrupt)
    interrupter.start()
    with pytest.raises(KeyboardInterrupt):
        Parallel()(delayed(wait_for_ever)(tmp_path, n) for n in range(4))
    interrupter.join()
    assert set(map(str, group_of(deck, backend).statuses())) == {"CANCELLED"}


def test_calls_within_calls_run_in_threads_of_their_process(backend):
    assert Parallel()(delayed(backend_within)(n) for n in range(2)) == [([0, 1, 4], "ThreadingBackend")] * 2


def test_scikit_learn_runs_on_it(backend, deck):
    rng = np.random.default_rng(0)
    inputs = rng.normal(size=(60, 3))
    classes = (inputs[:, 0] > 0).astype(int)
    assert cross_val_score(LogisticRegression(), inputs, classes, cv=3).mean() > 0.8
    assert len(group_of(deck, backend).jobs()) == 3
    search = GridSearchCV(LogisticRegression(), {"C": [0.1, 1.0]}, cv=2).fit(inputs, classes)
    assert search.best_score_ > 0.8
    forest = RandomForestClassifier(4, random_state=0)
    assert forest.fit(inputs, classes).score(inputs, classes) > 0.8
    alone = RandomForestClassifier(4, random_state=0, n_jobs=1).fit(inputs, classes)
    assert np.array_equal(forest.predict_proba(inputs), alone.predict_proba(inputs))


def test_isolated_batches_have_processes_of_their_own(shared_home, deck):
    with joblib.parallel_config(backend="jobdeck", n_jobs=2, home=shared_home, isolate=True, name="isolated"):
        assert Parallel(batch_size=2)(delayed(square)(n) for n in range(4)) == [0, 1, 4, 9]
    group = group_of(deck, "isolated")
    assert [job.name for job in group.jobs()] == ["square × 2"] * 2
    assert group.metadata == {"max_workers": 2}


def test_an_interrupt_stops_isolated_batches(shared_home, deck, tmp_path):
    def interrupt():
        wait_until(lambda: list(tmp_path.iterdir()))
        _thread.interrupt_main()

    interrupter = threading.Thread(target=interrupt)
    interrupter.start()
    with (
        joblib.parallel_config(backend="jobdeck", n_jobs=2, home=shared_home, isolate=True, name="cut"),
        pytest.raises(KeyboardInterrupt),
    ):
        Parallel()(delayed(wait_for_ever)(tmp_path, n) for n in range(3))
    interrupter.join()
    assert set(map(str, group_of(deck, "cut").statuses())) == {"CANCELLED"}


def test_threads_of_libraries_are_limited_as_joblib_is_told(shared_home):
    with joblib.parallel_config(backend="jobdeck", n_jobs=2, home=shared_home, inner_max_num_threads=1):
        assert Parallel()(delayed(threads_allowed)(n) for n in range(2)) == ["1", "1"]


def test_processes_end_with_the_block_that_named_the_backend(shared_home):
    before = set(multiprocessing.active_children())
    gc.disable()
    try:
        with joblib.parallel_config(backend="jobdeck", n_jobs=2, home=shared_home):
            assert Parallel()(delayed(square)(n) for n in range(2)) == [0, 1]
            assert set(multiprocessing.active_children()) - before
        wait_until(lambda: not set(multiprocessing.active_children()) - before)
    finally:
        gc.enable()


def test_wrong_arguments_are_named(shared_home):
    with pytest.raises(InvalidInputError, match="isolate=True"):
        jobdeck.joblib.JobdeckBackend(engine="dask://127.0.0.1:1", home=shared_home)
    backend = jobdeck.joblib.JobdeckBackend(home=shared_home)
    with pytest.raises(ValueError, match="n_jobs == 0"):
        backend.effective_n_jobs(0)
    assert (backend.effective_n_jobs(None), backend.effective_n_jobs(3)) == (1, 3)
    assert backend.effective_n_jobs(-1) == joblib.cpu_count()
