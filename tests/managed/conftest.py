from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from qiskit import QuantumCircuit

from decks import deck, gate, stop_agent
from jobdeck import Deck
from jobdeck._service import JobService

__all__ = ["deck", "gate"]


def circuits(number: int, prefix: str = "ghz") -> list[QuantumCircuit]:
    """Circuits of two qubits, each with a name of its own; the odd ones flip both."""
    made = []
    for place in range(number):
        circuit = QuantumCircuit(2, name=f"{prefix}-{place}")
        if place % 2:
            circuit.x([0, 1])
        circuit.measure_all()
        made.append(circuit)
    return made


@pytest.fixture(scope="module")
def lasting_deck(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deck]:
    """A deck that all tests of a module share."""
    home: Path = tmp_path_factory.mktemp("home")
    home.chmod(0o700)
    with Deck(home) as opened:
        yield opened
    JobService._shared.pop(opened.home, None)
    stop_agent(home)
