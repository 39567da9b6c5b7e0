"""A picture that a program published."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Picture:
    """A picture as it comes back from a message: a figure or image that the program published.

    Attributes
    ----------
    data : bytes
        The PNG file.
    width, height : int
        Its size in pixels.
    """

    data: bytes
    width: int
    height: int

    def save(self, path: str | Path) -> None:
        """Write the PNG file."""
        Path(path).write_bytes(self.data)

    def _repr_png_(self) -> bytes:
        return self.data

    def __repr__(self) -> str:
        return f"<Picture {self.width}×{self.height}>"
