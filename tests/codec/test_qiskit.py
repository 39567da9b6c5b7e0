"""Qiskit's values come back equal, and parameters keep their identity."""

from __future__ import annotations

import numpy as np
import pytest
from qiskit import QuantumCircuit, quantum_info
from qiskit.circuit import Parameter, ParameterVector
from qiskit.circuit.library import efficient_su2
from qiskit.primitives import StatevectorEstimator, StatevectorSampler
from qiskit.result import Result

from jobdeck._codec import RuntimeEncoder, decode, display, encode

A, B = Parameter("a"), Parameter("b")
V = ParameterVector("v", 3)


def bell() -> QuantumCircuit:
    circuit = QuantumCircuit(2, 2, name="bell", metadata={"x": 1})
    circuit.h(0)
    circuit.cx(0, 1)
    return circuit


def parametric() -> QuantumCircuit:
    circuit = bell()
    circuit.rx(A * 2 + V[1], 0)
    circuit.measure([0, 1], [0, 1])
    return circuit


VALUES = {
    "circuit": parametric(),
    "library circuit": efficient_su2(3),
    "parameter": A,
    "vector element": V[2],
    "expression": A + 2 * B,
    "SparsePauliOp": quantum_info.SparsePauliOp(["XX", "ZI"], [1, 2.5]),
    "SparsePauliOp with parameters": quantum_info.SparsePauliOp(["XX", "ZI"], np.array([A, B * 2])),
    "SparseObservable": quantum_info.SparseObservable("XZ"),
    "Pauli": quantum_info.Pauli("-iXZ"),
    "PauliList": quantum_info.PauliList(["X", "-Z"]),
    "Operator": quantum_info.Operator(np.eye(6), input_dims=(2, 3), output_dims=(3, 2)),
    "SuperOp": quantum_info.SuperOp(np.eye(4)),
    "Choi": quantum_info.Choi(np.eye(4)),
    "Chi": quantum_info.Chi(np.eye(4)),
    "PTM": quantum_info.PTM(np.eye(4)),
    "Statevector": quantum_info.Statevector.from_label("+0"),
    "DensityMatrix": quantum_info.DensityMatrix.from_label("+0"),
    "Clifford": quantum_info.Clifford(bell().remove_final_measurements(inplace=False)),
    "StabilizerState": quantum_info.StabilizerState(QuantumCircuit(2)),
}


@pytest.mark.parametrize("name", VALUES)
def test_a_value_comes_back_equal_and_is_known_to(name):
    value = VALUES[name]
    text, exact = RuntimeEncoder().encode_exactly({"k": [value]})
    back = decode(text)["k"][0]
    assert type(back) is type(value)
    assert back == value
    assert exact


def test_a_vector_comes_back_with_its_elements():
    back = decode(encode(V))
    assert back.name == "v"
    assert list(back) == list(V)


def test_a_circuit_shows_as_a_few_words():
    assert display(encode(bell())) == "<circuit bell: 2 qubits, depth 2>"


def test_a_samplers_result_comes_back():
    circuit = QuantumCircuit(2)
    circuit.h(0)
    circuit.measure_all()
    result = StatevectorSampler(seed=1).run([circuit], shots=50).result()
    text, exact = RuntimeEncoder().encode_exactly(result)
    back = decode(text)
    assert back[0].data.meas.get_counts() == result[0].data.meas.get_counts()
    assert back[0].metadata == result[0].metadata
    assert back.metadata == result.metadata
    assert type(back[0]) is type(result[0])
    assert not exact


def test_an_estimators_result_comes_back():
    circuit = QuantumCircuit(2)
    circuit.h(0)
    result = StatevectorEstimator().run([(circuit, ["ZZ", "IX"])]).result()
    back = decode(encode(result))
    assert np.array_equal(back[0].data.evs, result[0].data.evs)
    assert back[0].data.shape == (2,)


def test_a_backends_result_comes_back():
    experiment = {
        "shots": 2,
        "success": True,
        "data": {"counts": {"0x3": 2}},
        "header": {"name": "bell", "memory_slots": 2},
    }
    result = Result.from_dict({"backend_name": "b", "job_id": "1", "success": True, "results": [experiment]})
    assert decode(encode(result)).get_counts() == result.get_counts()
