"""A result becomes a small picture where its type says that it is one, and costs little or nothing otherwise."""

from __future__ import annotations

import collections
import json
import os
import subprocess
import sys
from typing import Any

import numpy as np
import pytest
from qiskit import ClassicalRegister, QuantumCircuit, QuantumRegister
from qiskit.circuit import Parameter
from qiskit.primitives import BitArray, DataBin, PrimitiveResult, PubResult, StatevectorEstimator, StatevectorSampler
from qiskit.primitives.containers.estimator_pub import EstimatorPub
from qiskit.quantum_info import SparsePauliOp
from qiskit.result import Counts, QuasiDistribution
from qiskit_aer import AerSimulator

from jobdeck._chart import chart_of, chart_text
from jobdeck._observables import name_values
from jobdeck._program.outcome import outcome_of_value


def bell() -> QuantumCircuit:
    """Two entangled qubits in one register and a qubit that is always 1 in another."""
    first, second = ClassicalRegister(2, "pair"), ClassicalRegister(1, "one")
    qubits = QuantumRegister(3, "q")
    circuit = QuantumCircuit(qubits, first, second, name="bell")
    circuit.h(0)
    circuit.cx(0, 1)
    circuit.x(2)
    circuit.measure([0, 1, 2], [0, 1, 2])
    return circuit


def bars(value: Any) -> dict[str, float]:
    """Return the bars of the one histogram that a value has."""
    chart = chart_of(value)
    assert chart is not None
    assert chart["kind"] == "histogram"
    return dict(zip(chart["labels"], chart["counts"], strict=True))


@pytest.mark.parametrize(
    ("counts", "expected"),
    [
        ({"00": 495, "11": 529}, {"11": 529, "00": 495}),
        ({"0 1": 1, "1 1": 3}, {"1 1": 3, "0 1": 1}),
        ({"0x0": 3, "0x2": 5}, {"10": 5, "00": 3}),
        ({0: 1, 3: 4}, {"3": 4, "0": 1}),
        ({"0": 0.25, "1": 0.75}, {"1": 0.75, "0": 0.25}),
        ({"0": np.int64(2), "1": np.float64(1.5)}, {"0": 2, "1": 1.5}),
        (collections.Counter("hello"), {"l": 2, "h": 1, "e": 1, "o": 1}),
        (Counts({0: 2, 3: 5}, creg_sizes=[["c", 2]], memory_slots=2), {"11": 5, "00": 2}),
        (QuasiDistribution({0: 0.5, 3: 0.5}), {"00": 0.5, "11": 0.5}),
    ],
)
def test_counts_are_bars_with_the_largest_first(counts, expected):
    assert list(bars(counts).items()) == list(expected.items())


@pytest.mark.parametrize(
    "value",
    [
        5,
        "00",
        None,
        {},
        [],
        {"energy": -1.1},
        {"00": "1"},
        {"00": True},
        {"00": -1},
        {"00": float("nan")},
        {"0": 1e308, "1": 1e308},
        {"00": 1, 3: 2},
        [1, 2],
        [[{"00": 1}]],
        [{"energy": 1}],
        object(),
        collections.OrderedDict({"00": 1}),
    ],
)
def test_what_is_no_counts_has_no_picture(value):
    assert chart_of(value) is None


def test_of_many_outcomes_the_largest_are_shown_and_the_rest_is_counted():
    chart = chart_of({f"{i:010b}": i for i in range(1_000)})
    assert chart is not None
    assert chart["kind"] == "histogram"
    assert len(chart["labels"]) == 64
    assert chart["counts"][0] == 999
    assert chart["shots"] == 499_500
    assert chart["more"] == 936


def test_a_backends_result_has_the_labels_that_its_counts_have():
    result = AerSimulator().run(bell(), shots=100).result()
    assert bars(result) == result.get_counts()
    assert bars(result).keys() == {"1 00", "1 11"}


def test_each_of_the_first_experiments_has_a_chart_with_its_name():
    circuits = [bell().copy(name=f"bell {i}") for i in range(20)]
    chart = chart_of(AerSimulator().run(circuits, shots=10).result())
    assert chart is not None
    assert chart["kind"] == "many"
    assert chart["titles"] == [f"bell {i}" for i in range(8)]
    assert chart["more"] == 12
    assert all(each["kind"] == "histogram" and each["shots"] == 10 for each in chart["charts"])


def test_a_samplers_registers_each_have_a_chart():
    chart = chart_of(StatevectorSampler().run([bell()], shots=50).result())
    assert chart is not None
    assert chart["kind"] == "many"
    assert chart["titles"] == ["pair", "one"]
    pair, one = chart["charts"]
    assert pair["kind"] == one["kind"] == "histogram"
    assert set(pair["labels"]) == {"00", "11"}
    assert one["labels"] == ["1"]
    assert one["counts"] == [50]


