"""How sets are run: what is split, refused, stopped, failed and run again."""

from __future__ import annotations

import threading
import time

import pytest
from qiskit import QuantumCircuit
from qiskit.providers.basic_provider import BasicSimulator
from qiskit_aer import AerSimulator

import jobdeck.qiskit
from jobdeck import (
    Deck,
    InvalidInputError,
    JobCancelledError,
    JobError,
    JobManager,
    JobTimeoutError,
    RuntimeJobFailureError,
    UnpicklableError,
)
from programs import Gate, double

from .conftest import circuits
from .moody import Moody


@pytest.fixture(scope="module")
def manager(lasting_deck: Deck) -> JobManager:
    return JobManager(lasting_deck)


@pytest.fixture
def own_manager(deck: Deck) -> JobManager:
    """A manager on a deck of the test's own."""
    return JobManager(deck)


def test_one_failed_job_blocks_no_other_and_is_run_again(manager: JobManager, tmp_path):
    broken = tmp_path / "broken"
    broken.touch()
    job_set = manager.run(circuits(6), Moody("ghz-3", broken), name="moody", shots=10)
    results = job_set.results(60)
    assert job_set.statuses() == ["DONE", "ERROR", "DONE"]
    assert not results.success
    assert results.get_counts("ghz-5") == {"11": 10}
    with pytest.raises(RuntimeJobFailureError, match=r"(?s)experiment 2 of 'moody'.*retry_failed\(\).*machine is down"):
        results.get_counts(2)
    with pytest.raises(RuntimeJobFailureError, match="experiment 2"):
        results.combine_results()
    failed = job_set.jobs()[1]
    said = job_set.error_messages()
    assert said.startswith(f"Experiments 2-3, job index=1, job ID={failed.job_id()}:\n  Traceback")
    assert said.endswith("ConnectionError: the machine is down")
    assert "status: ERROR\n    error_message:\n      Traceback" in job_set.report()

    broken.unlink()
    assert job_set.retry_failed().counts == {"retried": 1}
    again = job_set.results(60)
    assert again.success
    assert again.get_counts("ghz-3") == {"11": 10}
    assert len(again.combine_results().results) == 6
    assert job_set.jobs()[1].retry_of == failed.job_id()
    assert job_set.error_messages() is None
    assert "ghz-3" not in str(results)


def test_the_experiments_that_did_not_fail_in_a_failed_job_are_had_with_partial(manager: JobManager):
    good, bad = QuantumCircuit(1, name="good"), QuantumCircuit(1, name="bad")
    bad.t(0)  # which no stabilizer simulator can
    for circuit in (good, bad):
        circuit.measure_all()
    job_set = manager.run([good, bad], AerSimulator(method="stabilizer"), shots=10)
    strict = job_set.results(60)
    assert job_set.statuses() == ["ERROR"]
    assert "1 of 2 experiments failed: bad:" in job_set.error_messages()
    with pytest.raises(RuntimeJobFailureError):
        strict.get_counts("good")
    partial = job_set.results(60, partial=True)
    assert not partial.success
    assert partial.get_counts("good") == {"0": 10}
    with pytest.raises(RuntimeJobFailureError, match=r"experiment 1 of .* failed"):
        partial.get_counts("bad")


def test_statevectors_and_unitaries_are_had_by_experiment(manager: JobManager):
    state, unitary = QuantumCircuit(1, name="state"), QuantumCircuit(1, name="unitary")
    state.x(0)
    state.save_statevector()
    job_set = manager.run([state], "aer_simulator_statevector")
    assert list(job_set.results(60).get_statevector("state", decimals=3).data) == [0, 1]
    unitary.x(0)
    unitary.save_unitary()
    job_set = manager.run(unitary, "aer_simulator_unitary")
    assert job_set.results(60).get_unitary(0, decimals=3).data.tolist() == [[0, 1], [1, 0]]


def test_a_backends_own_limit_splits_a_set(manager: JobManager, tmp_path):
    backend = Moody("none", tmp_path / "no file")
    by_limit = manager.run(circuits(5), backend)
    assert [len(part) for part in by_limit.qobjs()] == [2, 2, 1]
    assert [len(part) for part in manager.run(circuits(3), backend, max_experiments_per_job=9).qobjs()] == [2, 1]
    assert [len(part) for part in manager.run(circuits(2), backend, max_experiments_per_job=1).qobjs()] == [1, 1]
    assert len(manager.run(circuits(3), BasicSimulator()).jobs()) == 1


def test_a_whole_set_is_cancelled(own_manager: JobManager, deck: Deck, gate: Gate, tmp_path):
    deck.max_workers = 1
    job_set = own_manager.run(circuits(6), Moody("none", tmp_path / "no file", gate))
    gate.reached()
    assert sum(job_set.cancel().counts.values()) == 3
    job_set.wait(30)
    assert job_set.statuses() == ["CANCELLED"] * 3
    results = job_set.results(1)
    with pytest.raises(JobCancelledError, match=r"experiment 4 of .*; job_set\.job\(4\)\[0\]\.retry\(\) runs it again"):
        results.get_counts(4)
    assert job_set.cancel().counts == {}


def test_a_timeout_is_that_of_the_whole_set(own_manager: JobManager, deck: Deck, gate: Gate, tmp_path):
    deck.max_workers = 1
    job_set = own_manager.run(circuits(6), Moody("none", tmp_path / "no file", gate))
    begun = time.monotonic()
    with pytest.raises(JobTimeoutError, match="3 of 3 jobs of group"):
        job_set.results(timeout=0.3)
    assert 0.3 <= time.monotonic() - begun < 10
    with pytest.raises(JobTimeoutError):
        job_set.results(timeout=0, partial=True)
    gate.open()
    assert job_set.results(60).success


