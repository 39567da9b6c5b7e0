"""What all wrapped parts have in common: the part itself, how its jobs are run, and all else that it has."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, ClassVar

from .._deck import Deck
from .._errors import InvalidInputError
from ._submitting import Submitting, refuse_remote


class Wrapper:
    """A part of Qiskit's whose every run is a job. Whatever else the part has is found here, too.

    Parameters
    ----------
    wrapped
        The part; of one that is wrapped already, what is within.
    deck, name, tags, timeout, engine
        See `Submitting`.

    Raises
    ------
    InvalidInputError
        It is not of its kind, or runs at IBM's service.
    """

    _called: ClassVar[str]
    """Its name in jobdeck.qiskit."""
    _kind: ClassVar[tuple[str, type]]
    """What it wraps, in words and as a class."""

    def __init__(
        self,
        wrapped: Any,
        deck: Deck | None = None,
        *,
        name: str | None = None,
        tags: Iterable[str] = (),
        timeout: float | None = None,
        engine: str | None = None,
    ) -> None:
        # Not the base class's of Qiskit: what it would set is the wrapped part's to tell.
        self._wrapped: Any = wrapped._wrapped if isinstance(wrapped, Wrapper) else wrapped
        noun, base = self._kind
        if not isinstance(self._wrapped, base):
            part = self._wrapped
            what = part.__name__ + ", a class" if isinstance(part, type) else type(part).__name__
            raise InvalidInputError(f"jobdeck.qiskit.{self._called} wraps a {noun}, not {what}")
        refuse_remote(self._backend_behind())
        self._submitting = Submitting(deck, name=name, tags=tags, timeout=timeout, engine=engine)

    def _backend_behind(self) -> Any:
        """Return the backend that the part stands on, None for one that has none."""
        return self._wrapped

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__") or "_wrapped" not in vars(self):
            raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")
        return getattr(self._wrapped, name)

    def __reduce__(self) -> tuple[Callable[..., Any], tuple[Any, ...]]:
        return _rewrapped, (type(self), self._wrapped, self._submitting)

    def __repr__(self) -> str:
        return f"<jobdeck.qiskit.{self._called} of {self._wrapped!r}>"


def _rewrapped(kind: type[Wrapper], wrapped: Any, submitting: Submitting) -> Wrapper:
    made = kind.__new__(kind)
    vars(made).update(_wrapped=wrapped, _submitting=submitting)
    return made
