"""`Sampler` and `Estimator`: V2 primitives whose every run is a job."""

# mypy: disable-error-code="import-untyped, import-not-found, misc"
# Qiskit ships no types, and need not be installed: its classes are Any.

from __future__ import annotations

import copy
import inspect
from collections.abc import Callable, Iterable
from numbers import Number
from typing import Any, ClassVar

import numpy as np
from qiskit.primitives import BaseEstimatorV2, BaseSamplerV2
from qiskit.primitives.containers.estimator_pub import EstimatorPub
from qiskit.primitives.containers.sampler_pub import SamplerPub
from qiskit.providers import BackendV2

from .._deck import Deck
from .._job import Job
from ._inputs import Pubs, title
from ._programs import estimate, sample
from ._wrapper import Wrapper


class _Primitive(Wrapper):
    """A primitive and how its jobs are run."""

    _noun: ClassVar[str]
    """What the job's program calls it."""
    _effort: ClassVar[str]
    """What says how much is done: ``shots`` or ``precision``."""

    def __init__(
        self,
        primitive: Any,
        deck: Deck | None = None,
        *,
        name: str | None = None,
        tags: Iterable[str] = (),
        timeout: float | None = None,
        engine: str | None = None,
    ) -> None:
        super().__init__(primitive, deck, name=name, tags=tags, timeout=timeout, engine=engine)

    def _backend_behind(self) -> Any:
        for name in ("backend", "_backend"):
            found = getattr(self._wrapped, name, None)
            found = found() if callable(found) else found
            if isinstance(found, BackendV2):
                return found
        return None

    @property
    def options(self) -> Any:
        """The primitive's own options; what is changed in them counts from the next run on."""
        return self._wrapped.options

    def _queue(
        self,
        program: Callable[..., Any],
        pubs: Iterable[Any],
        coerce: Callable[[Any, Any], Any],
        effort: Any,
        options: dict[str, Any],
    ) -> Job[Any]:
        if effort is None:
            effort = _default_of(self._wrapped, self._effort)
        given = list(pubs)
        inspect.signature(self._wrapped.run).bind(given, **{self._effort: effort}, **options)
        # With the effort, so that what is wrong is said as the primitive itself would; sent without, so that a retry
        # with another one has it.
        checked = [coerce(pub, effort) for pub in given]
        validate = getattr(self._wrapped, "_validate_pubs", None)
        if callable(validate):
            # Qiskit's and Aer's own checks and warnings, which would else come as late as in the job.
            validate(checked)
        coerced = Pubs(coerce(pub, None) for pub in given)
        backend = self._backend_behind()
        return self._submitting.run(
            program,
            title(program.__name__, [pub.circuit for pub in coerced]),
            inputs={self._noun: _with_own_seed(self._wrapped), "pubs": coerced, self._effort: effort, **options},
            backend=type(self._wrapped).__name__ if backend is None else backend,
            subject=self._wrapped,
        )


class Sampler(_Primitive, BaseSamplerV2):
    """A V2 sampler whose every ``run`` is a job: in a process of its own, in the deck, and able to be stopped.

    Parameters
    ----------
    primitive
        Any V2 sampler that runs here: ``StatevectorSampler``, ``BackendSamplerV2``, Aer's ``SamplerV2``,
        qiskit-ibm-runtime's on a fake backend. It is copied into each job as it is at that time.
    deck
        Where the jobs go; None means the deck of jobdeck's functions.
    name
        What the jobs are called; None calls each like its circuits.
    tags, timeout, engine
        As in `jobdeck.run`.

    Raises
    ------
    InvalidInputError
        `primitive` is no V2 sampler, or runs at IBM's service.
    """

    _called = "Sampler"
    _kind = ("V2 sampler", BaseSamplerV2)
    _noun = "sampler"
    _effort = "shots"

    def run(self, pubs: Iterable[Any], *, shots: int | None = None, **options: Any) -> Job[Any]:
        """Sample pubs in a job and return it at once; its result is a ``PrimitiveResult``.

        Parameters
        ----------
        pubs
            Pubs, or what Qiskit takes for them: circuits, ``(circuit, parameter_values)``, …
        shots
            For those pubs that do not say; None means the primitive's own default.
        **options
            What else the primitive's own ``run`` takes.

        Raises
        ------
        ValueError, TypeError
            A pub or an option is none, as the primitive itself would say it. Nothing is queued.
        UnpicklableError
            The primitive or a circuit cannot be sent to another process. Nothing is queued.
        """
        return self._queue(sample, pubs, SamplerPub.coerce, shots, options)


class Estimator(_Primitive, BaseEstimatorV2):
    """A V2 estimator whose every ``run`` is a job: in a process of its own, in the deck, and able to be stopped.

    Parameters
    ----------
    primitive
        Any V2 estimator that runs here: ``StatevectorEstimator``, ``BackendEstimatorV2``, Aer's ``EstimatorV2``,
        qiskit-ibm-runtime's on a fake backend. It is copied into each job as it is at that time.
    deck
        Where the jobs go; None means the deck of jobdeck's functions.
    name
        What the jobs are called; None calls each like its circuits.
    tags, timeout, engine
        As in `jobdeck.run`.

    Raises
    ------
    InvalidInputError
        `primitive` is no V2 estimator, or runs at IBM's service.
    """

    _called = "Estimator"
    _kind = ("V2 estimator", BaseEstimatorV2)
    _noun = "estimator"
    _effort = "precision"

    def run(self, pubs: Iterable[Any], *, precision: float | None = None, **options: Any) -> Job[Any]:
        """Estimate pubs in a job and return it at once; its result is a ``PrimitiveResult``.

        Parameters
        ----------
        pubs
            Pubs, or what Qiskit takes for them: ``(circuit, observables)``, ``(circuit, observables, values)``, …
        precision
            For those pubs that do not say; None means the primitive's own default.
        **options
            What else the primitive's own ``run`` takes.

        Raises
        ------
        ValueError, TypeError
            A pub or an option is none, as the primitive itself would say it. Nothing is queued.
        UnpicklableError
            The primitive or a circuit cannot be sent to another process. Nothing is queued.
        """
        return self._queue(estimate, pubs, EstimatorPub.coerce, precision, options)


def _default_of(primitive: Any, effort: str) -> Any:
    """Return what a primitive takes for shots or precision where nobody says; None where it does not tell."""
    for owner in (primitive, getattr(primitive, "options", None)):
        found = getattr(owner, f"default_{effort}", None)
        if isinstance(found, Number) and not isinstance(found, bool):
            return found
    return None


def _with_own_seed(primitive: Any) -> Any:
    """Return the primitive with a new stream of each random generator that it has.

    A generator that were only copied would give each job the same numbers. A seed that is a number does so, too, but as
    it does without jobs.
    """
    streams = {
        name: value.spawn(1)[0]
        for name, value in getattr(primitive, "__dict__", {}).items()
        if isinstance(value, np.random.Generator)
    }
    if not streams:
        return primitive
    copied = copy.copy(primitive)
    vars(copied).update(streams)
    return copied
