"""Three hundred circuits as one set of jobs, and what there is to know of it."""

from __future__ import annotations

import json
import pickle
import subprocess
import sys

import pytest
from qiskit_aer import AerSimulator

from jobdeck import (
    Deck,
    InvalidInputError,
    JobGroup,
    JobManager,
    JobNotFoundError,
    ManagedJobSet,
    ManagedResults,
)
from jobdeck.managed import IBMQJobManager

from .conftest import circuits

CIRCUITS = circuits(300)


@pytest.fixture(scope="module")
def manager(lasting_deck: Deck) -> JobManager:
    return JobManager(lasting_deck)


@pytest.fixture(scope="module")
def job_set(manager: JobManager) -> ManagedJobSet:
    made = manager.run(
        CIRCUITS,
        AerSimulator(),
        name="ghz",
        max_experiments_per_job=75,
        job_tags=["sweep"],
        shots=20,
        memory=True,
        seed_simulator=7,
    )
    assert None not in made.statuses()
    return made


@pytest.fixture(scope="module")
def results(job_set: ManagedJobSet) -> ManagedResults:
    return job_set.results(timeout=100)


def test_experiments_are_split_into_jobs(job_set: ManagedJobSet, results):
    assert [(part.start_index, part.end_index) for part in job_set.managed_jobs()] == [
        (0, 74),
        (75, 149),
        (150, 224),
        (225, 299),
    ]
    assert [job.name for job in job_set.jobs()] == ["ghz[0]", "ghz[1]", "ghz[2]", "ghz[3]"]
    assert job_set.statuses() == ["DONE"] * 4
    assert len({job.metrics()["exit_code"] for job in job_set}) == 1
    assert len({job._record.pid for job in job_set}) == 4


def test_results_are_found_across_jobs_by_place_by_name_and_by_circuit(results: ManagedResults):
    assert results.success
    assert len(results) == 300
    for place in (0, 74, 75, 299):
        outcome = "11" if place % 2 else "00"
        assert results.get_counts(place) == {outcome: 20}
        assert results.get_counts(f"ghz-{place}") == {outcome: 20}
        assert results.get_counts(CIRCUITS[place]) == {outcome: 20}
        assert results.get_memory(place) == [outcome] * 20
        assert results.data(place)["counts"] == results[place]["counts"]
    assert results.backend_name == "aer_simulator"


def test_results_are_combined_into_one(results: ManagedResults):
    combined = results.combine_results()
    assert len(combined.results) == 300
    assert combined.get_counts("ghz-151") == {"11": 20}


def test_an_experiment_that_is_not_there_is_told_from_one_that_is(job_set: ManagedJobSet, results):
    assert job_set.job(80) == (job_set.jobs()[1], 5)
    assert job_set.job("ghz-299") == (job_set.jobs()[3], 74)
    assert job_set.job(CIRCUITS[3]) == (job_set.jobs()[0], 3)
    for missing in (300, -1):
        with pytest.raises(JobNotFoundError, match="there are 0 to 299"):
            results.get_counts(missing)
    with pytest.raises(JobNotFoundError, match="no experiment called 'bell'"):
        job_set.job("bell")
    with pytest.raises(InvalidInputError, match="by its place, by its name, or as the circuit"):
        job_set.job(1.5)


def test_a_set_is_a_group(job_set: ManagedJobSet, lasting_deck: Deck, results):
    assert isinstance(job_set, JobGroup)
    assert lasting_deck.group(job_set.group_id) == job_set
    assert [group.kind for group in lasting_deck.groups(kind="set")]
    assert job_set.progress.done == job_set.progress.total == 4
    assert job_set.to_frame()["status"].tolist() == ["DONE"] * 4


def test_name_and_tags_are_asked_for_either_way(job_set: ManagedJobSet, manager: JobManager):
    assert job_set.name == job_set.name() == "ghz"
    assert job_set.tags == job_set.tags() == ["sweep"]
    assert json.dumps([job_set.name, job_set.tags]) == '["ghz", ["sweep"]]'
    assert manager.job_sets("ghz") == [job_set]


def test_it_knows_its_backend_and_its_experiments(job_set: ManagedJobSet):
    assert [backend.name for backend in job_set.backends()] == ["aer_simulator"]
    parts = job_set.qobjs()
    assert [len(part) for part in parts] == [75] * 4
    assert parts[2][0] == CIRCUITS[150]


def test_a_report_counts_jobs_and_tells_of_each(job_set: ManagedJobSet, manager: JobManager, results):
    brief = job_set.report(detailed=False)
    assert brief == (
        "Job set name: ghz\n"
        f"          ID: {job_set.job_set_id()}\n"
        "        tags: ['sweep']\n"
        "Summary report:\n"
        "       Total jobs: 4\n"
        "  Successful jobs: 4\n"
        "      Failed jobs: 0\n"
        "   Cancelled jobs: 0\n"
        "     Running jobs: 0\n"
        "     Pending jobs: 0"
    )
    whole = job_set.report()
    second = job_set.jobs()[1].job_id()
    assert whole.startswith(brief)
    assert (
        f"  experiments: 75-149\n    job index: 1\n    job ID: {second}\n    name: ghz[1]\n    status: DONE\n" in whole
    )
    assert f"  Job set name: ghz, ID: {job_set.job_set_id()}\n  experiments: 0-74" in manager.report()
    assert job_set.error_messages() is None


def test_a_set_is_retrieved_from_another_kernel(job_set: ManagedJobSet, results, lasting_deck: Deck):
    program = """
import sys
from jobdeck import JobManager
job_set = JobManager().retrieve_job_set(sys.argv[1])
results = job_set.results(timeout=0)
print(job_set.name(), results.get_counts("ghz-299"), results.get_memory(76)[0], [b.name for b in job_set.backends()])
print(job_set.job("ghz-80")[1], job_set.qobjs()[3][74].name)
"""
    said = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", program, job_set.job_set_id()],
        env={**_environment(), "JOBDECK_HOME": str(lasting_deck.home)},
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    assert said.stdout == "ghz {'11': 20} 00 ['aer_simulator']\n5 ghz-299\n"


def _environment():
    import os

    return {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}


def test_a_manager_returns_the_set_that_it_has_unless_it_is_to_read_anew(lasting_deck: Deck, job_set: ManagedJobSet):
    manager = IBMQJobManager(lasting_deck)
    first = manager.retrieve_job_set(job_set.job_set_id(), provider=None)
    assert first == job_set
    assert first is not job_set
    assert manager.retrieve_job_set(job_set.job_set_id()) is first
    assert manager.retrieve_job_set(job_set.job_set_id(), refresh=True) is not first
    assert len(manager.job_sets()) == 1
    assert pickle.loads(pickle.dumps(first)).results(0).get_counts(1) == {"11": 20}


def test_what_is_no_set_is_not_retrieved(lasting_deck: Deck, manager: JobManager):
    group = lasting_deck.map(abs, [-1])
    group.wait(30)
    with pytest.raises(JobNotFoundError, match="is a map, no set"):
        manager.retrieve_job_set(group.group_id)
    with pytest.raises(JobNotFoundError):
        manager.retrieve_job_set("no-such-set")
    with pytest.raises(InvalidInputError, match="a text"):
        manager.retrieve_job_set(5)
