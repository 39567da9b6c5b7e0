"""Where other systems create what can be watched: methods that are replaced for as long as a block is open."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

Method = Callable[..., Any]


class Noting:
    """What a replaced method asks and tells. Subclassed where blocks are known."""

    @property
    def is_wanted(self) -> bool:
        """Whether the calling code is that of an open block."""
        raise NotImplementedError

    def note(self, created: Any, name: str | None = None) -> None:
        """Show what was created: an object that can be watched, or a `Watched`. It takes next to no time."""
        raise NotImplementedError

    def alone(self, method: Method, *args: Any, **kwargs: Any) -> Any:
        """Call a method, and note nothing that it creates for itself."""
        raise NotImplementedError


@dataclass(frozen=True)
class Seam:
    """One such method.

    Attributes
    ----------
    kind : type
        The class that has it.
    method : str
        Its name.
    noting : callable
        Is given the method and a `Noting`, and returns what takes its place.
    """

    kind: type
    method: str
    noting: Callable[[Method, Noting], Method]


def returning(kind: type, method: str, found: Callable[[Any, Any], Iterable[tuple[Any, str | None]]]) -> Seam:
    """Return the seam of a method that returns what it creates.

    `found` is given the object whose method it is, and what that returned, and finds what was created, with names.
    """

    def noting(call: Method, noted: Noting) -> Method:
        @functools.wraps(call)
        def replacement(self: Any, *args: Any, **kwargs: Any) -> Any:
            if not noted.is_wanted:
                return call(self, *args, **kwargs)
            made = noted.alone(call, self, *args, **kwargs)
            for created, name in found(self, made):
                noted.note(created, name)
            return made

        return replacement

    return Seam(kind, method, noting)
