"""Jobs of Qiskit's backends and primitives in the deck: what they are, how they stand, what came of them."""

from __future__ import annotations

import json
from concurrent.futures import Future
from enum import Enum
from threading import Event

import pytest
from qiskit import QuantumCircuit
from qiskit.primitives import (
    BackendEstimatorV2,
    BackendSamplerV2,
    PrimitiveJob,
    StatevectorEstimator,
    StatevectorSampler,
)
from qiskit.providers import JobStatus as QiskitStatus
from qiskit.providers import JobV1
from qiskit.providers.basic_provider import BasicSimulator
from qiskit.quantum_info import SparsePauliOp
from qiskit_aer import AerSimulator

from jobdeck import JobCancelledError, JobStatus, RuntimeJobFailureError
from jobdeck.watchers import adapt

PATIENCE = 30


def ended(job):
    job.wait_for_final_state(timeout=PATIENCE)
    return job


def chart_of(job):
    return json.loads(job._service.store.job(job.job_id()).chart)


def facts_of(job):
    return job._service.store.job(job.job_id()).facts


def test_a_simulators_job_shows_its_backend_its_shots_and_its_counts(deck, bell):
    foreign = AerSimulator().run(bell, shots=300)
    job = ended(deck.watch(foreign))
    assert (job.engine, job.backend(), job.name, job.status()) == ("aer", "aer_simulator", "bell", JobStatus.DONE)
    assert facts_of(job) == {"circuits": 1, "shots": 300, "id": foreign.job_id()}
    assert job.result().get_counts() == foreign.result().get_counts()
    chart = chart_of(job)
    assert dict(zip(chart["labels"], chart["counts"], strict=True)) == foreign.result().get_counts()


def test_qiskits_own_simulator_has_jobs_that_are_over_at_once(deck, bell):
    job = ended(deck.watch(BasicSimulator().run(bell)))
    assert (job.engine, job.backend(), job.status()) == ("qiskit", "basic_simulator", JobStatus.DONE)
    assert sum(chart_of(job)["counts"]) == 1024
    assert (job.name, job.facts["circuits"], job.facts["shots"]) == ("bell", 1, 1024)


@pytest.mark.parametrize("make", [lambda: StatevectorSampler(seed=1), lambda: BackendSamplerV2(backend=AerSimulator())])
def test_a_samplers_job_is_named_after_it_and_its_circuit(deck, bell, make):
    sampler = make()
    foreign = sampler.run([bell], shots=128)
    job = ended(deck.watch(foreign))
    assert job.name == f"{type(sampler).__name__} · bell"
    assert facts_of(job)["shots"] == 128
    assert sum(chart_of(job)["counts"]) == 128
    assert job.result()[0].data.meas.get_counts() == foreign.result()[0].data.meas.get_counts()


@pytest.mark.parametrize("make", [StatevectorEstimator, lambda: BackendEstimatorV2(backend=AerSimulator())])
def test_an_estimators_values_are_a_plot_with_errors(deck, make):
    circuit = QuantumCircuit(1, name="plus")
    circuit.h(0)
    foreign = make().run([(circuit, [SparsePauliOp("X"), SparsePauliOp("Z")])], precision=0.05)
    job = ended(deck.watch(foreign))
    chart = chart_of(job)
    assert chart["kind"] == "estimates"
    assert chart["values"] == pytest.approx([1, 0], abs=0.4)
    assert chart["labels"] == ["X", "Z"]
    assert facts_of(job)["precision"] == 0.05


@pytest.mark.filterwarnings("ignore:The SamplerV2 class is deprecated:DeprecationWarning")
def test_a_job_of_the_runtime_on_a_fake_backend_is_watched_like_any(deck, bell):
    from qiskit import transpile
    from qiskit_ibm_runtime import SamplerV2
    from qiskit_ibm_runtime.fake_provider import FakeManilaV2

    backend = FakeManilaV2()
    job = ended(deck.watch(SamplerV2(mode=backend).run([transpile(bell, backend)], shots=64)))
    assert (job.status(), job.backend()) == (JobStatus.DONE, "fake_manila")
    assert job.name == "sampler · bell"
    assert sum(chart_of(job)["counts"]) == 64


