"""Qiskit's circuits, parameters, operators, states and results. Imported once Qiskit is in use, or such a tag is read.

Circuits travel as QPY, Qiskit's own format, and so do parameters, in the phase of an empty circuit: they keep their
identity.
"""

# mypy: disable-error-code="import-untyped, import-not-found"
# Qiskit ships no types, and need not be installed.

from __future__ import annotations

import io
from collections.abc import Callable, Iterable
from typing import Any, Final

import numpy as np
from qiskit import QuantumCircuit, qpy, quantum_info
from qiskit.circuit import Parameter, ParameterExpression, ParameterVector
from qiskit.circuit.parametervector import ParameterVectorElement
from qiskit.primitives import BitArray, DataBin, PrimitiveResult, PubResult, SamplerPubResult
from qiskit.result import Result
from qiskit.result.models import ExperimentResult, ExperimentResultData, MeasLevel, MeasReturnType

from .forms import Lossy, NotThisTag, base64_text, data, items, members, tag

Parts = dict[str, Any]


def encode(value: Any) -> Any:
    """Return the tagged form of one of Qiskit's values, None for those that have none here."""
    for base, parts, _ in _KINDS:
        if isinstance(value, base):
            if base is ParameterExpression and not value.parameters:
                return value.numeric()
            text = f"<{base.__name__}>"
            written = tag("qiskit", {"kind": base.__name__, "text": text, **parts(value)})
            return written if type(value) is base and _comes_back(value) else Lossy(written)
    return None


def decode(name: str, value: Any) -> Any:
    """Return the value of a tag."""
    del name
    (kind,) = members(value, "kind")
    for base, _, read in _KINDS:
        if kind == base.__name__:
            return read(value)
    raise NotThisTag


def _circuit(value: QuantumCircuit) -> Parts:
    text = f"<circuit {value.name}: {value.num_qubits} qubits, depth {value.depth()}>"
    return {"qpy": _qpy(value), "text": text}


def _qpy(circuit: QuantumCircuit) -> str:
    file = io.BytesIO()
    qpy.dump(circuit, file)
    return base64_text(file.getvalue())


def _read_circuit(value: Parts) -> QuantumCircuit:
    (circuit,) = qpy.load(io.BytesIO(data(*members(value, "qpy"))))
    return circuit


def _expression(value: ParameterExpression) -> Parts:
    return {"qpy": _qpy(QuantumCircuit(global_phase=value)), "text": str(value)}


def _read_expression(value: Parts) -> ParameterExpression:
    return _read_circuit(value).global_phase


def _vector(value: ParameterVector) -> Parts:
    if not len(value):
        raise TypeError("an empty ParameterVector has no JSON form")
    whole: Any = sum(value)
    return {"qpy": _qpy(QuantumCircuit(global_phase=whole)), "text": f"{value.name}[{len(value)}]"}


def _read_vector(value: Parts) -> ParameterVector:
    return next(iter(_read_expression(value).parameters)).vector


def _sparse_pauli(value: quantum_info.SparsePauliOp) -> Parts:
    text = f"<SparsePauliOp {len(value)} terms, {value.num_qubits} qubits>"
    return {"labels": value.paulis.to_labels(), "coeffs": value.coeffs, "text": text}


def _read_sparse_pauli(value: Parts) -> quantum_info.SparsePauliOp:
    labels, coeffs = members(value, "labels", "coeffs")
    return quantum_info.SparsePauliOp(quantum_info.PauliList(items(labels)), coeffs)


def _sparse_observable(value: Any) -> Parts:
    parts = {name: getattr(value, name) for name in ("coeffs", "bit_terms", "indices", "boundaries")}
    arrays = {name: np.array(part) for name, part in parts.items()}
    text = f"<SparseObservable {value.num_terms} terms, {value.num_qubits} qubits>"
    return {"num_qubits": value.num_qubits, **arrays, "text": text}


def _read_sparse_observable(value: Parts) -> Any:
    names = ("num_qubits", "coeffs", "bit_terms", "indices", "boundaries")
    return quantum_info.SparseObservable.from_raw_parts(*members(value, *names))


def _channel(value: Any) -> Parts:
    text = f"<{type(value).__name__} {'×'.join(map(str, value.data.shape))}>"
    return {"data": value.data, "input_dims": value.input_dims(), "output_dims": value.output_dims(), "text": text}


def _state(value: Any) -> Parts:
    return {"data": value.data, "dims": value.dims(), "text": f"<{type(value).__name__} of {value.num_qubits} qubits>"}


