"""How wrapped parts hand their work to a deck."""

# mypy: disable-error-code="import-untyped, import-not-found"

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from .._deck import Deck
from .._errors import InvalidInputError, UnpicklableError
from .._job import Job
from .._options import RunOptions
from .._toplevel import default_deck


class Submitting:
    """What all jobs of one wrapped part have in common. It is pickled without the deck's connections.

    Parameters
    ----------
    deck
        Where the jobs go; None means the deck of jobdeck's functions at the time of each run.
    name, tags, timeout, engine
        As in `Deck.run`.

    Raises
    ------
    InvalidInputError
        One of them is not what it has to be.
    """

    def __init__(
        self,
        deck: Deck | None = None,
        *,
        name: str | None = None,
        tags: Iterable[str] = (),
        timeout: float | None = None,
        engine: str | None = None,
    ) -> None:
        if deck is not None and not isinstance(deck, Deck):
            raise InvalidInputError(f"deck is a Deck or None, not {type(deck).__name__}")
        how = RunOptions.checked(
            backend=None, name=name, tags=tags, engine=engine, timeout=timeout, metadata=None, options=None
        )
        self._deck = deck
        self._how: dict[str, Any] = {"tags": how.tags, "timeout": how.timeout, "engine": how.engine}
        self._name = how.name

    def run(
        self, program: Callable[..., Any], title: str, *, inputs: Mapping[str, Any], backend: Any, subject: Any
    ) -> Job[Any]:
        """Queue a job.

        Parameters
        ----------
        program, inputs, backend
            As in `Deck.run`.
        title
            What the job is called, unless its part was told otherwise.
        subject
            What is wrapped: it is named if the job cannot be sent.
        """
        deck = self._deck or default_deck()
        try:
            return deck.run(program, name=self._name or title, inputs=inputs, backend=backend, **self._how)
        except UnpicklableError as error:
            raise UnpicklableError(f"{type(subject).__name__} cannot run as a job: {error}") from error

    def __reduce__(self) -> tuple[Callable[..., Submitting], tuple[Any, ...]]:
        where = None if self._deck is None else (self._deck.home, self._deck.engine)
        return _submitting, (where, {**self._how, "name": self._name})


def _submitting(where: tuple[Any, str] | None, how: Mapping[str, Any]) -> Submitting:
    return Submitting(None if where is None else Deck(where[0], where[1]), **how)


def refuse_remote(backend: Any) -> None:
    """Refuse what runs elsewhere anyhow: its job would only wait, with a token among its inputs."""
    runtime = sys.modules.get("qiskit_ibm_runtime")
    if runtime is not None and isinstance(backend, runtime.IBMBackend):
        raise InvalidInputError(
            f"{backend.name} runs at IBM's service, not in a process of yours: use it as it is, "
            "and show its jobs with jobdeck.watch(job)"
        )
