"""``watch_qiskit()``: jobs show up by themselves, nothing else changes, and it can be ended without a trace."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time

import numpy as np
import pytest
from qiskit.circuit.library import RYGate
from qiskit.primitives import BasePrimitiveJob, PrimitiveJob, StatevectorEstimator, StatevectorSampler
from qiskit.providers import JobV1
from qiskit.quantum_info import SparsePauliOp
from qiskit_aer import AerSimulator

import jobdeck
from jobdeck import JobStatus, _watch_qiskit

PATIENCE = 30


def settled(deck, count):
    deadline = time.monotonic() + PATIENCE
    while len(deck.jobs()) < count or not all(job.in_final_state() for job in deck.jobs()):
        assert time.monotonic() < deadline, deck.jobs()
        time.sleep(0.02)
    return deck.jobs()


def constructors():
    return vars(JobV1)["__init__"], vars(BasePrimitiveJob)["__init__"]


def test_ordinary_code_shows_its_jobs_and_gets_its_results(deck, bell):
    with jobdeck.watch_qiskit(deck, tags=["mine"]):
        counts = AerSimulator(seed_simulator=1).run(bell, shots=100).result().get_counts()
        StatevectorSampler().run([bell]).result()
    assert sum(counts.values()) == 100
    jobs = settled(deck, 2)
    assert {job.name for job in jobs} == {"bell", "StatevectorSampler · bell"}
    assert {tuple(job.tags) for job in jobs} == {("mine",)}
    assert all(job.status() == JobStatus.DONE for job in jobs)


@pytest.mark.filterwarnings("ignore:.*deprecated as of Qiskit 2.1:DeprecationWarning")
def test_the_jobs_inside_of_an_algorithm_show_too(deck):
    from qiskit import QuantumCircuit
    from qiskit.circuit import Parameter
    from qiskit_algorithms import VQE
    from qiskit_algorithms.optimizers import SPSA

    ansatz = QuantumCircuit(1, name="ansatz")
    ansatz.append(RYGate(Parameter("a")), [0])
    with jobdeck.watch_qiskit(deck):
        found = VQE(StatevectorEstimator(), ansatz, SPSA(maxiter=3, learning_rate=0.1, perturbation=0.1))
        found.initial_point = np.array([0.3])
        found.compute_minimum_eigenvalue(SparsePauliOp("Z"))
    assert {job.name for job in settled(deck, 2)} == {"StatevectorEstimator · ansatz"}


def test_when_it_has_ended_what_had_finished_is_listed_so_with_its_result(deck, bell):
    with jobdeck.watch_qiskit(deck):
        for _ in range(20):
            StatevectorSampler().run([bell], shots=1).result()
    jobs = deck.jobs()
    assert [str(job.status()) for job in jobs] == ["DONE"] * 20
    assert len(jobs[0].result(0)) == 1


def test_its_end_does_not_wait_for_ever_for_a_job_that_does_not_answer(deck, gate, monkeypatch):
    asked = threading.Event()

    class Silent(JobV1):
        def status(self):
            asked.set()
            gate.wait()
            return JobStatus.DONE

        def submit(self): ...

        def result(self): ...

    monkeypatch.setattr(_watch_qiskit, "_FIRST_LOOKS", 0.2)
    with jobdeck.watch_qiskit(deck) as watch:
        Silent(None, "silent")
        assert watch.catch_up(PATIENCE)
        assert asked.wait(PATIENCE)
    assert not gate.is_set()
    assert len(deck.jobs()) == 1


def test_it_says_whether_it_goes_on(deck):
    with jobdeck.watch_qiskit(deck) as watch:
        assert repr(watch) == "<QiskitWatch: on, until jobdeck.unwatch_qiskit()>"
    assert repr(watch) == "<QiskitWatch: ended>"


def test_it_leaves_qiskits_classes_as_it_found_them(deck):
    before = constructors()
    watch = jobdeck.watch_qiskit(deck)
    assert constructors() != before
    assert jobdeck.watch_qiskit(deck) is watch
    watch.stop()
    assert constructors() == before
    assert not watch.is_on
    jobdeck.watch_qiskit(deck)
    jobdeck.unwatch_qiskit()
    jobdeck.unwatch_qiskit()
    assert constructors() == before


def test_what_somebody_else_has_put_over_it_stays(deck, monkeypatch):
    jobdeck.watch_qiskit(deck)
    theirs = lambda self, *args, **kwargs: None  # noqa: E731
    monkeypatch.setattr(JobV1, "__init__", theirs)
    jobdeck.unwatch_qiskit()
    assert vars(JobV1)["__init__"] is theirs


def test_jobs_from_before_and_after_it_do_not_show(deck, bell):
    sampler = StatevectorSampler()
    sampler.run([bell]).result()
    jobdeck.watch_qiskit(deck).stop()
    sampler.run([bell]).result()
    assert deck.jobs() == []


def test_a_fault_in_it_reaches_nobody(deck, bell, monkeypatch, caplog):
    def fault(*_):
        raise RuntimeError("a fault of ours")

    monkeypatch.setattr(_watch_qiskit, "adapt", fault)
    with jobdeck.watch_qiskit(deck) as watch:
        assert StatevectorSampler().run([bell]).result()
        assert watch.catch_up(PATIENCE)
        monkeypatch.setattr(watch, "note", fault)
        assert StatevectorSampler().run([bell]).result()
    assert caplog.text.count("a fault of ours") == 1


def test_a_job_that_was_watched_by_hand_is_one_row(deck, bell):
    with jobdeck.watch_qiskit(deck):
        foreign = StatevectorSampler().run([bell])
        deck.watch(foreign)
    settled(deck, 1)
    assert len(deck.jobs()) == 1


def test_jobs_that_wait_for_others_show_as_they_are(deck, gate):
    with jobdeck.watch_qiskit(deck) as watch:
        foreign = PrimitiveJob(gate.wait)
        foreign._submit()
        assert watch.catch_up(PATIENCE)
        deadline = time.monotonic() + PATIENCE
        while not (deck.jobs() and deck.jobs()[0].running()):
            assert time.monotonic() < deadline
            time.sleep(0.01)
        gate.set()
    settled(deck, 1)


def test_three_hundred_jobs_of_a_tight_loop_are_all_there(deck, bell):
    sampler = StatevectorSampler()
    with jobdeck.watch_qiskit(deck):
        for _ in range(300):
            sampler.run([bell], shots=1).result()
    assert len(settled(deck, 300)) == 300


def test_jobs_that_others_run_in_processes_of_jobdeck_do_not_show_twice(deck, bell):
    import jobdeck.qiskit

    with jobdeck.watch_qiskit(deck):
        job = jobdeck.qiskit.Sampler(StatevectorSampler(), deck=deck).run([bell])
        job.result(timeout=PATIENCE)
    assert len(deck.jobs()) == 1


def test_what_jobdecks_own_threads_make_of_a_job_is_not_another_one(deck, bell):
    with jobdeck.watch_qiskit(deck):
        own = threading.Thread(target=lambda: StatevectorSampler().run([bell]), name="jobdeck-submission")
        own.start()
        own.join()
    assert deck.jobs() == []


def test_a_forked_process_has_its_own_classes_back(deck):
    before = constructors()
    jobdeck.watch_qiskit(deck)
    reading, writing = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.write(writing, b"1" if constructors() == before else b"0")
        os._exit(0)
    os.waitpid(pid, 0)
    assert os.read(reading, 1) == b"1"
    os.close(reading)
    os.close(writing)


def test_threads_that_make_jobs_at_once_lose_none(deck):
    def make():
        for _ in range(20):
            job = PrimitiveJob(int)
            job._submit()

    with jobdeck.watch_qiskit(deck):
        threads = [threading.Thread(target=make) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert len(settled(deck, 80)) == 80


@pytest.mark.filterwarnings("ignore:The SamplerV2 class is deprecated:DeprecationWarning")
def test_two_jobs_around_one_simulation_are_one_row(deck, bell):
    from qiskit import transpile
    from qiskit_ibm_runtime import SamplerV2
    from qiskit_ibm_runtime.fake_provider import FakeManilaV2

    backend = FakeManilaV2()
    with jobdeck.watch_qiskit(deck):
        SamplerV2(mode=backend).run([transpile(bell, backend)], shots=16).result()
    systems = sorted(job.engine for job in settled(deck, 2))
    assert systems == ["aer", "ibm_runtime"], "the caller's own job, and the simulator's inside of it"


def test_a_job_of_both_of_qiskits_kinds_is_one_row(deck):
    class Both(PrimitiveJob, JobV1):
        def __init__(self):
            PrimitiveJob.__init__(self, int)
            JobV1.__init__(self, None, "both")
            self._future = None

        def submit(self):
            self._submit()

    with jobdeck.watch_qiskit(deck):
        Both().submit()
    assert len(settled(deck, 1)) == 1


def test_one_job_that_cannot_be_entered_keeps_no_other_out(deck, bell, monkeypatch, caplog):
    enter = deck._service.watch_many

    def picky(several):
        if any(watched.name == "bad" for watched, _ in several):
            raise RuntimeError("a fault of one job")
        enter(several)

    monkeypatch.setattr(deck._service, "watch_many", picky)
    with jobdeck.watch_qiskit(deck):
        for name in ("good", "bad", "better"):
            circuit = bell.copy(name)
            AerSimulator().run(circuit).result()
    assert {job.name for job in settled(deck, 2)} == {"good", "better"}
    assert "a fault of one job" in caplog.text


def test_nothing_is_left_of_it_when_it_has_ended(deck, bell):
    for _ in range(3):
        watch = jobdeck.watch_qiskit(deck)
        StatevectorSampler().run([bell]).result()
        watch.stop(PATIENCE)
    assert not [thread for thread in threading.enumerate() if thread.name == "jobdeck-qiskit"]
    assert len(settled(deck, 3)) == 3


def test_what_a_script_ran_last_is_in_the_deck_when_it_has_ended(tmp_path):
    script = """
