"""A job's program called in its own process, on a short way where nothing but the call is to be done.

It imports nothing beyond what every interpreter has loaded: the process that jobs are forked from holds it.
"""

from __future__ import annotations

import _pickle
from types import CoroutineType

from ._own_path import OwnPath

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, Final

    from ._messenger import UserMessenger

EDITED: Final = b"jobdeck: edited inputs\n"
"""Begins the bytes of edited inputs, as no pickle begins; then a line of JSON, then the pickle."""
_SAFE_INT: Final = 2**53
"""Larger integers are tagged in JSON."""


def run(program: bytes, inputs: bytes, messenger: Callable[[], UserMessenger]) -> Any:
    """Open what ``_program.pack`` packed and call it; return what it returns.

    Most calls are plain. In a process that was just forked all that is touched has to be copied, so that of these
    nothing is made but the call.

    Parameters
    ----------
    messenger
        Returns the job's messenger, which is the active one.
    """
    opened = _pickle.loads(program)
    if type(opened) is tuple and not inputs.startswith(EDITED):
        _, function, _, returns = opened
        args, keywords, _, is_plain, log_level = _pickle.loads(inputs)
        if is_plain and returns is None and log_level is None:
            value = function(*args, **keywords)
            if type(value) is not CoroutineType:
                return value
            with OwnPath():
                from ._program import awaited
            return awaited(value, messenger())
    with OwnPath():
        from ._program import open_payload
        from ._records import Payload
    return open_payload(Payload(program, inputs, b"")).run(messenger())


def plain_number(value: Any) -> str | None:
    """Return a number that JSON writes as Python does, which needs no encoder; None for all else.

    Both its body and its preview are these characters.
    """
    kind = type(value)
    if kind is int:
        return repr(value) if -_SAFE_INT <= value <= _SAFE_INT else None
    # Of the floats, infinities and what is no number have no difference of zero to themselves.
    return repr(value) if kind is float and value - value == 0.0 else None