def _result(value: Result) -> Parts:
    return {"fields": value.to_dict(), "text": f"<Result of {len(value.results)} experiments>"}


def _read_result(value: Parts) -> Result:
    return Result.from_dict(*members(value, "fields"))


def _member(value: Any) -> Parts:
    return {"value": value.value, "text": str(value.value)}


def _comes_back(value: Any) -> bool:
    """Tell whether a reader makes the same of a value's parts; only `Result`, which holds anything, has to be tried."""
    return not isinstance(value, Result) or _is_same(Result.from_dict(value.to_dict()), value)


def _is_same(twin: Any, value: Any) -> bool:
    """Compare what Qiskit compares by identity. The parts that neither has made anew are the same ones."""
    if twin is value:
        return True
    if type(twin) is not type(value):
        return False
    if isinstance(value, (list, tuple)):
        return len(twin) == len(value) and all(map(_is_same, twin, value))
    if isinstance(value, dict):
        return twin.keys() == value.keys() and all(_is_same(twin[key], part) for key, part in value.items())
    if isinstance(value, (Result, ExperimentResult, ExperimentResultData)):
        return _is_same(vars(twin), vars(value))
    return bool(twin == value)


def _reader(kind: Any, *names: str) -> Callable[[Parts], Any]:
    return lambda value: kind(*members(value, *names))


def _data_bin(value: DataBin) -> Parts:
    return {"shape": value.shape, "fields": dict(value.items())}


def _read_data_bin(value: Parts) -> DataBin:
    shape, fields = members(value, "shape", "fields")
    return DataBin(shape=shape, **fields)


def _bits(value: BitArray) -> Parts:
    text = f"<BitArray shape={value.shape}, {value.num_shots} shots of {value.num_bits} bits>"
    return {"array": value.array, "num_bits": value.num_bits, "text": text}


def _channels(names: Iterable[str]) -> list[tuple[Any, Callable[[Any], Parts], Callable[[Parts], Any]]]:
    kinds = [getattr(quantum_info, name) for name in names]
    return [(kind, _channel, _reader(kind, "data", "input_dims", "output_dims")) for kind in kinds]


_KINDS: Final[list[tuple[Any, Callable[[Any], Parts], Callable[[Parts], Any]]]] = [
    (QuantumCircuit, _circuit, _read_circuit),
    (ParameterVectorElement, _expression, _read_expression),
    (Parameter, _expression, _read_expression),
    (ParameterExpression, _expression, _read_expression),
    (ParameterVector, _vector, _read_vector),
    (quantum_info.SparsePauliOp, _sparse_pauli, _read_sparse_pauli),
    (quantum_info.SparseObservable, _sparse_observable, _read_sparse_observable),
    (quantum_info.PauliList, lambda value: {"labels": value.to_labels()}, _reader(quantum_info.PauliList, "labels")),
    (
        quantum_info.Pauli,
        lambda value: {"label": value.to_label(), "text": value.to_label()},
        _reader(quantum_info.Pauli, "label"),
    ),
    *_channels(("Operator", "SuperOp", "Choi", "Chi", "PTM")),
    (quantum_info.Statevector, _state, _reader(quantum_info.Statevector, "data", "dims")),
    (quantum_info.DensityMatrix, _state, _reader(quantum_info.DensityMatrix, "data", "dims")),
    (quantum_info.Clifford, lambda value: {"tableau": value.tableau}, _reader(quantum_info.Clifford, "tableau")),
    (
        quantum_info.StabilizerState,
        lambda value: {"clifford": value.clifford},
        _reader(quantum_info.StabilizerState, "clifford"),
    ),
    (BitArray, _bits, _reader(BitArray, "array", "num_bits")),
    (DataBin, _data_bin, _read_data_bin),
    (
        SamplerPubResult,
        lambda value: {"data": value.data, "metadata": value.metadata},
        _reader(SamplerPubResult, "data", "metadata"),
    ),
    (PubResult, lambda value: {"data": value.data, "metadata": value.metadata}, _reader(PubResult, "data", "metadata")),
    (
        PrimitiveResult,
        lambda value: {
            "results": list(value),
            "metadata": value.metadata,
            "text": f"<PrimitiveResult of {len(value)} pubs>",
        },
        _reader(PrimitiveResult, "results", "metadata"),
    ),
    (Result, _result, _read_result),
    *((kind, _member, _reader(kind, "value")) for kind in (MeasLevel, MeasReturnType)),
]
"""Each kind with its writer and its reader; a class stands before those that it derives from."""
