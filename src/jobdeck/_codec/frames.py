"""pandas frames, series, indexes and scalars, column by column; never as a pickle. Imported once pandas is in use.

pandas' own table JSON loses dtypes, the names of levels, and what differs between NaN, None and NA; this does not.
Sparse and Arrow columns have no form here: a result that has them is kept as a pickle, and a message says so.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import numpy as np
import pandas as pd

from .forms import Lossy, NotThisTag, items, members, tag

Parts = dict[str, Any]


def encode(value: Any) -> Any:
    """Return the tagged form of a frame, series, index, array or scalar of pandas', None for other things."""
    for base, name, parts in _WRITERS:
        if isinstance(value, base):
            written = tag(name, parts(value))
            return written if type(value) is base or base in _OPEN_BASES else Lossy(written)
    if value is pd.NaT or value is pd.NA:
        return tag("pandas", {"kind": str(value).strip("<>"), "text": str(value)})
    return None


def decode(name: str, value: Any) -> Any:
    """Return the frame, series, index or scalar of a tag."""
    return _READERS[name](value)


# --- frames and series


def _frame(value: pd.DataFrame) -> Parts:
    columns = [_column(value.iloc[:, place]) for place in range(value.shape[1])]
    parts = {"index": value.index, "columns": value.columns, "data": columns, "attrs": dict(value.attrs)}
    return {**parts, "text": f"<frame {len(value)}×{value.shape[1]}>"}


def _read_frame(value: Any) -> pd.DataFrame:
    index, columns, data, attrs = members(value, "index", "columns", "data", "attrs")
    series = {place: _read_column(column) for place, column in enumerate(items(data))}
    frame: pd.DataFrame = pd.DataFrame(series, index=_an_index(index))
    frame.columns = _an_index(columns)
    frame.attrs = _a_dict(attrs)
    return frame


def _series(value: pd.Series[Any]) -> Parts:
    parts = {"index": value.index, "name": value.name, "data": _column(value), "attrs": dict(value.attrs)}
    return {**parts, "text": f"<series {len(value)}>"}


def _read_series(value: Any) -> pd.Series[Any]:
    index, name, data, attrs = members(value, "index", "name", "data", "attrs")
    series: pd.Series[Any] = pd.Series(_read_column(data), index=_an_index(index), name=name)
    series.attrs = _a_dict(attrs)
    return series


# --- indexes


def _index(value: pd.Index[Any]) -> Parts:
    text = f"<index {len(value)}>"
    if isinstance(value, pd.MultiIndex):
        codes = [np.asarray(code) for code in value.codes]
        return {"levels": list(value.levels), "codes": codes, "names": list(value.names), "text": text}
    if isinstance(value, pd.RangeIndex):
        return {"range": range(value.start, value.stop, value.step), "name": value.name, "text": text}
    return {"data": _column(value), "name": value.name, "freq": getattr(value, "freqstr", None), "text": text}


def _read_index(value: Any) -> Any:
    if type(value) is dict and "levels" in value:
        levels, codes, names = members(value, "levels", "codes", "names")
        return pd.MultiIndex(
            levels=[_an_index(level) for level in items(levels)], codes=items(codes), names=items(names)
        )
    if type(value) is dict and "range" in value:
        numbers, name = members(value, "range", "name")
        if not isinstance(numbers, range):
            raise NotThisTag
        return pd.RangeIndex(numbers.start, numbers.stop, numbers.step, name=name)
    data, name, freq = members(value, "data", "name", "freq")
    column = _read_column(data)
    index: pd.Index[Any] = pd.Index(column, name=name, dtype=column.dtype)
    if freq is not None and isinstance(index, (pd.DatetimeIndex, pd.TimedeltaIndex)):
        index.freq = freq  # type: ignore[misc]  # a setter, whatever the stubs say
    return index


def _an_index(value: Any) -> Any:
    if not isinstance(value, pd.Index):
        raise NotThisTag
    return value


def _a_dict(value: Any) -> Any:
    if not isinstance(value, dict):
        raise NotThisTag
    return value


# --- columns


def _column(values: pd.Series[Any] | pd.Index[Any]) -> Parts:
    dtype: Any = values.dtype
    if isinstance(dtype, np.dtype):
        return {"kind": "numpy", "values": values.to_numpy()}
    array: Any = values.array
    if isinstance(dtype, pd.CategoricalDtype):
        codes, categories = np.asarray(array.codes), array.categories
        return {"kind": "category", "codes": codes, "categories": categories, "ordered": bool(array.ordered)}
    if isinstance(dtype, pd.StringDtype):
        missing = "NA" if dtype.na_value is pd.NA else "nan"
        texts = [None if absent else text for text, absent in zip(array, array.isna(), strict=True)]
        return {"kind": "string", "storage": dtype.storage, "missing": missing, "values": texts}
    if isinstance(dtype, pd.DatetimeTZDtype):
        moments = array.tz_convert("UTC").tz_localize(None).to_numpy()
        return {"kind": "moments", "values": moments, "zone": _zone(dtype.tz)}
    if isinstance(dtype, pd.PeriodDtype):
        return {"kind": "period", "ordinals": np.asarray(array.asi8), "freq": array.freqstr}
    if isinstance(dtype, pd.IntervalDtype):
        left, right = _column(array.left), _column(array.right)
        return {"kind": "interval", "left": left, "right": right, "closed": array.closed}
    if dtype.name in _MASKED:
        data = array.to_numpy(dtype=dtype.numpy_dtype, na_value=dtype.type(0))
        return {"kind": "masked", "dtype": dtype.name, "values": data, "missing": np.asarray(array.isna())}
    raise TypeError(f"a pandas column of type {dtype} has no JSON form")


