"""What the agent and a zygote say to each other: pickled tuples, each after its length."""

from __future__ import annotations

import pickle
import struct
from typing import Any, Final

_LENGTH: Final = struct.Struct(">I")
_PROTOCOL: Final = 4  # the two may be of different versions of Python


def frame(*word: Any) -> bytes:
    """Return a word as it is sent."""
    data = pickle.dumps(word, _PROTOCOL)
    return _LENGTH.pack(len(data)) + data


class Frames:
    """Puts words together from what arrives in pieces."""

    def __init__(self) -> None:
        self._data = bytearray()

    def feed(self, piece: bytes) -> list[tuple[Any, ...]]:
        """Return the words that are whole now."""
        self._data += piece
        words: list[tuple[Any, ...]] = []
        at = 0
        while len(self._data) - at >= _LENGTH.size:
            (length,) = _LENGTH.unpack_from(self._data, at)
            end = at + _LENGTH.size + length
            if end > len(self._data):
                break
            words.append(pickle.loads(memoryview(self._data)[at + _LENGTH.size : end].tobytes()))
            at = end
        del self._data[:at]
        return words