@pytest.mark.parametrize("width", [3, 16, 17, 40, 64, 65, 100])
def test_bits_are_counted_as_qiskit_counts_them(width):
    packed = np.random.default_rng(7).integers(0, 2, size=(300, (width + 7) // 8), dtype=np.uint8)
    bits = BitArray(packed, width)
    expected = bits.get_counts()
    shown = bars(bits)
    assert len(shown) == min(64, len(expected))
    assert shown.items() <= expected.items()
    assert sorted(shown.values(), reverse=True) == sorted(expected.values(), reverse=True)[: len(shown)]


def test_estimates_come_with_their_errors():
    circuit = QuantumCircuit(2)
    circuit.h(0)
    pubs = [(circuit, [SparsePauliOp("ZZ"), SparsePauliOp("IX")]), (circuit, SparsePauliOp("IX"))]
    chart = chart_of(StatevectorEstimator().run(pubs).result())
    assert chart is not None
    assert chart["kind"] == "many"
    both, one = chart["charts"]
    assert both["kind"] == one["kind"] == "estimates"
    assert both["values"] == pytest.approx([0, 1])
    assert both["errors"] == pytest.approx([0, 0])
    assert one["values"] == pytest.approx([1])


def test_estimates_are_called_by_observables_and_parameters_where_the_pubs_are_known():
    circuit = QuantumCircuit(2)
    angle = Parameter("θ")
    circuit.ry(angle, 0)
    wide = QuantumCircuit(12)
    energy = SparsePauliOp(["ZZ", "XI"], [0.5, -1.25])
    large = SparsePauliOp(["ZZ", "XI", "IX", "YY"], [0.5, 1, 1, 1])
    pubs = [
        EstimatorPub.coerce(each)
        for each in [
            (circuit, [["ZZ"], ["XI"], [energy]], [[0.1], [0.25]]),
            (circuit, "ZZ", [[0.1], [0.25]]),
            (circuit, [energy, large, "ZZ", "ZZ"], [0.1]),
            (wide, ["Z" + 11 * "I", 10 * "I" + "XY", 12 * "I"]),
        ]
    ]
    result = StatevectorEstimator().run(pubs).result()
    assert [chart["labels"] for chart in chart_of(result)["charts"]] == [
        ["[0, 0]", "[0, 1]", "[1, 0]", "[1, 1]", "[2, 0]", "[2, 1]"],
        None,
        None,
        None,
    ]
    name_values(result, pubs)
    assert [chart["labels"] for chart in chart_of(result)["charts"]] == [
        [f"{what} · θ = {value}" for what in ("ZZ", "XI", "0.5 ZZ - 1.25 XI") for value in ("0.1", "0.25")],
        ["θ = 0.1", "θ = 0.25"],
        ["0.5 ZZ - 1.25 XI", "IX + … (4 terms)", "ZZ #2", "ZZ #3"],
        ["Z11", "Y0 X1", "I"],
    ]


def test_names_of_other_values_than_there_are_are_not_taken():
    pub = EstimatorPub.coerce((QuantumCircuit(1), ["Z", "X"]))
    result = PrimitiveResult([PubResult(DataBin(evs=np.array([1.0, 0.0, 0.5]), shape=(3,)))])
    name_values(result, [pub])
    assert chart_of(result)["labels"] is None


def test_many_estimates_are_cut_and_those_of_a_grid_are_called_by_their_place():
    data = DataBin(evs=np.arange(200.0).reshape(20, 10), stds=np.full((20, 10), np.nan), shape=(20, 10))
    chart = chart_of(PrimitiveResult([PubResult(data)]))
    assert chart is not None
    assert chart["kind"] == "estimates"
    assert chart["values"] == list(range(64))
    assert chart["errors"] is None
    assert chart["labels"] is not None
    assert chart["labels"][11] == "[1, 1]"
    assert chart["more"] == 136


def test_values_that_json_cannot_hold_are_left_blank():
    data = DataBin(evs=np.array([1.0, np.nan, np.inf]), stds=np.array([0.1, np.nan, 0.2]), shape=(3,))
    text = chart_text(PubResult(data))
    assert text is not None
    chart = json.loads(text)
    assert chart["values"] == [1.0, None, None]
    assert chart["errors"] == [0.1, None, 0.2]


@pytest.mark.parametrize(
    "make",
    [
        lambda: {f"{i:020b}": 1 for i in range(1 << 20)},
        lambda: BitArray(np.zeros((1 << 22, 1), dtype=np.uint8), 8),
        lambda: BitArray(np.zeros((1 << 19, 9), dtype=np.uint8), 72),
    ],
    ids=["outcomes", "shots", "wide shots"],
)
def test_what_would_take_long_to_count_has_no_picture(make):
    assert chart_of(make()) is None


def test_a_result_whose_code_fails_has_no_picture_and_breaks_nothing():
    class Broken(PrimitiveResult):  # type: ignore[misc]
        def __iter__(self) -> Any:
            raise RuntimeError("its data are gone")

    assert chart_of(Broken([])) is None


def test_a_name_that_cannot_be_sent_is_mended():
    text = chart_text(collections.Counter({"a\ud800" + "b" * 500: 1}))
    assert text is not None
    (label,) = json.loads(text)["labels"]
    assert label.startswith("a?b")
    assert len(label) == 128


def test_the_outcome_of_a_program_has_the_picture_of_what_it_returned():
    chart = outcome_of_value({"00": 1, "11": 2}).chart
    assert chart is not None
    assert json.loads(chart)["labels"] == ["11", "00"]
    assert outcome_of_value({"energy": -1}).chart is None


def test_counts_are_recognised_without_importing_qiskit_or_numpy():
    code = (
        "import sys; from jobdeck._chart import chart_of; chart_of({'00': 1}); chart_of(object());"
        "print(sorted({'qiskit', 'numpy'} & sys.modules.keys()))"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env=dict(os.environ))
    assert run.stdout.strip() == "[]"
