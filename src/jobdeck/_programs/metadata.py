"""What is told of a program when it is uploaded: name, description, time limit, and what it takes and gives."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from .._errors import InvalidInputError
from .._options import checked_seconds
from .._plain import a_kind, near, plain
from .._schema import Schema, check_schema

Metadata = Mapping[str, Any] | str | os.PathLike[str]

SCHEMAS: Final = ("parameters", "return_values", "interim_results")
_PARTS: Final = ("backend_requirements", *SCHEMAS)
_FIELDS: Final = ("name", "description", "max_execution_time", "is_public", "spec", *_PARTS)
_TYPES: Final = frozenset({"array", "boolean", "integer", "null", "number", "object", "string"})


def read_metadata(metadata: Metadata | None, **given: Any) -> dict[str, Any]:
    """Return metadata as they are kept, checked.

    Parameters
    ----------
    metadata
        A mapping, or the path of a JSON file that holds one. What a program takes and gives is in ``spec`` or, as older
        programs have it, beside the name; there it may be a list of parameters with their names, too.
    given
        Fields that replace those of the metadata, where they are not None.

    Raises
    ------
    InvalidInputError
    """
    found = _mapping(metadata)
    replaced = {name: value for name, value in given.items() if value is not None}
    for name in found:
        # Programs bring fields of their own, such as a version, which are kept.
        if name not in _FIELDS and (close := near(str(name), _FIELDS)):
            raise InvalidInputError(
                f"metadata have a field {plain(repr(name), 80)}, and probably mean {close[0]!r}; what is looked at: "
                f"{', '.join(_FIELDS)}"
            )
    spec = _spec({**found, **replaced})
    kept = {name: value for name, value in {**found, **replaced}.items() if name not in (*_PARTS, "spec")}
    for key in ("name", "description"):
        if key in kept and (not isinstance(kept[key], str) or not kept[key].strip()):
            raise InvalidInputError(f"a program's {key} is a text that is not empty, not {kept[key]!r}")
    if not kept.get("max_execution_time"):
        kept.pop("max_execution_time", None)  # zero is how other services say that there is no limit
    else:
        checked_seconds("max_execution_time", kept["max_execution_time"])
    if "is_public" in kept and not isinstance(kept["is_public"], bool):
        raise InvalidInputError(f"is_public is True or False, not {kept['is_public']!r}")
    return {**kept, "spec": spec} if spec else kept


def spec_of(metadata: Mapping[str, Any], part: str) -> Schema:
    """Return one part of the ``spec`` of kept metadata; empty where nothing is said."""
    spec = metadata.get("spec")
    found = spec.get(part) if isinstance(spec, Mapping) else None
    return found if isinstance(found, Mapping) else {}


def _mapping(metadata: Metadata | None) -> dict[str, Any]:
    if metadata is None:
        return {}
    if isinstance(metadata, Mapping):
        return dict(metadata)
    if not isinstance(metadata, (str, os.PathLike)):
        raise InvalidInputError(f"metadata are a dict, or the path of a JSON file, not {a_kind(metadata)}")
    path = Path(metadata).expanduser()
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise InvalidInputError(f"metadata file {path} cannot be read: {error.strerror}") from error
    except ValueError as error:
        raise InvalidInputError(f"metadata file {path} is no JSON: {error}") from error
    if not isinstance(found, dict):
        raise InvalidInputError(f"metadata file {path} holds {a_kind(found)}, and has to hold an object")
    return found


def _spec(fields: Mapping[str, Any]) -> dict[str, Any]:
    given = fields.get("spec")
    if given is not None and not isinstance(given, Mapping):
        raise InvalidInputError(f"spec is a dict of {', '.join(_PARTS)}, not {plain(repr(given), 80)}")
    for part in given or {}:
        if part not in _PARTS:
            hint = f"; did you mean {close[0]!r}?" if (close := near(str(part), _PARTS)) else ""
            raise InvalidInputError(f"spec has {', '.join(_PARTS)}, and no {plain(repr(part), 80)}{hint}")
    spec: dict[str, Any] = {part: fields[part] for part in _PARTS if fields.get(part)}
    spec |= {part: value for part, value in (given or {}).items() if value}
    for part in SCHEMAS:
        if part in spec:
            if isinstance(spec[part], Sequence) and not isinstance(spec[part], str):
                spec[part] = _schema_of_list(part, spec[part])
            check_schema(f"{part} of the program", spec[part])
    return spec


def _schema_of_list(part: str, entries: Sequence[Any]) -> dict[str, Any]:
    """Return a schema for a list of ``{"name", "description", "type", "required"}``, as the first programs had it."""
    properties: dict[str, Any] = {}
    required: list[str] = []
    for entry in entries:
        name = entry.get("name") if isinstance(entry, Mapping) else None
        if not isinstance(name, str):
            raise InvalidInputError(
                f"{part} of the program: an entry of the list is a dict with a name, not {plain(repr(entry), 80)}"
            )
        told = {key: entry[key] for key in ("description",) if key in entry}
        # What was written there was for people: "A circuit or list of circuits" is no type to check.
        if entry.get("type") in _TYPES:
            told["type"] = entry["type"]
        properties[name] = told
        if entry.get("required"):
            required.append(name)
    return {"type": "object", "properties": properties, **({"required": required} if required else {})}
