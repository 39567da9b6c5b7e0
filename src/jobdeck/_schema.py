"""Values held to a JSON schema, with sentences about what does not fit.

What a program takes and returns need not be JSON: a numpy array counts as a list, a numpy number as a number, and what
JSON has no form for at all (a circuit, an operator) as an object.
"""

# mypy: disable-error-code="import-untyped"
# jsonschema ships no types.

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

from ._errors import InvalidInputError
from ._plain import plain

Schema = Mapping[str, Any]

_KINDS: Final = {
    "integer": "a whole number",
    "number": "a number",
    "string": "a text",
    "boolean": "True or False",
    "array": "a list",
    "object": "an object",
    "null": "None",
}
_SHOWN: Final = 80
_MOST: Final = 3


class _Whole(dict[str, Any]):
    """Something that JSON has no form for: an object whose members nobody can see."""

    def __init__(self, value: Any) -> None:
        super().__init__()
        self.value = value

    def __repr__(self) -> str:
        return repr(self.value)


def check_schema(what: str, schema: Any) -> None:
    """Refuse what is no JSON schema. `what` says whose it is.

    Raises
    ------
    InvalidInputError
    """
    from jsonschema.exceptions import SchemaError

    if not isinstance(schema, Mapping):
        raise InvalidInputError(f"{what} is a JSON schema, so a dict, not {_short(schema)}")
    try:
        _validator_class(schema).check_schema(_as_json(schema))
    except SchemaError as error:
        where = "".join(f"[{step!r}]" for step in error.path)
        raise InvalidInputError(f"{what}{where}: this is no JSON schema: {_cut(error.message)}") from None


def defaults_of(schema: Schema) -> dict[str, Any]:
    """Return the defaults of an object's members, of those that have one."""
    found = schema.get("properties", {}).items()
    return {name: part["default"] for name, part in found if isinstance(part, Mapping) and "default" in part}


def misfits(schema: Schema, value: Any, name: Callable[[list[str | int]], str]) -> list[str]:
    """Return a sentence about each part of a value that does not fit; none where all does.

    Parameters
    ----------
    schema
        A JSON schema. What it refers to elsewhere is never fetched.
    name
        Gives what a person calls the part at a path of names and places.
    """
    from referencing import Registry
    from referencing.exceptions import Unresolvable

    validator = _validator_class(schema)(_as_json(schema), registry=Registry())
    try:
        errors = sorted(validator.iter_errors(_as_json(value)), key=lambda error: list(map(str, error.absolute_path)))
    except Unresolvable as error:
        return [f"the schema refers to {error.ref!r}, which is not in it"]
    return [sentence for error in errors for sentence in _sentences(error, name)]


def told(sentences: list[str]) -> str:
    """Return some of them as one text."""
    more = len(sentences) - _MOST
    return "; ".join(sentences[:_MOST]) + (f"; and {more} more" if more > 0 else "")


def kinds_of(schema: Any) -> str:
    """Return what a schema wants, in words: ``a whole number or None``; empty where it does not say."""
    wanted = schema.get("type") if isinstance(schema, Mapping) else None
    names = [wanted] if isinstance(wanted, str) else wanted or []
    return " or ".join(_KINDS.get(name, str(name)) for name in names)


def _validator_class(schema: Schema) -> Any:
    from jsonschema import Draft202012Validator
    from jsonschema.validators import validator_for

    return validator_for(schema, default=Draft202012Validator)


def _as_json(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {str(key): _as_json(part) for key, part in value.items()}
    if value is None or isinstance(value, (bool, int, float, str)):
        return value
    if isinstance(value, (list, tuple, set, frozenset, range)):
        return [_as_json(part) for part in value]
    if type(value).__module__.partition(".")[0] == "numpy" and hasattr(value, "tolist"):
        return _as_json(value.tolist())
    return _Whole(value)


def _sentences(error: Any, name: Callable[[list[str | int]], str]) -> Iterator[str]:
    path = list(error.absolute_path)
    rule, wanted = error.validator, error.validator_value
    if rule == "required":
        members = error.schema.get("properties", {})
        for missing in wanted:
            if missing not in error.instance:
                yield _wanting(f"{name([*path, missing])} is missing", members.get(missing), "it has to be")
        return
    if rule == "additionalProperties" and wanted is False:
        known = error.schema.get("properties", {})
        for unknown in error.instance.keys() - known.keys():
            yield f"{name([*path, unknown])} is not known; there are: {', '.join(map(repr, known)) or 'none'}"
        return
    what, is_ = name(path), _short(error.instance)
    limits = {"minimum": "at least", "maximum": "at most", "exclusiveMinimum": "above", "exclusiveMaximum": "below"}
    if rule == "type":
        yield _wanting(f"{what} is {is_}", error.schema, "and has to be")
    elif rule == "enum":
        yield f"{what} is {is_}, and has to be one of {', '.join(map(_short, wanted))}"
    elif rule in limits:
        yield f"{what} is {is_}, and has to be {limits[rule]} {wanted}"
    else:
        yield f"{what}: {_cut(error.message)}"


def _wanting(text: str, schema: Any, joint: str) -> str:
    """Add what is wanted, and what its author says of it."""
    kinds = kinds_of(schema)
    if kinds:
        text += f", {joint} {kinds}"
    described = schema.get("description") if isinstance(schema, Mapping) else None
    return f"{text} ({plain(str(described).strip().rstrip('.'), _SHOWN * 2)})" if described else text


def _short(value: Any) -> str:
    from ._program import preview

    return preview(value.value if isinstance(value, _Whole) else value, _SHOWN)


def _cut(message: str) -> str:
    return plain(message, 4 * _SHOWN)
