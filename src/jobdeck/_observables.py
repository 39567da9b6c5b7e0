"""What a chart calls the expectation values of a result: by their observables and the values of their parameters.

A result does not tell them, but whoever has the pubs that it came from does, in the same process. Qiskit is never
imported.
"""

from __future__ import annotations

import sys
import weakref
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from itertools import islice
from typing import Any, Final

_MOST: Final = 64
"""Values of a pub that are named; a chart shows no more."""
_MOST_PUBS: Final = 8
_MOST_TERMS: Final = 3
_WIDE: Final = 8
"""Qubits beyond which a Pauli string is told by the qubits that it acts on."""
_LONGEST: Final = 40

Labels = Sequence[str] | None
"""What the values of a pub are called; None where that is not known."""

_known: weakref.WeakKeyDictionary[Any, list[Labels]] = weakref.WeakKeyDictionary()


def name_values(result: Any, pubs: Iterable[Any]) -> None:
    """Keep what the values of an estimator's result are called, for as long as the result is there.

    Parameters
    ----------
    result
        A ``PrimitiveResult``; of anything else, nothing is kept.
    pubs
        The estimator's pubs, in its order, as Qiskit coerces them; what are none are passed over.
    """
    labels = [_labels(pub) for pub in islice(pubs, _MOST_PUBS)]
    if any(each is not None for each in labels) and type(result).__name__ == "PrimitiveResult":
        _known[result] = labels


def names_of(result: Any, place: int) -> Labels:
    """Return what the values of the pub at this place are called."""
    labels = _known.get(result, ())
    return labels[place] if place < len(labels) else None


def _labels(pub: Any) -> Labels:
    if not hasattr(pub, "observables"):
        return None
    try:
        return _told(pub)
    except Exception:  # noqa: BLE001 - pubs are their package's own; without names the values have numbers
        return None


def _told(pub: Any) -> list[str]:
    observables, parameters = pub.observables, pub.parameter_values
    which = _places(observables.shape, pub.shape)
    at = _places(parameters.shape, pub.shape)
    flat = observables.ravel()
    is_alone = flat.size == 1 and parameters.size > 1
    named = {place: _observable(flat[place]) for place in dict.fromkeys(which)}
    values = _values(parameters) if parameters.size > 1 else None
    labels = [
        " · ".join([*([] if is_alone else [named[one]]), *([] if values is None else [values(other)])])
        for one, other in zip(which, at, strict=True)
    ]
    counts = Counter(labels)
    return [label if counts[label] == 1 else f"{label} #{place}" for place, label in enumerate(labels)]


def _places(shape: tuple[int, ...], whole: tuple[int, ...]) -> list[int]:
    """Return which element of an array each of the first elements is, once it is broadcast."""
    numpy: Any = sys.modules["numpy"]
    numbers = numpy.arange(int(numpy.prod(shape))).reshape(shape)
    return [int(number) for number in islice(numpy.broadcast_to(numbers, whole).flat, _MOST)]


def _values(parameters: Any) -> Any:
    """Return what tells a set of parameter values: the value where there is but one parameter, else its number."""
    (names, values), *others = parameters.data.items()
    if others or len(names) > 1:
        return lambda place: f"values {place}"
    flat = values.reshape(-1)
    return lambda place: f"{names[0]} = {float(flat[place]):.4g}"


def _observable(terms: Mapping[str, Any]) -> str:
    told = [_term(paulis, coefficient) for paulis, coefficient in islice(terms.items(), _MOST_TERMS)]
    text = " + ".join(told).replace("+ -", "- ")
    if len(terms) > _MOST_TERMS or len(text) > _LONGEST:
        text = f"{told[0][:_LONGEST]} + … ({len(terms)} terms)"
    return text


def _term(paulis: str, coefficient: Any) -> str:
    number = complex(coefficient)
    shown = paulis
    if len(paulis) > _WIDE:
        acting = [f"{pauli}{qubit}" for qubit, pauli in enumerate(reversed(paulis)) if pauli != "I"]
        shown = " ".join(acting) or "I"
    if number == 1:
        return shown
    return f"{number.real:.4g} {shown}" if number.imag == 0 else f"({number:.4g}) {shown}"
