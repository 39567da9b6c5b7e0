"""numpy's arrays and scalars, as bytes with their dtype; never as a pickle. Imported once numpy is in use."""

from __future__ import annotations

import math
import re
import sys
from typing import Any, Final

import numpy as np

from .forms import Lossy, NotThisTag, base64_text, complex_text, data, items, members, tag, whole

_FEW: Final = 6
"""An array of so many elements is shown with them."""

_SIMPLE: Final = re.compile(r"[<>|][biufcmMSUV]\d{1,9}(\[\d{0,9}[a-zμ]{1,7}\])?", re.IGNORECASE)


def encode(value: Any) -> Any:
    """Return the tagged form of a numpy array, scalar or dtype, None for other things of numpy's."""
    # Not as np.ma, which would import it: numpy does so when it is first used, and each job would pay for it.
    masked = sys.modules.get("numpy.ma")
    if masked is not None and isinstance(value, masked.MaskedArray):
        return value.tolist()
    if isinstance(value, np.ndarray):
        written = _array(np.asarray(value))
        return written if type(value) is np.ndarray else Lossy(written)
    if isinstance(value, np.generic):
        return _scalar(value)
    return None


def decode(name: str, value: Any) -> Any:
    """Return the array or scalar of a tag."""
    return _decode_array(value) if name == "ndarray" else _decode_scalar(value)


def _array(value: np.ndarray[Any, Any]) -> dict[str, Any]:
    parts: dict[str, Any] = {"dtype": _describe(value.dtype), "shape": list(value.shape)}
    if value.dtype.kind in "OT":
        parts["items"] = list(value.ravel().tolist())
    else:
        parts["data"] = base64_text(value.tobytes())
    return tag("ndarray", {**parts, "text": _text(value)})


def _scalar(value: np.generic) -> dict[str, Any]:
    kind, size = value.dtype.kind, value.dtype.itemsize
    parts: dict[str, Any] = {"dtype": _describe(value.dtype)}
    if kind in "biu" or (kind == "f" and size <= 8):
        parts["value"] = value.item()
    elif isinstance(value, np.str_):
        parts["value"] = str(value)
    elif isinstance(value, np.bytes_):
        parts["value"] = bytes(value)
    elif value.dtype.hasobject:
        raise TypeError("a numpy record that holds Python objects has no JSON form")
    else:
        parts |= {"data": base64_text(value.tobytes()), "text": complex_text(value) if kind == "c" else str(value)}
    return tag("numpy", parts)


def _text(value: np.ndarray[Any, Any]) -> str:
    if value.size <= _FEW and value.dtype.kind in "biufU" and value.dtype.itemsize <= 200:
        return _nested(value.tolist())
    shape = ", ".join(map(str, value.shape)) + ("," if value.ndim == 1 else "")
    return f"array(shape=({shape}), dtype={value.dtype})"


def _nested(value: Any) -> str:
    if isinstance(value, list):
        return f"[{', '.join(map(_nested, value))}]"
    if isinstance(value, float) and not math.isfinite(value):
        return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"
    return repr(value)


# --- dtypes


def _describe(dtype: np.dtype[Any]) -> Any:
    if dtype.kind == "O":
        return "object"
    if dtype.kind == "T":
        if hasattr(dtype, "na_object"):
            raise TypeError("a numpy StringDType with a marker for missing values has no JSON form")
        return "string"
    if dtype.hasobject:
        raise TypeError("a numpy structured array that holds Python objects has no JSON form")
    described = np.lib.format.dtype_to_descr(dtype)
    return _lists(described)


def _lists(described: Any) -> Any:
    return [_lists(part) for part in described] if isinstance(described, (list, tuple)) else described


def _dtype(described: Any) -> np.dtype[Any]:
    if isinstance(described, str):
        if _SIMPLE.fullmatch(described) is None:
            raise NotThisTag
        return np.dtype(described)
    return np.lib.format.descr_to_dtype([_field(field) for field in items(described)])


def _field(field: Any) -> tuple[Any, ...]:
    name, described, *shape = items(field)
    name = tuple(name) if isinstance(name, list) else name
    if isinstance(described, list):
        inner: Any = [_field(part) for part in described]
    else:
        inner = _dtype(described).str
    return (name, inner, *(tuple(map(whole, items(sizes))) for sizes in shape))


# --- decoding


def _decode_array(value: Any) -> Any:
    described, sizes = members(value, "dtype", "shape")
    shape = tuple(map(whole, items(sizes)))
    if described in ("object", "string"):
        found = items(*members(value, "items"))
        if described == "string":
            return np.array(found, dtype=np.dtypes.StringDType()).reshape(shape)
        array = np.empty(len(found), dtype=object)
        for place, item in enumerate(found):
            array[place] = item
        return array.reshape(shape)
    dtype = _dtype(described)
    content = data(*members(value, "data"))
    if min(shape, default=0) < 0 or not dtype.itemsize or math.prod(shape) * dtype.itemsize != len(content):
        raise NotThisTag
    array = np.ndarray(shape, dtype, bytearray(content))
    return array.copy()


def _decode_scalar(value: Any) -> Any:
    (described,) = members(value, "dtype")
    dtype = _dtype(described)
    if "value" in value:
        plain = value["value"]
        if dtype.kind == "U" and isinstance(plain, str):
            return np.str_(plain)
        if dtype.kind == "S" and isinstance(plain, bytes):
            return np.bytes_(plain)
        if dtype.kind not in "biuf" or not isinstance(plain, (bool, int, float)):
            raise NotThisTag
        with np.errstate(all="ignore"):
            return dtype.type(plain)
    content = data(*members(value, "data"))
    if len(content) != dtype.itemsize:
        raise NotThisTag
    found = np.ndarray((), dtype, bytearray(content))[()]
    return found.copy() if isinstance(found, np.void) else found