import jobdeck
from qiskit import QuantumCircuit
from qiskit.primitives import StatevectorSampler

circuit = QuantumCircuit(1)
circuit.measure_all()
jobdeck.watch_qiskit()
for _ in range(50):
    StatevectorSampler().run([circuit], shots=1).result()
"""
    home = tmp_path / "home"
    environment = {**os.environ, "JOBDECK_HOME": str(home)}
    run = subprocess.run([sys.executable, "-c", script], env=environment, timeout=60, check=False, capture_output=True)
    assert run.returncode == 0, run.stderr
    with jobdeck.Deck(home) as deck:
        assert [str(job.status()) for job in deck.jobs()] == ["DONE"] * 50


def test_without_qiskit_jobdeck_never_looks_for_it_and_says_what_to_install(tmp_path):
    script = """
import sys

class Refuse:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0].startswith("qiskit"):
            asked.append(name)
            raise ModuleNotFoundError(name)

asked = []
sys.meta_path.insert(0, Refuse())
import jobdeck
for name in jobdeck.__all__:
    if name != "qiskit":
        getattr(jobdeck, name)
assert not asked, asked
try:
    jobdeck.watch_qiskit()
except jobdeck.InvalidInputError as error:
    print(error)
"""
    environment = {**os.environ, "JOBDECK_HOME": str(tmp_path / "home")}
    run = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, env=environment, timeout=60, check=False
    )
    assert run.returncode == 0, run.stderr
    assert "pip install 'jobdeck[qiskit]'" in run.stdout