@pytest.mark.parametrize("kind", ["Session", "Batch"])
@pytest.mark.filterwarnings("ignore:The SamplerV2 class is deprecated:DeprecationWarning")
def test_a_session_that_only_simulates_one_is_a_group_of_what_runs_in_it(deck, bell, kind):
    import qiskit_ibm_runtime
    from qiskit import transpile
    from qiskit_ibm_runtime.fake_provider import FakeManilaV2

    backend = FakeManilaV2()
    with getattr(qiskit_ibm_runtime, kind)(backend=backend) as session:
        group = deck.watch(session)
        assert deck.watch(session) == group
        sampler = qiskit_ibm_runtime.SamplerV2(mode=session)
        for _ in range(2):
            assert sampler.run([transpile(bell, backend)], shots=16).result()
    group.wait(timeout=PATIENCE)
    assert (group.kind, group.name, len(group)) == ("session", f"local {kind.lower()} on fake_manila", 2)


def test_a_job_that_waits_is_not_taken_for_failed_and_can_be_cancelled(deck, gate):
    jobs = []
    pool = PrimitiveJob(gate.wait)
    pool._submit()
    from concurrent.futures import ThreadPoolExecutor

    with ThreadPoolExecutor(1) as one:
        for _ in range(2):
            foreign = PrimitiveJob(gate.wait)
            foreign._future = one.submit(foreign._function)
            jobs.append(foreign)
        waiting = deck.watch(jobs[1])
        running = deck.watch(jobs[0])
        _until(running.running)
        assert waiting.status() == JobStatus.QUEUED
        assert jobs[1]._status is None, "its own status() would have been ERROR for good"
        running.cancel()
        _until(lambda: running.cancel_state == "unsupported")
        assert running.status() == JobStatus.RUNNING
        waiting.cancel()
        assert ended(waiting).status() == JobStatus.CANCELLED
        with pytest.raises(JobCancelledError):
            waiting.result(timeout=PATIENCE)
        gate.set()
        assert ended(running).status() == JobStatus.DONE


def test_a_failure_is_told_with_the_exception_itself(deck):
    def fail():
        raise ValueError("no such gate")

    foreign = PrimitiveJob(fail)
    foreign._submit()
    job = ended(deck.watch(foreign))
    assert job.status() == JobStatus.ERROR
    with pytest.raises(RuntimeJobFailureError, match="no such gate") as failure:
        job.result(timeout=PATIENCE)
    assert isinstance(failure.value.__cause__, ValueError)


def test_a_result_that_says_it_failed_is_an_error_though_its_job_is_done(deck):
    foreign = AerSimulator(max_memory_mb=1, method="statevector").run(_wide())
    job = ended(deck.watch(foreign))
    assert foreign.status() == QiskitStatus.DONE
    assert job.status() == JobStatus.ERROR
    assert "memory" in job.error_message().lower()


def test_a_job_of_its_own_that_was_not_submitted_waits_for_its_maker(deck, gate):
    foreign = PrimitiveJob(lambda: 1)
    job = deck.watch(foreign)
    _until(lambda: facts_of(job).get("id"))
    assert job.status() == JobStatus.INITIALIZING
    foreign._submit()
    assert ended(job).status() == JobStatus.DONE


# --- jobs as other vendors write them


class Colour(Enum):
    AT_REST = "at rest"


class Vendor(JobV1):
    """A vendor's job that does as it is told."""

    def __init__(self, *statuses, job_id="v-1", result=None, **methods):
        super().__init__(None, job_id)
        self._statuses = list(statuses)
        self._value = result
        for name, method in methods.items():
            setattr(self, name, method)

    def submit(self):
        raise AssertionError("nobody asked for that")

    def status(self):
        status = self._statuses.pop(0) if len(self._statuses) > 1 else self._statuses[0]
        if isinstance(status, Exception):
            raise status
        return status

    def result(self):
        return self._value


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        (QiskitStatus.RUNNING, "RUNNING"),
        ("running", "RUNNING"),
        ("COMPLETED", "DONE"),
        (["DONE", "RUNNING"], "RUNNING"),
        ([QiskitStatus.DONE, QiskitStatus.DONE], "DONE"),
        ("Calibrating mirrors", "Calibrating mirrors"),
        (Colour.AT_REST, "AT_REST"),
    ],
)
def test_a_status_is_read_in_whatever_form_it_comes(said, shown):
    reading = adapt(Vendor(said)).read()
    assert str(reading.status) == shown


