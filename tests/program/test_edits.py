"""Inputs that are changed by somebody who never opens them."""

from __future__ import annotations

import functools
import pickle
from datetime import date
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jobdeck._errors import InvalidInputError
from jobdeck._messenger import PrintingMessenger
from jobdeck._program import Packed, edit, open_payload, pack, replace_inputs
from jobdeck._records import Payload

PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text() | st.binary(),
    lambda inner: st.lists(inner) | st.tuples(inner, inner) | st.dictionaries(st.text() | st.integers(), inner),
    max_leaves=12,
)


def edited(packed: Packed, texts: dict[str, str]) -> Packed:
    inputs, previews = edit(packed.inputs, packed.inputs_preview, texts)
    return Packed(packed.name, packed.program, inputs, packed.context, previews)


def payload(packed: Packed) -> Payload:
    return Payload(packed.program, packed.inputs, packed.context)


def run(packed: Packed):
    return open_payload(payload(packed)).run(PrintingMessenger())


def both(a, b=2):
    return [a, b]


def filled(user_messenger, a, *rest, b=2, **more):
    return [type(user_messenger).__name__, a, rest, b, more]


class Trap:
    """Leaves a file behind if it is unpickled."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self):
        return Path.touch, (self.path,)


def test_an_input_takes_its_new_value_and_the_others_stay():
    when = date(2024, 2, 29)
    assert run(edited(pack(both, {"a": 1, "b": when}), {"a": "[1, 'x']"})) == [[1, "x"], when]


def test_an_argument_that_was_given_by_place_is_changed_by_its_name():
    assert run(edited(pack(both, args=(1, 3)), {"b": "4"})) == [1, 4]


def test_arguments_without_names_are_changed_together():
    packed = pack(filled, args=(1, 2, 3))
    assert packed.inputs_preview == {"a": "1", "args": "(2, 3)"}
    assert run(edited(packed, {"args": "(5,)"})) == ["PrintingMessenger", 1, (5,), 2, {}]
    with pytest.raises(InvalidInputError, match="has to be a tuple or a list"):
        run(edited(packed, {"args": "5"}))


def test_an_input_that_is_called_args_is_one_like_any_other():
    assert run(edited(pack(filled, {"a": 1, "args": 2}), {"args": "3"})) == ["PrintingMessenger", 1, (), 2, {"args": 3}]


def test_inputs_of_a_partial_are_changed():
    assert run(edited(pack(functools.partial(both, 1), {"b": 2}), {"b": "3"})) == [1, 3]


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("5", 5),
        (" -2.5e3 ", -2500.0),
        ("'a'", "a"),
        ('"a"', "a"),
        ("None", None),
        ("null", None),
        ("True", True),
        ("true", True),
        ("(1, 2)", (1, 2)),
        ("{1, 2}", {1, 2}),
        ("{'a': [1, {2: 3}]}", {"a": [1, {2: 3}]}),
        ('{"a": [true, null]}', {"a": [True, None]}),
        ("b'\\x00'", b"\x00"),
        ("1+2j", 1 + 2j),
        ("inf", float("inf")),
        ("[1.0, -inf]", [1.0, float("-inf")]),
        ("-Infinity", float("-inf")),
        ("1_000", 1000),
        ('{"__type__": "tuple", "__value__": [1]}', {"__type__": "tuple", "__value__": [1]}),
    ],
)
def test_a_text_is_a_literal_of_python_or_json(text, value):
    found = run(edited(pack(both, {"a": 0}), {"a": text}))[0]
    assert found == value
    assert type(found) is type(value)


def test_a_number_that_is_none_can_be_given():
    value = run(edited(pack(both, {"a": 0}), {"a": "nan"}))[0]
    assert value != value


@given(PLAIN)
def test_every_plain_value_comes_back_from_the_text_that_python_writes(value):
    assert run(edited(PACKED, {"a": repr(value)}))[0] == value


PACKED = pack(both, {"a": 0})


@pytest.mark.parametrize(
    "text",
    [
        *("", "x", "hello world", "f()", "__import__('os')", "[1, 2", "a.b", "lambda: 1", "1 + 1", "…"),
        *("[0, 1, … 88 more]", "...", "\x00", "-" * 60_000 + "1", "[" * 60_000, "1+" * 30_000 + "1", "9" * 10_000),
        "{[]: 1}",
    ],
)  # fmt: skip
def test_a_text_that_is_neither_is_refused_by_name(text):
    with pytest.raises(InvalidInputError, match="input 'a'") as caught:
        edited(PACKED, {"a": text})
    assert len(str(caught.value)) < 300


def test_a_name_that_the_job_has_no_input_for_is_refused_and_those_there_are_are_told():
    with pytest.raises(InvalidInputError, match="no input 'c' to change; its inputs are: a, b"):
        edited(pack(both, {"a": 1, "b": 2}), {"a": "1", "c": "1"})
    with pytest.raises(InvalidInputError, match="its inputs are: none"):
        edited(pack(dict), {"a": "1"})


def test_the_new_values_are_shown():
    assert edited(pack(both, {"a": 1, "b": 2}), {"a": '"x"'}).inputs_preview == {"a": "'x'", "b": "2"}


def test_edited_inputs_can_be_edited_again():
    once = edited(pack(both, {"a": 1, "b": 2}), {"a": "10"})
    twice = edited(once, {"b": "20"})
    assert run(twice) == [10, 20]
    thrice = edited(twice, {"a": "None"})
    assert run(thrice) == [None, 20]
    assert thrice.inputs_preview == {"a": "None", "b": "20"}
    assert run(once) == [10, 2]


def test_edited_inputs_can_be_replaced_by_whoever_can_open_them():
    once = edited(pack(both, {"a": 1, "b": 2}), {"a": "10"})
    assert run(replace_inputs(payload(once), {"b": date(2024, 2, 29)})) == [10, date(2024, 2, 29)]
    assert open_payload(payload(once)).inputs == {"a": 10, "b": 2}


def test_whoever_edits_opens_nothing(tmp_path: Path):
    left = tmp_path / "unpickled"
    inputs = pickle.dumps(Trap(left))
    again, _ = edit(inputs, {"a": "…"}, {"a": "1"})
    edit(again, {"a": "1"}, {"a": "2"})
    assert not left.exists()
    pickle.loads(inputs)
    assert left.exists()
