"""A deck of each test's own, and circuits."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Any

import pytest

import jobdeck


@pytest.fixture
def deck(tmp_path) -> Iterator[jobdeck.Deck]:
    with jobdeck.Deck(tmp_path / "home") as made:
        yield made
        jobdeck.unwatch_qiskit()
        if made._service._bridge is not None:
            made._service._bridge.close()


@pytest.fixture
def gate() -> Iterator[threading.Event]:
    """Holds jobs that wait for it; opened at the end in any case."""
    made = threading.Event()
    yield made
    made.set()


@pytest.fixture(scope="session")
def bell() -> Any:
    from qiskit import QuantumCircuit

    circuit = QuantumCircuit(2, name="bell")
    circuit.h(0)
    circuit.cx(0, 1)
    circuit.measure_all()
    return circuit
