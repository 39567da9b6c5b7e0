"""Rows of `watch_qiskit()`: what it costs a tight loop of small runs, and how soon all of them are in the deck."""

from __future__ import annotations

import statistics
import time

from qiskit import QuantumCircuit
from qiskit.primitives import StatevectorSampler

from jobdeck import watch_qiskit

from .decks import open_deck
from .table import Budget, Measured, Row


def measure(*, quick: bool) -> list[Row]:
    """All rows of watched Qiskit code."""
    runs, rounds = 1_000, 4 if quick else 10
    circuit = _circuit()
    sampler = StatevectorSampler(seed=1)
    _loop(sampler, circuit, runs // 10)
    bare: list[float] = []
    watched: list[float] = []
    behind: list[float] = []
    with open_deck(max_workers=2) as deck:
        for turn in range(rounds):
            for is_watched in (False, True) if turn % 2 else (True, False):
                if not is_watched:
                    bare.append(_loop(sampler, circuit, runs))
                    continue
                watch = watch_qiskit(deck)
                watched.append(_loop(sampler, circuit, runs))
                began = time.perf_counter()
                watch.stop(120)
                while deck.jobs(pending=True, limit=1):
                    time.sleep(0.01)
                behind.append(time.perf_counter() - began)
        kept = len(deck.jobs())
    cost = 100 * (statistics.median(watched) / statistics.median(bare) - 1)
    return [
        Row(
            "qiskit",
            f"{runs:,} runs of a sampler in a tight loop, watched",
            Measured("jobdeck", "ms a run", tuple(1000 * taken / runs for taken in watched)),
            None,
            (Measured("not watched", "ms a run", tuple(1000 * taken / runs for taken in bare)),),
        ),
        Row("qiskit", "what watching costs that loop", Measured("jobdeck", "%", (cost,)), Budget(5)),
        Row("qiskit", "after the loop: until all of them stand in the deck", Measured("jobdeck", "s", tuple(behind))),
        Row(
            "qiskit",
            "jobs that are missing there",
            Measured("jobdeck", "jobs", (float(rounds * runs - kept),)),
            Budget(0),
        ),
    ]


def _circuit() -> QuantumCircuit:
    circuit = QuantumCircuit(4)
    for qubit in range(4):
        circuit.h(qubit)
        circuit.rz(0.1, qubit)
    circuit.measure_all()
    return circuit


def _loop(sampler: StatevectorSampler, circuit: QuantumCircuit, runs: int) -> float:
    began = time.perf_counter()
    for _ in range(runs):
        sampler.run([circuit], shots=100).result()
    return time.perf_counter() - began
