"""A small picture of a result as data: counts as a histogram, expectation values with their errors.

Made where a job ends, so that the deck shows it without opening the result. It costs nothing for other values: what is
no dict, and none of Qiskit's results, is known by its type. Qiskit is never imported.
"""

from __future__ import annotations

import json
import math
import sys
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import islice
from operator import itemgetter
from typing import Any, Final

from ._observables import Labels, names_of
from ._wire import ChartsView, ChartView, EstimatesView, HistogramView

_MOST_BARS: Final = 64
"""Bars of a histogram, and values beside each other."""
_MOST_CHARTS: Final = 8
_MOST_COUNTED: Final = 16
"""Bits of outcomes that are counted one by one; those of more bits are sorted."""
_BUDGET: Final = 10_000_000
"""Nanoseconds that all charts of a result may cost, by what was measured: what would cost more has none."""
_COST_OUTCOME: Final = 500
_COST_BYTE: Final = 4
_COST_SORTED: Final = 40
_COST_ROW: Final = 300
_LONGEST_LABEL: Final = 128
_BITS: Final = frozenset("01 ")

_Chart = HistogramView | EstimatesView
_Titled = tuple[str, _Chart]


def chart_of(value: Any) -> ChartView | None:
    """Return a picture of a result, None where there is none to be had.

    Parameters
    ----------
    value
        Counts by bit string, by hexadecimal number or by integer; a `collections.Counter`; Qiskit's ``Result``,
        ``PrimitiveResult`` and their parts; or a list of any of these.
    """
    maker = _maker(type(value))
    if maker is None:
        return None
    try:
        return _together(maker(value, _Budget()), _size(value))
    except Exception:  # noqa: BLE001 - results run their providers' code; without a picture the job is what it is
        return None


def chart_text(value: Any) -> str | None:
    """Return the same as JSON."""
    chart = chart_of(value)
    return None if chart is None else json.dumps(chart, separators=(",", ":"), allow_nan=False)


class _Budget:
    """What may still be spent on the charts of one result."""

    def __init__(self) -> None:
        self._left = _BUDGET

    def allows(self, cost: int) -> bool:
        """Spend, where there is enough left."""
        if cost > self._left:
            return False
        self._left -= cost
        return True


_Maker = Callable[[Any, _Budget], Iterable[_Titled]]


def _maker(kind: type) -> _Maker | None:
    """Return what makes the charts of values of this type; None, at once, for types that have none."""
    if kind is dict or kind is Counter:
        return _counts
    if kind is list:
        return _list
    qiskit = sys.modules.get("qiskit")
    if qiskit is None or kind.__module__ == "builtins":
        return None
    return next((make for name, make in _QISKIT if any(base.__qualname__ == name for base in _qiskits(kind))), None)


def _qiskits(kind: type) -> Iterator[type]:
    return (base for base in kind.__mro__ if base.__module__.startswith("qiskit."))


def _list(values: list[Any], budget: _Budget) -> Iterator[_Titled]:
    first = type(values[0]) if values else None
    # What is in a list of anything else is nobody's counts.
    if first is None or first is list or (make := _maker(first)) is None:
        return
    for place, value in enumerate(values):
        if type(value) is not first:
            return
        for title, chart in make(value, budget):
            yield title or str(place), chart


def _size(value: Any) -> int:
    """Return how many parts a result has that may each have a chart."""
    parts = getattr(value, "results", value)
    return len(parts) if hasattr(parts, "__len__") and not isinstance(parts, Mapping) else 0


def _together(titled: Iterable[_Titled], size: int) -> ChartView | None:
    """Return one chart as it is, and several as one."""
    found = list(islice(titled, _MOST_CHARTS + 1))
    if not found:
        return None
    if len(found) == 1:
        return found[0][1]
    shown = found[:_MOST_CHARTS]
    many: ChartsView = {
        "kind": "many",
        "charts": [chart for _, chart in shown],
        "titles": [_label(title) for title, _ in shown],
        "more": max(size, len(found)) - len(shown),
    }
    return many


# --- counts


def _counts(counts: Mapping[Any, Any], budget: _Budget) -> Iterator[_Titled]:
    if not counts or not budget.allows(len(counts) * _COST_OUTCOME):
        return
    chart = _histogram(counts, _read_labels(counts))
    if chart is not None:
        yield "", chart


