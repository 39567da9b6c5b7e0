"""Jobs of the service outlive the process that submitted them: real processes, and the account that a person saved."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest
from qiskit_ibm_runtime import QiskitRuntimeService

from jobdeck import Deck
from jobdeck.watchers.qiskit import service as service_module
from jobdeck.watchers.qiskit import service_line

from .scripted import BACKEND

FIRST = """
import json, sys, time
from qiskit import QuantumCircuit
from qiskit_ibm_runtime import QiskitRuntimeService
import jobdeck

account, job_id = json.loads(sys.argv[1]), sys.argv[2]
service = QiskitRuntimeService(**account)
job = jobdeck.watch(service.job(job_id))
while job.status() == "INITIALIZING":
    time.sleep(0.01)
print(job.job_id(), flush=True)
sys.stdin.read()
"""


@pytest.fixture(autouse=True)
def hurry(monkeypatch):
    monkeypatch.setattr(service_module.ServiceJob, "pace", (0.02, 0.1))
    monkeypatch.setattr(service_line, "RATE", 1000.0)


@pytest.fixture
def elsewhere(scripted, home):
    """Watch a job in another process; gives that process and the job's id in the deck."""
    started = []

    def watch(job_id):
        command = [sys.executable, "-c", FIRST, json.dumps(scripted.account), job_id]
        process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        started.append(process)
        return process, process.stdout.readline().strip()

    yield watch
    for process in started:
        process.kill()
        process.communicate(timeout=10)


@pytest.fixture
def submitted(service, bell):
    """A job that nobody watches yet."""
    from qiskit_ibm_runtime import SamplerV2

    return SamplerV2(mode=service.backend(BACKEND)).run([bell], shots=64).job_id()


@pytest.fixture(autouse=True)
def begin_afresh():
    """This process has not heard of the service yet."""
    service_module._lines.clear()
    service_module._failures.clear()


def test_the_next_kernel_finds_the_job_by_the_saved_account(scripted, submitted, elsewhere, home, until):
    process, job_id = elsewhere(submitted)
    process.kill()
    process.wait(10)
    scripted.run(submitted)
    with Deck(home) as deck:
        (job,) = deck.jobs()
        assert job.job_id() == job_id
        trouble = until(lambda: deck.store.job(job_id).facts.get("trouble"))
        assert "saved account needed: QiskitRuntimeService.save_account(channel='ibm_quantum_platform'" in trouble
        assert not job.in_final_state()
    service_module._failures.clear()
    QiskitRuntimeService.save_account(**scripted.account)
    scripted.finish(submitted, seconds=2.5)
    with Deck(home) as deck:
        (job,) = deck.jobs()
        assert job.result(20)[0].data.meas.num_shots == 64
        assert deck.store.job(job_id).facts["usage"] == 2.5
    assert scripted.asked("GET /jobs/{id}/results") == 1


def test_a_service_of_ones_own_does_where_no_account_is_saved(scripted, service, submitted, elsewhere, home, until):
    process, job_id = elsewhere(submitted)
    process.kill()
    process.wait(10)
    scripted.finish(submitted)
    with Deck(home) as deck:
        job = deck.watch(service.job(submitted))
        assert job.job_id() == job_id
        assert job.result(20) is not None
        assert len(deck.jobs()) == 1


def test_a_job_that_two_kernels_watch_is_one_row_and_the_second_takes_over(
    scripted, service, submitted, elsewhere, home
):
    process, job_id = elsewhere(submitted)
    with Deck(home) as deck:
        job = deck.watch(service.job(submitted))
        assert job.job_id() == job_id
        assert len(deck.jobs()) == 1
        process.kill()
        process.wait(10)
        scripted.finish(submitted)
        assert job.result(20) is not None
    assert scripted.asked("GET /jobs/{id}/results") == 1
