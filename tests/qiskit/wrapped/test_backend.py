"""A wrapped backend is the backend, and each of its runs a job."""

from __future__ import annotations

import copy
import pickle

import pytest
from qiskit import transpile
from qiskit.circuit import Parameter
from qiskit.primitives import BackendEstimatorV2, BackendSamplerV2
from qiskit.providers import BackendV2, JobV1
from qiskit.providers.basic_provider import BasicSimulator
from qiskit.result import Result
from qiskit.transpiler import generate_preset_pass_manager
from qiskit_aer import AerSimulator
from qiskit_aer.noise import NoiseModel
from qiskit_ibm_runtime import SamplerV2 as RuntimeSampler
from qiskit_ibm_runtime.fake_provider import FakeManilaV2

from decks import ended
from jobdeck import Deck, InvalidInputError, UnpicklableError
from jobdeck.qiskit import backend as wrapped

from .circuits import LockedSimulator, bell, rotated

BACKENDS = {"Aer": AerSimulator, "Basic": BasicSimulator, "fake": FakeManilaV2}


@pytest.mark.parametrize("name", BACKENDS)
def test_a_wrapped_backend_gives_the_same_counts(deck: Deck, name):
    inner = BACKENDS[name]()
    circuits = transpile([bell(), bell()], inner, seed_transpiler=1)
    got = wrapped(inner, deck).run(circuits, shots=80, seed_simulator=3).result(60)
    bare = inner.run(circuits, shots=80, seed_simulator=3).result()
    assert type(got) is Result
    assert got.get_counts() == bare.get_counts()
    assert [set(vars(one)) for one in got.results] == [set(vars(one)) for one in bare.results]


def test_its_jobs_are_those_of_a_backend(deck: Deck):
    backend = wrapped(AerSimulator(), deck, tags=["aer"])
    job = backend.run(bell(), shots=5, memory=True)
    assert isinstance(job, JobV1)
    assert job.backend() is backend
    assert (job.name, job.tags, job._record.backend) == ("run bell", ["aer"], "aer_simulator")
    assert job._record.inputs_preview == {"circuits": "bell (2 qubits, depth 3)", "shots": "5", "memory": "True"}
    assert len(job.result(30).get_memory()) == 5
    assert deck.store.outcome(job.job_id()).encoding == "json"


def test_a_simulation_in_a_job_uses_as_many_threads_as_outside_one(deck: Deck):
    simulator = AerSimulator(method="statevector", max_parallel_threads=2, statevector_parallel_threshold=1)
    # Two where there are two cores; one on a machine of one, or where OMP_NUM_THREADS says so.
    outside = simulator.run(bell(), shots=10).result().results[0].metadata["parallel_state_update"]
    result = wrapped(simulator, deck).run(bell(), shots=10).result(30)
    assert result.results[0].metadata["parallel_state_update"] == outside


def test_it_takes_the_arguments_that_the_backend_takes(deck: Deck):
    backend = wrapped(AerSimulator(seed_simulator=1), deck)
    (angle,) = (circuit := rotated().measure_all(inplace=False)).parameters
    assert isinstance(angle, Parameter)
    result = backend.run(circuit, [{angle: [0.0, 3.14159]}], shots=20).result(30)
    assert result.get_counts() == [{"00": 20}, {"11": 20}]
    with pytest.raises(TypeError, match="too many positional"):
        backend.run(circuit, [], 1, 2)


def test_it_is_the_backend_for_everything_else(deck: Deck):
    inner = FakeManilaV2()
    backend = wrapped(inner, deck)
    assert isinstance(backend, BackendV2)
    assert backend.target is inner.target
    assert backend.options is inner.options
    for name in (
        "name",
        "num_qubits",
        "max_circuits",
        "dt",
        "description",
        "online_date",
        "operation_names",
        "provider",
    ):
        assert getattr(backend, name) == getattr(inner, name)
    assert backend.qubit_properties(0).t1 == inner.qubit_properties(0).t1
    assert backend.properties().to_dict() == inner.properties().to_dict()
    backend.set_options(shots=77)
    assert inner.options.shots == 77
    with pytest.raises(AttributeError, match="nonsense"):
        backend.nonsense
    assert transpile(bell(), backend, seed_transpiler=1) == transpile(bell(), inner, seed_transpiler=1)
    passes = generate_preset_pass_manager(1, backend=backend, seed_transpiler=1)
    assert passes.run(bell()).num_qubits == 5
    assert NoiseModel.from_backend(backend).basis_gates == NoiseModel.from_backend(inner).basis_gates


def test_its_jobs_serve_qiskits_primitives(deck: Deck):
    backend = wrapped(AerSimulator(), deck, tags=["inner"])
    sampled = BackendSamplerV2(backend=backend, options={"seed_simulator": 2}).run([bell()], shots=50).result()
    assert sampled[0].data.meas.num_shots == 50
    estimated = BackendEstimatorV2(backend=backend).run([(rotated(), "ZZ", [0.4])]).result()
    assert estimated[0].data.evs == pytest.approx(1)
    assert [job.name.partition("-")[0] for job in deck.jobs(tags=["inner"])] == ["run rotated", "run bell"]


@pytest.mark.filterwarnings("ignore:The SamplerV2 class is deprecated:DeprecationWarning")
@pytest.mark.filterwarnings("ignore:Options .* have no effect in local testing mode")
def test_its_jobs_serve_the_runtimes_local_mode(deck: Deck):
    backend = wrapped(FakeManilaV2(), deck, tags=["local mode"])
    result = RuntimeSampler(mode=backend).run([transpile(bell(), backend)], shots=30).result()
    assert result[0].data.meas.num_shots == 30
    (job,) = deck.jobs(tags=["local mode"])
    assert job.name.startswith("run bell")


@pytest.mark.parametrize("given", ["text", None, 5, ["text"], [bell(), 1]])
def test_what_is_no_circuit_is_refused_before_anything_is_queued(deck: Deck, given):
    before = len(deck.jobs())
    with pytest.raises(InvalidInputError, match="runs circuits"):
        wrapped(AerSimulator(), deck).run(given)
    assert len(deck.jobs()) == before


def test_what_the_simulator_refuses_is_said_by_its_job(deck: Deck):
    job = ended(wrapped(BasicSimulator(), deck).run(transpile(rotated(), basis_gates=["u", "cx"])))
    assert job.errored()
    assert job.error_message()


def test_a_backend_that_cannot_be_sent_is_named_and_nothing_is_queued(deck: Deck):
    before = len(deck.jobs())
    with pytest.raises(UnpicklableError, match=r"LockedSimulator cannot run as a job: the backend.*'lock'"):
        wrapped(LockedSimulator(), deck).run(bell())
    assert len(deck.jobs()) == before


@pytest.mark.parametrize("given", [AerSimulator, "aer_simulator", object()])
def test_what_is_no_backend_is_refused(given):
    with pytest.raises(InvalidInputError, match="BackendV2"):
        wrapped(given)


def test_it_is_copied_with_its_deck(deck: Deck):
    backend = wrapped(wrapped(AerSimulator(), deck), deck, tags=["twin"])
    for copied in (copy.deepcopy(backend), pickle.loads(pickle.dumps(backend))):
        job = copied.run(bell())
        assert deck.job(job.job_id()).tags == ["twin"]
        assert ended(job).done()
