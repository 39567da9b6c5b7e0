"""Signals, set without the enumerations that `signal` makes of all that its functions return.

In a process that has just been forked each new thing that is done costs the copies of the pages that it touches, and to
look up four enumeration members would be a tenth of all that a short job does. What `signal` wraps is called by itself.
"""

from __future__ import annotations

import _signal  # type: ignore[import-not-found]  # typeshed does not know what `signal` wraps

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from typing import Any, Final

DEFAULT: Final = int(_signal.SIG_DFL)
IGNORE: Final = int(_signal.SIG_IGN)
KILL: Final = int(_signal.SIGKILL)
TERM: Final = int(_signal.SIGTERM)
INT: Final = int(_signal.SIGINT)
HUP: Final = int(_signal.SIGHUP)
CHLD: Final = int(_signal.SIGCHLD)
OTHERS: Final = tuple(map(int, (_signal.SIGHUP, _signal.SIGQUIT, _signal.SIGUSR1, _signal.SIGUSR2)))
"""Signals that end a process, unless it has other plans."""
BLOCK: Final = int(_signal.SIG_BLOCK)
UNBLOCK: Final = int(_signal.SIG_UNBLOCK)

handle: Final[Callable[[int, int | Callable[[int, Any], object]], Any]] = _signal.signal
"""Have a signal handled in this way."""
handler: Final[Callable[[int], Any]] = _signal.getsignal
"""Return how a signal is handled, as `handle` takes it."""
mask: Final[Callable[[int, Iterable[int]], Any]] = _signal.pthread_sigmask
"""Hold signals back (`BLOCK`), or let them through (`UNBLOCK`), and those that were held back."""
wake: Final[Callable[..., int]] = _signal.set_wakeup_fd
"""Have a byte written to a descriptor at each signal; -1 ends it."""
