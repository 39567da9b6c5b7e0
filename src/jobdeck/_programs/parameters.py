"""The inputs of a program, to be filled in by attribute."""

from __future__ import annotations

from collections.abc import Mapping
from types import SimpleNamespace
from typing import Any

from .._errors import InvalidInputError
from .._plain import plain, table
from .._program.preview import preview
from .._schema import defaults_of, misfits, told

_SHOWN = 60


class ParameterNamespace(SimpleNamespace):
    """The inputs of a program by name, with the Tab key's completion; ``run(program_id=…, inputs=…)`` takes it.

    An input begins as its default, or as None, which means that it is not given.

    Parameters
    ----------
    parameters
        The JSON schema of the inputs.
    """

    __slots__ = ("_schema",)

    def __init__(self, parameters: Mapping[str, Any]) -> None:
        super().__init__(**dict.fromkeys(parameters.get("properties", ())) | defaults_of(parameters))
        self._schema = parameters

    @property
    def metadata(self) -> dict[str, Any]:
        """The JSON schema of the inputs."""
        return dict(self._schema)

    def to_dict(self) -> dict[str, Any]:
        """Return the inputs that are given, by name."""
        return {name: value for name, value in vars(self).items() if value is not None}

    def validate(self) -> None:
        """Check the inputs as `run` does.

        Raises
        ------
        InvalidInputError
            One is missing, or does not fit; the text names it.
        """
        wrong = misfits(self._schema, self.to_dict(), input_name)
        if wrong:
            raise InvalidInputError(told(wrong))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, ParameterNamespace) and vars(self) == vars(other)

    __hash__ = None  # it changes

    def __reduce__(self) -> tuple[Any, ...]:
        return _remade, (dict(self._schema), self.to_dict())

    def __repr__(self) -> str:
        inputs = (f"{name}={preview(value, _SHOWN)}" for name, value in vars(self).items())
        return f"{type(self).__name__}({', '.join(inputs)})"

    def __str__(self) -> str:
        properties = self._schema.get("properties", {})
        required = self._schema.get("required", ())
        rows = []
        for name, value in vars(self).items():
            schema = properties.get(name)
            told_of = schema if isinstance(schema, Mapping) else {}
            shown = "" if value is None else preview(value, _SHOWN)
            description = plain(str(told_of.get("description", "")), 2 * _SHOWN)
            rows.append((name, shown, type_words(told_of), "yes" if name in required else "", description))
        return table(("input", "value", "type", "required", "description"), rows)


def _remade(schema: dict[str, Any], given: dict[str, Any]) -> ParameterNamespace:
    made = ParameterNamespace(schema)
    for name, value in given.items():
        setattr(made, name, value)
    return made


def type_words(schema: Mapping[str, Any]) -> str:
    """Return a schema's types, as it names them."""
    found = schema.get("type", "")
    return found if isinstance(found, str) else " or ".join(map(str, found))


def input_name(path: list[str | int]) -> str:
    """Return how a person calls a part of the inputs."""
    if not path:
        return "the inputs"
    first, *rest = path
    return f"input {first!r}" + "".join(f"[{step!r}]" for step in rest)
