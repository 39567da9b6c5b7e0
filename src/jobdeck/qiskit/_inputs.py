"""Pubs and circuits as the inputs of a job: lists that read as a few words on its card."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

_MOST_TOLD: Final = 6
"""Circuits of which the words tell; of the others their number."""
_LONGEST_NAME: Final = 60


class Pubs(list[Any]):
    """Coerced pubs of a sampler or an estimator."""

    def __repr__(self) -> str:
        return _words(self, _told_pub)


class Circuits(list[Any]):
    """Circuits that a backend was given.

    Parameters
    ----------
    circuits
        Any number of circuits.
    is_alone
        Whether it was given one circuit itself rather than a list.
    """

    def __init__(self, circuits: Iterable[Any] = (), is_alone: bool = False) -> None:
        super().__init__(circuits)
        self.is_alone = is_alone

    def as_given(self) -> Any:
        """Return what the backend was given."""
        return self[0] if self.is_alone else list(self)

    def __repr__(self) -> str:
        return _words(self, _told_circuit)


def title(verb: str, circuits: Iterable[Any]) -> str:
    """Return a job's name, such as ``sample bell and 2 more``."""
    names = [_name(circuit) for circuit in circuits]
    if not names:
        return f"{verb} nothing"
    return f"{verb} {names[0]}" if len(names) == 1 else f"{verb} {names[0]} and {len(names) - 1} more"


def _words(values: list[Any], told: Any) -> str:
    some = [told(value) for value in values[:_MOST_TOLD]]
    if len(values) > _MOST_TOLD:
        some.append(f"… {len(values) - _MOST_TOLD} more")
    return "; ".join(some) or "none"


def _told_pub(pub: Any) -> str:
    words = [_told_circuit(pub.circuit)]
    if hasattr(pub, "observables"):
        words.append(_number(pub.observables.size, "observable"))
    if pub.circuit.num_parameters:
        words.append(_number(pub.parameter_values.size, "set") + " of parameter values")
    if getattr(pub, "shots", None) is not None:
        words.append(f"{pub.shots} shots")
    if getattr(pub, "precision", None) is not None:
        words.append(f"precision {pub.precision:g}")
    return ", ".join(words)


def _told_circuit(circuit: Any) -> str:
    return f"{_name(circuit)} ({_number(circuit.num_qubits, 'qubit')}, depth {circuit.depth()})"


def _number(count: int, noun: str) -> str:
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"


def _name(circuit: Any) -> str:
    name = str(circuit.name)
    return name if len(name) <= _LONGEST_NAME else name[: _LONGEST_NAME - 1] + "…"
