"""A simulation is stopped although it hears nothing."""

from __future__ import annotations

import signal
from contextlib import suppress

import psutil
import pytest
from qiskit_aer import AerSimulator
from qiskit_aer.primitives import SamplerV2

from decks import wait_until
from jobdeck import Deck, JobCancelledError
from jobdeck.engines.marks import process_name
from jobdeck.qiskit import Sampler, backend

from .circuits import heavy


def process_of(job) -> psutil.Process | None:
    for process in psutil.process_iter():
        with suppress(psutil.Error):
            if process.name() == process_name(job.job_id()):
                return process
    return None


def is_deep_in_it(job) -> bool:
    """Whether the job's process has worked for longer than it takes to come to the simulation."""
    process = process_of(job)
    if process is None:
        return False
    with suppress(psutil.Error):
        return process.cpu_times().user > 1.5
    return False


@pytest.mark.parametrize(
    "start",
    [
        lambda deck: Sampler(SamplerV2(options={"backend_options": {"method": "statevector"}}), deck).run([heavy()]),
        lambda deck: backend(AerSimulator(method="statevector"), deck).run(heavy()),
    ],
    ids=["primitive", "backend"],
)
def test_a_simulation_in_compiled_code_is_stopped_by_the_first_signal(deck: Deck, start):
    job = start(deck)
    wait_until(lambda: is_deep_in_it(job), timeout=60)
    process = process_of(job)
    job.cancel()
    job.wait_for_final_state(15)
    assert job.cancelled()
    assert job.metrics()["exit_signal"] == signal.SIGINT
    assert not process.is_running()
    with pytest.raises(JobCancelledError):
        job.result()