def _read_labels(counts: Mapping[Any, Any]) -> Callable[[Any], str] | None:
    """Return how the outcomes of a dict are called, None where its keys are no outcomes."""
    (kind, *others) = set(map(type, counts))
    if others:
        return None
    if isinstance(counts, Counter):
        return str if kind in (str, int) else None
    if kind is int:
        return _bits_of(counts) if _qiskits_own(counts) else str
    if kind is not str:
        return None
    if not _BITS.issuperset(next(iter(counts))):
        return _hexadecimal(counts)
    return str if _BITS.issuperset("".join(counts)) else None


def _qiskits_own(counts: Mapping[Any, Any]) -> bool:
    return any(True for _ in _qiskits(type(counts)))


def _bits_of(counts: Mapping[int, Any]) -> Callable[[int], str]:
    width = max(1, max(counts).bit_length())
    return lambda outcome: f"{outcome:0{width}b}"


def _hexadecimal(counts: Mapping[str, Any]) -> Callable[[str], str] | None:
    if not all(key.startswith(("0x", "0X")) for key in counts):
        return None
    width = max((int(key, 16).bit_length() for key in counts), default=0) or 1
    return lambda key: f"{int(key, 16):0{width}b}"


def _histogram(counts: Mapping[Any, Any], label: Callable[[Any], str] | None) -> HistogramView | None:
    if label is None:
        return None
    numbers: list[Any] = list(counts.values())
    if set(map(type, numbers)) != {int}:
        numbers = [float(number) if isinstance(number, float) else _integer(number) for number in numbers]
    if None in numbers or not 0 <= min(numbers) <= max(numbers) < math.inf:
        return None
    return _bars(zip(counts, numbers, strict=True), len(numbers), label)


def _integer(count: Any) -> int | None:
    """Return a count, None for what is none: `True` is an answer rather than a number."""
    return None if isinstance(count, (bool, str)) else count.__index__() if hasattr(count, "__index__") else None


def _bars(outcomes: Iterable[tuple[Any, float]], size: int, label: Callable[[Any], str]) -> HistogramView | None:
    """Return the largest ones as bars."""
    ordered = sorted(outcomes, key=itemgetter(1), reverse=True)
    shots = sum(count for _, count in ordered)
    if not 0 < shots < math.inf:
        return None
    shown = ordered[:_MOST_BARS]
    return {
        "kind": "histogram",
        "labels": [_label(label(outcome)) for outcome, _ in shown],
        "counts": [count for _, count in shown],
        "shots": shots,
        "more": size - len(shown),
    }


def _label(text: str) -> str:
    cut = text if len(text) <= _LONGEST_LABEL else text[: _LONGEST_LABEL - 1] + "…"
    return cut if cut.isascii() else cut.encode("utf-8", "replace").decode("utf-8")


# --- Qiskit's results, read by their names, since Qiskit need not be there


def _result(result: Any, budget: _Budget) -> Iterator[_Titled]:
    """Return the counts of each experiment of a backend's ``Result``."""
    for place, experiment in enumerate(result.results):
        counts = getattr(experiment.data, "counts", None)
        if not counts or not budget.allows(len(counts) * _COST_OUTCOME):
            continue
        header = _header(experiment)
        chart = _histogram(counts, _of_registers(header, counts))
        if chart is not None:
            yield str(header.get("name") or place), chart


def _header(experiment: Any) -> Mapping[str, Any]:
    header = getattr(experiment, "header", None)
    return header if isinstance(header, Mapping) else getattr(header, "__dict__", {})


def _of_registers(header: Mapping[str, Any], counts: Mapping[Any, Any]) -> Callable[[Any], str] | None:
    """Return the labels that ``Result.get_counts`` has: as long as the memory, with a space between registers."""
    if not all(isinstance(key, str) and key.startswith("0x") for key in counts):
        return _read_labels(counts)
    slots = header.get("memory_slots")
    if not isinstance(slots, int):
        return _hexadecimal(counts)
    sizes = [int(size) for _, size in header.get("creg_sizes") or []]

    def label(key: str) -> str:
        bits = f"{int(key, 16):0{slots}b}"
        if sum(sizes) != len(bits):
            return bits
        # The first register's bits are the last ones.
        parts, end = [], len(bits)
        for size in sizes:
            parts.append(bits[end - size : end])
            end -= size
        return " ".join(reversed(parts))

    return label


def _primitive_result(result: Any, budget: _Budget) -> Iterator[_Titled]:
    """Return the counts, or the estimates, of each pub."""
    several = len(result) > 1
    for place, pub in enumerate(result):
        for title, chart in _data_bin(pub.data, budget, names_of(result, place)):
            yield (f"{place} {title}".strip() if several else title), chart


