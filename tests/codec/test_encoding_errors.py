"""What cannot be encoded is an error that names the part, whatever it is."""

from __future__ import annotations

import dataclasses
import json
import threading

import numpy as np
import pytest

from jobdeck._codec import ResultDecoder, RuntimeEncoder, decode, encode
from jobdeck._errors import EncodingError


@dataclasses.dataclass
class Run:
    b: object


@pytest.mark.parametrize(
    ("message", "path"),
    [
        ({"a": [0, 1, 2, Run(threading.Lock())]}, "message['a'][3].b cannot"),
        ({"a": (1, threading.Lock())}, "message['a'][1] cannot"),
        ({1: threading.Lock()}, "message[1] cannot"),
        (threading.Lock(), "message cannot"),
        ({"f": print}, "message['f'] cannot"),
        (np.array([1, threading.Lock()], dtype=object), "message[1] cannot"),
        ((number for number in "ab"), "message cannot"),
    ],
)
def test_the_error_names_the_path(message, path):
    with pytest.raises(EncodingError) as caught:
        encode(message)
    assert path in str(caught.value)


def test_a_cycle_is_named():
    ring: list[object] = [1]
    ring.append({"again": ring})
    with pytest.raises(EncodingError, match=r"message\[1\]\['again'\] cannot be encoded: it contains itself"):
        encode(ring)


def test_a_cycle_that_branches_takes_no_time():
    ring: list[object] = []
    ring.extend([ring] * 50)
    with pytest.raises(EncodingError, match="contains itself"):
        encode(ring)


def test_a_list_that_appears_twice_is_no_cycle():
    shared = [1]
    assert decode(encode([shared, shared])) == [[1], [1]]


@pytest.mark.parametrize("wrap", [lambda inner: [inner], lambda inner: {"k": inner}, lambda inner: (inner,), Run])
def test_ten_thousand_levels_are_an_error(wrap):
    message: object = None
    for _ in range(10_000):
        message = wrap(message)
    with pytest.raises(EncodingError, match="nested"):
        encode(message)


def test_what_is_accepted_can_be_read_by_python_again():
    for wrap in (lambda inner: [inner], lambda inner: (inner,), lambda inner: {1: inner}, Run):
        message: object = None
        depth = 0
        while True:
            try:
                text = encode(message)
            except EncodingError:
                break
            decode(text)
            message = wrap(message)
            depth += 1
        assert depth > 50


class Weird:
    pass


class WithWeird(RuntimeEncoder):
    def default(self, o):
        if isinstance(o, Weird):
            return {"__type__": "weird", "__value__": {"n": 1, "odd": {(1, 2): float("nan")}}}
        return super().default(o)


class WeirdDecoder(ResultDecoder):
    def object_hook(self, found):
        found = super().object_hook(found)
        return Weird if isinstance(found, dict) and found.get("__type__") == "weird" else found


def test_a_subclass_adds_its_own_tag():
    text = encode({"w": Weird(), "t": (1, 2)}, WithWeird)
    assert decode(text, WeirdDecoder) == {"w": Weird, "t": (1, 2)}
    plain = decode(text)["w"]
    assert plain["__type__"] == "weird"
    assert list(plain["__value__"]["odd"]) == [(1, 2)]
    assert not WithWeird().encode_exactly(Weird())[1]


def test_a_subclass_whose_default_fails_is_an_encoding_error():
    class Failing(RuntimeEncoder):
        def default(self, o):
            raise ZeroDivisionError("mine")

    with pytest.raises(EncodingError, match=r"message\['a'\] cannot be encoded: mine") as caught:
        encode({"a": Weird()}, Failing)
    assert isinstance(caught.value.__cause__, ZeroDivisionError)


def test_the_traceback_of_an_encoding_error_ends_in_the_program():
    with pytest.raises(EncodingError, match="object has no JSON form") as caught:
        encode([object()])
    assert caught.value.__cause__ is None
    assert caught.value.__suppress_context__


def test_a_classmethod_decoder_as_qiskits_is_used():
    class Total(ResultDecoder):
        @classmethod
        def decode(cls, data):
            return sum(super().decode(data))

    assert decode("[1, 2]", Total) == 3


def test_an_instance_method_decoder_is_used():
    class Total(ResultDecoder):
        def decode(self, s):
            return sum(super().decode(s))

    assert decode("[1, 2]", Total) == 3
    assert json.loads("[1, 2]", cls=Total) == 3


def test_a_plain_json_decoder_is_used_as_it_is():
    assert decode('{"__type__": "tuple", "__value__": []}', json.JSONDecoder) == {"__type__": "tuple", "__value__": []}


def test_the_decoder_works_on_its_class_and_on_an_instance():
    text = encode((1,))
    assert ResultDecoder.decode(text) == ResultDecoder().decode(text) == (1,)


def test_a_hook_of_the_callers_sees_what_stayed_a_dict():
    text = encode({"t": (1,), "d": {"n": 1}})
    seen = json.loads(text, cls=ResultDecoder, object_hook=lambda found: {**found, "seen": True})
    assert seen == {"t": (1,), "d": {"n": 1, "seen": True}, "seen": True}


class Foreign(json.JSONEncoder):
    def default(self, o):
        return {"foreign": str(o)}


def test_an_encoder_of_another_make_is_used_and_its_nan_made_json():
    text = encode({"z": 1j, "n": float("nan"), "i": -float("inf")}, Foreign)
    json.loads(text, parse_constant=pytest.fail)
    back = decode(text)
    assert back["z"] == {"foreign": "1j"}
    assert back["i"] == -float("inf")
    assert back["n"] != back["n"]


def test_an_encoder_of_another_make_that_fails_is_an_encoding_error():
    with pytest.raises(EncodingError, match="with JSONEncoder"):
        encode({"z": 1j}, json.JSONEncoder)


def test_an_encoder_that_writes_no_json_is_an_encoding_error():
    class Liar(RuntimeEncoder):
        def encode(self, o):
            return "not json"

    with pytest.raises(EncodingError, match="with Liar"):
        encode(1, Liar)
