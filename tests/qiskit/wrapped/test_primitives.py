"""Wrapped primitives give what the primitives themselves give, from jobs."""

from __future__ import annotations

import copy
import json
import pickle

import numpy as np
import pytest
from qiskit import QuantumCircuit, transpile
from qiskit.primitives import (
    BackendEstimatorV2,
    BackendSamplerV2,
    BaseEstimatorV2,
    BasePrimitiveJob,
    BaseSamplerV2,
    StatevectorEstimator,
    StatevectorSampler,
)
from qiskit.providers import JobV1
from qiskit.quantum_info import SparsePauliOp
from qiskit_aer import AerSimulator
from qiskit_aer.primitives import EstimatorV2 as AerEstimator
from qiskit_aer.primitives import SamplerV2 as AerSampler
from qiskit_ibm_runtime import EstimatorV2 as RuntimeEstimator
from qiskit_ibm_runtime import IBMBackend
from qiskit_ibm_runtime import SamplerV2 as RuntimeSampler
from qiskit_ibm_runtime.executor_sampler import Sampler as ExecutorSampler
from qiskit_ibm_runtime.fake_provider import FakeManilaV2

import jobdeck
from decks import ended
from jobdeck import Deck, InvalidInputError, UnpicklableError
from jobdeck.qiskit import Estimator, Sampler

from .circuits import LockedSampler, bell, rotated, two_registers

FAKE = FakeManilaV2()
SEEDED = {"seed_simulator": 7}
SAMPLERS = {
    "StatevectorSampler": lambda: StatevectorSampler(seed=7),
    "BackendSamplerV2": lambda: BackendSamplerV2(backend=AerSimulator(), options=SEEDED),
    "Aer's SamplerV2": lambda: AerSampler(seed=7),
    "runtime's SamplerV2": lambda: RuntimeSampler(mode=FAKE, options={"simulator": SEEDED}),
    "runtime's newer Sampler": lambda: ExecutorSampler(mode=FAKE, options={"simulator": SEEDED}),
}
ESTIMATORS = {
    "StatevectorEstimator": lambda: StatevectorEstimator(seed=7),
    "BackendEstimatorV2": lambda: BackendEstimatorV2(backend=AerSimulator(), options=SEEDED),
    "Aer's EstimatorV2": lambda: AerEstimator(options={"run_options": SEEDED}),
    "runtime's EstimatorV2": lambda: RuntimeEstimator(mode=FAKE, options={"simulator": SEEDED}),
}

# qiskit-ibm-runtime warns of its own older primitives, and that what a simulator has no use for has no effect.
pytestmark = [
    pytest.mark.filterwarnings("ignore:The (Sampler|Estimator)V2 class is deprecated:DeprecationWarning"),
    pytest.mark.filterwarnings("ignore:Options .* have no effect in local testing mode"),
]


def bits(result):
    """Each pub's registers with their shape and bits."""
    return [{name: (array.shape, array.array.tolist()) for name, array in pub.data.items()} for pub in result]


@pytest.mark.parametrize("name", SAMPLERS)
def test_a_wrapped_sampler_gives_the_same_bits(deck: Deck, name):
    circuit = transpile(two_registers(), FAKE, seed_transpiler=1)
    pubs = [(circuit, [[0.1], [1.5]])]
    job = Sampler(SAMPLERS[name](), deck).run(pubs, shots=60)
    bare = SAMPLERS[name]().run(pubs, shots=60).result()
    got = job.result(60)
    assert bits(got) == bits(bare)
    assert (type(got), type(got[0])) == (type(bare), type(bare[0]))
    assert got.metadata.keys() == bare.metadata.keys()
    assert got[0].metadata["circuit_metadata"] == {"bond": 0.7}


@pytest.mark.parametrize("name", ESTIMATORS)
def test_a_wrapped_estimator_gives_the_same_values(deck: Deck, name):
    circuit = transpile(rotated(), FAKE, seed_transpiler=1)
    observables = [
        [SparsePauliOp("ZZ").apply_layout(circuit.layout)],
        [SparsePauliOp("XX").apply_layout(circuit.layout)],
    ]
    pubs = [(circuit, observables, [[0.1], [1.5]]), (circuit, observables[0][0], [0.3])]
    job = Estimator(ESTIMATORS[name](), deck).run(pubs, precision=0.05)
    bare = ESTIMATORS[name]().run(pubs, precision=0.05).result()
    got = job.result(60)
    for mine, its in zip(got, bare, strict=True):
        assert mine.data.shape == its.data.shape
        assert np.array_equal(mine.data.evs, its.data.evs)
        assert np.array_equal(mine.data.stds, its.data.stds)
        assert mine.metadata.keys() == its.metadata.keys()


