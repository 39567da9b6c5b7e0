"""Wrapped rows: what it costs that a run of a primitive is a job, for runs of three lengths, and how soon one stops."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from contextlib import suppress
from functools import partial
from multiprocessing import get_context
from typing import Any

import psutil
from qiskit import QuantumCircuit
from qiskit_aer.primitives import SamplerV2

import jobdeck.qiskit
from jobdeck import Deck

from .decks import open_deck
from .table import Measured, Row

LENGTHS = (0.01, 0.1, 1.0)
"""Seconds that the simulations take by themselves."""
_QUBITS = 16
_BARE = "the primitive itself"
_POOL = "ProcessPoolExecutor, which stops nothing"
_ENDLESS = 60.0
"""Seconds that the simulation takes which is stopped."""
_DEEP = 5.0
"""Seconds of work after which its process has long begun with it."""


def measure(*, quick: bool) -> list[Row]:
    """All rows of wrapped primitives."""
    rounds = 4 if quick else 12
    sampler = _sampler()
    layers = _layers_a_second(sampler)
    with open_deck(max_workers=2) as deck, ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        wrapped = jobdeck.qiskit.Sampler(sampler, deck)
        contenders: dict[str, Callable[[QuantumCircuit], Any]] = {
            "jobdeck": lambda circuit: wrapped.run([circuit], shots=100).result(),
            _BARE: lambda circuit: sampler.run([circuit], shots=100).result(),
            _POOL: lambda circuit: pool.submit(partial(_sample, sampler), circuit).result(),
        }
        first = _timed(contenders["jobdeck"], _circuit(1))
        contenders[_POOL](_circuit(1))
        rows = [
            Row(
                "wrapped",
                "a first run: agent and Qiskit are started",
                Measured("jobdeck", "ms", (first,)),
            )
        ]
        for seconds in LENGTHS:
            circuit = _circuit(max(1, round(seconds * layers)))
            times: dict[str, list[float]] = defaultdict(list)
            for turn in range(rounds if seconds < 1 else max(2, rounds // 3)):
                names = list(contenders)
                for name in names[turn % 3 :] + names[: turn % 3]:
                    times[name].append(_timed(contenders[name], circuit))
            ours, *peers = (Measured(name, "ms", tuple(taken)) for name, taken in times.items())
            rows.append(Row("wrapped", f"a run of {1000 * seconds:g} ms", ours, None, tuple(peers)))
        endless = _circuit(round(_ENDLESS * layers))
        stops = tuple(_stop(wrapped, deck, endless) for _ in range(2 if quick else 5))
        rows.append(Row("wrapped", "cancel() → CANCELLED, within compiled code", Measured("jobdeck", "ms", stops)))
    return rows


def _sampler() -> SamplerV2:
    # One thread, so that the contenders' other processes have a core of their own.
    return SamplerV2(seed=1, options={"backend_options": {"method": "statevector", "max_parallel_threads": 1}})


def _sample(sampler: SamplerV2, circuit: QuantumCircuit) -> Any:
    return sampler.run([circuit], shots=100).result()


def _circuit(layers: int) -> QuantumCircuit:
    """A circuit whose simulation takes as long as it has layers."""
    circuit = QuantumCircuit(_QUBITS, name=f"{layers} layers")
    for layer in range(layers):
        for qubit in range(_QUBITS):
            circuit.u(0.1 * layer, 0.2 * qubit, 0.3, qubit)
        for qubit in range(_QUBITS - 1):
            circuit.cx(qubit, qubit + 1)
    circuit.measure_all()
    return circuit


def _layers_a_second(sampler: SamplerV2) -> float:
    """How many layers the primitive itself simulates in a second, what is the same for all circuits left out."""
    few, many = _circuit(10), _circuit(110)
    _sample(sampler, few)
    spent = [_work(sampler, many) - _work(sampler, few) for _ in range(3)]
    return 100 / sorted(spent)[1]


def _work(sampler: SamplerV2, circuit: QuantumCircuit) -> float:
    """Seconds that this process works on it, whatever else the machine does meanwhile."""
    began = time.process_time()
    _sample(sampler, circuit)
    return time.process_time() - began


def _timed(run: Callable[[QuantumCircuit], Any], circuit: QuantumCircuit) -> float:
    """Milliseconds until its result is there."""
    began = time.perf_counter()
    run(circuit)
    return 1000 * (time.perf_counter() - began)


def _stop(wrapped: Any, deck: Deck, circuit: QuantumCircuit) -> float:
    job = wrapped.run([circuit], shots=100_000_000)
    while not _is_deep_in_it(deck.store.job(job.job_id()).pid):
        time.sleep(0.02)
    began = time.perf_counter()
    job.cancel()
    job.wait_for_final_state(timeout=60)
    if not job.cancelled():
        raise RuntimeError(f"{job!r} was to be stopped while it works; it works for too short a time here")
    return 1000 * (time.perf_counter() - began)


def _is_deep_in_it(pid: int | None) -> bool:
    if pid is None:
        return False
    with suppress(psutil.Error):
        return psutil.Process(pid).cpu_times().user > _DEEP
    return False
