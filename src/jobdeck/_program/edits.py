"""Inputs that were changed by somebody who cannot open them: pickled ones with new values beside them, as JSON.

Whoever edits (the Jupyter server, say) never unpickles. The new values are put in the place of the old ones where the
pickle is opened, in the job's own process.
"""

from __future__ import annotations

import ast
import json
from collections.abc import Mapping
from typing import Any, Final

from .._call import EDITED
from .._codec import RuntimeEncoder, decode
from .._errors import EncodingError, InvalidInputError
from .._plain import plain
from .preview import preview

_NUMBERS: Final = {"nan": float("nan"), "inf": float("inf")}
"""What Python writes for numbers that are no literals."""
_SHOWN: Final = 60


def edit(inputs: bytes, previews: Mapping[str, str], texts: Mapping[str, str]) -> tuple[bytes, dict[str, str]]:
    """Return the bytes and the previews of a job's inputs with some of them changed.

    Parameters
    ----------
    inputs
        As they were, edited before or not; they are not opened.
    previews
        Short texts of the inputs by name: only these can be changed.
    texts
        By name, the text of a Python literal or of JSON.

    Raises
    ------
    InvalidInputError
        There is no such input, or a text is neither.
    """
    values = {name: _value(name, text) for name, text in _known(previews, texts).items()}
    pickled, before = split(inputs)
    edits = before | {name: _encoded(name, value) for name, value in values.items()}
    new_previews = {**previews, **{name: preview(value) for name, value in values.items()}}
    return EDITED + json.dumps(edits).encode() + b"\n" + pickled, new_previews


def split(inputs: bytes) -> tuple[bytes, dict[str, str]]:
    """Return the pickle in a job's inputs, and the JSON texts of the edited ones by name."""
    if not inputs.startswith(EDITED):
        return inputs, {}
    line, _, pickled = inputs[len(EDITED) :].partition(b"\n")
    edits: dict[str, str] = json.loads(line)
    return pickled, edits


def values_of(edits: Mapping[str, str]) -> dict[str, Any]:
    """Return the values of edited inputs by name."""
    return {name: decode(text) for name, text in edits.items()}


def _known(previews: Mapping[str, str], texts: Mapping[str, str]) -> Mapping[str, str]:
    for name in texts:
        if name not in previews:
            there = ", ".join(plain(known, _SHOWN) for known in previews) or "none"
            raise InvalidInputError(f"the job has no input {plain(name, _SHOWN)!r} to change; its inputs are: {there}")
    return texts


def _value(name: str, text: str) -> Any:
    for read in (_literal, json.loads):
        try:
            return read(text)
        except (ValueError, SyntaxError, TypeError, MemoryError, RecursionError):  # all that a parser may say to a text
            continue
    raise InvalidInputError(
        f"input {plain(name, _SHOWN)!r}: {plain(text, _SHOWN)!r} is neither a Python literal nor JSON; "
        "write texts in quotes"
    )


def _literal(text: str) -> Any:
    return ast.literal_eval(_Numbers().visit(ast.parse(text.strip(), mode="eval")))


class _Numbers(ast.NodeTransformer):
    def visit_Name(self, node: ast.Name) -> ast.expr:
        return ast.Constant(_NUMBERS[node.id]) if node.id in _NUMBERS else node


def _encoded(name: str, value: Any) -> str:
    try:
        return RuntimeEncoder().encode(value)
    except EncodingError as error:
        raise InvalidInputError(f"input {plain(name, _SHOWN)!r} cannot be changed to this: {error}") from error
