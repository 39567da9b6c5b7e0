"""Signals, set without the enumerations that `signal` makes of all that its functions return.

In a process that has just been forked each new thing that is done costs the copies of the pages that it touches, and to
look up four enumeration members would be a tenth of all that a short job does.
"""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterable
from typing import Any, Final

DEFAULT: Final = int(signal.SIG_DFL)
KILL: Final = int(signal.SIGKILL)
TERM: Final = int(signal.SIGTERM)
INT: Final = int(signal.SIGINT)
HUP: Final = int(signal.SIGHUP)
CHLD: Final = int(signal.SIGCHLD)

_bare: Final[Any] = getattr(signal, "_signal", signal)
"""What `signal` wraps; its functions do not tell from Python 3.9 on."""
handle: Final[Callable[[int, int | Callable[[int, Any], None]], Any]] = _bare.signal
"""Have a signal handled in this way."""
mask: Final[Callable[[int, Iterable[int]], Any]] = _bare.pthread_sigmask
"""Hold signals back (`BLOCK`), or let them through (`UNBLOCK`), and those that were held back."""
BLOCK: Final = int(signal.SIG_BLOCK)
UNBLOCK: Final = int(signal.SIG_UNBLOCK)


def handler(number: int) -> Any:
    """Return how a signal is handled, as `handle` takes it."""
    return _bare.getsignal(number)
