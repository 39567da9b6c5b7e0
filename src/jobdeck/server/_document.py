"""The OpenAPI document, and requests checked against it."""

from __future__ import annotations

import functools
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from jsonschema import Draft202012Validator  # type: ignore[import-untyped]  # it ships no types
from jsonschema.exceptions import ValidationError, best_match  # type: ignore[import-untyped]

from .. import _wire
from .._plain import plain
from ._schemas import schemas_of

_FILE: Final = Path(__file__).with_name("openapi.json")
_REST: Final = (_wire.JobView, _wire.JobRow, _wire.GroupView, _wire.LogChunk, _wire.Reply, _wire.Report)
_STREAM: Final = (
    *(_wire.Subscribe, _wire.Resync, _wire.RangeRequest, _wire.CommandRequest, _wire.DeckRequest, _wire.BulkRequest),
    *(_wire.Snapshot, _wire.Delta, _wire.Rows, _wire.RangeReply, _wire.Trouble),
)
_DIGITS: Final = re.compile(r"[0-9]{1,16}", re.ASCII)
_LONGEST_SAID: Final = 300
_CHOICES: Final = {
    "oneOf": "it has to have one of {}, and one alone",
    "anyOf": "it has to have one of {}",
    "not": "with this command it cannot have {}",
}
"""What the document's choices between properties mean, in words."""


class Malformed(Exception):
    """A request is not what the document says; `status` is the answer's."""

    def __init__(self, words: str, status: int = 400) -> None:
        super().__init__(words)
        self.status = status


@functools.cache
def document() -> dict[str, Any]:
    """Return the whole document: the file beside this module, with the schemas of what `_wire` declares."""
    found: dict[str, Any] = json.loads(_FILE.read_text("utf-8"))
    found["components"]["schemas"] |= schemas_of(*_REST, *_STREAM)
    return found


@functools.cache
def text() -> str:
    """Return the document as it is served."""
    return json.dumps(document(), allow_nan=False)


def validator(schema: Any) -> Draft202012Validator:
    """Return what checks values against a schema that may refer to the document's components."""
    return Draft202012Validator({"allOf": [schema], "components": document()["components"]})


def resolved(part: dict[str, Any]) -> dict[str, Any]:
    """Return a part of the document, or what it refers to."""
    while "$ref" in part:
        found: Any = document()
        for step in part["$ref"].removeprefix("#/").split("/"):
            found = found[step]
        part = {**found, **{key: value for key, value in part.items() if key != "$ref"}}
    return part


@dataclass(frozen=True)
class Operation:
    """What the document says about one method of one path.

    Attributes
    ----------
    parameters
        By name: what each is to be.
    longest
        Bytes of the body; 0 where there is none.
    """

    parameters: Mapping[str, _Parameter]
    body: Draft202012Validator | None
    longest: int

    def arguments(self, given: Mapping[str, Sequence[str]]) -> dict[str, Any]:
        """Return the parameters' values from their texts; one that is not given has its default, else is left out.

        Raises
        ------
        Malformed
        """
        found = {}
        for name, parameter in self.parameters.items():
            if name in given:
                found[name] = parameter.read(given[name])
            elif parameter.has_default:
                found[name] = parameter.default
        return found

    def payload(self, data: bytes) -> Any:
        """Return the value of a body. Nothing but JSON is read, and none that JSON's own definition does not have.

        Raises
        ------
        Malformed
        """
        if len(data) > self.longest:
            raise Malformed(f"the body has {len(data)} bytes; it may have {self.longest}", 413)
        if self.body is None:
            return None
        try:
            value = json.loads(data, parse_constant=_refuse_constant)
            _check(self.body, value, "the body")
        except RecursionError:
            raise Malformed("the body is nested too deeply") from None
        except ValueError as error:
            raise Malformed(f"the body is no JSON: {plain(str(error), _LONGEST_SAID)}") from None
        return value


@dataclass(frozen=True)
class _Parameter:
    name: str
    type: str
    validator: Draft202012Validator
    default: Any
    has_default: bool
    explodes: bool

    def read(self, texts: Sequence[str]) -> Any:
        # Of a parameter that is given more than once, and is no list, the last one counts.
        value: Any = texts[-1]
        if self.type == "integer":
            if not _DIGITS.fullmatch(value):
                raise Malformed(f"`{self.name}` has to be a whole number, not {plain(value, 60)!r}")
            value = int(value)
        elif self.type == "array":
            value = list(texts) if self.explodes else [part for part in value.split(",") if part]
        _check(self.validator, value, f"`{self.name}`")
        return value


@functools.cache
def operation(path: str, method: str) -> Operation:
    """Return what the document says about a method (in lower case) of a path."""
    shared = document()["paths"][path]
    own = shared[method]
    parameters = [resolved(part) for part in (*shared.get("parameters", ()), *own.get("parameters", ()))]
    body = own.get("requestBody")
    return Operation(
        {part["name"]: _parameter(part) for part in parameters},
        None if body is None else validator(body["content"]["application/json"]["schema"]),
        0 if body is None else body["x-longest"],
    )


def _parameter(part: dict[str, Any]) -> _Parameter:
    schema = part["schema"]
    facts = resolved(schema)
    return _Parameter(
        name=part["name"],
        type=facts["type"],
        validator=validator(schema),
        default=facts.get("default"),
        has_default="default" in facts,
        explodes=part.get("explode", True),
    )


def _check(checks: Draft202012Validator, value: Any, what: str) -> None:
    error = best_match(checks.iter_errors(value))
    if error is not None:
        raise Malformed(_sentence(error, what))


def _sentence(error: ValidationError, what: str) -> str:
    place = "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in error.absolute_path)
    return plain(f"{what}{place}: {_reason(error)}", _LONGEST_SAID)


def _reason(error: ValidationError) -> str:
    if error.validator in ("maxItems", "maxProperties"):
        return f"{len(error.instance)} entries are too many; it may have {error.validator_value}"
    if error.validator == "maxLength":
        return f"{len(error.instance)} characters are too many; it may have {error.validator_value}"
    if error.validator in _CHOICES:
        options = error.validator_value["anyOf"] if error.validator == "not" else error.validator_value
        names = ", ".join(f"`{name}`" for option in options for name in option["required"])
        return _CHOICES[error.validator].format(names)
    return str(error.message)


def _refuse_constant(name: str) -> Any:
    raise ValueError(f"{name} is no number that JSON has")