def _zone(zone: Any) -> str:
    name = str(zone)
    # A moment's zone in pytz, which pandas 2 uses, is another object for each offset that the zone has had.
    if str(pd.DatetimeTZDtype(tz=name).tz) != name:
        raise TypeError(f"the time zone {zone!r} has no name that it could be found by")
    return name


def _read_column(value: Any) -> Any:
    (kind,) = members(value, "kind")
    return _COLUMNS[kind](value)


def _read_numpy(value: Any) -> Any:
    (values,) = members(value, "values")
    if not isinstance(values, np.ndarray):
        raise NotThisTag
    # Without the dtype pandas would guess one for objects, and make text columns of them.
    return pd.Series(values, dtype=values.dtype).array


def _read_category(value: Any) -> Any:
    codes, categories, ordered = members(value, "codes", "categories", "ordered")
    return pd.Categorical.from_codes(codes, categories=_an_index(categories), ordered=ordered)


def _read_strings(value: Any) -> Any:
    storage, missing, values = members(value, "storage", "missing", "values")
    if storage not in ("python", "pyarrow") or missing not in ("NA", "nan"):
        raise NotThisTag
    if missing == "NA":
        return pd.array(items(values), dtype=pd.StringDtype(storage))
    return pd.array(items(values), dtype=pd.StringDtype(storage, na_value=np.nan))  # type: ignore[call-arg, unused-ignore]


def _read_moments(value: Any) -> Any:
    values, zone = members(value, "values", "zone")
    return pd.DatetimeIndex(values).tz_localize("UTC").tz_convert(zone).array


def _read_periods(value: Any) -> Any:
    ordinals, freq = members(value, "ordinals", "freq")
    index: Any = pd.PeriodIndex
    return index.from_ordinals(ordinals, freq=freq).array


def _read_intervals(value: Any) -> Any:
    left, right, closed = members(value, "left", "right", "closed")
    return pd.arrays.IntervalArray.from_arrays(_read_column(left), _read_column(right), closed=closed)


_MASKED: Final[dict[str, Callable[..., Any]]] = {
    **{f"{sign}Int{bits}": pd.arrays.IntegerArray for sign in ("", "U") for bits in (8, 16, 32, 64)},
    **{f"Float{bits}": pd.arrays.FloatingArray for bits in (32, 64)},
    "boolean": pd.arrays.BooleanArray,
}


def _read_masked(value: Any) -> Any:
    dtype, values, missing = members(value, "dtype", "values", "missing")
    return _MASKED[dtype](values, missing)


_COLUMNS: Final[dict[str, Callable[[Any], Any]]] = {
    "numpy": _read_numpy,
    "category": _read_category,
    "string": _read_strings,
    "moments": _read_moments,
    "period": _read_periods,
    "interval": _read_intervals,
    "masked": _read_masked,
}


# --- scalars


def _timestamp(value: pd.Timestamp) -> Parts:
    zone = None if value.tz is None else _zone(value.tz)
    return {"kind": "timestamp", "unit": value.unit, "zone": zone, "text": value.isoformat()}


def _timedelta(value: pd.Timedelta) -> Parts:
    return {"kind": "timedelta", "unit": value.unit, "count": value.as_unit(value.unit)._value, "text": str(value)}


def _period(value: pd.Period) -> Parts:
    return {"kind": "period", "ordinal": value.ordinal, "freq": value.freqstr, "text": str(value)}


def _interval(value: pd.Interval[Any]) -> Parts:
    return {"kind": "interval", "left": value.left, "right": value.right, "closed": value.closed, "text": str(value)}


def _read_scalar(value: Any) -> Any:
    (kind,) = members(value, "kind")
    if kind == "NaT":
        return pd.NaT
    if kind == "NA":
        return pd.NA
    if kind == "timestamp":
        unit, zone, text = members(value, "unit", "zone", "text")
        moment = pd.Timestamp(text)
        return (moment if zone is None else moment.tz_convert(zone)).as_unit(unit)
    if kind == "timedelta":
        unit, count = members(value, "unit", "count")
        return pd.Timedelta(np.timedelta64(count, unit))
    if kind == "period":
        ordinal, freq = members(value, "ordinal", "freq")
        return pd.Period(ordinal=ordinal, freq=freq)
    if kind == "interval":
        return pd.Interval(*members(value, "left", "right", "closed"))
    raise NotThisTag


_WRITERS: Final[tuple[tuple[type, str, Callable[[Any], Parts]], ...]] = (
    (pd.DataFrame, "dataframe", _frame),
    (pd.Series, "series", _series),
    (pd.Index, "index", _index),
    (pd.Timestamp, "pandas", _timestamp),
    (pd.Timedelta, "pandas", _timedelta),
    (pd.Period, "pandas", _period),
    (pd.Interval, "pandas", _interval),
)
_OPEN_BASES: Final = (pd.Index,)
"""Its subclasses of pandas' own are told apart by their data."""

_READERS: Final[dict[str, Callable[[Any], Any]]] = {
    "dataframe": _read_frame,
    "series": _read_series,
    "index": _read_index,
    "pandas": _read_scalar,
}