def test_wrapped_primitives_and_their_jobs_are_what_qiskit_says_they_are(deck: Deck):
    sampler, estimator = Sampler(StatevectorSampler(), deck), Estimator(StatevectorEstimator(), deck)
    assert isinstance(sampler, BaseSamplerV2)
    assert isinstance(estimator, BaseEstimatorV2)
    job = sampler.run([bell()])
    assert isinstance(job, BasePrimitiveJob)
    assert isinstance(job, JobV1)
    assert isinstance(job, jobdeck.Job)
    assert ended(job).done()


def test_a_result_needs_no_pickle(deck: Deck):
    job = ended(Sampler(AerSampler(seed=1), deck).run([bell()]))
    assert deck.store.outcome(job.job_id()).encoding == "json"


def test_a_job_is_shown_with_its_circuits_and_shots(deck: Deck):
    sampler = Sampler(AerSampler(default_shots=300), deck, tags=["demo"], timeout=60)
    job = sampler.run([(bell(), None, 50), bell(), two_registers().assign_parameters([0.1])])
    assert job.name == "sample bell and 2 more"
    assert job.tags == ["demo"]
    shown = job._record.inputs_preview
    assert shown["sampler"] == "<SamplerV2>"
    assert shown["pubs"].startswith("bell (2 qubits, depth 3), 50 shots; bell (2 qubits, depth 3); two")
    assert shown["shots"] == "300"
    assert job._record.timeout == 60
    assert job._record.backend == "aer_simulator"
    assert [
        pub.data.num_shots if hasattr(pub.data, "num_shots") else pub.metadata["shots"] for pub in job.result(30)
    ] == [
        50,
        300,
        300,
    ]


def test_an_estimators_job_is_shown_with_observables_and_values(deck: Deck):
    job = Estimator(StatevectorEstimator(), deck, name="H2").run([(rotated(), [["ZZ"], ["XX"]], [[0.1], [0.2], [0.3]])])
    assert job.name == "H2"
    assert (
        job._record.inputs_preview["pubs"] == "rotated (2 qubits, depth 2), 2 observables, 3 sets of parameter values"
    )
    assert job.result(30)[0].data.evs.shape == (2, 3)
    labels = json.loads(job._service.store.job(job.job_id()).chart)["labels"]
    assert labels == [f"{what} · angle = {value}" for what in ("ZZ", "XX") for value in (0.1, 0.2, 0.3)]


def test_a_job_is_run_again_with_other_shots(deck: Deck):
    job = ended(Sampler(StatevectorSampler(seed=1), deck).run([bell()], shots=10))
    again = job.retry(shots=20)
    assert again.result(30)[0].data.meas.num_shots == 20
    assert again._record.inputs_preview["pubs"] == "bell (2 qubits, depth 3)"


def test_everything_else_is_the_primitives_own(deck: Deck):
    inner = StatevectorSampler(default_shots=33, seed=5)
    sampler = Sampler(inner, deck)
    assert (sampler.default_shots, sampler.seed) == (33, 5)
    runtime = Sampler(RuntimeSampler(mode=FAKE), deck)
    runtime.options.default_shots = 12
    assert runtime.backend() is FAKE
    assert runtime.run([transpile(bell(), FAKE)]).result(60)[0].data.meas.num_shots == 12
    with pytest.raises(AttributeError, match="nonsense"):
        sampler.nonsense


@pytest.mark.parametrize(
    ("pubs", "options", "kind"),
    [
        ([rotated()], {}, ValueError),
        ([(bell(), [1.0])], {}, ValueError),
        (["no circuit"], {}, Exception),
        (bell(), {}, ValueError),
        ([bell()], {"shots": -1}, ValueError),
        ([bell()], {"shots": 1.5}, TypeError),
        ([bell()], {"nonsense": 1}, TypeError),
    ],
)
def test_what_a_sampler_refuses_is_refused_before_anything_is_queued(deck: Deck, pubs, options, kind):
    before = len(deck.jobs())
    with pytest.raises(kind) as bare:
        StatevectorSampler().run(pubs, **options)
    with pytest.raises(type(bare.value)) as wrapped:
        Sampler(StatevectorSampler(), deck).run(pubs, **options)
    assert len(deck.jobs()) == before
    if "nonsense" not in options:
        assert str(wrapped.value) == str(bare.value)


