"""Which module writes a type, and which one reads a tag."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import Any, Final

from .forms import NotThisTag
from .standard import DECODERS, ENCODERS, simplify

_PACKAGES: Final = {
    "numpy": "arrays",
    "pandas": "frames",
    "matplotlib": "pictures",
    "PIL": "pictures",
    "jobdeck": "pictures",
    "qiskit": "qiskit",
}
"""Top package of a type to the module here that writes it. Nothing is imported that the program has not imported."""

_FOREIGN: Final = {
    "ndarray": "arrays",
    "numpy": "arrays",
    "dataframe": "frames",
    "series": "frames",
    "index": "frames",
    "pandas": "frames",
    "image": "pictures",
    "qiskit": "qiskit",
}
"""Tag to the module here that reads it: a fixed table, so that no name found in data is ever imported."""

KNOWN: Final = frozenset(DECODERS) | frozenset(_FOREIGN)
OBJECTS: Final = frozenset({"object"})
"""Tags whose ``fields`` are attributes, named so in the path of an error."""


def encode(value: Any) -> Any:
    """Return the form of a value: a tag, or something simpler that it will come back as.

    Raises
    ------
    TypeError
        There is none.
    """
    kind = type(value)
    encoder = ENCODERS.get(kind)
    if encoder is not None:
        return encoder(value)
    foreign = _foreign_encoder(kind)
    made = foreign(value) if foreign is not None else None
    return made if made is not None else simplify(value)


def _foreign_encoder(kind: type) -> Callable[[Any], Any] | None:
    for base in kind.__mro__:
        module = _PACKAGES.get(base.__module__.partition(".")[0])
        if module is not None:
            encoder: Callable[[Any], Any] = import_module(f"{__package__}.{module}").encode
            return encoder
    return None


def decode(name: str, value: Any) -> Any:
    """Return the value of a tag whose inner tags are decoded.

    Raises
    ------
    NotThisTag
        Where the tag is unknown, or its value is not what that tag holds.
    """
    decoder = DECODERS.get(name)
    try:
        if decoder is not None:
            return decoder(value)
        if name in _FOREIGN:
            return import_module(f"{__package__}.{_FOREIGN[name]}").decode(name, value)
    except Exception as exc:  # libraries raise errors of any kind for data that is not theirs
        raise NotThisTag(f"{name}: {exc}") from exc
    raise NotThisTag(name)
