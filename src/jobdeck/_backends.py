"""Backends by name: the simulators that are installed. Qiskit is imported when one is asked for."""

# mypy: disable-error-code="import-untyped, import-not-found"
# Qiskit ships no types, and need not be installed.

from __future__ import annotations

import functools
import inspect
import re
from collections.abc import Callable, Iterator
from typing import Any, Final

from ._errors import InvalidInputError
from ._plain import plain

Makers = Iterator[tuple[str, Callable[[], Any]]]
"""Names of backends, each with what makes one."""

_SERVICE_SIMULATOR: Final = "ibmq_qasm_simulator"
"""The service's own simulator, which is gone; programs that name it get Aer's."""
_MOST: Final = 12
_MOST_CLOSE: Final = 4


def backend_name(backend: Any) -> str:
    """Return a backend's name for people, whatever it is: some have it as a method."""
    if isinstance(backend, str):
        return backend
    name = getattr(backend, "name", None)
    name = name() if callable(name) else name
    return name if isinstance(name, str) and name else type(backend).__name__


def backend_named(name: str) -> Any:
    """Return a new simulator of that name.

    Raises
    ------
    InvalidInputError
        None has it; the text lists what there is.
    """
    wanted = "aer_simulator" if name == _SERVICE_SIMULATOR else name
    for family in _FAMILIES:
        if wanted.startswith(family.prefixes):
            for found, make in family.makers():
                if found == wanted:
                    return make()
    names = sorted(found for found, _ in _listed())
    if not names:
        raise InvalidInputError(f"no backend is called {plain(name, 80)!r}: Qiskit is not installed (jobdeck[qiskit])")
    shown = ", ".join(_close_first(name, names)[:_MOST])
    more = f" and {len(names) - _MOST} more (Deck.backends() has all)" if len(names) > _MOST else ""
    raise InvalidInputError(
        f"no simulator is called {plain(name, 80)!r}; there are: {shown}{more}. "
        "For a device of a service, pass the backend itself: run(…, backend=…)"
    )


def backends_named(part: str | None = None) -> list[Any]:
    """Return all simulators that are installed, or those that have `part` in their names."""
    found = sorted(_listed(), key=lambda each: each[0])
    return [make() for name, make in found if part is None or part in name]


def _listed() -> list[tuple[str, Callable[[], Any]]]:
    return [maker for family in _FAMILIES if family.listed for maker in family.makers()]


def _close_first(name: str, names: list[str]) -> list[str]:
    """Return all names, those first that have words of this one, then those that are spelled like it."""
    import difflib

    wanted = _words(name)
    shared = {found: _shared(wanted, _words(found)) for found in names}
    alike = sorted((found for found in names if shared[found]), key=lambda found: (-shared[found], len(found)))
    spelled = difflib.get_close_matches(name, names, n=_MOST_CLOSE, cutoff=0.6)
    usual = sorted(names, key=lambda found: (found.startswith("fake_"), len(found)))
    return list(dict.fromkeys([*alike[:_MOST_CLOSE], *spelled, *usual]))


def _words(name: str) -> list[str]:
    """Return ``AerSimulator`` and ``aer_simulator`` alike as words, without those that tell nothing apart."""
    words = re.findall(r"[a-z]+|[0-9]+", re.sub(r"(?<=[a-z])(?=[A-Z])", " ", name).lower())
    return [word for word in words if word not in ("fake", "simulator")]


def _shared(wanted: list[str], found: list[str]) -> int:
    """Return how many characters of a name are in words that begin as those of another one do."""
    return sum(len(word) for word in wanted if len(word) > 2 and any(each.startswith(word) for each in found))


class _Family:
    """Simulators of one package. Those that it is about to give up can be named, and are not listed."""

    def __init__(self, prefixes: tuple[str, ...], makers: Callable[[], Makers], *, listed: bool = True) -> None:
        self.prefixes = prefixes
        self.listed = listed
        self._makers = makers

    def makers(self) -> list[tuple[str, Callable[[], Any]]]:
        """Return the names with what makes each; nothing where the package is not installed."""
        try:
            return list(self._makers())
        except ImportError:
            return []


def _basic() -> Makers:
    from qiskit.providers.basic_provider import BasicSimulator

    yield "basic_simulator", BasicSimulator


def _aer() -> Makers:
    from qiskit_aer import AerSimulator

    yield "aer_simulator", AerSimulator
    for method in AerSimulator().available_methods():
        if method != "automatic":
            yield f"aer_simulator_{method}", functools.partial(AerSimulator, method=method)


def _old_aer() -> Makers:
    import qiskit_aer

    yield "qasm_simulator", qiskit_aer.QasmSimulator
    yield "statevector_simulator", qiskit_aer.StatevectorSimulator
    yield "unitary_simulator", qiskit_aer.UnitarySimulator


def _fake() -> Makers:
    from qiskit_ibm_runtime import fake_provider

    for value in vars(fake_provider).values():
        name = getattr(value, "backend_name", None)
        if inspect.isclass(value) and isinstance(name, str) and callable(getattr(value, "run", None)):
            yield name, value


_FAMILIES: Final = (
    _Family(("basic_",), _basic),
    _Family(("aer_",), _aer),
    _Family(("qasm_", "statevector_", "unitary_"), _old_aer, listed=False),
    _Family(("fake_",), _fake),
)