def _pub_result(pub: Any, budget: _Budget) -> Iterator[_Titled]:
    return _data_bin(pub.data, budget)


def _bit_array(bits: Any, budget: _Budget) -> Iterator[_Titled]:
    chart = _bits(bits, budget)
    if chart is not None:
        yield "", chart


def _data_bin(data: Any, budget: _Budget, labels: Labels = None) -> Iterator[_Titled]:
    parts = dict(data.items())
    if "evs" in parts:
        chart = _estimates(parts["evs"], parts.get("stds"), labels)
        if chart is not None:
            yield "", chart
        return
    registers = [(name, part) for name, part in parts.items() if type(part).__name__ == "BitArray"]
    for name, bits in registers:
        counted = _bits(bits, budget)
        if counted is not None:
            yield (name if len(registers) > 1 else ""), counted


def _bits(bits: Any, budget: _Budget) -> HistogramView | None:
    """Count the outcomes of a ``BitArray``, which has a row of packed bytes a shot, over all of its shape."""
    rows = bits.array.reshape(-1, bits.array.shape[-1])
    shots, width = len(rows), int(bits.num_bits)
    if shots == 0 or width == 0:
        return None
    if width <= 64:
        each = _COST_BYTE * rows.shape[1] + (_COST_SORTED if width > _MOST_COUNTED else 0)
        if not budget.allows(shots * each):
            return None
        found, size = _counted(rows, width)
    else:
        if not budget.allows(shots * _COST_ROW):
            return None
        tally = Counter(map(bytes, rows))
        size = len(tally)
        found = [(int.from_bytes(packed, "big"), count) for packed, count in tally.most_common(_MOST_BARS)]
    return {
        "kind": "histogram",
        "labels": [_label(f"{outcome:0{width}b}") for outcome, _ in found],
        "counts": [count for _, count in found],
        "shots": shots,
        "more": size - len(found),
    }


def _counted(rows: Any, width: int) -> tuple[list[tuple[int, int]], int]:
    """Return the most frequent outcomes with their counts, and how many different ones there are."""
    numpy: Any = sys.modules["numpy"]
    numbers = numpy.zeros(len(rows), dtype=numpy.uint64)
    for column in rows.T:
        numbers = (numbers << numpy.uint64(8)) | column
    if width <= _MOST_COUNTED:
        counts = numpy.bincount(numbers.astype(numpy.int64))
        outcomes = counts.nonzero()[0]
        counts = counts[outcomes]
    else:
        outcomes, counts = numpy.unique(numbers, return_counts=True)
    largest = numpy.argsort(-counts, kind="stable")[:_MOST_BARS]
    return [(int(outcomes[place]), int(counts[place])) for place in largest], len(outcomes)


def _estimates(values: Any, errors: Any, labels: Labels) -> EstimatesView | None:
    numpy: Any = sys.modules["numpy"]
    flat = numpy.asarray(values)
    if flat.size == 0 or flat.dtype.kind not in "fiu":
        return None
    spread = None if errors is None else numpy.asarray(errors)
    fits = spread is not None and spread.shape == flat.shape and spread.dtype.kind in "fiu"
    # One that is not known of any value says nothing.
    known = fits and bool(numpy.isfinite(spread).any())
    if labels is not None and len(labels) != min(flat.size, _MOST_BARS):
        labels = None
    if labels is None and flat.ndim > 1:
        labels = [str(list(place)) for place in islice(numpy.ndindex(flat.shape), _MOST_BARS)]
    return {
        "kind": "estimates",
        "values": _numbers(flat),
        "errors": _numbers(spread) if known else None,
        "labels": None if labels is None else [_label(each) for each in labels],
        "more": max(0, flat.size - _MOST_BARS),
    }


def _numbers(array: Any) -> list[float | None]:
    return [
        number if math.isfinite(number) else None for number in array.reshape(-1)[:_MOST_BARS].astype(float).tolist()
    ]


_QISKIT: Final[tuple[tuple[str, _Maker], ...]] = (
    ("Result", _result),
    ("PrimitiveResult", _primitive_result),
    ("PubResult", _pub_result),
    ("DataBin", _data_bin),
    ("BitArray", _bit_array),
    ("Counts", _counts),
    ("QuasiDistribution", _counts),
    ("ProbDistribution", _counts),
)
"""Each of Qiskit's kinds by its class's name, with what makes charts of it."""
