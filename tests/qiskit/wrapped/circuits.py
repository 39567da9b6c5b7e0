"""Circuits, and parts that cannot be sent anywhere, for these tests and their jobs."""

from __future__ import annotations

import threading

import numpy as np
from qiskit import ClassicalRegister, QuantumCircuit, QuantumRegister
from qiskit.circuit import Parameter
from qiskit.primitives import StatevectorSampler
from qiskit.quantum_info import SparsePauliOp
from qiskit_aer import AerSimulator

H2 = SparsePauliOp.from_list(
    [("II", -1.05237325), ("IZ", 0.39793742), ("ZI", -0.39793742), ("ZZ", -0.01128010), ("XX", 0.18093120)]
)


def bell() -> QuantumCircuit:
    circuit = QuantumCircuit(2, name="bell")
    circuit.h(0)
    circuit.cx(0, 1)
    circuit.measure_all()
    return circuit


def two_registers() -> QuantumCircuit:
    """A parametrised circuit with metadata and two classical registers, one of them wider than a byte."""
    narrow, wide = ClassicalRegister(1, "narrow"), ClassicalRegister(9, "wide")
    circuit = QuantumCircuit(QuantumRegister(2), narrow, wide, name="two", metadata={"bond": np.float64(0.7)})
    circuit.rx(Parameter("angle"), 0)
    circuit.cx(0, 1)
    circuit.measure(0, narrow[0])
    circuit.measure(1, wide[7])
    return circuit


def rotated() -> QuantumCircuit:
    circuit = QuantumCircuit(2, name="rotated")
    circuit.ry(Parameter("angle"), 0)
    circuit.cx(0, 1)
    return circuit


def heavy() -> QuantumCircuit:
    """A circuit that a simulator of states works on for minutes, in one call into compiled code."""
    generator = np.random.default_rng(1)
    circuit = QuantumCircuit(22, name="heavy")
    for _ in range(400):
        for qubit in range(22):
            circuit.u(*generator.random(3), qubit)
        for qubit in range(21):
            circuit.cx(qubit, qubit + 1)
    circuit.measure_all()
    return circuit


class LockedSampler(StatevectorSampler):
    """A sampler that cannot be pickled."""

    def __init__(self) -> None:
        super().__init__()
        self.lock = threading.Lock()


class LockedSimulator(AerSimulator):
    """A backend that cannot be pickled."""

    def __init__(self) -> None:
        super().__init__()
        self.lock = threading.Lock()
