"""What goes into a message comes out of it."""

from __future__ import annotations

import dataclasses
import datetime as dt
import enum
import json
import zoneinfo
from collections import Counter, OrderedDict, namedtuple
from decimal import Decimal
from pathlib import Path, PurePosixPath
from types import MappingProxyType, SimpleNamespace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from jobdeck._codec import ResultDecoder, RuntimeEncoder, decode, display, encode, series

from .values import same, values


def refuse(word: str) -> None:
    raise AssertionError(f"{word} is not JSON")


@given(values)
def test_every_value_comes_back_with_its_types(value):
    assert same(decode(encode(value)), value)


@given(values)
def test_the_text_is_json_to_a_strict_reader(value):
    text = encode(value)
    json.loads(text, parse_constant=refuse)
    assert text.isascii()


@given(values)
def test_a_value_that_comes_back_is_known_to_do_so(value):
    assert RuntimeEncoder().encode_exactly(value)[1]


@given(values)
def test_every_message_has_a_line_and_series(value):
    text = encode(value)
    assert len(display(text, 80)) <= 80
    display(text).encode("utf-8")
    assert all(isinstance(number, (int, float)) for number in series(text).values())


@given(values)
def test_json_dumps_and_loads_do_the_same(value):
    assert same(json.loads(json.dumps(value, cls=RuntimeEncoder), cls=ResultDecoder), value)


@given(values, st.sampled_from([None, 2]), st.booleans())
def test_the_style_of_the_text_does_not_matter(value, indent, ascii_only):
    text = json.dumps(value, cls=RuntimeEncoder, indent=indent, ensure_ascii=ascii_only, separators=(",", ":"))
    assert same(decode(text), value)


class Colour(enum.Enum):
    RED = "r"


class Shape(enum.Enum):
    TAG = {"__type__": "set", "__value__": [1]}  # noqa: RUF012 - the odd value is what this is about


class Level(enum.IntEnum):
    HIGH = 3


Pair = namedtuple("Pair", "a b")


@dataclasses.dataclass
class Point:
    x: float
    inner: object = None


@pytest.mark.parametrize(
    ("value", "back"),
    [
        (Point(1.0, Point(2.0)), SimpleNamespace(x=1.0, inner=SimpleNamespace(x=2.0, inner=None))),
        (Colour.RED, "r"),
        (Level.HIGH, 3),
        (Pair(1, 2), (1, 2)),
        (OrderedDict(a=1), {"a": 1}),
        (Counter("aa"), {"a": 2}),
        (OrderedDict(__type__="set", __value__=[1]), {"__type__": "set", "__value__": [1]}),
        (MappingProxyType({"__type__": "set", "__value__": [1]}), {"__type__": "set", "__value__": [1]}),
        (Shape.TAG, {"__type__": "set", "__value__": [1]}),
        (PurePosixPath("a/b"), Path("a/b")),
        (memoryview(b"ab"), b"ab"),
        (np.rec.array([(1,)], dtype=[("a", "<i4")]), np.array([(1,)], dtype=[("a", "<i4")])),
        (np.ma.masked_array([1, 2], mask=[False, True]), [1, None]),
    ],
    ids=lambda value: type(value).__name__,
)
def test_what_comes_back_simpler_is_known_to_do_so(value, back):
    text, exact = RuntimeEncoder().encode_exactly([value])
    assert same(decode(text), [back])
    assert not exact


def test_a_time_zone_with_a_name_comes_back_as_its_offset():
    moment = dt.datetime(2026, 7, 1, 12, tzinfo=zoneinfo.ZoneInfo("Europe/Berlin"))
    text, exact = RuntimeEncoder().encode_exactly(moment)
    assert decode(text) == moment
    assert not exact


@pytest.mark.parametrize(
    "array",
    [
        np.array([(1, 2.5, [1, 2])], dtype=[("a", ">i4"), ("b", "f8"), ("c", "i2", (2,))]),
        np.zeros(2, dtype=np.dtype({"names": ["a", "b"], "formats": ["i1", "f8"]}, align=True)),
        np.zeros(3, dtype=[("p", [("x", "f4"), ("y", "<U2")])]),
        np.array([[1, None], ["x", (1, Decimal(2))]], dtype=object),
        np.arange(12).reshape(3, 4).T,
        np.array(["2020", "NaT"], dtype="M8[D]"),
        np.array([1], dtype=np.longdouble),
        np.array(3.5),
    ],
    ids=lambda array: str(array.dtype),
)
def test_arrays_of_unusual_dtypes_come_back(array):
    back = decode(encode(array))
    assert back.dtype == array.dtype
    assert back.shape == array.shape
    assert back.tobytes() == array.tobytes() if array.dtype.kind in "Mf" else np.array_equal(back, array)
    assert back.flags.writeable


def test_integers_of_any_size_are_exact():
    for number in (2**53, 2**53 + 1, -(2**64), 1 << 100_000):
        assert decode(encode(number)) == number


def test_the_order_of_keys_is_kept():
    assert list(decode(encode({"b": 1, "a": 2, 3: 4}))) == ["b", "a", 3]
