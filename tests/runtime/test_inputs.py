"""Inputs of an uploaded program are held to its schema, in words, before anything is queued."""

from __future__ import annotations

import pickle
from types import SimpleNamespace

import numpy as np
import pytest
from qiskit import QuantumCircuit

from jobdeck import Deck, InvalidInputError, ParameterNamespace, Program

SCHEMA = {
    "type": "object",
    "properties": {
        "iterations": {"type": "integer", "minimum": 1, "maximum": 100, "description": "How often it is done."},
        "method": {"enum": ["spsa", "cobyla"], "default": "spsa"},
        "rates": {"type": "array", "items": {"type": "number"}, "maxItems": 3},
        "circuits": {"type": ["object", "array"]},
        "label": {"type": ["string", "null"]},
        "exact": {"type": "boolean"},
        "model": {"type": "object", "properties": {"terms": {"type": "array"}}, "required": ["terms"]},
    },
    "required": ["iterations"],
    "additionalProperties": False,
}


@pytest.fixture
def program(deck: Deck) -> Program:
    spec = {"parameters": SCHEMA}
    return deck.program(deck.upload_program(lambda **inputs: sorted(inputs), name="vqe", spec=spec))


@pytest.mark.parametrize(
    ("inputs", "sentence"),
    [
        ({}, "input 'iterations' is missing, it has to be a whole number (How often it is done)"),
        ({"iterations": "ten"}, "input 'iterations' is 'ten', and has to be a whole number (How often it is done)"),
        ({"iterations": True}, "input 'iterations' is True, and has to be a whole number (How often it is done)"),
        ({"iterations": 0}, "input 'iterations' is 0, and has to be at least 1"),
        ({"iterations": np.int64(101)}, "input 'iterations' is 101, and has to be at most 100"),
        ({"iterations": 5, "method": "slsqp"}, "input 'method' is 'slsqp', and has to be one of 'spsa', 'cobyla'"),
        ({"iterations": 5, "rates": [0.1, "x"]}, "input 'rates'[1] is 'x', and has to be a number"),
        ({"iterations": 5, "rates": np.zeros(4)}, "input 'rates': [0.0, 0.0, 0.0, 0.0] is too long"),
        ({"iterations": 5, "label": 1j}, "input 'label' is 1j, and has to be a text or None"),
        ({"iterations": 5, "model": {}}, "input 'model'['terms'] is missing, it has to be a list"),
        (
            {"iterations": 5, "iteration": 4},
            "input 'iteration' is not known; there are: 'iterations', 'method', 'rates', 'circuits', 'label', 'exact', "
            "'model'",
        ),
        (
            {"iterations": 0, "exact": 1, "rates": 3, "label": 4},
            "input 'exact' is 1, and has to be True or False; input 'iterations' is 0, and has to be at least 1; "
            "input 'label' is 4, and has to be a text or None; and 1 more",
        ),
    ],
)
def test_an_input_that_does_not_fit_is_named_with_what_is_wanted(deck: Deck, program: Program, inputs, sentence):
    with pytest.raises(InvalidInputError) as caught:
        deck.run(program_id=program.program_id, inputs=inputs)
    assert str(caught.value).startswith(f"program 'vqe' ({program.program_id}): {sentence}")
    assert not deck.jobs()


def test_inputs_may_be_what_json_has_no_form_for(deck: Deck, program: Program):
    given = {
        "iterations": np.int32(5),
        "rates": (np.float64(0.5), 1),
        "circuits": QuantumCircuit(2),
        "label": None,
        "exact": np.True_,
        "model": {"terms": np.eye(2)},
    }
    job = deck.run(program_id=program.program_id, inputs=given)
    assert job.inputs["method"] == "spsa"
    assert job.result(30) == sorted([*given, "method"])
    more = {"iterations": 5, "circuits": [QuantumCircuit(1)]}
    assert deck.run(program_id=program.program_id, inputs=more).result(30) == ["circuits", "iterations", "method"]


def test_a_namespace_has_the_inputs_as_attributes(deck: Deck, program: Program):
    parameters = program.parameters()
    assert isinstance(parameters, SimpleNamespace)
    assert (parameters.iterations, parameters.method) == (None, "spsa")
    with pytest.raises(InvalidInputError, match="input 'iterations' is missing"):
        parameters.validate()
    with pytest.raises(InvalidInputError, match="input 'iterations' is missing"):
        deck.run(program_id=program.program_id, inputs=parameters)
    parameters.iterations = 7
    parameters.validate()
    assert parameters.to_dict() == {"iterations": 7, "method": "spsa"}
    assert deck.run(program_id=program.program_id, inputs=parameters).result(15) == ["iterations", "method"]
    assert program.parameters() != parameters
    assert pickle.loads(pickle.dumps(parameters)) == parameters
    assert repr(parameters).startswith("ParameterNamespace(iterations=7, method='spsa', rates=None")
    head, line, *_ = str(parameters).splitlines()
    assert head.split() == ["input", "value", "type", "required", "description"]
    assert line.split() == ["iterations", "7", "integer", "yes", "How", "often", "it", "is", "done."]


def test_a_schema_fetches_nothing(deck: Deck):
    namespace = ParameterNamespace({"properties": {"x": {"$ref": "https://jobdeck.invalid/schema.json"}}})
    namespace.x = 1
    with pytest.raises(InvalidInputError, match=r"refers to 'https://jobdeck\.invalid/schema\.json', which is not in"):
        namespace.validate()


def test_what_a_program_returns_against_its_word_is_kept_and_told_in_its_output(deck: Deck):
    spec = {"return_values": {"type": "object", "required": ["energy"], "properties": {"energy": {"type": "number"}}}}
    program_id = deck.upload_program(lambda value: value, name="vqe", spec=spec)
    right = deck.run(program_id=program_id, inputs={"value": {"energy": -1.1}})
    wrong = deck.run(program_id=program_id, inputs={"value": {"energy": "low"}})
    assert (right.result(15), right.logs()) == ({"energy": -1.1}, "")
    assert wrong.result(15) == {"energy": "low"}
    assert wrong.logs() == (
        "jobdeck: the program does not return what it says that it does: "
        "what it returned['energy'] is 'low', and has to be a number\n"
    )
    deck.update_program(program_id, spec={"return_values": {}, "parameters": {"type": "object"}})
    assert deck.run(program_id=program_id, inputs={"value": 5}).logs() in (None, "")


def test_a_group_of_runs_is_held_to_the_schema_before_any_is_queued(deck: Deck, program: Program):
    with pytest.raises(InvalidInputError, match=r"inputs_list\[1\]: program 'vqe'.*'iterations' is 0"):
        deck.map(program.program_id, [{"iterations": 1}, {"iterations": 0}])
    with pytest.raises(InvalidInputError, match=r"inputs_list\[1\]: .*'iterations' is 'x'"):
        deck.map(program.program_id, [1, "x"])
    with pytest.raises(InvalidInputError, match="'method' is 'slsqp'"):
        deck.sweep(program.program_id, {"iterations": [1, 2], "method": ["spsa", "slsqp"]})
    assert not deck.jobs()
    group = deck.map(program.program_id, [1, {"iterations": 2, "exact": True}], inputs={"method": "cobyla"})
    assert group.results(15) == [["iterations", "method"], ["exact", "iterations", "method"]]
