"""Code that takes a primitive takes wrapped ones, and an algorithm as a job tells of its iterations."""

from __future__ import annotations

import json

import numpy as np
import pytest
from qiskit import QuantumCircuit
from qiskit.circuit.library import real_amplitudes
from qiskit.primitives import StatevectorEstimator, StatevectorSampler
from qiskit.quantum_info import SparsePauliOp
from qiskit_algorithms import QAOA, VQD, VQE, AmplificationProblem, Grover, PhaseEstimation, SamplingVQE
from qiskit_algorithms.optimizers import COBYLA
from qiskit_algorithms.state_fidelities import ComputeUncompute

from decks import wait_until
from jobdeck import Deck, InvalidInputError
from jobdeck.qiskit import Estimator, Sampler, iterations

from .circuits import H2

# qiskit-algorithms 0.4 uses classes, methods and arguments that Qiskit 2.1 has replaced.
pytestmark = pytest.mark.filterwarnings("ignore:.*deprecated as of Qiskit 2.1:DeprecationWarning")

START = np.zeros(4)


def vqe(estimator, maxiter=8, callback=None) -> VQE:
    return VQE(estimator, real_amplitudes(2, reps=1), COBYLA(maxiter=maxiter), initial_point=START, callback=callback)


def test_vqe_takes_a_wrapped_estimator(deck: Deck):
    told = []
    estimator = Estimator(StatevectorEstimator(seed=1), deck, tags=["vqe"])
    found = vqe(estimator, callback=lambda *step: told.append(step)).compute_minimum_eigenvalue(H2)
    bare = vqe(StatevectorEstimator(seed=1)).compute_minimum_eigenvalue(H2)
    assert found.eigenvalue == bare.eigenvalue
    assert len(deck.jobs(tags=["vqe"])) == len(told) == found.cost_function_evals


def test_vqe_as_a_job_tells_of_its_iterations(deck: Deck):
    program = vqe(StatevectorEstimator(seed=1), callback=iterations(total=8))
    job = deck.run(program.compute_minimum_eigenvalue, inputs={"operator": H2}, name="H2")
    found = job.result(60)
    told = job.interim_results()
    assert [message["iteration"] for message in told] == list(range(1, found.cost_function_evals + 1))
    assert min(message["energy"] for message in told) == pytest.approx(found.eigenvalue.real)
    assert all(type(message["energy"]) is float for message in told)
    assert (job.progress.done, job.progress.total) == (len(told), 8)


def test_vqe_as_a_job_stops_at_an_iteration_when_it_is_cancelled(deck: Deck):
    program = vqe(StatevectorEstimator(seed=1), maxiter=10**6, callback=iterations())
    program.optimizer = COBYLA(maxiter=10**6, tol=1e-300, rhobeg=1e-9)
    program.estimator = StatevectorEstimator(default_precision=0.5)
    job = deck.run(program.compute_minimum_eigenvalue, inputs={"operator": H2})
    wait_until(lambda: len(job.interim_results()) > 2, timeout=60)
    job.cancel()
    job.wait_for_final_state(15)
    assert job.cancelled()
    assert job.metrics()["exit_signal"] is None


ISING = SparsePauliOp(["ZZ", "ZI", "IZ"], [1.0, 0.5, 0.2])


def sampling_vqe(sampler):
    algorithm = SamplingVQE(sampler, real_amplitudes(2, reps=1), COBYLA(maxiter=6), initial_point=START)
    return algorithm.compute_minimum_eigenvalue(ISING).best_measurement["bitstring"]


def qaoa(sampler):
    return QAOA(sampler, COBYLA(maxiter=4), initial_point=[0.1, 0.2]).compute_minimum_eigenvalue(ISING).eigenvalue


def grover(sampler):
    oracle = QuantumCircuit(2)
    oracle.cz(0, 1)
    problem = AmplificationProblem(oracle, is_good_state=["11"])
    return Grover(sampler=sampler, iterations=1).amplify(problem).top_measurement


def phase_estimation(sampler):
    unitary, state = QuantumCircuit(1), QuantumCircuit(1)
    unitary.p(np.pi / 2, 0)
    state.x(0)
    return PhaseEstimation(3, sampler).estimate(unitary, state).phase


def fidelity(sampler):
    rotated = real_amplitudes(2, reps=1)
    return ComputeUncompute(sampler).run(rotated, rotated, [0.1] * 4, [0.2] * 4).result().fidelities


# Qiskit's own matrix exponential, in QAOA's circuit.
@pytest.mark.filterwarnings("ignore::scipy.sparse.SparseEfficiencyWarning")
@pytest.mark.parametrize("algorithm", [sampling_vqe, qaoa, grover, phase_estimation, fidelity])
def test_algorithms_take_a_wrapped_sampler(deck: Deck, algorithm):
    assert algorithm(Sampler(StatevectorSampler(seed=5), deck)) == algorithm(StatevectorSampler(seed=5))


def test_iterations_outside_of_a_job_are_printed(capsys):
    callback = iterations("cost", metadata=True)
    callback(np.int64(1), np.array([0.5]), np.float64(-1.5), {"shots": 10})
    callback(2, [0.25], np.complex128(-2))
    first, second = map(json.loads, capsys.readouterr().out.splitlines())
    assert (first["iteration"], first["cost"], first["metadata"]) == (1, -1.5, {"shots": 10})
    assert second == {"iteration": 2, "cost": -2.0, "parameters": [0.25]}


def test_iterations_tell_which_eigenvalue_is_sought(capsys):
    fidelities = ComputeUncompute(StatevectorSampler(seed=1))
    told = iterations(parameters=False)
    VQD(
        StatevectorEstimator(seed=1), fidelities, real_amplitudes(2, reps=1), COBYLA(maxiter=6), k=2, betas=[1, 1],
        initial_point=START, callback=told,
    ).compute_eigenvalues(H2)  # fmt: skip
    messages = list(map(json.loads, capsys.readouterr().out.splitlines()))
    assert {message["eigenvalue"] for message in messages} == {1, 2}
    assert messages[0].keys() == {"iteration", "energy", "eigenvalue"}


@pytest.mark.parametrize(
    "given", [{"value": ""}, {"value": "iteration"}, {"total": 0}, {"total": "5"}, {"total": True}]
)
def test_what_is_wrong_about_iterations_is_said_at_once(given):
    with pytest.raises(InvalidInputError):
        iterations(**given)