@pytest.mark.parametrize(
    ("pubs", "options"),
    [
        ([rotated()], {}),
        ([(rotated(), "ZZ")], {}),
        ([(rotated(), "ZZZ", [1.0])], {}),
        ([(rotated(), "Z")], {"precision": -1}),
    ],
)
def test_what_an_estimator_refuses_is_refused_before_anything_is_queued(deck: Deck, pubs, options):
    before = len(deck.jobs())
    with pytest.raises(ValueError, match=r".") as bare:
        AerEstimator().run(pubs, **options)
    with pytest.raises(ValueError, match=r".") as wrapped:
        Estimator(AerEstimator(), deck).run(pubs, **options)
    assert str(wrapped.value) == str(bare.value)
    assert len(deck.jobs()) == before


def test_a_circuit_without_measurements_is_warned_of_in_the_notebook(deck: Deck):
    with pytest.warns(UserWarning, match="no output classical registers"):
        job = Sampler(AerSampler(), deck).run([QuantumCircuit(1)])
    assert ended(job).done()


def test_a_primitive_that_cannot_be_sent_is_named_and_nothing_is_queued(deck: Deck):
    before = len(deck.jobs())
    with pytest.raises(UnpicklableError, match=r"LockedSampler cannot run as a job: input 'sampler'.*'lock'"):
        Sampler(LockedSampler(), deck).run([bell()])
    assert len(deck.jobs()) == before


@pytest.mark.parametrize(
    ("wrap", "primitive", "words"),
    [
        (Sampler, StatevectorEstimator(), "V2 sampler, not StatevectorEstimator"),
        (Estimator, StatevectorSampler(), "V2 estimator, not StatevectorSampler"),
        (Sampler, StatevectorSampler, "V2 sampler, not StatevectorSampler, a class"),
        (Sampler, AerSimulator(), "V2 sampler, not AerSimulator"),
    ],
)
def test_what_is_no_such_primitive_is_refused(wrap, primitive, words):
    with pytest.raises(InvalidInputError, match=words):
        wrap(primitive)


def test_run_options_are_checked_when_a_primitive_is_wrapped(deck: Deck):
    with pytest.raises(InvalidInputError, match="timeout"):
        Sampler(StatevectorSampler(), timeout=-1)
    with pytest.raises(InvalidInputError, match="tag"):
        Estimator(StatevectorEstimator(), tags=[""])
    with pytest.raises(InvalidInputError, match="Deck"):
        Sampler(StatevectorSampler(), deck.home)


def test_what_runs_at_the_service_is_not_wrapped():
    class Remote(StatevectorSampler):
        backend = IBMBackend.__new__(IBMBackend)
        backend.__dict__["name"] = "ibm_somewhere"

    with pytest.raises(InvalidInputError, match=r"ibm_somewhere runs at IBM's service.*jobdeck\.watch"):
        Sampler(Remote())


def test_a_random_generator_gives_each_job_numbers_of_its_own(deck: Deck):
    def two_runs():
        sampler = Sampler(StatevectorSampler(seed=np.random.default_rng(3)), deck)
        jobs = [sampler.run([bell()], shots=40) for _ in range(2)]
        return [bits(job.result(30)) for job in jobs]

    first, second = two_runs()
    assert first != second
    assert two_runs() == [first, second]


def test_the_jobs_go_to_the_deck_of_jobdecks_functions_unless_another_one_is_named(deck: Deck, monkeypatch):
    monkeypatch.setenv("JOBDECK_HOME", str(deck.home))
    job = jobdeck.qiskit.Sampler(StatevectorSampler()).run([bell()])
    assert deck.job(job.job_id()).result(30) is not None


def test_a_wrapped_primitive_is_copied_with_its_deck(deck: Deck):
    sampler = Sampler(Sampler(StatevectorSampler(default_shots=9), deck), deck, tags=["copied"])
    for copied in (copy.deepcopy(sampler), pickle.loads(pickle.dumps(sampler))):
        job = copied.run([bell()])
        assert deck.job(job.job_id()).tags == ["copied"]
        assert job.result(30)[0].data.meas.num_shots == 9
