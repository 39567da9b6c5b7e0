"""From JSON text back to Python values. Never unpickles, never imports by a name found in data."""

from __future__ import annotations

import inspect
import json
from collections.abc import Callable
from typing import Any

from . import tags
from .forms import NotThisTag


class _BothWays:
    """A method that can be called on an instance or on its class, which then makes an instance.

    ``json.loads(text, cls=…)`` calls ``decode`` on an instance; Qiskit's ``ResultDecoder`` is called on the class.
    """

    def __init__(self, method: Callable[..., Any]) -> None:
        self._method = method
        self.__doc__ = method.__doc__

    def __get__(self, instance: Any, owner: type) -> Callable[..., Any]:
        bound: Callable[..., Any] = self._method.__get__(owner() if instance is None else instance, owner)
        return bound


class ResultDecoder(json.JSONDecoder):
    """The JSON decoder of published messages and results.

    Use it as any ``json.JSONDecoder``, as in ``json.loads(text, cls=ResultDecoder)``, or as one uses Qiskit's:
    ``ResultDecoder.decode(text)``. A subclass overrides :meth:`decode` (a method or a classmethod) or
    :meth:`object_hook`. A dict with an unknown tag, or one whose value is not what the tag holds, stays a dict.

    Notes
    -----
    Dataclasses come back as ``types.SimpleNamespace``, enum members as their values, named tuples as tuples, and
    instances of subclasses of the built-in types as the built-in type.

    Raises
    ------
    json.JSONDecodeError
        From ``decode``, where the text is no JSON or is nested too deeply.
    """

    def __init__(self, **options: Any) -> None:
        given = options.pop("object_hook", None)
        hook: Callable[[dict[str, Any]], Any] = self.object_hook
        if given is not None and given != hook:
            own = hook

            def hook(found: dict[str, Any]) -> Any:
                made = own(found)
                return given(made) if type(made) is dict else made

        super().__init__(object_hook=hook, **options)

    def object_hook(self, found: dict[str, Any]) -> Any:
        """Return what a JSON object stands for: a tag's value, or the dict itself."""
        name = found.get("__type__")
        if type(name) is not str or "__value__" not in found:
            return found
        try:
            return tags.decode(name, found["__value__"])
        except NotThisTag:
            return found

    def _decode(self, s: str) -> Any:
        """Return the value of a JSON text."""
        try:
            return super().decode(s)
        except RecursionError:
            raise json.JSONDecodeError("nested too deeply", s[:100], 0) from None
        except json.JSONDecodeError:
            raise
        except ValueError as exc:  # an integer of more digits than Python reads
            raise json.JSONDecodeError(str(exc), s[:100], 0) from None

    decode = _BothWays(_decode)


Decoder = type[json.JSONDecoder]


def decode(text: str, decoder: Decoder | None = None) -> Any:
    """Return the value of a message or result, with the given decoder class or with :class:`ResultDecoder`."""
    if decoder is None:
        return ResultDecoder().decode(text)
    if isinstance(inspect.getattr_static(decoder, "decode", None), (classmethod, staticmethod)):
        return decoder.decode(text)  # type: ignore[call-arg, arg-type]  # a classmethod, as Qiskit's are
    return decoder().decode(text)
