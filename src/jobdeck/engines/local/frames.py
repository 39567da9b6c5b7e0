"""What the agent and a zygote say to each other: pickled tuples, each after its length."""

from __future__ import annotations

from _pickle import dumps, loads

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Final

_LENGTH: Final = 4
"""Bytes of a length."""
_PROTOCOL: Final = 4  # the two may be of different versions of Python


def frame(*word: Any) -> bytes:
    """Return a word as it is sent."""
    data = dumps(word, _PROTOCOL)
    return len(data).to_bytes(_LENGTH, "big") + data


class Frames:
    """Puts words together from what arrives in pieces."""

    def __init__(self) -> None:
        self._data = bytearray()

    def feed(self, piece: bytes) -> list[tuple[Any, ...]]:
        """Return the words that are whole now."""
        self._data += piece
        words: list[tuple[Any, ...]] = []
        at = 0
        while len(self._data) - at >= _LENGTH:
            begin = at + _LENGTH
            end = begin + int.from_bytes(self._data[at:begin], "big")
            if end > len(self._data):
                break
            words.append(loads(self._data[begin:end]))
            at = end
        del self._data[:at]
        return words
