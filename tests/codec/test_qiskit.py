"""Qiskit's values come back equal, and parameters keep their identity."""

from __future__ import annotations

import numpy as np
import pytest
from qiskit import QuantumCircuit, quantum_info
from qiskit.circuit import Parameter, ParameterVector
from qiskit.circuit.library import efficient_su2
from qiskit.primitives import (
    BitArray,
    DataBin,
    PrimitiveResult,
    PubResult,
    SamplerPubResult,
    StatevectorEstimator,
    StatevectorSampler,
)
from qiskit.providers.basic_provider import BasicSimulator
from qiskit.result import Result
from qiskit.result.models import MeasLevel
from qiskit_aer import AerSimulator

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
    assert exact


def test_an_estimators_result_comes_back():
    circuit = QuantumCircuit(2)
    circuit.h(0)
    result = StatevectorEstimator().run([(circuit, ["ZZ", "IX"])]).result()
    back = decode(encode(result))
    assert np.array_equal(back[0].data.evs, result[0].data.evs)
    assert back[0].data.shape == (2,)


def test_a_backends_result_comes_back():
    circuit = QuantumCircuit(2, 2, name="bell", metadata={"bond": np.float64(0.7)})
    circuit.h(0)
    circuit.measure([0, 1], [0, 1])
    for backend in (AerSimulator(), BasicSimulator()):
        result = backend.run([circuit, circuit], shots=20, memory=True).result()
        text, exact = RuntimeEncoder().encode_exactly(result)
        back = decode(text)
        assert exact
        assert back.get_counts() == result.get_counts()
        assert back.get_memory(1) == result.get_memory(1)
        assert repr(back) == repr(result)
        assert type(back.results[0].header["metadata"]["bond"]) is np.float64
        assert type(back.results[0].meas_level) is MeasLevel


def test_a_result_that_would_not_come_back_as_it_was_is_known_to():
    counts = {"shots": 2, "success": True, "data": {"counts": {"0x3": 2}}}
    result = Result.from_dict({"backend_name": "b", "job_id": "1", "success": True, "results": [counts]})
    assert RuntimeEncoder().encode_exactly(result)[1]
    result.measured_by = "somebody"
    text, exact = RuntimeEncoder().encode_exactly(result)
    assert not exact
    assert decode(text).get_counts() == {"11": 2}


def test_aers_own_states_in_a_result_are_known_to_come_back_as_qiskits():
    circuit = QuantumCircuit(1)
    circuit.h(0)
    circuit.save_statevector()
    result = AerSimulator().run(circuit).result()
    text, exact = RuntimeEncoder().encode_exactly(result)
    assert not exact
    assert decode(text).get_statevector() == quantum_info.Statevector(result.get_statevector().data)


def test_registers_metadata_and_scalars_of_a_result_come_back():
    registers = {
        "a": BitArray(np.zeros((2, 5, 1), dtype=np.uint8), 3),
        "wide": BitArray.from_bool_array([[[True]] * 5] * 2),
    }
    pub = SamplerPubResult(DataBin(**registers, shape=(2,)), {"shots": np.int64(5), "nested": {"pair": (1, None)}})
    scalar = PubResult(DataBin(evs=np.float64(0.5), stds=np.array(0.25)), {"target_precision": 0.0})
    text, exact = RuntimeEncoder().encode_exactly(PrimitiveResult([pub, scalar], {"version": 2}))
    back = decode(text)
    assert exact
    assert list(back[0].data) == ["a", "wide"]
    assert back[0].data.shape == (2,)
    assert all(back[0].data[name] == bits for name, bits in registers.items())
    assert back[0].metadata == pub.metadata
    assert type(back[0].metadata["shots"]) is np.int64
    assert (type(back[1].data.evs), type(back[1].data.stds)) == (np.float64, np.ndarray)
    assert back.metadata == {"version": 2}
