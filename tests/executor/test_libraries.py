"""Libraries that take an executor, or a map, run their calls in the deck."""

from __future__ import annotations

import asyncio
import sys
import time

import adaptive
import cloudpickle
import numpy as np
import pytest
from scipy.integrate import quad_vec
from scipy.optimize import brute, differential_evolution

from jobdeck import JobExecutor
from jobdeck._status import FINAL

cloudpickle.register_pickle_by_value(sys.modules[__name__])


def bowl(x):
    return float((x[0] - 1) ** 2 + (x[1] + 2) ** 2)


def peak(x):
    return 1 / (0.01 + x**2)


@pytest.fixture(scope="module")
def shared(shared_home):
    with JobExecutor(2, isolate=False, home=shared_home) as made:
        yield made


def wait_for_jobs(executor, count, before=0):
    """Wait until so many more jobs stand in the deck, ended: those of a shared executor come a moment later."""
    for _ in range(6_000):
        statuses = executor.group.statuses()[before:]
        done = [str(status) for status in statuses].count("DONE")
        # What a library has begun beyond what it wants, it may cancel.
        if done >= count and all(status in FINAL for status in statuses):
            return done
        time.sleep(0.01)
    raise TimeoutError(f"{len(statuses)} of {count}: {statuses}")


@pytest.fixture
def before(shared):
    """How many jobs the shared executor had before this test."""
    with shared._lock:
        sent = shared._group._expected + shared._group._jobs
    return wait_for_jobs(shared, sent) if sent else 0


def test_scipy_s_optimizers_evaluate_a_population_in_it(shared, before):
    found = differential_evolution(
        bowl, [(-3, 3), (-3, 3)], workers=shared.map, updating="deferred", maxiter=4, popsize=4, polish=False, seed=1
    )
    assert found.fun < 1
    assert wait_for_jobs(shared, found.nfev, before) == found.nfev


def test_scipy_s_brute_evaluates_a_grid_in_it(shared, before):
    assert np.allclose(brute(bowl, ((0, 2.5, 0.5), (-3, -0.5, 0.5)), finish=None, workers=shared.map), [1, -2])
    assert wait_for_jobs(shared, 25, before) == 25


def test_scipy_s_quad_vec_integrates_in_it(shared, before):
    value, _ = quad_vec(lambda x: np.array([x, x**2]), 0, 1, workers=shared.map)
    assert np.allclose(value, [1 / 2, 1 / 3])
    assert wait_for_jobs(shared, 1, before)


def test_adaptive_learns_with_it(shared_home):
    with JobExecutor(2, home=shared_home, name="learned") as executor:
        learner = adaptive.Learner1D(peak, bounds=(-1, 1))
        adaptive.BlockingRunner(learner, npoints_goal=6, executor=executor, ntasks=2)
        assert learner.npoints >= 6
        assert wait_for_jobs(executor, 6) >= 6
        assert {job.name for job in executor.group.jobs()} == {"peak"}
        assert executor.submit(peak, 1).result(60) == peak(1), "the runner leaves an executor that it was given open"


@pytest.mark.asyncio
async def test_adaptive_learns_in_the_background_of_an_event_loop(shared, before):
    learner = adaptive.Learner1D(peak, bounds=(-1, 1))
    runner = adaptive.Runner(learner, npoints_goal=8, executor=shared, ntasks=2)
    await asyncio.wait_for(runner.task, 60)
    assert learner.npoints >= 8
    assert wait_for_jobs(shared, 8, before) >= 8