def test_two_circuits_of_one_name_are_not_taken_for_one_another(manager: JobManager):
    twins = [QuantumCircuit(1, 1, name="twin"), QuantumCircuit(1, 1, name="twin")]
    twins[1].x(0)
    for twin in twins:
        twin.measure(0, 0)
    results = manager.run(twins, BasicSimulator(), shots=5).results(60)
    with pytest.raises(
        InvalidInputError, match=r"2 experiments of set .* are called 'twin'; give the place of one: 0, 1"
    ):
        results.get_counts("twin")
    assert [results.get_counts(place) for place in (0, 1)] == [{"0": 5}, {"1": 5}]


def test_a_backend_that_makes_jobs_itself_is_unwrapped(own_manager: JobManager, deck: Deck):
    job_set = own_manager.run(circuits(2), jobdeck.qiskit.backend(BasicSimulator(), deck), shots=5)
    assert job_set.results(60).get_counts(1) == {"11": 5}
    assert len(deck.jobs()) == 1


@pytest.mark.parametrize(
    ("experiments", "options", "error", "words"),
    [
        ([], {}, InvalidInputError, "no experiments"),
        ([1], {"max_experiments_per_job": 0}, InvalidInputError, "max_experiments_per_job"),
        ([1], {"job_tags": [5]}, InvalidInputError, "tag"),
        ([1], {"name": 5}, InvalidInputError, "name"),
        ([1], {"backend": "aer_simulatr"}, InvalidInputError, "no simulator is called 'aer_simulatr'"),
        ([1, threading.Lock()], {"max_experiments_per_job": 1}, UnpicklableError, "experiments 1-1: .*lock"),
    ],
)
def test_what_is_wrong_is_said_and_nothing_is_queued(
    manager: JobManager, deck: Deck, experiments, options, error, words
):
    with pytest.raises(error, match=words):
        manager.run(experiments, **{"backend": BasicSimulator(), **options})
    assert not deck.jobs()
    assert not deck.groups()


def test_a_set_is_renamed_and_tagged(manager: JobManager):
    job_set = manager.run(circuits(1), BasicSimulator(), job_tags=["a", "b"])
    assert job_set.name().startswith("20")
    assert job_set.update_name("bell") == "bell"
    assert job_set.update_tags(additional_tags=["c"], removal_tags=["a"]) == ["b", "c"]
    assert (job_set.name(), job_set.tags(), job_set.jobs()[0].tags) == ("bell", ["b", "c"], ["b", "c"])
    job_set.wait(60)


def test_a_deleted_job_has_no_status_and_leaves_the_others(own_manager: JobManager, deck: Deck):
    job_set = own_manager.run(circuits(2), BasicSimulator(), max_experiments_per_job=1, shots=5)
    job_set.wait(60)
    deck.delete_job(job_set.jobs()[0].job_id())
    assert job_set.statuses() == [None, "DONE"]
    results = job_set.results(10)
    assert results.get_counts(1) == {"11": 5}
    with pytest.raises(JobError, match="its job was deleted"):
        results.get_counts(0)
    assert "status: it could not be submitted: JobError: its job was deleted" in job_set.report()


# --- programs


def test_any_list_of_inputs_for_a_program_is_a_set(own_manager: JobManager, deck: Deck):
    job_set = own_manager.run([1, 2, 3, {"x": 4}, 5], double, name="doubles", max_experiments_per_job=2)
    results = job_set.results(30)
    assert list(results) == results.combine_results() == [2, 4, 6, 8, 10]
    assert (results.data(3), results[4], results.backend_name) == (8, 10, "double")
    assert job_set.jobs()[0].inputs["experiments"] == [1, 2]
    assert job_set.qobjs() == [[1, 2], [3, {"x": 4}], [5]]
    with pytest.raises(JobError, match=r"gave a int: data\(\) returns it"):
        results.get_counts(0)


def test_a_program_that_fails_at_one_input_leaves_the_results_before_it(manager: JobManager):
    def invert(x):
        return 1 / x

    job_set = manager.run([1, 0, 2, 4], invert, max_experiments_per_job=2)
    assert not job_set.results(30).success
    assert job_set.statuses() == ["ERROR", "DONE"]
    assert "experiment 1 of the 2 of this job failed: ZeroDivisionError" in job_set.error_messages()
    partial = job_set.results(30, partial=True)
    assert [partial[0], partial[2], partial[3]] == [1.0, 0.5, 0.25]
    with pytest.raises(RuntimeJobFailureError, match="experiment 1"):
        partial[1]


def test_an_uploaded_program_is_run_with_checked_inputs(own_manager: JobManager, deck: Deck):
    schema = {"type": "object", "properties": {"x": {"type": "integer", "default": 5}}}
    deck.upload_program(double, name="double it", spec={"parameters": schema})
    assert list(own_manager.run([{"x": 1}, {}, 2], "double it").results(30)) == [2, 10, 4]
    with pytest.raises(InvalidInputError, match=r"experiment 1: program 'double it'.*'x' is 'two'"):
        own_manager.run([{"x": 1}, {"x": "two"}], "double it")
    with pytest.raises(InvalidInputError, match=r"experiment 1: .*y"):
        own_manager.run([1, {"x": 1, "y": 2}], double)
