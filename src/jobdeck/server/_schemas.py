"""JSON Schemas of what `_wire` declares, so that nothing has to be declared again."""

from __future__ import annotations

import types
from typing import Any, Final, Literal, Union, get_args, get_origin, get_type_hints, is_typeddict

Schema = dict[str, Any]

_PRIMITIVES: Final[dict[Any, str]] = {
    str: "string",
    int: "integer",
    float: "number",
    bool: "boolean",
    type(None): "null",
}


def schemas_of(*declared: type) -> dict[str, Schema]:
    """Return the schemas of these typed dicts, and of those that they hold, by name."""
    found: dict[str, Schema] = {}
    for kind in declared:
        _collect(kind, found)
    return found


def _collect(kind: type, found: dict[str, Schema]) -> None:
    if kind.__name__ in found:
        return
    properties: dict[str, Schema] = {}
    # Where no type checker knows that it is a typed dict.
    required = sorted(vars(kind)["__required_keys__"])
    schema: Schema = {"type": "object", "required": required, "properties": properties}
    found[kind.__name__] = schema
    if kind.__doc__ and not kind.__doc__.startswith("dict("):
        schema["description"] = " ".join(kind.__doc__.partition("\n\n")[0].split())
    for name, hint in get_type_hints(kind).items():
        properties[name] = _schema(hint, found)


def _schema(hint: Any, found: dict[str, Schema]) -> Schema:
    if is_typeddict(hint):
        _collect(hint, found)
        return {"$ref": f"#/components/schemas/{hint.__name__}"}
    if hint in _PRIMITIVES:
        return {"type": _PRIMITIVES[hint]}
    if hint is object:
        return {}
    origin, parts = get_origin(hint), get_args(hint)
    if origin in (Union, types.UnionType):
        options = [_schema(part, found) for part in parts]
        simple = all(option.keys() == {"type"} and isinstance(option["type"], str) for option in options)
        return {"type": [option["type"] for option in options]} if simple else {"anyOf": options}
    if origin is Literal:
        return {"enum": list(parts)}
    if origin is list:
        return {"type": "array", "items": _schema(parts[0], found)}
    if origin is dict:
        return {"type": "object", "additionalProperties": _schema(parts[1], found)}
    raise TypeError(f"{hint!r} has no form in JSON Schema here")
