"""`iterations`: a callback that publishes what an algorithm tells of each step."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .._current import current_messenger
from .._errors import InvalidInputError


class Iterations:
    """What `iterations` returns. It is pickled with the algorithm that has it, and publishes wherever that runs."""

    def __init__(self, value: str, total: float | None, parameters: bool, metadata: bool) -> None:
        self._value = value
        self._total = total
        self._parameters = parameters
        self._metadata = metadata

    def __call__(self, iteration: int, parameters: Any, value: Any, metadata: Any = None, step: Any = None) -> None:
        """Publish one step, as VQE, SamplingVQE, QAOA and VQD tell it.

        Raises
        ------
        JobCancelledError
            Somebody asked the job to stop.
        """
        message: dict[str, Any] = {"iteration": int(iteration), self._value: _number(value)}
        if step is not None:
            message["eigenvalue"] = int(step)
        if self._parameters:
            message["parameters"] = parameters
        if self._metadata and isinstance(metadata, Mapping):
            message["metadata"] = dict(metadata)
        messenger = current_messenger()
        messenger.publish(message)
        if self._total is not None:
            messenger.progress(iteration, self._total)

    def __repr__(self) -> str:
        return f"jobdeck.qiskit.iterations(value={self._value!r}, total={self._total!r})"


def iterations(
    value: str = "energy", *, total: float | None = None, parameters: bool = True, metadata: bool = False
) -> Iterations:
    """Return a callback for VQE and its kin that publishes each evaluation as an interim result of the job.

    It publishes ``{"iteration": …, "energy": …, "parameters": …}``, which a card draws as a curve. Outside of jobs the
    messages are printed.

    Parameters
    ----------
    value
        What the evaluated value is called.
    total
        Evaluations at which the job is done, if that is known: it drives the job's bar.
    parameters
        Whether to publish the parameters, too.
    metadata
        Whether to publish the primitive's metadata, too.

    Notes
    -----
    Of a single evaluation, VQE and VQD of qiskit-algorithms 0.4 tell the first parameter alone.

    Raises
    ------
    InvalidInputError
        `value` is no name, or `total` no number above 0.
    """
    if not isinstance(value, str) or not value or value in ("iteration", "parameters", "metadata", "eigenvalue"):
        raise InvalidInputError(f"value is what the evaluated value is called, not {value!r}")
    if total is not None and (isinstance(total, bool) or not isinstance(total, (int, float)) or not total > 0):
        raise InvalidInputError(f"total is a number of evaluations above 0, not {total!r}")
    return Iterations(value, total, parameters, metadata)


def _number(value: Any) -> Any:
    """Return a plain float of what algorithms give: numpy's scalars, arrays of one, complex without imaginary part."""
    number = complex(value)
    return number if number.imag else number.real