def test_an_unknown_status_is_shown_and_looked_at_again_until_it_ends(deck):
    job = deck.watch(Vendor("Aligning", "Aligning", "DONE", result=3))
    assert ended(job).status() == JobStatus.DONE
    assert job.result(timeout=PATIENCE) == 3


def test_a_status_that_raises_once_is_asked_again(deck):
    job = deck.watch(Vendor(ConnectionError("away"), "DONE"))
    assert ended(job).status() == JobStatus.DONE
    assert job.result(timeout=PATIENCE) is None


@pytest.mark.parametrize(
    ("told", "place"),
    [(None, None), (7, 7), (">2000", ">2000"), (type("Info", (), {"position": 12})(), 12)],
)
def test_a_place_in_line_is_a_number_or_a_text(told, place):
    assert adapt(Vendor("QUEUED", queue_position=lambda: told)).read().facts.get("queue_place") == place


def test_what_a_vendor_left_out_is_missed_by_nobody(deck):
    foreign = Vendor("QUEUED", "DONE", result=1)
    job = deck.watch(foreign)
    assert job.backend() is None
    assert ended(job).status() == JobStatus.DONE


def test_an_id_that_comes_with_submission_is_taken_over(deck):
    foreign = Vendor("INITIALIZING", "QUEUED", "QUEUED", job_id="")
    job = deck.watch(foreign)
    foreign._job_id = "late-1"
    _until(lambda: facts_of(job).get("id") == "late-1")
    foreign._statuses = ["DONE"]
    ended(job)
    assert job._service.store.job(job.job_id()).source["id"] == "late-1"


def test_a_cancel_that_is_refused_or_not_there_or_not_obeyed_leaves_the_status_to_the_vendor(deck):
    def no():
        raise NotImplementedError

    for answer, state in ((lambda: False, "refused"), (no, "unsupported"), (lambda: True, "stopping")):
        foreign = Vendor("RUNNING", cancel=answer)
        job = deck.watch(foreign)
        _until(lambda job=job: job.running())
        job.cancel()
        _until(lambda job=job, state=state: job.cancel_state == state)
        assert job.status() == JobStatus.RUNNING
        foreign._statuses = ["DONE"]
        assert ended(job).status() == JobStatus.DONE


def test_an_answer_to_cancel_that_is_neither_yes_nor_no_refuses_nothing():
    assert adapt(Vendor("RUNNING", cancel=dict)).cancel() is None


def test_a_future_of_the_submission_alone_does_not_end_a_vendors_job():
    submission: Future[str] = Future()
    submission.set_result("v-1")
    assert adapt(Vendor("RUNNING", _future=submission)).read().status == JobStatus.RUNNING


def test_a_result_that_cannot_be_had_at_once_is_fetched_again(deck):
    answers = iter([RuntimeError("503"), RuntimeError("503")])

    def result():
        for trouble in answers:
            raise trouble
        return 4

    foreign = Vendor("DONE")
    foreign.result = result
    job = ended(deck.watch(foreign))
    assert job.status() == JobStatus.DONE
    assert job.result(timeout=PATIENCE) == 4


def test_what_a_job_can_go_through_only_once_is_left_to_it(deck):
    foreign = PrimitiveJob(list, (number for number in range(3)))
    job = deck.watch(foreign)
    foreign._submit()
    assert ended(job).result(timeout=PATIENCE) == [0, 1, 2]


def test_the_same_job_is_one_row_however_often_it_is_watched(deck, bell):
    foreign = AerSimulator().run(bell)
    assert deck.watch(foreign) == deck.watch(foreign)
    assert len(deck.jobs()) == 1


def test_a_backend_that_cannot_be_pickled_is_in_nobodys_way(deck, bell):
    backend = AerSimulator()
    backend.lock = Event()
    assert ended(deck.watch(backend.run(bell))).status() == JobStatus.DONE


def test_what_is_no_job_of_qiskits_is_left_to_others():
    from jobdeck.watchers.qiskit import jobs

    for other in (3, Vendor, object()):
        assert jobs.adapt(other) is None


def _wide():
    circuit = QuantumCircuit(24)
    circuit.h(range(24))
    circuit.measure_all()
    return circuit


def _until(condition):
    import time

    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)
