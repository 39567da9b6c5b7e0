"""The numbers of a row, and its newest interim result in a few words."""

from __future__ import annotations

import json

import numpy as np
import pytest

from jobdeck._codec import encode
from jobdeck._values import LONGEST_BODY, LONGEST_LATEST, MOST_VALUES, latest_text, numbers_of


def test_inputs_whose_text_is_a_number_are_numbers():
    texts = {"r": "0.7", "n": "-3", "big": "1e9", "name": "'0.7'", "flag": "True", "seven": "np.float64(0.5)", "x": "٣"}
    assert numbers_of(texts, None, None) == {"r": 0.7, "n": -3.0, "big": 1e9, "seven": 0.5}


def test_numbers_inside_dicts_have_the_names_of_both():
    body = encode({"energy": -1.5, "param": {"lr": 0.01, "deep": {"er": 2}}, "label": "x", "on": True})
    assert numbers_of({}, body, None) == {"energy": -1.5, "param.lr": 0.01, "param.deep.er": 2.0}


def test_the_result_counts_more_than_a_message_and_a_message_more_than_an_input():
    assert numbers_of({"x": "1", "y": "1", "z": "1"}, '{"x": 2, "y": 2}', '{"x": 3}') == {"x": 3.0, "y": 2.0, "z": 1.0}


def test_a_number_alone_is_called_value_or_result():
    assert numbers_of({}, "4", "5.5") == {"value": 4.0, "result": 5.5}
    assert numbers_of({}, None, encode(10**20)) == {"result": 1e20}
    assert numbers_of({}, None, '{"value": 5}') == {"value": 5.0}


@pytest.mark.parametrize("number", [float("nan"), float("inf"), -float("inf"), 10**400])
def test_what_is_not_finite_is_left_out(number: float):
    assert numbers_of({"a": "1e999", "b": "nan"}, encode({"x": number, "y": 1}), None) == {"y": 1.0}


def test_there_is_a_bound_to_how_many_there_are_and_the_inputs_go_first():
    body = json.dumps({f"m{number}": number for number in range(30)})
    found = numbers_of({f"i{number}": "1" for number in range(30)}, body, '{"r": 1}')
    assert len(found) == MOST_VALUES
    assert {"r", "m29", "i0"} <= found.keys()
    assert "i1" not in found


@pytest.mark.parametrize(
    "body",
    ["", "{", "[]", '"text"', "null", '{"a":' * 990 + "1" + "}" * 990, '{"a":' * 9_000 + "1" + "}" * 9_000,
     '{"' + "n" * 100 + '": 1}', '{"a": 1, "pad": "' + "x" * LONGEST_BODY + '"}', '{"": 1}'],
    ids=lambda body: body[:12],
)  # fmt: skip
def test_what_has_no_numbers_with_names_gives_none(body: str):
    assert numbers_of({}, body, body) == {}
    assert len(latest_text(body)) <= LONGEST_LATEST


@pytest.mark.parametrize(
    ("message", "text"),
    [
        ({"iteration": 57, "energy": -1.13690000001}, "energy -1.1369"),
        ({"step": 3}, "step 3"),
        ({"loss": 1e-7, "label": "a\nb", "on": True, "none": None}, "loss 1e-7, label a ⏎ b, on true, none null"),
        ({"step": 1, "label": "warm up"}, "label warm up"),
        ({"iteration": 57, "energy": -1.25, "parameters": np.zeros(40)}, "energy -1.25"),
        ({"label": "a"}, '{"label": "a"}'),
        ({"a": [1, 2]}, '{"a": [1, 2]}'),
        ("starting\n  now", "starting ⏎ now"),
        (3.5, "3.5"),
        (float("nan"), "NaN"),
        (1 + 2j, "1+2j"),
        ("\ud800x", "\ufffdx"),
        ("x" * 200, "x" * 159 + "…"),
    ],
)
def test_the_newest_message_is_told_in_one_short_line(message: object, text: str):
    assert latest_text(encode(message)) == text


def test_a_large_picture_is_called_one():
    body = json.dumps({"__type__": "image", "__value__": {"data": "A" * LONGEST_BODY}})
    assert latest_text(body) == "<image>"
