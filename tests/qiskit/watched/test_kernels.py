"""Watched simulations in a real kernel: what their cards tell, a cancel, and what becomes of them when it is killed."""

from __future__ import annotations

import sys
import time

import pytest

import jobdeck
from jobdeck import JobStatus
from kernels import kernel

PATIENCE = 20

CODE = """
import threading
import jobdeck
from qiskit import QuantumCircuit
from qiskit_aer import AerSimulator
from qiskit_aer.jobs import utils

bell = QuantumCircuit(2, name="bell")
bell.h(0)
bell.cx(0, 1)
bell.measure_all()
simulator = AerSimulator()
small = jobdeck.watch(simulator.run(bell, shots=100), name="small")
small.wait_for_final_state(timeout=30)
utils.DEFAULT_EXECUTOR.submit(threading.Event().wait)  # whatever comes now waits in line
waiting = jobdeck.watch(simulator.run(bell), name="waiting")
doomed = jobdeck.watch(simulator.run(bell), name="doomed")
"""


def named(deck, name):
    return deck.jobs(name=name)[0]


def until(condition):
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)


@pytest.mark.skipif(sys.platform == "win32", reason="kernels are killed by a signal")
def test_a_kernels_simulations_tell_their_facts_are_cancelled_in_line_and_lost_with_it(tmp_path):
    home = tmp_path / "home"
    with jobdeck.Deck(home) as deck, kernel(home, tmp_path) as running:
        assert "Error" not in running.run(CODE)
        facts = deck.store.job(named(deck, "small").job_id()).facts
        assert (facts["circuits"], facts["shots"]) == (1, 100)
        assert named(deck, "small").status() == JobStatus.DONE
        waiting, doomed = named(deck, "waiting"), named(deck, "doomed")
        until(lambda: waiting.status() == doomed.status() == JobStatus.QUEUED)
        waiting.cancel()
        until(waiting.cancelled)
        assert doomed.status() == JobStatus.QUEUED
        running.kill()
        until(doomed.errored)
        assert "lost" in doomed.error_message()
