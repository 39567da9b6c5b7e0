"""Objects of this process that travel nowhere: the bytes of a job that runs here refer to them.

Such bytes are a pickle like any other, so that whoever opens one gets the object itself in the process that has it, and
an error that says so in any other. They keep nothing alive: that is for whoever has the job.
"""

from __future__ import annotations

import itertools
import os
import pickle
import re
from collections.abc import Callable
from typing import Any, Final
from weakref import WeakValueDictionary

from .._errors import JobError

_numbers: Final = itertools.count(1)
_held: Final[WeakValueDictionary[str, Held]] = WeakValueDictionary()


class Held:
    """Keeps an object, of whatever type, for as long as somebody keeps this."""

    def __init__(self, value: Any) -> None:
        self.value = value
        # A number alone could be that of another process, or of the one that this one was forked from.
        self._key = f"{os.getpid()}-{next(_numbers)}-{os.urandom(6).hex()}"
        _held[self._key] = self

    @property
    def reference(self) -> bytes:
        """Bytes that open as the object, here."""
        return pickle.dumps(_Reference(self._key))


class _Reference:
    def __init__(self, key: str) -> None:
        self._key = key

    def __reduce__(self) -> tuple[Callable[[str], Any], tuple[str]]:
        return value_held, (self._key,)


_MARK: Final = b"jobdeck._program.held"
_KEY: Final = re.compile(rb"\d+-\d+-[0-9a-f]{12}")


def is_reference(data: bytes) -> bool:
    """Tell whether bytes refer to an object that some process holds."""
    return len(data) < 200 and _MARK in data


def held_by(data: bytes) -> Held | None:
    """Return what keeps the object that bytes refer to; None where they refer to none of this process."""
    found = _KEY.search(data) if is_reference(data) else None
    return None if found is None else _held.get(found[0].decode())


def value_held(key: str) -> Any:
    """Return the object of that key.

    Raises
    ------
    JobError
        It is another process's, or nobody has kept it.
    """
    held = _held.get(key)
    if held is None:
        pid = key.partition("-")[0]
        where = "is not kept any more" if int(pid) == os.getpid() else f"is in process {pid} alone, or ended with it"
        raise JobError(f"it was never sent anywhere: it {where}; run it again from its own code")
    return held.value
