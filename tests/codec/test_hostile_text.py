"""The decoder meets text of any kind, and neither runs nor imports anything for it."""

from __future__ import annotations

import json
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jobdeck._codec import decode, display, series, tags

from .values import any_text

json_leaves = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | any_text
tag_names = st.sampled_from(sorted(tags.KNOWN)) | any_text
FIELDS = """data dtype shape items value text real imag days seconds microseconds class fields start stop step iso fold
index columns attrs name levels codes names range freq kind values zone unit labels coeffs qpy format"""
field_names = st.sampled_from(FIELDS.split())
json_values = st.recursive(
    json_leaves
    | st.sampled_from(["<f8", "|O8", "nan", "timestamp", "numpy", "QuantumCircuit", "AAAA", "<U0", "1/0", "0x"]),
    lambda inner: st.one_of(
        st.lists(inner, max_size=4),
        st.dictionaries(field_names | any_text, inner, max_size=5),
        st.builds(lambda name, value: {"__type__": name, "__value__": value}, tag_names, inner),
    ),
    max_leaves=15,
)


@given(json_values)
def test_any_json_is_decoded_or_left_as_it_is(value):
    text = json.dumps(value)
    decode(text)
    display(text)
    series(text)


@given(st.text())
def test_any_text_is_decoded_or_refused_as_json(text):
    try:
        decode(text)
    except json.JSONDecodeError:
        return


@pytest.mark.parametrize("text", ["[" * 100_000, "9" * 10_000, "", "{"])
def test_text_that_is_too_deep_or_broken_is_refused_as_json(text):
    with pytest.raises(json.JSONDecodeError):
        decode(text)
    assert display(text) == text
    assert series(text) == {}


def test_no_name_found_in_data_is_imported():
    for name in ("antigravity", "this", "jobdeck.this", "os.system"):
        found = {"__type__": name, "__value__": {"class": name, "module": name, "fields": {}}}
        assert decode(json.dumps(found)) == found
    assert "this" not in sys.modules


@pytest.mark.parametrize(
    "tag",
    [
        {"__type__": "ndarray", "__value__": {"dtype": "object", "shape": [1], "data": "gASVAAAAAAAAAAA="}},
        {"__type__": "ndarray", "__value__": {"dtype": "|O8", "shape": [1], "data": "AAAAAAAAAAA="}},
        {"__type__": "ndarray", "__value__": {"dtype": "<f8", "shape": [-1], "data": ""}},
        {"__type__": "ndarray", "__value__": {"dtype": "<f8", "shape": [1000000000000], "data": ""}},
        {"__type__": "ndarray", "__value__": {"dtype": "<U0", "shape": [1000000000000], "data": ""}},
        {"__type__": "ndarray", "__value__": {"dtype": [["a", "|O8"]], "shape": [1], "data": "AAAAAAAAAAA="}},
        {"__type__": "numpy", "__value__": {"dtype": "|O8", "data": "AAAAAAAAAAA="}},
        {"__type__": "set", "__value__": [[1]]},
        {"__type__": "dict", "__value__": [[[], 1]]},
        {"__type__": "range", "__value__": {"start": 0, "stop": 1, "step": 0}},
        {"__type__": "datetime", "__value__": "yesterday"},
        {"__type__": "image", "__value__": {"format": "svg", "data": "", "width": 1, "height": 1}},
        {"__type__": "qiskit", "__value__": {"kind": "QuantumCircuit", "qpy": "AAAA"}},
    ],
    ids=lambda tag: tag["__type__"],
)
def test_a_tag_whose_value_does_not_fit_stays_a_dict(tag):
    assert decode(json.dumps(tag)) == tag
