"""`backend`: any BackendV2 whose every run is a job."""

# mypy: disable-error-code="import-untyped, import-not-found, misc"
# Qiskit ships no types, and need not be installed: its classes are Any.

from __future__ import annotations

import inspect
from collections.abc import Iterable
from typing import Any

from qiskit import QuantumCircuit
from qiskit.providers import BackendV2, Options

from .._deck import Deck
from .._errors import InvalidInputError
from .._job import Job
from ._inputs import Circuits, title
from ._programs import simulate
from ._wrapper import Wrapper


def _delegated(name: str) -> property:
    def read(self: JobBackend) -> Any:
        return getattr(self._wrapped, name)

    return property(read, doc=f"``{name}`` of the wrapped backend.")


def backend(
    wrapped: Any,
    deck: Deck | None = None,
    *,
    name: str | None = None,
    tags: Iterable[str] = (),
    timeout: float | None = None,
    engine: str | None = None,
) -> JobBackend:
    """Return a backend like `wrapped` whose every ``run`` is a job: in a process of its own, and able to be stopped.

    Parameters
    ----------
    wrapped
        Any ``BackendV2`` that runs here: ``AerSimulator``, ``BasicSimulator``, a fake backend. It is copied into each
        job as it is at that time.
    deck
        Where the jobs go; None means the deck of jobdeck's functions.
    name
        What the jobs are called; None calls each like its circuits.
    tags, timeout, engine
        As in `jobdeck.run`.

    Raises
    ------
    InvalidInputError
        `wrapped` is no BackendV2, or runs at IBM's service.
    """
    return JobBackend(wrapped, deck, name=name, tags=tags, timeout=timeout, engine=engine)


class JobBackend(Wrapper, BackendV2):
    """What `backend` returns. Target, options and all else are those of the backend that it wraps."""

    _called = "backend"
    _kind = ("BackendV2", BackendV2)

    # What the base class has itself, so that it would not be looked for in the backend that is wrapped.
    backend_version = _delegated("backend_version")
    coupling_map = _delegated("coupling_map")
    description = _delegated("description")
    dt = _delegated("dt")
    dtm = _delegated("dtm")
    instruction_durations = _delegated("instruction_durations")
    instructions = _delegated("instructions")
    max_circuits = _delegated("max_circuits")
    meas_map = _delegated("meas_map")
    name = _delegated("name")
    num_qubits = _delegated("num_qubits")
    online_date = _delegated("online_date")
    operation_names = _delegated("operation_names")
    operations = _delegated("operations")
    options = _delegated("options")
    provider = _delegated("provider")
    target = _delegated("target")

    def run(self, run_input: Any, *arguments: Any, **options: Any) -> Job[Any]:
        """Run circuits in a job and return it at once; its result is a ``qiskit.result.Result``.

        Parameters
        ----------
        run_input
            A circuit or several.
        *arguments, **options
            What else the wrapped backend's ``run`` takes, such as ``shots``.

        Raises
        ------
        InvalidInputError
            It is no circuit. Nothing is queued.
        TypeError
            The wrapped backend takes no such arguments. Nothing is queued.
        UnpicklableError
            The backend or a circuit cannot be sent to another process. Nothing is queued.
        """
        signature = inspect.signature(self._wrapped.run)
        bound = signature.bind(run_input, *arguments, **options)
        first, *_ = signature.parameters
        named = dict(bound.arguments)
        circuits = _circuits(named.pop(first))
        for parameter in signature.parameters.values():
            if parameter.kind is parameter.VAR_KEYWORD:
                named.update(named.pop(parameter.name, {}))
        job = self._submitting.run(
            simulate,
            title("run", circuits),
            inputs={"circuits": circuits, **named},
            backend=self._wrapped,
            subject=self._wrapped,
        )
        # In this process the very one that was asked, as with any other backend.
        job._backend = self
        return job

    def qubit_properties(self, qubit: Any) -> Any:
        """Return those of the wrapped backend."""
        return self._wrapped.qubit_properties(qubit)

    def set_options(self, **fields: Any) -> None:
        """Set options of the wrapped backend; they count from the next run on."""
        self._wrapped.set_options(**fields)

    @classmethod
    def _default_options(cls) -> Any:
        return Options()


def _circuits(given: Any) -> Circuits:
    if isinstance(given, QuantumCircuit):
        return Circuits([given], is_alone=True)
    try:
        circuits = Circuits(given)
    except TypeError:
        raise InvalidInputError(f"a backend runs circuits, not {type(given).__name__}") from None
    for place, circuit in enumerate(circuits):
        if not isinstance(circuit, QuantumCircuit):
            raise InvalidInputError(f"a backend runs circuits; what is at place {place} is {type(circuit).__name__}")
    return circuits
