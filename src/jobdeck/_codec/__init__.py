"""Messages and results as JSON text: encoder, decoder, and how the text is shown to people."""

from __future__ import annotations

import json
from typing import Any

from .._errors import EncodingError, InvalidInputError
from .decoder import ResultDecoder, decode
from .display import display, series
from .encoder import RuntimeEncoder

__all__ = ["ResultDecoder", "RuntimeEncoder", "decode", "display", "encode", "series"]


def encode(message: Any, encoder: type[json.JSONEncoder] = RuntimeEncoder) -> str:
    """Return a message as strictly valid JSON text, whatever the encoder.

    Raises
    ------
    EncodingError
        It names the part that cannot be encoded, where the encoder is a :class:`RuntimeEncoder`.
    """
    if encoder is RuntimeEncoder:
        return RuntimeEncoder().encode(message)
    if not isinstance(encoder, type):
        raise InvalidInputError(f"encoder is a class such as RuntimeEncoder, not {type(encoder).__name__}")
    try:
        return _strict(json.dumps(message, cls=encoder))
    except EncodingError:
        raise
    except RecursionError:
        raise EncodingError("message cannot be encoded: it is nested too deeply") from None
    except (TypeError, ValueError) as exc:
        raise EncodingError(f"message cannot be encoded with {encoder.__name__}: {exc}") from exc


def _strict(text: str) -> str:
    """Return the text of an encoder that is not ours, with NaN and infinities tagged."""
    found = False

    def number(name: str) -> Any:
        nonlocal found
        found = True
        return {"__type__": "float", "__value__": {"NaN": "nan", "Infinity": "inf", "-Infinity": "-inf"}[name]}

    parsed = json.loads(text, parse_constant=number)
    return json.dumps(parsed, allow_nan=False) if found else text
