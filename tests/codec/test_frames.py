"""pandas' frames come back as they were: dtypes, names, missing values."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from pandas.testing import assert_frame_equal, assert_index_equal, assert_series_equal

from jobdeck._codec import RuntimeEncoder, decode, display, encode
from jobdeck._errors import EncodingError

COLUMNS = {
    "text": ["a", None],
    "string": pd.array(["x", None], dtype="string"),
    "Int64": pd.array([1, None], dtype="Int64"),
    "Float32": pd.array([1.5, None], dtype="Float32"),
    "boolean": pd.array([True, None], dtype="boolean"),
    "category": pd.Categorical(["a", "b"], ordered=True),
    "zone": pd.date_range("2020", periods=2, tz="Europe/Berlin"),
    "offset": pd.date_range("2020", periods=2, tz="+02:00"),
    "period": pd.period_range("2020", periods=2, freq="M"),
    "interval": pd.arrays.IntervalArray.from_breaks([1, 2, 3]),
    "moments": pd.interval_range(pd.Timestamp("2020"), periods=2),
    "objects": np.array([None, {"a": (1, 2)}], dtype=object),
    "words": np.array(["x", "y"], dtype=object),
    "missing": np.array(["x", pd.NaT], dtype=object),
    "complex": np.array([1 + 2j, 3]),
    "durations": pd.timedelta_range("1s", periods=2),
    "floats": [1.5, np.nan],
    "bytes": np.array([1, 2], dtype="u1"),
    "nanoseconds": np.array(["2020", "NaT"], dtype="M8[ns]"),
}


@pytest.mark.parametrize("name", COLUMNS)
def test_a_column_comes_back(name):
    series = pd.Series(COLUMNS[name], name=("a name", 1))
    back = decode(encode(series))
    assert_series_equal(back, series)
    assert type(back.array) is type(series.array)


@pytest.mark.parametrize("name", sorted(set(COLUMNS) - {"objects"}))
def test_an_index_comes_back(name):
    index = pd.Index(COLUMNS[name], name="n")
    back = decode(encode(index))
    assert_index_equal(back, index, exact=True)
    assert getattr(back, "freq", None) == getattr(index, "freq", None)


def test_a_frame_comes_back_and_is_known_to():
    frame = pd.DataFrame(COLUMNS)
    frame.attrs = {"unit": ("V", 1)}
    text, exact = RuntimeEncoder().encode_exactly(frame)
    back = decode(text)
    assert_frame_equal(back, frame)
    assert back.attrs == frame.attrs
    assert exact
    assert display(text) == "<frame 2×19>"


@pytest.mark.parametrize(
    "frame",
    [
        pd.DataFrame(
            [[1, 2.0, "c"]] * 3,
            columns=pd.MultiIndex.from_tuples([("a", 1), ("a", 1), ("b", 2)], names=["p", None]),
            index=pd.MultiIndex.from_product([["u"], [1, 2, 3]]),
        ),
        pd.DataFrame(),
        pd.DataFrame(index=[1, 2]),
        pd.DataFrame(columns=["a"]),
        pd.DataFrame({1: [1], "b": [2]}, index=pd.date_range("2020", periods=1, freq="h")),
    ],
    ids=["multi", "empty", "no columns", "no rows", "mixed names"],
)
def test_frames_of_unusual_shapes_come_back(frame):
    assert_frame_equal(decode(encode(frame)), frame)


@pytest.mark.parametrize(
    "value",
    [
        pd.Timestamp("2020-01-01 00:00:00.123456789"),
        pd.Timestamp("2020-10-25 00:30", tz="UTC").tz_convert("Europe/Berlin"),
        pd.Timestamp("2020-10-25 01:30", tz="UTC").tz_convert("Europe/Berlin"),
        pd.Timedelta("1s 3ns"),
        pd.Timedelta("3 days"),
        pd.Period("2020-03", freq="M"),
        pd.Interval(0, 1, closed="left"),
    ],
    ids=str,
)
def test_scalars_come_back(value):
    back = decode(encode(value))
    assert type(back) is type(value)
    assert back == value
    assert getattr(back, "unit", None) == getattr(value, "unit", None)


def test_missing_values_come_back_as_themselves():
    nat, na = decode(encode([pd.NaT, pd.NA]))
    assert nat is pd.NaT
    assert na is pd.NA


def test_a_column_without_a_form_is_named():
    frame = pd.DataFrame({"s": pd.arrays.SparseArray([0, 0, 1])})
    with pytest.raises(EncodingError, match=r"message\['f'\] cannot be encoded: a pandas column of type Sparse"):
        encode({"f": frame})
