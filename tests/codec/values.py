"""Values that a message can hold, for hypothesis, and a comparison that tells types and NaNs apart."""

from __future__ import annotations

import datetime as dt
import math
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
from hypothesis import strategies as st

any_text = st.text(st.characters(exclude_categories=()))
zones = st.none() | st.integers(-1439, 1439).map(lambda minutes: dt.timezone(dt.timedelta(minutes=minutes)))

hashable_leaves = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.integers(min_value=2**53),
    st.floats(),
    any_text,
    st.binary(),
    st.complex_numbers(),
    st.datetimes(timezones=zones),
    st.dates(),
    st.times(),
    st.timedeltas(),
    st.decimals(allow_nan=False),
    st.fractions(),
    st.uuids(),
    any_text.filter(lambda text: "\0" not in text).map(Path),
    st.builds(range, st.integers(), st.integers(), st.integers(min_value=1)),
)

dtypes = st.sampled_from(
    ["|b1", "|i1", "<u2", ">i4", "<i8", "<u8", "<f2", ">f4", "<f8", "<c8", ">c16", "<M8[ns]", "<m8[s]", "<U3", "|S2"]
)


@st.composite
def arrays(draw: st.DrawFn) -> Any:
    dtype = np.dtype(draw(dtypes))
    shape = tuple(draw(st.lists(st.integers(0, 3), max_size=3)))
    size = math.prod(shape) * dtype.itemsize
    if dtype.kind == "U":
        letters = draw(
            st.lists(st.text("aé\U0001f600", max_size=3), min_size=math.prod(shape), max_size=math.prod(shape))
        )
        return np.array(letters, dtype=dtype).reshape(shape)
    if dtype.kind == "b":
        return np.ones(shape, dtype)
    return np.frombuffer(draw(st.binary(min_size=size, max_size=size)), dtype).reshape(shape)


scalars = arrays().filter(lambda array: array.size > 0).map(lambda array: array.ravel()[0])

leaves = st.one_of(
    hashable_leaves,
    st.binary().map(bytearray),
    arrays(),
    scalars,
    st.sets(st.integers() | any_text),
    st.frozensets(st.integers() | st.tuples(st.integers(), st.dates())),
    st.builds(slice, st.none() | st.integers(), st.none() | st.integers(), st.none() | st.integers(1)),
)

keys = st.one_of(
    any_text, st.just("__type__"), st.just("__value__"), st.integers(), st.tuples(st.integers(), st.dates())
)

values = st.recursive(
    leaves,
    lambda inner: st.one_of(
        st.lists(inner, max_size=4),
        st.lists(inner, max_size=4).map(tuple),
        st.dictionaries(any_text, inner, max_size=4),
        st.dictionaries(keys, inner, max_size=4),
        st.dictionaries(st.sampled_from(["x", "y"]), inner).map(lambda fields: SimpleNamespace(**fields)),
    ),
    max_leaves=12,
)


def same(one: Any, other: Any) -> bool:
    """Tell whether two values are equal and of the same types throughout, NaN being equal to NaN."""
    if type(one) is not type(other):
        return False
    if isinstance(one, (list, tuple)):
        return len(one) == len(other) and all(map(same, one, other))
    if isinstance(one, dict):
        return same(list(one.items()), list(other.items()))
    if isinstance(one, SimpleNamespace):
        return same(vars(one), vars(other))
    if isinstance(one, np.ndarray):
        return one.dtype == other.dtype and one.shape == other.shape and one.tobytes() == other.tobytes()
    if isinstance(one, np.generic):
        nan = one != one
        return bool(one.dtype == other.dtype and (one == other or (nan and other != other)))
    if isinstance(one, float):
        return (math.isnan(one) and math.isnan(other)) or (
            one == other and math.copysign(1, one) == math.copysign(1, other)
        )
    if isinstance(one, complex):
        return same(one.real, other.real) and same(one.imag, other.imag)
    if isinstance(one, dt.datetime):
        return one == other and one.utcoffset() == other.utcoffset() and one.fold == other.fold
    return bool(one == other) or (isinstance(one, (Decimal, Fraction)) and str(one) == str(other))
